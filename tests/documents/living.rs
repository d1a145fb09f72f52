//! A living document shows what the view from scratch shows over the same edits, in whatever order and however often they
//! came, and after it was saved at any time.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rhema_crdt::context::lift;
use rhema_crdt::crdt::{Document, Edit, Living, Map, Node, Stamp};

use crate::branches::{branch, config, read};
use crate::core::RULES;
use crate::model::{Model, edits};
use crate::replicas::{REPLICAS, play, steps};

/// The stamps of all that stands or lost.
fn standing(document: &Document) -> BTreeSet<Stamp> {
    fn of_map(map: &Map, stamps: &mut BTreeSet<Stamp>) {
        for node in map.values() {
            match node {
                Node::Register(_, made_by) | Node::List(_, made_by) => stamps.extend(made_by),
                Node::Map(map) => of_map(map, stamps),
                Node::Set(records) => {
                    for record in records {
                        of_map(&record.fields, stamps);
                    }
                }
            }
        }
    }
    let mut stamps: BTreeSet<Stamp> = document.losers.values().flatten().copied().collect();
    of_map(&document.root, &mut stamps);
    stamps
}

/// A document but for what was superseded by edits that nothing stands of.
pub(crate) fn told(mut document: Document) -> Document {
    let standing = standing(&document);
    document
        .superseded
        .retain(|stamp, _| standing.contains(stamp));
    document
}

/// Edits in an order of their own, some of them twice.
fn delivered(known: &[Edit], order: &[u16]) -> Vec<Edit> {
    let mut delivered: Vec<(u16, usize)> = Vec::new();
    for (index, order) in order.iter().enumerate() {
        delivered.push((*order, index % known.len().max(1)));
    }
    delivered.extend((0..known.len()).map(|index| (index as u16 * 4_000, index)));
    delivered.sort_unstable();
    let edits = delivered.into_iter();
    edits
        .filter_map(|(_, index)| known.get(index).cloned())
        .collect()
}

fn shows_the_view(base: &Document, edits: &[Edit], saved_at: usize) -> Result<(), TestCaseError> {
    let mut living = Living::new(RULES, base.clone());
    prop_assert_eq!(&living.document(), base);
    for (index, edit) in edits.iter().enumerate() {
        living.apply(edit);
        let shown = index + 1;
        if index == saved_at {
            living = again(living);
        } else if shown != edits.len() {
            continue;
        }
        let scratch = RULES.view(base, &edits[..shown]);
        prop_assert_eq!(
            told(living.document()),
            told(scratch),
            "after {} of {:#?}",
            shown,
            edits
        );
    }
    Ok(())
}

/// The same document, saved and loaded.
#[cfg(feature = "node")]
pub(crate) fn again(living: Living<'static>) -> Living<'static> {
    Living::load(RULES, &living.save()).unwrap()
}

#[cfg(not(feature = "node"))]
pub(crate) fn again(living: Living<'static>) -> Living<'static> {
    living
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn a_living_document_shows_the_view_from_scratch_of_what_replicas_did(
        script in steps(),
        order in proptest::collection::vec(any::<u16>(), 0..20),
        saved_at in 0usize..12,
    ) {
        let mut world = play(&script)?;
        for from in 0..REPLICAS {
            world.hear(0, from);
        }
        shows_the_view(&world.base, &delivered(&world.known[0], &order), saved_at)?;
    }

    /// What somebody took back is not among the edits any more, though others saw it and supersede it.
    #[test]
    fn a_living_document_of_what_is_left_shows_nothing_that_was_taken_back(
        script in steps(),
        order in proptest::collection::vec(any::<u16>(), 0..20),
        taken_back: u16,
    ) {
        let mut world = play(&script)?;
        for from in 0..REPLICAS {
            world.hear(0, from);
        }
        let left = world.known[0].iter().enumerate().filter(|(index, _)| taken_back >> (index % 16) & 1 == 0);
        let left: Vec<Edit> = left.map(|(_, edit)| edit.clone()).collect();
        shows_the_view(&world.base, &delivered(&left, &order), usize::MAX)?;
    }

    #[test]
    fn a_living_document_shows_the_view_from_scratch_of_what_branches_did(
        a in edits(),
        b in edits(),
        c in edits(),
        order in proptest::collection::vec(any::<u16>(), 0..20),
        saved_at in 0usize..12,
    ) {
        let base = lift(&read(&Model::start().text()));
        let mut known = Vec::new();
        for (replica, edits) in [(1, &a), (2, &b), (3, &c)] {
            known.extend(RULES.edits(&base, &lift(&read(&branch(edits, replica).text()))));
        }
        shows_the_view(&base, &delivered(&known, &order), saved_at)?;
    }
}
