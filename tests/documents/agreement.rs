//! Stamping and the driver speak of the same leaves and of the same records: what one writes down the other finds.

use proptest::prelude::*;
use rhema_crdt::context::{Choice, Lost, Stamped, contests, settle, stamp};
use rhema_crdt::crdt::{Clock, Replica, Stamp};
use rhema_crdt::merge::{Merged, Options, merge};

use crate::branches::{config, read};

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

#[test]
fn a_list_at_the_root_is_a_document_once_a_record_of_it_is_annotated() {
    let base = "- id: a\n  title: A\n";
    let ours = recorded(
        base,
        &format!("{}- id: n\n  title: One\n", base.replace("A", "B")),
        1,
        0,
    );
    let theirs = recorded(
        base,
        &format!("{}- id: n\n  title: Two\n", base.replace("A", "C")),
        2,
        5_000,
    );
    let merged = merged(base, &ours, &theirs);
    let text = text(&merged);
    assert!(text.contains("title: C") && text.contains("s.B"), "{text}");
    assert!(
        text.contains("- id: n\n") && text.contains("- id: n-"),
        "{text}"
    );
    assert_eq!((merged.kept.losers, merged.kept.renamed), (1, 1), "{text}");
}

#[test]
fn a_record_with_a_second_name_is_known_by_it_where_its_birth_was_dropped() {
    let base = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: A\n";
    let born = |title: &str, replica| {
        recorded(
            base,
            &format!("{base}  - id: n1\n    title: {title}\n"),
            replica,
            0,
        )
    };
    let both = merged(base, &born("X", 1), &born("Y", 2));
    let bare: String = text(&both)
        .lines()
        .filter(|line| !line.starts_with("    _crdt"))
        .map(|line| format!("{line}\n"))
        .collect();
    for title in ["X", "Y"] {
        let merged = merged(base, &bare, &born(title, 2));
        let ids = text(&merged).lines().filter(|line| line.contains("id: n1"));
        assert_eq!(ids.count(), 2, "{}", text(&merged));
    }
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
    assert_eq!(merged.kept.losers, 1, "{text}");
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
fn what_it_lost_can_be_taken_nevertheless() {
    let base = "_crdt: v1 todos=or_set\ntodos:\n  - &x\n    id: a\n    status: old\n  - id: b\n";
    let taken = |text: &str, field: &str| {
        let document = read(text);
        let contests = contests(&document);
        let contest = contests.iter().find(|contest| contest.field == field);
        let stamp = "6ewzat00-000007".parse().unwrap();
        settle(
            &document,
            contest.unwrap(),
            &Choice::Loser(0),
            None,
            stamp,
            "",
        )
        .unwrap()
    };
    let text = decided_by_stamp(base, "todos.a.status", "old");
    let settled = taken(&text, "todos/a/status");
    assert!(settled.contains("    status: zulu\n"), "{settled}");
    assert!(
        settled.contains("| 6ewzat00-000007 todos.a.status~"),
        "{settled}"
    );
    let changed = recorded(base, &base.replace("old", "new"), 1, 0);
    let merged = merged(
        base,
        "_crdt: v1 todos=or_set\ntodos:\n  - id: b\n",
        &changed,
    );
    let settled = taken(self::text(&merged), "todos/a");
    assert!(settled.ends_with("\ntodos:\n  - id: b\n"), "{settled}");
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

/// A record of the random histories: how it is written, and what it says.
#[derive(Clone, Debug)]
struct Record {
    form: u8,
    id: String,
    title: Option<u8>,
    status: u8,
    members: Vec<u8>,
    annotation: Option<String>,
}

#[derive(Clone, Debug)]
enum Change {
    Title(usize, Option<u8>),
    Status(usize, u8),
    Member(usize, usize, u8),
    Identity(usize, u8),
    Add(u8, u8, Option<u8>),
    Copy(usize, u8),
    Remove(usize),
    Sync,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        2 => (0usize..4, proptest::option::of(0u8..3)).prop_map(|(at, title)| Change::Title(at, title)),
        4 => (0usize..4, 0u8..4).prop_map(|(at, status)| Change::Status(at, status)),
        2 => (0usize..4, 0usize..2, 0u8..4).prop_map(|(at, member, value)| Change::Member(at, member, value)),
        1 => (0usize..4, 0u8..3).prop_map(|(at, id)| Change::Identity(at, id)),
        2 => (0u8..5, 0u8..3, proptest::option::of(0u8..3)).prop_map(|(form, id, title)| Change::Add(form, id, title)),
        1 => (0usize..4, 0u8..3).prop_map(|(at, id)| Change::Copy(at, id)),
        1 => (0usize..4).prop_map(Change::Remove),
        2 => Just(Change::Sync),
    ];
    proptest::collection::vec(change, 0..6)
}

fn written(records: &[Record]) -> String {
    if records.is_empty() {
        return "_crdt: v1 todos=or_set\ntodos: []\n".to_owned();
    }
    let record = |(index, record): (usize, &Record)| {
        let anchor = match record.form % 4 {
            2 => format!("&x{index}\n    "),
            3 => "!task\n    ".to_owned(),
            _ => String::new(),
        };
        let annotation = record.annotation.as_ref();
        let annotation = annotation.map_or_else(String::new, |text| format!("    {text}\n"));
        let title = record.title;
        let title = title.map_or_else(String::new, |title| format!("    title: Title {title}\n"));
        let members: Vec<String> = record
            .members
            .iter()
            .map(|member| format!("{{v: {member}}}"))
            .collect();
        format!(
            "  - {anchor}id: {}\n{annotation}{title}    status: s{}\n    at: {{list: [{}]}}\n",
            record.id,
            record.status,
            members.join(", ")
        )
    };
    let records: String = records.iter().enumerate().map(record).collect();
    format!("_crdt: v1 todos=or_set\ntodos:\n{records}")
}

fn start() -> Vec<Record> {
    let record = |index: u8| Record {
        form: index,
        id: format!("r{index}"),
        title: (index != 1).then_some(index),
        status: 9,
        members: vec![1, 2],
        annotation: None,
    };
    (0..4).map(record).collect()
}

/// One branch: changes by hand, recorded now and then.
fn branch(changes: &[Change], replica: u32) -> String {
    let head = written(&start());
    let mut records = start();
    // What stands in the marker: the stamps of records that can carry none.
    let mut marker = "_crdt: v1 todos=or_set".to_owned();
    for (time, change) in changes.iter().enumerate() {
        let count = records.len().max(1);
        let free = |records: &[Record], id: &str| records.iter().all(|record| record.id != id);
        match change.clone() {
            Change::Title(at, title) if at < records.len() => records[at % count].title = title,
            Change::Status(at, status) if at < records.len() => records[at].status = status,
            Change::Member(at, member, value) if at < records.len() => {
                records[at].members[member] = value;
            }
            Change::Identity(at, id) if at < records.len() => {
                let id = format!("n{id}");
                if free(&records, &id) {
                    records[at].id = id;
                }
            }
            Change::Add(form, id, title) => {
                let id = format!("n{id}");
                if free(&records, &id) {
                    records.push(Record {
                        form,
                        id,
                        title,
                        status: 8,
                        members: vec![3, 4],
                        annotation: None,
                    });
                }
            }
            Change::Copy(at, id) if at < records.len() => {
                let id = format!("n{id}");
                if free(&records, &id) {
                    let mut copy = records[at].clone();
                    copy.id = id;
                    records.push(copy);
                }
            }
            Change::Remove(at) if at < records.len() => {
                records.remove(at);
            }
            Change::Sync => {
                let work = written(&records).replacen("_crdt: v1 todos=or_set", &marker, 1);
                let text = recorded(&head, &work, replica, time as u64 * 1_000);
                let lines: Vec<&str> = text.lines().collect();
                marker = (*lines
                    .iter()
                    .find(|line| line.starts_with("_crdt:"))
                    .unwrap())
                .to_owned();
                let blocks: Vec<&str> = text.split("\n  - ").skip(1).collect();
                for (record, block) in records.iter_mut().zip(blocks) {
                    let line = block.lines().find(|line| line.starts_with("    _crdt:"));
                    record.annotation = line.map(|line| line.trim().to_owned());
                }
            }
            _ => {}
        }
    }
    written(&records).replacen("_crdt: v1 todos=or_set", &marker, 1)
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn branches_of_all_kinds_of_records_merge(a in changes(), b in changes()) {
        let base = written(&start());
        let (ours, theirs) = (branch(&a, 1), branch(&b, 2));
        let merged = |base: &str, ours: &str, theirs: &str| text(&merged(base, ours, theirs)).to_owned();
        let once = merged(&base, &ours, &theirs);
        prop_assert_eq!(&merged(&base, &once, &once), &once);
        prop_assert_eq!(&merged(&ours, &once, &ours), &once);
        prop_assert_eq!(&merged(&base, &base, &ours), &ours);
        // Every identity stands once, every status that somebody set is shown or kept.
        let mut ids: Vec<&str> = once.lines().filter_map(|line| line.trim_start_matches("  - ").trim().strip_prefix("id: ")).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), count, "in\n{}", once);
        for side in [&ours, &theirs] {
            for status in side.lines().filter_map(|line| line.strip_prefix("    status: ")) {
                prop_assert!(status == "s9" || status == "s8" || once.contains(status), "{} in\n{}", status, once);
            }
        }
    }
}

