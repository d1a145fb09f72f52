//! The OR-Set of records (after Bieniusa et al., "An optimized conflict-free replicated set", 2012), in an order that people
//! chose.
//!
//! A removal takes away exactly the births and updates that it observed. Two births of one name are one record if what
//! names it is the same, and two records otherwise: the earlier birth keeps the name, the other gets one that its own birth
//! alone decides. Order stands nowhere but in edits: each names the record that a new or a moved one follows.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::document::{Atom, Record};
use super::{Digest, Stamp};

/// The name of a record whose own belongs to an earlier birth: the same wherever and however often it is found out.
#[must_use]
pub fn second_name(name: &str, birth: Digest) -> String {
    format!("{name}-{birth}")
}

/// The name that a record was born under and the digest of its birth, as a [`second_name`] tells them; nothing for a name
/// that has not the form of one.
#[must_use]
pub fn split_second_name(name: &str) -> Option<(&str, Digest)> {
    let (first, suffix) = name.rsplit_once('-')?;
    Some((first, suffix.parse().ok()?))
}

/// The name under which a record that is called `name` was born.
pub(crate) fn born_as(name: &Atom, birth: Digest) -> &str {
    let name = name.said();
    let second = split_second_name(name).filter(|(_, digest)| *digest == birth);
    second.map_or(name, |(first, _)| first)
}

/// What a record is known by, whatever it is called by now: the name that it was born under, and what named it then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    /// The name.
    pub(super) family: String,
    /// The digest of its defining field at birth.
    pub(super) birth: Digest,
}

impl Key {
    /// The key of a record that is called `name`.
    pub(super) fn new(name: &Atom, birth: Digest) -> Self {
        Self {
            family: born_as(name, birth).to_owned(),
            birth,
        }
    }

    pub(super) fn of(record: &Record) -> Self {
        Self::new(&record.name, record.birth.digest)
    }
}

/// Where an edit put a record: behind another one, or to the front. Of several places the latest counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    stamp: Option<Stamp>,
    behind: Option<Atom>,
}

/// A spot in the order: where the base has a record, or where an edit put it. Spots stay when a record is moved on or
/// removed, so that what follows it stays where it is.
type Spot<'o> = (&'o Key, Option<&'o Place>);

/// The order of the records of a set: that of the base, in which edits put records behind others (after the causal trees of
/// Roh et al., "Replicated abstract data types", 2011). What was put behind the same spot stands there latest first, so
/// that whoever puts a record somewhere finds it there.
pub(super) struct Order {
    base: Vec<Key>,
    places: BTreeMap<Key, BTreeSet<Place>>,
}

impl Order {
    /// The order that `base` has.
    pub(super) fn of(base: &[Record]) -> Self {
        Self::of_keys(base.iter().map(Key::of).collect())
    }

    /// The order of the records with these keys.
    pub(super) fn of_keys(base: Vec<Key>) -> Self {
        Self {
            base,
            places: BTreeMap::new(),
        }
    }

    /// An edit put a record behind another one.
    pub(super) fn put(&mut self, key: &Key, behind: Option<&Atom>, stamp: Option<Stamp>) {
        self.places.entry(key.clone()).or_default().insert(Place {
            stamp,
            behind: behind.cloned(),
        });
    }

    /// The records in order.
    pub(super) fn arrange(&self, mut records: BTreeMap<Key, Record>) -> Vec<Record> {
        let spots = self.spots(&records);
        let shown = |(key, place): &Spot<'_>| self.latest(key) == *place;
        let mut ordered: Vec<Record> = spots
            .into_iter()
            .filter(shown)
            .filter_map(|(key, _)| records.remove(key))
            .collect();
        // Two records that were each put behind the other at once follow nothing.
        ordered.extend(records.into_values());
        ordered
    }

    fn latest(&self, key: &Key) -> Option<&Place> {
        self.places.get(key).and_then(BTreeSet::last)
    }

    /// All spots in order.
    fn spots(&self, records: &BTreeMap<Key, Record>) -> Vec<Spot<'_>> {
        let names = Names::of(self, records);
        let mut followers: BTreeMap<Option<Spot<'_>>, Vec<Spot<'_>>> = BTreeMap::new();
        for (key, places) in &self.places {
            for place in places {
                let anchor = place
                    .behind
                    .as_ref()
                    .and_then(|name| self.spot(name, place, &names));
                followers
                    .entry(anchor)
                    .or_default()
                    .push((key, Some(place)));
            }
        }
        for group in followers.values_mut() {
            group.sort_by(|(x, a), (y, b)| b.cmp(a).then_with(|| x.cmp(y)));
        }
        let base = self.base.iter().map(|key| Some((key, None)));
        let mut spots = Vec::with_capacity(self.base.len() + self.places.len());
        for start in std::iter::once(None).chain(base) {
            let mut waiting = vec![start];
            while let Some(spot) = waiting.pop() {
                spots.extend(spot);
                let group = followers.remove(&spot).unwrap_or_default();
                waiting.extend(group.into_iter().rev().map(Some));
            }
        }
        spots
    }

    /// Where the record that an edit called so stood when another one was put behind it.
    fn spot<'o>(&'o self, name: &Atom, follower: &Place, names: &Names<'o>) -> Option<Spot<'o>> {
        let key = names.named(name)?;
        let places = self.places.get(key);
        let then =
            places.and_then(|places| places.iter().rfind(|then| then.stamp <= follower.stamp));
        if then.is_some() || names.base.contains(key) {
            return Some((key, then));
        }
        // Clocks disagree: whoever put it there had seen it.
        Some((key, places.and_then(BTreeSet::first)))
    }
}

/// What the records of an order are called; of several the first.
struct Names<'o> {
    base: HashSet<&'o Key>,
    /// As they are shown.
    shown: HashMap<Atom, &'o Key>,
    /// By their second names.
    second: HashMap<String, &'o Key>,
    /// As they were born.
    born: HashMap<&'o str, &'o Key>,
}

impl<'o> Names<'o> {
    fn of(order: &'o Order, records: &BTreeMap<Key, Record>) -> Self {
        let mut names = Self {
            base: order.base.iter().collect(),
            shown: HashMap::new(),
            second: HashMap::new(),
            born: HashMap::new(),
        };
        for key in order.base.iter().chain(order.places.keys()) {
            if let Some(record) = records.get(key) {
                names.shown.entry(record.name.clone()).or_insert(key);
            }
            let second = second_name(&key.family, key.birth);
            names.second.entry(second).or_insert(key);
            names.born.entry(&key.family).or_insert(key);
        }
        names
    }

    /// The record that an edit called so.
    fn named(&self, name: &Atom) -> Option<&'o Key> {
        let shown = self.shown.get(name);
        let second = || self.second.get(name.said());
        let born = || self.born.get(name.said());
        shown.or_else(second).or_else(born).copied()
    }
}
