//! What somebody has to decide: markers around that alone.

use crate::case::case;

#[test]
fn a_field_deleted_by_one_side_and_changed_by_the_other() {
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
        b: 20
        c: 3
        ",
    )
    .contests(
        1,
        "
        a: 1
        <<<<<<< ours
        =======
        b: 20
        >>>>>>> theirs
        c: 3
        ",
    );
}

#[test]
fn a_record_deleted_by_one_side_and_changed_by_the_other() {
    case(
        "
        todos:
          - id: a
            status: open
          - id: b
            status: open
        ",
        "
        todos:
          - id: b
            status: open
        ",
        "
        todos:
          - id: a
            status: done
          - id: b
            status: open
        ",
    )
    .contests(
        1,
        "
        todos:
        <<<<<<< ours
        =======
          - id: a
            status: done
        >>>>>>> theirs
          - id: b
            status: open
        ",
    );
}

#[test]
fn the_only_record_deleted_by_one_side_and_changed_by_the_other() {
    case(
        "
        todos:
          - id: a
            status: open
        rest: 1
        ",
        "
        todos: []
        rest: 1
        ",
        "
        todos:
          - id: a
            status: done
        rest: 1
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        todos: []
        =======
        todos:
          - id: a
            status: done
        >>>>>>> theirs
        rest: 1
        ",
    );
}

#[test]
fn the_only_field_deleted_by_one_side_and_changed_by_the_other() {
    case(
        "
        m:
          a: 1
          b: 1
        rest: 1
        ",
        "
        m:
          b: 1
        rest: 1
        ",
        "
        m:
          a: 2
        rest: 1
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        m: {}
        =======
        m:
          a: 2
        >>>>>>> theirs
        rest: 1
        ",
    );
}

#[test]
fn a_list_member_deleted_by_one_side_and_changed_by_the_other() {
    case(
        "
        - redis:6
        - mysql:8
        - nginx:1
        ",
        "
        - mysql:8
        - nginx:1
        ",
        "
        - redis:7
        - mysql:8
        - nginx:1
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        =======
        - redis:7
        >>>>>>> theirs
        - mysql:8
        - nginx:1
        ",
    );
}

#[test]
fn inside_a_flow_list() {
    case(
        "
        a: [redis:6, mysql:8]
        b: 1
        ",
        "
        a: [mysql:8]
        b: 1
        ",
        "
        a: [redis:7, mysql:8]
        b: 2
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        a: [mysql:8]
        =======
        a: [redis:7, mysql:8]
        >>>>>>> theirs
        b: 2
        ",
    );
}

#[test]
fn inside_a_flow_mapping() {
    case(
        "
        m: {a: 1, b: 2, c: 3}
        ",
        "
        m: {a: 10, b: 2, c: 4}
        ",
        "
        m: {a: 20, c: 3}
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        m: {a: 10, c: 4}
        =======
        m: {a: 20, c: 4}
        >>>>>>> theirs
        ",
    );
}

#[test]
fn a_leaf_beside_clean_changes_of_the_same_record() {
    case(
        "
        - id: a
          title: one
          status: open
          owner: Ann
        ",
        "
        - id: a
          title: ONE
          status: done
          owner: Ann
        ",
        "
        - id: a
          title: one
          status: dropped
          owner: Bo
        ",
    )
    .contests(
        1,
        "
        - id: a
          title: ONE
        <<<<<<< ours
          status: done
        =======
          status: dropped
        >>>>>>> theirs
          owner: Bo
        ",
    );
}

#[test]
fn the_first_line_of_a_compact_mapping() {
    case(
        "
        - run: one
          with: x
          on: y
          at: z
        - other
        ",
        "
        - run: two
          with: x
          on: y
          at: z
        - other
        ",
        "
        - run: three
          with: x
          on: y
          at: zz
        - other
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        - run: two
        =======
        - run: three
        >>>>>>> theirs
          with: x
          on: y
          at: zz
        - other
        ",
    );
}

#[test]
fn the_first_field_of_a_compact_mapping_deleted_and_changed() {
    case(
        "
        - run: one
          with: x
          on: y
          at: z
        - other
        ",
        "
        - with: x
          on: y
          at: z
        - other
        ",
        "
        - run: two
          with: x
          on: y
          at: z
        - other
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        - with: x
        =======
        - run: two
          with: x
        >>>>>>> theirs
          on: y
          at: z
        - other
        ",
    );
}

#[test]
fn several_places_are_counted_one_by_one() {
    case(
        "
        a: 1
        b: 1
        c: 1
        ",
        "
        a: 2
        b: 1
        c: 2
        ",
        "
        a: 3
        b: 1
        ",
    )
    .contests(
        2,
        "
        <<<<<<< ours
        a: 2
        =======
        a: 3
        >>>>>>> theirs
        b: 1
        <<<<<<< ours
        c: 2
        =======
        >>>>>>> theirs
        ",
    );
}

#[test]
fn a_leaf_that_became_a_mapping_on_one_side() {
    case(
        "
        a: 1
        b: 1
        ",
        "
        a:
          x: 1
        b: 1
        ",
        "
        a: 2
        b: 2
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        a:
          x: 1
        =======
        a: 2
        >>>>>>> theirs
        b: 2
        ",
    );
}

#[test]
fn markers_have_the_size_and_the_labels_asked_for() {
    let marked = case("a: 1\n", "a: 2\n", "a: 3\n").marked(9, "HEAD", "topic");
    assert_eq!(
        marked,
        "<<<<<<<<< HEAD\na: 2\n=========\na: 3\n>>>>>>>>> topic\n"
    );
}

#[test]
fn comments_of_both_sides_above_a_contested_record() {
    case(
        "
        - id: a
        ",
        "
        - id: a
        # from ours
        - id: n
          title: one
          # below ours
        ",
        "
        - id: a
        # from theirs
        - id: n
          title: two
          # below theirs
        ",
    )
    .contests(
        1,
        "
        - id: a
        # from ours
        # from theirs
        - id: n
        <<<<<<< ours
          title: one
          # below ours
        =======
          title: two
          # below theirs
        >>>>>>> theirs
        ",
    );
}
