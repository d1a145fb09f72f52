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

/// The name that a record was born under, whether it has a second one by now or not.
pub(super) fn first_name(name: &str, birth: Digest) -> &str {
    let suffix = birth.to_string();
    let first = name
        .strip_suffix(suffix.as_str())
        .and_then(|name| name.strip_suffix('-'));
    first.unwrap_or(name)
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
pub(super) struct Order<'b> {
    base: Vec<&'b Atom>,
    places: BTreeMap<Atom, BTreeSet<Place>>,
    twins: BTreeMap<Atom, Vec<Record>>,
}

impl<'b> Order<'b> {
    /// The order that `base` has.
    pub(super) fn of(base: &'b [Record]) -> Self {
        Self {
            base: base.iter().map(|record| &record.name).collect(),
            places: BTreeMap::new(),
            twins: BTreeMap::new(),
        }
    }

    /// An edit put a record behind another one.
    pub(super) fn put(&mut self, name: &Atom, behind: Option<&Atom>, stamp: Option<Stamp>) {
        self.places.entry(name.clone()).or_default().insert(Place {
            stamp,
            behind: behind.cloned(),
        });
    }

    /// A record has another name than those who put it in its place knew.
    pub(super) fn rename(&mut self, old: &Atom, new: &Atom) {
        if let Some(places) = self.places.remove(old) {
            self.places.insert(new.clone(), places);
        }
    }

    /// A record stands directly behind the one whose name it was born under.
    pub(super) fn follow(&mut self, first: &Atom, twin: Record) {
        self.twins.entry(first.clone()).or_default().push(twin);
    }

    /// The records in order.
    pub(super) fn arrange(mut self, mut records: BTreeMap<Atom, Record>) -> Vec<Record> {
        let names: Vec<Atom> = self.names(&records).into_iter().cloned().collect();
        let mut ordered = Vec::with_capacity(names.len());
        for name in names {
            ordered.extend(records.remove(&name));
            ordered.extend(self.twins.remove(&name).unwrap_or_default());
        }
        // Two records that were each put behind the other follow nothing.
        ordered.extend(records.into_values());
        ordered
    }

    fn names<'n>(&'n self, records: &'n BTreeMap<Atom, Record>) -> Vec<&'n Atom> {
        let mut followers: BTreeMap<Option<&Atom>, Vec<(&Place, &Atom)>> = BTreeMap::new();
        for (name, places) in &self.places {
            if let Some(place) = places.last().filter(|_| records.contains_key(name)) {
                let anchor = self.anchor(place, records);
                followers.entry(anchor).or_default().push((place, name));
            }
        }
        for group in followers.values_mut() {
            group.sort_by(|(a, x), (b, y)| b.stamp.cmp(&a.stamp).then_with(|| x.cmp(y)));
        }
        let stays = |name: &&Atom| records.contains_key(*name) && !self.places.contains_key(*name);
        let unmoved = self.base.iter().copied().filter(stays).map(Some);
        let mut names = Vec::with_capacity(records.len());
        for start in std::iter::once(None).chain(unmoved) {
            let mut waiting = vec![start];
            while let Some(name) = waiting.pop() {
                names.extend(name);
                let group = followers.remove(&name).unwrap_or_default();
                waiting.extend(group.into_iter().rev().map(|(_, name)| Some(name)));
            }
        }
        names
    }

    /// The record that one in this place follows now. One that is gone, or that was moved away since, leaves it to the one
    /// that it followed then.
    fn anchor<'n>(
        &'n self,
        place: &'n Place,
        records: &BTreeMap<Atom, Record>,
    ) -> Option<&'n Atom> {
        let mut behind = place.behind.as_ref()?;
        // Each step goes back in the base or in time.
        for _ in 0..=self.base.len() + self.places.len() {
            let places = self.places.get(behind);
            let now = places.and_then(BTreeSet::last);
            let then = places
                .and_then(|places| places.iter().rev().find(|then| then.stamp <= place.stamp));
            let is_there = now == then || now.is_some_and(|now| now.behind == place.behind);
            if is_there && records.contains_key(behind) {
                return Some(behind);
            }
            behind = match then {
                Some(then) => then.behind.as_ref()?,
                None => {
                    let at = self.base.iter().position(|name| *name == behind)?;
                    self.base.get(at.checked_sub(1)?)?
                }
            };
        }
        None
    }
}
