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

/// Warns of what was left alone and what went wrong; whether there was anything.
pub(super) fn warn(repo: &Repo, report: Report, ui: &Ui) -> bool {
    if let Some(path) = &report.put_aside {
        ui.warn(format_args!(
            "the store was damaged and is begun anew; the old one lies at {}",
            path.display()
        ));
    }
    for note in &report.notes {
        ui.warn(format_args!("{}: {}", repo.shown(&note.file), note.why));
    }
    warn_of(repo, &report.left, report.problems, ui) || !report.notes.is_empty()
}

/// Warns of files that were left alone, and of problems; whether there were any.
pub(super) fn warn_of(repo: &Repo, left: &[Left], problems: Vec<Error>, ui: &Ui) -> bool {
    for left in left {
        ui.warn(format_args!(
            "{}:{}; left alone",
            repo.shown(&left.file),
            left.why
        ));
    }
    let any = !left.is_empty() || !problems.is_empty();
    for problem in problems {
        let problem = anyhow::Error::from(problem);
        ui.warn(format_args!("{problem:#}"));
    }
    any
}

/// "1 edit", "3 edits".
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
