//! Random walks with the real git and the real binary: people with and without the tool edit, commit, undo, move and merge
//! in clones of one repository, and an oracle that knows nothing but what was typed judges what stands in the files.
//!
//! A few walks, the same every time, run with the other tests. More of them:
//! `PROPTEST_CASES=500 WALKS_FROM=1 cargo test --test walks -- --nocapture`; each that fails is made as short as it can be
//! and printed as a shell script. `WALK=17` takes one of them. With `WALKS_EXCHANGE=1` the work trees tell each other their
//! edits, too. Somebody alone, with their commands and an editor, walks in `commands.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../support/broken.rs"]
mod broken;
#[macro_use]
#[path = "../support/weighed.rs"]
mod weighed;
mod commands;
mod counting;
mod deeds;
mod exchange;
mod found;
mod ground;
mod merging;
mod oracle;
mod script;
// Shared with the tests of the commands, which use more of it.
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
// What is typed, and at which steps: shared with those who try a program that stays.
#[path = "../support/steps.rs"]
mod steps;
#[path = "../support/typing.rs"]
#[allow(dead_code)]
mod text;
mod walk;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How many steps a walk has.
const STEPS: usize = 30;

#[test]
fn whatever_people_and_git_do_nothing_is_lost_and_nothing_comes_back() {
    let exchanging = number("WALKS_EXCHANGE") == Some(1);
    let wanted = |deed| exchanging || deed != steps::Deed::Exchange;
    let walk = |seed, steps| steps::walk(seed, steps, wanted);
    walk::none_fails(3, STEPS, &walk, &walk::failure);
}
