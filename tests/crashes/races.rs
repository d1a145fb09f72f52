//! Others who write a document while it is recorded: what they write stays.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::check::{FILE, SYNC, TODOS, bare, is_in_order, is_whole, set_up};
use crate::support::{BINARY, Tree, World};

/// How long others write; longer where the environment says so.
fn duration() -> Duration {
    let asked = std::env::var("RHEMA_RACE_SECONDS").ok();
    Duration::from_secs(asked.and_then(|seconds| seconds.parse().ok()).unwrap_or(1))
}

/// Writes a file by putting another one in its place, as editors and tools do.
fn replace(path: &Path, text: &str) {
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, text).unwrap();
    fs::rename(&fresh, path).unwrap();
}

/// Whoever reads the file and writes it back with one field changed finds that field so until they change it again; how
/// often they wrote.
fn write_and_watch(path: &Path, write: impl Fn(&Path, &str)) -> usize {
    let started = Instant::now();
    let mut round = 0;
    while started.elapsed() < duration() {
        let text = fs::read_to_string(path).unwrap();
        let title = format!("title: Round {round}");
        let Some(line) = text.lines().find(|line| line.contains("title: ")) else {
            continue;
        };
        write(path, &text.replacen(line.trim(), &title, 1));
        for _ in 0..20 {
            let now = fs::read_to_string(path).unwrap();
            assert!(now.contains(&title), "round {round} vanished: {now}");
            thread::sleep(Duration::from_micros(300));
        }
        round += 1;
    }
    round
}

fn race(write: impl Fn(&Path, &str) + Send + Copy) {
    let world = World::new();
    let tree = set_up(&world);
    let is_over = AtomicBool::new(false);
    let mut rounds = 0;
    let mut syncs = 0;
    thread::scope(|scope| {
        let recorder = scope.spawn(|| {
            let mut syncs = 0;
            while !is_over.load(Ordering::Relaxed) {
                let mut command = world.command(BINARY, &tree.path(""));
                command
                    .arg("crdt")
                    .args(SYNC)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                assert!(
                    command
                        .status()
                        .unwrap()
                        .code()
                        .is_some_and(|code| code <= 1)
                );
                syncs += 1;
            }
            syncs
        });
        let path = tree.path(FILE);
        let writer = scope.spawn(move || write_and_watch(&path, write));
        let written = writer.join();
        is_over.store(true, Ordering::Relaxed);
        syncs = recorder.join().unwrap();
        rounds = written.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    println!("{rounds} writes, {syncs} times recorded");
    tree.rhema(&SYNC).exits(0);
    let last = format!("title: Round {}", rounds - 1);
    let expected = TODOS.replacen("title: First", &last, 1);
    assert_eq!(bare(&tree.read(FILE)), expected);
    is_whole(&tree.path(".git"), "after the race");
}

#[test]
fn files_that_others_replace_hold_what_they_wrote() {
    race(replace);
}

#[test]
fn files_that_others_write_in_place_hold_what_they_wrote() {
    race(|path, text| fs::write(path, text).unwrap());
}

/// Records, and does `meanwhile` at the very moment in which the file is about to be replaced; the exit status.
fn at_the_moment(tree: &Tree<'_>, meanwhile: impl Fn(&Path)) -> Option<i32> {
    let waits = tree.world.path("waits");
    let mut command = tree.world.command(BINARY, &tree.path(""));
    let mut child = command
        .env("RHEMA_WAIT_AT", "before-file")
        .env("RHEMA_WAIT_FILE", &waits)
        .arg("crdt")
        .args(SYNC)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !waits.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it did not wait");
        thread::sleep(Duration::from_millis(1));
    }
    meanwhile(&tree.path(FILE));
    fs::remove_file(&waits).unwrap();
    child.wait().unwrap().code()
}

#[test]
#[cfg_attr(
    not(all(target_os = "linux", debug_assertions)),
    ignore = "files do not change places here, or nothing can be held up"
)]
fn whoever_writes_when_the_file_is_replaced_has_the_last_word() {
    stays(replace);
    stays(|path, text| fs::write(path, text).unwrap());
}

/// What is written when the file is about to be replaced stays, and is recorded.
fn stays(write: impl Fn(&Path, &str)) {
    let world = World::new();
    let tree = set_up(&world);
    let edited = TODOS.replace("Second", "Beta");
    tree.write(FILE, &edited);
    let later = edited.replace("Third", "Gamma");
    let status = at_the_moment(&tree, |path| write(path, &later));
    assert_eq!(status, Some(0));
    let text = tree.read(FILE);
    assert_eq!(bare(&text), later);
    assert_eq!(text.matches("    _crdt: ").count(), 2, "{text}");
    is_in_order(&tree, &[(FILE, &later)], "after it");
}

#[test]
#[cfg_attr(
    not(all(target_os = "linux", debug_assertions)),
    ignore = "files do not change places here, or nothing can be held up"
)]
fn a_folder_that_comes_when_the_file_is_replaced_stays() {
    let world = World::new();
    let tree = set_up(&world);
    let edited = TODOS.replace("Second", "Beta");
    tree.write(FILE, &edited);
    let aside = world.path("aside.yaml");
    at_the_moment(&tree, |path| {
        fs::rename(path, &aside).unwrap();
        fs::create_dir(path).unwrap();
    });
    assert!(tree.path(FILE).is_dir());
    fs::remove_dir(tree.path(FILE)).unwrap();
    fs::rename(&aside, tree.path(FILE)).unwrap();
    is_in_order(&tree, &[(FILE, &edited)], "back again");
}

#[test]
fn commands_at_once_lose_nothing() {
    let world = World::new();
    let tree = set_up(&world);
    thread::scope(|scope| {
        for record in ["a", "b", "c"] {
            let tree = &tree;
            scope.spawn(move || {
                for round in 0..4 {
                    let value = format!("priority={round}");
                    let set = ["set", &format!("todos/{record}"), &value];
                    tree.rhema(&set).exits(0);
                    tree.rhema(&SYNC).exits(0);
                }
            });
        }
    });
    let text = bare(&tree.read(FILE));
    assert_eq!(text, TODOS.replace("priority: low", "priority: 3"));
    is_in_order(&tree, &[(FILE, &text)], "after all of them");
}
