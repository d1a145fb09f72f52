//! `rhema crdt carry`: the context of another branch, without its code.

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::round::{counted, must_be_at_rest, warn};
use super::ui::{GOOD, Ui};
use crate::git::Repo;
use crate::replica::Replica;

/// Take another branch's context edits over as uncommitted ones, without its code
///
/// What the branch changed in context files since it and yours parted is merged into your files, as `git merge` would,
/// and nothing else of it. Nothing is committed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt carry feature            todos and decisions of `feature`, here\n  \
    rhema crdt carry origin/main        what everybody has meanwhile")]
pub(super) struct Arguments {
    /// The branch, or any other name of a commit
    #[arg(value_name = "BRANCH")]
    branch: String,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    documents_changed: usize,
    edits_recorded: usize,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    must_be_at_rest(&repo)?;
    repo.commit_named(&arguments.branch)?;
    let report = Replica::open(&repo)?.carry(&arguments.branch)?;
    let told = Report {
        documents_changed: report.written.len(),
        edits_recorded: report.edits,
    };
    let attention = warn(&repo, &report, ui);
    if ui.wants_json() {
        ui.json(&told)?;
    } else if told.documents_changed == 0 {
        ui.say(&format!("{GOOD}Nothing to take over.{GOOD:#}\n"))?;
    } else {
        ui.say(&format!(
            "{} taken over in {}.\n",
            counted(told.edits_recorded, "edit"),
            counted(told.documents_changed, "document")
        ))?;
    }
    Ok(Outcome::of_attention(attention))
}
