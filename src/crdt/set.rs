//! The OR-Set of records (after Bieniusa et al., "An optimized conflict-free replicated set", 2012), in an order that people
//! chose.
//!
//! A removal takes away exactly the births and updates that it observed. Two births of one name are one record if what
//! names it is the same, and two records otherwise: the earlier birth keeps the name, the other gets one that its own birth
//! alone decides. Order stands nowhere but in edits: each names the record that a new or a moved one follows.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Atom, Record};
use super::{Digest, Stamp};

/// The name of a record whose own belongs to an earlier birth: the same wherever and however often it is found out.
#[must_use]
pub fn second_name(name: &str, birth: Digest) -> String {
    format!("{name}-{birth}")
}

/// What a record is known by, whatever it is called by now: the name that it was born under, and what named it then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The name.
    pub(super) family: String,
    /// The digest of its defining field at birth.
    pub(super) birth: Digest,
}

impl Key {
    /// The key of a record that is called `name`.
    pub(super) fn new(name: &Atom, birth: Digest) -> Self {
        let name = name.said();
        let first = name.strip_suffix(birth.to_string().as_str());
        let family = first
            .and_then(|name| name.strip_suffix('-'))
            .unwrap_or(name);
        Self {
            family: family.to_owned(),
            birth,
        }
    }

    pub(super) fn of(record: &Record) -> Self {
        Self::new(&record.name, record.birth.digest)
    }

    fn is_called(&self, name: &str) -> bool {
        name == second_name(&self.family, self.birth)
    }
}

/// Where an edit put a record: behind another one, or to the front. Of several places the latest counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    stamp: Option<Stamp>,
    behind: Option<Atom>,
}

/// The order of the records of a set: that of the base, in which edits put records behind others (after the causal trees of
/// Roh et al., "Replicated abstract data types", 2011). What was put behind the same record stands there latest first, so
/// that whoever puts a record somewhere finds it there.
pub(super) struct Order {
    base: Vec<Key>,
    places: BTreeMap<Key, BTreeSet<Place>>,
}

impl Order {
    /// The order that `base` has.
    pub(super) fn of(base: &[Record]) -> Self {
        Self {
            base: base.iter().map(Key::of).collect(),
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
        let keys: Vec<Key> = self.keys(&records).into_iter().cloned().collect();
        let ordered = keys
            .iter()
            .filter_map(|key| records.remove(key))
            .collect::<Vec<_>>();
        // Two records that were each put behind the other follow nothing.
        ordered.into_iter().chain(records.into_values()).collect()
    }

    fn keys(&self, records: &BTreeMap<Key, Record>) -> Vec<&Key> {
        let mut followers: BTreeMap<Option<&Key>, Vec<(&Place, &Key)>> = BTreeMap::new();
        for (key, places) in &self.places {
            if let Some(place) = places.last().filter(|_| records.contains_key(key)) {
                let anchor = self.anchor(place, records);
                followers.entry(anchor).or_default().push((place, key));
            }
        }
        for group in followers.values_mut() {
            group.sort_by(|(a, x), (b, y)| b.stamp.cmp(&a.stamp).then_with(|| x.cmp(y)));
        }
        let stays = |key: &&Key| records.contains_key(*key) && !self.places.contains_key(*key);
        let unmoved = self.base.iter().filter(stays).map(Some);
        let mut keys = Vec::with_capacity(records.len());
        for start in std::iter::once(None).chain(unmoved) {
            let mut waiting = vec![start];
            while let Some(key) = waiting.pop() {
                keys.extend(key);
                let group = followers.remove(&key).unwrap_or_default();
                waiting.extend(group.into_iter().rev().map(|(_, key)| Some(key)));
            }
        }
        keys
    }

    /// The record that one in this place follows now. One that is gone, or that was moved away since, leaves it to the one
    /// that it followed then.
    fn anchor(&self, place: &Place, records: &BTreeMap<Key, Record>) -> Option<&Key> {
        let mut behind = self.named(place.behind.as_ref()?, records)?;
        let then = |key: &Key| {
            let places = self.places.get(key)?;
            places.iter().rfind(|then| then.stamp <= place.stamp)
        };
        // Back in time, as long as it goes by places; two records may have been put behind each other.
        for _ in 0..=self.places.len() {
            let now = self.places.get(behind).and_then(BTreeSet::last);
            let was = then(behind);
            if now == was && records.contains_key(behind) {
                return Some(behind);
            }
            let Some(was) = was else { break };
            behind = self.named(was.behind.as_ref()?, records)?;
        }
        // And then in the base, where what was ever moved stands no more.
        let at = self.base.iter().position(|key| key == behind)?;
        let stays = |key: &&Key| records.contains_key(*key) && !self.places.contains_key(*key);
        self.base[..at].iter().rfind(stays)
    }

    /// The record that an edit called so.
    fn named(&self, name: &Atom, records: &BTreeMap<Key, Record>) -> Option<&Key> {
        let keys = || self.base.iter().chain(self.places.keys());
        let shown = |key: &&Key| records.get(*key).is_some_and(|record| record.name == *name);
        keys()
            .find(shown)
            .or_else(|| keys().find(|key| key.is_called(name.said())))
            .or_else(|| keys().find(|key| key.family == name.said()))
    }
}
