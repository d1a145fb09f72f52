//! `export`: the values without annotations.

use crate::support::World;

const ANNOTATED: &str = "# Todos\n_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    _crdt: +~a1f 4k2m9xa7-7f3kqd title~a1f\n    _crdt_conflicts: title~~s.Eins\n    title: One # first\n";
const PLAIN: &str = "# Todos\ntodos:\n  - id: a\n    title: One # first\n";

#[test]
fn one_file_is_printed_as_it_is() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/todos.yaml", ANNOTATED)]);
    let before = repo.snapshot();
    assert_eq!(repo.rhema(&["export"]).exits(0).stdout, PLAIN);
    assert_eq!(repo.snapshot(), before);
}

#[test]
fn several_are_one_stream_with_their_paths() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[
            (".rhema/a.yaml", "a: 1"),
            (".rhema/b.yaml", "%YAML 1.2\n---\nb: 2\n"),
            (".rhema/todos.yaml", ANNOTATED),
        ],
    );
    assert_eq!(
        repo.rhema(&["export"]).exits(0).stdout,
        format!(
            "---\n# .rhema/a.yaml\na: 1\n...\n# .rhema/b.yaml\n%YAML 1.2\n---\nb: 2\n---\n# .rhema/todos.yaml\n{PLAIN}"
        )
    );
}

#[test]
fn a_tree_of_files_goes_into_a_folder() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[
            (".rhema/todos.yaml", ANNOTATED),
            ("api/.rhema/deep/k.yml", "\u{feff}a: 1\r\n"),
        ],
    );
    for _ in 0..2 {
        repo.rhema(&["export", "--output", "../plain/tree"])
            .exits(0);
        let plain = world.tree("plain/tree");
        assert_eq!(plain.read(".rhema/todos.yaml"), PLAIN);
        assert_eq!(plain.read("api/.rhema/deep/k.yml"), "\u{feff}a: 1\r\n");
        assert_eq!(plain.snapshot().len(), 2);
    }
    let refused = repo.rhema(&["export", "--output", "."]).exits(3);
    assert!(
        refused.stderr.contains("is the work tree itself"),
        "{}",
        refused.stderr
    );
    assert_eq!(repo.read(".rhema/todos.yaml"), ANNOTATED);
}

#[test]
fn what_cannot_be_read_goes_along_as_it_is() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", "a: [1\n")]);
    let export = repo.rhema(&["export", "--json"]).exits(1);
    assert!(
        export.stderr.starts_with("warning: .rhema/a.yaml:"),
        "{}",
        export.stderr
    );
    assert_eq!(
        export.json(),
        serde_json::json!({"files": [{"path": ".rhema/a.yaml", "content": "a: [1\n"}]})
    );
}
