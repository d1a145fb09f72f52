//! Our core: a living document, and the messages in which work trees tell each other of edits.

use std::collections::BTreeSet;
use std::hint::black_box;

use rhema_crdt::context::GROUPS;
use rhema_crdt::crdt::types::{OrSet, PnCounter, Replicated};
use rhema_crdt::crdt::{
    Clock, Content, Digest, Document, Edit as Told, Living, Made, Members, Replica, Rules, Stamp,
    Value,
};
use rhema_crdt::exchange::Message;
use rhema_crdt::exchange::wire::{Assembly, encode, fitting};
use rhema_crdt::overlay::{CommitId, Deed, DocumentPath, Known};
use rhema_crdt::yaml::double_quoted;

use super::{Engine, Measured, Wire};
use crate::clock::Cpu;
use crate::data::{Edit, Todo, Val};

pub struct Ours;

const LIST: &str = "todos";

pub const RULES: Rules<'static> = Rules {
    groups: &GROUPS,
    spell: double_quoted,
};

pub struct Doc {
    living: Living<'static>,
    clock: Clock,
    /// The record that was added last, behind which the next one comes.
    last: Option<String>,
    /// What the peer was not told yet; nothing while nobody listens.
    outbox: Option<Vec<Known>>,
}

/// As the store keeps it and the wire carries it.
fn known(edit: Told, stamp: Stamp, previous: Option<Stamp>) -> Known {
    Known {
        stamp,
        previous,
        document: DocumentPath::new(".rhema/todos.yaml"),
        base: Some(CommitId::from_bytes([1; 20])),
        published: vec![CommitId::from_bytes([1; 20])],
        branch: Some("main".to_owned()),
        deed: Deed::Change(edit.changes),
    }
}

fn add<'l>(
    living: &'l mut Living<'static>,
    todo: &Todo,
    behind: Option<&str>,
    stamp: Stamp,
) -> Option<Made<'l>> {
    let text = |text| Content::One(Value::Text(text));
    let priority = todo.priority.to_string();
    let tags: Vec<Value<'_>> = todo.tags.iter().map(|tag| Value::Text(tag)).collect();
    let fields = [
        ("title", text(todo.title.as_str())),
        ("description", text(&todo.description)),
        ("status", text(&todo.status)),
        ("priority", Content::One(Value::Plain(&priority))),
        ("tags", Content::List(Members::new(&tags))),
        ("created_at", text(&todo.created_at)),
        ("assigned_to", text(&todo.assigned_to)),
    ];
    let birth = Digest::of(double_quoted(&todo.title).as_bytes());
    living.add(
        LIST,
        Value::Text(&todo.id),
        birth,
        &fields,
        behind.map(Value::Text),
        stamp,
    )
}

impl Doc {
    fn new(living: Living<'static>, replica: u64) -> Self {
        Self {
            living,
            clock: Clock::new(Replica::from_bits(replica as u32), None),
            last: None,
            outbox: None,
        }
    }

    fn edit(&mut self, edit: &Edit) {
        let previous = self.clock.last();
        let stamp = self.clock.tick(1_800_000_000_000).unwrap();
        let made = match edit {
            Edit::Insert(todo) => {
                let behind = self.last.replace(todo.id.clone());
                add(&mut self.living, todo, behind.as_deref(), stamp)
            }
            Edit::Update { id, field, val } => {
                let number;
                let value = match val {
                    Val::S(text) => Value::Text(text),
                    Val::I(value) => {
                        number = value.to_string();
                        Value::Plain(&number)
                    }
                };
                self.living
                    .write(LIST, id, field, Content::One(value), stamp)
            }
            Edit::Delete { id } => self.living.remove(LIST, id, stamp),
        };
        if let (Some(outbox), Some(made)) = (&mut self.outbox, made) {
            outbox.push(known(made.edit(), stamp, previous));
        }
    }

    /// What is to be told, as frames.
    fn told(&mut self) -> Vec<Vec<u8>> {
        let mut edits = std::mem::take(self.outbox.as_mut().unwrap());
        let mut frames = Vec::new();
        while !edits.is_empty() {
            let rest = edits.split_off(fitting(&edits).unwrap());
            frames.extend(encode(&Message::Edits(edits)).unwrap());
            edits = rest;
        }
        frames
    }

