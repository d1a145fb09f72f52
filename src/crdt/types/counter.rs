//! Counters: amounts add up, whoever adds them, each once (G- and PN-Counter after Shapiro et al., "A comprehensive study of
//! convergent and commutative replicated data types", 2011).
//!
//! Those keep a total for each replica and take the greater of two. Here one replica may count on several branches at once,
//! of which a third merges any two, so an amount goes by the stamp of the edit that added it. Where one edit of a replica
//! follows another it stands for both, so that a state holds a number for each replica, as there.

use std::collections::BTreeMap;

use super::Replicated;
use super::live::{Kind, Live, Put, Standing};
use crate::crdt::Stamp;

/// A counter to which is only added.
pub type GCounter = Standing<Growing>;

/// A counter to which is added and from which is taken.
pub type PnCounter = Standing<Moving>;

/// What a [`GCounter`] is.
pub struct Growing;

/// What a [`PnCounter`] is.
pub struct Moving;

impl Kind for Growing {
    type State = Live<u64>;
    type View = u64;

    fn shown(live: &Live<u64>) -> u64 {
        let amounts = live.iter().map(|(_, amount)| *amount);
        amounts.fold(0, u64::saturating_add)
    }
}

impl Kind for Moving {
    type State = Live<i64>;
    type View = i64;

    fn shown(live: &Live<i64>) -> i64 {
        total(0, live.iter().map(|(_, amount)| *amount))
    }
}

/// A counter cannot hold what it would come to: it has 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a counter holds 64 bits, and would come to more")]
pub struct Full;

/// An edit that stands for all that its replica added before, too, and for itself alone where the sum is too much.
fn adding<N: Clone>(
    live: &Live<N>,
    stamp: Stamp,
    by: N,
    sum: impl Fn(&N, &N) -> Option<N>,
) -> Put<N> {
    let is_own = |other: Stamp| other.replica() == stamp.replica();
    let mut own = live.iter().filter(|(other, _)| is_own(*other));
    let together = own.try_fold(by.clone(), |together, (_, amount)| sum(&together, amount));
    match together {
        Some(together) => live.replacing(stamp, together, |other, _| is_own(other)),
        None => live.replacing(stamp, by, |_, _| false),
    }
}

impl GCounter {
    /// Adds an amount.
    ///
    /// # Errors
    /// When the counter cannot hold the sum.
    pub fn increment(&self, stamp: Stamp, by: u64) -> Result<Put<u64>, Full> {
        self.view().checked_add(by).ok_or(Full)?;
        Ok(adding(&self.state, stamp, by, |a, b| a.checked_add(*b)))
    }
}

impl PnCounter {
    /// Adds an amount.
    ///
    /// # Errors
    /// When the counter cannot hold the sum.
    pub fn increment(&self, stamp: Stamp, by: i64) -> Result<Put<i64>, Full> {
        self.view().checked_add(by).ok_or(Full)?;
        Ok(adding(&self.state, stamp, by, |a, b| a.checked_add(*b)))
    }

    /// Takes an amount away.
    ///
    /// # Errors
    /// When the counter cannot hold the difference.
    pub fn decrement(&self, stamp: Stamp, by: i64) -> Result<Put<i64>, Full> {
        let by = by.checked_neg().ok_or(Full)?;
        self.increment(stamp, by)
    }
}

/// What edits added to a counter.
pub type Amounts = BTreeMap<Stamp, i64>;

/// A counter as a version of a document has it.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// What it shows.
    pub shown: i64,
    /// What is known of how that came about: amounts in it, the latest of them.
    pub amounts: &'a Amounts,
}

/// A number with amounts added to it. It stays at the ends of what 64 bits hold, whatever the order of adding.
#[must_use]
pub fn total(number: i64, amounts: impl IntoIterator<Item = i64>) -> i64 {
    let sum: i128 = amounts.into_iter().map(i128::from).sum();
    saturated(i128::from(number) + sum)
}

/// What of the way from one number to another these amounts do not account for: nothing also where they come to more than 64
/// bits hold, at the end of which the number stands.
#[must_use]
pub fn unaccounted(was: i64, is: i64, amounts: impl IntoIterator<Item = i64>) -> i64 {
    let sum: i128 = amounts.into_iter().map(i128::from).sum();
    match saturated(i128::from(was) + sum) == is {
        true => 0,
        false => saturated(i128::from(is) - i128::from(was) - sum),
    }
}

