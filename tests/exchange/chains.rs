//! What is known of one replica, in few words.

use rhema_crdt::crdt::{Clock, Replica, Stamp};
use rhema_crdt::overlay::{Chain, Links};

use crate::line::BEGINNING;

/// The stamps of one replica.
fn stamps(count: u64) -> Vec<Stamp> {
    let mut clock = Clock::new(Replica::from_bits(7), None);
    (0..count)
        .map(|index| clock.tick(BEGINNING + index).unwrap())
        .collect()
}

/// Edits by the indexes of their stamps, each with that of the one before it.
fn links(stamps: &[Stamp], edits: &[(usize, Option<usize>)]) -> Links {
    let link =
        |(edit, previous): &(usize, Option<usize>)| (stamps[*edit], previous.map(|at| stamps[at]));
    edits.iter().map(link).collect()
}

#[test]
fn a_chain_is_a_function_of_the_edits_in_the_order_of_their_stamps() {
    let s = stamps(9);
    let known = links(
        &s,
        &[
            (0, None),
            (1, Some(0)),
            (3, Some(2)),
            (4, Some(3)),
            (7, Some(6)),
        ],
    );
    let expected = Chain {
        upto: Some(s[1]),
        islands: vec![s[3]..=s[4], s[7]..=s[7]],
    };
    assert_eq!(Chain::of(&known), expected);
}

#[test]
fn where_two_write_under_one_name_each_turn_begins_an_island() {
    let s = stamps(5);
    // One wrote 0, 1, 3, 4; another one 2 after 0.
    let known = links(
        &s,
        &[
            (0, None),
            (1, Some(0)),
            (2, Some(0)),
            (3, Some(1)),
            (4, Some(3)),
        ],
    );
    let expected = Chain {
        upto: Some(s[1]),
        islands: vec![s[2]..=s[2], s[3]..=s[4]],
    };
    assert_eq!(Chain::of(&known), expected);
}

#[test]
fn what_is_learned_edit_by_edit_is_known() {
    let s = stamps(6);
    let mut chain = Chain::default();
    for (edit, previous) in [
        (0, None),
        (3, Some(2)),
        (4, Some(3)),
        (1, Some(0)),
        (4, Some(3)),
    ] {
        chain.learn(s[edit], previous.map(|at: usize| s[at]));
    }
    let expected = Chain {
        upto: Some(s[1]),
        islands: vec![s[3]..=s[4]],
    };
    assert_eq!(chain, expected);
    chain.learn_all_from(s[4]);
    assert!(chain.contains(s[5]) && !chain.contains(s[2]));
}

#[test]
fn what_another_one_wrote_in_between_is_astray() {
    let s = stamps(5);
    let theirs = Chain::of(&links(
        &s,
        &[(0, None), (1, Some(0)), (3, Some(1)), (4, Some(3))],
    ));
    let here = links(
        &s,
        &[
            (0, None),
            (1, Some(0)),
            (2, Some(0)),
            (3, Some(1)),
            (4, Some(3)),
        ],
    );
    assert!(theirs.contains(s[2]));
    assert_eq!(Vec::from_iter(theirs.astray(&here)), [s[2]]);
}

#[test]
fn a_name_that_should_be_known_here_tells_nothing_of_what_lies_before() {
    let s = stamps(4);
    // They wrote 0 and 2, somebody else 0, 1 and 3.
    let theirs = Chain::of(&links(&s, &[(0, None), (2, Some(0))]));
    let here = links(&s, &[(0, None), (1, Some(0)), (3, Some(1))]);
    assert_eq!(Vec::from_iter(theirs.astray(&here)), [s[0], s[1]]);
}

#[test]
fn nothing_is_astray_where_one_writes_under_a_name() {
    let s = stamps(6);
    let all: Vec<(usize, Option<usize>)> = (0..6usize).map(|at| (at, at.checked_sub(1))).collect();
    for here in 0..=6 {
        for there in 0..=6 {
            for hole in 0..6 {
                let theirs: Vec<_> = all[..there]
                    .iter()
                    .copied()
                    .filter(|(at, _)| *at != hole)
                    .collect();
                let theirs = Chain::of(&links(&s, &theirs));
                let here = links(&s, &all[..here]);
                assert_eq!(theirs.astray(&here).len(), 0, "{theirs:?} {here:?}");
                let theirs = Chain::of(&links(&s, &all[..there]));
                let mut here = here;
                here.remove(&s[hole]);
                assert_eq!(theirs.astray(&here).len(), 0, "{theirs:?} {here:?}");
            }
        }
    }
}
