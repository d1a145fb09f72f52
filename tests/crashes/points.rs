//! The process ends at each point of its way to the files.

use std::fs;

use crate::check::{FILE, OTHER, SYNC, TODOS, bare, edits, ended, is_in_order, set_up, writes};
use crate::support::{BINARY, Run, Tree, World, run};

/// Where a `sync` of an edited document comes by, in this order.
const POINTS: [&str; 7] = [
    "after-clock",
    "before-store",
    "after-store",
    "before-file",
    "in-file",
    "after-file",
    "before-end",
];

fn crash_at(tree: &Tree<'_>, point: &str, arguments: &[&str]) -> Run {
    let mut command = tree.world.command(BINARY, &tree.path(""));
    command
        .env("RHEMA_CRASH_AT", point)
        .arg("crdt")
        .args(arguments);
    run(&mut command)
}

/// Whether the tests run a binary that can be ended there.
fn can_crash() -> bool {
    if cfg!(debug_assertions) {
        return true;
    }
    eprintln!("skipped: only debug builds can be ended at a point");
    false
}

fn annotations(text: &str) -> usize {
    text.matches("    _crdt: ").count()
}

#[test]
fn edits_by_hand_are_recorded_once_wherever_it_ends() {
    if !can_crash() {
        return;
    }
    let world = World::new();
    let (one, two) = (
        TODOS
            .replace("Second", "Beta")
            .replace("  - id: c\n    title: Third\n    priority: low\n", ""),
        TODOS.replace("First", "Alpha"),
    );
    let both = POINTS.map(|point| format!("{point}:2"));
    let points = POINTS
        .iter()
        .copied()
        .chain(both[..6].iter().map(String::as_str));
    let tree = set_up(&world);
    for point in points {
        tree.git(&["checkout", "-q", "--", "."]);
        fs::remove_dir_all(tree.path(".git/rhema")).unwrap();
        tree.rhema(&["init"]).exits(0);
        tree.git(&["checkout", "-q", "--", "."]);
        tree.rhema(&SYNC).exits(0);
        tree.write(FILE, &one);
        tree.write(OTHER, &two);
        ended(crash_at(&tree, point, &SYNC), point);
        is_in_order(&tree, &[(FILE, &one), (OTHER, &two)], point);
        let git_dir = tree.path(".git");
        let of_one = writes(&git_dir, FILE);
        assert_eq!(
            of_one.get("todos/b/title=\"Beta\""),
            Some(&1),
            "{point}: {of_one:?}"
        );
        assert_eq!(of_one.len(), 2, "{point}: {of_one:?}");
        assert_eq!(writes(&git_dir, OTHER).len(), 1, "{point}");
        assert_eq!(
            annotations(&tree.read(FILE)),
            1,
            "{point}: {}",
            tree.read(FILE)
        );
        assert_eq!(annotations(&tree.read(OTHER)), 1, "{point}");
    }
}

#[test]
fn an_edit_after_the_end_is_not_lost_in_what_was_recorded_before() {
    if !can_crash() {
        return;
    }
    let world = World::new();
    for (index, point) in POINTS.into_iter().enumerate() {
        let world = if index == 0 { &world } else { &World::new() };
        let tree = set_up(world);
        tree.write(FILE, TODOS.replace("Second", "Beta"));
        ended(crash_at(&tree, point, &SYNC), point);
        let next = tree.read(FILE).replace("Third", "Gamma");
        tree.write(FILE, &next);
        let expected = TODOS.replace("Second", "Beta").replace("Third", "Gamma");
        is_in_order(&tree, &[(FILE, &expected)], point);
        let writes = writes(&tree.path(".git"), FILE);
        assert_eq!(writes.len(), 2, "{point}: {writes:?}");
    }
}

#[test]
fn edits_by_command_are_made_once_or_not_at_all() {
    if !can_crash() {
        return;
    }
    for point in &POINTS[..6] {
        let world = World::new();
        let tree = set_up(&world);
        let set = ["set", "todos/b", "title=Beta"];
        ended(crash_at(&tree, point, &set), point);
        tree.rhema(&SYNC).exits(0);
        let told = tree.rhema(&["get", "todos/b/title"]).exits(0).stdout;
        let is_made = told.trim() == "Beta";
        let is_stored = POINTS[2..].contains(point);
        assert_eq!(is_made, is_stored, "{point}: {told}");
        tree.rhema(&set).exits(0);
        is_in_order(&tree, &[(FILE, &TODOS.replace("Second", "Beta"))], point);
        assert_eq!(writes(&tree.path(".git"), FILE).len(), 1, "{point}");
    }
}

#[test]
fn a_record_that_is_added_when_it_ends_is_there_once() {
    if !can_crash() {
        return;
    }
    for point in &POINTS[..6] {
        let world = World::new();
        let tree = set_up(&world);
        ended(
            crash_at(&tree, point, &["add", "todos", "title=New"]),
            point,
        );
        tree.rhema(&SYNC).exits(0);
        let is_stored = POINTS[2..].contains(point);
        let text = tree.read(FILE);
        assert_eq!(
            text.matches("title: New\n").count(),
            usize::from(is_stored),
            "{point}: {text}"
        );
        is_in_order(&tree, &[], point);
    }
}

