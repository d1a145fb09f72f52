//! Stamping and the driver speak of the same leaves and of the same records: what one writes down the other finds.

use rhema_crdt::context::{Stamped, stamp};
use rhema_crdt::crdt::{Clock, Replica, Stamp};
use rhema_crdt::merge::{Merged, Options, merge};
use rhema_crdt::yaml::{Document, Limits};

fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default()).unwrap()
}

/// What a work tree holds once the edits of `replica` since `head` have their stamps.
fn recorded(head: &str, work: &str, replica: u32, millis: u64) -> String {
    let mut clock = Clock::new(Replica::from_bits(replica), None);
    let mut stamps = std::iter::from_fn(|| clock.tick(1_800_000_000_000 + millis).ok());
    let edit: Stamp = stamps.next().unwrap();
    let Stamped { text, .. } = stamp(Some(&read(head)), &read(work), edit, &mut stamps);
    text.unwrap_or_else(|| work.to_owned())
}

/// The merge of both orders, which must agree.
fn merged(base: &str, ours: &str, theirs: &str) -> Merged {
    let merge = |ours: &str, theirs: &str| {
        let texts = [base, ours, theirs].map(str::as_bytes);
        merge(texts[0], texts[1], texts[2], &Options::default()).unwrap()
    };
    let (one, other) = (merge(ours, theirs), merge(theirs, ours));
    assert_eq!(text(&one), text(&other), "{base}\n{ours}\n{theirs}");
    assert_eq!(one.contested, 0, "{}", text(&one));
    one
}

fn text(merged: &Merged) -> &str {
    std::str::from_utf8(&merged.bytes).unwrap()
}

/// Two edits of one leaf in turn, the later one with the smaller value: its stamp must decide.
fn decided_by_stamp(base: &str, leaf: &str, old: &str) -> String {
    let early = recorded(base, &base.replace(old, "zulu"), 1, 0);
    let late = recorded(base, &base.replace(old, "alpha"), 2, 5_000);
    for side in [&early, &late] {
        assert!(side.contains(&format!(" {leaf}~")), "{leaf} in\n{side}");
    }
    let merged = merged(base, &early, &late);
    let text = text(&merged).to_owned();
    let (said, values): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains("_crdt"));
    let holds = |lines: &[&str], value| lines.iter().any(|line| line.contains(value));
    assert!(holds(&values, "alpha"), "{text}");
    assert!(!holds(&values, "zulu") && holds(&said, "zulu"), "{text}");
    assert_eq!(merged.kept, 1, "{text}");
    text
}

#[test]
fn a_leaf_of_a_record_is_decided_by_its_stamp() {
    let text = decided_by_stamp(
        "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: T\n    status: old\n",
        "status",
        "old",
    );
    assert!(text.contains("    _crdt_conflicts: status~"), "{text}");
}

#[test]
fn so_is_one_of_a_record_that_can_carry_no_annotation() {
    for record in [
        "  - &x\n    id: a\n    status: old\n",
        "  - !task\n    id: a\n    status: old\n",
        "  - <<: {k: 1}\n    id: a\n    status: old\n",
        "  - id: a\n    _crdt: mine\n    status: old\n",
    ] {
        let base = format!("_crdt: v1 todos=or_set\ntodos:\n{record}  - id: b\n");
        let text = decided_by_stamp(&base, "todos.a.status", "old");
        assert!(
            text.contains("\n_crdt_conflicts: todos.a.status~"),
            "{text}"
        );
        assert_eq!(text.contains("_crdt: mine"), record.contains("mine"));
    }
}

#[test]
fn in_a_record_inside_another_one_it_is_named_from_the_nearest_that_can() {
    let text = decided_by_stamp(
        "_crdt: v1 a=or_set\na:\n  - id: x\n    parts:\n      - &p\n        id: 'y.z'\n        at: {n: old}\n",
        "parts.y%2Ez.at.n",
        "old",
    );
    assert!(
        text.contains("    _crdt_conflicts: parts.y%2Ez.at.n~"),
        "{text}"
    );
}

#[test]
fn a_list_whose_members_nothing_tells_apart_is_one_leaf() {
    let base = "_crdt: v1 list=list\nlist:\n  - {a: old, b: 1}\n  - {a: x, b: 2}\n";
    let text = decided_by_stamp(base, "list", "old");
    assert!(text.contains("\n_crdt_conflicts: list~"), "{text}");
}

