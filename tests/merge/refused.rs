//! What cannot be merged by structure is refused with its place; whoever called may merge it as text.

use rhema_crdt::merge::{Error, Version};

use crate::case::{case, merge_bytes};

/// Which version is refused, and where.
fn place(error: Error) -> (Version, usize, usize) {
    match error {
        Error::Unreadable(version, error) => (version, error.line(), error.column()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_key_that_stands_twice() {
    let error = case("a: 1\n", "a: 2\nb: 1\na: 3\n", "a: 4\n").is_refused();
    assert_eq!(place(error), (Version::Ours, 3, 1));
}

#[test]
fn a_template() {
    let error = case(
        "a: 1\n",
        "a: 2\n",
        "{{- if .Values.on }}\na: 1\n{{- end }}\n",
    )
    .is_refused();
    assert_eq!(place(error).0, Version::Theirs);
}

#[test]
fn an_unfinished_merge() {
    let ours = "a: 1\n<<<<<<< x\nb: 1\n=======\nb: 2\n>>>>>>> y\n";
    let error = case("a: 1\n", ours, "a: 2\n").is_refused();
    assert_eq!(place(error), (Version::Ours, 2, 1));
}

#[test]
fn text_that_is_not_utf_8() {
    let error = merge_bytes(b"a: 1\n", b"a: 2\nb: \xff\n", b"a: 3\n").unwrap_err();
    assert_eq!(place(error), (Version::Ours, 2, 4));
}

#[test]
fn a_base_that_cannot_be_read() {
    let error = case("a: [\n", "a: 2\n", "a: 3\n").is_refused();
    assert_eq!(place(error).0, Version::Base);
}
