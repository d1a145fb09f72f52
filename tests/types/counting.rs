//! What becomes of a number that is typed, or counted by command.

use crate::support::World;
use crate::team::{FILE, count, is_recorded, set_up, sync, type_in, value, votes};

/// A text with `S` for each stamp.
fn without_stamps(text: &str) -> String {
    let is_stamp = |word: &str| word.len() == 15 && word.as_bytes().get(8) == Some(&b'-');
    let words = text
        .split(' ')
        .map(|word| if is_stamp(word) { "S" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_typed_number_says_what_was_added() {
    let world = World::new();
    let tree = set_up(&world);
    type_in(&tree, "votes", "45   # so many");
    type_in(&tree, "hits", "8");
    sync(&tree);
    let text = tree.read(FILE);
    let told: Vec<String> = text
        .lines()
        .filter(|line| line.contains("_crdt"))
        .map(without_stamps)
        .collect();
    assert_eq!(
        told,
        [
            "_crdt: v1 labels=list tags=list todos=or_set | S metrics.hits~-2",
            "    _crdt: S votes~+3"
        ]
    );
    assert_eq!(value(&tree, "votes"), "45   # so many");
    is_recorded(&tree);
    tree.commit("counted");
    is_recorded(&tree);
    // Typed once more, over what a commit has.
    type_in(&tree, "hits", "9");
    sync(&tree);
    assert_eq!(value(&tree, "hits"), "9");
    is_recorded(&tree);
}

#[test]
fn what_was_counted_can_be_typed_back_and_undone() {
    let world = World::new();
    let tree = set_up(&world);
    let before = value(&tree, "votes");
    type_in(&tree, "votes", "45");
    sync(&tree);
    type_in(&tree, "votes", &before);
    sync(&tree);
    assert_eq!(value(&tree, "votes"), before);
    is_recorded(&tree);
    count(&tree, "5");
    assert_ne!(value(&tree, "votes"), before);
    tree.rhema(&["undo"]).exits(0);
    assert_eq!(value(&tree, "votes"), before);
    is_recorded(&tree);
}

#[test]
fn increments_by_command_are_what_was_typed() {
    let world = World::new();
    let tree = set_up(&world);
    let first = tree
        .rhema(&["increment", "todos/a/votes", "--json"])
        .exits(0)
        .json();
    assert_eq!(first["changed"], true);
    assert!(
        tree.read(FILE)
            .contains(&format!("{} votes~+1\n", first["stamp"].as_str().unwrap()))
    );
    count(&tree, "9");
    assert_eq!(votes(&tree), 52);
    // One that is not there yet begins at nothing.
    tree.rhema(&["increment", "todos/b/votes", "2"]).exits(0);
    tree.rhema(&["increment", "metrics.misses", "-3"]).exits(0);
    assert_eq!(value(&tree, "misses"), "-3");
    is_recorded(&tree);
    let nothing = tree.rhema(&["increment", "todos/a/votes", "0"]).exits(0);
    assert!(
        nothing.stdout.contains("Nothing to change"),
        "{}",
        nothing.stdout
    );
}

#[test]
fn what_cannot_be_counted_is_refused_with_a_word_why() {
    let world = World::new();
    let tree = set_up(&world);
    let before = tree.read(FILE);
    for (arguments, why) in [
        (
            ["todos/a/title", "1"],
            "todos/a/title is no counter: name its type under `types`",
        ),
        (["metrics.load", "1"], "metrics.load is no counter"),
        (["todos/a/votes", "-1"], "never gets smaller"),
        (
            ["metrics.hits", "9223372036854775807"],
            "metrics.hits is 10: with +9223372036854775807 it would be more",
        ),
        (["todos/zz/votes", "1"], "there is no zz in todos"),
    ] {
        let refused = tree
            .rhema(&[&["increment"][..], &arguments].concat())
            .exits(3);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert_eq!(tree.read(FILE), before);
}

#[test]
fn without_a_configuration_a_number_is_a_value_like_any_other() {
    let world = World::new();
    let tree = set_up(&world);
    tree.git(&[
        "rm",
        "-q",
        "-f",
        "--ignore-unmatch",
        ".rhema/crdt/config.yaml",
    ]);
    tree.commit("no types");
    type_in(&tree, "hits", "11");
    sync(&tree);
    assert!(!tree.read(FILE).contains("hits~+"), "{}", tree.read(FILE));
    tree.rhema(&["increment", "metrics.hits"]).exits(3);
}
