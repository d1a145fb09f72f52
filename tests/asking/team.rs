//! Two work trees with a watcher each: what a command asks of the one is in the other when it is answered, or soon.

use crate::cloned::cloned;
use crate::support::{Tree, World};
use crate::watcher::{FILE, TODOS, Watcher, asks, until};

struct Pair<'w> {
    ann: Tree<'w>,
    ben: Tree<'w>,
    _watchers: [Watcher; 2],
}

/// Ann and Ben, who is connected to her.
fn pair(world: &World) -> Pair<'_> {
    let (ann, ben) = cloned(world, &[(FILE, TODOS)]);
    let first = Watcher::begin(&ann);
    let address = ann.read(".git/rhema/address");
    let second = Watcher::with(&ben, |command| {
        command.args(["--peer", address.trim()]);
    });
    until("they are connected", || {
        let status = ben.rhema(&["status", "--json"]).exits(0).json();
        status["peers"][0]["line"]["in_step"] == true
    });
    Pair {
        ann,
        ben,
        _watchers: [first, second],
    }
}

#[test]
fn an_edit_is_with_the_others_when_a_sync_is_answered() {
    let world = World::new();
    let Pair { ann, ben, .. } = &pair(&world);
    asks(ben, &["set", "todos/a", "title=Aleph"]).exits(0);
    let told = asks(ben, &["sync", "--json"]).exits(0).json();
    let peer = &told["peers"][0];
    assert!(peer["error"].is_null(), "{told}");
    assert!(peer["bytes_sent"].as_u64().unwrap() > 0, "{told}");
    until("ann sees it", || ann.read(FILE).contains("Aleph"));
    asks(ann, &["set", "todos/a", "title=Alif"]).exits(0);
    asks(ben, &["sync"]).exits(0);
    assert!(ben.read(FILE).contains("Alif"), "shown when it is answered");
}

#[test]
fn everything_is_said_anew_if_that_is_asked() {
    let world = World::new();
    let Pair { ann, ben, .. } = &pair(&world);
    asks(ben, &["set", "todos/a", "title=Aleph"]).exits(0);
    asks(ben, &["sync"]).exits(0);
    until("ann sees it", || ann.read(FILE).contains("Aleph"));
    let told = asks(ben, &["sync", "--json"]).exits(0).json();
    assert_eq!(told["peers"][0]["sent"], 0, "{told}");
    let told = asks(ben, &["sync", "--force", "--json"]).exits(0).json();
    assert!(told["peers"][0]["sent"].as_u64().unwrap() >= 1, "{told}");
    assert_eq!(told["peers"][0]["received"], 0, "{told}");
}

#[test]
fn one_who_is_named_is_found_by_name_and_by_address() {
    let world = World::new();
    let Pair { ann, ben, .. } = &pair(&world);
    let address = ann.read(".git/rhema/address");
    let name = ann.rhema(&["status", "--json"]).exits(0).json()["node"].clone();
    for peer in [address.trim(), name.as_str().unwrap()] {
        let told = asks(ben, &["sync", "--peer", peer, "--json"])
            .exits(0)
            .json();
        assert_eq!(told["peers"][0]["node"], name, "{peer}: {told}");
        assert!(told["peers"][0]["error"].is_null(), "{peer}: {told}");
    }
    let told = asks(ben, &["sync", "--peer", "127.0.0.1:9", "--json"]).exits(3);
    assert!(told.stderr.contains("127.0.0.1:9"), "{}", told.stderr);
}

#[test]
fn one_who_calls_is_sought_by_the_watcher_too() {
    let world = World::new();
    let (ann, ben) = cloned(&world, &[(FILE, TODOS)]);
    let _first = Watcher::begin(&ann);
    let _second = Watcher::begin(&ben);
    ann.rhema(&["set", "todos/a", "title=Aleph"]).exits(0);
    let address = ann.read(".git/rhema/address");
    let told = asks(&ben, &["sync", "--peer", address.trim(), "--json"])
        .exits(0)
        .json();
    assert_eq!(told["peers"][0]["received"], 1, "{told}");
    assert!(ben.read(FILE).contains("Aleph"), "{}", ben.read(FILE));
}

#[test]
fn status_tells_of_the_lines_that_are_up() {
    let world = World::new();
    let Pair { ben, .. } = &pair(&world);
    let status = ben.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(status["watching"], true);
    assert!(["events", "polling"].contains(&status["watcher"]["files"].as_str().unwrap()));
    let line = &status["peers"][0]["line"];
    assert!(line["latency_ms"].as_f64().unwrap() >= 0.0, "{line}");
    assert!(
        line["since"].as_u64().unwrap() > 1_000_000_000_000,
        "{line}"
    );
    let told = ben.rhema(&["status", "--verbose"]).exits(0).stdout;
    assert!(told.contains("connected at 127.0.0.1:"), "{told}");
}
