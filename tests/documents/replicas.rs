//! Laws of views, over replicas that edit what they see and tell each other in any order.

use proptest::prelude::*;
use rhema_crdt::context::{GROUPS, lift};
use rhema_crdt::crdt::{
    Act, Atom, Birth, Clock, Document, Edit, Map, Node, Path, Record, Replica, Stamp, StampSet,
    Stamps,
};
use rhema_crdt::yaml::double_quoted;

use crate::branches::{config, read};
use crate::core::{RULES, shown};
use crate::model::{FIELDS, Model};

const REPLICAS: usize = 3;

/// What somebody does at one replica. Records are chosen by index, so that scripts shrink.
#[derive(Clone, Debug)]
enum Step {
    Write {
        record: usize,
        field: usize,
        value: u8,
    },
    Clear {
        record: usize,
        field: usize,
    },
    Tag {
        record: usize,
        tag: u8,
    },
    Remove {
        record: usize,
    },
    Add {
        name: u8,
        title: u8,
        behind: usize,
    },
    Move {
        record: usize,
        behind: usize,
    },
    /// Another replica tells all that it knows.
    Hear {
        from: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        5 => (0usize..6, 0usize..4, 0u8..4).prop_map(|(record, field, value)| Step::Write { record, field, value }),
        1 => (0usize..6, 1usize..4).prop_map(|(record, field)| Step::Clear { record, field }),
        1 => (0usize..6, 0u8..4).prop_map(|(record, tag)| Step::Tag { record, tag }),
        1 => (0usize..6).prop_map(|record| Step::Remove { record }),
        2 => (0u8..3, 0u8..2, 0usize..6).prop_map(|(name, title, behind)| Step::Add { name, title, behind }),
        2 => (0usize..6, 0usize..6).prop_map(|(record, behind)| Step::Move { record, behind }),
        4 => (0usize..REPLICAS).prop_map(|from| Step::Hear { from }),
    ];
    proptest::collection::vec((0..REPLICAS, step), 1..14)
}

/// The way to a record.
fn todo(record: &Record) -> Path {
    Path::default().entry("todos").record(record)
}

fn text(value: &str) -> Atom {
    Atom::text(double_quoted(value), value.to_owned())
}

fn records(document: &mut Document) -> &mut Vec<Record> {
    match document.root.get_mut("todos") {
        Some(Node::Set(records)) => records,
        other => panic!("no set: {other:?}"),
    }
}

/// What the step makes of what stands there; nothing if there is nothing to do.
fn done(view: &Document, step: &Step, stamp: Stamp) -> Option<Document> {
    let mut after = view.clone();
    let todos = records(&mut after);
    let count = todos.len();
    let stamps = || -> Stamps { [stamp].into() };
    let at = |index: usize| (count > 0).then(|| index % count);
    let mut touched = None;
    match *step {
        Step::Write {
            record,
            field,
            value,
        } => {
            let record = &mut todos[at(record)?];
            let value = text(&format!("{} {value}", FIELDS[field]));
            touched = Some((record.clone(), FIELDS[field]));
            record
                .fields
                .insert(FIELDS[field].to_owned(), Node::Register(value, stamps()));
        }
        Step::Clear { record, field } => {
            let record = &mut todos[at(record)?];
            touched = Some((record.clone(), FIELDS[field]));
            record.fields.remove(FIELDS[field])?;
        }
        Step::Tag { record, tag } => {
            let record = &mut todos[at(record)?];
            let mut members = match record.fields.remove("tags") {
                Some(Node::List(members, _)) => members,
                _ => Vec::new(),
            };
            members.push(text(&format!("t{tag}")));
            record
                .fields
                .insert("tags".to_owned(), Node::List(members, stamps()));
        }
        Step::Remove { record } => {
            let gone = todos.remove(at(record)?);
            let path = todo(&gone);
            after
                .losers
                .retain(|loser, _| !loser.at.steps().starts_with(path.steps()));
        }
        Step::Add {
            name,
            title,
            behind,
        } => {
            let name = text(&format!("n{name}"));
            let taken = |record: &Record| record.name.said().starts_with(name.said());
            if todos.iter().any(taken) {
                return None;
            }
            let title = text(&format!("New {title}"));
            let birth = Birth {
                stamp: Some(stamp),
                digest: title.digest(),
            };
            let fields: Map = [("title".to_owned(), Node::Register(title, stamps()))].into();
            let place = behind % (count + 1);
            todos.insert(
                place,
                Record {
                    name,
                    birth,
                    fields,
                },
            );
        }
        Step::Move { record, behind } => {
            let moved = todos.remove(at(record)?);
            let place = behind % count;
            todos.insert(place, moved);
        }
        Step::Hear { .. } => return None,
    }
    if let Some((record, field)) = touched {
        // Whoever edits a leaf settles what lost there; fields of a group are one.
        let path = todo(&record);
        let group = GROUPS.iter().find(|group| group.contains(&field));
        let leaves: Vec<_> = match group {
            Some(group) => group.iter().map(|field| path.entry(field)).collect(),
            None => vec![path.entry(field)],
        };
        after.losers.retain(|loser, _| !leaves.contains(&loser.at));
    }
    (after != *view).then_some(after)
}

