//! `init` and `uninit` on the context files themselves, the node and the members.

use crate::support::{BINARY, Tree, World, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const TODOS: &str = "# Todos\n\ntodos:\n  - id: a\n    title: One\n  - id: b\n    title: Two\n";

/// Files of every shape, as a work tree may hold them.
const SHAPES: [(&str, &str); 17] = [
    (".rhema/todos.yaml", TODOS),
    (
        ".rhema/crlf.yaml",
        "\u{feff}todos:\r\n  - id: a # x\r\n    title: One\r\n",
    ),
    (".rhema/unfinished.yaml", "entries: []\nname: x"),
    (".rhema/flow.yaml", "{a: 1, todos: [{id: x}]}"),
    (".rhema/empty-flow.yaml", "{}"),
    (".rhema/json.yaml", "{\n  \"a\": [1, 2]\n}\n"),
    (".rhema/head.yaml", "%YAML 1.2\n---\n# x\na: 1\n...\n"),
    (".rhema/indented.yaml", "  a: 1\n  b:\n    - x\n"),
    (".rhema/empty.yaml", ""),
    (".rhema/remark.yaml", "# nothing yet\n"),
    (".rhema/list.yaml", "- id: a\n- id: b\n"),
    (".rhema/scalar.yaml", "just text\n"),
    (".rhema/many.yaml", "a: 1\n---\nb: 2\n"),
    (".rhema/mine.yaml", "a: 1\n_crdt: mine\n"),
    (".rhema/broken.yaml", "a: [1\n"),
    ("services/api/.rhema/deep/k.yml", "patterns: []\r\n"),
    ("services/api/.rhema/anchored.yaml", "&x\na: 1\n"),
];

const VERBOSE: &str = "# Todos\ntodos:\n  _crdt_metadata:\n    type: \"or_set\"\n    version: \"1.0\"\n  items:\n    - id: \"todo_001\"\n      title: \"Log in\"\n      _crdt_metadata:\n        added_by: \"node_001\"\n";

fn node(tree: &Tree<'_>) -> String {
    let status = tree.rhema(&["status", "--json"]).exits(0).json();
    status["node"].as_str().unwrap().to_owned()
}

#[test]
fn every_shape_of_file_comes_back_byte_by_byte() {
    let world = World::new();
    let repo = world.repo("repo", &SHAPES);
    let before = repo.snapshot();
    let init = repo.rhema(&["init"]).exits(0);
    assert!(
        init.stderr
            .contains("warning: .rhema/mine.yaml:2:1: the key `_crdt` holds something else"),
        "{}",
        init.stderr
    );
    assert!(
        init.stderr.contains("warning: .rhema/broken.yaml:2:1: ")
            || init.stderr.contains("warning: .rhema/broken.yaml:1:"),
        "{}",
        init.stderr
    );
    assert_eq!(
        repo.read(".rhema/todos.yaml"),
        TODOS.replace("todos:", "_crdt: v1 todos=or_set\ntodos:")
    );
    assert_eq!(repo.read(".rhema/list.yaml"), "- id: a\n- id: b\n");
    let set_up = repo.snapshot();
    repo.rhema(&["init"]).exits(0);
    assert!(repo.snapshot() == set_up, "a second init changes no byte");
    repo.rhema(&["uninit"]).exits(0);
    let after = repo.snapshot();
    for (path, bytes) in &before {
        assert_eq!(after.get(path), Some(bytes), "{}", path.display());
    }
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert!(!repo.path(".rhema/crdt").exists());
    assert!(!repo.path(".git/rhema").exists());
}

#[test]
fn a_repository_without_context_is_left_without_a_folder() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    assert!(repo.path(".rhema/crdt/members.yaml").exists());
    repo.rhema(&["uninit"]).exits(0);
    assert!(!repo.path(".rhema").exists());
}

#[test]
fn a_dry_run_of_either_writes_nothing() {
    let world = World::new();
    let repo = world.repo("repo", &SHAPES);
    let before = repo.snapshot();
    let told = repo.rhema(&["init", "--dry-run"]).exits(0).stdout;
    assert!(repo.snapshot() == before);
    for part in [
        ".rhema/todos.yaml",
        ".git/rhema",
        ".rhema/crdt/members.yaml",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    repo.rhema(&["init"]).exits(0);
    let before = repo.snapshot();
    let told = repo.rhema(&["uninit", "--dry-run"]).exits(0).stdout;
    assert!(told.contains(".rhema/todos.yaml: - annotations"), "{told}");
    assert!(repo.snapshot() == before);
}

#[test]
fn the_node_key_is_its_owners_alone_and_stays() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    repo.rhema(&["init"]).exits(0);
    let key = repo.path(".git/rhema/key");
    let mode = key.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = node(&repo);
    assert_eq!(first.len(), 16);
    let members = repo.read(".rhema/crdt/members.yaml");
    assert!(
        members.starts_with(&format!("\"{first}\":\n  key: \"")),
        "{members}"
    );
    assert!(members.ends_with("  role: admin\n"), "{members}");
    assert!(repo.path(".git/rhema/clock").exists());
    repo.rhema(&["init"]).exits(0);
    assert_eq!(node(&repo), first);
}

