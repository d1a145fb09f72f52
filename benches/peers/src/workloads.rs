//! The workloads. Each prints its figures, one a line, as a name and a number; it runs in a process of its own.

use std::hint::black_box;
use std::time::Duration;

use crate::clock::Cpu;
use crate::data::{self, Edit, Rng};
use crate::engines::ours::RULES;
use crate::engines::plain::Plain;
use crate::engines::{Engine, Measured, orswot};
use rhema_crdt::crdt::Living;

/// Records in the document.
pub const BASE: usize = 10_000;
const UPDATES: usize = 200_000;
/// Edits on either side before two replicas meet.
const DIVERGE: usize = 1_000;
const SET_OPS: usize = 1_000_000;
const INCREMENTS: usize = 10_000_000;
const RSS_ITEMS: usize = 50_000;

pub fn put(name: &str, value: f64) {
    println!("{name} {value}");
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn status_kb(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// Loads the base in transactions of `chunk` inserts.
fn base<E: Engine>(n: usize, chunk: usize) -> E::Doc {
    let mut doc = E::new(1);
    let edits: Vec<Edit> = data::todos(42, n).into_iter().map(Edit::Insert).collect();
    for tx in edits.chunks(chunk) {
        E::apply(&mut doc, tx);
    }
    doc
}

/// Two replicas of the same todos, and what they remember of each other.
fn pair<E: Engine>() -> (E::Doc, E::Doc, E::Link) {
    // One transaction per record, as it grew in real life; automerge's sync compares change counts.
    let mut a = base::<E>(BASE, if E::MAX_TX < BASE { 500 } else { 1 });
    let bytes = E::save(&mut a);
    let mut b = E::load(&bytes, 2);
    let link = E::link(&mut a, &mut b);
    (a, b, link)
}

/// The todos as a JSON value, engine's wrapping removed.
fn value(json: &str) -> serde_json::Value {
    let v: serde_json::Value = serde_json::from_str(json).expect("engine printed JSON");
    match v {
        serde_json::Value::Object(mut m) if m.len() == 1 && m.contains_key("todos") => {
            m.remove("todos").unwrap()
        }
        v => v,
    }
}

/// Panics unless the engine holds exactly what the plain model holds.
fn check<E: Engine>(doc: &mut E::Doc, edits: &[&[Edit]]) {
    let mut plain = base::<Plain>(BASE, BASE);
    for e in edits {
        Plain::apply(&mut plain, e);
    }
    assert!(
        value(&E::json(doc)) == value(&Plain::json(&mut plain)),
        "{} differs from the model",
        E::NAME
    );
}

pub fn inserts<E: Engine>() {
    let edits: Vec<Edit> = data::todos(42, BASE)
        .into_iter()
        .map(Edit::Insert)
        .collect();
    let mut doc = E::new(1);
    let t = Cpu::now();
    for e in edits.chunks(1) {
        E::apply(&mut doc, e);
    }
    put("ms", ms(t.elapsed()));
    check::<E>(&mut doc, &[]);
}

pub fn updates<E: Engine>() {
    let items = data::todos(42, BASE);
    let ups = data::updates(7, &items, UPDATES);
    // One transaction per update.
    let mut doc = base::<E>(BASE, 500);
    let n = UPDATES.min(E::MAX_TX);
    let t = Cpu::now();
    for e in ups[..n].chunks(1) {
        E::apply(&mut doc, e);
    }
    put("single_ms", ms(t.elapsed()) * UPDATES as f64 / n as f64);
    put("single_run", n as f64);
    check::<E>(&mut doc, &[&ups[..n]]);
    // A hundred updates per transaction.
    let mut doc = base::<E>(BASE, 500);
    let n = UPDATES.min(E::MAX_TX.saturating_mul(10));
    let t = Cpu::now();
    for e in ups[..n].chunks(100) {
        E::apply(&mut doc, e);
    }
    put("batch_ms", ms(t.elapsed()) * UPDATES as f64 / n as f64);
    check::<E>(&mut doc, &[&ups[..n]]);
}

/// Base shared by two replicas that know of each other, then diverged.
pub fn merge<E: Engine>() {
    if !E::HAS_SYNC {
        return;
    }
    let items = data::todos(42, BASE);
    let (mut a, mut b, mut link) = pair::<E>();
    for (doc, seed) in [(&mut a, 100), (&mut b, 200)] {
        for e in data::divergent(seed, &items, DIVERGE).chunks(1) {
            E::apply(doc, e);
        }
    }
    let t = Cpu::now();
    let w = E::sync(&mut link, &mut a, &mut b);
    put("ms", ms(t.elapsed()));
    put("bytes", w.bytes as f64);
    put("messages", w.messages as f64);
    let (va, vb) = (value(&E::json(&mut a)), value(&E::json(&mut b)));
    put("diverged", f64::from(u8::from(va != vb)));
    put("records", va.as_object().map_or(0, |m| m.len()) as f64);
    // Records that lost fields: a concurrent update revived what a deletion had taken.
    let whole = |r: &serde_json::Value| {
        r.as_object()
            .is_some_and(|o| o.len() == 8 && o["tags"] != serde_json::json!([]))
    };
    put(
        "torn",
        va.as_object()
            .map_or(0, |m| m.values().filter(|r| !whole(r)).count()) as f64,
    );
}

pub fn one_update<E: Engine>() {
    if !E::HAS_SYNC {
        return;
    }
    let items = data::todos(42, BASE);
    let (mut a, mut b, mut link) = pair::<E>();
    let up = Edit::Update {
        id: items[17].id.clone(),
        field: "status",
        val: data::Val::S("completed".into()),
    };
    E::apply(&mut a, std::slice::from_ref(&up));
    let t = Cpu::now();
    let w = E::sync(&mut link, &mut a, &mut b);
    put("us", ms(t.elapsed()) * 1e3);
    put("bytes", w.bytes as f64);
    put("messages", w.messages as f64);
    check::<E>(&mut b, &[std::slice::from_ref(&up)]);
    // The same after 1,000 earlier deletions were exchanged: does the message grow with history?
    let edits = data::divergent(300, &items, 4_000);
    for e in edits.iter().filter(|e| matches!(e, Edit::Delete { .. })) {
        E::apply(&mut a, std::slice::from_ref(e));
    }
    E::sync(&mut link, &mut a, &mut b);
    let dead: std::collections::HashSet<&str> = edits
        .iter()
        .filter_map(|e| {
            if let Edit::Delete { id } = e {
                Some(id.as_str())
            } else {
                None
            }
        })
        .collect();
    let id = items
        .iter()
        .map(|t| &t.id)
        .find(|i| !dead.contains(i.as_str()))
        .unwrap();
    let up = Edit::Update {
        id: id.clone(),
        field: "status",
        val: data::Val::S("blocked".into()),
    };
    E::apply(&mut a, std::slice::from_ref(&up));
    let w = E::sync(&mut link, &mut a, &mut b);
    put("bytes_after_deletes", w.bytes as f64);
}

pub fn load<E: Engine>() {
    let measure = |doc: &mut E::Doc, tag: &str| {
        let t = Cpu::now();
        let bytes = E::save(doc);
        put(&format!("{tag}save_ms"), ms(t.elapsed()));
        put(&format!("{tag}bytes"), bytes.len() as f64);
        let t = Cpu::now();
        let mut again = E::load(&bytes, 3);
        put(&format!("{tag}load_ms"), ms(t.elapsed()));
        let json = E::json(&mut again);
        put(&format!("{tag}total_ms"), ms(t.elapsed()));
        value(&json)
    };
    let items = data::todos(42, BASE);
    let mut doc = base::<E>(BASE, 500);
    let v1 = value(&E::json(&mut doc));
    assert!(measure(&mut doc, "") == v1);
    let n = UPDATES.min(E::MAX_TX.saturating_mul(10));
    for e in data::updates(7, &items, n).chunks(100) {
        E::apply(&mut doc, e);
    }
    let v2 = value(&E::json(&mut doc));
    assert!(measure(&mut doc, "after_") == v2);
    put("after_run", n as f64);
}

fn tell_types(set: Measured, counter: Measured) {
    for (name, measured) in [("set", set), ("increment", counter)] {
        if let Some((time, run, bytes)) = measured {
            put(&format!("{name}_ns"), time.as_secs_f64() * 1e9 / run as f64);
            put(&format!("{name}_run"), run as f64);
            if let Some(bytes) = bytes {
                put(&format!("{name}_bytes"), bytes as f64);
            }
        }
    }
}

pub fn types<E: Engine>() {
    let ops = data::set_ops(11, SET_OPS);
    tell_types(E::set(&ops), E::counter(INCREMENTS));
}

/// A copied working copy: both sides write under one replica id. How many of two unrelated writes
/// are still there after both synced, and did anyone notice?
pub fn copied<E: Engine>() {
    if !E::HAS_SYNC {
        return;
    }
    let items = data::todos(42, 100);
    let mut a = E::new(1);
    let edits: Vec<Edit> = items.iter().cloned().map(Edit::Insert).collect();
    E::apply(&mut a, &edits);
    let bytes = E::save(&mut a);
    let (mut a, mut b) = (E::load(&bytes, 1), E::load(&bytes, 1));
    let mut link = E::link(&mut a, &mut b);
    let edit = |i: usize, text: &str| Edit::Update {
        id: items[i].id.clone(),
        field: "title",
        val: data::Val::S(text.into()),
    };
    E::apply(&mut a, &[edit(0, "from a")]);
    E::apply(&mut b, &[edit(1, "from b")]);
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        E::sync(&mut link, &mut a, &mut b);
    }));
    put("refused", f64::from(u8::from(refused.is_err())));
    let (va, vb) = (value(&E::json(&mut a)), value(&E::json(&mut b)));
    let kept = |v: &serde_json::Value| {
        usize::from(v[&items[0].id]["title"] == "from a")
            + usize::from(v[&items[1].id]["title"] == "from b")
    };
    put("kept_on_a", kept(&va) as f64);
    put("kept_on_b", kept(&vb) as f64);
    put("diverged", f64::from(u8::from(va != vb)));
}

