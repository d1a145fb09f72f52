//! What could be computed again, at a cost: which edits a commit contains, and documents as they were read.

use std::collections::BTreeMap;

use rusqlite::ToSql;
use rusqlite::types::ToSqlOutput;
use xxhash_rust::xxh3::xxh3_128;

use super::columns::as_number;
use super::{Error, Reading, Writing};
use crate::crdt::Stamp;
use crate::overlay::{CommitId, DocumentPath};

/// Of how many commits a document's contained edits are remembered.
const HEADS_KEPT: i64 = 16;

/// How many bytes all states may take together.
const STATES_KEPT: i64 = 32 << 20;

/// Whether a commit contains an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Containment {
    /// It does.
    Inside,
    /// It does not.
    Outside,
}

as_number!(Containment {
    Outside = 0,
    Inside = 1,
});

/// A digest of a file's content: XXH3 of 128 bits. It tells contents apart that nobody forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentDigest(u128);

impl ContentDigest {
    /// The digest of a content.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(xxh3_128(content))
    }
}

impl ToSql for ContentDigest {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_be_bytes().to_vec().into())
    }
}

impl Reading<'_> {
    /// What is remembered of the edits that a commit contains.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn containment(
        &self,
        document: &DocumentPath,
        head: CommitId,
    ) -> Result<BTreeMap<Stamp, Containment>, Error> {
        let sql = "SELECT stamp, inside FROM containment WHERE head = (SELECT id FROM heads
            WHERE document = (SELECT id FROM documents WHERE path = ?1) AND head = ?2)";
        self.all(sql, (document, head), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The same of some edits alone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn containment_of(
        &self,
        stamps: &[Stamp],
        document: &DocumentPath,
        head: CommitId,
    ) -> Result<BTreeMap<Stamp, Containment>, Error> {
        let sql = "SELECT inside FROM containment WHERE stamp = ?3 AND head = (SELECT id FROM heads
            WHERE document = (SELECT id FROM documents WHERE path = ?1) AND head = ?2)";
        let mut found = BTreeMap::new();
        for stamp in stamps {
            let inside = self.first(sql, (document, head, stamp), |row| row.get(0))?;
            found.extend(inside.map(|inside| (*stamp, inside)));
        }
        Ok(found)
    }

    /// Whether anything is remembered of what a commit contains.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn remembers_containment(
        &self,
        document: &DocumentPath,
        head: CommitId,
    ) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM containment WHERE head = (SELECT id FROM heads
            WHERE document = (SELECT id FROM documents WHERE path = ?1) AND head = ?2)";
        let found = self.first(sql, (document, head), |_| Ok(()))?;
        Ok(found.is_some())
    }

    /// The commits of which it is remembered what they contain, the latest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn remembered_heads(&self, document: &DocumentPath) -> Result<Vec<CommitId>, Error> {
        let sql = "SELECT head FROM heads
            WHERE document = (SELECT id FROM documents WHERE path = ?1) ORDER BY id DESC";
        self.all(sql, [document], |row| row.get(0))
    }

    /// The state that was kept for a content.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn state(&self, content: ContentDigest) -> Result<Option<Vec<u8>>, Error> {
        let sql = "SELECT state FROM states WHERE digest = ?1";
        self.first(sql, [content], |row| row.get(0))
    }
}

