//! What does not fit the type of its place is named with its line, and the old value stays.

use crate::support::{Tree, World};
use crate::team::{FILE, is_recorded, set_up, type_in, value, votes};

#[track_caller]
fn refused(tree: &Tree<'_>, field: &str, new: &str, place: &str, why: &str) {
    let old = value(tree, field);
    let before = tree.read(FILE);
    type_in(tree, field, new);
    let typed = tree.read(FILE);
    let run = tree.rhema(&["sync", "--timeout", "0"]).exits(1);
    assert!(
        run.stderr.contains(&format!("{FILE}:{place}: ")),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains(why), "{}", run.stderr);
    assert_eq!(tree.read(FILE), typed);
    type_in(tree, field, &old);
    assert_eq!(tree.read(FILE), before);
    is_recorded(tree);
}

#[test]
fn wrong_values_are_left_alone_and_named() {
    let world = World::new();
    let tree = set_up(&world);
    refused(
        &tree,
        "votes",
        "many",
        "10:12",
        "no whole number of 64 bits",
    );
    refused(&tree, "votes", "41", "10:12", "it was 42");
    refused(
        &tree,
        "votes",
        "null",
        "10:12",
        "this is nothing: it was 42",
    );
    refused(
        &tree,
        "hits",
        "9223372036854775808",
        "14:9",
        "no whole number of 64 bits",
    );
    refused(&tree, "load", "4", "15:9", "never gets smaller");
    refused(&tree, "tags", "[x]", "16:7", "put \"y\" back");
    refused(&tree, "labels", "[p, p]", "17:9", "\"p\" stands twice");
    refused(&tree, "seen", "[x]", "18:7", "no single value");
}

#[test]
fn verify_names_what_does_not_fit_whoever_put_it_there() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["verify"]).exits(0);
    // Typed, and left alone since.
    type_in(&tree, "load", "4");
    let run = tree.rhema(&["verify"]).exits(1);
    assert!(
        run.stdout.contains(&format!(
            "{FILE}:15:9: `metrics/load` is a max, which never"
        )),
        "{}",
        run.stdout
    );
    // Committed without the tool.
    type_in(&tree, "load", "much");
    type_in(&tree, "votes", "-1");
    type_in(&tree, "labels", "[p, p]");
    tree.commit("by hand");
    let report = tree.rhema(&["verify", "--json"]).exits(1).json();
    let problems = report["problems"].as_array().unwrap().iter();
    let told: Vec<(u64, u64, &str)> = problems
        .map(|problem| {
            assert_eq!(problem["path"], FILE);
            let number = |name: &str| problem[name].as_u64().unwrap();
            (
                number("line"),
                number("column"),
                problem["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [(10, 12, "type"), (15, 9, "type"), (17, 9, "type")]);
}

#[test]
fn a_list_of_records_does_not_become_something_else() {
    let world = World::new();
    let tree = set_up(&world);
    let text = tree.read(FILE);
    let (head, rest) = text.split_once("todos:\n").unwrap();
    let (_, tail) = rest.split_once("metrics:\n").unwrap();
    tree.write(FILE, format!("{head}todos: done\nmetrics:\n{tail}"));
    let run = tree.rhema(&["sync", "--timeout", "0"]).exits(1);
    assert!(
        run.stderr.contains(&format!(
            "{FILE}:2:8: `todos` is an or_set, and this is no list"
        )),
        "{}",
        run.stderr
    );
    tree.write(FILE, text);
    is_recorded(&tree);
}

#[test]
fn a_command_refuses_them_too() {
    let world = World::new();
    let tree = set_up(&world);
    let before = tree.read(FILE);
    let run = tree.rhema(&["set", "todos/a", "votes=many"]).exits(3);
    let told =
        format!("error: {FILE}:10:12: `todos/a/votes` is a g_counter, and this is no whole number");
    assert!(run.stderr.contains(&told), "{}", run.stderr);
    assert_eq!(tree.read(FILE), before);
    tree.rhema(&["set", "todos/a", "votes=50"]).exits(0);
    assert_eq!(votes(&tree), 50);
    assert!(tree.read(FILE).contains("votes~+8"));
}

#[test]
fn a_type_that_is_none_is_an_error_at_its_line() {
    let world = World::new();
    let tree = set_up(&world);
    for (text, place, why) in [
        (
            "types:\n  x: mv\n  a.b: counter\n",
            "3:3",
            "`counter` is no type",
        ),
        (
            "types:\n  x: mv\n  a..b: mv\n",
            "3:3",
            "`a..b` names no place",
        ),
        ("types:\n  a: two_phase_set\n", "2:3", "use `or_set`"),
    ] {
        tree.write(".rhema/crdt/config.yaml", text);
        let run = tree.rhema(&["verify"]).exits(1);
        let told = run.stdout + &run.stderr;
        assert!(
            told.contains(&format!("config.yaml:{place}: ")) && told.contains(why),
            "{told}"
        );
    }
}
