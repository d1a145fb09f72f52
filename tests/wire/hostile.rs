//! What anybody may send.

use proptest::collection::vec;
use proptest::prelude::*;
use rhema_crdt::exchange::Message;
use rhema_crdt::exchange::wire::{Assembly, Malformed, limits};

use super::edits::message;
use super::judged::judged;
use super::{config, frame, hear};

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn what_is_cut_off_is_refused_or_says_less(message in message()) {
        let frame = frame(&message);
        for end in 0..frame.len() {
            match (hear(&frame[..end]), &message) {
                (Err(_), _) => {}
                (Ok(Some(Message::Edits(heard))), Message::Edits(said)) => {
                    prop_assert!(said.starts_with(&heard) && heard.len() < said.len());
                }
                (heard, _) => prop_assert!(false, "{:?} of {:?}", heard, message),
            }
        }
    }

    #[test]
    fn what_is_too_long_is_refused(message in message(), more in vec(any::<u8>(), 1..20)) {
        let longer = [frame(&message), more].concat();
        match (hear(&longer), &message) {
            // Later versions may say more in it.
            (heard, Message::Hello(_)) => prop_assert_eq!(heard, Ok(Some(message))),
            // More edits may follow.
            (_, Message::Edits(_)) => {
                judged(&longer);
            }
            (heard, _) => prop_assert!(heard.is_err()),
        }
    }

    #[test]
    fn flipped_bits_are_judged(message in message(), flips in vec((any::<prop::sample::Index>(), 0..8), 1..20)) {
        let frame = frame(&message);
        for (at, bit) in &flips {
            let mut flipped = frame.clone();
            flipped[at.index(frame.len())] ^= 1u8 << bit;
            judged(&flipped);
        }
        let mut flipped = frame;
        for (at, bit) in &flips {
            let at = at.index(flipped.len());
            flipped[at] ^= 1u8 << bit;
            judged(&flipped);
        }
    }

    #[test]
    fn two_halves_of_what_was_said_are_judged(
        (one, other) in (message(), message()),
        (cut, on) in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let (one, other) = (frame(&one), frame(&other));
        let (cut, on) = (cut.index(one.len()), on.index(other.len()));
        judged(&[&one[..cut], &other[on..]].concat());
    }
}

proptest! {
    #![proptest_config(config(5_000))]

    #[test]
    fn any_bytes_are_judged(flags in 0u8..4, kind in 0u8..13, body in vec(any::<u8>(), 0..64)) {
        judged(&[&[flags, kind], &body[..]].concat());
        judged(&body);
    }

    /// Small numbers are counts, kinds and names of what was said: they lead further in.
    #[test]
    fn any_small_numbers_are_judged(body in vec(prop_oneof![3 => 0u8..8, 1 => any::<u8>()], 0..64)) {
        judged(&[&[0, 4], &[0; 64][..], &body[..]].concat());
    }
}

