use std::collections::BTreeMap;

use super::*;
use crate::context::annotate::KEPT_PERCENT;
use crate::context::placing::name_of;
use crate::crdt::{Clock, Digest, Replica, Run};
use proptest::prelude::*;

fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default()).unwrap()
}

fn at(millis: u64) -> Stamp {
    let mut clock = Clock::new(Replica::from_bits(7), None);
    clock.tick(1_800_000_000_000 + millis).unwrap()
}

/// Stamps with `at(millis)`, and new records with the ticks behind it.
fn stamp(head: Option<&Document>, work: &Document, millis: u64) -> Stamped {
    super::stamp(head, work, at(millis), &mut (millis + 1..).map(at))
}

/// The stamped text and the number of edits; stamping it again must find nothing more.
fn stamped(head: &str, work: &str, millis: u64) -> (String, usize) {
    let head = read(head);
    let Stamped { text, edits, .. } = stamp(Some(&head), &read(work), millis);
    let text = text.unwrap_or_else(|| work.to_owned());
    let again = stamp(Some(&head), &read(&text), millis + 50);
    assert_eq!(again, Stamped::UNCHANGED, "{text}");
    (text, edits)
}

const HEAD: &str = "\
# Todos
_crdt: v1 todos=or_set

owner: me
todos:
  - id: a
    title: 'First'
    status: pending  # soon

  # about b
  - id: b
    title: Second
    tags: [x, y]
    status: pending
";

#[test]
fn a_changed_field_is_stamped_behind_the_first_entry() {
    let work = HEAD.replace("pending  # soon", "done  # soon");
    let (text, edits) = stamped(HEAD, &work, 0);
    assert_eq!(edits, 1);
    let stamp = at(0);
    let digest = Digest::of(b"\"done\"");
    let expected = work.replace(
        "  - id: a\n",
        &format!("  - id: a\n    _crdt: {stamp} status~{digest}\n"),
    );
    assert_eq!(text, expected);
}

#[test]
fn fields_of_a_group_share_a_stamp_but_one_is_counted() {
    let head = HEAD.replace(
        "    title: Second\n",
        "    title: Second\n    completed_at: now\n",
    );
    let work = head.replace("y]\n    status: pending", "y]\n    status: done");
    let (text, edits) = stamped(&head, &work, 0);
    assert_eq!(edits, 1);
    assert!(text.contains(" completed_at~"), "{text}");
}

#[test]
fn a_new_record_gets_a_birth_and_a_renamed_one_its_old_name() {
    let work = HEAD.replace("First", "Foremost") + "  - id: c\n    title: Third\n    status: new\n";
    let (text, edits) = stamped(HEAD, &work, 0);
    assert_eq!(edits, 2);
    let birth = format!("    _crdt: +{}~{}\n", at(1), Digest::of(b"\"Third\""));
    assert!(
        text.ends_with(&format!(
            "  - id: c\n{birth}    title: Third\n    status: new\n"
        )),
        "{text}"
    );
    assert!(
        text.contains(&format!("_crdt: +~{} {}", Digest::of(b"\"First\""), at(0))),
        "{text}"
    );
    // A copy of a record that was born here is a record of its own.
    let copied = format!("{text}  - id: d\n{birth}    title: Fourth\n");
    let (text, edits) = stamped(HEAD, &copied, 5);
    assert_eq!(edits, 1);
    assert!(
        text.contains(&format!("  - id: d\n    _crdt: +{}", at(6))),
        "{text}"
    );
}

#[test]
fn leaves_of_the_root_are_stamped_in_the_marker() {
    let (text, edits) = stamped(
        HEAD,
        &HEAD.replace("owner: me", "owner: you\nmeta: {a: {b: 1}, c: []}"),
        0,
    );
    assert_eq!(edits, 3);
    let line = text.lines().find(|line| line.starts_with("_crdt")).unwrap();
    assert!(
        line.starts_with(&format!("_crdt: v1 todos=or_set | {} meta.a.b~", at(0))),
        "{line}"
    );
}