#[test]
fn own_commits_are_recorded_once_wherever_it_ends() {
    if !can_crash() {
        return;
    }
    let points = [
        "after-marks",
        "before-own-commit",
        "after-own-commit",
        "before-own-commit:2",
        "after-own-commit:2",
        "before-end",
    ];
    for point in points {
        let world = World::new();
        let tree = set_up(&world);
        let one = TODOS.replace("First", "Alpha");
        tree.write(FILE, &one);
        tree.commit("one");
        let two = one.replace("Second", "Beta");
        tree.write(FILE, &two);
        tree.commit("two");
        ended(crash_at(&tree, point, &SYNC), point);
        is_in_order(&tree, &[(FILE, &two)], point);
        assert_eq!(
            tree.read(FILE),
            two,
            "{point}: nothing is written into files"
        );
        let writes = writes(&tree.path(".git"), FILE);
        assert_eq!(writes.len(), 2, "{point}: {writes:?}");
    }
}

#[test]
fn a_copy_that_ends_when_it_is_noticed_is_noticed_again() {
    if !can_crash() {
        return;
    }
    let world = World::new();
    let tree = set_up(&world);
    tree.write(FILE, TODOS.replace("Second", "Beta"));
    tree.rhema(&SYNC).exits(0);
    let mut command = world.command("cp", &world.path(""));
    run(command.args(["-r", "repo", "copy"])).exits(0);
    let copied = world.tree("copy");
    ended(
        crash_at(&copied, "after-incarnation", &SYNC),
        "after-incarnation",
    );
    copied.git(&["checkout", "-q", "--", FILE]);
    copied.rhema(&SYNC).exits(0);
    assert_eq!(copied.read(FILE), TODOS);
    tree.write(FILE, tree.read(FILE).replace("First", "Alpha"));
    is_in_order(
        &tree,
        &[(
            FILE,
            &TODOS.replace("Second", "Beta").replace("First", "Alpha"),
        )],
        "",
    );
    assert!(bare(&tree.read(FILE)).contains("Beta"));
}

#[test]
fn a_key_that_was_half_made_does_not_stand_in_the_way() {
    if !can_crash() {
        return;
    }
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    for point in ["in-key", "after-key"] {
        ended(crash_at(&tree, point, &["init"]), point);
        tree.rhema(&["init"]).exits(0);
        tree.rhema(&["verify"]).exits(0);
        tree.rhema(&["uninit"]).exits(0);
        assert!(!tree.path(".git/rhema").exists(), "{point}");
    }
}

#[test]
fn what_is_left_of_the_ended_is_swept_up_later() {
    if !can_crash() {
        return;
    }
    let world = World::new();
    let tree = set_up(&world);
    tree.write(FILE, TODOS.replace("Second", "Beta"));
    ended(crash_at(&tree, "before-file", &SYNC), "before-file");
    let left = || {
        let entries = fs::read_dir(tree.path(".git/rhema")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|extension| extension == "tmp"))
            .collect::<Vec<_>>()
    };
    let leftovers = left();
    assert_eq!(leftovers.len(), 1);
    tree.rhema(&SYNC).exits(0);
    assert_eq!(left(), leftovers, "it might be in use");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    fs::File::options()
        .write(true)
        .open(&leftovers[0])
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    tree.rhema(&SYNC).exits(0);
    assert!(left().is_empty());
}

#[test]
fn a_store_that_is_made_small_is_whole_wherever_it_ends() {
    if !can_crash() {
        return;
    }
    let world = World::new();
    let tree = set_up(&world);
    let mut text = TODOS.to_owned();
    for title in 0..40 {
        let next = TODOS.replace("Second", &format!("Second for the {title}th time"));
        let record = next
            .lines()
            .position(|line| line.contains("Second"))
            .unwrap();
        let line = next.lines().nth(record).unwrap();
        let before = bare(&tree.read(FILE));
        let old = before
            .lines()
            .find(|line| line.contains("title: Second"))
            .unwrap();
        let edited = tree.read(FILE).replace(old, line);
        tree.write(FILE, edited);
        tree.rhema(&SYNC).exits(0);
        text = next;
    }
    tree.commit("titles");
    tree.rhema(&SYNC).exits(0);
    let known = edits(&tree.path(".git"), FILE);
    assert_eq!(known.len(), 40);
    let gc = ["gc", "--older-than", "0", "--json"];
    std::thread::sleep(std::time::Duration::from_millis(5));
    for point in ["before-packed", "after-packed"] {
        ended(crash_at(&tree, point, &gc), point);
        assert_eq!(edits(&tree.path(".git"), FILE), known, "{point}");
        is_in_order(&tree, &[(FILE, &text)], point);
    }
    let again = tree.rhema(&gc).exits(0).json();
    assert_eq!(again["edits"], 0, "it was packed");
}
