//! Of the many edits that HEAD contains those that tell something of others: what is about the same records, and about what is around
//! these. The rest is not even read.
//!
//! That HEAD contains an edit is told by the mark that it got at the last look, as long as HEAD stands there or went on from there: what a commit
//! contains its descendants do, too. The others are open. What a contained edit does to an open one it does in one place: it closed it, gave
//! birth to the record in which it is, or took that away.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use super::document::Since;
use crate::crdt::{Act, Change, Document, Node, Path, Stamp};
use crate::overlay::DocumentPath;
use crate::store::{Mark, Marks, Reading, StoredEdit, Whereabouts, Which};

/// What is about more places than these is as soon read all.
const MOST_PLACES: usize = 4_096;

/// Places, by what edits are found by that are about them.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    places: BTreeSet<Whereabouts>,
    /// Whether it may be anywhere.
    is_everywhere: bool,
}

impl Around {
    /// Adds a place, and what is around it.
    pub(super) fn place(&mut self, at: &Path) {
        self.places.extend(Whereabouts::of_all_around(at));
    }

    /// Adds where everything is that may have closed a change, or tells of the record in which it was made.
    pub(super) fn change(&mut self, change: &Change) {
        // What closes a value of a whole entry may be anywhere in it.
        self.is_everywhere |= is_of_a_whole_entry(change);
        self.place(&change.at);
    }

    /// Whether all that this change would add is there.
    pub(super) fn has(&self, change: &Change) -> bool {
        let mut around = Whereabouts::of_all_around(&change.at);
        self.is_everywhere
            || (!is_of_a_whole_entry(change) && around.all(|place| self.places.contains(&place)))
    }

    /// Adds everything that stands in a document.
    pub(super) fn document(&mut self, document: &Document) {
        for (name, node) in &document.root {
            let at = Path::default().entry(name);
            self.place(&at);
            if let Node::Set(records) = node {
                for record in records.iter() {
                    self.place(&at.record(record));
                }
            }
        }
    }

    /// Where contained edits may tell something of those that are open, all of which are given: so that it can be judged what HEAD contains of
    /// these.
    pub(super) fn open(
        reading: &Reading<'_>,
        path: &DocumentPath,
        open: &[StoredEdit],
        since: Since,
    ) -> Result<Self, Error> {
        let mut around = Self::default();
        match since {
            Since::Same => around.what_came(open, &reading.retracted(path)?),
            Since::Further => {
                for change in open.iter().flat_map(|edit| edit.known.changes()) {
                    around.change(change);
                }
                around.what_was_retracted(reading, path)?;
            }
            Since::Elsewhere => around.is_everywhere = true,
        }
        Ok(around)
    }

    /// At the last look it was told of all others whether HEAD contains them.
    fn what_came(&mut self, open: &[StoredEdit], retracted: &BTreeSet<Stamp>) {
        let is_new = |edit: &&StoredEdit| {
            edit.marks == Marks::default() && !retracted.contains(&edit.known.stamp)
        };
        let mut news = Self::default();
        for change in open
            .iter()
            .filter(is_new)
            .flat_map(|edit| edit.known.changes())
        {
            // What it closes may be in it.
            news.is_everywhere |= change.at.steps().len() < 2;
            news.change(change);
        }
        // What came may complete what closed one of these.
        for edit in open {
            let mut changes = edit.known.changes().iter();
            if changes.any(|change| {
                news.is_everywhere || news.places.contains(&Whereabouts::of(&change.at))
            }) {
                edit.known
                    .changes()
                    .iter()
                    .for_each(|change| self.change(change));
            }
        }
    }

    /// What was retracted closes nothing any more, also where HEAD contains it.
    fn what_was_retracted(
        &mut self,
        reading: &Reading<'_>,
        path: &DocumentPath,
    ) -> Result<(), Error> {
        for stamp in reading.retracted(path)? {
            let edit = reading.edit(stamp)?;
            let contained = edit.filter(|edit| edit.marks.contains(Mark::Contained));
            for change in contained.iter().flat_map(|edit| edit.known.changes()) {
                // What it closed may be in it.
                self.is_everywhere |= change.at.steps().len() < 2;
                self.change(change);
            }
        }
        Ok(())
    }

    /// The contained edits there, but for those that are about what `read` has; all of the document where that is as soon done, `true` then.
    pub(super) fn contained(
        &self,
        reading: &Reading<'_>,
        path: &DocumentPath,
        read: &Self,
    ) -> Result<(Vec<StoredEdit>, bool), Error> {
        if self.is_everywhere || self.places.len() > MOST_PLACES {
            let mut all = reading.edits(path, Which::All)?;
            all.retain(|edit| edit.marks.contains(Mark::Contained));
            return Ok((all, true));
        }
        let mut contained: BTreeMap<Stamp, StoredEdit> = BTreeMap::new();
        for place in self.places.difference(&read.places) {
            let about = reading.contained_about(path, *place)?;
            contained.extend(about.into_iter().map(|edit| (edit.known.stamp, edit)));
        }
        Ok((contained.into_values().collect(), false))
    }

    /// Adds all places of another one.
    pub(super) fn extend(&mut self, other: &Self) {
        self.places.extend(&other.places);
        self.is_everywhere |= other.is_everywhere;
    }
}

/// Whether a change wrote or took away all that an entry of the root holds, or the root.
fn is_of_a_whole_entry(change: &Change) -> bool {
    let is_of_a_value = matches!(
        change.act,
        Act::Remove
            | Act::Write(_)
            | Act::Replace(_)
            | Act::Last(_)
            | Act::Count(_)
            | Act::Raise(_)
    );
    is_of_a_value && change.at.steps().len() < 2
}

