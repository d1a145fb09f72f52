//! The bytes of version 3, for all times: peers of every release say and hear them.

use std::collections::BTreeSet;

use ed25519_dalek::{Signer as _, SigningKey};
use rhema_crdt::crdt::{
    Act, Atom, Birth, Change, Digest, Form, Map, Node, Observed, Part, Path, Record, Replica, Run,
    Stamp, Stamps,
};
use rhema_crdt::exchange::{
    self as seal, Denial, EditDigest, Hello, Introduction, Link, Message, Refusal, Run as Sealed,
    Voucher,
};
use rhema_crdt::node::crypto;
use rhema_crdt::overlay::{Chain, CommitId, Deed, DocumentPath, Knowledge, Known};

use super::digits::bytes;
use super::{frame, hear, whole};

fn stamp(second: u64, replica: u32) -> Stamp {
    let replica = Replica::from_bits(replica);
    Stamp::from_unix_millis(1_800_000_000_000 + 1_000 * second, replica).unwrap()
}

fn commit(number: u8) -> CommitId {
    CommitId::from_bytes([number; 20])
}

fn text(text: &str) -> Atom {
    Atom::text(format!("\"{text}\""), text.to_owned())
}

fn introduction() -> Introduction {
    Introduction {
        key: [0x5a; 32],
        incarnation: 300,
        replica: Replica::from_bits(7),
    }
}

fn observed(stamps: &[Stamp], values: &[&str]) -> Observed {
    let digests = values.iter().map(|value| Digest::of(value.as_bytes()));
    Observed::new(stamps.iter().copied().collect(), digests.collect())
}

/// A record with a value of every sort.
fn record() -> Record {
    let inner = Record {
        name: Atom::new("1".to_owned()),
        birth: Birth {
            stamp: Some(stamp(1, 8)),
            digest: Digest::of(b"inner"),
        },
        fields: Map::new(),
    };
    let stamps = Stamps::from([stamp(1, 7), stamp(2, 8)]);
    let fields = [
        (
            "list",
            Node::List(vec![text("x"), Atom::new("2".to_owned())], Stamps::new()),
        ),
        (
            "map",
            Node::Map(Map::from([(
                "a".to_owned(),
                Node::List(vec![], stamps.clone()),
            )])),
        ),
        ("set", Node::Set(vec![inner].into())),
        // What it says is not what its canonical text has in quotes.
        (
            "since",
            Node::Register(Atom::text("\"0Z\"".to_owned(), "+0".to_owned()), stamps),
        ),
        ("title", Node::Register(text("Pay by card"), Stamps::new())),
    ];
    Record {
        name: text("pay"),
        birth: Birth {
            stamp: Some(stamp(3, 7)),
            digest: Digest::of(b"\"Pay by card\""),
        },
        fields: fields.map(|(name, node)| (name.to_owned(), node)).into(),
    }
}

/// An edit that does all that an edit can.
fn everything() -> Known {
    let todos = Path::default().entry("todos");
    let (here, title) = (
        todos.record(&record()),
        todos.record(&record()).entry("title"),
    );
    let elsewhere = Record {
        birth: Birth {
            stamp: None,
            digest: Digest::of(b"elsewhere"),
        },
        ..record()
    };
    let add = |record, behind| Act::Add { record, behind };
    let form = Form {
        part: Part::Beside,
        before: String::new(),
        after: " # soon".to_owned(),
    };
    let changes = [
        (here.clone(), add(record(), Some(text("first")))),
        (todos.record(&elsewhere), add(elsewhere, Some(text("pay")))),
        (todos.clone(), add(record(), None)),
        (title.clone(), Act::Write(Atom::new("null".to_owned()))),
        (title.clone(), Act::Replace(vec![text("x")])),
        (here.clone(), Act::Remove),
        (here, Act::Move { behind: None }),
        (title.clone(), Act::Lose(Some(text("x")))),
        (title.clone(), Act::Settle(None)),
        (title, Act::Form(form)),
    ];
    let changes = changes.into_iter().enumerate().map(|(index, (at, act))| {
        let observed = match index {
            3 => observed(&[], &["seen"]),
            5 => observed(&[stamp(1, 7), stamp(2, 8)], &["seen", "too"]),
            7 => observed(&[stamp(2, 8)], &[]),
            8 => {
                let runs = [Run::over(stamp(1, 8), 300_000), Run::over(stamp(9, 7), 0)];
                Observed::new(runs.into_iter().flatten().collect(), BTreeSet::new())
            }
            _ => Observed::default(),
        };
        Change { at, act, observed }
    });
    Known {
        stamp: stamp(3, 7),
        previous: Some(stamp(1, 7)),
        document: DocumentPath::new(".rhema/todos.yaml"),
        base: Some(commit(1)),
        published: vec![commit(2), commit(1)],
        branch: Some("main".to_owned()),
        deed: Deed::Change(changes.collect()),
    }
}

