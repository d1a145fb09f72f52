//! Sets of stamps as runs: all that a replica ever stamped between two times is as short as one stamp.
//!
//! Whoever edits one place again and again without committing supersedes all that they wrote there before. A run says so in
//! two stamps; it is broken where an edit in between was not seen (interval tree clocks and the version vectors with exceptions of
//! WinFS make the same bargain).

use std::fmt;
use std::str::FromStr;

use super::stamp::{NotAStamp, Replica, Stamp};

/// All stamps of one replica from `first` to `last`, both included, whether or not each of them was ever given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "node",
    serde(try_from = "(Stamp, u64)", into = "(Stamp, u64)")
)]
pub struct Run {
    first: Stamp,
    last: Stamp,
}

impl Run {
    /// The run between two stamps; none where they are of two replicas, or in the other order.
    #[must_use]
    pub fn new(first: Stamp, last: Stamp) -> Option<Self> {
        (first.replica() == last.replica() && first <= last).then_some(Self { first, last })
    }

    /// The run from a stamp over so many milliseconds; none where no stamp can hold that time.
    #[must_use]
    pub fn over(first: Stamp, millis: u64) -> Option<Self> {
        let last = first.unix_millis().checked_add(millis)?;
        Self::new(first, Stamp::from_unix_millis(last, first.replica())?)
    }

    /// How many milliseconds lie between its first stamp and its last.
    #[must_use]
    pub fn millis(self) -> u64 {
        self.last.unix_millis() - self.first.unix_millis()
    }

    /// Its first stamp.
    #[must_use]
    pub fn first(self) -> Stamp {
        self.first
    }

    /// Its last stamp.
    #[must_use]
    pub fn last(self) -> Stamp {
        self.last
    }

    /// Its stamp, where there is but one.
    #[must_use]
    pub fn single(self) -> Option<Stamp> {
        (self.first == self.last).then_some(self.first)
    }

    /// Whether a stamp is of this run.
    #[must_use]
    pub fn contains(self, stamp: Stamp) -> bool {
        stamp.replica() == self.first.replica() && self.first <= stamp && stamp <= self.last
    }

    fn replica(self) -> Replica {
        self.first.replica()
    }

    fn covers(self, other: Self) -> bool {
        self.contains(other.first) && self.contains(other.last)
    }

    /// Whether it stands before another run, with room between them for a stamp, or because its replica does.
    fn is_clear_of(self, later: Self) -> bool {
        let next = self.last.unix_millis().saturating_add(1);
        (self.replica(), next) < (later.replica(), later.first.unix_millis())
    }
}

impl From<Stamp> for Run {
    fn from(stamp: Stamp) -> Self {
        Self {
            first: stamp,
            last: stamp,
        }
    }
}

impl From<Run> for (Stamp, u64) {
    fn from(run: Run) -> Self {
        (run.first, run.millis())
    }
}

impl TryFrom<(Stamp, u64)> for Run {
    type Error = NotAStamp;

    fn try_from((first, millis): (Stamp, u64)) -> Result<Self, NotAStamp> {
        Run::over(first, millis).ok_or(NotAStamp)
    }
}

impl fmt::Display for Run {
    /// `4k2mez11-01xyz9` for one stamp, `4k2mez11..4k2mf03c-01xyz9` for more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first != self.last {
            write!(f, "{}..", self.first.time())?;
        }
        write!(f, "{}", self.last)
    }
}

impl FromStr for Run {
    type Err = NotAStamp;

    fn from_str(text: &str) -> Result<Self, NotAStamp> {
        let Some((first, last)) = text.split_once("..") else {
            return text.parse().map(Stamp::into);
        };
        let last: Stamp = last.parse()?;
        let first = Stamp::at_time(first, last.replica())?;
        // One stamp has one spelling.
        Run::new(first, last)
            .filter(|run| run.first != run.last)
            .ok_or(NotAStamp)
    }
}