/// A document in which a leaf was edited before, and on it the edits of two: the first one makes `one` of it and then what
/// it was, which is an edit as any other, the second one `other`, before or after that.
fn changed_back(was: &str, one: &str, other: &str, is_later: bool) -> Merged {
    let stamped = recorded(
        &was.replace("WAS", "older"),
        &was.replace("WAS", "it"),
        9,
        0,
    );
    let replaced = |with: &str| stamped.replace("it", with);
    let there = recorded(&stamped, &replaced(one), 1, 10);
    let back = there.replace(one, "it");
    let back = recorded(&there, &back, 1, 30);
    let theirs = recorded(
        &stamped,
        &replaced(other),
        2,
        if is_later { 40 } else { 20 },
    );
    merged(&stamped, &back, &theirs)
}

#[test]
fn a_leaf_in_a_mapping_that_was_changed_back_is_decided_by_its_stamp() {
    let was = "_crdt: v1\nmeta:\n  owner: WAS\n  when: now\n";
    let earlier = changed_back(was, "one", "two", false);
    assert!(text(&earlier).contains("owner: it\n"), "{}", text(&earlier));
    assert_eq!(earlier.kept.losers, 1);
    let later = changed_back(was, "one", "two", true);
    assert!(text(&later).contains("owner: two\n"), "{}", text(&later));
}

