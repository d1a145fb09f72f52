//! What a set of edits leaves standing, where each edit may put one thing there and take others away that it had seen (after
//! Almeida et al., "Delta state replicated data types", 2018: a map of dots with its causal context).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug, Formatter};

use super::Replicated;
use crate::crdt::{Stamp, StampSet};

/// An edit: what it had seen, and so replaces, and what it puts in the place of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put<P> {
    /// Names it.
    pub stamp: Stamp,
    /// The edits that it replaces.
    pub observed: BTreeSet<Stamp>,
    /// What it puts there; nothing where it only takes away.
    pub put: Option<P>,
}

/// What edits put there and no other edit replaced, by the edits; and which edits are known, replaced ones included, so that
/// none comes back: runs of stamps, as many as there are gaps, not as there were edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live<P> {
    standing: BTreeMap<Stamp, P>,
    known: StampSet,
}

impl<P> Default for Live<P> {
    fn default() -> Self {
        Self {
            standing: BTreeMap::new(),
            known: StampSet::default(),
        }
    }
}

impl<P: Clone> Live<P> {
    /// What stands, in the order of stamps.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Stamp, &P)> {
        self.standing.iter().map(|(stamp, put)| (*stamp, put))
    }

    /// The edits that stand.
    #[must_use]
    pub fn stamps(&self) -> BTreeSet<Stamp> {
        self.standing.keys().copied().collect()
    }

    /// An edit that puts something in the place of what it replaces of what stands.
    pub fn replacing(&self, stamp: Stamp, put: P, replaces: impl Fn(&P) -> bool) -> Put<P> {
        Put {
            put: Some(put),
            ..self.without(stamp, replaces)
        }
    }

    /// An edit that takes away some of what stands.
    pub fn without(&self, stamp: Stamp, takes: impl Fn(&P) -> bool) -> Put<P> {
        let taken = self.iter().filter(|(_, put)| takes(put));
        Put {
            stamp,
            observed: taken.map(|(stamp, _)| stamp).collect(),
            put: None,
        }
    }

    /// Takes in an edit, however often and in whatever order.
    pub fn apply(&mut self, edit: &Put<P>) {
        self.forget(&edit.observed);
        if self.known.contains(edit.stamp) {
            return;
        }
        self.known.insert(edit.stamp);
        if let Some(put) = &edit.put {
            self.standing.insert(edit.stamp, put.clone());
        }
    }

    /// Edits that somebody saw and replaced, known here or not, stand no more.
    pub fn forget(&mut self, observed: &BTreeSet<Stamp>) {
        for stamp in observed {
            self.known.insert(*stamp);
            self.standing.remove(stamp);
        }
    }

    /// Takes in all that `other` knows: what either replaced is gone.
    pub fn merge(&mut self, other: &Self) {
        self.standing
            .retain(|stamp, _| other.standing.contains_key(stamp) || !other.known.contains(*stamp));
        for (stamp, put) in &other.standing {
            if !self.known.contains(*stamp) {
                self.standing.insert(*stamp, put.clone());
            }
        }
        self.known.union(&other.known);
    }
}

/// A type whose state is nothing but what edits left standing.
pub trait Kind {
    /// What an edit puts there.
    type Put: Clone + PartialEq + Debug;
    /// What people see.
    type View: PartialEq + Debug;

    /// What people see of what stands.
    fn shown(live: &Live<Self::Put>) -> Self::View;
}

/// A value of such a type.
pub struct Standing<K: Kind> {
    pub(super) live: Live<K::Put>,
}

impl<K: Kind> Default for Standing<K> {
    fn default() -> Self {
        let live = Live::default();
        Self { live }
    }
}

impl<K: Kind> Clone for Standing<K> {
    fn clone(&self) -> Self {
        let live = self.live.clone();
        Self { live }
    }
}

impl<K: Kind> PartialEq for Standing<K> {
    fn eq(&self, other: &Self) -> bool {
        self.live == other.live
    }
}

impl<K: Kind> Debug for Standing<K> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.live.fmt(f)
    }
}

impl<K: Kind> Replicated for Standing<K> {
    type Edit = Put<K::Put>;
    type View = K::View;

    fn apply(&mut self, edit: &Self::Edit) {
        self.live.apply(edit);
    }

    fn merge(&mut self, other: &Self) {
        self.live.merge(&other.live);
    }

    fn view(&self) -> K::View {
        K::shown(&self.live)
    }

    fn standing(&self) -> BTreeSet<Stamp> {
        self.live.stamps()
    }

    fn forget(&mut self, observed: &BTreeSet<Stamp>) {
        self.live.forget(observed);
    }
}
