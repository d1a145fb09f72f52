//! `resolve`: conflicts listed and settled, markers mended.

use crate::support::{Tree, World};

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    _crdt: 4k2m9xa7-7f3kqd status~000
    _crdt_conflicts: status~4k2mez11-01xyz9~s.late title~~s.Firstly
    title: First
    status: done
  - id: b
    _crdt_conflicts: ~4k2mez11-01xyz9~deleted
    title: Second
";

/// HEAD in git's short form.
fn head(tree: &Tree<'_>) -> String {
    tree.git(&["rev-parse", "--short", "HEAD"])
        .trim()
        .to_owned()
}

#[test]
fn conflicts_are_listed_for_scripts_and_nothing_is_written() {
    let world = World::new();
    let tree = world.repo(
        "repo",
        &[
            (FILE, TODOS),
            (
                "x/.rhema/k.yaml",
                "_crdt: v1\n_crdt_conflicts: a~~j.3\na: 2\n",
            ),
        ],
    );
    let before = tree.snapshot();
    let report = tree.rhema(&["resolve", "--list", "--json"]).exits(1).json();
    let conflicts = report["conflicts"].as_array().unwrap();
    assert_eq!(conflicts.len(), 4);
    assert_eq!(
        conflicts[0],
        serde_json::json!({
            "path": FILE, "field": "todos/a/status", "kind": "value", "line": 7,
            "winner": {"value": "done", "stamp": null, "node": null, "name": null, "when": null, "branch": null, "commit": null},
            "losers": [{
                "value": "late", "stamp": "4k2mez11-01xyz9", "node": "01xyz9", "name": "A. Tester",
                "when": "2025-01-01T21:03:39.041Z", "branch": "main", "commit": head(&tree),
            }],
            "record": {"id": "a", "title": "First", "status": "done"}, "namesake": null, "why": null,
            "ways": [
                {
                    "take": "winner", "what": "keep what is shown",
                    "command": "rhema crdt resolve --path .rhema/todos.yaml:todos/a/status --take winner",
                },
                {
                    "take": "1", "what": "take this one",
                    "command": "rhema crdt resolve --path .rhema/todos.yaml:todos/a/status --take 1",
                },
                {
                    "take": "value", "what": "write this instead",
                    "command": "rhema crdt resolve --path .rhema/todos.yaml:todos/a/status --value VALUE",
                },
            ],
        })
    );
    assert_eq!(report["settled"], serde_json::json!([]));
    assert_eq!(conflicts[2]["field"], "todos/b");
    assert_eq!(conflicts[2]["kind"], "deleted");
    assert_eq!(conflicts[3]["losers"][0]["value"], 3);
    let piped = tree.rhema(&["resolve", "x"]).exits(1).stdout;
    assert_eq!(
        piped,
        "a in x/.rhema/k.yaml:3\n  winner  2  without a stamp\n       1  3  without a stamp\nhint: `rhema crdt resolve \
         --path a --take winner`, or `--take 1` or `--value VALUE`, settles it; `rhema crdt resolve` on a \
         terminal asks about each; `--all --strategy latest` takes all winners\n"
    );
    // One file, as well as one scope.
    let of_file = tree.rhema(&["resolve", FILE, "--json"]).exits(1).json();
    assert_eq!(of_file["conflicts"].as_array().unwrap().len(), 3);
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn each_way_of_settling_leaves_what_was_chosen_and_sync_agrees() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["resolve", "--path", "todos/a/status", "--take", "1"])
        .exits(1);
    tree.rhema(&[
        "resolve",
        "--path",
        ".rhema/todos.yaml:todos/a/title",
        "--value",
        "1st",
    ])
    .exits(1);
    tree.rhema(&["resolve", "--path", "todos/b", "--take", "1"])
        .exits(0);
    let text = tree.read(FILE);
    let bare: String = text
        .lines()
        .filter(|line| !line.contains("_crdt: 4") && !line.starts_with("    _crdt: "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(
        bare,
        "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: 1st\n    status: late\n"
    );
    tree.rhema(&["resolve"]).exits(0);
    assert_eq!(
        tree.rhema(&["sync", "--timeout", "0", "--json"])
            .exits(0)
            .json()["edits_recorded"],
        0
    );
    assert_eq!(tree.read(FILE), text);
}

#[test]
fn texts_of_several_lines_are_listed_and_taken_as_such() {
    let world = World::new();
    let text =
        "_crdt: v1\n_crdt_conflicts: notes~~j.%22One%5CnTwo%5Cn%22\nnotes: |\n  Eins\n  Zwei\n";
    let tree = world.repo("repo", &[(FILE, text)]);
    let listed = tree.rhema(&["resolve", "--list"]).exits(1).stdout;
    let list = "\
notes in .rhema/todos.yaml:3
          both changed the same lines
  winner  2 lines  without a stamp
          Eins
          Zwei
       1  2 lines  without a stamp
          One
          Two
";
    assert!(listed.starts_with(list), "{listed}");
    tree.rhema(&["resolve", "--path", "notes", "--take", "1"])
        .exits(0);
    assert!(
        tree.read(FILE).ends_with("\nnotes: |\n  One\n  Two\n"),
        "{}",
        tree.read(FILE)
    );
}

#[test]
fn fields_that_change_together_are_settled_together() {
    let world = World::new();
    let group = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    _crdt: 4k2m9xa7-7f3kqd completed_at~000 status~000
    _crdt_conflicts: completed_at~4k2mez11-01xyz9~s.2025-11-03 outcome~4k2mez11-01xyz9~s.shown status~4k2mez11-01xyz9~s.completed
    status: blocked
    completed_at: null
";
    for (arguments, expected) in [
        (
            &["--path", "todos/a/status", "--take", "1"][..],
            "status: completed\n    completed_at: 2025-11-03\n    outcome: shown\n",
        ),
        (
            &["--path", "todos/a/outcome", "--take", "winner"],
            "status: blocked\n    completed_at: null\n",
        ),
        (
            &["--all", "--strategy", "latest"],
            "status: blocked\n    completed_at: null\n",
        ),
    ] {
        let tree = world.repo(arguments.join("-").replace('/', "-"), &[(FILE, group)]);
        tree.rhema(&[&["resolve"], arguments].concat()).exits(0);
        let text = tree.read(FILE);
        assert!(text.ends_with(expected), "{arguments:?}: {text}");
        assert!(!text.contains("_crdt_conflicts"), "{arguments:?}: {text}");
    }
}

#[test]
fn the_latest_strategy_takes_all_winners_under_fresh_stamps() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["resolve", "--all", "--strategy", "latest"])
        .exits(0);
    let text = tree.read(FILE);
    assert!(
        !text.contains("_crdt_conflicts") && !text.contains("status~000"),
        "{text}"
    );
    assert_eq!(text.matches("    _crdt: ").count(), 2, "{text}");
    assert_eq!(
        tree.rhema(&["sync", "--timeout", "0", "--json"])
            .exits(0)
            .json()["documents_changed"],
        0
    );
}

