//! Records that were given one id by several people.

use crate::team::{Merged, Team, both_ways, brief, every_way, in_turn};

const LIST: &str = "
    todos:
      - id: a
        title: First
    ";

fn births<'t>(team: &'t Team, titles: &[(&'static str, &str)]) -> Vec<crate::team::Person<'t>> {
    titles
        .iter()
        .map(|(name, title)| {
            let person = team.person(name);
            person.appends(&format!(
                "
                - id: b
                  title: {title}
                  owner: {name}
                "
            ));
            person
        })
        .collect()
}

/// The ids in the order of the file.
fn ids(merged: &Merged<'_>) -> Vec<String> {
    let lines = merged.text.lines();
    lines
        .filter_map(|line| line.strip_prefix("  - id: "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn two_births_of_one_id() {
    both_ways(LIST, |team| {
        births(team, &[("ann", "Ring the bell"), ("ben", "Paint the hull")]);
        let plans = [in_turn(&["ann", "ben"]), in_turn(&["ben", "ann"])];
        team.merge_all(&plans).gives_or(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: First
              - id: b
                _crdt: +@ann1~b09
                title: Ring the bell
                owner: ann
              - id: b-tva
                _crdt: +@ben1~tva
                title: Paint the hull
                owner: ben
            ",
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: First
              - id: b
                title: Ring the bell
                owner: ann
              - id: b-tva
                _crdt: +~tva
                title: Paint the hull
                owner: ben
            ",
        );
    });
}

#[test]
fn three_births_of_one_id() {
    both_ways(LIST, |team| {
        births(
            team,
            &[
                ("ann", "Ring the bell"),
                ("ben", "Paint the hull"),
                ("cat", "Call the pilot"),
            ],
        );
        let merged = team.merge_all(&every_way(["ann", "ben", "cat"]));
        merged.gives_or(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: First
              - id: b
                _crdt: +@ann1~b09
                title: Ring the bell
                owner: ann
              - id: b-tqs
                _crdt: +@cat1~tqs
                title: Call the pilot
                owner: cat
              - id: b-tva
                _crdt: +@ben1~tva
                title: Paint the hull
                owner: ben
            ",
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: First
              - id: b
                title: Ring the bell
                owner: ann
              - id: b-tqs
                _crdt: +~tqs
                title: Call the pilot
                owner: cat
              - id: b-tva
                _crdt: +~tva
                title: Paint the hull
                owner: ben
            ",
        );
    });
}

#[test]
fn two_of_three_births_are_one_record() {
    both_ways(LIST, |team| {
        births(
            team,
            &[
                ("ann", "Ring the bell"),
                ("ben", "Paint the hull"),
                ("cat", "Ring the bell"),
            ],
        );
        let merged = team.merge_all(&every_way(["ann", "ben", "cat"]));
        assert_eq!(ids(&merged).len(), 3, "{}", merged.text);
        assert_eq!(merged.text.matches("Ring the bell").count(), 1);
        // Its two births disagree about the owner alone; that two records came under one name is another question.
        let conflicts = merged.conflicts();
        let (names, others): (Vec<_>, Vec<_>) = conflicts
            .iter()
            .map(brief)
            .partition(|one| one.contains("/id: "));
        assert_eq!((names.len(), others.len()), (1, 1), "{conflicts:?}");
        assert!(others[0].starts_with("todos/b/owner: "), "{conflicts:?}");
    });
}

#[test]
fn a_twin_that_is_edited_before_and_after_the_merge_keeps_its_fields() {
    both_ways(LIST, |team| {
        let people = births(team, &[("ann", "Ring the bell"), ("ben", "Paint the hull")]);
        let [ann, ben] = &people[..] else {
            unreachable!()
        };
        let late = team.person_on("late", "ben");
        ann.merges(ben);
        late.changes("owner: ben", "owner: late");
        team.merge(ann, &late).shows(
            "
            _crdt: v1 todos=or_set
            todos:
              - id: a
                title: First
              - id: b
                title: Ring the bell
                owner: ann
              - id: b-tva
                title: Paint the hull
                owner: late
            ",
        );
    });
}
