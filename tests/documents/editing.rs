//! What commands make of a document, and what is said of it, by example.

use std::collections::BTreeMap;

use rhema_crdt::context::{
    Address, Change, Choice, Edited, Matter, Position, Stamped, Types, Unedited, contests,
    from_verbose, lift, misfits, settle, stamp, strip,
};
use rhema_crdt::crdt::{Clock, Node, Path, Replica, Stamp};
use rhema_crdt::merge::{Options, merge};

use crate::branches::read;

const TODOS: &str = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: one\n  - id: payments-service-of-ours\n    title: two\n";

fn at(millis: u64) -> Stamp {
    Clock::new(Replica::from_bits(1), None)
        .tick(1_800_000_000_000 + millis)
        .unwrap()
}

fn edited(text: &str, change: &Change) -> Result<Edited, Unedited> {
    change.apply(&read(text), &Types::default())
}

fn text(edited: Result<Edited, Unedited>) -> String {
    edited.unwrap().document.into_text()
}

fn add(to: &str, fields: &[&str]) -> Change {
    Change::Add {
        to: Address::new(to),
        fields: fields.iter().map(|field| field.parse().unwrap()).collect(),
    }
}

fn moved(at: &str, to: Position) -> Change {
    let at = Address::new(at);
    Change::Move { at, to }
}

fn remove(at: &str) -> Change {
    let at = Address::new(at);
    Change::Remove { at }
}

fn stamped(head: &str, work: &str) -> Stamped {
    let mut births = (50..).map(at);
    stamp(Some(&read(head)), &read(work), at(9), &mut births)
}

#[test]
fn a_record_that_is_told_by_another_field_than_its_id_is_given_that() {
    let text = "_crdt: v1 items=or_set\nitems:\n  - name: one\n    note: x\n";
    let refused = edited(text, &add("items", &["title=Two"]));
    assert!(
        matches!(refused, Err(Unedited::Nameless { field: "name" })),
        "{refused:?}"
    );
}

#[test]
fn a_record_in_braces_has_the_spacing_of_the_one_before() {
    for (before, after) in [
        ("- { id: a, title: one }", "- { id: b, title: two }"),
        ("- {id: a, title: one}", "- {id: b, title: two}"),
    ] {
        let before = format!("_crdt: v1 todos=or_set\ntodos:\n  {before}\n");
        let text = text(edited(&before, &add("todos", &["id=b", "title=two"])));
        assert_eq!(text, format!("{before}  {after}\n"));
    }
}

#[test]
fn a_record_that_is_moved_before_itself_stays() {
    for name in ["a", "payments-service-of-ours"] {
        for to in [Position::Before(name.into()), Position::After(name.into())] {
            let stays = edited(TODOS, &moved(&format!("todos/{name}"), to));
            assert_eq!(text(stays), TODOS);
        }
    }
}

