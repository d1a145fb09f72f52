//! What people are to be told of a round.

use std::error::Error as _;

use super::{Error, Left, Report};
use crate::git::Repo;

impl Report {
    /// What people should be warned of, a line each.
    #[must_use]
    pub fn warnings(&self, repo: &Repo) -> Vec<String> {
        let put_aside = self.put_aside.iter().map(|path| {
            format!(
                "the store was damaged and is begun anew; the old one lies at {}",
                path.display()
            )
        });
        let notes = self.notes.iter();
        let notes = notes.map(|note| format!("{}: {}", repo.shown(&note.file), note.why));
        let others = warnings(repo, &self.left, &self.problems);
        put_aside.chain(notes).chain(others).collect()
    }

    /// Whether something is left for people to look at.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        !(self.left.is_empty() && self.problems.is_empty() && self.notes.is_empty())
    }
}

/// What people should be warned of where files were left alone and something went wrong, a line each.
#[must_use]
pub fn warnings(repo: &Repo, left: &[Left], problems: &[Error]) -> Vec<String> {
    let left = left
        .iter()
        .map(|left| format!("{}:{}; left alone", repo.shown(&left.file), left.why));
    left.chain(problems.iter().map(with_causes)).collect()
}

/// An error and what caused it, in one line.
fn with_causes(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}