/// A number, seven bits a byte.
fn number(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A time that stamps can hold, in milliseconds since the Unix epoch.
const TIME: u64 = 1_800_000_000_000;

/// A payload that says a run of one edit, the first of replica 7, in document `x`; it has no base, nothing is published, HEAD was
/// detached.
fn edit(changes: &[u8]) -> Vec<u8> {
    let stamp = [&[0, 7, 0, 0, 0], &number(2 * TIME)[..]].concat();
    let run = [&[0, 4], &[7; 64][..], &[1]].concat();
    [&run[..], &[2], &stamp[..], &[2, b'x', 0, 0, 0], changes].concat()
}

#[test]
fn a_count_of_more_than_there_is_is_refused_before_anything_is_allocated() {
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(hear(&edit(&most)), Err(Malformed::Short));
    for kind in [2, 3, 5, 7, 8] {
        assert_eq!(
            hear(&[&[0, kind], &most[..]].concat()),
            Err(Malformed::Short),
            "{kind}"
        );
    }
    // A text of half as many bytes.
    let even = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let text = hear(&[&[0, 9, 5], &even[..]].concat());
    assert_eq!(text, Err(Malformed::Short));
}

#[test]
fn numbers_have_one_spelling_and_end() {
    let pulse = |version: &[u8]| hear(&[&[0, 9, 0], version, &[1]].concat());
    assert!(pulse(&[1]).is_ok());
    for number in [&[0x81, 0][..], &[0x80, 0x80, 4], &[0xff; 10], &[0x80; 12]] {
        assert_eq!(pulse(number), Err(Malformed::Number), "{number:x?}");
    }
}

#[test]
fn what_names_a_long_text_again_and_again_is_refused() {
    // A list whose first member is a text of 100,000 letters, and whose others are the same one.
    let members = limits::ROOM / 100_000;
    let list = |members: usize| {
        let mut body = edit(&[1, 0, 1, 11, b'a', 1]);
        body.extend(number(members as u64));
        body.extend(number(100_000 << 3));
        body.extend([b'x'; 100_000]);
        body.extend(vec![1 << 3 | 1 << 2; members - 1]);
        body
    };
    assert!(list(members).len() < 150_000);
    assert_eq!(hear(&list(members)), Err(Malformed::Room));
    let Ok(Some(Message::Edits(edits))) = hear(&list(members / 2)) else {
        panic!("half as many are taken");
    };
    assert_eq!(edits.len(), 1);
}

#[test]
fn what_is_packed_unpacks_to_no_more_than_a_frame_may_carry() {
    let bomb = |bytes: usize| {
        let packed = zstd::bulk::compress(&vec![0; bytes], 19).unwrap();
        [&[2], &packed[..]].concat()
    };
    assert!(bomb(1 << 30).len() < limits::FRAME);
    assert_eq!(hear(&bomb(1 << 30)), Err(Malformed::Packing));
    assert_eq!(hear(&bomb(limits::PIECE + 1)), Err(Malformed::Packing));
    assert_eq!(
        hear(&bomb(limits::PIECE)),
        Err(Malformed::Tag("message", 0))
    );
    // Several in a row, and one that says nothing of its length.
    let two = [&bomb(limits::PIECE)[..], &bomb(1)[1..]].concat();
    assert_eq!(hear(&two), Err(Malformed::Packing));
    let unsaid = zstd::stream::encode_all(&vec![0; 1 << 24][..], 19).unwrap();
    assert_eq!(hear(&[&[2], &unsaid[..]].concat()), Err(Malformed::Packing));
    assert_eq!(hear(&[2, 1, 2, 3]), Err(Malformed::Packing));
}

#[test]
fn what_goes_on_and_on_is_refused_when_it_is_too_long() {
    let mut assembly = Assembly::default();
    let piece = [&[1], &vec![0; limits::PIECE][..]].concat();
    let taken = (0..)
        .take_while(|_| assembly.add(&piece) == Ok(None))
        .count();
    assert_eq!(taken, limits::BODY / limits::PIECE);
    assert_eq!(assembly.add(&piece), Err(Malformed::Body));
    assert_eq!(
        assembly.add(&[1]),
        Err(Malformed::Short),
        "nothing, and more to come"
    );
    let long = vec![0; limits::FRAME + 1];
    assert_eq!(
        assembly.add(&long),
        Err(Malformed::Frame(limits::FRAME + 1))
    );
}

#[test]
fn what_newer_versions_say_is_passed_over_or_refused() {
    assert_eq!(hear(&[0, 130]), Ok(None), "optional");
    assert_eq!(hear(&[0, 255, 1, 2, 3]), Ok(None), "optional");
    assert_eq!(hear(&[0, 127]), Err(Malformed::Tag("message", 127)));
    assert_eq!(hear(&[4, 10]), Err(Malformed::Tag("frame", 4)));
    assert_eq!(hear(&[]), Err(Malformed::Short));
    assert_eq!(hear(&[0]), Err(Malformed::Short));
}

#[test]
fn what_is_not_in_order_or_out_of_range_is_refused() {
    let refused = |body: &[u8], why: Malformed| {
        assert_eq!(hear(&[&[0], body].concat()), Err(why), "{body:x?}");
    };
    let not_utf8 = String::from_utf8(vec![0xff]).unwrap_err().utf8_error();
    let time = number(TIME);
    let marks = |replicas: &[&[u8]]| [&[3, replicas.len() as u8], &replicas.concat()[..]].concat();
    let upto = |replica: u8| [&[replica, 0, 0, 0, 1], &time[..]].concat();
    assert!(hear(&[&[0], &marks(&[&upto(1), &upto(2)])[..]].concat()).is_ok());
    refused(&marks(&[&upto(2), &upto(1)]), Malformed::Order);
    refused(&marks(&[&upto(1), &upto(1)]), Malformed::Order);
    // Too early, too late, and an island where the chain before it ends.
    refused(&marks(&[&[1, 0, 0, 0, 1, 1]]), Malformed::Time);
    let late = [
        1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ];
    refused(&marks(&[&late]), Malformed::Time);
    let island = [&[1, 0, 0, 0, 3], &time[..], &[0, 1]].concat();
    refused(&marks(&[&island]), Malformed::Order);
    refused(&marks(&[&[0, 0, 0, 0x80, 0]]), Malformed::Replica);
    refused(&[9, 5, 2, 0xff], Malformed::Text(not_utf8));
    // What was observed: two digests the wrong way round, and one of too many bits.
    let saw =
        |digests: &[u8]| edit(&[&[1, 0, 1, 11, b'a', 2 | 32], digests].concat())[1..].to_vec();
    assert!(hear(&[&[0], &saw(&[2, 1, 0, 2, 0])[..]].concat()).is_ok());
    refused(&saw(&[2, 2, 0, 1, 0]), Malformed::Order);
    refused(&saw(&[1, 0, 0x80]), Malformed::Digest);
    // The first edit of a message follows nothing.
    for bit in [1, 4, 8, 16, 32] {
        let mut body = edit(&[0]);
        // Behind the signature of its run, and how many edits that has.
        body[2 + 64 + 1] = 2 ^ bit;
        let heard = hear(&body);
        assert!(
            matches!(heard, Err(Malformed::Unnamed | Malformed::Tag("edit", _))),
            "{bit}"
        );
    }
}
