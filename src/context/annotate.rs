//! The annotation of a root or record that changed: its birth, what HEAD does not contain, and of the rest the newest that
//! do not take up too much.

use std::collections::BTreeSet;

use super::leaves::Leaf;
use super::own::Own;
use super::stamping::KnownEdits;
use super::{Annotation, Birth, StampedValue};
use crate::crdt::{Stamp, StampSet};

/// How much of a record, in percent of its bytes, older stamps may take up once it is annotated anew.
pub(super) const KEPT_PERCENT: usize = 15;

/// The leaves that get a new stamp, and those that do not.
pub(super) struct Renewal<'l> {
    /// The new stamp.
    pub(super) stamp: Stamp,
    /// The leaves that get it.
    pub(super) fresh: Vec<&'l Leaf>,
    /// All others.
    pub(super) rest: Vec<&'l Leaf>,
    /// The bytes of the record.
    pub(super) bytes: usize,
    /// What is known beside the files.
    pub(super) known: &'l dyn KnownEdits,
}

impl Renewal<'_> {
    /// What `own` says from now on. `before` is what HEAD's version says.
    pub(super) fn apply(&self, own: &mut Own, before: &Own, birth: Option<Birth>) {
        let closed = self.close_conflicts(own, before);
        let is_counter = |path: &String| self.rest.iter().any(|leaf| leaf.path == *path);
        own.annotation.amounts.retain(|path, _| is_counter(path));
        own.annotation = self.annotation(own, &before.annotation, birth);
        if !closed.is_empty() {
            let superseded = own.annotation.superseded.entry(self.stamp).or_default();
            superseded.extend(closed);
        }
    }

    /// A plain edit settles what it edits: a conflict that HEAD knows, or whose winner's stamp stands beside another
    /// value now. One that a merge has just left here is not settled by being there. The stamps of what lost, as far as HEAD
    /// does not know it: whoever has them must hear that they are superseded.
    fn close_conflicts(&self, own: &mut Own, before: &Own) -> Vec<Stamp> {
        let mut closed = Vec::new();
        let losers: Vec<_> = own
            .conflicts
            .iter()
            .map(|(loser, stamp)| (loser.clone(), stamp))
            .collect();
        for (loser, stamp) in losers {
            let mut fresh = self.fresh.iter();
            let edited = fresh.find(|leaf| leaf.path == loser.leaf);
            let is_closed = edited.is_some_and(|leaf| {
                let winners = own.annotation.leaves.get(&loser.leaf);
                let is_stale = winners
                    .is_some_and(|winners| winners.iter().all(|one| one.digest != leaf.digest));
                is_stale || before.conflicts.contains(&loser)
            });
            if is_closed {
                own.conflicts.remove(&loser);
                closed.extend(stamp.filter(|_| !before.conflicts.contains(&loser)));
            }
        }
        closed
    }

    fn annotation(&self, own: &Own, before: &Annotation, birth: Option<Birth>) -> Annotation {
        let mut annotation = Annotation {
            birth,
            ..Annotation::default()
        };
        for leaf in &self.fresh {
            add(&mut annotation, &leaf.path, self.stamped(leaf));
        }
        let superseded = self.superseded(&own.annotation, before);
        if !superseded.is_empty() {
            annotation.superseded.insert(self.stamp, superseded);
        }
        self.keep(annotation, own, before)
    }

    fn stamped(&self, leaf: &Leaf) -> StampedValue {
        StampedValue {
            stamp: self.stamp,
            digest: leaf.digest,
        }
    }

    /// The stamps that the new one supersedes and that HEAD does not contain.
    fn superseded(&self, own: &Annotation, head: &Annotation) -> StampSet {
        let mut superseded = StampSet::default();
        for leaf in &self.fresh {
            let mut here = StampSet::default();
            for old in own.leaves.get(&leaf.path).into_iter().flatten() {
                here.insert(old.stamp);
                here.union(
                    own.superseded
                        .get(&old.stamp)
                        .unwrap_or(&StampSet::default()),
                );
            }
            let mut known = head.known(&leaf.path);
            known.insert(self.stamp);
            here.leave_out(&known);
            superseded.union(&here);
        }
        let seen = superseded.clone();
        superseded.bridge(|after, until| self.known.is_seen_between(after, until, &seen));
        superseded
    }

    fn keep(&self, annotation: Annotation, own: &Own, before: &Annotation) -> Annotation {
        kept(annotation, &self.rest, own, before, self.bytes)
    }
}

