//! Repositories that libgit2 cannot open, and those without files.

use crate::knowledge::TODOS;
use crate::support::World;

/// Every command that needs the repository.
const COMMANDS: [&[&str]; 12] = [
    &["init"],
    &["uninit"],
    &["export"],
    &["status"],
    &["sync", "--timeout", "0"],
    &["resolve", "--list"],
    &["get", "todos"],
    &["add", "todos", "title=x"],
    &["set", "todos/a", "title=x"],
    &["remove", "todos/a"],
    &["move", "todos/a", "--first"],
    &["verify"],
];

fn is_refused_by_all(world: &World, name: &str, says: &str) {
    let tree = world.tree(name);
    let before = tree.snapshot();
    for command in COMMANDS {
        let run = tree.rhema(command).exits(3);
        let first = run.stderr.lines().next().unwrap();
        assert!(first.starts_with("error: "), "{command:?}: {}", run.stderr);
        assert!(first.contains(says), "{command:?}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{command:?}: {}", run.stdout);
    }
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn formats_that_cannot_be_read_are_named_and_the_driver_goes_on_working() {
    let world = World::new();
    let file = ".rhema/todos.yaml";
    for format in ["--ref-format=reftable", "--object-format=sha256"] {
        let tree = world.tree(format);
        std::fs::create_dir(tree.path("")).unwrap();
        tree.git(&["init", "-q", "-b", "main", format]);
        tree.write(file, TODOS);
        tree.write(".gitattributes", "**/.rhema/**/*.yaml merge=rhema-crdt\n");
        tree.commit("start");
        is_refused_by_all(&world, format, "reftable or SHA-256");
        let driver = format!(
            "'{}' crdt merge-driver %O %A %B %P -L %L",
            crate::support::BINARY
        );
        tree.git(&["config", "merge.rhema-crdt.driver", &driver]);
        tree.on_branch("other", file, TODOS.replace("Second", "Beta"));
        tree.write(file, TODOS.replace("First", "Alpha"));
        tree.commit("alpha");
        tree.git(&["merge", "-q", "other"]);
        assert_eq!(
            tree.read(file),
            TODOS.replace("First", "Alpha").replace("Second", "Beta")
        );
    }
}

#[test]
fn a_bare_repository_has_no_files_and_its_work_trees_do() {
    let world = World::new();
    let tree = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    tree.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    is_refused_by_all(&world, "bare.git", "bare repository");
    let bare = world.tree("bare.git");
    bare.git(&["worktree", "add", "-q", "../linked"]);
    let linked = world.tree("linked");
    linked.rhema(&["init"]).exits(0);
    linked.rhema(&["set", "todos/a", "title=Alpha"]).exits(0);
    assert!(linked.read(".rhema/todos.yaml").contains("title: Alpha\n"));
    assert!(bare.path("worktrees/linked/rhema/store.sqlite").exists());
    assert!(!bare.path("rhema").exists());
    is_refused_by_all(&world, "bare.git", "bare repository");
}

#[test]
fn outside_a_repository_every_command_says_so() {
    let world = World::new();
    std::fs::create_dir(world.path("plain")).unwrap();
    is_refused_by_all(&world, "plain", "is not in a git repository");
}
