//! Power that is lost: what nobody had the disk keep is gone, in the store or in the work tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::check::{FILE, OTHER, SYNC, TODOS, ended, is_in_order, set_up, writes};
use crate::support::{BINARY, Run, Tree, World, run};

/// What the program keeps for itself: the files and what stands in them. What processes share in memory is gone with them.
fn state(tree: &Tree<'_>) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(tree.path(".git/rhema")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let kept = files.filter(|file| file.is_file() && !file.to_string_lossy().ends_with("-shm"));
    kept.map(|file| (file.clone(), fs::read(file).unwrap()))
        .collect()
}

/// Has the program's own files be what they were, and no others.
fn put_back(tree: &Tree<'_>, state: &BTreeMap<PathBuf, Vec<u8>>) {
    for file in fs::read_dir(tree.path(".git/rhema")).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() && !state.contains_key(&file) {
            fs::remove_file(file).unwrap();
        }
    }
    for (file, bytes) in state {
        if fs::read(file).ok().as_ref() != Some(bytes) {
            fs::write(file, bytes).unwrap();
        }
    }
}

fn crash_at(tree: &Tree<'_>, point: &str) -> Run {
    let mut command = tree.world.command(BINARY, &tree.top);
    command.env("RHEMA_CRASH_AT", point).arg("crdt").args(SYNC);
    run(&mut command)
}

/// A work tree with an edit that is recorded and written, and one that is recorded when the process ends at this point.
fn ends_at<'w>(world: &'w World, point: &str) -> (Tree<'w>, String) {
    let tree = set_up(world);
    tree.write(FILE, TODOS.replace("Second", "Beta"));
    tree.rhema(&SYNC).exits(0);
    tree.write(FILE, tree.read(FILE).replace("Third", "Gamma"));
    ended(crash_at(&tree, point), point);
    (
        tree,
        TODOS.replace("Second", "Beta").replace("Third", "Gamma"),
    )
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "nothing can be ended at a point")]
fn a_store_as_it_was_last_synced_and_newer_documents_agree_again() {
    let world = World::new();
    let (tree, expected) = ends_at(&world, "after-store");
    let synced = state(&tree);
    tree.rhema(&SYNC).exits(0);
    let written = tree.read(FILE);
    put_back(&tree, &synced);
    assert_eq!(tree.read(FILE), written);
    is_in_order(&tree, &[(FILE, &expected), (OTHER, TODOS)], "store behind");
    assert_eq!(writes(&tree.path(".git"), FILE).len(), 2);
    // And with an edit of the moment before.
    put_back(&tree, &synced);
    tree.write(FILE, written.replace("First", "Alpha"));
    let expected = expected.replace("First", "Alpha");
    is_in_order(&tree, &[(FILE, &expected), (OTHER, TODOS)], "and typed");
    assert_eq!(writes(&tree.path(".git"), FILE).len(), 3);
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "nothing can be ended at a point")]
fn documents_as_they_were_and_a_newer_store_agree_again() {
    let world = World::new();
    let (tree, expected) = ends_at(&world, "after-store");
    let before = tree.read(FILE);
    tree.rhema(&SYNC).exits(0);
    assert_ne!(tree.read(FILE), before);
    tree.write(FILE, &before);
    is_in_order(
        &tree,
        &[(FILE, &expected), (OTHER, TODOS)],
        "document behind",
    );
    assert_eq!(writes(&tree.path(".git"), FILE).len(), 2);
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "nothing can be ended at a point")]
fn a_log_of_the_store_that_breaks_off_anywhere_costs_nothing() {
    let world = World::new();
    for point in ["after-store", "before-end"] {
        let world = if point == "after-store" {
            &world
        } else {
            &World::new()
        };
        let (tree, expected) = ends_at(world, point);
        let whole = state(&tree);
        let document = tree.read(FILE);
        let log = tree.path(".git/rhema/store.sqlite-wal");
        let length = whole[&log].len();
        assert!(length > 0, "there is a log");
        for left in [0, 1, length / 4, length / 2, length * 3 / 4, length - 1] {
            put_back(&tree, &whole);
            tree.write(FILE, &document);
            fs::write(&log, &whole[&log][..left]).unwrap();
            let what = format!("{point}, {left} of {length}");
            is_in_order(&tree, &[(FILE, &expected), (OTHER, TODOS)], &what);
        }
    }
}
