//! `rhema crdt uninit`: everything is as it was before `init`.

use anyhow::bail;
use clap::Args;

use super::Outcome;
use super::init::{Report, told, warn_of};
use super::ui::{GOOD, Ui, printable};
use crate::git::Repo;
use crate::node::Watch;
use crate::peers::left_there;
use crate::setup::{AtLogin, Uninit};

/// Take back all that `init` did
///
/// Removes all annotations from the context files, the lines from .gitattributes, the merge driver from the
/// configuration of this clone, this node from the members, what `init` wrote into config.yaml, what starts
/// `rhema crdt watch` at login, and the node's key. The configuration belongs to all work trees of
/// the clone, so it stays while another one still uses the driver. Right after `init` every byte is as before: markers
/// and lines that others had committed stay then.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt uninit --dry-run   see what would change\n  \
    rhema crdt uninit             git merges context files line by line again")]
pub(super) struct Arguments {
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let plan = Uninit::plan(&repo)?;
    let changes = plan.changes();
    let left_there = left_there(&repo).unwrap_or_default();
    if !arguments.dry_run {
        // It would go on with a store that is no longer there.
        if Watch::is_kept(repo.git_dir()) {
            if let Some(AtLogin { commands, .. }) = AtLogin::of(&repo)? {
                bail!(
                    "`rhema crdt watch` runs in this work tree: end it first; one that started at login ends with `{}`",
                    commands.stop
                );
            }
            bail!("`rhema crdt watch` runs in this work tree: end it first");
        }
        plan.carry_out(&repo)?;
    }
    warn_of(&repo, plan.left(), ui);
    warn_of(&repo, plan.losing(), ui);
    let outcome = if plan.left().is_empty() {
        Outcome::Done
    } else {
        Outcome::NeedsAttention
    };
    if ui.wants_json() {
        let report = Report::new(&repo, &changes, plan.left(), arguments.dry_run)?;
        ui.json(&report)?;
        return Ok(outcome);
    }
    let mut text = told(&repo, &changes, arguments.dry_run);
    if let [first, ..] = plan.shared_with() {
        text.push_str(&format!(
            "The driver stays configured: the work tree at {} uses it too.\n",
            first.display()
        ));
    } else if text.is_empty() {
        text = format!("{GOOD}Nothing to do:{GOOD:#} rhema crdt is not set up in this clone.\n");
    }
    if plan.keeps_what_was_there() && !changes.is_empty() {
        text.push_str(
            "What others had set up before `init` ran here stays; `rhema crdt uninit` again takes that out too.\n",
        );
    }
    if let Some((remote, name)) = left_there.filter(|_| !changes.is_empty()) {
        text.push_str(&format!(
            "What this work tree left at the git remote stays there: `git push {} :{name}` removes it.\n",
            printable(&remote)
        ));
    }
    ui.say(&text)?;
    Ok(outcome)
}
