//! The known edits: a set that only grows.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Row;

use super::columns::{as_number, limit};
use super::format::Body;
use super::{Error, Marks, Reading, Writing, touched};
use crate::crdt::{Replica, Stamp};
use crate::exchange::is_same;
use crate::overlay::{CommitId, Deed, DocumentPath, Known};

/// Who made an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Issuer {
    /// This work tree, in this incarnation or in an earlier one that surely was no other work tree's.
    Own,
    /// Another one.
    Other,
}

as_number!(Issuer { Own = 0, Other = 1 });

/// How an edit came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// It was found in a file or in what a command did.
    Recorded,
    /// Another replica sent it.
    Received,
    /// It was found in a commit of this work tree: whoever typed it, git says that it was committed here, and that is trusted.
    Committed,
}

as_number!(Way {
    Recorded = 0,
    Received = 1,
    Committed = 2,
});

/// An edit, and what the store knows about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEdit {
    /// The edit.
    pub known: Known,
    /// Who made it.
    pub issuer: Issuer,
    /// How it came here.
    pub way: Way,
    /// Its marks.
    pub marks: Marks,
}

/// What became of an edit that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It was not known.
    New,
    /// It was not known, and its replica made another edit after the same previous one: two write under one name.
    Fork {
        /// The other edit; the first if there are several.
        beside: Stamp,
    },
    /// It was known.
    Known,
    /// Its stamp was known with another content, which stays the edit of that name; this one is kept beside it.
    Equivocation,
}

/// Which edits of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that are known.
    All,
    /// Those that were not noted as superseded ([`Writing::note_superseded`]).
    Counting,
}

/// Of fewer open edits than these each is asked whether it counts.
const FEW_OPEN: i64 = if cfg!(test) { 4 } else { 16_384 };

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        stamp: row.get(0)?,
        previous: row.get(1)?,
        document: row.get(2)?,
        base: row.get(3)?,
        branch: row.get(4)?,
        ..with_body(row.get(5)?, row.get(0)?, row.get(2)?)
    })
}

/// An edit of which the body is known, and nothing else.
pub(super) fn with_body(body: Body<'_>, stamp: Stamp, document: DocumentPath) -> Known {
    let Body { published, deed } = body;
    Known {
        stamp,
        previous: None,
        document,
        base: None,
        published: published.into_owned(),
        branch: None,
        deed: deed.into_owned(),
    }
}

fn body(edit: &Known) -> Body<'_> {
    Body {
        published: Cow::Borrowed(&edit.published),
        deed: Cow::Borrowed(&edit.deed),
    }
}

pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<StoredEdit> {
    Ok(StoredEdit {
        known: known(row)?,
        issuer: row.get(6)?,
        way: row.get(7)?,
        marks: row.get(8)?,
    })
}

/// A query for [`stored`] edits.
macro_rules! stored_where {
    ($condition:literal) => {
        concat!(
            "SELECT stamp, previous, path, base, branch, body, issuer, way, coalesce(bits, 0) FROM edits
            JOIN documents ON documents.id = edits.document
            LEFT JOIN marks ON marks.edit = edits.id WHERE ",
            $condition
        )
    };
}
pub(super) use stored_where;

/// The first proved edits of a replica after one of them, or from the beginning, in the order in which it made them.
pub(super) fn proved_after(
    reading: &Reading<'_>,
    replica: Replica,
    after: Option<Stamp>,
    most: usize,
) -> Result<Vec<StoredEdit>, Error> {
    let sql = stored_where!(
        "replica = ?1 AND stamp > coalesce(?2, '') AND seal IS NOT NULL ORDER BY stamp LIMIT ?3"
    );
    let rows: Vec<StoredEdit> = reading.all(sql, (replica, after, limit(most)), stored)?;
    let mut all = in_order(rows, reading.packed_after(replica, after, most)?);
    all.truncate(most);
    Ok(all)
}

