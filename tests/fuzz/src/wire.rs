//! Reads arbitrary bytes as a frame of a conversation. What a message may take of memory is checked by `tests/wire/hostile.rs`; here
//! libFuzzer's limit stands above it.
#![no_main]
#![allow(clippy::unwrap_used)]

use libfuzzer_sys::fuzz_target;

#[path = "../../wire/judged.rs"]
mod judged;

fuzz_target!(|frame: &[u8]| {
    judged::judged(frame);
});
