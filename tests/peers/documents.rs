//! Documents that exist at one replica only.

use crate::pair::{pair, send, sync};
use crate::support::World;

const TODOS: &str = "_crdt: v1 todos=or_set\n# what is to be done\ntodos:\n  - id: a\n    title: Alpha # first\n\n  - id: b\n    title: 'Beta'\n    tags: [x, y]\n";

#[test]
fn a_document_that_somebody_made_comes_into_being_at_the_others() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    ann.write("app/.rhema/todos.yaml", TODOS);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(
        ben.read("app/.rhema/todos.yaml"),
        ann.read("app/.rhema/todos.yaml")
    );
    ben.rhema(&["set", "--scope", "app", "todos/a", "title=Aleph"])
        .exits(0);
    send(&ben, &ann);
    sync(&ann);
    let shown = ann.read("app/.rhema/todos.yaml");
    assert_eq!(shown, ben.read("app/.rhema/todos.yaml"));
    assert!(shown.contains("title: Aleph # first"), "{shown}");
    ann.commit("todos");
    sync(&ann);
    ben.git(&["checkout", "-q", "."]);
    assert_eq!(ann.git(&["status", "--short"]), "");
}

#[test]
fn a_document_from_a_peer_is_parked_out_of_the_way_of_the_commit_that_brings_it() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    ann.write(".rhema/todos.yaml", TODOS);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    let shown = ben.read(".rhema/todos.yaml");
    ben.rhema(&["park"]).exits(0);
    assert!(!ben.path(".rhema/todos.yaml").exists());
    sync(&ben);
    assert!(
        !ben.path(".rhema/todos.yaml").exists(),
        "parked until HEAD moves"
    );
    ben.rhema(&["unpark"]).exits(0);
    assert_eq!(ben.read(".rhema/todos.yaml"), shown);
    ben.rhema(&["park"]).exits(0);
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ben);
    assert_eq!(ben.read(".rhema/todos.yaml"), shown);
    assert_eq!(ben.git(&["status", "--short"]), "");
}

#[test]
fn a_parked_document_from_a_peer_comes_back_when_head_moves_elsewhere() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    ann.write(".rhema/todos.yaml", TODOS);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    let shown = ben.read(".rhema/todos.yaml");
    ben.rhema(&["park"]).exits(0);
    ben.write("README", "other\n");
    ben.git(&["commit", "-qam", "other"]);
    sync(&ben);
    assert_eq!(ben.read(".rhema/todos.yaml"), shown);
}

#[test]
fn a_document_that_was_deleted_here_does_not_come_back_by_itself() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    ann.write(".rhema/todos.yaml", TODOS);
    sync(&ann);
    send(&ann, &ben);
    sync(&ben);
    std::fs::remove_file(ben.path(".rhema/todos.yaml")).unwrap();
    sync(&ben);
    assert!(!ben.path(".rhema/todos.yaml").exists());
    ann.rhema(&["set", "todos/a", "title=Aleph"]).exits(0);
    send(&ann, &ben);
    sync(&ben);
    assert!(!ben.path(".rhema/todos.yaml").exists());
}
