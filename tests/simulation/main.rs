//! Simulated runs of many replicas with everything going wrong: the same few each time. `soak.rs` has as many as one wants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../support/broken.rs"]
mod broken;
#[macro_use]
#[path = "../support/weighed.rs"]
mod weighed;
mod desk;
mod floors;
mod git;
mod ground;
mod ledger;
mod plan;
mod run;
mod sky;
#[path = "../support/typing.rs"]
#[allow(dead_code)]
mod text;
mod world;

use ground::Ground;
use plan::Plan;
use world::Counts;

#[test]
fn whatever_goes_wrong_nothing_is_lost_and_all_come_to_show_the_same() {
    let mut ground = Ground::new();
    let mut counts = Counts::default();
    for seed in 1..=40 {
        let plan = Plan::drawn(seed);
        match run::run(&plan, &mut ground) {
            Ok(counted) => counts.add(counted),
            Err(broken) => {
                let (kept, broken) = run::shrunk(&plan, broken, &mut ground, 100);
                let plan = plan.with(&kept);
                panic!(
                    "seed {seed}, steps {kept:?}: {}\n{plan}{}",
                    broken.rule, broken.told
                );
            }
        }
    }
    // A run in which nothing happens would show nothing.
    assert!(
        counts.edits > 100 && counts.merges > 40 && counts.crashes > 0,
        "{counts:?}"
    );
}

#[test]
fn a_seed_gives_the_same_run_again() {
    let mut ground = Ground::new();
    for seed in [3, 5] {
        let counts = [(); 2].map(|()| run::run(&Plan::drawn(seed), &mut ground).unwrap());
        assert_eq!(counts[0], counts[1], "seed {seed}");
    }
}
