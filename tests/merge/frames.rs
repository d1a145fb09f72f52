//! Line endings, byte order marks, final newlines, indentation.

use crate::case::{case, exact, merge};

#[test]
fn the_final_newline_is_that_of_the_side_that_changed_it() {
    let texts = |base: bool, ours: bool, theirs: bool| {
        let end = |newline| if newline { "\n" } else { "" };
        (
            format!("a: 1\nb: 1{}", end(base)),
            format!("a: 2\nb: 1{}", end(ours)),
            format!("a: 1\nb: 2{}", end(theirs)),
        )
    };
    for bits in 0..8u8 {
        let [base, ours, theirs] = [bits & 1, bits & 2, bits & 4].map(|bit| bit != 0);
        let expected = if ours == theirs { ours } else { !base };
        let (b, o, t) = texts(base, ours, theirs);
        exact(&b, &o, &t).gives(if expected {
            "a: 2\nb: 2\n"
        } else {
            "a: 2\nb: 2"
        });
    }
}

#[test]
fn both_append_without_a_final_newline() {
    exact("- a", "- a\n- b", "- a\n- c").gives("- a\n- b\n- c");
    exact("- a", "- a\n- b\n", "- a\n- c").gives("- a\n- b\n- c\n");
}

#[test]
fn windows_line_ends_on_one_side() {
    exact(
        "a: 1\n# c\nb: 1\n",
        "a: 2\r\n# c\r\nb: 1\r\n",
        "a: 1\n# c\nb: 2\n",
    )
    .gives("a: 2\r\n# c\r\nb: 2\r\n");
}

#[test]
fn windows_line_ends_on_all_sides() {
    exact(
        "a: 1\r\nt: |\r\n  x\r\n  y\r\n",
        "a: 2\r\nt: |\r\n  X\r\n  y\r\n",
        "a: 1\r\nt: |\r\n  x\r\n  Y\r\n",
    )
    .gives("a: 2\r\nt: |\r\n  X\r\n  Y\r\n");
}

#[test]
fn conflict_markers_take_the_line_ends_of_the_file() {
    let merged = merge("a: 1\r\n", "a: 2\r\n", "a: 3\r\n").unwrap();
    assert_eq!(
        String::from_utf8(merged.bytes).unwrap(),
        "<<<<<<< ours\r\na: 2\r\n=======\r\na: 3\r\n>>>>>>> theirs\r\n"
    );
}

#[test]
fn a_byte_order_mark_added_or_removed_by_one_side() {
    exact("a: 1\nb: 1\n", "\u{feff}a: 2\nb: 1\n", "a: 1\nb: 2\n").gives("\u{feff}a: 2\nb: 2\n");
    exact(
        "\u{feff}a: 1\nb: 1\n",
        "a: 2\nb: 1\n",
        "\u{feff}a: 1\nb: 2\n",
    )
    .gives("a: 2\nb: 2\n");
}

#[test]
fn a_file_indented_anew_by_one_side_and_edited_by_the_other() {
    case(
        "
        todos:
        - id: a
          tags:
          - x
          note: |
            one
            two
        meta:
          owner: Ann
        ",
        "
        todos:
            - id: a
              tags:
                  - x
              note: |
                  one
                  two
        meta:
            owner: Ann
        ",
        "
        todos:
        - id: a
          tags:
          - x
          - y
          note: |
            one
            two
            three
        - id: b
        meta:
          owner: Bo
          team: core
        ",
    )
    .gives(
        "
        todos:
            - id: a
              tags:
                  - x
                  - y
              note: |
                  one
                  two
                  three
            - id: b
        meta:
            owner: Bo
            team: core
        ",
    );
}
