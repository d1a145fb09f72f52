//! Edits: what somebody changed, and what they saw when they did.

use super::document::{Atom, Form, Path, Record};
use super::{Observed, Stamp};

/// What one person did at one time. Immutable; known edits are only ever added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Names it; none for an edit made without the tool.
    pub stamp: Option<Stamp>,
    /// What it changed, each place once.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    /// Where.
    pub at: Path,
    /// What was done there.
    pub act: Act,
    /// What stood there: it is superseded.
    pub observed: Observed,
}

/// What is done to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub enum Act {
    /// A leaf gets a value, whether or not it was there.
    Write(Atom),
    /// A list gets these members.
    Replace(Vec<Atom>),
    /// A leaf, an entry of a map or a record is taken away.
    Remove,
    /// A record is born behind another one, or at the front.
    Add {
        /// The record as it was born.
        record: Record,
        /// The record that it follows.
        behind: Option<Atom>,
    },
    /// A record is put behind another one, or to the front.
    Move {
        /// The record that it follows.
        behind: Option<Atom>,
    },
    /// A value lost here, and is kept for somebody to settle.
    Lose(Option<Atom>),
    /// Somebody settled what lost here.
    Settle(Option<Atom>),
    /// A place is written in another way; what it holds stays as it is. Never contested, and no edit to people.
    Form(Form),
    /// So much is added to a counter. What it observed are other names of the same edit.
    Count(i64),
    /// A number of which the greatest stands is raised to this one.
    Raise(i64),
    /// A leaf of which the last writer's value stands, and no other is kept, gets this one.
    Last(Atom),
}
