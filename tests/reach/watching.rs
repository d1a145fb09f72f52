//! Who stays exchanges edits through the git remote by itself, and finds others there.

use crate::support::{BINARY, Tree, World};
use crate::team::{TODOS, add, origin, same, sync, team};
use crate::watch::{Lines, Watch, eventually};

fn watch(clone: &Tree<'_>) -> Watch {
    let mut command = clone.world.command(BINARY, &clone.top);
    command.args(["crdt", "watch", "--json", "--listen", "127.0.0.1:0"]);
    Watch::begin(&mut command, Lines::default())
}

#[test]
fn what_is_edited_gets_there_by_itself() {
    let world = World::new();
    let clones = team(&world, 2);
    let watch = watch(&clones[0]);
    add(&clones[0], "b");
    watch.says("\"event\":\"remote\"");
    eventually(
        || sync(&clones[1])["received"] == 1 || clones[1].read(TODOS).contains("id: b"),
        || watch.all(),
    );
    watch.end("TERM");
}

#[test]
fn those_who_stay_find_each_other_there() {
    let world = World::new();
    let clones = team(&world, 2);
    let first = watch(&clones[0]);
    // It must have said where it listens before the other one looks.
    let asked = clones[0].rhema(&["sync", "--json"]).exits(0).json();
    assert_eq!(asked["remote"]["error"], serde_json::Value::Null, "{asked}");
    let second = watch(&clones[1]);
    second.says("\"state\":\"connected\"");
    first.says("\"state\":\"connected\"");
    add(&clones[0], "b");
    eventually(|| clones[1].read(TODOS).contains("id: b"), || second.all());
    first.end("TERM");
    second.end("INT");
}

#[test]
fn a_sync_that_asks_one_who_stays_waits_for_the_remote() {
    let world = World::new();
    let clones = team(&world, 2);
    let watch = watch(&clones[0]);
    add(&clones[1], "b");
    sync(&clones[1]);
    let said = sync(&clones[0]);
    assert!(said["error"].is_null(), "{said}");
    same(&clones);
    add(&clones[0], "c");
    let said = sync(&clones[0]);
    assert!(said["error"].is_null(), "{said}");
    sync(&clones[1]);
    assert!(same(&clones).contains("id: c"));
    watch.end("TERM");
}

#[test]
fn a_remote_that_is_away_keeps_nobody_from_staying() {
    let world = World::new();
    let clones = team(&world, 1);
    let (here, away) = (origin(&world).top, world.path("away.git"));
    std::fs::rename(&here, &away).unwrap();
    let watch = watch(&clones[0]);
    watch.says("\"event\":\"remote\"");
    add(&clones[0], "b");
    let report = clones[0].rhema(&["sync", "--json"]).exits(1).json();
    assert!(report["remote"]["error"].is_string(), "{report}");
    std::fs::rename(&away, &here).unwrap();
    let said = sync(&clones[0]);
    assert!(said["error"].is_null(), "{said}");
    watch.end("TERM");
}
