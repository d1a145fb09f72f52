//! What messages cost: `cargo bench --bench wire`. Beside them the same edits by postcard, which knows nothing of them.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use ed25519_dalek::{Signer as _, SigningKey};
use rhema_crdt::crdt::{
    Act, Atom, Birth, Change, Clock, Map, Node, Observed, Path, Record, Replica, Stamp, Stamps,
};
use rhema_crdt::exchange::wire::{Assembly, encode, fitting};
use rhema_crdt::exchange::{Link, Message, Run, Seal, sealed};
use rhema_crdt::node::crypto;
use rhema_crdt::overlay::{CommitId, Deed, DocumentPath, Known};
use rhema_crdt::yaml::double_quoted;

fn main() {
    divan::main();
}

fn text(text: String) -> Atom {
    Atom::text(double_quoted(&text), text)
}

/// The birth of a todo.
fn birth(stamp: Stamp, previous: Option<Stamp>) -> Known {
    let field =
        |name: &str, value: String| (name.to_owned(), Node::Register(text(value), Stamps::new()));
    let title = format!("Have {stamp} done by whoever has time for it");
    let record = Record {
        name: text(format!("todo-{stamp}")),
        birth: Birth {
            stamp: Some(stamp),
            digest: text(title.clone()).digest(),
        },
        fields: Map::from([
            field("title", title),
            field("status", "pending".to_owned()),
            field("priority", "medium".to_owned()),
            field("created_at", "2025-01-15T09:00:00Z".to_owned()),
        ]),
    };
    Known {
        stamp,
        previous,
        document: DocumentPath::new(".rhema/todos.yaml"),
        base: Some(CommitId::from_bytes([1; 20])),
        published: vec![CommitId::from_bytes([1; 20])],
        branch: Some("main".to_owned()),
        deed: Deed::Change(vec![Change {
            at: Path::default().entry("todos").record(&record),
            act: Act::Add {
                record,
                behind: previous.map(|stamp| text(format!("todo-{stamp}"))),
            },
            observed: Observed::default(),
        }]),
    }
}

fn births(count: usize) -> Vec<Known> {
    let mut clock = Clock::new(Replica::from_bits(7), None);
    let births = (0..count).map(|_| {
        let previous = clock.last();
        birth(clock.tick(0).unwrap(), previous)
    });
    births.collect()
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn seals(edits: &[Known]) -> Vec<Seal> {
    let key = key();
    sealed(edits, &crypto(), |text| key.sign(text).to_bytes())
}

/// The runs in which these edits are said.
fn runs(edits: &[Known]) -> Vec<Run> {
    let mut links = edits.iter().cloned().map(Link::Edit);
    let run = |seal: Seal| Run {
        before: seal.before,
        links: links.by_ref().take(seal.run.len()).collect(),
        signature: seal.signature,
    };
    seals(edits).into_iter().map(run).collect()
}

/// The messages that say these runs.
fn messages(mut runs: &[Run]) -> Vec<Message> {
    let mut messages = Vec::new();
    while !runs.is_empty() {
        let (now, later) = runs.split_at(fitting(runs).unwrap());
        messages.push(Message::Edits(now.to_vec()));
        runs = later;
    }
    messages
}

fn said(messages: &[Message]) -> Vec<Vec<u8>> {
    let frames = messages.iter().flat_map(|message| encode(message).unwrap());
    frames.collect()
}

const COUNTS: [usize; 2] = [1, 10_000];

/// Alone, and in bursts.
const BURSTS: [usize; 3] = [1, 100, 1_000];

#[divan::bench(args = BURSTS)]
fn seal(bencher: Bencher, count: usize) {
    let edits = births(count);
    bencher.bench_local(|| seals(black_box(&edits)));
}

#[divan::bench(args = BURSTS)]
fn verify(bencher: Bencher, count: usize) {
    let seals = seals(&births(count));
    let key = key().verifying_key().to_bytes();
    bencher.bench_local(|| {
        seals
            .iter()
            .all(|seal| black_box(seal).is_by(&key, &crypto()))
    });
}

#[divan::bench(args = COUNTS)]
fn cut_into_messages(bencher: Bencher, count: usize) {
    let runs = runs(&births(count));
    bencher.bench_local(|| messages(black_box(&runs)));
}

#[divan::bench(args = COUNTS)]
fn say(bencher: Bencher, count: usize) {
    let messages = messages(&runs(&births(count)));
    let bytes = said(&messages).iter().map(Vec::len).sum::<usize>();
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| said(black_box(&messages)));
}

#[divan::bench(args = COUNTS)]
fn hear(bencher: Bencher, count: usize) {
    let frames = said(&messages(&runs(&births(count))));
    bencher.bench_local(|| {
        let mut assembly = Assembly::default();
        let heard = frames.iter().map(|frame| assembly.add(frame).unwrap());
        heard.flatten().count()
    });
}

#[divan::bench(args = COUNTS)]
fn write_by_postcard(bencher: Bencher, count: usize) {
    let edits = births(count);
    bencher.bench_local(|| postcard::to_stdvec(black_box(&edits)).unwrap());
}

#[divan::bench(args = COUNTS)]
fn read_by_postcard(bencher: Bencher, count: usize) {
    let bytes = postcard::to_stdvec(&births(count)).unwrap();
    bencher.bench_local(|| postcard::from_bytes::<Vec<Known>>(black_box(&bytes)).unwrap());
}