/// What stands in rows and what is packed, in the order of the stamps.
fn in_order(mut rows: Vec<StoredEdit>, packed: Vec<StoredEdit>) -> Vec<StoredEdit> {
    if !packed.is_empty() {
        rows.extend(packed);
        rows.sort_unstable_by_key(|edit| edit.known.stamp);
    }
    rows
}

impl Reading<'_> {
    /// The edit with this stamp.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn edit(&self, stamp: Stamp) -> Result<Option<StoredEdit>, Error> {
        match self.first(stored_where!("stamp = ?1"), [stamp], stored)? {
            None => self.packed_edit(stamp),
            found => Ok(found),
        }
    }

    /// Whether the edit with this stamp is known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn knows_edit(&self, stamp: Stamp) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM edits WHERE stamp = ?1";
        let found = self.first(sql, [stamp], |_| Ok(()))?;
        Ok(found.is_some() || self.packed(stamp)?.is_some())
    }

    /// The edits of a document, in the order of their stamps.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn edits(&self, document: &DocumentPath, which: Which) -> Result<Vec<StoredEdit>, Error> {
        let sql = match which {
            Which::All => stored_where!("path = ?1 ORDER BY stamp"),
            Which::Counting => stored_where!(
                "edits.document = (SELECT id FROM documents WHERE path = ?1) AND superseded = 0
                ORDER BY stamp"
            ),
        };
        let rows = self.all(sql, [document], stored)?;
        Ok(in_order(rows, self.packed_of(document, which)?))
    }

    /// Those edits of a document that the HEAD of its last look does not contain ([`Mark::Contained`](super::Mark::Contained)), in the
    /// order of their stamps: a few, however many are known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open_edits(
        &self,
        document: &DocumentPath,
        which: Which,
    ) -> Result<Vec<StoredEdit>, Error> {
        // By these conditions the index is used that has these alone.
        let all = stored_where!(
            "edits.id IN (SELECT edit FROM marks WHERE bits & 1 = 0)
            AND +edits.document = (SELECT id FROM documents WHERE path = ?1) ORDER BY stamp"
        );
        let counting = stored_where!(
            "edits.document = (SELECT id FROM documents WHERE path = ?1) AND superseded = 0
            AND coalesce(bits, 0) & 1 = 0 ORDER BY stamp"
        );
        let counting_of_few = stored_where!(
            "edits.id IN (SELECT edit FROM marks WHERE bits & 1 = 0) AND superseded = 0
            AND +edits.document = (SELECT id FROM documents WHERE path = ?1) ORDER BY stamp"
        );
        let sql = match which {
            Which::All => all,
            Which::Counting if self.has_few_open()? => counting_of_few,
            Which::Counting => counting,
        };
        let rows = self.all(sql, [document], stored)?;
        Ok(in_order(rows, self.packed_open(document, which)?))
    }

    /// Whether few edits are open, of whatever document: then these are asked whether they count, else those that count whether they
    /// are open.
    fn has_few_open(&self) -> Result<bool, Error> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM marks WHERE bits & 1 = 0 LIMIT ?1)";
        let open: Option<i64> = self.first(sql, [FEW_OPEN], |row| row.get(0))?;
        Ok(open.is_none_or(|open| open < FEW_OPEN))
    }

    /// The commits on which edits were made that the document's HEAD did not contain at its last look, and what was published of
    /// each.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn bases(&self) -> Result<BTreeMap<CommitId, Vec<CommitId>>, Error> {
        let sql = "SELECT base, body FROM edits LEFT JOIN marks ON marks.edit = edits.id
            WHERE base IS NOT NULL AND issuer = ?1 AND coalesce(bits, 0) & 1 = 0 GROUP BY base";
        let mut bases: BTreeMap<CommitId, Vec<CommitId>> =
            self.all(sql, [Issuer::Other], |row| {
                let body: Body<'_> = row.get(1)?;
                Ok((row.get(0)?, body.published.into_owned()))
            })?;
        for (base, published) in self.packed_bases()? {
            bases.entry(base).or_insert(published);
        }
        Ok(bases)
    }

    /// The replicas under whose names two wrote: an edit follows none of the known ones although one of these is older.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn forked(&self) -> Result<Vec<Replica>, Error> {
        let sql =
            "SELECT DISTINCT replica FROM edits GROUP BY replica, previous HAVING count(*) > 1";
        self.all(sql, [], |row| row.get(0))
    }

    /// The stamps of a document that edits retract, whether or not the edits of that name are known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn retracted(&self, document: &DocumentPath) -> Result<BTreeSet<Stamp>, Error> {
        let sql = "SELECT stamp FROM retractions
            WHERE document = (SELECT id FROM documents WHERE path = ?1)";
        self.all(sql, [document], |row| row.get(0))
    }

    /// The edits made here with stamps of a later time than this one, in milliseconds since the Unix epoch, in their order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn own_after(&self, unix_millis: u64) -> Result<Vec<StoredEdit>, Error> {
        let from = Stamp::first_after(unix_millis);
        let sql = stored_where!("stamp >= ?1 AND issuer = ?2 ORDER BY stamp");
        let rows = self.all(sql, (from, Issuer::Own), stored)?;
        Ok(in_order(rows, self.packed_own_from(from)?))
    }

    /// The last edits that were made here, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_own(&self, most: usize) -> Result<Vec<StoredEdit>, Error> {
        let sql = stored_where!("issuer = ?1 ORDER BY stamp DESC LIMIT ?2");
        let rows = self.all(sql, (Issuer::Own, limit(most)), stored)?;
        let packed = self.packed_last_own(most)?;
        Ok(touched::newest(rows, packed, most))
    }

    /// The edit that its replica made right after this one; the first if there are several.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn edit_after(&self, stamp: Stamp) -> Result<Option<StoredEdit>, Error> {
        let replica = stamp.replica();
        let sql = stored_where!("replica = ?1 AND previous IS ?2 ORDER BY stamp");
        match self.first(sql, (replica, stamp), stored)? {
            Some(edit) => Ok(Some(edit)),
            None => match self.packed_behind(replica, Some(stamp))? {
                Some(after) => self.packed_edit(after),
                None => Ok(None),
            },
        }
    }

    /// The last known edit of a replica: the next one's [`Known::previous`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_of(&self, replica: Replica) -> Result<Option<Stamp>, Error> {
        let sql = "SELECT stamp FROM edits WHERE replica = ?1 ORDER BY stamp DESC LIMIT 1";
        self.first(sql, [replica], |row| row.get(0))
    }

    /// What came under stamps that are known with another content, in the order of its coming.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn equivocations(&self) -> Result<Vec<Known>, Error> {
        let sql = "SELECT stamp, previous, path, base, branch, body FROM equivocations
            JOIN documents ON documents.id = document ORDER BY equivocations.id";
        self.all(sql, [], known)
    }
}

