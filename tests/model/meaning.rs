//! What was meant: the oracle's view of texts, commits and replicas. It knows every edit by a number of its own and never
//! looks at stamps, digests, reflogs or renderings.
//!
//! A *write* is one change of one leaf by one person, or the removal of a record. A text *means* the writes that are live
//! in it and has *done* all that led to it. What a text should show is told by set operations on these numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::bits::Bits;
use crate::document::{BORN, Cell, FIELDS, File, Leaf, RecordId, Value};

pub(crate) type WriteId = usize;

/// One change of one leaf.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// The leaf; of a removal the record itself.
    pub(crate) leaf: Leaf,
    /// Nothing for a removal.
    pub(crate) value: Option<Value>,
    /// What it replaces, transitively.
    pub(crate) replaces: Bits,
    /// The replica that made it (tree and incarnation).
    pub(crate) author: u16,
    /// What its record was born with: no stamp beside it.
    pub(crate) is_initial: bool,
    /// What a revert, a cherry-pick or a restoration wrote again.
    pub(crate) copy_of: Option<WriteId>,
}

/// What a text means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meant {
    pub(crate) live: BTreeMap<Leaf, Bits>,
    pub(crate) done: Bits,
    /// What a commit in the history had.
    pub(crate) stood: Bits,
    /// What stands in the text although somebody replaced it where no file could tell.
    pub(crate) weak: Bits,
    /// What was typed over and may still stand in the text as lost.
    pub(crate) doubt: Bits,
}

impl Meant {
    pub(crate) fn at(&self, leaf: Leaf) -> Bits {
        self.live.get(&leaf).copied().unwrap_or_default()
    }

    pub(crate) fn put(&mut self, leaf: Leaf, live: Bits) {
        if live.is_empty() {
            self.live.remove(&leaf);
        } else {
            self.live.insert(leaf, live);
        }
    }

    pub(crate) fn all_at(&self, record: RecordId) -> Bits {
        (0..=BORN).fold(Bits::default(), |all, field| all | self.at((record, field)))
    }

    pub(crate) fn has(&self, record: RecordId) -> bool {
        !self.all_at(record).is_empty()
    }

    pub(crate) fn records(&self) -> BTreeSet<RecordId> {
        self.live.keys().map(|(record, _)| *record).collect()
    }
}

/// What may be seen at each leaf, beside what must.
pub(crate) type May = BTreeMap<Leaf, Bits>;

/// The leaves of these records.
pub(crate) fn leaves(records: impl IntoIterator<Item = RecordId>) -> Vec<Leaf> {
    let records = records.into_iter();
    records
        .flat_map(|record| (0..=BORN).map(move |field| (record, field)))
        .collect()
}

/// All writes of a walk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writes(pub(crate) Vec<Write>);

