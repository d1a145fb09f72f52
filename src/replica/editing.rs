//! Edits by command: the file is changed as if somebody had edited it by hand, and looked at.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::errand::{Errand, ErrandName, Underway};
use super::look::{Made, Target, Unlooked};
use super::round::Holding;
use super::{Error, Left, Replica, Report};
use crate::context::{self, Address, Change, Types, Unedited};
use crate::crdt::Stamp;
use crate::git::{self, Save};
use crate::overlay::DocumentPath;
use crate::store::Moment;
use crate::yaml::{Document, Limits};

/// How often somebody may save the file just when it is edited here.
const MOST_RACES: usize = 8;

/// For how long git may have the index locked when a file is edited, and how often is looked.
const MOST_LOCKED: Duration = Duration::from_secs(1);
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// For how long somebody may be writing the file.
const MOST_WRITTEN: Duration = Duration::from_secs(3);

/// What is to be made of a document with places of these types.
type Make<'m> = dyn Fn(&Document, &Types) -> Result<context::Edited, Unedited> + 'm;

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
    /// How many edits were recorded.
    pub edits: usize,
    /// What the file holds now.
    pub holds: Option<Holding>,
}

impl Replica<'_> {
    /// Makes a change in a document and records it, along with whatever else was edited there since the last look.
    ///
    /// # Errors
    /// When git is not at rest, the file is no document, the change cannot be made, or the file not be written. Nothing
    /// is changed then.
    pub fn edit(&mut self, file: &Path, change: &Change) -> Result<Edited, Error> {
        let edited = self.edit_under(file, change, ErrandName::draw()?)?;
        self.bring_back_late(&mut Report::default());
        Ok(edited)
    }

    /// Rewrites a document, as `make` tells from what it holds, and records that as an edit; the stamp is the last that was made for it.
    /// Nothing where there is nothing to be made.
    ///
    /// # Errors
    /// As [`edit`](Self::edit), and what `make` refuses.
    pub fn rewrite(
        &mut self,
        file: &Path,
        make: &dyn Fn(&Document) -> Result<Document, Unedited>,
    ) -> Result<Edited, Error> {
        let make = |document: &Document, _: &Types| make(document).map(context::Edited::rewritten);
        let edited = self.edit_as(file, &make, ErrandName::draw()?)?;
        self.bring_back_late(&mut Report::default());
        Ok(edited)
    }

    /// The same under the name of an errand.
    pub(super) fn edit_under(
        &mut self,
        file: &Path,
        change: &Change,
        errand: ErrandName,
    ) -> Result<Edited, Error> {
        let apply = |document: &Document, types: &Types| change.apply(document, types);
        self.edit_as(file, &apply, errand)
    }

    fn edit_as(
        &mut self,
        file: &Path,
        make: &Make<'_>,
        errand: ErrandName,
    ) -> Result<Edited, Error> {
        let mut races = 0;
        let began = Instant::now();
        loop {
            let is_operation = self.repo.operation_under_way().is_some();
            let edited = match self.done(errand) {
                // Somebody wrote the file when it was made.
                Ok(Some(done)) => Ok(done.edited),
                Ok(None) => self.edit_once(file, make, errand),
                Err(error) => Err(error),
            };
            match edited {
                // Even `git status` has the index locked for a moment.
                Err(error) if error.is_busy() && !is_operation && began.elapsed() < MOST_LOCKED => {
                    thread::sleep(BETWEEN_TRIES);
                    self.now = Moment::now();
                }
                Err(error)
                    if began.elapsed() < MOST_WRITTEN
                        && (error.is_being_written() || self.is_being_written(file)) =>
                {
                    thread::sleep(BETWEEN_TRIES);
                    self.now = Moment::now();
                }
                Err(error) if error.is_race() && races < MOST_RACES => {
                    races += 1;
                    self.now = Moment::now();
                }
                done => return done,
            }
        }
    }

    fn edit_once(
        &mut self,
        file: &Path,
        make: &Make<'_>,
        errand: ErrandName,
    ) -> Result<Edited, Error> {
        let repo = self.repo;
        self.mind_git()?;
        self.take_in(file)?;
        self.clock.begin_deed();
        let (read, document) = repo.read_document(file)?;
        let refused = |reason: Unedited| git::Error::Unedited { reason };
        let policy = self.policy()?;
        let edited = make(&document, &policy.types);
        let mut edited = edited.map_err(refused)?;
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
        let is_whole = edited.is_whole();
        let target = Target {
            made: Some(Made {
                read,
                text: edited.document.into_text(),
                stamps,
            }),
            confirmed: true,
            ..Target::at(file, commit)
        };
        self.errand = Some(Underway {
            name: errand,
            file: file.to_path_buf(),
            at: edited.at.clone(),
            new_name: edited.new_name.clone(),
        });
        let recorded = self.record(target);
        self.errand = None;
        let written = match recorded? {
            Ok(written) => written,
            Err(Unlooked::Absent | Unlooked::NoDocument) => {
                return Err(git::Error::NoDocument {
                    file: repo.shown(file),
                }
                .into());
            }
            Err(Unlooked::BeingWritten) => return Err(self.being_written(file)),
            Err(Unlooked::Left(why)) => {
                return Err(git::Error::NotRecorded {
                    file: repo.shown(file),
                    why,
                }
                .into());
            }
        };
        let stamp = match (written.new.as_slice(), written.excerpt) {
            ([], _) => None,
            (new, Some(excerpt)) => Document::from_text(excerpt, &Limits::default())
                .ok()
                .and_then(|document| context::stamp_at(&document, &edited.at, new)),
            (new, None) => {
                let (_, document) = repo.read_document(file)?;
                context::stamp_at(&document, &edited.at, new)
            }
        };
        // What is rewritten as a whole has stamps anywhere.
        let newest = written.new.last().copied();
        let stamp = stamp.or(newest.filter(|_| is_whole));
        Ok(Edited {
            stamp,
            at: edited.at,
            new_name: edited.new_name,
            changed: written.changed,
            edits: written.edits,
            holds: written.holds,
        })
    }

    /// Looks at a file before a command edits it, if anything happened to it: what git put back there is nobody's edit, and
    /// what was edited by hand is recorded, or held back, for itself.
    pub(super) fn take_in(&mut self, file: &Path) -> Result<(), Error> {
        let held_back = if self.head_moved()? {
            let report = self.round(false)?;
            if report.being_written.contains(file) {
                return Err(self.being_written(file));
            }
            let left = report.left.into_iter();
            left.filter(|left| left.file == file)
                .map(|Left { why, .. }| why)
                .next()
        } else {
            let commit = self.repo.head_commit()?;
            let path = DocumentPath::new(git::git_path(file));
            let look = self.store.read()?.look(&path)?;
            if look.is_some_and(|look| self.is_unchanged(file, &look, commit)) {
                return Ok(());
            }
            match self.record(Target::at(file, commit))? {
                Err(Unlooked::BeingWritten) => return Err(self.being_written(file)),
                Err(Unlooked::Left(why)) => Some(why),
                Ok(_) | Err(Unlooked::Absent | Unlooked::NoDocument) => None,
            }
        };
        let Some(why) = held_back else {
            return Ok(());
        };
        // Where it is no YAML that tells the place.
        self.repo.read_document(file)?;
        let file = self.repo.shown(file);
        Err(git::Error::NotRecorded { file, why }.into())
    }

    /// Whether somebody is just writing a file, so that what is not in it may still come.
    fn is_being_written(&self, file: &Path) -> bool {
        self.save(file) == Save::Underway
    }

    /// The document that a change is about. Nothing is missing in one that somebody is just writing.
    pub(super) fn document_of(&self, errand: &Errand) -> Result<PathBuf, Error> {
        let (at, field) = (errand.change.address(), errand.field.as_deref());
        let began = Instant::now();
        loop {
            let found = self.repo.document_of(&errand.within, at, field);
            if found.is_ok() || began.elapsed() > MOST_WRITTEN {
                return Ok(found?);
            }
            let files = self.repo.context_files()?.files;
            if !files.iter().any(|file| self.is_being_written(file)) {
                return Ok(found?);
            }
            thread::sleep(BETWEEN_TRIES);
        }
    }

    /// That somebody is just writing a file.
    pub(super) fn being_written(&self, file: &Path) -> Error {
        let path = self.repo.top().join(file);
        git::Error::BeingWritten { path }.into()
    }
}
