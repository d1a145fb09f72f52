//! Several processes at one store at once, and processes that are killed while they write.
#![cfg(feature = "node")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod child;

use std::fs;
use std::path::Path;
use std::time::Duration;

use child::{Role, batch_document, batches, hammered_document, is_whole};
use rhema_crdt::store::{Beginning, Store, Which};

/// What SQLite itself thinks of the file.
fn check(git_dir: &Path) {
    let connection = rusqlite::Connection::open(Store::path_in(git_dir)).unwrap();
    let answer: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(answer, "ok");
}

#[test]
fn what_a_killed_process_had_committed_stands_and_nothing_by_halves() {
    let git_dir = tempfile::tempdir().unwrap();
    let mut told = 0;
    for round in 0..8 {
        let mut writer = Role::Batches.start(git_dir.path());
        for _ in 0..3 {
            told = writer.next("batch").expect("the child ended by itself");
        }
        // Somewhere in the next batches.
        std::thread::sleep(Duration::from_micros(700 * round));
        drop(writer);
        let opened = Store::open(git_dir.path()).unwrap();
        assert_eq!(opened.beginning, Beginning::Kept);
        let mut store = opened.store;
        let stands = batches(&store.read().unwrap());
        assert!(
            stands >= told,
            "{stands} batches stand, {told} were committed"
        );
        drop(store);
        check(git_dir.path());
    }
    assert!(told >= 24);
}

#[test]
fn nothing_stands_of_what_a_killed_process_had_not_committed() {
    let git_dir = tempfile::tempdir().unwrap();
    let mut half = Role::Half.start(git_dir.path());
    half.next("half").expect("the child ended by itself");
    let mut before = Store::open(git_dir.path()).unwrap().store;
    assert_eq!(batches(&before.read().unwrap()), 0, "nobody sees it before");
    drop(half);
    let mut store = Store::open(git_dir.path()).unwrap().store;
    let reading = store.read().unwrap();
    assert_eq!(batches(&reading), 0);
    let document = batch_document();
    assert_eq!(reading.edits(&document, Which::All).unwrap(), []);
    assert_eq!(reading.rendering(&document).unwrap(), None);
    drop(reading);
    drop((store, before));
    check(git_dir.path());
}

#[test]
fn processes_and_threads_that_write_at_once_lose_nothing_and_never_fail() {
    let git_dir = tempfile::tempdir().unwrap();
    hammer(git_dir.path());
}

#[test]
fn processes_that_meet_a_damaged_store_put_it_aside_once() {
    let git_dir = tempfile::tempdir().unwrap();
    let path = Store::path_in(git_dir.path());
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, "no store").unwrap();
    hammer(git_dir.path());
    let aside = |number| path.with_extension(format!("sqlite.broken-{number}"));
    assert_eq!(fs::read(aside(1)).unwrap(), b"no store");
    assert!(!aside(2).exists());
}

/// Lets several processes begin a store and write to it at once, and looks at what they leave.
fn hammer(git_dir: &Path) {
    let roles: Vec<_> = (0..3).map(Role::Hammer).collect();
    let children: Vec<_> = roles.iter().map(|role| role.start(git_dir)).collect();
    let mut made = 0;
    for mut child in children {
        made += child.next("made").expect("the child failed");
        assert!(child.ends_well());
    }
    assert_eq!(made, 1, "one process made the store");
    let mut store = Store::open(git_dir).unwrap().store;
    let reading = store.read().unwrap();
    let knowledge = reading.knowledge().unwrap();
    assert_eq!(knowledge.len(), child::HAMMERS as usize);
    assert!(knowledge.values().all(|chain| chain.islands.is_empty()));
    for replica in 0..child::HAMMERS {
        assert_eq!(is_whole(&reading, replica), child::EDITS_OF_A_HAMMER);
        let document = hammered_document(replica);
        let edits = reading.edits(&document, Which::All).unwrap();
        let last = edits.last().unwrap().known.stamp;
        assert_eq!(knowledge[&last.replica()].upto, Some(last));
    }
    drop(reading);
    drop(store);
    check(git_dir);
}
