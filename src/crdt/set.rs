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

/// Where an edit put a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    stamp: Option<Stamp>,
    behind: Option<Atom>,
}

/// The order of the records of a set.
pub(super) struct Order<'b> {
    base: Vec<&'b Atom>,
    /// The places that edits put a record to, and these edits. The last place counts.
    places: BTreeMap<Atom, (BTreeSet<Place>, BTreeSet<usize>)>,
    twins: BTreeMap<Atom, Vec<Record>>,
    revived: BTreeSet<Atom>,
}

impl<'b> Order<'b> {
    /// The order that `base` has.
    pub(super) fn of(base: &'b [Record]) -> Self {
        Self {
            base: base.iter().map(|record| &record.name).collect(),
            places: BTreeMap::new(),
            twins: BTreeMap::new(),
            revived: BTreeSet::new(),
        }
    }

    /// An edit put a record behind another one. Of several edits the latest counts.
    pub(super) fn put(
        &mut self,
        name: &Atom,
        behind: Option<&Atom>,
        stamp: Option<Stamp>,
        edit: usize,
    ) {
        let place = Place {
            stamp,
            behind: behind.cloned(),
        };
        let (places, edits) = self.places.entry(name.clone()).or_default();
        places.insert(place);
        edits.insert(edit);
    }

    /// Somebody removed a record that came back: what is new stands behind it, as it might have stood behind the gap.
    pub(super) fn revive(&mut self, name: &Atom) {
        self.revived.insert(name.clone());
    }

    /// A record stands directly behind the one whose name it was born under.
    pub(super) fn follow(&mut self, first: &Atom, twin: Record) {
        self.twins.entry(first.clone()).or_default().push(twin);
    }

    /// The records in order. One that follows a record which is gone follows the one before that.
    pub(super) fn arrange(mut self, mut records: BTreeMap<Atom, Record>) -> Vec<Record> {
        let stays = |name: &Atom| records.contains_key(name) && !self.places.contains_key(name);
        let skeleton: Vec<&Atom> = self
            .base
            .iter()
            .copied()
            .filter(|name| stays(name))
            .collect();
        let mut gaps: Vec<Vec<&Atom>> = vec![Vec::new(); skeleton.len() + 1];
        for name in self
            .places
            .keys()
            .filter(|name| records.contains_key(*name))
        {
            gaps[self.gap(name, &skeleton)].push(name);
        }
        let mut names: Vec<Atom> = Vec::with_capacity(records.len());
        for (index, gap) in gaps.into_iter().enumerate() {
            names.extend(index.checked_sub(1).map(|index| skeleton[index].clone()));
            let mixed = index
                .checked_sub(1)
                .is_some_and(|before| self.revived.contains(skeleton[before]));
            names.extend(self.in_gap(gap, mixed).into_iter().cloned());
        }
        let mut ordered = Vec::with_capacity(names.len());
        for name in names {
            let Some(record) = records.remove(&name) else {
                continue;
            };
            ordered.push(record);
            ordered.extend(self.twins.remove(&name).unwrap_or_default());
        }
        ordered
    }

    /// How many records of the skeleton stand before the place of a record.
    fn gap(&self, name: &Atom, skeleton: &[&Atom]) -> usize {
        let mut seen = BTreeSet::from([name]);
        let mut behind = self.behind(name);
        while let Some(before) = behind {
            if let Some(at) = skeleton.iter().position(|name| *name == before) {
                return self.behind_revived(at + 1, skeleton);
            }
            behind = match self.places.get(before) {
                Some(_) if seen.insert(before) => self.behind(before),
                _ => {
                    let at = self.base.iter().position(|name| *name == before);
                    at.and_then(|at| at.checked_sub(1)).map(|at| self.base[at])
                }
            };
        }
        self.behind_revived(0, skeleton)
    }

    fn behind_revived(&self, gap: usize, skeleton: &[&Atom]) -> usize {
        let revived = skeleton[gap..]
            .iter()
            .take_while(|name| self.revived.contains(**name));
        gap + revived.count()
    }

    fn behind(&self, name: &Atom) -> Option<&Atom> {
        let (places, _) = self.places.get(name)?;
        places.last()?.behind.as_ref()
    }

    /// What the same edits put into a gap stays as they put it; what came from several, or stands beside what came back
    /// (`mixed`), is sorted by name, so that no order of merging shows.
    fn in_gap<'n>(&'n self, mut names: Vec<&'n Atom>, mixed: bool) -> Vec<&'n Atom> {
        let put = |name: &&Atom| &self.places[*name];
        let edits: BTreeSet<&BTreeSet<usize>> =
            names.iter().map(put).map(|(_, edits)| edits).collect();
        let disputed = names.iter().map(put).any(|(places, _)| places.len() > 1);
        if mixed || disputed || edits.len() > 1 {
            return names;
        }
        let depth = |name: &Atom| {
            let before = |name: &&Atom| self.behind(name).filter(|before| names.contains(before));
            std::iter::successors(Some(name), before)
                .take(names.len())
                .count()
        };
        let mut depths: Vec<(usize, &Atom)> =
            names.iter().map(|name| (depth(name), *name)).collect();
        depths.sort();
        names.clear();
        names.extend(depths.into_iter().map(|(_, name)| name));
        names
    }
}
