//! How edits and files are written: first the clock, then the store, then the file.

use std::fs;
use std::path::Path;

use super::look::Looked;
use super::{Error, Replica};
use crate::crdt::Stamp;
use crate::overlay::{CommitId, Deed, DocumentPath, Known};
use crate::store::{Durability, Fingerprint, Issuer, Look, Moment, Way};

/// What was written of a look.
pub(super) struct Written {
    /// Whether the file is another one now.
    pub(super) changed: bool,
    /// How many edits were recorded, as people count them.
    pub(super) edits: usize,
    /// What somebody should know.
    pub(super) notes: Vec<String>,
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
        Ok(Known {
            stamp,
            // Known only once all edits of the round are in order.
            previous: None,
            document,
            base,
            published,
            deed,
        })
    }

    /// Writes down what a look found, and makes the file what it is to be.
    pub(super) fn write(
        &mut self,
        file: &Path,
        commit: Option<CommitId>,
        looked: Looked,
    ) -> Result<Written, Error> {
        let document = DocumentPath::new(crate::git::git_path(file));
        let changed = looked.text != looked.was;
        let is_power = changed || !looked.new.is_empty();
        if !looked.new.is_empty() {
            self.keep_clock()?;
        }
        let chained = self.chained(looked.new)?;
        let replica = self.clock_file.replica();
        let now = self.now;
        let writing = self.store.write(match is_power {
            true => Durability::Power,
            false => Durability::Process,
        })?;
        writing.set_writer(replica)?;
        for known in &chained {
            writing.add(known, Issuer::Own, Way::Recorded)?;
        }
        let marks = looked.standings.iter();
        writing.set_marks(marks.map(|edit| (edit.known.stamp, edit.marks)))?;
        writing.render(&document, &looked.content, commit, now)?;
        let mut look = Look {
            head: commit,
            file: (!changed).then(|| Fingerprint::of(Some(&looked.metadata), looked.taken)),
            facts: looked.facts,
        };
        writing.set_look(&document, &look)?;
        writing.commit()?;
        if changed {
            crash::here("before-file");
            self.repo
                .replace_unchanged(file, &looked.was, &looked.text)?;
            crash::here("after-file");
            let metadata = fs::metadata(self.repo.top().join(file)).ok();
            look.file = Some(Fingerprint::of(metadata.as_ref(), Moment::now()));
            let writing = self.store.write(Durability::Process)?;
            writing.set_look(&document, &look)?;
            writing.commit()?;
        }
        Ok(Written {
            changed,
            edits: looked.edits,
            notes: looked.notes,
        })
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

/// Where the tests of crashes end the process.
mod crash {
    /// Ends the process at once, as a loss of power would, if the environment asks for it at this point.
    #[cfg(debug_assertions)]
    pub(super) fn here(point: &str) {
        if std::env::var_os("RHEMA_CRASH_AT").is_some_and(|at| at == point) {
            std::process::abort();
        }
    }

    #[cfg(not(debug_assertions))]
    pub(super) fn here(_: &str) {}
}
