//! Reads arbitrary text as `config.yaml`, and says otherwise how peers are found.
#![no_main]
#![allow(clippy::unwrap_used, dead_code)]

use libfuzzer_sys::fuzz_target;

#[path = "../../identity/judged.rs"]
mod judged;

fuzz_target!(|text: &str| {
    judged::config(text);
});
