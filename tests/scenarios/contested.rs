//! What two people decide differently: one decision stands, the other is kept until somebody settles it.

use serde_json::json;

use crate::team::{TODOS, Team, Way, both_ways, brief, stamped};

#[test]
fn deleted_by_one_and_changed_by_the_other() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.deletes("tide");
        ben.types("title: Show the tide", "title: Show the next tide")
            .changes("priority: low", "priority: medium");
        let merged = team.merge(&ann, &ben);
        merged.gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: +~j5r @ben1 priority~tqr title~34g
                _crdt_conflicts: ~~deleted
                title: Show the next tide
                status: pending
                priority: medium
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
        ann.merges(&ben);
        assert_eq!(ann.status()["state"], "conflicted");
        assert_eq!(ann.status()["conflicts"], 1);
        let listed = ann.conflicts();
        assert_eq!(listed[0]["field"], "todos/tide");
        assert_eq!(listed[0]["kind"], "deleted");
    });
}

#[test]
fn the_deletion_is_taken_after_all() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.deletes("tide");
        ben.changes("priority: low", "priority: medium");
        ann.merges(&ben);
        ann.rhema(&["resolve", "--path", "todos/tide", "--take", "1"])
            .exits(0);
        ann.commits("settled").has().gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
        // Whoever has not seen that yet brings nothing back.
        ben.merges(&ann);
        assert_eq!(ben.has().text, ann.has().text);
    });
}

#[test]
fn the_record_is_kept_after_all() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.deletes("tide");
        ben.changes("priority: low", "priority: medium");
        ann.merges(&ben);
        ann.rhema(&["resolve", "--path", "todos/tide", "--take", "winner"])
            .exits(0);
        ann.commits("settled").has().gives_or(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: @ben1 priority~tqr @ann1 title~j5r
                title: Show the tide
                status: pending
                priority: medium
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: @ann1 title~j5r
                title: Show the tide
                status: pending
                priority: medium
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
        assert_eq!(ann.conflicts(), [json!(null); 0]);
    });
}

#[test]
fn one_leaf_on_both_sides() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: medium");
        ben.changes("priority: low", "priority: critical");
        let merged = team.merge(&ann, &ben);
        // The later stamp; of values without stamps the greater.
        merged.gives_or(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: @ben1 priority~gaf
                _crdt_conflicts: priority~@ann1~s.medium
                title: Show the tide
                status: pending
                priority: critical
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt_conflicts: priority~~s.critical
                title: Show the tide
                status: pending
                priority: medium
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
        ann.merges(&ben);
        assert_eq!(ann.status()["conflicts"], 1);
        let open = match team.way {
            Way::Stamped => "todos/tide/priority: critical [medium]",
            Way::Plain => "todos/tide/priority: medium [critical]",
        };
        let listed = ann.conflicts();
        assert_eq!(listed.iter().map(brief).collect::<Vec<_>>(), [open]);
        let winner = &listed[0]["winner"];
        assert_eq!(winner["stamp"].is_null(), team.way == Way::Plain);
        assert_eq!(winner["node"].is_null(), team.way == Way::Plain);

        ann.rhema(&["resolve", "--path", "todos/tide/priority", "--take", "1"])
            .exits(0);
        assert_eq!(ann.conflicts(), [json!(null); 0]);
        assert_eq!(ann.status()["conflicts"], 0);
        assert!(!ann.has().text.contains("_crdt_conflicts"));
    });
}

#[test]
fn a_stamped_edit_stands_against_one_without_stamp() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: critical");
        ben.types("priority: low", "priority: medium")
            .tree
            .commit("by hand");
        team.merge(&ann, &ben).gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: @ann1 priority~gaf
                _crdt_conflicts: priority~~s.medium
                title: Show the tide
                status: pending
                priority: critical
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
    });
}

/// A conflict about the priority that both have in their branch.
fn with_a_conflict(team: &Team) -> [crate::team::Person<'_>; 2] {
    let [ann, ben] = team.two();
    ann.changes("priority: low", "priority: medium");
    ben.changes("priority: low", "priority: critical");
    ann.merges(&ben);
    ben.merges(&ann);
    assert_eq!(ann.head(), ben.head());
    [ann, ben]
}

const PRIORITY: [&str; 4] = ["resolve", "--path", "todos/tide/priority", "--take"];

