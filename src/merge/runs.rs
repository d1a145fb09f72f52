//! Two runs that were put into the same place become one: what both hold stands once, what one side wrote together stays
//! together, and the order does not depend on which run is called ours.

use std::cmp::Ordering;
use std::hash::Hash;

use super::diff;

/// Joins two runs. `compare` orders elements that differ; it must be total.
pub(super) fn join<T, F>(a: &[T], b: &[T], compare: F) -> Vec<T>
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
        let (first, second) = (&a[i..x], &b[j..y]);
        let in_order = lexical(first, second, &compare).is_le();
        let (first, second) = if in_order {
            (first, second)
        } else {
            (second, first)
        };
        out.extend_from_slice(first);
        out.extend_from_slice(second);
        if let Some(common) = a.get(x) {
            out.push(common.clone());
        }
        (i, j) = (x + 1, y + 1);
    }
    out
}

/// Compares two runs as a dictionary would.
pub(super) fn lexical<T, F: Fn(&T, &T) -> Ordering>(a: &[T], b: &[T], compare: &F) -> Ordering {
    let differing = a
        .iter()
        .zip(b)
        .map(|(x, y)| compare(x, y))
        .find(|order| order.is_ne());
    differing.unwrap_or_else(|| a.len().cmp(&b.len()))
}
