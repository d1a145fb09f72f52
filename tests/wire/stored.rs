//! What a fuzzer stored that leads everywhere in the decoder (`tests/fuzz`).

use super::digits;
use super::judged::judged;

#[test]
fn what_a_fuzzer_stored_is_judged() {
    let stored = include_str!("../fuzz/corpus/wire.hex");
    let inputs: Vec<Vec<u8>> = stored.lines().map(digits::bytes).collect();
    let said = inputs.iter().filter(|input| judged(input)).count();
    // Were it not stored as it was found, next to nothing of it would say anything.
    assert!(
        said > 20 && inputs.len() - said > 20,
        "{said} of {}",
        inputs.len()
    );
}
