//! Anchors, aliases, merge keys, tags and explicit keys.

use crate::case::case;

#[test]
fn merge_keys_and_fields_beside_them() {
    case(
        "
        base: &base
          a: 1
        x:
          <<: *base
          b: 1
        ",
        "
        base: &base
          a: 2
        x:
          <<: *base
          b: 1
        ",
        "
        base: &base
          a: 1
        x:
          <<: *base
          b: 2
        ",
    )
    .gives(
        "
        base: &base
          a: 2
        x:
          <<: *base
          b: 2
        ",
    );
}

#[test]
fn an_anchor_deleted_by_one_side_and_used_by_the_other() {
    case(
        "
        defaults: &d
          a: 1
        x:
          b: 1
        ",
        "
        x:
          b: 1
        ",
        "
        defaults: &d
          a: 1
        x:
          <<: *d
          b: 1
        ",
    )
    .contests(
        2,
        "
        <<<<<<< ours
        =======
        defaults: &d
          a: 1
        >>>>>>> theirs
        x:
        <<<<<<< ours
        =======
          <<: *d
        >>>>>>> theirs
          b: 1
        ",
    );
}

#[test]
fn an_anchor_taken_off_by_one_side_and_used_by_the_other() {
    case(
        "
        a: &d 1
        x: 1
        ",
        "
        a: 1
        x: 1
        ",
        "
        a: &d 1
        x: 1
        y: *d
        ",
    )
    .contests(
        2,
        "
        <<<<<<< ours
        a: 1
        =======
        a: &d 1
        >>>>>>> theirs
        x: 1
        <<<<<<< ours
        =======
        y: *d
        >>>>>>> theirs
        ",
    );
}

#[test]
fn an_anchor_added_by_one_side_and_the_value_changed_by_the_other() {
    case(
        "
        a:
          b: 1
          c: 1
        ",
        "
        a: &x
          b: 1
          c: 1
        z: *x
        ",
        "
        a:
          b: 1
          c: 2
        ",
    )
    .gives(
        "
        a: &x
          b: 1
          c: 2
        z: *x
        ",
    );
}

#[test]
fn an_anchor_added_to_a_leaf_that_the_other_side_changes() {
    case(
        "
        a: 1
        b: 1
        ",
        "
        a: &x 1
        b: 1
        z: *x
        ",
        "
        a: 2
        b: 1
        ",
    )
    .gives(
        "
        a: &x 2
        b: 1
        z: *x
        ",
    );
}

#[test]
fn tags_changed_by_both_are_contested() {
    case(
        "
        a: !x
          b: 1
        ",
        "
        a: !y
          b: 1
        ",
        "
        a: !z
          b: 1
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        a: !y
        =======
        a: !z
        >>>>>>> theirs
          b: 1
        ",
    );
}

#[test]
fn a_tag_changed_by_one_side_and_a_field_by_the_other() {
    case(
        "
        a: !x
          b: 1
        ",
        "
        a: !y
          b: 1
        ",
        "
        a: !x
          b: 2
        ",
    )
    .gives(
        "
        a: !y
          b: 2
        ",
    );
}

#[test]
fn explicit_keys_are_one_leaf() {
    case(
        "
        m:
          ? [a, b]
          : 1
        rest: 1
        ",
        "
        m:
          ? [a, b]
          : 2
        rest: 1
        ",
        "
        m:
          ? [a, b]
          : 1
        rest: 2
        ",
    )
    .gives(
        "
        m:
          ? [a, b]
          : 2
        rest: 2
        ",
    );
}

#[test]
fn explicit_keys_changed_by_both_are_contested() {
    case(
        "
        m:
          ? [a, b]
          : 1
        rest: 1
        ",
        "
        m:
          ? [a, b]
          : 2
        rest: 1
        ",
        "
        m:
          ? [a, b]
          : 3
        rest: 2
        ",
    )
    .contests(
        1,
        "
        m:
          ? [a, b]
        <<<<<<< ours
          : 2
        =======
          : 3
        >>>>>>> theirs
        rest: 2
        ",
    );
}

#[test]
fn an_anchor_and_the_value_behind_it_keep_the_blanks_before_them() {
    case(
        "
        a:  x
        ",
        "
        a:  &k x
        ",
        "
        a:  y
        ",
    )
    .gives(
        "
        a:  &k y
        ",
    );
}
