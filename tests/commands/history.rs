//! `log`, `blame`, `show`, `diff`, `undo`: what was edited, by whom, and back again.

use serde_json::{Value, json};

use crate::cloned::cloned;
use crate::support::{Run, Tree, World};

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
todos:
  - id: a
    title: First
    status: pending
    notes: |
      one
      two
      three
  # about b
  - id: b
    title: Second
    status: pending
";

/// A clone with a first commit of somebody who had no tool, and one that set it up.
fn set_up(world: &World) -> Tree<'_> {
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("set up");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    tree
}

fn json(tree: &Tree<'_>, arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.push("--json");
    tree.rhema(&all).exits(0).json()
}

#[test]
fn another_name_is_taken_back_as_one_thing() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["add", "todos", "id=new", "title=New"])
        .exits(0);
    tree.rhema(&["set", "todos/new", "id=other"]).exits(0);
    tree.rhema(&["undo"]).exits(0);
    let text = tree.read(FILE);
    assert!(
        text.contains("id: new") && !text.contains("id: other"),
        "{text}"
    );
    tree.rhema(&["add", "todos", "id=third", "title=Third"])
        .exits(0);
    tree.commit("third");
    let before = tree.read(FILE);
    tree.rhema(&["set", "todos/third", "id=other"]).exits(0);
    tree.rhema(&["undo"]).exits(0);
    assert_eq!(tree.read(FILE), before);
    // Two edits one after the other that have nothing to do with each other.
    tree.rhema(&["remove", "todos/b"]).exits(0);
    tree.rhema(&["add", "todos", "id=d", "title=Fourth"])
        .exits(0);
    tree.rhema(&["undo"]).exits(0);
    let text = tree.read(FILE);
    assert!(!text.contains("id: d") && !text.contains("id: b"), "{text}");
}

/// What a log tells, the newest first: kind, place, from and to.
fn told(tree: &Tree<'_>, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["log"];
    all.extend(arguments);
    let log = json(tree, &all);
    let line = |entry: &Value| {
        let part = |name: &str| match &entry[name] {
            Value::String(text) => text.clone(),
            Value::Object(fields) => fields["title"].as_str().unwrap().to_owned(),
            other => other.to_string(),
        };
        format!(
            "{} {}: {} -> {}",
            part("kind"),
            part("field"),
            part("from"),
            part("to")
        )
    };
    log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect()
}

fn head(tree: &Tree<'_>) -> String {
    tree.git(&["rev-parse", "HEAD"]).trim().to_owned()
}

/// Makes sure that what comes next is of a later second than all commits.
fn a_second_later() {
    std::thread::sleep(std::time::Duration::from_millis(1_050));
}

#[test]
fn git_alone_tells_of_what_was_committed_before_there_was_a_tool() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.write(FILE, TODOS.replace("First", "The first"));
    tree.git(&[
        "commit",
        "-qam",
        "title",
        "--author",
        "Bob <bob@example.org>",
    ]);
    let before = tree.snapshot();
    assert_eq!(
        told(&tree, &[]),
        [
            "changed todos/a/title: First -> The first",
            "born todos/a: null -> First",
            "born todos/b: null -> Second",
        ]
    );
    let entry = &json(&tree, &["log", "-n", "1"])["entries"][0];
    assert_eq!(entry["name"], "Bob");
    assert_eq!(entry["commit"], head(&tree));
    assert_eq!(entry["stamp"], Value::Null);
    let blamed = json(&tree, &["blame", "todos/a/title"]);
    assert_eq!(blamed["fields"][0]["name"], "Bob");
    assert_eq!(tree.snapshot(), before, "nothing is written");
}

#[test]
fn setting_up_is_no_edit() {
    let world = World::new();
    let tree = set_up(&world);
    let all = told(&tree, &["--all"]);
    assert_eq!(all.len(), 2, "{all:?}");
    let verbose =
        "todos:\n  _crdt_metadata: {type: or_set}\n  items:\n    - id: a\n      title: First\n";
    let other = world.repo("other", &[(FILE, verbose)]);
    other.rhema(&["init"]).exits(0);
    other.commit("set up");
    assert_eq!(told(&other, &[]), ["born todos/a: null -> First"]);
}

