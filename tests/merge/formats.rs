//! How things are written: what one side rewrote stays so, what the other changed shows.

use crate::case::case;

#[test]
fn quotes_changed_by_one_side_and_the_value_by_the_other() {
    case(
        "
        a: x
        b: y
        ",
        "
        a: 'x'
        b: y
        ",
        "
        a: z
        b: y
        ",
    )
    .gives(
        "
        a: z
        b: y
        ",
    );
}

#[test]
fn quotes_changed_by_both_in_different_ways() {
    case(
        "
        a: x
        ",
        "
        a: 'x'
        ",
        "
        a: \"x\"
        ",
    )
    .gives(
        "
        a: 'x'
        ",
    );
}

#[test]
fn a_flow_list_written_as_a_block_by_one_side_and_filled_by_the_other() {
    case(
        "
        tags: [a, b]
        ",
        "
        tags:
          - a
          - b
        ",
        "
        tags: [a, b, c]
        ",
    )
    .gives(
        "
        tags:
          - a
          - b
          - c
        ",
    );
}

#[test]
fn a_block_list_stays_one_where_one_side_fills_it_and_the_other_puts_it_in_brackets() {
    case(
        "
        tags:
          - a
          - b
        ",
        "
        tags: [a, b]
        ",
        "
        tags:
          - a
          - b
          - c
        ",
    )
    .gives(
        "
        tags:
          - a
          - b
          - c
        ",
    );
}
