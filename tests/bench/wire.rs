//! What messages cost: `cargo bench --bench wire`. Beside them the same edits by postcard, which knows nothing of them.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use rhema_crdt::crdt::{
    Act, Atom, Birth, Change, Clock, Map, Node, Observed, Path, Record, Replica, Stamp, Stamps,
};
use rhema_crdt::exchange::Message;
use rhema_crdt::exchange::wire::{Assembly, encode, fitting};
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

/// The messages that say these edits.
fn messages(mut edits: &[Known]) -> Vec<Message> {
    let mut messages = Vec::new();
    while !edits.is_empty() {
        let (now, later) = edits.split_at(fitting(edits).unwrap());
        messages.push(Message::Edits(now.to_vec()));
        edits = later;
    }
    messages
}

fn said(messages: &[Message]) -> Vec<Vec<u8>> {
    let frames = messages.iter().flat_map(|message| encode(message).unwrap());
    frames.collect()
}

const COUNTS: [usize; 2] = [1, 10_000];

#[divan::bench(args = COUNTS)]
fn cut_into_messages(bencher: Bencher, count: usize) {
    let edits = births(count);
    bencher.bench_local(|| messages(black_box(&edits)));
}

#[divan::bench(args = COUNTS)]
fn say(bencher: Bencher, count: usize) {
    let messages = messages(&births(count));
    let bytes = said(&messages).iter().map(Vec::len).sum::<usize>();
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| said(black_box(&messages)));
}

#[divan::bench(args = COUNTS)]
fn hear(bencher: Bencher, count: usize) {
    let frames = said(&messages(&births(count)));
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
