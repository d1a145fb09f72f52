//! Merges arbitrary texts: all laws of one merge hold.
#![no_main]
#![allow(clippy::unwrap_used)]

use libfuzzer_sys::fuzz_target;

#[path = "../../merge/halves.rs"]
mod halves;
#[path = "../../merge/judged.rs"]
mod judged;

fuzz_target!(|input: &[u8]| {
    judged::judged(input);
});
