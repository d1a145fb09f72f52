//! The numbers of documents: what was added stands in the view once, whatever else was done to the number at the same time.

use proptest::prelude::*;
use rhema_crdt::crdt::{
    Act, Atom, Change, Clock, Document, Edit, Node, Observed, Path, Replica, Rules, Stamp, Stamps,
};

use crate::config;

const RULES: Rules<'static> = Rules {
    groups: &[],
    spell: str::to_owned,
};

const BASE: i64 = 40;

/// What somebody does who had seen some of what was done before.
#[derive(Clone, Debug)]
enum Deed {
    Count(i64),
    Raise(i64),
    Write(i64),
    Remove,
}

fn deeds(all: bool) -> impl Strategy<Value = Vec<(Deed, u32, u16)>> {
    let count = (-9i64..9).prop_map(Deed::Count);
    let deed = match all {
        false => count.boxed(),
        true => prop_oneof![
            3 => count,
            1 => (0i64..90).prop_map(Deed::Raise),
            1 => (0i64..90).prop_map(Deed::Write),
            1 => Just(Deed::Remove),
        ]
        .boxed(),
    };
    proptest::collection::vec((deed, 0u32..3, any::<u16>()), 0..8)
}

fn place() -> Path {
    Path::default().entry("n")
}

fn base() -> Document {
    let node = Node::Register(Atom::number(BASE), Stamps::new());
    Document {
        root: [("n".to_owned(), node)].into(),
        ..Document::default()
    }
}

fn history(deeds: &[(Deed, u32, u16)]) -> Vec<Edit> {
    let mut clocks = [0, 1, 2].map(|bits| Clock::new(Replica::from_bits(bits), None));
    let mut edits: Vec<Edit> = Vec::new();
    for (deed, replica, seen) in deeds {
        let seen: Vec<Edit> = edits
            .iter()
            .enumerate()
            .filter(|(index, _)| seen >> index & 1 == 1)
            .map(|(_, edit)| edit.clone())
            .collect();
        let view = RULES.view(&base(), &seen);
        let (act, observed) = match deed {
            Deed::Count(amount) => (Act::Count(*amount), Observed::default()),
            Deed::Raise(number) => (Act::Raise(*number), RULES.observed(&view, &place())),
            Deed::Write(number) => (
                Act::Write(Atom::number(*number)),
                RULES.observed(&view, &place()),
            ),
            Deed::Remove => (Act::Remove, RULES.observed(&view, &place())),
        };
        let stamp: Stamp = clocks[*replica as usize].tick(1_800_000_000_000).unwrap();
        edits.push(Edit {
            stamp: Some(stamp),
            changes: vec![Change {
                at: place(),
                act,
                observed,
            }],
        });
    }
    edits
}

fn number(document: &Document) -> Option<i64> {
    document.root.get("n").and_then(Node::as_number)
}

proptest! {
    #![proptest_config(config(3_000))]

    #[test]
    fn the_view_of_a_number_depends_on_the_set_alone(deeds in deeds(true), turn: usize) {
        let edits = history(&deeds);
        let view = RULES.view(&base(), &edits);
        let mut turned = edits.clone();
        turned.rotate_left(if edits.is_empty() { 0 } else { turn % edits.len() });
        prop_assert_eq!(&RULES.view(&base(), &turned), &view);
        turned.extend(edits.iter().rev().cloned());
        prop_assert_eq!(&RULES.view(&base(), &turned), &view);
        // No number is written of a value that is contested by a number.
        prop_assert_eq!(view.amounts.contains_key(&place()), view.amounts.values().any(|amounts| !amounts.is_empty()));
    }

    #[test]
    fn amounts_add_up_and_a_view_goes_on_from_a_view(deeds in deeds(false), cut: usize) {
        let edits = history(&deeds);
        let view = RULES.view(&base(), &edits);
        let sum: i64 = edits.iter().flat_map(|edit| &edit.changes).map(|change| match change.act {
            Act::Count(amount) => amount,
            _ => 0,
        }).sum();
        prop_assert_eq!(number(&view), Some(BASE + sum));
        // What a version has taken in counts once when it is told of again.
        let (front, back) = edits.split_at(if edits.is_empty() { 0 } else { cut % edits.len() });
        let before = RULES.view(&base(), front);
        prop_assert_eq!(&RULES.view(&before, back).root, &view.root);
        prop_assert_eq!(&RULES.view(&before, &edits).root, &view.root);
        // And the difference of two views are the edits between them.
        let told = RULES.edits(&before, &view);
        let told: Vec<Option<Stamp>> = told.iter().map(|edit| edit.stamp).collect();
        let between = back.iter().map(|edit| edit.stamp);
        prop_assert!(between.clone().all(|stamp| told.contains(&stamp)) && told.len() == between.count());
    }

    #[test]
    fn an_amount_that_nobody_replaced_shows(deeds in deeds(true)) {
        let edits = history(&deeds);
        let view = RULES.view(&base(), &edits);
        let replaced = |stamp: Stamp| {
            let mut changes = edits.iter().flat_map(|edit| &edit.changes);
            changes.any(|change| change.observed.has_stamp(stamp))
        };
        for edit in &edits {
            let Some(stamp) = edit.stamp.filter(|stamp| !replaced(*stamp)) else { continue };
            if matches!(edit.changes[0].act, Act::Count(_)) {
                let shown = view.amounts.get(&place()).is_some_and(|amounts| amounts.contains_key(&stamp));
                prop_assert!(shown, "{stamp} in {view:?}");
            }
        }
    }
}

fn members() -> impl Strategy<Value = Vec<u8>> {
    proptest::sample::subsequence((0u8..6).collect::<Vec<u8>>(), 0..6).prop_shuffle()
}

fn listed(members: &[u8]) -> Document {
    let members = members.iter().map(|member| Atom::number((*member).into()));
    let node = Node::List(members.collect(), Stamps::new());
    Document {
        root: [("n".to_owned(), node)].into(),
        ..Document::default()
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn where_members_stand_once_they_go_on_standing_once(
        before in members(),
        versions in proptest::collection::vec(members(), 1..4),
        grows: bool,
    ) {
        let base = listed(&before);
        let mut clock = Clock::new(Replica::from_bits(1), None);
        let mut edits = Vec::new();
        let mut all: std::collections::BTreeSet<u8> = before.iter().copied().collect();
        for version in &versions {
            let mut version = version.clone();
            if grows {
                version.retain(|member| !before.contains(member));
                version.extend(&before);
            }
            all.extend(&version);
            for mut edit in RULES.edits(&base, &listed(&version)) {
                edit.stamp = Some(clock.tick(1_800_000_000_000).unwrap());
                edits.push(edit);
            }
        }
        let view = RULES.view(&base, &edits);
        let Some(Node::List(shown, _)) = view.root.get("n") else { panic!("{view:?}") };
        let distinct: std::collections::BTreeSet<&Atom> = shown.iter().collect();
        prop_assert_eq!(distinct.len(), shown.len(), "{:?} of {:?}", shown, versions);
        if grows {
            prop_assert_eq!(shown.len(), all.len());
        }
    }
}
