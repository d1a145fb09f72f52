//! What is done before a commit: edits get their stamps, and these go into the commit.

use std::fs;

use super::{Error, Replica, Report};
use crate::context::strip;
use crate::yaml::{Document, Limits};

impl Replica<'_> {
    /// A round before a commit. A file that git was about to commit as it stood, and that got nothing but annotations by it,
    /// is committed with them; whatever else is staged or not stays so.
    ///
    /// # Errors
    /// As [`round`](Self::round), and where git does not take the new versions.
    pub fn round_before_commit(&mut self) -> Result<Report, Error> {
        let files = self.repo.context_files()?.files;
        let staged = self.repo.staged_whole(files)?;
        let report = self.round(false)?;
        let mut stamped = Vec::new();
        for staged in staged {
            if !report.written.contains(&staged.path) {
                continue;
            }
            let full = self.repo.top().join(&staged.path);
            let bytes = fs::read(&full);
            let bytes = bytes.map_err(|source| crate::git::Error::Read { path: full, source })?;
            let same = matches!(
                (bare(&staged.bytes), bare(&bytes)),
                (Some(before), Some(after)) if before == after
            );
            if same {
                stamped.push((staged, bytes));
            }
        }
        if !stamped.is_empty() {
            self.repo.stage_instead(&stamped)?;
        }
        Ok(report)
    }
}

/// What a document says without annotations; nothing if it cannot be read.
fn bare(bytes: &[u8]) -> Option<String> {
    let document = Document::read(bytes, &Limits::default()).ok()?;
    Some(strip(&document).unwrap_or_else(|| document.into_text()))
}
