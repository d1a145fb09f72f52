//! Counters at the end of what 64 bits hold: they stay there, and whoever looks is told.

use crate::cloned::cloned;
use crate::sent;
use crate::support::{Tree, World};
use crate::team::{FILE, FILES, count, set_up, sync, type_in, value};

const GREATEST: &str = "9223372036854775807";

/// A number to which one can be added, and no more.
const NEARLY: &str = "9223372036854775806";

#[track_caller]
fn hits(tree: &Tree<'_>) -> String {
    value(tree, "hits")
}

/// `sync`, `status` and `verify` tell of a full counter, and where it stands.
#[track_caller]
fn everybody_tells(tree: &Tree<'_>, line: usize) {
    for (arguments, status) in [
        (&["sync", "--timeout", "0"][..], 1),
        (&["status"], 0),
        (&["verify"], 1),
    ] {
        let run = tree.rhema(arguments).exits(status);
        let told = run.stdout + &run.stderr;
        let place = format!(
            "{FILE}:{line}:9: `metrics/hits` is a pn_counter and stands at the greatest number"
        );
        assert!(told.contains(&place), "{arguments:?}: {told}");
    }
}

#[test]
fn what_adds_up_to_too_much_stays_at_the_end_and_is_told() {
    let world = World::new();
    let (ann, ben) = cloned(&world, &FILES);
    type_in(&ann, "hits", NEARLY);
    sync(&ann);
    ann.commit("nearly full");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ben);
    for tree in [&ann, &ben] {
        let told = tree.rhema(&["increment", "metrics.hits"]).exits(0).stderr;
        assert!(told.contains(&format!("{FILE}:14:9: ")), "{told}");
    }
    sent::send(&ann, &ben);
    sent::send(&ben, &ann);
    for tree in [&ann, &ben] {
        everybody_tells(tree, 14);
        assert_eq!(hits(tree), GREATEST);
        // What stands there is nobody's edit.
        let report = tree.rhema(&["sync", "--timeout", "0", "--json"]).exits(1);
        assert_eq!(report.json()["edits_recorded"], 0);
    }
    assert_eq!(ann.read(FILE), ben.read(FILE));
    let before = ann.read(FILE);
    let refused = ann.rhema(&["increment", "metrics.hits"]).exits(3);
    assert!(
        refused.stderr.contains("more than 64 bits hold"),
        "{}",
        refused.stderr
    );
    assert_eq!(ann.read(FILE), before);
    // It goes by git, too, and back.
    ann.commit("full");
    everybody_tells(&ann, 14);
    assert_eq!(hits(&ann), GREATEST);
    ben.git(&["checkout", "-q", "--", FILE]);
    ben.git(&["pull", "-q", "../ann", "main"]);
    everybody_tells(&ben, 14);
    assert_eq!(ann.read(FILE), ben.read(FILE));
    ann.git(&["revert", "--no-edit", "HEAD"]);
    sync(&ann);
    assert_eq!(hits(&ann), NEARLY);
}

#[test]
fn branches_that_add_up_to_too_much_merge() {
    let world = World::new();
    let tree = set_up(&world);
    type_in(&tree, "hits", NEARLY);
    sync(&tree);
    tree.commit("nearly full");
    for branch in ["one", "two"] {
        tree.git(&["checkout", "-q", "-b", branch, "main"]);
        sync(&tree);
        tree.rhema(&["increment", "metrics.hits"]).exits(0);
        count(&tree, "1");
        tree.commit(branch);
    }
    tree.git(&["merge", "-q", "--no-edit", "one"]);
    everybody_tells(&tree, 15);
    assert_eq!(
        (hits(&tree).as_str(), value(&tree, "votes").as_str()),
        (GREATEST, "44")
    );
}

#[test]
fn nobody_types_a_step_that_64_bits_do_not_hold() {
    let world = World::new();
    let tree = set_up(&world);
    type_in(&tree, "hits", "-9223372036854775798");
    sync(&tree);
    type_in(&tree, "hits", "11");
    let run = tree.rhema(&["sync", "--timeout", "0"]).exits(1);
    assert!(run.stderr.contains("than 64 bits hold"), "{}", run.stderr);
    type_in(&tree, "hits", "0");
    sync(&tree);
    type_in(&tree, "hits", "9");
    sync(&tree);
    assert_eq!(hits(&tree), "9");
}