/// Adds what was added to counters, and the stamps of all other leaves: those that HEAD does not contain, those beside which something lost is kept
/// (what settles it must be known as later than they are), and the newest of the rest.
pub(super) fn kept(
    mut annotation: Annotation,
    rest: &[&Leaf],
    own: &Own,
    before: &Annotation,
    bytes: usize,
) -> Annotation {
    let head = Contained(before);
    let open: BTreeSet<&str> = own
        .conflicts
        .iter()
        .map(|(loser, _)| loser.leaf.as_str())
        .collect();
    let own = &own.annotation;
    let mut contained: Vec<(Stamp, &str, StampedValue)> = Vec::new();
    for leaf in rest {
        let known = [own, before]
            .into_iter()
            .filter_map(|side| side.leaves.get(&leaf.path));
        for stamped in known
            .flatten()
            .filter(|stamped| stamped.digest == leaf.digest)
        {
            if head.holds(&leaf.path, stamped.stamp) && !open.contains(leaf.path.as_str()) {
                contained.push((stamped.stamp, &leaf.path, *stamped));
                continue;
            }
            add(&mut annotation, &leaf.path, *stamped);
            if let Some(superseded) = own.superseded.get(&stamped.stamp) {
                annotation
                    .superseded
                    .insert(stamped.stamp, superseded.clone());
            }
        }
    }
    let mut added: Vec<(Stamp, &str, i64)> = Vec::new();
    for (path, amounts) in &own.amounts {
        for (stamp, amount) in amounts {
            match head.holds(path, *stamp) {
                true => added.push((*stamp, path, *amount)),
                false => count(&mut annotation, path, *stamp, *amount),
            }
        }
    }
    added.sort_by(|a, b| b.cmp(a));
    added.dedup();
    for (stamp, path, amount) in added {
        let mut longer = annotation.clone();
        count(&mut longer, path, stamp, amount);
        if longer.to_string().len() * 100 > bytes * KEPT_PERCENT {
            break;
        }
        annotation = longer;
    }
    contained.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    contained.dedup();
    for (_, path, stamped) in contained {
        let mut longer = annotation.clone();
        add(&mut longer, path, stamped);
        if longer.to_string().len() * 100 > bytes * KEPT_PERCENT {
            break;
        }
        annotation = longer;
    }
    annotation
}

pub(super) fn add(annotation: &mut Annotation, path: &str, stamped: StampedValue) {
    let stamps = annotation.leaves.entry(path.to_owned()).or_default();
    stamps.insert(stamped);
}

fn count(annotation: &mut Annotation, path: &str, stamp: Stamp, amount: i64) {
    let amounts = annotation.amounts.entry(path.to_owned()).or_default();
    amounts.insert(stamp, amount);
}

/// What HEAD's version of a record knows.
#[derive(Clone, Copy)]
pub(super) struct Contained<'a>(pub(super) &'a Annotation);

impl Contained<'_> {
    /// Whether an edit of a leaf stands in HEAD.
    pub(super) fn holds(self, path: &str, stamp: Stamp) -> bool {
        let Self(before) = self;
        before
            .leaves
            .get(path)
            .into_iter()
            .flatten()
            .any(|stamped| stamped.stamp == stamp)
            || before
                .amounts
                .get(path)
                .is_some_and(|amounts| amounts.contains_key(&stamp))
            || before.superseded_at(path).contains(stamp)
            || before.birth.is_some_and(|birth| birth.stamp == Some(stamp))
    }
}
