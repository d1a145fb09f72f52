//! Sets (after Shapiro et al., 2011; the OR-Set after Bieniusa et al., "An optimized conflict-free replicated set", 2012).

use std::collections::BTreeSet;
use std::marker::PhantomData;

use super::Value;
use super::live::{Kind, Live, Put, Standing};
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase<V> {
    /// It is there.
    Added(V),
    /// It was, and is not to be again.
    Removed(V),
}

fn members<V: Value>(live: &Live<V>) -> BTreeSet<V> {
    live.iter().map(|(_, value)| value.clone()).collect()
}

impl<V: Value> Kind for Growing<V> {
    type Put = V;
    type View = BTreeSet<V>;

    fn shown(live: &Live<V>) -> BTreeSet<V> {
        members(live)
    }
}

impl<V: Value> Kind for Observed<V> {
    type Put = V;
    type View = BTreeSet<V>;

    fn shown(live: &Live<V>) -> BTreeSet<V> {
        members(live)
    }
}

impl<V: Value> Kind for TwoPhase<V> {
    type Put = Phase<V>;
    type View = BTreeSet<V>;

    fn shown(live: &Live<Phase<V>>) -> BTreeSet<V> {
        let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for (_, phase) in live.iter() {
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
    /// Adds a member. One that is there already is said anew, so that a member takes the room of one edit.
    #[must_use]
    pub fn add(&self, stamp: Stamp, value: V) -> Put<V> {
        self.live
            .replacing(stamp, value.clone(), |known| *known == value)
    }
}

impl<V: Value> OrSet<V> {
    /// Adds a member.
    #[must_use]
    pub fn add(&self, stamp: Stamp, value: V) -> Put<V> {
        self.live
            .replacing(stamp, value.clone(), |known| *known == value)
    }

    /// Removes a member, as far as it was added before.
    #[must_use]
    pub fn remove(&self, stamp: Stamp, value: &V) -> Put<V> {
        self.live.without(stamp, |known| known == value)
    }
}

impl<V: Value> TwoPhaseSet<V> {
    /// Adds a member; nothing comes of it where that was removed.
    #[must_use]
    pub fn add(&self, stamp: Stamp, value: V) -> Put<Phase<V>> {
        self.enter(stamp, Phase::Added(value))
    }

    /// Removes a member for ever, whoever else adds it.
    #[must_use]
    pub fn remove(&self, stamp: Stamp, value: V) -> Put<Phase<V>> {
        self.enter(stamp, Phase::Removed(value))
    }

    fn enter(&self, stamp: Stamp, phase: Phase<V>) -> Put<Phase<V>> {
        self.live
            .replacing(stamp, phase.clone(), |known| *known == phase)
    }
}