/// What is done to values of types: numbers that add up, the greatest, the last writer's.
fn typed() -> Known {
    let place = |name: &str| Path::default().entry("metrics").entry(name);
    let acts = [
        ("hits", Act::Count(3)),
        ("open", Act::Count(-64)),
        ("all", Act::Count(i64::MIN)),
        ("most", Act::Raise(i64::MAX)),
        ("depth", Act::Raise(-1)),
        ("seen", Act::Last(text("by ann"))),
    ];
    let changes = acts.into_iter().map(|(name, act)| Change {
        at: place(name),
        observed: match act {
            Act::Count(_) => Observed::default(),
            _ => observed(&[stamp(1, 8)], &["seen"]),
        },
        act,
    });
    Known {
        deed: Deed::Change(changes.collect()),
        ..update()
    }
}

/// The edit of the example in `docs/protocol.md`.
fn update() -> Known {
    let record = record();
    let status = Path::default()
        .entry("todos")
        .record(&record)
        .entry("status");
    Known {
        stamp: stamp(60, 7),
        previous: Some(stamp(0, 7)),
        document: DocumentPath::new(".rhema/todos.yaml"),
        base: Some(commit(1)),
        published: vec![commit(1)],
        branch: Some("main".to_owned()),
        deed: Deed::Change(vec![Change {
            at: status,
            act: Act::Write(text("completed")),
            observed: observed(&[stamp(0, 7)], &["\"pending\""]),
        }]),
    }
}

/// Takes back what came before, in all else as that.
fn retraction() -> Known {
    let before = everything();
    Known {
        stamp: stamp(4, 7),
        previous: Some(before.stamp),
        deed: Deed::Retract(vec![before.stamp]),
        ..before
    }
}

fn knowledge() -> Knowledge {
    let beyond = Chain {
        upto: Some(stamp(0, 8)),
        islands: vec![stamp(2, 8)..=stamp(2, 8), stamp(4, 8)..=stamp(9, 8)],
    };
    let begun = Chain {
        upto: Some(stamp(5, 7)),
        islands: Vec::new(),
    };
    let missing = Chain {
        upto: None,
        islands: vec![stamp(1, 9)..=stamp(3, 9)],
    };
    [(7, begun), (8, beyond), (9, missing)]
        .map(|(replica, chain)| (Replica::from_bits(replica), chain))
        .into()
}

/// A run of these edits. What is signed is a text like any other for who only says it.
fn sealed(edits: &[Known]) -> Sealed {
    Sealed {
        before: edits.first().and_then(|edit| edit.previous),
        links: edits.iter().cloned().map(Link::Edit).collect(),
        signature: std::array::from_fn(|index| index as u8),
    }
}

fn edits(edits: &[Known]) -> Message {
    Message::Edits(vec![sealed(edits)])
}

/// Runs of which not all is said.
fn sparse() -> Message {
    let digest = |number| EditDigest([number; 32]);
    let begun = Sealed {
        before: None,
        links: vec![
            Link::Digest(stamp(0, 7), digest(1)),
            Link::Edit(update()),
            Link::Digest(stamp(61, 7), digest(2)),
        ],
        ..sealed(&[])
    };
    let amid = Sealed {
        before: Some(stamp(0, 8)),
        links: vec![Link::Digest(stamp(1, 8), digest(3))],
        ..sealed(&[])
    };
    Message::Edits(vec![begun, amid])
}

