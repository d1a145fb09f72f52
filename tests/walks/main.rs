//! Random walks with the real git and the real binary: people with and without the tool edit, commit, undo, move and merge
//! in clones of one repository, and an oracle that knows nothing but what was typed judges what stands in the files.
//!
//! A few walks, the same every time, run with the other tests. More of them:
//! `PROPTEST_CASES=500 WALKS_FROM=1 cargo test --test walks -- --nocapture`; each that fails is made as short as it can be
//! and printed as a shell script. `WALK=17` takes one of them. With `WALKS_EXCHANGE=1` the work trees tell each other their
//! edits, too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod counting;
mod deeds;
mod exchange;
mod found;
mod ground;
mod merging;
mod oracle;
// Shared with the tests of the commands, which use more of it.
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
// What is typed, and at which steps: shared with those who try a program that stays.
#[path = "../support/steps.rs"]
mod steps;
#[path = "../support/typing.rs"]
mod text;
mod walk;

use std::collections::BTreeMap;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How many steps a walk has.
const STEPS: usize = 30;

/// How often a walk is taken again to make it shorter, unless `WALKS_ATTEMPTS` says otherwise.
const ATTEMPTS: u64 = 150;

#[test]
fn whatever_people_and_git_do_nothing_is_lost_and_nothing_comes_back() {
    let (from, count) = match (number("WALK"), number("PROPTEST_CASES")) {
        (Some(walk), _) => (walk, 1),
        (None, Some(count)) => (number("WALKS_FROM").unwrap_or(1), count),
        (None, None) => (1, 3),
    };
    let steps = usize::try_from(number("WALK_STEPS").unwrap_or(STEPS as u64)).unwrap();
    let exchanging = number("WALKS_EXCHANGE") == Some(1);
    let attempts = usize::try_from(number("WALKS_ATTEMPTS").unwrap_or(ATTEMPTS)).unwrap();
    let mut failures: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for seed in from..from + count {
        let wanted = |deed| exchanging || deed != steps::Deed::Exchange;
        let steps = steps::walk(seed, steps, wanted);
        let Some(failure) = walk::failure(&steps) else {
            continue;
        };
        let kind = failure.broken.kind;
        let seeds = failures.entry(kind).or_default();
        seeds.push(seed);
        println!("walk {seed}: {kind}");
        if seeds.len() <= 2 {
            let (steps, failure) = walk::shrunk(&steps, failure, attempts);
            println!(
                "{kind} (walk {seed}, {} steps)\n{}\n# {}",
                steps.len(),
                failure.script,
                failure.broken.told.replace('\n', "\n# ")
            );
        }
    }
    assert!(
        failures.is_empty(),
        "{count} walks of {steps} steps: {failures:#?}"
    );
}