    fn hear(&mut self, frames: &[Vec<u8>]) {
        let mut assembly = Assembly::default();
        for frame in frames {
            let Some(Message::Edits(edits)) = assembly.add(frame).unwrap() else {
                continue;
            };
            for Known { stamp, deed, .. } in edits {
                let Deed::Change(changes) = deed else {
                    continue;
                };
                self.living.apply(&Told {
                    stamp: Some(stamp),
                    changes,
                });
            }
        }
    }
}

impl Engine for Ours {
    const NAME: &'static str = "ours";
    type Doc = Doc;
    type Link = ();

    fn new(replica: u64) -> Doc {
        Doc::new(Living::new(RULES, Document::default()), replica)
    }

    fn apply(doc: &mut Doc, tx: &[Edit]) {
        tx.iter().for_each(|edit| doc.edit(edit));
    }

    fn save(doc: &mut Doc) -> Vec<u8> {
        doc.living.save()
    }

    fn load(bytes: &[u8], replica: u64) -> Doc {
        Doc::new(Living::load(RULES, bytes).unwrap(), replica)
    }

    fn json(doc: &mut Doc) -> String {
        let mut out = b"{".to_vec();
        let put = |out: &mut Vec<u8>, value: Value<'_>| match value {
            Value::Plain(canonical) => out.extend_from_slice(canonical.as_bytes()),
            text => serde_json::to_writer(out, text.said()).unwrap(),
        };
        doc.living.each_record(LIST, |record| {
            if out.len() > 1 {
                out.push(b',');
            }
            put(&mut out, record.name);
            out.extend_from_slice(b":{\"id\":");
            put(&mut out, record.name);
            for (name, content) in &record.fields {
                out.push(b',');
                put(&mut out, Value::Text(name));
                out.push(b':');
                match content {
                    Content::One(value) => put(&mut out, *value),
                    Content::List(members) => {
                        out.push(b'[');
                        for (index, member) in members.enumerate() {
                            if index > 0 {
                                out.push(b',');
                            }
                            put(&mut out, member);
                        }
                        out.push(b']');
                    }
                }
            }
            out.push(b'}');
        });
        out.push(b'}');
        String::from_utf8(out).unwrap()
    }

    fn link(a: &mut Doc, b: &mut Doc) {
        a.outbox = Some(Vec::new());
        b.outbox = Some(Vec::new());
    }

    fn sync((): &mut (), a: &mut Doc, b: &mut Doc) -> Wire {
        let mut wire = Wire::default();
        let (to_b, to_a) = (a.told(), b.told());
        for (frames, to) in [(to_b, b), (to_a, a)] {
            wire.messages += frames.len();
            wire.bytes += frames.iter().map(Vec::len).sum::<usize>();
            to.hear(&frames);
        }
        wire
    }

    fn set(ops: &[(bool, u32)]) -> Measured {
        let mut clock = Clock::new(Replica::from_bits(1), None);
        let mut set: OrSet<u32> = OrSet::default();
        let time = Cpu::now();
        for &(adds, member) in ops {
            let stamp = clock.tick(1_800_000_000_000).unwrap();
            let edit = match adds {
                true => set.add(stamp, member),
                false => set.remove(stamp, &member),
            };
            set.apply(&edit);
        }
        let elapsed = time.elapsed();
        let mut plain = BTreeSet::new();
        for (adds, member) in ops {
            match adds {
                true => plain.insert(*member),
                false => plain.remove(member),
            };
        }
        assert!(set.view() == plain);
        // States of the types are not saved by themselves.
        Some((elapsed, ops.len(), None))
    }

    fn counter(n: usize) -> Measured {
        let mut clock = Clock::new(Replica::from_bits(1), None);
        let mut counter = PnCounter::default();
        let time = Cpu::now();
        for _ in 0..n {
            let stamp = clock.tick(1_800_000_000_000).unwrap();
            let edit = counter.increment(stamp, black_box(1)).unwrap();
            counter.apply(&edit);
        }
        let elapsed = time.elapsed();
        assert!(usize::try_from(counter.view()) == Ok(n));
        Some((elapsed, n, None))
    }
}
