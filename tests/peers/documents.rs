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
