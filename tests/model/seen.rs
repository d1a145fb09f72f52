//! What somebody who changed a leaf, or removed a record, had seen there.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{BORN, Cell, FIELDS, Leaf, Record, RecordId, Stamp};
use crate::edits::{Deed, Seen};
use crate::graph::CommitId;
use crate::look::Look;

impl Look<'_> {
    /// What who changes a leaf has seen there.
    pub(crate) fn observed(&self, leaf: Leaf, cell: &Cell, head: CommitId) -> Seen {
        let mut cells = vec![cell.clone()];
        cells.extend(
            self.graph
                .file(head)
                .get(&leaf.0)
                .map(|record| record.cells[leaf.1].clone()),
        );
        let mut seen = Seen::default();
        for cell in &cells {
            seen.stamps.extend(&cell.over);
            for (value, stamp) in cell.values(self.rules) {
                seen.stamps.extend(stamp);
                if stamp.is_none() || self.rules.both_names {
                    seen.values.insert(value);
                }
            }
        }
        if self.rules.named {
            for (id, known, change) in self
                .store
                .changes()
                .filter(|(_, _, change)| change.record == leaf.0)
            {
                let says = match change.deed {
                    Deed::Set { field, new, .. } => field == leaf.1 && cell.has(new),
                    Deed::Born(_) => leaf.1 == BORN,
                    Deed::Removed => false,
                };
                if says && (self.contains(head, known, id.1) || self.store.shown.contains(&id)) {
                    seen.stamps.insert(id.0);
                }
            }
        }
        let more = self.transitive(leaf, seen.stamps.clone());
        seen.extend(&more);
        seen
    }

    pub(crate) fn observed_record(
        &self,
        id: RecordId,
        record: &Record,
        head: CommitId,
    ) -> BTreeMap<usize, Seen> {
        let mut seen: BTreeMap<usize, Seen> = (0..FIELDS)
            .map(|field| {
                (
                    field,
                    self.observed((id, field), &record.cells[field], head),
                )
            })
            .collect();
        let births = seen.entry(BORN).or_default();
        births.stamps.extend(record.birth);
        births.values.insert(0);
        // What was shown there last was seen, even where the removal is told from HEAD.
        for (of, known, change) in self
            .store
            .changes()
            .filter(|(_, _, change)| change.record == id)
        {
            let is_shown =
                self.rules.removal_saw && self.is_continuous && self.store.shown.contains(&of);
            if is_shown || self.rules.named && self.contains(head, known, of.1) {
                match change.deed {
                    Deed::Set { field, new, .. } if is_shown => {
                        let more = self.transitive((id, field), [of.0].into());
                        let seen = seen.entry(field).or_default();
                        seen.extend(&more);
                        seen.values
                            .extend(Some(new).filter(|_| self.rules.both_names));
                    }
                    Deed::Born(values) => {
                        for (field, value) in values.into_iter().enumerate() {
                            seen.entry(field).or_default().values.insert(value);
                        }
                        seen.entry(BORN).or_default().stamps.insert(of.0);
                    }
                    _ => {}
                }
            }
        }
        seen
    }

    /// S3: what these edits had seen.
    pub(crate) fn transitive(&self, (record, field): Leaf, stamps: BTreeSet<Stamp>) -> Seen {
        let mut seen = Seen {
            stamps: stamps.clone(),
            ..Seen::default()
        };
        let mut open: Vec<Stamp> = stamps.into_iter().collect();
        while let Some(stamp) = open.pop().filter(|_| self.rules.transitive) {
            let changes = self
                .store
                .known
                .get(&stamp)
                .into_iter()
                .flat_map(|known| &known.changes);
            for change in changes.filter(|change| change.record == record) {
                if let Some(more) = change.seen.get(&field) {
                    open.extend(
                        more.stamps
                            .difference(&seen.stamps)
                            .copied()
                            .collect::<Vec<_>>(),
                    );
                    seen.extend(more);
                }
            }
        }
        seen
    }
}
