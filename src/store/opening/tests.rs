use tempfile::TempDir;

use super::super::samples::{chain, receive, store, todos};
use super::super::{Durability, Opened, Store, Which};
use super::*;

/// A git directory and the path of its store, which knows so many edits; nobody has it open.
fn filled(count: usize) -> (TempDir, PathBuf) {
    let (git_dir, mut store) = store();
    receive(&mut store, &chain(7, count));
    (git_dir, store.path().to_path_buf())
}

fn known(store: &mut Store) -> usize {
    let reading = store.read().unwrap();
    reading.edits(&todos(), Which::All).unwrap().len()
}

/// Gives the file this content, which is none of a store, and looks at what opening makes of it.
#[track_caller]
fn is_put_aside(git_dir: &TempDir, path: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> Opened {
    let mut bytes = fs::read(path).unwrap();
    damage(&mut bytes);
    fs::write(path, &bytes).unwrap();
    let mut opened = Store::open(git_dir.path()).unwrap();
    let Beginning::Anew { put_aside } = &opened.beginning else {
        panic!("{:?}", opened.beginning);
    };
    assert_eq!(fs::read(put_aside).unwrap(), bytes);
    assert!(opened.is_new());
    assert_eq!(known(&mut opened.store), 0);
    receive(&mut opened.store, &chain(7, 1));
    opened
}

#[test]
fn a_store_is_made_once_and_then_kept() {
    let git_dir = tempfile::tempdir().unwrap();
    let first = Store::open(git_dir.path()).unwrap();
    assert_eq!(first.beginning, Beginning::New);
    assert!(first.is_new());
    let again = Store::open(git_dir.path()).unwrap();
    assert_eq!(again.beginning, Beginning::Kept);
    assert!(!again.is_new());
}

#[test]
fn damaged_files_are_put_aside_one_after_the_other() {
    let (git_dir, path) = filled(3);
    let aside = |number| beside(&path, &format!(".broken-{number}"));
    let empty = is_put_aside(&git_dir, &path, Vec::clear);
    assert_eq!(
        empty.beginning,
        Beginning::Anew {
            put_aside: aside(1)
        }
    );
    drop(empty);
    let garbage = is_put_aside(&git_dir, &path, |bytes| bytes.fill(b'x'));
    assert_eq!(
        garbage.beginning,
        Beginning::Anew {
            put_aside: aside(2)
        }
    );
    drop(garbage);
    drop(is_put_aside(&git_dir, &path, |bytes| bytes.truncate(10)));
    drop(is_put_aside(&git_dir, &path, |bytes| bytes.truncate(5_000)));
    drop(is_put_aside(&git_dir, &path, |bytes| {
        bytes.truncate(bytes.len() / 2)
    }));
    let opened = Store::open(git_dir.path()).unwrap();
    assert_eq!(opened.beginning, Beginning::Kept);
}

#[test]
fn the_database_of_another_program_is_put_aside() {
    let (git_dir, path) = filled(0);
    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE edits (x)").unwrap();
    drop(other);
    drop(is_put_aside(&git_dir, &path, |_| {}));
}

#[test]
fn damage_that_shows_late_is_told_and_the_store_can_begin_anew() {
    let (git_dir, path) = filled(2_000);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 4..bytes.len() * 3 / 4;
    bytes[middle].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let mut opened = Store::open(git_dir.path()).unwrap();
    assert_eq!(opened.beginning, Beginning::Kept);
    let edits = opened.store.read().unwrap().edits(&todos(), Which::All);
    assert!(matches!(edits, Err(Error::Damaged { .. })), "{edits:?}");
    // Another process meets the same damage.
    let other = Store::open(git_dir.path()).unwrap().store;
    let mut anew = opened.store.begin_anew().unwrap();
    assert!(matches!(anew.beginning, Beginning::Anew { .. }));
    receive(&mut anew.store, &chain(7, 1));
    let mut after = other.begin_anew().unwrap();
    assert_eq!(after.beginning, Beginning::Kept, "it was put aside before");
    assert_eq!(known(&mut after.store), 1);
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let (git_dir, path) = filled(1);
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    let error = Store::open(git_dir.path()).unwrap_err();
    let newest = schema::newest(STEPS);
    let expected = Error::newer(&path.canonicalize().unwrap(), 99, newest);
    assert_eq!(error.to_string(), expected.to_string());
    assert!(matches!(error, Error::Newer { found: 99, .. }));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_store_that_becomes_newer_while_it_is_open_is_not_written_any_more() {
    let (_git_dir, mut store) = store();
    let newer = Connection::open(store.path()).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    let refused = store.write(Durability::Process).unwrap_err();
    assert!(matches!(refused, Error::Newer { found: 99, .. }));
}

#[cfg(unix)]
#[test]
fn a_store_that_was_removed_or_replaced_while_it_is_open_is_not_written_any_more() {
    let (git_dir, mut store) = store();
    remove(store.path()).unwrap();
    let refused = store.write(Durability::Process).unwrap_err();
    assert!(matches!(refused, Error::Replaced { .. }));
    let mut next = Store::open(git_dir.path()).unwrap();
    assert_eq!(next.beginning, Beginning::New);
    receive(&mut next.store, &chain(7, 1));
    let refused = store.write(Durability::Process).unwrap_err();
    assert!(matches!(refused, Error::Replaced { .. }));
    // Its end does no harm to the one that is there now.
    drop(store);
    receive(&mut next.store, &chain(7, 2));
    let mut third = Store::open(git_dir.path()).unwrap();
    assert_eq!(known(&mut third.store), 2);
}

#[cfg(unix)]
#[test]
fn the_log_of_a_removed_store_does_not_come_into_the_next() {
    let (git_dir, mut store) = store();
    receive(&mut store, &chain(7, 5));
    fs::remove_file(store.path()).unwrap();
    assert!(beside(store.path(), "-wal").metadata().unwrap().len() > 0);
    let mut next = Store::open(git_dir.path()).unwrap();
    assert_eq!(next.beginning, Beginning::New);
    assert_eq!(known(&mut next.store), 0);
}

#[test]
fn what_a_process_left_that_was_killed_while_it_made_a_store_is_no_hindrance() {
    let git_dir = tempfile::tempdir().unwrap();
    let path = Store::path_in(git_dir.path());
    fs::create_dir(path.parent().unwrap()).unwrap();
    let half = path.with_extension("new");
    fs::write(&half, "half a store").unwrap();
    fs::write(beside(&half, "-wal"), "half a log").unwrap();
    let opened = Store::open(git_dir.path()).unwrap();
    assert_eq!(opened.beginning, Beginning::New);
    assert!(!half.exists());
}

#[test]
fn where_no_folder_can_be_made_there_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("git");
    fs::write(&git_dir, "gitdir: elsewhere").unwrap();
    let error = Store::open(&git_dir).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    fs::remove_file(&git_dir).unwrap();
    fs::create_dir_all(Store::path_in(&git_dir)).unwrap();
    let error = Store::open(&git_dir).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}

#[test]
fn a_full_disk_is_told_from_a_fault_and_what_is_there_can_be_read() {
    let (_git_dir, mut store) = store();
    receive(&mut store, &chain(7, 3));
    let pages: i64 = (store.connection)
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let full = store
        .connection
        .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0));
    assert_eq!(full.unwrap(), pages);
    let writing = store.write(Durability::Process).unwrap();
    let digest = super::super::ContentDigest::of(b"large");
    let error = writing.keep_state(digest, &[0; 100_000]).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    drop(writing);
    assert_eq!(known(&mut store), 3);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_any_file_of_a_store() {
    use std::os::unix::fs::PermissionsExt;
    let (_git_dir, mut store) = store();
    receive(&mut store, &chain(7, 1));
    for suffix in ["", "-wal", "-shm"] {
        let metadata = beside(store.path(), suffix).metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{suffix}");
    }
}

