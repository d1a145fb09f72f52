//! How edits and files are written: first the clock, then the store, then the file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::look::{Looked, Target, Unlooked};
use super::round::Holding;
use super::{Error, Replica, author};
use crate::crdt::{self, Stamp};
use crate::git::{self, crash};
use crate::overlay::{CommitId, Deed, DocumentPath, Known};
use crate::store::{Durability, Facts, Fingerprint, Holds, Look, Moment, Way};

/// How often somebody may write a file just when it is written here.
const MOST_RACES: usize = 8;

/// What was written of a look.
#[derive(Default)]
pub(super) struct Written {
    /// Whether the file is another one now.
    pub(super) changed: bool,
    /// How many edits were recorded, as people count them.
    pub(super) edits: usize,
    /// Their stamps.
    pub(super) new: Vec<Stamp>,
    /// An excerpt of the file with everything that was edited, where no more was looked at.
    pub(super) excerpt: Option<String>,
    /// What somebody should know.
    pub(super) notes: Vec<String>,
    /// Where values are kept now that lost against others.
    pub(super) contested: BTreeSet<crdt::Path>,
    /// How many edits went out of sight.
    pub(super) parked: usize,
    /// Whether somebody wrote the file just when it was to be written, so that it is to be looked at again.
    pub(super) is_raced: bool,
    /// What the file holds now.
    pub(super) holds: Option<Holding>,
}

