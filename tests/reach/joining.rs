//! Who has a ticket and never meets the inviter joins through the git remote.

use serde_json::Value;

use crate::support::{Tree, World};
use crate::team::{TODOS, add, same, sync, sync_all, team};

fn ticket(clone: &Tree<'_>, options: &[&str]) -> String {
    let arguments: Vec<&str> = ["invite", "--json"]
        .iter()
        .chain(options)
        .copied()
        .collect();
    let report: Value = clone.rhema(&arguments).exits(0).json();
    report["ticket"].as_str().unwrap().to_owned()
}

/// A fresh clone of the bare repository.
fn fresh<'w>(world: &'w World, from: &Tree<'_>, name: &str) -> Tree<'w> {
    from.git(&["clone", "-q", "../origin.git", &format!("../{name}")]);
    world.tree(name)
}

#[test]
fn a_request_is_left_there_answered_there_and_found_there() {
    let world = World::new();
    let mut clones = team(&world, 1);
    let ticket = ticket(&clones[0], &["--role", "writer", "--name", "Ben"]);
    let ben = fresh(&world, &clones[0], "ben");
    let asked = ben.rhema(&["join", &ticket]).exits(1);
    assert!(
        asked.stdout.contains("the request was left at origin"),
        "{}",
        asked.stdout
    );
    let said = clones[0].rhema(&["sync"]).exits(0);
    assert!(
        said.stderr.contains("Ben joined as writer"),
        "{}",
        said.stderr
    );
    let said = ben.rhema(&["sync"]).exits(0);
    assert!(
        said.stderr.contains("let this work tree in as writer"),
        "{}",
        said.stderr
    );
    // From now on they exchange edits, committed or not.
    add(&ben, "b");
    add(&clones[0], "a2");
    clones.push(ben);
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("id: b\n") && shown.contains("id: a2\n"),
        "{shown}"
    );
    clones[0].git(&["add", ".rhema/crdt"]);
    clones[0].git(&["commit", "-q", "-m", "Ben", "--", ".rhema/crdt"]);
    clones[0].git(&["push", "-q"]);
    clones[1].git(&["stash", "-q"]);
    clones[1].git(&["pull", "-q"]);
    clones[1].git(&["stash", "pop", "-q"]);
    let status = clones[1]
        .rhema(&["peers", "list", "--json"])
        .exits(0)
        .json();
    assert_eq!(status["role"], "writer", "{status}");
    assert!(clones[1].read(TODOS).contains("id: b\n"));
}

#[test]
fn a_ticket_is_of_use_once() {
    let world = World::new();
    let clones = team(&world, 1);
    let ticket = ticket(&clones[0], &[]);
    let (ben, cleo) = (
        fresh(&world, &clones[0], "ben"),
        fresh(&world, &clones[0], "cleo"),
    );
    ben.rhema(&["join", &ticket]).exits(1);
    sync(&clones[0]);
    cleo.rhema(&["join", &ticket]).exits(1);
    sync(&clones[0]);
    let said = ben.rhema(&["sync"]).exits(0);
    assert!(
        said.stderr.contains("let this work tree in"),
        "{}",
        said.stderr
    );
    let said = cleo.rhema(&["sync"]).exits(0);
    assert!(
        said.stderr
            .contains("was not let in: somebody else has joined"),
        "{}",
        said.stderr
    );
    add(&cleo, "evil");
    cleo.rhema(&["sync"]);
    clones[0].rhema(&["sync"]);
    assert!(!clones[0].read(TODOS).contains("evil"));
}

#[test]
fn a_ticket_that_was_taken_back_is_refused_there() {
    let world = World::new();
    let clones = team(&world, 1);
    let ticket = ticket(&clones[0], &[]);
    let ben = fresh(&world, &clones[0], "ben");
    ben.rhema(&["join", &ticket]).exits(1);
    let listed = clones[0]
        .rhema(&["invite", "--list", "--json"])
        .exits(0)
        .json();
    let id = listed["invitations"][0]["id"].as_str().unwrap().to_owned();
    clones[0].rhema(&["invite", "--revoke", &id]).exits(0);
    sync(&clones[0]);
    let said = ben.rhema(&["sync"]).exits(0);
    assert!(
        said.stderr.contains("took this invitation back"),
        "{}",
        said.stderr
    );
}
