//! `status`: where the documents are and how they stand.

use crate::support::{Tree, World};
use serde_json::{Value, json};

const TODOS: &str = "todos:\n  - id: a\n    title: One\n  - id: b\n    title: Two\n";

/// path -> state
fn states(tree: &Tree<'_>) -> Vec<(String, String)> {
    let status = tree.rhema(&["status", "--json"]).exits(0).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    status["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| (text(&each["path"]), text(&each["state"])))
        .collect()
}

fn state(tree: &Tree<'_>, path: &str) -> String {
    states(tree)
        .into_iter()
        .find(|(each, _)| each == path)
        .map_or("absent".to_owned(), |(_, state)| state)
}

#[test]
fn the_json_has_the_agreed_shape() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[
            (".rhema/todos.yaml", TODOS),
            ("api/.rhema/deep/k.yml", "- id: x\n"),
        ],
    );
    let before = repo.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(before["node"], Value::Null);
    let init = repo.rhema(&["init", "--json"]).exits(0).json();
    repo.commit("init");
    assert_eq!(
        repo.rhema(&["status", "--json"]).exits(0).json(),
        json!({
            "node": init["node"],
            "repo": repo.top.to_str().unwrap(),
            "branch": "main",
            "driver": {"configured": true},
            "documents": [
                {"path": ".rhema/todos.yaml", "scope": ".", "state": "clean", "records": 2, "conflicts": 0, "pending": 0, "parked": []},
                {"path": "api/.rhema/deep/k.yml", "scope": "api", "state": "clean", "records": 1, "conflicts": 0, "pending": 0, "parked": []},
            ],
            "peers": [],
            "removed": [],
            "untaken": [],
            "refused": [],
            "remote": null,
            "watching": false,
            "watcher": null,
            "auto_sync": null,
        })
    );
}

#[test]
fn the_driver_counts_as_configured_with_both_its_halves() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", TODOS)]);
    let configured =
        || repo.rhema(&["status", "--json"]).exits(0).json()["driver"]["configured"].clone();
    assert_eq!(configured(), false);
    assert_eq!(state(&repo, ".rhema/todos.yaml"), "unmigrated");
    repo.rhema(&["init"]).exits(0);
    assert_eq!(configured(), true);
    assert_eq!(state(&repo, ".rhema/todos.yaml"), "edited");
    repo.commit("init");
    assert_eq!(state(&repo, ".rhema/todos.yaml"), "clean");
    repo.write(".git/info/attributes", ".rhema/todos.yaml -merge\n");
    assert_eq!(state(&repo, ".rhema/todos.yaml"), "unmigrated");
    std::fs::remove_file(repo.path(".git/info/attributes")).unwrap();
    repo.git(&["config", "--unset", "merge.rhema-crdt.driver"]);
    assert_eq!(configured(), false);
}

#[test]
fn edited_means_different_from_head() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", TODOS)]);
    repo.rhema(&["init"]).exits(0);
    repo.commit("init");
    let todos = repo.read(".rhema/a.yaml");
    repo.write(".rhema/a.yaml", todos.replace("One", "1"));
    assert_eq!(state(&repo, ".rhema/a.yaml"), "edited", "in the work tree");
    repo.git(&["add", "-A"]);
    assert_eq!(state(&repo, ".rhema/a.yaml"), "edited", "in the index");
    repo.write(".rhema/a.yaml", &todos);
    assert_eq!(state(&repo, ".rhema/a.yaml"), "clean", "in the index only");
    repo.git(&["reset", "-q"]);
    assert_eq!(state(&repo, ".rhema/a.yaml"), "clean");
    repo.write(".rhema/new.yaml", &todos);
    assert_eq!(state(&repo, ".rhema/new.yaml"), "edited", "not in HEAD");
}

#[test]
fn line_endings_that_git_converts_are_no_edit() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", TODOS)]);
    repo.rhema(&["init"]).exits(0);
    repo.commit("init");
    let todos = repo.read(".rhema/a.yaml");
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.write(".rhema/a.yaml", todos.replace('\n', "\r\n"));
    assert_eq!(state(&repo, ".rhema/a.yaml"), "clean");
}

