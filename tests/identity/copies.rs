//! A copied work tree and one whose state is lost or comes from a backup are other replicas than before.

use std::fs;
use std::path::{Path, PathBuf};

use crate::knowledge::{
    FILE, SYNC, TODOS, changes, edits, nobody_equivocates, replica, retitle, retracted,
};
use crate::support::{Tree, World, run};

fn copy(world: &World, from: &Path, to: &Path) {
    let mut command = world.command("cp", &world.path(""));
    run(command.arg("-r").arg(from).arg(to)).exits(0);
}

fn state(tree: &Tree<'_>) -> PathBuf {
    tree.path(".git/rhema")
}

/// A repository with an edit that is committed and one that is not, both recorded.
fn edited(world: &World) -> Tree<'_> {
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init"]).exits(0);
    assert_eq!(retitle(&tree, "First", "Alpha"), 1);
    tree.commit("alpha");
    assert_eq!(retitle(&tree, "Second", "Beta"), 1);
    tree
}

/// Keeps a part of the state while `meanwhile`, and puts it back as it was.
fn restored(tree: &Tree<'_>, part: &str, meanwhile: impl FnOnce()) {
    let is_part = |name: &str| name.starts_with(part) && !name.ends_with(".lock");
    let listed = || {
        let entries = fs::read_dir(state(tree)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let parts = paths.filter(|path| is_part(&path.file_name().unwrap().to_string_lossy()));
        parts.collect::<Vec<_>>()
    };
    let kept: Vec<(PathBuf, Vec<u8>)> = listed()
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    assert!(!kept.is_empty());
    meanwhile();
    for path in listed() {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in kept {
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_copied_checkout_goes_on_under_another_name() {
    let world = World::new();
    let tree = edited(&world);
    let name = replica(&tree.path(".git"));
    copy(&world, &tree.path(""), &world.path("copy"));
    let copied = world.tree("copy");
    let before = copied.read(FILE);
    assert_eq!(copied.rhema(&SYNC).exits(0).json()["edits_recorded"], 0);
    assert_eq!(copied.read(FILE), before, "being noticed changes no file");
    let other = replica(&copied.path(".git"));
    assert_ne!(other, name);
    assert_eq!(retitle(&copied, "Third", "Gamma"), 1);
    assert_eq!(retitle(&tree, "Third", "Delta"), 1);
    assert_eq!(
        replica(&tree.path(".git")),
        name,
        "the original stays who it is"
    );
    assert_eq!(
        replica(&copied.path(".git")),
        other,
        "and the copy is noticed once"
    );
    nobody_equivocates(&[&tree.path(".git"), &copied.path(".git")]);
    let stamps = |tree: &Tree<'_>| tree.read(FILE).matches(&format!("-{other} ")).count();
    assert_eq!((stamps(&copied), stamps(&tree)), (1, 0));
}

#[test]
fn both_copies_go_on_at_once_and_copies_of_copies_too() {
    let world = World::new();
    let tree = edited(&world);
    copy(&world, &tree.path(""), &world.path("copy"));
    let copied = world.tree("copy");
    copy(&world, &copied.path(""), &world.path("again"));
    let again = world.tree("again");
    let trees = [&tree, &copied, &again];
    for round in 0..3 {
        for (index, tree) in trees.iter().enumerate() {
            let (from, to) = (round * 10 + index, (round + 1) * 10 + index);
            let from = match round {
                0 => "Third".to_owned(),
                _ => format!("T{from}"),
            };
            assert_eq!(retitle(tree, &from, &format!("T{to}")), 1);
        }
    }
    let git_dirs: Vec<PathBuf> = trees.iter().map(|tree| tree.path(".git")).collect();
    nobody_equivocates(&git_dirs.iter().map(PathBuf::as_path).collect::<Vec<_>>());
}

#[test]
fn a_copy_that_discards_what_it_was_copied_with_takes_nothing_back_for_the_original() {
    let world = World::new();
    let tree = edited(&world);
    copy(&world, &tree.path(""), &world.path("copy"));
    let copied = world.tree("copy");
    copied.rhema(&SYNC).exits(0);
    for tree in [&copied, &tree] {
        tree.git(&["checkout", "-q", "--", FILE]);
        let head = tree.read(FILE);
        tree.rhema(&SYNC).exits(0);
        assert_eq!(tree.read(FILE), head, "git's word counts in both");
    }
    assert_eq!(retracted(&copied.path(".git"), FILE), 0);
    assert_eq!(
        retracted(&tree.path(".git"), FILE),
        1,
        "its own edit, its own decision"
    );
}

#[test]
fn the_first_stamp_of_a_copy_that_resolves_a_conflict_is_its_own() {
    let world = World::new();
    let contested = TODOS.replace(
        "    title: First\n",
        "    _crdt_conflicts: title~~s.Other\n    title: First\n",
    );
    let tree = world.repo("repo", &[(FILE, &contested)]);
    tree.rhema(&["init"]).exits(0);
    retitle(&tree, "Second", "Beta");
    copy(&world, &tree.path(""), &world.path("copy"));
    let copied = world.tree("copy");
    let taken = ["resolve", "--all", "--strategy", "latest"];
    copied.rhema(&taken).exits(0);
    tree.rhema(&taken).exits(0);
    for tree in [&copied, &tree] {
        tree.rhema(&SYNC).exits(0);
        retitle(tree, "Third", "Gamma");
    }
    assert_ne!(replica(&tree.path(".git")), replica(&copied.path(".git")));
    nobody_equivocates(&[&tree.path(".git"), &copied.path(".git")]);
}

#[test]
fn a_moved_repository_is_who_it_was() {
    let world = World::new();
    let tree = edited(&world);
    let name = replica(&tree.path(".git"));
    fs::rename(tree.path(""), world.path("moved")).unwrap();
    let moved = world.tree("moved");
    assert_eq!(retitle(&moved, "Third", "Gamma"), 1);
    assert_eq!(replica(&moved.path(".git")), name);
}

#[test]
fn a_backup_that_takes_the_place_of_what_it_was_made_of_is_another_replica() {
    let world = World::new();
    let tree = edited(&world);
    let name = replica(&tree.path(".git"));
    copy(&world, &tree.path(""), &world.path("backup"));
    retitle(&tree, "Third", "Gamma");
    let lost = edits(&tree.path(".git"));
    fs::rename(tree.path(""), world.path("old")).unwrap();
    copy(&world, &world.path("backup"), &world.path("repo"));
    retitle(&tree, "Third", "Delta");
    assert_ne!(replica(&tree.path(".git")), name);
    let stamps: Vec<_> = edits(&tree.path(".git"))
        .into_iter()
        .map(|edit| edit.known.stamp)
        .collect();
    assert_eq!(
        lost.iter()
            .filter(|edit| !stamps.contains(&edit.known.stamp))
            .count(),
        1,
        "what came after the backup is nobody's any more, and its name is not used again"
    );
    nobody_equivocates(&[&tree.path(".git"), &world.path("old/.git")]);
}

#[test]
fn a_lost_store_begins_another_incarnation_and_costs_no_value() {
    let world = World::new();
    let tree = edited(&world);
    let name = replica(&tree.path(".git"));
    let text = tree.read(FILE);
    for file in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        let _ = fs::remove_file(state(&tree).join(file));
    }
    let report = tree.rhema(&SYNC).exits(0).json();
    assert_eq!(report["documents_changed"], 0, "{report}");
    assert_eq!(
        tree.read(FILE),
        text,
        "the file is as it was, stamps included"
    );
    assert_ne!(replica(&tree.path(".git")), name);
    assert_eq!(
        changes(&tree.path(".git")),
        1,
        "what the file shows is recorded anew"
    );
    let before = tree.snapshot();
    tree.rhema(&SYNC).exits(0);
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn a_store_from_a_backup_begins_another_incarnation() {
    let world = World::new();
    let tree = edited(&world);
    let name = replica(&tree.path(".git"));
    let mut lost = Vec::new();
    restored(&tree, "store", || {
        retitle(&tree, "Third", "Gamma");
        lost = edits(&tree.path(".git"));
    });
    retitle(&tree, "Gamma", "Delta");
    let text = tree.read(FILE);
    assert_ne!(replica(&tree.path(".git")), name);
    assert!(
        text.contains("title: Beta\n") && text.contains("title: Delta\n"),
        "{text}"
    );
    let now = edits(&tree.path(".git"));
    for old in &lost {
        let same = |edit: &&rhema_crdt::store::StoredEdit| {
            edit.known.stamp == old.known.stamp
                || (edit.known.stamp.replica() == old.known.stamp.replica()
                    && edit.known.previous == old.known.previous)
        };
        assert!(now.iter().filter(same).all(|edit| edit.known == old.known));
    }
}

#[test]
fn a_clock_from_a_backup_or_lost_begins_another_incarnation() {
    let world = World::new();
    let tree = edited(&world);
    let name = replica(&tree.path(".git"));
    restored(&tree, "clock", || {
        retitle(&tree, "Third", "Gamma");
    });
    assert_eq!(retitle(&tree, "Gamma", "Delta"), 1);
    let second = replica(&tree.path(".git"));
    assert_ne!(second, name);
    fs::remove_file(state(&tree).join("clock")).unwrap();
    assert_eq!(retitle(&tree, "Delta", "Epsilon"), 1);
    let third = replica(&tree.path(".git"));
    assert!(third != second && third != name);
    nobody_equivocates(&[&tree.path(".git")]);
}

#[test]
fn an_undisturbed_work_tree_stays_who_it_is() {
    let world = World::new();
    let tree = edited(&world);
    let name = replica(&tree.path(".git"));
    for to in ["Gamma", "Delta"] {
        retitle(&tree, "Third", to);
        tree.rhema(&["set", "todos/a", &format!("priority={to}")])
            .exits(0);
        tree.rhema(&SYNC).exits(0);
        tree.git(&["checkout", "-q", "--", FILE]);
        tree.rhema(&SYNC).exits(0);
        assert_eq!(replica(&tree.path(".git")), name);
        retitle(&tree, "Second", "Beta");
    }
}
