//! What the types show, by example: the laws hold of a type that shows nothing, too.

use std::collections::{BTreeMap, BTreeSet};

use rhema_crdt::crdt::types::{Counted, joined, total, unaccounted};
use rhema_crdt::crdt::types::{
    GCounter, GSet, List, LwwRegister, Members, MvRegister, OrMap, OrSet, PnCounter, Replicated,
    State, Text, TwoPhaseSet,
};
use rhema_crdt::crdt::{
    Act, Atom, Change, Digest, Document, Edit, Node, Observed, Path, Replica, Rules, Stamp, Write,
    heads,
};

const RULES: Rules<'static> = Rules {
    groups: &[],
    spell: rhema_crdt::yaml::double_quoted,
};

/// The stamp of an edit at some time, of some replica.
fn at(time: u64, replica: u32) -> Stamp {
    Stamp::from_unix_millis(1_800_000_000_000 + time, Replica::from_bits(replica)).unwrap()
}

fn set(members: &[u8]) -> BTreeSet<u8> {
    members.iter().copied().collect()
}

#[test]
fn of_two_concurrent_writes_a_register_shows_the_later_or_both() {
    let (mut last, mut all) = (LwwRegister::<u8>::default(), MvRegister::<u8>::default());
    let (early, late) = (last.write(at(1, 1), 7), last.write(at(2, 2), 5));
    last.apply(&late);
    last.apply(&early);
    assert_eq!(last.view(), Some(5));
    let (early, late) = (all.write(at(1, 1), 7), all.write(at(2, 2), 5));
    all.apply(&late);
    all.apply(&early);
    assert_eq!(all.view(), set(&[5, 7]));
    let settled = all.write(at(3, 1), 6);
    all.apply(&settled);
    // What comes late was replaced all the same.
    all.apply(&early);
    assert_eq!(all.view(), set(&[6]));
}

#[test]
fn a_removal_takes_what_it_saw_or_a_member_for_ever() {
    let (mut growing, mut observed) = (GSet::<u8>::default(), OrSet::<u8>::default());
    let mut two_phase = TwoPhaseSet::<u8>::default();
    for (time, member) in [(1, 7), (2, 8)] {
        growing.apply(&growing.add(at(time, 1), member));
        observed.apply(&observed.add(at(time, 1), member));
        two_phase.apply(&two_phase.add(at(time, 1), member));
    }
    assert_eq!(growing.view(), set(&[7, 8]));
    assert_eq!(observed.view(), set(&[7, 8]));
    assert_eq!(two_phase.view(), set(&[7, 8]));
    let (added, removed) = (observed.add(at(3, 2), 7), observed.remove(at(4, 1), &7));
    observed.apply(&removed);
    assert_eq!(observed.view(), set(&[8]));
    observed.apply(&added);
    assert_eq!(observed.view(), set(&[7, 8]), "added at the same time");
    let (added, removed) = (two_phase.add(at(3, 2), 7), two_phase.remove(at(4, 1), 7));
    two_phase.apply(&removed);
    two_phase.apply(&added);
    assert_eq!(two_phase.view(), set(&[8]));
}

#[test]
fn counters_show_the_sum_of_what_all_added() {
    let (mut growing, mut counter) = (GCounter::default(), PnCounter::default());
    for replica in [1, 2] {
        growing.apply(&growing.increment(at(1, replica), 3).unwrap());
        counter.apply(&counter.increment(at(1, replica), 3).unwrap());
        growing.apply(&growing.increment(at(2, replica), 2).unwrap());
        counter.apply(&counter.decrement(at(2, replica), 5).unwrap());
    }
    assert_eq!((growing.view(), counter.view()), (10, -4));
}

#[test]
fn a_map_shows_what_stands_in_its_entries() {
    let mut map = OrMap::<u8, OrSet<u8>>::default();
    map.apply(&map.update(1, |set| set.add(at(1, 1), 7)));
    map.apply(&map.update(1, |set| set.add(at(2, 1), 8)));
    map.apply(&map.update(2, |set| set.add(at(3, 1), 9)));
    let both = BTreeMap::from([(1, set(&[7, 8])), (2, set(&[9]))]);
    assert_eq!(map.view(), both);
    let updated = map.update(1, |set| set.add(at(4, 2), 6));
    let removed = map.remove(1);
    map.apply(&removed);
    assert_eq!(map.view(), BTreeMap::from([(2, set(&[9]))]));
    map.apply(&updated);
    let left = BTreeMap::from([(1, set(&[6])), (2, set(&[9]))]);
    assert_eq!(map.view(), left, "updated at the same time");
}

#[test]
fn lists_and_texts_show_their_members_in_order() {
    let mut list = List::<u8>::default();
    list.apply(&list.insert(at(1, 1), 0, vec![1, 2, 3]));
    list.apply(&list.insert(at(2, 1), 1, vec![9]));
    assert_eq!(list.view(), [1, 9, 2, 3]);
    list.apply(&list.shift(at(3, 1), 3, 0).unwrap());
    assert_eq!((list.view(), list.len()), (vec![3, 1, 9, 2], 4));
    list.apply(&list.delete(1..3));
    assert_eq!(list.view(), [3, 2]);

    let mut text = Text::default();
    text.apply(&text.insert(at(1, 1), 0, "held"));
    text.apply(&text.insert(at(2, 1), 4, " fast"));
    text.apply(&text.delete(0..1));
    assert_eq!(text.view(), "eld fast");
    assert_eq!(text.standing(), [at(1, 1), at(2, 1)].into());
}

