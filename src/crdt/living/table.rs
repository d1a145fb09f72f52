//! The records of one list: rows of bytes as long as nothing in them is contested, and where they stand.

use std::collections::HashSet;

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_64;

use crate::crdt::document::{Atom, Node, Path, Record, Step};
use crate::crdt::edit::{Act, Change};
use crate::crdt::set::{Key, born_as};
use crate::crdt::view::Touch;
use crate::crdt::{Digest, Observed, Rules, Stamp};

use super::cell::{Cell, Origin, Superseding, Writing};
use super::holding::{base_row, born_row};
use super::kept::{Gone, Kept, history, owned_key};
use super::names::Names;
use super::units::{Open, Touches};
use super::value::{Content, Value};
use super::writing::{is_past, put, shares_group, write};

/// What a table needs of the document that it is in.
pub(super) struct Around<'a> {
    pub(super) rules: &'a Rules<'a>,
    pub(super) names: &'a mut Names,
    pub(super) scratch: &'a mut Vec<u8>,
    /// Whether something lost in the place that is edited.
    pub(super) has_losers: bool,
    /// The number of the edit, and the last one that any edit has.
    pub(super) edit: usize,
    pub(super) last_edit: &'a mut usize,
    /// Whether the edit changes several fields of this record that change together.
    pub(super) in_group: bool,
}

/// The records of one list.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Kept>,
    /// The numbers of rows by the hashes of the names that they were born under; what finds its place taken takes the next.
    index: FxHashMap<u64, u32>,
    /// The first so many rows stand in the document that the edits were made on, which has the list.
    pub(super) base: u32,
    pub(super) in_base: bool,
    /// Rows in order, those that are gone among them; nothing as long as that has to be found out.
    pub(super) spots: Option<Vec<u32>>,
    /// Whether two were born under one name.
    has_twins: bool,
}

impl Table {
    /// The list that the document has which the edits were made on. Records in which something counts are viewed from scratch.
    pub(super) fn of_base(
        records: &[Record],
        counting: &HashSet<(String, Digest)>,
        around: &mut Around<'_>,
    ) -> Self {
        let mut table = Self {
            in_base: true,
            spots: Some(Vec::with_capacity(records.len())),
            base: records.len() as u32,
            rows: Vec::with_capacity(records.len()),
            ..Self::default()
        };
        for record in records {
            let counts =
                || counting.contains(&(record.name.said().to_owned(), record.birth.digest));
            let kept = match base_row(record, around) {
                Some(row) if counting.is_empty() || !counts() => Kept::Row(row),
                _ => Kept::Open(Box::new(Open {
                    key: Key::of(record),
                    base: Some(record.clone()),
                    touches: Touches::default(),
                })),
            };
            let number = table.push(kept);
            table.spots.iter_mut().for_each(|spots| spots.push(number));
        }
        table
    }

