//! What a fuzzer stored that leads everywhere in the merge (`tests/fuzz`).

use super::digits;
use super::judged::judged;

#[test]
fn what_a_fuzzer_stored_is_judged() {
    let stored = include_str!("../fuzz/corpus/merge.hex");
    let inputs: Vec<Vec<u8>> = stored.lines().map(digits::bytes).collect();
    let merged = inputs.iter().filter(|input| judged(input)).count();
    // Were it not stored as it was found, next to nothing of it could be merged.
    assert!(
        merged > 20 && inputs.len() - merged > 20,
        "{merged} of {}",
        inputs.len()
    );
}
