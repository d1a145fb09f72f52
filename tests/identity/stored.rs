//! What a fuzzer stored that leads everywhere in tickets and in the files that say how and with whom there is sync (`tests/fuzz`).

use super::{digits, judged};

fn is_judged(stored: &str, judged: impl Fn(&[u8]) -> bool) {
    let inputs: Vec<Vec<u8>> = stored.lines().map(digits::bytes).collect();
    let said = inputs.iter().filter(|input| judged(input)).count();
    // Were it not stored as it was found, next to nothing of it would say anything.
    let [some, none] = [said, inputs.len() - said].map(|count| count > 5);
    assert!(some && none, "{said} of {}", inputs.len());
}

fn text(input: &[u8]) -> &str {
    std::str::from_utf8(input).unwrap_or_default()
}

#[test]
fn what_a_fuzzer_stored_of_tickets_is_judged() {
    is_judged(include_str!("../fuzz/corpus/ticket.hex"), judged::ticket);
}

#[test]
fn what_a_fuzzer_stored_of_configurations_is_judged() {
    let stored = include_str!("../fuzz/corpus/config.hex");
    is_judged(stored, |input| judged::config(text(input)));
}

#[test]
fn what_a_fuzzer_stored_of_members_is_judged() {
    let stored = include_str!("../fuzz/corpus/members.hex");
    is_judged(stored, |input| judged::members(text(input)));
}
