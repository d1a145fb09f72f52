//! Each kind of conflict, as real merges and files leave it: listed, settled, and the same for everybody afterwards.

use serde_json::Value;

use crate::sent::send;
use crate::support::{Tree, World};

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
todos:
  - id: ship
    title: Ship it
    status: pending
    priority: high
    votes: 3
    notes: |
      First line
      Second line
      Third line
  - id: old
    title: Old thing
    status: pending
";

const CONFIG: &str = "discovery: off\ntypes:\n  todos[].votes: pn_counter\n";

/// Two clones: in the first one what the second did was merged, so that one conflict of each kind is open that merges leave.
pub(crate) fn merged(world: &World) -> (Tree<'_>, Tree<'_>) {
    let ann = world.repo("ann", &[(FILE, TODOS), (".rhema/crdt/config.yaml", CONFIG)]);
    ann.rhema(&["init"]).exits(0);
    ann.commit("init");
    ann.git(&["clone", "-q", ".", "../ben"]);
    let ben = world.tree("ben");
    ben.rhema(&["init"]).exits(0);
    ben.commit("join");
    let work = |tree: &Tree<'_>, priority: &str, title: &str, owner: &str, line: &str| {
        tree.rhema(&["set", "todos/ship", &format!("priority={priority}")])
            .exits(0);
        let title = format!("title={title}");
        let owner = format!("owner={owner}");
        tree.rhema(&["add", "todos", "id=new", &title, "status=pending", &owner])
            .exits(0);
        tree.write(FILE, tree.read(FILE).replace("Second line", line));
        tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    };
    ben.rhema(&["remove", "todos/old"]).exits(0);
    work(&ben, "low", "Buy milk", "ben", "Second line of Ben");
    ben.commit("ben's");
    ann.rhema(&["set", "todos/old", "status=blocked"]).exits(0);
    work(&ann, "urgent", "Sell the car", "ann", "Second line of Ann");
    ann.commit("ann's");
    ann.git(&["pull", "-q", "--no-rebase", "--no-edit", "../ben", "main"]);
    (ann, ben)
}

fn conflicts(tree: &Tree<'_>) -> Vec<Value> {
    let report = tree.rhema(&["resolve", "--list", "--json"]).json();
    report["conflicts"].as_array().unwrap().clone()
}

fn kinds(tree: &Tree<'_>) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    conflicts(tree)
        .iter()
        .map(|one| (word(&one["kind"]), word(&one["field"])))
        .collect()
}

/// The second name of the record that got one.
pub(crate) fn second_name(tree: &Tree<'_>) -> String {
    let text = tree.read(FILE);
    let line = text.lines().find(|line| line.contains("- id: new-"));
    line.unwrap().trim_start_matches("  - id: ").to_owned()
}

fn settle(tree: &Tree<'_>, arguments: &[&str]) {
    let run = tree.rhema(&[&["resolve", "--path"], arguments].concat());
    assert!(run.status < 2, "{arguments:?}: {}", run.stderr);
}

/// Whether the file is what is known: nothing is found in it that was not recorded.
fn is_recorded(tree: &Tree<'_>) {
    let before = tree.read(FILE);
    let report = tree.rhema(&["sync", "--timeout", "0", "--json"]).json();
    assert_eq!(report["edits_recorded"], 0, "{report}");
    assert_eq!(tree.read(FILE), before);
}

