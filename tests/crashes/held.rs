//! What somebody else holds: git's index, the store, the place of who watches.

use std::fs;
use std::thread;
use std::time::Duration;

use rhema_crdt::store::Store;

use crate::check::{FILE, OTHER, SYNC, TODOS, bare, is_in_order, set_up};
use crate::support::{BINARY, World};
use crate::watching::{Lines, Watch, eventually};

/// For how long something is held that is held for a moment.
const MOMENT: Duration = Duration::from_millis(300);

#[test]
fn an_index_that_is_locked_for_good_is_told_and_what_was_typed_is_recorded_later() {
    let world = World::new();
    let tree = set_up(&world);
    let typed = TODOS.replace("Second", "Beta");
    tree.write(FILE, &typed);
    tree.write(".git/index.lock", "");
    let before = tree.snapshot();
    for (arguments, status) in [
        (&SYNC[..], 1),
        (&["set", "--file", FILE, "todos/a", "title=x"], 3),
    ] {
        let ran = tree.rhema(arguments).exits(status);
        assert!(ran.stderr.contains("index.lock"), "{}", ran.stderr);
        assert_eq!(tree.snapshot(), before);
    }
    tree.rhema(&["status"]).exits(0);
    tree.rhema(&["verify"]).exits(0);
    fs::remove_file(tree.path(".git/index.lock")).unwrap();
    is_in_order(&tree, &[(FILE, &typed), (OTHER, TODOS)], "unlocked");
}

#[test]
fn an_index_that_is_locked_for_a_moment_is_waited_for() {
    let world = World::new();
    let tree = set_up(&world);
    let lock = tree.path(".git/index.lock");
    fs::write(&lock, "").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(MOMENT);
            fs::remove_file(&lock).unwrap();
        });
        tree.rhema(&["set", "--file", FILE, "todos/b", "title=Beta"])
            .exits(0);
    });
    let expected = TODOS.replace("Second", "Beta");
    is_in_order(&tree, &[(FILE, &expected), (OTHER, TODOS)], "unlocked");
}

#[test]
fn a_store_that_another_process_holds_for_a_moment_is_waited_for() {
    let world = World::new();
    let tree = set_up(&world);
    let typed = TODOS.replace("Second", "Beta");
    tree.write(FILE, &typed);
    let holder = rusqlite::Connection::open(Store::path_in(&tree.path(".git"))).unwrap();
    for hold in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        holder.execute_batch(hold).unwrap();
        thread::scope(|scope| {
            let asked = scope.spawn(|| {
                tree.rhema(&["status"]).exits(0);
                tree.rhema(&SYNC).exits(0);
                tree.rhema(&["set", "--file", FILE, "todos/a", "title=Alpha"])
                    .exits(0);
            });
            thread::sleep(MOMENT);
            holder.execute_batch("ROLLBACK").unwrap();
            asked.join().unwrap();
        });
    }
    drop(holder);
    let expected = typed.replace("First", "Alpha");
    is_in_order(&tree, &[(FILE, &expected), (OTHER, TODOS)], "let go");
}

#[test]
fn the_second_who_watches_is_told_and_the_first_goes_on() {
    let world = World::new();
    let tree = set_up(&world);
    let watch = || {
        let mut command = world.command(BINARY, &tree.top);
        command.args(["crdt", "watch", "--json", "--discovery", "off"]);
        command
    };
    let first = Watch::begin(&mut watch(), Lines::default());
    tree.write(FILE, TODOS.replace("First", "Alpha"));
    let second = crate::support::run(&mut watch()).exits(3);
    assert!(second.stderr.starts_with("error: "), "{}", second.stderr);
    assert_eq!(second.stdout, "");
    let expected = TODOS.replace("First", "Alpha").replace("Third", "Gamma");
    let is_annotated = |records| move |text: &str| text.matches("    _crdt: ").count() == records;
    eventually(|| is_annotated(1)(&tree.read(FILE)), || first.all());
    tree.write(FILE, tree.read(FILE).replace("Third", "Gamma"));
    eventually(|| is_annotated(2)(&tree.read(FILE)), || first.all());
    first.end("TERM");
    assert_eq!(bare(&tree.read(FILE)), expected);
    is_in_order(&tree, &[(FILE, &expected), (OTHER, TODOS)], "after both");
}
