//! What was done to a file, told from the text that its writer started from.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{BORN, Cell, FIELDS, File, Leaf, Record, RecordId, Stamp, Value};
use crate::edits::{Change, ChangeId, Deed, Seen};
use crate::graph::CommitId;
use crate::look::Look;

/// Seconds within which a writer may have read an earlier text.
const WINDOW: u32 = 10;

impl Look<'_> {
    /// What the file's writer started from: the current rendering, or one that was current when the file was written.
    pub(crate) fn writers_base(&mut self) -> File {
        let current = &self.store.rendering;
        let work = &self.tree.work.file;
        let agrees = |old: &&(File, u32)| {
            let ids: BTreeSet<RecordId> = old.0.keys().chain(current.keys()).copied().collect();
            let mut differing = ids
                .into_iter()
                .filter(|id| old.0.get(id) != current.get(id));
            self.rules.three_way || differing.all(|id| work.get(&id) == old.0.get(&id))
        };
        let mut recent = self
            .store
            .ring
            .iter()
            .filter(|(_, until)| until + WINDOW >= self.tree.mtime);
        let old = recent.find(|old| self.rules.window && agrees(old));
        match old {
            Some((old, _)) => {
                let old = old.clone();
                self.is_continuous = false;
                self.raced = self.rules.three_way;
                old
            }
            None => current.clone(),
        }
    }

    /// Records the difference between the file and what its writer started from.
    pub(crate) fn record(&mut self, base: File, head: CommitId) {
        let work = self.tree.work.file.clone();
        let retracted = self.store.retracted();
        let mut changes = Vec::new();
        for mut change in self.after_birth(self.difference(&base, &work, head), &work) {
            if self.raced && self.has_already(&change) {
                continue;
            }
            if self.rules.not_again && self.is_still_shown(&change) {
                continue;
            }
            let known_aside = self.aside(&change, head, &retracted);
            let is_bare = self.found(&base, &change).is_none();
            if let Some(id) = known_aside.filter(|_| is_bare && self.rules.bare) {
                self.store.take_up(id);
                continue;
            }
            let found = self
                .found(&base, &change)
                .map(|stamp| self.name_of(stamp, &change));
            let adopted = found.and_then(|stamp| self.store.known.get(&stamp));
            match (found, adopted) {
                (Some(stamp), Some(known)) => {
                    let at = known.changes.iter().position(|old| {
                        old.record == change.record && same_target(&old.deed, &change.deed)
                    });
                    let is_gone = at.is_none_or(|at| {
                        retracted.contains(&(stamp, at)) || self.contains(head, known, at)
                    });
                    if let Some(at) = at.filter(|_| !is_gone) {
                        self.store.take_up((stamp, at));
                        continue;
                    }
                }
                (Some(stamp), None)
                    if self.rules.found && !self.graph_stood(head, &change, stamp) =>
                {
                    if let Deed::Set { field, written, .. } = &mut change.deed {
                        *written = Some(stamp);
                        change.seen.entry(*field).or_default().stamps.insert(stamp);
                    }
                }
                _ => {}
            }
            changes.push(change);
        }
        if let Some(stamp) = self.issue(changes, head, BTreeSet::new()) {
            for at in 0..self.store.known[&stamp].changes.len() {
                self.store.made.insert((stamp, at), self.tree.reflog.len());
            }
        }
    }

    /// Whether the current rendering shows it, too.
    pub(crate) fn has_already(&self, change: &Change) -> bool {
        let record = self.store.rendering.get(&change.record);
        match (&change.deed, record) {
            (
                &Deed::Set {
                    field, new, beside, ..
                },
                Some(record),
            ) => {
                let cell = &record.cells[field];
                cell.value == new || beside.is_some() && cell.has(new)
            }
            (Deed::Born(_), Some(_)) | (Deed::Removed, None) => true,
            _ => false,
        }
    }

    /// An edit that is elsewhere and did just this.
    pub(crate) fn aside(
        &self,
        change: &Change,
        head: CommitId,
        retracted: &BTreeSet<ChangeId>,
    ) -> Option<ChangeId> {
        let mut once = self
            .store
            .changes()
            .filter(|(id, ..)| self.store.once.contains_key(id) && !retracted.contains(id));
        let same = once.find(|(id, known, old)| {
            old.record == change.record
                && writes_same(&old.deed, &change.deed)
                && same_target(&old.deed, &change.deed)
                && !self.contains(head, known, id.1)
        });
        same.map(|(id, ..)| id)
    }

    /// The edit of ours that took up a stamp which nobody knew.
    pub(crate) fn name_of(&self, stamp: Stamp, change: &Change) -> Stamp {
        let took_up = |old: &Change| {
            let is_it = matches!(old.deed, Deed::Set { written, .. } if written == Some(stamp));
            is_it && target(old) == target(change)
        };
        let known = || {
            self.store
                .known
                .values()
                .find(|known| known.changes.iter().any(took_up))
        };
        if self.store.known.contains_key(&stamp) {
            stamp
        } else {
            known().map_or(stamp, |known| known.stamp)
        }
    }

    pub(crate) fn graph_stood(&self, head: CommitId, change: &Change, stamp: Stamp) -> bool {
        let field = match change.deed {
            Deed::Set { field, .. } => field,
            _ => BORN,
        };
        self.graph.stood(head, (change.record, field), stamp)
    }

    /// The stamp that the file has for a change, if it was not there before.
    pub(crate) fn found(&self, base: &File, change: &Change) -> Option<Stamp> {
        let of = |file: &File| {
            let record = file.get(&change.record)?;
            match change.deed {
                Deed::Set {
                    field,
                    new,
                    beside: Some(_),
                    ..
                } => record.cells[field].losers.get(&new).copied().flatten(),
                Deed::Set { field, .. } => record.cells[field].stamp(self.rules),
                _ => record.birth,
            }
        };
        of(&self.tree.work.file).filter(|stamp| of(base) != Some(*stamp))
    }

    /// What was typed over a record whose birth is known counts beside its birth.
    pub(crate) fn after_birth(&self, changes: Vec<Change>, after: &File) -> Vec<Change> {
        let mut all = Vec::new();
        for mut change in changes {
            if matches!(change.deed, Deed::Born(_))
                && let Some(record) = after.get(&change.record)
                && let Some(known) = record.birth.and_then(|birth| self.store.known.get(&birth))
                && let Some((values, body)) = known.changes.iter().find_map(|old| match old.deed {
                    Deed::Born(values) if old.record == change.record => Some((values, &old.body)),
                    _ => None,
                })
            {
                self.typed_over(&mut all, change.record, record, values, body);
            } else if matches!(change.deed, Deed::Born(_))
                && (self.rules.not_born || self.raced)
                && let Some(shown) = self.store.rendering.get(&change.record)
                && let Some(record) = after.get(&change.record)
                && (self.raced
                    || self
                        .store
                        .head
                        .is_some_and(|head| !self.graph.file(head).contains_key(&change.record)))
            {
                let values = shown.cells.clone().map(|cell| cell.value);
                self.typed_over(&mut all, change.record, record, values, shown);
                continue;
            } else if let Deed::Born(values) = &mut change.deed
                && self.rules.bare
                && let Some(record) = after.get(&change.record)
                && let Some((_, old)) = self
                    .store
                    .known
                    .values()
                    .flat_map(|known| {
                        known
                            .changes
                            .iter()
                            .enumerate()
                            .map(move |(at, old)| ((known.stamp, at), old))
                    })
                    .find(|(id, old)| {
                        old.record == change.record
                            && self.store.once.contains_key(id)
                            && matches!(old.deed, Deed::Born(_))
                    })
                && let Deed::Born(born) = old.deed
            {
                *values = born;
                self.typed_over(&mut all, change.record, record, born, &old.body);
            }
            all.push(change);
        }
        all
    }

    /// The changes of a record since it had these values.
    pub(crate) fn typed_over(
        &self,
        all: &mut Vec<Change>,
        id: RecordId,
        record: &Record,
        values: [Value; FIELDS],
        body: &Record,
    ) {
        for (field, (cell, old)) in record.cells.iter().zip(values).enumerate() {
            let is_born = self.store.changes().any(|(_, _, other)| {
                other.record == id
                    && matches!(other.deed, Deed::Born(values) if values[field] == cell.value)
            });
            if cell.value != old && !is_born {
                let mut seen = Seen {
                    values: [old].into(),
                    ..Seen::default()
                };
                if let Some(note) = cell.note {
                    seen.extend(&self.transitive((id, field), [note.stamp].into()));
                }
                all.push(Change {
                    record: id,
                    deed: Deed::Set {
                        field,
                        old,
                        new: cell.value,
                        written: None,
                        beside: None,
                    },
                    seen: [(field, seen)].into(),
                    body: body.clone(),
                });
            }
        }
    }

    /// What stands in the text as lost, and did not before, was left there by a merge that nobody committed.
    fn losers(
        &self,
        leaf: Leaf,
        [old, new]: [&Cell; 2],
        record: &Record,
        head: CommitId,
    ) -> Vec<Change> {
        let mut seen = self.observed(leaf, old, head);
        seen.values.remove(&new.value);
        if let Some(stamp) = new.stamp(self.rules) {
            seen.stamps.remove(&stamp);
        }
        let is_new = |value: &&Value| self.rules.losers && new.has(**value) && !old.has(**value);
        let losers = new.losers.keys().filter(is_new);
        let change = |value: &Value| Change {
            record: leaf.0,
            deed: Deed::Set {
                field: leaf.1,
                old: old.value,
                new: *value,
                written: None,
                beside: Some(new.value),
            },
            seen: [(leaf.1, seen.clone())].into(),
            body: record.clone(),
        };
        losers.map(change).collect()
    }

    /// What turns one file into the other.
    pub(crate) fn difference(&self, before: &File, after: &File, head: CommitId) -> Vec<Change> {
        let mut changes = Vec::new();
        let ids: BTreeSet<RecordId> = before.keys().chain(after.keys()).copied().collect();
        for id in ids {
            match (before.get(&id), after.get(&id)) {
                (Some(old), Some(new)) => {
                    for (field, (a, b)) in old.cells.iter().zip(&new.cells).enumerate() {
                        let stamp = b.stamp(self.rules);
                        let is_restamped =
                            stamp.is_some() && stamp > a.stamp(self.rules) && self.rules.digests;
                        if a.value != b.value || is_restamped {
                            let mut seen = self.observed((id, field), a, head);
                            // A stamp that does not fit tells what the writer saw.
                            if let Some(note) = b
                                .note
                                .filter(|note| note.digest != b.value && self.rules.stale_seen)
                            {
                                seen.extend(&self.transitive((id, field), [note.stamp].into()));
                                seen.stamps
                                    .extend(b.over.iter().chain(b.losers.values().flatten()));
                                seen.values.extend(b.losers.keys());
                            }
                            changes.push(Change {
                                record: id,
                                deed: Deed::Set {
                                    field,
                                    old: a.value,
                                    new: b.value,
                                    written: None,
                                    beside: None,
                                },
                                seen: [(field, seen)].into(),
                                body: new.clone(),
                            });
                        }
                        changes.extend(self.losers((id, field), [a, b], new, head));
                    }
                }
                (None, Some(new)) => changes.push(Change {
                    record: id,
                    deed: Deed::Born(new.cells.clone().map(|cell| cell.value)),
                    seen: BTreeMap::new(),
                    body: new.clone(),
                }),
                (Some(old), None) => changes.push(Change {
                    record: id,
                    deed: Deed::Removed,
                    seen: self.observed_record(id, old, head),
                    body: old.clone(),
                }),
                (None, None) => {}
            }
        }
        changes
    }

    /// Whether the file still shows what an edit had put there: then that one goes on, whatever HEAD is now.
    pub(crate) fn is_still_shown(&mut self, change: &Change) -> bool {
        if !self.was_shown(change) {
            return false;
        }
        let shown = self
            .store
            .changes()
            .filter(|(id, ..)| self.store.shown.contains(id));
        let same = shown.filter(|(_, _, old)| {
            old.record == change.record && writes_same(&old.deed, &change.deed)
        });
        let ids: Vec<ChangeId> = same.map(|(id, ..)| id).collect();
        ids.into_iter().for_each(|id| self.store.take_up(id));
        true
    }

    /// Whether the last rendering showed this, because an edit that was known had done it.
    pub(crate) fn was_shown(&self, change: &Change) -> bool {
        let record = self.store.rendering.get(&change.record);
        let is_so = match (&change.deed, record) {
            (
                &Deed::Set {
                    field, new, beside, ..
                },
                Some(record),
            ) => {
                let cell = &record.cells[field];
                cell.value == new || beside.is_some() && cell.has(new)
            }
            (Deed::Born(_), Some(_)) | (Deed::Removed, None) => true,
            _ => false,
        };
        let mut shown = self
            .store
            .changes()
            .filter(|(id, ..)| self.store.shown.contains(id));
        is_so
            && shown.any(|(_, _, old)| {
                old.record == change.record && writes_same(&old.deed, &change.deed)
            })
    }
}

/// Whether a known deed wrote what a new one would.
pub(crate) fn writes_same(known: &Deed, new: &Deed) -> bool {
    match (known, new) {
        (
            Deed::Set {
                field: a, new: b, ..
            },
            Deed::Set {
                field: x, new: y, ..
            },
        ) => (a, b) == (x, y),
        (Deed::Born(values), Deed::Set { field, new, .. }) => values[*field] == *new,
        (Deed::Born(one), Deed::Born(other)) => one == other,
        (known, new) => same_target(known, new),
    }
}

/// What a change is about.
pub(crate) fn target(change: &Change) -> Leaf {
    match change.deed {
        Deed::Set { field, .. } => (change.record, field),
        _ => (change.record, BORN),
    }
}

/// Whether two deeds are about the same leaf.
pub(crate) fn same_target(one: &Deed, other: &Deed) -> bool {
    match (one, other) {
        (Deed::Set { field: one, .. }, Deed::Set { field: other, .. }) => one == other,
        (Deed::Born(_), Deed::Born(_)) | (Deed::Removed, Deed::Removed) => true,
        _ => false,
    }
}
