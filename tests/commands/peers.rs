//! Who may sync.

use std::thread;
use std::time::{Duration, Instant};

use crate::cloned::cloned;
use crate::support::{BINARY, Tree, World};
use crate::watcher::Watcher;

const MEMBERS: &str = ".rhema/crdt/members.yaml";

/// For how long something may be waited for: never a claim about speed.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// Ann's and Ben's clones, where Ann knows an edit of Ben's; her watcher runs, and his last stamp.
fn acquainted(world: &World) -> (Tree<'_>, Tree<'_>, Watcher, String) {
    let (ann, ben) = cloned(
        world,
        &[(".rhema/todos.yaml", "todos:\n  - id: a\n    title: One\n")],
    );
    let watcher = Watcher::start(&ann);
    let set = ben.rhema(&["set", "todos/a", "title=Two", "--json"]);
    let stamp = set.exits(0).json()["stamp"].as_str().unwrap().to_owned();
    ben.rhema(&["sync", "--peer", &watcher.address]).exits(0);
    (ann, ben, watcher, stamp)
}

/// Calls until that ends with this status: one who stays sees a commit within a moment.
#[track_caller]
fn sync_until(status: i32, tree: &Tree<'_>, watcher: &Watcher) {
    let began = Instant::now();
    loop {
        let run = tree.rhema(&["sync", "--peer", &watcher.address]);
        if run.status == status {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{}{}", run.stdout, run.stderr);
        thread::sleep(Duration::from_millis(200));
    }
}

fn node(tree: &Tree<'_>) -> String {
    let status = tree.rhema(&["status", "--json"]).exits(0).json();
    status["node"].as_str().unwrap().to_owned()
}

#[test]
fn who_is_removed_stays_in_the_list_with_the_last_edits_that_are_taken() {
    let world = World::new();
    let (ann, ben, watcher, stamp) = acquainted(&world);
    let id = node(&ben);
    let key = ben.rhema(&["peers", "--json"]).exits(0).json()["key"].clone();
    ann.rhema(&["peers", "remove", &id]).exits(0);
    let members = ann.read(MEMBERS);
    let removed = format!("  role: removed\n  until: {stamp}\n");
    assert!(members.contains(&removed), "{members}");
    ann.git(&["commit", "-q", "-m", "Ben has left", MEMBERS]);

    // He is nobody any more, and both see it.
    sync_until(3, &ben, &watcher);
    let peers = ann.rhema(&["peers", "--json"]).exits(0).json();
    assert_eq!(peers["peers"], serde_json::json!([]));
    assert_eq!(peers["removed"][0]["node"], id.as_str());
    assert_eq!(peers["removed"][0]["until"], stamp.as_str());
    let status = ann.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(status["removed"], peers["removed"]);
    for what in [&["peers"][..], &["status", "-v"]] {
        let text = ann.rhema(what).exits(0).stdout;
        assert!(text.contains("removed") && text.contains(&stamp), "{text}");
    }
    ben.git(&["pull", "-q", "--no-rebase", "../ann", "main"]);
    let told = ben.rhema(&["status"]).exits(0).stderr;
    assert!(told.contains("this work tree was removed"), "{told}");

    // Nothing brings him back by the way, and a commit does.
    let key = key.as_str().unwrap();
    let refused = ann.rhema(&["peers", "trust", key]).exits(3).stderr;
    assert!(refused.contains("was removed"), "{refused}");
    ann.rhema(&["peers", "remove", &id]).exits(3);
    ann.rhema(&["peers", "add", key, "--name", "ben"]).exits(0);
    let members = ann.read(MEMBERS);
    assert!(!members.contains("removed"), "{members}");
    ann.git(&["commit", "-q", "-m", "Ben is back", MEMBERS]);
    ben.git(&["pull", "-q", "--no-rebase", "../ann", "main"]);
    sync_until(0, &ben, &watcher);
}

#[test]
fn who_is_removed_and_forgotten_leaves_no_line() {
    let world = World::new();
    let (ann, ben, _, _) = acquainted(&world);
    let id = node(&ben);
    ann.rhema(&["peers", "remove", &id]).exits(0);
    ann.rhema(&["peers", "remove", &id, "--forget"]).exits(0);
    assert!(!ann.read(MEMBERS).contains(&id));
    ann.rhema(&["peers", "remove", &id]).exits(3);
}

#[test]
fn who_is_removed_takes_no_line_of_its_own_away() {
    let world = World::new();
    let (ann, ben, _, _) = acquainted(&world);
    let id = node(&ben);
    ann.rhema(&["peers", "remove", &id]).exits(0);
    ann.git(&["commit", "-q", "-m", "Ben has left", MEMBERS]);
    ben.git(&["stash", "-q"]);
    ben.git(&["pull", "-q", "--no-rebase", "../ann", "main"]);
    ben.rhema(&["uninit"]).exits(0);
    assert!(
        ben.read(MEMBERS).contains(&id),
        "his edits are proved by it"
    );
}

#[test]
fn another_key_takes_the_place_of_the_old_one_for_all_who_have_the_commit() {
    let world = World::new();
    let (ann, ben, watcher, stamp) = acquainted(&world);
    let before = node(&ben);
    ben.rhema(&["set", "todos/a", "title=Three"]).exits(0);
    let running = Watcher::start(&ben);
    let refused = ben.rhema(&["peers", "rotate"]).exits(3).stderr;
    assert!(refused.contains("watch` runs here"), "{refused}");
    drop(running);
    let rotated = ben.rhema(&["peers", "rotate", "--json"]).exits(0).json();
    assert_eq!(rotated["old"], before.as_str());
    assert_eq!(rotated["node"], node(&ben).as_str());
    assert_ne!(node(&ben), before);
    let members = ben.read(MEMBERS);
    assert!(
        members.contains("role: removed") && !members.contains(&stamp),
        "{members}"
    );
    assert_eq!(members.matches("role: writer").count(), 1, "{members}");
    ben.rhema(&["set", "todos/a", "title=Four"]).exits(0);

    // She knows the old one only, until she has the commit.
    ben.rhema(&["sync", "--peer", &watcher.address]).exits(3);
    ben.git(&["commit", "-q", "-m", "Another key", MEMBERS]);
    ann.git(&["pull", "-q", "../ben", "main"]);
    sync_until(0, &ben, &watcher);
    watcher.says("\"event\":\"rendered\"");
    drop(watcher);
    ann.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert!(ann.read(".rhema/todos.yaml").contains("title: Four"));
    let peers = ann.rhema(&["peers", "--json"]).exits(0).json();
    assert_eq!(peers["peers"][0]["node"], node(&ben).as_str());
    assert_eq!(peers["removed"][0]["node"], before.as_str());
    assert_eq!(ann.read(".rhema/todos.yaml"), ben.read(".rhema/todos.yaml"));
}

#[test]
fn a_change_of_keys_that_was_stopped_is_finished_by_the_next() {
    let world = World::new();
    let (_ann, ben, _, _) = acquainted(&world);
    let before = node(&ben);
    let mut command = ben.world.command(BINARY, &ben.top);
    command.env("RHEMA_CRASH_AT", "after-listed");
    let status = command.args(["crdt", "peers", "rotate"]).status().unwrap();
    assert!(!status.success());
    assert_eq!(node(&ben), before);
    let listed = ben.read(MEMBERS);
    assert!(listed.contains("role: removed"), "{listed}");
    let rotated = ben.rhema(&["peers", "rotate", "--json"]).exits(0).json();
    assert!(
        listed.contains(rotated["node"].as_str().unwrap()),
        "{listed}"
    );
    assert_eq!(ben.read(MEMBERS), listed);
}

#[test]
fn what_a_removed_member_made_since_is_refused_whoever_brings_it() {
    let world = World::new();
    let (ann, ben, watcher, _) = acquainted(&world);
    let id = node(&ben);
    ann.rhema(&["peers", "remove", &id]).exits(0);
    ann.git(&["commit", "-q", "-m", "Ben has left", MEMBERS]);
    drop(watcher);
    // Dan does not know yet, and takes what Ben made since.
    ben.git(&["clone", "-q", ".", "../dan"]);
    let dan = world.tree("dan");
    dan.rhema(&["init"]).exits(0);
    dan.commit("Dan joins");
    for other in [&ann, &ben] {
        other.git(&["stash", "-q"]);
        other.git(&["pull", "-q", "--no-rebase", "--no-edit", "../dan", "main"]);
    }
    let at_dans = Watcher::start(&dan);
    ben.rhema(&["set", "todos/a", "title=Secret"]).exits(0);
    ben.rhema(&["sync", "--peer", &at_dans.address]).exits(0);
    at_dans.says("\"event\":\"rendered\"");
    assert!(dan.read(".rhema/todos.yaml").contains("Secret"));
    let synced = ann.rhema(&["sync", "--peer", &at_dans.address]);
    assert!(
        synced.stderr.contains("removed member"),
        "{}{}",
        synced.stdout,
        synced.stderr
    );
    assert!(!ann.read(".rhema/todos.yaml").contains("Secret"));
    at_dans.says("did not take: edits that a removed member made since");
    let refused = ann.rhema(&["status", "--json"]).exits(0).json()["refused"].clone();
    assert_eq!(refused[0]["node"], id.as_str(), "{refused}");
}
