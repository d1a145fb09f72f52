//! Texts of several lines.

use crate::case::case;

#[test]
fn both_add_paragraphs_to_one_text() {
    case(
        "
        note: |
          one
        rest: 1
        ",
        "
        note: |
          one

          ours
        rest: 1
        ",
        "
        note: |
          zero

          one
        rest: 1
        ",
    )
    .gives(
        "
        note: |
          zero

          one

          ours
        rest: 1
        ",
    );
}

#[test]
fn both_append_a_paragraph() {
    case(
        "
        note: |
          one
        rest: 1
        ",
        "
        note: |
          one

          ours
        rest: 1
        ",
        "
        note: |
          one

          theirs
        rest: 1
        ",
    )
    .gives(
        "
        note: |
          one

          ours

          theirs
        rest: 1
        ",
    );
}

#[test]
fn neighbouring_lines_changed() {
    case(
        "
        note: |
          one
          two
        ",
        "
        note: |
          ONE
          two
        ",
        "
        note: |
          one
          TWO
        ",
    )
    .gives(
        "
        note: |
          ONE
          TWO
        ",
    );
}

#[test]
fn the_same_line_changed_contests_that_line_alone() {
    case(
        "
        note: |
          one
          two
          three
        ",
        "
        note: |
          one
          ours
          three
          four
        ",
        "
        note: |
          zero
          one
          theirs
          three
        ",
    )
    .contests(
        1,
        "
        note: |
          zero
          one
        <<<<<<< ours
          ours
        =======
          theirs
        >>>>>>> theirs
          three
          four
        ",
    );
}

#[test]
fn stripped_text() {
    case(
        "
        note: |-
          one
          two
        rest: 1
        ",
        "
        note: |-
          one
          ours
          two
        rest: 1
        ",
        "
        note: |-
          one
          two
          theirs
        rest: 1
        ",
    )
    .gives(
        "
        note: |-
          one
          ours
          two
          theirs
        rest: 1
        ",
    );
}

#[test]
fn kept_line_breaks_with_entries_behind() {
    case(
        "
        note: |+
          one
          two

        rest: 1
        ",
        "
        note: |+
          ours
          one
          two

        rest: 1
        ",
        "
        note: |+
          one
          theirs

        rest: 1
        ",
    )
    .gives(
        "
        note: |+
          ours
          one
          theirs

        rest: 1
        ",
    );
}

#[test]
fn kept_line_breaks_at_the_end_of_the_file() {
    case(
        "
        rest: 1
        note: |+
          one

        ",
        "
        rest: 2
        note: |+
          zero
          one

        ",
        "
        rest: 1
        note: |+
          one


        ",
    )
    .gives(
        "
        rest: 2
        note: |+
          zero
          one


        ",
    );
}

#[test]
fn explicit_indentation() {
    case(
        "
        note: |2
            deep
          one
        rest: 1
        ",
        "
        note: |2
            deep
          one
          ours
        rest: 1
        ",
        "
        note: |2
            deeper
          one
        rest: 1
        ",
    )
    .gives(
        "
        note: |2
            deeper
          one
          ours
        rest: 1
        ",
    );
}

#[test]
fn a_first_line_that_needs_an_indentation_indicator_gets_one() {
    case(
        "
        note: |
          one
          two
        ",
        "
        note: |2
            deep
          one
          two
        ",
        "
        note: |
          one
          TWO
        ",
    )
    .gives(
        "
        note: |2
            deep
          one
          TWO
        ",
    );
}

#[test]
fn folded_text_keeps_its_lines() {
    case(
        "
        note: >
          one two
          three

          four
        ",
        "
        note: >
          ONE two
          three

          four
        ",
        "
        note: >
          one two
          three

          four five
        ",
    )
    .gives(
        "
        note: >
          ONE two
          three

          four five
        ",
    );
}

#[test]
fn the_chomping_changed_by_one_side_and_the_text_by_the_other() {
    case(
        "
        note: |
          one
          two
        rest: 1
        ",
        "
        note: |-
          one
          two
        rest: 1
        ",
        "
        note: |
          one
          two
          three
        rest: 1
        ",
    )
    .gives(
        "
        note: |-
          one
          two
          three
        rest: 1
        ",
    );
}

#[test]
fn a_quoted_text_that_one_side_made_a_block_and_the_other_changed() {
    case(
        r#"
        note: "one\ntwo\n"
        rest: 1
        "#,
        "
        note: |
          one
          two
        rest: 1
        ",
        r#"
        note: "one\ntwo\nthree\n"
        rest: 1
        "#,
    )
    .gives(
        r#"
        note: "one\ntwo\nthree\n"
        rest: 1
        "#,
    );
}

#[test]
fn a_text_in_a_list() {
    case(
        "
        - |
          one
          two
        - x
        ",
        "
        - |
          ONE
          two
        - x
        ",
        "
        - |
          one
          two
          three
        - x
        ",
    )
    .gives(
        "
        - |
          ONE
          two
          three
        - x
        ",
    );
}

#[test]
fn a_text_emptied_by_one_side_and_edited_by_the_other_is_contested() {
    case(
        "
        note: |
          one
        rest: 1
        ",
        "
        note: ''
        rest: 1
        ",
        "
        note: |
          one
          two
        rest: 1
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        note: ''
        =======
        note: |
          one
          two
        >>>>>>> theirs
        rest: 1
        ",
    );
}

#[test]
fn folded_text_broken_anew_by_one_side_and_changed_by_the_other() {
    case(
        "
        note: >-
          one two
          three
        rest: 1
        ",
        "
        note: >-
          one
          two three
        rest: 1
        ",
        "
        note: >-
          one two
          four
        rest: 1
        ",
    )
    .gives(
        "
        note: >-
          one two
          four
        rest: 1
        ",
    );
}

#[test]
fn lines_that_differ_in_indentation_alone_are_two() {
    case(
        "
        note: |
          one
        rest: 1
        ",
        "
        note: |
          one
            new
        rest: 1
        ",
        "
        note: |
          one
          new
        rest: 1
        ",
    )
    .gives(
        "
        note: |
          one
            new
          new
        rest: 1
        ",
    );
}
