//! Lists of records: entries that carry an identity.

use crate::case::case;

const TODOS: &str = "
    todos:
      - id: a
        title: first
        status: pending
      - id: b
        title: second
        status: pending
    ";

#[test]
fn both_append_a_record() {
    case(
        TODOS,
        "
        todos:
          - id: a
            title: first
            status: pending
          - id: b
            title: second
            status: pending
          - id: d
            title: ours
        ",
        "
        todos:
          - id: a
            title: first
            status: pending
          - id: b
            title: second
            status: pending
          - id: c
            title: theirs
        ",
    )
    .gives(
        "
        todos:
          - id: a
            title: first
            status: pending
          - id: b
            title: second
            status: pending
          - id: c
            title: theirs
          - id: d
            title: ours
        ",
    );
}

#[test]
fn overlapping_appends_stand_once() {
    case(
        "
        - id: a
        ",
        "
        - id: a
        - id: x
          title: shared
        - id: y
          title: ours
        ",
        "
        - id: a
        - id: w
          title: theirs
        - id: x
          title: shared
        ",
    )
    .gives(
        "
        - id: a
        - id: w
          title: theirs
        - id: x
          title: shared
        - id: y
          title: ours
        ",
    );
}

#[test]
fn the_same_record_added_by_both_stands_once() {
    case(
        "
        - id: a
          title: first
        ",
        "
        - id: a
          title: first
        - id: n
          title: new
          tags: [x]
        ",
        "
        - id: n
          title: 'new'
          tags: [x]
        - id: a
          title: first
        ",
    )
    .gives(
        "
        - id: n
          title: new
          tags: [x]
        - id: a
          title: first
        ",
    );
}

#[test]
fn records_with_one_id_and_two_titles_are_contested_whole() {
    case(
        "
        - id: a
          title: first
        ",
        "
        - id: a
          title: first
        - id: n
          title: buy milk
          status: done
        ",
        "
        - id: a
          title: first
        - id: n
          title: call Ann
          owner: Bo
        ",
    )
    .contests(
        1,
        "
        - id: a
          title: first
        - id: n
        <<<<<<< ours
          title: buy milk
          status: done
        =======
          title: call Ann
          owner: Bo
        >>>>>>> theirs
        ",
    );
}

#[test]
fn records_with_one_id_and_no_title_are_contested_whole() {
    case(
        "
        - id: a
          status: done
        ",
        "
        - id: a
          status: done
        - id: n
          status: done
          note: ours
        ",
        "
        - id: a
          status: done
        - id: n
          status: open
          owner: Bo
        ",
    )
    .contests(
        1,
        "
        - id: a
          status: done
        - id: n
        <<<<<<< ours
          status: done
          note: ours
        =======
          status: open
          owner: Bo
        >>>>>>> theirs
        ",
    );
}

#[test]
fn one_record_added_by_both_is_merged_field_by_field() {
    case(
        "
        - id: a
          title: first
        ",
        "
        - id: a
          title: first
        - id: n
          title: new
          owner: Ann
        ",
        "
        - id: a
          title: first
        - id: n
          title: new
          status: open
        ",
    )
    .gives(
        "
        - id: a
          title: first
        - id: n
          title: new
          owner: Ann
          status: open
        ",
    );
}

#[test]
fn neighbours_deleted_by_each_side() {
    case(
        "
        - id: a
          title: one
        - id: b
          title: two
        - id: c
          title: three
        - id: d
          title: four
        ",
        "
        - id: a
          title: one
        - id: c
          title: three
        - id: d
          title: four
        ",
        "
        - id: a
          title: one
        - id: b
          title: two
        - id: d
          title: four
        ",
    )
    .gives(
        "
        - id: a
          title: one
        - id: d
          title: four
        ",
    );
}

#[test]
fn all_records_deleted_one_by_each_side() {
    case(
        "
        todos:
          - id: a
          - id: b
          # the end
        rest: 1
        ",
        "
        todos:
          - id: b
          # the end
        rest: 1
        ",
        "
        todos:
          - id: a
          # the end
        rest: 1
        ",
    )
    .gives(
        "
        # the end
        todos: []
        rest: 1
        ",
    );
}

#[test]
fn neighbouring_lines_of_one_record_changed() {
    case(
        TODOS,
        "
        todos:
          - id: a
            title: FIRST
            status: pending
          - id: b
            title: second
            status: pending
        ",
        "
        todos:
          - id: a
            title: first
            status: done
          - id: b
            title: second
            status: pending
        ",
    )
    .gives(
        "
        todos:
          - id: a
            title: FIRST
            status: done
          - id: b
            title: second
            status: pending
        ",
    );
}

