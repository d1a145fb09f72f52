//! Where to look: the options that say which document a path is about.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::context::Address;
use crate::git::{Repo, Within, git_path, scope_of};
use crate::overlay::{CommitId, DocumentPath};
use crate::yaml::{Document, Limits};

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

    /// The same, and what stands there, of a large one at least what the address leads to.
    pub(super) fn document_about(
        &self,
        repo: &Repo,
        at: &Address,
    ) -> anyhow::Result<(PathBuf, Document)> {
        Ok(repo.document_about(&self.within(repo)?, at)?)
    }

    /// The document that an address is about, the place that it leads to, and what stands in the file, of a large one at least there; of what is gone the place that
    /// it had in HEAD.
    pub(super) fn place(
        &self,
        repo: &Repo,
        at: &Address,
    ) -> anyhow::Result<(PathBuf, crate::crdt::Path, Document)> {
        let within = self.within(repo)?;
        let files = match &within {
            Within::File(file) => vec![file.clone()],
            Within::Scope(scope) => repo.document_paths(Some(scope))?,
        };
        // A large document is read once.
        let having = |file: &PathBuf| {
            let document = repo.read_about(file, at).ok()?;
            let place = at.place_in(&document)?;
            Some((file.clone(), place, document))
        };
        let mut found: Vec<_> = files.iter().filter_map(having).collect();
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => return Ok(only),
            (Some(_), false) => {
                let file = repo.document_of(&within, at, None)?;
                return having(&file).with_context(|| format!("{at} is not in {}", file.display()));
            }
            (None, _) => {}
        }
        for file in files {
            let head = repo.in_head(&file)?.unwrap_or_default();
            let head = Document::read(&head, &Limits::default());
            if let Some(place) = head.ok().and_then(|head| at.place_in(&head)) {
                let (_, document) = repo.read_document(&file)?;
                return Ok((file, place, document));
            }
        }
        repo.document_of(&within, at, None)?;
        bail!("{at} is not there, and was not there in HEAD: `rhema crdt get .` shows what is")
    }

    /// The documents that are meant where no path says which: those of the scope or the file that is named, else all, those included
    /// that only HEAD has.
    pub(super) fn documents(&self, repo: &Repo) -> anyhow::Result<Vec<DocumentPath>> {
        self.documents_also_in(repo, &[])
    }

    /// The same, with those that these commits have.
    pub(super) fn documents_also_in(
        &self,
        repo: &Repo,
        commits: &[CommitId],
    ) -> anyhow::Result<Vec<DocumentPath>> {
        let within = match (&self.file, &self.scope) {
            (None, None) => None,
            _ => Some(self.within(repo)?),
        };
        let scope = match &within {
            Some(Within::File(file)) => return Ok(vec![DocumentPath::new(git_path(file))]),
            Some(Within::Scope(scope)) => Some(scope.as_path()),
            None => None,
        };
        let mut files = repo.document_paths(scope)?;
        let head = repo.head_commit()?;
        for commit in head.iter().chain(commits) {
            let there = repo.context_files_in(*commit)?;
            let is_meant = |file: &PathBuf| scope.is_none_or(|scope| scope_of(file) == scope);
            files.extend(there.into_iter().filter(is_meant));
        }
        files.sort();
        files.dedup();
        Ok(files
            .iter()
            .map(|file| DocumentPath::new(git_path(file)))
            .collect())
    }

    /// Whether nobody said where.
    pub(super) fn is_anywhere(&self) -> bool {
        self.file.is_none() && self.scope.is_none()
    }

    /// Whether some document has what a path begins with.
    pub(super) fn has(&self, repo: &Repo, path: &str) -> bool {
        self.document(repo, &Address::new(path), None).is_ok()
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
