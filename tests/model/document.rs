//! The file: records with values, and what annotations say of them. No formatting, no order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::rules::Rules;

/// A value of a leaf; its own digest.
pub(crate) type Value = u16;

/// A record: its identity and what it was born with. Different records of one identity are different numbers here.
pub(crate) type RecordId = u8;

/// How many leaves a record has.
pub(crate) const FIELDS: usize = 2;

/// The leaf that stands for the record itself.
pub(crate) const BORN: usize = FIELDS;

/// A leaf of a record, or the record itself.
pub(crate) type Leaf = (RecordId, usize);

/// Names an edit: time in seconds, then the replica (tree and incarnation).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub(crate) time: u32,
    pub(crate) replica: u16,
}

/// A stamp beside a value, and the value that it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) stamp: Stamp,
    pub(crate) digest: Value,
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}-{}", self.time, self.replica)
    }
}

/// A leaf as the file has it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) value: Value,
    pub(crate) note: Option<Note>,
    /// What the stamps here superseded that no commit held.
    pub(crate) over: BTreeSet<Stamp>,
    pub(crate) losers: BTreeMap<Value, Option<Stamp>>,
}

impl Cell {
    pub(crate) fn bare(value: Value) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }

    /// The stamp of the value that is shown.
    pub(crate) fn stamp(&self, rules: &Rules) -> Option<Stamp> {
        let fits = |note: &Note| note.digest == self.value || !rules.digests;
        self.note.filter(fits).map(|note| note.stamp)
    }

    /// Whether somebody typed over the value that is stamped: what lost to that one is settled.
    pub(crate) fn is_typed_over(&self) -> bool {
        self.note.is_some_and(|note| note.digest != self.value)
    }

    /// What it shows or keeps.
    pub(crate) fn values(&self, rules: &Rules) -> BTreeMap<Value, Option<Stamp>> {
        let mut values = self.losers.clone();
        if rules.stale_seen && self.is_typed_over() {
            values.clear();
        }
        values.insert(self.value, self.stamp(rules));
        values
    }

    pub(crate) fn has(&self, value: Value) -> bool {
        self.value == value || !self.is_typed_over() && self.losers.contains_key(&value)
    }

    /// Whether it names a stamp, as one of a value or as superseded.
    pub(crate) fn carries(&self, stamp: Stamp, rules: &Rules) -> bool {
        self.stamp(rules) == Some(stamp)
            || self.over.contains(&stamp)
            || self.losers.values().any(|lost| *lost == Some(stamp))
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)?;
        match self.note {
            Some(note) if note.digest == self.value => write!(f, "@{:?}", note.stamp)?,
            Some(note) => write!(f, "!@{:?}", note.stamp)?,
            None => {}
        }
        if !self.over.is_empty() {
            write!(f, ">{:?}", self.over)?;
        }
        if !self.losers.is_empty() {
            write!(f, " lost {:?}", self.losers)?;
        }
        Ok(())
    }
}

/// A record as the file has it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) birth: Option<Stamp>,
    pub(crate) cells: [Cell; FIELDS],
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(birth) = self.birth {
            write!(f, "+{birth:?}")?;
        }
        write!(f, "{:?}", self.cells)
    }
}

impl Record {
    /// Every stamp that it names, with the leaf.
    fn stamps(&self, rules: &Rules) -> BTreeSet<(usize, Stamp)> {
        let mut stamps: BTreeSet<_> = self.birth.map(|birth| (BORN, birth)).into_iter().collect();
        for (field, cell) in self.cells.iter().enumerate() {
            stamps.extend(cell.stamp(rules).map(|stamp| (field, stamp)));
            stamps.extend(cell.over.iter().map(|stamp| (field, *stamp)));
            stamps.extend(cell.losers.values().flatten().map(|stamp| (field, *stamp)));
        }
        stamps
    }

    pub(crate) fn carries(&self, field: usize, stamp: Stamp, rules: &Rules) -> bool {
        if field == BORN {
            self.birth == Some(stamp)
        } else {
            self.cells[field].carries(stamp, rules)
        }
    }