#[test]
fn an_edit_is_told_once_with_its_stamp_and_the_commit_that_has_it() {
    let world = World::new();
    let tree = set_up(&world);
    let made = json(
        &tree,
        &["set", "todos/a", "status=completed", "outcome=Done"],
    );
    let pending = json(&tree, &["log", "-n", "2"])["entries"].clone();
    assert_eq!(pending[0]["state"], "pending");
    assert_eq!(pending[0]["commit"], Value::Null);
    tree.commit("done");
    let entries = json(&tree, &["log"])["entries"].clone();
    let of_status = json!({
        "when": entries[0]["when"], "stamp": made["stamp"], "node": entries[0]["node"], "name": "A. Tester", "branch": "main",
        "commit": head(&tree), "path": FILE, "field": "todos/a/status", "kind": "changed", "from": "pending",
        "to": "completed", "state": "committed"
    });
    assert_eq!(entries[0], of_status);
    assert_eq!(
        told(&tree, &[])[..2],
        [
            "changed todos/a/status: pending -> completed",
            "changed todos/a/outcome: null -> Done",
        ]
    );
    // Once everybody has looked it is told as before.
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert_eq!(json(&tree, &["log"])["entries"], entries);
}

#[test]
fn removed_moved_and_new_records_are_told_and_found_by_their_paths() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["add", "todos", "title=Third", "id=c"])
        .exits(0);
    tree.rhema(&["move", "todos/c", "--first"]).exits(0);
    tree.rhema(&["remove", "todos/b"]).exits(0);
    let expected = [
        "removed todos/b: Second -> null",
        "moved todos/c: null -> null",
        "born todos/c: null -> Third",
    ];
    assert_eq!(told(&tree, &["-n", "3"]), expected);
    tree.commit("all of it");
    assert_eq!(told(&tree, &["-n", "3"]), expected);
    assert_eq!(
        told(&tree, &["todos/b"]),
        [
            "removed todos/b: Second -> null",
            "born todos/b: null -> Second"
        ]
    );
    assert_eq!(
        told(&tree, &["todos/c/title"]),
        ["born todos/c: null -> Third"]
    );
}

#[test]
fn what_was_typed_and_committed_is_told_once() {
    let world = World::new();
    let tree = set_up(&world);
    tree.write(
        FILE,
        tree.read(FILE).replace("title: First", "title: Typed"),
    );
    tree.commit("typed");
    let expected = "changed todos/a/title: First -> Typed";
    assert_eq!(told(&tree, &["-n", "1"]), [expected]);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    let all = told(&tree, &[]);
    assert_eq!(
        all.iter().filter(|line| *line == expected).count(),
        1,
        "{all:?}"
    );
    let entry = &json(&tree, &["log", "-n", "1"])["entries"][0];
    assert_eq!(entry["commit"], head(&tree));
    assert!(entry["stamp"].is_string(), "{entry}");
}

#[test]
fn a_revert_is_an_entry_of_its_own() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", "todos/a", "title=Other"]).exits(0);
    tree.commit("title");
    a_second_later();
    tree.git(&["revert", "--no-edit", "HEAD"]);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert_eq!(
        told(&tree, &["-n", "2"]),
        [
            "changed todos/a/title: Other -> First",
            "changed todos/a/title: First -> Other",
        ]
    );
    a_second_later();
    tree.git(&["revert", "--no-edit", "HEAD"]);
    let again = &json(&tree, &["log", "-n", "1"])["entries"][0];
    assert_eq!(again["to"], "Other");
    assert_eq!(again["commit"], head(&tree), "{again}");
}

#[test]
fn what_was_taken_back_parked_or_is_on_another_branch_says_so() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", "todos/a", "title=Discarded"]).exits(0);
    tree.git(&["restore", FILE]);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    let state = |tree: &Tree<'_>| json(tree, &["log", "-n", "1"])["entries"][0]["state"].clone();
    assert_eq!(state(&tree), "retracted");
    tree.rhema(&["set", "todos/a", "title=Parked"]).exits(0);
    tree.rhema(&["park"]).exits(0);
    assert_eq!(state(&tree), "parked");
    tree.rhema(&["unpark"]).exits(0);
    tree.git(&["checkout", "-q", "-b", "side"]);
    tree.commit("on a branch");
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert_eq!(state(&tree), "committed");
    tree.git(&["checkout", "-q", "main"]);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert_eq!(state(&tree), "elsewhere");
}

