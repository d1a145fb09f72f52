//! The watcher ends, or is stopped, while it is asked.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rhema_crdt::context::{Address, Change};
use rhema_crdt::git::{Repo, Within};
use rhema_crdt::replica::{Errand, ErrandName, Replica};
use rhema_crdt::store::Store;

use crate::support::{BINARY, Run, Tree, World};
use crate::watcher::{FILE, Watcher, asks, set_up, until};

const ADD: [&str; 4] = ["add", "todos", "title=New", "--json"];

fn occurrences(tree: &Tree<'_>) -> usize {
    tree.read(FILE).matches("title: New").count()
}

#[track_caller]
fn is_added_once(tree: &Tree<'_>, run: Run, about: &str) {
    let told = run.exits(0).json();
    assert_eq!(told["id"], "new", "{about}: {told}");
    assert_eq!(told["path"], "todos/new", "{about}: {told}");
    assert_eq!(told["changed"], true, "{about}: {told}");
    let text = tree.read(FILE);
    let stamp = told["stamp"].as_str().unwrap();
    assert!(text.contains(stamp), "{about}: {stamp}\n{text}");
    assert_eq!(occurrences(tree), 1, "{about}: {text}");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert_eq!(tree.read(FILE), text, "{about}: nothing is left to be done");
}

#[test]
fn an_edit_is_made_once_wherever_the_watcher_ends() {
    if !cfg!(debug_assertions) {
        println!("skipped: only debug builds can be ended at a point");
        return;
    }
    for point in [
        "asked",
        "after-clock",
        "before-store",
        "after-store",
        "before-file",
        "in-file",
        "after-file",
        "before-answer",
    ] {
        let world = World::new();
        let tree = set_up(&world, "repo");
        let mut watcher = Watcher::with(&tree, |command| {
            command.env("RHEMA_CRASH_AT", point);
        });
        let run = tree.rhema(&ADD);
        until("the watcher ends", || watcher.has_ended());
        is_added_once(&tree, run, point);
    }
}

#[test]
fn an_edit_is_made_once_where_the_watcher_is_killed_while_it_is_asked() {
    if !cfg!(debug_assertions) {
        println!("skipped: only debug builds can be held up at a point");
        return;
    }
    for point in ["asked", "after-store", "before-answer"] {
        let world = World::new();
        let tree = set_up(&world, "repo");
        let waits = world.path("waits");
        let mut watcher = Watcher::with(&tree, |command| {
            command
                .env("RHEMA_WAIT_AT", point)
                .env("RHEMA_WAIT_FILE", &waits);
        });
        let mut command = world.command(BINARY, &tree.top);
        let child = command
            .arg("crdt")
            .args(ADD)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        until("the watcher is asked", || waits.exists());
        watcher.kill();
        let output = child.wait_with_output().unwrap();
        let run = Run {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        is_added_once(&tree, run, point);
    }
}

#[test]
fn a_sync_ends_well_where_the_watcher_is_killed() {
    if !cfg!(debug_assertions) {
        println!("skipped: only debug builds can be ended at a point");
        return;
    }
    let world = World::new();
    let tree = set_up(&world, "repo");
    let mut watcher = Watcher::with(&tree, |command| {
        command.env("RHEMA_CRASH_AT", "before-answer");
    });
    tree.rhema(&["sync"]).exits(0);
    until("it ends", || watcher.has_ended());
}

#[test]
fn a_watcher_that_was_stopped_is_not_waited_for() {
    let world = World::new();
    let tree = set_up(&world, "repo");
    let watcher = Watcher::begin(&tree);
    // It is not stopped in the middle of a round, which would keep everybody from editing.
    asks(&tree, &["set", "todos/a", "priority=high"]).exits(0);
    thread::sleep(Duration::from_millis(500));
    watcher.signal("-STOP");
    let run = tree.rhema(&ADD);
    watcher.signal("-CONT");
    is_added_once(&tree, run, "stopped");
}

/// What [`ADD`] asks for.
fn addition() -> Errand {
    Errand {
        name: ErrandName::draw().unwrap(),
        within: Within::Scope("".into()),
        field: None,
        change: Change::Add {
            to: Address::new("todos"),
            fields: vec!["title=New".parse().unwrap()],
        },
    }
}

#[test]
fn whoever_comes_second_with_an_edit_finds_it_made() {
    let world = World::new();
    let tree = set_up(&world, "repo");
    let errand = addition();
    let repo = Repo::at(&tree.top).unwrap();
    let perform = |errand: &Errand| Replica::open(&repo).unwrap().perform(errand).unwrap();
    let one = perform(&errand);
    let text = fs::read_to_string(tree.path(FILE)).unwrap();
    let two = perform(&errand);
    assert_eq!(tree.read(FILE), text);
    let told = |done: rhema_crdt::replica::Done| {
        let edited = done.edited;
        (
            done.file,
            edited.at,
            edited.new_name,
            edited.changed,
            edited.stamp,
        )
    };
    assert_eq!(told(one), told(two));
    let another = Errand {
        name: ErrandName::draw().unwrap(),
        ..errand.clone()
    };
    let name = perform(&another).edited.new_name;
    assert_ne!(name.unwrap(), "new", "another errand is another record");
}

#[test]
fn an_edit_stands_in_the_file_also_where_somebody_saves_it_when_others_are_told() {
    let world = World::new();
    let tree = set_up(&world, "repo");
    let repo = Repo::at(&tree.top).unwrap();
    let mut store = Store::open(repo.git_dir()).unwrap().store;
    let mut has_saved = false;
    let mut save = || {
        if !std::mem::replace(&mut has_saved, true) {
            let text = tree.read(FILE);
            tree.write(FILE, text.replace("title: Second", "title: Zwei"));
        }
    };
    let errand = addition();
    let replica = Replica::with(&repo, &mut store).unwrap();
    let done = replica.telling(&mut save).perform(&errand).unwrap();
    assert!(done.edited.changed);
    let text = tree.read(FILE);
    assert!(text.contains("title: Zwei"), "{text}");
    assert_eq!(occurrences(&tree), 1, "{text}");
}
