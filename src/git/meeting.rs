//! Where the histories of two clones meet, without either having the other at hand.

use std::collections::BTreeSet;

use git2::Oid;

use super::history::{commit_id, oid};
use super::{Error, Repo};
use crate::overlay::CommitId;

/// So many branches are asked for where histories may meet; others have these and more in common.
const MOST_TIPS: usize = 32;

/// So many commits are named to another clone.
const MOST_LANDMARKS: usize = 256;

/// So many newest common ancestors are told: a criss-cross of more branches is nobody's.
const MOST_MET: usize = 8;

impl Repo {
    /// Whether a commit is at hand.
    ///
    /// # Errors
    ///
    /// When that cannot be told.
    pub fn has_commit(&self, commit: CommitId) -> Result<bool, Error> {
        Ok(self.graph.commit(&self.inner, oid(commit))?.is_some())
    }

    /// Commits that are at hand, by which another clone can tell where the two histories meet: of HEAD and of the branches
    /// the newest, and from each downwards ever wider apart.
    ///
    /// # Errors
    ///
    /// When the branches or the history cannot be read.
    pub fn landmarks(&self) -> Result<Vec<CommitId>, Error> {
        let mut landmarks = Vec::new();
        let mut seen = BTreeSet::new();
        for tip in self.tips()? {
            let (mut here, mut walked, mut next) = (Some(tip), 0usize, 0usize);
            while let Some(id) = here.filter(|_| landmarks.len() < MOST_LANDMARKS) {
                if walked == next {
                    if !seen.insert(id) {
                        break;
                    }
                    landmarks.push(commit_id(id));
                    next = (next * 2).max(next + 1);
                }
                walked += 1;
                let commit = self.graph.commit(&self.inner, id)?;
                here = commit.and_then(|commit| commit.parents.first().copied());
            }
        }
        Ok(landmarks)
    }

    /// The newest commits in the ancestry of `commit` and in that of one of `others`; those that are not at hand count for
    /// nothing.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    pub fn met_with(&self, commit: CommitId, others: &[CommitId]) -> Result<Vec<CommitId>, Error> {
        let mut known = Vec::with_capacity(others.len());
        for other in others {
            if self.has_commit(*other)? {
                known.push(oid(other));
            }
        }
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let compared = self.graph.compare(&self.inner, oid(commit), &known)?;
        let met = compared.map(|compared| compared.met).unwrap_or_default();
        Ok(met.into_iter().take(MOST_MET).map(commit_id).collect())
    }

    /// The commits without parents that the first parents of the branches lead to: two repositories that have none of them in
    /// common are not clones of each other. Empty where it cannot be told, as in a shallow clone.
    ///
    /// # Errors
    ///
    /// When the branches or the history cannot be read.
    pub fn roots(&self) -> Result<Vec<CommitId>, Error> {
        if self.inner.is_shallow() {
            return Ok(Vec::new());
        }
        let (mut roots, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for tip in self.tips()? {
            let mut here = Some(tip);
            while let Some(id) = here.filter(|id| seen.insert(*id)) {
                let Some(commit) = self.graph.commit(&self.inner, id)? else {
                    break;
                };
                here = commit.parents.first().copied();
                if here.is_none() {
                    roots.insert(commit_id(id));
                }
            }
        }
        Ok(roots.into_iter().collect())
    }

    /// The commits that HEAD and the branches, ours and others', name.
    fn tips(&self) -> Result<Vec<Oid>, Error> {
        let reading = || Error::libgit2("read the branches");
        let mut tips: Vec<Oid> = self.head_commit()?.map(oid).into_iter().collect();
        for names in ["refs/heads/*", "refs/remotes/*"] {
            for found in self.inner.references_glob(names).map_err(reading())? {
                // A branch that is symbolic (`origin/HEAD`) names one of the others.
                let tip = found.map_err(reading())?.target();
                if let Some(tip) = tip.filter(|tip| !tips.contains(tip)) {
                    tips.push(tip);
                }
                if tips.len() == MOST_TIPS {
                    return Ok(tips);
                }
            }
        }
        Ok(tips)
    }
}
