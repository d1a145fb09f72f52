//! The last contents of each document that this work tree had, so that what an editor wrote can be told from what it
//! started from.

use super::{Error, Moment, Reading, Writing};
use crate::overlay::{BlobId, CommitId, DocumentPath};

/// How many renderings of a document are kept at least, the current one included.
const KEPT: i64 = 8;

/// How many are kept, and for how long, where they are small: somebody who writes may have read any of them.
const MOST_KEPT: i64 = 32;
const KEPT_MILLIS: u64 = 15_000;

/// How large the content of a small one is, in bytes.
const SMALL: i64 = 128 << 10;

/// What a document's file held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The bytes of an object of the repository.
    Blob(BlobId),
    /// These bytes.
    Bytes(Vec<u8>),
    /// There was no file.
    Absent,
}

/// A content that a document's file had, or was to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// When it became current.
    pub since: Moment,
    /// When another one did; none for the current one.
    pub until: Option<Moment>,
    /// HEAD when it was last known to be current; none before the first commit.
    pub head: Option<CommitId>,
    /// The content.
    pub content: Content,
}

fn rendering(row: &rusqlite::Row<'_>) -> rusqlite::Result<Rendering> {
    let content = match (row.get(3)?, row.get(4)?) {
        (Some(blob), _) => Content::Blob(blob),
        (None, Some(bytes)) => Content::Bytes(bytes),
        (None, None) => Content::Absent,
    };
    Ok(Rendering {
        since: row.get(0)?,
        until: row.get(1)?,
        head: row.get(2)?,
        content,
    })
}

impl Reading<'_> {
    /// The current rendering of a document.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn rendering(&self, document: &DocumentPath) -> Result<Option<Rendering>, Error> {
        let sql = "SELECT since, until, head, blob, bytes FROM renderings
            WHERE document = (SELECT id FROM documents WHERE path = ?1) AND until IS NULL";
        self.first(sql, [document], rendering)
    }

    /// The kept renderings of a document that were current at `since` or later, and the last one before the current one whenever
    /// that was; oldest first, the current one last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn renderings(
        &self,
        document: &DocumentPath,
        since: Moment,
    ) -> Result<Vec<Rendering>, Error> {
        let sql = "SELECT since, until, head, blob, bytes FROM renderings
            WHERE document = (SELECT id FROM documents WHERE path = ?1)
            AND (until IS NULL OR until >= ?2 OR id = (
                SELECT id FROM renderings WHERE document = (SELECT id FROM documents WHERE path = ?1)
                AND until IS NOT NULL ORDER BY id DESC LIMIT 1)) ORDER BY id";
        self.all(sql, (document, since), rendering)
    }
}

