//! Every finer rule, with the example that asked for it.

use rhema_crdt::context;
use rhema_crdt::crdt::{Clock, Replica};

use crate::view::{Seen, Tool, Value};
use crate::yaml::{Driver, Text, merged, read};

/// Minutes behind which tests are played, in milliseconds.
const NOON: u64 = 1_795_262_400_000;

/// A document whose records are these lines.
fn document(records: &str) -> String {
    format!("_crdt: v1 todos=or_set\nname: x\ntodos:\n{records}")
}

/// A document with one record, whose `priority` is this.
fn with(priority: &str) -> String {
    document(&format!(
        "  - id: a\n    title: A\n    origin: A\n    priority: {priority}\n"
    ))
}

/// What a replica's edit from `head` to `work` is committed as, made in this minute.
fn stamped(head: &str, work: &str, replica: u32, minute: u64) -> String {
    let mut clock = Clock::new(Replica::from_bits(replica), None);
    let mut stamp = || clock.tick(NOON + minute * 60_000).unwrap();
    let first = stamp();
    let stamped = context::stamp(
        Some(&read(head)),
        &read(work),
        first,
        &mut std::iter::from_fn(|| Some(stamp())),
    );
    stamped.text.unwrap_or_else(|| work.to_owned())
}

fn seen(text: &str, id: &str) -> Seen {
    let view = Driver::view(&Text::of(text));
    view.records
        .get(id)
        .unwrap_or_else(|| panic!("no {id} in\n{text}"))
        .clone()
}

fn value(text: &str) -> Value {
    Some(text.to_owned())
}

/// What the record shows as its priority, and what it keeps of others.
fn priority(text: &str) -> (Value, Vec<Value>) {
    let seen = seen(text, "a");
    (
        seen.shown("priority"),
        seen.kept
            .iter()
            .filter(|(leaf, _)| leaf == "priority")
            .map(|(_, value)| value.clone())
            .collect(),
    )
}

/// Merges branches of `base` in every order, which must give the same bytes.
fn in_every_order(base: &str, branches: &[String]) -> String {
    fn orders(count: usize) -> Vec<Vec<usize>> {
        if count == 0 {
            return vec![Vec::new()];
        }
        let shorter = orders(count - 1);
        let insert = |order: &Vec<usize>, at: usize| {
            let mut order = order.clone();
            order.insert(at, count - 1);
            order
        };
        shorter
            .iter()
            .flat_map(|order| (0..count).map(|at| insert(order, at)).collect::<Vec<_>>())
            .collect()
    }
    let mut results = orders(branches.len()).into_iter().map(|order| {
        let mut order = order.into_iter().map(|index| branches[index].clone());
        let first = order.next().unwrap();
        order.fold(first, |ours, theirs| merged(base, &ours, &theirs))
    });
    let first = results.next().unwrap();
    results.for_each(|other| assert_eq!(first, other, "the order of merging shows"));
    first
}

#[test]
fn f4_no_time_of_a_commit_decides_between_unstamped_values() {
    // One branch in two commits, or squashed to one, against another: the same values, the same winner.
    let base = with("1");
    let (chain, squashed) = (with("2").replace("2\n", "B\n"), with("B"));
    assert_eq!(
        merged(&base, &chain, &with("C")),
        merged(&base, &squashed, &with("C"))
    );
    assert_eq!(
        priority(&merged(&base, &with("B"), &with("C"))),
        (value("C"), vec![value("B")])
    );
}

#[test]
fn f4_base_takes_no_part_in_the_order() {
    for base in ["A", "M", "Z"] {
        assert_eq!(
            priority(&merged(&with(base), &with("B"), &with("C"))),
            (value("C"), vec![value("B")])
        );
    }
}

#[test]
fn f5_aba_without_the_tool_kills_no_value() {
    let base = stamped(&with("0"), &with("A"), 1, 0);
    // B, A and B again were committed without the tool; the stamp of A stands beside it all.
    let tip = base.replace("priority: A", "priority: B");
    assert_eq!(priority(&merged(&base, &tip, &base)), (value("B"), vec![]));
    let aba = merged(
        &base,
        &tip,
        &stamped(&base, &base.replace("priority: A", "priority: C"), 2, 1),
    );
    assert_eq!(priority(&aba), (value("C"), vec![value("B")]));
}

