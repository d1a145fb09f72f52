//! Two runs that were put into the same place become one: what both hold stands once, and the rest is in an order
//! that does not depend on which run is called ours.

use std::cmp::Ordering;
use std::hash::Hash;

use super::diff;

/// How the parts that only one run has are arranged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrange {
    /// Element by element, the smaller head first: any number of runs come out the same in any order of merging.
    Elements,
    /// Run by run: what one side wrote together stays together.
    Runs,
}

/// Joins two runs. `compare` orders elements that differ; it must be total.
pub(crate) fn join<T, F>(a: &[T], b: &[T], arrange: Arrange, compare: F) -> Vec<T>
where
    T: Hash + Eq + Clone,
    F: Fn(&T, &T) -> Ordering,
{
    if a.is_empty() || a == b {
        return b.to_vec();
    }
    if b.is_empty() {
        return a.to_vec();
    }
    // The common elements are found from the smaller run to the larger, so that the sides can be swapped.
    let swapped = lexical(a, b, &compare) == Ordering::Greater;
    let (a, b) = if swapped { (b, a) } else { (a, b) };
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    let mut pairs = diff::matches(a, b);
    pairs.push((a.len(), b.len()));
    for (x, y) in pairs {
        arrange_segments(&a[i..x], &b[j..y], arrange, &compare, &mut out);
        if let Some(common) = a.get(x) {
            out.push(common.clone());
        }
        (i, j) = (x + 1, y + 1);
    }
    out
}

pub(crate) fn lexical<T, F: Fn(&T, &T) -> Ordering>(a: &[T], b: &[T], compare: &F) -> Ordering {
    let differing = a
        .iter()
        .zip(b)
        .map(|(x, y)| compare(x, y))
        .find(|order| order.is_ne());
    differing.unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn arrange_segments<T, F>(a: &[T], b: &[T], arrange: Arrange, compare: &F, out: &mut Vec<T>)
where
    T: Clone,
    F: Fn(&T, &T) -> Ordering,
{
    match arrange {
        Arrange::Runs => {
            let (first, second) = if lexical(a, b, compare).is_le() {
                (a, b)
            } else {
                (b, a)
            };
            out.extend_from_slice(first);
            out.extend_from_slice(second);
        }
        Arrange::Elements => {
            let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
            while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
                let next = if compare(x, y).is_le() {
                    a.next()
                } else {
                    b.next()
                };
                out.extend(next.cloned());
            }
            out.extend(a.cloned());
            out.extend(b.cloned());
        }
    }
}
