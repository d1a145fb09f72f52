//! The laws over random walks: for the model alone, and for the driver beside the model.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::graph::Repository;
use crate::model::Model;
use crate::view::Tool;
use crate::walk::{Walk, take, walks};
use crate::yaml::Driver;

/// The same cases every time, unless a longer search is asked for: `PROPTEST_CASES=100000`.
fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 100_000,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_121);
    }
    config
}

fn keeps_the_laws<T: Tool>(walk: &Walk) -> Result<(), TestCaseError> {
    let mut repository = Repository::<T>::new(walk.branches, walk.roomy);
    for (number, step) in walk.steps.iter().enumerate() {
        if let Err(broken) = take(&mut repository, walk, step) {
            let commits = repository.commits.iter().enumerate();
            let commits = commits
                .map(|(id, commit)| format!("{id} from {:?}\n{:?}\n", commit.parents, commit.file));
            return Err(TestCaseError::fail(format!(
                "step {number}: {broken}\n{}",
                commits.collect::<String>()
            )));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn the_model_keeps_the_laws(walk in walks(14)) {
        keeps_the_laws::<Model>(&walk)?;
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn the_driver_keeps_the_laws(walk in walks(12)) {
        keeps_the_laws::<Driver>(&walk)?;
    }

    #[test]
    fn the_driver_does_as_the_model(walk in walks(12)) {
        let mut model = Repository::<Model>::new(walk.branches, walk.roomy);
        let mut driver = Repository::<Driver>::new(walk.branches, walk.roomy);
        for (number, step) in walk.steps.iter().enumerate() {
            let before = driver.branches.clone();
            take(&mut model, &walk, step).map_err(TestCaseError::fail)?;
            take(&mut driver, &walk, step).map_err(TestCaseError::fail)?;
            for branch in 0..walk.branches {
                let (expected, found) = (model.tip(branch), driver.tip(branch));
                prop_assert_eq!(
                    &expected.view, &found.view,
                    "step {}, {:?}, from\n{:?}: model, then driver\n{:?}", number, step,
                    before.iter().map(|&tip| &driver.commits[tip].file).collect::<Vec<_>>(), &found.file
                );
            }
        }
    }
}
