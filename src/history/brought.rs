//! Which commit brought an edit.

use std::collections::HashMap;

use super::Error;
use super::memory::{Commits, PassedOver};
use crate::crdt::Stamp;
use crate::git::Passed;
use crate::overlay::CommitId;

/// The commits that were looked at, the newest first, and the edits that they show.
#[derive(Default)]
pub(super) struct Brought {
    looked: Vec<Looked>,
    shown: HashMap<Stamp, Vec<Shown>>,
}

/// A commit that was looked at for one document.
struct Looked {
    passed: Passed,
    document: usize,
    /// Where nothing was read of it but hashes.
    over: Option<PassedOver>,
}

#[derive(Clone, Copy)]
struct Shown {
    looked: usize,
    /// Whether it is sure that none of its ancestors has it.
    is_new: bool,
}

impl Brought {
    /// How many were looked at.
    pub(super) fn looked(&self) -> usize {
        self.looked.len()
    }

    /// Goes on to a commit.
    pub(super) fn look(&mut self, passed: &Passed, document: usize, over: Option<PassedOver>) {
        self.looked.push(Looked {
            passed: passed.clone(),
            document,
            over,
        });
    }

    /// Notes that the last commit shows an edit.
    pub(super) fn show(&mut self, stamp: Stamp, is_new: bool) {
        let looked = self.looked.len().saturating_sub(1);
        let shown = self.shown.entry(stamp).or_default();
        shown.push(Shown { looked, is_new });
    }

    /// The oldest of these commits, from one of them on, that brought an edit, and when it did: it shows it, and did not have it back
    /// from one before, as `came_back` tells.
    pub(super) fn commit_of(
        &self,
        stamp: Stamp,
        from: usize,
        commits: &Commits<'_>,
        came_back: &dyn Fn(usize, &Passed) -> Result<bool, Error>,
    ) -> Result<Option<(CommitId, u64)>, Error> {
        let shown = self.shown.get(&stamp).into_iter().flatten();
        let mut shown: Vec<Shown> = shown.filter(|one| one.looked >= from).copied().collect();
        for (looked, one) in self.looked.iter().enumerate().skip(from) {
            if let Some(over) = &one.over
                && commits.shows(over, stamp)?
            {
                let is_new = false;
                shown.push(Shown { looked, is_new });
            }
        }
        shown.sort_by_key(|one| one.looked);
        for one in shown.into_iter().rev() {
            let Some(Looked {
                passed, document, ..
            }) = self.looked.get(one.looked)
            else {
                continue;
            };
            if one.is_new || !came_back(*document, passed)? {
                return Ok(Some((passed.commit, passed.unix_millis)));
            }
        }
        Ok(None)
    }
}