pub fn memory<E: Engine>() {
    let before = status_kb("VmHWM");
    let mut rng = Rng::new(42);
    let mut doc = E::new(1);
    let t = Cpu::now();
    let mut buf = Vec::new();
    for i in 0..RSS_ITEMS {
        buf.push(Edit::Insert(data::todo(&mut rng)));
        if E::MAX_SINGLE_INSERTS >= RSS_ITEMS || buf.len() == 500 || i + 1 == RSS_ITEMS {
            E::apply(&mut doc, &buf);
            buf.clear();
        }
    }
    put("ms", ms(t.elapsed()));
    put("peak_mb", (status_kb("VmHWM") - before) / 1024.0);
    black_box(&doc);
}

/// What the machine itself allows: the denominators for any target.
pub fn floor() {
    let items = data::todos(42, BASE);
    let json = serde_json::to_string(&serde_json::json!({ "todos": items })).unwrap();
    put("json_bytes", json.len() as f64);
    let (src, mut dst) = (vec![1u8; 64 << 20], vec![0u8; 64 << 20]);
    dst.copy_from_slice(&src);
    let t = Cpu::now();
    for _ in 0..8 {
        dst.copy_from_slice(black_box(&src));
        black_box(&dst);
    }
    put(
        "memcpy_gbs",
        8.0 * 64.0 / 1024.0 / t.elapsed().as_secs_f64(),
    );

    let t = Cpu::now();
    for _ in 0..5_000_000 {
        black_box(Vec::<u8>::with_capacity(black_box(40)));
    }
    put("malloc_free_ns", t.elapsed().as_secs_f64() * 1e9 / 5e6);

    let map: std::collections::HashMap<&str, usize> = items
        .iter()
        .enumerate()
        .map(|(i, t)| (t.id.as_str(), i))
        .collect();
    let mut rng = Rng::new(5);
    let keys: Vec<&str> = (0..1_000_000)
        .map(|_| items[rng.below(BASE)].id.as_str())
        .collect();
    let t = Cpu::now();
    let mut sum = 0;
    for k in &keys {
        sum += map[k];
    }
    black_box(sum);
    put("siphash_lookup_ns", t.elapsed().as_secs_f64() * 1e9 / 1e6);

    let t = Cpu::now();
    let v: serde_json::Value = serde_json::from_str(&json).unwrap();
    put(
        "json_to_value_mbs",
        json.len() as f64 / 1e6 / t.elapsed().as_secs_f64(),
    );
    #[derive(serde::Deserialize)]
    struct File {
        todos: Vec<data::Todo>,
    }
    let t = Cpu::now();
    let f: File = serde_json::from_str(&json).unwrap();
    put(
        "json_to_struct_mbs",
        json.len() as f64 / 1e6 / t.elapsed().as_secs_f64(),
    );
    let t = Cpu::now();
    let s = serde_json::to_string(&f.todos).unwrap();
    put(
        "json_write_mbs",
        s.len() as f64 / 1e6 / t.elapsed().as_secs_f64(),
    );
    black_box((v, s));
    let t = Cpu::now();
    let n = black_box(json.as_bytes())
        .iter()
        .map(|b| u64::from(*b == b'\n'))
        .sum::<u64>();
    black_box(n);
    put(
        "byte_scan_gbs",
        json.len() as f64 / 1e9 / t.elapsed().as_secs_f64(),
    );
    let t = Cpu::now();
    let mut c = 0u64;
    for _ in 0..10_000_000u64 {
        c = black_box(c + 1);
    }
    put("increment_ns", t.elapsed().as_secs_f64() * 1e9 / 1e7);
}

