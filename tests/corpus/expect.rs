//! What a right merge must hold, as a tree over the three versions.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::value::{Marks, Value};

/// What must stand at one place of a right merge.
#[derive(Debug)]
pub(crate) enum Expect<'a> {
    /// Nobody changed it.
    Same(&'a Value),
    /// A side changed it to this, or both did; base had the other, if anything.
    Value {
        value: Cow<'a, Value>,
        base: Option<&'a Value>,
    },
    /// Both edited a text at places that touch: what each wrote must be there, the order is open.
    Text {
        base: &'a str,
        ours: &'a str,
        theirs: &'a str,
        by: char,
    },
    Map(BTreeMap<&'a Value, Slot<'a>>),
    /// A sequence of mappings that all carry a unique identity.
    Records {
        identity: &'static str,
        entries: BTreeMap<&'a Value, Slot<'a>>,
        order: Order<'a>,
    },
    List(List<'a>),
    Marked(Marks, Box<Expect<'a>>),
    /// Contested: whatever a tool does here is no mistake that this tree could name.
    Open,
}

/// What must become of a key or of a record.
#[derive(Debug)]
pub(crate) enum Slot<'a> {
    Present(Expect<'a>),
    Gone,
    Open,
}

/// A sequence without identities: a multiset of members.
#[derive(Debug, Default)]
pub(crate) struct List<'a> {
    /// Members by value: how often each must be there, and how many of these a side wrote.
    pub(crate) members: BTreeMap<&'a Value, Members<'a>>,
    /// How often base holds each value.
    pub(crate) base: BTreeMap<&'a Value, usize>,
    /// Members that both sides edited, compatibly.
    pub(crate) merged: Vec<Expect<'a>>,
    /// For each contested member, the values that may be there or not.
    pub(crate) open: Vec<Vec<&'a Value>>,
    pub(crate) order: Order<'a>,
}

/// How often one value must be in a list.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    pub(crate) kept: usize,
    pub(crate) written: usize,
    /// What base had where a side wrote this.
    pub(crate) from: Option<&'a Value>,
}

/// The order of a sequence in the three versions, by identity or by value.
#[derive(Debug, Default)]
pub(crate) struct Order<'a> {
    pub(crate) base: Vec<&'a Value>,
    pub(crate) ours: Vec<&'a Value>,
    pub(crate) theirs: Vec<&'a Value>,
}

impl Expect<'_> {
    /// Whether a side changed anything in it.
    pub(crate) fn is_edit(&self) -> bool {
        let slot = |slot: &Slot<'_>| match slot {
            Slot::Present(inner) => inner.is_edit(),
            Slot::Gone => true,
            Slot::Open => false,
        };
        match self {
            Self::Same(_) | Self::Open => false,
            Self::Value { .. } | Self::Text { .. } => true,
            Self::Map(entries) | Self::Records { entries, .. } => entries.values().any(slot),
            Self::List(list) => {
                !list.merged.is_empty() || list.members.values().any(|m| m.written > 0)
            }
            Self::Marked(_, inner) => inner.is_edit(),
        }
    }
}