    /// Whether it says the same, whatever its stamps are.
    fn says_as(&self, other: &Self) -> bool {
        let says = |cell: &Cell| (cell.value, cell.losers.keys().copied().collect::<Vec<_>>());
        self.cells.iter().map(says).eq(other.cells.iter().map(says))
    }
}

pub(crate) type File = BTreeMap<RecordId, Record>;

/// Which of two values of one leaf is shown: stamped before unstamped, later before earlier, greater before less.
pub(crate) fn order(value: Value, stamp: Option<Stamp>) -> (Option<Stamp>, Value) {
    (stamp, value)
}

/// Whether commits around a merge held a stamp: F3.
pub(crate) struct Pasts<'a> {
    /// In the ancestry of the merge base.
    pub(crate) base: &'a dyn Fn(Leaf, Stamp) -> bool,
    /// In the ancestries of the sides.
    pub(crate) sides: [&'a dyn Fn(Leaf, Stamp) -> bool; 2],
    /// Whether a leaf ever had a value in the ancestries of the sides.
    pub(crate) values: [&'a dyn Fn(Leaf, Value) -> bool; 2],
}

/// The merge driver.
pub(crate) struct Driver<'a> {
    pub(crate) rules: &'a Rules,
    /// Only in a true merge.
    pub(crate) pasts: Option<Pasts<'a>>,
}

