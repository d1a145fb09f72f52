//! Random edits on three branches, merged by the real git with the real binary, in random order, with and without `sync`
//! before the commits.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::model::{Edit, Model, edits, in_any_list_order};
use crate::support::{Tree, World};

const FILE: &str = ".rhema/todos.yaml";

const BRANCHES: [&str; 3] = ["ann", "ben", "cat"];

/// Few and the same cases every time, unless a longer search is asked for: `PROPTEST_CASES=500`.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 6;
        config.rng_seed = RngSeed::Fixed(20_261_121);
    }
    config
}

/// A repository with `main` and three branches from it.
fn branches<'w>(world: &'w World, scripts: &[Vec<Edit>; 3], synced: [bool; 3]) -> Tree<'w> {
    let tree = world.repo("repo", &[(FILE, &Model::start().text())]);
    tree.rhema(&["init", "-q"]).exits(0);
    tree.commit("init");
    for (replica, ((branch, script), synced)) in
        BRANCHES.into_iter().zip(scripts).zip(synced).enumerate()
    {
        tree.git(&["checkout", "-q", "-b", branch, "main"]);
        let mut model = Model::start();
        model.apply(script, replica as u32 + 1);
        tree.write(FILE, model.text());
        if synced {
            tree.rhema(&["sync", "--timeout", "0", "-q"]).exits(0);
        }
        tree.git(&["add", "-A"]);
        tree.git(&["commit", "-q", "--allow-empty", "-m", branch]);
    }
    tree
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn git_merges_branches_to_the_same_bytes_in_any_order_and_takes_them_back(
        scripts in [edits(), edits(), edits()],
        synced: [bool; 3],
        order in Just([0usize, 1, 2]).prop_shuffle(),
    ) {
        let world = World::new();
        let tree = branches(&world, &scripts, synced);
        let mut results = Vec::new();
        for (number, order) in [[0, 1, 2], order].into_iter().enumerate() {
            tree.git(&["checkout", "-q", "-b", &format!("desk{number}"), "main"]);
            for branch in order {
                let before = tree.read(FILE);
                tree.git(&["merge", "-q", "--no-ff", "--no-edit", BRANCHES[branch]]);
                let after = tree.read(FILE);
                prop_assert_eq!(tree.git(&["status", "--porcelain"]), "", "after merging {}", BRANCHES[branch]);
                tree.rhema(&["sync", "--timeout", "0", "-q"]).exits(0);
                prop_assert_eq!(&tree.read(FILE), &after, "sync makes no edit of a merge");
                if after == before {
                    continue;
                }
                tree.git(&["revert", "-m", "1", "--no-edit", "HEAD"]);
                prop_assert_eq!(&tree.read(FILE), &before, "what is reverted is gone");
                tree.git(&["revert", "--no-edit", "HEAD"]);
                prop_assert_eq!(&tree.read(FILE), &after, "the revert of a revert brings it back");
            }
            results.push(in_any_list_order(&tree.read(FILE)));
        }
        prop_assert_eq!(&results[0], &results[1]);
        for branch in BRANCHES {
            let theirs = tree.git(&["show", &format!("{branch}:{FILE}")]);
            tree.git(&["checkout", "-q", "-B", "picked", "main"]);
            tree.git(&["cherry-pick", "--allow-empty", "--keep-redundant-commits", branch]);
            prop_assert_eq!(tree.read(FILE), theirs, "what is picked is all that comes");
        }
    }
}