struct World {
    base: Document,
    known: Vec<Vec<Edit>>,
}

impl World {
    fn view(&self, replica: usize) -> Document {
        RULES.view(&self.base, &self.known[replica])
    }

    fn hear(&mut self, replica: usize, from: usize) {
        let news = self.known[from].clone();
        for edit in news {
            if !self.known[replica].contains(&edit) {
                self.known[replica].push(edit);
            }
        }
    }
}

/// Plays a script; after every edit, whoever made it sees just what was made.
fn play(script: &[(usize, Step)]) -> Result<World, TestCaseError> {
    let mut world = World {
        base: lift(&read(&Model::start().text())),
        known: vec![Vec::new(); REPLICAS],
    };
    let mut clocks: Vec<Clock> = (1..=REPLICAS as u32)
        .map(|bits| Clock::new(Replica::from_bits(bits), None))
        .collect();
    for (time, (replica, step)) in script.iter().enumerate() {
        if let Step::Hear { from } = step {
            world.hear(*replica, *from);
            continue;
        }
        let before = world.view(*replica);
        let stamp = clocks[*replica]
            .tick(1_800_000_000_000 + time as u64)
            .unwrap();
        let Some(after) = done(&before, step, stamp) else {
            continue;
        };
        let changes = RULES
            .edits(&before, &after)
            .into_iter()
            .flat_map(|edit| edit.changes)
            .collect();
        world.known[*replica].push(Edit {
            stamp: Some(stamp),
            changes,
        });
        prop_assert_eq!(
            in_order(&world.view(*replica)),
            in_order(&after),
            "after {:?} at {}",
            step,
            replica
        );
    }
    Ok(world)
}

/// A document in words, with the order of all its records.
fn in_order(document: &Document) -> String {
    let names = match document.root.get("todos") {
        Some(Node::Set(records)) => records
            .iter()
            .map(|record| record.name.said())
            .collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    format!("{}{names:?}", shown(document))
}

/// Every stamp that some edit observed.
fn observed(edits: &[Edit]) -> StampSet {
    let changes = edits.iter().flat_map(|edit| &edit.changes);
    changes
        .flat_map(|change| change.observed.stamps().runs().iter().copied())
        .collect()
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn whoever_edits_sees_just_that_and_all_come_to_see_the_same(script in steps()) {
        let mut world = play(&script)?;
        for from in 0..REPLICAS {
            for replica in 0..REPLICAS {
                world.hear(replica, from);
            }
        }
        for from in 0..REPLICAS {
            world.hear(0, from);
            world.hear(1, REPLICAS - 1 - from);
        }
        prop_assert_eq!(world.view(0), world.view(1));
    }

    #[test]
    fn a_value_that_nobody_saw_is_shown_or_kept(script in steps()) {
        let mut world = play(&script)?;
        for from in 0..REPLICAS {
            world.hear(0, from);
        }
        let view = world.view(0);
        let text = shown(&view);
        let seen = observed(&world.known[0]);
        for edit in &world.known[0] {
            for change in &edit.changes {
                let Act::Write(value) = &change.act else { continue };
                let is_new = !seen.contains(edit.stamp.unwrap());
                if is_new {
                    prop_assert!(text.contains(value.canonical()), "{}={:?} in\n{}", change.at, value, text);
                }
            }
        }
    }

    #[test]
    fn what_was_removed_stays_so_unless_somebody_updated_it_unseen(script in steps()) {
        let mut world = play(&script)?;
        for from in 0..REPLICAS {
            world.hear(0, from);
        }
        let mut view = world.view(0);
        let known = world.known[0].clone();
        for removal in &known {
            for change in removal.changes.iter().filter(|change| change.act == Act::Remove && change.at.steps().len() == 2) {
                let updated = known.iter().any(|edit| {
                    let unseen = !edit.stamp.is_some_and(|stamp| change.observed.has_stamp(stamp));
                    let touches = edit.changes.iter().any(|other| {
                        other.at.steps().starts_with(change.at.steps()) && !(other.at == change.at && matches!(other.act, Act::Remove | Act::Move { .. }))
                    });
                    unseen && touches
                });
                let stands = records(&mut view).iter().any(|record| {
                    todo(record) == change.at
                });
                prop_assert!(updated || !stands, "{} came back", change.at);
            }
        }
    }
}