#[cfg(test)]
mod tests {
    use super::super::document::Edits;
    use super::super::policy::Policy;
    use super::*;
    use crate::crdt::{Atom, Digest, Observed, Replica, Step};
    use crate::overlay::{CommitId, Containment, Deed, Known};
    use crate::store::{Durability, Issuer, Opened, Store, Way};

    fn path() -> DocumentPath {
        DocumentPath::new(".rhema/todos.yaml")
    }

    fn stamp(number: u64) -> Stamp {
        Stamp::from_unix_millis(1_800_000_000_000 + number, Replica::from_bits(7)).unwrap()
    }

    fn notes_of(record: &str) -> Path {
        let name = Atom::text(format!("\"{record}\""), record.to_owned());
        let steps = [
            Step::Entry("todos".to_owned()),
            Step::Record(name, Digest::of(record.as_bytes())),
            Step::Entry("notes".to_owned()),
        ];
        steps.into_iter().collect()
    }

    fn made(number: u64, deed: Deed) -> Known {
        Known {
            stamp: stamp(number),
            previous: None,
            document: path(),
            base: None,
            published: Vec::new(),
            branch: None,
            deed,
        }
    }

    /// A write that saw some edits.
    fn write(number: u64, at: &Path, seen: &[u64]) -> Known {
        let mut observed = Observed::default();
        seen.iter()
            .for_each(|seen| observed.add_stamp(stamp(*seen)));
        let change = Change {
            at: at.clone(),
            act: Act::Write(Atom::number(1)),
            observed,
        };
        made(number, Deed::Change(vec![change]))
    }

    /// A store with these edits.
    fn store(edits: &[(Known, &[Mark])]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let Opened { mut store, .. } = Store::open(folder.path()).unwrap();
        let writing = store.write(Durability::Process).unwrap();
        for (edit, marks) in edits {
            writing.add(edit, Issuer::Own, Way::Recorded).unwrap();
            let marks = marks.iter().copied().collect();
            writing.set_marks([(edit.stamp, marks)]).unwrap();
        }
        writing.commit().unwrap();
        (folder, store)
    }

    const CONTAINED: &[Mark] = &[Mark::Contained, Mark::Committed];

    /// Which contained edits are read, and whether these are all.
    fn read(store: &mut Store, since: Since) -> (Vec<Stamp>, bool) {
        let reading = store.read().unwrap();
        let open = reading.open_edits(&path(), Which::All).unwrap();
        let around = Around::open(&reading, &path(), &open, since).unwrap();
        let (contained, are_all) = around
            .contained(&reading, &path(), &Around::default())
            .unwrap();
        let stamps = contained.iter().map(|edit| edit.known.stamp).collect();
        (stamps, are_all)
    }

    #[test]
    fn of_what_head_contains_that_is_read_which_is_about_what_is_open() {
        let edits = [
            (write(1, &notes_of("a"), &[]), CONTAINED),
            (write(2, &notes_of("b"), &[]), CONTAINED),
            (write(3, &notes_of("c"), &[]), CONTAINED),
            (write(4, &notes_of("a"), &[1]), &[Mark::Shown][..]),
            (write(5, &notes_of("b"), &[2]), &[][..]),
        ];
        let (_folder, mut store) = store(&edits);
        let same = read(&mut store, Since::Same);
        assert_eq!(same, (vec![stamp(2)], false), "what came is about `b`");
        let further = read(&mut store, Since::Further);
        assert_eq!(further, (vec![stamp(1), stamp(2)], false));
        let elsewhere = read(&mut store, Since::Elsewhere);
        assert_eq!(elsewhere, (vec![stamp(1), stamp(2), stamp(3)], true));
    }

    #[test]
    fn what_closes_a_whole_entry_may_be_anywhere() {
        let edits = [
            (write(1, &notes_of("a"), &[]), CONTAINED),
            (write(2, &Path::default().entry("todos"), &[]), &[][..]),
        ];
        let (_folder, mut store) = store(&edits);
        assert_eq!(read(&mut store, Since::Same), (vec![stamp(1)], true));
    }

    #[test]
    fn what_was_closed_by_an_edit_that_is_retracted_by_now_is_asked_for_again() {
        let closed = write(1, &notes_of("a"), &[]);
        let closing = write(2, &notes_of("a"), &[1]);
        let retraction = made(3, Deed::Retract(vec![closing.stamp]));
        let head = CommitId::from_bytes([1; 20]);
        let asked_with = |retraction: Option<&Known>| {
            let mut edits = vec![(closed.clone(), CONTAINED), (closing.clone(), CONTAINED)];
            edits.extend(retraction.map(|edit| (edit.clone(), &[][..])));
            let (_folder, mut store) = store(&edits);
            let (contained, _) = read(&mut store, Since::Further);
            let reading = store.read().unwrap();
            let mut known = reading.edits(&path(), Which::All).unwrap();
            known.retain(|edit| {
                let stamp = edit.known.stamp;
                !edit.marks.contains(Mark::Contained) || contained.contains(&stamp)
            });
            let mut edits = Edits::of(known, &Policy::default());
            let mut asked = Vec::new();
            let held = |_, open: &[&Known]| {
                asked.extend(open.iter().map(|known| known.stamp));
                let none = |known: &&Known| Containment::Known(vec![false; known.changes().len()]);
                Ok(open.iter().map(none).collect())
            };
            edits.judge(Some(head), Since::Further, held).unwrap();
            let is_contained = |stamp| edits.peek(stamp).map(|edit| edit.has(Mark::Contained));
            (asked, is_contained(closed.stamp))
        };
        assert_eq!(asked_with(None), (vec![], None), "it is not even read");
        let asked = vec![closed.stamp, retraction.stamp];
        assert_eq!(asked_with(Some(&retraction)), (asked, Some(false)));
    }
}
