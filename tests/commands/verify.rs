//! `verify`: a line for each problem, and what it can mend.

use crate::support::{Tree, World};

const TODOS: &str = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: One\n";

/// The lines of problems, without their tag.
fn problems(tree: &Tree<'_>) -> Vec<String> {
    tree.rhema(&["verify"])
        .exits(1)
        .stdout
        .lines()
        .map(|line| line.strip_prefix("problem ").unwrap().to_owned())
        .collect()
}

#[test]
fn after_init_all_is_well() {
    let world = World::new();
    let repo = world.repo(
        "repo",
        &[(".rhema/a.yaml", "a: 1\n"), (".rhema/l.yaml", "- x\n")],
    );
    repo.rhema(&["init"]).exits(0);
    let before = repo.snapshot();
    let verify = repo.rhema(&["verify"]).exits(0);
    assert!(
        verify.stdout.starts_with("All is well."),
        "{}",
        verify.stdout
    );
    assert!(
        verify.stderr.contains("no member at HEAD"),
        "{}",
        verify.stderr
    );
    repo.rhema(&["verify", "--fix"]).exits(0);
    assert!(repo.snapshot() == before);
    repo.commit("init");
    assert_eq!(repo.rhema(&["verify"]).exits(0).stderr, "");
}

#[test]
fn what_is_missing_before_init_is_named_and_mended() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", "# x\na: 1\n")]);
    assert_eq!(
        problems(&repo),
        [
            ".gitattributes:1:1: lines are missing that hand context files to the merge driver: run `rhema crdt init`",
            ".git/config:1:1: merge.rhema-crdt.name is missing: run `rhema crdt init`",
            ".git/config:1:1: merge.rhema-crdt.driver is missing: run `rhema crdt init`",
            ".rhema/a.yaml:1:1: the marker `_crdt` is missing: run `rhema crdt init`",
        ]
    );
    let mended = repo.rhema(&["verify", "--fix"]).exits(0).stdout;
    assert_eq!(mended.lines().count(), 4, "{mended}");
    assert!(
        mended.lines().all(|line| line.starts_with("mended ")),
        "{mended}"
    );
    assert_eq!(repo.read(".rhema/a.yaml"), "# x\n_crdt: v1\na: 1\n");
    repo.rhema(&["verify"]).exits(0);
}

#[test]
fn a_stale_driver_is_found_and_mended() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    repo.git(&["config", "merge.rhema-crdt.driver", "/gone/rhema"]);
    assert_eq!(
        problems(&repo),
        [".git/config:1:1: merge.rhema-crdt.driver is stale: run `rhema crdt init`"]
    );
    repo.rhema(&["verify", "--fix"]).exits(0);
    repo.rhema(&["verify"]).exits(0);
}

#[test]
fn files_annotations_and_ids_are_checked_with_their_places() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    repo.write(".rhema/broken.yaml", "a: 1\nb: }\n");
    repo.write(
        ".rhema/conflict.yaml",
        "a: 1\n<<<<<<< x\nb: 1\n=======\nb: 2\n>>>>>>> y\n",
    );
    repo.write(
        ".rhema/ids.yaml",
        format!("{TODOS}  - id: b\n    title: Two\n  - id: a\n    title: Three\n"),
    );
    repo.write(
        ".rhema/mangled.yaml",
        TODOS.replace("    title", "    _crdt: 4k2m9xa7-7f3kqd title~\n    title"),
    );
    repo.write(".rhema/newer.yaml", "_crdt: v2 x\na: 1\n");
    let found = problems(&repo);
    for (index, start) in [
        ".rhema/broken.yaml:2:",
        ".rhema/conflict.yaml:2:1: git conflict marker",
        ".rhema/ids.yaml:7:5: the id `a` stands twice in one list (first in line 3)",
        ".rhema/mangled.yaml:4:5: `_crdt` cannot be understood",
        ".rhema/newer.yaml:1:1: the marker is of a version",
    ]
    .iter()
    .enumerate()
    {
        assert!(found[index].starts_with(start), "{start} in {found:#?}");
    }
    assert_eq!(found.len(), 5, "{found:#?}");
    let fixed = repo.rhema(&["verify", "--fix", "--json"]).exits(1).json();
    assert_eq!(fixed["problems"].as_array().unwrap().len(), 4);
    assert_eq!(fixed["mended"][0]["path"], ".rhema/mangled.yaml");
    assert_eq!(repo.read(".rhema/mangled.yaml"), TODOS);
    assert_eq!(repo.read(".rhema/newer.yaml"), "_crdt: v2 x\na: 1\n");
}

#[test]
fn what_is_only_worth_knowing_is_no_problem() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    repo.commit("init");
    repo.write(
        ".rhema/a.yaml",
        TODOS.replace(
            "    title",
            "    _crdt: 4k2m9xa7-7f3kqd title~000 zzzzzzzz-7f3kqd x~000\n    title",
        ),
    );
    repo.write(".rhema/mine.yaml", "_crdt: mine\n");
    let verify = repo.rhema(&["verify"]).exits(0);
    let notes: Vec<&str> = verify.stderr.lines().collect();
    assert_eq!(
        notes,
        [
            "note: .rhema/a.yaml:4:5: the stamp zzzzzzzz-7f3kqd comes from the future: a clock was wrong there",
            "note: .rhema/a.yaml:4:5: `title` was edited since it was stamped: it counts as unstamped",
            "note: .rhema/mine.yaml:1:1: `_crdt` holds something else than an annotation and is left alone",
        ]
    );
}

#[test]
fn a_key_that_others_may_read_is_a_problem() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(repo.path(".git/rhema/key"), open).unwrap();
    assert_eq!(
        problems(&repo),
        [".git/rhema/key:1:1: others may read the key of this node: `chmod 600` it"]
    );
}

#[test]
fn members_and_configuration_are_checked_with_their_places() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    let members = repo.read(".rhema/crdt/members.yaml");
    let key = members.lines().find(|line| line.contains("key:")).unwrap();
    let line = members.lines().count() + 1;
    let other = format!("{members}node-0000000000000\n{key}\n  name: \"eve\"\n  role: admin\n");
    repo.write(
        ".rhema/crdt/members.yaml",
        other.replace("0000\n", "0000:\n"),
    );
    repo.write(".rhema/crdt/config.yaml", "peers: []\ndiscovery: dns\n");
    let found = problems(&repo);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with(".rhema/crdt/config.yaml:2:12: "),
        "{found:?}"
    );
    assert!(
        found[1].starts_with(&format!(
            ".rhema/crdt/members.yaml:{line}:1: node-0000000000000 is no fingerprint"
        )),
        "{found:?}"
    );
}

#[test]
fn who_is_no_member_at_head_yet_is_told() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    repo.rhema(&["init"]).exits(0);
    let notes = || repo.rhema(&["verify", "--json"]).exits(0).json()["notes"].clone();
    assert_eq!(notes()[0]["kind"], "members");
    assert!(notes()[0]["message"].as_str().unwrap().contains("at HEAD"));
    repo.commit("init");
    assert_eq!(notes(), serde_json::json!([]));
    repo.write(".git/rhema/address", "127.0.0.1:1\n");
    assert_eq!(notes()[0]["path"], ".git/rhema/address");
}
