//! `rhema crdt log`: what was edited, when and by whom.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::find::Where;
use super::times::Point;
use super::told::{self, EntryReport};
use super::ui::Ui;
use crate::context::Address;
use crate::git::{Repo, git_path};
use crate::history::{self, Asked, Ended, Entry, Memory, People};
use crate::overlay::DocumentPath;
use crate::query::{Condition, Fields, Value, parse_condition};
use crate::store::Store;

/// How many entries are told where nobody says how many.
const USUAL: usize = 50;

/// Tell what was edited, when, and by whom
///
/// Edits, not lines: each changed field, new, removed or moved record, each conflict that was left or settled, the newest first. Git's
/// commits and the edits that this work tree knows are told together, each with the commit that has it; what is not committed yet is
/// told, too. Works before `init` as well, from git alone.
///
/// A moment is a date (`2026-11-20`), a time (`2026-11-20T14:03:00Z`), how long ago (`30m`, `2h`, `3d`, `1w`, `"2 days ago"`), a stamp, or a
/// commit.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt log                              the last 50 edits\n  \
    rhema crdt log todos/ship-it                what happened to one record\n  \
    rhema crdt log todos/ship-it/status\n  \
    rhema crdt log --since 3d --where \"who = 'Ann' AND kind = 'removed'\"\n  \
    rhema crdt log --conflicts                  what was contested, and settled\n  \
    rhema crdt log --json | jq -r '.entries[].field'\n\n\
    --where asks about who, node, when, branch, commit, stamp, path, field, kind, from, to and state. Kinds: born, changed, counted, removed, moved, \
    renamed, conflict, settled. With --json: {entries: [{when, stamp, node, name, branch, commit, path, field, kind, from, to, state}]}; \
    `path` is the document, `state` one of committed, pending, parked, elsewhere, retracted.")]
