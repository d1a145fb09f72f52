//! What git says about commits holds for what they did to the file: reverted is gone, not picked does not come along.

use serde_json::json;

use crate::team::{Person, TODOS, Way, both_ways, brief, in_turn};

/// A commit that is made by hand: a revert or a pick that went through.
#[track_caller]
fn clean(person: &Person<'_>) {
    assert_eq!(person.git(&["status", "--porcelain"]), "");
}

#[test]
fn an_older_commit_reverted() {
    both_ways(TODOS, |team| {
        let ann = team.person("ann");
        ann.changes("title: Show the tide", "title: Show the next tide");
        let first = ann.head();
        ann.changes(
            "status: pending\n    priority: low",
            "status: blocked\n    priority: low",
        );
        ann.git(&["revert", "--no-edit", &first]);
        clean(&ann);
        ann.has().gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: +~j5r @ann2 status~pm8
                title: Show the tide
                status: blocked
                priority: low
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
    });
}

#[test]
fn a_revert_meets_work_on_another_branch() {
    both_ways(TODOS, |team| {
        let ann = team.person("ann");
        ann.changes("title: Show the tide", "title: Show the next tide");
        let ben = team.person_on("ben", "ann");
        ann.git(&["revert", "--no-edit", "HEAD"]);
        ben.changes("priority: low", "priority: medium");
        team.merge(&ann, &ben).gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: +~j5r @ben1 priority~tqr
                title: Show the tide
                status: pending
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
fn an_added_record_reverted() {
    both_ways(TODOS, |team| {
        let ann = team.person("ann");
        let before = ann.has().text;
        ann.appends(
            "
            - id: moon
              title: Show the moon
            ",
        );
        let birth = ann.head();
        ann.changes("priority: high", "priority: low");
        ann.git(&["revert", "--no-edit", &birth]);
        clean(&ann);
        let edited = match team.way {
            Way::Stamped => before.replace(
                "  - id: swell\n",
                "  - id: swell\n    _crdt: @ann2 priority~rzv\n",
            ),
            Way::Plain => before,
        };
        assert_eq!(
            ann.has().text,
            edited.replace("priority: high", "priority: low")
        );
    });
}

#[test]
fn an_added_record_reverted_after_somebody_worked_on_it() {
    both_ways(TODOS, |team| {
        let ann = team.person("ann");
        ann.appends(
            "
            - id: moon
              title: Show the moon
              status: pending
            ",
        );
        let birth = ann.head();
        ann.changes(
            "title: Show the moon\n    status: pending",
            "title: Show the moon\n    status: done",
        );
        ann.git(&["revert", "--no-edit", &birth]);
        clean(&ann);
        let listed: Vec<String> = ann.conflicts().iter().map(brief).collect();
        assert_eq!(listed, ["todos/moon: deleted"]);
        assert!(
            ann.has()
                .text
                .contains("    title: Show the moon\n    status: done\n")
        );
    });
}

#[test]
fn a_removal_reverted() {
    both_ways(TODOS, |team| {
        let ann = team.person("ann");
        ann.changes("priority: low", "priority: medium");
        let before = ann.has().text;
        ann.deletes("tide");
        let removal = ann.head();
        ann.changes("title: Show the swell", "title: Show the high swell");
        ann.git(&["revert", "--no-edit", &removal]);
        clean(&ann);
        let edited = match team.way {
            Way::Stamped => before.replace(
                "  - id: swell\n",
                "  - id: swell\n    _crdt: +~vc6 @ann2 title~k0h\n",
            ),
            Way::Plain => before,
        };
        assert_eq!(
            ann.has().text,
            edited.replace("the swell", "the high swell")
        );
    });
}

#[test]
fn a_revert_reverted() {
    both_ways(TODOS, |team| {
        let ann = team.person("ann");
        ann.changes("title: Show the tide", "title: Show the next tide");
        let edit = ann.head();
        ann.changes("priority: low", "priority: medium");
        let before = ann.has().text;
        ann.git(&["revert", "--no-edit", &edit]);
        let revert = ann.head();
        ann.changes(
            "status: pending\n    priority: medium",
            "status: done\n    priority: medium",
        );
        ann.git(&["revert", "--no-edit", &revert]);
        clean(&ann);
        let edited = before.replace(
            "status: pending\n    priority: medium",
            "status: done\n    priority: medium",
        );
        let edited = match team.way {
            // The priority's stamp stands in an earlier commit and gives way.
            Way::Stamped => edited.replace("@ann2 priority~tqr", "@ann3 status~2wk"),
            Way::Plain => edited,
        };
        assert_eq!(ann.has().text, edited);
    });
}

#[test]
fn a_revert_of_a_removal_reverted() {
    both_ways(TODOS, |team| {
        let ann = team.person("ann");
        ann.deletes("tide");
        let without = ann.has().text;
        ann.git(&["revert", "--no-edit", "HEAD"]);
        let revert = ann.head();
        ann.changes("title: Show the swell", "title: Show the high swell");
        ann.git(&["revert", "--no-edit", &revert]);
        clean(&ann);
        let edited = match team.way {
            Way::Stamped => without.replace(
                "  - id: swell\n",
                "  - id: swell\n    _crdt: +~vc6 @ann1 title~k0h\n",
            ),
            Way::Plain => without,
        };
        assert_eq!(
            ann.has().text,
            edited.replace("the swell", "the high swell")
        );
    });
}

/// Ben's three commits on one record: title, status, priority.
fn three_commits(ben: &Person<'_>) -> [String; 3] {
    [
        ("title: Show the tide", "title: Show the next tide"),
        (
            "status: pending\n    priority: low",
            "status: done\n    priority: low",
        ),
        ("priority: low", "priority: medium"),
    ]
    .map(|(from, to)| {
        ben.changes(from, to);
        ben.head()
    })
}

#[test]
fn a_pick_takes_only_what_is_picked() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        let [_, status, _] = three_commits(&ben);
        ann.git(&["cherry-pick", &status]);
        clean(&ann);
        ann.has().gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: +~j5r @ben2 status~2wk
                title: Show the tide
                status: done
                priority: low
              - id: swell
                title: Show the swell
                status: pending
                priority: high
            ",
        );
        // What was picked is no second edit when the branch comes.
        let merged = team.merge(&ann, &ben);
        merged.shows(&ben.has().shown());
        assert_eq!(merged.conflicts(), [json!(null); 0], "{}", merged.text);
    });
}