#[test]
fn removals_and_formatting_are_no_edits() {
    for work in [
        HEAD.replace("    tags: [x, y]\n", ""),
        HEAD.replace("'First'", "First")
            .replace("[x, y]", "[x,  'y']"),
        HEAD.split("\n  # about b").next().unwrap().to_owned() + "\n",
        HEAD.replace("title: Second", "title: Second\n    due: null"),
    ] {
        assert_eq!(stamped(HEAD, &work, 0), (work.clone(), 0));
    }
}

#[test]
fn a_second_edit_supersedes_the_first_and_typing_back_is_an_edit_unless_all_is() {
    let first = stamped(HEAD, &HEAD.replace("pending  # soon", "done  # soon"), 0).0;
    let (second, edits) = stamped(HEAD, &first.replace("done  # soon", "late  # soon"), 10);
    assert_eq!(edits, 1);
    assert!(
        second.contains(&format!(
            "_crdt: {} status~{} -{}\n",
            at(10),
            Digest::of(b"\"late\""),
            at(0)
        )),
        "{second}"
    );
    let typed_back = second.replace("late  # soon", "pending  # soon");
    assert_eq!(stamped(HEAD, &typed_back, 20), (HEAD.to_owned(), 0));
    let (third, edits) = stamped(HEAD, &typed_back.replace("Second", "2nd"), 20);
    assert_eq!(edits, 2);
    assert!(
        third.contains(&format!(" -{} -{}", at(0), at(10))),
        "{third}"
    );
}

/// Whoever knows of edits that nothing lies between.
struct Between(bool);

impl KnownEdits for Between {
    fn is_spent(&self, _: Stamp) -> bool {
        false
    }

    fn is_seen_between(&self, after: Stamp, until: Stamp, seen: &StampSet) -> bool {
        assert!(after < until && seen.contains(after) && seen.contains(until));
        self.0
    }
}

#[test]
fn what_one_replica_superseded_in_one_place_is_a_run_where_nothing_lies_between_that_was_not_seen()
{
    let head = read(HEAD);
    let edited = |known: Between| {
        let mut text = HEAD.to_owned();
        for (number, value) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let before = ["pending", "a", "b", "c"][number];
            let work = text.replacen(
                &format!("status: {before}  # soon"),
                &format!("status: {value}  # soon"),
                1,
            );
            let millis = 10 * number as u64;
            let mut births = std::iter::empty();
            let stamped = stamp_beside(
                Some(&head),
                &read(&work),
                Some(at(millis)),
                &mut births,
                &known,
                &Types::default(),
            );
            text = stamped.text.unwrap();
        }
        text
    };
    let run = Run::new(at(0), at(20)).unwrap();
    let text = edited(Between(true));
    assert!(text.contains(&format!(" -{run}\n")), "{text}");
    let text = edited(Between(false));
    assert!(
        text.contains(&format!(" -{} -{} -{}\n", at(0), at(10), at(20))),
        "{text}"
    );
}

#[test]
fn a_value_changed_behind_a_committed_stamp_gets_a_new_one() {
    let first = stamped(HEAD, &HEAD.replace("pending  # soon", "done  # soon"), 0).0;
    let (second, edits) = stamped(&first, &first.replace("done  # soon", "late  # soon"), 10);
    assert_eq!(edits, 1);
    assert!(
        second.contains(&format!("_crdt: {} status~", at(10)))
            && !second.contains(&at(0).to_string())
    );
    // An old value with its old stamp, brought back, is a new edit.
    let chain = second.replace(
        " status~",
        &format!(" status~{} -{} x~", Digest::of(b"\"late\""), at(0)),
    );
    let (_, edits) = stamped(&chain, &first, 20);
    assert_eq!(edits, 1);
}

#[test]
fn conflicts_close_when_their_leaf_is_edited() {
    let open = "    _crdt: 4k2m9xa7-7f3kqd status~000\n    _crdt_conflicts: status~~s.late title~~s.Firstly\n";
    let head = HEAD.replace("  - id: a\n", &format!("  - id: a\n{open}"));
    let (text, _) = stamped(&head, &head.replace("pending  # soon", "done  # soon"), 0);
    assert!(
        text.contains("\n    _crdt_conflicts: title~~s.Firstly\n"),
        "{text}"
    );
}

