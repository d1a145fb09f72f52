//! The register: a multi-value register whose view is its last writer (MV- and LWW-register after Shapiro et al., "A
//! comprehensive study of convergent and commutative replicated data types", 2011).
//!
//! Causality decides first: a write that another one observed is gone, whatever the clocks say. Stamps choose only among
//! concurrent writes, and those that are not chosen are kept as losers.

use std::collections::BTreeSet;

use super::{Digest, Observed, Stamp};

/// A value written into a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write<V> {
    /// The value; equal values are one, whoever wrote them.
    pub value: V,
    /// The digest of its canonical bytes.
    pub digest: Digest,
    /// Its stamp; none if it was written without the tool.
    pub stamp: Option<Stamp>,
    /// What it supersedes.
    pub observed: Observed,
}

/// The values of a register that no write supersedes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads<V> {
    /// The value that is shown.
    pub winner: (V, Option<Stamp>),
    /// Concurrent values that are not shown, in order; none of them equals the winner.
    pub losers: Vec<(V, Option<Stamp>)>,
}

/// What a set of writes shows; nothing for an empty set. Among concurrent values a stamped one beats an unstamped one, of
/// two stamped the later wins, of two unstamped the greater value.
pub fn heads<V: Ord + Clone>(writes: &[Write<V>]) -> Option<Heads<V>> {
    let mut live: Vec<(V, Option<Stamp>)> = Vec::new();
    for write in writes.iter().filter(|write| stands(write, writes)) {
        // One value written twice is one value, as old as its latest stamp.
        match live.iter_mut().find(|(value, _)| *value == write.value) {
            Some((_, stamp)) => *stamp = (*stamp).max(write.stamp),
            None => live.push((write.value.clone(), write.stamp)),
        }
    }
    live.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| b.cmp(a)));
    let mut live = live.into_iter();
    Some(Heads {
        winner: live.next()?,
        losers: live.collect(),
    })
}

/// Whether no write supersedes this one.
pub(super) fn stands<V: PartialEq>(write: &Write<V>, writes: &[Write<V>]) -> bool {
    let supersedes = |other: &Write<V>| {
        other.observed.contains(write.stamp, write.digest) && !is_same(other, write)
    };
    !writes.iter().any(supersedes)
}

/// The stamps of all standing writes of a value: whoever sees it has seen each of them.
pub(super) fn stamps_of<V: PartialEq>(value: &V, writes: &[Write<V>]) -> BTreeSet<Stamp> {
    let of_value = writes
        .iter()
        .filter(|write| write.value == *value && stands(write, writes));
    of_value.filter_map(|write| write.stamp).collect()
}

/// Whether both are one write: a write does not supersede itself.
fn is_same<V: PartialEq>(a: &Write<V>, b: &Write<V>) -> bool {
    a.stamp == b.stamp && a.value == b.value
}

#[cfg(test)]
mod tests {
    use super::super::{Clock, Replica};
    use super::*;
    use proptest::prelude::*;

    /// Random histories: each write observes some earlier ones, transitively.
    fn histories() -> impl Strategy<Value = Vec<Write<u8>>> {
        let step = (0u8..4, 0u32..3, any::<bool>(), any::<u16>());
        proptest::collection::vec(step, 1..9).prop_map(|steps| {
            let mut clocks = [0, 1, 2].map(|bits| Clock::new(Replica::from_bits(bits), None));
            let mut writes: Vec<Write<u8>> = Vec::new();
            for (value, replica, stamped, seen) in steps {
                let mut observed = Observed::default();
                for (index, earlier) in writes.iter().enumerate() {
                    if seen >> index & 1 == 1 {
                        observed.add(earlier.stamp, earlier.digest);
                        observed.extend(&earlier.observed);
                    }
                }
                let stamp =
                    stamped.then(|| clocks[replica as usize].tick(u64::from(seen)).unwrap());
                writes.push(Write {
                    value,
                    digest: Digest::of(&[value]),
                    stamp,
                    observed,
                });
            }
            writes
        })
    }

    proptest! {
        #[test]
        fn the_view_depends_on_the_set_alone(writes in histories(), seed: u64) {
            let mut shuffled = writes.clone();
            shuffled.extend(writes.iter().take((seed % 3) as usize).cloned());
            for index in (1..shuffled.len()).rev() {
                shuffled.swap(index, (seed as usize).wrapping_mul(31).wrapping_add(index) % (index + 1));
            }
            prop_assert_eq!(heads(&writes), heads(&shuffled));
        }

        #[test]
        fn a_superseded_stamped_value_never_shows(writes in histories()) {
            let Some(heads) = heads(&writes) else { return Ok(()) };
            for (value, stamp) in heads.losers.iter().chain([&heads.winner]) {
                if stamp.is_some() {
                    let seen = writes.iter().any(|write| {
                        write.observed.contains(*stamp, Digest::of(&[*value])) && write.stamp != *stamp
                    });
                    prop_assert!(!seen);
                }
            }
        }

        #[test]
        fn every_write_is_shown_kept_or_superseded(writes in histories()) {
            for write in &writes {
                let heads = heads(&writes);
                let kept = heads.iter().flat_map(|heads| heads.losers.iter().chain([&heads.winner])).any(|(value, _)| *value == write.value);
                let superseded = writes.iter().any(|other| other.observed.contains(write.stamp, write.digest));
                prop_assert!(kept || superseded);
            }
        }
    }
}