/// What a counter shows to which two sides added: what stood there with what each of them did to it. An amount that both
/// have by the name of one edit was added once, and what both took back in one revert is gone once.
#[must_use]
pub fn joined(base: Counted<'_>, ours: Counted<'_>, theirs: Counted<'_>) -> i64 {
    let [mine, others] = [ours, theirs].map(|side| i128::from(side.shown) - i128::from(base.shown));
    let is_new = |side: Counted<'_>, stamp: &Stamp| {
        side.amounts.contains_key(stamp) && !base.amounts.contains_key(stamp)
    };
    let added = |side: Counted<'_>| -> i128 {
        let new = side.amounts.iter().filter(|(stamp, _)| is_new(side, stamp));
        new.map(|(_, amount)| i128::from(*amount)).sum()
    };
    let twice: i128 = ours
        .amounts
        .iter()
        .filter(|(stamp, _)| is_new(ours, stamp) && is_new(theirs, stamp))
        .map(|(_, amount)| i128::from(*amount))
        .sum();
    // What no edit on a side accounts for was typed without the tool, or is a revert.
    let [mine_else, others_else] = [mine - added(ours), others - added(theirs)];
    let gone: i128 = base
        .amounts
        .iter()
        .filter(|(stamp, _)| {
            !ours.amounts.contains_key(stamp) && !theirs.amounts.contains_key(stamp)
        })
        .map(|(_, amount)| i128::from(*amount))
        .sum();
    let same_revert = match mine_else == others_else && mine_else == -gone {
        true => mine_else,
        false => 0,
    };
    saturated(i128::from(base.shown) + mine + others - twice - same_revert)
}

fn saturated(number: i128) -> i64 {
    let held = i64::try_from(number);
    held.unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{Clock, Replica};

    fn amounts(list: &[(u32, i64)]) -> Amounts {
        let stamp = |replica| Clock::new(Replica::from_bits(replica), None).tick(1_800_000_000_000);
        let amounts = list.iter();
        amounts
            .map(|(replica, amount)| (stamp(*replica).unwrap(), *amount))
            .collect()
    }

    fn merged(versions: [(i64, &[(u32, i64)]); 3]) -> i64 {
        let known = versions.map(|(shown, list)| (shown, amounts(list)));
        let [base, ours, theirs] = [0, 1, 2].map(|side: usize| Counted {
            shown: known[side].0,
            amounts: &known[side].1,
        });
        let once = joined(base, ours, theirs);
        assert_eq!(once, joined(base, theirs, ours));
        once
    }

    #[test]
    fn what_both_sides_add_adds_up() {
        assert_eq!(merged([(42, &[]), (43, &[(1, 1)]), (43, &[(2, 1)])]), 44);
        assert_eq!(merged([(42, &[]), (43, &[]), (45, &[])]), 46);
        assert_eq!(merged([(42, &[]), (40, &[(1, -2)]), (43, &[])]), 41);
    }

    #[test]
    fn an_edit_that_both_sides_have_counts_once() {
        assert_eq!(merged([(42, &[]), (43, &[(1, 1)]), (43, &[(1, 1)])]), 43);
        let more: &[(u32, i64)] = &[(1, 1), (2, 5)];
        assert_eq!(merged([(42, &[]), (48, more), (43, &[(1, 1)])]), 48);
    }

    #[test]
    fn a_revert_takes_back_its_part_and_that_once() {
        let more: &[(u32, i64)] = &[(1, 1), (2, 5)];
        assert_eq!(merged([(43, &[(1, 1)]), (48, more), (42, &[])]), 47);
        assert_eq!(merged([(43, &[(1, 1)]), (42, &[]), (42, &[])]), 42);
        // Both took the one back, and one of them added another one since.
        assert_eq!(merged([(43, &[(1, 1)]), (42, &[]), (47, &[(2, 5)])]), 47);
        // Both sides dropped the amount to save space: nobody took anything back.
        assert_eq!(
            merged([(43, &[(1, 1)]), (48, &[(2, 5)]), (45, &[(3, 2)])]),
            50
        );
    }

    #[test]
    fn a_counter_stays_at_the_ends_of_what_it_holds() {
        assert_eq!(total(i64::MAX - 1, [1, 1, -3]), i64::MAX - 2);
        assert_eq!(total(i64::MAX, [1]), i64::MAX);
        assert_eq!(total(i64::MIN, [-1]), i64::MIN);
        assert_eq!(
            merged([(0, &[]), (i64::MAX, &[]), (i64::MAX, &[])]),
            i64::MAX
        );
    }
}