#[test]
fn a_list_or_a_text_that_was_changed_back_contests_nothing() {
    for was in [
        "_crdt: v1\nlist:\n  - first\n  - WAS\n",
        "_crdt: v1\nnotes: |\n  first\n  WAS\n",
    ] {
        let merged = changed_back(was, "one", "two", false);
        assert!(text(&merged).contains("two\n"), "{}", text(&merged));
        assert_eq!(merged.kept.losers, 0, "{}", text(&merged));
    }
}

#[test]
fn what_lost_inside_a_member_of_a_list_is_kept_as_the_list_that_it_was_in() {
    let base = "_crdt: v1\nlist:\n  - {k: 1, v: WAS}\n  - {k: 2, v: y}\n";
    let of = |value: &str| base.replace("WAS", value);
    let ours = recorded(&of("x"), &of("one"), 1, 10);
    let theirs = recorded(&of("x"), &of("two"), 2, 20);
    let merged = merged(&of("x"), &ours, &theirs);
    let contests = contests(&read(text(&merged)));
    let [contest] = contests.as_slice() else {
        panic!("{}", text(&merged));
    };
    let lost = r#"[{"k":1,"v":"one"},{"k":2,"v":"y"}]"#;
    assert_eq!(contest.losers[0].0, Lost::Value(lost.to_owned()));
}

#[test]
fn a_tool_that_drops_what_lost_settles_nothing() {
    let base = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: one\n    status: open\n";
    let ours = recorded(base, &base.replace("one", "uno"), 1, 10);
    let theirs = recorded(base, &base.replace("one", "eins"), 2, 20);
    let contested = merged(base, &ours, &theirs);
    assert_eq!(contested.kept.losers, 1);
    let base = text(&contested);
    let is_ours =
        |line: &&str| !line.trim_start().starts_with("_crdt") || line.starts_with("_crdt");
    let dropped: Vec<&str> = base.lines().filter(is_ours).collect();
    let dropped = dropped.join("\n") + "\n";
    let by_tool = dropped.replace("status: open", "status: done");
    let theirs = format!("{base}    note: n\n");
    let merged = merged(base, &by_tool, &theirs);
    assert!(
        text(&merged).contains("_crdt_conflicts"),
        "{}",
        text(&merged)
    );
    assert!(text(&merged).contains("status: done"), "{}", text(&merged));
    // By hand the value was chosen anew, and that settles it.
    let chosen = recorded(base, &base.replace("title: eins", "title: one"), 1, 30);
    let settled = self::merged(base, &chosen, &theirs);
    assert!(
        !text(&settled).contains("_crdt_conflicts"),
        "{}",
        text(&settled)
    );
}

#[test]
fn another_identity_is_a_change_that_a_deletion_elsewhere_does_not_take_along() {
    let base = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: A title of words\n    status: open\n  - id: b\n    title: Two\n";
    let without = "_crdt: v1 todos=or_set\ntodos:\n  - id: b\n    title: Two\n";
    let merged = merged(base, &base.replace("id: a", "id: z"), without);
    assert!(
        text(&merged).contains("A title of words"),
        "{}",
        text(&merged)
    );
}
