//! Versions in which a place stands as in others, as it is remembered what the commits between them did: they need not be read.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::Error;
use super::memory::Commits;
use super::versions::Versions;
use crate::crdt::Path;
use crate::overlay::Version;

/// Versions one after the other, the newest first, and what each did to one record, as far as it is remembered.
pub(super) struct Unchanged<'u> {
    commits: &'u Commits<'u>,
    versions: &'u Versions<'u>,
    changes: &'u [Version],
    record: String,
    /// For each of the newest, the places in the record at which it did something.
    touched: RefCell<Vec<Vec<String>>>,
    /// Whether nothing is told of those behind them.
    is_at_end: Cell<bool>,
}

impl<'u> Unchanged<'u> {
    /// `record` is that, or the entry of the root, which is asked about.
    pub(super) fn of(
        commits: &'u Commits<'u>,
        versions: &'u Versions<'u>,
        changes: &'u [Version],
        record: &Path,
    ) -> Self {
        Self {
            commits,
            versions,
            changes,
            record: plain(record),
            touched: RefCell::default(),
            is_at_end: Cell::new(false),
        }
    }

    /// What is known of one version, where it is remembered that nothing was done at a place between that and the one at `index`. Behind
    /// what was done to the whole record nothing is told: it may have been called otherwise before.
    pub(super) fn tells<T: Copy>(
        &self,
        known: &BTreeMap<usize, T>,
        index: usize,
        at: &Path,
    ) -> Result<Option<T>, Error> {
        let Some((nearest, found)) = known.range(..=index).next_back() else {
            return Ok(None);
        };
        while self.touched.borrow().len() < index {
            if self.is_at_end.get() || !self.goes_on()? {
                self.is_at_end.set(true);
                return Ok(None);
            }
        }
        let leaf = plain(at);
        let is_there = |place: &String| leaf.starts_with(place) || place.starts_with(&leaf);
        let touched = self.touched.borrow();
        let mut between = touched.iter().take(index).skip(*nearest).flatten();
        Ok((!between.any(is_there)).then_some(*found))
    }

    /// Asks what the next one did; says whether that is known, and is about parts of the record alone.
    fn goes_on(&self) -> Result<bool, Error> {
        let step = self.touched.borrow().len();
        let Some(version) = self.changes.get(step) else {
            return Ok(false);
        };
        let within = self.record.trim_end_matches('/');
        let commits = self.commits;
        let happened = commits.remembered_on_the_way(self.versions, version, within)?;
        let Some(happened) = happened else {
            return Ok(false);
        };
        let places = happened.iter().map(|one| plain(&one.at));
        let is_about =
            |place: &String| place.starts_with(&self.record) || self.record.starts_with(place);
        let places: Vec<String> = places.filter(is_about).collect();
        if places.iter().any(|place| self.record.starts_with(place)) {
            return Ok(false);
        }
        self.touched.borrow_mut().push(places);
        Ok(true)
    }
}

/// A place as those that are in one another begin alike.
fn plain(at: &Path) -> String {
    format!("{}/", at.to_string().replace('.', "/"))
}
