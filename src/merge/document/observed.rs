//! What an edit saw, and so replaces, where the values alone do not show it.
//!
//! A value that is stamped anew is an edit although it stays the same: somebody settled a conflict for it, or typed it back.
//! What lost and is kept belongs to the values of its leaf like the one that is shown: whoever no more has one of them
//! that base has, replaced it.

use std::collections::BTreeSet;

use super::lost_value;
use crate::context::{Annotation, Conflicts, Loser, Lost, Own, Role, digest, leaf_at};
use crate::crdt::{Stamp, StampSet};
use crate::merge::sides::Sides;
use crate::yaml::{EntryRef, NodeRef};

/// A version of a root or record: its node, and what it says about itself.
#[derive(Clone, Copy)]
pub(super) struct Version<'v, 'd> {
    pub(super) node: Option<NodeRef<'d>>,
    pub(super) own: &'v Own,
    /// Its annotation, or base's where another tool dropped it.
    pub(super) annotation: &'v Annotation,
}

impl<'d> Version<'_, 'd> {
    /// The entry of a leaf.
    pub(super) fn entry(&self, leaf: &str) -> Option<EntryRef<'d>> {
        leaf_at(self.node?, &Annotation::names(leaf))
    }

    fn value(&self, leaf: &str) -> Option<NodeRef<'d>> {
        self.entry(leaf).map(EntryRef::value)
    }

    /// Whether it shows or keeps this value.
    fn has(&self, loser: &Loser) -> bool {
        let shows = || !loser.leaf.is_empty() && lost_value(self.value(&loser.leaf)) == loser.lost;
        self.own.conflicts.contains(loser) || shows()
    }

    fn is_open(&self, leaf: &str) -> bool {
        self.own
            .conflicts
            .iter()
            .any(|(loser, _)| loser.leaf == leaf)
    }

    /// The stamps beside a leaf that fit its value.
    fn fitting(&self, leaf: &str) -> BTreeSet<Stamp> {
        let value = self.value(leaf);
        let stamps = value.map(|value| self.annotation.fitting(leaf, digest(value)));
        stamps.into_iter().flatten().collect()
    }

    /// The stamps that an edit of a leaf made on this version has seen.
    pub(super) fn known(&self, leaf: &str) -> StampSet {
        let losers = self.own.conflicts.iter();
        let lost = losers.filter(|(loser, _)| loser.leaf == leaf);
        let lost = lost.filter_map(|(_, stamp)| stamp);
        let mut known = self.annotation.known(leaf);
        known.extend(lost);
        known
    }

    /// The stamp by which it claims a leaf: the latest that fits and that `base` does not know.
    fn claim(&self, base: Version<'_, '_>, leaf: &str) -> Option<Stamp> {
        let known = base.known(leaf);
        let stamps = self.fitting(leaf).into_iter();
        stamps.rev().find(|stamp| !known.contains(*stamp))
    }

    /// Whether it has a new stamp beside the value that base has, too: one later than base's there, or one that settles what
    /// base left open. (What base does not name may only have been dropped to save space.)
    pub(super) fn is_restamped(&self, base: Version<'_, '_>, leaf: &str) -> bool {
        self.claim(base, leaf)
            .is_some_and(|stamp| match base.fitting(leaf).last() {
                Some(before) => stamp > *before,
                None => base.is_open(leaf) && !self.is_open(leaf),
            })
    }

    /// Whether an edit of a leaf that this version names superseded `stamp`.
    pub(super) fn supersedes(&self, leaf: &str, stamp: Stamp) -> bool {
        let edits = self.annotation.leaves.get(leaf).into_iter().flatten();
        edits
            .filter_map(|edit| self.annotation.superseded.get(&edit.stamp))
            .any(|superseded| superseded.contains(stamp))
    }

    /// Whether another tool took a conflict that base has out of this version, along with the stamp of the value that won.
    fn dropped(&self, base: Version<'_, '_>, loser: &Loser) -> bool {
        self.own.is_bare()
            && base.own.conflicts.contains(loser)
            && !base.fitting(&loser.leaf).is_empty()
            && lost_value(base.value(&loser.leaf)) == lost_value(self.value(&loser.leaf))
    }
}

/// What the sides keep: less what one of them had from base and has no more, and what an edit of the other side names as
/// superseded.
pub(super) fn kept(versions: &Sides<Version<'_, '_>>) -> Conflicts {
    let Sides { base, ours, theirs } = *versions;
    let mut kept = Conflicts::default();
    for (side, other) in [(ours, theirs), (theirs, ours)] {
        for (loser, stamp) in side.own.conflicts.iter() {
            let settled = base.has(loser) && !other.has(loser) && !other.dropped(base, loser);
            let superseded = stamp.is_some_and(|stamp| other.supersedes(&loser.leaf, stamp));
            if !settled && !superseded {
                kept.add(loser.clone(), stamp);
            }
        }
    }
    kept
}

/// Whether a record says of itself that it was edited since `base`, though it holds the same: a value was stamped anew, or
/// came to be kept. That it was deleted elsewhere, too, is no edit of it.
pub(super) fn says_more(base: NodeRef<'_>, record: NodeRef<'_>) -> bool {
    let role = Role::Record;
    let (before, after) = (Own::of(base, role), Own::of(record, role));
    let version = |node, own| Version {
        node: Some(node),
        own,
        annotation: &own.annotation,
    };
    let (old, new) = (version(base, &before), version(record, &after));
    let mut kept = after.conflicts.iter().map(|(loser, _)| loser);
    let mut stamped = after.annotation.leaves.keys();
    kept.any(|loser| !loser.leaf.is_empty() && !before.conflicts.contains(loser))
        || stamped.any(|leaf| new.is_restamped(old, leaf))
}

/// Whether base kept a value that a side shows, and neither that side nor an edit of it says more of it: whoever has it
/// no more replaced it.
pub(super) fn is_old_loser(base: Version<'_, '_>, side: Version<'_, '_>, loser: &Loser) -> bool {
    base.own.conflicts.contains(loser)
        && !side.own.conflicts.contains(loser)
        && loser.lost != Lost::Deletion
        && side.claim(base, &loser.leaf).is_none()
}
