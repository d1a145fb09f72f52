//! yrs, the Rust port of Yjs.

use super::{Engine, Measured, Wire};
use crate::clock::Cpu;
use crate::data::{Edit, Val};

use yrs::{
    Any, ArrayPrelim, Doc as YDoc, In, Map, MapPrelim, MapRef, Out, ReadTxn, StateVector, Transact,
    Update,
    types::ToJson,
    updates::{decoder::Decode, encoder::Encode},
};

pub struct Yrs;
pub struct Doc {
    d: YDoc,
    todos: MapRef,
}
fn mk(d: YDoc) -> Doc {
    let todos = d.get_or_insert_map("todos");
    Doc { d, todos }
}
fn any(v: &Val) -> Any {
    match v {
        Val::S(s) => Any::from(s.as_str()),
        Val::I(i) => Any::from(*i),
    }
}
fn s(v: &str) -> In {
    In::Any(Any::from(v))
}

impl Engine for Yrs {
    const NAME: &'static str = "yrs 0.28";
    type Doc = Doc;
    type Link = ();

    fn new(r: u64) -> Doc {
        mk(YDoc::with_client_id(r))
    }
    fn apply(doc: &mut Doc, tx: &[Edit]) {
        let mut txn = doc.d.transact_mut();
        for e in tx {
            match e {
                Edit::Insert(t) => {
                    let m: MapPrelim = [
                        ("id", s(&t.id)),
                        ("title", s(&t.title)),
                        ("description", s(&t.description)),
                        ("status", s(&t.status)),
                        ("priority", In::Any(Any::from(t.priority))),
                        (
                            "tags",
                            In::Array(ArrayPrelim::from_iter(
                                t.tags.iter().map(|x| Any::from(x.as_str())),
                            )),
                        ),
                        ("created_at", s(&t.created_at)),
                        ("assigned_to", s(&t.assigned_to)),
                    ]
                    .into();
                    doc.todos.insert(&mut txn, t.id.as_str(), m);
                }
                Edit::Update { id, field, val } => {
                    if let Some(Out::YMap(o)) = doc.todos.get(&txn, id) {
                        o.insert(&mut txn, *field, any(val));
                    }
                }
                Edit::Delete { id } => {
                    doc.todos.remove(&mut txn, id);
                }
            }
        }
    }
    fn save(doc: &mut Doc) -> Vec<u8> {
        doc.d
            .transact()
            .encode_state_as_update_v2(&StateVector::default())
    }
    fn load(bytes: &[u8], r: u64) -> Doc {
        let d = YDoc::with_client_id(r);
        let doc = mk(d);
        doc.d
            .transact_mut()
            .apply_update(Update::decode_v2(bytes).unwrap())
            .unwrap();
        doc
    }
    fn json(doc: &mut Doc) -> String {
        serde_json::to_string(&doc.todos.to_json(&doc.d.transact())).unwrap()
    }
    fn link(_: &mut Doc, _: &mut Doc) {}
    fn sync(_: &mut (), a: &mut Doc, b: &mut Doc) -> Wire {
        let (va, vb) = (
            a.d.transact().state_vector().encode_v1(),
            b.d.transact().state_vector().encode_v1(),
        );
        let to_b =
            a.d.transact()
                .encode_diff_v2(&StateVector::decode_v1(&vb).unwrap());
        let to_a =
            b.d.transact()
                .encode_diff_v2(&StateVector::decode_v1(&va).unwrap());
        b.d.transact_mut()
            .apply_update(Update::decode_v2(&to_b).unwrap())
            .unwrap();
        a.d.transact_mut()
            .apply_update(Update::decode_v2(&to_a).unwrap())
            .unwrap();
        Wire {
            bytes: va.len() + vb.len() + to_a.len() + to_b.len(),
            messages: 4,
        }
    }
    fn set(ops: &[(bool, u32)]) -> Measured {
        let d = YDoc::with_client_id(1);
        let o = d.get_or_insert_map("set");
        let t = Cpu::now();
        for tx in ops.chunks(100) {
            let mut txn = d.transact_mut();
            for &(add, m) in tx {
                let k = m.to_string();
                if add {
                    o.insert(&mut txn, k, true);
                } else {
                    o.remove(&mut txn, &k);
                }
            }
        }
        let e = t.elapsed();
        let n = d
            .transact()
            .encode_state_as_update_v2(&StateVector::default())
            .len();
        Some((e, ops.len(), Some(n)))
    }
}
