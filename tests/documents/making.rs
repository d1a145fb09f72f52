//! Edits that are made in a living document, by whoever sees all of it: each does what was asked and nothing else, and everybody
//! who hears of it comes to see the same, in a living document as from scratch.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rhema_crdt::context::{GROUPS, lift};
use rhema_crdt::crdt::{
    Atom, Clock, Content, Digest, Document, Edit, Living, Loser, Members, Node, Path, Record,
    Replica, Stamp, Value,
};

use crate::branches::{config, read};
use crate::core::{RULES, shown};
use crate::living::{again, told};

const LIST: &str = "todos";
const FIELDS: [&str; 6] = [
    "title",
    "status",
    "completed_at",
    "outcome",
    "notes",
    "tags",
];

/// What somebody does; records are chosen by index.
#[derive(Clone, Debug)]
enum Step {
    Write {
        record: usize,
        field: usize,
        value: u8,
    },
    Tag {
        record: usize,
        field: usize,
        tags: u8,
    },
    Remove {
        record: usize,
    },
    Add {
        name: u8,
        behind: Option<usize>,
    },
    Hear,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        6 => (0usize..6, 0usize..5, 0u8..6).prop_map(|(record, field, value)| Step::Write { record, field, value }),
        2 => (0usize..6, 5usize..6, 0u8..4).prop_map(|(record, field, tags)| Step::Tag { record, field, tags }),
        2 => (0usize..6).prop_map(|record| Step::Remove { record }),
        3 => (0u8..5, proptest::option::of(0usize..6)).prop_map(|(name, behind)| Step::Add { name, behind }),
        4 => Just(Step::Hear),
    ];
    proptest::collection::vec((0usize..2, step), 1..14)
}

/// What all begin with: in one of the records something had lost, in two places.
fn start() -> Document {
    let mut base = lift(&read(
        "todos:\n  - id: r0\n    title: One\n    status: pending\n    tags: [x, y]\n  - id: r1\n    title: Two\n    notes: |\n      one\n      two\n  - id: r2\n    title: Three\n    status: done\n    completed_at: now\n    notes: some\n",
    ));
    let record = records(&base).pop().unwrap();
    for field in ["status", "notes"] {
        let loser = Loser {
            at: place(&record).entry(field),
            value: Some(Atom::text("\"lost\"".to_owned(), "lost".to_owned())),
        };
        base.losers.insert(loser, Default::default());
    }
    base
}

fn place(record: &Record) -> Path {
    Path::default().entry(LIST).record(record)
}

fn records(document: &Document) -> Vec<Record> {
    match document.root.get(LIST) {
        Some(Node::Set(records)) => records.to_vec(),
        _ => Vec::new(),
    }
}

/// The fields of records in words, in the order of the records.
type Says = Vec<(String, BTreeMap<String, Vec<String>>)>;

fn says(document: &Document) -> Says {
    let record = |record: &Record| {
        let field = |(name, node): (&String, &Node)| {
            let values = match node {
                Node::Register(value, _) => vec![value.said().to_owned()],
                Node::List(members, _) => members
                    .iter()
                    .map(|member| format!("- {}", member.said()))
                    .collect(),
                other => panic!("{other:?}"),
            };
            (name.clone(), values)
        };
        let fields = record.fields.iter().map(field).collect();
        (record.name.said().to_owned(), fields)
    };
    records(document).iter().map(record).collect()
}

/// The same, read as it lies.
fn reads(living: &Living<'_>) -> Says {
    let mut all = Vec::new();
    living.each_record(LIST, |record| {
        let fields = record.fields.iter().map(|(name, content)| {
            let values = match content {
                Content::One(value) => vec![value.said().to_owned()],
                Content::List(members) => members
                    .map(|member| format!("- {}", member.said()))
                    .collect(),
            };
            ((*name).to_owned(), values)
        });
        all.push((record.name.said().to_owned(), fields.collect()));
    });
    all
}

/// What is to be seen: what records say, and where something lost.
type Seen = (Says, BTreeSet<Loser>);

fn seen(document: &Document) -> Seen {
    (says(document), document.losers.keys().cloned().collect())
}

/// Whoever writes a field settles what lost there, or in those that change together with it.
fn settle(losers: &mut BTreeSet<Loser>, record: &Record, field: &str) {
    let group = GROUPS.iter().find(|group| group.contains(&field));
    let fields = group.map_or(vec![field], |group| group.to_vec());
    let at = fields.into_iter().map(|field| place(record).entry(field));
    let at: Vec<Path> = at.collect();
    losers.retain(|loser| !at.contains(&loser.at));
}

