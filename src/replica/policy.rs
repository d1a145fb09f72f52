//! What decides about edits beside the documents that they are of: the branch policy, and what others told of commits that
//! are not at hand.

use std::collections::BTreeMap;

use super::Error;
use crate::context::Types;
use crate::git::Repo;
use crate::node::{Branches, Config};
use crate::overlay::{CommitId, Known};
use crate::store::{Issuer, Reading};

/// What holds for all documents of a work tree at one time.
#[derive(Debug, Default)]
pub(super) struct Policy {
    /// The branch to which alone others' edits belong; none where all are shown.
    only: Option<Option<String>>,
    /// The types of places.
    pub(super) types: Types,
    /// Ancestors of commits that are not at hand.
    ancestors: BTreeMap<CommitId, Vec<CommitId>>,
}

impl Policy {
    /// What holds in a work tree. A committed configuration that cannot be read is told of by [`round`](super::round), and as if
    /// there were none.
    pub(super) fn of(repo: &Repo, reading: &Reading<'_>) -> Result<Self, Error> {
        let config = Config::at_head(repo).unwrap_or_else(|error| {
            tracing::info!("{error}: branches are shared as usual");
            Config::default()
        });
        let only = match config.branches {
            Branches::Shared | Branches::Carry => None,
            Branches::Same => Some(repo.shared_branch()?),
        };
        let ancestors = reading.ancestors()?;
        Ok(Self {
            only,
            types: config.types,
            ancestors,
        })
    }

    /// Whether an edit belongs to another branch than the one that is checked out. One that was made on none belongs to all.
    pub(super) fn keeps_away(&self, known: &Known, issuer: Issuer) -> bool {
        let only = self.only.as_ref();
        issuer != Issuer::Own
            && only.is_some_and(|only| known.branch.is_some() && known.branch != *only)
    }

    /// The edit with all ancestors of its base that anybody named.
    pub(super) fn placed(&self, mut known: Known) -> Known {
        let told = known.base.and_then(|base| self.ancestors.get(&base));
        known.published.extend(told.into_iter().flatten());
        known
    }
}
