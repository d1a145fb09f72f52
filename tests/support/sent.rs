//! What one work tree knows and another does not comes there, as over the network.

use std::path::PathBuf;

use rhema_crdt::overlay::Known;
use rhema_crdt::store::{Durability, Issuer, Store, Way};

use crate::support::Tree;

fn store(tree: &Tree<'_>) -> Store {
    let git_dir = PathBuf::from(tree.git(&["rev-parse", "--absolute-git-dir"]).trim());
    Store::open(&git_dir).unwrap().store
}

/// Tells a work tree all that another one knows and it does not. Nothing is shown yet.
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
