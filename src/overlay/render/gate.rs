//! The gate before a rendered text is handed out: what was written, read again, holds what the view holds.
//!
//! Equal are values, names and the order of records, and what lost. What is said of edits is less than what the view
//! knows: stamps that HEAD contains are dropped where they take up too much, a stamp of a birth stands for all that was born
//! with it, and some mappings can say nothing. So of births and stamps nothing may be said that the view does not know.

use std::collections::{BTreeSet, HashMap};

use rustc_hash::{FxHashMap, FxHashSet};

use super::find;
use crate::context::{lift_but, takes_stamps};
use crate::crdt::{Document, Map, Node, Path, Record, Stamps, born_as};
use crate::yaml::{self, NodeRef};

/// A text, and what it holds.
#[derive(Clone, Copy)]
pub(super) struct Held<'d> {
    pub(super) text: &'d yaml::Document,
    pub(super) document: &'d Document,
}

/// The first place at which a written text, read again, holds something else than the view. What stands in the text
/// `before` byte for byte need not be read anew.
pub(super) fn difference(
    written: &yaml::Document,
    view: &Document,
    before: Held<'_>,
) -> Option<Path> {
    let contested: FxHashSet<Path> = view
        .losers
        .keys()
        .chain(before.document.losers.keys())
        .flat_map(|loser| {
            let at = loser.at.as_born();
            let steps = at.steps().to_vec();
            (1..=steps.len()).map(move |count| steps.iter().take(count).cloned().collect())
        })
        .collect();
    let mut gate = Gate {
        omitted: HashMap::new(),
    };
    let found = lift_but(written, &mut |at, list| {
        let omitted = unchanged(list, at, view, before, &contested);
        gate.omitted.insert(at.clone(), omitted.clone());
        omitted
    });
    gate.maps(&found.root, &view.root, &Path::default())
        .or_else(|| {
            let untold = |of: &Document, other: &Document| {
                let known: BTreeSet<_> = other
                    .losers
                    .keys()
                    .map(|loser| (loser.at.as_born(), &loser.value))
                    .collect();
                let mut losers = of.losers.keys();
                let missing =
                    losers.find(|loser| !known.contains(&(loser.at.as_born(), &loser.value)));
                missing.map(|loser| loser.at.clone())
            };
            let tells = || takes_stamps(Some(before.text), written);
            untold(&found, view).or_else(|| untold(view, &found).filter(|_| tells()))
        })
}

/// Which records of a list hold what they are to hold, since they are written as before.
fn unchanged(
    list: NodeRef<'_>,
    at: &Path,
    view: &Document,
    before: Held<'_>,
    contested: &FxHashSet<Path>,
) -> Vec<bool> {
    let sets = [view, before.document].map(|document| records_at(&document.root, at));
    let [Some(wanted), Some(known)] = sets else {
        return Vec::new();
    };
    let stood = match at.steps() {
        // The list is the root itself.
        [crate::crdt::Step::Entry(name)] if name.is_empty() => before.text.root(),
        _ => find(before.text, before.document, at).map(|entry| entry.value()),
    };
    let Some(stood) =
        stood.filter(|stood| stood.len() == known.len() && list.len() == wanted.len())
    else {
        return Vec::new();
    };
    let (now, then) = (list.data(), stood.data());
    if now.column != then.column || now.flow || then.flow {
        return Vec::new();
    }
    let key = |record: &'_ Record| {
        (
            born_as(&record.name, record.birth.digest).to_owned(),
            record.birth.digest,
        )
    };
    let mut places: Option<FxHashMap<_, usize>> = None;
    let entries: Vec<_> = stood.entries().collect();
    let mut next = 0;
    let same = |(entry, wanted): (yaml::EntryRef<'_>, &Record)| {
        let is_next = known
            .get(next)
            .is_some_and(|known| known.name == wanted.name);
        let index = if is_next {
            Some(next)
        } else {
            let places = places.get_or_insert_with(|| {
                known
                    .iter()
                    .enumerate()
                    .map(|(index, record)| (key(record), index))
                    .collect()
            });
            places.get(&key(wanted)).copied()
        };
        let Some((index, known, stood)) =
            index.and_then(|index| Some((index, known.get(index)?, entries.get(index)?)))
        else {
            return false;
        };
        next = index + 1;
        let (now, then) = (entry.value().data(), stood.value().data());
        now.column == then.column
            && entry.value().raw_with_props() == stood.value().raw_with_props()
            && known == wanted
            && (contested.is_empty() || !contested.contains(&at.record(wanted).as_born()))
    };
    list.entries().zip(wanted).map(same).collect()
}

/// The records of a list at the top, or in mappings there.
fn records_at<'v>(root: &'v Map, at: &Path) -> Option<&'v [Record]> {
    let (last, above) = at.steps().split_last()?;
    let entry = |map: &'v Map, step: &crate::crdt::Step| match step {
        crate::crdt::Step::Entry(name) => map.get(name),
        crate::crdt::Step::Record(..) => None,
    };
    let map = above
        .iter()
        .try_fold(root, |map, step| match entry(map, step)? {
            Node::Map(map) => Some(map),
            _ => None,
        })?;
    match entry(map, last)? {
        Node::Set(records) => Some(records),
        _ => None,
    }
}

struct Gate {
    /// Which members of a list were not read anew.
    omitted: HashMap<Path, Vec<bool>>,
}

impl Gate {
    fn maps(&self, found: &Map, view: &Map, at: &Path) -> Option<Path> {
        if let Some(name) = view.keys().find(|name| !found.contains_key(*name)) {
            return Some(at.entry(name));
        }
        found.iter().find_map(|(name, found)| {
            let at = at.entry(name);
            match view.get(name) {
                Some(view) => self.nodes(found, view, at),
                None => Some(at),
            }
        })
    }

    fn nodes(&self, found: &Node, view: &Node, at: Path) -> Option<Path> {
        let knows = |found: &Stamps, view: &Stamps| found.is_subset(view);
        let agree = match (found, view) {
            (Node::Map(found), Node::Map(view)) => return self.maps(found, view, &at),
            (Node::Set(found), Node::Set(view)) => {
                let omitted = self.omitted.get(&at);
                let is_read =
                    |index: usize| omitted.and_then(|omitted| omitted.get(index)) != Some(&true);
                let view = view.iter().enumerate().filter(|(index, _)| is_read(*index));
                let view: Vec<&Record> = view.map(|(_, record)| record).collect();
                if found.len() != view.len() {
                    return Some(at);
                }
                let mut both = found.iter().zip(view);
                return both.find_map(|(found, view)| self.records(found, view, &at));
            }
            (Node::Register(found, of), Node::Register(view, by)) => found == view && knows(of, by),
            (Node::List(found, of), Node::List(view, by)) => found == view && knows(of, by),
            // A list without members is a set without records.
            (Node::List(found, _), Node::Set(view)) => found.is_empty() && view.is_empty(),
            _ => false,
        };
        (!agree).then_some(at)
    }

    fn records(&self, found: &Record, view: &Record, at: &Path) -> Option<Path> {
        let at = at.record(view);
        let is_one =
            found.name == view.name && (found.birth.stamp.is_none() || found.birth == view.birth);
        if is_one {
            self.maps(&found.fields, &view.fields, &at)
        } else {
            Some(at)
        }
    }
}
