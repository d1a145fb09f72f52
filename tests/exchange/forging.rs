//! What is proved is taken, and nothing else, whoever brings it.

use rhema_crdt::crdt::{Replica, Stamp};
use rhema_crdt::exchange::wire::{Assembly, encode};
use rhema_crdt::exchange::{
    Access, Config, Denial, EditDigest, Event, Happening, Introduction, Key, Link, Message,
    Refusal, Run, Shelf as _, Standing, Stay, Taken, Them, Violation, Voucher, take, take_written,
    write_down,
};
use rhema_crdt::overlay::{Deed, DocumentPath, Known};

use crate::line::{
    BEGINNING, End, Line, chain, crypto, introduction, line, naming, said, sign, signed, us,
};
use crate::shelf::Memory;

const AHEAD: u64 = 600_000;

const MINUTE: u64 = 60_000;

fn key(number: u8) -> Key {
    [number; 32]
}

/// Another key, whose replicas have the same names.
fn ground(number: u8) -> Key {
    let mut key = [0; 32];
    key[0] = number;
    key
}

fn tried(shelf: &mut Memory, runs: Vec<Run>) -> Result<Taken, Violation> {
    take(runs, &crypto(), BEGINNING, AHEAD, shelf).unwrap()
}

fn taken(shelf: &mut Memory, runs: Vec<Run>) -> Taken {
    tried(shelf, runs).unwrap()
}

fn stamps(edits: &[Known]) -> Vec<Stamp> {
    edits.iter().map(|edit| edit.stamp).collect()
}

fn known(shelf: &Memory) -> Vec<Stamp> {
    shelf.edits.keys().copied().collect()
}

/// The edits under the same name that say something else.
fn altered(edits: &[Known]) -> Vec<Known> {
    let mut edits = edits.to_vec();
    for edit in &mut edits {
        edit.branch = Some("mine".to_owned());
    }
    edits
}

#[test]
fn what_somebody_else_signed_is_refused_and_the_rest_is_taken() {
    let (forged, honest) = (chain(3, 2), chain(2, 2));
    let mut shelf = Memory::default();
    let mut runs = signed(&forged, &key(2));
    runs.extend(signed(&honest, &key(2)));
    let taken = taken(&mut shelf, runs);
    assert_eq!(taken.refused, [Refusal::Unproved(stamps(&forged))]);
    assert_eq!(taken.added.new, 2);
    assert_eq!(known(&shelf), stamps(&honest));
}

#[test]
fn whatever_byte_of_a_message_is_altered_nothing_else_is_taken_than_what_was_signed() {
    let edits = chain(2, 3);
    let [frame] = encode(&said(edits.clone())).unwrap().try_into().unwrap();
    let (mut refused, mut unreadable) = (0, 0);
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut frame: Vec<u8> = frame.clone();
            frame[at] ^= 1 << bit;
            let Ok(Some(Message::Edits(runs))) = Assembly::default().add(&frame) else {
                unreadable += 1;
                continue;
            };
            let mut shelf = Memory::default();
            if let Ok(taken) = tried(&mut shelf, runs) {
                assert!(!taken.refused.is_empty(), "byte {at}, bit {bit}");
            }
            assert!(shelf.edits.is_empty(), "byte {at}, bit {bit}");
            refused += 1;
        }
    }
    assert!(refused > 500 && unreadable > 100, "{refused}, {unreadable}");
}

#[test]
fn a_run_that_is_cut_joined_or_put_in_another_order_proves_nothing() {
    let edits = chain(2, 4);
    let whole = || signed(&edits, &key(2)).remove(0);
    let [one, other] = [&edits[..2], &edits[2..]].map(|edits| signed(edits, &key(2)).remove(0));
    let mut cut = whole();
    cut.links.pop();
    let mut behind = whole();
    behind.links.remove(0);
    behind.before = Some(edits[0].stamp);
    let joined = Run {
        links: one.links.iter().chain(&other.links).cloned().collect(),
        ..one.clone()
    };
    for run in [cut, behind, joined] {
        let mut shelf = Memory::default();
        let taken = taken(&mut shelf, vec![run]);
        assert!(
            matches!(taken.refused[..], [Refusal::Unproved(_)]),
            "{taken:?}"
        );
        assert!(shelf.edits.is_empty());
    }
    let mut swapped = whole();
    swapped.links.swap(1, 2);
    let mut shelf = Memory::default();
    let swapped = tried(&mut shelf, vec![swapped]);
    assert_eq!(swapped, Err(Violation::Chain(edits[2].stamp)));
}

