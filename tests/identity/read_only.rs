//! A git directory that cannot be written: what needs files alone goes on.

use std::process::Command;

use crate::knowledge::{FILE, SYNC, TODOS, retitle};
use crate::support::{BINARY, Run, Tree, World, run};

/// Runs a command where the git directory is mounted read-only, for this command alone; nothing where that is not allowed.
fn with_read_only_git(tree: &Tree<'_>, arguments: &[&str]) -> Option<Run> {
    let script = "mount --bind .git .git && mount -o remount,bind,ro .git || exit 99; exec \"$0\" crdt \"$@\"";
    for how in [&["-m"][..], &["-rm"]] {
        let mut command: Command = tree.world.command("unshare", &tree.path(""));
        command.args(how).args(["sh", "-c", script, BINARY]);
        let Ok(output) = command.args(arguments).output() else {
            continue;
        };
        let is_refused = output.status.code() == Some(99)
            || String::from_utf8_lossy(&output.stderr).starts_with("unshare: ");
        if !is_refused {
            let mut command: Command = tree.world.command("unshare", &tree.path(""));
            command.args(how).args(["sh", "-c", script, BINARY]);
            return Some(run(command.args(arguments)));
        }
    }
    None
}

#[test]
fn what_needs_files_alone_goes_on() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("init");
    retitle(&tree, "First", "Alpha");
    tree.write(FILE, tree.read(FILE).replace("Second", "Beta"));
    let before = tree.snapshot();
    if with_read_only_git(&tree, &["status"]).is_none() {
        eprintln!("skipped: nothing can be mounted here");
        return;
    }
    let run = |arguments: &[&str]| with_read_only_git(&tree, arguments).unwrap();
    for command in [
        &SYNC[..],
        &["set", "todos/a", "title=x"],
        &["add", "todos", "title=x"],
        &["uninit"],
    ] {
        let run = run(command).exits(3);
        let first = run.stderr.lines().next().unwrap();
        assert!(first.starts_with("error: "), "{command:?}: {}", run.stderr);
        assert!(first.contains(".git/"), "{command:?}: {}", run.stderr);
        assert!(run.stdout.is_empty());
    }
    run(&["init"]).exits(0);
    for command in [
        &["status", "--json"][..],
        &["get", "todos/a/title"],
        &["export"],
        &["verify"],
        &["resolve", "--list"],
        &["merge", FILE, FILE, FILE],
    ] {
        run(command).exits(0);
    }
    assert_eq!(run(&["get", "todos/b/title"]).stdout.trim(), "Beta");
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn a_clone_that_was_never_set_up_can_be_read_too() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let Some(status) = with_read_only_git(&tree, &["status", "--json"]) else {
        eprintln!("skipped: nothing can be mounted here");
        return;
    };
    status.exits(0);
    let run = with_read_only_git(&tree, &SYNC).unwrap().exits(3);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    assert!(!tree.path(".git/rhema").exists());
}