#[cfg(unix)]
#[test]
fn a_store_may_lie_behind_a_link() {
    let (git_dir, path) = filled(2);
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("kept.sqlite");
    fs::rename(&path, &target).unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let mut opened = Store::open(git_dir.path()).unwrap();
    assert_eq!(opened.beginning, Beginning::Kept);
    assert_eq!(known(&mut opened.store), 2);
    receive(&mut opened.store, &chain(7, 3));
    let mut again = Store::open(git_dir.path()).unwrap();
    assert_eq!(known(&mut again.store), 3);
}

#[test]
fn a_copy_that_is_made_while_the_store_is_open_holds_what_was_written() {
    let (_git_dir, mut store) = store();
    receive(&mut store, &chain(7, 5));
    let copy = tempfile::tempdir().unwrap();
    let target = Store::path_in(copy.path());
    fs::create_dir(target.parent().unwrap()).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        fs::copy(beside(store.path(), suffix), beside(&target, suffix)).unwrap();
    }
    let mut copied = Store::open(copy.path()).unwrap();
    assert_eq!(copied.beginning, Beginning::Kept);
    assert_eq!(known(&mut copied.store), 5);
    receive(&mut copied.store, &chain(8, 1));
    assert_eq!(known(&mut store), 5, "they are two from now on");
}