#[test]
fn a_record_that_can_carry_nothing_comes_back_from_its_deletion() {
    let base = "_crdt: v1 todos=or_set\ntodos:\n  - &x\n    id: a\n    status: old\n  - id: b\n";
    let deleted = "_crdt: v1 todos=or_set\ntodos:\n  - id: b\n";
    let changed = recorded(base, &base.replace("old", "new"), 1, 0);
    let merged = merged(base, deleted, &changed);
    let text = text(&merged);
    assert!(text.contains("    status: new\n"), "{text}");
    assert!(
        text.contains("\n_crdt_conflicts: todos.a~~deleted\n"),
        "{text}"
    );
}

#[test]
fn a_mapping_that_one_side_emptied_comes_back_with_what_the_other_changed() {
    let base = "_crdt: v1\nmeta:\n  a: 1\n  b: 1\n";
    let merged = merged(
        base,
        "_crdt: v1\nmeta: {}\n",
        &base.replace("a: 1", "a: 2").replace("b: 1", "b: 2"),
    );
    assert!(
        text(&merged).ends_with("\nmeta:\n  a: 2\n  b: 2\n"),
        "{}",
        text(&merged)
    );
    assert!(
        text(&merged).contains("_crdt_conflicts: meta.a~~deleted meta.b~~deleted\n"),
        "{}",
        text(&merged)
    );
}

#[test]
fn roots_that_cannot_be_merged_are_left_to_people() {
    // Comments inside brackets belong to no entry.
    let base = "{_crdt: v1,\n  # one\n  a: 1}\n";
    let merge = merge(
        base.as_bytes(),
        base.replace("a: 1", "a: 2").as_bytes(),
        base.replace("a: 1", "a: 3").as_bytes(),
        &Options::default(),
    )
    .unwrap();
    assert!(merge.contested > 0, "{}", text(&merge));
    assert!(text(&merge).contains("a: 2") && text(&merge).contains("a: 3"));
}

#[test]
fn two_records_of_one_title_have_births_of_their_own() {
    let base = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n";
    let work = format!("{base}  - id: b\n    title: T\n  - id: c\n    title: T\n");
    let text = recorded(base, &work, 1, 0);
    let births: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    _crdt: +"))
        .collect();
    assert_eq!(births.len(), 2, "{text}");
    assert_ne!(births[0], births[1], "{text}");
}

#[test]
fn a_record_with_a_birth_is_known_under_its_new_identity() {
    let base = "_crdt: v1 todos=or_set\ntodos: []\n";
    let born = recorded(
        base,
        "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: T\n    status: old\n    notes: x\n",
        1,
        0,
    );
    // Nothing but its birth says that it is the same record.
    let renamed = born
        .replace("id: a", "id: z")
        .replace("title: T", "title: Another one altogether")
        .replace("notes: x", "due: tomorrow");
    let edited = born.replace("status: old", "status: new");
    let merged = merged(&born, &renamed, &edited);
    let text = text(&merged);
    assert_eq!(text.matches("\n  - ").count(), 1, "{text}");
    assert!(
        text.contains("- id: z\n") && text.contains("status: new\n"),
        "{text}"
    );
}

#[test]
fn one_record_whose_title_was_changed_since_its_birth_is_no_second_one() {
    // Picked from one branch to the other, then renamed on one of them: the base has it not.
    let base = "_crdt: v1 todos=or_set\ntodos: []\n";
    let born = recorded(
        base,
        "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: T\n",
        1,
        0,
    );
    let retitled = recorded(&born, &born.replace("title: T", "title: U"), 2, 5_000);
    let merged = merged(base, &born, &retitled);
    let text = text(&merged);
    assert_eq!(text.matches("  - id: a").count(), 1, "{text}");
    assert!(text.contains("    title: U\n"), "{text}");
}

#[test]
fn two_records_without_a_title_that_were_born_under_one_identity_are_both_kept() {
    let base = "_crdt: v1 todos=or_set\ntodos: []\n";
    let one = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    status: new\n";
    let merged = merged(base, one, &one.replace("new", "old"));
    let text = text(&merged);
    assert_eq!(text.matches("  - id: a").count(), 2, "{text}");
    assert_eq!(text.matches("  - id: a\n").count(), 1, "{text}");
}