    pub(super) fn new() -> Self {
        Self {
            spots: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// What was saved: rows in the order in which they came to be known.
    #[cfg(feature = "node")]
    pub(super) fn restored(
        rows: Vec<Kept>,
        base: u32,
        in_base: bool,
        spots: Option<Vec<u32>>,
    ) -> Option<Self> {
        let fits = base as usize <= rows.len()
            && spots
                .iter()
                .flatten()
                .all(|spot| (*spot as usize) < rows.len());
        if !fits {
            return None;
        }
        let mut table = Self {
            base,
            in_base,
            rows: Vec::with_capacity(rows.len()),
            spots: None,
            ..Self::default()
        };
        table.index.reserve(rows.len());
        for row in rows {
            table.push(row);
        }
        if !table.has_twins {
            table.spots = spots;
        }
        Some(table)
    }

    /// Whether two were born under one name.
    pub(super) fn has_twins(&self) -> bool {
        self.has_twins
    }

    pub(super) fn spots(&self) -> Option<&[u32]> {
        self.spots.as_deref()
    }

    pub(super) fn row(&self, number: u32) -> Option<&Kept> {
        self.rows.get(number as usize)
    }

    /// Adds a record that is not in any order yet.
    pub(super) fn push(&mut self, kept: Kept) -> u32 {
        let number = self.rows.len() as u32;
        let family = kept.key().map(|(family, _)| family).unwrap_or_default();
        let mut hash = xxh3_64(family.as_bytes());
        while let Some(taken) = self.index.get(&hash) {
            let other = self.rows.get(*taken as usize).and_then(Kept::key);
            self.has_twins |= other.is_some_and(|(other, _)| other == family);
            hash = hash.wrapping_add(1);
        }
        self.index.insert(hash, number);
        self.rows.push(kept);
        if self.has_twins {
            self.spots = None;
        }
        number
    }

    /// The row of the record that was born under a name, with this digest if one is asked for.
    pub(super) fn find(&self, family: &str, birth: Option<Digest>) -> Option<u32> {
        let mut hash = xxh3_64(family.as_bytes());
        while let Some(number) = self.index.get(&hash) {
            if self.row(*number)?.is_of(family, birth) {
                return Some(*number);
            }
            hash = hash.wrapping_add(1);
        }
        None
    }

    /// An edit changed a record, or what it holds.
    pub(super) fn apply(
        &mut self,
        change: &Change,
        name: &Atom,
        birth: Digest,
        rest: &[Step],
        stamp: Option<Stamp>,
        around: &mut Around<'_>,
    ) {
        let family = born_as(name, birth);
        let Some(number) = self.find(family, Some(birth)) else {
            if let Some(row) = born_row(change, name, birth, rest, stamp, around) {
                self.place(row, stamp);
                return;
            }
            let number = self.push(Kept::Open(Box::new(Open {
                key: Key::new(name, birth),
                base: None,
                touches: Touches::default(),
            })));
            return self.open(number, change, rest, stamp, around);
        };
        let Some(kept) = self.rows.get_mut(number as usize) else {
            return;
        };
        let is_done = match (kept, stamp) {
            (Kept::Row(row), Some(stamp)) => match &change.act {
                Act::Remove if rest.is_empty() => self.remove(number, change, stamp, around),
                _ => write(row, change, rest, stamp, around),
            },
            (Kept::Gone(gone), Some(stamp)) => is_past(gone, change, rest, stamp, around),
            _ => false,
        };
        if !is_done {
            self.open(number, change, rest, stamp, around);
        }
    }

    /// Something that a row cannot hold.
    fn open(
        &mut self,
        number: u32,
        change: &Change,
        rest: &[Step],
        stamp: Option<Stamp>,
        around: &mut Around<'_>,
    ) {
        if rest.is_empty() && matches!(change.act, Act::Add { .. } | Act::Move { .. }) {
            self.spots = None;
        }
        let touch = Touch {
            rest: rest.to_vec(),
            act: change.act.clone(),
            observed: change.observed.clone(),
            stamp,
            edit: around.edit,
        };
        if let Some(open) = self.opened(number, around) {
            open.touches.push(touch);
        }
    }

    /// Views a record from scratch from now on, if it is known.
    pub(super) fn open_known(&mut self, name: &Atom, birth: Digest, around: &mut Around<'_>) {
        if let Some(number) = self.find(born_as(name, birth), Some(birth)) {
            self.opened(number, around);
        }
    }

    fn opened(&mut self, number: u32, around: &mut Around<'_>) -> Option<&mut Open> {
        let kept = self.rows.get_mut(number as usize)?;
        if let Some((base, touches)) = history(kept, around.rules, around.names, around.last_edit) {
            let (family, birth) = kept.key()?;
            let key = Key {
                family: family.to_owned(),
                birth,
            };
            let mut kept_touches = Touches::default();
            touches
                .into_iter()
                .for_each(|touch| kept_touches.push(touch));
            *kept = Kept::Open(Box::new(Open {
                key,
                base,
                touches: kept_touches,
            }));
        }
        match kept {
            Kept::Open(open) => Some(open),
            _ => None,
        }
    }

    /// Takes a record away if whoever did that had seen all of it.
    fn remove(&mut self, number: u32, change: &Change, stamp: Stamp, around: &Around<'_>) -> bool {
        let Some(Kept::Row(row)) = self.rows.get(number as usize) else {
            return false;
        };
        let birth = row.birth();
        let observed = &change.observed;
        let saw = |cell: Cell<'_>| {
            let made_by = cell.made_by(birth);
            let saw_value = |value: Value<'_>| observed.contains(None, value.digest(around.rules));
            let saw = match (cell.origin, cell.content) {
                (Origin::Ancestor, Content::List(_)) => false,
                (Origin::Ancestor, Content::One(_)) => true,
                (_, Content::One(value)) => {
                    made_by.map_or_else(|| saw_value(value), |stamp| observed.has_stamp(stamp))
                }
                (_, Content::List(mut members)) => made_by
                    .map_or_else(|| members.all(saw_value), |stamp| observed.has_stamp(stamp)),
            };
            saw && !cell.seen.has(stamp, birth)
        };
        if around.has_losers || birth == Some(stamp) || !row.cells().all(saw) {
            return false;
        }
        self.take_away(number, stamp, change.observed.clone());
        true
    }

    pub(super) fn take_away(&mut self, number: u32, stamp: Stamp, observed: Observed) {
        if let Some(kept) = self.rows.get_mut(number as usize)
            && let Kept::Row(row) = kept
        {
            let row = row.clone();
            *kept = Kept::Gone(Box::new(Gone {
                row,
                stamp,
                observed,
            }));
        }
    }

    /// Writes into a field of a record that is called so, by whoever sees all of it, and tells its row; nothing where that takes more
    /// than the row.
    pub(super) fn rewrite(
        &mut self,
        name: &str,
        writing: &Writing<'_>,
        stamp: Stamp,
        around: &mut Around<'_>,
    ) -> Option<u32> {
        let number = self.find(name, None).filter(|_| !self.has_twins)?;
        let Some(Kept::Row(row)) = self.rows.get_mut(number as usize) else {
            return None;
        };
        let spot = row.spot(writing.field);
        let is_list = matches!(writing.content, Content::List(_));
        if spot.is_list == Some(!is_list) || shares_group(row, writing.field, around) {
            return None;
        }
        let by = Superseding::All(*around.rules, stamp);
        put(row, spot, writing, &by, around);
        Some(number)
    }

    /// All that was done, as if the whole list were contested: its records in the base, and edits from the list on.
    pub(super) fn into_history(self, around: &mut Around<'_>) -> (Option<Node>, Vec<Touch>) {
        let mut records = Vec::new();
        let mut all = Vec::new();
        for kept in &self.rows {
            let (key, base, touches) = match kept {
                Kept::Open(open) => (open.key.clone(), open.base.clone(), open.touches.cloned()),
                kept => {
                    let (Some((family, birth)), Some((base, touches))) = (
                        kept.key(),
                        history(kept, around.rules, around.names, around.last_edit),
                    ) else {
                        continue;
                    };
                    (
                        Key {
                            family: family.to_owned(),
                            birth,
                        },
                        base,
                        touches,
                    )
                }
            };
            let name = match kept.row().and_then(|(row, _)| row.head()) {
                Some(head) => head.name.atom(around.rules),
                None => Atom::text((around.rules.spell)(&key.family), key.family.clone()),
            };
            records.extend(base);
            all.extend(touches.into_iter().map(|mut touch| {
                touch.rest.insert(0, Step::Record(name.clone(), key.birth));
                touch
            }));
        }
        (self.in_base.then_some(Node::Set(records.into())), all)
    }

    /// What is kept of the edits of records, one by one, with their places.
    pub(super) fn kept(
        &self,
        rules: &Rules<'_>,
        names: &Names,
        at: &Path,
        each: &mut dyn FnMut(Path, &Touch),
    ) {
        let mut last_edit = 0;
        for kept in &self.rows {
            let Some(key) = owned_key(kept) else { continue };
            let name = Atom::text((rules.spell)(&key.family), key.family);
            let at = at.then(Step::Record(name, key.birth));
            let mut tell = |touch: &Touch| {
                let steps = at.steps().iter().chain(&touch.rest);
                each(steps.cloned().collect(), touch);
            };
            match kept {
                Kept::Open(open) => open.touches.iter().for_each(&mut tell),
                kept => {
                    let Some((_, touches)) = history(kept, rules, names, &mut last_edit) else {
                        continue;
                    };
                    touches.iter().for_each(&mut tell);
                }
            }
        }
    }
}
