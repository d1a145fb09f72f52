//! Who observed an edit: a run of stamps goes over all that its replica did in a time, and means only what it did in one place.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;

use crate::crdt::{Act, Change, Node, Path, Run, Stamp, StampSet, Step, born_as};

/// Changes that may have closed edits in their places or in them.
#[derive(Debug, Default)]
pub struct Closings<'c> {
    by_place: BTreeMap<&'c [Step], StampSet>,
    /// What removals observed, stamp by stamp, with the names that lead to what they removed. A record that nobody stamped at its birth
    /// is told by what it holds, and that was another thing on another commit.
    removed: HashMap<Stamp, Vec<Vec<&'c str>>>,
}

impl<'c> Closings<'c> {
    /// Those of these changes.
    #[must_use]
    pub fn of(changes: impl Iterator<Item = &'c Change>) -> Self {
        let mut by_place: BTreeMap<&[Step], StampSet> = BTreeMap::new();
        let mut removed: HashMap<Stamp, Vec<Vec<&str>>> = HashMap::new();
        for change in changes {
            let stamps = change.observed.stamps();
            if !stamps.is_empty() {
                let here = by_place.entry(change.at.steps()).or_default();
                here.union(stamps);
            }
            if change.act == Act::Remove {
                // A run means only what was done in its place, a stamp one edit wherever that is.
                for stamp in stamps.runs().iter().filter_map(|run| run.single()) {
                    let ways: &mut Vec<_> = removed.entry(stamp).or_default();
                    ways.push(names(change.at.steps()).collect());
                }
            }
        }
        Self { by_place, removed }
    }

    /// Whether a change of the edit with this stamp was observed in its place or around it; or in it, by who put something else
    /// there.
    #[must_use]
    pub fn close(&self, change: &Change, stamp: Stamp) -> bool {
        if self.by_place.is_empty() {
            return false;
        }
        let taken_up = taken_up(change);
        let steps = change.at.steps();
        let mut around = (0..=steps.len()).filter_map(|many| self.by_place.get(&steps[..many]));
        around
            .any(|seen| seen.contains(stamp) || taken_up.is_some_and(|birth| seen.contains(birth)))
            || self.have_removed(change, stamp)
            || self.have_filled(change, stamp)
    }

    /// Whether somebody who had seen a removal, or a value, put something into its place.
    fn have_filled(&self, change: &Change, stamp: Stamp) -> bool {
        let is_of_a_value = match &change.act {
            Act::Remove
            | Act::Write(_)
            | Act::Replace(_)
            | Act::Last(_)
            | Act::Count(_)
            | Act::Raise(_) => true,
            Act::Add { .. } | Act::Move { .. } | Act::Lose(_) | Act::Settle(_) | Act::Form(_) => {
                false
            }
        };
        let steps = change.at.steps();
        let behind = (Bound::Excluded(steps), Bound::Unbounded);
        let inside = self.by_place.range::<[Step], _>(behind);
        is_of_a_value
            && inside
                .take_while(|(place, _)| place.starts_with(steps))
                .any(|(_, seen)| {
                    let mut singles = seen.runs().iter().filter_map(|run| run.single());
                    singles.any(|one| one == stamp)
                })
    }

    /// Whether a removal observed this change, whatever the record held when it was made.
    fn have_removed(&self, change: &Change, stamp: Stamp) -> bool {
        let ways = self.removed.get(&stamp).into_iter().flatten();
        let mut ways = ways.filter(|way| way.len() <= change.at.steps().len());
        ways.any(|way| {
            names(change.at.steps())
                .zip(way)
                .all(|(name, other)| name == *other)
        })
    }
}

/// What the steps of a way are called.
fn names(steps: &[Step]) -> impl Iterator<Item = &str> {
    steps.iter().map(|step| match step {
        Step::Entry(name) => name.as_str(),
        Step::Record(name, birth) => born_as(name, *birth),
    })
}

/// The birth that names what a record holds which somebody found, and whose edit they did not know.
fn taken_up(change: &Change) -> Option<Stamp> {
    let Act::Add { record, .. } = &change.act else {
        return None;
    };
    let birth = record.birth.stamp?;
    let is_named = |node: &Node| match node {
        Node::Register(_, stamps) | Node::List(_, stamps) => stamps.contains(&birth),
        Node::Map(_) | Node::Set(_) => false,
    };
    record.fields.values().any(is_named).then_some(birth)
}

/// What some changes were built on.
#[derive(Debug, Default)]
pub struct Grounds {
    /// A stamp that stands alone names one edit, wherever that is.
    single: HashSet<Stamp>,
    runs: Vec<(Path, Run)>,
}

impl Grounds {
    /// Those of these changes.
    #[must_use]
    pub fn of<'c>(changes: impl Iterator<Item = &'c Change>) -> Self {
        let mut grounds = Self::default();
        for change in changes {
            for run in change.observed.stamps().runs() {
                match run.single() {
                    Some(stamp) => {
                        grounds.single.insert(stamp);
                    }
                    None => grounds.runs.push((change.at.as_born(), *run)),
                }
            }
        }
        grounds
    }

    /// Whether the edit with this stamp, which changed something in these places, is among them.
    pub fn have<'p>(&self, stamp: Stamp, places: impl IntoIterator<Item = &'p Path>) -> bool {
        if self.single.contains(&stamp) {
            return true;
        }
        let mut runs = self.runs.iter().filter(|(_, run)| run.contains(stamp));
        let Some(first) = runs.next() else {
            return false;
        };
        let runs: Vec<&Path> = [first].into_iter().chain(runs).map(|(at, _)| at).collect();
        let mut places = places.into_iter().map(Path::as_born);
        places.any(|place| runs.iter().any(|at| at.meets(&place)))
    }
}
