//! `resolve` on a terminal: it walks from conflict to conflict and asks.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

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

/// A terminal of this width, and the side of it that a program sees.
fn terminal(width: u16) -> (File, File) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let size = Winsize {
        ws_row: 40,
        ws_col: width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).unwrap();
    (File::from(controller), terminal)
}

/// `resolve` on a terminal.
fn resolving(tree: &Tree<'_>, terminal: File) -> Command {
    let mut command: Command = tree.world.command(BINARY, &tree.top);
    command
        .args(["crdt", "resolve"])
        .env_remove("VISUAL")
        .env_remove("EDITOR")
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal);
    command
}

/// What is shown on a terminal until nobody has it any more.
fn shown(controller: &mut File) -> String {
    let mut shown = Vec::new();
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = controller.read(&mut part) {
        shown.extend_from_slice(&part[..read]);
    }
    String::from_utf8_lossy(&shown).into_owned()
}

/// Runs `resolve` on a terminal of this width where somebody types these lines, with these variables.
fn walk_on(tree: &Tree<'_>, width: u16, typed: &str, variables: &[(&str, &str)]) -> Run {
    let (mut controller, terminal) = terminal(width);
    let mut command = resolving(tree, terminal);
    let mut child = command.envs(variables.iter().copied()).spawn().unwrap();
    // The terminal belongs to the child alone from here on, so that reading ends with it.
    drop(command);
    controller.write_all(typed.as_bytes()).unwrap();
    let stdout = shown(&mut controller);
    Run {
        status: child.wait().unwrap().code().unwrap_or(-1),
        stdout,
        stderr: String::new(),
    }
}

fn walk(tree: &Tree<'_>, typed: &str) -> Run {
    walk_on(tree, 80, typed, &[])
}

/// How often somebody was asked.
fn asked(run: &Run) -> usize {
    run.stdout.matches("[w]inner, number").count()
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
    assert_eq!(asked(&run), 4, "{}", run.stdout);
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
    assert_eq!(asked(&run), 5, "{}", run.stdout);
    assert!(run.stdout.contains("no such loser"), "{}", run.stdout);
    assert!(run.stdout.contains("quote it"), "{}", run.stdout);
    assert!(
        tree.read(FILE)
            .contains("_crdt_conflicts: title~~s.Firstly\n")
    );
}

#[test]
fn winner_and_losers_stand_beside_each_other_with_the_record_around() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let run = walk_on(&tree, 80, "q\n", &[("NO_COLOR", "1")]);
    let head = tree.git(&["rev-parse", "--short", "HEAD"]);
    let expected = format!(
        "\
todos/a/status  .rhema/todos.yaml:7  (1 of 5)
settled together with completed_at and outcome

  [w] winner                 [1]
  \"done\"                     \"late\"
  without a stamp            {} days ago by A. Tester
                             on main in {}

the record:
  | id: a
  | title: First
  | status: done

       w  keep what is shown
       1  take this one
  =VALUE  write this instead
",
        days_since(1_735_765_419),
        head.trim()
    );
    let told = run.stdout.replace('\r', "");
    assert!(told.contains(&expected), "{told}\n---\n{expected}");
}

/// Whole days from a moment, in seconds since the Unix epoch.
fn days_since(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (now.as_secs() - seconds) / 86_400
}

#[test]
fn no_line_is_wider_than_a_narrow_terminal_and_nothing_is_coloured_for_who_wants_none() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let run = walk_on(&tree, 34, "s\ns\nq\n", &[("NO_COLOR", "1")]);
    assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
    let values = run.stdout.lines().filter(|line| {
        let line = line.trim();
        line.starts_with(['"', '[']) && !line.contains("[?]") || line.starts_with("| ")
    });
    let widths: Vec<usize> = values.map(|line| line.trim_end().chars().count()).collect();
    assert!(
        !widths.is_empty() && widths.iter().all(|width| *width <= 34),
        "{}",
        run.stdout
    );
    assert!(
        walk(&tree, "q\n").stdout.contains('\u{1b}'),
        "it is coloured for all others"
    );
}