#[test]
fn each_kind_is_listed_as_what_it_is() {
    let world = World::new();
    let (ann, _) = merged(&world);
    let second = second_name(&ann);
    ann.write(FILE, ann.read(FILE).replace("votes: 3", "votes: many"));
    let told = |kind: &str, field: &str| (kind.to_owned(), field.to_owned());
    assert_eq!(
        kinds(&ann),
        [
            told("text", "todos/ship/notes"),
            told("value", "todos/ship/priority"),
            told("deleted", "todos/old"),
            told("id", &format!("todos/{second}/id")),
            told("validator", "todos/ship/votes"),
        ]
    );
    let all = conflicts(&ann);
    assert_eq!(all[1]["winner"]["value"], "urgent");
    assert_eq!(all[1]["winner"]["branch"], "main");
    let commit = ann.git(&["rev-parse", "--short", "HEAD^2"]);
    assert_eq!(all[1]["losers"][0]["commit"], commit.trim());
    assert_eq!(all[2]["winner"]["value"]["id"], "old");
    assert_eq!(all[2]["losers"][0]["value"], Value::Null);
    assert_eq!(all[3]["record"]["id"], second.as_str());
    assert_eq!(all[3]["namesake"]["id"], "new");
    assert_eq!(all[4]["winner"]["value"], 3);
    assert_eq!(all[4]["losers"][0]["value"], "many");
    assert!(all[4]["why"].as_str().unwrap().contains("no whole number"));
    // Those of them that stand in the file are counted by `status`.
    let status = ann.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(status["documents"][0]["conflicts"], 4, "{status}");
}

#[test]
fn each_kind_is_settled_and_everybody_sees_the_same() {
    let world = World::new();
    let (ann, ben) = merged(&world);
    let second = second_name(&ann);
    ann.write(FILE, ann.read(FILE).replace("votes: 3", "votes: many"));
    settle(&ann, &["todos/ship/votes", "--take", "winner"]);
    settle(&ann, &["todos/ship/priority", "--take", "1"]);
    settle(&ann, &["todos/ship/notes", "--take", "1"]);
    settle(&ann, &["todos/old", "--take", "1"]);
    settle(&ann, &[&format!("todos/{second}"), "--value", "car"]);
    assert_eq!(kinds(&ann), []);
    let text = ann.read(FILE);
    for (is, expected) in [
        ("priority: low", true),
        ("Second line of Ben", true),
        ("votes: 3", true),
        ("id: old", false),
        ("id: car", true),
        ("id: new\n", true),
    ] {
        assert_eq!(text.contains(is), expected, "{is}: {text}");
    }
    is_recorded(&ann);
    // Over the network, before it is committed, and by git.
    ben.git(&["pull", "-q", "--ff-only", "../ann", "main"]);
    ben.rhema(&["sync", "--timeout", "0"]);
    assert_eq!(kinds(&ben).len(), 4);
    send(&ann, &ben);
    ben.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert_eq!(ben.read(FILE), ann.read(FILE));
    ann.commit("settled");
    ben.git(&["checkout", "-q", "--", FILE]);
    ben.git(&["pull", "-q", "--ff-only", "../ann", "main"]);
    ben.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert_eq!(ben.read(FILE), ann.read(FILE));
}

/// Both settle all that a merge left, each before hearing of the other; what both hold once they have.
fn both_settle(of_ann: &[&[&str]], of_ben: &[&[&str]]) -> String {
    let world = World::new();
    let (ann, ben) = merged(&world);
    let second = second_name(&ann);
    ben.git(&["pull", "-q", "--ff-only", "../ann", "main"]);
    for tree in [&ann, &ben] {
        tree.rhema(&["sync", "--timeout", "0"]);
    }
    for (tree, choices) in [(&ann, of_ann), (&ben, of_ben)] {
        for choice in choices {
            let path = choice[0].replace("SECOND", &second);
            settle(tree, &[&[path.as_str()], &choice[1..]].concat());
        }
    }
    send(&ann, &ben);
    send(&ben, &ann);
    for tree in [&ann, &ben] {
        tree.rhema(&["sync", "--timeout", "0"]);
    }
    let live = ann.read(FILE);
    assert_eq!(live, ben.read(FILE));
    // The same by git alone.
    ann.git(&["commit", "-q", "-am", "settled"]);
    ben.git(&["commit", "-q", "-am", "settled"]);
    ann.git(&["pull", "-q", "--no-rebase", "--no-edit", "../ben", "main"]);
    ben.git(&["pull", "-q", "--no-rebase", "--no-edit", "../ann", "main"]);
    assert_eq!(ann.read(FILE), ben.read(FILE));
    live.replace(&second, "SECOND")
}

