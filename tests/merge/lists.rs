//! Lists of members that nothing identifies.

use crate::case::case;

#[test]
fn both_insert_at_one_place() {
    case(
        "
        tags:
          - a
          - z
        ",
        "
        tags:
          - a
          - ours
          - ours too
          - z
        ",
        "
        tags:
          - a
          - theirs
          - z
        ",
    )
    .gives(
        "
        tags:
          - a
          - ours
          - ours too
          - theirs
          - z
        ",
    );
}

#[test]
fn both_insert_into_a_flow_list() {
    case(
        "
        tags: [a, z]
        ",
        "
        tags: [a, m, z]
        ",
        "
        tags: [a, n, z]
        ",
    )
    .gives(
        "
        tags: [a, m, n, z]
        ",
    );
}

#[test]
fn both_append_to_an_empty_flow_list() {
    case(
        "
        tags: []
        ",
        "
        tags: [ours]
        ",
        "
        tags: [theirs]
        ",
    )
    .gives(
        "
        tags: [ours, theirs]
        ",
    );
}

#[test]
fn the_same_member_added_by_both_stands_once() {
    case(
        "
        - a
        ",
        "
        - a
        - b
        - c
        ",
        "
        - a
        - b
        - d
        ",
    )
    .gives(
        "
        - a
        - b
        - c
        - d
        ",
    );
}

#[test]
fn neighbours_deleted_by_each_side() {
    case(
        "
        - a
        - b
        - c
        - d
        ",
        "
        - a
        - c
        - d
        ",
        "
        - a
        - b
        - d
        ",
    )
    .gives(
        "
        - a
        - d
        ",
    );
}

#[test]
fn equal_members_keep_their_number() {
    case(
        "
        - x
        - x
        - y
        ",
        "
        - x
        - x
        - x
        - y
        ",
        "
        - x
        - x
        - y
        - z
        ",
    )
    .gives(
        "
        - x
        - x
        - x
        - y
        - z
        ",
    );
}

#[test]
fn one_of_two_equal_members_deleted_by_both_is_one_deletion() {
    case(
        "
        - x
        - x
        - y
        ",
        "
        - x
        - y
        ",
        "
        - x
        - y
        - z
        ",
    )
    .gives(
        "
        - x
        - y
        - z
        ",
    );
}

#[test]
fn a_member_changed_beside_a_deleted_one() {
    case(
        "
        - redis:6
        - mysql:8
        - nginx:1
        ",
        "
        - redis:7
        - mysql:8
        - nginx:1
        ",
        "
        - redis:6
        - nginx:1
        ",
    )
    .gives(
        "
        - redis:7
        - nginx:1
        ",
    );
}

#[test]
fn a_member_changed_by_both() {
    case(
        "
        - redis:6
        - nginx:1
        ",
        "
        - redis:7
        - nginx:1
        ",
        "
        - redis:8
        - nginx:1
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        - redis:7
        =======
        - redis:8
        >>>>>>> theirs
        - nginx:1
        ",
    );
}

#[test]
fn mappings_without_identity_are_matched_by_likeness() {
    case(
        "
        - run: cargo build
          env: {A: 1}
        - run: cargo test
          env: {A: 1}
        ",
        "
        - uses: checkout
        - run: cargo build
          env: {A: 1}
        - run: cargo test
          env: {A: 1}
          timeout: 5
        ",
        "
        - run: cargo build
          env: {A: 1}
        - run: cargo test
          env: {A: 2}
        ",
    )
    .gives(
        "
        - uses: checkout
        - run: cargo build
          env: {A: 1}
        - run: cargo test
          env: {A: 2}
          timeout: 5
        ",
    );
}

#[test]
fn lists_in_lists() {
    case(
        "
        - - a
          - b
        - - c
        ",
        "
        - - a
          - b
          - ours
        - - c
        ",
        "
        - - a
          - b
        - - c
          - theirs
        ",
    )
    .gives(
        "
        - - a
          - b
          - ours
        - - c
          - theirs
        ",
    );
}