#[test]
fn what_is_no_conflict_or_no_choice_is_refused() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let before = tree.read(FILE);
    for (arguments, status) in [
        (&["resolve", "--path", "todos/c", "--take", "1"][..], 3),
        (&["resolve", "--path", "todos/a/status", "--take", "2"], 3),
        (&["resolve", "--path", "todos/a/status", "--value", "[x"], 3),
        (&["resolve", "--path", "todos/a/status", "--take", "0"], 2),
        (&["resolve", "--all"], 2),
        (&["resolve", "nowhere"], 3),
        (&["resolve", "--path", "todos/b", "--value", "x"], 3),
        (&["resolve", "--path", "todos/a", "--take", "winner"], 3),
        (&["resolve", "--path", "todos/b"], 3),
    ] {
        tree.rhema(arguments).exits(status);
    }
    assert_eq!(tree.read(FILE), before);
}

/// A merge that git made without the driver, with markers in the file.
fn marked<'w>(world: &'w World, ours: &str, theirs: &str) -> Tree<'w> {
    let base = "todos:\n  - id: a\n    title: First\n    status: pending\n";
    let tree = world.repo("repo", &[(FILE, base)]);
    tree.on_branch(
        "other",
        FILE,
        base.replace("pending", "done").replace("First", theirs),
    );
    tree.write(FILE, base.replace("First", ours));
    tree.commit("ours");
    tree.try_git(&["merge", "-q", "other"]).exits(1);
    assert!(tree.read(FILE).contains("<<<<<<<"));
    tree
}

