//! What a set of edits leaves standing, where each edit may put one thing there and take others away that it had seen (after
//! Almeida et al., "Delta state replicated data types", 2018: dots with their causal context).

use std::collections::BTreeSet;
use std::fmt::{self, Debug, Formatter};

use super::Replicated;
use super::dots::Dots;
use crate::crdt::{Stamp, StampSet};

/// An edit: what it had seen, and so replaces, and what it puts in the place of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put<P> {
    /// Names it.
    pub stamp: Stamp,
    /// The edits that it replaces.
    pub observed: Dots<()>,
    /// What it puts there.
    pub put: P,
}

/// What edits put there and no other edit replaced, by the edits; and which edits are known, replaced ones included, so that
/// none comes back: runs of stamps, as many as there are gaps, not as there were edits.
///
/// For few things at a time, as concurrent edits leave them: whoever replaces some looks through all. `members.rs` is for many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live<P> {
    standing: Dots<P>,
    known: StampSet,
}

impl<P> Default for Live<P> {
    fn default() -> Self {
        Self {
            standing: Dots::default(),
            known: StampSet::default(),
        }
    }
}

impl<P> Live<P> {
    /// What stands, in the order of stamps.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Stamp, &P)> {
        self.standing.iter()
    }

    /// An edit that puts something in the place of what it replaces of what stands.
    pub fn replacing(&self, stamp: Stamp, put: P, replaces: impl Fn(Stamp, &P) -> bool) -> Put<P> {
        let replaced = self.iter().filter(|(stamp, put)| replaces(*stamp, put));
        Put {
            stamp,
            observed: replaced.map(|(stamp, _)| (stamp, ())).collect(),
            put,
        }
    }
}

/// What a type knows: which edits, and what of them stands.
pub trait State: Default + Clone + PartialEq + Debug {
    /// What somebody did, and what they had seen of what it replaces.
    type Edit: Clone + PartialEq + Debug;

    /// Takes in an edit, however often and in whatever order.
    fn apply(&mut self, edit: &Self::Edit);

    /// Takes in all that `other` knows: what either replaced is gone.
    fn merge(&mut self, other: &Self);

    /// The edits that stand.
    fn standing(&self) -> BTreeSet<Stamp>;

    /// Edits that somebody saw and replaced, known here or not, stand no more.
    fn forget(&mut self, observed: &BTreeSet<Stamp>);
}

impl<P: Clone + PartialEq + Debug> State for Live<P> {
    type Edit = Put<P>;

    fn apply(&mut self, edit: &Put<P>) {
        self.known
            .extend(edit.observed.iter().map(|(stamp, ())| stamp));
        self.standing.retain(|stamp| !edit.observed.contains(stamp));
        if self.known.insert(edit.stamp) {
            self.standing.insert(edit.stamp, edit.put.clone());
        }
    }

    fn merge(&mut self, other: &Self) {
        self.standing
            .merge(&self.known, &other.standing, &other.known);
        self.known.union(&other.known);
    }

    fn standing(&self) -> BTreeSet<Stamp> {
        self.standing.stamps()
    }

    fn forget(&mut self, observed: &BTreeSet<Stamp>) {
        self.known.extend(observed.iter().copied());
        self.standing.retain(|stamp| !observed.contains(&stamp));
    }
}

/// A type of which people see nothing but what edits left standing.
pub trait Kind {
    /// What it knows.
    type State: State;
    /// What people see.
    type View: PartialEq + Debug;

    /// What people see of what stands.
    fn shown(state: &Self::State) -> Self::View;
}

/// A value of such a type.
pub struct Standing<K: Kind> {
    pub(super) state: K::State,
}

impl<K: Kind> Default for Standing<K> {
    fn default() -> Self {
        let state = K::State::default();
        Self { state }
    }
}

impl<K: Kind> Clone for Standing<K> {
    fn clone(&self) -> Self {
        let state = self.state.clone();
        Self { state }
    }
}

impl<K: Kind> PartialEq for Standing<K> {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl<K: Kind> Debug for Standing<K> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)
    }
}

impl<K: Kind> Replicated for Standing<K> {
    type Edit = <K::State as State>::Edit;
    type View = K::View;

    fn apply(&mut self, edit: &Self::Edit) {
        self.state.apply(edit);
    }

    fn merge(&mut self, other: &Self) {
        self.state.merge(&other.state);
    }

    fn view(&self) -> K::View {
        K::shown(&self.state)
    }

    fn standing(&self) -> BTreeSet<Stamp> {
        self.state.standing()
    }

    fn forget(&mut self, observed: &BTreeSet<Stamp>) {
        self.state.forget(observed);
    }
}
