//! Laws of views, over replicas that edit what they see and tell each other in any order.

use proptest::prelude::*;
use rhema_crdt::context::{GROUPS, lift};
use rhema_crdt::crdt::{
    Act, Atom, Birth, Change, Clock, Document, Edit, Form, Loser, Map, Node, Part, Path, Record,
    Replica, Stamp, StampSet, Stamps, Step as Place,
};
use rhema_crdt::yaml::double_quoted;

use crate::branches::{config, read};
use crate::core::{RULES, shown};
use crate::model::FIELDS;

pub(crate) const REPLICAS: usize = 3;

/// What somebody does at one replica. Records are chosen by index, so that scripts shrink.
#[derive(Clone, Debug)]
pub(crate) enum Step {
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
    /// Adds to the number of a record, or of the document.
    Count {
        record: Option<usize>,
        amount: i64,
    },
    /// Raises the number of a record of which the greatest stands.
    Raise {
        record: usize,
        number: i64,
    },
    /// Writes an entry of the map in a record, or of that in the document; without a value takes it out.
    Nest {
        record: Option<usize>,
        entry: u8,
        value: Option<u8>,
    },
    /// Writes a line of a text of several.
    Line {
        record: usize,
        line: usize,
        value: u8,
    },
    /// Writes a value that stands in no record.
    Name {
        value: u8,
    },
    /// Writes a comment above a record: no edit to people.
    Dress {
        record: usize,
        value: u8,
    },
    /// Says that a value lost in a record, as whoever merged two versions of a file does.
    Lose {
        record: usize,
        field: usize,
        value: u8,
    },
    /// Another replica tells all that it knows.
    Hear {
        from: usize,
    },
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        5 => (0usize..6, 0usize..4, 0u8..4).prop_map(|(record, field, value)| Step::Write { record, field, value }),
        1 => (0usize..6, 1usize..4).prop_map(|(record, field)| Step::Clear { record, field }),
        1 => (0usize..6, 0u8..4).prop_map(|(record, tag)| Step::Tag { record, tag }),
        1 => (0usize..6).prop_map(|record| Step::Remove { record }),
        2 => (0u8..3, 0u8..2, 0usize..6).prop_map(|(name, title, behind)| Step::Add { name, title, behind }),
        2 => (0usize..6, 0usize..6).prop_map(|(record, behind)| Step::Move { record, behind }),
        2 => (proptest::option::of(0usize..6), -3i64..4).prop_map(|(record, amount)| Step::Count { record, amount }),
        1 => (0usize..6, 0i64..9).prop_map(|(record, number)| Step::Raise { record, number }),
        2 => (proptest::option::of(0usize..6), 0u8..2, proptest::option::weighted(0.7, 0u8..3))
            .prop_map(|(record, entry, value)| Step::Nest { record, entry, value }),
        2 => (0usize..6, 0usize..4, 0u8..3).prop_map(|(record, line, value)| Step::Line { record, line, value }),
        1 => (0u8..3).prop_map(|value| Step::Name { value }),
        1 => (0usize..6, 0u8..3).prop_map(|(record, value)| Step::Dress { record, value }),
        1 => (0usize..6, 0usize..4, 0u8..2).prop_map(|(record, field, value)| Step::Lose { record, field, value }),
        5 => (0usize..REPLICAS).prop_map(|from| Step::Hear { from }),
    ];
    proptest::collection::vec((0..REPLICAS, step), 1..14)
}

/// What all replicas begin with.
fn start() -> Document {
    let mut text = "name: start\nhits: 7\nmeta:\n  e0: old\ntodos:\n".to_owned();
    for index in 0..4 {
        text.push_str(&format!(
            "  - id: r{index}\n    title: Start {index}\n    status: pending\n    tags: [x, y]\n"
        ));
    }
    text.push_str("    body: |\n      one\n      two\n      three\n      four\n    votes: 40\n    meta: {e0: old}\n");
    lift(&read(&text))
}

/// Whether a place holds a number that adds up.
fn counts(at: &Path) -> bool {
    ends_in(at, COUNTED)
}

fn ends_in(at: &Path, names: &[&str]) -> bool {
    matches!(at.steps().last(), Some(Place::Entry(name)) if names.contains(&name.as_str()))
}

