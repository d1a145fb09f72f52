//! `rhema crdt show`: a document as it was.

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::find::Where;
use super::log::{document_named, open_store, places};
use super::times::{self, Point};
use super::ui::Ui;
use super::{Outcome, get};
use crate::context::{Address, matching, strip_to_show};
use crate::git::{Repo, native_path};
use crate::history;
use crate::store::{Moment, Store};
use crate::yaml::{Document, Limits};

/// Print a document, a list, a record or a field as it was
///
/// At a commit, as that has it. At a time or an edit, as this work tree had it: what HEAD held then, and over it the edits that are known
/// from before. Without `--at`, as it is now.
///
/// A moment is a date (`2026-11-20`), a time (`2026-11-20T14:03:00Z`), how long ago (`30m`, `2h`, `3d`, `1w`, `"2 days ago"`), a stamp, or a
/// commit.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt show todos/ship-it --at 2h\n  \
    rhema crdt show todos --at 2026-11-20\n  \
    rhema crdt show .rhema/todos.yaml --at HEAD~3\n  \
    rhema crdt show .rhema/todos.yaml --at 4k2m9xa7-7f3kqd   right after this edit\n\n\
    With --json: {path, at, content}, or {path, at, value} of a list, a record or a field; `at` is the moment in UTC.")]
pub(super) struct Arguments {
    /// The list (LIST), the record (LIST/ID), the field (LIST/ID/FIELD), or the document's file; without, the only document of the scope
    path: Option<String>,
    /// When
    #[arg(long, value_name = "T|STAMP|COMMIT")]
    at: Option<String>,
    /// With what the file said about its edits
    #[arg(long)]
    annotated: bool,
    #[command(flatten)]
    place: Where,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    path: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let path = arguments.path.as_deref().unwrap_or(".");
    let (documents, address, place) = match document_named(&repo, path)? {
        Some(document) => (vec![document], None, None),
        None => {
            let at = Address::new(path);
            let asked = places(&repo, path, &arguments.place)?;
            let root = at.is_root();
            (asked.documents, Some(at).filter(|_| !root), asked.at)
        }
    };
    let point = arguments.at.as_deref().map(|text| Point::read(text, &repo));
    let point = point.transpose()?;
    let mut store = open_store(&repo, ui);
    let reading = store.as_mut().map(Store::read).transpose()?;
    let when = match point {
        Some(point) => point.unix_millis(&repo)?,
        None => Moment::now().unix_millis(),
    };
    let mut missing = None;
    let mut found = Vec::new();
    for document in documents {
        let file = native_path(document.as_bytes());
        let text = match point {
            None => Some(repo.read_document(&file)?.1.into_text()),
            Some(point) => history::document_at(
                &repo,
                reading.as_ref(),
                &document,
                point.instant(),
                place.as_ref(),
            )?,
        };
        let Some(text) = text else { continue };
        match &address {
            None => found.push((document, text, None)),
            Some(at) => match Document::from_text(text.clone(), &Limits::default()) {
                Ok(read) => match matching(&read, at, &[]) {
                    Ok(part) => found.push((document, text, Some(part))),
                    Err(error) => missing = missing.or(Some(error)),
                },
                Err(error) => bail!("{document} could not be read then: {error}"),
            },
        }
    }
    let at_that_time = || arguments.at.as_deref().unwrap_or("now").to_owned();
    let (document, text, part) = match found.len() {
        1 => found.remove(0),
        0 => match missing {
            Some(error) => bail!("at {}: {error}", at_that_time()),
            None => bail!("there was no such document at {}", at_that_time()),
        },
        _ => bail!(
            "several documents had that: say which by --file ({})",
            found
                .iter()
                .map(|(document, ..)| document.to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    if ui.wants_json() {
        let value = part.as_ref().and_then(|part| part.root().map(get::value));
        let content = match value.is_some() {
            true => None,
            false => Some(shown(text, arguments.annotated)),
        };
        ui.json(&Report {
            path: document.to_string(),
            at: times::for_scripts(when),
            content,
            value,
        })?;
        return Ok(Outcome::Done);
    }
    match part {
        Some(part) => Ui::bytes(part.text().as_bytes())?,
        None => Ui::bytes(shown(text, arguments.annotated).as_bytes())?,
    }
    Ok(Outcome::Done)
}

/// The text as it is to be shown: without what it says about its edits, unless that is wanted. What cannot be read is shown as it is.
fn shown(text: String, annotated: bool) -> String {
    if annotated {
        return text;
    }
    match Document::from_text(text.clone(), &Limits::default()) {
        Ok(document) => strip_to_show(&document).unwrap_or(text),
        Err(_) => text,
    }
}
