//! `rhema crdt get`: what stands in a document.

use clap::Args;
use serde_json::{Map, Number, Value};

use super::Outcome;
use super::find::Where;
use super::ui::Ui;
use crate::context::{Address, Assignment, matching};
use crate::git::Repo;
use crate::yaml::{Kind, NodeRef, Scalar};

/// Print a list, a record or a field
///
/// As YAML, the way the file has it, without annotations; with --json the value itself. Any context file can be read,
/// also before `init`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt get todos --where status=pending --where priority=high\n  \
    rhema crdt get todos/ship-it\n  \
    rhema crdt get todos/ship-it/meta.owner\n  \
    rhema crdt get todos --json | jq -r '.[].id'\n  \
    rhema crdt get . --file .rhema/rhema.yaml     a whole document")]
pub(super) struct Arguments {
    /// The list (LIST), the record (LIST/ID), the field (LIST/ID/FIELD), or `.` for the whole document
    path: String,
    /// Only those records of the list whose field holds this value
    #[arg(long = "where", value_name = "FIELD=VALUE")]
    conditions: Vec<Assignment>,
    #[command(flatten)]
    place: Where,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let at = Address::new(&arguments.path);
    let file = arguments.place.document(&repo, &at, None)?;
    let (_, document) = repo.read_document(&file)?;
    let found = matching(&document, &at, &arguments.conditions)?;
    if ui.wants_json() {
        ui.json(&found.root().map(value))?;
    } else {
        Ui::bytes(found.text().as_bytes())?;
    }
    Ok(Outcome::Done)
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