/// Every kind of message, under the name that it has in the file.
fn messages() -> Vec<(&'static str, Message)> {
    let hello = Hello {
        versions: (1, 3),
        introduction: introduction(),
        boot: 0x0123_4567_89ab_cdef,
        roots: vec![commit(1)],
        now: 1_800_000_000_000,
        stays: true,
        takes_edits: true,
        sends_edits: true,
    };
    let first = Known {
        previous: None,
        base: None,
        published: Vec::new(),
        branch: None,
        deed: Deed::Change(Vec::new()),
        ..update()
    };
    let future = Refusal::Future {
        from: vec![stamp(9, 7), stamp(8, 8)],
        now: 1_800_000_000_000,
    };
    vec![
        ("hello", Message::Hello(hello)),
        (
            "introductions",
            Message::Introductions {
                replicas: vec![introduction()],
                vouchers: vec![Voucher {
                    key: [0x5a; 32],
                    by: [0x5b; 32],
                    signature: [0x5c; 64],
                }],
            },
        ),
        ("marks", Message::Marks(knowledge())),
        ("update", edits(&[update()])),
        ("everything", edits(&[everything(), retraction()])),
        ("typed", edits(&[typed()])),
        ("first", edits(&[first])),
        ("sparse", sparse()),
        ("stored", Message::Stored(knowledge())),
        ("pulse", Message::Pulse(0x0123_4567_89ab_cdef)),
        (
            "lost",
            Message::Lost {
                bases: vec![commit(1)],
                have: vec![commit(2), commit(3)],
            },
        ),
        (
            "found",
            Message::Found(vec![(commit(1), vec![commit(2)]), (commit(3), vec![])]),
        ),
        ("version", Message::Refused(Refusal::Version(2, 300))),
        (
            "other-repository",
            Message::Refused(Refusal::OtherRepository),
        ),
        ("reads-only", Message::Refused(Refusal::ReadsOnly)),
        ("future", Message::Refused(future)),
        (
            "document",
            Message::Refused(Refusal::Document(vec![stamp(9, 7)])),
        ),
        (
            "protocol",
            Message::Refused(Refusal::Protocol("?".to_owned())),
        ),
        (
            "unproved",
            Message::Refused(Refusal::Unproved(vec![stamp(9, 7)])),
        ),
        ("stranger", denied(Denial::Stranger)),
        ("reader", denied(Denial::Reads)),
        ("removed", denied(Denial::Removed)),
        ("rule", denied(Denial::Rule("?".to_owned()))),
        (
            "early",
            Message::Refused(Refusal::Early {
                from: vec![stamp(9, 7)],
                millis: 300,
            }),
        ),
        ("done", Message::Done),
        ("reconsidered", Message::Reconsidered),
    ]
}