#[test]
fn a_merge_tells_nothing_of_its_own_but_what_it_left_to_settle() {
    let world = World::new();
    let tree = set_up(&world);
    tree.git(&["checkout", "-q", "-b", "side"]);
    tree.rhema(&["set", "todos/a", "title=Theirs", "owner=bob"])
        .exits(0);
    tree.commit("theirs");
    tree.git(&["checkout", "-q", "main"]);
    tree.rhema(&["set", "todos/a", "title=Ours"]).exits(0);
    tree.rhema(&["set", "todos/b", "title=Alone"]).exits(0);
    tree.commit("ours");
    a_second_later();
    tree.git(&["merge", "-q", "--no-edit", "side"]);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    let all = told(&tree, &["--all"]);
    for expected in [
        "changed todos/a/title: First -> Theirs",
        "changed todos/a/title: First -> Ours",
        "changed todos/a/owner: null -> bob",
        "changed todos/b/title: Second -> Alone",
        "conflict todos/a/title: Theirs -> Ours",
    ] {
        let times = all.iter().filter(|line| *line == expected).count();
        assert_eq!(times, 1, "{expected}: {all:#?}");
    }
    assert_eq!(all.len(), 7, "{all:#?}");
    tree.rhema(&["resolve", "--path", "todos/a/title", "--take", "winner"])
        .exits(0);
    assert_eq!(
        told(&tree, &["--conflicts"]),
        [
            "settled todos/a/title: Theirs -> Ours",
            "conflict todos/a/title: Theirs -> Ours",
        ]
    );
}

#[test]
fn counters_are_told_by_what_they_came_to() {
    let world = World::new();
    let text = "todos:\n  - id: a\n    title: First\n    votes: 5\n";
    let config = "types:\n  todos[].votes: pn_counter\n";
    let files = [(FILE, text), (".rhema/crdt/config.yaml", config)];
    let tree = world.repo("repo", &files);
    tree.rhema(&["init"]).exits(0);
    tree.commit("set up");
    tree.rhema(&["increment", "todos/a/votes", "3"]).exits(0);
    tree.rhema(&["increment", "todos/a/votes", "2"]).exits(0);
    let expected = [
        "counted todos/a/votes: 8 -> 10",
        "counted todos/a/votes: 5 -> 8",
    ];
    assert_eq!(told(&tree, &["-n", "2"]), expected);
    tree.commit("counted");
    assert_eq!(told(&tree, &["-n", "2"]), expected);
}

#[test]
fn a_document_that_was_renamed_keeps_its_history() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", "todos/a", "title=Before"]).exits(0);
    tree.commit("before");
    tree.git(&["mv", FILE, ".rhema/work.yaml"]);
    tree.commit("renamed");
    tree.rhema(&["set", "todos/a", "title=After"]).exits(0);
    assert_eq!(
        told(&tree, &["todos/a/title"]),
        [
            "changed todos/a/title: Before -> After",
            "changed todos/a/title: First -> Before",
            "born todos/a: null -> First",
        ]
    );
    let blamed = json(&tree, &["blame", "todos/a/status"]);
    let first = tree.git(&["rev-list", "--max-parents=0", "HEAD"]);
    assert_eq!(blamed["fields"][0]["commit"], first.trim());
    let shown = tree
        .rhema(&["show", "todos/a/title", "--at", "HEAD"])
        .exits(0);
    assert_eq!(shown.stdout, "Before\n");
}

#[test]
fn a_log_is_bounded_in_time_and_by_conditions() {
    let world = World::new();
    let tree = set_up(&world);
    let old = [
        "-c",
        "user.name=Old",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "x",
    ];
    tree.git(&old);
    let stamp = json(&tree, &["set", "todos/a", "title=One"])["stamp"].clone();
    tree.rhema(&["set", "todos/b", "title=Two"]).exits(0);
    let since = told(&tree, &["--since", stamp.as_str().unwrap()]);
    assert_eq!(since.len(), 2, "{since:?}");
    let until = told(&tree, &["--until", stamp.as_str().unwrap(), "-n", "1"]);
    assert_eq!(until, ["changed todos/a/title: First -> One"]);
    assert_eq!(told(&tree, &["--until", "1d"]), Vec::<String>::new());
    let of = |condition: &str| told(&tree, &["--where", condition]);
    assert_eq!(of("to = 'Two' AND kind = 'changed'").len(), 1);
    assert_eq!(of("who = 'Nobody'").len(), 0);
    assert_eq!(of("commit IS NULL").len(), 2);
    tree.rhema(&["log", "--where", "to = "]).exits(3);
    let told = tree.rhema(&["log", "--since", "gibberish"]).exits(3);
    assert!(
        told.stderr.contains("no time, stamp or commit"),
        "{}",
        told.stderr
    );
}

