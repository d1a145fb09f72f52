//! A repository with counters.

use crate::support::{Tree, World};

pub(crate) const FILE: &str = ".rhema/todos.yaml";

pub(crate) const CONFIG: &str = "\
discovery: off
types:
  todos[].votes: g_counter
  metrics.*: pn_counter
  metrics.load: max
  tags: g_set
  labels: or_set
  seen: lww
";

pub(crate) const TODOS: &str = "\
todos:
  - id: a
    title: First of all that is to be done in this place
    notes: >-
      So long that what is said about it has room beside it, as in the files that people write: what was added to a
      counter is kept as long as it takes up no more than a part of the record, and gives way to what was added since.
      Only what is still told of can be found out to have been added before, when a commit is picked for the second time,
      or when two branches meet that both have it. Everything else is a difference between two numbers, and adds up.
    votes: 42
  - id: b
    title: Second
metrics:
  hits: 10
  load: 5
tags: [x, y]
labels: [p, q]
seen: never
";

/// The files that it begins with.
pub(crate) const FILES: [(&str, &str); 2] = [(FILE, TODOS), (".rhema/crdt/config.yaml", CONFIG)];

/// A clone in which everything is set up and committed.
pub(crate) fn set_up(world: &World) -> Tree<'_> {
    let tree = world.repo("repo", &FILES);
    tree.rhema(&["init", "--no-join"]).exits(0);
    tree.commit("set up");
    sync(&tree);
    tree
}

/// Records and shows.
#[track_caller]
pub(crate) fn sync(tree: &Tree<'_>) {
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
}

/// What the first line that begins so goes on with.
#[track_caller]
pub(crate) fn value(tree: &Tree<'_>, field: &str) -> String {
    let text = tree.read(FILE);
    let begins = format!("{field}: ");
    let mut lines = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(&begins));
    lines
        .next()
        .unwrap_or_else(|| panic!("{field} in\n{text}"))
        .to_owned()
}

#[track_caller]
pub(crate) fn votes(tree: &Tree<'_>) -> i64 {
    value(tree, "votes").parse().unwrap()
}

/// Somebody types a value.
#[track_caller]
pub(crate) fn type_in(tree: &Tree<'_>, field: &str, new: &str) {
    let old = format!("{field}: {}\n", value(tree, field));
    let text = tree
        .read(FILE)
        .replacen(&old, &format!("{field}: {new}\n"), 1);
    tree.write(FILE, text);
}

#[track_caller]
pub(crate) fn count(tree: &Tree<'_>, by: &str) {
    tree.rhema(&["increment", "todos/a/votes", by]).exits(0);
}

/// Nothing is left to record, and nothing to show.
#[track_caller]
pub(crate) fn is_recorded(tree: &Tree<'_>) {
    let before = tree.read(FILE);
    let report = tree
        .rhema(&["sync", "--timeout", "0", "--json"])
        .exits(0)
        .json();
    assert_eq!(report["edits_recorded"], 0, "{report}");
    assert_eq!(tree.read(FILE), before);
}
