//! What the store costs: `cargo bench --bench store`. On a disk, not in memory: set `TMPDIR` where `/tmp` is none.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::time::SystemTime;

use divan::{Bencher, black_box};
use rhema_crdt::crdt::{Act, Atom, Change, Clock, Observed, Path, Replica, Stamp};
use rhema_crdt::overlay::{Deed, DocumentPath, Known};
use rhema_crdt::store::{Content, Durability, Issuer, Moment, Store, Way, Which};
use tempfile::TempDir;

fn main() {
    divan::main();
}

fn document() -> DocumentPath {
    DocumentPath::new(".rhema/todos.yaml")
}

fn edit(stamp: Stamp, previous: Option<Stamp>) -> Known {
    let mut observed = Observed::default();
    previous
        .into_iter()
        .for_each(|stamp| observed.add_stamp(stamp));
    Known {
        stamp,
        previous,
        document: document(),
        base: None,
        published: Vec::new(),
        branch: Some("main".to_owned()),
        deed: Deed::Change(vec![Change {
            at: Path::default().entry("todos").entry("title"),
            act: Act::Write(Atom::text(
                "\"completed\"".to_owned(),
                "completed".to_owned(),
            )),
            observed,
        }]),
    }
}

/// A git directory with a store that knows so many edits.
fn filled(edits: u64) -> TempDir {
    let git_dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(git_dir.path()).unwrap().store;
    let mut clock = Clock::new(Replica::from_bits(7), None);
    let writing = store.write(Durability::Power).unwrap();
    for _ in 0..edits {
        let previous = clock.last();
        let edit = edit(clock.tick(0).unwrap(), previous);
        writing.add(&edit, Issuer::Own, Way::Recorded).unwrap();
    }
    writing.commit().unwrap();
    git_dir
}

fn now() -> Moment {
    Moment::from(SystemTime::now())
}

/// Adds one edit and the rendering that shows it.
fn record(store: &mut Store, durability: Durability, text: &[u8]) {
    let writing = store.write(durability).unwrap();
    let replica = Replica::from_bits(7);
    let previous = writing.last_of(replica).unwrap();
    let stamp = Clock::new(replica, previous).tick(0).unwrap();
    let edit = edit(stamp, previous);
    writing.add(&edit, Issuer::Own, Way::Recorded).unwrap();
    let content = Content::Bytes([text, stamp.to_string().as_bytes()].concat());
    writing.render(&document(), &content, None, now()).unwrap();
    writing.commit().unwrap();
}

#[divan::bench]
fn make(bencher: Bencher) {
    bencher
        .with_inputs(|| tempfile::tempdir().unwrap())
        .bench_refs(|git_dir| Store::open(git_dir.path()).unwrap());
}

#[divan::bench(args = [0, 10_000])]
fn open_and_close(bencher: Bencher, edits: u64) {
    let git_dir = filled(edits);
    bencher.bench_local(|| Store::open(git_dir.path()).unwrap());
}

#[divan::bench(args = [0, 10_000])]
fn open_and_see_the_last_looks(bencher: Bencher, edits: u64) {
    let git_dir = filled(edits);
    bencher.bench_local(|| {
        let mut store = Store::open(git_dir.path()).unwrap().store;
        let reading = store.read().unwrap();
        black_box((reading.last_look().unwrap(), reading.looks().unwrap()))
    });
}

/// As a command does: open, write, close.
#[divan::bench(args = [100, 100_000])]
fn open_and_record_one_edit(bencher: Bencher, bytes: usize) {
    let git_dir = filled(10_000);
    let text = vec![b'x'; bytes];
    bencher.bench_local(|| {
        let mut store = Store::open(git_dir.path()).unwrap().store;
        record(&mut store, Durability::Power, &text);
    });
}

/// As a watcher does, which keeps the store open.
#[divan::bench(args = [Durability::Power, Durability::Process])]
fn record_one_edit(bencher: Bencher, durability: Durability) {
    let git_dir = filled(10_000);
    let mut store = Store::open(git_dir.path()).unwrap().store;
    let text = vec![b'x'; 100_000];
    bencher.bench_local(|| record(&mut store, durability, &text));
}

#[divan::bench]
fn load_10_000_edits(bencher: Bencher) {
    let git_dir = filled(10_000);
    let mut store = Store::open(git_dir.path()).unwrap().store;
    bencher.bench_local(|| {
        let reading = store.read().unwrap();
        reading.edits(&document(), Which::All).unwrap()
    });
}

#[divan::bench]
fn load_the_stamps_of_10_000_edits(bencher: Bencher) {
    let git_dir = filled(10_000);
    let mut store = Store::open(git_dir.path()).unwrap().store;
    bencher.bench_local(|| store.read().unwrap().marks(&document()).unwrap());
}

#[divan::bench]
fn load_what_counts_of_10_000_edits(bencher: Bencher) {
    let git_dir = filled(10_000);
    let mut store = Store::open(git_dir.path()).unwrap().store;
    let writing = store.write(Durability::Process).unwrap();
    let stamps = writing.marks(&document()).unwrap().into_keys();
    let superseded: BTreeSet<Stamp> = stamps.skip(10).collect();
    writing
        .note_superseded(&document(), &superseded, true)
        .unwrap();
    writing.commit().unwrap();
    bencher.bench_local(|| {
        let reading = store.read().unwrap();
        reading.edits(&document(), Which::Counting).unwrap()
    });
}

#[divan::bench]
fn tell_what_is_known_of_10_000_edits(bencher: Bencher) {
    let git_dir = filled(10_000);
    let mut store = Store::open(git_dir.path()).unwrap().store;
    bencher.bench_local(|| store.read().unwrap().knowledge().unwrap());
}

#[divan::bench(sample_count = 5)]
fn add_10_000_edits(bencher: Bencher) {
    bencher.bench_local(|| filled(10_000));
}
