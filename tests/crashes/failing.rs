//! A disk that fails: reading, writing, keeping, opening, cutting or renaming a file ends with `EIO`, once or from then on.
//!
//! `failing.c` has it fail, below the work tree and for this program alone: not for git, which would stop by itself. What a
//! file that is mapped into memory does there (packs of git, what processes share of the store) is not tried. With the tests some
//! of the calls fail, every one of them in a run that takes minutes:
//!
//! ```text
//! cargo test --test crashes -- --ignored --nocapture failing
//! ```
#![cfg(target_os = "linux")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::check::{FILE, OTHER, SYNC, TODOS, bare, is_in_order, set_up};
use crate::limits::is_told;
use crate::support::{BINARY, Run, Tree, World, run};

/// What fails.
const KINDS: [&str; 6] = ["open", "read", "write", "sync", "truncate", "rename"];

/// Which calls fail, one in each run, where not all are tried.
const SOME: [usize; 4] = [1, 3, 9, 27];

/// What makes disks fail, and where it notes what failed.
struct Fault {
    library: PathBuf,
    noted: PathBuf,
}

/// Which call fails.
#[derive(Clone, Copy, Debug)]
struct Failing {
    kind: &'static str,
    at: usize,
    /// Whether all of that kind fail from then on.
    lasts: bool,
}

impl Fault {
    /// Nothing where there is no compiler.
    fn new(world: &World) -> Option<Self> {
        let (source, library) = (world.path("failing.c"), world.path("failing.so"));
        fs::write(&source, include_str!("failing.c")).unwrap();
        let mut command = Command::new("cc");
        command.args(["-O1", "-shared", "-fPIC", "-o"]);
        command.arg(&library).arg(&source).arg("-ldl");
        match command.output() {
            Ok(made) if made.status.success() => Some(Self {
                library,
                noted: world.path("noted"),
            }),
            made => {
                eprintln!("skipped: there is no C compiler here: {made:?}");
                None
            }
        }
    }

    /// Runs a program where that call of ours fails; says on which files it did.
    fn run(
        &self,
        tree: &Tree<'_>,
        failing: Failing,
        program: &str,
        words: &[&str],
    ) -> (Run, String) {
        let _ = fs::remove_file(&self.noted);
        let mut command = tree.world.command(program, &tree.top);
        command
            .env("LD_PRELOAD", &self.library)
            .env("EIO_KIND", failing.kind)
            .env("EIO_AT", failing.at.to_string())
            .env("EIO_BELOW", &tree.top)
            .env("EIO_NOTED", &self.noted);
        if failing.lasts {
            command.env("EIO_LASTS", "1");
        }
        let ran = run(command.args(words));
        let noted = fs::read_to_string(&self.noted).unwrap_or_default();
        (ran, noted)
    }

    /// As [`run`](Self::run), of `rhema crdt`.
    fn rhema(&self, tree: &Tree<'_>, failing: Failing, words: &[&str]) -> (Run, String) {
        let words: Vec<&str> = ["crdt"].iter().chain(words).copied().collect();
        self.run(tree, failing, BINARY, &words)
    }
}

/// Tries the calls of each kind, until there is no further one. `case` makes one try and says whether anything failed.
fn each(all: bool, mut case: impl FnMut(Failing) -> bool) {
    let mut failed = 0;
    for kind in KINDS {
        for lasts in [false, true] {
            let some = SOME.into_iter();
            let calls: Box<dyn Iterator<Item = usize>> = match all {
                true => Box::new(1..),
                false => Box::new(some),
            };
            for at in calls {
                if !case(Failing { kind, at, lasts }) {
                    break;
                }
                failed += 1;
            }
        }
    }
    println!("{failed} calls failed");
    assert!(failed > 12, "the disk hardly ever failed");
}

/// It did what it was asked or says what stood in its way, and why.
#[track_caller]
fn says_why(ran: &Run, what: &str) {
    is_told(ran, what);
    let told = &ran.stderr;
    if ran.status == 3 {
        // What SQLite falls back to where it cannot open a file for writing, and what libgit2 makes of an index.
        let why = [
            "Input/output error",
            "disk I/O error",
            "it is read-only",
            "failed to read index",
        ];
        assert!(why.iter().any(|why| told.contains(why)), "{what}: {told}");
    }
    assert!(!told.contains("another program"), "{what}: {told}");
}

fn sync(all: bool) {
    let world = World::new();
    let Some(fault) = Fault::new(&world) else {
        return;
    };
    let tree = set_up(&world);
    let mut round = 0;
    each(all, |failing| {
        round += 1;
        let one = TODOS.replace("Second", &format!("Typed {round}"));
        let two = TODOS.replace("Third", &format!("Typed {round}"));
        tree.write(FILE, &one);
        tree.write(OTHER, &two);
        let (ran, noted) = fault.rhema(&tree, failing, &SYNC);
        let what = format!("{failing:?}, {noted}");
        says_why(&ran, &what);
        for (file, typed) in [(FILE, &one), (OTHER, &two)] {
            assert_eq!(bare(&tree.read(file)), *typed, "{what}: {}", ran.stderr);
        }
        if ran.status == 0 {
            assert_eq!(ran.json()["edits_recorded"], 2, "{what}: {}", ran.stderr);
        }
        is_in_order(&tree, &[(FILE, &one), (OTHER, &two)], &what);
        !noted.is_empty()
    });
}

#[test]
fn a_look_on_a_disk_that_fails_loses_nothing() {
    sync(false);
}

#[test]
#[ignore = "it takes minutes"]
fn a_look_loses_nothing_whichever_call_fails() {
    sync(true);
}

