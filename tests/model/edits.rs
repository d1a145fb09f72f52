//! Edits as replicas know them, and what a set of them shows over HEAD.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::document::{
    BORN, Cell, FIELDS, File, Leaf, Note, Record, RecordId, Stamp, Value, order,
};
use crate::graph::{CommitId, Graph};
use crate::rules::Rules;

/// What an edit observed at a leaf, and replaces there.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) stamps: BTreeSet<Stamp>,
    /// Of what has no stamp.
    pub(crate) values: BTreeSet<Value>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{:?}", self.stamps, self.values)
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} saw {:?}", self.record, self.deed, self.seen)
    }
}

impl Seen {
    pub(crate) fn extend(&mut self, other: &Seen) {
        self.stamps.extend(&other.stamps);
        self.values.extend(&other.values);
    }

    fn has(&self, (value, stamp): (Value, Option<Stamp>)) -> bool {
        match stamp {
            Some(stamp) => self.stamps.contains(&stamp),
            None => self.values.contains(&value),
        }
    }
}

/// What an edit does to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Set {
        field: usize,
        old: Value,
        new: Value,
        /// The stamp that stands in the text, where that is another one.
        written: Option<Stamp>,
        /// The value beside which it stands as a loser, and which it does not replace.
        beside: Option<Value>,
    },
    Born([Value; FIELDS]),
    Removed,
}

/// One change of one record.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) record: RecordId,
    pub(crate) deed: Deed,
    /// By leaf; a removal observed all of them.
    pub(crate) seen: BTreeMap<usize, Seen>,
    /// The record as it was observed.
    pub(crate) body: Record,
}

/// An edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) stamp: Stamp,
    pub(crate) base: CommitId,
    pub(crate) changes: Vec<Change>,
    /// Edits that it takes back.
    pub(crate) retracts: BTreeSet<ChangeId>,
}

/// A change of an edit, by its place in it.
pub(crate) type ChangeId = (Stamp, usize);

/// Whether HEAD contains a change.
pub(crate) fn contains(
    graph: &Graph,
    rules: &Rules,
    head: CommitId,
    known: &Known,
    at: usize,
) -> bool {
    if !rules.by_leaf {
        return (0..known.changes.len()).any(|at| contains_leaf(graph, rules, head, known, at));
    }
    contains_leaf(graph, rules, head, known, at)
}

fn contains_leaf(graph: &Graph, rules: &Rules, head: CommitId, known: &Known, at: usize) -> bool {
    let change = &known.changes[at];
    let mut commits = graph.ancestry(head);
    if rules.base {
        commits = commits - graph.ancestry(known.base);
    }
    let record = |commit: CommitId| graph.file(commit).get(&change.record);
    commits.iter().any(|commit| {
        let mut before = graph.parents(commit).iter().map(|parent| record(*parent));
        match (&change.deed, record(commit)) {
            (
                &Deed::Set {
                    field,
                    old,
                    new,
                    written,
                    beside,
                },
                Some(after),
            ) => {
                let cell = &after.cells[field];
                // What the base has, not what was replaced in the overlay.
                let in_base = record(known.base).map(|base| base.cells[field].value);
                let old = in_base.filter(|_| rules.base_value).unwrap_or(old);
                // Typed over before it was committed: its stamp stands beside another value, and that one is new here.
                let typed_over = rules.typed_over
                    && cell
                        .note
                        .is_some_and(|note| note.stamp == known.stamp && note.digest != cell.value)
                    && before.clone().all(|before| {
                        before.is_none_or(|before| before.cells[field].value != cell.value)
                    });
                let carries = typed_over
                    || [Some(known.stamp), written]
                        .into_iter()
                        .flatten()
                        .any(|stamp| cell.carries(stamp, rules));
                let was = |before: Option<&Record>| {
                    before.is_none_or(|before| match beside {
                        Some(_) => !before.cells[field].has(new),
                        None => before.cells[field].value == old,
                    })
                };
                let is_so = cell.value == new || beside.is_some() && cell.has(new);
                carries || rules.effect && is_so && old != new && before.any(was)
            }
            (Deed::Born(values), Some(after)) => {
                let is_same = || {
                    after
                        .cells
                        .iter()
                        .zip(values)
                        .all(|(cell, value)| cell.has(*value))
                };
                after.birth == Some(known.stamp)
                    || rules.effect && is_same() && before.any(|before| before.is_none())
            }
            (Deed::Removed, None) => {
                let mut before = graph.ancestry(commit).iter();
                before.any(|before| record(before).is_some())
                    && (!rules.removal_observed
                        || history_holds(graph, rules, commit, known, change))
            }
            _ => false,
        }
    })
}

