//! Small sets of small numbers.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

/// A set of numbers below [`Bits::ROOM`].
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bits([u64; 6]);

impl Bits {
    /// How many numbers there are.
    pub(crate) const ROOM: usize = 6 * 64;

    pub(crate) fn of(one: usize) -> Self {
        let mut bits = Self::default();
        bits.insert(one);
        bits
    }

    pub(crate) fn insert(&mut self, one: usize) {
        self.0[one / 64] |= 1 << (one % 64);
    }

    pub(crate) fn has(&self, one: usize) -> bool {
        self.0[one / 64] & 1 << (one % 64) != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        (0..self.0.len()).any(|at| self.0[at] & other.0[at] != 0)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        let words = self.0.into_iter().enumerate();
        words.flat_map(|(at, mut word)| {
            std::iter::from_fn(move || {
                let next = word.trailing_zeros() as usize;
                word &= word.wrapping_sub(1);
                (next < 64).then_some(at * 64 + next)
            })
        })
    }
}

impl BitOr for Bits {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        self |= other;
        self
    }
}

impl BitAnd for Bits {
    type Output = Self;

    fn bitand(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= other;
        }
        self
    }
}

impl BitOrAssign for Bits {
    fn bitor_assign(&mut self, other: Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }
}

impl Sub for Bits {
    type Output = Self;

    fn sub(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= !other;
        }
        self
    }
}

impl FromIterator<usize> for Bits {
    fn from_iter<I: IntoIterator<Item = usize>>(numbers: I) -> Self {
        let mut bits = Self::default();
        numbers.into_iter().for_each(|one| bits.insert(one));
        bits
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
