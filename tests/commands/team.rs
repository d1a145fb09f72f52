//! What `status` tells of the others, and of a program that stays.

use serde_json::{Value, json};

use crate::cloned::cloned;
use crate::support::{Tree, World};
use crate::watcher::Watcher;

const TODOS: &str = "todos:\n  - id: a\n    title: One\n";

/// Ann's repository and Ben's clone of it, both set up, each a member for the other.
fn pair(world: &World) -> (Tree<'_>, Tree<'_>) {
    cloned(world, &[(".rhema/todos.yaml", TODOS)])
}

fn status(tree: &Tree<'_>) -> Value {
    tree.rhema(&["status", "--json"]).exits(0).json()
}

#[test]
fn a_member_is_never_met_then_in_step_then_behind() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    let [peer] = status(&ben)["peers"]
        .as_array()
        .unwrap()
        .clone()
        .try_into()
        .unwrap();
    assert_eq!(
        peer,
        json!({
            "node": status(&ann)["node"],
            "name": peer["name"],
            "address": null,
            "state": "never met",
            "role": "admin",
            "last_seen": null,
            "latency_ms": null,
            "line": null,
        })
    );
    let text = ben.rhema(&["status"]).exits(0).stdout;
    assert!(!text.contains("never met"), "{text}");
    let text = ben.rhema(&["status", "-v"]).exits(0).stdout;
    assert!(text.contains("1 peer: 1 never met"), "{text}");
    let watcher = Watcher::start(&ann);
    ben.rhema(&["set", "todos/a", "title=Two"]).exits(0);
    ben.rhema(&["sync", "--peer", &watcher.address]).exits(0);
    let peer = status(&ben)["peers"][0].clone();
    assert_eq!(peer["state"], "in step");
    assert_eq!(peer["address"], watcher.address);
    assert!(peer["last_seen"].as_u64().unwrap() > 1_700_000_000_000);
    assert!(peer["latency_ms"].as_f64().unwrap() > 0.0);
    // What came from somebody is known to them.
    assert_eq!(status(&ann)["peers"][0]["state"], "in step");
    drop(watcher);

    ben.rhema(&["set", "todos/a", "title=Three"]).exits(0);
    ben.rhema(&["add", "todos", "title=Four"]).exits(0);
    assert_eq!(status(&ben)["peers"][0]["state"], "behind");
    let full = ben.rhema(&["status", "--json", "-v"]).exits(0).json();
    assert_eq!(
        full["peers"][0]["lag"],
        json!([{"path": ".rhema/todos.yaml", "edits": 2}])
    );
    assert!(full["peers"][0]["last_sync"].is_u64());
    assert!(full["events"].is_array());
    let text = ben.rhema(&["status", "--verbose"]).exits(0).stdout;
    assert!(text.contains("1 peer: 1 behind"), "{text}");
    assert!(
        text.contains("lacks 2 edits of .rhema/todos.yaml"),
        "{text}"
    );
}

#[test]
fn watching_is_told_and_a_killed_watcher_does_not_make_it_lie() {
    let world = World::new();
    let (ann, _) = pair(&world);
    assert_eq!(status(&ann)["watching"], false);
    let watcher = Watcher::start(&ann);
    assert_eq!(status(&ann)["watching"], true);
    let second = ["watch", "--discovery", "off", "--listen", "127.0.0.1:0"];
    let refused = ann.rhema(&second).exits(3).stderr;
    assert!(refused.contains(&watcher.address), "{refused}");
    assert_eq!(refused.lines().count(), 1, "{refused}");
    let refused = ann.rhema(&["uninit"]).exits(3).stderr;
    assert!(refused.contains("end it first"), "{refused}");
    drop(watcher);
    assert!(ann.path(".git/rhema/address").exists(), "it was killed");
    assert_eq!(status(&ann)["watching"], false);
    drop(Watcher::start(&ann));
}

#[test]
fn status_makes_no_store() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    for tree in [ann, ben] {
        let before = tree.snapshot();
        let status = tree.rhema(&["status", "-v", "--json"]).exits(0).json();
        assert_eq!(status["peers"][0]["lag"], json!([]));
        assert_eq!(tree.snapshot(), before);
    }
}