const COUNTED: &[&str] = &["votes", "hits"];
const GREATEST: &[&str] = &["peak"];
/// A text of several lines, which is merged line by line.
const TEXT: &[&str] = &["body"];

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
    let (mut touched, mut nested) = (None, None);
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
        Step::Count { record, amount } => {
            let (fields, field) = match record {
                Some(record) => (&mut todos[at(record)?].fields, "votes"),
                None => (&mut after.root, "hits"),
            };
            let number = fields.get(field).map_or(Some(0), Node::as_number)?;
            let number = (amount != 0).then(|| Atom::number(number + amount))?;
            fields.insert(field.to_owned(), Node::Register(number, stamps()));
        }
        Step::Raise { record, number } => {
            let fields = &mut todos[at(record)?].fields;
            if fields.get("peak").and_then(Node::as_number) >= Some(number) {
                return None;
            }
            fields.insert(
                "peak".to_owned(),
                Node::Register(Atom::number(number), stamps()),
            );
        }
        Step::Nest {
            record,
            entry,
            value,
        } => {
            let around = match record {
                Some(record) => {
                    let record = &mut todos[at(record)?];
                    nested = Some(todo(record).entry("meta"));
                    &mut record.fields
                }
                None => {
                    nested = Some(Path::default().entry("meta"));
                    &mut after.root
                }
            };
            let map = around
                .entry("meta".to_owned())
                .or_insert_with(|| Node::Map(Map::new()));
            let Node::Map(map) = map else { return None };
            let entry = format!("e{entry}");
            match value {
                Some(value) => {
                    let value = text(&format!("nested {value}"));
                    map.insert(entry.clone(), Node::Register(value, stamps()));
                }
                None => drop(map.remove(&entry)?),
            }
            if map.is_empty() {
                around.remove("meta");
            }
            nested = nested.map(|at| at.entry(&entry));
        }
        Step::Line {
            record,
            line,
            value,
        } => {
            let record = &mut todos[at(record)?];
            let Some(Node::Register(body, _)) = record.fields.get("body") else {
                return None;
            };
            let mut lines: Vec<&str> = body.lines()?;
            let changed = format!("line {value}");
            *lines.get_mut(line)? = &changed;
            let body = text(&lines.join("\n"));
            touched = Some((record.clone(), "body"));
            record
                .fields
                .insert("body".to_owned(), Node::Register(body, stamps()));
        }
        Step::Name { value } => {
            let value = text(&format!("name {value}"));
            nested = Some(Path::default().entry("name"));
            after
                .root
                .insert("name".to_owned(), Node::Register(value, stamps()));
        }
        Step::Lose {
            record,
            field,
            value,
        } => {
            let at = todo(&todos[at(record)?]).entry(FIELDS[field]);
            let value = text(&format!("{} lost {value}", FIELDS[field]));
            let loser = Loser {
                at,
                value: Some(value),
            };
            after.losers.entry(loser).or_default().insert(stamp);
        }
        Step::Dress { .. } | Step::Hear { .. } => return None,
    }
    if let Some(at) = nested {
        after.losers.retain(|loser, _| loser.at != at);
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

/// A comment above one of the records that somebody sees.
fn dressed(view: &Document, record: usize, value: u8) -> Option<Change> {
    let Some(Node::Set(todos)) = view.root.get("todos") else {
        return None;
    };
    let at = todo(todos.get(record)?);
    let form = Form {
        part: Part::Lead,
        before: String::new(),
        after: format!("# {value}\n"),
    };
    Some(Change {
        observed: RULES.observed(view, &at),
        act: Act::Form(form),
        at,
    })
}

pub(crate) struct World {
    pub(crate) base: Document,
    pub(crate) known: Vec<Vec<Edit>>,
}

impl World {
    fn view(&self, replica: usize) -> Document {
        RULES.view(&self.base, &self.known[replica])
    }

    pub(crate) fn hear(&mut self, replica: usize, from: usize) {
        let news = self.known[from].clone();
        for edit in news {
            if !self.known[replica].contains(&edit) {
                self.known[replica].push(edit);
            }
        }
    }
}

/// Plays a script; after every edit, whoever made it sees just what was made.
pub(crate) fn play(script: &[(usize, Step)]) -> Result<World, TestCaseError> {
    let mut world = World {
        base: start(),
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
        if let Step::Dress { record, value } = step {
            let dressed = dressed(&before, *record, *value);
            world.known[*replica].extend(dressed.map(|change| Edit {
                stamp: Some(stamp),
                changes: vec![change],
            }));
            continue;
        }
        let Some(after) = done(&before, step, stamp) else {
            continue;
        };
        let edits = RULES.edits_counting(&before, &after, &counts).into_iter();
        let mut changes: Vec<Change> = edits.flat_map(|edit| edit.changes).collect();
        for change in changes
            .iter_mut()
            .filter(|change| ends_in(&change.at, GREATEST))
        {
            if let Act::Write(value) = &change.act {
                change.act = Act::Raise(value.as_number().unwrap());
            }
        }
        if changes
            .iter()
            .any(|change| is_settled(change, &world.known[*replica]))
        {
            continue;
        }
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

/// Whether a change says that a value lost of which it is known that somebody settled it: that stays settled.
fn is_settled(change: &Change, known: &[Edit]) -> bool {
    let Act::Lose(value) = &change.act else {
        return false;
    };
    let settles = |other: &Change| other.at == change.at && other.act == Act::Settle(value.clone());
    known.iter().flat_map(|edit| &edit.changes).any(settles)
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

#[test]
fn who_counted_and_then_takes_the_record_away_had_seen_the_number() {
    let count = Step::Count {
        record: Some(3),
        amount: -1,
    };
    // The script is judged as it is played: nobody brings the record back.
    play(&[(0, count), (0, Step::Remove { record: 3 })]).unwrap();
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
                if ends_in(&change.at, TEXT) {
                    continue;
                }
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
                        other.at.steps().starts_with(change.at.steps()) && !matches!(other.act, Act::Form(_)) && !(other.at == change.at && matches!(other.act, Act::Remove | Act::Move { .. }))
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
