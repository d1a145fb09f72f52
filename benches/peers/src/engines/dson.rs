//! dson, the nearest to our design: delta-state, over causal dot stores.

use super::{Engine, Measured, Wire};
use crate::clock::Cpu;
use crate::data::{Edit, Todo, Val};
use dson::{
    CausalContext, CausalDotStore, Identifier, MvReg, OrArray, OrMap,
    crdts::{mvreg::MvRegValue, snapshot::ToValue},
    sentinel::DummySentinel,
};

pub struct Dson;
type Map = OrMap<String>;
pub struct Doc {
    s: CausalDotStore<Map>,
    id: Identifier,
    /// Deltas not yet sent, joined; `None` while nobody listens.
    outbox: Option<CausalDotStore<Map>>,
}

fn mv(v: &Val) -> MvRegValue {
    match v {
        Val::S(s) => MvRegValue::String(s.clone()),
        Val::I(i) => MvRegValue::I64(*i),
    }
}
fn new_todo(t: &Todo, cc: &CausalContext, id: Identifier) -> CausalDotStore<Map> {
    let mut cc = cc.clone();
    let mut acc = CausalDotStore::<Map>::default();
    let push = |acc: &mut CausalDotStore<Map>, cc: &mut CausalContext, d: CausalDotStore<Map>| {
        cc.union(&d.context);
        acc.join_or_replace_with(d.store, &d.context);
    };
    let regs: [(&str, MvRegValue); 7] = [
        ("id", t.id.clone().into()),
        ("title", t.title.clone().into()),
        ("description", t.description.clone().into()),
        ("status", t.status.clone().into()),
        ("priority", MvRegValue::I64(t.priority)),
        ("created_at", t.created_at.clone().into()),
        ("assigned_to", t.assigned_to.clone().into()),
    ];
    for (k, v) in regs {
        let d = Map::default().apply_to_register(
            |r: &MvReg, cc, id| r.write(v.clone(), cc, id),
            k.to_string(),
            &cc,
            id,
        );
        push(&mut acc, &mut cc, d);
    }
    let d = Map::default().apply_to_array(
        |_: &OrArray, cc, id| {
            let mut cc = cc.clone();
            let mut arr = CausalDotStore::<OrArray>::default();
            for (i, s) in t.tags.iter().enumerate() {
                let d = arr.store.insert_idx_register(i, s.clone(), &cc, id);
                cc.union(&d.context);
                arr.join_or_replace_with(d.store, &d.context);
            }
            arr
        },
        "tags".to_string(),
        &cc,
        id,
    );
    push(&mut acc, &mut cc, d);
    acc
}

impl Doc {
    fn delta(&self, e: &Edit, cc: &CausalContext) -> CausalDotStore<Map> {
        match e {
            Edit::Insert(t) => self.s.store.apply_to_map(
                |_: &Map, cc, id| new_todo(t, cc, id),
                t.id.clone(),
                cc,
                self.id,
            ),
            Edit::Update { id, field, val } => {
                if self.s.store.get(id).is_none() {
                    return CausalDotStore::default();
                }
                let v = mv(val);
                self.s.store.apply_to_map(
                    |m: &Map, cc, id| {
                        m.apply_to_register(
                            |r: &MvReg, cc, id| r.write(v.clone(), cc, id),
                            field.to_string(),
                            cc,
                            id,
                        )
                    },
                    id.clone(),
                    cc,
                    self.id,
                )
            }
            Edit::Delete { id } => self.s.store.remove(id, cc, self.id),
        }
    }
}

impl Engine for Dson {
    const NAME: &'static str = "dson 0.3";
    // A join walks and rebuilds the whole map, so one transaction costs O(document).
    const MAX_TX: usize = 500;
    const MAX_SINGLE_INSERTS: usize = 10_000;
    type Doc = Doc;
    type Link = ();

    fn new(r: u64) -> Doc {
        Doc {
            s: Default::default(),
            id: Identifier::new(r as u8, 0),
            outbox: None,
        }
    }
    fn apply(doc: &mut Doc, tx: &[Edit]) {
        // One transaction: its deltas are joined first and enter the document once. Two updates
        // of the same record inside one transaction go through the document, for order.
        let mut group = CausalDotStore::<Map>::default();
        let mut touched = std::collections::HashSet::new();
        let mut cc = doc.s.context.clone();
        for e in tx {
            let key = match e {
                Edit::Insert(t) => &t.id,
                Edit::Update { id, .. } | Edit::Delete { id } => id,
            };
            if !touched.insert(key.clone()) {
                let g = std::mem::take(&mut group);
                if let Some(o) = &mut doc.outbox {
                    o.join_or_replace_with(g.store.clone(), &g.context);
                }
                doc.s.join_or_replace_with(g.store, &g.context);
                touched.clear();
                touched.insert(key.clone());
            }
            let d = doc.delta(e, &cc);
            cc.union(&d.context);
            group.join_or_replace_with(d.store, &d.context);
        }
        if let Some(o) = &mut doc.outbox {
            o.join_or_replace_with(group.store.clone(), &group.context);
        }
        doc.s.join_or_replace_with(group.store, &group.context);
    }
    fn save(doc: &mut Doc) -> Vec<u8> {
        rmp_serde::to_vec_named(&doc.s).unwrap()
    }
    fn load(bytes: &[u8], r: u64) -> Doc {
        Doc {
            s: rmp_serde::from_slice(bytes).unwrap(),
            id: Identifier::new(r as u8, 0),
            outbox: None,
        }
    }
    fn json(doc: &mut Doc) -> String {
        serde_json::to_string(&serde_json::Value::from(doc.s.store.values())).unwrap()
    }
    fn link(a: &mut Doc, b: &mut Doc) {
        a.outbox = Some(Default::default());
        b.outbox = Some(Default::default());
    }
    fn sync(_: &mut (), a: &mut Doc, b: &mut Doc) -> Wire {
        let mut w = Wire::default();
        let da = a.outbox.replace(Default::default()).unwrap();
        let db = b.outbox.replace(Default::default()).unwrap();
        for (d, to) in [(da, &mut *b), (db, &mut *a)] {
            if d.is_bottom() {
                continue;
            }
            let bytes = rmp_serde::to_vec_named(&d).unwrap();
            w.bytes += bytes.len();
            w.messages += 1;
            let d: CausalDotStore<Map> = rmp_serde::from_slice(&bytes).unwrap();
            to.s.consume(d, &mut DummySentinel).unwrap();
        }
        w
    }
    fn set(ops: &[(bool, u32)]) -> Measured {
        let ops = &ops[..ops.len().min(20_000)];
        let id = Identifier::new(1, 0);
        let mut s = CausalDotStore::<Map>::default();
        let t = Cpu::now();
        for &(add, m) in ops {
            let k = m.to_string();
            let d = if add {
                s.store.apply_to_register(
                    |r: &MvReg, cc, id| r.write(MvRegValue::Bool(true), cc, id),
                    k,
                    &s.context,
                    id,
                )
            } else {
                s.store.remove(&k, &s.context, id)
            };
            s.join_or_replace_with(d.store, &d.context);
        }
        let e = t.elapsed();
        let saved = rmp_serde::to_vec_named(&s).unwrap();
        Some((e, ops.len(), Some(saved.len())))
    }
}
