//! The invariants of the tree hold for every text at hand.

use rhema_crdt::yaml::{Document, Limits};

use crate::{corpus, differential, fixtures, invariants, suite};

/// Fails with the first text that can be read into a tree which breaks an invariant.
fn assert_all_hold(texts: impl Iterator<Item = Vec<u8>>) {
    for text in texts {
        if let Ok(document) = Document::read(&text, &Limits::default())
            && let Err(wrong) = invariants::check(&document)
        {
            panic!("{wrong}\n{:?}", document.text());
        }
    }
}

#[test]
fn the_trees_of_the_suites_texts_tile_them() {
    let cases = suite::cases().unwrap_or_default();
    assert_all_hold(cases.into_iter().map(|case| case.yaml.into_bytes()));
}

#[test]
fn the_trees_of_our_texts_tile_them() {
    assert_all_hold(
        fixtures::fixtures("valid")
            .into_iter()
            .map(|fixture| fixture.bytes),
    );
}

#[test]
fn the_trees_of_mutated_texts_tile_them() {
    assert_all_hold(differential::mutations(2).map(String::into_bytes));
}

#[test]
fn the_trees_of_real_files_tile_them() {
    assert_all_hold(
        corpus::files()
            .iter()
            .map(|path| std::fs::read(path).unwrap()),
    );
}
