//! Whatever happens on the way: when the network heals, all come to know the same, and to show what was meant.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rhema_crdt::crdt::Stamp;
use rhema_crdt::exchange::{Ending, Message};

use crate::document::in_any_order;
use crate::meaning;
use crate::plan::{Plan, hostile_plans, orderly_plans, plans};
use crate::world::World;

const MINUTE: u64 = 60_000;

/// The same cases every time, unless a longer search is asked for: `PROPTEST_CASES=100000`.
fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_121);
    }
    config
}

/// The edits that a node knows and that are of a time that has come.
fn known(world: &World, node: usize) -> BTreeSet<Stamp> {
    let now = crate::line::BEGINNING + world.elapsed;
    let edits = world.nodes[node].shelf.edits.keys().copied();
    edits.filter(|stamp| stamp.unix_millis() <= now).collect()
}

/// Whether all that is known of a time that has not come was made again: not if who made it lost the store.
fn is_made_again(world: &World, all: &BTreeSet<Stamp>) -> bool {
    let again: BTreeSet<Stamp> = all
        .iter()
        .filter_map(|stamp| world.meanings[stamp].again)
        .collect();
    let shelves = world.nodes.iter().flat_map(|node| node.shelf.edits.keys());
    let mut early = shelves.filter(|stamp| !all.contains(stamp));
    early.all(|stamp| again.contains(stamp))
}

/// Nothing is lost, all know the same, and they are quiet about it.
fn check(plan: Plan) -> Result<World, TestCaseError> {
    let mut world = World::new(plan);
    world.run_script();
    world.heal();
    world.run(5 * MINUTE);
    world.said.clear();
    world.run(2 * MINUTE);
    let writers = world.writers();
    let first = *writers.first().unwrap();
    let all = known(&world, first);
    let forked = world
        .nodes
        .iter()
        .any(|node| !node.shelf.equivocations.is_empty());
    for node in 0..world.nodes.len() {
        let here = known(&world, node);
        if world.is_hostile(node) {
            continue;
        }
        if writers.contains(&node) {
            prop_assert_eq!(&here, &all, "{} knows other edits than {}", node, first);
        } else {
            prop_assert!(here.is_superset(&all), "{} does not know all", node);
        }
    }
    for node in 0..world.nodes.len() {
        if world.is_hostile(node) {
            continue;
        }
        let shelf: BTreeSet<Stamp> = world.nodes[node].shelf.edits.keys().copied().collect();
        let view = world.nodes[node].view();
        if let (Err(error), false) = (meaning::check(&world.meanings, &shelf, &view), forked) {
            return Err(TestCaseError::fail(format!("at {node}: {error}")));
        }
        let other = &world.nodes[first];
        if world.nodes[node].shelf.edits == other.shelf.edits {
            prop_assert_eq!(&view, &other.view());
        } else if writers.contains(&node) && is_made_again(&world, &all) {
            let (shown, there) = (in_any_order(&view), in_any_order(&other.view()));
            prop_assert_eq!(shown, there, "at {} and {}", node, first);
        }
    }
    // Two pulses a minute for each connection, and none of them ever more than two fifths too early.
    let most = 2 * 5 * world.standing().max(1);
    let is_hostile = (0..world.nodes.len()).any(|node| world.is_hostile(node));
    let edits = world
        .said
        .iter()
        .filter(|message| matches!(message, Message::Edits(_)));
    prop_assert!(
        is_hostile || edits.count() == 0,
        "edits are sent again and again"
    );
    prop_assert!(
        is_hostile || world.said.len() <= 2 * most,
        "{} messages",
        world.said.len()
    );
    world.endings.clear();
    world.visit([0, 1]);
    world.run(MINUTE);
    prop_assert!(
        world.endings.contains(&Ending::Finished),
        "{:?}",
        world.endings
    );
    Ok(world)
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn whatever_happens_all_come_to_know_the_same(plan in plans()) {
        check(plan)?;
    }

    /// What it makes is its own, and comes or does not; nothing that it says of others is believed.
    #[test]
    fn whatever_one_of_them_makes_up_or_keeps_back_the_others_come_to_know_the_same(plan in hostile_plans()) {
        let world = check(plan)?;
        for node in world.writers() {
            for edit in world.nodes[node].shelf.edits.values() {
                prop_assert_eq!(&edit.branch, &None, "somebody made this up");
            }
        }
    }

    #[test]
    fn where_nothing_said_is_lost_nobody_ever_breaks_the_protocol(plan in orderly_plans()) {
        let mut world = World::new(plan.clone());
        world.run_script();
        let is_broken = |ending: &&Ending| !matches!(ending, Ending::Finished | Ending::ClockSet | Ending::Silent);
        let broken: Vec<_> = world.endings.iter().filter(is_broken).collect();
        prop_assert!(broken.is_empty(), "{:?}", broken);
        check(plan)?;
    }
}