#[test]
fn conflicted_means_markers_or_an_unmerged_index() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", TODOS)]);
    repo.on_branch("theirs", ".rhema/a.yaml", TODOS.replace("Two", "2"));
    repo.write(".rhema/a.yaml", TODOS.replace("Two", "II"));
    repo.commit("ours");
    repo.try_git(&["merge", "-q", "theirs"]).exits(1);
    let document = repo.rhema(&["status", "--json"]).exits(0).json()["documents"][0].clone();
    assert_eq!(document["state"], "conflicted");
    assert_eq!(document["conflicts"], 1);
    repo.write(".rhema/a.yaml", TODOS);
    let document = repo.rhema(&["status", "--json"]).exits(0).json()["documents"][0].clone();
    assert_eq!(
        (document["state"].as_str(), document["conflicts"].as_u64()),
        (Some("conflicted"), Some(0))
    );
    repo.git(&["add", "-A"]);
    assert_eq!(state(&repo, ".rhema/a.yaml"), "unmigrated");
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[
            (".rhema/a.yaml", "a: 1\nb: [1, 2\n"),
            (".rhema/b.yaml", TODOS),
        ],
    );
    repo.rhema(&["init"]).exits(0);
    let status = repo.rhema(&["status", "--json"]).exits(0);
    assert!(
        status.stderr.starts_with("warning: .rhema/a.yaml:"),
        "{}",
        status.stderr
    );
    assert_eq!(status.stderr.lines().count(), 1, "{}", status.stderr);
    assert_eq!(state(&repo, ".rhema/a.yaml"), "unparsable");
    assert_eq!(state(&repo, ".rhema/b.yaml"), "edited");
}

#[test]
fn every_context_file_is_a_document_tracked_or_not() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[
            (".gitignore", "build/\n*.ignored.yaml\n"),
            (".rhema/a.yaml", "a: 1\n"),
            (".rhema/crdt/members.yaml", "our own file\n"),
            (".rhema/notes.txt", "not YAML"),
            ("not-context.yaml", "a: 1\n"),
            ("x/y/.rhema/deep/er/b.yml", "a: 1\n"),
        ],
    );
    repo.write("fresh/z/.rhema/c.yaml", "a: 1\n");
    repo.write("x/y/.rhema/d.yaml", "a: 1\n");
    repo.write("x/y/.rhema/e.ignored.yaml", "a: 1\n");
    repo.write("build/out/.rhema/f.yaml", "a: 1\n");
    repo.write("forced/g.ignored.yaml", "a: 1\n");
    repo.write("forced/.rhema/g.ignored.yaml", "a: 1\n");
    repo.git(&["add", "-f", "forced"]);
    repo.write("fresh/nested/.rhema/h.yaml", "a: 1\n");
    world.tree("repo/fresh/nested").git(&["init", "-q"]);
    std::os::unix::fs::symlink("a.yaml", repo.path(".rhema/link.yaml")).unwrap();
    std::os::unix::fs::symlink("x", repo.path("linked-folder")).unwrap();
    let found: Vec<String> = states(&repo).into_iter().map(|(path, _)| path).collect();
    assert_eq!(
        found,
        [
            ".rhema/a.yaml",
            "forced/.rhema/g.ignored.yaml",
            "fresh/z/.rhema/c.yaml",
            "x/y/.rhema/d.yaml",
            "x/y/.rhema/deep/er/b.yml",
        ]
    );
}

#[test]
fn deleted_and_replaced_folders_are_seen_as_they_are() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[
            ("a/b/.rhema/a.yaml", "a: 1\n"),
            ("a/c/file", ""),
            ("d/.rhema/d.yaml", "a: 1\n"),
        ],
    );
    std::fs::remove_dir_all(repo.path("a/b")).unwrap();
    repo.write("a/n/.rhema/n.yaml", "a: 1\n");
    std::fs::remove_dir_all(repo.path("d")).unwrap();
    std::os::unix::fs::symlink("a/n", repo.path("d")).unwrap();
    let found: Vec<String> = states(&repo).into_iter().map(|(path, _)| path).collect();
    assert_eq!(found, ["a/n/.rhema/n.yaml"]);
}

#[test]
fn it_is_the_same_from_any_folder_and_in_a_linked_work_tree() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[(".rhema/a.yaml", TODOS), ("x/y/.rhema/b.yaml", TODOS)],
    );
    let here = repo.rhema(&["status", "--json"]).exits(0).stdout;
    assert_eq!(
        world
            .rhema(&repo.path("x/y"), &["status", "--json"])
            .exits(0)
            .stdout,
        here
    );
    assert_eq!(
        world
            .rhema(&world.path(""), &["--json", "-C", "repo/x", "status"])
            .exits(0)
            .stdout,
        here
    );
    repo.git(&["worktree", "add", "-q", "-b", "other", "../linked"]);
    let linked = world
        .tree("linked")
        .rhema(&["status", "--json"])
        .exits(0)
        .json();
    assert_eq!(linked["branch"], "other");
    assert_eq!(linked["repo"], world.path("linked").to_str().unwrap());
    assert_eq!(linked["documents"].as_array().unwrap().len(), 2);
}