#[test]
fn a_shallow_clone_says_where_its_history_ends() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", "todos/a", "title=Second"]).exits(0);
    tree.commit("second");
    let from = format!("file://{}", tree.top.display());
    let to = world.path("shallow");
    tree.git(&["clone", "-q", "--depth", "1", &from, &to.to_string_lossy()]);
    let shallow = world.tree("shallow");
    let said: Run = shallow.rhema(&["log"]).exits(0);
    assert!(said.stderr.contains("--unshallow"), "{}", said.stderr);
    assert!(!said.stdout.contains("todos/b"), "{}", said.stdout);
    shallow.rhema(&["blame", "todos/a"]).exits(0);
}

#[test]
fn before_the_first_commit_the_known_edits_tell_all() {
    let world = World::new();
    let tree = world.tree("repo");
    std::fs::create_dir_all(&tree.top).unwrap();
    tree.git(&["init", "-q", "-b", "main"]);
    assert_eq!(
        tree.rhema(&["log"]).exits(0).stdout,
        "Nothing was edited.\n"
    );
    tree.write(FILE, TODOS);
    tree.rhema(&["init"]).exits(0);
    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    tree.rhema(&["set", "todos/a", "title=Other"]).exits(0);
    assert_eq!(
        told(&tree, &["-n", "1"]),
        ["changed todos/a/title: First -> Other"]
    );
    tree.rhema(&["blame", "todos/a"]).exits(0);
    tree.rhema(&["show", FILE, "--at", "1h"]).exits(3);
}

#[test]
fn each_field_is_blamed_on_whoever_wrote_it() {
    let world = World::new();
    let tree = set_up(&world);
    tree.write(
        FILE,
        tree.read(FILE).replace("title: Second", "title: Typed"),
    );
    tree.git(&[
        "commit",
        "-qam",
        "typed",
        "--author",
        "Bob <bob@example.org>",
    ]);
    let stamp = json(&tree, &["set", "todos/b", "owner=ann"])["stamp"].clone();
    let fields = json(&tree, &["blame", "todos/b"])["fields"].clone();
    let of = |name: &str| {
        let mut fields = fields.as_array().unwrap().iter();
        let place = format!("todos/b/{name}");
        fields
            .find(|field| field["field"] == place)
            .unwrap()
            .clone()
    };
    assert_eq!(of("owner")["stamp"], stamp);
    assert_eq!(of("owner")["commit"], Value::Null);
    assert_eq!(of("title")["commit"], head(&tree));
    let first = tree.git(&["rev-list", "--max-parents=0", "HEAD"]);
    assert_eq!(of("status")["commit"], first.trim());
    let whole = json(&tree, &["blame", FILE])["fields"].clone();
    assert_eq!(whole.as_array().unwrap().len(), 6);
    let same = |field: &Value| whole.as_array().unwrap().contains(field);
    assert!(fields.as_array().unwrap().iter().all(same), "{whole:#}");
    tree.rhema(&["blame", "todos/zzz"]).exits(3);
}

#[test]
fn documents_are_shown_as_they_were() {
    let world = World::new();
    let tree = set_up(&world);
    let one = json(&tree, &["set", "todos/a", "title=One"])["stamp"].clone();
    let two = json(&tree, &["set", "todos/a", "title=Two"])["stamp"].clone();
    tree.commit("two");
    a_second_later();
    let three = json(&tree, &["set", "todos/a", "title=Three"])["stamp"].clone();
    let at = |when: &str| {
        let shown = tree.rhema(&["show", "todos/a/title", "--at", when]);
        shown.exits(0).stdout.trim().to_owned()
    };
    assert_eq!(at(one.as_str().unwrap()), "One");
    assert_eq!(at(two.as_str().unwrap()), "Two");
    assert_eq!(at(three.as_str().unwrap()), "Three");
    assert_eq!(at("HEAD"), "Two");
    assert_eq!(at("HEAD~1"), "First");
    let whole = tree.rhema(&["show", FILE, "--at", "HEAD~2"]).exits(0);
    assert_eq!(whole.stdout, TODOS);
    let whole = tree
        .rhema(&["show", FILE, "--at", one.as_str().unwrap()])
        .exits(0);
    assert_eq!(whole.stdout, TODOS.replace("First", "One"));
    let annotated = tree.rhema(&["show", FILE, "--annotated"]).exits(0);
    assert_eq!(annotated.stdout, tree.read(FILE));
}