#[test]
fn a_rebase_takes_its_commits_over_new_work() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        three_commits(&ben);
        ann.changes("title: Show the swell", "title: Show the high swell");
        let merged = team.merge(&ann, &ben).text;
        ben.git(&["rebase", "-q", "ann"]);
        clean(&ben);
        assert_eq!(ben.has().text, merged);
    });
}

#[test]
fn a_rebase_that_drops_a_commit() {
    both_ways(TODOS, |team| {
        let ben = team.person("ben");
        let [title, status, _] = three_commits(&ben);
        ben.git(&["rebase", "-q", "--onto", &title, &status]);
        clean(&ben);
        ben.has().gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: +~j5r @ben1 title~34g @ben3 priority~tqr
                title: Show the next tide
                status: pending
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
fn stashed_work_comes_back_over_a_merge() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ben.changes("title: Show the tide", "title: Show the next tide");
        ann.types("priority: low", "priority: medium").syncs();
        ann.git(&["stash", "-q"]);
        ann.merges(&ben);
        ann.git(&["stash", "pop", "-q"]);
        ann.has().gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: +~j5r @ben1 title~34g @ann1 priority~tqr
                title: Show the next tide
                status: pending
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
fn branches_that_cross() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("title: Show the tide", "title: Show the next tide");
        ben.changes("title: Show the swell", "title: Show the high swell");
        let [before_ann, before_ben] = [ann.head(), ben.head()];
        ann.git(&["merge", "-q", "--no-edit", &before_ben]);
        ben.git(&["merge", "-q", "--no-edit", &before_ann]);
        ann.changes("priority: low", "priority: medium");
        ben.changes(
            "status: pending\n    priority: low",
            "status: done\n    priority: low",
        );
        let bases = ann.git(&["merge-base", "--all", "ann", "ben"]);
        assert_eq!(bases.lines().count(), 2);
        team.merge(&ann, &ben).gives(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                _crdt: +~j5r @ann2 priority~tqr @ben2 status~2wk
                title: Show the next tide
                status: done
                priority: medium
              - id: swell
                _crdt: +~vc6 @ben1 title~k0h
                title: Show the high swell
                status: pending
                priority: high
            ",
        );
    });
}

