//! Files that a tool wrote anew, against files that a person edited: nothing but values is what the tool changed.

use crate::case::case;

#[test]
fn what_a_tool_dropped_and_spelled_anew_stays_as_it_was() {
    case(
        "
        _crdt: v1 todos=or_set
        # what we do
        todos:
          # first
          - id: a
            title: \"one\"
            due: 2024-01-15T09:00:00+01:00
            version: 1.10
            done: false
        ",
        "
        _crdt: v1 todos=or_set
        # what we do
        todos:
          # first
          - id: a
            title: \"two\"
            due: 2024-01-15T09:00:00+01:00
            version: 1.10
            done: false
        ",
        "
        todos:
        - id: a
          title: one
          due: 2024-01-15T08:00:00Z
          version: '1.10'
          done: true
        _crdt: v1 todos=or_set
        ",
    )
    .gives(
        "
        _crdt: v1 todos=or_set
        # what we do
        todos:
          # first
          - id: a
            title: \"two\"
            due: 2024-01-15T09:00:00+01:00
            version: 1.10
            done: true
        ",
    );
}

#[test]
fn who_indents_in_two_ways_is_no_tool_and_meant_the_comments_to_go() {
    case(
        "
        _crdt: v1
        a:
            # one
            x: 1
        b:
            # two
            y: 1
        ",
        "
        _crdt: v1
        a:
            # one
            x: 1
        b:
            # two
            y: 2
        ",
        "
        _crdt: v1
        a:
          x: 1
        b:
            y: 1
        ",
    )
    .gives(
        "
        _crdt: v1
        a:
          x: 1
        b:
            y: 2
        ",
    );
}

#[test]
fn who_deletes_a_comment_from_a_file_as_tools_write_it_meant_that() {
    case(
        "
        _crdt: v1
        a: 1 # why
        meta:
          list:
          - x
        b: 2
        ",
        "
        _crdt: v1
        a: 1
        meta:
          list:
          - x
        b: 2
        ",
        "
        _crdt: v1
        a: 1 # why
        meta:
          list:
          - x
        b: 3
        ",
    )
    .gives(
        "
        _crdt: v1
        a: 1
        meta:
          list:
          - x
        b: 3
        ",
    );
}

#[test]
fn what_lost_stands_behind_the_annotation_also_where_a_tool_wrote_it_elsewhere() {
    case(
        "
        _crdt: v1 todos=or_set
        # what we do
        todos:
          # first
          - id: a
            _crdt: 6ewzatz8-000001 title~veh
            title: one
        other: 1
        ",
        "
        todos:
        - id: a
          _crdt: 6ewzatz8-000001 title~veh
          title: one
          _crdt_conflicts: title~~s.uno
        other: 1
        _crdt: v1 todos=or_set
        ",
        "
        _crdt: v1 todos=or_set
        # what we do
        todos:
          # first
          - id: a
            _crdt: 6ewzatz8-000001 title~veh
            title: one
        other: 2
        ",
    )
    .gives(
        "
        _crdt: v1 todos=or_set
        # what we do
        todos:
          # first
          - id: a
            _crdt: 6ewzatz8-000001 title~veh
            _crdt_conflicts: title~~s.uno
            title: one
        other: 2
        ",
    );
}
