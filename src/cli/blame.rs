//! `rhema crdt blame`: who gave each field the value that it has.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::find::Where;
use super::log::{document_named, open_store, remember};
use super::ui::{FAINT, STRONG, Ui, printable};
use super::{Outcome, times, told};
use crate::context::Address;
use crate::crdt::Path;
use crate::git::{Repo, git_path, native_path};
use crate::history::{self, Blame, Memory, People, State};
use crate::overlay::DocumentPath;
use crate::store::Store;

/// Tell who gave each field its value, when, and in which commit
///
/// Of a record, a list, a field, or a whole document as the file has it now. What stands beside a value tells it, else the edits that this
/// work tree knows, else git's history: so it works for what was written before `init`, too.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt blame todos/ship-it\n  \
    rhema crdt blame todos/ship-it/status\n  \
    rhema crdt blame .rhema/todos.yaml           every field of a document\n  \
    rhema crdt blame todos/ship-it --json | jq -r '.fields[].name'\n\n\
    With --json: {path, fields: [{field, value, when, stamp, node, name, branch, commit, state}]}; what was typed and is not recorded yet has null for \
    all that.")]
pub(super) struct Arguments {
    /// The list (LIST), the record (LIST/ID), the field (LIST/ID/FIELD), `.` for the whole document, or its file
    path: String,
    #[command(flatten)]
    place: Where,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    path: String,
    fields: Vec<FieldReport>,
}

#[derive(Serialize)]
struct FieldReport {
    field: String,
    value: Value,
    when: Option<String>,
    stamp: Option<String>,
    node: Option<String>,
    name: Option<String>,
    branch: Option<String>,
    commit: Option<String>,
    state: Option<&'static str>,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let (file, at, document) = match document_named(&repo, &arguments.path)? {
        Some(document) => {
            let file = native_path(document.as_bytes());
            let (_, document) = repo.read_document(&file)?;
            (file, None, document)
        }
        None => {
            let at = Address::new(&arguments.path);
            let (file, document) = arguments.place.document_about(&repo, &at)?;
            (file, Some(at), document)
        }
    };
    let place = match at {
        Some(at) => {
            // What is not there is told as elsewhere, with what may be meant.
            crate::context::matching(&document, &at, &[])?;
            at.place_in(&document).unwrap_or_default()
        }
        None => Path::default(),
    };
    let mut store = open_store(&repo, ui);
    let reading = store.as_mut().map(Store::read).transpose()?;
    let people = People::of(&repo, reading.as_ref())?;
    let path = DocumentPath::new(git_path(&file));
    let memory = Memory::default();
    let blames = history::blame(
        &repo,
        reading.as_ref(),
        &people,
        &path,
        document.text(),
        &place,
        &memory,
    )?;
    let blames = blames.unwrap_or_default();
    if ui.wants_json() {
        let fields = blames.iter().map(for_scripts).collect();
        ui.json(&Report {
            path: path.to_string(),
            fields,
        })?;
    } else {
        ui.show(&for_people(&repo, &blames))?;
    }
    drop(reading);
    remember(memory, store);
    Ok(Outcome::Done)
}

fn for_scripts(blame: &Blame) -> FieldReport {
    let origin = blame.origin.as_ref();
    FieldReport {
        field: told::field(&blame.at),
        value: told::value(Some(&blame.value)),
        when: origin.map(|origin| times::for_scripts(origin.unix_millis)),
        stamp: origin.and_then(|origin| Some(origin.stamp?.to_string())),
        node: origin.and_then(|origin| Some(origin.who.node?.to_string())),
        name: origin.and_then(|origin| origin.who.name.clone()),
        branch: origin.and_then(|origin| origin.branch.clone()),
        commit: origin.and_then(|origin| Some(origin.commit?.to_string())),
        state: origin.map(|origin| origin.state.name()),
    }
}

fn for_people(repo: &Repo, blames: &[Blame]) -> String {
    let names: Vec<String> = blames
        .iter()
        .map(|blame| match &blame.origin {
            Some(origin) => told::who(&origin.who),
            None => String::new(),
        })
        .collect();
    let widest = names.iter().map(|name| name.chars().count()).max();
    let widest = widest.unwrap_or(0).min(24);
    let mut commits = std::collections::HashMap::new();
    blames
        .iter()
        .zip(names)
        .map(|(blame, name)| {
            let what = format!(
                "{}: {}",
                printable(&told::field(&blame.at)),
                told::shown(Some(&blame.value))
            );
            let Some(origin) = &blame.origin else {
                let gap = " ".repeat(widest);
                return format!("not recorded yet  {gap}  {:<17}  {what}\n", "");
            };
            let short = origin
                .commit
                .map(|commit| commits.entry(commit).or_insert_with(|| repo.short_name(commit)).clone());
            let by = match (origin.stamp, short) {
                (_, Some(short)) => short,
                (Some(stamp), None) => stamp.to_string(),
                (None, None) => String::new(),
            };
            let state = match origin.state {
                State::Committed | State::Pending => "",
                State::Parked => "  (parked)",
                State::Elsewhere => "  (on another branch)",
                State::Retracted => "  (taken back)",
            };
            format!(
                "{FAINT}{}{FAINT:#}  {STRONG}{name:<widest$}{STRONG:#}  {FAINT}{by:<17}{FAINT:#}  {what}{state}\n",
                times::for_people(origin.unix_millis),
            )
        })
        .collect()
}