impl Driver<'_> {
    /// Whether what side `of` has and the other lacks was superseded on the other side.
    fn stood_there(&self, of: usize, leaf: Leaf, stamp: Option<Stamp>) -> bool {
        let (Some(pasts), Some(stamp)) = (&self.pasts, stamp) else {
            return false;
        };
        self.rules.ancestry && !(pasts.base)(leaf, stamp) && (pasts.sides[1 - of])(leaf, stamp)
    }

    fn cell(&self, leaf: Leaf, base: Option<&Cell>, sides: [&Cell; 2]) -> Cell {
        let [ours, theirs] = sides;
        if base == Some(ours) || ours == theirs {
            return theirs.clone();
        }
        if base == Some(theirs) {
            return ours.clone();
        }
        let in_base = base.map(|base| base.values(self.rules)).unwrap_or_default();
        let values = sides.map(|side| side.values(self.rules));
        // What stands in base as it does here. A later stamp beside the same value is an edit.
        let is_old = |value: &Value, stamp: Option<Stamp>| {
            in_base.get(value).is_some_and(|old| stamp <= *old)
        };
        let mut kept: BTreeMap<Value, Option<Stamp>> = BTreeMap::new();
        for (of, side) in values.iter().enumerate() {
            for (value, stamp) in side {
                let other = values[1 - of].get(value);
                let other_side = sides[1 - of];
                // Its stamp stands there beside another, new value: it was typed over.
                let typed_over = |stamp: Stamp| {
                    self.rules.typed_over
                        && self.pasts.is_some()
                        && other_side.note.is_some_and(|note| {
                            note.stamp == stamp && note.digest != other_side.value
                        })
                        && base.is_none_or(|base| base.value != other_side.value)
                };
                let superseded = stamp
                    .is_some_and(|stamp| other_side.over.contains(&stamp) || typed_over(stamp));
                let stays = match other {
                    Some(_) => true,
                    None => {
                        !is_old(value, *stamp) && !superseded && !self.stood_there(of, leaf, *stamp)
                    }
                };
                if stays {
                    let best = kept.entry(*value).or_default();
                    *best = (*best).max(*stamp);
                }
            }
        }
        let mut changed: Vec<Value> = Vec::new();
        for (side, values) in sides.iter().zip(&values) {
            let stamp = values[&side.value];
            let is_shown = base.is_some_and(|base| base.value == side.value);
            let is_edit = !is_shown || !is_old(&side.value, stamp);
            changed.extend(Some(side.value).filter(|value| is_edit && kept.contains_key(value)));
        }
        let best =
            |of: &mut dyn Iterator<Item = Value>| of.max_by_key(|value| order(*value, kept[value]));
        let shown = best(&mut changed.iter().copied())
            .or_else(|| Some(ours.value).filter(|shown| kept.contains_key(shown)))
            .or_else(|| best(&mut kept.keys().copied()))
            .unwrap_or(ours.value);
        let stamps = sides.iter().filter(|side| side.value == shown);
        let stamp = kept.remove(&shown).flatten();
        let mut over: BTreeSet<Stamp> = ours.over.union(&theirs.over).copied().collect();
        over.extend(stamps.filter_map(|side| side.stamp(self.rules)));
        over.retain(|old| Some(*old) != stamp);
        Cell {
            value: shown,
            note: stamp.map(|stamp| Note {
                stamp,
                digest: shown,
            }),
            over,
            losers: kept,
        }
    }

    /// Merges two sides.
    pub(crate) fn merge(&self, base: &File, sides: [&File; 2]) -> File {
        let [ours, theirs] = sides;
        let mut merged = File::new();
        let ids: BTreeSet<RecordId> = ours.keys().chain(theirs.keys()).copied().collect();
        for id in ids {
            let record = match [ours.get(&id), theirs.get(&id)] {
                [Some(ours), Some(theirs)] => {
                    let base = base.get(&id);
                    let cell = |field: usize| {
                        let base = base.map(|record| &record.cells[field]);
                        self.cell(
                            (id, field),
                            base,
                            [&ours.cells[field], &theirs.cells[field]],
                        )
                    };
                    Record {
                        birth: ours.birth.min(theirs.birth).or(ours.birth).or(theirs.birth),
                        cells: std::array::from_fn(cell),
                    }
                }
                [Some(one), None] if self.stays(id, base.get(&id), one, 0) => one.clone(),
                [None, Some(one)] if self.stays(id, base.get(&id), one, 1) => one.clone(),
                _ => continue,
            };
            merged.insert(id, record);
        }
        merged
    }

    /// Whether a record that only side `of` has stays.
    fn stays(&self, id: RecordId, base: Option<&Record>, one: &Record, of: usize) -> bool {
        let is_new = |(field, stamp): &(usize, Stamp)| match base {
            None => true,
            Some(base) => match *field {
                BORN => false,
                field => {
                    let old = &base.cells[field];
                    let is_value = one.cells[field]
                        .values(self.rules)
                        .values()
                        .any(|of| *of == Some(*stamp));
                    is_value && !old.carries(*stamp, self.rules)
                }
            },
        };
        let stamps: Vec<_> = one.stamps(self.rules).into_iter().filter(is_new).collect();
        let changed = base.is_none_or(|base| !base.says_as(one)) || !stamps.is_empty();
        // Every value that base does not have must be stamped to tell where it stood before.
        let all_told = (0..FIELDS).all(|field| {
            let old = base.map(|base| base.cells[field].values(self.rules));
            let stood = |value: &Value| old.as_ref().is_some_and(|old| old.contains_key(value));
            let values = one.cells[field].values(self.rules);
            let is_birth = base.is_none() && one.birth.is_some();
            let had = |value: Value| {
                let pasts = self.pasts.as_ref();
                !self.rules.bare_stood
                    || pasts.is_some_and(|pasts| (pasts.values[1 - of])((id, field), value))
            };
            let told = |(value, stamp): (&Value, &Option<Stamp>)| {
                stood(value) || stamp.is_some() || is_birth && had(*value)
            };
            values.iter().all(told)
        });
        let stood = stamps
            .iter()
            .all(|(field, stamp)| self.stood_there(of, (id, *field), Some(*stamp)));
        changed && !(all_told && !stamps.is_empty() && stood)
    }
}

/// Git's own merge, of lines: nothing where it would stop.
pub(crate) fn merge_lines(base: &File, ours: &File, theirs: &File) -> Option<File> {
    let ids: BTreeSet<RecordId> = [base, ours, theirs]
        .iter()
        .flat_map(|file| file.keys())
        .copied()
        .collect();
    let mut merged = File::new();
    for id in ids {
        let [base, ours, theirs] = [base, ours, theirs].map(|file| file.get(&id));
        let record = if base == ours || ours == theirs {
            theirs
        } else if base == theirs {
            ours
        } else {
            return None;
        };
        merged.extend(record.map(|record| (id, record.clone())));
    }
    Some(merged)
}
