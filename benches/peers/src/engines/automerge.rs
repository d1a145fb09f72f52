//! automerge.

use super::{Engine, Measured, Wire};
use crate::clock::Cpu;
use crate::data::{Edit, Val};
use automerge::{
    ActorId, AutoCommit, AutoSerde, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value,
    sync::{Message, State, SyncDoc},
    transaction::Transactable,
};

pub struct Automerge;
pub struct Doc {
    d: AutoCommit,
    todos: ObjId,
}

fn actor(r: u64) -> ActorId {
    let mut b = [0u8; 16];
    b[..8].copy_from_slice(&r.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    b[8..].copy_from_slice(&r.to_be_bytes());
    ActorId::from(&b[..])
}
fn root(d: &AutoCommit) -> ObjId {
    d.get(ROOT, "todos").unwrap().unwrap().1
}
fn sv(v: &Val) -> ScalarValue {
    match v {
        Val::S(s) => ScalarValue::Str(s.as_str().into()),
        Val::I(i) => ScalarValue::Int(*i),
    }
}

impl Engine for Automerge {
    const NAME: &'static str = "automerge 0.12";
    type Doc = Doc;
    type Link = (State, State);

    fn new(r: u64) -> Doc {
        let mut d = AutoCommit::new().with_actor(actor(r));
        let todos = d.put_object(ROOT, "todos", ObjType::Map).unwrap();
        d.commit();
        Doc { d, todos }
    }
    fn apply(doc: &mut Doc, tx: &[Edit]) {
        let Doc { d, todos } = doc;
        for e in tx {
            match e {
                Edit::Insert(t) => {
                    let o = d.put_object(&*todos, t.id.as_str(), ObjType::Map).unwrap();
                    d.put(&o, "id", t.id.as_str()).unwrap();
                    d.put(&o, "title", t.title.as_str()).unwrap();
                    d.put(&o, "description", t.description.as_str()).unwrap();
                    d.put(&o, "status", t.status.as_str()).unwrap();
                    d.put(&o, "priority", t.priority).unwrap();
                    let l = d.put_object(&o, "tags", ObjType::List).unwrap();
                    for (i, s) in t.tags.iter().enumerate() {
                        d.insert(&l, i, s.as_str()).unwrap();
                    }
                    d.put(&o, "created_at", t.created_at.as_str()).unwrap();
                    d.put(&o, "assigned_to", t.assigned_to.as_str()).unwrap();
                }
                Edit::Update { id, field, val } => {
                    if let Some((Value::Object(_), o)) = d.get(&*todos, id.as_str()).unwrap() {
                        d.put(&o, *field, sv(val)).unwrap();
                    }
                }
                Edit::Delete { id } => d.delete(&*todos, id.as_str()).unwrap(),
            }
        }
        d.commit();
    }
    fn save(doc: &mut Doc) -> Vec<u8> {
        doc.d.save()
    }
    fn load(bytes: &[u8], r: u64) -> Doc {
        let d = AutoCommit::load(bytes).unwrap().with_actor(actor(r));
        let todos = root(&d);
        Doc { d, todos }
    }
    fn json(doc: &mut Doc) -> String {
        // Same shape as the others: the todos map itself.
        #[derive(serde::Serialize)]
        struct Wrap<'a>(AutoSerde<'a, AutoCommit>);
        serde_json::to_string(&Wrap(AutoSerde::from(&doc.d))).unwrap()
    }
    fn link(a: &mut Doc, b: &mut Doc) -> (State, State) {
        let mut l = (State::new(), State::new());
        Self::sync(&mut l, a, b);
        l
    }
    fn sync(link: &mut (State, State), a: &mut Doc, b: &mut Doc) -> Wire {
        let mut w = Wire::default();
        loop {
            let m1 = a.d.sync().generate_sync_message(&mut link.0);
            let quiet1 = m1.is_none();
            if let Some(m) = m1 {
                let bytes = m.encode();
                w.bytes += bytes.len();
                w.messages += 1;
                b.d.sync()
                    .receive_sync_message(&mut link.1, Message::decode(&bytes).unwrap())
                    .unwrap();
            }
            let m2 = b.d.sync().generate_sync_message(&mut link.1);
            let quiet2 = m2.is_none();
            if let Some(m) = m2 {
                let bytes = m.encode();
                w.bytes += bytes.len();
                w.messages += 1;
                a.d.sync()
                    .receive_sync_message(&mut link.0, Message::decode(&bytes).unwrap())
                    .unwrap();
            }
            if quiet1 && quiet2 {
                return w;
            }
        }
    }
    fn set(ops: &[(bool, u32)]) -> Measured {
        let mut d = AutoCommit::new();
        let o = d.put_object(ROOT, "set", ObjType::Map).unwrap();
        let t = Cpu::now();
        for tx in ops.chunks(100) {
            for &(add, m) in tx {
                let k = m.to_string();
                if add {
                    d.put(&o, k.as_str(), true).unwrap();
                } else {
                    d.delete(&o, k.as_str()).unwrap();
                }
            }
            d.commit();
        }
        let e = t.elapsed();
        Some((e, ops.len(), Some(d.save().len())))
    }
    fn counter(n: usize) -> Measured {
        // Increments of one counter get slower with their number: a million does not end in minutes.
        let n = n.min(20_000);
        let mut d = AutoCommit::new();
        d.put(ROOT, "c", ScalarValue::counter(0)).unwrap();
        let t = Cpu::now();
        for k in 0..n {
            d.increment(ROOT, "c", 1).unwrap();
            if k % 1000 == 999 {
                d.commit();
            }
        }
        d.commit();
        Some((t.elapsed(), n, Some(d.save().len())))
    }
}
