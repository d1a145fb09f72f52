//! Sets (after Shapiro et al., 2011; the OR-Set after Bieniusa et al., "An optimized conflict-free replicated set", 2012).

use std::collections::BTreeSet;
use std::marker::PhantomData;

use super::Value;
use super::live::{Kind, Standing};
use super::members::{MemberEdit, Members};
use crate::crdt::Stamp;

/// A set that only grows.
pub type GSet<V> = Standing<Growing<V>>;

/// A set from which a removal takes what it had seen: whoever adds a member at the same time keeps it.
pub type OrSet<V> = Standing<Observed<V>>;

/// A set to which what was removed never comes back.
pub type TwoPhaseSet<V> = Standing<TwoPhase<V>>;

/// What a [`GSet`] is.
pub struct Growing<V>(PhantomData<V>);

/// What an [`OrSet`] is.
pub struct Observed<V>(PhantomData<V>);

/// What a [`TwoPhaseSet`] is.
pub struct TwoPhase<V>(PhantomData<V>);

/// Which of its two lives a member of a [`TwoPhaseSet`] is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase<V> {
    /// It is there.
    Added(V),
    /// It was, and is not to be again.
    Removed(V),
}

impl<V: Value> Kind for Growing<V> {
    type State = Members<V>;
    type View = BTreeSet<V>;

    fn shown(members: &Members<V>) -> BTreeSet<V> {
        members.iter().cloned().collect()
    }
}

impl<V: Value> Kind for Observed<V> {
    type State = Members<V>;
    type View = BTreeSet<V>;

    fn shown(members: &Members<V>) -> BTreeSet<V> {
        members.iter().cloned().collect()
    }
}

impl<V: Value> Kind for TwoPhase<V> {
    type State = Members<Phase<V>>;
    type View = BTreeSet<V>;

    fn shown(members: &Members<Phase<V>>) -> BTreeSet<V> {
        let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for phase in members.iter() {
            match phase {
                Phase::Added(value) => added.insert(value.clone()),
                Phase::Removed(value) => removed.insert(value),
            };
        }
        added.retain(|value| !removed.contains(value));
        added
    }
}

impl<V: Value> GSet<V> {
    /// Adds a member.
    #[must_use]
    pub fn add(&self, stamp: Stamp, value: V) -> MemberEdit<V> {
        self.state.adding(stamp, value)
    }
}

impl<V: Value> OrSet<V> {
    /// Adds a member.
    #[must_use]
    pub fn add(&self, stamp: Stamp, value: V) -> MemberEdit<V> {
        self.state.adding(stamp, value)
    }

    /// Removes a member, as far as it was added before.
    #[must_use]
    pub fn remove(&self, stamp: Stamp, value: &V) -> MemberEdit<V> {
        self.state.removing(stamp, value.clone())
    }
}

impl<V: Value> TwoPhaseSet<V> {
    /// Adds a member; nothing comes of it where that was removed.
    #[must_use]
    pub fn add(&self, stamp: Stamp, value: V) -> MemberEdit<Phase<V>> {
        self.state.adding(stamp, Phase::Added(value))
    }

    /// Removes a member for ever, whoever else adds it.
    #[must_use]
    pub fn remove(&self, stamp: Stamp, value: V) -> MemberEdit<Phase<V>> {
        self.state.adding(stamp, Phase::Removed(value))
    }
}
