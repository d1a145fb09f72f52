//! Files that were moved since HEAD: under which name HEAD has them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use git2::{Delta, Diff, DiffFindOptions, DiffOptions, Oid};

use super::{Error, Repo};

/// Files that are new under their names, and the names that they had before: those that are gone from where they were and much
/// alike, as git shows them.
#[derive(Debug, Default)]
pub(super) struct Moves {
    by_new_path: HashMap<PathBuf, PathBuf>,
}

impl Moves {
    /// Asks git.
    pub(super) fn since_head(repo: &Repo) -> Result<Self, Error> {
        let comparing = Error::libgit2("compare the work tree with HEAD");
        let head = repo.inner.head().and_then(|head| head.peel_to_tree());
        let Ok(head) = head else {
            return Ok(Self::default());
        };
        let mut options = of_yaml();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .show_untracked_content(true);
        let diff = repo
            .inner
            .diff_tree_to_workdir_with_index(Some(&head), Some(&mut options))
            .map_err(comparing)?;
        Self::in_diff(diff)
    }

    /// What a commit moved.
    pub(super) fn between(repo: &Repo, parent: Oid, commit: Oid) -> Result<Self, Error> {
        let comparing = || Error::libgit2("compare a commit with its parent");
        let tree = |id| {
            let commit = repo.inner.find_commit(id);
            commit.and_then(|commit| commit.tree()).map_err(comparing())
        };
        let (parent, commit) = (tree(parent)?, tree(commit)?);
        let diff = repo
            .inner
            .diff_tree_to_tree(Some(&parent), Some(&commit), Some(&mut of_yaml()))
            .map_err(comparing())?;
        Self::in_diff(diff)
    }

    fn in_diff(mut diff: Diff<'_>) -> Result<Self, Error> {
        let mut options = DiffFindOptions::new();
        diff.find_similar(Some(options.renames(true).for_untracked(true)))
            .map_err(Error::libgit2("find files that were moved"))?;
        let renamed = diff
            .deltas()
            .filter(|delta| delta.status() == Delta::Renamed);
        let paths = renamed.filter_map(|delta| {
            let (new, old) = (delta.new_file().path()?, delta.old_file().path()?);
            Some((new.to_path_buf(), old.to_path_buf()))
        });
        Ok(Self {
            by_new_path: paths.collect(),
        })
    }

    /// What HEAD calls a file that it does not have under this name.
    pub(super) fn former_path(&self, path: &Path) -> Option<&Path> {
        self.by_new_path.get(path).map(PathBuf::as_path)
    }
}

fn of_yaml() -> DiffOptions {
    let mut options = DiffOptions::new();
    options.pathspec("*.yaml").pathspec("*.yml");
    options
}