#[test]
fn a_part_of_a_run_is_proved_by_the_digests_of_the_rest() {
    let mut edits = chain(2, 5);
    edits[1].document = DocumentPath::new(".rhema/secret.yaml");
    let mut first = Memory::default();
    first.trust.closed = Some((key(2), "secret"));
    let refused = taken(&mut first, signed(&edits, &key(2))).refused;
    let why = Denial::Rule("not secret".to_owned());
    let edit = edits[1].stamp;
    assert_eq!(
        refused,
        [Refusal::Denied {
            edits: vec![edit],
            why
        }]
    );
    assert_eq!(first.edits.len(), 4);
    // Who refused one passes on the others.
    let them = |number: u8| Them {
        key: key(number),
        access: Access::Writes,
    };
    let config = Config::new(crypto());
    let mut line = Line::new([
        End::new(us(3, Stay::On), them(4), config, &[]),
        End::new(us(4, Stay::On), them(3), config, &[]),
    ]);
    line.ends[0].shelf = first;
    line.open();
    let [passing, getting] = &line.ends;
    assert_eq!(getting.shelf.edits, passing.shelf.edits);
    let refused = |happening: &Happening| matches!(happening, Happening::WeRefused(_));
    assert!(!getting.told.iter().any(refused), "{:?}", getting.told);
    // One edit at a time goes as well.
    let config = Config { batch: 1, ..config };
    let mut slow = Line::new([
        End::new(us(4, Stay::On), them(5), config, &[]),
        End::new(us(5, Stay::On), them(4), config, &[]),
    ]);
    slow.ends[0].shelf = line.ends[1].shelf.clone();
    slow.open();
    assert_eq!(slow.ends[1].shelf.edits.len(), 4);
}

#[test]
fn saying_again_what_was_said_changes_nothing() {
    let edits = chain(2, 3);
    let mut shelf = Memory::default();
    taken(&mut shelf, signed(&edits, &key(2)));
    let before = shelf.clone();
    let again = taken(&mut shelf, signed(&edits, &key(2)));
    assert_eq!((again.added.new, again.refused.len()), (0, 0));
    assert!(again.added.forks.is_empty() && again.added.equivocations.is_empty());
    assert_eq!(shelf, before);
}

#[test]
fn runs_may_come_in_any_order() {
    let edits = chain(2, 6);
    let pairs = edits.chunks(2).flat_map(|pair| signed(pair, &key(2)));
    let mut backwards: Vec<Run> = pairs.collect();
    backwards.reverse();
    let mut shelf = Memory::default();
    for run in backwards {
        taken(&mut shelf, vec![run]);
    }
    assert_eq!(known(&shelf), stamps(&edits));
}

#[test]
fn what_a_reader_made_is_refused_whoever_brings_it() {
    let edits = chain(3, 2);
    let mut shelf = Memory::default();
    shelf.trust.standings.insert(key(3), Standing::Reads);
    let taken = taken(&mut shelf, signed(&edits, &key(3)));
    let why = Denial::Reads;
    let edits = stamps(&edits);
    assert_eq!(taken.refused, [Refusal::Denied { edits, why }]);
    assert!(shelf.edits.is_empty());
}

