//! Lists that keep order and multiplicity: the view of concurrent versions of one list with their common ancestor.
//!
//! Members have no identity of their own: equal ones are the same where they stand in the same order, and the n-th of a
//! kind that two versions added is one. What was put into one place at the same time stands run by run, so that nobody's
//! members are mixed with another's.

use std::collections::HashMap;
use std::hash::Hash;

use super::diff;
use super::order::{self, Arrange, Fate, Orders};

/// Merges two versions of a list: what either took away is gone, what either added is there, once where both did.
pub(super) fn merge<T: Hash + Eq + Ord + Clone>(base: &[T], ours: &[T], theirs: &[T]) -> Vec<T> {
    let mut entries: Vec<&T> = base.iter().collect();
    let mut added: HashMap<&T, Vec<u32>> = HashMap::new();
    let mine = numbered(base, ours, &mut entries, |value, number| {
        added.entry(value).or_default().push(number);
        None
    });
    for numbers in added.values_mut() {
        numbers.reverse();
    }
    let others = numbered(base, theirs, &mut entries, |value, _| {
        added.get_mut(value)?.pop()
    });
    let in_base: Vec<u32> = (0..base.len() as u32).collect();
    let mut sides = vec![0; entries.len()];
    for &entry in mine.iter().chain(&others) {
        sides[entry as usize] += 1;
    }
    let fates: Vec<Fate> = sides
        .into_iter()
        .enumerate()
        .map(|(entry, sides)| match sides {
            0 | 1 if entry < base.len() => Fate::Gone,
            _ => Fate::Stays,
        })
        .collect();
    let orders = Orders {
        base: &in_base,
        ours: &mine,
        theirs: &others,
        count: entries.len(),
    };
    let compare = |a: u32, b: u32| entries[a as usize].cmp(entries[b as usize]);
    order::merge(&orders, &fates, Arrange::Runs, compare)
        .into_iter()
        .map(|entry| entries[entry as usize].clone())
        .collect()
}

/// The members of a version as numbers: those of the base that they are, and new ones for what was added.
fn numbered<'t, T: Hash + Eq + Clone>(
    base: &[T],
    version: &'t [T],
    entries: &mut Vec<&'t T>,
    mut known: impl FnMut(&'t T, u32) -> Option<u32>,
) -> Vec<u32> {
    let mut numbers = vec![None; version.len()];
    let mut left: HashMap<&T, Vec<usize>> = HashMap::new();
    let mut taken = vec![false; base.len()];
    for (was, is) in diff::matches(base, version) {
        numbers[is] = Some(was as u32);
        taken[was] = true;
    }
    // A member that stands elsewhere was moved.
    for (at, member) in base.iter().enumerate().rev().filter(|(at, _)| !taken[*at]) {
        left.entry(member).or_default().push(at);
    }
    for (at, member) in version.iter().enumerate() {
        if numbers[at].is_none() {
            numbers[at] = left
                .get_mut(member)
                .and_then(Vec::pop)
                .map(|was| was as u32);
        }
    }
    numbers
        .into_iter()
        .zip(version)
        .map(|(number, member)| {
            number.unwrap_or_else(|| {
                let next = entries.len() as u32;
                known(member, next).unwrap_or_else(|| {
                    entries.push(member);
                    next
                })
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn merged(base: &str, ours: &str, theirs: &str) -> String {
        let chars = |text: &str| text.chars().collect::<Vec<char>>();
        let once = merge(&chars(base), &chars(ours), &chars(theirs));
        assert_eq!(once, merge(&chars(base), &chars(theirs), &chars(ours)));
        once.into_iter().collect()
    }

    #[test]
    fn additions_of_both_sides_stand_and_shared_ones_once() {
        assert_eq!(merged("ab", "axb", "aby"), "axby");
        assert_eq!(merged("ab", "abx", "abx"), "abx");
        assert_eq!(merged("ab", "abxx", "abx"), "abxx");
    }

    #[test]
    fn duplicates_are_kept_and_removed_one_by_one() {
        assert_eq!(merged("aab", "ab", "aab"), "ab");
        assert_eq!(merged("aa", "aaa", "aa"), "aaa");
    }

    #[test]
    fn what_one_wrote_together_stays_together() {
        assert_eq!(merged("a", "axz", "ay"), "axzy");
    }

    #[test]
    fn a_moved_member_stands_once() {
        assert_eq!(merged("abcd", "bcda", "abcdx"), "bcdxa");
    }

    proptest! {
        #[test]
        fn members_are_those_that_nobody_removed_and_those_that_somebody_added(
            base in proptest::collection::vec(0u8..5, 0..6),
            ours in proptest::collection::vec(0u8..5, 0..6),
            theirs in proptest::collection::vec(0u8..5, 0..6),
        ) {
            let once = merge(&base, &ours, &theirs);
            prop_assert_eq!(&once, &merge(&base, &theirs, &ours));
            prop_assert_eq!(&merge(&base, &base, &ours), &ours);
            prop_assert_eq!(&merge(&base, &ours, &ours), &ours);
            for value in 0u8..5 {
                let count = |list: &[u8]| list.iter().filter(|member| **member == value).count();
                let (was, mine, others) = (count(&base), count(&ours), count(&theirs));
                let removed = was.saturating_sub(mine) + was.saturating_sub(others);
                let added = mine.saturating_sub(was).max(others.saturating_sub(was));
                prop_assert!(count(&once) >= was.saturating_sub(removed) + added, "{value} in {once:?}");
                prop_assert!(count(&once) <= was.max(mine).max(others), "{value} in {once:?}");
            }
        }
    }
}
