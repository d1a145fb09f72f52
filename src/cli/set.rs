//! `rhema crdt set`: fields of a record, or of a document's root.

use clap::Args;

use super::find::Where;
use super::ui::Ui;
use super::{Outcome, edit};
use crate::context::{Address, Assignment, Change};

/// Set fields of a record, or take them away
///
/// Only the lines of these fields change, and those that say when and by whom: the edit is recorded at once, as
/// `rhema crdt sync --timeout 0` would do it. A field that is not there yet stands where it does in other records. Where
/// a conflict about a field is open, setting it settles that.
///
/// A value is YAML: `3` is a number, `"3"` a text, `[a, b]` a list, nothing the empty text. What is no YAML in one line
/// (`Fix: the bug`), or has several lines, is a text as it stands.
#[derive(Args, Debug)]
#[command(after_help = format!(
    "Examples:\n  \
    rhema crdt set todos/ship-it status=completed outcome=\"Shipped\"\n  \
    rhema crdt set todos/ship-it meta.owner=ada            a field in a field\n  \
    rhema crdt set todos/ship-it --unset due_date\n  \
    rhema crdt set . owner=ada                             a field of the document itself\n\n{}",
    edit::JSON
))]
pub(super) struct Arguments {
    /// The record (LIST/ID), a field with fields of its own (LIST/ID/FIELD), or `.` for the document itself
    path: String,
    /// Fields, each with its new value
    #[arg(value_name = "FIELD=VALUE", required_unless_present = "unset")]
    fields: Vec<Assignment>,
    /// Take this field away
    #[arg(long, value_name = "FIELD")]
    unset: Vec<String>,
    #[command(flatten)]
    place: Where,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let change = Change::Set {
        at: Address::new(&arguments.path),
        fields: arguments.fields.clone(),
        unset: arguments.unset.clone(),
    };
    let fields = arguments.fields.iter().map(|field| &field.path);
    let field = fields.chain(&arguments.unset).next();
    edit::run(
        change,
        &arguments.place,
        field.map(String::as_str),
        "Set",
        ui,
    )
}