#[test]
fn f5_a_stamp_that_does_not_fit_its_value_counts_for_nothing() {
    let base = with("0");
    let late = stamped(&base, &with("A"), 1, 60).replace("priority: A", "priority: Z");
    let early = stamped(&base, &with("C"), 2, 0);
    assert_eq!(
        priority(&merged(&base, &late, &early)),
        (value("C"), vec![value("Z")])
    );
}

#[test]
fn f5_a_value_stamped_anew_is_an_edit_although_it_is_as_in_base() {
    let base = stamped(&with("0"), &with("A"), 1, 0);
    let there = stamped(&base, &base.replace("priority: A", "priority: B"), 1, 1);
    let back = stamped(&there, &there.replace("priority: B", "priority: A"), 1, 3);
    let other = stamped(&base, &base.replace("priority: A", "priority: C"), 2, 2);
    assert_eq!(
        priority(&merged(&base, &back, &other)),
        (value("A"), vec![value("C")])
    );
}

#[test]
fn f7_three_branches_at_one_place_come_out_the_same_in_every_order() {
    let base = with("1");
    let leaves = ["A", "B", "C"]
        .map(|value| stamped(&base, &with(value), 1, u64::from(value.as_bytes()[0])));
    assert_eq!(
        priority(&in_every_order(&base, &leaves)),
        (value("C"), vec![value("A"), value("B")])
    );
    let rows = ["b", "m", "c"]
        .map(|id| format!("{base}  - id: {id}\n    title: Title of {id}\n    origin: {id}\n"));
    in_every_order(&base, &rows);
}

#[test]
fn f7_a_merged_record_without_stamps_says_so() {
    let open = |text: &str| text.replace("origin: A\n", "origin: A\n    status: open\n");
    let base = stamped(&open(&with("0")), &open(&with("1")), 1, 0);
    let by_hand = [
        base.replace("open", "done"),
        base.replace("priority: 1", "priority: 2"),
    ];
    // A status that was stamped, and then edited by hand: so short a record has no other stamps then.
    let stamped = stamped(&base, &base.replace("open", "busy"), 2, 1);
    assert!(!stamped.contains("priority~"), "{stamped}");
    let stamped = stamped.replace("status: busy", "status: blocked");
    // It loses its stamp with the contest, and no tool has dropped those of the base.
    in_every_order(&base, &[by_hand[0].clone(), by_hand[1].clone(), stamped]);
}

#[test]
fn f7_what_was_typed_back_claims_nothing_for_its_group() {
    let base = document(
        "  - id: a\n    title: A\n    origin: A\n    status: open\n    completed_at: never\n",
    );
    let there = stamped(&base, &base.replace("never", "today"), 1, 0);
    let back = there.replace("today", "never") + "    priority: 2\n";
    let back = stamped(&base, &back, 1, 1);
    assert!(back.contains("completed_at~"), "{back}");
    let edits = ["    status: done\n", ""].map(|line| base.replace("    status: open\n", line));
    in_every_order(&base, &[edits[0].clone(), back, edits[1].clone()]);
}

#[test]
fn f7_a_stamp_stays_behind_with_the_value_that_was_taken_away() {
    let base = with("1").replace("origin: A\n", "origin: A\n    owner: me\n");
    let by_hand = base.replace("owner: me", "owner: you");
    // Stamped, and taken away again, on one branch; what another branch wrote by hand is not that edit.
    let gone = stamped(&base, &by_hand, 1, 0).replace("    owner: you\n", "");
    let all = in_every_order(&base, &[by_hand, gone]);
    assert!(
        all.contains("    _crdt_conflicts: owner~~deleted\n"),
        "{all}"
    );
    assert!(!all.contains("    _crdt: "), "{all}");
}