/// Whether the history of a commit holds what the base of a removal shows of the record.
fn history_holds(
    graph: &Graph,
    rules: &Rules,
    commit: CommitId,
    known: &Known,
    change: &Change,
) -> bool {
    let Some(observed) = graph.file(known.base).get(&change.record) else {
        return true;
    };
    let history = graph.ancestry(commit);
    let somewhere = |holds: &dyn Fn(&Record) -> bool| {
        history
            .iter()
            .any(|commit| graph.file(commit).get(&change.record).is_some_and(holds))
    };
    observed.cells.iter().enumerate().all(|(field, cell)| {
        cell.values(rules)
            .into_iter()
            .all(|(value, stamp)| match stamp {
                Some(stamp) => somewhere(&|record| record.carries(field, stamp, rules)),
                None => somewhere(&|record| record.cells[field].has(value)),
            })
    })
}

/// A value of a leaf on its way into the view.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    value: Value,
    /// What stands beside it in the text.
    stamp: Option<Stamp>,
    /// Its edit; nothing for HEAD's.
    edit: Option<ChangeId>,
}

/// What a set of edits shows over HEAD.
pub(crate) struct View<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) graph: &'a Graph,
    pub(crate) head: CommitId,
    pub(crate) overlay: Vec<(&'a Known, usize)>,
}

/// Whether a change observed an edit, at a leaf that it is about.
pub(crate) fn observed(by: &Change, (stamp, change): (Stamp, &Change)) -> bool {
    let saw = |field: usize| {
        by.seen
            .get(&field)
            .is_some_and(|seen| seen.stamps.contains(&stamp))
    };
    by.record == change.record
        && match (&by.deed, &change.deed) {
            (Deed::Set { field: one, .. }, Deed::Set { field: other, .. }) => {
                one == other && saw(*one)
            }
            (Deed::Removed, Deed::Set { field, .. }) => saw(*field),
            (Deed::Removed, Deed::Born(_)) => saw(BORN),
            _ => false,
        }
}