#[test]
fn differences_are_told_by_meaning() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", "todos/a", "status=completed"]).exits(0);
    tree.rhema(&["add", "todos", "id=c", "title=Third"])
        .exits(0);
    tree.rhema(&["remove", "todos/b"]).exits(0);
    let said = tree.rhema(&["diff", "HEAD"]).exits(0).stdout;
    assert_eq!(
        said,
        ".rhema/todos.yaml\n  ~ todos/a/status: pending -> completed\n  - todos/b: Second\n  + todos/c: Third\n"
    );
    tree.rhema(&["diff", "HEAD", "--exit-code"]).exits(1);
    let said = tree.rhema(&["diff", "HEAD", "todos/a"]).exits(0).stdout;
    assert_eq!(said.lines().count(), 2, "{said}");
    tree.commit("all");
    tree.rhema(&["diff", "HEAD", "--exit-code"]).exits(0);
    let both = json(&tree, &["diff", "HEAD~1", "HEAD"]);
    assert_eq!(both["differences"].as_array().unwrap().len(), 3);
    assert_eq!(both["differences"][0]["kind"], "changed");
    // What is only written otherwise is none.
    tree.write("one.yaml", "a: 1\nb: 'x'\n");
    tree.write("two.yaml", "# other\nb: x\na: 1\n");
    let said = tree
        .rhema(&["diff", "--files", "one.yaml", "two.yaml", "--exit-code"])
        .exits(0);
    assert_eq!(said.stdout, "No difference.\n");
}

#[test]
fn a_teammate_is_called_by_name() {
    let world = World::new();
    let (ann, ben) = cloned(&world, &[(FILE, TODOS)]);
    ben.git(&["config", "user.name", "Ben"]);
    ben.rhema(&["set", "todos/a", "title=Bens"]).exits(0);
    ben.commit("his");
    ann.git(&["pull", "-q", "../ben", "main"]);
    let entry = json(&ann, &["log", "-n", "1"])["entries"][0].clone();
    assert_eq!(entry["to"], "Bens");
    assert_eq!(entry["commit"], head(&ann));
    assert!(entry["name"].is_string(), "{entry}");
    assert!(entry["stamp"].is_string(), "{entry}");
}

/// What the file says without annotations.
fn bare(tree: &Tree<'_>) -> String {
    tree.rhema(&["show", FILE]).exits(0).stdout
}

#[test]
fn the_last_edit_is_taken_back_and_given_again() {
    let world = World::new();
    let tree = set_up(&world);
    for (edit, made) in [
        (
            vec!["set", "todos/a", "status=completed", "outcome=Done"],
            TODOS.replacen("status: pending", "status: completed", 1),
        ),
        (
            vec!["remove", "todos/b"],
            TODOS.split("  # about b").next().unwrap().to_owned(),
        ),
        (vec!["remove", "todos/a"], String::new()),
        (
            vec!["add", "todos", "id=c", "title=Third"],
            format!("{TODOS}  - id: c\n    title: Third\n"),
        ),
        (vec!["move", "todos/b", "--first"], String::new()),
        (vec!["set", "todos/a", "notes=Other"], String::new()),
        (vec!["set", "todos/a", "--unset", "status"], String::new()),
        (vec!["set", "todos/a", "id=other"], String::new()),
        (vec!["set", "todos/b", "id=another"], String::new()),
    ] {
        tree.rhema(&edit).exits(0);
        let done = bare(&tree);
        if edit[0] != "set" && !made.is_empty() {
            assert_eq!(done, made, "{edit:?}");
        }
        assert_ne!(done, TODOS, "{edit:?}");
        let undone = json(&tree, &["undo"]);
        assert_eq!(bare(&tree), TODOS, "{edit:?}");
        assert!(
            undone["edits"][0]["stamp"].is_string(),
            "{edit:?}: {undone}"
        );
        tree.rhema(&["undo"]).exits(0);
        assert_eq!(bare(&tree), done, "{edit:?}: undo of undo");
        tree.rhema(&["undo"]).exits(0);
        assert_eq!(bare(&tree), TODOS, "{edit:?}");
        let sync = json(&tree, &["sync", "--timeout", "0"]);
        assert_eq!(sync["edits_recorded"], 0, "{edit:?}");
    }
}

#[test]
fn what_was_committed_is_taken_back_too() {
    let world = World::new();
    let tree = set_up(&world);
    let stamp = json(&tree, &["remove", "todos/b"]);
    assert_eq!(stamp["changed"], true);
    tree.commit("gone");
    tree.rhema(&["set", "todos/a", "title=Later"]).exits(0);
    tree.commit("later");
    let log = json(&tree, &["log", "--where", "kind = 'removed'"]);
    let stamp = log["entries"][0]["stamp"].as_str().unwrap().to_owned();
    tree.rhema(&["undo", &stamp]).exits(0);
    assert_eq!(bare(&tree), TODOS.replace("First", "Later"));
    tree.rhema(&["undo", "HEAD"]).exits(0);
    assert_eq!(bare(&tree), TODOS);
}

