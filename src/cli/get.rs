//! `rhema crdt get`: what stands in a document.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::Outcome;
use super::find::Where;
use super::log::{open_store, places};
use super::merge_driver::types;
use super::resolve::{ConflictReport, in_one_line};
use super::times::Point;
use super::ui::{Ui, printable};
use crate::context::{Address, Assignment, picked};
use crate::git::{Repo, native_path};
use crate::history;
use crate::query::{self, Condition, Query};
use crate::settling::{Conflict, Settler};
use crate::store::Store;
use crate::yaml::{Document, Kind, Limits, NodeRef, Scalar};

/// Print a list, a record or a field
///
/// As YAML, the way the file has it, without annotations; with --json the value itself. Any context file can be read,
/// also before `init`. Of a list those records can be asked for that a question is about: a field that a record lacks is
/// null in it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt get todos --where status=pending --where \"priority IN ('high', 'urgent')\"\n  \
    rhema crdt get \"todos WHERE status != 'completed' AND due IS NOT NULL ORDER BY due LIMIT 10\"\n  \
    rhema crdt get todos --conflicts                 those with open conflicts, and what lost\n  \
    rhema crdt get \"todos WHERE status = 'pending'\" --at 2d        as it was two days ago\n  \
    rhema crdt get todos/ship-it\n  \
    rhema crdt get todos/ship-it/meta.owner\n  \
    rhema crdt get todos --json | jq -r '.[].id'\n  \
    rhema crdt get . --file .rhema/rhema.yaml        a whole document\n\n\
    Operators: = != < > <= >= LIKE IN CONTAINS IS NULL NOT AND OR. With --conflicts and --json: {value, conflicts} for\n\
    each record, conflicts as `rhema crdt resolve --json` has them.")]
pub(super) struct Arguments {
    /// The list (LIST), the record (LIST/ID), the field (LIST/ID/FIELD), or `.` for the whole document; or a question about a
    /// list
    path: String,
    /// Only those records of the list of which this holds: FIELD=VALUE, or a condition as in a question
    #[arg(long = "where", value_name = "CONDITION", value_parser = Asked::read)]
    conditions: Vec<Asked>,
    /// Only what has open conflicts, and what lost
    #[arg(long)]
    conflicts: bool,
    /// As it was then: a time, a stamp or a commit, as `rhema crdt show --at` takes them
    #[arg(long, value_name = "T|STAMP|COMMIT", conflicts_with = "conflicts")]
    at: Option<String>,
    #[command(flatten)]
    place: Where,
}

/// What a record is asked.
#[derive(Clone, Debug)]
enum Asked {
    /// In the form of questions.
    Condition(Condition),
    /// Whether a field holds a value, which is YAML.
    Holds(Assignment),
}

impl Asked {
    fn read(text: &str) -> Result<Self, String> {
        match (query::parse_condition(text), text.parse()) {
            (Ok(condition), _) => Ok(Self::Condition(condition)),
            (Err(_), Ok(assignment)) => Ok(Self::Holds(assignment)),
            (Err(error), Err(_)) => Err(error.to_string()),
        }
    }

    fn holds(&self, record: NodeRef<'_>) -> bool {
        match self {
            Self::Condition(condition) => condition.holds(&record),
            Self::Holds(assignment) => assignment.holds_in(record),
        }
    }
}

