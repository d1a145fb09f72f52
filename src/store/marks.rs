//! Marks of edits: what this work tree found out about them or was told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use super::{Error, Issuer, Reading, Writing};
use crate::crdt::Stamp;
use crate::overlay::DocumentPath;

/// A mark of an edit. Retraction is none: it is an edit of its own ([`Reading::retracted`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Mark {
    /// The HEAD of the document's last look ([`Look::head`](super::Look::head)) contains it.
    Contained = 0,
    /// A HEAD that this work tree had contained it.
    Committed = 1,
    /// It is not to be shown until HEAD moves.
    Parked = 2,
    /// It is to be shown although a HEAD contained it once and this one does not.
    TakenUp = 3,
    /// The rendering of the last look showed it.
    Shown = 4,
}

impl Mark {
    /// All there are.
    pub const ALL: [Self; 5] = [
        Self::Contained,
        Self::Committed,
        Self::Parked,
        Self::TakenUp,
        Self::Shown,
    ];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of marks.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Marks(u8);

impl Marks {
    /// Whether the mark is among them.
    #[must_use]
    pub fn contains(self, mark: Mark) -> bool {
        self.0 & mark.bit() != 0
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, mark: Mark) -> Self {
        Self(self.0 | mark.bit())
    }

    /// These without one.
    #[must_use]
    pub fn without(self, mark: Mark) -> Self {
        Self(self.0 & !mark.bit())
    }

    /// The marks, in their order.
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        Mark::ALL
            .into_iter()
            .filter(move |mark| self.contains(*mark))
    }
}

impl FromIterator<Mark> for Marks {
    fn from_iter<I: IntoIterator<Item = Mark>>(marks: I) -> Self {
        marks.into_iter().fold(Self::default(), Self::with)
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl ToSql for Marks {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Marks {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bits = value.as_i64()?;
        let all: Self = Mark::ALL.into_iter().collect();
        match u8::try_from(bits) {
            Ok(known) if known & !all.0 == 0 => Ok(Self(known)),
            _ => Err(FromSqlError::OutOfRange(bits)),
        }
    }
}

impl Reading<'_> {
    /// The edits made here that the last looks showed and the HEAD of those looks does not contain.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn uncommitted(&self) -> Result<Vec<Stamp>, Error> {
        let sql = "SELECT stamp FROM edits JOIN marks ON edit = id
            WHERE issuer = ?1 AND bits & ?2 AND NOT bits & ?3 ORDER BY stamp";
        let (shown, contained) = (
            Marks::default().with(Mark::Shown),
            Marks::default().with(Mark::Contained),
        );
        let mut open: Vec<Stamp> =
            self.all(sql, (Issuer::Own, shown, contained), |row| row.get(0))?;
        open.extend(self.packed_uncommitted()?);
        open.sort_unstable();
        Ok(open)
    }

    /// The documents of which edits are parked.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn parked(&self) -> Result<Vec<DocumentPath>, Error> {
        let sql = "SELECT DISTINCT path FROM marks JOIN edits ON edits.id = edit
            JOIN documents ON documents.id = document WHERE bits & ?1 ORDER BY path";
        let mut parked: BTreeSet<DocumentPath> =
            self.all(sql, [Mark::Parked.bit()], |row| row.get(0))?;
        parked.extend(self.packed_parked()?);
        Ok(parked.into_iter().collect())
    }

    /// The stamps of all known edits of a document, with their marks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn marks(&self, document: &DocumentPath) -> Result<BTreeMap<Stamp, Marks>, Error> {
        let sql = "SELECT stamp, coalesce(bits, 0) FROM edits LEFT JOIN marks ON edit = id
            WHERE document = (SELECT id FROM documents WHERE path = ?1)";
        let mut marks: BTreeMap<Stamp, Marks> =
            self.all(sql, [document], |row| Ok((row.get(0)?, row.get(1)?)))?;
        marks.extend(self.packed_marks(document)?);
        Ok(marks)
    }
}

