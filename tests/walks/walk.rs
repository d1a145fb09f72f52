//! Random walks: how they are taken, and what is left of one that fails when it is made as short as it can be.

use std::collections::BTreeMap;

use crate::broken::{Broken, fewest};
use crate::ground::Ground;
use crate::number;
use crate::steps::Step;

/// How often a walk is taken again to make it shorter, unless `WALKS_ATTEMPTS` says otherwise.
const ATTEMPTS: u64 = 150;

/// Takes the steps; at the end everybody meets.
///
/// # Errors
/// What broke; the ground tells how it came to that.
pub(crate) fn take(ground: &mut Ground, steps: &[Step]) -> Result<(), Broken> {
    for step in steps {
        ground.note(&format!("# {:?} {} {}", step.deed, step.a, step.b));
        ground.take(*step)?;
    }
    ground.note("# everybody meets");
    ground.meet()
}

/// What broke in a walk, and the shell script that shows it.
pub(crate) struct Failure {
    pub(crate) broken: Broken,
    pub(crate) script: String,
}

/// Takes a walk on new ground.
pub(crate) fn failure(steps: &[Step]) -> Option<Failure> {
    let mut ground = Ground::new();
    let broken = take(&mut ground, steps).err()?;
    Some(Failure {
        broken,
        script: ground.script(),
    })
}

/// Takes walks, as many as the environment says or these few; each that fails is made short and printed.
#[track_caller]
pub(crate) fn none_fails<S: Clone>(
    few: u64,
    steps: usize,
    walk: &dyn Fn(u64, usize) -> Vec<S>,
    failure: &dyn Fn(&[S]) -> Option<Failure>,
) {
    let (from, count) = match (number("WALK"), number("PROPTEST_CASES")) {
        (Some(walk), _) => (walk, 1),
        (None, Some(count)) => (number("WALKS_FROM").unwrap_or(1), count),
        (None, None) => (1, few),
    };
    let steps = number("WALK_STEPS").map_or(steps, |steps| usize::try_from(steps).unwrap());
    let attempts = usize::try_from(number("WALKS_ATTEMPTS").unwrap_or(ATTEMPTS)).unwrap();
    let mut failures: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for seed in from..from + count {
        let steps = walk(seed, steps);
        let Some(first) = failure(&steps) else {
            continue;
        };
        let rule = first.broken.rule;
        let seeds = failures.entry(rule).or_default();
        seeds.push(seed);
        println!("walk {seed}: {rule}");
        if seeds.len() <= 2 {
            let (steps, failure) = shrunk(&steps, first, attempts, failure);
            println!(
                "{rule} (walk {seed}, {} steps)\n{}\n# {}",
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

/// The shortest walk found in so many attempts that breaks the same rule.
fn shrunk<S: Clone>(
    steps: &[S],
    first: Failure,
    attempts: usize,
    failure: &dyn Fn(&[S]) -> Option<Failure>,
) -> (Vec<S>, Failure) {
    fewest(steps, first, attempts, &mut |fewer, before| {
        failure(fewer).filter(|failure| failure.broken.rule == before.broken.rule)
    })
}
