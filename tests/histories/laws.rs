//! The laws over random walks: for the model alone, and for the driver beside the model.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::graph::Repository;
use crate::model::Model;
use crate::view::Tool;
use crate::walk::{Step, Walk, branches, take, walks};
use crate::yaml::{Driver, Text};

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

fn keeps_the_laws<T: Tool>(
    walk: &Walk,
    mut repository: Repository<T>,
) -> Result<(), TestCaseError> {
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

/// Branches of the state that a walk ends in, merged in order, in reverse, and from both ends.
fn merged_in_orders<T: Tool>(
    walk: &Walk,
    branches: &[Step],
) -> Result<[T::File; 3], TestCaseError> {
    let mut repository = Repository::<T>::new(walk.branches, walk.roomy);
    for step in &walk.steps {
        take(&mut repository, walk, step).map_err(TestCaseError::fail)?;
    }
    let base = repository.branches[0];
    repository.branches = vec![base; branches.len()];
    for step in branches {
        take(&mut repository, walk, step).map_err(TestCaseError::fail)?;
    }
    let base = repository.commits[base].file.clone();
    let count = branches.len();
    let merge = |order: Vec<usize>| {
        let mut files = order
            .into_iter()
            .map(|branch| repository.tip(branch).file.clone());
        let first = files.next().unwrap_or_else(|| base.clone());
        files.fold(first, |ours, theirs| T::merge(&base, &ours, &theirs))
    };
    let inwards = (0..count).map(|at| {
        if at % 2 == 0 {
            at / 2
        } else {
            count - 1 - at / 2
        }
    });
    Ok([
        merge((0..count).collect()),
        merge((0..count).rev().collect()),
        merge(inwards.collect()),
    ])
}

/// Six branches merge to one result in any order; to the same bytes where nobody types back what HEAD has, under a stamp that
/// no file can tell from one that was dropped to save space.
fn in_any_order<T: Tool, B: PartialEq + std::fmt::Debug>(
    walk: &Walk,
    branches: &[Step],
    bytes: impl Fn(&T::File) -> B,
) -> Result<(), TestCaseError> {
    let [first, second, third] = merged_in_orders::<T>(walk, branches)?;
    if !walk.types_back {
        prop_assert_eq!(bytes(&first), bytes(&second));
        prop_assert_eq!(bytes(&first), bytes(&third));
    }
    prop_assert_eq!(T::view(&first), T::view(&second));
    prop_assert_eq!(T::view(&first), T::view(&third));
    Ok(())
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn the_model_merges_six_branches_to_one_result_in_any_order(walk in walks(6), branches in branches()) {
        in_any_order::<Model, _>(&walk, &branches, Clone::clone)?;
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn the_driver_merges_six_branches_to_the_same_bytes_in_any_order(walk in walks(6), branches in branches()) {
        in_any_order::<Driver, _>(&walk, &branches, Text::in_any_list_order)?;
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn the_model_keeps_the_laws(walk in walks(14)) {
        keeps_the_laws(&walk, Repository::<Model>::new(walk.branches, walk.roomy))?;
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn the_driver_keeps_the_laws(walk in walks(12)) {
        keeps_the_laws(&walk, Repository::<Driver>::new(walk.branches, walk.roomy))?;
    }

    #[test]
    fn the_driver_keeps_the_laws_where_it_knows_the_ancestries(walk in walks(12)) {
        keeps_the_laws(&walk, Repository::<Driver>::telling(walk.branches, walk.roomy))?;
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