#[test]
fn a_conflict_that_a_merge_has_just_left_stays_open() {
    let work = HEAD
        .replace(
            "  - id: a\n",
            "  - id: a\n    _crdt_conflicts: title~~s.Firstly\n",
        )
        .replace("'First'", "Foremost");
    let (text, _) = stamped(HEAD, &work, 0);
    assert!(
        text.contains("_crdt_conflicts: title~~s.Firstly\n"),
        "{text}"
    );
}

#[test]
fn an_old_state_that_is_put_back_keeps_what_had_lost_in_it() {
    let (old, later) = (at(0), at(10));
    let state = |annotation: &str, conflicts: &str, value: &str| {
        HEAD.replace(
            "  - id: a\n",
            &format!("  - id: a\n    _crdt: {annotation}\n    _crdt_conflicts: {conflicts}\n"),
        )
        .replace("pending  # soon", &format!("{value}  # soon"))
    };
    let of = |stamp: Stamp, value: &str| {
        format!(
            "{stamp} status~{}",
            Digest::of(format!("\"{value}\"").as_bytes())
        )
    };
    let before = state(&of(old, "done"), "status~~s.late", "done");
    let head = state(&of(later, "late"), &format!("status~{old}~s.done"), "late");
    let (text, edits) = stamped(&head, &before, 20);
    assert_eq!(edits, 1);
    let fresh = format!("{} -{old}", of(at(20), "done"));
    assert_eq!(text, state(&fresh, "status~~s.late", "done"));
}

#[test]
fn what_cannot_carry_is_named_in_what_is_around_it() {
    let head = "_crdt: v1\ntodos:\n  - &x\n    id: a\n    status: new\n  - {id: b, status: new}\n  - id: c\n";
    let work = head
        .replace("new", "old")
        .replace("- id: c\n", "- id: c\n    more: 1\n");
    let (text, edits) = stamped(head, &work, 0);
    assert_eq!(edits, 3);
    let stamp = at(0);
    assert!(
        text.starts_with(&format!("_crdt: v1 | {stamp} todos.a.status~")),
        "{text}"
    );
    // What has no title is named by all its scalars: they are written down before one changes.
    let (b, c) = (
        Digest::of(b"id:\"b\",status:\"new\""),
        Digest::of(b"id:\"c\""),
    );
    assert!(
        text.contains(&format!("- {{_crdt: +~{b} {stamp} status~")),
        "{text}"
    );
    assert!(
        text.contains(&format!("- id: c\n    _crdt: +~{c} {stamp} more~")),
        "{text}"
    );
}

#[test]
fn an_annotation_comes_first_where_the_first_entry_is_no_scalar() {
    let head = "_crdt: v1\r\nlist:\r\n- tags:\r\n  - x\r\n  id: a\r\n";
    let (text, _) = stamped(head, &head.replace("- x", "- y"), 0);
    assert!(
        text.contains(&format!("- _crdt: {} tags~", at(0))),
        "{text:?}"
    );
    assert!(
        text.ends_with("\r\n  tags:\r\n  - y\r\n  id: a\r\n"),
        "{text:?}"
    );
    let (text, _) = stamped("- id: a\n", "- id: a\n- id: b\n", 0);
    assert!(text.ends_with("\n  id: b\n"), "{text:?}");
}

#[test]
fn files_without_marker_are_left_alone_and_a_marker_is_no_edit() {
    for text in [
        "a: 2\n",
        "a\n",
        "",
        "a: 2\n---\nb: 1\n",
        "_crdt: v1\n---\na: 1\n",
    ] {
        assert_eq!(
            stamp(Some(&read("a: 1\n")), &read(text), 0),
            Stamped::UNCHANGED
        );
    }
    assert_eq!(
        stamp(Some(&read("a: 1\n")), &read("_crdt: v1\na: 1\n"), 0),
        Stamped::UNCHANGED
    );
}

