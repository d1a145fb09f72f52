//! Whole documents, held to the laws that the types are held to.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rhema_crdt::crdt::types::Replicated;
use rhema_crdt::crdt::{
    Act, Atom, Birth, Digest, Document, Edit, Map, Node, Path, Record, Rules, Stamp, Stamps, Step,
    Type,
};
use rhema_crdt::overlay::as_typed;

use crate::config;
use crate::history::{Choice, Subject, histories, obeys_the_laws};

const RULES: Rules<'static> = Rules {
    groups: &[&["status", "outcome"]],
    spell: spelled,
};

fn spelled(text: &str) -> String {
    format!("{text:?}")
}

fn said(text: &str) -> Atom {
    Atom::text(spelled(text), text.to_owned())
}

fn leaf(value: Atom) -> Node {
    Node::Register(value, Stamps::new())
}

fn number(number: i64) -> Node {
    leaf(Atom::number(number))
}

fn named<const N: usize>(entries: [(&str, Node); N]) -> Map {
    entries
        .map(|(name, node)| (name.to_owned(), node))
        .into_iter()
        .collect()
}

fn record(name: &str, stamp: Option<Stamp>, title: &str) -> Record {
    Record {
        name: said(name),
        birth: Birth {
            stamp,
            digest: Digest::of(title.as_bytes()),
        },
        fields: named([("title", leaf(said(title)))]),
    }
}

/// A document with something of every kind.
fn base() -> Document {
    let members = ["x", "y"].map(said).to_vec();
    let inner = named([("a", number(1)), ("b", number(2))]);
    let records = ["a", "b"].map(|name| record(name, None, name)).to_vec();
    let root = named([
        ("count", number(40)),
        ("peak", number(5)),
        ("latest", leaf(said("x"))),
        ("register", leaf(said("x"))),
        ("text", leaf(said("one\ntwo\nthree\n"))),
        ("list", Node::List(members, Stamps::new())),
        ("map", Node::Map(inner)),
        ("todos", Node::Set(records.into())),
    ]);
    Document {
        root,
        ..Document::default()
    }
}

/// The types that its places have by configuration.
fn type_of(at: &Path) -> Option<Type> {
    match at.steps() {
        [Step::Entry(name)] if name == "count" => Some(Type::PnCounter),
        [Step::Entry(name)] if name == "peak" => Some(Type::Max),
        [Step::Entry(name)] if name == "latest" => Some(Type::Lww),
        _ => None,
    }
}

/// What a replica knows of a document: edits in the order in which they came, as often as they came.
#[derive(Clone, Debug, Default)]
struct Known {
    edits: Vec<Edit>,
    taken_back: BTreeSet<Stamp>,
}

impl Known {
    /// Whether an edit, of which this is the stamp, was seen by another one that changed the same place.
    fn is_replaced(&self, stamp: Stamp) -> bool {
        let others = self.edits.iter().filter(|edit| edit.stamp != Some(stamp));
        let mut changes = others.flat_map(|edit| &edit.changes);
        changes.any(|change| change.observed.has_stamp(stamp))
    }

    fn shown(&self) -> Document {
        let is_taken_back = |edit: &&Edit| {
            let stamp = edit.stamp;
            stamp.is_some_and(|stamp| self.taken_back.contains(&stamp))
        };
        let edits = self.edits.iter().filter(|edit| !is_taken_back(edit));
        RULES.view(&base(), &edits.cloned().collect::<Vec<_>>())
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.taken_back == other.taken_back && self.shown() == other.shown()
    }
}

impl Replicated for Known {
    type Edit = Edit;
    type View = Document;

    fn apply(&mut self, edit: &Edit) {
        self.edits.push(edit.clone());
    }

    fn merge(&mut self, other: &Self) {
        self.edits.extend(other.edits.iter().rev().cloned());
        self.taken_back.extend(&other.taken_back);
    }

    fn view(&self) -> Document {
        self.shown()
    }

    /// The edits whose values stand, are kept as having lost, or stand behind a greater or a later one.
    fn standing(&self) -> BTreeSet<Stamp> {
        let view = self.shown();
        let lost = view.losers.values().flatten().copied();
        let mut standing: BTreeSet<Stamp> = lost.collect();
        stamps_in(&view.root, &mut standing);
        let stays_behind = |edit: &Edit| {
            let mut changes = edit.changes.iter();
            changes.any(|change| matches!(change.act, Act::Raise(_) | Act::Last(_)))
        };
        let edits = self.edits.iter().filter(|edit| stays_behind(edit));
        let behind = edits.filter_map(|edit| edit.stamp);
        standing.extend(behind.filter(|stamp| !self.is_replaced(*stamp)));
        standing.retain(|stamp| !self.taken_back.contains(stamp));
        standing
    }

    /// Who takes back an edit takes back what it replaced, too.
    fn forget(&mut self, observed: &BTreeSet<Stamp>) {
        let edits = self.edits.iter();
        let gone = edits.filter(|edit| edit.stamp.is_some_and(|stamp| observed.contains(&stamp)));
        let changes: Vec<_> = gone.flat_map(|edit| edit.changes.clone()).collect();
        let is_replaced = |stamp: Stamp| {
            let mut changes = changes.iter();
            changes.any(|change| change.observed.has_stamp(stamp))
        };
        let stamps = self.edits.iter().filter_map(|edit| edit.stamp);
        let replaced: BTreeSet<Stamp> = stamps.filter(|stamp| is_replaced(*stamp)).collect();
        self.taken_back.extend(observed);
        self.taken_back.extend(replaced);
    }
}

