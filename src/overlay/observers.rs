//! Who observed an edit: a run of stamps goes over all that its replica did in a time, and means only what it did in one place.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;

use crate::crdt::{Act, Change, Node, Path, Run, Stamp, StampSet, Step, born_as};

/// Changes that may have closed edits in their places or in them.
#[derive(Debug, Default)]
pub struct Closings<'c> {
    by_place: BTreeMap<&'c [Step], StampSet>,
    /// What removals observed, stamp by stamp, with the names that lead to what they removed. A record that nobody stamped at its birth
    /// is told by what it holds, and that was another thing on another commit.
    removed: HashMap<Stamp, Vec<Vec<&'c str>>>,
}

impl<'c> Closings<'c> {
    /// Those of these changes.
    #[must_use]
    pub fn of(changes: impl Iterator<Item = &'c Change>) -> Self {
        let mut by_place: BTreeMap<&[Step], StampSet> = BTreeMap::new();
        let mut removed: HashMap<Stamp, Vec<Vec<&str>>> = HashMap::new();
        for change in changes {
            let stamps = change.observed.stamps();
            if !stamps.is_empty() {
                let here = by_place.entry(change.at.steps()).or_default();
                here.union(stamps);
            }
            if change.act == Act::Remove {
                // A run means only what was done in its place, a stamp one edit wherever that is.
                for stamp in stamps.runs().iter().filter_map(|run| run.single()) {
                    let ways: &mut Vec<_> = removed.entry(stamp).or_default();
                    ways.push(names(change.at.steps()).collect());
                }
            }
        }
        Self { by_place, removed }
    }

    /// Those of these changes that may have closed one of the `asked` ones: of all that a document has seen most are about other
    /// records.
    #[must_use]
    pub fn about<'a>(
        changes: impl Iterator<Item = &'c Change>,
        asked: impl Iterator<Item = &'a Change>,
    ) -> Self {
        let about = About::of(asked);
        Self::of(changes.filter(|change| about.may_meet(&change.at)))
    }

    /// Whether a change of the edit with this stamp was observed in its place or around it; or in it, by who put something else
    /// there.
    #[must_use]
    pub fn close(&self, change: &Change, stamp: Stamp) -> bool {
        if self.by_place.is_empty() {
            return false;
        }
        let taken_up = taken_up(change);
        let steps = change.at.steps();
        let mut around = (0..=steps.len()).filter_map(|many| self.by_place.get(&steps[..many]));
        around
            .any(|seen| seen.contains(stamp) || taken_up.is_some_and(|birth| seen.contains(birth)))
            || self.have_removed(change, stamp)
            || self.have_filled(change, stamp)
    }

    /// Whether somebody who had seen a removal, or a value, put something into its place.
    fn have_filled(&self, change: &Change, stamp: Stamp) -> bool {
        let is_of_a_value = match &change.act {
            Act::Remove
            | Act::Write(_)
            | Act::Replace(_)
            | Act::Last(_)
            | Act::Count(_)
            | Act::Raise(_) => true,
            Act::Add { .. } | Act::Move { .. } | Act::Lose(_) | Act::Settle(_) | Act::Form(_) => {
                false
            }
        };
        let steps = change.at.steps();
        let behind = (Bound::Excluded(steps), Bound::Unbounded);
        let inside = self.by_place.range::<[Step], _>(behind);
        is_of_a_value
            && inside
                .take_while(|(place, _)| place.starts_with(steps))
                .any(|(_, seen)| {
                    let mut singles = seen.runs().iter().filter_map(|run| run.single());
                    singles.any(|one| one == stamp)
                })
    }

    /// Whether a removal observed this change, whatever the record held when it was made.
    fn have_removed(&self, change: &Change, stamp: Stamp) -> bool {
        let ways = self.removed.get(&stamp).into_iter().flatten();
        let mut ways = ways.filter(|way| way.len() <= change.at.steps().len());
        ways.any(|way| {
            names(change.at.steps())
                .zip(way)
                .all(|(name, other)| name == *other)
        })
    }
}

/// What changes are about: the records of lists at the top, or else the entries of the root.
#[derive(Default)]
struct About<'a> {
    /// Everything, as this cannot be told from here.
    all: bool,
    /// Entries of which something is meant that is no record.
    entries: HashSet<&'a str>,
    /// Records, by their lists and the names that they were born with.
    records: HashSet<(&'a str, &'a str)>,
    /// The entries that any of it is in.
    around: HashSet<&'a str>,
}

impl<'a> About<'a> {
    fn of(changes: impl Iterator<Item = &'a Change>) -> Self {
        let mut about = Self::default();
        for change in changes {
            match change.at.steps() {
                [Step::Entry(list), Step::Record(name, birth), ..] => {
                    about.records.insert((list, born_as(name, *birth)));
                    about.around.insert(list);
                }
                [Step::Entry(entry), ..] => {
                    about.entries.insert(entry);
                    about.around.insert(entry);
                }
                _ => about.all = true,
            }
        }
        about
    }