#[test]
fn branches_may_be_unborn_or_detached() {
    let world = World::new();
    std::fs::create_dir(world.path("new")).unwrap();
    let new = world.tree("new");
    new.git(&["init", "-q", "-b", "topic/x"]);
    new.write(".rhema/a.yaml", TODOS);
    let status = new.rhema(&["status", "--json"]).exits(0).json();
    assert_eq!(status["branch"], "topic/x");
    assert_eq!(status["documents"][0]["state"], "unmigrated");
    new.rhema(&["init"]).exits(0);
    assert_eq!(state(&new, ".rhema/a.yaml"), "edited");
    new.commit("first");
    new.git(&["checkout", "-q", "--detach"]);
    assert!(new.rhema(&["status", "--json"]).exits(0).json()["branch"].is_null());
    assert!(
        new.rhema(&["status"])
            .exits(0)
            .stdout
            .contains("detached HEAD")
    );
}

#[test]
fn people_get_a_line_for_each_file_a_summary_and_a_hint() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[
            (".rhema/todos.yaml", TODOS),
            ("api/.rhema/k.yaml", "a: [\n"),
        ],
    );
    let status = repo.rhema(&["status"]).exits(0);
    let top = repo.top.display();
    let expected = format!(
        "{top} on branch main\n  .rhema/todos.yaml  unmigrated  2 records\n  api/.rhema/k.yaml  unparsable  "
    );
    assert!(status.stdout.starts_with(&expected), "{}", status.stdout);
    assert!(
        status
            .stdout
            .contains("\n2 documents in 2 scopes: 1 unmigrated, 1 unparsable\n"),
        "{}",
        status.stdout
    );
    assert!(
        status.stdout.contains("rhema crdt init"),
        "{}",
        status.stdout
    );
}

#[test]
fn odd_file_names_stay_on_their_line() {
    let world = World::new();
    let repo = world.repo("repo", &[("new\nline/.rhema/\u{1b}[31m.yaml", TODOS)]);
    let status = repo.rhema(&["status"]).exits(0);
    assert!(
        status
            .stdout
            .contains("  new\\nline/.rhema/\\u{1b}[31m.yaml  "),
        "{}",
        status.stdout
    );
    assert_eq!(states(&repo)[0].0, "new\nline/.rhema/\u{1b}[31m.yaml");
}

#[test]
fn kept_losers_are_conflicts_and_new_stamps_are_pending() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", TODOS)]);
    repo.rhema(&["init"]).exits(0);
    let marked = repo.read(".rhema/a.yaml");
    let stamped = |line: &str| marked.replace("    title: One", &format!("{line}\n    title: One"));
    repo.write(
        ".rhema/a.yaml",
        stamped("    _crdt: 4k2m9xa7-7f3kqd title~a1f"),
    );
    let one = || repo.rhema(&["status", "--json"]).exits(0).json()["documents"][0].clone();
    assert_eq!(
        (&one()["state"], &one()["pending"]),
        (&json!("edited"), &json!(1))
    );
    repo.commit("stamped");
    assert_eq!(
        (&one()["state"], &one()["pending"]),
        (&json!("clean"), &json!(0))
    );
    repo.write(
        ".rhema/a.yaml",
        stamped("    _crdt: 4k2m9xa7-7f3kqd title~a1f 4k2m9xa8-7f3kqd notes~a1f\n    _crdt_conflicts: title~~s.Eins title~~s.Un"),
    );
    assert_eq!(one()["state"], "conflicted");
    assert_eq!(one()["conflicts"], 2);
    assert_eq!(one()["pending"], 1);
}

#[test]
fn without_its_marker_a_document_is_unmigrated() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    repo.write(".rhema/a.yaml", TODOS);
    repo.write(".rhema/list.yaml", "- id: a\n");
    assert_eq!(state(&repo, ".rhema/a.yaml"), "unmigrated");
    assert_eq!(state(&repo, ".rhema/list.yaml"), "edited");
}

#[test]
fn it_writes_nothing() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", TODOS)]);
    let before = repo.snapshot();
    repo.rhema(&["status"]).exits(0);
    assert_eq!(repo.snapshot(), before);
}

#[test]
fn an_index_that_cannot_be_read_is_named_with_a_way_out() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", TODOS)]);
    repo.git(&["update-index", "--split-index"]);
    let refused = repo.rhema(&["status"]).exits(3);
    assert!(
        refused.stderr.contains("git update-index --no-split-index"),
        "{}",
        refused.stderr
    );
    repo.git(&["update-index", "--no-split-index"]);
    repo.rhema(&["status"]).exits(0);
}