#[test]
fn of_a_removed_member_what_was_known_then_is_taken_and_nothing_later() {
    let edits = chain(3, 6);
    let mut shelf = Memory::default();
    shelf.trust.standings.insert(key(3), Standing::Removed);
    shelf.trust.until = vec![edits[3].stamp];
    let later = Refusal::Denied {
        edits: stamps(&edits[4..]),
        why: Denial::Removed,
    };
    // All in one run: the later ones are told apart by their stamps alone.
    let taken = taken(&mut shelf, signed(&edits, &key(3)));
    assert_eq!(taken.refused, [later]);
    assert_eq!(known(&shelf), stamps(&edits[..4]));
}

#[test]
fn a_removed_member_who_dates_back_adds_nothing_to_what_is_whole() {
    let edits = chain(3, 4);
    let mut shelf = Memory::default();
    taken(&mut shelf, signed(&edits, &key(3)));
    shelf.trust.standings.insert(key(3), Standing::Removed);
    shelf.trust.until = vec![edits[3].stamp];
    let before = shelf.clone();
    // Another edit under a stamp that is known, and one between two of them.
    let mut between = edits[1].clone();
    let millis = edits[1].stamp.unix_millis() + 1;
    between.stamp = Stamp::from_unix_millis(millis, edits[1].stamp.replica()).unwrap();
    between.previous = Some(edits[1].stamp);
    for made_up in [altered(&edits[1..2]), vec![between]] {
        let taken = taken(&mut shelf, signed(&made_up, &key(3)));
        assert_eq!(taken.added.new, 0);
        assert!(taken.added.equivocations.is_empty());
        assert_eq!(shelf, before);
    }
}

#[test]
fn a_key_of_the_same_name_proves_nothing_for_the_other_one() {
    let (edits, forged) = (chain(3, 2), altered(&chain(3, 2)));
    let replica = introduction(3, 0).replica;
    let impostor = Introduction {
        key: ground(3),
        incarnation: 0,
        replica,
    };
    assert_eq!(naming(&ground(3), 0), replica);
    let introduce = |key: Key| Message::Introductions {
        replicas: vec![Introduction {
            key,
            incarnation: 0,
            replica,
        }],
        vouchers: Vec::new(),
    };
    let mut shelf = Memory::default();
    shelf.trust.standings.insert(ground(3), Standing::Unknown);
    let messages = [
        introduce(ground(3)),
        introduce(key(3)),
        Message::Edits(signed(&forged, &ground(3))),
        introduce(ground(3)),
        Message::Edits(signed(&edits, &key(3))),
    ];
    let taken = take_written(messages, &crypto(), BEGINNING, AHEAD, &mut shelf);
    let taken = taken.unwrap().unwrap();
    assert_eq!(taken.refused, [Refusal::Unproved(stamps(&forged))]);
    assert_eq!(known(&shelf), stamps(&edits));
    assert_eq!(
        shelf.introductions(&[replica]).unwrap(),
        [introduction(3, 0)]
    );
    // Where the other one is trusted, too, each has its own: that is told like any other name that two write under.
    shelf.trust.standings.clear();
    let messages = [
        introduce(ground(3)),
        Message::Edits(signed(&forged, &ground(3))),
    ];
    let taken = take_written(messages, &crypto(), BEGINNING, AHEAD, &mut shelf);
    let taken = taken.unwrap().unwrap();
    assert_eq!(taken.added.equivocations, stamps(&forged));
    assert_eq!(
        shelf.introductions(&[replica]).unwrap(),
        [introduction(3, 0), impostor]
    );
    assert_eq!(shelf.edits[&edits[0].stamp], edits[0]);
}

#[test]
fn two_edits_of_one_author_under_one_stamp_are_kept_and_told() {
    let edits = chain(3, 2);
    let mut shelf = Memory::default();
    taken(&mut shelf, signed(&edits, &key(3)));
    let taken = taken(&mut shelf, signed(&altered(&edits), &key(3)));
    assert_eq!(taken.added.equivocations, stamps(&edits));
    assert_eq!(shelf.equivocations, altered(&edits));
}

fn voucher(of: u8, by: u8) -> Voucher {
    Voucher::new(key(of), key(by), |text| sign(&key(by), text))
}

