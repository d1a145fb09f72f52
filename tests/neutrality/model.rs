//! A context file as people lay it out, and what they do to it on one branch.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rhema_crdt::context::stamp;
use rhema_crdt::crdt::{Clock, Replica, Stamp};
use rhema_crdt::yaml::{Document, Limits};

/// How the records of a file are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Three or four lines each.
    Short,
    /// With a folded text, a list and a nested mapping.
    Long,
    /// A text of several lines as first entry, above the identity.
    TextFirst,
}

/// A record: its fields in order of writing.
#[derive(Clone, Debug)]
struct Record {
    id: String,
    layout: Layout,
    fields: Vec<(&'static str, String)>,
    annotation: Option<String>,
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    marker: Option<String>,
    name: String,
    /// Whether a blank line stands between records.
    airy: bool,
    records: Vec<Record>,
}

/// The file that a case starts from.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) layouts: Vec<Layout>,
    pub(crate) airy: bool,
}

/// What somebody does. Records are chosen by index, so that scripts shrink.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Set {
        record: usize,
        field: usize,
        value: u8,
    },
    Unset {
        record: usize,
        field: usize,
    },
    Insert {
        place: usize,
        layout: Layout,
    },
    Append {
        layout: Layout,
    },
    Remove {
        record: usize,
    },
    Move {
        record: usize,
        by: i8,
    },
    Rename {
        value: u8,
    },
}

/// What a side touched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    /// Records, and the root as the empty name, with the fields that changed; no field stands for all of it.
    pub(crate) leaves: BTreeSet<(String, Option<&'static str>)>,
    /// Records that another one was moved past: in the text nobody can tell which of two neighbours was moved.
    pub(crate) passed: BTreeSet<String>,
    /// Whether a record is among them that opens with a text of several lines: its annotation stands above that text.
    pub(crate) text_first: bool,
    /// Whether a record was added at the end.
    pub(crate) appended: bool,
    /// Whether records came into places where there were none.
    added: bool,
    /// Whether records went from their places.
    removed: bool,
}

impl Touched {
    fn touch(&mut self, record: &Record, field: Option<&'static str>) {
        self.text_first |= record.layout == Layout::TextFirst;
        self.leaves.insert((record.id.clone(), field));
    }

    /// The records, and the root as the empty name.
    pub(crate) fn records(&self) -> BTreeSet<&str> {
        let names = self.leaves.iter().map(|(record, _)| record.as_str());
        names.collect()
    }

    /// Whether records were both taken out and put in: then lines of one may pass for lines of the other.
    pub(crate) fn rearranged(&self) -> bool {
        self.added && self.removed
    }

    /// These, and those that others were moved past.
    pub(crate) fn surroundings(&self) -> BTreeSet<&str> {
        let passed = self.passed.iter().map(String::as_str);
        self.records().into_iter().chain(passed).collect()
    }
}

const FIELDS: [&str; 6] = [
    "title",
    "status",
    "completed_at",
    "priority",
    "notes",
    "owner",
];

pub(crate) fn layouts() -> impl Strategy<Value = Layout> {
    prop_oneof![
        6 => Just(Layout::Short),
        4 => Just(Layout::Long),
        1 => Just(Layout::TextFirst),
    ]
}

pub(crate) fn starts() -> impl Strategy<Value = Start> {
    (proptest::collection::vec(layouts(), 2..9), any::<bool>())
        .prop_map(|(layouts, airy)| Start { layouts, airy })
}

pub(crate) fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        10 => (0usize..10, 0usize..6, 0u8..6)
            .prop_map(|(record, field, value)| Edit::Set { record, field, value }),
        1 => (0usize..10, 1usize..6).prop_map(|(record, field)| Edit::Unset { record, field }),
        2 => (0usize..10, layouts()).prop_map(|(place, layout)| Edit::Insert { place, layout }),
        1 => layouts().prop_map(|layout| Edit::Append { layout }),
        2 => (0usize..10).prop_map(|record| Edit::Remove { record }),
        1 => (0usize..10, -3i8..4).prop_map(|(record, by)| Edit::Move { record, by }),
        1 => (0u8..4).prop_map(|value| Edit::Rename { value }),
    ];
    proptest::collection::vec(edit, 1..=most)
}

fn born(id: String, layout: Layout, value: u8) -> Record {
    let mut fields = vec![
        ("title", format!("Title of {id}")),
        ("status", "pending".to_owned()),
    ];
    if layout != Layout::Short || value.is_multiple_of(2) {
        fields.push((
            "priority",
            ["low", "high"][usize::from(value / 2 % 2)].to_owned(),
        ));
    }
    if layout != Layout::Short {
        let notes =
            format!("What is known of {id},\nwhat {id} is for,\nand whom to ask about {id}.");
        fields.push(("notes", notes));
        fields.push(("owner", "ines".to_owned()));
    }
    Record {
        id,
        layout,
        fields,
        annotation: None,
    }
}

impl Record {
    fn text(&self) -> String {
        let mut entries = vec![format!("    id: {}\n", self.id)];
        entries.extend(self.fields.iter().map(|(name, value)| field(name, value)));
        if self.layout == Layout::Long {
            entries.push("    tags: [one, two]\n".to_owned());
        }
        let notes = self.fields.iter().position(|(name, _)| *name == "notes");
        if let (Layout::TextFirst, Some(notes)) = (self.layout, notes) {
            entries[..=notes + 1].rotate_right(1);
        }
        if let Some(annotation) = &self.annotation {
            let one_line = entries[0].lines().count() == 1;
            let place = usize::from(one_line && entries.len() > 1);
            entries.insert(place, format!("    _crdt: {annotation}\n"));
        }
        entries.concat().replacen("    ", "  - ", 1)
    }
}

