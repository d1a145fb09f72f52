//! Edits by command: the file is changed as if somebody had edited it by hand, and looked at.

use std::path::Path;

use super::look::{Made, Target, Unlooked};
use super::{Error, Replica};
use crate::context::{self, Address, Change, Unedited};
use crate::crdt::Stamp;
use crate::git;

/// What an edit by command did.
#[derive(Clone, Debug)]
pub struct Edited {
    /// What was changed, as it is called now.
    pub at: Address,
    /// The name of a new record.
    pub new_name: Option<String>,
    /// Whether the file is another one now.
    pub changed: bool,
    /// The stamp that stands beside the edit; none where nothing was changed, or it is one that leaves no stamp.
    pub stamp: Option<Stamp>,
}

impl Replica<'_> {
    /// Makes a change in a document and records it, along with whatever else was edited there since the last look.
    ///
    /// # Errors
    /// When git is not at rest, the file is no document, the change cannot be made, or the file not be written. Nothing
    /// is changed then.
    pub fn edit(&mut self, file: &Path, change: &Change) -> Result<Edited, Error> {
        let repo = self.repo;
        if let Some(what) = repo.under_way() {
            return Err(git::Error::Busy { what }.into());
        }
        if self.head_moved()? {
            self.round(false)?;
        }
        let (_, document) = repo.read_document(file)?;
        let refused = |reason: Unedited| git::Error::Unedited { reason };
        let mut edited = change.apply(&document).map_err(refused)?;
        let mut stamps = Vec::new();
        if edited.is_contested() {
            let stamp = self.tick()?;
            let head = repo.in_head(file)?;
            let text = head.as_deref().map(String::from_utf8_lossy);
            let at = edited.at.clone();
            let settled = edited.settled(stamp, &text.unwrap_or_default());
            edited = settled.ok_or_else(|| refused(Unedited::NoPlace { at }))?;
            stamps.push(stamp);
        }
        let commit = repo.head_commit()?;
        let target = Target {
            file,
            made: Some(Made {
                document: edited.document,
                stamps,
            }),
            commit,
            has_moved: false,
            has_witness: true,
            confirmed: true,
        };
        let written = match self.record(target)? {
            Ok(written) => written,
            Err(Unlooked::Absent | Unlooked::NoDocument) => {
                return Err(git::Error::NoDocument {
                    file: repo.shown(file),
                }
                .into());
            }
            Err(Unlooked::Left(why)) => {
                return Err(git::Error::NotRecorded {
                    file: repo.shown(file),
                    why,
                }
                .into());
            }
        };
        let (_, document) = repo.read_document(file)?;
        Ok(Edited {
            stamp: context::stamp_at(&document, &edited.at, &written.new),
            at: edited.at,
            new_name: edited.new_name,
            changed: written.changed,
        })
    }
}