fn stamps_in(map: &Map, stamps: &mut BTreeSet<Stamp>) {
    for node in map.values() {
        match node {
            Node::Register(_, own) | Node::List(_, own) => stamps.extend(own),
            Node::Map(map) => stamps_in(map, stamps),
            Node::Set(records) => records
                .iter()
                .for_each(|record| stamps_in(&record.fields, stamps)),
        }
    }
}

/// Somebody writes something else into what they see.
fn typed(view: &Document, stamp: Stamp, choice: Choice) -> Document {
    let mut new = view.clone();
    let Choice { deed, place, value } = choice;
    let word = || leaf(said(&format!("v{}", value % 5)));
    let root = &mut new.root;
    let takes_away = deed.is_multiple_of(7);
    match deed % 8 {
        _ if takes_away && place < 4 => {
            let name = ["count", "peak", "latest", "register"][usize::from(place)];
            root.remove(name);
        }
        0 => {
            let was = root.get("count").and_then(Node::as_number).unwrap_or(0);
            let is = was.saturating_add(i64::from(value) - 100);
            root.insert("count".to_owned(), number(is));
        }
        1 => {
            root.insert("peak".to_owned(), number(value.into()));
        }
        2 => {
            root.insert("latest".to_owned(), word());
        }
        3 => {
            root.insert("register".to_owned(), word());
        }
        4 => {
            let line = format!("v{}\n", value % 5);
            let mut lines = ["one\n", "two\n", "three\n"];
            lines[usize::from(place % 3)] = &line;
            root.insert("text".to_owned(), leaf(said(&lines.concat())));
        }
        5 => {
            if let Some(Node::List(members, stamps)) = root.get_mut("list") {
                let at = usize::from(place) % (members.len() + 1);
                match value % 3 {
                    0 if at < members.len() => drop(members.remove(at)),
                    _ => members.insert(at, said(&format!("m{}", value % 4))),
                }
                stamps.clear();
            }
        }
        6 => {
            let map = root
                .entry("map".to_owned())
                .or_insert_with(|| Node::Map(Map::new()));
            if let Node::Map(map) = map {
                let name = ["a", "b", "c"][usize::from(place % 3)].to_owned();
                match takes_away {
                    true => drop(map.remove(&name)),
                    false => drop(map.insert(name, word())),
                }
            }
        }
        _ => edit_records(root, stamp, choice),
    }
    new
}

fn edit_records(root: &mut Map, stamp: Stamp, Choice { place, value, .. }: Choice) {
    let todos = root
        .entry("todos".to_owned())
        .or_insert_with(|| Node::Set(Vec::new().into()));
    let Node::Set(records) = todos else { return };
    let at = usize::from(place) % records.len().max(1);
    match value % 5 {
        0 if !records.is_empty() => drop(records.remove(at)),
        1 if !records.is_empty() => {
            let record = records.remove(at);
            records.insert(0, record);
        }
        2 => {
            let name = ["a", "b", "c", "d"][usize::from(place % 4)];
            if records.iter().all(|record| record.name.said() != name) {
                let title = format!("{name}{}", value % 2);
                records.push(record(name, Some(stamp), &title));
            }
        }
        _ => {
            let fields = ["title", "owner", "status", "outcome"];
            let field = fields[usize::from(value / 5) % fields.len()];
            if let Some(record) = records.get_mut(at) {
                let word = leaf(said(&format!("f{}", value % 7)));
                record.fields.insert(field.to_owned(), word);
            }
        }
    }
}

impl Subject for Known {
    fn some_edit(&self, stamp: Stamp, choice: Choice) -> Option<Edit> {
        let view = self.shown();
        let new = typed(&view, stamp, choice);
        let counts = |at: &Path| type_of(at).is_some_and(Type::is_counter);
        let edits = RULES.edits_counting(&view, &new, &counts);
        let mut changes: Vec<_> = edits.into_iter().flat_map(|edit| edit.changes).collect();
        for change in &mut changes {
            as_typed(&mut change.act, type_of(&change.at));
        }
        (!changes.is_empty()).then_some(Edit {
            stamp: Some(stamp),
            changes,
        })
    }

    /// What was written over: records come back whole with what had been written over in them.
    fn replaced(edit: &Edit) -> BTreeSet<Stamp> {
        let is_write = |act: &Act| {
            matches!(
                act,
                Act::Write(_) | Act::Replace(_) | Act::Raise(_) | Act::Last(_)
            )
        };
        let writes = edit.changes.iter();
        let writes = writes.filter(|change| change.at.steps().len() == 1 && is_write(&change.act));
        let stamps = writes.flat_map(|change| change.observed.stamps().singles());
        stamps.filter(|stamp| Some(*stamp) != edit.stamp).collect()
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn documents(steps in histories()) {
        obeys_the_laws::<Known>(&steps)?;
    }
}