#[test]
fn what_was_settled_is_taken_back_by_undo_and_by_going_back() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let before = tree.read(FILE);
    let run = walk(&tree, "u\nb\n1\ns\nu\nq\n").exits(1);
    assert!(
        run.stdout.contains("Nothing was settled yet."),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("This is the first one."),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("That is open again."), "{}", run.stdout);
    assert_eq!(tree.read(FILE), before);
    // Back over what was skipped, and over what was settled before that.
    walk(&tree, "1\ns\nb\nb\nq\n").exits(1);
    assert_eq!(tree.read(FILE), before);
}

#[test]
fn all_winners_are_taken_at_once() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let run = walk(&tree, "1\na\n").exits(0);
    assert!(run.stdout.contains("Took 3 winners."), "{}", run.stdout);
    let text = tree.read(FILE);
    assert!(
        text.contains("status: late") && text.contains("title: First"),
        "{text}"
    );
    assert!(!text.contains("_crdt_conflicts"), "{text}");
}

#[test]
fn a_value_is_written_in_the_editor_or_in_a_line() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    walk(&tree, "e\nhalf done\nq\n").exits(1);
    assert!(
        tree.read(FILE).contains("    status: half done\n"),
        "{}",
        tree.read(FILE)
    );
    let editor = ("EDITOR", "sed -i 's/First/1st: really/'");
    walk_on(&tree, 80, "e\nq\n", &[editor]).exits(1);
    let text = tree.read(FILE);
    assert!(text.contains("    title: \"1st: really\"\n"), "{text}");
    // An editor that fails, or that leaves all as it is, settles nothing.
    for editor in ["false", "true"] {
        walk_on(&tree, 80, "s\ne\nq\n", &[("VISUAL", editor)]).exits(1);
        assert_eq!(tree.read(FILE), text, "{editor}");
    }
}

#[test]
fn a_text_is_edited_with_both_versions_in_sight() {
    let world = World::new();
    let text = "_crdt: v1\n_crdt_conflicts: notes~~j.%22A%5CnTwo%5CnZ%5Cn%22\nnotes: |\n  A\n  Zwei\n  Z\n";
    let tree = world.repo("repo", &[(FILE, text)]);
    let left = ("EDITOR", "sed -i s/Zwei/2/");
    let run = walk_on(&tree, 80, "e\nq\n", &[left]).exits(1);
    assert!(
        run.stdout.contains("still stand between markers"),
        "{}",
        run.stdout
    );
    assert_eq!(tree.read(FILE), text);
    let settled = ("EDITOR", "sed -i -e '/^[<>=]/d' -e s/Two/2/");
    walk_on(&tree, 80, "e\n", &[settled]).exits(0);
    assert!(
        tree.read(FILE)
            .ends_with("\nnotes: |\n  A\n  Zwei\n  2\n  Z\n"),
        "{}",
        tree.read(FILE)
    );
}

#[test]
fn help_says_what_may_be_answered() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let run = walk(&tree, "?\nq\n").exits(1);
    assert!(
        run.stdout.contains("take back what was settled last"),
        "{}",
        run.stdout
    );
    assert_eq!(asked(&run), 2, "{}", run.stdout);
}

#[test]
fn what_was_settled_before_an_interruption_stays_so_and_the_terminal_is_as_it_was() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let (mut controller, terminal) = terminal(80);
    let kept = terminal.try_clone().unwrap();
    let before = tcgetattr(&kept).unwrap();
    let mut command = resolving(&tree, terminal);
    let mut child = command.spawn().unwrap();
    drop(command);
    controller.write_all(b"1\n").unwrap();
    let mut told = String::new();
    let mut part = [0; 4096];
    while told.matches("[w]inner, number").count() < 2 {
        let read = controller.read(&mut part).unwrap();
        told.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    let process = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(process, Signal::INT).unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(
        tree.read(FILE).contains("    status: late\n"),
        "{}",
        tree.read(FILE)
    );
    let after = tcgetattr(&kept).unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    let report = tree
        .rhema(&["sync", "--timeout", "0", "--json"])
        .exits(0)
        .json();
    assert_eq!(report["edits_recorded"], 1, "{report}");
    assert!(
        tree.read(FILE).contains("    status: late\n"),
        "{}",
        tree.read(FILE)
    );
}
