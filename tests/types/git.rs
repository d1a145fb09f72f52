//! Counters and git: branches add up, a revert takes back its part, what is picked twice counts once.

use crate::support::{Tree, World};
use crate::team::{FILE, count, is_recorded, set_up, sync, type_in, value, votes};

fn on_branch(tree: &Tree<'_>, branch: &str, from: &str, change: &dyn Fn(&Tree<'_>)) {
    tree.git(&["checkout", "-q", "-B", branch, from]);
    sync(tree);
    change(tree);
    sync(tree);
    tree.commit(branch);
}

/// Merges, and looks at what comes of it.
#[track_caller]
fn merges(tree: &Tree<'_>, onto: &str, other: &str, expected: i64) {
    tree.git(&["checkout", "-q", onto]);
    tree.git(&["merge", "-q", "--no-edit", other]);
    assert_eq!(votes(tree), expected, "{}", tree.read(FILE));
    assert!(
        !tree.read(FILE).contains("_crdt_conflicts"),
        "{}",
        tree.read(FILE)
    );
    is_recorded(tree);
}

#[test]
fn branches_add_up_without_conflict() {
    let world = World::new();
    let tree = set_up(&world);
    on_branch(&tree, "one", "main", &|tree| count(tree, "1"));
    on_branch(&tree, "two", "main", &|tree| count(tree, "1"));
    on_branch(&tree, "three", "main", &|tree| type_in(tree, "votes", "47"));
    merges(&tree, "main", "one", 43);
    merges(&tree, "main", "two", 44);
    merges(&tree, "main", "three", 49);
    // The other way round, too.
    tree.git(&["checkout", "-q", "-B", "again", "three"]);
    merges(&tree, "again", "two", 48);
    merges(&tree, "again", "one", 49);
}

#[test]
fn what_was_typed_without_the_tool_is_a_difference() {
    let world = World::new();
    let tree = set_up(&world);
    let by_hand = |branch: &str, new: &str| {
        tree.git(&["checkout", "-q", "-B", branch, "main"]);
        type_in(&tree, "votes", new);
        type_in(&tree, "title", branch);
        tree.commit(branch);
    };
    by_hand("one", "43");
    by_hand("two", "44");
    tree.git(&["checkout", "-q", "-B", "joined", "one"]);
    tree.try_git(&["merge", "-q", "--no-edit", "two"]);
    assert_eq!(votes(&tree), 45, "{}", tree.read(FILE));
}

#[test]
fn criss_cross_merges_count_once() {
    let world = World::new();
    let tree = set_up(&world);
    on_branch(&tree, "one", "main", &|tree| count(tree, "1"));
    on_branch(&tree, "two", "main", &|tree| count(tree, "10"));
    tree.git(&["branch", "one-before", "one"]);
    merges(&tree, "one", "two", 53);
    merges(&tree, "two", "one-before", 53);
    on_branch(&tree, "one", "one", &|tree| count(tree, "100"));
    on_branch(&tree, "two", "two", &|tree| count(tree, "1000"));
    merges(&tree, "one", "two", 1153);
}

#[test]
fn a_revert_takes_back_its_part() {
    let world = World::new();
    let tree = set_up(&world);
    for (message, by) in [("first", "1"), ("second", "10"), ("third", "100")] {
        count(&tree, by);
        tree.commit(message);
        sync(&tree);
    }
    tree.git(&["revert", "--no-edit", "HEAD~1"]);
    assert_eq!(votes(&tree), 143, "{}", tree.read(FILE));
    is_recorded(&tree);
    // The revert of the revert brings it back.
    tree.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(votes(&tree), 153, "{}", tree.read(FILE));
    is_recorded(&tree);
}

#[test]
fn what_is_picked_twice_counts_once() {
    let world = World::new();
    let tree = set_up(&world);
    on_branch(&tree, "side", "main", &|tree| count(tree, "1"));
    on_branch(&tree, "main", "main", &|tree| count(tree, "10"));
    tree.git(&["cherry-pick", "side"]);
    assert_eq!(votes(&tree), 53);
    count(&tree, "100");
    tree.commit("more");
    let again = tree.try_git(&["cherry-pick", "side"]);
    assert_eq!(votes(&tree), 153, "{}", tree.read(FILE));
    if again.status != 0 {
        tree.git(&["cherry-pick", "--skip"]);
    }
    merges(&tree, "main", "side", 153);
}

