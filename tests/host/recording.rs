//! The host tool in a work tree: `sync` records what was edited through it and gives everything else back.

use crate::shapes::{Todos, rewritten};
use crate::support::World;

const FILE: &str = ".rhema/todos.yaml";

const TODOS: &str = "\
# Things to do
_crdt: v1 todos=or_set

todos:
  # The first of all
  - id: a
    title: \"First\"   # soon
    status: pending
    priority: high
    created_at: 2024-01-15T11:00:00+02:00
    tags: [x, 'y']
  - id: b
    title: Second
    status: pending
    priority: low
    created_at: 2024-01-15T09:00:00.000Z
";

const SYNC: [&str; 4] = ["sync", "--timeout", "0", "--json"];

fn by_host(text: &str) -> String {
    rewritten::<Todos>(text).unwrap()
}

#[test]
fn a_mere_rewrite_gives_the_bytes_of_head_back() {
    for (text, name) in [
        (TODOS.to_owned(), "lf"),
        (TODOS.replace('\n', "\r\n"), "crlf"),
    ] {
        let world = World::new();
        let tree = world.repo(name, &[(FILE, &text)]);
        tree.write(FILE, by_host(&text));
        let report = tree.rhema(&SYNC).exits(0).json();
        assert_eq!(
            report,
            serde_json::json!({"documents_changed": 1, "edits_recorded": 0, "peers": []})
        );
        assert_eq!(tree.read(FILE), text);
        assert_eq!(tree.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn edits_through_the_tool_are_stamped_and_nothing_else_is_in_the_diff() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    let edited = TODOS.replace("\"First\"", "Foremost").replace(
        "title: Second\n    status: pending",
        "title: Second\n    status: completed",
    );
    tree.write(FILE, by_host(&edited));
    assert_eq!(tree.rhema(&SYNC).exits(0).json()["edits_recorded"], 2);
    let changed: Vec<String> = tree
        .git(&["diff", "-U0"])
        .lines()
        .filter(|line| {
            line.starts_with(['+', '-']) && !line.contains("_crdt") && !line.contains(FILE)
        })
        .map(str::to_owned)
        .collect();
    assert_eq!(
        changed,
        [
            "-    title: \"First\"   # soon",
            "+    title: \"Foremost\"   # soon",
            "-    status: pending",
            "+    status: completed",
        ]
    );
    // The tool once more, over stamps that are not committed: they stay.
    let synced = tree.read(FILE);
    tree.write(FILE, by_host(&synced));
    assert_eq!(tree.rhema(&SYNC).exits(0).json()["edits_recorded"], 0);
    assert_eq!(tree.read(FILE), synced);
}

#[test]
fn a_branch_that_the_tool_rewrote_merges_as_what_was_edited_through_it() {
    let world = World::new();
    let tree = world.repo("repo", &[(FILE, TODOS)]);
    tree.rhema(&["init", "--no-join"]).exits(0);
    tree.commit("init");
    let done = TODOS.replace(
        "title: Second\n    status: pending",
        "title: Second\n    status: completed",
    );
    let first = TODOS.replace("\"First\"   # soon", "\"Foremost\"   # soon");
    tree.on_branch("tool", FILE, by_host(&done));
    tree.on_branch("hand", FILE, &first);
    tree.git(&["merge", "-q", "--no-edit", "hand"]);
    tree.git(&["merge", "-q", "--no-edit", "tool"]);
    let both = done.replace("\"First\"   # soon", "\"Foremost\"   # soon");
    assert_eq!(tree.read(FILE), both);
}

#[test]
fn whoever_deletes_comments_deletes_comments() {
    let world = World::new();
    let head = "# Things to do\n_crdt: v1 todos=or_set\ntodos:\n- id: a\n  title: First\n";
    let tree = world.repo("repo", &[(FILE, head)]);
    let deleted = head.replace("# Things to do\n", "");
    tree.write(FILE, &deleted);
    assert_eq!(tree.rhema(&SYNC).exits(0).json()["documents_changed"], 0);
    assert_eq!(tree.read(FILE), deleted);
    // Even if what is left happens to have a tool's form.
    let head = head.replace("title: First\n", "title: First\n  tags: [x]\n");
    tree.write(FILE, &head);
    tree.commit("tags");
    tree.write(FILE, &deleted);
    assert_eq!(tree.rhema(&SYNC).exits(0).json()["documents_changed"], 0);
    assert_eq!(tree.read(FILE), deleted);
    let edited = deleted.replace("First", "1st");
    tree.write(FILE, &edited);
    assert_eq!(tree.rhema(&SYNC).exits(0).json()["edits_recorded"], 1);
    assert!(!tree.read(FILE).contains('#'), "{}", tree.read(FILE));
}
