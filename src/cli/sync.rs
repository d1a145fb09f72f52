//! `rhema crdt sync`: records local edits.

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::round::{counted, warn};
use super::ui::{GOOD, Ui};
use crate::git::Repo;
use crate::replica::{self, Replica, Report as Round};

/// Record local edits: stamp what was changed since HEAD
///
/// Every field that differs from what is committed gets a stamp that says when and where it was changed, every new
/// record one that says where it was born; they stand in the record's `_crdt`. Nothing else in the files changes, and
/// nobody is contacted. While git is in the middle of a merge, rebase, cherry-pick, revert or bisection nothing is
/// written.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt sync --timeout 0          stamp what was edited\n  \
    rhema crdt sync --timeout 0 --json | jq .edits_recorded")]
pub(super) struct Arguments {
    /// How long to wait for others; 0, the only value so far, contacts nobody
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=0))]
    timeout: u32,
    /// Record the deletion of most of a list: it was no accident
    #[arg(long)]
    confirm: bool,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    documents_changed: usize,
    edits_recorded: usize,
    peers: [(); 0],
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    tracing::debug!("waiting {} seconds for others", arguments.timeout);
    let repo = Repo::find()?;
    let mut report = Report {
        documents_changed: 0,
        edits_recorded: 0,
        peers: [],
    };
    if let Some(what) = repo.under_way() {
        ui.warn(format_args!(
            "git is in the middle of {what}: nothing was written; finish that first"
        ));
        if ui.wants_json() {
            ui.json(&report)?;
        }
        return Ok(Outcome::NeedsAttention);
    }
    let round = match Replica::is_wanted(&repo)? {
        true => replica::round(&repo, arguments.confirm)?,
        false => Round::default(),
    };
    report.documents_changed = round.written.len();
    report.edits_recorded = round.edits;
    let attention = warn(&repo, round, ui);
    if ui.wants_json() {
        ui.json(&report)?;
    } else {
        ui.say(&for_people(&report))?;
    }
    Ok(Outcome::of_attention(attention))
}

fn for_people(report: &Report) -> String {
    match (report.documents_changed, report.edits_recorded) {
        (0, 0) => format!("{GOOD}Nothing to record.{GOOD:#}\n"),
        (documents, 0) => format!(
            "{} put back to what HEAD holds.\n",
            counted(documents, "document")
        ),
        (documents, edits) => format!(
            "{} recorded in {}.\n",
            counted(edits, "edit"),
            counted(documents, "document")
        ),
    }
}
