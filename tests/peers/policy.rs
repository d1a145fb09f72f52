//! Which edits of others are shown on which branch.

use crate::pair::{pair, send, sync};
use crate::support::{Tree, World};

const TODOS: &str =
    "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: Alpha\n  - id: b\n    title: Beta\n";

fn pair_with<'w>(world: &'w World, config: &str) -> (Tree<'w>, Tree<'w>) {
    let (ann, ben) = pair(world);
    ann.write(".rhema/todos.yaml", TODOS);
    ann.write(".rhema/crdt/config.yaml", config);
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ann);
    sync(&ben);
    (ann, ben)
}

fn title(tree: &Tree<'_>) -> String {
    let shown = tree.rhema(&["get", "todos/a/title"]).exits(0).stdout;
    shown.trim().to_owned()
}

#[test]
fn usually_they_are_shown_whatever_branch_they_were_made_on() {
    let world = World::new();
    let (ann, ben) = pair_with(&world, "branches: shared\n");
    ann.git(&["switch", "-qc", "feature"]);
    ann.rhema(&["set", "todos/a", "title=Aleph"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(title(&ben), "Aleph");
}

#[test]
fn where_branches_are_kept_apart_only_those_of_the_same_branch_are() {
    let world = World::new();
    let (ann, ben) = pair_with(&world, "branches: same\n");
    ann.git(&["switch", "-qc", "feature"]);
    ann.rhema(&["set", "todos/a", "title=Aleph"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(title(&ben), "Alpha");
    assert_eq!(ben.git(&["status", "--short"]), "");
    let status = ben.rhema(&["status", "--json"]).exits(0).json();
    let parked = &status["documents"][0]["parked"][0];
    assert_eq!(parked["why"], "of another branch", "{status}");
    ben.git(&["switch", "-qc", "feature"]);
    sync(&ben);
    assert_eq!(title(&ben), "Aleph");
    ben.git(&["stash", "-q"]);
    ben.git(&["switch", "-q", "main"]);
    sync(&ben);
    assert_eq!(title(&ben), "Alpha");
}

#[test]
fn the_branch_is_what_its_upstream_calls_it() {
    let world = World::new();
    let (ann, ben) = pair_with(&world, "branches: same\n");
    ann.git(&["branch", "-q", "feature"]);
    ben.git(&["fetch", "-q", "origin"]);
    ben.git(&["switch", "-qc", "mine", "--track", "origin/feature"]);
    sync(&ben);
    ann.git(&["switch", "-q", "feature"]);
    ann.rhema(&["set", "todos/a", "title=Aleph"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(title(&ben), "Aleph");
}

#[test]
fn a_policy_that_cannot_be_read_is_told_of_and_changes_nothing() {
    let world = World::new();
    let (ann, ben) = pair_with(&world, "branches: shared\n");
    ben.write(".rhema/crdt/config.yaml", "branches: some\n");
    ben.commit("policy");
    ann.rhema(&["set", "todos/a", "title=Aleph"]).exits(0);
    send(&ann, &ben);
    let run = ben.rhema(&["sync", "--timeout", "0"]).exits(1);
    assert!(run.stderr.contains("config.yaml:1:11"), "{}", run.stderr);
    assert_eq!(title(&ben), "Aleph");
}
