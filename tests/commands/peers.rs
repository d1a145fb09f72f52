//! Who may sync.

use crate::support::{Tree, World};

const MEMBERS: &str = ".rhema/crdt/members.yaml";

const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

fn repo(world: &World) -> (Tree<'_>, String) {
    let tree = world.repo(
        "repo",
        &[(".rhema/todos.yaml", "todos:\n  - id: a\n    title: One\n")],
    );
    tree.rhema(&["init"]).exits(0);
    tree.commit("init");
    let node = tree.rhema(&["status", "--json"]).exits(0).json()["node"].clone();
    (tree, node.as_str().unwrap().to_owned())
}

#[test]
fn the_last_admin_is_removed_on_purpose_only() {
    let world = World::new();
    let (tree, node) = repo(&world);
    let before = tree.read(MEMBERS);
    let refused = tree.rhema(&["peers", "remove", &node]).exits(3).stderr;
    assert!(
        refused.contains("last admin") && refused.contains("--force"),
        "{refused}"
    );
    assert_eq!(tree.read(MEMBERS), before);
    // Another one is no loss, nor is this one where there are two.
    tree.rhema(&["peers", "add", KEY, "--name", "eve", "--role", "admin"])
        .exits(0);
    tree.rhema(&["peers", "remove", "eve"]).exits(0);
    tree.rhema(&["peers", "add", KEY, "--name", "eve", "--role", "admin"])
        .exits(0);
    tree.rhema(&["peers", "remove", &node]).exits(0);
    tree.rhema(&["peers", "remove", "eve"]).exits(3);
    tree.rhema(&["peers", "remove", "eve", "--force"]).exits(0);
}

#[test]
fn an_address_is_host_and_port() {
    let world = World::new();
    let (tree, _) = repo(&world);
    for wrong in [
        "x", "x:", ":1", "x:y", "x:0", "x:70000", "::1:4711", "a b:1", "",
    ] {
        for what in ["trust", "add"] {
            let refused = tree.rhema(&["peers", what, KEY, "--address", wrong]);
            assert!(refused.exits(2).stderr.contains("HOST:PORT"), "{wrong}");
        }
    }
    for right in ["10.0.0.7:4711", "ben.local:4711", "[::1]:4711"] {
        tree.rhema(&["peers", "trust", KEY, "--address", right])
            .exits(0);
    }
}
