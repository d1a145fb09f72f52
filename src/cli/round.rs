//! What the commands that go over all documents tell of it.

use anyhow::bail;

use super::ui::Ui;
use crate::git::Repo;
use crate::replica::{Error, Left, Report};

/// Refuses to go on while git is in the middle of something.
pub(super) fn must_be_at_rest(repo: &Repo) -> anyhow::Result<()> {
    match repo.under_way() {
        Some(what) => bail!("git is in the middle of {what}: finish that first"),
        None => Ok(()),
    }
}

/// Warns of what was left alone and what went wrong; whether there was anything that needs attention.
pub(super) fn warn(repo: &Repo, report: Report, ui: &Ui) -> bool {
    let any = !report.notes.is_empty() || !report.left.is_empty() || !report.problems.is_empty();
    for warning in warnings(repo, report) {
        ui.warn(warning);
    }
    any
}

/// What was left alone and what went wrong, in words.
pub(super) fn warnings(repo: &Repo, report: Report) -> Vec<String> {
    let put_aside = report.put_aside.iter().map(|path| {
        format!(
            "the store was damaged and is begun anew; the old one lies at {}",
            path.display()
        )
    });
    let notes = report.notes.iter();
    let notes = notes.map(|note| format!("{}: {}", repo.shown(&note.file), note.why));
    put_aside
        .chain(notes)
        .chain(warnings_of(repo, &report.left, report.problems))
        .collect()
}

/// Warns of files that were left alone, and of problems; whether there were any.
pub(super) fn warn_of(repo: &Repo, left: &[Left], problems: Vec<Error>, ui: &Ui) -> bool {
    let any = !left.is_empty() || !problems.is_empty();
    for warning in warnings_of(repo, left, problems) {
        ui.warn(warning);
    }
    any
}

fn warnings_of(repo: &Repo, left: &[Left], problems: Vec<Error>) -> impl Iterator<Item = String> {
    let left = left
        .iter()
        .map(|left| format!("{}:{}; left alone", repo.shown(&left.file), left.why));
    let problems = problems
        .into_iter()
        .map(|problem| format!("{:#}", anyhow::Error::from(problem)));
    left.chain(problems)
}

/// "1 edit", "3 edits".
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