#[test]
fn two_people_settle_a_conflict_in_the_same_way() {
    both_ways(TODOS, |team| {
        let [ann, ben] = with_a_conflict(team);
        for person in [&ann, &ben] {
            let winner = [&PRIORITY[..], &["winner"]].concat();
            person.rhema(&winner).exits(0);
            person.commits("settled");
        }
        let merged = team.merge(&ann, &ben);
        assert_eq!(merged.conflicts(), [json!(null); 0], "{}", merged.text);
        let winner = match team.way {
            Way::Stamped => "critical",
            Way::Plain => "medium",
        };
        assert!(merged.text.contains(&format!("priority: {winner}\n")));
    });
}

#[test]
fn two_people_settle_a_conflict_differently() {
    for ann_takes_the_winner in [true, false] {
        both_ways(TODOS, |team| {
            let [ann, ben] = with_a_conflict(team);
            let mut takes = ["winner", "1"];
            if !ann_takes_the_winner {
                takes.reverse();
            }
            for (person, takes) in [&ann, &ben].into_iter().zip(takes) {
                person.rhema(&[&PRIORITY[..], &[takes]].concat()).exits(0);
                person.commits("settled");
            }
            // The later decision stands, and the other one is not forgotten.
            let merged = team.merge(&ann, &ben);
            let of = |person: &crate::team::Person<'_>| {
                let text = person.has().text;
                text.lines()
                    .find_map(|line| line.strip_prefix("    priority: "))
                    .unwrap()
                    .to_owned()
            };
            let listed: Vec<String> = merged.conflicts().iter().map(brief).collect();
            let open = format!("todos/tide/priority: {} [{}]", of(&ben), of(&ann));
            assert_eq!(listed, [open], "{}", merged.text);
        });
    }
}

#[test]
fn a_conflict_that_one_settles_while_another_works_on_the_record() {
    both_ways(TODOS, |team| {
        let [ann, ben] = with_a_conflict(team);
        ann.rhema(&[&PRIORITY[..], &["1"]].concat()).exits(0);
        ann.commits("settled");
        ben.changes("title: Show the tide", "title: Show the next tide");
        let merged = team.merge(&ann, &ben);
        let taken = match team.way {
            Way::Stamped => "medium",
            Way::Plain => "critical",
        };
        merged.shows(&format!(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                title: Show the next tide
                status: pending
                priority: {taken}
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            "
        ));
        assert_eq!(merged.conflicts(), [json!(null); 0], "{}", merged.text);
    });
}

#[test]
fn a_conflict_that_one_settles_while_another_deletes_the_record() {
    both_ways(TODOS, |team| {
        let [ann, ben] = with_a_conflict(team);
        ann.rhema(&[&PRIORITY[..], &["winner"]].concat()).exits(0);
        ann.commits("settled");
        ben.deletes("tide");
        let merged = team.merge(&ann, &ben);
        let listed: Vec<String> = merged.conflicts().iter().map(brief).collect();
        assert_eq!(listed, ["todos/tide: deleted"], "{}", merged.text);
    });
}

/// Ann puts back the file of a commit in which `critical` stands and `medium` lost.
fn puts_back(ann: &crate::team::Person<'_>, commit: &str) {
    let source = format!("--source={commit}");
    ann.git(&["restore", &source, ".rhema/todos.yaml"]);
    ann.syncs();
    let open = "todos/tide/priority: critical [medium]";
    let listed: Vec<String> = ann.conflicts().iter().map(brief).collect();
    assert_eq!(listed, [open], "{}", ann.has().text);
    ann.commits("as it was");
    let listed: Vec<String> = ann.conflicts().iter().map(brief).collect();
    assert_eq!(listed, [open], "{}", ann.has().text);
}

#[test]
fn a_file_from_before_a_conflict_was_settled_has_it_again() {
    stamped(TODOS, |team| {
        let [ann, _] = with_a_conflict(team);
        let open = ann.head();
        ann.rhema(&[&PRIORITY[..], &["1"]].concat()).exits(0);
        ann.commits("settled");
        puts_back(&ann, &open);
    });
}

#[test]
fn a_file_from_before_the_winner_changed_has_the_one_of_then() {
    stamped(TODOS, |team| {
        let [ann, ben] = with_a_conflict(team);
        let open = ann.head();
        for (person, takes) in [(&ann, "winner"), (&ben, "1")] {
            person.rhema(&[&PRIORITY[..], &[takes]].concat()).exits(0);
            person.commits("settled");
        }
        ann.merges(&ben);
        let listed: Vec<String> = ann.conflicts().iter().map(brief).collect();
        assert_eq!(listed, ["todos/tide/priority: medium [critical]"]);
        puts_back(&ann, &open);
    });
}