#[test]
fn a_field_added_to_records_while_the_other_side_inserts_records() {
    case(
        TODOS,
        "
        todos:
          - id: a
            title: first
            status: pending
            owner: Ann
          - id: b
            title: second
            status: pending
            owner: Bo
        ",
        "
        todos:
          - id: zero
            title: before
          - id: a
            title: first
            status: pending
          - id: half
            title: between
          - id: b
            title: second
            status: pending
          - id: c
            title: behind
        ",
    )
    .gives(
        "
        todos:
          - id: zero
            title: before
          - id: a
            title: first
            status: pending
            owner: Ann
          - id: half
            title: between
          - id: b
            title: second
            status: pending
            owner: Bo
          - id: c
            title: behind
        ",
    );
}

#[test]
fn a_field_deleted_just_behind_a_list_that_the_other_side_fills() {
    case(
        "
        id: x
        todos:
          - id: a
        owner: Ann
        status: done
        ",
        "
        id: x
        todos:
          - id: a
        status: done
        ",
        "
        id: x
        todos:
          - id: a
          - id: b
        owner: Ann
        status: done
        ",
    )
    .gives(
        "
        id: x
        todos:
          - id: a
          - id: b
        status: done
        ",
    );
}

#[test]
fn an_empty_list_filled_by_both_is_one_list() {
    for empty in ["todos: []\nrest: 1\n", "todos:\nrest: 1\n", "rest: 1\n"] {
        case(
            empty,
            "
            todos:
              - id: a
                title: ours
            rest: 1
            ",
            "
            todos:
              - id: b
                title: theirs
            rest: 1
            ",
        )
        .gives(
            "
            todos:
              - id: a
                title: ours
              - id: b
                title: theirs
            rest: 1
            ",
        );
    }
}

#[test]
fn an_empty_list_filled_by_one_and_deleted_by_the_other_is_contested() {
    case(
        "
        todos: []
        rest: 1
        ",
        "
        todos:
          - id: a
        rest: 1
        ",
        "
        rest: 1
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        todos:
          - id: a
        =======
        >>>>>>> theirs
        rest: 1
        ",
    );
}

#[test]
fn a_record_renamed_by_one_side_takes_the_edit_of_the_other() {
    case(
        "
        - id: a
          title: the first thing to do
          owner: Ann
          area: docs
          effort: 3
          status: pending
        - id: b
          title: second
        ",
        "
        - id: a-2
          title: the first thing to do
          owner: Ann
          area: docs
          effort: 3
          status: pending
        - id: b
          title: second
        ",
        "
        - id: a
          title: the first thing to do
          owner: Ann
          area: docs
          effort: 3
          status: done
        - id: b
          title: second
        ",
    )
    .gives(
        "
        - id: a-2
          title: the first thing to do
          owner: Ann
          area: docs
          effort: 3
          status: done
        - id: b
          title: second
        ",
    );
}

#[test]
fn records_in_flow_style() {
    case(
        "
        - {id: a, title: one, status: open}
        - {id: b, title: two, status: open}
        ",
        "
        - {id: a, title: one, status: done}
        - {id: b, title: two, status: open}
        - {id: c, title: three}
        ",
        "
        - {id: a, title: ONE, status: open}
        - {id: d, title: four}
        ",
    )
    .gives(
        "
        - {id: a, title: ONE, status: done}
        - {id: c, title: three}
        - {id: d, title: four}
        ",
    );
}

#[test]
fn a_record_rewritten_in_block_style_by_one_side_and_edited_by_the_other() {
    case(
        "
        - {id: a, title: one, status: open}
        - id: b
        ",
        "
        - id: a
          title: one
          status: open
        - id: b
        ",
        "
        - {id: a, title: one, status: done}
        - id: b
        ",
    )
    .gives(
        "
        - id: a
          title: one
          status: done
        - id: b
        ",
    );
}

#[test]
fn a_record_renamed_by_both_in_different_ways_is_one_record_with_a_contested_name() {
    case(
        "
        - id: a
          title: foo bar
          size: 1
        ",
        "
        - id: ours
          title: foo bar
          size: 1
        ",
        "
        - id: theirs
          title: foo bar
          size: 1
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        - id: ours
        =======
        - id: theirs
        >>>>>>> theirs
          title: foo bar
          size: 1
        ",
    );
}
