//! `rhema crdt remove`: a record or a field goes.

use clap::Args;

use super::find::Where;
use super::ui::Ui;
use super::{Outcome, edit};
use crate::context::{Address, Change};

/// Remove a record, or a field of one
///
/// Its lines go, and the comments directly above them. Who edits the record at the same time wins over the removal: it
/// then comes back whole, with the removal as an open conflict.
#[derive(Args, Debug)]
#[command(after_help = format!(
    "Examples:\n  \
    rhema crdt remove todos/ship-it\n  \
    rhema crdt remove todos/ship-it/due_date\n  \
    rhema crdt remove ./owner                   a field of the document itself\n\n{}",
    edit::JSON
))]
pub(super) struct Arguments {
    /// The record (LIST/ID) or the field (LIST/ID/FIELD)
    path: String,
    #[command(flatten)]
    place: Where,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let change = Change::Remove {
        at: Address::new(&arguments.path),
    };
    edit::run(change, &arguments.place, None, "Removed", ui)
}
