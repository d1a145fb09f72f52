//! Which documents others may name.

use rhema_crdt::exchange::may_be_synced;
use rhema_crdt::overlay::DocumentPath;

fn may(name: impl Into<Vec<u8>>) -> bool {
    may_be_synced(&DocumentPath::new(name))
}

#[test]
fn context_files_in_any_scope_may_be_named() {
    for name in [
        ".rhema/todos.yaml",
        ".rhema/decisions.yml",
        "crates/core/.rhema/knowledge.yaml",
        ".rhema/nested/folder/file.yaml",
        "crdt/.rhema/todos.yaml",
        ".rhema/notes/crdt/todos.yaml",
        ".rhema/crdt.yaml",
        "a b/ü/.rhema/…yaml.yaml",
    ] {
        assert!(may(name), "{name}");
    }
}

#[test]
fn nothing_outside_the_work_tree_and_nothing_of_git_may_be_named() {
    for name in [
        "",
        "/.rhema/todos.yaml",
        "../.rhema/todos.yaml",
        ".rhema/../../todos.yaml",
        ".rhema/./todos.yaml",
        ".rhema//todos.yaml",
        ".rhema/..",
        ".rhema/.yaml",
        "a\\..\\.rhema/todos.yaml",
        ".rhema/..\\..\\todos.yaml",
        "C:/.rhema/todos.yaml",
        ".rhema/todos.yaml:stream.yaml",
        ".git/.rhema/todos.yaml",
        "a/.GIT/.rhema/todos.yaml",
        "a/.git. ./.rhema/todos.yaml",
        "GIT~1/.rhema/todos.yaml",
        "a/.g\u{200c}it/.rhema/todos.yaml",
        ".rhema/.git/hooks.yaml",
        ".rhema/to\0dos.yaml",
        ".rhema/to\ndos.yaml",
        ".rhema/to\u{85}dos.yaml",
    ] {
        assert!(!may(name), "{name:?}");
    }
    assert!(!may(b".rhema/\xff.yaml".as_slice()));
}

#[test]
fn what_says_who_may_take_part_travels_by_git_alone() {
    for name in [
        ".rhema/crdt/members.yaml",
        ".rhema/CRDT/members.yaml",
        ".rhema/crdt./members.yaml",
        "a/.rhema/crdt/config.yaml",
        ".Rhema/crdt/.rhema/todos.yaml",
    ] {
        assert!(!may(name), "{name}");
    }
}

#[test]
fn what_is_no_context_file_is_not_named() {
    for name in [
        "todos.yaml",
        "src/main.rs",
        ".rhema/todos.json",
        ".rhema",
        ".rhema.yaml",
        "rhema/todos.yaml",
    ] {
        assert!(!may(name), "{name}");
    }
}

#[test]
fn names_that_no_system_opens_are_not_taken() {
    let name = |length: usize| format!(".rhema/{}.yaml", "a/".repeat((length - 13) / 2) + "b");
    assert!(may(name(4_000)));
    assert!(!may(name(5_000)));
}
