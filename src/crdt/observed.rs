//! What an edit observed, and so supersedes: stamps, and the digests of values, which are all that is left of an edit where
//! another version of the file holds its value and has dropped its stamp.

use std::collections::BTreeSet;

use super::document::{Atom, Node, Stamps};
use super::{Digest, Stamp, StampSet};

/// A set of observed values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Observed {
    stamps: StampSet,
    values: BTreeSet<Digest>,
}

impl Observed {
    /// The set of these stamps, and of the values with these digests.
    #[must_use]
    pub fn new(stamps: StampSet, values: BTreeSet<Digest>) -> Self {
        Self { stamps, values }
    }

    /// Adds a value that was observed by its stamp, or by its digest if it has none.
    pub fn add(&mut self, stamp: Option<Stamp>, digest: Digest) {
        match stamp {
            Some(stamp) => {
                self.stamps.insert(stamp);
            }
            None => {
                self.values.insert(digest);
            }
        }
    }

    /// Adds a stamp of which no value is known.
    pub fn add_stamp(&mut self, stamp: Stamp) {
        self.stamps.insert(stamp);
    }

    /// Adds stamps of which no values are known.
    pub fn add_stamps(&mut self, stamps: &StampSet) {
        self.stamps.union(stamps);
    }

    /// Adds everything in a node.
    pub fn add_node(&mut self, node: &Node) {
        match node {
            Node::Register(value, stamps) => {
                self.values.insert(value.digest());
                self.stamps.extend(stamps.iter().copied());
            }
            Node::List(members, stamps) => {
                self.values.extend(members.iter().map(Atom::digest));
                self.stamps.extend(stamps.iter().copied());
            }
            Node::Map(map) => map.values().for_each(|node| self.add_node(node)),
            Node::Set(records) => records
                .iter()
                .flat_map(|record| record.fields.values())
                .for_each(|node| self.add_node(node)),
        }
    }

    /// Adds all that another edit observed.
    pub fn extend(&mut self, other: &Self) {
        self.stamps.union(&other.stamps);
        self.values.extend(&other.values);
    }

    /// Whether the value with this stamp, or without one, was observed.
    #[must_use]
    pub fn contains(&self, stamp: Option<Stamp>, digest: Digest) -> bool {
        match stamp {
            Some(stamp) => self.stamps.contains(stamp),
            None => self.values.contains(&digest),
        }
    }

    /// Whether this edit was observed.
    #[must_use]
    pub fn has_stamp(&self, stamp: Stamp) -> bool {
        self.stamps.contains(stamp)
    }

    /// Whether a value with this digest was observed as one without a stamp.
    #[must_use]
    pub fn has_digest(&self, digest: Digest) -> bool {
        self.values.contains(&digest)
    }

    /// Whether everything that another edit observed was observed.
    #[must_use]
    pub fn has_all_of(&self, other: &Self) -> bool {
        self.stamps.has_all_of(&other.stamps) && other.values.is_subset(&self.values)
    }

    /// Whether everything in a node was observed: what carries stamps by one of them, all else by its digest.
    #[must_use]
    pub fn saw(&self, node: &Node) -> bool {
        let saw = |values: &[Atom], stamps: &Stamps| match stamps.is_empty() {
            true => {
                let mut values = values.iter();
                values.all(|value| self.values.contains(&value.digest()))
            }
            false => stamps.iter().any(|stamp| self.stamps.contains(*stamp)),
        };
        match node {
            Node::Register(value, stamps) => saw(std::slice::from_ref(value), stamps),
            Node::List(members, stamps) => saw(members, stamps),
            Node::Map(map) => map.values().all(|node| self.saw(node)),
            Node::Set(records) => records
                .iter()
                .flat_map(|record| record.fields.values())
                .all(|node| self.saw(node)),
        }
    }

    /// The stamps. What is said of a stamp in here holds for its edit's changes in the place of which this was observed, above it
    /// and in it: a run goes over whatever its replica did elsewhere.
    #[must_use]
    pub fn stamps(&self) -> &StampSet {
        &self.stamps
    }

    /// The digests of the values, in order.
    pub fn digests(&self) -> impl ExactSizeIterator<Item = Digest> + '_ {
        self.values.iter().copied()
    }

    /// Whether nothing was observed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty() && self.values.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_observed_all_of_another_observed_its_stamps_and_its_values() {
        let stamp: Stamp = "4k2m9xa7-7f3kqd".parse().unwrap();
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let mut both = Observed::default();
        both.add(Some(stamp), one);
        both.add(None, one);
        let mut stamps = Observed::default();
        stamps.add_stamp(stamp);
        let mut values = Observed::default();
        values.add(None, one);
        for less in [&stamps, &values, &Observed::default()] {
            assert!(both.has_all_of(less), "{less:?}");
            assert!(!less.has_all_of(&both), "{less:?}");
        }
        values.add(None, other);
        assert!(!both.has_all_of(&values), "a value more");
        assert!(!values.has_all_of(&stamps), "a stamp that is no value");
    }
}
