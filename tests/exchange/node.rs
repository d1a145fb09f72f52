//! A work tree: what it keeps, and what its people do.

use std::collections::BTreeMap;

use rhema_crdt::crdt::{Act, Clock, Document, Node as Value, Record, Stamp, Stamps};
use rhema_crdt::exchange::{Access, Introduction, Now, Shelf as _};
use rhema_crdt::overlay::{Deed, DocumentPath, Known, retracted};

use crate::document::{Doing, Meaning, done, view};
use crate::line::{BEGINNING, introduction, named};
use crate::meaning::{Meanings, Meant};
use crate::shelf::Memory;

/// A work tree, between two starts of its process.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) number: u8,
    pub(crate) incarnation: u32,
    pub(crate) boot: u64,
    pub(crate) up: bool,
    pub(crate) access: Access,
    /// How far its clock is ahead, in milliseconds.
    pub(crate) skew: i64,
    pub(crate) shelf: Memory,
    clock: Clock,
}

impl Node {
    pub(crate) fn new(number: u8, access: Access) -> Self {
        let mut node = Self {
            number,
            incarnation: 0,
            boot: u64::from(number),
            up: true,
            access,
            skew: 0,
            shelf: Memory::default(),
            clock: Clock::new(introduction(number, 0).replica, None),
        };
        node.introduce();
        node
    }

    pub(crate) fn introduction(&self) -> Introduction {
        introduction(self.number, self.incarnation)
    }

    fn introduce(&mut self) {
        let introduction = self.introduction();
        self.shelf.introduce(&[introduction], &[]).unwrap();
    }

    /// The time here, so long after the beginning.
    pub(crate) fn now(&self, elapsed: u64) -> Now {
        Now {
            steady: elapsed + 1_000_000 * u64::from(self.number),
            wall: (BEGINNING + elapsed).saturating_add_signed(self.skew),
        }
    }

    /// Its edits go on under another name: those of the old one are not known to be all there, or must not be told.
    pub(crate) fn begin_incarnation(&mut self, incarnation: u32) {
        self.incarnation = incarnation;
        self.clock = Clock::new(self.introduction().replica, None);
        self.introduce();
    }

    pub(crate) fn lose_store(&mut self, incarnation: u32) {
        self.shelf = Memory::default();
        self.begin_incarnation(incarnation);
    }

    pub(crate) fn view(&self) -> Document {
        view(self.shelf.edits.values())
    }

    /// A stamp that not even a copy of this work tree has used.
    fn tick(&mut self, elapsed: u64, meanings: &Meanings) -> Stamp {
        let wall = self.now(elapsed).wall;
        loop {
            let stamp = self.clock.tick(wall).unwrap();
            if !meanings.contains_key(&stamp) {
                return stamp;
            }
        }
    }

    fn add(&mut self, stamp: Stamp, deed: Deed) {
        let chain = self
            .shelf
            .edits
            .keys()
            .filter(|other| other.replica() == stamp.replica());
        let edit = Known {
            stamp,
            previous: chain.max().copied(),
            document: DocumentPath::new(".rhema/todos.yaml"),
            base: None,
            published: Vec::new(),
            branch: None,
            deed,
        };
        self.shelf.put(vec![edit]);
    }

    /// Somebody does something here.
    pub(crate) fn edit(&mut self, doing: Doing, elapsed: u64, meanings: &mut Meanings) {
        let before = self.view();
        let stamp = self.tick(elapsed, meanings);
        let number = meanings.len();
        let Some((deed, meaning)) = done(&before, doing, stamp, number) else {
            return;
        };
        let seen = self.shelf.edits.keys().copied().collect();
        meanings.insert(stamp, Meant::new(meaning, seen, meanings));
        self.add(stamp, deed);
    }

    /// The last value that was written here under the present name is taken back.
    pub(crate) fn undo(&mut self, elapsed: u64, meanings: &mut Meanings) {
        let undone = retracted(self.shelf.edits.values());
        let of = self.introduction().replica;
        let is_written = |stamp: &&Stamp| {
            stamp.replica() == of
                && !undone.contains(stamp)
                && matches!(meanings[*stamp].meaning, Meaning::Write { .. })
        };
        let Some(last) = self.shelf.edits.keys().rfind(is_written).copied() else {
            return;
        };
        let stamp = self.tick(elapsed, meanings);
        let seen = self.shelf.edits.keys().copied().collect();
        let meaning = Meaning::Undo { stamp: last };
        meanings.insert(stamp, Meant::new(meaning, seen, meanings));
        self.add(stamp, Deed::Retract(vec![last]));
    }

    /// The clock was set right: what was made here in a time that has not come is made again under a new name.
    pub(crate) fn make_again(
        &mut self,
        latest: u64,
        incarnation: u32,
        elapsed: u64,
        meanings: &mut Meanings,
    ) {
        let undone = retracted(self.shelf.edits.values());
        let is_own = |edit: &&Known| named(edit.stamp.replica()).key == [self.number; 32];
        let early: Vec<Known> = self
            .shelf
            .edits
            .values()
            .filter(is_own)
            .filter(|edit| edit.stamp.unix_millis() > latest && !undone.contains(&edit.stamp))
            .cloned()
            .collect();
        if early.is_empty() {
            return;
        }
        self.begin_incarnation(incarnation);
        let mut names: BTreeMap<Stamp, Stamp> = BTreeMap::new();
        for edit in early {
            let stamp = self.tick(elapsed, meanings);
            let deed = match edit.deed {
                Deed::Retract(stamps) => Deed::Retract(stamps),
                Deed::Change(mut changes) => {
                    for change in &mut changes {
                        let seen = names
                            .iter()
                            .filter(|(old, _)| change.observed.has_stamp(**old));
                        let renamed: Vec<Stamp> = seen.map(|(_, anew)| *anew).collect();
                        renamed
                            .into_iter()
                            .for_each(|seen| change.observed.add_stamp(seen));
                        change.observed.add_stamp(edit.stamp);
                        if let Act::Add { record, .. } = &mut change.act {
                            rename(record, stamp);
                        }
                    }
                    Deed::Change(changes)
                }
            };
            names.insert(edit.stamp, stamp);
            let before = meanings[&edit.stamp].clone();
            let mut seen = before.seen;
            seen.extend(names.iter().flat_map(|(old, new)| [*old, *new]));
            seen.remove(&stamp);
            let meant = Meant {
                again: Some(edit.stamp),
                ..Meant::new(before.meaning, seen, meanings)
            };
            meanings.insert(stamp, meant);
            self.add(stamp, deed);
        }
    }
}

fn rename(record: &mut Record, stamp: Stamp) {
    record.birth.stamp = Some(stamp);
    for field in record.fields.values_mut() {
        if let Value::Register(_, stamps) = field {
            *stamps = Stamps::from([stamp]);
        }
    }
}
