//! Clocks that are off.

use crate::pair::{pair, send, sync};
use crate::support::{Run, Tree, World, run};

const TODOS: &str =
    "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: Alpha\n  - id: b\n    title: Beta\n";

const HOUR: i64 = 3_600_000;

fn off_by(world: &World, tree: &Tree<'_>, millis: i64, arguments: &[&str]) -> Run {
    let mut command = world.command(env!("CARGO_BIN_EXE_rhema"), &tree.path(""));
    command.env("RHEMA_CLOCK_OFF_BY_MILLIS", millis.to_string());
    run(command.arg("crdt").args(arguments))
}

fn pair_with_todos(world: &World) -> (Tree<'_>, Tree<'_>) {
    let (ann, ben) = pair(world);
    ann.write(".rhema/todos.yaml", TODOS);
    ann.commit("todos");
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ann);
    sync(&ben);
    (ann, ben)
}

#[test]
fn what_was_made_ahead_of_time_is_made_again_once_the_clock_is_right() {
    let world = World::new();
    let (ann, ben) = pair_with_todos(&world);
    off_by(&world, &ann, HOUR, &["set", "todos/a", "title=Aleph"]).exits(0);
    off_by(&world, &ann, HOUR, &["set", "todos/a", "title=Alif"]).exits(0);
    off_by(&world, &ann, HOUR, &["add", "todos", "title=Gamma"]).exits(0);
    off_by(&world, &ann, HOUR, &["remove", "todos/b"]).exits(0);
    let early = ann.read(".rhema/todos.yaml");
    sync(&ann);
    let right = ann.read(".rhema/todos.yaml");
    assert_ne!(early, right, "the stamps are others");
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.contains("_crdt"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(values(&early), values(&right));
    // One who let the early ones in knows both.
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(ben.read(".rhema/todos.yaml"), right);
    sync(&ann);
    assert_eq!(ann.read(".rhema/todos.yaml"), right, "once is enough");
    ben.rhema(&["set", "todos/a", "title=A"]).exits(0);
    send(&ben, &ann);
    sync(&ann);
    assert_eq!(ann.read(".rhema/todos.yaml"), ben.read(".rhema/todos.yaml"));
    assert!(!ann.read(".rhema/todos.yaml").contains("_crdt_conflicts"));
}

#[test]
fn who_replaces_what_was_made_ahead_of_time_had_seen_it_whatever_it_is_called_since() {
    let world = World::new();
    let (ann, ben) = pair_with_todos(&world);
    off_by(&world, &ann, HOUR, &["set", "todos/a", "title=Aleph"]).exits(0);
    off_by(&world, &ann, HOUR, &["add", "todos", "id=c", "title=Gamma"]).exits(0);
    // The clock is right before anything is made again.
    ann.rhema(&["set", "todos/a", "title=Alif"]).exits(0);
    ann.rhema(&["set", "todos/c", "title=Gimel"]).exits(0);
    sync(&ann);
    let shown = ann.read(".rhema/todos.yaml");
    assert!(shown.contains("title: Alif") && shown.contains("title: Gimel"));
    assert!(!shown.contains("_crdt_conflicts"), "{shown}");
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(ben.read(".rhema/todos.yaml"), shown);
}

#[test]
fn what_was_made_ahead_of_time_and_committed_is_not_made_again() {
    let world = World::new();
    let (ann, ben) = pair_with_todos(&world);
    off_by(&world, &ann, HOUR, &["set", "todos/a", "title=Aleph"]).exits(0);
    ann.rhema(&["set", "todos/a", "title=Alif"]).exits(0);
    let typed = ann.read(".rhema/todos.yaml");
    ann.git(&["commit", "-qam", "Alif"]);
    for _ in 0..2 {
        sync(&ann);
        assert_eq!(ann.read(".rhema/todos.yaml"), typed);
        assert_eq!(ann.git(&["status", "--short"]), "");
    }
    send(&ann, &ben);
    ben.git(&["pull", "-q", "../ann", "main"]);
    sync(&ben);
    assert_eq!(ben.read(".rhema/todos.yaml"), typed);
}

#[test]
fn a_clock_that_is_off_by_a_second_is_nobodys_concern() {
    let world = World::new();
    let (ann, ben) = pair_with_todos(&world);
    off_by(&world, &ann, 1_000, &["set", "todos/a", "title=Aleph"]).exits(0);
    let before = ann.read(".rhema/todos.yaml");
    sync(&ann);
    assert_eq!(ann.read(".rhema/todos.yaml"), before);
    send(&ann, &ben);
    sync(&ben);
    assert_eq!(ben.read(".rhema/todos.yaml"), before);
}

#[test]
fn a_clock_that_is_a_year_behind_goes_on() {
    let world = World::new();
    let (ann, ben) = pair_with_todos(&world);
    ann.rhema(&["set", "todos/a", "title=Aleph"]).exits(0);
    off_by(
        &world,
        &ann,
        -365 * 24 * HOUR,
        &["set", "todos/a", "title=Alif"],
    )
    .exits(0);
    send(&ann, &ben);
    sync(&ben);
    assert!(ben.read(".rhema/todos.yaml").contains("title: Alif"));
    sync(&ann);
    assert_eq!(ann.read(".rhema/todos.yaml"), ben.read(".rhema/todos.yaml"));
}
