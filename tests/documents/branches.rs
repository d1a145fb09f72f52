//! Laws of merging documents, over random edits on two and three branches.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rhema_crdt::context::{Conflicts, Lost, canonical};
use rhema_crdt::merge::{Options, merge};
use rhema_crdt::yaml::{Document, Limits, NodeRef};

use crate::model::{Edit, FIELDS, Model, edits, in_any_list_order};

pub(crate) fn merged(base: &str, ours: &str, theirs: &str) -> String {
    let merged = merge(
        base.as_bytes(),
        ours.as_bytes(),
        theirs.as_bytes(),
        &Options::default(),
    )
    .unwrap_or_else(|error| panic!("{error}\n{base}\n{ours}\n{theirs}"));
    assert_eq!(merged.contested, 0, "a document is never contested");
    String::from_utf8(merged.bytes).unwrap()
}

pub(crate) fn branch(edits: &[Edit], replica: u32) -> Model {
    let mut model = Model::start();
    model.apply(edits, replica);
    model
}

/// Every value of a leaf that a text shows or keeps.
fn shown_or_kept(document: &Document, id: &str, field: &str) -> Vec<String> {
    let root = document.root().unwrap();
    let todos = root.get("todos").unwrap().value();
    let mut values = Vec::new();
    for record in todos.entries().map(|entry| entry.value()) {
        let name = record.get("id").unwrap().value().text().into_owned();
        // A record that was renamed keeps its old name in front.
        if name != id && !name.starts_with(&format!("{id}-")) {
            continue;
        }
        values.extend(record.get(field).map(|entry| canonical(entry.value())));
        for (loser, _) in conflicts(record).iter() {
            if loser.leaf == field
                && let Lost::Value(value) = &loser.lost
            {
                values.push(value.clone());
            }
        }
    }
    values
}

fn conflicts(node: NodeRef<'_>) -> Conflicts {
    node.get("_crdt_conflicts")
        .map_or_else(Conflicts::default, |entry| {
            Conflicts::parse(&entry.value().text()).unwrap()
        })
}

fn ids(document: &Document) -> Vec<String> {
    let todos = document.root().unwrap().get("todos").unwrap().value();
    let id = |record: NodeRef<'_>| record.get("id").unwrap().value().text().into_owned();
    todos.entries().map(|entry| id(entry.value())).collect()
}

pub(crate) fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default()).unwrap()
}

/// The same cases every time, unless a longer search is asked for: `PROPTEST_CASES=100000`.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_120);
    }
    config
}

#[test]
fn three_births_of_one_number_come_out_the_same_in_any_order_of_merging() {
    let base = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: A\n";
    let born = ["One", "Two", "Three"]
        .map(|title| format!("{base}  - id: 7\n    title: {title}\n  - id: 8\n    title: B\n"));
    let order =
        |x: usize, y: usize, z: usize| merged(base, &merged(base, &born[x], &born[y]), &born[z]);
    let first = order(0, 1, 2);
    assert_eq!(ids(&read(&first)), ["a", "7", "7-bkd", "7-pz4", "8"]);
    for other in [order(0, 2, 1), order(1, 2, 0), order(2, 1, 0)] {
        assert_eq!(other, first);
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn the_sides_can_be_swapped_and_merging_again_changes_nothing(a in edits(), b in edits()) {
        let base = Model::start().text();
        let (ours, theirs) = (branch(&a, 1).text(), branch(&b, 2).text());
        let once = merged(&base, &ours, &theirs);
        prop_assert_eq!(&once, &merged(&base, &theirs, &ours));
        prop_assert_eq!(&merged(&base, &once, &once), &once);
        prop_assert_eq!(&merged(&ours, &once, &ours), &once);
        prop_assert_eq!(&merged(&base, &base, &ours), &ours);
    }

    #[test]
    fn every_changed_value_is_shown_or_kept(a in edits(), b in edits()) {
        let start = Model::start();
        let (ours, theirs) = (branch(&a, 1), branch(&b, 2));
        let text = merged(&start.text(), &ours.text(), &theirs.text());
        let document = read(&text);
        for (side, other) in [(&ours, &theirs), (&theirs, &ours)] {
            for (id, record) in &side.records {
                let before = start.records.iter().find(|(known, _)| known == id).map(|(_, record)| record);
                for field in FIELDS {
                    let value = record.fields.get(field);
                    if value == before.and_then(|before| before.fields.get(field)) {
                        continue;
                    }
                    let Some(value) = value else { continue };
                    let found = shown_or_kept(&document, id, field);
                    prop_assert!(found.contains(&format!("\"{value}\"")), "{id}.{field}={value} in\n{text}");
                }
            }
            // What this side removed and the other left alone is gone.
            for (id, before) in &start.records {
                let removed = side.records.iter().all(|(known, _)| known != id);
                let untouched = other.records.iter().any(|(known, record)| known == id && record == before);
                if removed && untouched {
                    prop_assert!(!ids(&document).contains(id), "{id} came back in\n{text}");
                }
            }
        }
    }

    #[test]
    fn no_identity_stands_twice(a in edits(), b in edits(), c in edits()) {
        let base = Model::start().text();
        let text = merged(&base, &branch(&a, 1).text(), &branch(&b, 2).text());
        let text = merged(&base, &text, &branch(&c, 3).text());
        let mut ids = ids(&read(&text));
        let count = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), count, "in\n{}", text);
    }

    #[test]
    fn three_branches_merge_to_the_same_bytes_in_any_order(a in edits(), b in edits(), c in edits()) {
        let base = Model::start().text();
        let branches = [branch(&a, 1).text(), branch(&b, 2).text(), branch(&c, 3).text()];
        let order = |x: usize, y: usize, z: usize| {
            merged(&base, &merged(&base, &branches[x], &branches[y]), &branches[z])
        };
        let first = in_any_list_order(&order(0, 1, 2));
        for other in [order(0, 2, 1), order(1, 2, 0)] {
            prop_assert_eq!(&first, &in_any_list_order(&other));
        }
    }
}
