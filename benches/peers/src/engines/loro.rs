//! loro.

use super::{Engine, Measured, Wire};
use crate::clock::Cpu;
use crate::data::{Edit, Val};
use loro::{
    Container, ExportMode, LoroCounter, LoroDoc, LoroList, LoroMap, LoroValue, ValueOrContainer,
};

pub struct Loro;
pub struct Doc {
    d: LoroDoc,
    todos: LoroMap,
}
fn mk(d: LoroDoc) -> Doc {
    let todos = d.get_map("todos");
    Doc { d, todos }
}
fn lv(v: &Val) -> LoroValue {
    match v {
        Val::S(s) => s.as_str().into(),
        Val::I(i) => (*i).into(),
    }
}

impl Engine for Loro {
    const NAME: &'static str = "loro 1.17";
    type Doc = Doc;
    type Link = ();

    fn new(r: u64) -> Doc {
        let d = LoroDoc::new();
        d.set_peer_id(r).unwrap();
        mk(d)
    }
    fn apply(doc: &mut Doc, tx: &[Edit]) {
        for e in tx {
            match e {
                Edit::Insert(t) => {
                    let o = doc.todos.insert_container(&t.id, LoroMap::new()).unwrap();
                    o.insert("id", t.id.as_str()).unwrap();
                    o.insert("title", t.title.as_str()).unwrap();
                    o.insert("description", t.description.as_str()).unwrap();
                    o.insert("status", t.status.as_str()).unwrap();
                    o.insert("priority", t.priority).unwrap();
                    let l = o.insert_container("tags", LoroList::new()).unwrap();
                    for s in &t.tags {
                        l.push(s.as_str()).unwrap();
                    }
                    o.insert("created_at", t.created_at.as_str()).unwrap();
                    o.insert("assigned_to", t.assigned_to.as_str()).unwrap();
                }
                Edit::Update { id, field, val } => {
                    if let Some(ValueOrContainer::Container(Container::Map(o))) = doc.todos.get(id)
                    {
                        o.insert(field, lv(val)).unwrap();
                    }
                }
                Edit::Delete { id } => doc.todos.delete(id).unwrap(),
            }
        }
        doc.d.commit();
    }
    fn save(doc: &mut Doc) -> Vec<u8> {
        doc.d.export(ExportMode::Snapshot).unwrap()
    }
    fn load(bytes: &[u8], r: u64) -> Doc {
        let d = LoroDoc::new();
        d.set_peer_id(r).unwrap();
        d.import(bytes).unwrap();
        mk(d)
    }
    fn json(doc: &mut Doc) -> String {
        serde_json::to_string(&doc.d.get_deep_value()).unwrap()
    }
    fn link(_: &mut Doc, _: &mut Doc) {}
    fn sync(_: &mut (), a: &mut Doc, b: &mut Doc) -> Wire {
        let (va, vb) = (a.d.oplog_vv().encode(), b.d.oplog_vv().encode());
        let to_b =
            a.d.export(ExportMode::updates(
                &loro::VersionVector::decode(&vb).unwrap(),
            ))
            .unwrap();
        let to_a =
            b.d.export(ExportMode::updates(
                &loro::VersionVector::decode(&va).unwrap(),
            ))
            .unwrap();
        let mut w = Wire {
            bytes: va.len() + vb.len(),
            messages: 2,
        };
        // An update with nothing in it would not be sent.
        if a.d.oplog_vv() != b.d.oplog_vv() {
            let (a_new, b_new) = (
                !a.d.oplog_vv().le(&b.d.oplog_vv()),
                !b.d.oplog_vv().le(&a.d.oplog_vv()),
            );
            if a_new {
                b.d.import(&to_b).unwrap();
                w.bytes += to_b.len();
                w.messages += 1;
            }
            if b_new {
                a.d.import(&to_a).unwrap();
                w.bytes += to_a.len();
                w.messages += 1;
            }
        }
        w
    }
    fn set(ops: &[(bool, u32)]) -> Measured {
        let d = LoroDoc::new();
        let o = d.get_map("set");
        let t = Cpu::now();
        for tx in ops.chunks(100) {
            for &(add, m) in tx {
                let k = m.to_string();
                if add {
                    o.insert(&k, true).unwrap();
                } else {
                    o.delete(&k).unwrap();
                }
            }
            d.commit();
        }
        let e = t.elapsed();
        let saved = d.export(ExportMode::Snapshot).unwrap();
        Some((e, ops.len(), Some(saved.len())))
    }
    fn counter(n: usize) -> Measured {
        let n = n.min(1_000_000);
        let d = LoroDoc::new();
        let c: LoroCounter = d.get_counter("c");
        let t = Cpu::now();
        for k in 0..n {
            c.increment(1.0).unwrap();
            if k % 1000 == 999 {
                d.commit();
            }
        }
        d.commit();
        Some((
            t.elapsed(),
            n,
            Some(d.export(ExportMode::Snapshot).unwrap().len()),
        ))
    }
}
