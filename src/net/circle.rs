//! Whom a node keeps lines with where there are too many for a line with each. Pure: it says whom, `seeking` calls them.
//!
//! The keys stand on a circle. Everybody keeps lines with those who stand next to it, on both sides, of all who are there: so
//! there is a way from each to each. A few others, drawn by lot, make these ways short, and keep them when many leave at once;
//! now and then another one is drawn, so that in time everybody talks to everybody.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::identity::PublicKey;

/// With how many a line is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Degree {
    /// Of those who stand next on the circle, on each side.
    pub beside: usize,
    /// Of those who are drawn by lot.
    pub drawn: usize,
}

/// Whom one node keeps lines with.
#[derive(Clone, Debug)]
pub struct Circle {
    own: PublicKey,
    degree: Degree,
    /// What the lots are made of: nobody else has the same.
    seed: u64,
    /// How often each of the lots was drawn anew.
    turns: Vec<u64>,
    next: usize,
}

impl Circle {
    /// The circle as the node with this key sees it.
    #[must_use]
    pub fn new(own: PublicKey, degree: Degree, seed: u64) -> Self {
        Self {
            own,
            degree,
            seed,
            turns: vec![0; degree.drawn],
            next: 0,
        }
    }

    /// Draws another one by lot in the place of the one that was drawn longest ago.
    pub fn turn(&mut self) {
        if let Some(turn) = self.turns.get_mut(self.next) {
            *turn += 1;
            self.next = (self.next + 1) % self.turns.len();
        }
    }

    /// With whom lines are to be kept, of all who are taken to be `there`.
    #[must_use]
    pub fn wanted(&self, there: &BTreeSet<PublicKey>) -> BTreeSet<PublicKey> {
        let mut wanted = self.drawn(there);
        let beside = there.iter().filter(|key| self.is_beside(key, there));
        wanted.extend(beside);
        wanted
    }

    /// Whether fewer than enough of those who are `there` stand between us and this one, on one side or on the other: then a line
    /// is to be kept with it, if it is there, too.
    #[must_use]
    pub fn is_beside(&self, key: &PublicKey, there: &BTreeSet<PublicKey>) -> bool {
        if *key == self.own {
            return false;
        }
        let enough = self.degree.beside;
        let between = |from: &PublicKey, to: &PublicKey| {
            let is_other = |other: &&PublicKey| **other != self.own && *other != key;
            match from < to {
                true => {
                    let all = there.range((Excluded(*from), Excluded(*to)));
                    all.filter(is_other).take(enough).count()
                }
                false => {
                    let behind = there.range((Excluded(*from), Unbounded));
                    let before = there.range((Unbounded, Excluded(*to)));
                    behind.chain(before).filter(is_other).take(enough).count()
                }
            }
        };
        between(&self.own, key) < enough || between(key, &self.own) < enough
    }

    /// Those who are drawn by lot from all who are there and do not stand beside us.
    fn drawn(&self, there: &BTreeSet<PublicKey>) -> BTreeSet<PublicKey> {
        let free = there
            .iter()
            .filter(|key| **key != self.own && !self.is_beside(key, there));
        let free: Vec<&PublicKey> = free.collect();
        let mut drawn = BTreeSet::new();
        for (lot, turn) in self.turns.iter().enumerate() {
            let mut seed = self.seed.to_le_bytes().to_vec();
            seed.extend(lot.to_le_bytes());
            seed.extend(turn.to_le_bytes());
            let seed = xxh3_64_with_seed(&seed, 0);
            let free = free.iter().filter(|key| !drawn.contains(**key));
            let one = free.max_by_key(|key| xxh3_64_with_seed(**key, seed));
            drawn.extend(one.map(|key| **key));
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEGREE: Degree = Degree {
        beside: 2,
        drawn: 3,
    };

    fn key(number: u8) -> PublicKey {
        [number; 32]
    }

    fn keys(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<PublicKey> {
        numbers.into_iter().map(key).collect()
    }

    #[test]
    fn those_beside_are_wanted_around_the_end_of_the_circle() {
        let circle = Circle::new(key(1), Degree { drawn: 0, ..DEGREE }, 7);
        assert_eq!(circle.wanted(&keys(1..=50)), keys([2, 3, 49, 50]));
    }

    #[test]
    fn who_would_stand_beside_us_is_wanted_although_it_is_not_known_to_be_there() {
        let circle = Circle::new(key(10), DEGREE, 7);
        let there = keys((10..=90).step_by(10));
        assert!(circle.is_beside(&key(29), &there) && circle.is_beside(&key(81), &there));
        assert!(!circle.is_beside(&key(31), &there) && !circle.is_beside(&key(79), &there));
    }

    #[test]
    fn wanting_is_mutual_beside_and_so_the_circle_is_closed() {
        let there = keys((0..100).map(|number| number * 2));
        for one in &there {
            let of = |own: &PublicKey| Circle::new(*own, Degree { drawn: 0, ..DEGREE }, 7);
            let beside = of(one).wanted(&there);
            assert_eq!(beside.len(), 4);
            assert!(beside.iter().all(|other| of(other).is_beside(one, &there)));
        }
    }

    #[test]
    fn where_there_are_few_all_are_wanted() {
        let circle = Circle::new(key(3), DEGREE, 7);
        assert_eq!(circle.wanted(&keys(1..=8)), keys([1, 2, 4, 5, 6, 7, 8]));
    }

    #[test]
    fn in_time_everybody_is_drawn_one_at_a_time() {
        let there = keys(0..100);
        let mut circle = Circle::new(key(0), DEGREE, 7);
        let mut met = BTreeSet::new();
        for _ in 0..3_000 {
            let before = circle.drawn(&there);
            assert_eq!(before.len(), 3);
            met.extend(before.iter().copied());
            circle.turn();
            assert!(circle.drawn(&there).intersection(&before).count() >= 1);
        }
        assert_eq!(met.len(), 95, "all but ourselves and those beside us");
    }

    #[test]
    fn who_leaves_moves_nobody_else() {
        let mut there = keys(0..100);
        let circle = Circle::new(key(50), DEGREE, 7);
        let drawn = circle.drawn(&there);
        let gone = *drawn.first().unwrap();
        there.remove(&gone);
        let now = circle.drawn(&there);
        assert_eq!(now.intersection(&drawn).count(), 2);
    }
}