#[test]
fn a_rebase_keeps_what_was_counted() {
    let world = World::new();
    let tree = set_up(&world);
    on_branch(&tree, "side", "main", &|tree| count(tree, "1"));
    on_branch(&tree, "side", "side", &|tree| count(tree, "2"));
    on_branch(&tree, "main", "main", &|tree| count(tree, "10"));
    tree.git(&["checkout", "-q", "side"]);
    tree.git(&["rebase", "-q", "main"]);
    assert_eq!(votes(&tree), 55, "{}", tree.read(FILE));
    is_recorded(&tree);
}

#[test]
fn what_is_thrown_away_is_gone_and_what_is_stashed_comes_back() {
    let world = World::new();
    let tree = set_up(&world);
    count(&tree, "1");
    tree.git(&["checkout", "--", FILE]);
    sync(&tree);
    assert_eq!(votes(&tree), 42);
    count(&tree, "2");
    tree.git(&["stash", "-q"]);
    sync(&tree);
    assert_eq!(votes(&tree), 42);
    tree.git(&["stash", "pop", "-q"]);
    sync(&tree);
    assert_eq!(votes(&tree), 44);
    count(&tree, "1");
    is_recorded(&tree);
    tree.commit("counted");
    sync(&tree);
    assert_eq!(votes(&tree), 45);
    tree.git(&["reset", "-q", "--soft", "HEAD~1"]);
    sync(&tree);
    assert_eq!(votes(&tree), 45);
    tree.git(&["commit", "-q", "-m", "again"]);
    is_recorded(&tree);
}

#[test]
fn what_is_committed_before_anybody_looks_counts_once() {
    let world = World::new();
    let tree = set_up(&world);
    type_in(&tree, "votes", "45");
    tree.commit("by hand");
    sync(&tree);
    assert_eq!(votes(&tree), 45);
    is_recorded(&tree);
    count(&tree, "1");
    type_in(&tree, "votes", "50");
    tree.commit("half by hand");
    sync(&tree);
    assert_eq!(votes(&tree), 50);
    is_recorded(&tree);
}

#[test]
fn of_a_greatest_number_the_greater_stands_and_sets_grow() {
    let world = World::new();
    let tree = set_up(&world);
    on_branch(&tree, "one", "main", &|tree| {
        type_in(tree, "load", "20");
        type_in(tree, "tags", "[x, y, one]");
        type_in(tree, "labels", "[q, both]");
    });
    on_branch(&tree, "two", "main", &|tree| {
        type_in(tree, "load", "9");
        type_in(tree, "tags", "[x, y, two]");
        type_in(tree, "labels", "[p, q, both]");
    });
    tree.git(&["merge", "-q", "--no-edit", "one"]);
    assert_eq!(value(&tree, "load"), "20");
    let tags = value(&tree, "tags");
    assert!(
        ["[x, y, one, two]", "[x, y, two, one]"].contains(&tags.as_str()),
        "{tags}"
    );
    assert_eq!(value(&tree, "labels"), "[q, both]");
    assert!(!tree.read(FILE).contains("_crdt_conflicts"));
    is_recorded(&tree);
}

#[test]
fn of_a_last_writers_value_nothing_else_is_kept() {
    let world = World::new();
    let tree = set_up(&world);
    for branch in ["one", "two"] {
        on_branch(&tree, branch, "main", &|tree| {
            type_in(tree, "seen", &format!("on {branch}  # noted"));
        });
    }
    tree.git(&["branch", "again", "one"]);
    tree.git(&["branch", "theirs", "two"]);
    tree.git(&["merge", "-q", "--no-edit", "one"]);
    assert_eq!(value(&tree, "seen"), "on two  # noted");
    assert!(
        !tree.read(FILE).contains("_crdt_conflicts"),
        "{}",
        tree.read(FILE)
    );
    is_recorded(&tree);
    // The other way round it is the same.
    let merged = tree.read(FILE);
    tree.git(&["checkout", "-q", "again"]);
    tree.git(&["merge", "-q", "--no-edit", "theirs"]);
    assert_eq!(tree.read(FILE), merged);
    // And a revert is a revert.
    tree.git(&["checkout", "-q", "two"]);
    on_branch(&tree, "two", "two", &|tree| type_in(tree, "seen", "later"));
    tree.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(value(&tree, "seen"), "on two  # noted");
    is_recorded(&tree);
}
