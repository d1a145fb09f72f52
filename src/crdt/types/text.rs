//! Texts that are changed letter by letter: a [`List`] of characters.
//!
//! In documents a text is a value that people write as a whole, and concurrent ones are merged line by line
//! (`crdt/text.rs`); this one is for programs that see every stroke.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Replicated;
use super::list::{List, ListEdit};
use crate::crdt::Stamp;

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    letters: List<char>,
}

impl Text {
    /// Puts a text in before the character at `index`, or at the end where there are not so many.
    #[must_use]
    pub fn insert(&self, stamp: Stamp, index: usize, text: &str) -> ListEdit<char> {
        self.letters.insert(stamp, index, text.chars().collect())
    }

    /// Takes characters out, as far as there are so many.
    #[must_use]
    pub fn delete(&self, range: Range<usize>) -> ListEdit<char> {
        self.letters.delete(range)
    }
}

impl Replicated for Text {
    type Edit = ListEdit<char>;
    type View = String;

    fn apply(&mut self, edit: &ListEdit<char>) {
        self.letters.apply(edit);
    }

    fn merge(&mut self, other: &Self) {
        self.letters.merge(&other.letters);
    }

    fn view(&self) -> String {
        self.letters.view().into_iter().collect()
    }

    fn standing(&self) -> BTreeSet<Stamp> {
        self.letters.standing()
    }

    fn forget(&mut self, observed: &BTreeSet<Stamp>) {
        self.letters.forget(observed);
    }
}