fn denied(why: Denial) -> Message {
    let edits = vec![stamp(9, 7), stamp(8, 8)];
    Message::Refused(Refusal::Denied { edits, why })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a message says without being packed.
fn plain(frame: &[u8]) -> Vec<u8> {
    match frame[0] {
        0 => frame.to_vec(),
        2 => {
            let body = zstd::bulk::decompress(&frame[1..], 1 << 20).unwrap();
            [&[0], &body[..]].concat()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn the_version_is_fixed_for_all_times() {
    let file = include_str!("3.hex");
    let fixed: Vec<(&str, &str)> = file
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let said: Vec<(&str, String)> = messages()
        .iter()
        .map(|(name, message)| (*name, hexadecimal(&plain(&frame(message)))))
        .collect();
    for (name, said) in &said {
        println!("{name} {said}");
    }
    let said: Vec<(&str, &str)> = said.iter().map(|(name, said)| (*name, &said[..])).collect();
    assert_eq!(said, fixed);
    for ((name, message), (_, fixed)) in messages().iter().zip(fixed) {
        let heard = hear(&bytes(fixed)).unwrap().unwrap();
        assert_eq!(whole(&heard), whole(message), "{name}");
    }
}

/// What the key signs whose secret half is 32 bytes of 1.
fn sign(text: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(&[1; 32]).sign(text).to_bytes()
}

fn key() -> String {
    hexadecimal(&public())
}

fn public() -> [u8; 32] {
    SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()
}

/// The digest of an edit, and the signature by that key under a run of that alone.
fn proof(edit: &Known) -> [String; 2] {
    let seals = seal::sealed(std::slice::from_ref(edit), &crypto(), sign);
    assert!(seals[0].is_by(&public(), &crypto()));
    let (_, EditDigest(digest)) = seals[0].run[0];
    [hexadecimal(&digest), hexadecimal(&seals[0].signature)]
}

#[test]
fn what_proves_edits_is_fixed_for_all_times() {
    // By another implementation of SHA-256 and Ed25519, in another language.
    let [digest, signature] = [
        "a29b44b1c739cb63c22fe9e4976f108a6253f332eee5286bcb444de266c9b7f2",
        "b9705685e5e3e4d324db37996b6d48682b0faac39a816d8c4c983c96139a5cb9c95dcf48a56934de6c5dc9a0c46d1cdc61d2b26ca7b7d01eba7dd31c97bad004",
    ];
    assert_eq!(proof(&update()), [digest, signature]);
    let voucher = Voucher::new([2; 32], public(), sign);
    assert!(voucher.is_true(&crypto()));
    let signature = "87de42b68895193a7d61e653af682847e42eac1d0cc693765e15ec70224798f5b5e9016b7f449c2428fabfdcb06796c6d6b4dde5c775580b67a3d12a559a320b";
    assert_eq!(hexadecimal(&voucher.signature), signature);
    // A run's signature is of its order and of what came before it, too.
    let edits = [everything(), retraction()];
    let seal = seal::sealed(&edits, &crypto(), sign).remove(0);
    assert_eq!(seal.run.len(), 2);
    let mut others = [seal.clone(), seal.clone(), seal.clone()];
    others[0].before = None;
    others[1].run.swap(0, 1);
    others[2].run.pop();
    for other in others {
        assert!(!other.is_by(&public(), &crypto()), "{other:?}");
    }
}

#[test]
fn a_key_by_which_anybody_could_have_signed_proves_nothing() {
    // The neutral element of the curve: with it a signature of zeros and itself is true of any text for who is not strict.
    let mut weak = [0; 32];
    weak[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(!(crypto().verify)(&weak, b"anything", &signature));
}

#[test]
fn a_packed_frame_is_read_whatever_packed_it() {
    // By zstd 1.5: a pulse behind a frame of nothing but a note, which readers pass over.
    let packed = "02 502a4d18 02000000 6869 28b52ffd 20 09 49 00 00 06 efcdab8967452301";
    assert_eq!(
        hear(&bytes(packed)),
        Ok(Some(Message::Pulse(0x0123_4567_89ab_cdef)))
    );
}

#[test]
fn the_example_of_the_documentation_says_what_it_says_there() {
    let documentation = include_str!("../../docs/protocol.md");
    let (_, example) = documentation.split_once("```hex\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let digits: Vec<&str> = example
        .lines()
        .map(|line| line.split_once(';').map_or(line, |(bytes, _)| bytes))
        .collect();
    let frame_and_length = bytes(&digits.concat());
    let (length, payload) = frame_and_length.split_first_chunk().unwrap();
    assert_eq!(u32::from_le_bytes(*length) as usize, payload.len());
    let heard = hear(payload).unwrap().unwrap();
    let Message::Edits(runs) = &heard else {
        panic!("{heard:?}")
    };
    let example = Sealed {
        signature: runs[0].signature,
        ..sealed(&[update()])
    };
    assert_eq!(whole(&heard), whole(&Message::Edits(vec![example])));
    let [digest, signature] = proof(&update());
    assert_eq!(hexadecimal(&runs[0].signature), signature);
    assert!(documentation.contains(&digest) && documentation.contains(&key()));
    assert_eq!(hexadecimal(&frame(&heard)), hexadecimal(payload));
    let stated: BTreeSet<&str> = documentation.split_whitespace().collect();
    assert!(
        stated.contains(&&*frame_and_length.len().to_string()),
        "its length"
    );
}