/// A layer of SQLite without shared memory, as over a network.
#[cfg(unix)]
const NO_SHARED_MEMORY: Option<&str> = Some("unix-dotfile");

#[cfg(unix)]
#[test]
fn where_no_memory_is_shared_a_store_does_without_a_log() {
    let git_dir = tempfile::tempdir().unwrap();
    let path = Store::path_in(git_dir.path());
    let place = Place {
        path: &path,
        sharing: Sharing::Processes,
        layer: NO_SHARED_MEMORY,
    };
    let (open, beginning) = place.open().unwrap();
    let mut store = Store::opened(path.clone(), open, beginning).store;
    receive(&mut store, &chain(7, 3));
    assert!(!beside(&path, "-wal").exists());
    drop(store);
    let (open, beginning) = place.open().unwrap();
    assert_eq!(beginning, Beginning::Kept);
    assert_eq!(
        known(&mut Store::opened(path.clone(), open, beginning).store),
        3
    );
}

#[cfg(unix)]
#[test]
fn a_store_that_comes_to_where_no_memory_is_shared_loses_its_log_and_nothing_else() {
    let (_git_dir, path) = filled(3);
    let place = Place {
        path: &path,
        sharing: Sharing::Processes,
        layer: NO_SHARED_MEMORY,
    };
    let (open, beginning) = place.open().unwrap();
    assert_eq!(beginning, Beginning::Kept);
    let mut store = Store::opened(path.clone(), open, beginning).store;
    assert_eq!(known(&mut store), 3);
    receive(&mut store, &chain(7, 4));
    assert_eq!(known(&mut store), 4);
    assert!(!beside(&path, "-wal").exists());
}

#[test]
fn where_several_machines_share_the_files_a_store_does_without_a_log() {
    let git_dir = tempfile::tempdir().unwrap();
    let path = Store::path_in(git_dir.path());
    let place = |sharing| Place {
        path: &path,
        sharing,
        layer: None,
    };
    let open = |sharing| {
        let (open, beginning) = place(sharing).open()?;
        Ok::<_, Error>(Store::opened(path.clone(), open, beginning).store)
    };
    let mut store = open(Sharing::Machines).unwrap();
    receive(&mut store, &chain(7, 1));
    assert!(!beside(&path, "-wal").exists());
    drop(store);
    // One that was made elsewhere and came here.
    remove(&path).unwrap();
    let mut store = open(Sharing::Processes).unwrap();
    receive(&mut store, &chain(7, 2));
    assert!(beside(&path, "-wal").exists());
    drop(store);
    let mut store = open(Sharing::Machines).unwrap();
    assert_eq!(known(&mut store), 2);
    receive(&mut store, &chain(7, 3));
    assert!(!beside(&path, "-wal").exists());
}
