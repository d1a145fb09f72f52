//! Comments and blank lines: they mean nothing and are never lost.

use crate::case::{case, merge, text};

#[test]
fn trailing_comments_rewritten_on_neighbours_of_a_removed_item() {
    case(
        "
        a: 1 # one
        b: 2 # two
        c: 3 # three
        ",
        "
        a: 1 # ONE
        b: 2 # two
        c: 3 # THREE
        ",
        "
        a: 1 # one
        c: 3 # three
        ",
    )
    .gives(
        "
        a: 1 # ONE
        c: 3 # THREE
        ",
    );
}

#[test]
fn a_record_commented_out_against_an_insertion_there() {
    case(
        "
        todos:
          - id: a
            title: one
          - id: b
            title: two
          - id: c
            title: three
        ",
        "
        todos:
          - id: a
            title: one
          # - id: b
          #   title: two
          - id: c
            title: three
        ",
        "
        todos:
          - id: a
            title: one
          - id: b
            title: two
          - id: n
            title: new
          - id: c
            title: three
        ",
    )
    .gives(
        "
        todos:
          - id: a
            title: one
          - id: n
            title: new
          # - id: b
          #   title: two
          - id: c
            title: three
        ",
    );
}

#[test]
fn the_last_record_commented_out_against_an_append() {
    case(
        "
        todos:
          - id: a
          - id: b
        rest: 1
        ",
        "
        todos:
          - id: a
          # - id: b
        rest: 1
        ",
        "
        todos:
          - id: a
          - id: b
          - id: c
        rest: 1
        ",
    )
    .gives(
        "
        todos:
          - id: a
          - id: c
          # - id: b
        rest: 1
        ",
    );
}

#[test]
fn both_change_one_comment_and_both_stay() {
    case(
        "
        # old
        a: 1
        ",
        "
        # ours
        a: 1
        ",
        "
        # theirs
        a: 1
        ",
    )
    .gives(
        "
        # ours
        # theirs
        a: 1
        ",
    );
}

#[test]
fn a_comment_changed_by_one_and_a_value_by_the_other() {
    case(
        "
        # old
        a: 1 # beside
        ",
        "
        # new
        a: 1 # BESIDE
        ",
        "
        # old
        a: 2 # beside
        ",
    )
    .gives(
        "
        # new
        a: 2 # BESIDE
        ",
    );
}

#[test]
fn a_comment_added_above_an_entry_that_the_other_side_deletes_stays() {
    case(
        "
        a: 1
        b: 2
        c: 3
        ",
        "
        a: 1
        # look here
        b: 2
        c: 3
        ",
        "
        a: 1
        c: 3
        ",
    )
    .gives(
        "
        a: 1
        # look here
        c: 3
        ",
    );
}

#[test]
fn a_comment_added_to_the_last_record_that_the_other_side_deletes_stays() {
    case(
        "
        todos:
          - id: a
          - id: b
            status: open
        rest: 1
        ",
        "
        todos:
          - id: a
          - id: b
            # waits for Ann
            status: open
        rest: 1
        ",
        "
        todos:
          - id: a
        rest: 1
        ",
    )
    .gives(
        "
        todos:
          - id: a
          # waits for Ann
        rest: 1
        ",
    );
}

#[test]
fn a_comment_beside_an_entry_that_the_other_side_deletes_stays() {
    case(
        "
        a: 1
        b: 2
        c: 3
        ",
        "
        a: 1
        b: 2 # since May
        c: 3
        ",
        "
        a: 1
        c: 3
        ",
    )
    .gives(
        "
        a: 1
        # since May
        c: 3
        ",
    );
}

#[test]
fn a_heading_whose_first_entry_one_side_deletes() {
    case(
        "
        # Section
        a: 1
        b: 2
        ",
        "
        # Section
        b: 2
        ",
        "
        # Section
        a: 1
        b: 3
        ",
    )
    .gives(
        "
        # Section
        b: 3
        ",
    );
}

#[test]
fn the_comment_behind_an_anchor_changed_by_both() {
    case(
        "
        a: &x # old
          b: 1
          c: 1
        ",
        "
        a: &x # ours
          b: 2
          c: 1
        ",
        "
        a: &x # theirs
          b: 1
          c: 2
        ",
    )
    .gives(
        "
        a: &x # ours  # theirs
          b: 2
          c: 2
        ",
    );
}

#[test]
fn comments_inside_brackets() {
    case(
        "
        tags: [
          a, # the first
          b,
        ]
        ",
        "
        tags: [
          a, # the first
          b,
          c, # the third
        ]
        ",
        "
        tags: [
          z,
          a, # the first
          b,
        ]
        ",
    )
    .contests(
        1,
        "
        tags: [
        <<<<<<< ours
        =======
          z,
        >>>>>>> theirs
          a, # the first
          b,
        <<<<<<< ours
          c, # the third
        =======
        >>>>>>> theirs
        ]
        ",
    );
}

#[test]
fn the_head_and_the_end_of_the_file() {
    case(
        "
        # head

        a: 1
        # end
        ",
        "
        # head
        # more of ours

        a: 1
        # END
        ",
        "
        # head

        a: 2
        # end
        ",
    )
    .gives(
        "
        # head
        # more of ours

        a: 2
        # END
        ",
    );
}

#[test]
fn blank_lines_between_records_both_append() {
    case(
        "
        - id: a

        - id: b
        ",
        "
        - id: a

        - id: b

        - id: c
        ",
        "
        - id: a

        - id: b

        - id: d
        ",
    )
    .gives(
        "
        - id: a

        - id: b

        - id: c

        - id: d
        ",
    );
}

#[test]
fn a_comment_that_one_side_moved_into_a_list_that_the_other_deletes_stays() {
    case(
        "
        a: 1
        b:
          - x
        # the end
        ",
        "
        a: 1
        # the end
        ",
        "
        a: 1
        b:
        - x
        # the end
        ",
    )
    .gives(
        "
        a: 1
        # the end
        ",
    );
}

#[test]
fn a_comment_added_inside_a_list_that_the_other_side_replaced_stays() {
    case(
        "
        list:
          - a
          - b
        ",
        "
        list:
          - a
          # kept
          - b
        ",
        "
        list: none
        ",
    )
    .gives(
        "
        # kept
        list: none
        ",
    );
}

#[test]
fn a_comment_beside_brackets_stands_above_the_members_that_they_became() {
    let (base, ours, theirs) = ("a: [x]\n", "a:\n  - x\n  - y\n", "a: [x] # c\n");
    for (ours, theirs) in [(ours, theirs), (theirs, ours)] {
        let merged = merge(base, ours, theirs).unwrap();
        assert_eq!(text(&merged), "a:\n  # c\n  - x\n  - y\n");
    }
}

#[test]
fn a_comment_behind_a_key_does_not_take_the_place_of_one_beside_the_value() {
    case(
        "
        a: # k
          b: 1
        ",
        "
        a: one # o
        ",
        "
        a: # k2
          b: 1
        ",
    )
    .gives(
        "
        # k2
        a: one # o
        ",
    );
}

#[test]
fn blank_lines_above_what_comes_to_stand_first_go() {
    case(
        "
        h:
          a: 1

          b: 2

          c: 3
        ",
        "
        h:
          b: 2

          c: 3
        ",
        "
        h:
          a: 1

          c: 3
        ",
    )
    .gives(
        "
        h:
          c: 3
        ",
    );
}
