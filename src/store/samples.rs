//! What the tests of this folder share.

use tempfile::TempDir;

use super::{Beginning, Durability, Issuer, Key, Store, Way};
use crate::crdt::{Act, Atom, Change, Clock, Digest, Observed, Path, Replica, Stamp};
use crate::exchange::{Seal, sealed};
use crate::node::crypto;
use crate::overlay::{CommitId, Deed, DocumentPath, Known};

/// A git directory with a new store in it.
pub(super) fn store() -> (TempDir, Store) {
    let git_dir = tempfile::tempdir().unwrap();
    let opened = Store::open(git_dir.path()).unwrap();
    assert_eq!(opened.beginning, Beginning::New);
    (git_dir, opened.store)
}

/// The document of most tests.
pub(super) fn todos() -> DocumentPath {
    DocumentPath::new(".rhema/todos.yaml")
}

pub(super) fn commit(number: u8) -> CommitId {
    CommitId::from_bytes([number; 20])
}

/// The stamps of a replica, one a second.
pub(super) fn stamps(replica: u32, count: usize) -> Vec<Stamp> {
    let mut clock = Clock::new(Replica::from_bits(replica), None);
    let seconds = (0..count as u64).map(|second| 1_800_000_000_000 + 1_000 * second);
    seconds.map(|now| clock.tick(now).unwrap()).collect()
}

/// An edit of [`todos`] that gives the leaf `title` a value.
pub(super) fn edit(stamp: Stamp, previous: Option<Stamp>, value: &str) -> Known {
    let mut observed = Observed::default();
    observed.add(previous, Digest::of(b"seen"));
    Known {
        stamp,
        previous,
        document: todos(),
        base: Some(commit(1)),
        published: vec![commit(2), commit(3)],
        branch: Some("main".to_owned()),
        deed: Deed::Change(vec![Change {
            at: Path::default().entry("title"),
            act: Act::Write(Atom::text(format!("\"{value}\""), value.to_owned())),
            observed,
        }]),
    }
}

/// Edits of one replica, each naming the one before it.
pub(super) fn chain(replica: u32, count: usize) -> Vec<Known> {
    let mut previous = None;
    let stamps = stamps(replica, count);
    let edits = stamps.into_iter().map(|stamp| {
        let edit = edit(stamp, previous, &stamp.to_string());
        previous = Some(stamp);
        edit
    });
    edits.collect()
}

/// Adds edits that another replica sent, each with a seal of its own, which nobody checks here.
pub(super) fn receive<'k>(store: &mut Store, edits: impl IntoIterator<Item = &'k Known>) {
    let writing = store.write(Durability::Process).unwrap();
    for edit in edits {
        writing.add(edit, Issuer::Other, Way::Received).unwrap();
        let seal = seal(std::slice::from_ref(edit));
        writing.prove(&AUTHOR, &seal, [edit.stamp]).unwrap();
    }
    writing.commit().unwrap();
}

/// Who made edits that others sent.
pub(super) const AUTHOR: Key = [7; 32];

/// What proves these edits to those who believe anything.
pub(super) fn seal(edits: &[Known]) -> Seal {
    sealed(edits, &crypto(), |_| [9; 64]).remove(0)
}

/// Bytes to be compared with those that stand in a test.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