#[test]
fn members_with_a_hash_in_quotes_are_no_comments() {
    case(
        "
        colours: [\"a #fff\", b]
        ",
        "
        colours: [\"a #fff\", b, c]
        ",
        "
        colours: [\"a #fff\"]
        ",
    )
    .gives(
        "
        colours: [\"a #fff\", c]
        ",
    );
}

#[test]
fn numbers_changed_to_one_value_in_different_places_both_count() {
    case(
        "
        colour: [0, 0, 0]
        at: [1, 2]
        ",
        "
        colour: [255, 0, 0]
        at: [5, 2]
        ",
        "
        colour: [0, 0, 255]
        at: [1, 5]
        ",
    )
    .gives(
        "
        colour: [255, 0, 255]
        at: [5, 5]
        ",
    );
}

#[test]
fn scalars_changed_to_one_value_in_different_places_both_count() {
    case(
        "
        args: [\"--a\", \"1\", \"--b\", \"2\"]
        steps: [build, test one, pack, test two, ship]
        rows:
          - [1, 0]
          - [0, 1]
        ",
        "
        args: [\"--a\", \"3\", \"--b\", \"2\"]
        steps: [build, test all, pack, test two, ship]
        rows:
          - [1, 0]
          - [1, 1]
        ",
        "
        args: [\"--a\", \"1\", \"--b\", \"3\"]
        steps: [build, test one, pack, test all, ship]
        rows:
          - [1, 1]
          - [0, 1]
        ",
    )
    .gives(
        "
        args: [\"--a\", \"3\", \"--b\", \"3\"]
        steps: [build, test all, pack, test all, ship]
        rows:
          - [1, 1]
          - [1, 1]
        ",
    );
}

#[test]
fn a_changed_value_and_the_same_value_added_elsewhere_both_count() {
    case(
        "
        args: [\"--a\", \"1\", \"--b\", \"2\"]
        ",
        "
        args: [\"--a\", \"3\", \"--b\", \"2\"]
        ",
        "
        args: [\"--a\", \"1\", \"--b\", \"2\", \"--z\", \"3\"]
        ",
    )
    .gives(
        "
        args: [\"--a\", \"3\", \"--b\", \"2\", \"--z\", \"3\"]
        ",
    );
}

#[test]
fn members_that_differ_in_their_tag_alone_stand_in_one_order_whoever_adds_them() {
    case(
        "
        - a
        - b
        ",
        "
        - a
        - !second x
        - b
        ",
        "
        - a
        - !first x
        - b
        ",
    )
    .gives(
        "
        - a
        - !first x
        - !second x
        - b
        ",
    );
}

#[test]
fn a_member_that_both_changed_alike_is_one_though_one_side_has_it_twice() {
    case(
        "
        - [x, b, c]
        ",
        "
        - [a, b, c]
        ",
        "
        - [a, b, c]
        - [a, b, c]
        ",
    )
    .gives(
        "
        - [a, b, c]
        - [a, b, c]
        ",
    );
}

#[test]
fn mappings_that_became_the_same_are_told_apart_from_either_side() {
    case(
        "
        - {a: 1, b: 1, c: 1}
        - second
        - {a: 1, b: 1, c: 3}
        - fourth
        - {a: 1, b: 1, c: 5}
        ",
        "
        - {a: 1, b: 1, c: 9}
        - second
        - {a: 1, b: 1, c: 9}
        - fourth
        - {a: 1, b: 1, c: 5}
        - last
        ",
        "
        - {a: 1, b: 1, c: 1}
        - second
        - {a: 1, b: 1, c: 3}
        - fourth
        - {a: 1, b: 1, c: 9}
        ",
    )
    .gives(
        "
        - {a: 1, b: 1, c: 9}
        - second
        - {a: 1, b: 1, c: 9}
        - fourth
        - last
        ",
    );
}

#[test]
fn white_space_between_elements_follows_one_side_whichever_is_ours() {
    case(
        "
        tags: [c]
        ",
        "
        tags: [b, c]
        ",
        "
        tags: [a,b,c]
        ",
    )
    .gives(
        "
        tags: [a,b, c]
        ",
    );
}

#[test]
fn sentences_are_the_same_by_most_of_their_words_and_names_by_all_of_them() {
    // One side rewords two neighbours, the other one takes out the first of them.
    case(
        "
        - Write the release notes - today
        - Call the office - at noon - again
        - end
        ",
        "
        - Write all the release notes - today
        - Call the new office - at noon - again
        - end
        ",
        "
        - Call the office - at noon - again
        - end
        ",
    )
    .contests(
        1,
        "
        <<<<<<< ours
        - Write all the release notes - today
        =======
        >>>>>>> theirs
        - Call the new office - at noon - again
        - end
        ",
    );
    // What shares a word of two or three is another one.
    case(
        "
        - red apple
        - green pear
        - end
        ",
        "
        - red plum
        - green fig
        - end
        ",
        "
        - green pear
        - end
        ",
    )
    .gives(
        "
        - red plum
        - green fig
        - end
        ",
    );
}

#[test]
fn of_several_versions_that_a_sentence_may_have_the_likest_is_it() {
    case(
        "
        - one two three four five six
        - seven eight nine ten
        - end
        ",
        "
        - one two three four other words
        - one two three four five else
        - seven eight nine eleven
        - end
        ",
        "
        - one two three four five six
        - end
        ",
    )
    .contests(
        1,
        "
        - one two three four other words
        - one two three four five else
        <<<<<<< ours
        - seven eight nine eleven
        =======
        >>>>>>> theirs
        - end
        ",
    );
}
