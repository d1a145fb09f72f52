//! The two commits that git merges while it runs the merge driver, and the versions of the file in their ancestries.
//!
//! Only in a true merge (`git merge`, `git pull`, `merge --squash`) git names the merged commit to its drivers, as a
//! variable `GITHEAD_<commit>` with what the user called it. Cherry-picks, reverts, rebases, `am`, stashes, `checkout -m`
//! and `merge-tree` name none: there commits are meant to do what they say, whatever a branch once had.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;

use git2::{ObjectType, Oid};
use rustc_hash::FxHashSet;

use super::history::{commit_id, oid};
use super::{Error, Repo, Sides};
use crate::merge::{self, Version};
use crate::overlay::{BlobId, CommitId, DocumentPath, History};

/// What git calls the variable, before the commit's name.
const MERGED: &str = "GITHEAD_";

/// Two commits that are being merged, and one file in both.
pub struct MergedCommits<'r> {
    repo: Held<'r>,
    path: DocumentPath,
    ours: CommitId,
    theirs: CommitId,
    is_cut: Cell<bool>,
}

/// The repository in which the commits are.
enum Held<'r> {
    Own(Box<Repo>),
    Lent(&'r Repo),
}

impl Deref for Held<'_> {
    type Target = Repo;

    fn deref(&self) -> &Repo {
        match self {
            Self::Own(repo) => repo,
            Self::Lent(repo) => repo,
        }
    }
}

impl<'r> MergedCommits<'r> {
    /// Two commits of a repository whose versions of the file at `path` are merged.
    #[must_use]
    pub fn of(repo: &'r Repo, path: &DocumentPath, ours: CommitId, theirs: CommitId) -> Self {
        Self {
            path: path.clone(),
            ours,
            theirs,
            is_cut: Cell::new(false),
            repo: Held::Lent(repo),
        }
    }

    /// The commits whose versions of the file at `path` are merged, where git names them; `variables` are the names of the
    /// environment's. Nothing where it names none or several, where the versions are not those (git merges bases with each
    /// other first where there are several, and a file may be called otherwise on a side), and where there is no repository
    /// that can be read: then a merge knows its three files alone.
    #[must_use]
    pub fn named_in(
        variables: impl Iterator<Item = String>,
        path: &DocumentPath,
        sides: &Sides<'_>,
    ) -> Option<Self> {
        let mut named = variables.filter_map(|name| Oid::from_str(name.strip_prefix(MERGED)?).ok());
        let (theirs, None) = (named.next()?, named.next()) else {
            return None;
        };
        let repo = Repo::find().ok()?;
        let ours = repo.head_commit().ok()??;
        let theirs = commit_id(theirs);
        let is_of = |commit, bytes: &[u8]| {
            let held = repo.blob_in(commit, path).ok().flatten().map(oid);
            held.is_some() && held == Oid::hash_object(ObjectType::Blob, bytes).ok()
        };
        (is_of(ours, sides.ours) && is_of(theirs, sides.theirs)).then(|| Self {
            path: path.clone(),
            ours,
            theirs,
            is_cut: Cell::new(false),
            repo: Held::Own(Box::new(repo)),
        })
    }

    /// Whether a merge has asked for versions that are not at hand, as in a shallow clone.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    fn read(&self, of: Version) -> Result<Option<Vec<Vec<u8>>>, Error> {
        let history = self.repo.history_of(&self.path);
        let ranges = match of {
            Version::Ours => vec![(self.ours, Some(self.theirs))],
            Version::Theirs => vec![(self.theirs, Some(self.ours))],
            Version::Base => {
                let Some(bases) = self.repo.newest_in_both(self.ours, self.theirs)? else {
                    return Ok(None);
                };
                bases.into_iter().map(|base| (base, None)).collect()
            }
        };
        let mut blobs: Vec<BlobId> = Vec::new();
        for (of, without) in ranges {
            let Some(versions) = history.versions(of, without)? else {
                return Ok(None);
            };
            blobs.extend(versions.iter().filter_map(|version| version.after));
        }
        let mut seen = FxHashSet::default();
        blobs.retain(|blob| seen.insert(*blob));
        let bytes: Result<_, _> = blobs.into_iter().map(|blob| history.bytes(blob)).collect();
        bytes.map(Some)
    }
}

impl merge::Ancestry for MergedCommits<'_> {
    fn versions(&self, of: Version) -> Option<Vec<Vec<u8>>> {
        let versions = self.read(of).unwrap_or_else(|error| {
            tracing::info!("the history of {} cannot be read: {error}", self.path);
            None
        });
        if versions.is_none() {
            self.is_cut.set(true);
        }
        versions
    }
}

impl fmt::Debug for MergedCommits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergedCommits")
            .field("path", &self.path)
            .field("ours", &self.ours)
            .field("theirs", &self.theirs)
            .finish_non_exhaustive()
    }
}