pub(super) struct Arguments {
    /// Only what happened to this list (LIST), record (LIST/ID) or field (LIST/ID/FIELD), or in this document
    path: Option<String>,
    /// Only what was edited since
    #[arg(long, value_name = "T")]
    since: Option<String>,
    /// Only what was edited until then
    #[arg(long, value_name = "T")]
    until: Option<String>,
    /// Only entries of which this holds, as in `get --where`
    #[arg(long = "where", value_name = "EXPR")]
    condition: Option<String>,
    /// Only what is about conflicts
    #[arg(long)]
    conflicts: bool,
    /// Only edits of this node, by its name or the beginning of its id
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// So many at most
    #[arg(short = 'n', value_name = "N", default_value_t = USUAL, conflicts_with = "all")]
    number: usize,
    /// All there are
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: Where,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    entries: Vec<EntryReport>,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let mut store = open_store(&repo, ui);
    let reading = store.as_mut().map(Store::read).transpose()?;
    let people = People::of(&repo, reading.as_ref())?;
    let mut asked = asked(&repo, arguments)?;
    if asked.at.is_none()
        && arguments.place.is_anywhere()
        && let Some(reading) = &reading
    {
        // Those, too, that are gone.
        asked
            .documents
            .extend(reading.looks()?.into_iter().map(|(path, _)| path));
        asked.documents.sort();
        asked.documents.dedup();
    }
    let moment = |text: &Option<String>| {
        let point = text.as_deref().map(|text| Point::read(text, &repo));
        let point = point.transpose()?;
        point.map(|point| point.unix_millis(&repo)).transpose()
    };
    asked.since = moment(&arguments.since)?;
    asked.until = moment(&arguments.until)?;
    let condition = arguments.condition.as_deref().map(parse_condition);
    let condition = condition.transpose().context("--where says nothing")?;
    let with_file = asked.documents.len() > 1;
    let most = if arguments.all {
        usize::MAX
    } else {
        arguments.number
    };
    let mut told = 0;
    let mut entries = Vec::new();
    let mut failed = Ok(());
    let memory = Memory::default();
    let mut hear = |entry: Entry| {
        if told == most {
            return ControlFlow::Break(());
        }
        if !is_wanted(arguments, condition.as_ref(), &entry) {
            return ControlFlow::Continue(());
        }
        told += 1;
        if ui.wants_json() {
            entries.push(EntryReport::of(&entry));
        } else if let Err(error) = ui.show(&told::line(&entry, &repo, with_file)) {
            failed = Err(error);
            return ControlFlow::Break(());
        }
        match told == most {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let ended = history::log(&repo, reading.as_ref(), &people, &asked, &memory, &mut hear)?;
    drop(reading);
    failed?;
    if ui.wants_json() {
        ui.json(&Report { entries })?;
    } else if told == 0 {
        ui.say("Nothing was edited.\n")?;
    }
    if ended == Ended::Cut && told < most {
        ui.note("this clone has no more of git's history: `git fetch --unshallow` brings it");
    }
    remember(memory, store);
    Ok(Outcome::Done)
}

/// The store, where there is one that can be read: without it git alone tells.
pub(super) fn open_store(repo: &Repo, ui: &Ui) -> Option<Store> {
    if !Store::path_in(repo.git_dir()).exists() {
        return None;
    }
    match Store::open(repo.git_dir()) {
        Ok(opened) => Some(opened.store),
        Err(error) => {
            ui.warn(format_args!("only what git has is told: {error}"));
            None
        }
    }
}

/// Has the store remember what was found out about commits, if it can: it was told already.
pub(super) fn remember(memory: Memory, store: Option<Store>) {
    let kept = store.map(|mut store| memory.keep(&mut store));
    if let Some(Err(error)) = kept {
        tracing::info!("what commits did is not remembered: {error}");
    }
}

/// What documents and places are asked for.
fn asked(repo: &Repo, arguments: &Arguments) -> anyhow::Result<Asked> {
    let Some(path) = &arguments.path else {
        let documents = arguments.place.documents(repo)?;
        return Ok(Asked {
            documents,
            ..Asked::default()
        });
    };
    if let Some(document) = document_named(repo, path)? {
        return Ok(Asked {
            documents: vec![document],
            ..Asked::default()
        });
    }
    places(repo, path, &arguments.place)
}

/// What a path names: where it stands now, or where it may have stood.
pub(super) fn places(repo: &Repo, path: &str, place: &Where) -> anyhow::Result<Asked> {
    let at = Address::new(path);
    match place.document_about(repo, &at) {
        Ok((file, document)) => {
            let documents = vec![DocumentPath::new(git_path(&file))];
            Ok(match at.place_in(&document) {
                Some(place) => Asked {
                    documents,
                    within: Some(place.to_string()).filter(|_| !at.is_root()),
                    at: Some(place).filter(|_| !at.is_root()),
                    ..Asked::default()
                },
                // It is gone.
                None => Asked {
                    documents,
                    within: Some(at.to_string()),
                    ..Asked::default()
                },
            })
        }
        Err(error) => {
            let documents = place.documents(repo)?;
            if documents.is_empty() {
                return Err(error);
            }
            Ok(Asked {
                documents,
                within: Some(at.to_string()),
                ..Asked::default()
            })
        }
    }
}

/// The document that a path names, where it is a file's: from here, or from the top.
pub(super) fn document_named(repo: &Repo, path: &str) -> anyhow::Result<Option<DocumentPath>> {
    let is_file = Path::new(path)
        .extension()
        .is_some_and(|name| name == "yaml" || name == "yml");
    if !is_file {
        return Ok(None);
    }
    let typed = PathBuf::from(path);
    let here = std::env::current_dir()?.join(&typed);
    let here = here.strip_prefix(repo.top()).ok().map(Path::to_path_buf);
    let known = repo.document_paths(None)?;
    let there = [here, Some(typed)].into_iter().flatten();
    let found = there.clone().find(|file| known.contains(file));
    let found = found.or_else(|| {
        let head = repo.head_commit().ok().flatten()?;
        let files = repo.context_files_in(head).ok()?;
        there.clone().find(|file| files.contains(file))
    });
    Ok(found.map(|file| DocumentPath::new(git_path(&file))))
}

fn is_wanted(arguments: &Arguments, condition: Option<&Condition>, entry: &Entry) -> bool {
    if arguments.conflicts && !entry.kind.is_of_conflicts() {
        return false;
    }
    if let Some(node) = &arguments.node {
        let id = entry.who.node.map(|node| node.to_string());
        let is_it = id.is_some_and(|id| id.starts_with(node.as_str()));
        if !is_it && entry.who.name.as_ref() != Some(node) {
            return false;
        }
    }
    condition.is_none_or(|condition| condition.holds(&Told(entry)))
}

/// What conditions are asked of.
struct Told<'e>(&'e Entry);

impl Fields for Told<'_> {
    fn field(&self, name: &str) -> Value {
        let entry = self.0;
        let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
        match name {
            "who" | "name" => Value::Text(told::who(&entry.who)),
            "node" => text(entry.who.node.map(|node| node.to_string())),
            "when" => Value::Text(super::times::for_scripts(entry.unix_millis)),
            "branch" => text(entry.branch.clone()),
            "commit" => text(entry.commit.map(|commit| commit.to_string())),
            "stamp" => text(entry.stamp.map(|stamp| stamp.to_string())),
            "path" => Value::Text(entry.document.to_string()),
            "field" => Value::Text(told::field(&entry.at)),
            "kind" => Value::Text(entry.kind.name().to_owned()),
            "state" => Value::Text(entry.state.name().to_owned()),
            "from" => asked_of(&told::value(entry.from.as_ref())),
            "to" => asked_of(&told::value(entry.to.as_ref())),
            _ => Value::Null,
        }
    }
}

/// A value as questions see it.
fn asked_of(value: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Int(number.into()),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::Null,
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(values) => Value::List(values.iter().map(asked_of).collect()),
        Json::Object(fields) => Value::List(fields.keys().cloned().map(Value::Text).collect()),
    }
}
