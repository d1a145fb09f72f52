//! Reads arbitrary bytes as a ticket, as what is signed with one, and as what is answered.
#![no_main]
#![allow(clippy::unwrap_used, dead_code)]

use libfuzzer_sys::fuzz_target;

#[path = "../../identity/judged.rs"]
mod judged;

fuzz_target!(|bytes: &[u8]| {
    judged::ticket(bytes);
});
