//! Order: moves against edits and against moves.

use crate::case::case;

#[test]
fn records_reordered_by_one_side_and_edited_by_the_other() {
    case(
        "
        - id: a
          n: 1
        - id: b
          n: 1
        - id: c
          n: 1
        ",
        "
        - id: c
          n: 1
        - id: a
          n: 1
        - id: b
          n: 1
        ",
        "
        - id: a
          n: 1
        - id: b
          n: 2
        - id: c
          n: 2
        ",
    )
    .gives(
        "
        - id: c
          n: 2
        - id: a
          n: 1
        - id: b
          n: 2
        ",
    );
}

#[test]
fn keys_reordered_by_one_side_and_edited_by_the_other() {
    case(
        "
        a: 1
        b: 1
        c: 1
        ",
        "
        c: 1
        b: 1
        a: 1
        ",
        "
        a: 1
        b: 2
        c: 1
        d: 1
        ",
    )
    .gives(
        "
        c: 1
        d: 1
        b: 2
        a: 1
        ",
    );
}

#[test]
fn a_list_reordered_by_one_side_and_edited_by_the_other() {
    case(
        "
        - alpha
        - beta
        - gamma
        ",
        "
        - gamma
        - alpha
        - beta
        ",
        "
        - alpha
        - beta
        - gamma
        - delta
        ",
    )
    .gives(
        "
        - gamma
        - delta
        - alpha
        - beta
        ",
    );
}

#[test]
fn different_records_moved_by_both() {
    case(
        "
        - id: a
        - id: b
        - id: c
        - id: d
        - id: e
        ",
        "
        - id: b
        - id: c
        - id: d
        - id: e
        - id: a
        ",
        "
        - id: d
        - id: a
        - id: b
        - id: c
        - id: e
        ",
    )
    .gives(
        "
        - id: d
        - id: b
        - id: c
        - id: e
        - id: a
        ",
    );
}

#[test]
fn one_record_moved_to_two_places() {
    case(
        "
        - id: a
        - id: b
        - id: c
        ",
        "
        - id: b
        - id: a
        - id: c
        ",
        "
        - id: b
        - id: c
        - id: a
        ",
    )
    .gives(
        "
        - id: b
        - id: c
        - id: a
        ",
    );
}

#[test]
fn a_record_moved_by_one_side_and_deleted_by_the_other() {
    case(
        "
        - id: a
        - id: b
        - id: c
        ",
        "
        - id: c
        - id: a
        - id: b
        ",
        "
        - id: a
        - id: b
        ",
    )
    .gives(
        "
        - id: a
        - id: b
        ",
    );
}