fn set(all: bool) {
    let world = World::new();
    let Some(fault) = Fault::new(&world) else {
        return;
    };
    let tree = set_up(&world);
    let mut round = 0;
    each(all, |failing| {
        round += 1;
        let before = tree.read(FILE);
        let value = format!("title=Set {round}");
        let set = ["set", "--file", FILE, "todos/a", &value];
        let (ran, noted) = fault.rhema(&tree, failing, &set);
        let what = format!("{failing:?}, {noted}");
        says_why(&ran, &what);
        let (held, made) = (bare(&tree.read(FILE)), TODOS.replace("First", &value[6..]));
        match ran.status {
            0 => assert_eq!(held, made, "{what}"),
            _ => assert!(
                held == bare(&before) || held == made,
                "{what}: {held}{}",
                ran.stderr
            ),
        }
        tree.rhema(&set).exits(0);
        is_in_order(&tree, &[(FILE, &made), (OTHER, TODOS)], &what);
        !noted.is_empty()
    });
}

#[test]
fn a_command_on_a_disk_that_fails_is_done_or_says_why_not() {
    set(false);
}

#[test]
#[ignore = "it takes minutes"]
fn a_command_is_done_or_says_why_not_whichever_call_fails() {
    set(true);
}

fn init(all: bool) {
    let world = World::new();
    let Some(fault) = Fault::new(&world) else {
        return;
    };
    let unmarked = TODOS.split_once('\n').unwrap().1;
    let mut round = 0;
    each(all, |failing| {
        round += 1;
        let tree = world.repo(
            format!("repo-{round}"),
            &[(FILE, unmarked), (OTHER, unmarked)],
        );
        let (ran, noted) = fault.rhema(&tree, failing, &["init"]);
        let what = format!("{failing:?}, {noted}");
        says_why(&ran, &what);
        for file in [FILE, OTHER] {
            let held = tree.read(file);
            assert!(held == unmarked || held == TODOS, "{what}: {held}");
        }
        if ran.status == 0 {
            tree.rhema(&["verify"]).exits(0);
        }
        tree.rhema(&["init"]).exits(0);
        tree.commit("init");
        is_in_order(&tree, &[(FILE, TODOS), (OTHER, TODOS)], &what);
        tree.rhema(&["verify"]).exits(0);
        fs::remove_dir_all(&tree.top).unwrap();
        !noted.is_empty()
    });
}

#[test]
fn a_repository_that_was_half_set_up_is_set_up_by_the_next_try() {
    init(false);
}

#[test]
#[ignore = "it takes minutes"]
fn a_repository_is_set_up_by_the_next_try_whichever_call_fails() {
    init(true);
}

fn merge(all: bool) {
    let world = World::new();
    let Some(fault) = Fault::new(&world) else {
        return;
    };
    let tree = set_up(&world);
    tree.on_branch("other", FILE, tree.read(FILE).replace("Third", "Gamma"));
    let ours = tree.read(FILE).replace("First", "Alpha");
    tree.write(FILE, &ours);
    tree.commit("ours");
    let expected = ours.replace("Third", "Gamma");
    each(all, |failing| {
        let (ran, noted) = fault.run(
            &tree,
            failing,
            "git",
            &["merge", "-q", "--no-edit", "other"],
        );
        let what = format!("{failing:?}, {noted}");
        assert!(!ran.stderr.contains("panicked"), "{what}: {}", ran.stderr);
        let held = tree.read(FILE);
        match ran.status {
            0 => assert_eq!(bare(&held), bare(&expected), "{what}"),
            1 => {
                // Git takes what stands there for ours, in conflict.
                assert_eq!(held, ours, "{what}: {}", ran.stderr);
                assert!(
                    ran.stderr.contains("Input/output error"),
                    "{what}: {}",
                    ran.stderr
                );
                tree.git(&["merge", "--abort"]);
                assert_eq!(tree.read(FILE), ours, "{what}");
                tree.git(&["merge", "-q", "--no-edit", "other"]);
            }
            status => panic!("{what}: {status}: {}", ran.stderr),
        }
        assert_eq!(bare(&tree.read(FILE)), bare(&expected), "{what}");
        assert_eq!(tree.git(&["status", "--porcelain"]), "", "{what}");
        tree.git(&["reset", "-q", "--hard", "HEAD^"]);
        !noted.is_empty()
    });
}

#[test]
fn a_merge_on_a_disk_that_fails_is_whole_or_left_to_git() {
    merge(false);
}

#[test]
#[ignore = "it takes minutes"]
fn a_merge_is_whole_or_left_to_git_whichever_call_fails() {
    merge(true);
}

fn commit(all: bool) {
    let world = World::new();
    let Some(fault) = Fault::new(&world) else {
        return;
    };
    let tree = set_up(&world);
    tree.rhema(&["init", "--hooks"]).exits(0);
    let mut round = 0;
    each(all, |failing| {
        round += 1;
        let typed = TODOS.replace("Second", &format!("Typed {round}"));
        tree.write(FILE, &typed);
        tree.git(&["add", FILE]);
        let (ran, noted) = fault.run(&tree, failing, "git", &["commit", "-q", "-m", "typed"]);
        let what = format!("{failing:?}, {noted}");
        let ran = ran.exits(0);
        assert!(!ran.stderr.contains("panicked"), "{what}: {}", ran.stderr);
        let committed = tree.git(&["show", &format!("HEAD:{FILE}")]);
        assert_eq!(bare(&committed), typed, "{what}: {}", ran.stderr);
        is_in_order(&tree, &[(FILE, &typed), (OTHER, TODOS)], &what);
        !noted.is_empty()
    });
}

#[test]
fn a_commit_on_a_disk_that_fails_is_made() {
    commit(false);
}

#[test]
#[ignore = "it takes minutes"]
fn a_commit_is_made_whichever_call_fails() {
    commit(true);
}
