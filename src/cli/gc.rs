//! `rhema crdt gc`: the store, made small.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::ui::{FAINT, GOOD, NOTABLE, Ui};
use crate::git::Repo;
use crate::replica::{Compacted, Replica};
use crate::store::Store;

const DAY: u64 = 24 * 60 * 60;

/// Make the store of known edits small
///
/// All edits that were ever made in this work tree, or came here, are kept in `.git/rhema`. Those that are over, as HEAD contains
/// them and later ones replaced them, are packed: the store takes a quarter of its room then, and they stay known, with what proves them,
/// and can be told to others, shown and taken back like before. Nothing is lost by it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt gc --dry-run\n  \
    rhema crdt gc\n  \
    rhema crdt gc --older-than 0    also what was made today\n\n\
    With --json: {edits, bytes_before, bytes_after}: how many edits are packed, and the size of the store.")]
pub(super) struct Arguments {
    /// Only say what it would do
    #[arg(long)]
    dry_run: bool,
    /// Pack only what was made more than so many days ago
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    older_than: u32,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    edits: usize,
    bytes_before: u64,
    bytes_after: u64,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    if !Store::path_in(repo.git_dir()).exists() {
        bail!("nothing is known here yet: `rhema crdt init` begins it");
    }
    let older_than = Duration::from_secs(u64::from(arguments.older_than) * DAY);
    let Compacted {
        edits,
        before,
        after,
    } = Replica::open(&repo)?.compact(older_than, arguments.dry_run)?;
    if ui.wants_json() {
        ui.json(&Report {
            edits,
            bytes_before: before,
            bytes_after: after,
        })?;
        return Ok(Outcome::Done);
    }
    let sizes = format!("{} -> {}", size(before), size(after));
    ui.say(&match (edits, arguments.dry_run) {
        (0, _) => format!(
            "{FAINT}Nothing is to be packed: {}.{FAINT:#}\n",
            size(before)
        ),
        (edits, true) => format!("{NOTABLE}would pack{NOTABLE:#} {edits} edits: about {sizes}\n"),
        (edits, false) => format!("{GOOD}Packed{GOOD:#} {edits} edits: {sizes}\n"),
    })?;
    Ok(Outcome::Done)
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