/// What every command begins with, from the file itself and from a binary cache of it.
pub fn cold() {
    let yaml =
        data::yaml(&data::todos(42, BASE)).replacen("todos:", "_crdt: v1 todos=or_set\ntodos:", 1);
    put("yaml_bytes", yaml.len() as f64);
    let cpu = Cpu::now();
    let document =
        rhema_crdt::yaml::Document::read(yaml.as_bytes(), &rhema_crdt::yaml::Limits::default())
            .unwrap();
    put("parse_ms", ms(cpu.elapsed()));
    let lifted = rhema_crdt::context::lift(&document);
    put("parse_and_lift_ms", ms(cpu.elapsed()));
    let cpu = Cpu::now();
    let living = Living::new(RULES, lifted.clone());
    put("living_of_lifted_ms", ms(cpu.elapsed()));
    let saved = living.save();
    put("cache_bytes", saved.len() as f64);
    let cpu = Cpu::now();
    let again = Living::load(RULES, &saved).unwrap();
    put("cache_load_ms", ms(cpu.elapsed()));
    assert!(again.document() == lifted);
}

/// The set and the counter of the crate `crdts`, which has no documents.
pub fn types_of_crdts() {
    let ops = data::set_ops(11, SET_OPS);
    tell_types(orswot::set(&ops), orswot::counter(INCREMENTS));
}
