//! Reads arbitrary bytes as a frame of a conversation: nothing may panic, and what can be read says the same when it is said
//! again. What a message may take of memory is checked by `tests/wire/hostile.rs`; here libFuzzer's limit stands above it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhema_crdt::exchange::wire::{Assembly, encode};

fuzz_target!(|frame: &[u8]| {
    let Ok(Some(message)) = Assembly::default().add(frame) else {
        return;
    };
    let frames = encode(&message).expect("what was taken can be sent");
    let mut assembly = Assembly::default();
    let again = frames.iter().filter_map(|frame| assembly.add(frame).expect("what was sent is taken"));
    assert_eq!(again.last(), Some(message));
});