fn field(name: &str, value: &str) -> String {
    match name {
        "owner" => format!("    meta:\n      owner: {value}\n"),
        "notes" if value.contains('\n') => {
            format!("    notes: |\n      {}\n", value.replace('\n', "\n      "))
        }
        _ => format!("    {name}: {value}\n"),
    }
}

impl File {
    pub(crate) fn start(start: &Start) -> Self {
        let born =
            |(index, layout): (usize, &Layout)| born(format!("r{index}"), *layout, index as u8);
        Self {
            marker: None,
            name: "start".to_owned(),
            airy: start.airy,
            records: start.layouts.iter().enumerate().map(born).collect(),
        }
    }

    /// Makes the edits of one side; `side` names what it adds.
    pub(crate) fn apply(&mut self, edits: &[Edit], side: &str) -> Touched {
        let mut touched = Touched::default();
        for (index, edit) in edits.iter().enumerate() {
            let count = self.records.len();
            match *edit {
                Edit::Set {
                    record,
                    field,
                    value,
                } if count > 0 => {
                    let record = &mut self.records[record % count];
                    let name = FIELDS[field];
                    let value = match name {
                        "notes" if value.is_multiple_of(2) => {
                            format!("Other words,\n{value} of them.")
                        }
                        _ => format!("{name} {value}"),
                    };
                    touched.touch(record, Some(name));
                    match record.fields.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => *known = value,
                        None => record.fields.push((name, value)),
                    }
                }
                Edit::Unset { record, field } if count > 0 => {
                    let record = &mut self.records[record % count];
                    touched.touch(record, Some(FIELDS[field]));
                    record.fields.retain(|(known, _)| *known != FIELDS[field]);
                }
                Edit::Insert { place, layout } => {
                    let record = born(format!("{side}{index}"), layout, index as u8);
                    touched.touch(&record, None);
                    touched.added = true;
                    self.records.insert(place % (count + 1), record);
                }
                Edit::Append { layout } => {
                    let record = born(format!("{side}{index}"), layout, index as u8);
                    touched.touch(&record, None);
                    touched.appended = true;
                    touched.added = true;
                    self.records.push(record);
                }
                Edit::Remove { record } if count > 1 => {
                    let record = self.records.remove(record % count);
                    touched.touch(&record, None);
                    touched.removed = true;
                }
                Edit::Move { record, by } if count > 0 => {
                    let from = record % count;
                    let to = from.saturating_add_signed(by.into()).min(count - 1);
                    let record = self.records.remove(from);
                    touched.touch(&record, None);
                    touched.added = true;
                    touched.removed = true;
                    let between = &self.records[from.min(to)..from.max(to)];
                    touched
                        .passed
                        .extend(between.iter().map(|record| record.id.clone()));
                    self.records.insert(to, record);
                }
                Edit::Rename { value } => {
                    touched.leaves.insert((String::new(), Some("name")));
                    self.name = format!("name {value}");
                }
                _ => {}
            }
        }
        touched
    }

    pub(crate) fn text(&self) -> String {
        let mut out = "# What there is to do.\n\n".to_owned();
        if let Some(marker) = &self.marker {
            out.push_str(&format!("_crdt: {marker}\n"));
        }
        out.push_str(&format!("name: {}\ntodos:\n", self.name));
        let gap = if self.airy { "\n" } else { "" };
        let records: Vec<String> = self.records.iter().map(Record::text).collect();
        out.push_str(&records.join(gap));
        out
    }

    /// The same file without annotations.
    pub(crate) fn plain(&self) -> Self {
        let mut plain = self.clone();
        plain.marker = None;
        for record in &mut plain.records {
            record.annotation = None;
        }
        plain
    }

    /// The text with stamps on everything in which it differs from `head`, as `sync` writes it.
    pub(crate) fn stamped(&self, head: &str, mut ticks: impl Iterator<Item = Stamp>) -> String {
        let text = self.text();
        let first = ticks.next().unwrap();
        let stamped = stamp(Some(&read(head)), &read(&text), first, &mut ticks);
        stamped.text.unwrap_or(text)
    }

    /// The file as a first document, and what it became once some edits were stamped and committed.
    pub(crate) fn documented(mut self, history: &[Edit]) -> Self {
        self.marker = Some("v1 todos=or_set".to_owned());
        let head = self.text();
        self.apply(history, "h");
        let text = self.stamped(&head, ticks(0, 0));
        let document = read(&text);
        let root = document.root().unwrap();
        let annotation = |node: rhema_crdt::yaml::NodeRef<'_>| {
            node.get("_crdt")
                .map(|entry| entry.value().text().into_owned())
        };
        self.marker = annotation(root);
        let todos = root.get("todos").unwrap().value();
        for (record, entry) in self.records.iter_mut().zip(todos.entries()) {
            record.annotation = annotation(entry.value());
        }
        assert_eq!(
            self.text(),
            text,
            "the model writes annotations where they stand"
        );
        self
    }
}

/// The stamps of one of several people, some hours after those of the one before.
pub(crate) fn ticks(replica: u32, hours: u64) -> impl Iterator<Item = Stamp> {
    let replica = Replica::from_bits(replica.wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995);
    let mut clock = Clock::new(replica, None);
    std::iter::from_fn(move || clock.tick(1_790_000_000_000 + hours * 3_600_000).ok())
}

pub(crate) fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}