    /// Whether a place may be one of these, around or in one.
    fn may_meet(&self, at: &Path) -> bool {
        match at.steps() {
            _ if self.all => true,
            [Step::Entry(list), Step::Record(name, birth), ..] => {
                self.entries.contains(list.as_str())
                    || self.records.contains(&(list, born_as(name, *birth)))
            }
            [Step::Entry(entry), ..] => self.around.contains(entry.as_str()),
            _ => true,
        }
    }
}

/// What the steps of a way are called.
fn names(steps: &[Step]) -> impl Iterator<Item = &str> {
    steps.iter().map(|step| match step {
        Step::Entry(name) => name.as_str(),
        Step::Record(name, birth) => born_as(name, *birth),
    })
}

/// The birth that names what a record holds which somebody found, and whose edit they did not know.
fn taken_up(change: &Change) -> Option<Stamp> {
    let Act::Add { record, .. } = &change.act else {
        return None;
    };
    let birth = record.birth.stamp?;
    let is_named = |node: &Node| match node {
        Node::Register(_, stamps) | Node::List(_, stamps) => stamps.contains(&birth),
        Node::Map(_) | Node::Set(_) => false,
    };
    record.fields.values().any(is_named).then_some(birth)
}

/// What some changes were built on.
#[derive(Debug, Default)]
pub struct Grounds {
    /// A stamp that stands alone names one edit, wherever that is.
    single: HashSet<Stamp>,
    runs: Vec<(Path, Run)>,
}

impl Grounds {
    /// Those of these changes.
    #[must_use]
    pub fn of<'c>(changes: impl Iterator<Item = &'c Change>) -> Self {
        let mut grounds = Self::default();
        for change in changes {
            for run in change.observed.stamps().runs() {
                match run.single() {
                    Some(stamp) => {
                        grounds.single.insert(stamp);
                    }
                    None => grounds.runs.push((change.at.as_born(), *run)),
                }
            }
        }
        grounds
    }

    /// Whether the edit with this stamp, which changed something in these places, is among them.
    pub fn have<'p>(&self, stamp: Stamp, places: impl IntoIterator<Item = &'p Path>) -> bool {
        if self.single.contains(&stamp) {
            return true;
        }
        let mut runs = self.runs.iter().filter(|(_, run)| run.contains(stamp));
        let Some(first) = runs.next() else {
            return false;
        };
        let runs: Vec<&Path> = [first].into_iter().chain(runs).map(|(at, _)| at).collect();
        let mut places = places.into_iter().map(Path::as_born);
        places.any(|place| runs.iter().any(|at| at.meets(&place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{Atom, Digest, Observed, Replica};

    /// Places that are, hold or are called like one another.
    fn places() -> Vec<Path> {
        let named = |name: &str| {
            Step::Record(
                Atom::text(format!("\"{name}\""), name.to_owned()),
                Digest::of(b"x"),
            )
        };
        let second = format!("a-{}", Digest::of(b"x"));
        let entry = |name: &str| Step::Entry(name.to_owned());
        let list = || entry("list");
        let ways = [
            vec![],
            vec![list()],
            vec![entry("other")],
            vec![list(), named("a")],
            vec![list(), named(&second)],
            vec![list(), named("b")],
            vec![list(), entry("a")],
            vec![list(), named("a"), entry("x")],
            vec![list(), named(&second), entry("x")],
            vec![list(), named("b"), entry("x")],
            vec![list(), entry("a"), entry("x")],
            vec![entry("other"), named("a"), entry("x")],
            vec![named("a")],
            vec![named("a"), entry("x")],
        ];
        ways.into_iter()
            .map(|way| way.into_iter().collect())
            .collect()
    }

    #[test]
    fn those_about_what_is_asked_tell_what_all_of_them_tell() {
        let stamp = |millis: u64| {
            Stamp::from_unix_millis(1_700_000_000_000 + millis, Replica::from_bits(7)).unwrap()
        };
        let mut closed = 0;
        let changes = |observed: &Observed| -> Vec<Change> {
            let acts = [
                Act::Remove,
                Act::Write(Atom::text("\"v\"".to_owned(), "v".to_owned())),
            ];
            let of = |at: &Path| acts.clone().map(|act| (at.clone(), act));
            let all = places().iter().flat_map(of).collect::<Vec<_>>();
            let change = |(at, act)| Change {
                at,
                act,
                observed: observed.clone(),
            };
            all.into_iter().map(change).collect()
        };
        let mut single = Observed::default();
        single.add_stamp(stamp(2));
        let mut run = Observed::default();
        run.add_stamps(
            &[Run::new(stamp(1), stamp(3)).unwrap()]
                .into_iter()
                .collect(),
        );
        for seen in [single, run] {
            for closing in &changes(&seen) {
                for asked in &changes(&Observed::default()) {
                    let one = || std::iter::once(closing);
                    let all = Closings::of(one()).close(asked, stamp(2));
                    let about = Closings::about(one(), std::iter::once(asked));
                    assert_eq!(about.close(asked, stamp(2)), all, "{closing:?} {asked:?}");
                    closed += usize::from(all);
                }
            }
        }
        assert!(closed > 100, "{closed}");
    }
}
