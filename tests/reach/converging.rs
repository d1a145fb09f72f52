//! Who is never online together knows the same in the end.

use std::process::Stdio;

use crate::support::{BINARY, World};
use crate::team::{TODOS, add, origin, refs, same, sync, sync_all, team};

#[test]
fn five_who_are_never_there_together_know_the_same() {
    let world = World::new();
    let clones = team(&world, 5);
    for (number, clone) in clones.iter().enumerate() {
        add(clone, &format!("t{number}"));
        let said = sync(clone);
        assert_eq!(said["sent"], 1, "{said}");
        assert_eq!(said["received"], number, "{said}");
    }
    for clone in &clones {
        sync(clone);
    }
    let shown = same(&clones);
    for number in 0..5 {
        assert!(shown.contains(&format!("id: t{number}")), "{shown}");
    }
    let said = sync(&clones[0]);
    let nothing = ["sent", "received", "bytes_sent", "bytes_received"];
    assert!(nothing.iter().all(|name| said[name] == 0), "{said}");
}

#[test]
fn edits_of_one_field_and_a_removal_meet_there() {
    let world = World::new();
    let clones = team(&world, 2);
    let [ann, ben] = clones.as_slice() else {
        unreachable!()
    };
    ann.rhema(&["set", "todos/a", "status=done"]).exits(0);
    ben.rhema(&["set", "todos/a", "title=Better"]).exits(0);
    add(ben, "b");
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("status: done") && shown.contains("title: Better"),
        "{shown}"
    );
    ann.rhema(&["remove", "todos/b"]).exits(0);
    sync_all(&clones);
    assert!(!same(&clones).contains("id: b"));
}

#[test]
fn ten_who_push_at_once_do_not_collide() {
    let world = World::new();
    let clones = team(&world, 10);
    for (number, clone) in clones.iter().enumerate() {
        add(clone, &format!("t{number}"));
    }
    let at_once = |round: usize| {
        let begun: Vec<_> = clones
            .iter()
            .map(|clone| {
                let mut command = world.command(BINARY, &clone.top);
                command.args(["crdt", "sync", "--json"]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for sync in begun {
            let output = sync.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "round {round}: {stderr}");
        }
    };
    at_once(1);
    at_once(2);
    let shown = same(&clones);
    assert!(
        (0..10).all(|number| shown.contains(&format!("id: t{number}\n"))),
        "{shown}"
    );
    assert_eq!(refs(&origin(&world)).len(), 10);
}

#[test]
fn the_users_repository_is_left_alone() {
    let world = World::new();
    let clones = team(&world, 2);
    let refs_of = |clone: &crate::support::Tree<'_>| {
        let refs = clone.git(&["for-each-ref"]);
        let log = clone.git(&["log", "--all", "--format=%H"]);
        (refs, log, clone.git(&["count-objects"]))
    };
    let before: Vec<_> = clones.iter().map(refs_of).collect();
    add(&clones[0], "b");
    sync_all(&clones);
    let after: Vec<_> = clones.iter().map(refs_of).collect();
    assert_eq!(before, after);
    assert!(!clones[1].path(".git/FETCH_HEAD").exists() || before == after);
    assert_eq!(
        clones[1].git(&["status", "--short"]),
        format!(" M {TODOS}\n")
    );
    // And a fetch of theirs brings none of it.
    clones[1].git(&["fetch", "-q"]);
    assert_eq!(refs_of(&clones[1]).1, before[1].1);
}

#[test]
fn what_was_committed_is_not_made_twice() {
    let world = World::new();
    let clones = team(&world, 2);
    let [ann, ben] = clones.as_slice() else {
        unreachable!()
    };
    add(ann, "b");
    sync(ann);
    sync(ben);
    ben.commit("what came");
    ben.git(&["push", "-q"]);
    ann.git(&["checkout", "-q", TODOS]);
    ann.git(&["pull", "-q"]);
    sync_all(&clones);
    let shown = same(&clones);
    assert_eq!(shown.matches("id: b").count(), 1, "{shown}");
    assert_eq!(ben.git(&["status", "--short"]), "");
    assert_eq!(ann.git(&["status", "--short"]), "");
}

#[test]
fn one_who_comes_late_gets_everything() {
    let world = World::new();
    let clones = team(&world, 2);
    for round in 0..6 {
        add(&clones[0], &format!("t{round}"));
        sync(&clones[0]);
    }
    let late = world.tree("late");
    clones[0].git(&["clone", "-q", "../origin.git", "../late"]);
    late.rhema(&["init", "--no-join"]).exits(0);
    let said = sync(&late);
    assert_eq!(said["received"], 6, "{said}");
    assert_eq!(late.read(TODOS), clones[0].read(TODOS));
}
