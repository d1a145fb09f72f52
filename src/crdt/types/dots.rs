//! Edits by their stamps, where there is mostly one: what stands in a place, or what an edit replaces.
//!
//! One stands in place, without an allocation: sets hold one for each member, and every edit names what it observed.

use std::collections::BTreeSet;
use std::fmt::{self, Debug, Formatter};

use crate::crdt::{Stamp, StampSet};

/// Edits in the order of their stamps, each with what it put there.
#[derive(Clone)]
pub struct Dots<P>(Held<P>);

#[derive(Clone)]
enum Held<P> {
    One((Stamp, P)),
    /// In order; however many, so that nothing has to be kept in shape.
    Many(Vec<(Stamp, P)>),
}

impl<P> Default for Dots<P> {
    fn default() -> Self {
        Self(Held::Many(Vec::new()))
    }
}

impl<P> Dots<P> {
    fn as_slice(&self) -> &[(Stamp, P)] {
        match &self.0 {
            Held::One(dot) => std::slice::from_ref(dot),
            Held::Many(dots) => dots,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// The edits with what they put there, in the order of stamps.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Stamp, &P)> {
        self.as_slice().iter().map(|(stamp, put)| (*stamp, put))
    }

    /// The edits.
    #[must_use]
    pub fn stamps(&self) -> BTreeSet<Stamp> {
        self.iter().map(|(stamp, _)| stamp).collect()
    }

    /// Whether an edit is among them.
    #[must_use]
    pub fn contains(&self, stamp: Stamp) -> bool {
        self.place(stamp).is_ok()
    }

    fn place(&self, stamp: Stamp) -> Result<usize, usize> {
        self.as_slice().binary_search_by_key(&stamp, |(at, _)| *at)
    }

    /// Puts in what an edit put there; one that is known stays as it is.
    pub(super) fn insert(&mut self, stamp: Stamp, put: P) {
        let Err(place) = self.place(stamp) else {
            return;
        };
        match &mut self.0 {
            Held::Many(dots) if dots.is_empty() => self.0 = Held::One((stamp, put)),
            Held::Many(dots) => dots.insert(place, (stamp, put)),
            Held::One(_) => {
                let before = std::mem::take(self).0;
                let mut dots = match before {
                    Held::One(dot) => vec![dot],
                    Held::Many(dots) => dots,
                };
                dots.insert(place, (stamp, put));
                self.0 = Held::Many(dots);
            }
        }
    }

    /// Takes out all edits but those that are to stay.
    pub(super) fn retain(&mut self, stays: impl Fn(Stamp) -> bool) {
        match &mut self.0 {
            Held::One((stamp, _)) if stays(*stamp) => {}
            Held::One(_) => *self = Self::default(),
            Held::Many(dots) => dots.retain(|(stamp, _)| stays(*stamp)),
        }
    }
}

impl<P: Clone> Dots<P> {
    /// Takes in what stands there for somebody else, each of which knows some edits: what one of them knows and does not have
    /// any more is gone.
    pub(super) fn merge(&mut self, known: &StampSet, other: &Self, known_to_other: &StampSet) {
        self.retain(|stamp| other.contains(stamp) || !known_to_other.contains(stamp));
        for (stamp, put) in other.iter() {
            if !known.contains(stamp) {
                self.insert(stamp, put.clone());
            }
        }
    }
}

impl<P> FromIterator<(Stamp, P)> for Dots<P> {
    fn from_iter<I: IntoIterator<Item = (Stamp, P)>>(dots: I) -> Self {
        let mut all = Self::default();
        dots.into_iter()
            .for_each(|(stamp, put)| all.insert(stamp, put));
        all
    }
}

impl<P: PartialEq> PartialEq for Dots<P> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<P: Eq> Eq for Dots<P> {}

impl<P: Debug> Debug for Dots<P> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::crdt::Replica;

    fn stamp(millis: u8) -> Stamp {
        let unix_millis = 1_800_000_000_000 + u64::from(millis);
        Stamp::from_unix_millis(unix_millis, Replica::from_bits(1)).unwrap()
    }

    proptest! {
        #[test]
        fn they_are_a_map_in_the_order_of_stamps(
            steps in proptest::collection::vec((0u8..6, any::<bool>(), any::<u8>()), 0..12),
        ) {
            let (mut dots, mut model) = (Dots::default(), BTreeMap::new());
            for (at, puts, value) in steps {
                let at = stamp(at);
                match puts {
                    true => {
                        dots.insert(at, value);
                        model.entry(at).or_insert(value);
                    }
                    false => {
                        dots.retain(|stamp| stamp != at);
                        model.remove(&at);
                    }
                }
                prop_assert!(dots.iter().eq(model.iter().map(|(stamp, value)| (*stamp, value))));
                prop_assert_eq!(dots.is_empty(), model.is_empty());
                prop_assert_eq!(dots.contains(at), model.contains_key(&at));
                let afresh: Dots<u8> = model.iter().map(|(stamp, value)| (*stamp, *value)).collect();
                prop_assert_eq!(&dots, &afresh, "equal ones are equal however they came about");
            }
        }
    }
}
