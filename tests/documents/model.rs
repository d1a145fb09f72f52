//! A small context file as values, the edits people make to it, and how it is written down.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rhema_crdt::context::{Annotation, StampedValue};
use rhema_crdt::crdt::{Clock, Digest, Replica};

/// The fields of a record beside its id.
pub(crate) const FIELDS: [&str; 4] = ["title", "status", "priority", "notes"];

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(crate) fields: BTreeMap<&'static str, String>,
    pub(crate) tags: Vec<String>,
    pub(crate) annotation: Annotation,
}

/// A document: records by id in order.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) records: Vec<(String, Record)>,
}

/// An edit. Records are chosen by index, so that scripts shrink.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Set {
        record: usize,
        field: usize,
        value: u8,
        stamped: bool,
    },
    Remove {
        record: usize,
    },
    Add {
        id: u8,
        title: u8,
    },
    Tag {
        record: usize,
        tag: u8,
    },
    Untag {
        record: usize,
        tag: usize,
    },
    Rename {
        value: u8,
    },
}

pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        4 => (0usize..6, 0usize..4, 0u8..4, any::<bool>())
            .prop_map(|(record, field, value, stamped)| Edit::Set { record, field, value, stamped }),
        1 => (0usize..6).prop_map(|record| Edit::Remove { record }),
        2 => (0u8..4, 0u8..3).prop_map(|(id, title)| Edit::Add { id, title }),
        1 => (0usize..6, 0u8..5).prop_map(|(record, tag)| Edit::Tag { record, tag }),
        1 => (0usize..6, 0usize..3).prop_map(|(record, tag)| Edit::Untag { record, tag }),
        1 => (0u8..3).prop_map(|value| Edit::Rename { value }),
    ];
    proptest::collection::vec(edit, 0..6)
}

impl Model {
    /// The state that all branches start from.
    pub(crate) fn start() -> Self {
        let records = (0..4).map(|index| {
            let fields = [
                ("title", format!("Start {index}")),
                ("status", "pending".to_owned()),
            ];
            let record = Record {
                fields: fields.into(),
                tags: vec!["x".to_owned(), "y".to_owned()],
                ..Record::default()
            };
            (format!("r{index}"), record)
        });
        Model {
            name: "start".to_owned(),
            records: records.collect(),
        }
    }

    /// Makes the edits of one branch; `replica` stamps what is stamped.
    pub(crate) fn apply(&mut self, edits: &[Edit], replica: u32) {
        let mut clock = Clock::new(Replica::from_bits(replica), None);
        for (time, edit) in edits.iter().enumerate() {
            let count = self.records.len();
            match edit {
                Edit::Set {
                    record,
                    field,
                    value,
                    stamped,
                } if count > 0 => {
                    let (_, record) = &mut self.records[record % count];
                    let field = FIELDS[*field];
                    let value = format!(
                        "{field} {value} {}",
                        if field == "title" { "" } else { "new" }
                    )
                    .trim()
                    .to_owned();
                    if record.fields.insert(field, value.clone()).as_ref() == Some(&value) {
                        continue;
                    }
                    record.annotation.leaves.remove(field);
                    if *stamped {
                        let stamp = clock.tick(1_800_000_000_000 + time as u64 * 7).unwrap();
                        let digest = Digest::of(format!("\"{value}\"").as_bytes());
                        record
                            .annotation
                            .leaves
                            .insert(field.to_owned(), [StampedValue { stamp, digest }].into());
                    }
                }
                Edit::Remove { record } if count > 1 => {
                    self.records.remove(record % count);
                }
                Edit::Add { id, title } => {
                    let id = format!("n{id}");
                    if self.records.iter().all(|(known, _)| *known != id) {
                        let fields = [("title", format!("New {title}"))];
                        let record = Record {
                            fields: fields.into(),
                            ..Record::default()
                        };
                        self.records.push((id, record));
                    }
                }
                Edit::Tag { record, tag } if count > 0 => {
                    let tags = &mut self.records[record % count].1.tags;
                    tags.push(format!("t{tag}"));
                }
                Edit::Untag { record, tag } if count > 0 => {
                    let tags = &mut self.records[record % count].1.tags;
                    if tags.len() > 1 {
                        let tag = tag % tags.len();
                        tags.remove(tag);
                    }
                }
                Edit::Rename { value } => self.name = format!("name{value}"),
                _ => {}
            }
        }
    }

    /// The file.
    pub(crate) fn text(&self) -> String {
        let mut out = format!(
            "# Context\n_crdt: v1 todos=or_set\nname: {}\ntodos:\n",
            self.name
        );
        for (id, record) in &self.records {
            out.push_str(&format!("  - id: {id}\n"));
            if !record.annotation.is_empty() {
                out.push_str(&format!("    _crdt: {}\n", record.annotation));
            }
            for field in FIELDS {
                if let Some(value) = record.fields.get(field) {
                    out.push_str(&format!("    {field}: {value}\n"));
                }
            }
            if !record.tags.is_empty() {
                out.push_str(&format!("    tags: [{}]\n", record.tags.join(", ")));
            }
        }
        out
    }
}

/// The text with the members of plain lists sorted: where several branches touch one place of such a list, the members
/// are the same in any order of merging, their order need not be.
pub(crate) fn in_any_list_order(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("tags: [") {
        Some((before, tags)) => {
            let mut tags: Vec<&str> = tags.trim_end_matches(']').split(", ").collect();
            tags.sort_unstable();
            format!("{before}tags: {tags:?}\n")
        }
        None => format!("{line}\n"),
    });
    lines.collect()
}
