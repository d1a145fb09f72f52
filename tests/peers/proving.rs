//! What others made and somebody passes on is proved by who made it.

use rusqlite::Connection;

use crate::pair::{pair, sync};
use crate::support::{Run, Tree, World};
use crate::watcher::Watcher;

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str =
    "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: Alpha\n  - id: b\n    title: Beta\n";

/// Ann, Ben, and a second work tree of Ann's clone, which made an edit that Ann has; Ben does not know that work tree.
fn three(world: &World) -> (Tree<'_>, Tree<'_>, Watcher) {
    let (ann, ben) = pair(world);
    ann.write(FILE, TODOS);
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ann);
    sync(&ben);
    ann.git(&["worktree", "add", "-q", "../side", "-b", "side"]);
    let side = world.tree("side");
    side.rhema(&["init", "--no-join"]).exits(0);
    side.rhema(&["set", "todos/a", "title=Aside"]).exits(0);
    let watcher = Watcher::start(&ann);
    call(&side, &watcher).exits(0);
    watcher.says("\"received\"");
    (ann, ben, watcher)
}

fn call(tree: &Tree<'_>, watcher: &Watcher) -> Run {
    tree.rhema(&["sync", "--json", "--peer", &watcher.address])
}

#[test]
fn what_a_work_tree_made_whom_only_its_sibling_knows_is_taken_from_that_one() {
    let world = World::new();
    let (_ann, ben, watcher) = three(&world);
    call(&ben, &watcher).exits(0);
    let shown = ben.read(FILE);
    assert!(shown.contains("title: Aside"), "{shown}");
}

#[test]
fn what_was_altered_where_it_is_passed_on_is_refused_and_both_are_told() {
    let world = World::new();
    let (ann, ben, watcher) = three(&world);
    let store = Connection::open(ann.path(".git/rhema/store.sqlite")).unwrap();
    let altered = store.execute("UPDATE edits SET branch = 'forged' WHERE way = 1", []);
    assert_eq!(altered.unwrap(), 1);
    let called = call(&ben, &watcher);
    let told = "they were made up or altered on the way";
    assert!(called.stderr.contains(told), "{}", called.stderr);
    watcher.says(told);
    assert!(!ben.read(FILE).contains("Aside"));
    // What Ann makes herself is taken all the same.
    ann.rhema(&["set", "todos/b", "title=Bet"]).exits(0);
    call(&ben, &watcher);
    assert!(ben.read(FILE).contains("title: Bet"));
}