#[test]
fn what_others_committed_without_the_tool_is_taken_back_by_its_commit() {
    let world = World::new();
    let tree = set_up(&world);
    tree.git(&["checkout", "-q", "-b", "side"]);
    let typed = tree.read(FILE).replace("title: Second", "title: Typed");
    tree.write(FILE, typed.replace("      two\n", "      two, and more\n"));
    tree.commit("typed");
    tree.rhema(&["undo", "HEAD"]).exits(0);
    assert_eq!(bare(&tree), TODOS);
    tree.rhema(&["undo", "HEAD~5"]).exits(3);
}

#[test]
fn where_something_else_was_done_since_nothing_is_taken_back() {
    let world = World::new();
    let tree = set_up(&world);
    let stamp = json(&tree, &["set", "todos/a", "title=One", "owner=me"])["stamp"].clone();
    let stamp = stamp.as_str().unwrap();
    tree.rhema(&["set", "todos/a", "title=Two"]).exits(0);
    let before = tree.read(FILE);
    let said = tree.rhema(&["undo", stamp]).exits(3);
    assert!(
        said.stderr
            .contains("todos/a/title is Two since by A. Tester"),
        "{}",
        said.stderr
    );
    assert_eq!(tree.read(FILE), before);
    tree.rhema(&["undo", stamp, "--force"]).exits(0);
    assert_eq!(bare(&tree), TODOS);
    let said = tree.rhema(&["undo", "4k2m9xa7-7f3kqd"]).exits(3);
    assert!(said.stderr.contains("nobody here knows"), "{}", said.stderr);
}

#[test]
fn a_text_goes_back_where_nobody_touched_its_lines_since() {
    let world = World::new();
    let tree = set_up(&world);
    let change = |from: &str, to: &str| {
        let text = tree.read(FILE);
        assert!(text.contains(from), "{text}");
        tree.write(FILE, text.replace(from, to));
        tree.rhema(&["sync", "--timeout", "0"]).exits(0);
        let entry = &json(&tree, &["log", "-n", "1"])["entries"][0];
        entry["stamp"].as_str().unwrap().to_owned()
    };
    let first = change("      one\n", "      one, changed\n");
    change("      three\n", "      three\n      four\n");
    tree.rhema(&["undo", &first]).exits(0);
    let expected = TODOS.replace("      three\n", "      three\n      four\n");
    assert_eq!(bare(&tree), expected);
}

#[test]
fn a_counter_goes_back_by_what_was_added() {
    let world = World::new();
    let text = "todos:\n  - id: a\n    title: First\n    votes: 5\n";
    let config = "types:\n  todos[].votes: pn_counter\n";
    let files = [(FILE, text), (".rhema/crdt/config.yaml", config)];
    let tree = world.repo("repo", &files);
    tree.rhema(&["init"]).exits(0);
    tree.commit("set up");
    tree.rhema(&["increment", "todos/a/votes", "3"]).exits(0);
    let log = json(&tree, &["log", "-n", "1"]);
    let stamp = log["entries"][0]["stamp"].as_str().unwrap().to_owned();
    tree.rhema(&["increment", "todos/a/votes", "10"]).exits(0);
    tree.rhema(&["undo", &stamp]).exits(0);
    let votes = tree.rhema(&["get", "todos/a/votes"]).exits(0).stdout;
    assert_eq!(votes, "15\n");
}

#[test]
fn lists_roots_and_records_of_a_sequence_have_their_history() {
    let world = World::new();
    let files = [
        (FILE, "todos:\n  - id: a\n    title: First\nowner: me\n"),
        (".rhema/notes.yaml", "- id: s\n  title: Note\n"),
    ];
    let tree = world.repo("repo", &files);
    tree.rhema(&["init"]).exits(0);
    tree.commit("set up");
    tree.rhema(&["set", "todos/a", "title=Other"]).exits(0);
    tree.rhema(&["set", ".", "owner=you"]).exits(0);
    let changed = "changed todos/a/title: First -> Other";
    assert_eq!(
        told(&tree, &["todos"]),
        [changed, "born todos/a: null -> First"]
    );
    assert_eq!(
        told(&tree, &["owner"]),
        ["changed owner: me -> you", "changed owner: null -> me"]
    );
    let of_note = ["s/title", "--file", ".rhema/notes.yaml"];
    assert_eq!(told(&tree, &of_note), ["born s: null -> Note"]);
    let at = tree
        .rhema(&["show", "todos", "--at", "now"])
        .exits(0)
        .stdout;
    assert_eq!(at, "- id: a\n  title: Other\n");
}

