//! Commits one after the other, the newest first, as far as somebody asks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use git2::Oid;
use rustc_hash::FxHashSet;

use super::history::{commit_id, oid};
use super::{Error, Repo};
use crate::overlay::CommitId;

/// A commit that was passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The commit.
    pub commit: CommitId,
    /// Its parents, the first of which is the branch that it was made on.
    pub parents: Vec<CommitId>,
    /// When it was committed, in milliseconds since the Unix epoch.
    pub unix_millis: u64,
    /// Whether it has parents that this clone does not have.
    pub is_cut: bool,
}

/// A walk from a commit to all its ancestors: each behind one of its children, otherwise the newest first.
pub struct Passing<'r> {
    repo: &'r Repo,
    open: BinaryHeap<(i64, Reverse<usize>, Oid)>,
    seen: FxHashSet<Oid>,
}

impl Repo {
    /// Begins to walk at a commit.
    #[must_use]
    pub fn passing(&self, from: Option<CommitId>) -> Passing<'_> {
        let from = from.map(oid);
        Passing {
            repo: self,
            open: from
                .map(|id| (i64::MAX, Reverse(0), id))
                .into_iter()
                .collect(),
            seen: from.into_iter().collect(),
        }
    }

    /// What is told of a commit by itself; nothing where it is not at hand.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn passed(&self, commit: CommitId) -> Result<Option<Passed>, Error> {
        let known = self.graph.commit(&self.inner, oid(commit))?;
        Ok(known.map(|known| Passed {
            commit,
            parents: known.parents.iter().copied().map(commit_id).collect(),
            unix_millis: millis(known.time),
            is_cut: known.is_cut,
        }))
    }

    /// What the author of a commit is called; nothing where that is not at hand.
    #[must_use]
    pub fn author_of(&self, commit: CommitId) -> Option<String> {
        let commit = self.inner.find_commit(oid(commit)).ok()?;
        let author = commit.author();
        let name = String::from_utf8_lossy(author.name_bytes()).into_owned();
        Some(name).filter(|name| !name.is_empty())
    }

    /// The name of a commit as people are told it: as short as git makes it.
    #[must_use]
    pub fn short_name(&self, commit: CommitId) -> String {
        let object = self.inner.find_object(oid(commit), None);
        let short = object.and_then(|object| object.short_id());
        match short {
            Ok(short) => String::from_utf8_lossy(&short).into_owned(),
            Err(_) => commit.to_string().chars().take(7).collect(),
        }
    }

    /// The commit that HEAD named in this work tree at a time, in milliseconds since the Unix epoch, as its log tells; nothing where that
    /// does not reach so far back.
    #[must_use]
    pub fn head_at(&self, unix_millis: u64) -> Option<CommitId> {
        let log = self.inner.reflog("HEAD").ok()?;
        let was = log
            .iter()
            .find(|entry| millis(entry.committer().when().seconds()) <= unix_millis)?;
        let commit = was.id_new();
        self.inner.find_commit(commit).ok()?;
        Some(commit_id(commit))
    }
}

impl Passing<'_> {
    /// Goes on to the next commit; nothing at the end.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    pub fn pass(&mut self) -> Result<Option<Passed>, Error> {
        let Some((_, _, id)) = self.open.pop() else {
            return Ok(None);
        };
        let Some(passed) = self.repo.passed(commit_id(id))? else {
            return Ok(None);
        };
        for parent in &passed.parents {
            let parent = oid(*parent);
            if !self.seen.insert(parent) {
                continue;
            }
            if let Some(commit) = self.repo.graph.commit(&self.repo.inner, parent)? {
                self.open
                    .push((commit.time, Reverse(self.seen.len()), parent));
            }
        }
        Ok(Some(passed))
    }
}

fn millis(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000)
}
