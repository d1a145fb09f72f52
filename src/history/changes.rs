//! What happened to places from one version of a document to another.

use std::collections::BTreeMap;

use super::Kind;
use crate::context::Types;
use crate::crdt::{
    Act, Atom, Birth, Document, Found, Map, Node, Path, Record, Stamp, Stamps, Step,
};
use crate::overlay::{RULES, as_named_in};

/// Something that happened to a place.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Happened {
    /// The edit that did it, as far as the newer version tells.
    pub stamp: Option<Stamp>,
    /// Where.
    pub at: Path,
    /// What.
    pub kind: Kind,
    /// What stood there before.
    pub from: Option<Node>,
    /// What stood there after.
    pub to: Option<Node>,
}

/// What happened between two versions. Both may be excerpts that leave out the same records.
#[must_use]
pub fn difference(old: &Document, new: &Document, types: &Types) -> Vec<Happened> {
    let mut happened = Vec::new();
    let mut counted: BTreeMap<Path, i64> = BTreeMap::new();
    let mut born: Vec<(usize, Birth)> = Vec::new();
    for edit in RULES.edits_counting(old, new, &|at| types.counts(at)) {
        for change in edit.changes {
            let at = change.at;
            let (from, to) = (node_at(old, &at), node_at(new, &at));
            let (kind, from, to) = match change.act {
                Act::Form(_) => continue,
                Act::Add { record, .. } => {
                    born.push((happened.len(), record.birth));
                    (Kind::Born, None, to)
                }
                Act::Move { behind } => {
                    (Kind::Moved, leader(old, &at).map(named), behind.map(named))
                }
                // Of a list each record goes by itself.
                Act::Remove if matches!(from, None | Some(Node::Set(_))) => continue,
                Act::Remove => (Kind::Removed, from, None),
                Act::Count(by) => {
                    let was = from.as_ref().and_then(Node::as_number).unwrap_or(0);
                    let before = counted.entry(at.clone()).or_insert(was);
                    let after = before.saturating_add(by);
                    let from = from.is_some().then(|| number(*before));
                    *before = after;
                    (Kind::Counted, from, Some(number(after)))
                }
                Act::Lose(lost) => (Kind::Conflict, lost.map(named), to),
                Act::Settle(lost) => (Kind::Settled, lost.map(named), to),
                Act::Write(_) | Act::Replace(_) | Act::Raise(_) | Act::Last(_) => {
                    if are_the_same(from.as_ref(), to.as_ref()) {
                        continue;
                    }
                    (Kind::Changed, from, to)
                }
            };
            happened.push(Happened {
                stamp: edit.stamp,
                at,
                kind,
                from,
                to,
            });
        }
    }
    as_renamed(&mut happened, &born, old);
    happened
}

/// Tells records that went under one name and came under another as renamed ones.
fn as_renamed(happened: &mut Vec<Happened>, born: &[(usize, Birth)], old: &Document) {
    let mut gone = Vec::new();
    for (index, birth) in born {
        let Some(new) = happened.get(*index) else {
            continue;
        };
        let is_it = |one: &Happened| {
            if one.kind != Kind::Removed || one.at.around() != new.at.around() {
                return false;
            }
            match old.found(&one.at) {
                Some(Found::Record(record, ..)) => {
                    record.birth == *birth
                        && (birth.stamp.is_some()
                            || are_the_same(one.from.as_ref(), new.to.as_ref()))
                }
                _ => false,
            }
        };
        let Some(was) = happened
            .iter()
            .position(is_it)
            .filter(|was| !gone.contains(was))
        else {
            continue;
        };
        let name = happened
            .get(was)
            .and_then(|was| name_of(&was.at))
            .map(named);
        let Some(new) = happened.get_mut(*index) else {
            continue;
        };
        new.kind = Kind::Renamed;
        new.from = name;
        new.to = name_of(&new.at).map(named);
        gone.push(was);
    }
    let mut index = 0;
    happened.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

fn name_of(at: &Path) -> Option<Atom> {
    match at.steps().last() {
        Some(Step::Record(name, _)) => Some(name.clone()),
        _ => None,
    }
}

/// The record that the one at a place stands behind.
fn leader(document: &Document, at: &Path) -> Option<Atom> {
    match document.found(at) {
        Some(Found::Record(_, all, index)) => {
            let before = index.checked_sub(1).and_then(|index| all.get(index))?;
            Some(before.name.clone())
        }
        _ => None,
    }
}

/// What stands at a place, also where what names a record that nobody knows the birth of is another one by now.
pub(super) fn node_at(document: &Document, at: &Path) -> Option<Node> {
    match document.found(&as_named_in(document, at, &|_| false))? {
        Found::Node(node) => Some(node.clone()),
        Found::Record(record, ..) => Some(Node::Map(record.fields.clone())),
    }
}

/// What a record holds at a place in it.
pub(super) fn node_in(record: &Record, rest: &[Step]) -> Option<Node> {
    let inside = Document {
        root: Map::from([(String::new(), Node::Set(vec![record.clone()].into()))]),
        ..Document::default()
    };
    let at = Path::default().entry("").record(record);
    let at = rest.iter().cloned().fold(at, |at, step| at.then(step));
    node_at(&inside, &at)
}

pub(super) fn are_the_same(one: Option<&Node>, other: Option<&Node>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.says_the_same_as(other),
        (None, None) => true,
        _ => false,
    }
}

/// A value as what stands at a place.
pub(super) fn named(value: Atom) -> Node {
    Node::Register(value, Stamps::new())
}

pub(super) fn number(number: i64) -> Node {
    named(Atom::number(number))
}
