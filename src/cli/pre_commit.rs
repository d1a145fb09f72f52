//! `rhema crdt pre-commit`: what the hook runs that `init --hooks` installs.

use clap::Args;

use super::Outcome;
use super::round::warn;
use super::ui::Ui;
use crate::git::Repo;
use crate::replica::Replica;

/// Stamp what is about to be committed; run by the hook of `init --hooks`
///
/// Records local edits as `sync --timeout 0` does, and has git commit the stamps of files that are staged as they stand. A
/// file of which a part is staged is committed as it was staged. Whatever goes wrong is told, and the commit goes on.
#[derive(Args, Debug)]
#[command(hide = true)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    if let Err(error) = stamp(ui) {
        ui.warn(format_args!(
            "what is committed gets no stamps: {error:#}; `rhema crdt sync --timeout 0` records it afterwards"
        ));
    }
    Ok(Outcome::Done)
}

fn stamp(ui: &Ui) -> anyhow::Result<()> {
    let repo = Repo::find()?;
    if repo.operation_under_way().is_some() || !Replica::is_wanted(&repo)? {
        return Ok(());
    }
    let round = Replica::open(&repo)?.round_before_commit()?;
    warn(&repo, &round, ui);
    Ok(())
}
