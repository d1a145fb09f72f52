//! What is not contested is held as one run of bytes, whatever way its edits came.

use std::collections::BTreeSet;

use crate::crdt::document::{Atom, Birth, Document, Map, Node, Path, Record};
use crate::crdt::edit::{Act, Change, Edit};
use crate::crdt::{Digest, Observed, Replica, Rules, Stamp};

use super::kept::Kept;
use super::{Living, Slot};

const RULES: Rules<'static> = Rules {
    groups: &[&["status", "done_at"]],
    spell: quoted,
};

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn text(value: &str) -> Atom {
    Atom::text(quoted(value), value.to_owned())
}

fn at(time: u64) -> Stamp {
    Stamp::from_unix_millis(1_800_000_000_000 + time, Replica::from_bits(1)).unwrap()
}

fn birth(stamp: Option<Stamp>) -> Birth {
    let digest = Digest::of(b"r");
    Birth { stamp, digest }
}

/// A record with a text, a field of a group and a list, all with these stamps.
fn record(birth_stamp: Option<Stamp>, stamps: &[Stamp]) -> Record {
    let stamps: BTreeSet<Stamp> = stamps.iter().copied().collect();
    let fields: [(&str, Node); 3] = [
        ("title", Node::Register(text("one"), stamps.clone())),
        ("status", Node::Register(text("open"), stamps.clone())),
        ("tags", Node::List(vec![text("x")], stamps)),
    ];
    Record {
        name: text("r"),
        birth: birth(birth_stamp),
        fields: fields
            .map(|(name, node)| (name.to_owned(), node))
            .into_iter()
            .collect(),
    }
}

fn place() -> Path {
    Path::default().entry("todos").record(&record(None, &[]))
}

fn base(record: Record) -> Document {
    let mut root = Map::new();
    root.insert("todos".to_owned(), Node::Set(vec![record].into()));
    Document {
        root,
        ..Document::default()
    }
}

/// An edit by somebody who had seen all that stands there.
fn edit(document: &Document, at: Path, act: Act, stamp: Stamp) -> Edit {
    let observed = RULES.observed(document, &at);
    Edit {
        stamp: Some(stamp),
        changes: vec![Change { at, act, observed }],
    }
}

fn born(record: Record, stamp: Stamp) -> Edit {
    let behind = None;
    Edit {
        stamp: Some(stamp),
        changes: vec![Change {
            at: place(),
            act: Act::Add { record, behind },
            observed: Observed::default(),
        }],
    }
}

fn kept<'l>(living: &'l Living<'_>) -> &'l Kept {
    match living.root.get("todos") {
        Some(Slot::Table(table)) => table.row(0).unwrap(),
        _ => panic!("no table"),
    }
}

/// Applies edits, and once more; the record stays a row, and shows what the view from scratch does.
fn stays_a_row(base: Document, edits: &[Edit]) -> Living<'static> {
    let mut living = Living::new(RULES, base.clone());
    for edit in edits.iter().chain(edits) {
        living.apply(edit);
        assert!(!matches!(kept(&living), Kept::Open(_)), "{edit:#?}");
    }
    let (shown, scratch) = (living.document(), RULES.view(&base, edits));
    assert_eq!(shown.root, scratch.root);
    assert_eq!(shown.losers, scratch.losers);
    assert_eq!(shown.removed, scratch.removed);
    living
}

#[test]
fn a_record_of_the_base_is_a_row_whatever_its_stamps() {
    for stamps in [&[][..], &[at(1)]] {
        stays_a_row(base(record(None, stamps)), &[]);
        stays_a_row(base(record(Some(at(0)), stamps)), &[]);
    }
}

#[test]
fn what_is_overwritten_by_whoever_saw_it_stays_a_row() {
    for birth in [None, Some(at(0))] {
        let base = base(record(birth, &[]));
        let mut edits = Vec::new();
        let acts = [
            ("title", Act::Write(text("two"))),
            ("status", Act::Write(text("done"))),
            ("tags", Act::Replace(vec![text("y"), text("z")])),
            ("tags", Act::Replace(Vec::new())),
            ("title", Act::Write(text("three"))),
        ];
        for (time, (field, act)) in acts.into_iter().enumerate() {
            let shown = RULES.view(&base, &edits);
            edits.push(edit(&shown, place().entry(field), act, at(9 + time as u64)));
        }
        stays_a_row(base, &edits);
    }
}

#[test]
fn of_a_line_that_was_overwritten_nothing_is_held_but_its_name() {
    let base = base(record(None, &[]));
    let write = edit(
        &base,
        place().entry("title"),
        Act::Write(text("two")),
        at(9),
    );
    let living = stays_a_row(base, &[write]);
    let (row, _) = kept(&living).row().unwrap();
    assert_eq!(row.cells().count(), 3);
}

#[test]
fn what_is_born_is_a_row_and_stays_one_when_it_is_born_again_or_edited() {
    for stamps in [&[][..], &[at(5)]] {
        let birth = born(record(Some(at(5)), stamps), at(5));
        let shown = RULES.view(&Document::default(), std::slice::from_ref(&birth));
        let title = edit(
            &shown,
            place().entry("title"),
            Act::Write(text("two")),
            at(6),
        );
        stays_a_row(Document::default(), &[birth, title]);
    }
}

#[test]
fn what_was_taken_away_stays_a_row_whatever_is_told_of_it_again() {
    let birth = born(record(Some(at(5)), &[at(5)]), at(5));
    let mut edits = vec![birth];
    for (field, act) in [
        ("title", Some(Act::Write(text("two")))),
        ("tags", Some(Act::Replace(vec![text("y")]))),
        ("", None),
    ] {
        let shown = RULES.view(&Document::default(), &edits);
        let (at_place, act) = match act {
            Some(act) => (place().entry(field), act),
            None => (place(), Act::Remove),
        };
        let stamp = at(6 + edits.len() as u64);
        edits.push(edit(&shown, at_place, act, stamp));
    }
    let living = stays_a_row(Document::default(), &edits);
    assert!(matches!(kept(&living), Kept::Gone(_)));
}

/// Two replicas under one stamp: neither of what they said is forgotten.
#[test]
fn a_birth_that_says_something_else_under_its_stamp_is_not_the_same_one() {
    let first = born(record(Some(at(5)), &[at(5)]), at(5));
    let mut other = record(Some(at(5)), &[at(5)]);
    for (field, node) in [
        ("title", Node::Register(text("two"), [at(5)].into())),
        ("tags", Node::List(vec![text("y")], [at(5)].into())),
    ] {
        other.fields.insert(field.to_owned(), node);
        let edits = [first.clone(), born(other.clone(), at(5))];
        let mut living = Living::new(RULES, Document::default());
        edits.iter().for_each(|edit| living.apply(edit));
        let shown = RULES.view(&Document::default(), &edits);
        assert_eq!(living.document().root, shown.root);
        assert_eq!(living.document().losers, shown.losers);
    }
}