#[test]
fn of_two_records_born_with_one_name_the_second_is_told_to_be_renamed() {
    let world = World::new();
    let tree = set_up(&world);
    tree.git(&["checkout", "-q", "-b", "side"]);
    tree.rhema(&["add", "todos", "id=faq", "title=Theirs"])
        .exits(0);
    tree.commit("theirs");
    tree.git(&["checkout", "-q", "main"]);
    tree.rhema(&["add", "todos", "id=faq", "title=Ours"])
        .exits(0);
    tree.commit("ours");
    a_second_later();
    tree.git(&["merge", "-q", "--no-edit", "side"]);
    let all = told(&tree, &[]);
    assert!(all[0].starts_with("renamed todos/faq-"), "{all:#?}");
    assert!(all[0].contains(": faq -> faq-"), "{all:#?}");
    let born = all.iter().filter(|line| line.starts_with("born todos/faq"));
    assert_eq!(born.count(), 2, "{all:#?}");
}

#[test]
fn a_document_that_is_gone_and_back_has_its_history() {
    let world = World::new();
    let tree = set_up(&world);
    let stamp = json(&tree, &["set", "todos/a", "title=Other"])["stamp"].clone();
    tree.commit("title");
    a_second_later();
    tree.git(&["rm", "-q", FILE]);
    tree.git(&["commit", "-qm", "gone"]);
    let gone = told(&tree, &["-n", "2"]);
    assert_eq!(
        gone,
        [
            "removed todos/a: Other -> null",
            "removed todos/b: Second -> null"
        ]
    );
    a_second_later();
    tree.git(&["revert", "--no-edit", "HEAD"]);
    tree.git(&["mv", FILE, ".rhema/work.yaml"]);
    tree.commit("elsewhere");
    std::fs::remove_file(tree.path(".git/rhema/store.sqlite")).unwrap();
    tree.rhema(&["undo", stamp.as_str().unwrap()]).exits(0);
    assert_eq!(
        tree.rhema(&["show", ".rhema/work.yaml"]).exits(0).stdout,
        TODOS
    );
}

/// A number that looks like any other.
fn next(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

/// Random edits, commits and looks: each state comes back by the stamp of its last edit, and each edit is told once.
#[test]
fn every_state_comes_back() {
    for seed in seeds() {
        let world = World::new();
        let tree = set_up(&world);
        let mut state = seed;
        let mut states: Vec<(String, String)> = Vec::new();
        for step in 0..14 {
            let record = ["a", "b"][next(&mut state, 2) as usize];
            let place = format!("todos/{record}");
            let value = format!("notes=Text {step}");
            let edit = match next(&mut state, 7) {
                0 => vec!["set", &place, &value],
                1 => vec!["set", &place, "status=completed", &value],
                2 => vec!["move", &place, "--first"],
                3 => vec!["add", "todos", &value, "title=Another one"],
                4 => vec!["set", &place, "--unset", "notes"],
                5 => {
                    tree.commit(&format!("commit {step}"));
                    continue;
                }
                _ => {
                    tree.rhema(&["sync", "--timeout", "0"]).exits(0);
                    continue;
                }
            };
            let done = tree.rhema(&edit);
            if done.status != 0 {
                continue;
            }
            let last = json(&tree, &["log", "-n", "1"])["entries"][0].clone();
            if last["state"] == "pending" {
                let stamp = last["stamp"].as_str().unwrap().to_owned();
                states.push((stamp, bare(&tree)));
            }
        }
        states.dedup_by(|later, earlier| later.0 == earlier.0);
        for (stamp, text) in &states {
            let shown = tree.rhema(&["show", FILE, "--at", stamp]).exits(0).stdout;
            says_the_same(&tree, &shown, text);
        }
        let mut all = told(&tree, &["--all"]);
        let count = all.len();
        let log = json(&tree, &["log", "--all"])["entries"].clone();
        let mut named: Vec<String> = log
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| format!("{} {} {}", entry["stamp"], entry["field"], entry["kind"]))
            .collect();
        named.sort();
        named.dedup();
        assert_eq!(named.len(), count, "seed {seed}: {all:#?}");
        // Taken back one after the other, nothing is left.
        all.retain(|line| !line.contains("born todos/a:") && !line.contains("born todos/b:"));
        for (stamp, _) in states.iter().rev() {
            let state = &json(
                &tree,
                &["log", "--all", "--where", &format!("stamp = '{stamp}'")],
            )["entries"][0]["state"];
            if state != "retracted" {
                tree.rhema(&["undo", stamp]).exits(0);
            }
        }
        says_the_same(&tree, &bare(&tree), TODOS);
    }
}

