//! `rhema crdt undo`: what an edit or a commit did is done the other way round.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::find::Where;
use super::log::open_store;
use super::ui::{GOOD, Ui, printable};
use super::{Outcome, times, told};
use crate::context::{Types, Unedited};
use crate::crdt::{Path, Stamp};
use crate::git::{Repo, native_path};
use crate::history::{self, Kind, People, Undoing, Undone};
use crate::node::{Config, Node};
use crate::replica::Replica;
use crate::store::{Reading, Store};
use crate::yaml::{Document, Limits};

/// Take an edit back, by another edit that does the opposite
///
/// Without a name what was done here last, by one command or in one save; with a stamp any edit that is known, whoever made it; with a commit all that it changed in
/// documents. A removed record comes back as it was, in its place; a new one goes; a text goes back where nobody changed its lines since.
/// All of an edit is taken back or nothing: where something else was done since to what it changed, it says by whom and refuses (on a
/// terminal it asks). Taking back what took something back gives it again.
///
/// A conflict that the edit had settled is not opened again: the value that stood before stands again.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt undo                             what was done here last\n  \
    rhema crdt undo 4k2m9xa7-7f3kqd             an edit, as `rhema crdt log` names it\n  \
    rhema crdt undo HEAD                        what the last commit changed in documents; nothing is committed\n  \
    rhema crdt undo 4k2m9xa7-7f3kqd --force     whatever was done there since\n\n\
    With --json: {undone, edits: [{path, stamp, changes: [{field, kind, from, to}]}]}: what was taken back, and by which edit in each document. Exit status 3 \
    if it was refused; then nothing is changed.")]
pub(super) struct Arguments {
    /// The edit, or a commit
    #[arg(value_name = "STAMP|COMMIT")]
    what: Option<String>,
    /// Also where something else was done since to what it changed
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    place: Where,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    undone: String,
    edits: Vec<EditReport>,
}

#[derive(Serialize)]
struct EditReport {
    path: String,
    stamp: Option<String>,
    changes: Vec<ChangeReport>,
}

#[derive(Serialize)]
struct ChangeReport {
    field: String,
    kind: &'static str,
    from: Value,
    to: Value,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    if Node::load(repo.git_dir())?.is_none() {
        bail!("rhema crdt is not set up in this clone: run `rhema crdt init` first");
    }
    // What was typed is an edit like any other: it may be the last one.
    if repo.under_way().is_none() {
        Replica::open(&repo)?.round(false)?;
    }
    let types = Config::at_head(&repo)?.types;
    let mut store = open_store(&repo, ui);
    let (undone, undoings, refused) = {
        let reading = store.as_mut().map(Store::read).transpose()?;
        let (undone, undoings) = what(&repo, reading.as_ref(), arguments)?;
        let mut refused = String::new();
        for undoing in &undoings {
            refused.push_str(&objections(&repo, reading.as_ref(), undoing, &types)?);
        }
        (undone, undoings, refused)
    };
    drop(store);
    let mut force = arguments.force;
    if !refused.is_empty() && !force {
        if !asks(ui) {
            for line in refused.lines() {
                ui.warn(format_args!("{}", line.trim_start()));
            }
            bail!(
                "{undone} is not taken back: something else was done since to what it changed; `--force` takes it back all the same"
            );
        }
        ui.show(&format!(
            "Something else was done since to what {undone} changed:\n{refused}"
        ))?;
        force = agreed(ui)?;
        if !force {
            bail!("{undone} is not taken back");
        }
    }
    let edits = take_back(&repo, &undoings, &types, force)?;
    if edits.is_empty() {
        match undoings.iter().any(Undoing::settled) {
            true => bail!(
                "{undone} settled a conflict for the value that stood: there is nothing else to take back; `rhema crdt log --conflicts` has the values that lost"
            ),
            false => bail!("nothing of {undone} stands any more: there is nothing to take back"),
        }
    }
    if undoings.iter().any(Undoing::settled) {
        ui.note("the conflicts that it had settled are not opened again: `rhema crdt log --conflicts` has their values");
    }
    if ui.wants_json() {
        ui.json(&Report { undone, edits })?;
    } else {
        ui.say(&for_people(&undone, &undoings))?;
    }
    Ok(Outcome::Done)
}