#[test]
fn f7_a_stamp_that_one_branch_dropped_is_gone_in_every_order() {
    let base = stamped(&with("0"), &with("1"), 1, 0);
    let by_hand =
        ["2", "3"].map(|value| base.replace("priority: 1", &format!("priority: {value}")));
    // So short a record has no room for an old stamp beside a new one.
    let stamped = stamped(&base, &base.replace("title: A", "title: B"), 2, 1);
    assert!(!stamped.contains("priority~"), "{stamped}");
    let all = in_every_order(&base, &[by_hand[0].clone(), stamped, by_hand[1].clone()]);
    assert_eq!(priority(&all), (value("3"), vec![value("2")]));
}

#[test]
fn s1_superseded_before_the_commit() {
    let base = with("1");
    // Somebody else got 2 before it was replaced by 3, and committed it.
    let two = stamped(&base, &with("2"), 1, 0);
    let three = stamped(&base, &two.replace("priority: 2", "priority: 3"), 1, 1);
    let both = merged(&base, &three, &two);
    assert_eq!(priority(&both), (value("3"), vec![]));
    // And so it blocks no deletion.
    let gone = document("");
    let gone = gone.replace("todos:\n", "todos: []\n");
    assert_eq!(merged(&three, &gone, &both), gone);
}

#[test]
fn s1_holds_for_leaves_that_move_together_and_for_losers() {
    let base = document(
        "  - id: a\n    title: A\n    origin: A\n    status: open\n    completed_at: never\n",
    );
    let two = stamped(&base, &base.replace("open", "done"), 1, 5);
    let three = stamped(&base, &two.replace("done", "blocked"), 2, 1);
    let both = seen(&merged(&base, &three, &two), "a");
    assert_eq!(
        (both.shown("status"), both.kept.len()),
        (value("blocked"), 0)
    );
    // A third branch that made a conflict of it.
    let other = stamped(&base, &base.replace("open", "waiting"), 3, 9);
    let kept = seen(&in_every_order(&base, &[two, three, other]), "a");
    assert_eq!(
        kept.kept.into_iter().collect::<Vec<_>>(),
        [("status".to_owned(), value("blocked"))]
    );
}

#[test]
fn s2_an_unstamped_update_keeps_the_record_whole() {
    let base = stamped(&with("0"), &with("1"), 1, 0);
    let gone = document("").replace("todos:\n", "todos: []\n");
    let update = base.replace("priority: 1", "priority: u7");
    let kept = seen(&merged(&base, &gone, &update), "a");
    assert_eq!(
        (kept.shown("title"), kept.shown("priority")),
        (value("A"), value("u7"))
    );
    assert!(
        kept.kept.contains(&(String::new(), None)),
        "the deletion is reported"
    );
}

#[test]
fn s2_a_losing_value_that_the_removal_did_not_see_keeps_the_record() {
    let base = stamped(&with("0"), &with("1"), 1, 0);
    let early = stamped(&with("0"), &with("2"), 2, 0);
    let gone = document("").replace("todos:\n", "todos: []\n");
    let loser = merged(&with("0"), &base, &early);
    assert_eq!(priority(&loser).1.len(), 1);
    assert_eq!(priority(&merged(&base, &gone, &loser)), priority(&loser));
}

#[test]
fn s2_a_removal_stands_against_dropped_annotations() {
    let base = stamped(&with("0"), &with("1"), 1, 0);
    let gone = document("").replace("todos:\n", "todos: []\n");
    assert_eq!(merged(&base, &gone, &with("1")), gone);
}

#[test]
fn s4_conflict_sets_are_associative() {
    let base = with("A");
    let early = stamped(&base, &with("B"), 1, 0);
    let late = stamped(&base, &with("B"), 2, 9);
    let other = stamped(&base, &with("D"), 3, 5);
    assert_eq!(
        priority(&in_every_order(&base, &[early, late, other])),
        (value("B"), vec![value("D")])
    );
}

