//! Which edits are about what: those of one record are found without reading all others.
//!
//! What a place is found by is coarse: the first record on the way to it, or the entry of the root, and of these a hash. Whoever asks
//! looks at the places of what comes back.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rusqlite::Connection;
use xxhash_rust::xxh3::xxh3_64;

use super::edits::{newest, stored};
use super::format::Body;
use super::{Error, Reading, StoredEdit, Writing};
use crate::crdt::{Path, Stamp, Step};
use crate::overlay::{Deed, DocumentPath};

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

fn places(deed: &Deed) -> BTreeSet<i64> {
    match deed {
        Deed::Change(changes) => changes.iter().map(|change| found_by(&change.at)).collect(),
        // What takes others back is found at the root.
        Deed::Retract(_) => BTreeSet::from([found_by(&Path::default())]),
    }
}

/// Takes in what a store of an older version knows.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    let mut edits = connection.prepare("SELECT document, stamp, body FROM edits")?;
    let mut touch =
        connection.prepare("INSERT INTO touched (document, place, stamp) VALUES (?1, ?2, ?3)")?;
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
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let of = (document, found_by(at), before, most);
        let mut found: Vec<StoredEdit> = self.all(sql, of, stored)?;
        let sql =
            "SELECT stamp FROM touched WHERE document = (SELECT id FROM documents WHERE path = ?1)
            AND place = ?2 AND stamp < coalesce(?3, '~') ORDER BY stamp DESC LIMIT ?4";
        let mut touching: BTreeSet<Stamp> = self.all(sql, of, |row| row.get(0))?;
        for edit in &found {
            touching.remove(&edit.known.stamp);
        }
        if !touching.is_empty() {
            found.extend(self.packed_edits(&touching)?);
            found.sort_unstable_by_key(|edit| Reverse(edit.known.stamp));
        }
        Ok(found)
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
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = self.all(sql, (document, before, limit), stored)?;
        let packed = self.packed_before(Some(document), before, most)?;
        Ok(newest(rows, packed, most))
    }
}

impl Writing<'_> {
    /// Notes what an edit is about.
    pub(super) fn touch(&self, document: i64, stamp: Stamp, deed: &Deed) -> Result<(), Error> {
        let sql = "INSERT OR IGNORE INTO touched (document, place, stamp) VALUES (?1, ?2, ?3)";
        for place in places(deed) {
            self.run(sql, (document, place, stamp))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{chain, receive, store, todos};
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
