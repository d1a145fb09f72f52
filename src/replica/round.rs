//! A round over all documents: what `sync` does before and after it talks to anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::look::{Target, Unlooked};
use super::{Error, Replica};
use crate::git::{self, Repo, crash};
use crate::node::Config;
use crate::overlay::{CommitId, DocumentPath};
use crate::store::{self, Beginning, Durability, LastLook, Look, Store};

/// A file in which nothing was recorded, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The file, from the top of the work tree.
    pub file: PathBuf,
    /// What is the matter, with the place where there is one, and what to do.
    pub why: String,
}

/// What a round did.
#[derive(Debug, Default)]
pub struct Report {
    /// The documents that were written, from the top of the work tree.
    pub written: Vec<PathBuf>,
    /// How many edits were recorded: leaves that changed, records that came and went.
    pub edits: usize,
    /// Files that were left alone.
    pub left: Vec<Left>,
    /// What else somebody should know of a file.
    pub notes: Vec<Left>,
    /// What could not be looked at or written.
    pub problems: Vec<Error>,
    /// Where a damaged store was put aside.
    pub put_aside: Option<PathBuf>,
}

/// A [round](Replica::round) in a work tree. A store that shows itself damaged is put aside, and the round begun again
/// with a new one.
///
/// # Errors
/// As [`Replica::open`] and [`Replica::round`].
pub fn round(repo: &Repo, confirmed: bool) -> Result<Report, Error> {
    let once = || Replica::open(repo)?.round(confirmed);
    let is_damage = |error: &Error| matches!(error, Error::Store(store::Error::Damaged { .. }));
    match once() {
        Err(error) if is_damage(&error) => {}
        Ok(report) if report.problems.iter().any(is_damage) => {}
        done => return done,
    }
    let anew = Store::open(repo.git_dir())?.store.begin_anew()?;
    let mut report = once()?;
    if let Beginning::Anew { put_aside } = anew.beginning {
        report.put_aside = Some(put_aside);
    }
    Ok(report)
}

impl Replica<'_> {
    /// Records what was edited, and shows what is known. Git must be at rest. `confirmed` where most of a list was deleted on
    /// purpose.
    ///
    /// # Errors
    /// When the repository, the store or the clock cannot be used; what concerns a single file is told in the report.
    pub fn round(&mut self, confirmed: bool) -> Result<Report, Error> {
        let mut report = Report {
            put_aside: self.put_aside(),
            ..Report::default()
        };
        let config = Config::at_head(self.repo).unwrap_or_else(|error| {
            report.problems.push(error.into());
            Config::default()
        });
        self.reissue(&config)?;
        let commit = self.repo.head_commit()?;
        let last = self.store.read()?.last_look()?;
        let found = self.repo.context_files()?;
        report
            .problems
            .extend(found.problems.into_iter().map(Error::Git));
        let looks: BTreeMap<DocumentPath, Look> = self.store.read()?.looks()?.into_iter().collect();
        let witness = self.witness(last.as_ref())?;
        let has_moved = witness.has_moved || last.as_ref().is_some_and(|last| last.head != commit);
        if has_moved {
            let documents: Vec<DocumentPath> = looks.keys().cloned().collect();
            self.mark_committed(&witness, &documents)?;
            crash::here("after-marks");
            // A document may have been moved or removed after it was edited.
            let earlier = documents
                .iter()
                .map(|path| git::native_path(path.as_bytes()));
            let files: BTreeSet<PathBuf> = found.files.iter().cloned().chain(earlier).collect();
            report.edits += self.record_own_commits(&witness, &files)?;
        }
        let mut here = Vec::with_capacity(found.files.len());
        for file in found.files {
            let path = DocumentPath::new(git::git_path(&file));
            let look = looks.get(&path);
            here.push(path);
            if look.is_some_and(|look| self.is_unchanged(&file, look, commit)) {
                continue;
            }
            let target = Target {
                has_moved,
                has_witness: witness.is_whole,
                confirmed,
                ..Target::at(&file, commit)
            };
            self.look_and_write(target, &mut report);
        }
        let gone: Vec<DocumentPath> = looks
            .into_keys()
            .filter(|path| !here.contains(path))
            .collect();
        self.leave_behind(&gone, commit, has_moved)?;
        self.let_arrive(commit, &mut report)?;
        self.bring_along(config.branches, &witness, &mut report)?;
        crash::here("before-end");
        let look = LastLook {
            head: commit,
            reflog: witness.position,
        };
        if last.as_ref() != Some(&look) {
            let writing = self.store.write(Durability::Process)?;
            writing.set_last_look(&look)?;
            writing.commit()?;
        }
        Ok(report)
    }

    /// Whether HEAD moved since the last round, as far as anybody can tell: before the first one, everywhere.
    pub(super) fn head_moved(&mut self) -> Result<bool, Error> {
        let Some(last) = self.store.read()?.last_look()? else {
            return Ok(true);
        };
        Ok(last.head != self.repo.head_commit()? || self.witness(Some(&last))?.has_moved)
    }

    /// Looks at a document, writes what comes of it, and tells of it.
    pub(super) fn look_and_write(&mut self, target: Target<'_>, report: &mut Report) {
        let file = target.file.to_path_buf();
        match self.record(target) {
            Ok(Ok(written)) => {
                report.edits += written.edits;
                let notes = written.notes.into_iter();
                report.notes.extend(notes.map(|why| Left {
                    file: file.clone(),
                    why,
                }));
                if written.changed && !report.written.contains(&file) {
                    report.written.push(file);
                }
            }
            Ok(Err(Unlooked::Left(why))) => report.left.push(Left { file, why }),
            Ok(Err(Unlooked::Absent | Unlooked::NoDocument)) => {}
            Err(error) => report.problems.push(error),
        }
    }

    /// Whether nothing happened to a document since a look at it.
    pub(super) fn is_unchanged(&self, file: &Path, look: &Look, commit: Option<CommitId>) -> bool {
        let metadata = fs::metadata(self.repo.top().join(file)).ok();
        look.head == commit
            && look
                .file
                .is_some_and(|fingerprint| fingerprint.vouches_for(metadata.as_ref()))
    }
}