/// Settles the conflict of the priority.
fn settled(text: &str, taken: Option<Value>, replica: u32, minute: u64) -> String {
    let stamp = Clock::new(Replica::from_bits(replica), None)
        .tick(NOON + minute * 60_000)
        .unwrap();
    let choice = crate::view::Choice {
        id: "a".to_owned(),
        leaf: "priority".to_owned(),
        taken,
    };
    Driver::resolve(&Text::of(text), &choice, stamp).text
}

#[test]
fn s4_a_conflict_settled_for_the_shown_value_is_an_edit() {
    let start = with("A");
    let base = merged(
        &start,
        &stamped(&start, &with("B"), 1, 0),
        &stamped(&start, &with("C"), 2, 1),
    );
    let winner = settled(&base, None, 3, 9);
    let gone = document("").replace("todos:\n", "todos: []\n");
    assert_eq!(
        priority(&merged(&base, &gone, &winner)),
        (value("C"), vec![]),
        "against a deletion"
    );
    let loser = settled(&base, Some(value("B")), 4, 5);
    assert_eq!(
        priority(&merged(&base, &loser, &winner)),
        (value("C"), vec![value("B")]),
        "against another choice"
    );
    let edit = stamped(&base, &base.replace("priority: C", "priority: E"), 4, 5);
    assert_eq!(
        priority(&merged(&base, &edit, &winner)),
        (value("C"), vec![value("E")]),
        "against an edit"
    );
}

#[test]
fn s4_a_stamp_stays_while_its_leaf_is_open() {
    let start = with("A");
    let open = merged(
        &start,
        &stamped(&start, &with("B"), 1, 0),
        &stamped(&start, &with("C"), 2, 1),
    );
    // However little room is left beside a new one.
    let edited = stamped(&open, &open.replace("title: A", "title: T"), 3, 9);
    let said = edited.lines().find(|line| line.starts_with("    _crdt:"));
    assert!(
        said.is_some_and(|said| said.contains(" priority~")),
        "{edited}"
    );
}

fn record(id: &str, title: &str) -> String {
    format!("  - id: {id}\n    title: {title}\n    origin: {title}\n")
}

#[test]
fn s11_equal_ids_of_three_births_in_every_order() {
    let base = with("1");
    let births = ["Oranges", "Pears", "Plums"].map(|title| {
        let work = format!("{base}{}", record("x", title));
        stamped(&base, &work, 1, u64::from(title.as_bytes()[1]))
    });
    let all = in_every_order(&base, &births);
    let view = Driver::view(&Text::of(&all));
    assert_eq!(view.ids().len(), 4, "{all}");
    assert_eq!(
        seen(&all, "x").shown("title"),
        value("Pears"),
        "the earliest keeps the name"
    );
}

#[test]
fn s11_a_title_that_was_edited_does_not_make_two_of_one_birth() {
    let base = with("1");
    let born = stamped(&base, &format!("{base}{}", record("x", "Pears")), 1, 0);
    let edited = stamped(&born, &born.replace("title: Pears", "title: Apples"), 2, 1);
    let both = merged(&base, &born, &edited);
    assert_eq!(Driver::view(&Text::of(&both)).ids().len(), 2, "{both}");
}

#[test]
fn s11_an_edit_finds_the_record_that_was_renamed() {
    let base = with("1");
    let first = stamped(&base, &format!("{base}{}", record("x", "Pears")), 1, 0);
    let second = stamped(&base, &format!("{base}{}", record("x", "Plums")), 1, 5);
    let both = merged(&base, &first, &second);
    // A branch from before edits what is still called x there.
    let edited = stamped(
        &second,
        &second.replace("title: Plums\n", "title: Plums\n    priority: high\n"),
        2,
        9,
    );
    let all = merged(&second, &both, &edited);
    let view = Driver::view(&Text::of(&all));
    assert_eq!(
        view.born_as("Plums").unwrap().shown("priority"),
        value("high"),
        "{all}"
    );
    assert_eq!(
        view.born_as("Pears").unwrap().shown("priority"),
        None,
        "{all}"
    );
}