/// Does a step in a living document: what is to be seen then, and the edit; nothing where there is nothing to do.
fn made(living: &mut Living<'static>, step: &Step, stamp: Stamp) -> Option<(Seen, Option<Edit>)> {
    let before = living.document();
    let todos = records(&before);
    let (mut asked, mut losers) = seen(&before);
    let at = |index: usize| (!todos.is_empty()).then(|| index % todos.len());
    let edit = match *step {
        Step::Write {
            record,
            field,
            value,
        } => {
            let (index, field) = (at(record)?, FIELDS[field]);
            let text = match value {
                5 => "several\nlines\n".to_owned(),
                value => format!("{field} {value}"),
            };
            let content = Content::One(match value {
                // Spelled in a way of its own, as dates are.
                4 => Value::Spelled {
                    canonical: "!x v",
                    text: &text,
                },
                _ => Value::Text(&text),
            });
            settle(&mut losers, &todos[index], field);
            asked[index].1.insert(field.to_owned(), vec![text.clone()]);
            living
                .write(LIST, todos[index].name.said(), field, content, stamp)
                .map(|made| made.edit())
        }
        Step::Tag {
            record,
            field,
            tags,
        } => {
            let (index, field) = (at(record)?, FIELDS[field]);
            let tags: Vec<String> = (0..tags).map(|tag| format!("t{tag}")).collect();
            let members: Vec<Value<'_>> = tags.iter().map(|tag| Value::Text(tag)).collect();
            let words = tags.iter().map(|tag| format!("- {tag}")).collect();
            settle(&mut losers, &todos[index], field);
            asked[index].1.insert(field.to_owned(), words);
            let content = Content::List(Members::new(&members));
            living
                .write(LIST, todos[index].name.said(), field, content, stamp)
                .map(|made| made.edit())
        }
        Step::Remove { record } => {
            let index = at(record)?;
            asked.remove(index);
            let gone = place(&todos[index]);
            losers.retain(|loser| !loser.at.steps().starts_with(gone.steps()));
            living
                .remove(LIST, todos[index].name.said(), stamp)
                .map(|made| made.edit())
        }
        Step::Add { name, behind } => {
            let name = format!("n{name}");
            let taken = |record: &Record| record.name.said().starts_with(&name);
            if todos.iter().any(taken) {
                return None;
            }
            let behind = behind.and_then(at);
            let place = behind.map_or(0, |behind| behind + 1);
            let behind = behind.map(|behind| Value::Text(todos[behind].name.said()));
            let fields = [
                ("title", Content::One(Value::Text("New"))),
                ("status", Content::One(Value::Text("pending"))),
            ];
            let words = [("title", "New"), ("status", "pending")];
            let words = words.map(|(field, value)| (field.to_owned(), vec![value.to_owned()]));
            asked.insert(place, (name.clone(), words.into()));
            let digest = Digest::of(stamp.to_string().as_bytes());
            living
                .add(LIST, Value::Text(&name), digest, &fields, behind, stamp)
                .map(|made| made.edit())
        }
        Step::Hear => return None,
    };
    Some(((asked, losers), edit))
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn whoever_makes_an_edit_sees_just_that_and_so_does_whoever_hears_of_it(script in steps(), saved_at in 0usize..12) {
        let base = start();
        let mut living = [Living::new(RULES, base.clone()), Living::new(RULES, base.clone())];
        let mut known: [Vec<Edit>; 2] = Default::default();
        let mut clocks = [1, 2].map(|bits| Clock::new(Replica::from_bits(bits), None));
        for (time, (who, step)) in script.iter().chain(&[(0, Step::Hear), (1, Step::Hear)]).enumerate() {
            let who = *who;
            if matches!(step, Step::Hear) {
                for edit in known[1 - who].clone() {
                    living[who].apply(&edit);
                    if !known[who].contains(&edit) {
                        known[who].push(edit);
                    }
                }
            } else {
                let stamp = clocks[who].tick(1_800_000_000_000 + time as u64).unwrap();
                let Some((asked, edit)) = made(&mut living[who], step, stamp) else { continue };
                let edit = edit.unwrap();
                prop_assert!(!edit.changes.is_empty(), "nothing made of {step:?}");
                prop_assert_eq!(edit.stamp, Some(stamp));
                prop_assert_eq!(seen(&living[who].document()), asked, "after {:?}", step);
                known[who].push(edit);
            }
            prop_assert_eq!(reads(&living[who]), says(&living[who].document()));
            let scratch = RULES.view(&base, &known[who]);
            prop_assert_eq!(told(living[who].document()), told(scratch), "after {:?} of {:#?}", step, &known[who]);
            if time == saved_at {
                let saved = again(living[who].clone());
                prop_assert_eq!(reads(&saved), reads(&living[who]));
                living[who] = saved;
            }
        }
        prop_assert_eq!(shown(&living[0].document()), shown(&living[1].document()));
    }
}
