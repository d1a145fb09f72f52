//! `gc`: the store gets small, and nothing is told otherwise.

use crate::support::{Run, Tree, World, run};

const FILE: &str = ".rhema/todos.yaml";
const RECORD: &[&str] = &["sync", "--timeout", "0", "--json"];
const MONTH: u64 = 31 * 24 * 60 * 60 * 1000;

/// A repository in which a title was edited twenty times, and that was committed halfway and in the end.
fn edited(world: &World) -> Tree<'_> {
    let text =
        "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: One\n  - id: b\n    title: Two\n";
    let repo = world.repo("repo", &[(FILE, text)]);
    repo.rhema(&["init"]).exits(0);
    repo.commit("init");
    for number in 0..40 {
        let title = format!("title=Title {number}");
        repo.rhema(&["set", "todos/a", &title]).exits(0);
        if number == 19 {
            repo.commit("half");
        }
    }
    repo.commit("all");
    repo.rhema(RECORD).exits(0);
    repo
}

/// What is shown at the commit before the last, and at the last.
fn shown(repo: &Tree<'_>) -> [String; 2] {
    ["main~", "main"].map(|commit| {
        repo.git(&["checkout", "-q", commit]);
        let recorded = repo.rhema(RECORD).exits(0).json();
        assert_eq!(recorded["edits_recorded"], 0);
        repo.read(FILE)
    })
}

fn packed(run: Run) -> (u64, u64, u64) {
    let report = run.exits(0).json();
    let number = |name: &str| report[name].as_u64().unwrap();
    (
        number("edits"),
        number("bytes_before"),
        number("bytes_after"),
    )
}

#[test]
fn what_is_over_is_packed_and_shown_as_before() {
    let world = World::new();
    let repo = edited(&world);
    let before = shown(&repo);
    let (edits, ..) = packed(repo.rhema(&["gc", "--json"]));
    assert_eq!(edits, 0, "all of it is of late");
    let all = ["gc", "--older-than", "0", "--json"];
    std::thread::sleep(std::time::Duration::from_millis(5));
    let trial = packed(repo.rhema(&["gc", "--older-than", "0", "--json", "--dry-run"]));
    let (edits, was, is) = packed(repo.rhema(&all));
    assert_eq!((edits, was), (trial.0, trial.1), "a trial changes nothing");
    assert_eq!(edits, 39, "the last one of a replica stays");
    assert!(is < was, "{was} -> {is}");
    assert_eq!(packed(repo.rhema(&all)).0, 0);
    assert_eq!(shown(&repo), before);
    repo.rhema(&["set", "todos/a", "title=Later"]).exits(0);
    repo.git(&["checkout", "-q", FILE]);
    repo.rhema(RECORD).exits(0);
    assert_eq!(shown(&repo), before);
    repo.rhema(&["verify"]).exits(0);
}

#[test]
fn others_get_what_is_packed() {
    let world = World::new();
    let repo = edited(&world);
    std::thread::sleep(std::time::Duration::from_millis(5));
    let (edits, ..) = packed(repo.rhema(&["gc", "--older-than", "0", "--json"]));
    assert_eq!(edits, 39);
    let linked = world.path("linked");
    repo.git(&[
        "worktree",
        "add",
        "-q",
        "--detach",
        linked.to_str().unwrap(),
        "main",
    ]);
    let linked = world.tree("linked");
    linked.rhema(&["init"]).exits(0);
    let watcher = crate::watcher::Watcher::start(&repo);
    let synced = linked.rhema(&["sync", "--json"]);
    drop(watcher);
    let received = synced.json()["peers"][0]["received"].as_u64();
    assert_eq!(received, Some(40), "{}{}", synced.stdout, synced.stderr);
}

#[test]
fn it_is_done_once_a_day_unless_it_is_switched_off() {
    let world = World::new();
    let repo = edited(&world);
    let in_a_month = |days: u64| {
        let mut command = world.command(crate::support::BINARY, &repo.top);
        let millis = MONTH + days * 24 * 60 * 60 * 1000;
        command.env("RHEMA_CLOCK_OFF_BY_MILLIS", millis.to_string());
        run(command.arg("crdt").args(RECORD)).exits(0);
    };
    if !cfg!(debug_assertions) {
        return;
    }
    repo.write(".rhema/crdt/config.yaml", "gc: off\n");
    repo.commit("off");
    in_a_month(2);
    repo.git(&["rm", "-q", ".rhema/crdt/config.yaml"]);
    repo.commit("on");
    let left = || {
        std::thread::sleep(std::time::Duration::from_millis(5));
        packed(repo.rhema(&["gc", "--older-than", "0", "--json", "--dry-run"])).0
    };
    assert_eq!(left(), 39);
    in_a_month(3);
    assert_eq!(left(), 0);
}