impl Replica<'_> {
    /// An edit that is made now.
    pub(super) fn known(
        &mut self,
        stamp: Stamp,
        document: DocumentPath,
        base: Option<CommitId>,
        deed: Deed,
    ) -> Result<Known, Error> {
        let published = match (base, &self.published) {
            (None, _) => Vec::new(),
            (Some(base), Some((of, published))) if *of == base => published.clone(),
            (Some(base), _) => {
                let published = self.repo.published(base)?;
                self.published = Some((base, published.clone()));
                published
            }
        };
        let branch = match &self.branch {
            Some(branch) => branch.clone(),
            None => self.branch.insert(self.repo.shared_branch()?).clone(),
        };
        Ok(Known {
            stamp,
            // Known only once all edits of the round are in order.
            previous: None,
            document,
            base,
            published,
            branch,
            deed,
        })
    }

    /// Writes down what a look found, and makes the file what it is to be; says whether it is another one now.
    fn write(
        &mut self,
        file: &Path,
        commit: Option<CommitId>,
        looked: Looked,
    ) -> Result<bool, Error> {
        self.is_still()?;
        let document = DocumentPath::new(git::git_path(file));
        if looked.is_known {
            let seen = Fingerprint::of(Some(&looked.metadata), looked.taken);
            self.note_look(&document, commit, seen)?;
            return Ok(false);
        }
        let changed = looked.text != looked.was;
        // What others made is in the store already: who loses power before the rest is on the disk looks at the file again.
        let is_power = !looked.new.is_empty();
        if !looked.new.is_empty() {
            self.keep_clock()?;
            crash::here("after-clock");
        }
        let chained = self.chained(looked.new)?;
        let now = self.now;
        let by = author(&self.node, &self.clock_file);
        let writing = self.store.write(match is_power {
            true => Durability::Power,
            false => Durability::Process,
        })?;
        writing.record(&chained, Way::Recorded, by)?;
        writing.set_marks(looked.remarked)?;
        writing.note_superseded(&document, &looked.superseded, !looked.lacks_superseded)?;
        if let Some(stood) = &looked.stood {
            writing.render(&document, stood, commit, now)?;
        }
        writing.render(&document, &looked.content, commit, now)?;
        let look = Look {
            head: commit,
            file: (!changed).then(|| Fingerprint::of(Some(&looked.metadata), looked.taken)),
            facts: Facts::default(),
            holds: match (changed, looked.is_bare) {
                (false, _) => Holds::Current,
                (true, false) => Holds::Before,
                (true, true) => Holds::Bare,
            },
            reflog: self.log,
        };
        writing.set_look(&document, &look)?;
        if let Some(errand) = self.errand.take() {
            let stamps: Vec<Stamp> = chained.iter().map(|known| known.stamp).collect();
            errand.note(&writing, &stamps)?;
        }
        crash::here("before-store");
        writing.commit()?;
        crash::here("after-store");
        tracing::debug!("{}: recorded", file.display());
        if !chained.is_empty()
            && let Some(recorded) = &mut self.recorded
        {
            recorded();
        }
        if changed {
            self.put(file, commit, &looked.was, &looked.text)?;
        }
        Ok(changed)
    }

    /// Gives a file the content that the store has it show already, and notes that it does.
    pub(super) fn put(
        &mut self,
        file: &Path,
        commit: Option<CommitId>,
        was: &[u8],
        text: &[u8],
    ) -> Result<(), Error> {
        let taken_out = self.repo.replace_unchanged(file, was, text)?;
        self.keep_former(file, taken_out)?;
        crash::here("after-file");
        tracing::debug!("{}: written", file.display());
        let metadata = fs::metadata(self.repo.top().join(file)).ok();
        let seen = Fingerprint::of(metadata.as_ref(), Moment::now());
        self.note_look(&DocumentPath::new(git::git_path(file)), commit, seen)
    }

    /// Notes what a file was seen to be, where nothing else is to be written.
    fn note_look(
        &mut self,
        document: &DocumentPath,
        commit: Option<CommitId>,
        seen: Fingerprint,
    ) -> Result<(), Error> {
        let look = Look {
            head: commit,
            file: Some(seen),
            facts: Facts::default(),
            holds: Holds::Current,
            reflog: self.log,
        };
        let writing = self.store.write(Durability::Process)?;
        writing.set_look(document, &look)?;
        Ok(writing.commit()?)
    }

    /// Looks at a document and writes down what comes of it. Where somebody wrote the file meanwhile it is looked at again: what
    /// was recorded stands, and they had read what was shown before.
    pub(super) fn record(
        &mut self,
        target: Target<'_>,
    ) -> Result<Result<Written, Unlooked>, Error> {
        let (file, commit, gives_way) = (target.file, target.commit, target.gives_way);
        let again = target.again();
        let mut next = target;
        let mut recorded = Written::default();
        for race in 0.. {
            let mut looked = match self.look(&next)? {
                Ok(looked) => looked,
                // What was recorded before stands.
                Err(Unlooked::BeingWritten) if race > 0 => {
                    return Err(self.being_written(file));
                }
                Err(unlooked) => return Ok(Err(unlooked)),
            };
            recorded.edits += looked.edits;
            recorded
                .new
                .extend(looked.new.iter().map(|known| known.stamp));
            recorded.notes.clone_from(&looked.notes);
            recorded.contested.append(&mut looked.contested);
            recorded.parked += looked.parked;
            tracing::debug!("{}: looked at", file.display());
            recorded.excerpt = looked.excerpt.take();
            recorded.holds = Some(Holding::of(&looked.text));
            match self.write(file, commit, looked) {
                Ok(changed) => {
                    recorded.changed = changed;
                    break;
                }
                Err(error) if error.is_race() && gives_way => {
                    recorded.is_raced = true;
                    recorded.holds = None;
                    break;
                }
                Err(error) if error.is_race() && race < MOST_RACES => {
                    self.now = Moment::now();
                    next = again.again();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Ok(recorded))
    }

    /// New edits, each naming the one before it.
    pub(super) fn chained(&mut self, mut new: Vec<Known>) -> Result<Vec<Known>, Error> {
        if new.is_empty() {
            return Ok(new);
        }
        let replica = self.clock_file.replica();
        let mut previous = self.store.read()?.last_of(replica)?;
        new.sort_by_key(|known| known.stamp);
        for known in &mut new {
            known.previous = previous.replace(known.stamp);
        }
        Ok(new)
    }
}
