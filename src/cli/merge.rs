//! `rhema crdt merge`: the merge of three files by hand.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::merge_driver::types;
use super::round::counted;
use super::ui::Ui;
use crate::git::{Ending, MergedFile, Settings, Sides, merge_files, replace};
use crate::merge::Kept;

/// Merge three versions of a YAML file by structure
///
/// Records are matched by their identity (id, name, key, …), fields by their names, texts by their lines. Where both
/// sides changed the very same thing, git's conflict markers stand around it and the exit status is 1. A file that has
/// no structure to go by is merged as text, as git would.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt merge base.yaml ours.yaml theirs.yaml               print the merge\n  \
    rhema crdt merge base.yaml ours.yaml theirs.yaml -o ours.yaml  write it over our version\n  \
    git show HEAD~3:a.yaml | rhema crdt merge /dev/stdin a.yaml b.yaml")]
pub(super) struct Arguments {
    /// What both sides started from
    base: PathBuf,
    /// Our version
    ours: PathBuf,
    /// Their version
    theirs: PathBuf,
    /// Write the merge to FILE instead of stdout
    #[arg(short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The name to use for the file in messages
    #[arg(long, value_name = "P")]
    path: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report<'a> {
    /// Places that are marked for people to settle.
    conflicts: usize,
    /// Losing values that the merge keeps beside those that stand.
    kept: usize,
    renamed: usize,
    /// Why the files were merged as text, if they were.
    fallback: Option<&'a str>,
    /// The file that holds the merge.
    output: Option<String>,
    /// The merge itself, where no file was asked for.
    merged: Option<&'a str>,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let [base, ours, theirs] = [
        read(&arguments.base)?,
        read(&arguments.ours)?,
        read(&arguments.theirs)?,
    ];
    let name = arguments
        .path
        .as_ref()
        .unwrap_or(&arguments.ours)
        .display()
        .to_string();
    let sides = Sides {
        base: &base,
        ours: &ours,
        theirs: &theirs,
    };
    let MergedFile {
        ending,
        kept,
        fallback,
    } = merge_files(
        &sides,
        &Settings {
            types: types(),
            ..Settings::default()
        },
    );
    let fallback = fallback.map(|reason| reason.told_of(&name));
    if let Some(reason) = &fallback {
        ui.warn(reason);
    }
    let (bytes, conflicts) = match ending {
        Ending::Clean(bytes) => (bytes, 0),
        Ending::Marked { bytes, conflicts } => (bytes, conflicts),
        Ending::Binary => {
            bail!("{name} is binary and changed on both sides: choose one of the two")
        }
    };
    match &arguments.output {
        Some(output) => replace(output, &bytes).with_context(|| {
            format!(
                "cannot write {}: check its folder and permissions",
                output.display()
            )
        })?,
        None if !ui.wants_json() => Ui::bytes(&bytes)?,
        None => {}
    }
    if ui.wants_json() {
        let merged = match &arguments.output {
            Some(_) => None,
            None => Some(
                std::str::from_utf8(&bytes)
                    .context("the merge is not UTF-8: name a file for it with `-o`")?,
            ),
        };
        let output = arguments
            .output
            .as_ref()
            .map(|output| output.display().to_string());
        ui.json(&Report {
            conflicts,
            kept: kept.losers,
            renamed: kept.renamed,
            fallback: fallback.as_deref(),
            output,
            merged,
        })?;
    }
    for told in told_of_kept(&name, kept) {
        ui.note(told);
    }
    if conflicts == 0 {
        return Ok(Outcome::Done);
    }
    ui.warn(format_args!(
        "{name}: {conflicts} marked for you to settle (look for `<<<<<<<`)",
        conflicts = places(conflicts)
    ));
    Ok(Outcome::NeedsAttention)
}

/// "1 place", "2 places".
pub(super) fn places(count: usize) -> String {
    counted(count, "place")
}

/// What a merge kept for people to look at in a document, and what to do about it.
pub(super) fn told_of_kept(name: &str, kept: Kept) -> impl Iterator<Item = String> {
    let losers = match kept.losers {
        0 => None,
        1 => Some("1 value lost against a concurrent one and is kept".to_owned()),
        many => Some(format!(
            "{many} values lost against concurrent ones and are kept"
        )),
    };
    let losers =
        losers.map(|what| format!("{name}: {what}; `rhema crdt resolve` lists and settles"));
    let renamed = match kept.renamed {
        0 => None,
        1 => Some("1 record has a second name now".to_owned()),
        many => Some(format!("{many} records have second names now")),
    };
    let renamed = renamed.map(|what| {
        format!("{name}: {what}, as another one was added under the same identity; what refers to it was left alone")
    });
    losers.into_iter().chain(renamed)
}

/// Reads one of the three files.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| {
        format!(
            "cannot read {}: is that the file you meant?",
            path.display()
        )
    })
}
