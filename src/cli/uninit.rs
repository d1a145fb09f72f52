//! `rhema crdt uninit`: everything is as it was before `init`.

use clap::Args;

use super::Outcome;
use super::init::{Report, told};
use super::ui::{GOOD, Ui};
use crate::git::{Plan, Repo};

/// Take back all that `init` did
///
/// Removes the lines from .gitattributes and the merge driver from the configuration of this clone. The configuration
/// belongs to all work trees of the clone, so it stays while another one still uses the driver.
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
    let plan = Plan::uninit(&repo)?;
    if !arguments.dry_run {
        plan.carry_out(&repo)?;
    }
    if ui.wants_json() {
        ui.json(&Report::new(&repo, &plan, arguments.dry_run)?)?;
        return Ok(Outcome::Done);
    }
    let mut text = told(&repo, &plan, arguments.dry_run);
    if let [first, ..] = plan.shared_with() {
        text.push_str(&format!(
            "The driver stays configured: the work tree at {} uses it too.\n",
            first.display()
        ));
    } else if text.is_empty() {
        text = format!("{GOOD}Nothing to do:{GOOD:#} rhema crdt is not set up in this clone.\n");
    }
    ui.say(&text)?;
    Ok(Outcome::Done)
}
