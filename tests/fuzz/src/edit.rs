//! Changes arbitrary text by command, and stamps it: what is read back is what was meant, and all other bytes stay.
#![no_main]
#![allow(clippy::unwrap_used)]

use libfuzzer_sys::fuzz_target;

#[path = "../../documents/judged.rs"]
mod judged;

fuzz_target!(|input: &[u8]| {
    judged::judged(input);
});
