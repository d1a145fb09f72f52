//! `init`, then `uninit`: every byte as before.

use crate::support::{BINARY, World};
use std::fs;

#[test]
fn every_byte_comes_back() {
    let world = World::new();
    let attributes = [
        None,
        Some(""),
        Some("*.png binary\n"),
        Some("*.png binary"),
        Some("*.png binary\r\n*.sh text\r\n"),
        Some("# note\n\n\n"),
    ];
    let configs: [&dyn Fn(&str) -> String; 5] = [
        &|config| config.to_owned(),
        &|config| config.trim_end().to_owned(),
        &|config| format!("{config}# a last remark\n"),
        &|config| format!("{config}; a last remark, and no newline"),
        &|config| format!("{config}[alias]\r\n\tst = status\r\n[merge \"other\"]\n\tname = other"),
    ];
    for (index, attributes) in attributes.iter().enumerate() {
        for (variant, config) in configs.iter().enumerate() {
            let repo = world.repo(format!("repo {index} {variant}"), &[]);
            if let Some(content) = attributes {
                repo.write(".gitattributes", content);
            }
            let original = repo.read(".git/config");
            repo.write(".git/config", config(&original));
            let before = repo.snapshot();
            repo.rhema(&["init"]).exits(0);
            assert!(
                repo.git(&["config", "merge.rhema-crdt.driver"])
                    .contains("merge-driver")
            );
            let set_up = repo.snapshot();
            repo.rhema(&["init"]).exits(0);
            assert_eq!(
                repo.snapshot(),
                set_up,
                "init again: {attributes:?}, config {variant}"
            );
            repo.rhema(&["uninit"]).exits(0);
            let after = repo.snapshot();
            for (path, bytes) in &before {
                assert_eq!(
                    after.get(path).map(|after| String::from_utf8_lossy(after)),
                    Some(String::from_utf8_lossy(bytes)),
                    "{}: {attributes:?}, config {variant}",
                    path.display()
                );
            }
            assert_eq!(
                after.len(),
                before.len(),
                "{attributes:?}, config {variant}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn an_init_that_was_killed_halfway_is_taken_back_too() {
    let world = World::new();
    let long = format!("a: {}\n", "x".repeat(100_000));
    let files = [(".rhema/a.yaml", "a: 1\n"), (".rhema/b.yaml", &long)];
    let repo = world.repo("repo", &files);
    // Whoever writes more than this into one file is killed by the system, where it may open too few files to answer.
    let killed = world
        .command("sh", &repo.path(""))
        .args(["-c", "ulimit -n 10; ulimit -f 64; exec \"$0\" crdt init"])
        .arg(BINARY)
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), None, "{killed:?}");
    assert_eq!(repo.read(".rhema/a.yaml"), "_crdt: v1\na: 1\n");
    assert_eq!(repo.read(".rhema/b.yaml"), long);
    repo.rhema(&["init"]).exits(0);
    assert!(repo.read(".rhema/b.yaml").starts_with("_crdt: v1\n"));
    repo.rhema(&["uninit"]).exits(0);
    for (file, content) in files {
        assert_eq!(repo.read(file), content);
    }
}

#[test]
fn what_was_added_meanwhile_stays() {
    let world = World::new();
    let repo = world.repo("repo", &[(".gitattributes", "*.a text\n")]);
    repo.rhema(&["init"]).exits(0);
    let attributes = repo.read(".gitattributes");
    repo.write(".gitattributes", format!("{attributes}*.b text\n"));
    repo.git(&["config", "merge.rhema-crdt.recursive", "binary"]);
    repo.git(&["config", "alias.st", "status"]);
    repo.rhema(&["uninit"]).exits(0);
    assert_eq!(repo.read(".gitattributes"), "*.a text\n*.b text\n");
    assert_eq!(repo.git(&["config", "alias.st"]), "status\n");
    assert_eq!(
        repo.git(&["config", "merge.rhema-crdt.recursive"]),
        "binary\n"
    );
    repo.try_git(&["config", "merge.rhema-crdt.driver"])
        .exits(1);
}

#[test]
fn conflicts_that_are_still_open_are_told_of() {
    let world = World::new();
    let file = ".rhema/todos.yaml";
    let kept = "todos:\n  - id: a\n    _crdt_conflicts: title~~s.Second\n    title: First\n";
    let text = format!("_crdt: v1 todos=or_set\n{kept}");
    let repo = world.repo("repo", &[(file, &text)]);
    let told = repo.rhema(&["uninit"]).exits(0).stderr;
    assert!(
        told.contains(".rhema/todos.yaml:4:5: open conflicts: 1;"),
        "{told}"
    );
    assert_eq!(repo.read(file), "todos:\n  - id: a\n    title: First\n");
}

#[test]
fn without_init_there_is_nothing_to_do() {
    let world = World::new();
    let repo = world.repo("repo", &[(".gitattributes", "*.a text\n")]);
    let before = repo.snapshot();
    let told = repo.rhema(&["uninit"]).exits(0).stdout;
    assert!(told.starts_with("Nothing to do"), "{told}");
    assert_eq!(repo.snapshot(), before);
}

#[test]
fn a_dry_run_changes_nothing() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    let before = repo.snapshot();
    let json = repo
        .rhema(&["uninit", "--dry-run", "--json"])
        .exits(0)
        .json();
    assert_eq!(json["changed"][0]["what"], "attributes-removed");
    assert_eq!(json["changed"][0]["file_too"], true);
    assert_eq!(json["changed"][1]["what"], "config-removed");
    assert_eq!(repo.snapshot(), before);
}

