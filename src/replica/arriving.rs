//! Documents that others made and that no commit has brought yet: their files come into being here.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::document::{LEAST, Since};
use super::look::Target;
use super::round::Report;
use super::{Error, Left, Replica};
use crate::crdt::Act;
use crate::git;
use crate::overlay::{CommitId, Contents, DocumentPath};
use crate::store::{Durability, Mark};

impl Replica<'_> {
    /// Makes the files of documents that are known from others alone and were never seen here, or were parked until HEAD
    /// moved. One that was here otherwise and is gone was deleted, and stays so.
    pub(super) fn let_arrive(
        &mut self,
        commit: Option<CommitId>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let reading = self.store.read()?;
        let (mut paths, parked) = (reading.unseen()?, reading.parked()?);
        drop(reading);
        for path in parked {
            let last = self.store.read()?.look(&path)?;
            if self.is_there(&path) || last.is_some_and(|last| last.head == commit) {
                continue;
            }
            let edits = self.open_edits(&path)?;
            let writing = self.store.write(Durability::Process)?;
            let parked = edits.all.iter().filter(|edit| edit.has(Mark::Parked));
            writing.unmark(parked.map(|edit| edit.known.stamp), Mark::Parked)?;
            writing.commit()?;
            paths.push(path);
        }
        for path in paths {
            if self.let_file_arrive(&path, commit, report)? {
                let file = git::native_path(path.as_bytes());
                self.look_and_write(Target::at(&file, commit), report)?;
            }
        }
        Ok(())
    }

    /// Makes the file of a document, if there is none, git has no such document, and an edit of it is to be shown; says whether
    /// it did. It holds nothing yet.
    pub(super) fn let_file_arrive(
        &mut self,
        path: &DocumentPath,
        commit: Option<CommitId>,
        report: &mut Report,
    ) -> Result<bool, Error> {
        if self.is_there(path)
            || self.repo.blob_in_head(path)?.is_some()
            || self.repo.blob_in_index(path)?.is_some()
            || !self.shows_something(path, commit)?
        {
            return Ok(false);
        }
        let file: PathBuf = git::native_path(path.as_bytes());
        if let Err(why) = self.repo.make_room(&file)? {
            report.left.push(Left { file, why });
            return Ok(false);
        }
        let full = self.repo.top().join(&file);
        let made = fs::File::create_new(&full).and_then(|mut fresh| fresh.write_all(LEAST));
        made.map_err(|source| git::Error::Write { path: full, source })?;
        Ok(true)
    }

    fn is_there(&self, path: &DocumentPath) -> bool {
        let file = git::native_path(path.as_bytes());
        self.repo.top().join(file).symlink_metadata().is_ok()
    }

    /// Whether an edit of the document brings something that is to be shown, and none of them was made on a commit that has the
    /// document: HEAD lacks that because it was deleted or moved.
    fn shows_something(
        &mut self,
        path: &DocumentPath,
        commit: Option<CommitId>,
    ) -> Result<bool, Error> {
        let mut edits = self.edits(path)?;
        let history = self.repo.history_of(path);
        edits.judge(commit, Since::Elsewhere, |head, open| {
            self.held(path, &mut Contents::of(&history), head, open)
        })?;
        for base in edits.all.iter().filter_map(|edit| edit.known.base) {
            // What is not at hand cannot have brought it here.
            if self.repo.has_commit(base)? && self.repo.blob_in(base, path)?.is_some() {
                return Ok(false);
            }
        }
        let brings = |act: &Act| {
            !matches!(
                act,
                Act::Remove | Act::Move { .. } | Act::Lose(_) | Act::Settle(_) | Act::Form(_)
            )
        };
        let mut shown = edits.all.iter().filter(|edit| edit.may_show());
        Ok(shown.any(|edit| edit.changes().iter().any(|change| brings(&change.act))))
    }
}
