//! `why`: which edits competed for a place, and what decided.

use serde_json::Value;

use crate::sent::send;
use crate::settling::{merged, second_name};
use crate::support::{Tree, World};

fn why(tree: &Tree<'_>, path: &str) -> Value {
    tree.rhema(&["why", path, "--json"]).exits(0).json()
}

/// What each edit did, to what, and what became of it.
fn edits(explained: &Value) -> Vec<(&str, &Value, &str)> {
    let edits = explained["edits"].as_array().unwrap().iter();
    let told = edits.map(|edit| {
        let word = |name: &str| edit[name].as_str().unwrap();
        (word("did"), &edit["value"], word("fate"))
    });
    told.collect()
}

#[test]
fn the_rule_that_decided_is_told_for_each_kind_of_conflict() {
    let world = World::new();
    let (ann, _) = merged(&world);
    for (path, rule) in [
        ("todos/ship/priority", "later"),
        ("todos/ship/notes", "lines"),
        ("todos/old", "changed"),
        (&format!("todos/{}", second_name(&ann)), "name"),
        ("todos/ship/title", "unedited"),
        ("todos/old/status", "alone"),
    ] {
        assert_eq!(why(&ann, path)["rule"], rule, "{path}");
    }
    let explained = why(&ann, "todos/ship/priority");
    let (urgent, low) = ("urgent".into(), "low".into());
    assert_eq!(
        edits(&explained),
        [("wrote", &urgent, "stands"), ("wrote", &low, "lost")]
    );
    assert_eq!(explained["edits"][0]["branch"], "main");
    let together = why(&ann, "todos/ship/status")["together"].clone();
    assert_eq!(together, serde_json::json!(["completed_at", "outcome"]));
    let told = ann.rhema(&["why", "todos/ship/priority"]).exits(0).stdout;
    assert!(
        told.contains("not seen each other") && told.contains("resolve --path"),
        "{told}"
    );
}

#[test]
fn who_had_seen_an_edit_replaced_it() {
    let world = World::new();
    let (ann, ben) = merged(&world);
    ann.rhema(&["resolve", "--all", "--strategy", "latest"])
        .exits(0);
    ann.commit("settled");
    ben.git(&["pull", "-q", "--ff-only", "../ann", "main"]);
    ben.rhema(&["sync", "--timeout", "0"]).exits(0);
    ben.rhema(&["set", "todos/ship", "priority=none"]).exits(0);
    send(&ben, &ann);
    ann.rhema(&["sync", "--timeout", "0"]).exits(0);
    ann.rhema(&["set", "todos/ship", "priority=some"]).exits(0);
    let explained = why(&ann, "todos/ship/priority");
    assert_eq!(explained["rule"], "seen", "{explained}");
    let fates = edits(&explained);
    assert_eq!(fates[0], ("wrote", &"some".into(), "stands"), "{explained}");
    assert_eq!(
        fates[1],
        ("wrote", &"none".into(), "replaced"),
        "{explained}"
    );
    assert_eq!(explained["edits"][1]["by"], explained["edits"][0]["stamp"]);
}

#[test]
fn what_is_parked_or_taken_back_is_told_and_decides_nothing() {
    let world = World::new();
    let (ann, ben) = merged(&world);
    ann.rhema(&["resolve", "--all", "--strategy", "latest"])
        .exits(0);
    ann.commit("settled");
    ben.git(&["pull", "-q", "--ff-only", "../ann", "main"]);
    ben.rhema(&["sync", "--timeout", "0"]).exits(0);
    ben.rhema(&["set", "todos/ship", "title=Theirs"]).exits(0);
    send(&ben, &ann);
    ann.rhema(&["sync", "--timeout", "0"]).exits(0);
    ann.rhema(&["park"]).exits(0);
    let explained = why(&ann, "todos/ship/title");
    assert_eq!(explained["value"], "Ship it");
    let theirs = "Theirs".into();
    assert!(
        edits(&explained).contains(&("wrote", &theirs, "parked")),
        "{explained}"
    );
    // Whoever discards their own has taken it back.
    ben.git(&["checkout", "-q", "--", ".rhema/todos.yaml"]);
    ben.rhema(&["sync", "--timeout", "0"]).exits(0);
    let explained = why(&ben, "todos/ship/title");
    assert!(
        edits(&explained).contains(&("wrote", &theirs, "taken back")),
        "{explained}"
    );
    assert_eq!(explained["rule"], "unedited", "{explained}");
}

#[test]
fn moves_counters_and_deletions_have_rules_of_their_own() {
    let world = World::new();
    let (ann, _) = merged(&world);
    ann.rhema(&["resolve", "--all", "--strategy", "latest"])
        .exits(0);
    ann.rhema(&["move", "todos/old", "--first"]).exits(0);
    ann.rhema(&["move", "todos/old", "--last"]).exits(0);
    ann.rhema(&["increment", "todos/ship/votes"]).exits(0);
    ann.rhema(&["increment", "todos/ship/votes", "4"]).exits(0);
    let moved = why(&ann, "todos/old");
    assert_eq!(moved["rule"], "place", "{moved}");
    let moves = edits(&moved)
        .into_iter()
        .filter(|(did, ..)| *did == "moved behind");
    let fates: Vec<&str> = moves.map(|(_, _, fate)| fate).collect();
    assert_eq!(fates, ["stands", "replaced"], "{moved}");
    let counted = why(&ann, "todos/ship/votes");
    assert_eq!(
        (&counted["rule"], &counted["value"]),
        (&"sum".into(), &8.into()),
        "{counted}"
    );
    ann.rhema(&["remove", "todos/old"]).exits(0);
    let gone = why(&ann, "todos/old");
    assert_eq!(
        (&gone["rule"], &gone["there"]),
        (&"gone".into(), &false.into()),
        "{gone}"
    );
}

#[test]
fn what_never_was_there_is_refused_and_without_a_store_the_file_tells() {
    let world = World::new();
    let tree = world.repo(
        "repo",
        &[(
            ".rhema/a.yaml",
            "_crdt: v1\n_crdt_conflicts: a~~j.3\na: 2\n",
        )],
    );
    let run = tree.rhema(&["why", "b"]).exits(3);
    assert!(run.stderr.contains("has b"), "{}", run.stderr);
    let explained = why(&tree, "a");
    assert_eq!(explained["rule"], "greater", "{explained}");
    assert_eq!(edits(&explained).len(), 2);
    assert!(!tree.path(".git/rhema").exists(), "nothing is made");
}
