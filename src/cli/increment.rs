//! `rhema crdt increment`: something is added to a counter.

use clap::Args;

use super::find::Where;
use super::round::warn_of_full_counters;
use super::ui::Ui;
use super::{Outcome, edit};
use crate::context::{Address, Change};
use crate::git::Repo;

/// Add to a counter
///
/// Whoever adds to it at the same time, here or elsewhere, adds to the same number: nothing of it is lost, and nothing
/// contested. Which places are counters says `.rhema/crdt/config.yaml` as HEAD has it. A counter that is not there yet
/// begins at 0. Editing the number by hand does the same: 42 that becomes 45 is 3 more.
#[derive(Args, Debug)]
#[command(after_help = format!(
    "Examples:\n  \
    rhema crdt increment todos/ship-it/votes\n  \
    rhema crdt increment metrics.hits 10\n  \
    rhema crdt increment metrics.open -1         (a pn_counter, as all counters below zero)\n\n{}",
    edit::JSON
))]
pub(super) struct Arguments {
    /// The counter (LIST/ID/FIELD, or FIELD.FIELD of the document itself)
    path: String,
    /// How much to add; less than nothing takes away
    #[arg(value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    by: i64,
    #[command(flatten)]
    place: Where,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let change = Change::Increment {
        at: Address::new(&arguments.path),
        by: arguments.by,
    };
    let outcome = edit::run(change, &arguments.place, None, "Counted", ui)?;
    warn_of_full_counters(&Repo::find()?, ui)?;
    Ok(outcome)
}
