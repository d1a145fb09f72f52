//! A small document, what people do to it, and what a replica shows of it.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::LazyLock;

use rhema_crdt::context::lift;
use rhema_crdt::crdt::{
    Atom, Birth, Change, Digest, Document, Map, Node, Path, Record, Stamp, Stamps,
};
use rhema_crdt::overlay::{Deed, Judged, Known, Origin, RULES, overlay, retracted};
use rhema_crdt::yaml::{self, Limits, double_quoted};

/// The leaves of a record that are written here.
pub(crate) const FIELDS: [&str; 2] = ["notes", "owner"];

/// What all work trees have at HEAD.
static BASE: LazyLock<Document> = LazyLock::new(|| {
    let records = (0..3).map(|number| {
        format!("  - id: r{number}\n    title: Start {number}\n    notes: n{number}\n    owner: o{number}\n")
    });
    let text = format!("todos:\n{}", records.collect::<String>());
    lift(&yaml::Document::from_text(text, &Limits::default()).unwrap())
});

/// What somebody does. Records are chosen by index, so that scripts shrink.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doing {
    Write { record: usize, field: usize },
    Remove { record: usize },
    Add,
    Move { record: usize, to: usize },
}

/// What was meant. Records go by what named them at birth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Write {
        record: Digest,
        field: &'static str,
        value: Atom,
    },
    Remove {
        record: Digest,
    },
    Add {
        record: Digest,
    },
    Move,
    /// To have done nothing.
    Undo {
        stamp: Stamp,
    },
}

/// What these edits show where none of them is committed.
pub(crate) fn view<'k>(known: impl Iterator<Item = &'k Known> + Clone) -> Document {
    let undone = retracted(known.clone());
    let judged: Vec<Judged<'_>> = known
        .map(|known| Judged {
            known,
            contained: vec![false; known.changes().len()],
            may_show: !undone.contains(&known.stamp),
            was_shown: true,
        })
        .collect();
    let base = Rc::new(BASE.clone());
    let origin = Origin {
        document: Rc::clone(&base),
        common: Rc::clone(&base),
        is_behind_head: true,
    };
    let mut found = |_: &Known| Ok::<_, Infallible>(Some(origin.clone()));
    let edits = overlay(&base, &judged, &mut found).unwrap();
    RULES.view(&base, &edits)
}

pub(crate) fn records(document: &Document) -> &[Record] {
    match document.root.get("todos") {
        Some(Node::Set(records)) => records,
        _ => &[],
    }
}

fn text(value: &str) -> Atom {
    Atom::text(double_quoted(value), value.to_owned())
}

/// A title that no other record of a run has, nor any other digest. `number` is that of the edit.
fn title(number: usize) -> Atom {
    let titles = (0..).map(|number| text(&format!("Title {number}")));
    let mut taken: Vec<Digest> = records(&BASE)
        .iter()
        .map(|record| record.birth.digest)
        .collect();
    let mut fresh = titles.filter(|title| {
        let digest = title.digest();
        let is_fresh = !taken.contains(&digest);
        taken.push(digest);
        is_fresh
    });
    fresh.nth(number).unwrap()
}

/// What is done to `view` under `stamp`, as edit number `number` of all that are made in a run; nothing where there is
/// nothing to do.
pub(crate) fn done(
    view: &Document,
    doing: Doing,
    stamp: Stamp,
    number: usize,
) -> Option<(Deed, Meaning)> {
    let mut after = view.clone();
    let Some(Node::Set(todos)) = after.root.get_mut("todos") else {
        return None;
    };
    let count = todos.len();
    let at = |index: usize| (count > 0).then(|| index % count);
    let stamps = || Stamps::from([stamp]);
    let place = |record: &Record| Path::default().entry("todos").record(record);
    let (meaning, settled) = match doing {
        Doing::Write { record, field } => {
            let record = &mut todos[at(record)?];
            let field = FIELDS[field % FIELDS.len()];
            let value = text(&format!("value {number}"));
            record
                .fields
                .insert(field.to_owned(), Node::Register(value.clone(), stamps()));
            let settled = place(record).entry(field);
            let record = record.birth.digest;
            (
                Meaning::Write {
                    record,
                    field,
                    value,
                },
                Some(settled),
            )
        }
        Doing::Remove { record } => {
            let gone = todos.remove(at(record)?);
            let record = gone.birth.digest;
            (Meaning::Remove { record }, Some(place(&gone)))
        }
        Doing::Add => {
            let name = text(&format!("n{number}"));
            let title = title(number);
            let birth = Birth {
                stamp: Some(stamp),
                digest: title.digest(),
            };
            let fields: Map = [("title".to_owned(), Node::Register(title, stamps()))].into();
            todos.push(Record {
                name,
                birth,
                fields,
            });
            (
                Meaning::Add {
                    record: birth.digest,
                },
                None,
            )
        }
        Doing::Move { record, to } => {
            let moved = todos.remove(at(record)?);
            todos.insert(to % count, moved);
            (Meaning::Move, None)
        }
    };
    // Whoever edits a leaf settles what lost there.
    if let Some(settled) = settled {
        after
            .losers
            .retain(|loser, _| !loser.at.steps().starts_with(settled.steps()));
    }
    let changes = RULES.edits(view, &after);
    let changes: Vec<Change> = changes.into_iter().flat_map(|edit| edit.changes).collect();
    (!changes.is_empty()).then_some((Deed::Change(changes), meaning))
}

/// What a document shows, whatever the order of its records.
pub(crate) fn in_any_order(document: &Document) -> String {
    let mut shown: Vec<String> = records(document)
        .iter()
        .flat_map(|record| {
            let fields = record.fields.iter();
            fields.map(|(name, node)| match node {
                Node::Register(value, _) => {
                    format!("{}.{name}={}", record.name.said(), value.said())
                }
                other => format!("{}.{name}={other:?}", record.name.said()),
            })
        })
        .collect();
    shown.extend(
        document
            .losers
            .keys()
            .map(|loser| format!("lost: {loser:?}")),
    );
    shown.sort();
    shown.join("\n")
}
