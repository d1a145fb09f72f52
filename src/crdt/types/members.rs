//! What a set knows: its members, each with the edits that put it there. An edit finds its member at once, however many there
//! are.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::Value;
use super::dots::Dots;
use super::live::State;
use crate::crdt::{Stamp, StampSet};

/// Members that edits put there and no other edit took out; and which edits are known, as in [`Live`](super::Live).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members<V: Value> {
    /// None without an edit.
    by_value: FxHashMap<V, Dots<()>>,
    known: StampSet,
}

/// An edit of a set: a member is put in, or taken out. What it observed of that member it replaces.
///
/// Made by the methods of sets alone: what it observed is of this member, so that no other has to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberEdit<V> {
    stamp: Stamp,
    observed: Dots<()>,
    member: V,
    deed: Deed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Add,
    Remove,
}

impl<V> MemberEdit<V> {
    /// The edits that it replaces.
    #[must_use]
    pub fn observed(&self) -> &Dots<()> {
        &self.observed
    }
}

impl<V: Value> Default for Members<V> {
    fn default() -> Self {
        Self {
            by_value: FxHashMap::default(),
            known: StampSet::default(),
        }
    }
}

impl<V: Value> Members<V> {
    /// The members, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &V> {
        self.by_value.keys()
    }

    /// Whether a member is there.
    #[must_use]
    pub fn contains(&self, member: &V) -> bool {
        self.by_value.contains_key(member)
    }

    /// An edit that puts a member in. One that is there already is said anew, so that a member takes the room of one edit.
    #[must_use]
    pub fn adding(&self, stamp: Stamp, member: V) -> MemberEdit<V> {
        self.edit(stamp, member, Deed::Add)
    }

    /// An edit that takes a member out, as far as it was seen here.
    #[must_use]
    pub fn removing(&self, stamp: Stamp, member: V) -> MemberEdit<V> {
        self.edit(stamp, member, Deed::Remove)
    }

    fn edit(&self, stamp: Stamp, member: V, deed: Deed) -> MemberEdit<V> {
        MemberEdit {
            stamp,
            observed: self.by_value.get(&member).cloned().unwrap_or_default(),
            member,
            deed,
        }
    }
}

impl<V: Value> State for Members<V> {
    type Edit = MemberEdit<V>;

    fn apply(&mut self, edit: &MemberEdit<V>) {
        self.known
            .extend(edit.observed.iter().map(|(stamp, ())| stamp));
        let is_new = self.known.insert(edit.stamp);
        let adds = is_new && edit.deed == Deed::Add;
        match self.by_value.get_mut(&edit.member) {
            Some(dots) => {
                dots.retain(|stamp| !edit.observed.contains(stamp));
                if adds {
                    dots.insert(edit.stamp, ());
                } else if dots.is_empty() {
                    self.by_value.remove(&edit.member);
                }
            }
            None if adds => {
                let dots = [(edit.stamp, ())].into_iter().collect();
                self.by_value.insert(edit.member.clone(), dots);
            }
            None => {}
        }
    }

    fn merge(&mut self, other: &Self) {
        let nothing = Dots::default();
        self.by_value.retain(|member, dots| {
            let theirs = other.by_value.get(member).unwrap_or(&nothing);
            dots.merge(&self.known, theirs, &other.known);
            !dots.is_empty()
        });
        for (member, theirs) in &other.by_value {
            if !self.by_value.contains_key(member) {
                let mut dots = Dots::default();
                dots.merge(&self.known, theirs, &other.known);
                if !dots.is_empty() {
                    self.by_value.insert(member.clone(), dots);
                }
            }
        }
        self.known.union(&other.known);
    }

    fn standing(&self) -> BTreeSet<Stamp> {
        let dots = self.by_value.values().flat_map(Dots::iter);
        dots.map(|(stamp, ())| stamp).collect()
    }

    fn forget(&mut self, observed: &BTreeSet<Stamp>) {
        self.known.extend(observed.iter().copied());
        self.by_value.retain(|_, dots| {
            dots.retain(|stamp| !observed.contains(&stamp));
            !dots.is_empty()
        });
    }
}
