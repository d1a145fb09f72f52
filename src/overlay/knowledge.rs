//! What a replica knows of each replica's edits, in so few words that another one can tell what is missing.
//!
//! A replica's edits form a chain: each names the one before it. So one mark says how far it is known, and only what came
//! out of turn has to be listed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::crdt::{Replica, Stamp};

/// What is known of each replica's edits; replicas of which none is known are missing.
pub type Knowledge = BTreeMap<Replica, Chain>;

/// What is known of one replica's edits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Chain {
    /// All edits up to this one are known; none where the first is missing.
    pub upto: Option<Stamp>,
    /// The edits known beyond, in order: runs in which each edit names the one before it. Before each something is missing,
    /// or the replica's name is used by two who both made an edit after the same one.
    pub islands: Vec<RangeInclusive<Stamp>>,
}

impl Chain {
    /// Whether the edit of this replica with this stamp is known.
    #[must_use]
    pub fn contains(&self, stamp: Stamp) -> bool {
        self.upto.is_some_and(|upto| stamp <= upto)
            || self.islands.iter().any(|island| island.contains(&stamp))
    }
}
