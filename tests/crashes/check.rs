//! What must be true of a work tree whatever happened to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rhema_crdt::crdt::Act;
use rhema_crdt::overlay::{Deed, DocumentPath, Known};
use rhema_crdt::store::{Store, Which};

use crate::support::{Run, Tree, World};

pub(crate) const FILE: &str = ".rhema/todos.yaml";
pub(crate) const OTHER: &str = "x/.rhema/todos.yaml";
pub(crate) const SYNC: [&str; 4] = ["sync", "--timeout", "0", "--json"];

/// A document with some records.
pub(crate) const TODOS: &str = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    title: First
    priority: low
  - id: b
    title: Second
    priority: low
  - id: c
    title: Third
    priority: low
";

/// A repository that is set up and has two documents, all committed and looked at.
pub(crate) fn set_up(world: &World) -> Tree<'_> {
    let tree = world.repo("repo", &[(FILE, TODOS), (OTHER, TODOS)]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("init");
    tree.rhema(&SYNC).exits(0);
    tree
}

/// A text without the annotations of records.
pub(crate) fn bare(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("    _crdt: "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// All edits that the store knows of a document.
pub(crate) fn edits(git_dir: &Path, file: &str) -> Vec<Known> {
    let mut store = Store::open(git_dir).unwrap().store;
    let reading = store.read().unwrap();
    let edits = reading.edits(&DocumentPath::new(file), Which::All).unwrap();
    edits.into_iter().map(|edit| edit.known).collect()
}

/// How often each value was written somewhere, by place and value.
pub(crate) fn writes(git_dir: &Path, file: &str) -> BTreeMap<String, usize> {
    let mut writes = BTreeMap::new();
    for known in edits(git_dir, file) {
        let Deed::Change(changes) = known.deed else {
            continue;
        };
        for change in changes {
            let what = match &change.act {
                Act::Write(atom) => format!("{}={}", change.at, atom.canonical()),
                other => format!("{} {other:?}", change.at),
            };
            *writes.entry(what).or_default() += 1;
        }
    }
    writes
}

/// Has everything recorded, and checks that it is in order: each document says `expected`, each write that the store knows it
/// knows once, a second look finds nothing, the store is whole, and nothing lies about.
#[track_caller]
pub(crate) fn is_in_order(tree: &Tree<'_>, expected: &[(&str, &str)], what: &str) {
    tree.rhema(&SYNC).exits(0);
    let git_dir = tree.path(".git");
    for (file, expected) in expected {
        assert_eq!(bare(&tree.read(file)), *expected, "{what}: {file}");
        for (write, times) in writes(&git_dir, file) {
            assert_eq!(times, 1, "{what}: {file}: {write}");
        }
    }
    let before = tree.snapshot();
    let again = tree.rhema(&SYNC).exits(0).json();
    assert_eq!(again["edits_recorded"], 0, "{what}");
    let after = tree.snapshot();
    let documents = |all: &BTreeMap<std::path::PathBuf, Vec<u8>>| {
        let mut all = all.clone();
        all.retain(|path, _| !path.starts_with(&git_dir));
        all
    };
    assert_eq!(documents(&before), documents(&after), "{what}");
    is_whole(&git_dir, what);
    let lying_about = tree.git(&["status", "--porcelain", "--untracked-files=all"]);
    assert!(!lying_about.contains("??"), "{what}: {lying_about}");
}

/// The store is what SQLite takes for a whole one, and was never put aside.
#[track_caller]
pub(crate) fn is_whole(git_dir: &Path, what: &str) {
    let connection = rusqlite::Connection::open(Store::path_in(git_dir)).unwrap();
    let answer: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(answer, "ok", "{what}");
    for entry in fs::read_dir(git_dir.join("rhema")).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(
            !name.to_string_lossy().contains("damaged"),
            "{what}: {name:?}"
        );
    }
}

/// A run that was ended where the environment says.
#[track_caller]
pub(crate) fn ended(run: Run, what: &str) {
    assert_eq!(run.status, -1, "{what} was never reached\n{}", run.stderr);
}
