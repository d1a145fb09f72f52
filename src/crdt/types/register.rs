//! Registers: a write replaces the writes that it had seen (LWW- and MV-Register after Shapiro et al., 2011). Causality
//! decides; among concurrent writes one shows the latest, the other all.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use super::Value;
use super::live::{Kind, Live, Put, Standing};
use crate::crdt::Stamp;

/// A register that shows the latest of concurrent writes.
pub type LwwRegister<V> = Standing<Lww<V>>;

/// A register that shows all concurrent writes.
pub type MvRegister<V> = Standing<Mv<V>>;

/// What a [`LwwRegister`] is.
pub struct Lww<V>(PhantomData<V>);

/// What an [`MvRegister`] is.
pub struct Mv<V>(PhantomData<V>);

impl<V: Value> Kind for Lww<V> {
    type State = Live<V>;
    type View = Option<V>;

    fn shown(live: &Live<V>) -> Option<V> {
        live.iter().next_back().map(|(_, value)| value.clone())
    }
}

impl<V: Value> Kind for Mv<V> {
    type State = Live<V>;
    type View = BTreeSet<V>;

    fn shown(live: &Live<V>) -> BTreeSet<V> {
        live.iter().map(|(_, value)| value.clone()).collect()
    }
}

impl<V: Value> LwwRegister<V> {
    /// Writes a value.
    #[must_use]
    pub fn write(&self, stamp: Stamp, value: V) -> Put<V> {
        self.state.replacing(stamp, value, |_, _| true)
    }
}

impl<V: Value> MvRegister<V> {
    /// Writes a value.
    #[must_use]
    pub fn write(&self, stamp: Stamp, value: V) -> Put<V> {
        self.state.replacing(stamp, value, |_, _| true)
    }
}