/// A set of stamps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "node", serde(from = "Vec<Run>", into = "Vec<Run>"))]
pub struct StampSet {
    /// Each replica's in order, with room between them.
    runs: Vec<Run>,
}

impl StampSet {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Its runs: replica by replica, in order, as few as there can be.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Whether a stamp is among them.
    #[must_use]
    pub fn contains(&self, stamp: Stamp) -> bool {
        self.covers(stamp.into())
    }

    /// The stamps that stand alone, each certainly that of an edit.
    pub fn singles(&self) -> impl Iterator<Item = Stamp> {
        self.runs.iter().filter_map(|run| run.single())
    }

    /// Whether all stamps of another set are among them.
    #[must_use]
    pub fn has_all_of(&self, other: &Self) -> bool {
        other.runs.iter().all(|run| self.covers(*run))
    }

    fn covers(&self, run: Run) -> bool {
        let behind = self
            .runs
            .partition_point(|other| place(*other) <= place(run));
        behind
            .checked_sub(1)
            .and_then(|at| self.runs.get(at))
            .is_some_and(|other| other.covers(run))
    }

    /// Adds a stamp, or all those of a run; whether any of them was not there before.
    pub fn insert(&mut self, run: impl Into<Run>) -> bool {
        let mut run = run.into();
        if self.covers(run) {
            return false;
        }
        let from = self.runs.partition_point(|other| other.is_clear_of(run));
        let mut to = from;
        for other in self.runs.iter().skip(from) {
            if run.is_clear_of(*other) {
                break;
            }
            run.first = run.first.min(other.first);
            run.last = run.last.max(other.last);
            to += 1;
        }
        match self.runs.get_mut(from..to) {
            // Mostly a run grows: nothing has to be moved.
            Some([grown]) => *grown = run,
            _ => {
                self.runs.splice(from..to, [run]);
            }
        }
        true
    }

    /// Adds all stamps of another set.
    pub fn union(&mut self, other: &Self) {
        match self.runs.is_empty() {
            true => self.runs.clone_from(&other.runs),
            false => self.extend(other.runs.iter().copied()),
        }
    }

    /// Leaves out the stamps that another set has, but for those in the middle of a run: two runs would only say more.
    pub fn leave_out(&mut self, other: &Self) {
        self.runs.retain_mut(|run| {
            for gone in &other.runs {
                if gone.covers(*run) {
                    return false;
                }
                if gone.contains(run.first) {
                    run.first = gone.last.at(gone.last.unix_millis() + 1);
                } else if gone.contains(run.last) {
                    run.last = gone.first.at(gone.first.unix_millis() - 1);
                }
            }
            true
        });
    }

    /// Takes what lies between two runs of a replica for seen, too, wherever `is_seen` says of the last stamp of the one and the
    /// first of the other that whatever was stamped between them was.
    pub fn bridge(&mut self, is_seen: impl Fn(Stamp, Stamp) -> bool) {
        self.runs.dedup_by(|later, run| {
            let joins = later.replica() == run.replica() && is_seen(run.last, later.first);
            if joins {
                run.last = later.last;
            }
            joins
        });
    }
}

/// What runs stand in order of.
fn place(run: Run) -> (Replica, Stamp) {
    (run.replica(), run.first)
}

impl From<Vec<Run>> for StampSet {
    fn from(runs: Vec<Run>) -> Self {
        let mut set = Self::default();
        set.extend(runs);
        set
    }
}

impl From<StampSet> for Vec<Run> {
    fn from(set: StampSet) -> Self {
        set.runs
    }
}

impl<R: Into<Run>> Extend<R> for StampSet {
    fn extend<I: IntoIterator<Item = R>>(&mut self, runs: I) {
        for run in runs {
            self.insert(run);
        }
    }
}