#[test]
fn the_name_is_that_of_git_and_no_join_is_no_member() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.git(&["config", "user.name", "Ada \"A\" Löwe"]);
    repo.rhema(&["init", "--no-join"]).exits(0);
    assert!(!repo.path(".rhema").exists());
    assert_eq!(node(&repo).len(), 16);
    repo.rhema(&["init"]).exits(0);
    assert!(
        repo.read(".rhema/crdt/members.yaml")
            .contains("name: \"Ada \\\"A\\\" Löwe\"")
    );
}

#[test]
fn two_clones_that_were_both_set_up_merge_without_conflict() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    repo.git(&["clone", "-q", ".", "../clone"]);
    let clone = world.tree("clone");
    repo.rhema(&["init"]).exits(0);
    repo.commit("init here");
    clone.rhema(&["init"]).exits(0);
    clone.commit("init there");
    assert_eq!(
        repo.read(".rhema/todos.yaml"),
        clone.read(".rhema/todos.yaml")
    );
    clone.git(&["fetch", "-q"]);
    clone
        .try_git(&["merge", "-q", "--no-edit", "origin/main"])
        .exits(0);
    let members = clone.read(".rhema/crdt/members.yaml");
    assert!(members.contains(&node(&repo)), "{members}");
    assert!(members.contains(&node(&clone)), "{members}");
    assert_eq!(
        repo.read(".rhema/todos.yaml"),
        clone.read(".rhema/todos.yaml")
    );
    let before = clone.snapshot();
    clone.rhema(&["init"]).exits(0);
    assert!(clone.snapshot() == before);
}

#[test]
fn uninit_right_after_init_in_a_clone_leaves_what_others_committed() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    repo.rhema(&["init"]).exits(0);
    repo.commit("init");
    repo.git(&["clone", "-q", ".", "../clone"]);
    let clone = world.tree("clone");
    let before = clone.snapshot();
    clone.rhema(&["init"]).exits(0);
    assert!(
        clone
            .read(".rhema/crdt/members.yaml")
            .ends_with("role: writer\n")
    );
    let told = clone.rhema(&["uninit"]).exits(0).stdout;
    assert!(told.contains("`rhema crdt uninit` again"), "{told}");
    let mut after = clone.snapshot();
    let mut expected = before.clone();
    // Git itself rewrites its index when it looks at files.
    for files in [&mut after, &mut expected] {
        files.remove(&clone.path(".git/index"));
    }
    assert!(after == expected);
    clone.rhema(&["uninit"]).exits(0);
    assert_eq!(clone.read(".rhema/todos.yaml"), TODOS);
    assert!(!clone.path(".gitattributes").exists());
}

#[test]
fn after_edits_annotations_go_and_values_stay() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    repo.rhema(&["init"]).exits(0);
    let marked = repo.read(".rhema/todos.yaml");
    repo.write(
        ".rhema/todos.yaml",
        marked.replace(
            "    title: One",
            "    _crdt: 4k2m9xa7-7f3kqd title~a1f\n    _crdt_conflicts: title~~s.Eins\n    title: Uno",
        ),
    );
    repo.rhema(&["uninit"]).exits(0);
    assert_eq!(repo.read(".rhema/todos.yaml"), TODOS.replace("One", "Uno"));
}

#[test]
fn the_verbose_form_is_rewritten_and_given_back() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", VERBOSE)]);
    let before = repo.snapshot();
    repo.rhema(&["init"]).exits(0);
    assert_eq!(
        repo.read(".rhema/todos.yaml"),
        "# Todos\n_crdt: v1 todos=or_set\ntodos:\n  - id: \"todo_001\"\n    title: \"Log in\"\n"
    );
    repo.rhema(&["uninit"]).exits(0);
    assert!(repo.snapshot() == before);
}

#[test]
fn the_verbose_form_is_given_back_with_what_was_edited_since() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", VERBOSE)]);
    repo.rhema(&["init"]).exits(0);
    let text = repo.read(".rhema/todos.yaml");
    let edited = text.replace("Log in", "Log out") + "  - id: todo_002\n    title: New\n";
    repo.write(".rhema/todos.yaml", edited);
    repo.rhema(&["sync", "--timeout", "0"]).exits(0);
    repo.rhema(&["uninit"]).exits(0);
    assert_eq!(
        repo.read(".rhema/todos.yaml"),
        VERBOSE.replace("Log in", "Log out") + "    - id: todo_002\n      title: New\n"
    );
}

