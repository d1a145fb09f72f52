//! Clones of other kinds: shallow, partial, linked, copied, and with configurations of their own.

use crate::support::{Tree, World};
use crate::team::{TODOS, add, origin, same, sync, sync_all, team};

fn url(origin: &Tree<'_>) -> String {
    format!("file://{}", origin.top.display())
}

/// Has a clone of another kind join two usual ones, everybody edit, and all come to the same; all three.
fn takes_part<'w>(world: &'w World, kind: &str) -> Vec<Tree<'w>> {
    let mut clones = team(world, 2);
    let origin = origin(world);
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    clones[0].git(&["clone", "-q", kind, &url(&origin), "../other"]);
    let other = world.tree("other");
    other.rhema(&["init"]).exits(0);
    other.commit("join");
    other.git(&["push", "-q"]);
    for clone in &clones {
        clone.git(&["pull", "-q"]);
    }
    clones.push(other);
    for (number, clone) in clones.iter().enumerate() {
        add(clone, &format!("t{number}"));
    }
    sync_all(&clones);
    let shown = same(&clones);
    assert_eq!(shown.matches("id: t").count(), 3, "{shown}");
    clones
}

#[test]
fn a_shallow_clone_takes_part() {
    let world = World::new();
    let clones = takes_part(&world, "--depth=1");
    assert!(clones[2].path(".git/shallow").exists(), "it stays shallow");
}

#[test]
fn a_partial_clone_takes_part() {
    let world = World::new();
    takes_part(&world, "--filter=blob:none");
}

#[test]
fn linked_work_trees_and_submodules_take_part() {
    let world = World::new();
    let clones = team(&world, 2);
    clones[0].git(&["worktree", "add", "-q", "../linked", "-b", "linked"]);
    let linked = world.tree("linked");
    linked.rhema(&["init"]).exits(0);
    linked.commit("join");
    linked.git(&["push", "-q", "origin", "linked:main"]);
    for clone in &clones {
        clone.git(&["pull", "-q"]);
    }
    let outer = world.repo("outer", &[("README", "outer\n")]);
    outer.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        &url(&origin(&world)),
        "inner",
    ]);
    let inner = world.tree("outer/inner");
    inner.rhema(&["init"]).exits(0);
    inner.commit("join");
    inner.git(&["push", "-q", "origin", "HEAD:main"]);
    let mut all = clones;
    for clone in &all {
        clone.git(&["pull", "-q"]);
    }
    linked.git(&["merge", "-q", "--ff-only", "main"]);
    all.push(linked);
    all.push(inner);
    for (number, clone) in all.iter().enumerate() {
        add(clone, &format!("t{number}"));
    }
    sync_all(&all);
    assert_eq!(same(&all).matches("id: t").count(), 4);
}

#[test]
fn a_copied_clone_is_another_replica() {
    let world = World::new();
    let mut clones = team(&world, 2);
    add(&clones[0], "b");
    sync(&clones[0]);
    let copy = world.tree("copy");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(&clones[0].top)
        .arg(&copy.top)
        .status();
    assert!(copied.unwrap().success());
    add(&copy, "of-the-copy");
    add(&clones[0], "of-the-first");
    clones.push(copy);
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("of-the-copy") && shown.contains("of-the-first"),
        "{shown}"
    );
    assert_eq!(shown.matches("id: b\n").count(), 1, "{shown}");
}

#[test]
fn what_the_user_configured_for_git_counts() {
    let world = World::new();
    let clones = team(&world, 2);
    // Hooks, a pushing default, signed pushes and another remote for pushing are about the user's own branches.
    let clone = &clones[0];
    clone.write("hooks/pre-push", "#!/bin/sh\nexit 1\n");
    clone.write("hooks/reference-transaction", "#!/bin/sh\nexit 1\n");
    #[cfg(unix)]
    for hook in ["pre-push", "reference-transaction"] {
        use std::os::unix::fs::PermissionsExt as _;
        let path = clone.path("hooks").join(hook);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    clone.git(&[
        "config",
        "core.hooksPath",
        &clone.path("hooks").to_string_lossy(),
    ]);
    clone.git(&["config", "push.followTags", "true"]);
    clone.git(&["config", "fetch.prune", "true"]);
    clone.git(&["config", "remote.origin.mirror", "false"]);
    // A name that only this repository's configuration knows.
    clone.git(&["config", "url.../origin.git.insteadOf", "team:"]);
    clone.git(&["remote", "set-url", "origin", "team:"]);
    add(clone, "b");
    assert_eq!(sync(clone)["sent"], 1);
    assert_eq!(sync(&clones[1])["received"], 1);
    assert!(clones[1].read(TODOS).contains("id: b"));
}

#[test]
fn what_was_edited_under_another_name_is_left_there_too() {
    let world = World::new();
    let mut clones = team(&world, 2);
    // A copy takes the place of the original, which never left there what was edited last.
    add(&clones[0], "before");
    let copy = world.tree("copy");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(&clones[0].top)
        .arg(&copy.top)
        .status();
    assert!(copied.unwrap().success());
    clones[0] = copy;
    add(&clones[0], "after");
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("id: before") && shown.contains("id: after"),
        "{shown}"
    );
    // And once it is committed nobody passes it on any more.
    clones[0].commit("both");
    clones[0].git(&["push", "-q"]);
    sync_all(&clones);
    let said = sync(&clones[0]);
    assert_eq!(said["sent"], 0, "{said}");
}

#[test]
fn what_was_edited_before_the_key_was_changed_is_left_there_too() {
    let world = World::new();
    let clones = team(&world, 2);
    let [ann, ben] = clones.as_slice() else {
        unreachable!()
    };
    ann.rhema(&["set", "todos/a", "status=done"]).exits(0);
    ann.rhema(&["peers", "rotate"]).exits(0);
    ann.git(&["add", ".rhema/crdt"]);
    ann.git(&["commit", "-q", "-m", "another key"]);
    ann.git(&["push", "-q"]);
    ben.git(&["pull", "-q"]);
    ann.rhema(&["set", "todos/a", "title=Better"]).exits(0);
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("status: done") && shown.contains("title: Better"),
        "{shown}"
    );
}

#[test]
fn a_work_tree_for_which_its_sibling_vouches_is_heard_through_the_remote() {
    let world = World::new();
    let clones = team(&world, 2);
    let [ann, ben] = clones.as_slice() else {
        unreachable!()
    };
    ben.git(&["worktree", "add", "-q", "../linked", "-b", "linked"]);
    let linked = world.tree("linked");
    linked.rhema(&["init", "--no-join"]).exits(0);
    linked.rhema(&["set", "todos/a", "status=done"]).exits(0);
    sync(&linked);
    sync(ben);
    sync(ann);
    assert!(
        ann.read(TODOS).contains("status: done"),
        "{}",
        ann.read(TODOS)
    );
}

#[test]
fn who_lost_what_they_knew_does_not_take_what_is_old_for_their_own() {
    let world = World::new();
    let clones = team(&world, 2);
    let [ann, ben] = clones.as_slice() else {
        unreachable!()
    };
    ann.rhema(&["set", "todos/a", "title=old"]).exits(0);
    sync_all(&clones);
    ann.rhema(&["set", "todos/a", "title=new"]).exits(0);
    sync(ann);
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(ben.path(format!(".git/rhema/store.sqlite{ending}")));
    }
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("title: new") && !shown.contains("old"),
        "{shown}"
    );
}
