//! Deterministic workload data: the same todos and the same edits for every engine.

use serde::{Deserialize, Serialize};

/// SplitMix64: small, seedable, good enough to pick words.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Rng(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.draw() % n as u64) as usize
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Todo {
    pub id: String,
    pub title: String,
    pub description: String,
    pub status: String,
    pub priority: i64,
    pub tags: Vec<String>,
    pub created_at: String,
    pub assigned_to: String,
}

#[derive(Clone, Debug)]
pub enum Val {
    S(String),
    I(i64),
}

/// One edit; a slice of edits is one transaction.
#[derive(Clone, Debug)]
pub enum Edit {
    Insert(Todo),
    Update {
        id: String,
        field: &'static str,
        val: Val,
    },
    Delete {
        id: String,
    },
}

const SYLLABLES: [&str; 24] = [
    "ra", "men", "to", "sil", "ver", "con", "du", "pli", "ka", "bor", "est", "ni", "gra", "fel",
    "om", "tis", "lu", "par", "qui", "zen", "ad", "mor", "vi", "sho",
];
const STATUS: [&str; 4] = ["pending", "active", "completed", "blocked"];
const TAGS: [&str; 16] = [
    "backend", "frontend", "docs", "infra", "bug", "feature", "perf", "security", "ui", "api",
    "db", "ci", "test", "design", "ops", "debt",
];
const PEOPLE: [&str; 8] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi",
];

fn text(rng: &mut Rng, len: usize) -> String {
    let mut s = String::with_capacity(len + 12);
    while s.len() < len {
        if !s.is_empty() {
            s.push(' ');
        }
        for _ in 0..2 + rng.below(3) {
            s.push_str(SYLLABLES[rng.below(SYLLABLES.len())]);
        }
    }
    s.truncate(len);
    s
}

pub fn todo(rng: &mut Rng) -> Todo {
    let (tlen, dlen) = (34 + rng.below(12), 140 + rng.below(40));
    let t1 = rng.below(TAGS.len());
    let t2 = (t1 + 1 + rng.below(TAGS.len() - 1)) % TAGS.len();
    Todo {
        id: format!("{:012x}", rng.draw() & 0xFFFF_FFFF_FFFF),
        title: text(rng, tlen),
        description: text(rng, dlen),
        status: STATUS[rng.below(4)].into(),
        priority: rng.below(5) as i64,
        tags: vec![TAGS[t1].into(), TAGS[t2].into()],
        created_at: format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            1 + rng.below(12),
            1 + rng.below(28),
            rng.below(24),
            rng.below(60),
            rng.below(60)
        ),
        assigned_to: PEOPLE[rng.below(8)].into(),
    }
}

pub fn todos(seed: u64, n: usize) -> Vec<Todo> {
    let mut rng = Rng::new(seed);
    (0..n).map(|_| todo(&mut rng)).collect()
}

pub fn random_update(rng: &mut Rng, id: &str) -> Edit {
    let (field, val) = match rng.below(10) {
        0..=3 => ("status", Val::S(STATUS[rng.below(4)].into())),
        4..=5 => ("priority", Val::I(rng.below(5) as i64)),
        6..=7 => ("assigned_to", Val::S(PEOPLE[rng.below(8)].into())),
        _ => ("title", Val::S(text(rng, 40))),
    };
    Edit::Update {
        id: id.into(),
        field,
        val,
    }
}

pub fn updates(seed: u64, base: &[Todo], n: usize) -> Vec<Edit> {
    let mut rng = Rng::new(seed);
    (0..n)
        .map(|_| {
            let i = rng.below(base.len());
            random_update(&mut rng, &base[i].id)
        })
        .collect()
}

/// Half updates, a quarter inserts, a quarter deletes; updates never hit an item this replica deleted.
pub fn divergent(seed: u64, base: &[Todo], n: usize) -> Vec<Edit> {
    let mut rng = Rng::new(seed);
    let mut alive = vec![true; base.len()];
    let mut out = Vec::with_capacity(n);
    for k in 0..n {
        match k % 4 {
            0 | 1 => {
                let i = loop {
                    let i = rng.below(base.len());
                    if alive[i] {
                        break i;
                    }
                };
                out.push(random_update(&mut rng, &base[i].id));
            }
            2 => out.push(Edit::Insert(todo(&mut rng))),
            _ => {
                let i = loop {
                    let i = rng.below(base.len());
                    if alive[i] {
                        break i;
                    }
                };
                alive[i] = false;
                out.push(Edit::Delete {
                    id: base[i].id.clone(),
                });
            }
        }
    }
    out
}

/// Set operations over a universe of 10,000 members: 60% adds, 40% removes.
pub fn set_ops(seed: u64, n: usize) -> Vec<(bool, u32)> {
    let mut rng = Rng::new(seed);
    (0..n)
        .map(|_| (rng.below(10) < 6, rng.below(10_000) as u32))
        .collect()
}

/// The plain YAML a context file would hold: block style, one record after another.
pub fn yaml(items: &[Todo]) -> String {
    use std::fmt::Write;
    let mut s = String::from("todos:\n");
    for t in items {
        let _ = write!(
            s,
            "  - id: {}\n    title: {}\n    description: {}\n    status: {}\n    priority: {}\n    tags:\n      - {}\n      - {}\n    created_at: \"{}\"\n    assigned_to: {}\n",
            t.id,
            t.title,
            t.description,
            t.status,
            t.priority,
            t.tags[0],
            t.tags[1],
            t.created_at,
            t.assigned_to
        );
    }
    s
}