/// What replica 3 says through somebody, with these vouchers, to one who does not know it.
fn heard_of(vouchers: Vec<Voucher>, shelf: &mut Memory) -> Result<Taken, Violation> {
    shelf.trust.standings.insert(key(3), Standing::Unknown);
    let messages = [
        Message::Introductions {
            replicas: vec![introduction(3, 0)],
            vouchers,
        },
        Message::Edits(signed(&chain(3, 2), &key(3))),
    ];
    take_written(messages, &crypto(), BEGINNING, AHEAD, shelf).unwrap()
}

fn stranger() -> Refusal {
    Refusal::Denied {
        edits: stamps(&chain(3, 2)),
        why: Denial::Stranger,
    }
}

#[test]
fn whom_somebody_trusted_vouches_for_may_write() {
    let mut shelf = Memory::default();
    let taken = heard_of(Vec::new(), &mut shelf).unwrap();
    assert_eq!(taken.refused, [stranger()]);
    let taken = heard_of(vec![voucher(3, 2)], &mut shelf).unwrap();
    assert_eq!((taken.added.new, taken.refused.len()), (2, 0));
    // It is kept, and passed on with what it proves.
    assert_eq!(shelf.vouchers(&[key(3)]).unwrap(), [voucher(3, 2)]);
}

#[test]
fn a_voucher_of_one_who_may_not_write_counts_for_nothing() {
    for standing in [Standing::Reads, Standing::Removed, Standing::Unknown] {
        let mut shelf = Memory::default();
        shelf.trust.standings.insert(key(2), standing);
        let taken = heard_of(vec![voucher(3, 2)], &mut shelf).unwrap();
        assert_eq!(taken.refused, [stranger()], "{standing:?}");
        assert!(shelf.edits.is_empty());
    }
}

#[test]
fn a_voucher_that_came_before_its_giver_was_removed_counts_no_longer() {
    let mut shelf = Memory::default();
    heard_of(vec![voucher(3, 2)], &mut shelf).unwrap();
    shelf.trust.standings.insert(key(2), Standing::Removed);
    shelf.edits.clear();
    let taken = heard_of(Vec::new(), &mut shelf).unwrap();
    assert_eq!(taken.refused, [stranger()]);
}

#[test]
fn what_is_known_of_a_key_by_itself_weighs_more_than_any_voucher() {
    for (standing, why) in [
        (Standing::Reads, Denial::Reads),
        (Standing::Removed, Denial::Removed),
    ] {
        let mut shelf = Memory::default();
        heard_of(vec![voucher(3, 2)], &mut shelf).unwrap();
        shelf.edits.clear();
        shelf.trust.standings.insert(key(3), standing);
        let taken = taken(&mut shelf, signed(&chain(3, 2), &key(3)));
        let edits = stamps(&chain(3, 2));
        assert_eq!(taken.refused, [Refusal::Denied { edits, why }]);
    }
}

#[test]
fn a_voucher_that_nobody_signed_ends_the_conversation() {
    let forged = Voucher {
        by: key(4),
        ..voucher(3, 2)
    };
    let mut shelf = Memory::default();
    assert_eq!(heard_of(vec![forged], &mut shelf), Err(Violation::Voucher));
}

#[test]
fn what_the_one_who_vouches_may_not_write_those_may_not_either() {
    let mut shelf = Memory::default();
    shelf.trust.closed = Some((key(2), "todos"));
    let taken = heard_of(vec![voucher(3, 2)], &mut shelf).unwrap();
    let why = Denial::Rule("not todos".to_owned());
    let edits = stamps(&chain(3, 2));
    assert_eq!(taken.refused, [Refusal::Denied { edits, why }]);
    // Another one who vouches for them answers for them.
    let taken = heard_of(vec![voucher(3, 4)], &mut shelf).unwrap();
    assert_eq!(taken.added.new, 2);
}

/// A line on which replica 1 passes on what 3 made to replica 2.
fn passing_on(edits: &[Known]) -> Line {
    line([Stay::On, Stay::On], [edits, &[]])
}

