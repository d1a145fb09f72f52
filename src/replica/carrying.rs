//! Taking over the context of another branch without its code.

use std::path::PathBuf;

use super::look::{Made, Target};
use super::round::Report;
use super::{Error, Left, Replica};
use crate::git::{self, Ending, Settings, Sides, merge_files};
use crate::overlay::{CommitId, DocumentPath};
use crate::yaml::{Document, Limits};

impl Replica<'_> {
    /// Merges what `branch` changed in the documents since it and HEAD parted into the files: uncommitted edits of this work
    /// tree from then on. Git must be at rest.
    ///
    /// # Errors
    /// When there is no such branch, or as [`round`](Self::round).
    pub fn carry(&mut self, branch: &str) -> Result<Report, Error> {
        let mut report = self.round(false)?;
        let Some(head) = self.repo.head_commit()? else {
            return Err(git::Error::NoSuchCommit {
                name: "HEAD".to_owned(),
            }
            .into());
        };
        let other = self.repo.commit_named(branch)?;
        let base = self.repo.common_ancestor(head, other)?;
        for file in self.repo.context_files_in(other)? {
            // What is held back is not recorded along with what is taken over.
            if report.left.iter().any(|left| left.file == file) {
                continue;
            }
            match self.carried(&file, base, other) {
                Ok(None) => {}
                Ok(Some(Carrying::Refused(why))) => report.left.push(Left { file, why }),
                Ok(Some(Carrying::Merged { read, document })) => {
                    let target = Target {
                        made: Some(Made {
                            read,
                            text: document.into_text(),
                            stamps: Vec::new(),
                        }),
                        confirmed: true,
                        ..Target::at(&file, Some(head))
                    };
                    self.look_and_write(target, &mut report)?;
                }
                Ok(Some(Carrying::New(bytes))) => {
                    let full = self.repo.top().join(&file);
                    let folder = full.parent().map_or(Ok(()), std::fs::create_dir_all);
                    let made = folder.and_then(|()| git::replace(&full, &bytes));
                    match made {
                        Ok(()) => {
                            let target = Target {
                                confirmed: true,
                                ..Target::at(&file, Some(head))
                            };
                            self.look_and_write(target, &mut report)?;
                        }
                        Err(source) => report
                            .problems
                            .push(git::Error::Write { path: full, source }.into()),
                    }
                }
                Err(error) => report.problems.push(error),
            }
        }
        Ok(report)
    }

    /// What a document is with what the other branch changed; nothing if that is nothing.
    fn carried(
        &self,
        file: &PathBuf,
        base: Option<CommitId>,
        other: CommitId,
    ) -> Result<Option<Carrying>, Error> {
        let path = DocumentPath::new(git::git_path(file));
        let blob = |commit| self.repo.blob_in(commit, &path);
        let (before, theirs) = (base.map(blob).transpose()?.flatten(), blob(other)?);
        let Some(theirs) = theirs.filter(|theirs| Some(*theirs) != before) else {
            return Ok(None);
        };
        let theirs = self.repo.bytes(theirs)?;
        let ours = match std::fs::read(self.repo.top().join(file)) {
            Ok(ours) => ours,
            Err(_) if before.is_none() => return Ok(Some(Carrying::New(theirs))),
            // It was deleted here.
            Err(_) => return Ok(None),
        };
        let before = before.map(|blob| self.repo.bytes(blob)).transpose()?;
        let before = before.unwrap_or_default();
        let sides = Sides {
            base: &before,
            ours: &ours,
            theirs: &theirs,
        };
        let merged = merge_files(&sides, &Settings::default());
        let text = match merged.ending {
            Ending::Clean(text) => text,
            _ => {
                return Ok(Some(Carrying::Refused(
                    "both branches changed the same places, and it is no document that can keep both: merge it by hand"
                        .to_owned(),
                )));
            }
        };
        Ok(match Document::read(&text, &Limits::default()) {
            Ok(document) => Some(Carrying::Merged {
                read: ours,
                document,
            }),
            Err(error) => Some(Carrying::Refused(error.to_string())),
        })
    }
}

/// What is to be done with a document of the other branch.
enum Carrying {
    /// The file, as it was read, becomes this.
    Merged { read: Vec<u8>, document: Document },
    /// There is no such file here: it becomes these bytes.
    New(Vec<u8>),
    /// Nothing, and why.
    Refused(String),
}
