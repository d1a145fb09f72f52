//! Mappings: entries known by their key.

use crate::case::case;

#[test]
fn both_insert_at_one_place() {
    case(
        "
        a: 1
        z: 2
        ",
        "
        a: 1
        c: ours
        z: 2
        ",
        "
        a: 1
        b: theirs
        z: 2
        ",
    )
    .gives(
        "
        a: 1
        b: theirs
        c: ours
        z: 2
        ",
    );
}

#[test]
fn an_insertion_beside_a_deletion() {
    case(
        "
        a: 1
        b: 2
        c: 3
        ",
        "
        a: 1
        c: 3
        ",
        "
        a: 1
        b: 2
        new: 4
        c: 3
        ",
    )
    .gives(
        "
        a: 1
        new: 4
        c: 3
        ",
    );
}

#[test]
fn neighbouring_leaves_changed() {
    case(
        "
        a: 1
        b: 2
        c: 3
        ",
        "
        a: 10
        b: 2
        c: 3
        ",
        "
        a: 1
        b: 20
        c: 3
        ",
    )
    .gives(
        "
        a: 10
        b: 20
        c: 3
        ",
    );
}

#[test]
fn both_add_the_same_key_with_the_same_value() {
    case(
        "
        a: 1
        ",
        "
        a: 1
        b: two
        ",
        "
        b: \"two\"
        a: 1
        ",
    )
    .gives(
        "
        b: two
        a: 1
        ",
    );
}

#[test]
fn both_add_the_same_key_with_different_leaves() {
    case(
        "
        a: 1
        ",
        "
        a: 1
        b: ours
        ",
        "
        a: 1
        b: theirs
        ",
    )
    .contests(
        1,
        "
        a: 1
        <<<<<<< ours
        b: ours
        =======
        b: theirs
        >>>>>>> theirs
        ",
    );
}

#[test]
fn both_add_the_same_key_with_different_mappings() {
    case(
        "
        a: 1
        ",
        "
        a: 1
        db:
          host: here
          port: 1
        ",
        "
        a: 1
        db:
          host: there
          user: me
        ",
    )
    .contests(
        1,
        "
        a: 1
        db:
        <<<<<<< ours
          host: here
        =======
          host: there
        >>>>>>> theirs
          port: 1
          user: me
        ",
    );
}

#[test]
fn both_add_the_same_key_with_a_leaf_and_a_mapping() {
    case(
        "
        a: 1
        ",
        "
        a: 1
        db: here
        ",
        "
        a: 1
        db:
          host: there
        ",
    )
    .contests(
        1,
        "
        a: 1
        <<<<<<< ours
        db: here
        =======
        db:
          host: there
        >>>>>>> theirs
        ",
    );
}

#[test]
fn a_null_becomes_a_mapping_on_both_sides() {
    case(
        "
        meta:
        rest: 1
        ",
        "
        meta:
          owner: Ann
        rest: 1
        ",
        "
        meta:
          team: core
        rest: 1
        ",
    )
    .gives(
        "
        meta:
          owner: Ann
          team: core
        rest: 1
        ",
    );
}

#[test]
fn the_last_entries_of_a_mapping_deleted_one_by_each_side() {
    case(
        "
        meta: # why
          a: 1
          b: 2
        rest: 1
        ",
        "
        meta: # why
          a: 1
        rest: 1
        ",
        "
        meta: # why
          b: 2
        rest: 1
        ",
    )
    .gives(
        "
        meta: {} # why
        rest: 1
        ",
    );
}

#[test]
fn everything_deleted_one_key_by_each_side() {
    case(
        "
        a: 1
        b: 2
        ",
        "
        a: 1
        ",
        "
        b: 2
        ",
    )
    .gives(
        "
        {}
        ",
    );
}

#[test]
fn fields_of_a_flow_mapping() {
    case(
        "
        m: {a: 1, b: 2, c: 3}
        ",
        "
        m: {a: 1, b: 2, c: 3, d: 4}
        ",
        "
        m: {a: 10, b: 2}
        ",
    )
    .gives(
        "
        m: {a: 10, b: 2, d: 4}
        ",
    );
}

#[test]
fn a_flow_mapping_over_several_lines() {
    case(
        "
        m: {
          a: 1,
          b: 2
        }
        ",
        "
        m: {
          a: 1,
          b: 2,
          c: 3
        }
        ",
        "
        m: {
          a: 10,
          b: 2
        }
        ",
    )
    .gives(
        "
        m: {
          a: 10,
          b: 2,
          c: 3
        }
        ",
    );
}

#[test]
fn keys_written_in_different_ways_are_one_key() {
    case(
        "
        a: 1
        b: 2
        ",
        "
        \"a\": 1
        b: 2
        ",
        "
        a: 10
        b: 2
        ",
    )
    .gives(
        "
        \"a\": 10
        b: 2
        ",
    );
}
