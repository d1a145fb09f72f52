//! Putting edits out of sight, so that git finds a clean tree, and bringing them back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::look::{Target, content};
use super::round::Report;
use super::{Error, Left, Replica};
use crate::git;
use crate::overlay::{CommitId, DocumentPath};
use crate::store::{Content, Durability, Facts, Holds, Look, Mark};

/// What parking did.
#[derive(Debug, Default)]
pub struct Parked {
    /// The documents that are as HEAD has them now, from the top of the work tree.
    pub written: Vec<PathBuf>,
    /// How many edits are out of sight.
    pub edits: usize,
    /// Files that were left alone.
    pub left: Vec<Left>,
    /// What could not be looked at or written.
    pub problems: Vec<Error>,
}

/// Which edits are to be seen again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Those that were parked.
    Parked,
    /// Those of other branches, too.
    All,
}

impl Replica<'_> {
    /// Puts every document back to what HEAD has, after recording what was edited. What is parked so is shown again once
    /// HEAD moved, or by [`unpark`](Self::unpark).
    ///
    /// # Errors
    /// As [`round`](Self::round).
    pub fn park(&mut self) -> Result<Parked, Error> {
        let report = self.round(false)?;
        let mut parked = Parked {
            problems: report.problems,
            left: report.left,
            ..Parked::default()
        };
        let commit = self.repo.head_commit()?;
        for file in self.repo.context_files()?.files {
            if parked.left.iter().any(|left| left.file == file) {
                continue;
            }
            match self.park_file(&file, commit) {
                Ok(Some(edits)) => {
                    parked.edits += edits;
                    parked.written.push(file);
                }
                Ok(None) => {}
                Err(error) => parked.problems.push(error),
            }
        }
        Ok(parked)
    }

    /// How many edits of a document were parked; nothing if there was nothing to do.
    fn park_file(&mut self, file: &Path, commit: Option<CommitId>) -> Result<Option<usize>, Error> {
        let path = DocumentPath::new(git::git_path(file));
        let Some(current) = self.store.read()?.rendering(&path)? else {
            return Ok(None);
        };
        let Content::Bytes(bytes) = current.content else {
            return Ok(None);
        };
        let head = self
            .repo
            .head_version(file, &bytes, &mut git::Moved::default())?;
        let edits = self.open_edits(&path)?;
        let back = match &head {
            Some(head) if head.former.is_some() || head.bytes == bytes => return Ok(None),
            Some(head) => Some(head.bytes.as_slice()),
            // What others brought would be in the way of a commit that brings it.
            None if self.repo.blob_in_index(&path)?.is_none() && edits.are_told_by_others() => None,
            None => return Ok(None),
        };
        let shown = edits
            .all
            .iter()
            .filter(|edit| edit.may_show() && edit.has(Mark::Shown));
        let shown: Vec<_> = shown.map(|edit| edit.known.stamp).collect();
        let content = match back {
            Some(back) => content(head.as_ref(), back),
            None => Content::Absent,
        };
        let now = self.now;
        let look = Look {
            head: commit,
            file: None,
            facts: Facts::default(),
            holds: Holds::Before,
            reflog: self.log,
        };
        let writing = self.store.write(Durability::Power)?;
        writing.mark(shown.iter().copied(), Mark::Parked)?;
        writing.unmark(shown.iter().copied(), Mark::Shown)?;
        writing.render(&path, &content, commit, now)?;
        writing.set_look(&path, &look)?;
        writing.commit()?;
        match back {
            Some(back) => self.put(file, commit, &bytes, back)?,
            None => self.repo.remove_unchanged(file, &bytes)?,
        }
        Ok(Some(shown.len()))
    }

    /// Shows again what was parked, and with [`Hidden::All`] what belongs to other branches.
    ///
    /// # Errors
    /// As [`round`](Self::round).
    pub fn unpark(&mut self, hidden: Hidden) -> Result<Report, Error> {
        let mut report = self.round(false)?;
        let commit = self.repo.head_commit()?;
        let out_of_sight = self.store.read()?.parked()?;
        let mut files: BTreeSet<PathBuf> = self.repo.context_files()?.files.into_iter().collect();
        files.extend(
            out_of_sight
                .iter()
                .map(|path| git::native_path(path.as_bytes())),
        );
        for file in files {
            let path = DocumentPath::new(git::git_path(&file));
            let edits = self.open_edits(&path)?;
            let of = |is: &dyn Fn(&super::document::Standing) -> bool| -> Vec<_> {
                let chosen = edits.all.iter().filter(|edit| is(edit));
                chosen.map(|edit| edit.known.stamp).collect()
            };
            let parked = of(&|edit| edit.has(Mark::Parked));
            let elsewhere = match hidden {
                Hidden::All => of(&|edit| edit.is_elsewhere()),
                Hidden::Parked => Vec::new(),
            };
            if parked.is_empty() && elsewhere.is_empty() {
                continue;
            }
            let writing = self.store.write(Durability::Process)?;
            writing.unmark(parked, Mark::Parked)?;
            writing.mark(elsewhere, Mark::TakenUp)?;
            writing.commit()?;
            self.let_file_arrive(&path, commit, &mut report)?;
            self.look_and_write(Target::at(&file, commit), &mut report)?;
        }
        Ok(report)
    }
}