impl Writing<'_> {
    /// Remembers of edits whether a commit contains them. What is remembered of the commits that were the first to be is
    /// dropped in turn.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remember_containment(
        &self,
        document: &DocumentPath,
        head: CommitId,
        edits: impl IntoIterator<Item = (Stamp, Containment)>,
    ) -> Result<(), Error> {
        let document = self.number_of(document)?;
        let sql = "SELECT id FROM heads WHERE document = ?1 AND head = ?2";
        let known: Option<i64> = self.first(sql, (document, head), |row| row.get(0))?;
        let head = match known {
            Some(known) => known,
            None => {
                let sql = "INSERT INTO heads (document, head) VALUES (?1, ?2)";
                self.run(sql, (document, head))?;
                let new = self.transaction.last_insert_rowid();
                let sql = "DELETE FROM heads WHERE document = ?1 AND id NOT IN (
                    SELECT id FROM heads WHERE document = ?1 ORDER BY id DESC LIMIT ?2)";
                self.run(sql, (document, HEADS_KEPT))?;
                new
            }
        };
        let sql = "INSERT INTO containment (head, stamp, inside) VALUES (?1, ?2, ?3)
            ON CONFLICT (head, stamp) DO UPDATE SET inside = excluded.inside WHERE inside <> excluded.inside";
        for (stamp, containment) in edits {
            self.run(sql, (head, stamp, containment))?;
        }
        Ok(())
    }

    /// Keeps a state for a content; its format is the caller's. The oldest states make room, and one that would need more
    /// than there is for all is not kept.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep_state(&self, content: ContentDigest, state: &[u8]) -> Result<(), Error> {
        if state.len() as i64 > STATES_KEPT {
            return Ok(());
        }
        let sql = "INSERT INTO states (digest, state) VALUES (?1, ?2)
            ON CONFLICT (digest) DO UPDATE SET state = excluded.state";
        self.run(sql, (content, state))?;
        let sql = "DELETE FROM states WHERE id IN (SELECT id FROM (
                SELECT id, sum(length(state)) OVER (ORDER BY id DESC) AS bytes FROM states)
            WHERE bytes > ?1)";
        self.run(sql, [STATES_KEPT])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Durability;
    use super::super::samples::{commit, stamps, store, todos};
    use super::*;

    #[test]
    fn what_a_commit_contains_is_remembered_by_commit_and_document() {
        let (_git_dir, mut store) = store();
        let stamps = stamps(7, 2);
        let writing = store.write(Durability::Process).unwrap();
        let remember = |edits: &[(Stamp, Containment)]| {
            let edits = edits.iter().copied();
            writing
                .remember_containment(&todos(), commit(1), edits)
                .unwrap();
        };
        remember(&[(stamps[0], Containment::Outside)]);
        remember(&[
            (stamps[0], Containment::Inside),
            (stamps[1], Containment::Outside),
        ]);
        let expected = BTreeMap::from([
            (stamps[0], Containment::Inside),
            (stamps[1], Containment::Outside),
        ]);
        assert_eq!(writing.containment(&todos(), commit(1)).unwrap(), expected);
        assert!(writing.containment(&todos(), commit(2)).unwrap().is_empty());
        let other = DocumentPath::new("other.yaml");
        assert!(writing.containment(&other, commit(1)).unwrap().is_empty());
    }

    #[test]
    fn of_many_commits_the_last_are_remembered() {
        let (_git_dir, mut store) = store();
        let stamp = stamps(7, 1)[0];
        let writing = store.write(Durability::Process).unwrap();
        for number in 0..20 {
            let edits = [(stamp, Containment::Inside)];
            writing
                .remember_containment(&todos(), commit(number), edits)
                .unwrap();
        }
        let is_known = |number| {
            !writing
                .containment(&todos(), commit(number))
                .unwrap()
                .is_empty()
        };
        assert!((0..4).all(|number| !is_known(number)));
        assert!((4..20).all(is_known));
    }

    #[test]
    fn states_come_back_by_content_and_the_oldest_make_room() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let digest = |number: u8| ContentDigest::of(&[number]);
        let third = vec![3; STATES_KEPT as usize / 3];
        for number in 0..3 {
            writing.keep_state(digest(number), &third).unwrap();
        }
        let is_kept = |number| writing.state(digest(number)).unwrap().is_some();
        assert!((0..3).all(is_kept));
        assert_eq!(writing.state(digest(1)).unwrap(), Some(third));
        writing.keep_state(digest(3), b"small").unwrap();
        assert!(!is_kept(0));
        assert!((1..4).all(is_kept));
        let too_large = vec![0; STATES_KEPT as usize + 1];
        writing.keep_state(digest(4), &too_large).unwrap();
        assert!(!is_kept(4));
        assert!((1..4).all(is_kept));
    }
}
