//! Work on records that nobody else disputes: all of it is in the result, each piece once.

use crate::team::{TODOS, both_ways};

#[test]
fn different_fields_of_one_record() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("title: Show the tide", "title: Show the next tide");
        ben.changes("priority: low", "priority: high # the harbour asked");
        team.merge(&ann, &ben).gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: +~j5r @ann1 title~34g @ben1 priority~vm9
                title: Show the next tide
                status: pending
                priority: high # the harbour asked
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
    });
}

#[test]
fn adjacent_fields_of_one_record() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: medium");
        ben.changes(
            "status: pending\n    priority: low",
            "status: blocked\n    priority: low",
        );
        team.merge(&ann, &ben).gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: @ann1 priority~tqr @ben1 status~pm8
                title: Show the tide
                status: blocked
                priority: medium
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
    });
}

#[test]
fn a_record_appended_by_each() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.appends(
            "
            - id: moon
              title: Show the moon
            ",
        );
        ben.appends(
            "
            # for the anglers
            - id: bait
              title: Show the bait
            ",
        );
        team.merge(&ann, &ben).gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                title: Show the tide
                status: pending
                priority: low
              - id: swell
                title: Show the swell
                status: pending
                priority: high
              # for the anglers
              - id: bait
                _crdt: +@ben1~bwg
                title: Show the bait
              - id: moon
                _crdt: +@ann1~b5k
                title: Show the moon
            ",
        );
    });
}

const FOUR: &str = "
    todos:
      - id: a
        title: First

      # about the second
      - id: b
        title: Second
      - id: c
        title: Third
      - id: d
        title: Fourth
    ";

#[test]
fn neighbours_deleted_by_each() {
    both_ways(FOUR, |team| {
        let [ann, ben] = team.two();
        ann.changes("\n  # about the second\n  - id: b\n    title: Second\n", "");
        ben.deletes("c");
        team.merge(&ann, &ben).gives(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: First
              - id: d
                title: Fourth
            ",
        );
    });
}

#[test]
fn a_neighbour_of_a_deleted_record_is_edited() {
    both_ways(FOUR, |team| {
        let [ann, ben] = team.two();
        ann.changes("  # about the second\n  - id: b\n    title: Second\n", "");
        ben.changes("title: Third", "title: 3rd");
        team.merge(&ann, &ben).gives(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: First

              - id: c
                _crdt: +~q32 @ben1 title~q3y
                title: 3rd
              - id: d
                title: Fourth
            ",
        );
    });
}

#[test]
fn one_record_added_by_both() {
    both_ways(FOUR, |team| {
        let [ann, ben] = team.two();
        let fifth = "
            - id: e
              title: Fifth
              tags: [x]
            ";
        ann.appends(fifth);
        ben.appends(fifth);
        team.merge(&ann, &ben).gives(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: First

              # about the second
              - id: b
                title: Second
              - id: c
                title: Third
              - id: d
                title: Fourth
              - id: e
                _crdt: +@ann1~526
                title: Fifth
                tags: [x]
            ",
        );
    });
}

#[test]
fn one_record_added_by_both_and_filled_differently() {
    both_ways(FOUR, |team| {
        let [ann, ben] = team.two();
        ann.appends(
            "
            - id: e
              title: Fifth
              owner: ann
            ",
        );
        ben.appends(
            "
            - id: e
              title: Fifth
              tags: [x]
            ",
        );
        team.merge(&ann, &ben).gives(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: First

              # about the second
              - id: b
                title: Second
              - id: c
                title: Third
              - id: d
                title: Fourth
              - id: e
                _crdt: +@ann1~526
                title: Fifth
                owner: ann
                tags: [x]
            ",
        );
    });
}

#[test]
fn reordered_by_one_and_edited_by_the_other() {
    both_ways(FOUR, |team| {
        let [ann, ben] = team.two();
        ann.writes(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: d
                title: Fourth
              - id: a
                title: First

              # about the second
              - id: b
                title: Second
              - id: c
                title: Third
            ",
        );
        ben.changes("title: Fourth", "title: Fourth\n    status: done");
        team.merge(&ann, &ben).gives(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: d
                _crdt: @ben1 status~2wk
                title: Fourth
                status: done
              - id: a
                title: First

              # about the second
              - id: b
                title: Second
              - id: c
                title: Third
            ",
        );
    });
}

#[test]
fn lines_of_one_text() {
    let text = "
        todos:
          - id: a
            title: First
            notes: |
              Buy rope.
              Ask the harbour.
              Write it down.
              Call Ines.
        ";
    both_ways(text, |team| {
        let [ann, ben] = team.two();
        ann.changes("Buy rope.", "Buy two ropes.");
        ben.changes("Call Ines.", "Call Ines.\n      Call Tomasz.");
        team.merge(&ann, &ben).gives(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                _crdt: @ann1 notes~f0s @ben1 notes~n6b
                title: First
                notes: |
                  Buy two ropes.
                  Ask the harbour.
                  Write it down.
                  Call Ines.
                  Call Tomasz.
            ",
        );
    });
}

#[test]
fn members_of_one_list_and_its_duplicates() {
    let text = "
        todos:
          - id: a
            title: First
            tags: [rope, rope, tide]
          - id: b
            title: Second
            steps:
              - pull
              - wait
              - pull
        ";
    both_ways(text, |team| {
        let [ann, ben] = team.two();
        ann.types("tide]", "tide, moon]")
            .changes("- wait\n", "- wait\n      - wait\n");
        ben.types("[rope", "[swell, rope").changes(
            "- wait\n      - pull\n",
            "- wait\n      - pull\n      - rest\n",
        );
        team.merge(&ann, &ben).gives(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                _crdt: @ann1 tags~0bj @ben1 tags~htx
                title: First
                tags: [swell, rope, rope, tide, moon]
              - id: b
                _crdt: @ann2 steps~0t3 @ben2 steps~3bw
                title: Second
                steps:
                  - pull
                  - wait
                  - wait
                  - pull
                  - rest
            ",
        );
    });
}
