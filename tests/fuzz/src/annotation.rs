//! Reads arbitrary text as what stands under `_crdt` and `_crdt_conflicts`.
#![no_main]
#![allow(clippy::unwrap_used)]

use libfuzzer_sys::fuzz_target;

#[path = "../../annotations/judged.rs"]
mod judged;

fuzz_target!(|text: &str| {
    judged::judged(text);
});