fn refused(told: &[Happening]) -> Vec<&Happening> {
    let is_refusal = |happening: &&Happening| {
        matches!(
            happening,
            Happening::WeRefused(_) | Happening::TheyRefused(_)
        )
    };
    told.iter().filter(is_refusal).collect()
}

#[test]
fn both_are_told_of_what_is_refused_and_it_is_not_said_again() {
    let edits = chain(3, 2);
    let mut line = passing_on(&edits);
    line.ends[1]
        .shelf
        .trust
        .standings
        .insert(key(3), Standing::Unknown);
    line.open();
    let [passing, getting] = &line.ends;
    assert_eq!(refused(&getting.told), [&Happening::WeRefused(stranger())]);
    assert_eq!(
        refused(&passing.told),
        [&Happening::TheyRefused(stranger())]
    );
    line.ends[0].said.clear();
    line.wait(60 * MINUTE);
    let is_edits = |message: &&Message| matches!(message, Message::Edits(_));
    assert_eq!(line.ends[0].said.iter().filter(is_edits).count(), 0);
    // Further ones are no news to people.
    line.ends[0].shelf.put(chain(3, 3));
    line.step(0, Event::News);
    line.run();
    assert_eq!(refused(&line.ends[1].told).len(), 1);
}

#[test]
fn what_was_refused_comes_when_its_author_is_trusted() {
    let edits = chain(3, 2);
    let mut line = passing_on(&edits);
    line.ends[1]
        .shelf
        .trust
        .standings
        .insert(key(3), Standing::Unknown);
    line.open();
    assert!(line.ends[1].shelf.edits.is_empty());
    line.ends[1].shelf.trust.standings.clear();
    line.step(1, Event::Reconsidered);
    line.run();
    assert_eq!(known(&line.ends[1].shelf), stamps(&edits));
    assert_eq!(
        line.ends[1].shelf.introductions[&edits[0].stamp.replica()],
        [introduction(3, 0)],
        "whose they are is said again, too"
    );
}

fn withheld(told: &[Happening]) -> Vec<&Vec<Stamp>> {
    let withheld = told.iter().filter_map(|happening| match happening {
        Happening::Withheld(stamps) => Some(stamps),
        _ => None,
    });
    withheld.collect()
}

/// Hears what replica 2 says that keeps some edits back, and says that it said all.
fn keeping_back(line: &mut Line, is_kept: impl Fn(&Known) -> bool + 'static) {
    line.tamper(1, move |link| match link {
        Link::Edit(edit) if is_kept(&edit) => {
            Link::Digest(edit.stamp, EditDigest::of(&edit, &crypto()))
        }
        link => link,
    });
}

#[test]
fn who_claims_edits_and_does_not_say_them_is_told_of_once_and_others_heal_it() {
    let edits = chain(3, 5);
    for hidden in [1, 4] {
        let mut line = line([Stay::On, Stay::On], [&[], &edits]);
        let kept = edits[hidden].stamp;
        keeping_back(&mut line, move |edit| edit.stamp == kept);
        line.open();
        line.wait(30 * MINUTE);
        let here = &line.ends[0];
        assert_eq!(here.shelf.edits.len(), 4);
        let named = if hidden == 4 {
            kept
        } else {
            edits[hidden + 1].stamp
        };
        assert_eq!(withheld(&here.told), [&vec![named]], "{hidden}");
        // Another one has it.
        let mut other = self::line([Stay::UntilDone, Stay::On], [&[], &edits]);
        other.ends[0].shelf = here.shelf.clone();
        other.open();
        assert_eq!(known(&other.ends[0].shelf), stamps(&edits));
        assert!(withheld(&other.ends[0].told).is_empty());
    }
}

#[test]
fn what_is_kept_back_later_is_told_of_when_there_was_time_to_say_it() {
    let edits = chain(3, 5);
    let mut line = line([Stay::On, Stay::On], [&[], &edits[..3]]);
    line.open();
    let kept = edits[4].stamp;
    keeping_back(&mut line, move |edit| edit.stamp == kept);
    line.ends[1].shelf.put(edits[3..].to_vec());
    line.step(1, Event::News);
    line.run();
    assert!(withheld(&line.ends[0].told).is_empty(), "it may come yet");
    line.wait(30 * MINUTE);
    assert_eq!(withheld(&line.ends[0].told), [&vec![kept]]);
}