impl Writing<'_> {
    /// Makes a content the current rendering of a document from `now` on, under this HEAD. Where it is current already only
    /// HEAD is written down. The oldest renderings make room.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn render(
        &self,
        document: &DocumentPath,
        content: &Content,
        head: Option<CommitId>,
        now: Moment,
    ) -> Result<(), Error> {
        let number = self.number_of(document)?;
        if let Some(current) = self.rendering(document)? {
            if current.content == *content {
                let sql = "UPDATE renderings SET head = ?2
                    WHERE document = ?1 AND until IS NULL AND head IS NOT ?2";
                self.run(sql, (number, head))?;
                return Ok(());
            }
            let sql = "UPDATE renderings SET until = ?2 WHERE document = ?1 AND until IS NULL";
            self.run(sql, (number, now))?;
        }
        let (blob, bytes) = match content {
            Content::Blob(blob) => (Some(blob), None),
            Content::Bytes(bytes) => (None, Some(bytes)),
            Content::Absent => (None, None),
        };
        let sql = "INSERT INTO renderings (document, since, head, blob, bytes)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        self.run(sql, (number, now, head, blob, bytes))?;
        let sql = "DELETE FROM renderings WHERE document = ?1 AND id NOT IN (
                SELECT id FROM renderings WHERE document = ?1 ORDER BY id DESC LIMIT ?2)
            AND (until < ?3 OR length(bytes) > ?4 OR id NOT IN (
                SELECT id FROM renderings WHERE document = ?1 ORDER BY id DESC LIMIT ?5))";
        let since = Moment::from_unix_millis(now.unix_millis().saturating_sub(KEPT_MILLIS));
        self.run(sql, (number, KEPT, since, SMALL, MOST_KEPT))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Durability;
    use super::super::samples::{commit, store, todos};
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_unix_millis(millis)
    }

    fn bytes(number: u64) -> Content {
        Content::Bytes(number.to_string().into_bytes())
    }

    #[test]
    fn the_current_rendering_ends_where_the_next_begins() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let blob = Content::Blob(BlobId::from_bytes([9; 20]));
        let contents = [blob, bytes(1), Content::Absent];
        for (content, millis) in contents.iter().zip([100, 200, 300]) {
            let head = (millis > 100).then(|| commit(1));
            writing.render(&todos(), content, head, at(millis)).unwrap();
        }
        writing.commit().unwrap();
        let rendering = |number: usize, head| Rendering {
            since: at(100 * (number as u64 + 1)),
            until: (number < 2).then(|| at(100 * (number as u64 + 2))),
            head,
            content: contents[number].clone(),
        };
        let all = [
            rendering(0, None),
            rendering(1, Some(commit(1))),
            rendering(2, Some(commit(1))),
        ];
        let reading = store.read().unwrap();
        assert_eq!(reading.renderings(&todos(), at(0)).unwrap(), all);
        assert_eq!(reading.renderings(&todos(), at(200)).unwrap(), all);
        assert_eq!(reading.renderings(&todos(), at(201)).unwrap(), all[1..]);
        assert_eq!(
            reading.renderings(&todos(), at(900)).unwrap(),
            all[1..],
            "the current one may never have been written"
        );
        assert_eq!(reading.rendering(&todos()).unwrap().as_ref(), all.last());
    }

    #[test]
    fn of_each_document_the_last_eight_are_kept() {
        let (_git_dir, mut store) = store();
        let other = DocumentPath::new("other.yaml");
        let writing = store.write(Durability::Process).unwrap();
        writing.render(&other, &bytes(0), None, at(0)).unwrap();
        for number in 0..20 {
            let content = bytes(number);
            writing
                .render(&todos(), &content, None, at(number * 60_000))
                .unwrap();
        }
        let kept = writing.renderings(&todos(), at(0)).unwrap();
        let kept: Vec<_> = kept.into_iter().map(|kept| kept.content).collect();
        assert_eq!(kept, (12..20).map(bytes).collect::<Vec<_>>());
        assert_eq!(writing.renderings(&other, at(0)).unwrap().len(), 1);
    }

    #[test]
    fn of_small_documents_all_of_the_last_seconds_are_kept_but_not_without_end() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let mut now = 0;
        let mut kept_of = |pause: u64, size: usize| {
            for number in 0..100_u8 {
                now += pause;
                let content = Content::Bytes(vec![number; size]);
                writing.render(&todos(), &content, None, at(now)).unwrap();
            }
            writing.renderings(&todos(), at(0)).unwrap().len() as i64
        };
        assert_eq!(kept_of(10, 100), MOST_KEPT);
        assert_eq!(
            kept_of(1_000, 100),
            17,
            "those that were current in the last 15 s"
        );
        assert_eq!(kept_of(1_000, SMALL as usize + 1), KEPT);
    }

    #[test]
    fn what_is_current_under_another_head_is_no_other_rendering() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let render = |number, head, millis| {
            let content = bytes(number);
            writing
                .render(&todos(), &content, head, at(millis))
                .unwrap();
        };
        render(1, None, 100);
        render(1, Some(commit(1)), 200);
        let one = writing.renderings(&todos(), at(0)).unwrap();
        assert_eq!(one.len(), 1);
        assert_eq!((one[0].since, one[0].head), (at(100), Some(commit(1))));
        render(2, Some(commit(1)), 300);
        render(1, Some(commit(2)), 400);
        assert_eq!(writing.renderings(&todos(), at(0)).unwrap().len(), 3);
    }
}
