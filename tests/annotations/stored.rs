//! What a fuzzer stored that leads everywhere in the decoder (`tests/fuzz`).

use super::digits;
use super::judged::judged;

#[test]
fn what_a_fuzzer_stored_is_judged() {
    let stored = include_str!("../fuzz/corpus/annotation.hex");
    let (mut inputs, mut read) = (0, 0);
    for line in stored.lines() {
        if let Ok(text) = String::from_utf8(digits::bytes(line)) {
            inputs += 1;
            read += usize::from(judged(&text));
        }
    }
    // Were it not stored as it was found, next to nothing of it could be read.
    assert!(read > 20 && inputs - read > 20, "{read} of {inputs}");
}
