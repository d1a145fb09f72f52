//! `rhema crdt move`: a record stands elsewhere in its list.

use clap::Args;

use super::find::Where;
use super::ui::Ui;
use super::{Outcome, edit};
use crate::context::{Address, Change, Position};

/// Move a record within its list
///
/// The comments directly above it go along. Nothing about the order is written down: it is that of the lines.
#[derive(Args, Debug)]
#[command(after_help = format!(
    "Examples:\n  \
    rhema crdt move todos/ship-it --first\n  \
    rhema crdt move todos/ship-it --after write-docs\n\n{}",
    edit::JSON
))]
pub(super) struct Arguments {
    /// The record (LIST/ID)
    path: String,
    #[command(flatten)]
    to: To,
    #[command(flatten)]
    place: Where,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct To {
    /// Directly before the record ID
    #[arg(long, value_name = "ID")]
    before: Option<String>,
    /// Directly behind the record ID
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// To the beginning
    #[arg(long)]
    first: bool,
    /// To the end
    #[arg(long)]
    last: bool,
}

impl To {
    fn position(&self) -> Position {
        match (&self.before, &self.after) {
            (Some(id), _) => Position::Before(id.clone()),
            (None, Some(id)) => Position::After(id.clone()),
            (None, None) if self.first => Position::First,
            (None, None) => Position::Last,
        }
    }
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let change = Change::Move {
        at: Address::new(&arguments.path),
        to: arguments.to.position(),
    };
    edit::run(change, &arguments.place, None, "Moved", ui)
}
