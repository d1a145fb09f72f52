//! Two clones of one repository.

use std::path::PathBuf;

use rhema_crdt::overlay::Known;
use rhema_crdt::store::{Durability, Issuer, Store, Way};

use crate::cloned::cloned;
use crate::support::{Tree, World};

/// Ann's repository and Ben's clone of it, both set up.
pub(crate) fn pair(world: &World) -> (Tree<'_>, Tree<'_>) {
    cloned(world, &[("README", "hello\n")])
}

/// Records and shows.
pub(crate) fn sync(tree: &Tree<'_>) {
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
}

fn store(tree: &Tree<'_>) -> Store {
    let git_dir = PathBuf::from(tree.git(&["rev-parse", "--absolute-git-dir"]).trim());
    Store::open(&git_dir).unwrap().store
}

/// What one knows and the other does not comes there, as over the network.
pub(crate) fn send(from: &Tree<'_>, to: &Tree<'_>) {
    let mut there = store(to);
    let known = there.read().unwrap().knowledge().unwrap();
    let missing = store(from).read().unwrap().beyond(&known).unwrap();
    let missing: Vec<Known> = missing.into_iter().map(|edit| edit.known).collect();
    let writing = there.write(Durability::Power).unwrap();
    for edit in &missing {
        writing.add(edit, Issuer::Other, Way::Received).unwrap();
    }
    writing.commit().unwrap();
}