#[test]
fn an_entry_of_a_map_that_holds_a_text_goes_with_it() {
    let mut map = OrMap::<u8, Text>::default();
    map.apply(&map.update(1, |text| text.insert(at(1, 1), 0, "held")));
    assert_eq!(map.view(), BTreeMap::from([(1, "held".to_owned())]));
    map.apply(&map.remove(1));
    assert!(map.view().is_empty());
}

#[test]
fn what_both_sides_took_back_is_gone_once_and_what_one_typed_counts_once_more() {
    let amounts = |amounts: &[(u64, i64)]| {
        let amounts = amounts.iter().map(|(time, amount)| (at(*time, 1), *amount));
        amounts.collect::<BTreeMap<Stamp, i64>>()
    };
    let (known, none) = (amounts(&[(1, 5)]), amounts(&[]));
    let (base, reverted) = (
        Counted {
            shown: 15,
            amounts: &known,
        },
        Counted {
            shown: 10,
            amounts: &none,
        },
    );
    assert_eq!(joined(base, reverted, reverted), 10);
    // Both typed four more, and nothing was taken back.
    let typed = Counted {
        shown: 19,
        amounts: &known,
    };
    assert_eq!(joined(base, typed, typed), 23);
    // One took it back, the other typed as much less.
    let less = Counted {
        shown: 10,
        amounts: &known,
    };
    assert_eq!(joined(base, reverted, less), 5);
}

#[test]
fn a_number_stays_at_the_ends_of_what_64_bits_hold() {
    assert_eq!(total(i64::MAX, [1, 2, -4]), i64::MAX - 1);
    assert_eq!(total(i64::MAX, [1, 2]), i64::MAX);
    assert_eq!(unaccounted(10, 20, [3, 2]), 5);
    assert_eq!(unaccounted(10, 15, [3, 2]), 0);
    assert_eq!(unaccounted(i64::MAX - 1, i64::MAX, [3]), 0);
}

#[test]
fn states_that_know_different_things_are_told_apart() {
    let mut some = OrSet::<u8>::default();
    let nothing = some.clone();
    assert_eq!(some, nothing);
    some.apply(&some.add(at(1, 1), 7));
    assert_ne!(some, nothing);
    assert_ne!(format!("{some:?}"), format!("{nothing:?}"));
    assert!(format!("{some:?}").contains('7'));
}

#[test]
fn a_write_does_not_replace_itself_whatever_it_says_that_it_saw() {
    let digest = Digest::of(b"7");
    let mut observed = Observed::default();
    observed.add(Some(at(1, 1)), digest);
    let write = Write {
        value: 7,
        digest,
        stamp: Some(at(1, 1)),
        observed,
    };
    assert_eq!(heads(&[write]).unwrap().winner, (7, Some(at(1, 1))));
}

#[test]
fn a_set_has_the_members_that_were_put_in() {
    let mut members = Members::<u8>::default();
    members.apply(&members.adding(at(1, 1), 7));
    assert!(members.contains(&7) && !members.contains(&8));
}

#[test]
fn where_some_made_a_value_and_others_a_list_the_one_that_lost_is_kept() {
    let place = Path::default().entry("tags");
    let atom = |text: &str| Atom::new(text.to_owned());
    let edit = |time: u64, act: Act| Edit {
        stamp: Some(at(time, time as u32)),
        changes: vec![Change {
            at: place.clone(),
            act,
            observed: Observed::default(),
        }],
    };
    let lost = |edits: &[Edit]| {
        let losers = RULES.view(&Document::default(), edits).losers;
        let values = losers.into_keys().map(|loser| loser.value.unwrap());
        values.map(|value| value.canonical().to_owned()).collect()
    };
    let list = |members: &[&str]| Act::Replace(members.iter().copied().map(atom).collect());
    let value = || Act::Write(atom("one"));
    let none: Vec<String> = Vec::new();
    let (some, empty) = (
        [edit(1, list(&["x", "y"])), edit(2, value())],
        [edit(1, list(&[])), edit(2, value())],
    );
    let kept: Vec<String> = lost(&some);
    assert_eq!(kept, ["[x,y]"]);
    assert_eq!(lost(&empty), none, "nothing stood there");
}

#[test]
fn what_was_written_into_an_empty_list_stands_in_its_place() {
    let meta = Path::default().entry("meta");
    let mut base = Document::default();
    base.root.insert(
        "meta".to_owned(),
        Node::List(Vec::new(), Default::default()),
    );
    let edit = Edit {
        stamp: Some(at(1, 1)),
        changes: vec![Change {
            at: meta.entry("owner"),
            act: Act::Write(Atom::new("1".to_owned())),
            observed: Observed::default(),
        }],
    };
    let shown = RULES.view(&base, &[edit]);
    match shown.root.get("meta") {
        Some(Node::Map(map)) => assert!(map.contains_key("owner")),
        other => panic!("{other:?}"),
    }
}