#[test]
fn two_who_settle_the_same_alike_have_settled_it() {
    let choices: &[&[&str]] = &[
        &["todos/ship/priority", "--take", "1"],
        &["todos/ship/notes", "--take", "1"],
        &["todos/old", "--take", "1"],
        &["todos/SECOND/id", "--take", "winner"],
    ];
    let text = both_settle(choices, choices);
    assert!(
        text.contains("priority: low") && text.contains("Second line of Ben"),
        "{text}"
    );
    assert!(!text.contains("id: old"), "{text}");
    assert!(
        text.contains("_crdt_conflicts: id~") && text.contains("~s.SECOND\n"),
        "{text}"
    );
    assert_eq!(text.matches("_crdt_conflicts").count(), 1, "{text}");
}

#[test]
fn two_who_settle_the_same_differently_have_a_conflict_again() {
    let text = both_settle(
        &[&["todos/ship/priority", "--take", "winner"]],
        &[&["todos/ship/priority", "--value", "medium"]],
    );
    assert!(
        text.contains("priority: medium") && text.contains("~s.urgent"),
        "{text}"
    );
    assert!(!text.contains("~s.low"), "what both let go is gone: {text}");
}

#[test]
fn two_who_join_the_same_records_have_joined_them() {
    let choices: &[&[&str]] = &[&["todos/SECOND/id", "--take", "1"]];
    let text = both_settle(choices, choices);
    assert!(!text.contains("SECOND"), "{text}");
    let new = text
        .split("  - id: ")
        .find(|record| record.starts_with("new\n"));
    let new = new.unwrap();
    assert!(
        new.contains("title: Buy milk") && new.contains("owner: ben"),
        "{new}"
    );
    assert!(
        new.contains("~s.Sell+the+car") && new.contains("~s.ann"),
        "{new}"
    );
}

#[test]
fn who_keeps_both_of_two_records_is_not_asked_again_though_much_is_edited() {
    let world = World::new();
    let (ann, _) = merged(&world);
    let second = second_name(&ann);
    settle(&ann, &[&format!("todos/{second}/id"), "--take", "winner"]);
    ann.commit("kept");
    for round in 0..3 {
        let record = format!("todos/{second}");
        ann.rhema(&[
            "set",
            &record,
            &format!("title=Title {round}"),
            "status=done",
        ])
        .exits(0);
        ann.commit("edited");
    }
    assert!(
        kinds(&ann).iter().all(|(kind, _)| kind != "id"),
        "{:?}",
        kinds(&ann)
    );
}

#[test]
fn what_was_settled_is_taken_back() {
    let world = World::new();
    let (ann, _ben) = merged(&world);
    let shown = || ann.rhema(&["get", "todos/ship"]).exits(0).stdout;
    let before = shown();
    for field in ["todos/ship/priority", "todos/ship/notes"] {
        ann.rhema(&["resolve", "--path", field, "--take", "1"]);
        assert_ne!(shown(), before, "{field}");
        ann.rhema(&["undo"]).exits(0);
        assert_eq!(shown(), before, "{field}");
    }
    // Which side a record came from is no reason to throw the other one away.
    ann.rhema(&["resolve", "--all", "--strategy", "theirs"])
        .exits(0);
    let text = ann.read(FILE);
    assert!(
        text.contains("Buy milk") && text.contains("Sell the car"),
        "{text}"
    );
}

#[test]
fn who_settles_first_of_all_in_a_new_clone_settles_under_their_own_name() {
    let world = World::new();
    let (ann, _ben) = merged(&world);
    ann.git(&["clone", "-q", ".", "../cyd"]);
    let cyd = world.tree("cyd");
    cyd.rhema(&["init"]).exits(0);
    cyd.commit("join");
    for take in ["winner", "1"] {
        let field = match take {
            "winner" => "todos/ship/priority",
            _ => "todos/ship/notes",
        };
        cyd.rhema(&["resolve", "--path", field, "--take", take]);
    }
    cyd.commit("settled");
    send(&cyd, &ann);
    ann.git(&["pull", "-q", "../cyd", "main"]);
    for tree in [&cyd, &ann] {
        tree.rhema(&["sync", "--timeout", "0"]);
        assert_eq!(tree.git(&["status", "--porcelain"]), "");
    }
}
