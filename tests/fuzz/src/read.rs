//! Reads arbitrary bytes: nothing may panic, and whatever can be read has a tree that tiles it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhema_crdt::yaml::{Document, Limits};

#[path = "../../yaml/invariants.rs"]
mod invariants;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = Document::read(bytes, &Limits::default())
        && let Err(wrong) = invariants::check(&document)
    {
        panic!("{wrong}\n{:?}", document.text());
    }
});