impl Writing<'_> {
    /// The first edits that were recorded here under this name, after one of them, and are not sealed.
    pub(super) fn unsealed(
        &self,
        replica: Replica,
        after: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<Known>, Error> {
        let sql = stored_where!(
            "replica = ?1 AND stamp > coalesce(?2, '') AND seal IS NULL AND way != ?3 ORDER BY stamp LIMIT ?4"
        );
        let most = limit(most);
        self.all(sql, (replica, after, Way::Received, most), known)
    }

    /// Adds an edit to those that are known; it is not told to others before it is proved ([`prove`](Self::prove)). The fingerprint of its document's file is void then: the file may have to
    /// show more ([`Look::file`](super::Look::file)).
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn add(&self, edit: &Known, issuer: Issuer, way: Way) -> Result<Added, Error> {
        if let Some(there) = self.edit(edit.stamp)? {
            return self.add_again(edit, &there.known);
        }
        let replica = edit.stamp.replica();
        let mut beside = self.first(
            "SELECT stamp FROM edits WHERE replica = ?1 AND previous IS ?2 ORDER BY stamp",
            (replica, edit.previous),
            |row| row.get(0),
        )?;
        if let Some(packed) = self.packed_behind(replica, edit.previous)? {
            // Where two write under one name, nothing of it is over.
            self.unpack_behind(replica, None)?;
            beside = Some(beside.map_or(packed, |beside: Stamp| beside.min(packed)));
        }
        let document = self.number_of(&edit.document)?;
        self.run(
            "INSERT INTO edits (stamp, replica, previous, document, base, branch, issuer, way, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                edit.stamp,
                replica,
                edit.previous,
                document,
                edit.base,
                &edit.branch,
                issuer,
                way,
                body(edit),
            ),
        )?;
        // What has no marks is open, and found by that.
        let sql = "INSERT INTO marks (edit, bits) VALUES (last_insert_rowid(), 0)";
        self.run(sql, [])?;
        self.touch(document, edit.stamp, &edit.deed)?;
        if let Deed::Retract(stamps) = &edit.deed {
            let sql = "INSERT OR IGNORE INTO retractions (document, stamp) VALUES (?1, ?2)";
            for stamp in stamps {
                self.run(sql, (document, stamp))?;
            }
            // What these superseded may be seen again.
            self.note_all_counting(document)?;
        }
        self.run("UPDATE documents SET file = NULL WHERE id = ?1", [document])?;
        Ok(beside.map_or(Added::New, |beside| Added::Fork { beside }))
    }

    /// Notes which edits of a document are superseded: these and, if that is not `all`, those that were.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn note_superseded(
        &self,
        document: &DocumentPath,
        superseded: &BTreeSet<Stamp>,
        all: bool,
    ) -> Result<(), Error> {
        if all {
            let number = self.number_of(document)?;
            let sql = "SELECT stamp FROM edits WHERE document = ?1 AND superseded = 1";
            let mut before: Vec<Stamp> = self.all(sql, [number], |row| row.get(0))?;
            before.extend(self.packed_superseded(number)?);
            if before.iter().any(|stamp| !superseded.contains(stamp)) {
                self.note_all_counting(number)?;
            }
        }
        let sql = "UPDATE edits SET superseded = 1 WHERE stamp = ?1 AND superseded = 0";
        for stamp in superseded {
            self.run(sql, [stamp])?;
        }
        self.note_packed_superseded(document, superseded)
    }

    fn note_all_counting(&self, document: i64) -> Result<(), Error> {
        let sql = "UPDATE edits SET superseded = 0 WHERE document = ?1 AND superseded = 1";
        self.run(sql, [document])?;
        self.note_packed_counting(document)
    }

    /// Makes all known edits those of others: this work tree is not the one that made them, or cannot know that it is.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn disown(&self) -> Result<(), Error> {
        self.unpack_all()?;
        let sql = "UPDATE edits SET issuer = ?1 WHERE issuer IS NOT ?1";
        self.run(sql, [Issuer::Other])?;
        Ok(())
    }

    /// As [`disown`](Self::disown), one edit.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn disown_one(&self, stamp: Stamp) -> Result<(), Error> {
        self.unpack_with(stamp)?;
        let sql = "UPDATE edits SET issuer = ?2 WHERE stamp = ?1";
        self.run(sql, (stamp, Issuer::Other))?;
        Ok(())
    }

    fn add_again(&self, edit: &Known, there: &Known) -> Result<Added, Error> {
        if is_same(edit, there) {
            return Ok(Added::Known);
        }
        let sql = "SELECT stamp, previous, path, base, branch, body FROM equivocations
            JOIN documents ON documents.id = document WHERE stamp = ?1";
        let others: Vec<Known> = self.all(sql, [edit.stamp], known)?;
        if !others.iter().any(|other| is_same(edit, other)) {
            self.unpack_with(edit.stamp)?;
            let document = self.number_of(&edit.document)?;
            self.run(
                "INSERT INTO equivocations (stamp, previous, document, base, branch, body)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    edit.stamp,
                    edit.previous,
                    document,
                    edit.base,
                    &edit.branch,
                    body(edit),
                ),
            )?;
        }
        Ok(Added::Equivocation)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{chain, edit, receive, stamps, store, todos};
    use super::super::{Durability, Mark};
    use super::*;
    use crate::overlay::DocumentPath;

    #[test]
    fn an_edit_comes_back_as_it_was_added() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 2);
        let writing = store.write(Durability::Power).unwrap();
        let added = writing.add(&edits[0], Issuer::Own, Way::Recorded).unwrap();
        assert_eq!(added, Added::New);
        writing
            .add(&edits[1], Issuer::Other, Way::Received)
            .unwrap();
        writing.commit().unwrap();
        let reading = store.read().unwrap();
        let first = StoredEdit {
            known: edits[0].clone(),
            issuer: Issuer::Own,
            way: Way::Recorded,
            marks: Marks::default(),
        };
        let second = StoredEdit {
            known: edits[1].clone(),
            issuer: Issuer::Other,
            way: Way::Received,
            marks: Marks::default(),
        };
        assert_eq!(reading.edit(edits[0].stamp).unwrap(), Some(first.clone()));
        let all = reading.edits(&todos(), Which::All).unwrap();
        assert_eq!(all, [first, second]);
        let other = DocumentPath::new("other.yaml");
        assert_eq!(reading.edits(&other, Which::All).unwrap(), []);
    }

    #[test]
    fn what_is_disowned_is_known_as_it_was() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 2);
        let writing = store.write(Durability::Power).unwrap();
        for edit in &edits {
            writing.add(edit, Issuer::Own, Way::Recorded).unwrap();
        }
        writing.disown().unwrap();
        let all = writing.edits(&todos(), Which::All).unwrap();
        assert!(all.iter().all(|edit| edit.issuer == Issuer::Other));
        let known: Vec<&Known> = all.iter().map(|edit| &edit.known).collect();
        assert_eq!(known, edits.iter().collect::<Vec<_>>());
    }

    #[test]
    fn adding_an_edit_again_changes_nothing() {
        let (_git_dir, mut store) = store();
        let edit = &chain(7, 1)[0];
        receive(&mut store, [edit]);
        let writing = store.write(Durability::Process).unwrap();
        writing.mark([edit.stamp], Mark::Parked).unwrap();
        let again = writing.add(edit, Issuer::Own, Way::Recorded).unwrap();
        assert_eq!(again, Added::Known);
        let there = writing.edit(edit.stamp).unwrap().unwrap();
        assert_eq!((there.issuer, there.way), (Issuer::Other, Way::Received));
        assert!(there.marks.contains(Mark::Parked));
        assert_eq!(writing.equivocations().unwrap(), []);
    }

    #[test]
    fn of_two_edits_under_one_stamp_the_first_stays_and_the_other_is_kept_beside_it() {
        let (_git_dir, mut store) = store();
        let stamp = stamps(7, 1)[0];
        let (first, other) = (edit(stamp, None, "first"), edit(stamp, None, "other"));
        receive(&mut store, [&first]);
        let writing = store.write(Durability::Process).unwrap();
        for _ in 0..2 {
            let added = writing.add(&other, Issuer::Other, Way::Received).unwrap();
            assert_eq!(added, Added::Equivocation);
        }
        let there = writing.edit(stamp).unwrap().unwrap();
        assert_eq!(there.known, first);
        assert_eq!(writing.equivocations().unwrap(), [other]);
    }

    #[test]
    fn two_edits_after_the_same_one_show_that_two_write_under_one_name() {
        let (_git_dir, mut store) = store();
        let stamps = stamps(7, 3);
        let after = |index: usize| edit(stamps[index], Some(stamps[0]), "after the first");
        receive(&mut store, [&edit(stamps[0], None, "first"), &after(1)]);
        let writing = store.write(Durability::Process).unwrap();
        let added = writing.add(&after(2), Issuer::Other, Way::Received);
        assert_eq!(added.unwrap(), Added::Fork { beside: stamps[1] });
        let all = writing.edits(&todos(), Which::All).unwrap();
        assert_eq!(all.len(), 3, "all are kept");
    }

    #[test]
    fn what_retractions_name_is_retracted_in_their_document_alone() {
        let (_git_dir, mut store) = store();
        let stamps = stamps(7, 3);
        let retraction = Known {
            deed: Deed::Retract(vec![stamps[0], stamps[1]]),
            ..edit(stamps[2], Some(stamps[1]), "")
        };
        // The retraction came before what it retracts.
        receive(&mut store, [&retraction, &edit(stamps[0], None, "first")]);
        let reading = store.read().unwrap();
        let retracted = reading.retracted(&todos()).unwrap();
        assert_eq!(retracted, BTreeSet::from([stamps[0], stamps[1]]));
        let other = DocumentPath::new("other.yaml");
        assert_eq!(reading.retracted(&other).unwrap(), BTreeSet::new());
    }

    #[test]
    fn superseded_edits_are_passed_over_until_something_is_retracted() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 3);
        receive(&mut store, &edits);
        let [first, second, third] = [0, 1, 2].map(|index: usize| edits[index].stamp);
        let counting = |writing: &Writing<'_>| -> Vec<Stamp> {
            let counting = writing.edits(&todos(), Which::Counting).unwrap();
            counting.iter().map(|edit| edit.known.stamp).collect()
        };
        let writing = store.write(Durability::Process).unwrap();
        let note = |stamps: &[Stamp], all| {
            let stamps = stamps.iter().copied().collect();
            writing.note_superseded(&todos(), &stamps, all).unwrap();
        };
        note(&[first], true);
        assert_eq!(counting(&writing), [second, third]);
        note(&[second], false);
        assert_eq!(
            counting(&writing),
            [third],
            "what was superseded is so still"
        );
        note(&[second], true);
        assert_eq!(counting(&writing), [first, third]);
        let retraction = Known {
            deed: Deed::Retract(vec![third]),
            ..edit(stamps(8, 1)[0], None, "")
        };
        writing
            .add(&retraction, Issuer::Other, Way::Received)
            .unwrap();
        assert_eq!(counting(&writing).len(), 4);
    }

    #[test]
    fn the_last_edit_of_a_replica_is_its_newest() {
        let (_git_dir, mut store) = store();
        let (ours, theirs) = (chain(7, 3), chain(8, 1));
        receive(&mut store, ours.iter().rev().chain(&theirs));
        let reading = store.read().unwrap();
        let last = |edits: &[Known]| reading.last_of(edits[0].stamp.replica()).unwrap();
        assert_eq!(last(&ours), Some(ours[2].stamp));
        assert_eq!(last(&theirs), Some(theirs[0].stamp));
        assert_eq!(last(&chain(9, 1)), None);
    }

    #[test]
    fn paths_that_are_no_text_and_edits_before_the_first_commit_are_kept() {
        let (_git_dir, mut store) = store();
        let document = DocumentPath::new(b"a \xff\n/.rhema/todos.yaml".as_slice());
        let edit = Known {
            document: document.clone(),
            base: None,
            published: Vec::new(),
            ..edit(stamps(7, 1)[0], None, "first")
        };
        receive(&mut store, [&edit]);
        let reading = store.read().unwrap();
        let there = reading.edits(&document, Which::All).unwrap();
        assert_eq!(there[0].known, edit);
    }

    #[test]
    fn an_edit_of_a_newer_format_is_told_from_a_damaged_one() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 1);
        receive(&mut store, &edits);
        let mut with_body = |body: &[u8]| {
            let sql = "UPDATE edits SET body = ?1";
            store.connection.execute(sql, [body]).unwrap();
            store.read().unwrap().edits(&todos(), Which::All)
        };
        let newer = with_body(&[3, 0]);
        assert!(matches!(newer, Err(Error::UnknownFormat { found: 3, .. })));
        for damaged in [&[][..], &[1], &[1, 0, 0, 0, 0]] {
            let error = with_body(damaged).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{damaged:?}");
        }
    }
}
