//! `get`: questions about records, and what is contested in them.

use serde_json::{Value, json};

use crate::settling::{merged, second_name};
use crate::support::World;

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
todos:
  # the first
  - id: a
    status: pending
    priority: 2
    due: 2026-01-03
  - id: b
    status: done
    priority: 10
    meta: {owner: ada}
  - id: c
    status: pending
    due: null
";

fn ids(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("- id: "))
        .collect()
}

#[test]
fn records_are_asked_for_in_the_form_of_questions() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    for (arguments, expected) in [
        (&["todos WHERE status = 'pending'"][..], &["a", "c"][..]),
        (
            &["todos where priority >= 2 order by priority desc"],
            &["b", "a"],
        ),
        (&["todos ORDER BY priority LIMIT 1"], &["a"]),
        (&["todos LIMIT 1 OFFSET 1"], &["b"]),
        (&["todos", "--where", "due IS NULL"], &["b", "c"]),
        (&["todos", "--where", "meta.owner = ada"], &["b"]),
        (&["todos", "--where", "nothing = 1"], &[]),
        (
            &["todos", "--where", "id IN (a, c) AND NOT due IS NULL"],
            &["a"],
        ),
        (
            &["todos WHERE status = pending", "--where", "id != a"],
            &["c"],
        ),
        // As it was before there were questions.
        (
            &[
                "todos",
                "--where",
                "status=pending",
                "--where",
                "priority=2",
            ],
            &["a"],
        ),
        (&["todos", "--where", "meta={owner: ada}"], &["b"]),
    ] {
        let run = tree.rhema(&[&["get"], arguments].concat()).exits(0);
        assert_eq!(ids(&run.stdout), expected, "{arguments:?}: {}", run.stdout);
    }
}

#[test]
fn what_is_found_stands_as_the_file_has_it_in_the_order_that_was_asked_for() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let run = tree
        .rhema(&["get", "todos WHERE id != c ORDER BY id DESC"])
        .exits(0);
    assert_eq!(
        run.stdout,
        "- id: b\n  status: done\n  priority: 10\n  meta: {owner: ada}\n# the first\n- id: a\n  status: pending\n  \
         priority: 2\n  due: 2026-01-03\n"
    );
    let found = tree
        .rhema(&["get", "todos WHERE priority > 2", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        found,
        json!([{"id": "b", "status": "done", "priority": 10, "meta": {"owner": "ada"}}])
    );
}

#[test]
fn what_is_no_question_is_told_with_its_column() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let run = tree.rhema(&["get", "todos WHERE status ~ 1"]).exits(3);
    assert!(run.stderr.contains("column"), "{}", run.stderr);
    let run = tree.rhema(&["get", "todos", "--where", "(status"]).exits(2);
    assert!(run.stderr.contains("column"), "{}", run.stderr);
    let run = tree.rhema(&["get", "nowhere WHERE a = 1"]).exits(3);
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
    tree.rhema(&["get", "todos/a WHERE status = 1"]).exits(3);
}

#[test]
fn what_is_contested_is_found_and_shown_with_what_lost() {
    let world = World::new();
    let (ann, _) = merged(&world);
    let second = second_name(&ann);
    let run = ann.rhema(&["get", "todos", "--conflicts"]).exits(0);
    assert_eq!(ids(&run.stdout), ["ship", "old", &second]);
    assert!(
        run.stdout
            .contains("# todos/ship/priority: lost: \"low\" ("),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("# todos/old: one deleted what the other changed"),
        "{}",
        run.stdout
    );
    let found = ann
        .rhema(&["get", "todos", "--conflicts", "--json"])
        .exits(0)
        .json();
    assert_eq!(found[0]["value"]["priority"], "urgent");
    let lost = found[0]["conflicts"].as_array().unwrap();
    let lost: Vec<&Value> = lost.iter().map(|one| &one["losers"][0]["value"]).collect();
    assert_eq!(lost[1], "low");
    let one = ann
        .rhema(&["get", "todos/ship/priority", "--conflicts", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        (&one["value"], one["conflicts"].as_array().unwrap().len()),
        (&json!("urgent"), 1)
    );
    let some = ann
        .rhema(&["get", "todos WHERE id = ship", "--conflicts"])
        .exits(0)
        .stdout;
    assert_eq!(ids(&some), ["ship"]);
    ann.rhema(&["resolve", "--all", "--strategy", "latest"])
        .exits(0);
    let none = ann
        .rhema(&["get", "todos", "--conflicts", "--json"])
        .exits(0)
        .json();
    assert_eq!(none, json!([]));
}

#[test]
fn questions_are_asked_of_the_past_as_well() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.write(FILE, TODOS.replace("status: done", "status: pending"));
    tree.commit("reopened");
    let asked = "todos WHERE status = 'pending'";
    let then = tree
        .rhema(&["get", asked, "--at", "HEAD~1"])
        .exits(0)
        .stdout;
    assert_eq!(ids(&then), ["a", "c"]);
    let now = tree.rhema(&["get", asked, "--at", "HEAD"]).exits(0).stdout;
    assert_eq!(ids(&now), ["a", "b", "c"]);
    // What is gone since can be asked for, too.
    tree.write(FILE, "todos: []\n");
    tree.commit("gone");
    let then = tree
        .rhema(&["get", "todos/b/status", "--at", "HEAD~1"])
        .exits(0)
        .stdout;
    assert_eq!(then, "pending\n");
    tree.rhema(&["get", "todos/b", "--at", "HEAD"]).exits(3);
    tree.rhema(&["get", "todos", "--at", "HEAD", "--conflicts"])
        .exits(2);
}
