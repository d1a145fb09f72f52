//! Messages as bytes: whatever is said is heard as it was said, and whatever anybody sends is judged at a bounded cost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

// Shared with the tests of the engine.
#[path = "../support/digits.rs"]
mod digits;
#[path = "../support/edits.rs"]
mod edits;
mod fixed;
mod hostile;
mod judged;
mod round_trip;
mod sizes;
mod stored;

use proptest::test_runner::{Config, RngSeed};
use rhema_crdt::exchange::Message;
use rhema_crdt::exchange::wire::{Assembly, Malformed, encode};

/// The same cases every time, unless a longer search is asked for: `PROPTEST_CASES=100000`.
fn config(cases: u32) -> Config {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_121);
    }
    config
}

/// What one payload says.
fn hear(payload: &[u8]) -> Result<Option<Message>, Malformed> {
    Assembly::default().add(payload)
}

/// The one frame that a small message takes.
fn frame(message: &Message) -> Vec<u8> {
    let mut frames = encode(message).unwrap();
    assert_eq!(frames.len(), 1);
    frames.remove(0)
}

/// All of a message: equal values can still differ in what they say.
fn whole(message: &Message) -> String {
    format!("{message:?}")
}
