//! What an edit observed, and so supersedes: stamps, and of values without a stamp their digests.

use std::collections::BTreeSet;

use super::{Digest, Stamp};

/// A set of observed values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Observed {
    stamps: BTreeSet<Stamp>,
    unstamped: BTreeSet<Digest>,
}

impl Observed {
    /// Adds a value that was observed by its stamp, or by its digest if it has none.
    pub fn add(&mut self, stamp: Option<Stamp>, digest: Digest) {
        match stamp {
            Some(stamp) => {
                self.stamps.insert(stamp);
            }
            None => {
                self.unstamped.insert(digest);
            }
        }
    }

    /// Adds a stamp of which no value is known.
    pub fn add_stamp(&mut self, stamp: Stamp) {
        self.stamps.insert(stamp);
    }

    /// Adds all that another edit observed.
    pub fn extend(&mut self, other: &Self) {
        self.stamps.extend(&other.stamps);
        self.unstamped.extend(&other.unstamped);
    }

    /// Whether the value with this stamp, or without one, was observed.
    #[must_use]
    pub fn contains(&self, stamp: Option<Stamp>, digest: Digest) -> bool {
        match stamp {
            Some(stamp) => self.stamps.contains(&stamp),
            None => self.unstamped.contains(&digest),
        }
    }

    /// The stamps, in order.
    pub fn stamps(&self) -> impl ExactSizeIterator<Item = Stamp> + '_ {
        self.stamps.iter().copied()
    }

    /// Whether nothing was observed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty() && self.unstamped.is_empty()
    }
}