#[test]
fn what_another_tool_rewrote_is_no_edit_and_its_marker_comes_back_with_one() {
    let head = stamped("_crdt: v1\ntodos: []\n", HEAD, 0).0;
    let rewritten = "todos:\n- status: pending\n  title: First\n  due: null\n  id: a\n- id: b\n  title: Second\n  tags:\n  - x\n  - y\n  status: pending\nowner: me\n";
    assert_eq!(stamped(&head, rewritten, 10), (rewritten.to_owned(), 0));
    let (text, edits) = stamped(&head, &rewritten.replace("First", "1st"), 10);
    assert_eq!(edits, 1);
    let marker = head.lines().find(|line| line.starts_with("_crdt")).unwrap();
    assert!(
        text.starts_with(&format!(
            "{marker}\ntodos:\n- status: pending\n  _crdt: +{}~",
            at(1)
        )),
        "{text}"
    );
    let (text, edits) = stamped(&head, &rewritten.replace("owner: me", "owner: you"), 10);
    assert_eq!(edits, 1);
    assert!(
        text.starts_with(&format!("_crdt: v1 todos=or_set | {} owner~", at(10))),
        "{text}"
    );
}

#[test]
fn misplaced_annotations_count_and_move_when_rewritten() {
    let first = stamped(HEAD, &HEAD.replace("pending  # soon", "done  # soon"), 0).0;
    let line = first
        .lines()
        .find(|line| line.starts_with("    _crdt"))
        .unwrap();
    let without = first.replace(&format!("{line}\n"), "");
    let moved = without.replace("done  # soon\n", &format!("done  # soon\n{line}\n"));
    assert_eq!(stamped(HEAD, &moved, 10), (moved.clone(), 0));
    let (again, _) = stamped(HEAD, &moved.replace("'First'", "'1st'"), 10);
    assert_eq!(again.matches("    _crdt").count(), 1);
    assert!(again.contains("- id: a\n    _crdt: +~"), "{again}");
}

#[test]
fn older_stamps_give_way() {
    let mut head = "_crdt: v1\ntodos:\n  - id: a\n".to_owned();
    for field in 0..12 {
        head.push_str(&format!("    field{field}: some value\n"));
    }
    let mut edited = head.clone();
    for field in 0..12 {
        let before = edited.clone();
        let from = format!("field{field}: some value");
        edited = stamped(
            &before,
            &before.replace(&from, &format!("field{field}: another")),
            field * 10,
        )
        .0;
    }
    let line = edited
        .lines()
        .find(|line| line.starts_with("    _crdt"))
        .unwrap();
    assert!(
        line.contains("field11~") && !line.contains("field1~"),
        "{line}"
    );
    assert!(
        (line.len() - 11) * 100 <= edited.len() * KEPT_PERCENT,
        "{line}"
    );
}

/// One change of a list of records: which record, what is done to it.
#[derive(Clone, Copy, Debug)]
enum Change {
    Set(usize, usize, u8),
    Remove(usize),
    Add(u8),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => (0usize..6, 0usize..3, any::<u8>()).prop_map(|(record, field, value)| Change::Set(record, field, value)),
        1 => (0usize..6).prop_map(Change::Remove),
        1 => any::<u8>().prop_map(Change::Add),
    ];
    proptest::collection::vec(change, 0..6)
}

/// Records as blocks of lines in one of several styles.
fn records(styles: &[u8]) -> Vec<(usize, Vec<String>, u8)> {
    let fields = |index| {
        vec![
            format!("Title {index}"),
            "pending".to_owned(),
            "a".to_owned(),
        ]
    };
    styles
        .iter()
        .enumerate()
        .map(|(index, style)| (index, fields(index), *style))
        .collect()
}

