//! What a fuzzer stored that leads everywhere in changes by command (`tests/fuzz`).

use super::digits;
use super::judged::judged;

#[test]
fn what_a_fuzzer_stored_is_judged() {
    let stored = include_str!("../fuzz/corpus/edit.hex");
    let inputs: Vec<Vec<u8>> = stored.lines().map(digits::bytes).collect();
    let changed = inputs.iter().filter(|input| judged(input)).count();
    // Were it not stored as it was found, next to nothing of it could be changed.
    assert!(
        changed > 20 && inputs.len() - changed > 20,
        "{changed} of {}",
        inputs.len()
    );
}
