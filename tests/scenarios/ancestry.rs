//! What one branch took from another by a pick or a squash merge, and then replaced or deleted: the merge knows that from
//! the ancestries of both, which the three files do not show.

use serde_json::json;

use crate::team::{FILE, Person, TODOS, brief, stamped};

const MOON: &str = "
    - id: moon
      title: Show the moon
      status: pending
    ";

/// Takes somebody's newest commit over by `git cherry-pick`.
#[track_caller]
fn picks(person: &Person<'_>, from: &Person<'_>) {
    person.git(&["cherry-pick", from.name]);
}

/// Takes all that somebody committed over as one commit.
#[track_caller]
fn squashes(person: &Person<'_>, from: &Person<'_>) {
    person.git(&["merge", "-q", "--squash", from.name]);
    person.git(&["commit", "-q", "-m", "squashed"]);
}

/// Another edit, so that both branches changed the file and git asks the driver at all.
#[track_caller]
fn works(person: &Person<'_>) {
    person.changes("title: Show the swell", "title: Show the long swell");
}

#[track_caller]
fn works_again(person: &Person<'_>) {
    person.changes(
        "title: Show the long swell",
        "title: Show the swell of the year",
    );
}

#[test]
fn a_record_that_was_picked_and_then_deleted() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        works(&ben);
        ann.appends(MOON);
        picks(&ben, &ann);
        ben.deletes("moon");
        ann.changes("title: Show the tide", "title: Show the next tide");
        let merged = team.merge(&ann, &ben);
        merged.shows(
            "
            # Things to do
            _crdt: v1 todos=or_set
            todos:
              - id: tide
                title: Show the next tide
                status: pending
                priority: low
              - id: swell
                title: Show the long swell
                status: pending
                priority: high
            ",
        );
        assert_eq!(merged.conflicts(), [json!(null); 0]);
    });
}

#[test]
fn a_record_that_was_picked_and_then_deleted_for_another_one_of_its_name() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        works(&ben);
        ann.appends(MOON);
        picks(&ben, &ann);
        ben.deletes("moon");
        ben.appends(
            "
            - id: moon
              title: Moor the dinghy
            ",
        );
        ann.changes("title: Show the tide", "title: Show the next tide");
        let merged = team.merge(&ann, &ben);
        assert!(
            merged.text.contains("title: Moor the dinghy"),
            "{}",
            merged.text
        );
        assert!(
            !merged.text.contains("title: Show the moon"),
            "{}",
            merged.text
        );
        assert_eq!(merged.text.matches("id: moon").count(), 1);
    });
}

#[test]
fn a_file_that_is_as_it_was_is_taken_by_git_itself() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        ben.git(&["commit", "-q", "--allow-empty", "-m", "something else"]);
        let before = ben.has().text;
        ann.appends(MOON);
        picks(&ben, &ann);
        ben.git(&["revert", "--no-edit", "HEAD"]);
        assert_eq!(ben.has().text, before);
        let expected = ann.has().text;
        assert_eq!(team.merge(&ann, &ben).text, expected);
    });
}

#[test]
fn a_record_whose_change_was_picked_before_it_was_deleted() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        works(&ben);
        ann.changes("title: Show the tide", "title: Show the next tide");
        picks(&ben, &ann);
        ben.deletes("tide");
        ann.changes("priority: high", "priority: low");
        let merged = team.merge(&ann, &ben);
        assert!(!merged.text.contains("tide"), "{}", merged.text);
        assert_eq!(merged.conflicts(), [json!(null); 0]);
    });
}

#[test]
fn a_record_comes_back_for_a_change_that_its_deletion_did_not_see() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        works(&ben);
        ann.appends(MOON);
        picks(&ben, &ann);
        ben.deletes("moon");
        ann.changes("title: Show the moon", "title: Show the new moon");
        let merged = team.merge(&ann, &ben);
        assert!(
            merged.text.contains("title: Show the new moon"),
            "{}",
            merged.text
        );
    });
}

#[test]
fn a_record_comes_back_for_a_change_without_a_stamp() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        works(&ben);
        ann.appends(MOON);
        picks(&ben, &ann);
        ben.deletes("moon");
        ann.types("title: Show the moon", "title: Show the new moon");
        ann.git(&["commit", "-q", "-a", "-m", "without the tool"]);
        let merged = team.merge(&ann, &ben);
        assert!(
            merged.text.contains("title: Show the new moon"),
            "{}",
            merged.text
        );
    });
}

#[test]
fn a_field_of_a_squashed_branch_that_goes_on() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: medium");
        squashes(&ben, &ann);
        works(&ben);
        ann.changes("priority: medium", "priority: critical");
        let merged = team.merge(&ann, &ben);
        assert!(
            merged.text.contains("priority: critical"),
            "{}",
            merged.text
        );
        assert!(merged.text.contains("long swell"), "{}", merged.text);
        assert_eq!(merged.conflicts(), [json!(null); 0]);
    });
}

/// The stamp of the older edit has given way to that of the newer one, to save space.
#[test]
fn a_field_of_a_squashed_branch_whose_record_was_changed_elsewhere_since() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: medium");
        squashes(&ben, &ann);
        ben.changes("priority: medium", "priority: critical");
        ann.changes("title: Show the tide", "title: Show the next tide");
        assert!(!ann.has().text.contains("priority~"));
        let merged = team.merge(&ann, &ben);
        assert!(
            merged.text.contains("title: Show the next tide"),
            "{}",
            merged.text
        );
        assert!(
            merged.text.contains("priority: critical"),
            "{}",
            merged.text
        );
        assert_eq!(merged.conflicts(), [json!(null); 0]);
    });
}

