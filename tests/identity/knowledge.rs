//! What the stores of work trees know, and what may never be true of it.

use std::collections::BTreeMap;
use std::path::Path;

use rhema_crdt::overlay::{Deed, DocumentPath, Known};
use rhema_crdt::store::{Store, StoredEdit};

use crate::support::Tree;

/// The file that the tests edit.
pub(crate) const FILE: &str = ".rhema/todos.yaml";

/// Its content.
pub(crate) const TODOS: &str = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    title: First
    status: pending
  - id: b
    title: Second
    status: pending
  - id: c
    title: Third
    status: pending
";

/// `sync` without peers, for scripts.
pub(crate) const SYNC: [&str; 4] = ["sync", "--timeout", "0", "--json"];

/// All edits that the store of a git directory knows.
pub(crate) fn edits(git_dir: &Path) -> Vec<StoredEdit> {
    let mut store = Store::open(git_dir).unwrap().store;
    let reading = store.read().unwrap();
    reading
        .knowledge()
        .unwrap()
        .keys()
        .flat_map(|replica| {
            let mut edits = Vec::new();
            let mut next = reading.last_of(*replica).unwrap();
            while let Some(stamp) = next {
                let edit = reading.edit(stamp).unwrap();
                next = edit.as_ref().and_then(|edit| edit.known.previous);
                edits.extend(edit);
            }
            edits
        })
        .collect()
}

/// The stamps that somebody took back.
pub(crate) fn retracted(git_dir: &Path, file: &str) -> usize {
    let mut store = Store::open(git_dir).unwrap().store;
    let reading = store.read().unwrap();
    reading.retracted(&DocumentPath::new(file)).unwrap().len()
}

/// How many edits change something, and do not only take others back.
pub(crate) fn changes(git_dir: &Path) -> usize {
    let changes = edits(git_dir).into_iter();
    changes
        .filter(|edit| matches!(edit.known.deed, Deed::Change(_)))
        .count()
}

/// No two work trees ever gave one stamp to two edits, or made two edits after the same one under one name.
#[track_caller]
pub(crate) fn nobody_equivocates(git_dirs: &[&Path]) {
    let mut by_stamp: BTreeMap<String, Known> = BTreeMap::new();
    let mut by_previous: BTreeMap<(String, String), Known> = BTreeMap::new();
    for git_dir in git_dirs {
        for StoredEdit { known, .. } in edits(git_dir) {
            let stamp = known.stamp.to_string();
            let after = format!("{:?}", known.previous);
            let replica = known.stamp.replica().to_string();
            let there = by_stamp.entry(stamp).or_insert_with(|| known.clone());
            assert_eq!(*there, known, "one stamp, two edits");
            let there = by_previous.entry((replica, after));
            let there = there.or_insert_with(|| known.clone());
            assert_eq!(there.stamp, known.stamp, "two edits after one");
        }
    }
}

/// The replica that a work tree is, as its clock has it.
pub(crate) fn replica(git_dir: &Path) -> String {
    let clock = std::fs::read_to_string(git_dir.join("rhema/clock")).unwrap();
    let line = clock
        .lines()
        .find_map(|line| line.strip_prefix("replica: "));
    line.unwrap().trim_matches(['\'', '"']).to_owned()
}

/// Changes the title of a record by hand and has it recorded; says how many edits that were.
#[track_caller]
pub(crate) fn retitle(tree: &Tree<'_>, from: &str, to: &str) -> u64 {
    let (from, to) = (format!("title: {from}\n"), format!("title: {to}\n"));
    let text = tree.read(FILE);
    assert!(text.contains(&from), "{text}");
    tree.write(FILE, text.replace(&from, &to));
    let report = tree.rhema(&SYNC).exits(0).json();
    report["edits_recorded"].as_u64().unwrap()
}
