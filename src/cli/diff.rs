//! `rhema crdt diff`: what is different between two versions of documents.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::Outcome;
use super::find::Where;
use super::log::{document_named, open_store, places};
use super::times::Point;
use super::told;
use super::ui::{STRONG, Ui, printable};
use crate::git::{Repo, native_path};
use crate::history::{self, Happened};
use crate::overlay::DocumentPath;
use crate::store::{Reading, Store};

/// Tell what is different between two moments, edits, commits or files
///
/// By meaning: records that were added, removed or moved, fields that changed. What is only written otherwise (order of fields, quotes,
/// comments) is no difference. With one moment, what changed since then.
///
/// A moment is a date (`2026-11-20`), a time (`2026-11-20T14:03:00Z`), how long ago (`30m`, `2h`, `3d`, `1w`, `"2 days ago"`), a stamp, or a
/// commit.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt diff HEAD                        what is not committed yet\n  \
    rhema crdt diff 1d                          what changed since yesterday\n  \
    rhema crdt diff main feature todos          what two branches have otherwise\n  \
    rhema crdt diff HEAD~5 HEAD todos/ship-it\n  \
    rhema crdt diff --files old.yaml new.yaml\n\n\
    `+` is new, `-` is gone, `~` changed, `>` moved, `!` a conflict that is open now, `=` one that is not any more. With --json: {differences: [{path, field, \
    kind, from, to}]}. Exit status 1 for differences only with --exit-code.")]
pub(super) struct Arguments {
    /// From when
    #[arg(value_name = "A", required_unless_present = "files")]
    from: Option<String>,
    /// Until when; the files as they are now without
    #[arg(value_name = "B")]
    to: Option<String>,
    /// Only this list (LIST), record (LIST/ID), field (LIST/ID/FIELD), or document
    path: Option<String>,
    /// Compare two files, wherever they are
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["from", "to", "path"])]
    files: Vec<PathBuf>,
    /// End with exit status 1 if there are differences
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    place: Where,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    differences: Vec<DifferenceReport>,
}

#[derive(Serialize)]
struct DifferenceReport {
    path: String,
    field: String,
    kind: &'static str,
    from: Value,
    to: Value,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let differences = match arguments.files.as_slice() {
        [old, new] => vec![of_files(old, new)?],
        _ => of_history(arguments, ui)?,
    };
    let is_different = differences.iter().any(|(_, happened)| !happened.is_empty());
    if ui.wants_json() {
        let all = differences.iter().flat_map(|(path, happened)| {
            happened.iter().map(|one| DifferenceReport {
                path: path.clone(),
                field: told::field(&one.at),
                kind: one.kind.name(),
                from: told::value(one.from.as_ref()),
                to: told::value(one.to.as_ref()),
            })
        });
        let differences = all.collect();
        ui.json(&Report { differences })?;
    } else if is_different {
        ui.show(&for_people(&differences))?;
    } else {
        ui.say("No difference.\n")?;
    }
    Ok(match arguments.exit_code && is_different {
        true => Outcome::NeedsAttention,
        false => Outcome::Done,
    })
}

fn for_people(differences: &[(String, Vec<Happened>)]) -> String {
    let there = differences
        .iter()
        .filter(|(_, happened)| !happened.is_empty());
    there
        .map(|(path, happened)| {
            let lines: String = happened
                .iter()
                .map(|one| format!("  {}", told::difference_line(one)))
                .collect();
            format!("{STRONG}{}{STRONG:#}\n{lines}", printable(path))
        })
        .collect()
}

fn of_files(old: &Path, new: &Path) -> anyhow::Result<(String, Vec<Happened>)> {
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path);
        text.with_context(|| format!("cannot read {}", path.display()))
    };
    let (before, after) = (read(old)?, read(new)?);
    let Some(happened) = history::compared(None, Some(&before), Some(&after)) else {
        bail!(
            "{} or {} is no YAML: `rhema crdt merge` says where",
            old.display(),
            new.display()
        );
    };
    Ok((new.display().to_string(), sorted(happened)))
}

fn of_history(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Vec<(String, Vec<Happened>)>> {
    let repo = Repo::find()?;
    let from = arguments.from.as_deref().unwrap_or("HEAD");
    let from = Point::read(from, &repo)?;
    // With two arguments the second is a path where it is no moment.
    let (to, path) = match (&arguments.to, &arguments.path) {
        (Some(to), Some(path)) => (Some(Point::read(to, &repo)?), Some(path)),
        (Some(one), None) => match Point::read(one, &repo) {
            Ok(point) => (Some(point), None),
            Err(error) => {
                let is_path = one.contains('/') || arguments.place.has(&repo, one);
                if !is_path {
                    return Err(error);
                }
                (None, Some(one))
            }
        },
        (None, _) => (None, None),
    };
    let mut store = open_store(&repo, ui);
    let reading = store.as_mut().map(Store::read).transpose()?;
    let (documents, within) = match path {
        None => {
            let mut commits = Vec::new();
            for point in [Some(from), to].into_iter().flatten() {
                let instant = point.instant();
                commits.extend(history::commit_of(&repo, reading.as_ref(), instant)?);
            }
            (arguments.place.documents_also_in(&repo, &commits)?, None)
        }
        Some(path) => match document_named(&repo, path)? {
            Some(document) => (vec![document], None),
            None => {
                let asked = places(&repo, path, &arguments.place)?;
                (asked.documents, asked.within)
            }
        },
    };
    let mut differences = Vec::new();
    for document in documents {
        let before = text_at(&repo, reading.as_ref(), &document, Some(from))?;
        let after = text_at(&repo, reading.as_ref(), &document, to)?;
        if before == after {
            continue;
        }
        let happened = history::compared(Some(&repo), before.as_deref(), after.as_deref());
        let Some(mut happened) = happened else {
            ui.warn(format_args!("{document} is no YAML in one of the two"));
            continue;
        };
        if let Some(within) = &within {
            happened.retain(|one| history::is_about(within, &one.at, one.kind));
        }
        differences.push((document.to_string(), sorted(happened)));
    }
    Ok(differences)
}

/// A document as it was, or as the work tree has it now.
fn text_at(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    document: &DocumentPath,
    point: Option<Point>,
) -> anyhow::Result<Option<String>> {
    match point {
        Some(point) => Ok(history::document_at(
            repo,
            reading,
            document,
            point.instant(),
            None,
        )?),
        None => {
            let path = repo.top().join(native_path(document.as_bytes()));
            match std::fs::read_to_string(&path) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error).with_context(|| format!("cannot read {document}")),
            }
        }
    }
}

fn sorted(mut happened: Vec<Happened>) -> Vec<Happened> {
    happened.sort_by(|one, other| one.at.cmp(&other.at));
    happened
}
