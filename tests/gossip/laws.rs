//! Everything gets everywhere, whatever breaks.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rhema_crdt::exchange::Lulling;
use rhema_crdt::net::Degree;

use crate::world::{MINUTE, Plan, SECOND, Shape, World};

/// The same cases every time, unless a longer search is asked for: `PROPTEST_CASES=10000`.
fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_122);
    }
    config
}

fn plan(nodes: usize) -> Plan {
    Plan {
        nodes,
        shape: Shape::Circle(Degree {
            beside: 2,
            drawn: 2,
        }),
        lulling: Lulling::After(3),
        seed: 1,
    }
}

#[test]
fn an_edit_gets_to_everybody_at_once() {
    let mut world = World::new(plan(24));
    world.run(MINUTE);
    world.edit(3);
    world.run(SECOND);
    assert!(world.all_know_all());
}

#[test]
fn where_many_edited_each_line_is_lazy_or_a_way() {
    let mut world = World::new(plan(24));
    world.run(MINUTE);
    for number in 0..100 {
        world.edit(number % 24);
        world.run(100);
    }
    world.run(10 * SECOND);
    let before = world.said;
    world.edit(5);
    world.run(SECOND / 3);
    assert!(world.all_know_all());
    let edits = world.said.edits - before.edits;
    assert!(edits <= 2 * 23, "{edits} messages with one edit for 23");
}

#[test]
fn where_all_lines_are_lazy_edits_take_no_longer_than_a_pulse() {
    let mut world = World::new(plan(24));
    world.run(MINUTE);
    world.lull_all();
    let stamp = world.edit(3);
    world.run(100);
    assert!((0..24).all(|node| node == 3 || !world.knows(node, &stamp)));
    world.run(6 * SECOND);
    assert!(world.all_know_all());
}

#[test]
fn who_was_parted_from_the_others_hears_all_of_it() {
    let mut world = World::new(plan(24));
    world.run(MINUTE);
    world.part((0..24).map(|node| node % 3 == 0).collect());
    for node in 0..24 {
        world.edit(node);
        world.run(SECOND);
    }
    world.run(5 * MINUTE);
    assert!(!world.all_know_all());
    world.part(vec![false; 24]);
    world.run(MINUTE);
    assert!(world.all_know_all());
}

#[test]
fn nobody_has_many_more_lines_than_others() {
    let mut world = World::new(plan(60));
    for number in 0..20 {
        world.edit(number);
        world.run(MINUTE / 2);
    }
    let degrees = world.degrees();
    let most = degrees.iter().max().copied().unwrap();
    assert!(most <= 24, "{degrees:?}");
    let mean = degrees.iter().sum::<usize>() as f64 / 60.0;
    assert!((6.0..12.0).contains(&mean), "{mean}");
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    Edit {
        node: usize,
    },
    /// A node's process ends, or begins again.
    Toggle {
        node: usize,
    },
    /// So many of a hundred lines break.
    Break {
        percent: u64,
    },
    /// Every so manyth node hears nothing of the others.
    Part {
        every: usize,
    },
    Unite,
    /// Every line becomes lazy, whatever came on it.
    Lull,
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let step = prop_oneof![
        8 => any::<usize>().prop_map(|node| Step::Edit { node }),
        2 => any::<usize>().prop_map(|node| Step::Toggle { node }),
        1 => (0..60_u64).prop_map(|percent| Step::Break { percent }),
        1 => (2..5_usize).prop_map(|every| Step::Part { every }),
        1 => Just(Step::Unite),
        1 => Just(Step::Lull),
    ];
    proptest::collection::vec((0..20 * SECOND, step), 1..40)
}

fn plans() -> impl Strategy<Value = Plan> {
    (2..30_usize, 1..3_usize, 0..4_usize, 1..4_u32, any::<u64>()).prop_map(
        |(nodes, beside, drawn, repeats, seed)| Plan {
            nodes,
            shape: Shape::Circle(Degree { beside, drawn }),
            lulling: Lulling::After(repeats),
            seed,
        },
    )
}

/// Whatever happens, all know all soon after it is over; and from then on a new edit gets to all without a pulse.
fn check(plan: Plan, steps: &[(u64, Step)]) -> Result<(), TestCaseError> {
    let mut world = World::new(plan);
    for (after, step) in steps {
        world.run(*after);
        match *step {
            Step::Edit { node } => {
                if world.is_up(node % plan.nodes) {
                    world.edit(node % plan.nodes);
                }
            }
            Step::Toggle { node } => {
                let node = node % plan.nodes;
                world.set_up(node, !world.is_up(node));
            }
            Step::Break { percent } => world.break_lines(percent),
            Step::Part { every } => {
                world.part((0..plan.nodes).map(|node| node % every == 0).collect());
            }
            Step::Unite => world.part(vec![false; plan.nodes]),
            Step::Lull => world.lull_all(),
        }
    }
    world.part(vec![false; plan.nodes]);
    (0..plan.nodes).for_each(|node| world.set_up(node, true));
    world.run(MINUTE);
    prop_assert!(world.all_know_all(), "not everybody knows everything");
    world.lull_all();
    world.edit(0);
    // Each lazy line of the way takes its notice and its grace, and half of a circle is the longest way.
    world.run(plan.nodes as u64 * SECOND);
    prop_assert!(world.all_know_all(), "a lazy line kept an edit");
    Ok(())
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn whatever_happens_everything_gets_everywhere(plan in plans(), steps in steps()) {
        check(plan, &steps)?;
    }
}