#[test]
fn nobody_is_suspected_who_says_all_or_whose_edits_are_refused() {
    let mut edits = chain(3, 5);
    edits[2].document = DocumentPath::new("../todos.yaml");
    let mut line = line([Stay::On, Stay::On], [&chain(2, 3), &edits]);
    line.open();
    line.wait(30 * MINUTE);
    for end in &line.ends {
        assert!(withheld(&end.told).is_empty(), "{:?}", end.told);
    }
    assert_eq!(line.ends[0].shelf.edits.len(), 7);
}

#[test]
fn a_burst_is_signed_once_and_no_run_is_longer_than_others_take() {
    let runs = signed(&chain(2, 1_000), &key(2));
    let lengths: Vec<usize> = runs.iter().map(|run| run.links.len()).collect();
    assert_eq!(lengths, [256, 256, 256, 232]);
    // Edits that are long share none.
    let mut long = chain(2, 3);
    for edit in &mut long {
        edit.deed = Deed::Retract((0..20_000).map(stamp).collect());
    }
    assert_eq!(signed(&long, &key(2)).len(), 3);
    // Of two replicas, or where one does not name the one before it, each has its own.
    let two = [chain(2, 2), chain(3, 2)].concat();
    assert_eq!(signed(&two, &key(2)).len(), 2);
    let gap = [&chain(2, 3)[..1], &chain(2, 3)[2..]].concat();
    assert_eq!(signed(&gap, &key(2)).len(), 2);
}

fn stamp(number: u64) -> Stamp {
    Stamp::from_unix_millis(BEGINNING + number, Replica::from_bits(7)).unwrap()
}

#[test]
fn who_says_longer_runs_breaks_the_protocol() {
    let edits = chain(2, 257);
    let mut run = signed(&edits[..1], &key(2)).remove(0);
    run.links = edits.into_iter().map(Link::Edit).collect();
    let tried = tried(&mut Memory::default(), vec![run]);
    assert_eq!(tried, Err(Violation::TooMany("edits in a run")));
}

#[test]
fn what_was_left_in_writing_is_judged_like_what_is_said() {
    let edits = chain(2, 3);
    let mut shelf = Memory::default();
    let hello = [Message::Done];
    let written = take_written(hello, &crypto(), BEGINNING, AHEAD, &mut shelf).unwrap();
    assert!(written.is_err(), "nothing else is left in writing");
    let mut author = Memory::default();
    author.put(edits.clone());
    let messages = write_down(edits.clone(), &crypto(), &mut author).unwrap();
    assert!(matches!(messages[0], Message::Introductions { .. }));
    let early = take_written(messages.clone(), &crypto(), 0, AHEAD, &mut shelf).unwrap();
    assert!(matches!(
        early.unwrap().refused[..],
        [Refusal::Future { .. }]
    ));
    let taken = take_written(messages, &crypto(), BEGINNING, AHEAD, &mut shelf).unwrap();
    assert_eq!(taken.unwrap().added.new, 3);
    assert_eq!(known(&shelf), stamps(&edits));
}

#[test]
fn whoever_is_refused_early_says_it_again_when_it_is_due() {
    let edits = chain(1, 3);
    let mut line = line([Stay::On, Stay::On], [&edits, &[]]);
    line.ends[1].shelf.trust.not_before = Some((edits[1].stamp, BEGINNING + 10 * MINUTE));
    line.open();
    assert_eq!(known(&line.ends[1].shelf), stamps(&edits[..1]));
    line.wait(9 * MINUTE);
    assert_eq!(known(&line.ends[1].shelf), stamps(&edits[..1]));
    line.ends[1].shelf.trust.not_before = None;
    line.wait(2 * MINUTE);
    assert_eq!(known(&line.ends[1].shelf), stamps(&edits));
}
