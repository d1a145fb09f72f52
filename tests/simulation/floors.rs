//! What holds at the least: a network that loses 30 of a hundred messages, ten thousand edits made apart, clocks a second off, two
//! halves that hear nothing of each other, a hundred work trees.
//!
//! Each runs in small with the tests, and in full size with figures:
//!
//! ```text
//! cargo test --release --test simulation -- --ignored --nocapture --test-threads 1 floors
//! ```

use std::time::Instant;

use crate::ground::Ground;
use crate::plan::{Deed, Dice, HEALED, Network, Plan, SECOND, Step};
use crate::run::run;
use crate::world::Counts;

/// A plan in which nothing goes wrong, at so many desks that all look as soon as something is saved.
fn calm(desks: usize) -> Plan {
    Plan {
        seed: 20_261_122,
        desks,
        network: HEALED,
        watched: u64::MAX,
        hostile: 0,
        is_newer: false,
        is_apart: false,
        reach: desks,
        script: Vec::new(),
    }
}

/// So many edits, one every so many milliseconds, each at any desk: mostly of a field, often of one that somebody else edits
/// just then, too.
fn edits(plan: &Plan, count: usize, apart: u64) -> Vec<Step> {
    let mut dice = Dice::new(plan.seed);
    let step = |_| Step {
        after: apart,
        desk: dice.below(plan.desks as u64) as usize,
        deed: match dice.below(10) {
            0 | 1 => Deed::Add,
            2 => Deed::Remove,
            _ => Deed::Set,
        },
        a: dice.below(1 << 16),
        b: dice.below(1 << 16),
    };
    (0..count).map(step).collect()
}

/// Makes a run, which breaks no law, and prints what it took.
#[track_caller]
fn holds(what: &str, plan: &Plan) -> Counts {
    let began = Instant::now();
    let counts = match run(plan, &mut Ground::of(plan.desks)) {
        Ok(counts) => counts,
        Err(broken) => panic!("{what}: {}\n{}", broken.rule, broken.told),
    };
    println!(
        "| {what} | {} | {} | {} | {} | {} | {:.1} |",
        plan.desks,
        counts.edits,
        counts.looks,
        counts.messages,
        counts.bytes,
        began.elapsed().as_secs_f64()
    );
    assert!(
        counts.edits as usize > plan.script.len() / 2,
        "too little happened: {counts:?}"
    );
    counts
}

/// 30 of a hundred messages are lost, and of the lines between some break.
fn loss(desks: usize, count: usize) {
    let mut plan = calm(desks);
    plan.network = Network {
        lost: 30,
        twice: 0,
        slowest: 200,
        overtaking: false,
    };
    plan.script = edits(&plan, count, 500);
    holds("30 % loss", &plan);
}

#[test]
fn where_30_percent_are_lost_all_come_to_show_the_same() {
    loss(4, 40);
}

#[test]
#[ignore = "it takes minutes and gives figures"]
fn where_30_percent_are_lost_in_full_size() {
    loss(8, 1_000);
}

/// Edits made by people who hear nothing of each other, until all meet.
fn apart(desks: usize, count: usize) {
    let mut plan = calm(desks);
    plan.is_apart = true;
    // Nobody is to look at two edits at once: each is an operation of its own.
    plan.script = edits(&plan, count, 300);
    holds("made apart", &plan);
}

#[test]
fn edits_that_were_made_apart_come_to_the_same_files() {
    apart(5, 100);
}

#[test]
#[ignore = "it takes minutes and gives figures"]
fn ten_thousand_edits_that_were_made_apart_come_to_the_same_files() {
    apart(10, 10_000);
}

/// Every other clock is a second ahead, the others a second behind.
fn skew(desks: usize, count: usize) {
    let mut plan = calm(desks);
    let clocks = (0..desks).map(|desk| Step {
        after: 0,
        desk,
        deed: Deed::SetClock,
        a: desk as u64 % 2,
        b: 0,
    });
    let edits = edits(&plan, count, 400);
    plan.script = clocks.chain(edits).collect();
    holds("a second off", &plan);
}

#[test]
fn clocks_a_second_ahead_and_behind_cost_nothing() {
    skew(4, 40);
}

#[test]
#[ignore = "it takes minutes and gives figures"]
fn clocks_a_second_ahead_and_behind_in_full_size() {
    skew(8, 1_000);
}

/// Two halves hear nothing of each other for a while; both edit the same fields and records of their own; then they meet again.
fn halves(desks: usize, count: usize) {
    let mut plan = calm(desks);
    let step = |after: u64, desk: usize, deed: Deed, (a, b): (u64, u64)| Step {
        after,
        desk,
        deed,
        a,
        b,
    };
    let one = (0..desks).step_by(2).fold(0, |side, desk| side | 1 << desk);
    // Both ways, for as long as the edits take and a little more; at most 89 seconds.
    let pause = 2 * SECOND.min(40 * SECOND / count as u64);
    let mut script = vec![step(5 * SECOND, 0, Deed::Part, (one, 88))];
    for number in 0..count {
        let (a, b) = (number as u64 % 3, number as u64 % 2);
        let [here, there] = [0, 1].map(|half| (2 * number + half) % (desks / 2 * 2));
        script.push(step(pause / 2, here, Deed::Set, (a, b)));
        script.push(step(pause / 2, there, Deed::Set, (a, b)));
        if number % 4 == 3 {
            script.push(step(0, here, Deed::Add, (0, 0)));
            script.push(step(0, there, Deed::Add, (0, 0)));
        }
    }
    script.push(step(90 * SECOND, 0, Deed::Look, (0, 0)));
    plan.script = script;
    holds("two halves", &plan);
}

#[test]
fn two_halves_that_edited_the_same_fields_come_to_the_same_files() {
    halves(4, 12);
}

#[test]
#[ignore = "it takes minutes and gives figures"]
fn two_halves_in_full_size() {
    halves(20, 300);
}

/// Many work trees, each with lines to the two next on either side.
fn many(desks: usize, count: usize) {
    let mut plan = calm(desks);
    plan.reach = 2;
    plan.script = edits(&plan, count, 1_000);
    holds("many", &plan);
}

#[test]
fn sixteen_work_trees_of_which_each_hears_four_come_to_the_same_files() {
    many(16, 16);
}

#[test]
#[ignore = "it takes minutes and gives figures"]
fn a_hundred_work_trees_in_full_size() {
    many(100, 200);
}
