//! Reads arbitrary text as `members.yaml`; members come, go and are removed.
#![no_main]
#![allow(clippy::unwrap_used, dead_code)]

use libfuzzer_sys::fuzz_target;

#[path = "../../identity/judged.rs"]
mod judged;

fuzz_target!(|text: &str| {
    judged::members(text);
});