#[test]
fn the_beginning_of_a_name_tells_which_one_may_be_meant() {
    let to = Position::After("payments".into());
    match edited(TODOS, &moved("todos/a", to)) {
        Err(Unedited::Unknown { alike, .. }) => {
            assert_eq!(alike.as_deref(), Some("payments-service-of-ours"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_does_not_go_with_the_records_in_it() {
    for change in [
        Change::Set {
            at: Address::new("."),
            fields: vec![],
            unset: vec!["todos".to_owned()],
        },
        Change::Set {
            at: Address::new("."),
            fields: vec!["todos=none".parse().unwrap()],
            unset: vec![],
        },
    ] {
        let refused = edited(TODOS, &change);
        assert!(
            matches!(refused, Err(Unedited::HoldsRecords { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn what_is_removed_is_contested_if_anything_lost_there() {
    let lost = TODOS.replace(
        "  - id: a\n",
        "  - id: a\n    _crdt_conflicts: title~~s.uno\n",
    );
    for (text, is_contested) in [(TODOS, false), (&lost, true)] {
        let edited = edited(text, &remove("todos/a/title")).unwrap();
        assert_eq!(edited.is_contested(), is_contested);
    }
    let other = edited(&lost, &remove("todos/payments-service-of-ours")).unwrap();
    assert!(!other.is_contested());
}

#[test]
fn a_place_is_where_the_types_of_a_document_say() {
    let document = read(TODOS);
    let Some(Node::Set(records)) = lift(&document).root.remove("todos") else {
        panic!("no records");
    };
    let todos = Path::default().entry("todos");
    for (address, place) in [
        ("todos", Some(todos.clone())),
        ("todos/a", Some(todos.record(&records[0]))),
        (
            "todos/a/title",
            Some(todos.record(&records[0]).entry("title")),
        ),
        ("todos/b", None),
    ] {
        assert_eq!(Address::new(address).place_in(&document), place);
    }
}

#[test]
fn annotations_are_taken_out_of_braces_wherever_they_stand() {
    let bare = "todos:\n  - {id: a, title: one}\n";
    let last = "todos:\n  - {id: a, title: one, _crdt: 6ewzatz8-000001 title~veh}\n";
    assert_eq!(strip(&read(last)).as_deref(), Some(bare));
    let head = format!("_crdt: v1 todos=or_set\n{bare}");
    let annotated = stamped(&head, &head.replace("one", "uno")).text.unwrap();
    assert_eq!(annotated.matches("_crdt: ").count(), 2);
    assert_eq!(strip(&read(&annotated)), Some(bare.replace("one", "uno")));
}

#[test]
fn a_remark_beside_an_annotation_stays_there_when_that_is_written_anew() {
    let head = stamped(TODOS, &TODOS.replace("one", "uno")).text.unwrap();
    let line = head.lines().find(|line| line.starts_with("    _crdt: "));
    let line = line.unwrap();
    let remarked = head.replace(line, &format!("{line} # ours"));
    let mut births = (50..).map(at);
    let work = remarked.replace("uno", "eins");
    let again = stamp(Some(&read(&remarked)), &read(&work), at(20), &mut births);
    let again = again.text.unwrap();
    let marked: Vec<&str> = again
        .lines()
        .filter(|line| line.contains("# ours"))
        .collect();
    assert!(
        marked.len() == 1 && marked[0].starts_with("    _crdt: "),
        "{again}"
    );
}

#[test]
fn what_is_recorded_is_counted() {
    let both = TODOS.replace("one", "uno") + "  - id: n\n    title: new\n";
    let Stamped { edits, births, .. } = stamped(TODOS, &both);
    assert_eq!((edits, births), (2, 1));
}

#[test]
fn a_new_record_with_a_stamp_that_does_not_fit_was_edited_since() {
    let born = stamped(TODOS, &format!("{TODOS}  - id: n\n    title: new\n")).text;
    let there = stamped(
        born.as_deref().unwrap(),
        &born.as_deref().unwrap().replace("new", "newer"),
    );
    let there = there.text.unwrap();
    let work = there.replace("newer", "newest");
    let mut births = (90..).map(at);
    let again = stamp(Some(&read(TODOS)), &read(&work), at(80), &mut births);
    assert_eq!(again.edits, 1, "{work}");
    assert!(again.text.unwrap().contains(&at(80).to_string()));
}

#[test]
fn a_list_with_a_tag_or_an_anchor_is_no_document() {
    for head in ["!t\n- id: a\n  title: one\n", "&x\n- id: a\n  title: one\n"] {
        let stamped = stamped(head, &head.replace("one", "uno"));
        assert_eq!(stamped.text, None);
    }
}

#[test]
fn what_yaml_says_more_of_than_its_entries_is_one_value() {
    let document = lift(&read("_crdt: v1\na: !t {x: 1}\nb: {}\nc: {x: 1}\n"));
    let is_map = |name: &str| matches!(document.root.get(name), Some(Node::Map(_)));
    assert!(!is_map("a") && !is_map("b") && is_map("c"));
}

#[test]
fn amounts_beside_what_is_no_number_are_none() {
    let types = [("votes".to_owned(), "pn_counter".to_owned())];
    let types = Types::of(&BTreeMap::from(types)).unwrap();
    assert!(Types::default().is_empty() && !types.is_empty());
    let counted = |value: &str| {
        let text = format!("_crdt: v1 | 6ewzatz8-000001 votes~+1\nvotes: {value}\n");
        lift(&read(&text)).amounts.len()
    };
    assert_eq!((counted("3"), counted("none")), (1, 0));
}

#[test]
fn an_item_of_the_verbose_form_that_is_nothing_but_metadata_stays_one() {
    let verbose = "todos:\n  _crdt_metadata:\n    type: or_set\n  items:\n    - _crdt_metadata: {x: 1}\n    - id: a\n      _crdt_metadata: {x: 1}\n";
    let plain = from_verbose(&read(verbose)).unwrap();
    assert_eq!(plain.matches("_crdt_metadata").count(), 1, "{plain}");
}

#[test]
fn a_value_that_does_not_fit_its_type_gives_way_to_what_stood_there_or_to_another() {
    let types = [("votes".to_owned(), "pn_counter".to_owned())];
    let types = Types::of(&BTreeMap::from(types)).unwrap();
    let (before, now) = ("_crdt: v1\nvotes: 3\n", "_crdt: v1\nvotes: many\n");
    let (before, now) = (read(before), read(now));
    let found = misfits(&before, &now, &types);
    let [contest] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert!(matches!(contest.matter, Matter::Misfit { .. }));
    assert_eq!(contest.record(), None);
    for (choice, text) in [
        (Choice::Winner, "_crdt: v1\nvotes: 3\n"),
        (Choice::Value("7".to_owned()), "_crdt: v1\nvotes: 7\n"),
    ] {
        let settled = settle(&now, contest, &choice, None, at(9), "");
        assert_eq!(settled.as_deref(), Ok(text));
    }
    // What was there before fits; and what is full is told elsewhere.
    assert_eq!(misfits(&before, &before, &types), []);
    let full = read(&format!("_crdt: v1\nvotes: {}\n", i64::MAX));
    assert_eq!(misfits(&full, &full, &types), []);
}

#[test]
fn the_record_that_a_conflict_is_in_has_a_name_and_its_leaf_another() {
    let lost = TODOS.replace(
        "  - id: a\n",
        "  - id: a\n    _crdt_conflicts: title~~s.uno\n",
    );
    let found = contests(&read(&lost));
    let [contest] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(contest.record().as_deref(), Some("todos/a"));
    assert_eq!(contest.namesake(), None);
    assert!(!contest.is_of_a_record());
}

#[test]
fn of_a_greatest_number_that_one_side_made_smaller_that_stands() {
    let types = [("peak".to_owned(), "max".to_owned())];
    let types = Types::of(&BTreeMap::from(types)).unwrap();
    let options = Options {
        types: Some(&types),
        ..Options::default()
    };
    let of = |peak: i64, other: &str| format!("_crdt: v1\npeak: {peak}\nother: {other}\n");
    let (base, lower, other) = (of(7, "x"), of(5, "x"), of(7, "y"));
    for (ours, theirs) in [(&lower, &other), (&other, &lower)] {
        let merged = merge(
            base.as_bytes(),
            ours.as_bytes(),
            theirs.as_bytes(),
            &options,
        );
        assert_eq!(
            String::from_utf8(merged.unwrap().bytes).unwrap(),
            of(5, "y")
        );
    }
}

#[test]
fn of_what_was_added_before_as_much_is_told_as_there_is_room_for() {
    let amounts: Vec<String> = (0..12)
        .map(|time| format!("{} votes~+1", at(time)))
        .collect();
    let head = TODOS.replace(
        "  - id: a\n",
        &format!(
            "  - id: a\n    _crdt: {}\n    votes: 12\n",
            amounts.join(" ")
        ),
    );
    let text = stamped(&head, &head.replace("one", "uno")).text.unwrap();
    let told = text.matches("votes~+1").count();
    assert!(told < 3, "{text}");
}