#[test]
fn a_file_that_has_no_such_list_any_more_stays_an_ordinary_one() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", VERBOSE)]);
    repo.rhema(&["init"]).exits(0);
    repo.write(".rhema/todos.yaml", "_crdt: v1\nnotes: none\n");
    let uninit = repo.rhema(&["uninit"]).exits(1);
    assert!(
        uninit
            .stderr
            .contains(".rhema/todos.yaml:1:1: the verbose form that it had"),
        "{}",
        uninit.stderr
    );
    assert_eq!(repo.read(".rhema/todos.yaml"), "notes: none\n");
}

#[test]
fn a_git_directory_that_cannot_be_written_is_refused() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    repo.write(".git/rhema", "in the way");
    let before = repo.snapshot();
    let refused = repo.rhema(&["init"]).exits(3);
    assert!(
        refused.stderr.starts_with("error: cannot "),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains(".git/rhema"), "{}", refused.stderr);
    assert!(repo.snapshot() == before);
}

#[test]
fn what_fails_in_the_middle_leaves_everything_as_it_was() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[
            (".rhema/todos.yaml", TODOS),
            ("a/.rhema/verbose.yaml", VERBOSE),
        ],
    );
    repo.write(".git/config.lock", "another git is at work\n");
    let before = repo.snapshot();
    repo.rhema(&["init"]).exits(3);
    assert!(repo.snapshot() == before);
    assert!(!repo.path(".git/rhema").exists());
    assert!(!repo.path(".rhema/crdt").exists());
    fs::remove_file(repo.path(".git/config.lock")).unwrap();
    repo.rhema(&["init"]).exits(0);
    repo.write(".git/config.lock", "another git is at work\n");
    let before = repo.snapshot();
    repo.rhema(&["uninit"]).exits(3);
    assert!(repo.snapshot() == before);
}

#[test]
fn a_branch_that_was_set_up_on_its_own_merges_too() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    repo.git(&["checkout", "-q", "-b", "other"]);
    repo.write(".rhema/todos.yaml", TODOS.replace("One", "Uno"));
    repo.rhema(&["init"]).exits(0);
    repo.commit("init there");
    repo.git(&["checkout", "-q", "main"]);
    repo.write(".rhema/todos.yaml", TODOS.replace("Two", "Due"));
    repo.rhema(&["init"]).exits(0);
    repo.commit("init here");
    repo.try_git(&["merge", "-q", "--no-edit", "other"])
        .exits(0);
    assert_eq!(
        repo.read(".rhema/todos.yaml"),
        TODOS
            .replace("One", "Uno")
            .replace("Two", "Due")
            .replace("todos:", "_crdt: v1 todos=or_set\ntodos:")
    );
}

#[test]
fn members_that_cannot_be_read_are_named_with_their_place() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[
            (".rhema/todos.yaml", TODOS),
            (
                ".rhema/crdt/members.yaml",
                "a:\n  key: x\n  name: y\n  role: king\n",
            ),
        ],
    );
    let before = repo.snapshot();
    let refused = repo.rhema(&["init"]).exits(3);
    assert!(
        refused.stderr.contains("members.yaml:4:9: "),
        "{}",
        refused.stderr
    );
    assert!(repo.snapshot() == before);
}

#[test]
fn each_linked_work_tree_is_a_node_of_its_own() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    repo.git(&["worktree", "add", "-q", "-b", "other", "../linked"]);
    let linked = world.tree("linked");
    repo.rhema(&["init"]).exits(0);
    linked.rhema(&["init"]).exits(0);
    assert_ne!(node(&repo), node(&linked));
    assert!(repo.path(".git/worktrees/linked/rhema/key").exists());
    linked.rhema(&["uninit"]).exits(0);
    assert!(!repo.path(".git/worktrees/linked/rhema").exists());
    assert_eq!(linked.read(".rhema/todos.yaml"), TODOS);
    assert!(repo.path(".git/rhema/key").exists());
}

#[test]
fn new_files_get_their_marker_from_the_next_init() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    repo.rhema(&["init"]).exits(0);
    repo.write("a/.rhema/k.yaml", "a: 1\n");
    let changed = repo.rhema(&["init", "--json"]).exits(0).json();
    assert_eq!(
        changed["changed"],
        serde_json::json!([{"what": "marker", "path": "a/.rhema/k.yaml", "rewritten": false}])
    );
    run(world
        .command(BINARY, &repo.path("a"))
        .args(["crdt", "uninit"]))
    .exits(0);
    assert_eq!(repo.read("a/.rhema/k.yaml"), "a: 1\n");
    assert_eq!(repo.read(".rhema/todos.yaml"), TODOS);
    assert_eq!(fs::read_dir(repo.path(".rhema")).unwrap().count(), 1);
}