/// What is printed for scripts where conflicts are asked for; the names are a contract.
#[derive(Serialize)]
struct Contested {
    value: Value,
    conflicts: Vec<ConflictReport>,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let (at, question) = question(&arguments.path)?;
    let (file, document) = match &arguments.at {
        None => {
            let file = arguments.place.document(&repo, &at, None)?;
            let (_, document) = repo.read_document(&file)?;
            (file, document)
        }
        Some(then) => as_it_was(&repo, arguments, &at, then, ui)?,
    };
    let open = match arguments.conflicts {
        true => {
            Settler::new(&repo, types())
                .list(std::slice::from_ref(&file))
                .conflicts
        }
        false => Vec::new(),
    };
    let name = repo.shown(&file);
    let in_record = |record: NodeRef<'_>| -> Vec<&Conflict> {
        let path = identity(record).map(|name| at.join(&name).to_string());
        let is_its = |one: &&Conflict| {
            path.as_ref()
                .is_some_and(|path| one.is_named(path, &name) || one.is_in(path, &name))
        };
        open.iter().filter(is_its).collect()
    };
    let pick = |members: &[NodeRef<'_>]| -> Vec<usize> {
        let is_meant = |place: &usize| {
            members.get(*place).is_some_and(|member| {
                arguments
                    .conditions
                    .iter()
                    .all(|asked| asked.holds(*member))
                    && (!arguments.conflicts || !in_record(*member).is_empty())
            })
        };
        let meant: Vec<usize> = (0..members.len()).filter(is_meant).collect();
        let Some(question) = &question else {
            return meant;
        };
        let among: Vec<NodeRef<'_>> = meant
            .iter()
            .filter_map(|place| members.get(*place).copied())
            .collect();
        let chosen = query::select(question, &among).into_iter();
        chosen
            .filter_map(|place| meant.get(place).copied())
            .collect()
    };
    let whole = picked(&document, &at, None)?;
    let is_list = whole
        .root()
        .is_some_and(|root| root.kind() == Kind::Sequence);
    let picks =
        question.is_some() || !arguments.conditions.is_empty() || is_list && arguments.conflicts;
    let found = match picks {
        true => picked(&document, &at, Some(&pick))?,
        false => whole,
    };
    if !arguments.conflicts {
        match ui.wants_json() {
            true => ui.json(&found.root().map(value))?,
            false => Ui::bytes(found.text().as_bytes())?,
        }
        return Ok(Outcome::Done);
    }
    let reported = |value: Value, conflicts: &[&Conflict]| Contested {
        value,
        conflicts: conflicts
            .iter()
            .map(|one| ConflictReport::of(&repo, one))
            .collect(),
    };
    let Some(root) = found.root() else {
        return Ok(Outcome::Done);
    };
    let here = at.to_string();
    let inside =
        |one: &&Conflict| at.is_root() || one.is_named(&here, &name) || one.is_in(&here, &name);
    if ui.wants_json() {
        if is_list {
            let records = root.entries().map(|entry| entry.value());
            let records = records.map(|record| reported(value(record), &in_record(record)));
            ui.json(&records.collect::<Vec<_>>())?;
        } else {
            let open: Vec<&Conflict> = open.iter().filter(inside).collect();
            ui.json(&reported(value(root), &open))?;
        }
        return Ok(Outcome::Done);
    }
    let mut text = found.text().to_owned();
    let shown: Vec<&Conflict> = match is_list {
        true => root
            .entries()
            .flat_map(|entry| in_record(entry.value()))
            .collect(),
        false => open.iter().filter(inside).collect(),
    };
    for one in shown {
        text.push_str(&format!("# {}\n", in_one_line(one)));
    }
    Ui::bytes(text.as_bytes())?;
    Ok(Outcome::Done)
}

/// The document that had what an address names at some moment.
fn as_it_was(
    repo: &Repo,
    arguments: &Arguments,
    at: &Address,
    then: &str,
    ui: &Ui,
) -> anyhow::Result<(PathBuf, Document)> {
    let instant = Point::read(then, repo)?.instant();
    let asked = places(repo, &at.typed(), &arguments.place)?;
    let mut store = open_store(repo, ui);
    let reading = store.as_mut().map(Store::read).transpose()?;
    for path in &asked.documents {
        let text = history::document_at(repo, reading.as_ref(), path, instant, asked.at.as_ref())?;
        let document = text.and_then(|text| Document::from_text(text, &Limits::default()).ok());
        if let Some(document) = document
            && (at.is_root() || at.place_in(&document).is_some())
        {
            return Ok((native_path(path.as_bytes()), document));
        }
    }
    bail!("{at} was not there at {then}")
}

/// What is asked for: the place alone, or a question about the list there.
fn question(path: &str) -> anyhow::Result<(Address, Option<Query>)> {
    let words = ["WHERE", "ORDER", "LIMIT", "OFFSET"];
    let mut parts = path.split_whitespace().skip(1);
    if !parts.any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word))) {
        return Ok((Address::new(path), None));
    }
    let asked =
        query::parse(path).with_context(|| format!("`{}` is no question", printable(path)))?;
    match &asked.from {
        Some(list) => Ok((Address::new(list), Some(asked))),
        None => bail!("say which list is meant, as in `todos WHERE status = 'pending'`"),
    }
}

/// What tells a record of a list apart.
fn identity(record: NodeRef<'_>) -> Option<String> {
    let fields = crate::context::IDENTITY_FIELDS.into_iter();
    let mut held = fields.filter_map(|field| record.get(field));
    held.next().map(|entry| entry.value().text().into_owned())
}

/// A node as JSON has it; what JSON cannot say (a tag, an alias, `.nan`) as YAML writes it.
pub(super) fn value(node: NodeRef<'_>) -> Value {
    match node.kind() {
        Kind::Sequence => node.entries().map(|entry| value(entry.value())).collect(),
        Kind::Mapping => {
            let entries = node.entries().map(|entry| {
                let key = entry.key().map(|key| key.text().into_owned());
                (key.unwrap_or_default(), value(entry.value()))
            });
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Kind::Alias => node.raw().into(),
        Kind::Scalar(_) => match node.scalar() {
            None | Some(Scalar::Null) => Value::Null,
            Some(Scalar::Bool(value)) => value.into(),
            Some(Scalar::Int(value)) => match Number::from_i128(value) {
                Some(number) => number.into(),
                None => node.raw().into(),
            },
            Some(Scalar::Float(value)) => match Number::from_f64(value) {
                Some(number) => number.into(),
                None => node.raw().into(),
            },
            Some(Scalar::Str(text)) => text.into(),
            Some(Scalar::Tagged(..)) => node.raw_with_props().into(),
        },
    }
}
