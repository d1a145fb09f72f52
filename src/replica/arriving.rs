//! Documents that others made and that no commit has brought yet: their files come into being here.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::document::LEAST;
use super::look::Target;
use super::round::Report;
use super::{Error, Left, Replica};
use crate::crdt::Act;
use crate::git;
use crate::overlay::{CommitId, DocumentPath};

impl Replica<'_> {
    /// Makes the files of documents that are known from others alone and were never seen here. One that was here once and is
    /// gone was deleted, and stays so.
    pub(super) fn let_arrive(
        &mut self,
        commit: Option<CommitId>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let unseen = self.store.read()?.unseen()?;
        for path in unseen {
            let file = git::native_path(path.as_bytes());
            if !self.is_to_arrive(&path, commit)? {
                continue;
            }
            match self.repo.make_room(&file)? {
                Ok(()) => {}
                Err(why) => {
                    report.left.push(Left { file, why });
                    continue;
                }
            }
            let full = self.repo.top().join(&file);
            let made = fs::File::create_new(&full).and_then(|mut fresh| fresh.write_all(LEAST));
            match made {
                Ok(()) => self.look_and_write(Target::at(&file, commit), report),
                Err(source) => report
                    .problems
                    .push(git::Error::Write { path: full, source }.into()),
            }
        }
        Ok(())
    }

    /// Whether git has no such document, there is no such file, and an edit of it is to be shown.
    fn is_to_arrive(
        &mut self,
        path: &DocumentPath,
        commit: Option<CommitId>,
    ) -> Result<bool, Error> {
        let file: PathBuf = git::native_path(path.as_bytes());
        let is_there = self.repo.top().join(&file).symlink_metadata().is_ok();
        if is_there
            || self.repo.blob_in_head(path)?.is_some()
            || self.repo.blob_in_index(path)?.is_some()
        {
            return Ok(false);
        }
        let mut edits = self.edits(path)?;
        edits.judge(&self.repo.history_of(path), commit, false)?;
        let brings = |act: &Act| matches!(act, Act::Add { .. } | Act::Write(_) | Act::Replace(_));
        let mut shown = edits.all.iter().filter(|edit| edit.may_show());
        Ok(shown.any(|edit| edit.changes().iter().any(|change| brings(&change.act))))
    }
}
