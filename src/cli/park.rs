//! `rhema crdt park` and `unpark`: uncommitted edits out of sight, and back.

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::round::{counted, must_be_at_rest, warn, warn_of};
use super::ui::{GOOD, Ui};
use crate::git::Repo;
use crate::replica::{Hidden, Parked, Replica};

/// Put the context files back to HEAD's version until the branch is switched
///
/// Edits that are not committed are recorded first and then put out of sight, so that git finds a clean tree. They are
/// shown again once HEAD has moved, or by `rhema crdt unpark`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt park && git switch other    switch branches with edits that are not committed\n  \
    rhema crdt unpark                      show them again where you are")]
pub(super) struct ParkArguments {}

/// Show again what was parked
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt unpark          what `park` or git put out of sight\n  \
    rhema crdt unpark --all    also what was committed on other branches and is not in this one")]
pub(super) struct UnparkArguments {
    /// Also show edits that belong to other branches
    #[arg(long)]
    all: bool,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    documents_changed: usize,
    edits_parked: usize,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Unparked {
    documents_changed: usize,
    edits_recorded: usize,
}

pub(super) fn park(_: &ParkArguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    must_be_at_rest(&repo)?;
    let parked = match Replica::is_wanted(&repo)? {
        true => Replica::open(&repo)?.park()?,
        false => Parked::default(),
    };
    let attention = warn_of(&repo, &parked.left, &parked.problems, ui);
    if ui.wants_json() {
        ui.json(&Report {
            documents_changed: parked.written.len(),
            edits_parked: parked.edits,
        })?;
    } else if parked.written.is_empty() {
        ui.say(&format!("{GOOD}Nothing to park.{GOOD:#}\n"))?;
    } else {
        ui.say(&format!(
            "{} parked in {}: `rhema crdt unpark` shows them again.\n",
            counted(parked.edits, "edit"),
            counted(parked.written.len(), "document")
        ))?;
    }
    Ok(Outcome::of_attention(attention))
}

pub(super) fn unpark(arguments: &UnparkArguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    must_be_at_rest(&repo)?;
    let hidden = match arguments.all {
        true => Hidden::All,
        false => Hidden::Parked,
    };
    let report = match Replica::is_wanted(&repo)? {
        true => Replica::open(&repo)?.unpark(hidden)?,
        false => crate::replica::Report::default(),
    };
    let told = Unparked {
        documents_changed: report.written.len(),
        edits_recorded: report.edits,
    };
    let attention = warn(&repo, &report, ui);
    if ui.wants_json() {
        ui.json(&told)?;
    } else if told.documents_changed == 0 {
        ui.say(&format!("{GOOD}Nothing to show again.{GOOD:#}\n"))?;
    } else {
        let documents = counted(told.documents_changed, "document");
        ui.say(&format!("Shown again in {documents}.\n"))?;
    }
    Ok(Outcome::of_attention(attention))
}
