//! `rhema crdt add`: a new record.

use clap::Args;

use super::find::Where;
use super::ui::Ui;
use super::{Outcome, edit};
use crate::context::{Address, Assignment, Change};

/// Add a record to a list, and print its id
///
/// The record stands at the end of the list, written as those before it are, and is recorded at once as
/// `rhema crdt sync --timeout 0` would do it. Its id is made of its title or name (`id=…` gives another one); in a list
/// whose records are told apart by something else, that has to be given.
///
/// A value is YAML: `3` is a number, `"3"` a text, `[a, b]` a list. What is no YAML in one line (`Fix: the bug`), or has
/// several lines, is a text as it stands.
#[derive(Args, Debug)]
#[command(after_help = concat!(
    "Examples:\n  ",
    "rhema crdt add todos title=\"Ship it\" priority=high     prints ship-it\n  ",
    "rhema crdt add todos id=T-7 title=Seven 'tags=[ui, web]' meta.owner=ada\n  ",
    "rhema crdt add knowledge --scope services/api title=\"Rate limits\" content=\"$(cat notes.md)\"\n\n",
    "With --json: {path, id, file, changed, stamp}: the record's path and id, its document, and the stamp of its birth."
))]
pub(super) struct Arguments {
    /// The list: todos, knowledge, …
    list: String,
    /// The fields of the record
    #[arg(value_name = "FIELD=VALUE", required = true)]
    fields: Vec<Assignment>,
    #[command(flatten)]
    place: Where,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let change = Change::Add {
        to: Address::new(&arguments.list),
        fields: arguments.fields.clone(),
    };
    edit::run(change, &arguments.place, None, "Added", ui)
}