#[test]
fn s11_a_removal_finds_the_record_that_was_renamed() {
    let base = with("1");
    let first = stamped(&base, &format!("{base}{}", record("x", "Pears")), 1, 0);
    let second = stamped(&base, &format!("{base}{}", record("x", "Plums")), 1, 5);
    let both = merged(&base, &first, &second);
    // Its second name is nobody's edit, and keeps nothing.
    assert_eq!(merged(&second, &both, &base), first);
}

#[test]
fn s12_a_clock_ahead_does_not_hold_a_value() {
    const FOUR_YEARS: u64 = 4 * 365 * 24 * 60;
    let start = with("1");
    let base = stamped(&start, &with("2"), 1, FOUR_YEARS);
    let edit = stamped(&base, &base.replace("priority: 2", "priority: 3"), 2, 0);
    assert_eq!(priority(&merged(&base, &base, &edit)), (value("3"), vec![]));
    // Only among concurrent values the clock decides, and what lost is kept.
    assert_eq!(
        priority(&merged(&start, &base, &stamped(&start, &with("3"), 2, 0))),
        (value("2"), vec![value("3")])
    );
}

#[test]
fn s16_text_heads_carry_the_union_of_stamps() {
    let text = |first: &str, last: &str| {
        document(&format!(
            "  - id: a\n    title: A\n    origin: A\n    notes: |\n      {first}\n      stays\n      as it is\n      here\n      {last}\n"
        ))
    };
    let base = text("one", "three");
    let ours = stamped(&base, &text("ONE", "three"), 1, 0);
    let theirs = stamped(&base, &text("one", "THREE"), 2, 1);
    let both = merged(&base, &ours, &theirs);
    assert!(
        both.contains("      ONE\n") && both.contains("      THREE\n"),
        "{both}"
    );
    let annotation = |text: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with("    _crdt:"))
            .unwrap_or_else(|| panic!("{text}"));
        context::Annotation::parse(line.trim_start().trim_start_matches("_crdt: ")).unwrap()
    };
    let heads: Vec<_> = annotation(&ours)
        .named()
        .chain(annotation(&theirs).named())
        .collect();
    assert_eq!(
        annotation(&both).named().collect::<Vec<_>>(),
        heads,
        "{both}"
    );
}

/// A file as people wrote it, and as a tool writes it that knows neither remarks nor annotations.
const WRITTEN: &str = "# Head\n_crdt: v1 todos=or_set\nname: x\ntodos:\n  # about a\n  - id: a\n    title: 'A'  # beside\n    origin: A\n    priority: 1\n  # about b\n  - id: b\n    title: B\n    origin: B\n";
const REWRITTEN: &str = "name: x\ntodos:\n- origin: A\n  id: a\n  priority: 1\n  title: A\n- id: b\n  title: B\n  origin: B\n";

#[test]
fn s17_a_rewrite_without_comments_and_annotations_edits_no_value() {
    let edited = stamped(
        WRITTEN,
        &WRITTEN.replace("priority: 1", "priority: 2"),
        1,
        0,
    );
    let both = merged(WRITTEN, REWRITTEN, &edited);
    assert_eq!(priority(&both), (value("2"), vec![]));
    assert!(both.contains("_crdt: v1 todos=or_set\n"), "{both}");
    // Nor does it where both sides were rewritten.
    let both = merged(
        WRITTEN,
        &REWRITTEN.replace("priority: 1", "priority: 2"),
        &REWRITTEN.replace("priority: 1", "priority: 3"),
    );
    assert_eq!(priority(&both), (value("3"), vec![value("2")]));
    assert!(both.contains("_crdt: v1 todos=or_set\n"), "{both}");
}

#[test]
fn s17_a_rewrite_that_drops_every_comment_is_no_edit_of_formatting() {
    let edited = stamped(
        WRITTEN,
        &WRITTEN.replace("priority: 1", "priority: 2"),
        1,
        0,
    );
    let both = merged(WRITTEN, REWRITTEN, &edited);
    for remark in ["# Head", "# about a", "# beside", "# about b"] {
        assert!(both.contains(remark), "{remark} in\n{both}");
    }
}
