//! Which edits are about what: those of one record are found without reading all others.
//!
//! What a place is found by is coarse: the first record on the way to it, or the entry of the root, and of these a hash. Whoever asks
//! looks at the places of what comes back.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::types::{FromSql, ValueRef};
use xxhash_rust::xxh3::xxh3_64;

use super::columns::limit;
use super::edits::stored;
use super::format::Body;
use super::{Error, Mark, Reading, StoredEdit, Writing};
use crate::crdt::{Path, Stamp, Step};
use crate::overlay::{Deed, DocumentPath};

/// Notes that an edit is about a place.
const NOTE: &str = "INSERT OR IGNORE INTO touched (document, place, stamp) VALUES (?1, ?2, ?3)";

/// What edits are found by: a record of a list, or an entry of the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Whereabouts(i64);

impl Whereabouts {
    /// By what those are found that are about what stands at `at`.
    #[must_use]
    pub fn of(at: &Path) -> Self {
        Self(found_by(at))
    }

    /// The same of what stands there and of all around it.
    pub fn of_all_around(at: &Path) -> impl Iterator<Item = Self> {
        let ways = (0..=at.steps().len().min(2)).map(|many| at.steps().iter().take(many));
        ways.map(|way| Self::of(&way.cloned().collect()))
    }
}

/// What a place is found by.
fn found_by(at: &Path) -> i64 {
    let born = at.as_born();
    let mut bytes = Vec::new();
    for step in born.steps().iter().take(2) {
        match step {
            Step::Entry(name) if bytes.is_empty() => bytes.extend(name.as_bytes()),
            Step::Entry(_) => break,
            Step::Record(name, _) => {
                bytes.push(0);
                bytes.extend(name.said().as_bytes());
            }
        }
    }
    i64::from_ne_bytes(xxh3_64(&bytes).to_ne_bytes())
}

pub(super) fn places(deed: &Deed) -> BTreeSet<i64> {
    match deed {
        Deed::Change(changes) => changes.iter().map(|change| found_by(&change.at)).collect(),
        // What takes others back is found at the root.
        Deed::Retract(_) => BTreeSet::from([found_by(&Path::default())]),
    }
}

/// Takes in what a store of an older version knows.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let mut edits = connection.prepare("SELECT document, stamp, body FROM edits")?;
    let mut touch = connection.prepare(NOTE)?;
    let mut rows = edits.query([])?;
    while let Some(row) = rows.next()? {
        let (document, stamp): (i64, Stamp) = (row.get(0)?, row.get(1)?);
        // What is damaged shows itself where it is read.
        let Ok(body) = row.get::<_, Body<'_>>(2) else {
            continue;
        };
        for place in places(&body.deed) {
            touch.execute((document, place, stamp))?;
        }
    }
    Ok(())
}

impl Reading<'_> {
    /// The edits of a document that the HEAD of its last look contains and that may be about a place, or something in it, in the
    /// order of their stamps.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn contained_about(
        &self,
        document: &DocumentPath,
        place: Whereabouts,
    ) -> Result<Vec<StoredEdit>, Error> {
        let sql = super::edits::stored_where!(
            "stamp IN (SELECT stamp FROM touched WHERE document = (SELECT id FROM documents WHERE path = ?1)
            AND place = ?2) AND bits & 1 ORDER BY stamp"
        );
        let mut edits: Vec<StoredEdit> = self.all(sql, (document, place.0), stored)?;
        let packed = self.packed_before(document, Some(place.0), None, usize::MAX)?;
        let is_contained = |edit: &StoredEdit| edit.marks.contains(Mark::Contained);
        edits.extend(packed.into_iter().filter(is_contained));
        edits.sort_unstable_by_key(|edit| edit.known.stamp);
        Ok(edits)
    }

    /// The newest edits of a document that may be about a place, what it stands in or what stands in it, among those before a stamp;
    /// the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn edits_about(
        &self,
        document: &DocumentPath,
        at: &Path,
        before: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<StoredEdit>, Error> {
        let sql = super::edits::stored_where!(
            "stamp IN (SELECT stamp FROM touched WHERE document = (SELECT id FROM documents WHERE path = ?1)
            AND place = ?2 AND stamp < coalesce(?3, '~') ORDER BY stamp DESC LIMIT ?4) ORDER BY stamp DESC"
        );
        let place = found_by(at);
        let rows = self.all(sql, (document, place, before, limit(most)), stored)?;
        let packed = self.packed_before(document, Some(place), before, most)?;
        Ok(newest(rows, packed, most))
    }

    /// The stamps of the same.
    ///
    /// # Errors
    /// As there.
    pub fn stamps_about(
        &self,
        document: &DocumentPath,
        at: &Path,
        before: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<Stamp>, Error> {
        let sql = "SELECT stamp FROM touched
            WHERE document = (SELECT id FROM documents WHERE path = ?1) AND place = ?2
            AND stamp < coalesce(?3, '~') ORDER BY stamp DESC LIMIT ?4";
        let place = found_by(at);
        let values = (document, place, before, limit(most));
        let mut stamps: Vec<Stamp> = self.all(sql, values, |row| row.get(0))?;
        let packed = self.packed_before(document, Some(place), before, most)?;
        if !packed.is_empty() {
            stamps.extend(packed.iter().map(|edit| edit.known.stamp));
            stamps.sort_unstable_by_key(|stamp| Reverse(*stamp));
            stamps.truncate(most);
        }
        Ok(stamps)
    }

    /// The newest edits of a document among those before a stamp, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn edits_before(
        &self,
        document: &DocumentPath,
        before: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<StoredEdit>, Error> {
        let sql = super::edits::stored_where!(
            "edits.document = (SELECT id FROM documents WHERE path = ?1) AND stamp < coalesce(?2, '~')
            ORDER BY stamp DESC LIMIT ?3"
        );
        let rows = self.all(sql, (document, before, limit(most)), stored)?;
        let packed = self.packed_before(document, None, before, most)?;
        Ok(newest(rows, packed, most))
    }
}