#[test]
fn an_ordinary_edit_settles_a_conflict_too() {
    stamped(TODOS, |team| {
        let [ann, ben] = with_a_conflict(team);
        ann.changes("priority: critical", "priority: trivial");
        assert_eq!(ann.conflicts(), [json!(null); 0]);
        ben.merges(&ann);
        assert_eq!(ben.conflicts(), [json!(null); 0]);
    });
}

#[test]
fn one_side_of_all_that_is_open() {
    for side in ["ours", "theirs"] {
        both_ways(TODOS, |team| {
            let [ann, ben] = team.two();
            ann.types("priority: low", "priority: critical")
                .types(
                    "title: Show the tide\n    status: pending",
                    "title: Show the tide\n    status: done",
                )
                .deletes("swell");
            ben.types("priority: low", "priority: medium")
                .types(
                    "title: Show the tide\n    status: pending",
                    "title: Show the tide\n    status: blocked",
                )
                .changes("priority: high", "priority: medium # now");
            ann.merges(&ben);
            assert_eq!(ann.conflicts().len(), 3);
            // What was merged on the way does not matter.
            ann.changes("title: Show the tide", "title: Show the next tide");
            ann.rhema(&["resolve", "--all", "--strategy", side])
                .exits(0);
            let taken = match side {
                "ours" => "status: done\n    priority: critical\n",
                _ => {
                    "status: blocked\n    priority: medium\n  - id: swell\n    title: Show the swell\n    \
                     status: pending\n    priority: medium # now\n"
                }
            };
            ann.has().shows(&format!(
                "# Things to do\n_crdt: v1 todos=or_set\ntodos:\n  - id: tide\n    title: Show the next tide\n    {taken}"
            ));
            assert_eq!(ann.conflicts(), [json!(null); 0]);
        });
    }
}

const FINISHED: &str = "
    todos:
      - id: tide
        title: Show the tide
        status: pending
        completed_at: null
        priority: low
    ";

#[test]
fn the_fields_of_completion_are_one() {
    both_ways(FINISHED, |team| {
        let [ann, ben] = team.two();
        ann.changes(
            "status: pending\n    completed_at: null",
            "status: completed\n    completed_at: 2025-11-03T09:12:40Z\n    outcome: shown",
        );
        ben.changes("status: pending", "status: blocked");
        // Field by field this would be blocked, and completed in November.
        team.merge(&ann, &ben).gives_or(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: @ben1 completed_at~h71 status~pm8
                _crdt_conflicts: completed_at~@ann1~s.2025-11-03T09%3A12%3A40Z outcome~@ann1~s.shown status~@ann1~s.completed
                title: Show the tide
                status: blocked
                completed_at: null
                priority: low
            ",
            "
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt_conflicts: status~~s.blocked
                title: Show the tide
                status: completed
                completed_at: 2025-11-03T09:12:40Z
                outcome: shown
                priority: low
            ",
        );
    });
}

#[test]
fn a_completed_todo_and_work_on_its_other_fields() {
    both_ways(FINISHED, |team| {
        let [ann, ben] = team.two();
        ann.changes(
            "status: pending\n    completed_at: null",
            "status: completed\n    completed_at: 2025-11-03T09:12:40Z\n    outcome: shown",
        );
        ben.changes("priority: low", "priority: high");
        team.merge(&ann, &ben).gives(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: @ann1 completed_at~c9j outcome~n8p status~b3h @ben1 priority~vm9
                title: Show the tide
                status: completed
                completed_at: 2025-11-03T09:12:40Z
                outcome: shown
                priority: high
            ",
        );
    });
}

#[test]
fn who_takes_the_losing_status_takes_what_belonged_to_it() {
    both_ways(FINISHED, |team| {
        let [ann, ben] = team.two();
        ann.changes(
            "status: pending\n    completed_at: null",
            "status: completed\n    completed_at: 2025-11-03T09:12:40Z\n    outcome: shown",
        );
        ben.changes("status: pending", "status: blocked");
        ann.merges(&ben);
        let is_shown = |text: &str| ann.has().shown().contains(text);
        let (wins, taken) = if is_shown("status: blocked\n") {
            (
                "blocked",
                "completed\n    completed_at: 2025-11-03T09:12:40Z\n    outcome: shown\n",
            )
        } else {
            ("completed", "blocked\n    completed_at: null\n")
        };
        ann.rhema(&["resolve", "--path", "todos/tide/status", "--take", "1"])
            .exits(0);
        let text = ann.has().shown();
        assert!(
            text.contains(&format!("status: {taken}    priority: low\n")),
            "{wins} won:\n{text}"
        );
        assert_eq!(ann.conflicts(), [json!(null); 0]);
    });
}
