//! Where work trees and documents may lie, and what they may be called.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rhema_crdt::git::Repo;

use crate::knowledge::{FILE, SYNC, TODOS, changes, nobody_equivocates, replica, retitle};
use crate::support::{BINARY, Tree, World, run};

/// How many edits a `sync` records, which must find everything in order.
#[track_caller]
fn recorded(tree: &Tree<'_>) -> u64 {
    let report = tree.rhema(&SYNC).exits(0).json();
    report["edits_recorded"].as_u64().unwrap()
}

#[test]
fn linked_work_trees_are_replicas_of_their_own_and_find_each_other() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init"]).exits(0);
    tree.commit("init");
    tree.git(&["worktree", "add", "-q", "../one"]);
    tree.git(&["worktree", "add", "-q", "../two"]);
    let (one, two) = (world.tree("one"), world.tree("two"));
    for (tree, title) in [(&tree, "Alpha"), (&one, "Beta"), (&two, "Gamma")] {
        assert_eq!(retitle(tree, "First", title), 1);
    }
    let git_dirs = [".git", ".git/worktrees/one", ".git/worktrees/two"].map(|name| tree.path(name));
    let names: Vec<String> = git_dirs.iter().map(|git_dir| replica(git_dir)).collect();
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
    for git_dir in &git_dirs {
        assert_eq!(changes(git_dir), 1, "{}", git_dir.display());
    }
    nobody_equivocates(&git_dirs.each_ref().map(PathBuf::as_path));
    for here in [&tree, &one, &two] {
        let mut others = Repo::at(&here.path(""))
            .unwrap()
            .other_work_trees()
            .unwrap();
        others.sort();
        let mut expected: Vec<PathBuf> = [&tree, &one, &two]
            .iter()
            .filter(|there| there.path("") != here.path(""))
            .map(|there| there.path("").components().collect())
            .collect();
        expected.sort();
        assert_eq!(others, expected);
    }
    tree.git(&["worktree", "remove", "--force", "../one"]);
    assert!(!git_dirs[1].exists(), "its state goes with it");
    assert_eq!(recorded(&two), 0);
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let world = World::new();
    world.repo("library", &[(FILE, TODOS)]);
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let from = world.path("library");
    let arguments = ["-c", "protocol.file.allow=always", "submodule", "add", "-q"];
    let mut arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    arguments.extend([from.as_os_str(), OsStr::new("library")]);
    tree.git(&arguments);
    tree.commit("library");
    let submodule = world.tree("repo/library");
    assert_eq!(retitle(&submodule, "First", "Alpha"), 1);
    assert!(
        tree.path(".git/modules/library/rhema/store.sqlite")
            .exists()
    );
    assert_eq!(recorded(&tree), 0, "its edits are not ours");
    assert_eq!(retitle(&tree, "First", "Beta"), 1);
    assert_eq!(changes(&tree.path(".git")), 1);
    assert_eq!(changes(&tree.path(".git/modules/library")), 1);
}

#[test]
fn nested_scopes_are_told_apart() {
    let world = World::new();
    let files = [
        FILE,
        "a/.rhema/todos.yaml",
        "a/b/.rhema/todos.yaml",
        "a/.rhema/deep/todos.yaml",
    ];
    let tree = world.repo("repo", &files.map(|file| (file, TODOS)));
    for (index, file) in files.iter().enumerate() {
        tree.write(file, TODOS.replace("First", &format!("Edited {index}")));
    }
    assert_eq!(recorded(&tree), 4);
    for (index, file) in files.iter().enumerate() {
        assert!(
            tree.read(file)
                .contains(&format!("title: Edited {index}\n"))
        );
    }
    let before = tree.snapshot();
    assert_eq!(recorded(&tree), 0);
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn git_dir_and_git_work_tree_say_where_everything_is() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    fs::rename(tree.path(".git"), world.path("elsewhere.git")).unwrap();
    tree.write(FILE, TODOS.replace("First", "Alpha"));
    let mut command = world.command(BINARY, &world.path("home"));
    command
        .env("GIT_DIR", world.path("elsewhere.git"))
        .env("GIT_WORK_TREE", tree.path(""))
        .arg("crdt")
        .args(SYNC);
    assert_eq!(run(&mut command).exits(0).json()["edits_recorded"], 1);
    assert!(tree.read(FILE).contains("    _crdt: "));
    assert!(world.path("elsewhere.git/rhema/store.sqlite").exists());
    assert!(!tree.path(".git").exists());
}

