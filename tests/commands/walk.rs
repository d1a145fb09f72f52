//! `resolve` on a terminal: it walks from conflict to conflict and asks.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{BINARY, Run, Tree, World};

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
  - id: c
    _crdt_conflicts: completed_at~4k2mez11-01xyz9~s.2025-11-03 status~4k2mez11-01xyz9~s.completed
    title: Third
    status: blocked
    completed_at: null
";

/// What the file holds without the stamps of its records.
fn bare(tree: &Tree<'_>) -> String {
    let text = tree.read(FILE);
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| !line.starts_with("    _crdt: "))
        .collect()
}

/// Runs `resolve` on a terminal where somebody types these lines.
fn walk(tree: &Tree<'_>, typed: &str) -> Run {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let mut command: Command = tree.world.command(BINARY, &tree.top);
    command
        .args(["crdt", "resolve"])
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal);
    let mut child = command.spawn().unwrap();
    // The terminal belongs to the child alone from here on, so that reading ends with it.
    drop(command);
    let mut controller = File::from(controller);
    controller.write_all(typed.as_bytes()).unwrap();
    let mut shown = Vec::new();
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = controller.read(&mut part) {
        shown.extend_from_slice(&part[..read]);
    }
    Run {
        status: child.wait().unwrap().code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&shown).into_owned(),
        stderr: String::new(),
    }
}

#[test]
fn each_conflict_is_shown_and_asked_about_once() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let run = walk(&tree, "1\n=Erstens\n1\n1\n").exits(0);
    assert_eq!(
        bare(&tree),
        "\
_crdt: v1 todos=or_set
todos:
  - id: a
    title: Erstens
    status: late
  - id: c
    title: Third
    status: completed
    completed_at: 2025-11-03
"
    );
    // Fields that change together are one question.
    assert_eq!(
        run.stdout.matches("Take [w]inner").count(),
        4,
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("No conflict is open."),
        "{}",
        run.stdout
    );
}

#[test]
fn whoever_skips_or_leaves_keeps_the_rest_open() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let run = walk(&tree, "s\nw\nq\n").exits(1);
    assert!(run.stdout.contains("todos/a/status"), "{}", run.stdout);
    let left = "    _crdt_conflicts: status~4k2mez11-01xyz9~s.late\n    title: First\n";
    assert!(tree.read(FILE).contains(left), "{}", tree.read(FILE));
    assert!(tree.read(FILE).contains("deleted\n"));
    let before = tree.read(FILE);
    // The end of the input is a way to leave, too.
    walk(&tree, "\u{4}").exits(1);
    assert_eq!(tree.read(FILE), before);
}

#[test]
fn what_is_no_answer_is_asked_again() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let run = walk(&tree, "what\n7\n=[x\nw\nq\n").exits(1);
    assert_eq!(
        run.stdout.matches("Take [w]inner").count(),
        5,
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("no such loser"), "{}", run.stdout);
    assert!(run.stdout.contains("quote it"), "{}", run.stdout);
    assert!(
        tree.read(FILE)
            .contains("_crdt_conflicts: title~~s.Firstly\n")
    );
}
