//! Each command has the same outcome whether it asks a watcher or works alone.

use std::fs;

use crate::support::{Run, Tree, World};
use crate::watcher::{FILE, Watcher, asks, set_up, without_stamps};

/// What is done before the command runs.
type Before = fn(&Tree<'_>);

fn nothing(_: &Tree<'_>) {}

/// What a command prints, how it ends and what it leaves in the file.
fn outcome(tree: &Tree<'_>, run: &Run) -> [String; 4] {
    let top = tree.top.to_string_lossy();
    let of = |text: &str| without_stamps(text).replace(&*top, "TOP");
    [
        run.status.to_string(),
        of(&run.stdout),
        of(&run.stderr),
        of(&fs::read_to_string(tree.path(FILE)).unwrap_or_default()),
    ]
}

#[track_caller]
fn is_the_same(before: Before, command: &[&str]) {
    is_just_the_same(before, command);
    is_just_the_same(before, &[command, &["--json"]].concat());
}

#[track_caller]
fn is_just_the_same(before: Before, command: &[&str]) {
    let world = World::new();
    let alone = set_up(&world, "alone");
    before(&alone);
    let expected = outcome(&alone, &alone.rhema(command));
    let asking = set_up(&world, "asking");
    before(&asking);
    let _watcher = Watcher::begin(&asking);
    let told = outcome(&asking, &asks(&asking, command));
    assert_eq!(told, expected, "{command:?}");
}

#[test]
fn good_edits() {
    let cases: [&[&str]; 8] = [
        &["set", "todos/a", "title=Fix: the bug", "priority=3"],
        &[
            "set",
            "todos/a",
            "title=two\r\nlines ",
            "--unset",
            "priority",
        ],
        &["set", ".", "owner=ben"],
        &["set", "todos/a", "title=First"],
        &[
            "add",
            "todos",
            "title=Ship it",
            "tags=[a, 'b c']",
            "meta.owner=ada",
        ],
        &["remove", "todos/b"],
        &["remove", "./owner"],
        &["move", "todos/b", "--before", "a"],
    ];
    for case in cases {
        is_the_same(nothing, case);
    }
}

#[test]
fn counting() {
    let configured: Before = |tree| {
        tree.write(
            ".rhema/crdt/config.yaml",
            "discovery: off\ntypes: {'todos[].votes': g_counter}\n",
        );
        tree.commit("types");
        tree.rhema(&["sync", "--timeout", "0"]).exits(0);
    };
    is_the_same(configured, &["increment", "todos/a/votes"]);
    is_the_same(configured, &["increment", "todos/a/votes", "12"]);
    is_the_same(configured, &["increment", "todos/a/votes", "-1"]);
    is_the_same(configured, &["increment", "todos/a/title"]);
    is_the_same(configured, &["set", "todos/a", "votes=many"]);
}

#[test]
fn refused_edits() {
    let cases: [&[&str]; 6] = [
        &["set", "todos/zzz", "title=x"],
        &["set", "tods/a", "title=x"],
        &["add", "todos", "id=a", "title=Again"],
        &["remove", "./nothing"],
        &["move", "todos/a", "--after", "zzz"],
        &["set", "todos/a", "title=x", "--file", "README"],
    ];
    for case in cases {
        is_the_same(nothing, case);
    }
}

#[test]
fn wrong_usage() {
    is_the_same(nothing, &["set", "todos/a"]);
    is_the_same(nothing, &["set", "todos/a", "title=[open"]);
    is_the_same(nothing, &["sync", "--timeout", "soon"]);
}

#[test]
fn a_file_with_an_error_at_a_line() {
    let broken: Before = |tree| {
        tree.write(FILE, "todos:\n  - id: a\n   title: [x\n");
    };
    is_the_same(broken, &["set", "todos/a", "title=x"]);
    is_the_same(broken, &["add", "todos", "title=x"]);
    is_the_same(broken, &["sync"]);
}

#[test]
fn git_in_the_middle_of_a_merge() {
    let merging: Before = |tree| {
        tree.git(&["branch", "other"]);
        tree.write("README", "ours\n");
        tree.commit("ours");
        tree.git(&["switch", "-q", "other"]);
        tree.write("README", "theirs\n");
        tree.commit("theirs");
        tree.try_git(&["merge", "main"]).exits(1);
    };
    is_the_same(merging, &["set", "todos/a", "title=x"]);
    is_the_same(merging, &["sync"]);
}

#[test]
fn setting_a_field_that_a_conflict_is_open_about() {
    let contested: Before = |tree| {
        for (branch, title) in [("one", "title=Uno"), ("two", "title=Dos")] {
            tree.git(&["switch", "-q", "-c", branch, "main"]);
            tree.rhema(&["set", "todos/a", title]).exits(0);
            tree.commit(branch);
        }
        tree.git(&["merge", "-q", "--no-edit", "one"]);
        tree.rhema(&["sync", "--timeout", "0"]);
        assert!(
            tree.read(FILE).contains("_conflicts"),
            "{}",
            tree.read(FILE)
        );
    };
    is_the_same(contested, &["set", "todos/a", "title=Tres"]);
}

#[test]
fn a_sync_without_anybody() {
    is_the_same(nothing, &["sync"]);
    is_the_same(nothing, &["sync", "--force", "--timeout", "1"]);
    is_just_the_same(nothing, &["sync", "--peer", "127.0.0.1:9", "--json"]);
    is_the_same(nothing, &["sync", "--peer", "nobody"]);
}

#[test]
fn edits_from_a_folder_of_the_repository_and_of_another_scope() {
    let world = World::new();
    let outcomes = [false, true].map(|is_asking| {
        let tree = set_up(&world, if is_asking { "asking" } else { "alone" });
        tree.write(
            "x/.rhema/todos.yaml",
            "todos:\n  - id: z\n    title: Last\n",
        );
        tree.rhema(&["init"]).exits(0);
        tree.commit("scope");
        tree.rhema(&["sync", "--timeout", "0"]).exits(0);
        let watcher = is_asking.then(|| Watcher::begin(&tree));
        let inside = Tree {
            world: &world,
            top: tree.path("x/.rhema"),
        };
        let edit = ["set", "todos/z", "title=Omega", "--json"];
        let one = match is_asking {
            true => asks(&inside, &edit),
            false => inside.rhema(&edit),
        };
        let other = tree.rhema(&["set", "todos/z", "title=Psi", "--scope", "x", "--json"]);
        drop(watcher);
        [one, other].map(|run| (run.status, without_stamps(&run.stdout), run.stderr))
    });
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[0][0].0, 0, "{:?}", outcomes[0]);
}
