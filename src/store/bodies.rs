//! Records that were removed, as they stood: an update that the removal did not observe brings them back whole.

use xxhash_rust::xxh3::xxh3_128;

use super::columns::Whole;
use super::{Error, Reading, Writing, format};
use crate::crdt::{Path, Record};
use crate::overlay::DocumentPath;

impl Reading<'_> {
    /// The bodies that a removed record had, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn bodies(&self, document: &DocumentPath, record: &Path) -> Result<Vec<Record>, Error> {
        let sql = "SELECT body FROM bodies
            WHERE document = (SELECT id FROM documents WHERE path = ?1) AND record = ?2 ORDER BY id";
        self.all(sql, (document, Whole(record)), |row| {
            row.get(0).map(|Whole(body)| body)
        })
    }
}

impl Writing<'_> {
    /// Keeps the body of a record that was removed, once.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep_body(
        &self,
        document: &DocumentPath,
        record: &Path,
        body: &Record,
    ) -> Result<(), Error> {
        let document = self.number_of(document)?;
        let bytes = format::encode(body)
            .map_err(|error| self.failed(rusqlite::Error::ToSqlConversionFailure(error.into())))?;
        let digest = xxh3_128(&bytes).to_be_bytes();
        let sql = "INSERT OR IGNORE INTO bodies (document, record, digest, body)
            VALUES (?1, ?2, ?3, ?4)";
        self.run(sql, (document, Whole(record), digest, bytes))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Durability;
    use super::super::samples::{stamps, store, todos};
    use super::*;
    use crate::crdt::{Atom, Birth, Digest, Map, Node, Stamps};

    fn record(title: &str) -> Record {
        let title = Atom::new(title.to_owned());
        let stamps: Stamps = stamps(7, 2).into_iter().collect();
        Record {
            name: Atom::new("\"a\"".to_owned()),
            birth: Birth {
                stamp: stamps.first().copied(),
                digest: Digest::of(b"a"),
            },
            fields: Map::from([
                ("title".to_owned(), Node::Register(title.clone(), stamps)),
                ("tags".to_owned(), Node::List(vec![title], Stamps::new())),
            ]),
        }
    }

    #[test]
    fn each_body_that_a_record_had_is_kept_once() {
        let (_git_dir, mut store) = store();
        let [first, second] = ["first", "second"].map(record);
        let place = Path::default().entry("todos").record(&first);
        let writing = store.write(Durability::Process).unwrap();
        for body in [&first, &second, &first] {
            writing.keep_body(&todos(), &place, body).unwrap();
        }
        let kept = writing.bodies(&todos(), &place).unwrap();
        assert_eq!(kept, [first, second]);
        let elsewhere = Path::default().entry("todos");
        assert_eq!(writing.bodies(&todos(), &elsewhere).unwrap(), []);
    }
}
