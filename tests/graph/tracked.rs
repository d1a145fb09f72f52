//! What the index of the real git tells of context files, in all of its forms.

use rhema_crdt::git::Repo;

use crate::support::{Tree, World};

/// A context file that git ignores is found only because it is tracked.
fn with_ignored<'w>(world: &'w World, name: &str) -> Tree<'w> {
    let long = format!("{}/deep.txt", "folder/".repeat(60));
    let files = [
        (".rhema/todos.yaml", "a: 1\n"),
        ("build/.rhema/made.yaml", "b: 1\n"),
        (long.as_str(), "x"),
        ("zoo/.rhema/animals.yaml", "c: 1\n"),
    ];
    let tree = world.repo(name, &files);
    tree.write(".gitignore", "build\nzoo\n");
    tree
}

#[track_caller]
fn found(tree: &Tree<'_>) -> Vec<String> {
    let found = Repo::at(&tree.top).unwrap().context_files().unwrap();
    let files = found.files.iter();
    files
        .map(|file| file.to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn tracked_files_are_known_in_every_version_of_the_index() {
    let world = World::new();
    let all = [
        ".rhema/todos.yaml",
        "build/.rhema/made.yaml",
        "zoo/.rhema/animals.yaml",
    ];
    for version in ["2", "3", "4"] {
        let tree = with_ignored(&world, version);
        tree.git(&["update-index", "--index-version", version]);
        assert_eq!(found(&tree), all, "version {version}");
        // One that is only announced is written with more flags.
        tree.write("build/.rhema/new.yaml", "d: 1\n");
        tree.git(&["add", "--force", "--intent-to-add", "build/.rhema/new.yaml"]);
        assert_eq!(found(&tree).len(), 4, "version {version}");
        tree.git(&["rm", "-q", "--cached", "zoo/.rhema/animals.yaml"]);
        assert_eq!(found(&tree).len(), 3, "version {version}");
    }
}

#[test]
fn tracked_files_are_known_while_a_merge_is_unfinished_and_before_the_first_add() {
    let world = World::new();
    let tree = with_ignored(&world, "merge");
    tree.on_branch("other", "zoo/.rhema/animals.yaml", "c: 2\n");
    tree.write("zoo/.rhema/animals.yaml", "c: 3\n");
    tree.git(&["commit", "-q", "-a", "-m", "three"]);
    tree.try_git(&["merge", "-q", "other"]).exits(1);
    assert_eq!(found(&tree).len(), 3);

    std::fs::create_dir(world.path("new")).unwrap();
    let new = world.tree("new");
    new.git(&["init", "-q"]);
    new.write(".rhema/todos.yaml", "a: 1\n");
    assert_eq!(found(&new), [".rhema/todos.yaml"]);
}
