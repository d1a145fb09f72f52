//! Where to look: the options that say which document a path is about.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::context::Address;
use crate::git::{Repo, Within};

/// Which documents are searched for what a path names.
#[derive(Args, Debug)]
pub(super) struct Where {
    /// The folder whose context is meant (`.` for the top), instead of the one that you are in
    #[arg(long, value_name = "S")]
    scope: Option<PathBuf>,
    /// The document itself, where several have what is named
    #[arg(long, value_name = "F", conflicts_with = "scope")]
    file: Option<PathBuf>,
}

impl Where {
    /// The document that an address is about; `field` helps to find that of a root.
    pub(super) fn document(
        &self,
        repo: &Repo,
        at: &Address,
        field: Option<&str>,
    ) -> anyhow::Result<PathBuf> {
        Ok(repo.document_of(&self.within(repo)?, at, field)?)
    }

    /// Where to look for it.
    pub(super) fn within(&self, repo: &Repo) -> anyhow::Result<Within> {
        Ok(match (&self.file, &self.scope) {
            (Some(file), _) => Within::File(document(repo, file)?),
            (None, Some(scope)) => Within::Scope(scope_in_tree(repo, scope)?),
            (None, None) => {
                // Elsewhere, with `GIT_WORK_TREE`, that of the top is meant.
                let here = in_tree(repo, Path::new(".")).unwrap_or_default();
                Within::Scope(repo.scope_around(&here)?)
            }
        })
    }
}

/// A document as it was typed: from here, or from the top as reports name it.
fn document(repo: &Repo, file: &Path) -> anyhow::Result<PathBuf> {
    let known = repo.document_paths(None)?;
    let here = in_tree(repo, file).ok();
    let found = [here.as_deref(), Some(file)].into_iter().flatten();
    for path in found {
        if known.iter().any(|one| one == path) {
            return Ok(path.to_path_buf());
        }
    }
    bail!(
        "{} is no context file of this repository: `rhema crdt status` lists them",
        file.display()
    )
}

/// A scope as it was typed, from the top of the work tree.
pub(super) fn scope_in_tree(repo: &Repo, scope: &Path) -> anyhow::Result<PathBuf> {
    let inside = in_tree(repo, scope)?;
    let named = |part: &Component<'_>| part.as_os_str() != ".rhema";
    Ok(inside.components().take_while(named).collect())
}

/// A path as it was typed, from the top of the work tree.
pub(super) fn in_tree(repo: &Repo, path: &Path) -> anyhow::Result<PathBuf> {
    let full = path.canonicalize().with_context(|| {
        format!(
            "{} is not there: name something of this repository",
            path.display()
        )
    })?;
    let top = repo
        .top()
        .canonicalize()
        .context("cannot find the work tree")?;
    let inside = full
        .strip_prefix(&top)
        .with_context(|| format!("{} is not in this work tree", path.display()))?;
    Ok(inside.to_path_buf())
}