impl Writes {
    /// Whether a walk has become too long.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() + 40 > Bits::ROOM
    }

    /// With what these replaced.
    pub(crate) fn closure(&self, of: Bits) -> Bits {
        of.iter().fold(of, |all, id| all | self.0[id].replaces)
    }

    pub(crate) fn replaced_by(&self, of: Bits) -> Bits {
        of.iter()
            .fold(Bits::default(), |all, id| all | self.0[id].replaces)
    }

    /// The writes among these at a leaf that say something there.
    pub(crate) fn at(&self, among: Bits, leaf: Leaf) -> Bits {
        among
            .iter()
            .filter(|id| self.0[*id].leaf == leaf && self.0[*id].value.is_some())
            .collect()
    }

    pub(crate) fn by(&self, author: u16) -> Bits {
        (0..self.0.len())
            .filter(|id| self.0[*id].author == author)
            .collect()
    }

    pub(crate) fn mint(
        &mut self,
        leaf: Leaf,
        value: Option<Value>,
        over: Bits,
        author: u16,
    ) -> WriteId {
        let replaces = self.closure(over);
        self.0.push(Write {
            leaf,
            value,
            replaces,
            author,
            is_initial: false,
            copy_of: None,
        });
        self.0.len() - 1
    }

    /// The same again, as a new write over others.
    pub(crate) fn copy(&mut self, id: WriteId, over: Bits, author: u16) -> WriteId {
        let Write { leaf, value, .. } = self.0[id].clone();
        let copy = self.mint(leaf, value, over | Bits::of(id), author);
        self.0[copy].copy_of = Some(id);
        copy
    }

    /// What a write was first.
    pub(crate) fn origin(&self, id: WriteId) -> Bits {
        let mut all = Bits::of(id);
        let mut at = id;
        while let Some(from) = self.0[at].copy_of {
            all.insert(from);
            at = from;
        }
        all
    }

    /// Somebody types a value in over what the leaf shows; what lost there may stay in the text until somebody looks.
    pub(crate) fn set(
        &mut self,
        meant: &mut Meant,
        leaf: Leaf,
        value: Value,
        over: Option<&Cell>,
        author: u16,
    ) {
        let mut old = self.at(meant.done, leaf) | meant.at(leaf);
        if meant.at(leaf).is_empty() && over.is_some() {
            // What came back whole with another leaf.
            let is_it = |id: &usize| {
                self.0[*id].leaf == leaf && self.0[*id].value == over.map(|cell| cell.value)
            };
            old |= (0..self.0.len()).filter(is_it).collect();
        }
        if over.is_some_and(|cell| !cell.losers.is_empty()) {
            meant.doubt |= meant.at(leaf);
        }
        let id = self.mint(leaf, Some(value), old, author);
        meant.put(leaf, Bits::of(id));
        meant.done.insert(id);
    }

    pub(crate) fn add(
        &mut self,
        meant: &mut Meant,
        record: RecordId,
        values: [Value; FIELDS],
        author: u16,
    ) {
        self.set(meant, (record, BORN), 0, None, author);
        for (field, value) in values.into_iter().enumerate() {
            self.set(meant, (record, field), value, None, author);
            if let Some(write) = self.0.last_mut() {
                write.is_initial = true;
            }
        }
    }

    pub(crate) fn remove(&mut self, meant: &mut Meant, record: RecordId, author: u16) {
        let past = leaves([record])
            .into_iter()
            .fold(Bits::default(), |past, leaf| {
                past | self.at(meant.done, leaf)
            });
        let id = self.mint((record, BORN), None, meant.all_at(record) | past, author);
        meant.live.retain(|(of, _), _| *of != record);
        meant.done.insert(id);
    }

    /// A true merge: of each side what the other's history has not replaced; and what may be there all the same, because it
    /// was removed there before any commit had it.
    pub(crate) fn merge(&self, ours: &Meant, theirs: &Meant) -> (Meant, May) {
        let mut may = May::new();
        let mut merged = Meant {
            done: ours.done | theirs.done,
            stood: ours.stood | theirs.stood,
            weak: ours.weak | theirs.weak,
            doubt: ours.doubt | theirs.doubt,
            ..Meant::default()
        };
        let records = &ours.records() | &theirs.records();
        for leaf in leaves(records) {
            let (a, b) = (ours.at(leaf), theirs.at(leaf));
            let mut live = Bits::default();
            for id in (a | b).iter() {
                let stays = |mine: Bits, side: &Meant| mine.has(id) || !side.done.has(id);
                // What came back to an old value is no change to git.
                let other = if a.has(id) { theirs } else { ours };
                let is_back = self.0[id].copy_of.is_some()
                    && !(a & b).has(id)
                    && self.origin(id).meets(&other.done);
                if is_back {
                    merged.weak.insert(id);
                    may.entry(leaf).or_default().insert(id);
                } else if stays(a, ours) && stays(b, theirs) {
                    live.insert(id);
                } else {
                    let other = if a.has(id) { theirs } else { ours };
                    let removed = other
                        .done
                        .iter()
                        .any(|by| self.0[by].value.is_none() && self.0[by].replaces.has(id));
                    if other.weak.has(id)
                        || (removed || self.0[id].is_initial) && !other.stood.has(id)
                    {
                        merged.weak.insert(id);
                        may.entry(leaf).or_default().insert(id);
                    }
                }
            }
            merged.put(leaf, live);
        }
        // A record that comes back does so whole.
        for leaf in leaves(merged.records()) {
            if ours.has(leaf.0) != theirs.has(leaf.0) {
                *may.entry(leaf).or_default() |= ours.at(leaf) | theirs.at(leaf);
                merged.weak |= (ours.at(leaf) | theirs.at(leaf)) - merged.at(leaf);
            }
        }
        (merged, may)
    }

    /// The change from `base` to `theirs`, made anew on `ours`.
    pub(crate) fn replay(
        &mut self,
        base: &Meant,
        ours: &Meant,
        theirs: &Meant,
        author: u16,
    ) -> Meant {
        let mut replayed = ours.clone();
        let records = &(&base.records() | &theirs.records()) | &ours.records();
        for record in records {
            for leaf in leaves([record]) {
                let (before, after) = (base.at(leaf), theirs.at(leaf));
                let taken = before - after;
                // The same change may have come twice.
                let origins = taken
                    .iter()
                    .fold(Bits::default(), |all, id| all | self.origin(id));
                let gone = taken
                    | ours
                        .at(leaf)
                        .iter()
                        .filter(|id| self.origin(*id).meets(&origins))
                        .collect();
                let mut live = ours.at(leaf) - gone;
                let over = gone | (ours.at(leaf) - live);
                for id in (after - before).iter() {
                    let copy = self.copy(id, over, author);
                    live.insert(copy);
                    replayed.done.insert(copy);
                }
                replayed.put(leaf, live);
            }
            if base.has(record) && !theirs.has(record) {
                let removal = self.mint((record, BORN), None, base.all_at(record), author);
                replayed.done.insert(removal);
            }
        }
        replayed
    }

    /// What must be seen at a leaf, and what may be.
    fn values(&self, of: Bits) -> BTreeSet<Value> {
        of.iter().filter_map(|id| self.0[id].value).collect()
    }

    /// Compares a text with what it must and may show, and takes what it shows for meant.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check(&self, file: &File, must: &mut Meant, may: &May) -> Result<(), String> {
        let mut records = must.records();
        records.extend(may.keys().map(|(record, _)| *record));
        records.extend(must.doubt.iter().map(|id| self.0[id].leaf.0));
        if let Some(record) = file.keys().find(|record| !records.contains(record)) {
            return Err(format!("law 3: record {record} is there"));
        }
        for record in records {
            let Some(found) = file.get(&record) else {
                if must.has(record) {
                    return Err(format!("law 2: record {record} is missing"));
                }
                continue;
            };
            for field in 0..FIELDS {
                let leaf = (record, field);
                let live = must.at(leaf);
                let sure = live | may.get(&leaf).copied().unwrap_or_default();
                let all = sure | self.at(must.doubt, leaf);
                let cell = &found.cells[field];
                if live.is_empty() {
                    let seen = sure
                        .iter()
                        .filter(|id| self.0[*id].value.is_some_and(|value| cell.has(value)));
                    must.put(leaf, seen.collect());
                    // It came back whole with another leaf.
                    continue;
                }
                if let Some(lost) = self
                    .values(live)
                    .into_iter()
                    .find(|value| !cell.has(*value))
                {
                    return Err(format!("law 2: {leaf:?} lost {lost}: {cell:?}"));
                }
                let values = self.values(all);
                let kept = cell.losers.keys().filter(|value| cell.has(**value));
                let shown = std::iter::once(&cell.value).chain(kept);
                if let Some(ghost) = shown.into_iter().find(|value| !values.contains(value))
                    && !all.is_empty()
                {
                    return Err(format!(
                        "law 3: {leaf:?} has {ghost}, which is not meant: {cell:?}"
                    ));
                }
                if !live.is_empty() && !self.values(sure).contains(&cell.value) {
                    return Err(format!("law 3: {leaf:?} shows {}: {cell:?}", cell.value));
                }
                let seen = sure
                    .iter()
                    .filter(|id| self.0[*id].value.is_some_and(|value| cell.has(value)));
                must.put(leaf, seen.collect());
            }
            let born =
                must.at((record, BORN)) | may.get(&(record, BORN)).copied().unwrap_or_default();
            must.put((record, BORN), born);
            let is_doubtful = must.doubt.iter().any(|id| self.0[id].leaf.0 == record);
            if !must.has(record) && !is_doubtful && may.keys().all(|(of, _)| *of != record) {
                return Err(format!("law 3: record {record} is there"));
            }
        }
        Ok(())
    }
}
