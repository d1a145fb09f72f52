//! What messages weigh, and what is too heavy.

use std::thread;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use rhema_crdt::crdt::{Act, Atom, Change, Map, Node, Observed, Path, Replica, Stamp, Stamps};
use rhema_crdt::exchange::wire::{Assembly, Unsendable, encode, fitting, limits};
use rhema_crdt::exchange::{Link, Message, Run};
use rhema_crdt::overlay::{Deed, DocumentPath, Known};
use rhema_crdt::yaml::double_quoted;

use super::{frame, hear, whole};

/// An edit of a replica that does this to a leaf.
fn edit(number: u64, act: Act) -> Known {
    let stamp = |number| Stamp::from_unix_millis(1_800_000_000_000 + number, Replica::from_bits(7));
    Known {
        stamp: stamp(number).unwrap(),
        previous: number.checked_sub(1).and_then(stamp),
        document: DocumentPath::new(".rhema/todos.yaml"),
        base: None,
        published: Vec::new(),
        branch: Some("main".to_owned()),
        deed: Deed::Change(vec![Change {
            at: Path::default().entry("description"),
            act,
            observed: Observed::default(),
        }]),
    }
}

/// A text of so many letters that cannot be packed well.
fn noise(letters: usize) -> Atom {
    let mut state = 1u64;
    let text: String = (0..letters)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b' ' + ((state >> 58) as u8))
        })
        .collect();
    Atom::text(double_quoted(&text), text)
}

/// An edit alone in its run.
fn run(edit: Known) -> Run {
    Run {
        before: edit.previous,
        links: vec![Link::Edit(edit)],
        signature: [7; 64],
    }
}

/// Edits, as many to a message as fit; in place of one that fits into none, why.
fn batches(edits: Vec<Known>) -> Vec<Result<Vec<Run>, Unsendable>> {
    let mut runs: Vec<Run> = edits.into_iter().map(run).collect();
    let mut batches = Vec::new();
    while !runs.is_empty() {
        let fitting = fitting(&runs);
        let rest = runs.split_off(*fitting.as_ref().unwrap_or(&1));
        batches.push(fitting.map(|_| runs));
        runs = rest;
    }
    batches
}

/// All messages that the frames say.
fn heard(frames: &[Vec<u8>]) -> Vec<Message> {
    let mut assembly = Assembly::default();
    let heard = frames
        .iter()
        .filter_map(|frame| assembly.add(frame).unwrap());
    heard.collect()
}

#[test]
fn a_text_of_two_megabytes_comes_over_in_several_frames_and_so_does_what_follows() {
    let edits = vec![
        edit(0, Act::Remove),
        edit(1, Act::Write(noise(2_000_000))),
        edit(2, Act::Remove),
    ];
    let said: Vec<Message> = batches(edits)
        .into_iter()
        .map(|batch| Message::Edits(batch.unwrap()))
        .collect();
    let counts: Vec<usize> = said
        .iter()
        .map(|message| encode(message).unwrap().len())
        .collect();
    assert_eq!(counts, [1, 2, 1], "the large edit is alone");
    let frames: Vec<_> = said.iter().flat_map(|said| encode(said).unwrap()).collect();
    assert!(frames.iter().all(|frame| frame.len() <= limits::FRAME));
    let heard: Vec<String> = heard(&frames).iter().map(whole).collect();
    assert_eq!(heard, said.iter().map(whole).collect::<Vec<_>>());
}

#[test]
fn an_edit_that_no_message_holds_is_told_and_the_others_are_sent() {
    let (before, after) = (edit(0, Act::Remove), edit(2, Act::Remove));
    let large = edit(1, Act::Write(Atom::new("x".repeat(limits::BODY))));
    let batches = batches(vec![before.clone(), large, after.clone()]);
    let why = Unsendable::Bytes(limits::BODY + 126);
    assert_eq!(
        why.to_string(),
        "it is 33554558 bytes long, and 33554432 is the most"
    );
    assert_eq!(
        batches,
        [Ok(vec![run(before)]), Err(why), Ok(vec![run(after)])]
    );
}

#[test]
fn a_batch_is_about_as_long_as_is_meant() {
    let edits = (0..1_000).map(|number| {
        let text = format!("{number} {}", "x".repeat(1_000));
        edit(number, Act::Write(Atom::text(double_quoted(&text), text)))
    });
    let batches = batches(edits.collect()).into_iter();
    let counts: Vec<usize> = batches.map(|batch| batch.unwrap().len()).collect();
    assert_eq!(counts, [243, 243, 243, 243, 28]);
}

#[test]
fn what_is_short_to_say_and_long_to_hold_makes_small_batches() {
    let long = noise(100_000);
    let edits = (0..300).map(|number| edit(number, Act::Write(long.clone())));
    let batches = batches(edits.collect()).into_iter();
    let batches: Vec<Vec<Run>> = batches.map(Result::unwrap).collect();
    let most = limits::BATCH_ROOM / 200_000;
    assert!(batches.iter().all(|batch| batch.len() <= most));
    assert!(batches.len() <= 300usize.div_ceil(most) + 1);
}

/// A map in a map and so on, with a value at the bottom.
fn nested(levels: usize) -> Known {
    let bottom = Node::Register(Atom::new("1".to_owned()), Stamps::new());
    let top = (1..levels).fold(bottom, |node, _| {
        Node::Map(Map::from([("a".to_owned(), node)]))
    });
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let mut record = super::edits::record()
        .new_tree(&mut runner)
        .unwrap()
        .current();
    record.fields = Map::from([("a".to_owned(), top)]);
    edit(
        0,
        Act::Add {
            record,
            behind: None,
        },
    )
}

#[test]
fn values_nest_as_deep_as_the_reader_of_yaml_goes() {
    let deepest = Message::Edits(vec![run(nested(limits::DEPTH))]);
    // On a stack of half the size that threads have.
    let thread = thread::Builder::new().stack_size(1 << 20).spawn(move || {
        let heard = hear(&frame(&deepest)).unwrap().unwrap();
        assert_eq!(heard, deepest);
    });
    thread.unwrap().join().unwrap();
    let deeper = Message::Edits(vec![run(nested(limits::DEPTH + 1))]);
    assert_eq!(encode(&deeper), Err(Unsendable::Depth));
    let limit = rhema_crdt::yaml::Limits::default().max_depth;
    assert!(limits::DEPTH >= limit, "what stands in a file can be sent");
}

#[test]
fn a_burst_pays_once_for_what_proves_it() {
    let bytes = |count: u64, proved: bool| {
        let edits = (0..count).map(|number| {
            let text = format!("{number}");
            edit(number, Act::Write(Atom::text(double_quoted(&text), text)))
        });
        let mut runs: Vec<Run> = edits.map(run).collect();
        if proved {
            let links = runs.drain(..).flat_map(|run| run.links);
            let links: Vec<Link> = links.collect();
            runs = links.chunks(256).map(joined).collect();
        }
        let frames = encode(&Message::Edits(runs)).unwrap();
        frames.iter().map(Vec::len).sum::<usize>()
    };
    let each = |count: u64| bytes(count, true) / usize::try_from(count).unwrap();
    println!(
        "{:?}",
        [1, 100, 1_000].map(|count| (bytes(count, true), bytes(count, false)))
    );
    assert!(each(1) < 130 && each(100) < 20 && each(1_000) < 20);
}

fn joined(links: &[Link]) -> Run {
    let Some(Link::Edit(first)) = links.first() else {
        panic!("{links:?}")
    };
    Run {
        before: first.previous,
        links: links.to_vec(),
        signature: [7; 64],
    }
}