/// In what form fields stand that were edited here alone is nobody's business.
#[track_caller]
fn says_the_same(tree: &Tree<'_>, one: &str, other: &str) {
    tree.write("one.txt", one);
    tree.write("other.txt", other);
    tree.rhema(&["diff", "--files", "one.txt", "other.txt", "--exit-code"])
        .exits(0);
    std::fs::remove_file(tree.path("one.txt")).unwrap();
    std::fs::remove_file(tree.path("other.txt")).unwrap();
}

fn seeds() -> Vec<u64> {
    match std::env::var("PROPTEST_CASES") {
        Ok(cases) => (100..100 + cases.parse::<u64>().unwrap()).collect(),
        Err(_) => vec![1],
    }
}

#[test]
fn what_one_save_did_is_taken_back_together() {
    let world = World::new();
    let tree = set_up(&world);
    tree.rhema(&["set", "todos/a", "notes=Other"]).exits(0);
    let before = bare(&tree);
    tree.write(
        FILE,
        tree.read(FILE).replace("status: pending", "status: done"),
    );
    tree.rhema(&["undo"]).exits(0);
    assert_eq!(bare(&tree), before);
}

#[test]
fn setting_up_before_the_first_commit_is_nothing_to_take_back() {
    let world = World::new();
    let tree = world.repo("repo", &[]);
    tree.git(&["update-ref", "-d", "HEAD"]);
    tree.write(FILE, TODOS);
    tree.rhema(&["init"]).exits(0);
    let before = bare(&tree);
    let said = tree.rhema(&["undo"]).exits(3);
    assert!(
        said.stderr.contains("nothing was edited here"),
        "{}",
        said.stderr
    );
    assert_eq!(bare(&tree), before);
}

#[test]
fn only_what_is_meant_is_taken_back() {
    let world = World::new();
    let tree = world.repo(
        "repo",
        &[
            ("api/.rhema/todos.yaml", TODOS),
            ("web/.rhema/todos.yaml", TODOS),
        ],
    );
    tree.rhema(&["init"]).exits(0);
    tree.commit("set up");
    for scope in ["api", "web"] {
        tree.rhema(&["set", "todos/a", "status=done", "--scope", scope])
            .exits(0);
    }
    tree.rhema(&["undo", "--scope", "api"]).exits(0);
    assert!(
        tree.read("api/.rhema/todos.yaml")
            .matches("pending")
            .count()
            == 2
    );
    assert!(
        tree.read("web/.rhema/todos.yaml")
            .matches("pending")
            .count()
            == 1
    );
    tree.commit("web");
    tree.rhema(&["undo", "HEAD", "--scope", "api"]).exits(3);
}

#[test]
fn a_document_that_is_gone_is_a_difference() {
    let world = World::new();
    let tree = set_up(&world);
    tree.git(&["rm", "-q", FILE]);
    tree.git(&["commit", "-qm", "gone"]);
    for arguments in [&["HEAD~1"][..], &["HEAD~1", "HEAD"]] {
        let all = [&["diff", "--exit-code"], arguments].concat();
        let said = tree.rhema(&all).exits(1);
        assert!(said.stdout.contains("- todos/a: First"), "{}", said.stdout);
    }
    let said = tree.rhema(&["undo", "HEAD"]).exits(3);
    assert!(said.stderr.contains("git revert"), "{}", said.stderr);
}

#[test]
fn what_was_written_along_with_another_name_of_the_document_is_of_that_commit() {
    let world = World::new();
    let tree = set_up(&world);
    tree.git(&["mv", FILE, ".rhema/work.yaml"]);
    let text = tree.read(".rhema/work.yaml");
    tree.write(
        ".rhema/work.yaml",
        text.replace("title: First", "title: Typed"),
    );
    tree.commit("renamed, and typed");
    let renamed = head(&tree);
    let text = tree.read(".rhema/work.yaml");
    tree.write(".rhema/work.yaml", text.replace("two", "2"));
    tree.commit("typed again");
    std::fs::remove_file(tree.path(".git/rhema/store.sqlite")).unwrap();
    let blamed = json(&tree, &["blame", "todos/a/title"]);
    assert_eq!(blamed["fields"][0]["commit"], renamed);
}