#[test]
fn the_driver_stays_while_another_work_tree_uses_it() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", "todos: []\n")]);
    let config = repo.read(".git/config");
    repo.git(&["worktree", "add", "-q", "../linked"]);
    let linked = world.tree("linked");
    repo.rhema(&["init"]).exits(0);
    linked.rhema(&["init"]).exits(0);

    let told = linked.rhema(&["uninit"]).exits(0).stdout;
    assert!(told.contains("stays configured"), "{told}");
    assert!(!linked.path(".gitattributes").exists());
    assert_eq!(
        repo.rhema(&["status", "--json"]).json()["driver"]["configured"],
        true
    );
    assert_eq!(
        linked.rhema(&["status", "--json"]).json()["driver"]["configured"],
        false
    );

    repo.rhema(&["uninit"]).exits(0);
    assert_eq!(repo.read(".git/config"), config);
}

#[test]
fn the_main_work_tree_counts_as_another_one_too() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.git(&["worktree", "add", "-q", "../linked"]);
    let linked = world.tree("linked");
    linked.rhema(&["init"]).exits(0);
    repo.rhema(&["init"]).exits(0);
    linked.rhema(&["uninit"]).exits(0);
    assert!(
        repo.git(&["config", "merge.rhema-crdt.driver"])
            .contains("merge-driver")
    );
}

#[test]
fn a_work_tree_that_is_gone_does_not_count() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.git(&["worktree", "add", "-q", "../linked"]);
    repo.rhema(&["init"]).exits(0);
    world.tree("linked").rhema(&["init"]).exits(0);
    fs::remove_dir_all(world.path("linked")).unwrap();
    repo.rhema(&["uninit"]).exits(0);
    repo.try_git(&["config", "merge.rhema-crdt.driver"])
        .exits(1);
}

#[test]
fn what_init_made_of_the_configuration_is_taken_back() {
    let world = World::new();
    const CONFIG: &str = ".rhema/crdt/config.yaml";
    for before in [
        None,
        Some("# ours\npeers: [a:1]"),
        Some("discovery: local # x\r\n"),
    ] {
        let repo = world.repo(
            format!("repo {before:?}").replace(['/', '"', '\\'], ""),
            &[],
        );
        if let Some(before) = before {
            repo.write(CONFIG, before);
        }
        let snapshot = repo.snapshot();
        let dry = ["init", "--no-join", "--discovery", "static", "--dry-run"];
        let told = repo.rhema(&dry).exits(0).stdout;
        assert!(told.contains("config.yaml: + discovery: static"), "{told}");
        assert!(repo.snapshot() == snapshot);
        repo.rhema(&["init", "--discovery", "static"]).exits(0);
        assert!(repo.read(CONFIG).contains("discovery: static\n"));
        repo.rhema(&["init", "--discovery", "off"]).exits(0);
        let set_up = repo.snapshot();
        repo.rhema(&["init", "--discovery", "off"]).exits(0);
        assert!(repo.snapshot() == set_up);
        repo.rhema(&["uninit"]).exits(0);
        let after = repo.snapshot();
        assert_eq!(
            after.keys().collect::<Vec<_>>(),
            snapshot.keys().collect::<Vec<_>>()
        );
        assert!(after == snapshot, "{before:?}");
    }
}

#[test]
fn a_configuration_that_somebody_changed_since_stays() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init", "--discovery", "off"]).exits(0);
    repo.write(
        ".rhema/crdt/config.yaml",
        "discovery: off\nbranches: same\n",
    );
    repo.rhema(&["uninit"]).exits(0);
    assert_eq!(
        repo.read(".rhema/crdt/config.yaml"),
        "discovery: off\nbranches: same\n"
    );
}
