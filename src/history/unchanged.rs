//! Versions in which a place stands as in others, as it is remembered what the commits between them did: they need not be read.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::Error;
use super::memory::Commits;
use super::versions::Versions;
use crate::crdt::{Path, Step};
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
        let is_about =
            |place: &String| place.starts_with(&self.record) || self.record.starts_with(place);
        // Of most records that a commit touched the name alone tells that they are others.
        let may_be = happened
            .iter()
            .filter(|one| may_be_about(&self.record, &one.at));
        let places: Vec<String> = may_be.map(|one| plain(&one.at)).filter(is_about).collect();
        if places.iter().any(|place| self.record.starts_with(place)) {
            return Ok(false);
        }
        self.touched.borrow_mut().push(places);
        Ok(true)
    }
}

/// Whether something may be at a place in a record, or around it: whose first two names are its first two.
fn may_be_about(record: &str, at: &Path) -> bool {
    let mut rest = record;
    for step in at.steps().iter().take(2) {
        let name = match step {
            Step::Entry(name) => name.as_str(),
            Step::Record(name, _) => name.said(),
        };
        // In names they count as what sets these off.
        if name.contains(['.', '/']) {
            return true;
        }
        let behind = rest.strip_prefix(name);
        match behind.and_then(|behind| behind.strip_prefix('/')) {
            Some(behind) => rest = behind,
            None => return rest.is_empty(),
        }
    }
    true
}

/// A place as those that are in one another begin alike.
fn plain(at: &Path) -> String {
    format!("{}/", at.to_string().replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{Atom, Birth, Digest, Record};

    fn place(names: &[&str]) -> Path {
        let mut at = Path::default().entry(names[0]);
        for name in &names[1..] {
            at = at.record(&Record {
                name: Atom::text(format!("\"{name}\""), (*name).to_owned()),
                birth: Birth {
                    stamp: None,
                    digest: Digest::of(name.as_bytes()),
                },
                fields: Default::default(),
            });
        }
        at
    }

    #[test]
    fn what_is_passed_over_is_not_about_the_record() {
        let names = ["todos", "todo", "a", "a.b", "a/b", "ab", "b", ""];
        let pairs = || {
            names
                .iter()
                .flat_map(|one| names.iter().map(move |two| [*one, *two]))
        };
        let mut places: Vec<Path> = names.iter().map(|name| place(&[name])).collect();
        places.extend(pairs().map(|pair| place(&pair)));
        places.extend(pairs().map(|[one, two]| place(&[one, two, "c"])));
        places.push(Path::default());
        let mut passed_over = 0;
        for record in &places {
            let record = plain(record);
            for at in &places {
                let there = plain(at);
                let is_about = there.starts_with(&record) || record.starts_with(&there);
                let may_be = may_be_about(&record, at);
                assert!(may_be || !is_about, "{record} {there}");
                passed_over += usize::from(!may_be);
            }
        }
        assert!(passed_over > places.len());
    }
}