/// The newest of what stands in rows and of what is packed.
pub(super) fn newest(
    mut rows: Vec<StoredEdit>,
    packed: Vec<StoredEdit>,
    most: usize,
) -> Vec<StoredEdit> {
    if !packed.is_empty() {
        rows.extend(packed);
        rows.sort_by_key(|edit| Reverse(edit.known.stamp));
        rows.truncate(most);
    }
    rows
}

impl Writing<'_> {
    /// Notes what an edit is about.
    pub(super) fn touch(&self, document: i64, stamp: Stamp, deed: &Deed) -> Result<(), Error> {
        for place in places(deed) {
            self.run(NOTE, (document, place, stamp))?;
        }
        Ok(())
    }

    /// Notes what edits are about that stand in a piece from now on, and no more in rows.
    pub(super) fn pack_touched<'b>(
        &self,
        document: i64,
        pack: i64,
        edits: impl Iterator<Item = (Stamp, &'b [u8])>,
    ) -> Result<(), Error> {
        let note =
            "INSERT OR IGNORE INTO packed_touched (document, place, pack) VALUES (?1, ?2, ?3)";
        let forget = "DELETE FROM touched WHERE document = ?1 AND place = ?2 AND stamp = ?3";
        for (stamp, body) in edits {
            for place in self.places_of(body)? {
                self.run(note, (document, place, pack))?;
                self.run(forget, (document, place, stamp))?;
            }
        }
        Ok(())
    }

    /// Notes what edits are about that stand in rows again.
    pub(super) fn unpack_touched<'b>(
        &self,
        document: i64,
        pack: i64,
        edits: impl Iterator<Item = (Stamp, &'b [u8])>,
    ) -> Result<(), Error> {
        for (stamp, body) in edits {
            for place in self.places_of(body)? {
                self.run(NOTE, (document, place, stamp))?;
            }
        }
        self.run("DELETE FROM packed_touched WHERE pack = ?1", [pack])?;
        Ok(())
    }

    fn places_of(&self, body: &[u8]) -> Result<BTreeSet<i64>, Error> {
        let body = Body::column_result(ValueRef::Blob(body)).map_err(|error| {
            self.failed(rusqlite::Error::FromSqlConversionFailure(
                0,
                rusqlite::types::Type::Blob,
                error.into(),
            ))
        })?;
        Ok(places(&body.deed))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{chain, receive, store, todos};
    use super::super::{Durability, Store};
    use super::*;

    #[test]
    fn edits_are_found_by_what_they_are_about_the_newest_first() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 3);
        receive(&mut store, &edits);
        let reading = store.read().unwrap();
        let stamps = |found: Vec<StoredEdit>| -> Vec<Stamp> {
            found.into_iter().map(|edit| edit.known.stamp).collect()
        };
        let title = Path::default().entry("title");
        let inside = title.entry("deeper");
        for at in [&title, &inside] {
            let found = reading.edits_about(&todos(), at, None, 2).unwrap();
            assert_eq!(stamps(found), [edits[2].stamp, edits[1].stamp]);
        }
        let before = Some(edits[1].stamp);
        let found = reading.edits_about(&todos(), &title, before, 2).unwrap();
        assert_eq!(stamps(found), [edits[0].stamp]);
        let other = Path::default().entry("owner");
        assert_eq!(reading.edits_about(&todos(), &other, None, 2).unwrap(), []);
        let found = reading.edits_before(&todos(), before, 9).unwrap();
        assert_eq!(stamps(found), [edits[0].stamp]);
    }

    #[test]
    fn those_that_are_packed_are_found_as_well() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 40);
        receive(&mut store, &edits);
        let title = Path::default().entry("title");
        let found = |store: &mut Store| {
            let reading = store.read().unwrap();
            let before = Some(edits[30].stamp);
            let about = reading.edits_about(&todos(), &title, before, 25).unwrap();
            let all = reading.edits_before(&todos(), None, 9).unwrap();
            let none = Path::default().entry("owner");
            let none = reading.edits_about(&todos(), &none, None, 9).unwrap();
            let stamps = reading.stamps_about(&todos(), &title, before, 25).unwrap();
            let [about, all, none] = [about, all, none].map(|edits| -> Vec<Stamp> {
                edits.into_iter().map(|edit| edit.known.stamp).collect()
            });
            assert_eq!(stamps, about);
            [about, all, none]
        };
        let in_rows = found(&mut store);
        let writing = store.write(Durability::Process).unwrap();
        let superseded = edits[..35].iter().map(|edit| edit.stamp).collect();
        writing
            .note_superseded(&todos(), &superseded, true)
            .unwrap();
        let packed = writing.pack(u64::MAX >> 8).unwrap();
        assert!(packed.edits >= 16, "{packed:?}");
        writing.commit().unwrap();
        assert_eq!(found(&mut store), in_rows);
        let writing = store.write(Durability::Process).unwrap();
        writing.disown().unwrap();
        writing.commit().unwrap();
        assert_eq!(found(&mut store), in_rows, "unpacked again");
    }

    #[test]
    fn a_store_of_an_older_version_is_taken_in() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 3);
        receive(&mut store, &edits);
        store.connection.execute("DELETE FROM touched", []).unwrap();
        fill(&store.connection).unwrap();
        let title = Path::default().entry("title");
        let reading = store.read().unwrap();
        let found = reading.edits_about(&todos(), &title, None, 9).unwrap();
        assert_eq!(found.len(), 3);
    }
}