impl<R: Into<Run>> FromIterator<R> for StampSet {
    fn from_iter<I: IntoIterator<Item = R>>(runs: I) -> Self {
        let mut set = Self::default();
        set.extend(runs);
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn stamp(millis: u64, replica: u32) -> Stamp {
        let replica = Replica::from_bits(replica);
        Stamp::from_unix_millis(1_600_000_000_000 + millis, replica).unwrap()
    }

    fn run((first, length, replica): (u64, u64, u32)) -> Run {
        Run::new(stamp(first, replica), stamp(first + length, replica)).unwrap()
    }

    /// Every stamp that could be meant here.
    fn all() -> impl Iterator<Item = Stamp> {
        (0..40).flat_map(|millis| (0..3).map(move |replica| stamp(millis, replica)))
    }

    fn members(set: &StampSet) -> BTreeSet<Stamp> {
        all().filter(|stamp| set.contains(*stamp)).collect()
    }

    fn runs() -> impl Strategy<Value = Vec<Run>> {
        proptest::collection::vec((0..30u64, 0..4u64, 0..3u32).prop_map(run), 0..12)
    }

    fn of(runs: &[Run]) -> BTreeSet<Stamp> {
        let is_in = |stamp: &Stamp| runs.iter().any(|run| run.contains(*stamp));
        all().filter(is_in).collect()
    }

    proptest! {
        #[test]
        fn it_holds_what_was_put_in_whatever_the_order(runs in runs()) {
            let set: StampSet = runs.iter().copied().collect();
            prop_assert_eq!(members(&set), of(&runs));
            let reversed: StampSet = runs.iter().rev().copied().collect();
            prop_assert_eq!(&set, &reversed, "equal sets have equal runs");
            for pair in set.runs().windows(2) {
                prop_assert!(place(pair[0]) < place(pair[1]) && pair[0].is_clear_of(pair[1]));
            }
        }

        #[test]
        fn sets_are_joined_and_compared_by_their_members(one in runs(), other in runs()) {
            let (a, b): (StampSet, StampSet) = (one.iter().copied().collect(), other.iter().copied().collect());
            let mut both = a.clone();
            both.union(&b);
            prop_assert_eq!(members(&both), &members(&a) | &members(&b));
            prop_assert!(both.has_all_of(&a) && both.has_all_of(&b));
            prop_assert_eq!(a.has_all_of(&b), members(&b).is_subset(&members(&a)));
            let mut rest = a.clone();
            rest.leave_out(&b);
            prop_assert!(members(&rest).is_superset(&(&members(&a) - &members(&b))));
            prop_assert!(a.has_all_of(&rest));
            for run in rest.runs() {
                prop_assert!(!b.contains(run.first()) && !b.contains(run.last()));
            }
        }

        #[test]
        fn a_run_reads_back(first in 0..1u64 << 39, length in 0..1u64 << 39, replica: u32) {
            let run = run((first, length % (1 << 38), replica));
            prop_assert_eq!(run.to_string().parse(), Ok(run));
        }

        #[test]
        fn what_is_bridged_is_one_run(runs in runs(), wall in 0..40u64) {
            let mut set: StampSet = runs.iter().copied().collect();
            let before = set.clone();
            let is_open = |after: Stamp, until: Stamp| {
                let wall = stamp(wall, 0).unix_millis();
                !(after.unix_millis()..until.unix_millis()).contains(&wall)
            };
            set.bridge(is_open);
            prop_assert!(set.has_all_of(&before));
            for pair in set.runs().windows(2) {
                let is_apart = pair[0].replica() != pair[1].replica();
                prop_assert!(is_apart || !is_open(pair[0].last(), pair[1].first()));
            }
        }
    }

    #[test]
    fn only_one_spelling_is_read() {
        for text in [
            "",
            "..",
            "4k2mez11..4k2mez11-01xyz9",
            "4k2mf03c..4k2mez11-01xyz9",
            "4k2mez11-01xyz9..4k2mf03c-01xyz9",
            "4k2mez1..4k2mf03c-01xyz9",
            "4k2mez11..4k2mf03c",
        ] {
            assert_eq!(text.parse::<Run>(), Err(NotAStamp), "{text}");
        }
    }
}
