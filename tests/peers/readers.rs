//! Members that may read only, where each clone has its own opinion of who that is.

use serde_json::Value;

use crate::pair::{pair, sync};
use crate::support::{Tree, World};
use crate::watcher::Watcher;

const MEMBERS: &str = ".rhema/crdt/members.yaml";

const TODOS: &str =
    "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: Alpha\n  - id: b\n    title: Beta\n";

const NOT_TAKEN: &str = "not taken from it: edits of a member that may read only";

fn pair_with_todos(world: &World) -> (Tree<'_>, Tree<'_>) {
    let (ann, ben) = pair(world);
    ann.write(".rhema/todos.yaml", TODOS);
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ann);
    sync(&ben);
    (ann, ben)
}

/// Commits in this clone alone that Ben, who joined as a writer, may read only.
fn ben_reads(tree: &Tree<'_>) {
    let members = tree.read(MEMBERS);
    assert_eq!(members.matches("role: writer").count(), 1, "{members}");
    tree.write(MEMBERS, members.replace("role: writer", "role: reader"));
    tree.commit("Ben may read");
}

/// What `sync` reports of the one whom it calls, and what it says beside.
fn call(tree: &Tree<'_>, watcher: &Watcher, status: i32) -> (Value, String) {
    let run = tree
        .rhema(&["sync", "--json", "--peer", &watcher.address])
        .exits(status);
    (run.json()["peers"][0].clone(), run.stderr)
}

fn events(tree: &Tree<'_>) -> Vec<String> {
    let status = tree.rhema(&["status", "-v", "--json"]).exits(0).json();
    let events = status["events"].as_array().unwrap().iter();
    events
        .map(|event| event["what"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn where_the_others_take_one_for_a_reader_both_are_told_once() {
    let world = World::new();
    let (ann, ben) = pair_with_todos(&world);
    ben_reads(&ann);
    let watcher = Watcher::start(&ann);
    let (_, said) = call(&ben, &watcher, 0);
    assert!(!said.contains("takes no edits"), "there are none: {said}");
    assert_eq!(watcher.count(NOT_TAKEN), 0, "{}", watcher.all());
    for title in ["Bet", "Beth", "Bravo"] {
        ben.rhema(&["set", "todos/b", &format!("title={title}")])
            .exits(0);
    }
    let (peer, said) = call(&ben, &watcher, 1);
    let told = "it takes no edits from this work tree, which may read only";
    assert_eq!(said.matches(told).count(), 1, "{said}");
    assert_eq!((&peer["sent"], &peer["error"]), (&0.into(), &Value::Null));
    assert!(peer["kept"].as_u64().unwrap() > 0, "{peer}");
    watcher.says(NOT_TAKEN);
    let all = watcher.all();
    assert_eq!(watcher.count("\"event\":\"warning\""), 1, "{all}");
    let noted = |tree: &Tree<'_>, what: &str| {
        let events = events(tree);
        let count = events.iter().filter(|event| event.contains(what)).count();
        assert_eq!(count, 1, "{events:?}");
    };
    noted(&ann, NOT_TAKEN);
    noted(&ben, told);
    assert!(ann.read(".rhema/todos.yaml").contains("title: Beta"));
    // What he commits travels by git, and nothing is left to tell.
    ben.commit("Bravo");
    let (peer, said) = call(&ben, &watcher, 0);
    assert_eq!(peer["kept"], 0);
    assert!(!said.contains(told), "{said}");
}

#[test]
fn who_takes_itself_for_a_reader_keeps_its_edits_and_says_so_once() {
    let world = World::new();
    let (ann, ben) = pair_with_todos(&world);
    ben_reads(&ben);
    let watcher = Watcher::start(&ann);
    call(&ben, &watcher, 0);
    ben.rhema(&["set", "todos/b", "title=Bet"]).exits(0);
    ben.rhema(&["set", "todos/b", "title=Beth"]).exits(0);
    let (peer, said) = call(&ben, &watcher, 1);
    let told = "lets this work tree read only: its edits stay here";
    assert_eq!(said.matches(told).count(), 1, "{said}");
    assert_eq!(peer["sent"], 0);
    // Ann would take them: she has nothing to tell.
    assert_eq!(
        watcher.count("\"event\":\"warning\""),
        0,
        "{}",
        watcher.all()
    );
    // What she edits comes all the same.
    ann.rhema(&["set", "todos/a", "title=Aleph"]).exits(0);
    call(&ben, &watcher, 1);
    assert!(ben.read(".rhema/todos.yaml").contains("title: Aleph"));
    assert!(ann.read(".rhema/todos.yaml").contains("title: Beta"));
}
