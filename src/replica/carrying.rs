//! Taking over the context of another branch without its code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::document::{Edits, Standing};
use super::look::{Made, Target};
use super::round::Report;
use super::witness::Witness;
use super::{Error, Left, Replica};
use crate::crdt::Stamp;
use crate::git::{self, Action, Ending, Movement, Settings, Sides, merge_files};
use crate::node::Branches;
use crate::overlay::{CommitId, Contents, DocumentPath, Known};
use crate::store::{Durability, Issuer, Mark};
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

    /// Where the committed configuration wants it, brings along what this work tree committed on the branches that it was
    /// switched away from: uncommitted here, until HEAD has it or somebody throws it away. Not what others committed there, nor
    /// what no branch has any more (it was dropped), and nothing where HEAD is detached, as somebody looks at an old commit only.
    ///
    /// # Errors
    /// When the repository or the store cannot be used.
    pub(super) fn bring_along(
        &mut self,
        branches: Branches,
        witness: &Witness,
        report: &mut Report,
    ) -> Result<(), Error> {
        let is_switch = |movement: &&Movement| movement.action == Action::Checkout;
        let mut left: Vec<CommitId> = witness
            .movements
            .iter()
            .filter(is_switch)
            .filter_map(|movement| movement.from)
            .collect();
        if branches != Branches::Carry || left.is_empty() || self.repo.branch()?.is_none() {
            return Ok(());
        }
        let commit = self.repo.head_commit()?;
        let tips = self.repo.branch_tips()?;
        left.retain(|left| Some(*left) != commit && tips.contains(left));
        left.sort_unstable();
        left.dedup();
        let mut files = BTreeSet::new();
        for left in &left {
            let there: BTreeSet<PathBuf> = self.repo.context_files_in(*left)?.into_iter().collect();
            // What was committed there before anybody looked.
            let own = self.repo.own_commits_behind(*left, &witness.movements)?;
            report.edits += self.record_commits(&own, &own.iter().copied().collect(), &there)?;
            files.extend(there);
        }
        for file in files {
            self.bring_file_along(&file, commit, &left, report)?;
        }
        Ok(())
    }

    fn bring_file_along(
        &mut self,
        file: &Path,
        commit: Option<CommitId>,
        left: &[CommitId],
        report: &mut Report,
    ) -> Result<(), Error> {
        let path = DocumentPath::new(git::git_path(file));
        let Edits { all, .. } = self.edits(&path)?;
        let is_own = |edit: &&Standing| {
            edit.issuer == Issuer::Own && edit.has(Mark::Committed) && !edit.has(Mark::TakenUp)
        };
        let own: Vec<&Known> = all.iter().filter(is_own).map(|edit| &edit.known).collect();
        let history = self.repo.history_of(&path);
        let mut contents = Contents::of(&history);
        let mut held_in = |commit| -> Result<BTreeSet<Stamp>, Error> {
            let held = self.held(&path, &mut contents, commit, &own)?;
            let held = own.iter().zip(held).filter(|(_, held)| held.is_whole());
            Ok(held.map(|(known, _)| known.stamp).collect())
        };
        let mut along = BTreeSet::new();
        for left in left {
            along.append(&mut held_in(*left)?);
        }
        // Of a document that HEAD lacks the marks tell nothing of it.
        if let Some(commit) = commit.filter(|_| !along.is_empty()) {
            let here = held_in(commit)?;
            along.retain(|stamp| !here.contains(stamp));
        }
        if along.is_empty() {
            return Ok(());
        }
        let writing = self.store.write(Durability::Process)?;
        // A document that HEAD lacks was not looked at since it went: git did not take from the new file what the old one showed.
        writing.unmark(along.iter().copied(), Mark::Shown)?;
        writing.mark(along, Mark::TakenUp)?;
        writing.commit()?;
        self.let_file_arrive(&path, commit, report)?;
        self.look_and_write(Target::at(file, commit), report)?;
        Ok(())
    }

    /// What a document is with what the other branch changed; nothing if that is nothing.
    fn carried(
        &mut self,
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
        let settings = Settings {
            types: self.policy()?.types.clone(),
            ..Settings::default()
        };
        let merged = merge_files(&sides, &settings);
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
