//! What the commands that go over all documents tell of it.

use anyhow::bail;

use super::ui::Ui;
use crate::git::Repo;
use crate::replica::{self, Error, Left, Report};

/// Refuses to go on while git is in the middle of something.
pub(super) fn must_be_at_rest(repo: &Repo) -> anyhow::Result<()> {
    match repo.under_way() {
        Some(what) => bail!("git is in the middle of {what}: finish that first"),
        None => Ok(()),
    }
}

/// Warns of what was left alone and what went wrong; whether there was anything.
pub(super) fn warn(repo: &Repo, report: &Report, ui: &Ui) -> bool {
    report.warnings(repo).iter().for_each(|text| ui.warn(text));
    report.needs_attention()
}

/// Warns of files that were left alone, and of problems; whether there were any.
pub(super) fn warn_of(repo: &Repo, left: &[Left], problems: &[Error], ui: &Ui) -> bool {
    let warnings = replica::warnings(repo, left, problems);
    warnings.iter().for_each(|text| ui.warn(text));
    !warnings.is_empty()
}

/// "1 edit", "3 edits".
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
