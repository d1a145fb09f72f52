//! The reader and writer against the YAML test suite, our own fixtures and random edits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod corpus;
mod differential;
mod edits;
mod events;
mod example;
mod fixtures;
mod hazards;
mod invariants;
mod meaning;
mod mutate;
mod ownership;
mod peer;
mod scale;
mod suite;
mod texts;
mod tiling;
mod unchanged;

use rhema_crdt::yaml::{Document, Limits};

#[test]
fn the_suites_valid_texts_read_as_their_events_and_its_invalid_ones_are_refused() {
    let Some(cases) = suite::cases() else {
        eprintln!("skipped: the YAML test suite is not here (set YAML_TEST_SUITE)");
        return;
    };
    let mut wrong = Vec::new();
    let (mut valid, mut invalid) = (0, 0);
    for case in &cases {
        let read = Document::read(case.yaml.as_bytes(), &Limits::default());
        match (&case.events, read) {
            (Some(expected), Ok(document)) => {
                valid += 1;
                let events = events::events(&document);
                if &events != expected {
                    wrong.push(format!(
                        "{}: other events\n{}\n{events:#?}\n{expected:#?}",
                        case.id, case.yaml
                    ));
                }
            }
            (Some(_), Err(error)) => {
                valid += 1;
                wrong.push(format!("{}: refused at {error}\n{}", case.id, case.yaml));
            }
            (None, Ok(_)) => {
                invalid += 1;
                wrong.push(format!("{}: accepted\n{}", case.id, case.yaml));
            }
            (None, Err(_)) => invalid += 1,
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert_eq!((valid, invalid), (308, 94), "the suite's size");
}
