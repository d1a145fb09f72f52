//! No CRDT at all: a hash map of structs. The floor of what is possible, no competitor.

use super::{Engine, Measured, Wire};
use crate::clock::Cpu;
use crate::data::{Edit, Todo, Val};
use std::collections::HashMap;

pub struct Plain;

impl Engine for Plain {
    const NAME: &'static str = "plain (no CRDT)";
    const HAS_SYNC: bool = false;
    type Doc = HashMap<String, Todo>;
    type Link = ();

    fn new(_: u64) -> Self::Doc {
        HashMap::new()
    }
    fn apply(doc: &mut Self::Doc, tx: &[Edit]) {
        for e in tx {
            match e {
                Edit::Insert(t) => {
                    doc.insert(t.id.clone(), t.clone());
                }
                Edit::Update { id, field, val } => {
                    let t = doc.get_mut(id).unwrap();
                    match (*field, val) {
                        ("status", Val::S(s)) => t.status.clone_from(s),
                        ("title", Val::S(s)) => t.title.clone_from(s),
                        ("assigned_to", Val::S(s)) => t.assigned_to.clone_from(s),
                        ("priority", Val::I(i)) => t.priority = *i,
                        _ => unreachable!(),
                    }
                }
                Edit::Delete { id } => {
                    doc.remove(id);
                }
            }
        }
    }
    fn save(doc: &mut Self::Doc) -> Vec<u8> {
        serde_json::to_vec(doc).unwrap()
    }
    fn load(bytes: &[u8], _: u64) -> Self::Doc {
        serde_json::from_slice(bytes).unwrap()
    }
    fn json(doc: &mut Self::Doc) -> String {
        serde_json::to_string(doc).unwrap()
    }
    fn link(_: &mut Self::Doc, _: &mut Self::Doc) {}
    fn sync(_: &mut (), _: &mut Self::Doc, _: &mut Self::Doc) -> Wire {
        unreachable!()
    }
    fn set(ops: &[(bool, u32)]) -> Measured {
        let mut s = std::collections::HashSet::new();
        let t = Cpu::now();
        for &(add, m) in ops {
            if add {
                s.insert(m);
            } else {
                s.remove(&m);
            }
        }
        std::hint::black_box(&s);
        Some((t.elapsed(), ops.len(), None))
    }
    fn counter(n: usize) -> Measured {
        let mut m: HashMap<u64, i64> = HashMap::new();
        let t = Cpu::now();
        for _ in 0..n {
            *m.entry(std::hint::black_box(7)).or_default() += 1;
        }
        std::hint::black_box(&m);
        Some((t.elapsed(), n, None))
    }
}
