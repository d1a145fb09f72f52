//! Differences of sequences, by a library; everything here that compares sequences comes through this file.

use std::hash::Hash;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput, TokenSource};

/// A run of the old sequence that a run of the new one replaced; one of them may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hunk {
    pub(crate) old: Range<usize>,
    pub(crate) new: Range<usize>,
}

impl Hunk {
    /// The hunk that undoes this one.
    pub(crate) fn swapped(self) -> Self {
        Hunk {
            old: self.new,
            new: self.old,
        }
    }
}

/// A slice as the library wants to see it.
struct Elements<'s, T>(&'s [T]);

impl<'s, T: Hash + Eq + Clone> TokenSource for Elements<'s, T> {
    type Token = T;
    type Tokenizer = std::iter::Cloned<std::slice::Iter<'s, T>>;

    fn tokenize(&self) -> Self::Tokenizer {
        self.0.iter().cloned()
    }

    fn estimate_tokens(&self) -> u32 {
        self.0.len() as u32
    }
}

fn interned<T: Hash + Eq + Clone>(old: &[T], new: &[T]) -> InternedInput<T> {
    InternedInput::new(Elements(old), Elements(new))
}

fn hunks_of(diff: &Diff) -> Vec<Hunk> {
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    diff.hunks()
        .map(|hunk| Hunk {
            old: range(hunk.before),
            new: range(hunk.after),
        })
        .collect()
}

/// The hunks that turn `old` into `new`, in order.
pub(crate) fn hunks<T: Hash + Eq + Clone>(old: &[T], new: &[T]) -> Vec<Hunk> {
    let input = interned(old, new);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    hunks_of(&diff)
}

/// The hunks that turn `old` into `new`, placed as a reader of text expects them.
pub(crate) fn line_hunks(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    let input = interned(old, new);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    hunks_of(&diff)
}

/// The pairs of indices that both sequences have in common, in order.
pub(crate) fn matches<T: Hash + Eq + Clone>(old: &[T], new: &[T]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    let end = Hunk {
        old: old.len()..old.len(),
        new: new.len()..new.len(),
    };
    for hunk in hunks(old, new).into_iter().chain([end]) {
        while i < hunk.old.start {
            pairs.push((i, j));
            i += 1;
            j += 1;
        }
        i = hunk.old.end;
        j = hunk.new.end;
    }
    pairs
}