fn written(records: &[(usize, Vec<String>, u8)], newline: &str) -> Vec<String> {
    records
        .iter()
        .map(|(id, fields, style)| {
            let [title, status, note] = [&fields[0], &fields[1], &fields[2]];
            let text = match style % 5 {
                0 => format!("  - id: t{id}\n    title: {title}\n    status: {status}  # beside\n    note: {note}\n"),
                1 => format!("\n  # above\n  - title: '{title}'\n    # inside\n    id: t{id}\n    status: {status}\n    note: |\n      {note}\n"),
                2 => format!("  - {{ id: t{id}, title: \"{title}\", status: {status}, note: {note} }}\n"),
                3 => format!("  -\n    meta:\n      note: {note}\n    id: t{id}\n    title: {title}\n    status: {status}\n"),
                _ => format!("  - note: >-\n      {note}\n    title: {title}\n    status: {status}\n    id: t{id}\n\n"),
            };
            text.replace('\n', newline)
        })
        .collect()
}

/// What a record says, without what is said about it.
fn values(record: NodeRef<'_>) -> BTreeMap<String, String> {
    let entries = record.entries().filter(|entry| !placing::is_ours(*entry));
    entries
        .map(|entry| {
            (
                name_of(entry).unwrap().into_owned(),
                canonical(entry.value()),
            )
        })
        .collect()
}

proptest! {
    #[test]
    fn stamping_is_quiet_local_and_reversible(
        styles in proptest::collection::vec(any::<u8>(), 1..6),
        scripts in proptest::collection::vec(changes(), 1..4),
        crlf: bool,
        commits in proptest::collection::vec(any::<bool>(), 3),
    ) {
        let newline = if crlf { "\r\n" } else { "\n" };
        let top = format!("# header{newline}_crdt: v1 todos=or_set{newline}todos:{newline}");
        let file = |records: &[String]| {
            if records.is_empty() { format!("{}todos: []{newline}", top.strip_suffix(&format!("todos:{newline}")).unwrap()) } else { format!("{top}{}", records.concat()) }
        };
        let mut state = records(&styles);
        let mut head = file(&written(&state, newline));
        let ours = |name: &str| name == ANNOTATION_KEY || name == CONFLICTS_KEY;
        for (step, script) in scripts.iter().enumerate() {
            let before = read(&head);
            for change in script {
                match *change {
                    Change::Set(record, field, value) => {
                        if let Some((_, fields, _)) = state.get_mut(record) {
                            fields[field] = format!("v{}", value % 4);
                        }
                    }
                    Change::Remove(record) if record < state.len() => { state.remove(record); }
                    Change::Remove(_) => {}
                    Change::Add(style) => {
                        let id = 100 + step * 10 + state.len();
                        if state.iter().all(|(known, ..)| *known != id) {
                            state.push((id, vec!["new".into(), "open".into(), "b".into()], style));
                        }
                    }
                }
            }
            let bare = file(&written(&state, newline));
            let work = read(&bare);
            let result = stamp(Some(&before), &work, step as u64 * 100);
            let text = result.text.clone().unwrap_or(bare.clone());
            let after = read(&text);
            // Without annotations these are the bytes that were typed (or HEAD's, which are the same but for them).
            prop_assert_eq!(placing::without(&after, ours), placing::without(&work, ours));
            // Everything reads back as an annotation.
            let list = after.root().unwrap().get("todos").unwrap().value();
            for entry in list.entries() {
                if entry.value().get(ANNOTATION_KEY).is_some() {
                    let own = Own::of(entry.value(), Role::Record);
                    prop_assert!(own.marked, "{}", text);
                    let id = entry.value().get("id").unwrap().value();
                    let old = before.root().unwrap().get("todos").unwrap().value();
                    let old = old.entries().find(|old| old.value().get("id").unwrap().value().means(id));
                    let same = old.is_some_and(|old| values(old.value()) == values(entry.value()));
                    prop_assert!(!same || text == head, "{}", text);
                }
            }
            // Again: nothing.
            let again = stamp(Some(&before), &after, step as u64 * 100 + 50);
            prop_assert_eq!(again.edits, 0, "{}", &text);
            prop_assert_eq!(again.text, None);
            if commits[step] {
                head = text;
            }
        }
    }
}
