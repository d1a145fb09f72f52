//! The difference of two versions of a file as edits: what was done to the one to make the other.

use std::collections::{BTreeMap, BTreeSet};

use super::Lifted;
use crate::crdt::{Act, Atom, Change, Edit, Loser, Map, Node, Observed, Path, Record, Stamp};

/// The edits that made `new` of `old`: one for each stamp that `new` has and `old` has not, and one for what carries
/// none. Each observed what `old` holds in its place.
#[must_use]
pub fn edits(old: &Lifted, new: &Lifted) -> Vec<Edit> {
    let mut difference = Difference {
        old,
        new,
        changes: BTreeMap::new(),
    };
    difference.maps(&old.document.root, &new.document.root, &Path::default());
    let (before, after) = (&old.document.losers, &new.document.losers);
    let value = |loser: &Loser| (loser.at.clone(), loser.value.clone());
    for (at, value) in after.difference(before).map(value) {
        difference.push(None, at, Act::Lose(value), Observed::default());
    }
    for (at, value) in before.difference(after).map(value) {
        difference.push(None, at, Act::Settle(value), Observed::default());
    }
    difference
        .changes
        .into_iter()
        .map(|(stamp, changes)| Edit { stamp, changes })
        .collect()
}

struct Difference<'l> {
    old: &'l Lifted,
    new: &'l Lifted,
    changes: BTreeMap<Option<Stamp>, Vec<Change>>,
}

impl Difference<'_> {
    fn push(&mut self, stamp: Option<Stamp>, at: Path, act: Act, mut observed: Observed) {
        for &superseded in stamp
            .iter()
            .filter_map(|stamp| self.new.superseded.get(stamp))
            .flatten()
        {
            observed.add_stamp(superseded);
        }
        let changes = self.changes.entry(stamp).or_default();
        changes.push(Change { at, act, observed });
    }

    fn maps(&mut self, old: &Map, new: &Map, at: &Path) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            self.nodes(old.get(name), new.get(name), &at.join(name));
        }
    }

    fn nodes(&mut self, old: Option<&Node>, new: Option<&Node>, at: &Path) {
        match (old, new) {
            (Some(Node::Map(old)), Some(Node::Map(new))) => self.maps(old, new, at),
            (Some(Node::Map(old)), None) => self.maps(old, &Map::new(), at),
            (None, Some(Node::Map(new))) => self.maps(&Map::new(), new, at),
            (Some(Node::Set(old)), Some(Node::Set(new))) => self.sets(old, new, at),
            (None, Some(Node::Set(new))) => self.sets(&[], new, at),
            (old, None) => {
                let observed = old.map(|old| self.observed(old)).unwrap_or_default();
                self.push(None, at.clone(), Act::Remove, observed);
            }
            (old, Some(new)) => self.leaf(old, new, at),
        }
    }

    /// A leaf, or what became one: another value, or the same one written anew.
    fn leaf(&mut self, old: Option<&Node>, new: &Node, at: &Path) {
        let (act, stamp) = match new {
            Node::Register(value, stamp) => (Act::Write(value.clone()), *stamp),
            Node::List(members, stamp) => (Act::Replace(members.clone()), *stamp),
            Node::Map(_) | Node::Set(_) => {
                // Another kind of value stood here: it goes, and what is new comes by itself.
                let observed = old.map(|old| self.observed(old)).unwrap_or_default();
                self.push(None, at.clone(), Act::Remove, observed);
                self.nodes(None, Some(new), at);
                return;
            }
        };
        let (same, before) = match (old, new) {
            (Some(Node::Register(old, before)), Node::Register(new, _)) => (old == new, *before),
            (Some(Node::List(old, before)), Node::List(new, _)) => (old == new, *before),
            _ => (false, None),
        };
        if same && (stamp == before || stamp.is_none()) {
            return;
        }
        let observed = old.map(|old| self.observed(old)).unwrap_or_default();
        self.push(stamp.filter(|_| stamp != before), at.clone(), act, observed);
    }

    fn sets(&mut self, old: &[Record], new: &[Record], at: &Path) {
        let known: BTreeMap<&Atom, &Record> =
            old.iter().map(|record| (&record.name, record)).collect();
        let names: BTreeSet<&Atom> = new.iter().map(|record| &record.name).collect();
        for record in old.iter().filter(|record| !names.contains(&record.name)) {
            let mut observed = Observed::default();
            self.observe(&record.fields, &mut observed);
            self.push(
                None,
                at.join(record.name.canonical()),
                Act::Remove,
                observed,
            );
        }
        let moved = crate::crdt::moved(
            &old.iter().map(|record| &record.name).collect::<Vec<_>>(),
            &new.iter().map(|record| &record.name).collect::<Vec<_>>(),
        );
        let mut before: Option<&Atom> = None;
        for record in new {
            let at = at.join(record.name.canonical());
            let behind = before.replace(&record.name).cloned();
            let Some(old) = known.get(&record.name) else {
                let act = Act::Add {
                    record: record.clone(),
                    behind,
                };
                self.push(record.birth.stamp, at, act, Observed::default());
                continue;
            };
            if moved.contains(&&record.name) {
                self.push(None, at.clone(), Act::Move { behind }, Observed::default());
            }
            self.maps(&old.fields, &record.fields, &at);
        }
    }

    fn observed(&self, node: &Node) -> Observed {
        let mut observed = Observed::default();
        self.observe_node(node, &mut observed);
        observed
    }

    fn observe(&self, map: &Map, observed: &mut Observed) {
        for node in map.values() {
            self.observe_node(node, observed);
        }
    }

    fn observe_node(&self, node: &Node, observed: &mut Observed) {
        match node {
            Node::Register(value, stamp) => self.observe_value(value, *stamp, observed),
            Node::List(members, stamp) => {
                for member in members {
                    self.observe_value(member, *stamp, observed);
                }
            }
            Node::Map(map) => self.observe(map, observed),
            Node::Set(records) => {
                for record in records {
                    self.observe(&record.fields, observed);
                }
            }
        }
    }

    fn observe_value(&self, value: &Atom, stamp: Option<Stamp>, observed: &mut Observed) {
        observed.add(stamp, value.digest());
        for &superseded in stamp
            .iter()
            .filter_map(|stamp| self.old.superseded.get(stamp))
            .flatten()
        {
            observed.add_stamp(superseded);
        }
    }
}