#[test]
fn a_field_that_was_changed_where_a_branch_was_squashed() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: medium");
        squashes(&ben, &ann);
        ben.changes("priority: medium", "priority: critical");
        works(&ann);
        let merged = team.merge(&ann, &ben);
        assert!(
            merged.text.contains("priority: critical"),
            "{}",
            merged.text
        );
        assert_eq!(merged.conflicts(), [json!(null); 0]);
    });
}

#[test]
fn a_new_record_that_both_know_is_changed_by_one() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.appends(MOON);
        squashes(&ben, &ann);
        ben.changes("title: Show the moon", "title: Show the full moon");
        works(&ann);
        let merged = team.merge(&ann, &ben);
        assert!(
            merged.text.contains("title: Show the full moon"),
            "{}",
            merged.text
        );
        assert_eq!(merged.conflicts(), [json!(null); 0]);
    });
}

#[test]
fn the_fields_of_completion_go_together() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes(
            "status: pending\n    priority: low",
            "status: done\n    completed_at: 2026-01-01T00:00:00Z\n    priority: low",
        );
        squashes(&ben, &ann);
        ben.changes(
            "status: done\n    completed_at: 2026-01-01T00:00:00Z\n",
            "status: blocked\n    completed_at: null\n",
        );
        works(&ann);
        let merged = team.merge(&ann, &ben);
        assert!(merged.text.contains("status: blocked"), "{}", merged.text);
        assert!(
            !merged.text.contains("completed_at: 2026"),
            "{}",
            merged.text
        );
        assert_eq!(merged.conflicts(), [json!(null); 0]);
    });
}

#[test]
fn a_field_that_each_took_from_the_other_stays_contested() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: medium");
        ben.changes("priority: low", "priority: critical");
        let [medium, critical] = [ann.head(), ben.head()];
        ann.git(&["checkout", "-q", &critical, "--", "."]);
        ann.git(&["commit", "-q", "-m", "theirs"]);
        ann.git(&["checkout", "-q", &medium, "--", "."]);
        ann.git(&["commit", "-q", "-m", "ours again"]);
        ben.git(&["checkout", "-q", &medium, "--", "."]);
        ben.git(&["commit", "-q", "-m", "theirs"]);
        ben.git(&["checkout", "-q", &critical, "--", "."]);
        ben.git(&["commit", "-q", "-m", "ours again"]);
        let merged = team.merge(&ann, &ben);
        let conflicts = merged.conflicts();
        assert_eq!(
            conflicts.iter().map(brief).collect::<Vec<_>>(),
            ["todos/tide/priority: critical [medium]"]
        );
    });
}

#[test]
fn a_value_that_a_revert_brought_back_is_superseded_by_nobody() {
    stamped(TODOS, |team| {
        let ann = team.person("ann");
        ann.changes("priority: low", "priority: medium");
        ann.changes("priority: medium", "priority: critical");
        let ben = team.person_on("ben", "ann");
        works(&ann);
        ann.git(&["revert", "--no-edit", "HEAD~1"]);
        ben.git(&["revert", "--no-edit", "HEAD"]);
        ben.changes("priority: medium", "priority: none");
        let merged = team.merge(&ann, &ben);
        let shown = merged.conflicts();
        assert_eq!(
            shown.iter().map(brief).collect::<Vec<_>>(),
            ["todos/tide/priority: none [medium]"]
        );
    });
}

#[test]
fn a_revert_of_a_revert_stands() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        works(&ben);
        ann.appends(MOON);
        picks(&ben, &ann);
        ben.git(&["revert", "--no-edit", "HEAD"]);
        ben.git(&["revert", "--no-edit", "HEAD"]);
        ann.changes("title: Show the tide", "title: Show the next tide");
        let merged = team.merge(&ann, &ben);
        assert!(
            merged.text.contains("title: Show the moon"),
            "{}",
            merged.text
        );
        assert_eq!(merged.conflicts(), [json!(null); 0]);
    });
}

#[test]
fn picking_and_reverting_do_what_git_says_whatever_the_branch_knew() {
    stamped(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.appends(MOON);
        let birth = ann.head();
        works(&ben);
        for _ in 0..2 {
            ben.git(&["cherry-pick", &birth]);
            assert!(ben.has().text.contains("moon"));
            ben.git(&["revert", "--no-edit", "HEAD"]);
            assert!(!ben.has().text.contains("moon"));
        }
        ben.git(&["cherry-pick", &birth]);
        assert!(ben.has().text.contains("moon"));
    });
}

#[test]
fn a_merge_that_cannot_see_the_ancestry_says_so() {
    stamped(TODOS, |team| {
        let ann = team.person("ann");
        works(&ann);
        works_again(&ann);
        let ben = team.person_on("ben", "ann");
        ann.changes("priority: low", "priority: medium");
        squashes(&ben, &ann);
        ben.changes("priority: medium", "priority: critical");
        ann.changes("title: Show the tide", "title: Show the next tide");
        let desk = team.desk();
        let url = format!("file://{}", desk.top.display());
        let clone = desk.world.tree("clone");
        let top = clone.top.to_str().unwrap();
        desk.git(&["clone", "-q", "--depth", "3", "-b", "ann", &url, top]);
        clone.git(&["fetch", "-q", "--depth", "3", "origin", "ben"]);
        let driver = desk.git(&["config", "merge.rhema-crdt.driver"]);
        clone.git(&["config", "merge.rhema-crdt.driver", driver.trim()]);
        let run = clone
            .try_git(&["merge", "--no-edit", "FETCH_HEAD"])
            .exits(0);
        let told = run.stdout + &run.stderr;
        assert!(told.contains("git fetch --deepen"), "{told}");
        // What three files tell.
        assert!(clone.read(FILE).contains("priority~~s.medium"));
    });
}
