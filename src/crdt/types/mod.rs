//! The types: what a value means to those who change it at the same time.
//!
//! Each is a small module of one shape ([`Replicated`]): methods of a state make edits of it, a state takes in edits and other
//! states, and what it shows depends on the set of edits alone. `live.rs` is what most of them have in common: what a set of
//! edits leaves standing; `members.rs` is that for the many members of a set, `dots.rs` the edits of one place. `register.rs`, `set.rs`, `counter.rs`, `max.rs`, `map.rs`, `list.rs` and `text.rs` are the types. One
//! test holds all of them to the same laws (`tests/laws`); `docs/adding-a-type.md` shows how another one is added.
//!
//! `named.rs` has the names by which a configuration gives types to places of documents. Documents are viewed by
//! [`Rules`](super::Rules): there git's graph is part of the causal history, and a removal has to bring back what it did not
//! see, whole.

mod counter;
mod dots;
mod list;
mod live;
mod map;
mod max;
mod members;
mod named;
mod register;
mod set;
mod text;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

pub use counter::{Amounts, Counted, Full, GCounter, PnCounter, joined, total, unaccounted};
pub use dots::Dots;
pub use list::{Id, List, ListEdit, Side, Spot};
pub use live::{Kind, Live, Put, Standing, State};
pub use map::{MapEdit, OrMap};
pub use max::MaxRegister;
pub use members::{MemberEdit, Members};
pub use named::{NotAType, Type};
pub use register::{LwwRegister, MvRegister};
pub use set::{GSet, OrSet, Phase, TwoPhaseSet};
pub use text::Text;

use super::Stamp;

/// A value that replicas change by themselves and that all see alike once they know the same edits.
///
/// What it shows, and the state itself, is a function of the set of edits that it took in: neither their order nor how often
/// each came matters, nor whether they came one by one or as states.
pub trait Replicated: Default + Clone + PartialEq + Debug {
    /// What somebody did, and what they had seen of what it replaces.
    type Edit: Clone + PartialEq + Debug;
    /// What people see.
    type View: PartialEq + Debug;

    /// Takes in an edit.
    fn apply(&mut self, edit: &Self::Edit);

    /// Takes in all that another state knows.
    fn merge(&mut self, other: &Self);

    /// What it shows.
    fn view(&self) -> Self::View;

    /// The edits of which something shows.
    fn standing(&self) -> BTreeSet<Stamp>;

    /// Lets nothing of these edits show any more, whether they are known or are still to come: somebody saw them, and took
    /// away all of it.
    fn forget(&mut self, observed: &BTreeSet<Stamp>);
}

/// What a register, a set or a list may hold.
pub trait Value: Clone + Ord + Hash + Debug {}

impl<V: Clone + Ord + Hash + Debug> Value for V {}