impl View<'_> {
    pub(crate) fn render(&self) -> File {
        let head = self.graph.file(self.head);
        let mut file = head.clone();
        let touched: BTreeSet<RecordId> = self
            .overlay
            .iter()
            .map(|(known, at)| known.changes[*at].record)
            .collect();
        for id in touched {
            match self.record(id, head.get(&id)) {
                Some(record) => file.insert(id, record),
                None => file.remove(&id),
            };
        }
        file
    }

    fn changes(&self, id: RecordId) -> impl Iterator<Item = (&Known, &Change, ChangeId)> {
        let changes = self
            .overlay
            .iter()
            .map(|(known, at)| (*known, &known.changes[*at], (known.stamp, *at)));
        changes.filter(move |(_, change, _)| change.record == id)
    }

    /// Whether an edit saw a candidate. An edit meets HEAD's value as its commit would: what stands in HEAD as where the two
    /// parted was seen; what was there before and came back since was not.
    fn saw(&self, known: &Known, change: &Change, leaf: Leaf, candidate: Candidate) -> bool {
        if matches!(change.deed, Deed::Set { beside, .. } if beside == Some(candidate.value)) {
            return false;
        }
        let named = change
            .seen
            .get(&leaf.1)
            .is_some_and(|seen| sees(seen, candidate));
        if let Some((stamp, at)) = candidate.edit {
            // What its base contains is what it was made on.
            let other = self
                .overlay
                .iter()
                .find(|(other, of)| (other.stamp, *of) == (stamp, at));
            return named
                || self.rules.on_base
                    && other.is_some_and(|(other, at)| {
                        contains(self.graph, self.rules, known.base, other, *at)
                    });
        }
        if !self.rules.parting {
            return named;
        }
        let common = self.graph.common(self.head, known.base);
        let has = |commit: CommitId| {
            let record = self.graph.file(commit).get(&leaf.0);
            record.is_some_and(|record| match record.cells.get(leaf.1) {
                Some(cell) => {
                    cell.values(self.rules).get(&candidate.value) == Some(&candidate.stamp)
                }
                None => true,
            })
        };
        if self.graph.merge_bases(common).into_iter().any(has) {
            return true;
        }
        named && !common.iter().any(has)
    }

    /// Whether what an edit or HEAD has at a leaf was replaced there.
    fn is_replaced(&self, (id, field): Leaf, candidate: Candidate) -> bool {
        self.changes(id).any(|(known, change, by)| {
            let is_here = match change.deed {
                Deed::Set { field: of, .. } => of == field,
                Deed::Born(_) => field < FIELDS && candidate.edit.is_none(),
                Deed::Removed => false,
            };
            is_here && candidate.edit != Some(by) && self.saw(known, change, (id, field), candidate)
        })
    }

    /// Whether a removal observed it.
    fn is_removed(&self, (id, field): Leaf, candidate: Candidate) -> bool {
        let mut removals = self
            .changes(id)
            .filter(|(_, change, _)| change.deed == Deed::Removed);
        removals.any(|(known, change, _)| self.saw(known, change, (id, field), candidate))
    }

    /// The candidates of a leaf; those of the record itself have no value.
    fn candidates(&self, (id, field): Leaf, head: Option<&Record>) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        if let Some(head) = head {
            let of = |(value, stamp)| Candidate {
                value,
                stamp,
                edit: None,
            };
            match head.cells.get(field) {
                Some(cell) => candidates.extend(cell.values(self.rules).into_iter().map(of)),
                None => candidates.push(of((0, head.birth))),
            }
        }
        for (known, change, at) in self.changes(id) {
            let edit = Some(at);
            let own = Some(known.stamp);
            match change.deed {
                Deed::Set {
                    field: of,
                    new,
                    written,
                    beside,
                    ..
                } if of == field => {
                    // What was bare in the text stays so: it lost there.
                    let stamp = written.or(own.filter(|_| beside.is_none()));
                    candidates.push(Candidate {
                        value: new,
                        stamp,
                        edit,
                    });
                }
                Deed::Born(_) if field == BORN => candidates.push(Candidate {
                    value: 0,
                    stamp: own,
                    edit,
                }),
                Deed::Born(values) if field < FIELDS => {
                    candidates.push(Candidate {
                        value: values[field],
                        stamp: None,
                        edit,
                    });
                }
                _ => {}
            }
        }
        candidates.retain(|candidate| !self.is_replaced((id, field), *candidate));
        candidates
    }

    fn record(&self, id: RecordId, head: Option<&Record>) -> Option<Record> {
        let candidates: Vec<Vec<Candidate>> = (0..=FIELDS)
            .map(|field| self.candidates((id, field), head))
            .collect();
        let unseen: Vec<Vec<Candidate>> = candidates
            .iter()
            .enumerate()
            .map(|(field, candidates)| {
                let unseen = candidates.iter().copied();
                unseen
                    .filter(|candidate| !self.is_removed((id, field), *candidate))
                    .collect()
            })
            .collect();
        if unseen.iter().all(Vec::is_empty) {
            return None;
        }
        // Who updates what HEAD does not have brings the record along.
        let bodies = self
            .changes(id)
            .filter(|(_, change, _)| matches!(change.deed, Deed::Set { .. }));
        let body = bodies
            .max_by_key(|(known, ..)| known.stamp)
            .map(|(_, change, _)| &change.body);
        let births = unseen[BORN].iter().chain(&candidates[BORN]);
        let birth = births.filter_map(|candidate| candidate.stamp).min();
        let cell = |field: usize| {
            let body = head.or(body).map(|record| record.cells[field].clone());
            let (some, all) = (&unseen[field], &candidates[field]);
            self.cell((id, field), if some.is_empty() { all } else { some }, body)
        };
        Some(Record {
            birth: birth.or_else(|| head.or(body).and_then(|record| record.birth)),
            cells: std::array::from_fn(cell),
        })
    }

    fn cell(&self, leaf: Leaf, candidates: &[Candidate], old: Option<Cell>) -> Cell {
        let Some(shown) = candidates
            .iter()
            .max_by_key(|candidate| order(candidate.value, candidate.stamp))
        else {
            return old.unwrap_or_default();
        };
        let is_heads = |old: &Cell| old.values(self.rules).len() == candidates.len();
        if candidates.iter().all(|candidate| candidate.edit.is_none())
            && old.as_ref().is_some_and(is_heads)
        {
            return old.unwrap_or_default();
        }
        let mut losers: BTreeMap<Value, Option<Stamp>> = BTreeMap::new();
        for candidate in candidates
            .iter()
            .filter(|candidate| candidate.value != shown.value)
        {
            let best = losers.entry(candidate.value).or_default();
            *best = (*best).max(candidate.stamp);
        }
        let mut over: BTreeSet<Stamp> = BTreeSet::new();
        if self.rules.superseded {
            for (_, change, at) in self.changes(leaf.0) {
                let is_here = candidates
                    .iter()
                    .any(|candidate| candidate.edit == Some(at));
                let seen = change.seen.get(&leaf.1).filter(|_| is_here);
                over.extend(seen.into_iter().flat_map(|seen| &seen.stamps));
            }
            let same = candidates
                .iter()
                .filter(|candidate| candidate.value == shown.value);
            over.extend(same.filter_map(|candidate| candidate.stamp));
            over.retain(|stamp| {
                Some(*stamp) != shown.stamp && !self.graph.stood(self.head, leaf, *stamp)
            });
        }
        Cell {
            value: shown.value,
            note: shown.stamp.map(|stamp| Note {
                stamp,
                digest: shown.value,
            }),
            over,
            losers,
        }
    }
}

/// Whether somebody who saw this saw the candidate: by any of its names, or by its value where it has none.
fn sees(seen: &Seen, candidate: Candidate) -> bool {
    match (candidate.edit, candidate.stamp) {
        // Not by the stamp that stands in the text: several replicas may have taken it up.
        (Some((edit, _)), Some(_)) => seen.stamps.contains(&edit),
        (_, stamp) => seen.has((candidate.value, stamp)),
    }
}