impl Writing<'_> {
    /// Gives edits exactly these marks. Stamps of which no edit is known are passed over.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_marks(&self, marks: impl IntoIterator<Item = (Stamp, Marks)>) -> Result<(), Error> {
        let sql = "INSERT INTO marks (edit, bits) SELECT id, ?2 FROM edits WHERE stamp = ?1
            ON CONFLICT (edit) DO UPDATE SET bits = excluded.bits WHERE bits <> excluded.bits";
        let marks: BTreeMap<Stamp, Marks> = marks.into_iter().collect();
        for (stamp, marks) in &marks {
            self.run(sql, (stamp, marks))?;
        }
        self.mark_packed(&marks.keys().copied().collect(), |stamp, bits| {
            marks.get(&stamp).map_or(bits, |marks| marks.0)
        })
    }

    /// Gives edits a mark beside those that they have. Stamps of which no edit is known are passed over.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn mark(&self, stamps: impl IntoIterator<Item = Stamp>, mark: Mark) -> Result<(), Error> {
        let sql = "INSERT INTO marks (edit, bits) SELECT id, ?2 FROM edits WHERE stamp = ?1
            ON CONFLICT (edit) DO UPDATE SET bits = bits | excluded.bits";
        let stamps: BTreeSet<Stamp> = stamps.into_iter().collect();
        for stamp in &stamps {
            self.run(sql, (stamp, mark.bit()))?;
        }
        self.mark_packed(&stamps, |_, bits| bits | mark.bit())
    }

    /// Takes a mark from edits.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn unmark(&self, stamps: impl IntoIterator<Item = Stamp>, mark: Mark) -> Result<(), Error> {
        let sql = "UPDATE marks SET bits = bits & ~?2
            WHERE edit = (SELECT id FROM edits WHERE stamp = ?1)";
        let stamps: BTreeSet<Stamp> = stamps.into_iter().collect();
        for stamp in &stamps {
            self.run(sql, (stamp, mark.bit()))?;
        }
        self.mark_packed(&stamps, |_, bits| bits & !mark.bit())
    }

    /// Makes these the edits of a document that have a mark: the others lose it. Writes only what changes.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn mark_only(
        &self,
        document: &DocumentPath,
        stamps: &BTreeSet<Stamp>,
        mark: Mark,
    ) -> Result<(), Error> {
        let marks = self.marks(document)?;
        let having = |has: bool| {
            let marks = marks
                .iter()
                .filter(move |(_, marks)| marks.contains(mark) == has);
            marks.map(|(stamp, _)| *stamp)
        };
        self.unmark(having(true).filter(|stamp| !stamps.contains(stamp)), mark)?;
        self.mark(having(false).filter(|stamp| stamps.contains(stamp)), mark)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Durability;
    use super::super::samples::{chain, receive, stamps, store, todos};
    use super::*;

    #[test]
    fn marks_are_set_taken_and_given_one_by_one() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 3);
        receive(&mut store, &edits);
        let [first, second, third] = [0, 1, 2].map(|index: usize| edits[index].stamp);
        let writing = store.write(Durability::Process).unwrap();
        let both: Marks = [Mark::Contained, Mark::Committed].into_iter().collect();
        writing.set_marks([(first, both), (second, both)]).unwrap();
        writing.mark([first, third], Mark::Parked).unwrap();
        writing.unmark([first, third], Mark::Contained).unwrap();
        writing.commit().unwrap();
        let expected = BTreeMap::from([
            (
                first,
                Marks::default().with(Mark::Committed).with(Mark::Parked),
            ),
            (second, both),
            (third, Marks::default().with(Mark::Parked)),
        ]);
        assert_eq!(store.read().unwrap().marks(&todos()).unwrap(), expected);
    }

    #[test]
    fn a_mark_can_be_given_to_these_alone_and_other_marks_stay() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 3);
        receive(&mut store, &edits);
        let [first, second, third] = [0, 1, 2].map(|index: usize| edits[index].stamp);
        let writing = store.write(Durability::Process).unwrap();
        writing.mark([first, second], Mark::Shown).unwrap();
        writing.mark([first], Mark::Parked).unwrap();
        let shown = BTreeSet::from([second, third]);
        writing.mark_only(&todos(), &shown, Mark::Shown).unwrap();
        let expected = BTreeMap::from([
            (first, Marks::default().with(Mark::Parked)),
            (second, Marks::default().with(Mark::Shown)),
            (third, Marks::default().with(Mark::Shown)),
        ]);
        assert_eq!(writing.marks(&todos()).unwrap(), expected);
    }

    #[test]
    fn stamps_of_unknown_edits_take_no_mark() {
        let (_git_dir, mut store) = store();
        let edits = chain(7, 1);
        receive(&mut store, &edits);
        let unknown = stamps(8, 1)[0];
        let writing = store.write(Durability::Process).unwrap();
        writing
            .mark([unknown, edits[0].stamp], Mark::Shown)
            .unwrap();
        let marked: Vec<_> = writing.marks(&todos()).unwrap().into_keys().collect();
        assert_eq!(marked, [edits[0].stamp]);
    }
}
