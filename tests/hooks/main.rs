//! `init --hooks`: what is committed carries stamps, and nothing else is different.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]
// Figures, and what is skipped, are for people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use support::{Tree, World, run};

const FILE: &str = ".rhema/todos.yaml";
const HOOK: &str = ".git/hooks/pre-commit";
const KEPT: &str = ".git/hooks/pre-commit.before-rhema";
const TODOS: &str = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    title: First
    status: pending
  - id: b
    title: Second
    status: pending
";

/// A repository that is set up with the hook, all of it committed.
fn hooked(world: &World) -> Tree<'_> {
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init", "--hooks"]).exits(0);
    tree.commit("init");
    tree
}

fn replace(tree: &Tree<'_>, from: &str, to: &str) {
    let text = tree.read(FILE);
    assert!(text.contains(from), "{text}");
    tree.write(FILE, text.replace(from, to));
}

/// The document as a commit has it.
fn committed(tree: &Tree<'_>, commit: &str) -> String {
    tree.git(&["show", &format!("{commit}:{FILE}")])
}

/// A text without the annotations of records.
fn bare(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("    _crdt: "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// How many annotations records have.
fn annotations(text: &str) -> usize {
    text.matches("    _crdt: ").count()
}

#[track_caller]
fn executable(tree: &Tree<'_>, path: &str, content: &str) {
    tree.write(path, content);
    fs::set_permissions(tree.path(path), fs::Permissions::from_mode(0o751)).unwrap();
}

/// Paths, bytes and modes of everything that belongs to hooks.
fn hooks(folder: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut all: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let mode = path.symlink_metadata().unwrap().permissions().mode();
            let bytes = match fs::read_link(&path) {
                Ok(target) => target.into_os_string().into_encoded_bytes(),
                Err(_) => fs::read(&path).unwrap(),
            };
            (name, mode, bytes)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn what_is_committed_carries_stamps_and_the_tree_is_clean() {
    let world = World::new();
    let tree = hooked(&world);
    let ways: [&[&str]; 3] = [
        &["commit", "-q", "-a", "-m", "all"],
        &["commit", "-q", "-m", "staged"],
        &["commit", "-q", "-m", "these", "--", FILE],
    ];
    for (index, way) in ways.into_iter().enumerate() {
        let title = format!("title: Title {index}\n");
        let text = tree.read(FILE);
        let line = text.lines().find(|line| line.contains("title: ")).unwrap();
        tree.write(FILE, text.replace(&format!("{}\n", line.trim()), &title));
        if way.contains(&"staged") {
            tree.git(&["add", FILE]);
        }
        let run = tree.try_git(way).exits(0);
        assert_eq!(run.stderr, "", "{way:?}");
        let head = committed(&tree, "HEAD");
        assert!(head.contains(&title), "{way:?}: {head}");
        assert_eq!(annotations(&head), 1, "{way:?}: {head}");
        assert_ne!(head, committed(&tree, "HEAD~"), "{way:?}");
        assert_eq!(tree.read(FILE), head, "{way:?}");
        assert_eq!(tree.git(&["status", "--porcelain"]), "", "{way:?}");
        let report = tree
            .rhema(&["sync", "--timeout", "0", "--json"])
            .exits(0)
            .json();
        assert_eq!(report["edits_recorded"], 0, "{way:?}");
    }
    replace(&tree, "title: Second", "title: Amended");
    tree.git(&["commit", "-q", "-a", "--amend", "-m", "amended"]);
    assert_eq!(annotations(&committed(&tree, "HEAD")), 2);
    assert_eq!(tree.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_was_not_staged_is_not_committed() {
    let world = World::new();
    let tree = hooked(&world);
    tree.write("x", "1\n");
    replace(&tree, "title: First", "title: Staged");
    tree.git(&["add", "x", FILE]);
    replace(&tree, "title: Second", "title: Unstaged");
    tree.write(".rhema/untracked.yaml", TODOS);
    let staged = tree.git(&["show", &format!(":{FILE}")]);
    tree.git(&["commit", "-q", "-m", "a part"]);
    assert_eq!(
        committed(&tree, "HEAD"),
        staged,
        "a part that was staged stays what it was"
    );
    assert_eq!(tree.git(&["ls-files", ".rhema/untracked.yaml"]), "");
    let now = tree.read(FILE);
    assert!(now.contains("title: Unstaged\n"), "{now}");
    assert_eq!(annotations(&now), 2, "the work tree has all stamps: {now}");

    tree.git(&["add", "-A"]);
    replace(&tree, "status: pending", "status: done");
    let before = bare(&tree.read(FILE));
    tree.write("x", "2\n");
    tree.git(&["commit", "-q", "-m", "x alone", "--", "x"]);
    assert_eq!(tree.git(&["diff", "--name-only", "HEAD~", "HEAD"]), "x\n");
    assert_eq!(bare(&tree.read(FILE)), before);
}

#[test]
fn a_commit_of_some_files_leaves_the_others_staged_as_they_were() {
    let world = World::new();
    let tree = hooked(&world);
    tree.write("x", "1\n");
    tree.git(&["add", "x"]);
    replace(&tree, "title: First", "title: Alpha");
    tree.git(&["commit", "-q", "-m", "document", "--", FILE]);
    assert_eq!(tree.git(&["status", "--porcelain"]), "A  x\n");
    assert_eq!(annotations(&committed(&tree, "HEAD")), 1);
}

#[test]
fn a_hook_that_is_there_runs_first_and_its_word_counts() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let own = "#!/bin/sh\necho \"$@\" >> ran\ntest ! -e no\n";
    executable(&tree, HOOK, own);
    let before = hooks(&tree.path(".git/hooks"));
    let dry = tree
        .rhema(&["init", "--hooks", "--dry-run", "--json"])
        .exits(0)
        .json();
    let is_hook = |change: &&serde_json::Value| change["what"] == "hook";
    let changed = dry["changed"].as_array().unwrap();
    let hook = changed.iter().find(is_hook).unwrap();
    assert_eq!(
        (&hook["path"], &hook["keeps_another"]),
        (&HOOK.into(), &true.into())
    );
    assert_eq!(
        hooks(&tree.path(".git/hooks")),
        before,
        "a dry run changes nothing"
    );
    tree.rhema(&["init", "--hooks"]).exits(0);
    let set_up = tree.snapshot();
    tree.rhema(&["init", "--hooks"]).exits(0);
    tree.rhema(&["init"]).exits(0);
    assert_eq!(tree.snapshot(), set_up);
    tree.rhema(&["verify"]).exits(0);
    tree.commit("init");
    assert_eq!(tree.read("ran"), "\n");
    replace(&tree, "title: First", "title: Alpha");
    tree.write("no", "");
    let unstamped = tree.read(FILE);
    tree.try_git(&["commit", "-q", "-a", "-m", "no"]).exits(1);
    assert_eq!(
        tree.read(FILE),
        unstamped,
        "a commit that is refused stamps nothing"
    );
    tree.git(&["commit", "-q", "-a", "--no-verify", "-m", "all the same"]);
    assert_eq!(tree.read("ran"), "\n\n");
    tree.rhema(&["uninit"]).exits(0);
    assert_eq!(hooks(&tree.path(".git/hooks")), before);
}

#[test]
fn hooks_of_any_kind_come_back_as_they_were() {
    let world = World::new();
    let kinds: [&dyn Fn(&Tree<'_>); 5] = [
        &|_| {},
        &|tree| tree.write(HOOK, "#!/bin/sh\nexit 1\n"),
        &|tree| executable(tree, HOOK, "#!/bin/sh\nexit 0\n"),
        &|tree| {
            executable(tree, "tools/check", "#!/bin/sh\nexit 0\n");
            symlink("../../tools/check", tree.path(HOOK)).unwrap();
        },
        &|tree| {
            let samples = fs::read_dir(tree.path(".git/hooks")).unwrap();
            samples.for_each(|sample| fs::remove_file(sample.unwrap().path()).unwrap());
            fs::remove_dir(tree.path(".git/hooks")).unwrap();
        },
    ];
    for (index, kind) in kinds.into_iter().enumerate() {
        let tree = world.repo(format!("repo {index}"), &[(FILE, TODOS)]);
        kind(&tree);
        let (before, modes) = (tree.snapshot(), hooks(&tree.path(".git/hooks")));
        tree.rhema(&["init", "--hooks"]).exits(0);
        replace(&tree, "title: First", "title: Alpha");
        tree.try_git(&["commit", "-q", "-a", "-m", "alpha"])
            .exits(0);
        assert_eq!(annotations(&committed(&tree, "HEAD")), 1, "kind {index}");
        tree.git(&["reset", "-q", "--hard", "HEAD~"]);
        tree.rhema(&["uninit"]).exits(0);
        assert_eq!(hooks(&tree.path(".git/hooks")), modes, "kind {index}");
        assert_eq!(tree.path(".git/hooks").exists(), index != 4);
        let after = tree.snapshot();
        let state = |path: &&std::path::PathBuf| path.starts_with(tree.path(".git/rhema"));
        assert_eq!(after.keys().find(state), None, "nothing of ours is left");
        assert_eq!(before.get(&tree.path(FILE)), after.get(&tree.path(FILE)));
    }
}

#[test]
fn without_the_flag_there_is_no_hook() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let before = hooks(&tree.path(".git/hooks"));
    tree.rhema(&["init"]).exits(0);
    assert_eq!(hooks(&tree.path(".git/hooks")), before);
}

#[test]
fn linked_work_trees_share_the_hook_and_the_last_one_takes_it_back() {
    let world = World::new();
    let tree = hooked(&world);
    tree.git(&["worktree", "add", "-q", "../linked"]);
    let linked = world.tree("linked");
    linked.rhema(&["init"]).exits(0);
    replace(&linked, "title: First", "title: Alpha");
    linked.git(&["commit", "-q", "-a", "-m", "alpha"]);
    assert_eq!(annotations(&committed(&linked, "HEAD")), 1);
    assert_eq!(linked.git(&["status", "--porcelain", "--", FILE]), "");
    tree.rhema(&["uninit"]).exits(0);
    assert!(tree.path(HOOK).exists(), "the other one uses it");
    linked.rhema(&["uninit"]).exits(0);
    assert!(!tree.path(HOOK).exists());
}

#[test]
fn the_folder_that_git_is_told_to_use_is_used() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let before = tree.snapshot();
    let config = tree.read(".git/config");
    tree.git(&["config", "core.hooksPath", "my hooks"]);
    tree.rhema(&["init", "--hooks"]).exits(0);
    assert!(tree.path("my hooks/pre-commit").exists());
    assert!(!tree.path(HOOK).exists());
    replace(&tree, "title: First", "title: Alpha");
    tree.git(&["commit", "-q", "-a", "-m", "alpha"]);
    assert_eq!(annotations(&committed(&tree, "HEAD")), 1);
    tree.rhema(&["uninit"]).exits(0);
    assert!(!tree.path("my hooks").exists());
    tree.write(".git/config", config);
    tree.git(&["reset", "-q", "--hard", "HEAD~"]);
    assert_eq!(tree.read(FILE).as_bytes(), before[&tree.path(FILE)]);
}

#[test]
fn a_folder_of_all_repositories_is_not_touched() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.git(&["config", "--global", "core.hooksPath", "~/hooks"]);
    let before = tree.snapshot();
    let refused = tree.rhema(&["init", "--hooks"]).exits(3).stderr;
    assert!(refused.contains("home/hooks/pre-commit"), "{refused}");
    assert_eq!(tree.snapshot(), before);
    for command in ["init", "verify", "uninit"] {
        tree.rhema(&[command]).exits(0);
    }
    assert!(!world.path("home/hooks").exists());
}

#[test]
fn our_own_failures_do_not_stop_a_commit() {
    let world = World::new();
    let tree = hooked(&world);
    let hook = tree.read(HOOK);
    let failures: [&dyn Fn(); 4] = [
        &|| tree.write(".git/rhema/key", "no key"),
        &|| tree.write(".git/rhema/clock", "[no clock"),
        &|| tree.write(FILE, "_crdt: v1\ntodos: [\n"),
        &|| tree.write(HOOK, hook.replace(support::BINARY, "/nowhere/rhema")),
    ];
    let key = tree.read(".git/rhema/key");
    let clock = tree.read(".git/rhema/clock");
    for (index, failure) in failures.into_iter().enumerate() {
        tree.write("x", index.to_string());
        replace(&tree, "title: First", "title: Alpha");
        failure();
        let run = tree.try_git(&["commit", "-q", "-a", "-m", "x"]).exits(0);
        assert!(run.stderr.contains("warning: "), "{index}: {}", run.stderr);
        tree.write(".git/rhema/key", &key);
        tree.write(".git/rhema/clock", &clock);
        tree.git(&["reset", "-q", "--hard", "HEAD~"]);
    }
}

#[test]
fn a_hook_that_runs_another_program_or_was_displaced_is_found() {
    let world = World::new();
    let tree = hooked(&world);
    let (hook, set_up) = (tree.read(HOOK), tree.snapshot());
    tree.write(HOOK, hook.replace(support::BINARY, "/nowhere/rhema"));
    let told = tree.rhema(&["verify"]).exits(1).stdout;
    assert!(
        told.contains("pre-commit:1:1: ") && told.contains("is stale"),
        "{told}"
    );
    tree.rhema(&["init"]).exits(0);
    assert_eq!(tree.snapshot(), set_up);
    tree.rhema(&["verify"]).exits(0);

    tree.write(HOOK, format!("{hook}# more\n"));
    tree.rhema(&["init"]).exits(0);
    assert_eq!(
        tree.read(HOOK),
        format!("{hook}# more\n"),
        "what somebody added is theirs"
    );
    let told = tree.rhema(&["uninit", "--dry-run"]).exits(1).stderr;
    assert!(
        told.contains("pre-commit:1:1: the hook was changed"),
        "{told}"
    );

    executable(&tree, KEPT, "#!/bin/sh\n");
    executable(&tree, HOOK, "#!/bin/sh\n# Somebody else's.\n");
    let told = tree.rhema(&["verify"]).exits(1).stdout;
    assert!(told.contains("took the place"), "{told}");
    let before = hooks(&tree.path(".git/hooks"));
    tree.rhema(&["init", "--hooks"]).exits(3);
    tree.rhema(&["uninit"]);
    assert_eq!(
        hooks(&tree.path(".git/hooks")),
        before,
        "what is not ours stays"
    );
}

#[test]
fn nothing_is_stamped_in_the_middle_of_a_merge_or_where_there_is_nothing_of_ours() {
    let world = World::new();
    let tree = hooked(&world);
    tree.git(&["config", "merge.rhema-crdt.driver", "false"]);
    tree.on_branch("other", FILE, TODOS.replace("First", "Theirs"));
    replace(&tree, "title: First", "title: Ours");
    tree.git(&["commit", "-q", "--no-verify", "-a", "-m", "ours"]);
    tree.try_git(&["merge", "-q", "other"]).exits(1);
    tree.write(FILE, TODOS.replace("First", "Both"));
    tree.git(&["add", FILE]);
    tree.git(&["commit", "-q", "-m", "merged"]);
    assert_eq!(committed(&tree, "HEAD"), TODOS.replace("First", "Both"));

    let plain = world.repo("plain", &[("x", "1\n")]);
    executable(&plain, HOOK, &tree.read(HOOK));
    plain.write("x", "2\n");
    assert_eq!(
        plain
            .try_git(&["commit", "-q", "-a", "-m", "x"])
            .exits(0)
            .stderr,
        ""
    );
    assert!(!plain.path(".git/rhema").exists());
}

#[test]
fn a_commit_is_not_slowed_down() {
    let world = World::new();
    let tree = hooked(&world);
    let mut times = Vec::new();
    for title in ["One", "Two", "Three"] {
        let text = tree.read(FILE);
        let line = text.lines().find(|line| line.contains("title: ")).unwrap();
        tree.write(FILE, text.replace(line.trim(), &format!("title: {title}")));
        tree.git(&["add", FILE]);
        let started = Instant::now();
        run(&mut world.command(tree.path(HOOK), &tree.path(""))).exits(0);
        times.push(started.elapsed());
        tree.git(&["commit", "-q", "-m", title]);
    }
    times.sort();
    // Unoptimised, on a busy machine; it is made for a twentieth of a second.
    println!("fastest: {:?}", times[0]);
    assert!(times[0] < Duration::from_secs(1), "{times:?}");
}