/// What is to be taken back, and what that is called.
fn what(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    arguments: &Arguments,
) -> anyhow::Result<(String, Vec<Undoing>)> {
    let stamp = match &arguments.what {
        Some(text) => match text.parse::<Stamp>() {
            Ok(stamp) => stamp,
            Err(_) => {
                let commit = repo.commit_named(text).with_context(|| {
                    format!("`{text}` is neither the stamp of an edit, as `rhema crdt log` shows it, nor a commit")
                })?;
                let short = repo.short_name(commit);
                let mut undoings = history::undoing_commit(repo, commit)?;
                if !arguments.place.is_anywhere() {
                    let documents = arguments.place.documents(repo)?;
                    undoings.retain(|undoing| documents.contains(&undoing.document));
                }
                if undoings.is_empty() {
                    bail!(
                        "commit {short} changed nothing in documents that its first parent has, too: a whole document comes back, or goes, by `git revert`"
                    );
                }
                return Ok((format!("commit {short}"), undoings));
            }
        },
        None => {
            let documents = arguments.place.documents(repo)?;
            let last = match reading {
                Some(reading) => {
                    let within = (!arguments.place.is_anywhere()).then_some(documents.as_slice());
                    history::undoing_last(repo, reading, &documents, within)?
                }
                None => None,
            };
            let (stamp, undoing) = last.context(
                "nothing was edited here since `init` that could be taken back: name an edit, as `rhema crdt log` shows it",
            )?;
            return Ok((stamp.to_string(), undoing.into_iter().collect()));
        }
    };
    if let Some(edit) = reading
        .map(|reading| reading.edit(stamp))
        .transpose()?
        .flatten()
        && let Some(reading) = reading
        && reading.retracted(&edit.known.document)?.contains(&stamp)
    {
        bail!("{stamp} was taken back already, before it was committed");
    }
    let documents = arguments.place.documents(repo)?;
    match history::undoing(repo, reading, &documents, stamp)? {
        Some(undoing) => Ok((stamp.to_string(), vec![undoing])),
        None => bail!(
            "nobody here knows what {stamp} did: `rhema crdt log` lists the edits that are known"
        ),
    }
}

/// What speaks against taking something back: what else was done since.
fn objections(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    undoing: &Undoing,
    types: &Types,
) -> anyhow::Result<String> {
    let file = native_path(undoing.document.as_bytes());
    let (_, document) = repo.read_document(&file)?;
    let now = document.text();
    let places = match undoing.of(now, types) {
        Undone::Clean(_) => return Ok(String::new()),
        Undone::Contested { places, .. } => places,
        Undone::NoText => bail!(
            "{} cannot be written so: edit it by hand, then run `rhema crdt sync --timeout 0`",
            undoing.document
        ),
    };
    let people = People::of(repo, reading)?;
    let mut told = String::new();
    let places: BTreeSet<Path> = places.into_iter().collect();
    for at in places {
        let place = printable(&told::field(&at));
        let value = history::value_at(now, &at);
        let last = history::last_edit_of(repo, reading, &people, &undoing.document, now, &at)?;
        let by = last.map_or_else(String::new, |origin| {
            format!(
                " by {} at {}{}",
                told::who(&origin.who),
                times::for_people(origin.unix_millis),
                origin
                    .stamp
                    .map_or_else(String::new, |stamp| format!(" ({stamp})"))
            )
        });
        let _ = match &value {
            Some(value) => writeln!(told, "  {place} is {} since{by}", told::shown(Some(value))),
            None => writeln!(told, "  {place} was removed{by}"),
        };
    }
    if told.is_empty() {
        let _ = writeln!(told, "  {} was changed there since", undoing.document);
    }
    Ok(told)
}

/// Whether somebody can be asked.
fn asks(ui: &Ui) -> bool {
    !ui.wants_json() && io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn agreed(ui: &Ui) -> anyhow::Result<bool> {
    ui.show("Take it back all the same? [y/N] ")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn take_back(
    repo: &Repo,
    undoings: &[Undoing],
    types: &Types,
    force: bool,
) -> anyhow::Result<Vec<EditReport>> {
    let mut replica = Replica::open(repo)?;
    let mut edits = Vec::new();
    for undoing in undoings {
        let file = native_path(undoing.document.as_bytes());
        let make = |document: &Document| {
            let text = match undoing.of(document.text(), types) {
                Undone::Clean(text) => Some(text),
                Undone::Contested { forced, .. } if force => forced,
                Undone::Contested { .. } | Undone::NoText => None,
            };
            let made = text.and_then(|text| Document::from_text(text, &Limits::default()).ok());
            made.ok_or(Unedited::NoPlace {
                at: crate::context::Address::new("."),
            })
        };
        let edited = replica.rewrite(&file, &make)?;
        if !edited.changed {
            continue;
        }
        let changes = undoing.happened.iter().map(|one| ChangeReport {
            field: told::field(&one.at),
            kind: one.kind.name(),
            from: told::value(one.from.as_ref()),
            to: told::value(one.to.as_ref()),
        });
        edits.push(EditReport {
            path: undoing.document.to_string(),
            stamp: edited.stamp.map(|stamp| stamp.to_string()),
            changes: changes.collect(),
        });
    }
    Ok(edits)
}

fn for_people(undone: &str, undoings: &[Undoing]) -> String {
    let mut told = format!("{GOOD}Took back{GOOD:#} {undone}, which had done this in ");
    for undoing in undoings {
        let _ = writeln!(told, "{}:", printable(&undoing.document.to_string()));
        for one in undoing
            .happened
            .iter()
            .filter(|one| one.kind != Kind::Conflict)
        {
            let _ = write!(told, "  {}", told::difference_line(one));
        }
    }
    told
}
