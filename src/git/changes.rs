//! What git says about files: which differ from HEAD, which are unmerged.

use std::collections::HashSet;
use std::path::PathBuf;

use git2::{DiffOptions, StatusOptions};

use super::walk::git_path;
use super::{Error, Repo};

/// Files by their paths as git writes them.
#[derive(Default)]
pub(super) struct Changes {
    /// Those that differ from HEAD or are not in it.
    pub(super) edited: HashSet<Vec<u8>>,
    /// Those that the index has more than one version of.
    pub(super) unmerged: HashSet<Vec<u8>>,
}

impl Changes {
    /// Asks about these files and no others.
    pub(super) fn among(files: &[PathBuf], repo: &Repo) -> Result<Self, Error> {
        let comparing = || Error::libgit2("compare the context files with HEAD");
        let mut changes = Changes::default();
        if files.is_empty() {
            return Ok(changes);
        }
        let mut options = StatusOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_ignored(true)
            .recurse_ignored_dirs(true)
            .exclude_submodules(true)
            .disable_pathspec_match(true);
        for file in files {
            options.pathspec(git_path(file));
        }
        let mut doubtful = DiffOptions::new();
        doubtful.disable_pathspec_match(true);
        let mut doubts = false;
        let statuses = repo
            .inner
            .statuses(Some(&mut options))
            .map_err(comparing())?;
        for entry in statuses.iter() {
            let (path, status) = (entry.path_bytes().to_vec(), entry.status());
            if status.is_conflicted() {
                changes.unmerged.insert(path);
            } else if status.is_wt_modified() {
                doubtful.pathspec(path);
                doubts = true;
            } else {
                changes.edited.insert(path);
            }
        }
        if doubts {
            // Another size or time makes a file look changed to libgit2, whatever git's filters make of its content,
            // and it may have been changed back to what HEAD has after it was staged.
            let head = repo.inner.head().and_then(|head| head.peel_to_tree()).ok();
            let diff = repo
                .inner
                .diff_tree_to_workdir(head.as_ref(), Some(&mut doubtful))
                .map_err(comparing())?;
            changes.edited.extend(
                diff.deltas()
                    .filter_map(|delta| Some(delta.new_file().path_bytes()?.to_vec())),
            );
        }
        Ok(changes)
    }
}
