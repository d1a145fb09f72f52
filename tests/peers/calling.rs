//! Calling others once.

use std::time::{Duration, Instant};

use crate::pair::pair;
use crate::support::{BINARY, Run, Tree, World, run};
use crate::watcher::Watcher;

const CONNECTED: &str = "\"state\":\"connected\"";

/// More than a debug build needs on a busy host for all but the waiting.
const WORK: Duration = Duration::from_secs(5);

fn call_with_faults(tree: &Tree<'_>, faults: &str, arguments: &[&str]) -> (Run, Duration) {
    let mut command = tree.world.command(BINARY, &tree.top);
    command.env("RHEMA_NET_FAULTS", faults);
    let began = Instant::now();
    let run = run(command.args(["crdt", "sync", "--json"]).args(arguments));
    (run, began.elapsed())
}

#[test]
fn nobody_is_called_twice_who_answers_the_first_time() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    let watcher = Watcher::start(&ann);
    let mut calls = 0;
    let mut call = |arguments: &[&str]| {
        let arguments = [&["sync", "--json"], arguments].concat();
        let report = ben.rhema(&arguments).exits(0).json();
        assert_eq!(report["peers"].as_array().unwrap().len(), 1, "{report}");
        calls += 1;
        watcher.says(CONNECTED);
        assert_eq!(
            watcher.count(CONNECTED),
            calls,
            "{arguments:?}: {}",
            watcher.all()
        );
    };
    // By address, by name, by what is known from before, and where that stands in the configuration, too.
    call(&["--peer", &watcher.address]);
    let node = ann.rhema(&["status", "--json"]).exits(0).json()["node"].clone();
    call(&["--peer", node.as_str().unwrap()]);
    let config =
        |discovery: &str| format!("discovery: {discovery}\npeers: ['{}']\n", watcher.address);
    ben.write(".rhema/crdt/config.yaml", config("static"));
    call(&[]);
    call(&["--timeout", "2"]);
    ben.write(".rhema/crdt/config.yaml", config("local"));
    call(&["--timeout", "2"]);
}

#[test]
fn who_calls_its_own_address_is_told_so_at_once() {
    let world = World::new();
    let (ann, _) = pair(&world);
    let watcher = Watcher::start(&ann);
    for arguments in [&[][..], &["--timeout", "60"]] {
        let arguments = [&["sync", "--peer", &watcher.address], arguments].concat();
        let began = Instant::now();
        let refused = ann.rhema(&arguments).exits(3);
        assert!(
            refused.stderr.contains("this is our own address"),
            "{}",
            refused.stderr
        );
        assert!(began.elapsed() < 2 * WORK, "{:?}", began.elapsed());
    }
}

#[test]
fn what_is_not_done_in_time_is_told_and_not_waited_for() {
    let world = World::new();
    let (ann, ben) = pair(&world);
    let watcher = Watcher::start(&ann);
    // Each word is under way for longer than there is time for all of them.
    let slow = "delay=450";
    let call = ["--timeout", "2", "--peer", &watcher.address];
    let (run, took) = call_with_faults(&ben, slow, &call);
    let run = run.exits(3);
    assert!(run.stderr.contains("not done in time"), "{}", run.stderr);
    assert!(took < Duration::from_secs(2) + WORK, "{took:?}");
    let (run, _) = call_with_faults(&ben, slow, &["--timeout", "30", "--peer", &watcher.address]);
    run.exits(0);
}
