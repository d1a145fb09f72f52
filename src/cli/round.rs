//! What the commands that go over all documents tell of it.

use anyhow::bail;

use super::ui::Ui;
use crate::git::Repo;
use crate::replica::{self, Error, Left, Report};
use crate::setup::{Finding, full_counters};

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

/// Warns of counters at the end of what they hold; whether there are any.
pub(super) fn warn_of_full_counters(repo: &Repo, ui: &Ui) -> anyhow::Result<bool> {
    let full = full_counters(repo)?;
    for Finding {
        path,
        line,
        column,
        what,
        ..
    } in &full
    {
        let path = repo.shown(path);
        ui.warn(format_args!("{path}:{line}:{column}: {what}"));
    }
    Ok(!full.is_empty())
}

/// "1 edit", "3 edits".
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
