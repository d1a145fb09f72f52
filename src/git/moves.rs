//! Files that were moved since HEAD: under which name HEAD has them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use git2::{Delta, Diff, DiffFindOptions, DiffOptions, Oid};

use super::walk::{git_path, native_path};
use super::{Error, Repo};

/// Files that are new under their names, and the names that they had before: those that are gone from where they were and much
/// alike, as git shows them.
#[derive(Debug, Default)]
pub(super) struct Moves {
    by_new_path: HashMap<PathBuf, PathBuf>,
    /// Where names that differ in case alone are one name: what the index calls each file, by its name in lower case.
    by_lower_case: HashMap<Vec<u8>, PathBuf>,
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
        Ok(Self {
            by_new_path: renamed_in(diff)?,
            by_lower_case: lower_cased(repo)?,
        })
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
        Ok(Self {
            by_new_path: renamed_in(diff)?,
            by_lower_case: HashMap::new(),
        })
    }

    /// What HEAD calls a file that it does not have under this name.
    pub(super) fn former_path(&self, path: &Path) -> Option<&Path> {
        let moved = self.by_new_path.get(path);
        let written_otherwise = || self.by_lower_case.get(&git_path(path).to_ascii_lowercase());
        moved.or_else(written_otherwise).map(PathBuf::as_path)
    }
}

/// The files that were moved, by their new paths.
fn renamed_in(mut diff: Diff<'_>) -> Result<HashMap<PathBuf, PathBuf>, Error> {
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
    Ok(paths.collect())
}

fn of_yaml() -> DiffOptions {
    let mut options = DiffOptions::new();
    options.pathspec("*.yaml").pathspec("*.yml");
    options
}

/// The names in the index by what they are in lower case; none where case tells names apart.
fn lower_cased(repo: &Repo) -> Result<HashMap<Vec<u8>, PathBuf>, Error> {
    let configured = repo.inner.config();
    if !configured.is_ok_and(|all| all.get_bool("core.ignorecase").unwrap_or(false)) {
        return Ok(HashMap::new());
    }
    let index = repo.inner.index();
    let index = index.map_err(|source| Error::UnsupportedIndex { source })?;
    let names = index.iter().map(|entry| {
        let path = native_path(&entry.path);
        (entry.path.to_ascii_lowercase(), path)
    });
    Ok(names.collect())
}