#[test]
fn branches_that_cross_after_a_conflict_was_settled_on_one() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: medium");
        ben.changes("priority: low", "priority: critical");
        let [before_ann, before_ben] = [ann.head(), ben.head()];
        ann.git(&["merge", "-q", "--no-edit", &before_ben]);
        ben.git(&["merge", "-q", "--no-edit", &before_ann]);
        ann.rhema(&[
            "resolve",
            "--path",
            "todos/tide/priority",
            "--value",
            "trivial",
        ])
        .exits(0);
        ann.commits("settled");
        let merged = team.merge(&ann, &ben);
        assert!(
            merged.text.contains("priority: trivial\n"),
            "{}",
            merged.text
        );
        assert_eq!(merged.conflicts(), [json!(null); 0], "{}", merged.text);
    });
}

const SIX: [&str; 6] = ["ann", "ben", "cat", "dan", "eve", "fay"];

#[test]
fn six_branches_in_three_orders() {
    let list = "
        todos:
          - id: a
            title: First
            status: pending
            priority: low
          - id: b
            title: Second
            status: pending
          - id: c
            title: Third
        ";
    both_ways(list, |team| {
        let [ann, ben, cat, dan, eve, fay] = SIX.map(|name| team.person(name));
        ann.changes("priority: low", "priority: high");
        ben.types("title: First", "title: 1st")
            .changes("priority: low", "priority: medium");
        cat.deletes("b");
        dan.changes(
            "title: Second\n    status: pending",
            "title: Second\n    status: done",
        );
        eve.appends("- id: d\n  title: Fourth\n");
        fay.types("title: Third", "title: Third\n    tags: [x]")
            .appends("- id: d\n  title: Vierter\n");
        let backwards: Vec<&str> = SIX.into_iter().rev().collect();
        let in_pairs = in_turn(&["eve", "ben"])
            .and(in_turn(&["cat", "fay"]))
            .and(in_turn(&["dan", "ann"]));
        let merged = team.merge_all(&[in_turn(&SIX), in_turn(&backwards), in_pairs]);
        let listed: Vec<String> = merged.conflicts().iter().map(brief).collect();
        assert_eq!(
            listed,
            [
                "todos/a/priority: medium [high]",
                "todos/b: deleted",
                "todos/d-y97/id: d-y97 [d]"
            ]
        );
        merged.shows(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: 1st
                status: pending
                priority: medium
              - id: b
                title: Second
                status: done
              - id: c
                title: Third
                tags: [x]
              - id: d
                title: Fourth
              - id: d-y97
                title: Vierter
            ",
        );
    });
}

/// For merges of several branches at once git has no drivers: it merges lines, and gives up where they meet.
#[test]
fn several_branches_in_one_merge() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: medium");
        ben.changes(
            "status: pending\n    priority: low",
            "status: done\n    priority: low",
        );
        let desk = team.desk();
        let before = desk.git(&["rev-parse", "HEAD"]);
        desk.try_git(&["merge", "-q", "--no-edit", "ann", "ben"])
            .exits(1);
        assert_eq!(desk.git(&["rev-parse", "HEAD"]), before);
        desk.git(&["reset", "-q", "--hard"]);
        // One by one they merge.
        team.merge_all(&[in_turn(&["main", "ann", "ben"])]);
    });
}