#[test]
fn files_with_markers_are_merged_again_and_nothing_is_staged() {
    let world = World::new();
    let tree = marked(&world, "Foremost", "First");
    let index = tree.git(&["ls-files", "-s"]);
    tree.rhema(&["resolve", "--list"]).exits(1);
    assert!(
        tree.read(FILE).contains("<<<<<<<"),
        "listing writes nothing"
    );
    tree.rhema(&["resolve"]).exits(0);
    assert_eq!(
        tree.read(FILE),
        "todos:\n  - id: a\n    title: Foremost\n    status: done\n"
    );
    assert_eq!(tree.git(&["ls-files", "-s"]), index);
}

#[test]
fn a_file_that_git_could_not_run_the_driver_for_is_merged() {
    let world = World::new();
    let base = "todos:\n  - id: a\n    title: First\n    status: pending\n";
    let tree = world.repo("repo", &[(FILE, base)]);
    tree.rhema(&["init", "--no-join"]).exits(0);
    tree.commit("init");
    let marked = tree.read(FILE);
    tree.on_branch("other", FILE, marked.replace("pending", "done"));
    let ours = marked.replace("First", "Foremost");
    tree.write(FILE, &ours);
    tree.commit("ours");
    tree.git(&["config", "merge.rhema-crdt.driver", "/nowhere/rhema %A"]);
    tree.try_git(&["merge", "-q", "other"]).exits(1);
    assert_eq!(tree.read(FILE), ours, "git leaves our side, unmarked");
    let told = tree.rhema(&["resolve", "--list"]).exits(1).stderr;
    assert!(told.contains("was not merged"), "{told}");
    assert_eq!(tree.read(FILE), ours, "listing writes nothing");
    let told = tree.rhema(&["resolve"]).exits(0).stderr;
    assert!(told.contains("merged again"), "{told}");
    assert_eq!(tree.read(FILE), ours.replace("pending", "done"));
    // From now on it is somebody's merge.
    tree.write(FILE, ours.replace("pending", "blocked"));
    tree.rhema(&["resolve"]).exits(0);
    assert_eq!(tree.read(FILE), ours.replace("pending", "blocked"));
}

#[test]
fn a_file_that_one_side_deleted_is_for_git_to_settle() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, "a: 1\n")]);
    tree.on_branch("other", FILE, "a: 2\n");
    tree.git(&["rm", "-q", FILE]);
    tree.git(&["commit", "-q", "-m", "gone"]);
    tree.try_git(&["merge", "-q", "other"]).exits(1);
    for arguments in [&["resolve"][..], &["resolve", "--list"]] {
        let told = tree.rhema(arguments).exits(1).stderr;
        assert!(
            told.contains("`git add` it to keep it, `git rm` it"),
            "{told}"
        );
    }
    assert_eq!(tree.read(FILE), "a: 2\n");
    tree.git(&["add", FILE]);
    tree.rhema(&["resolve"]).exits(0);
}

#[test]
fn a_side_settles_what_both_changed_in_a_file_with_markers() {
    let world = World::new();
    let tree = marked(&world, "Mine", "Others");
    let run = tree.rhema(&["resolve"]).exits(1);
    assert!(run.stderr.contains("markers"), "{}", run.stderr);
    assert_eq!(tree.read(FILE).matches("<<<<<<<").count(), 1);
    assert!(tree.read(FILE).contains("    status: done\n"));
    tree.rhema(&["resolve", "--all", "--strategy", "theirs"])
        .exits(0);
    assert_eq!(
        tree.read(FILE),
        "todos:\n  - id: a\n    title: Others\n    status: done\n"
    );
}
