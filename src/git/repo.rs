//! One repository with a work tree, found from the current folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Once;

use super::Error;
use super::graph::Graph;
use super::history::commit_id;
use crate::overlay::CommitId;

/// Whether it was settled what libgit2 checks.
static CHECKED: Once = Once::new();

/// The repository and work tree that a command works on.
pub struct Repo {
    pub(super) inner: git2::Repository,
    pub(super) graph: Graph,
    top: PathBuf,
}

impl Repo {
    /// Finds the repository that the current folder is in, or that `GIT_DIR` names.
    ///
    /// # Errors
    ///
    /// When there is none, it is bare, or of a format that cannot be read.
    pub fn find() -> Result<Self, Error> {
        let folder = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self::opened(git2::Repository::open_from_env(), folder)
    }

    /// Opens the repository whose work tree has its top at `top`.
    ///
    /// # Errors
    ///
    /// When there is none, or it is of a format that cannot be read.
    pub fn at(top: &Path) -> Result<Self, Error> {
        Self::opened(git2::Repository::open(top), || top.to_path_buf())
    }

    fn opened(
        opened: Result<git2::Repository, git2::Error>,
        folder: impl FnOnce() -> PathBuf,
    ) -> Result<Self, Error> {
        // As git does: what is damaged shows itself when it is unpacked, and its name is for `git fsck` to check. Of large versions that
        // would take longer than all else that is done with them.
        CHECKED.call_once(|| git2::opts::strict_hash_verification(false));
        let inner = opened.map_err(|source| {
            let folder = folder();
            match source.code() {
                git2::ErrorCode::NotFound => Error::NotARepository { folder },
                git2::ErrorCode::Owner => Error::ForeignOwner { folder, source },
                _ if is_about_the_format(&source) => Error::UnsupportedFormat { folder, source },
                _ => Error::Libgit2 {
                    what: format!("open the repository at {}", folder.display()),
                    source,
                },
            }
        })?;
        let Some(top) = inner.workdir().map(without_final_slash) else {
            return Err(Error::Bare {
                folder: without_final_slash(inner.path()),
            });
        };
        Ok(Self {
            inner,
            graph: Graph::default(),
            top,
        })
    }

    /// The top of the work tree.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The git directory of this work tree.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        self.inner.path()
    }

    /// The branch that is checked out, born or not; `None` where HEAD is detached.
    ///
    /// # Errors
    ///
    /// When HEAD cannot be read.
    pub fn branch(&self) -> Result<Option<String>, Error> {
        let head = self
            .inner
            .find_reference("HEAD")
            .map_err(Error::libgit2("read HEAD"))?;
        let target = head.symbolic_target_bytes();
        Ok(target.map(|name| {
            let short = name.strip_prefix(b"refs/heads/").unwrap_or(name);
            String::from_utf8_lossy(short).into_owned()
        }))
    }

    /// The branch that is checked out, as its upstream calls it if it has one; `None` where HEAD is detached.
    ///
    /// # Errors
    ///
    /// When HEAD cannot be read.
    pub fn shared_branch(&self) -> Result<Option<String>, Error> {
        let Some(branch) = self.branch()? else {
            return Ok(None);
        };
        let merges = self.inner.config().and_then(|mut all| {
            let all = all.snapshot()?;
            all.get_string(&format!("branch.{branch}.merge"))
        });
        let upstream = merges.ok();
        let upstream = upstream
            .as_deref()
            .and_then(|name| name.strip_prefix("refs/heads/"));
        Ok(Some(upstream.map_or(branch.clone(), str::to_owned)))
    }

    /// The commits that local branches name.
    ///
    /// # Errors
    ///
    /// When the branches cannot be listed.
    pub fn branch_tips(&self) -> Result<BTreeSet<CommitId>, Error> {
        let reading = || Error::libgit2("list the branches");
        let branches = self.inner.branches(Some(git2::BranchType::Local));
        let mut tips = BTreeSet::new();
        for branch in branches.map_err(reading())? {
            let (branch, _) = branch.map_err(reading())?;
            tips.extend(branch.get().target().map(commit_id));
        }
        Ok(tips)
    }

    /// What the user is called: as in commits, else as the system says.
    #[must_use]
    pub fn user_name(&self) -> String {
        let configured = self.inner.config().and_then(|mut all| {
            let all = all.snapshot()?;
            all.get_string("user.name")
        });
        let from = |name| std::env::var(name).ok();
        configured
            .ok()
            .or_else(|| from("GIT_AUTHOR_NAME"))
            .or_else(|| from("USER"))
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "somebody".to_owned())
    }

    /// The tops of all other work trees of the same repository that are there at present.
    ///
    /// # Errors
    ///
    /// When the list of linked work trees cannot be read.
    pub fn other_work_trees(&self) -> Result<Vec<PathBuf>, Error> {
        let listed = Error::libgit2("list the linked work trees");
        let mut tops: Vec<PathBuf> = Vec::new();
        if self.inner.is_worktree() {
            // The main work tree, if there is one, is that of the common directory.
            let main = git2::Repository::open(self.inner.commondir());
            tops.extend(
                main.ok()
                    .and_then(|main| main.workdir().map(without_final_slash)),
            );
        }
        let names = self.inner.worktrees().map_err(listed)?;
        for name in names.iter().flatten().flatten() {
            match self.inner.find_worktree(name) {
                Ok(linked) => tops.push(without_final_slash(linked.path())),
                Err(error) => tracing::info!("the linked work tree {name} cannot be read: {error}"),
            }
        }
        let here = self.top.canonicalize().ok();
        tops.retain(|top| top.canonicalize().is_ok_and(|there| Some(there) != here));
        Ok(tops)
    }

    /// The top of the work tree, for people and for JSON.
    #[must_use]
    pub fn shown_top(&self) -> String {
        self.top.display().to_string()
    }

    /// `path` relative to the top of the work tree where it lies inside, with `/`; for people and for JSON.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.top).unwrap_or(path);
        let shown = inside.to_string_lossy();
        if cfg!(windows) {
            shown.replace('\\', "/")
        } else {
            shown.into_owned()
        }
    }
}

/// libgit2 ends folders with a slash; nobody else does.
fn without_final_slash(folder: &Path) -> PathBuf {
    folder.components().collect()
}

/// Whether libgit2 stumbled over an extension that it does not know (it has no error code of its own for that).
fn is_about_the_format(error: &git2::Error) -> bool {
    ["extension", "object format", "repository version"]
        .iter()
        .any(|words| error.message().contains(words))
}
