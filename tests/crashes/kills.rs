//! Processes that are killed at any moment, as the system or an impatient user does it.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::check::{FILE, OTHER, SYNC, TODOS, bare, edits, is_in_order, set_up, writes};
use crate::support::{BINARY, World};
use crate::watching::{Lines, Watch};

/// How many processes are killed; more where the environment says so.
fn rounds() -> u64 {
    let asked = std::env::var("RHEMA_CRASH_ROUNDS").ok();
    asked.and_then(|rounds| rounds.parse().ok()).unwrap_or(16)
}

/// Moments spread over a time, the same in every run.
fn moment(round: u64, over: Duration) -> Duration {
    let part = (round * 7_919) % 1_000;
    over * u32::try_from(part).unwrap() / 1_000
}

#[test]
fn what_was_edited_by_hand_survives_whoever_is_killed() {
    let world = World::new();
    let tree = set_up(&world);
    let (mut one, mut two) = (TODOS.to_owned(), TODOS.to_owned());
    tree.write(FILE, TODOS.replace("First", "Zero"));
    tree.write(OTHER, TODOS.replace("First", "Zero"));
    let started = Instant::now();
    tree.rhema(&SYNC).exits(0);
    let usual = started.elapsed() * 3 / 2;
    let mut killed = 0;
    for round in 0..rounds() {
        let with = |text: &str, title: &str| {
            let line = text
                .lines()
                .find(|line| line.contains("title: "))
                .unwrap()
                .to_owned();
            text.replacen(&line, &format!("    title: {title} {round}"), 1)
        };
        tree.write(FILE, with(&tree.read(FILE), "One"));
        tree.write(OTHER, with(&tree.read(OTHER), "Two"));
        (one, two) = (with(&one, "One"), with(&two, "Two"));
        let mut command = world.command(BINARY, &tree.path(""));
        let mut child = command
            .arg("crdt")
            .args(SYNC)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(moment(round, usual));
        child.kill().unwrap();
        killed += u64::from(!child.wait().unwrap().success());
        assert_eq!(bare(&tree.read(FILE)), one, "round {round}");
        assert_eq!(bare(&tree.read(OTHER)), two, "round {round}");
        if round % 8 == 7 {
            tree.git(&["commit", "-q", "-a", "-m", "some"]);
        }
    }
    println!("{killed} of {} killed in time", rounds());
    is_in_order(&tree, &[(FILE, &one), (OTHER, &two)], "at the end");
}

#[test]
fn commands_that_are_killed_did_what_they_were_asked_or_nothing() {
    let world = World::new();
    let tree = set_up(&world);
    let started = Instant::now();
    tree.rhema(&["set", "todos/a", "priority=0"]).exits(0);
    let usual = started.elapsed() * 3 / 2;
    for round in 1..=rounds() {
        let value = format!("priority={round}");
        let mut command = world.command(BINARY, &tree.path(""));
        let mut child = command
            .args(["crdt", "set", "todos/a", &value])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(moment(round, usual));
        child.kill().unwrap();
        let is_done = child.wait().unwrap().success();
        let text = tree.read(FILE);
        let now = format!("priority: {round}\n");
        assert!(!is_done || text.contains(&now), "round {round}: {text}");
        assert_eq!(
            text.matches("priority: ").count(),
            3,
            "round {round}: {text}"
        );
        tree.rhema(&SYNC).exits(0);
        let stored = writes(&tree.path(".git"), FILE);
        let stored = stored.contains_key(&format!("todos/a/priority={round}"));
        assert_eq!(
            stored,
            tree.read(FILE).contains(&now),
            "round {round}: store and file agree"
        );
    }
    is_in_order(&tree, &[], "at the end");
    let stamps: Vec<_> = edits(&tree.path(".git"), FILE)
        .iter()
        .map(|edit| edit.stamp)
        .collect();
    assert!(stamps.is_sorted_by(|a, b| a < b));
}

#[test]
fn what_was_edited_under_watch_survives_its_being_killed() {
    let world = World::new();
    let tree = set_up(&world);
    let mut text = TODOS.to_owned();
    for round in 0..rounds() / 2 {
        let mut command = world.command(BINARY, &tree.path(""));
        command.args(["crdt", "watch", "--json", "--discovery", "off"]);
        let watch = Watch::begin(&mut command, Lines::default());
        let line = text.lines().find(|line| line.contains("title: "));
        let line = line.unwrap().to_owned();
        let typed = format!("    title: Typed {round}");
        tree.write(FILE, tree.read(FILE).replacen(&line, &typed, 1));
        text = text.replacen(&line, &typed, 1);
        thread::sleep(moment(round, Duration::from_millis(200)));
        watch.kill();
        assert_eq!(bare(&tree.read(FILE)), text, "round {round}");
    }
    is_in_order(&tree, &[(FILE, &text), (OTHER, TODOS)], "at the end");
}