#[test]
fn documents_that_are_not_checked_out_are_not_deleted() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS), ("a/.rhema/todos.yaml", TODOS)]);
    tree.write("a/.rhema/todos.yaml", TODOS.replace("First", "Alpha"));
    assert_eq!(recorded(&tree), 1);
    tree.commit("alpha");
    assert_eq!(recorded(&tree), 0);
    let known = changes(&tree.path(".git"));
    tree.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/a/"]);
    assert!(!tree.path("a").exists());
    assert_eq!(recorded(&tree), 0);
    assert_eq!(retitle(&tree, "Second", "Beta"), 1);
    tree.commit("beta");
    assert_eq!(recorded(&tree), 0);
    tree.git(&["sparse-checkout", "disable"]);
    assert_eq!(recorded(&tree), 0);
    assert!(tree.read("a/.rhema/todos.yaml").contains("title: Alpha\n"));
    assert_eq!(
        changes(&tree.path(".git")),
        known + 1,
        "nothing but the one edit since"
    );
    assert_eq!(tree.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_sparse_index_is_refused_with_a_way_out() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS), ("a/b/x", "x\n"), ("c/x", "x\n")]);
    tree.git(&[
        "sparse-checkout",
        "set",
        "--cone",
        "--sparse-index",
        ".rhema",
    ]);
    let run = tree.rhema(&SYNC);
    if run.status != 0 {
        assert_eq!(run.status, 3);
        assert!(
            run.stderr.contains("reapply --no-sparse-index"),
            "{}",
            run.stderr
        );
        tree.git(&["sparse-checkout", "reapply", "--no-sparse-index"]);
    }
    assert_eq!(retitle(&tree, "First", "Alpha"), 1);
}

#[test]
fn symbolic_links_are_not_followed() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS), ("kept/todos.yaml", TODOS)]);
    fs::create_dir(tree.path("a")).unwrap();
    symlink("../kept", tree.path("a/.rhema")).unwrap();
    symlink("../kept/todos.yaml", tree.path(".rhema/linked.yaml")).unwrap();
    tree.commit("links");
    tree.rhema(&["init", "--no-join"]).exits(0);
    let edited = TODOS.replace("First", "Alpha");
    tree.write("kept/todos.yaml", &edited);
    assert_eq!(recorded(&tree), 0);
    assert_eq!(tree.read("kept/todos.yaml"), edited);
    let status = tree.rhema(&["status", "--json"]).json();
    assert_eq!(status["documents"].as_array().unwrap().len(), 1, "{status}");
    tree.rhema(&["set", "--file", "a/.rhema/todos.yaml", "todos/a", "title=x"])
        .exits(3);
    tree.rhema(&["set", "--file", ".rhema/linked.yaml", "todos/a", "title=x"])
        .exits(3);
    assert_eq!(tree.read("kept/todos.yaml"), edited);
}

#[test]
fn a_document_that_becomes_a_link_or_a_folder_is_left_alone() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    retitle(&tree, "First", "Alpha");
    let text = tree.read(FILE);
    let known = changes(&tree.path(".git"));
    fs::rename(tree.path(FILE), tree.path("aside.yaml")).unwrap();
    symlink("../aside.yaml", tree.path(FILE)).unwrap();
    assert_eq!(recorded(&tree), 0);
    assert!(tree.path(FILE).is_symlink());
    fs::remove_file(tree.path(FILE)).unwrap();
    fs::create_dir(tree.path(FILE)).unwrap();
    assert_eq!(recorded(&tree), 0);
    fs::remove_dir(tree.path(FILE)).unwrap();
    fs::rename(tree.path("aside.yaml"), tree.path(FILE)).unwrap();
    tree.rhema(&SYNC).exits(0);
    assert_eq!(tree.read(FILE), text);
    assert!(changes(&tree.path(".git")) <= known + 1);
    assert_eq!(recorded(&tree), 0);
}

#[test]
fn names_may_differ_in_case_only() {
    let world = World::new();
    let tree = world.repo("repo", &[(".rhema/Todos.yaml", TODOS)]);
    tree.git(&["config", "core.ignorecase", "true"]);
    assert_eq!(recorded(&tree), 0);
    // As on a file system that ignores case: the index has one name, the folder the other.
    fs::rename(tree.path(".rhema/Todos.yaml"), tree.path(FILE)).unwrap();
    assert_eq!(recorded(&tree), 0, "no record was born");
    assert_eq!(tree.read(FILE), TODOS);
    assert_eq!(retitle(&tree, "First", "Alpha"), 1);
    assert_eq!(recorded(&tree), 0);
}

#[test]
fn names_may_hold_anything() {
    let world = World::new();
    let folders: Vec<OsString> = [
        &b"with a space"[..],
        b"with\na newline",
        b"with 'one' and \"two\" quotes",
        b"-n",
        b"$HOME `x` *",
        b"not \xff\xfe UTF-8",
    ]
    .iter()
    .map(|name| OsStr::from_bytes(name).to_owned())
    .collect();
    for repository in folders.iter().skip(4) {
        let tree = world.repo(Path::new(repository).join("repo"), &[]);
        let documents: Vec<PathBuf> = folders
            .iter()
            .map(|folder| Path::new(folder).join(FILE))
            .collect();
        for document in &documents {
            tree.write(document, TODOS);
        }
        tree.commit("documents");
        tree.rhema(&["init"]).exits(0);
        for document in &documents {
            tree.write(document, TODOS.replace("First", "Alpha"));
        }
        assert_eq!(recorded(&tree), 6, "{repository:?}");
        for document in &documents {
            assert!(tree.read(document).contains("    _crdt: "), "{document:?}");
        }
        tree.commit("alpha");
        assert_eq!(recorded(&tree), 0);
        tree.rhema(&["verify"]).exits(0);
    }
}
