//! The file that everybody edits: what it says, and what people do to it in an editor.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

/// Where everybody edits.
pub(crate) const FILE: &str = ".rhema/todos.yaml";

/// The fields of every record; the last two move as one.
pub(crate) const FIELDS: [&str; 5] = ["title", "owner", "priority", "status", "outcome"];

/// A field of a record.
pub(crate) type Leaf = (String, String);

/// What a text says. Values and comments are unique words, so that each tells which edit it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// What it shows.
    pub(crate) leaves: BTreeMap<Leaf, String>,
    /// Values that lost and are kept.
    pub(crate) kept: BTreeSet<String>,
    pub(crate) comments: BTreeSet<String>,
    /// The number of its first counter, where it has one.
    pub(crate) counted: Option<i64>,
}

impl Said {
    /// Reads a text.
    ///
    /// # Errors
    /// When it is not the valid list of records that it must be.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut said = Self {
            comments: comments(text),
            ..Self::default()
        };
        let root: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        let counter = root.get("counters").and_then(|counters| counters.get(0));
        let number = counter.and_then(|counter| counter.get("votes"));
        said.counted = number.and_then(Value::as_i64);
        let records = root
            .get("todos")
            .and_then(Value::as_sequence)
            .ok_or("it has no list")?;
        let mut ids = BTreeSet::new();
        for record in records {
            let fields = record.as_mapping().ok_or("a record is no mapping")?;
            let id = fields.get("id").and_then(Value::as_str);
            let id = id.ok_or("a record has no id")?;
            if !ids.insert(id.to_owned()) {
                return Err(format!("the id {id} stands twice"));
            }
            for (name, value) in fields {
                let name = name.as_str().ok_or("a field has no name")?;
                let value = value.as_str().ok_or("a field is no text")?;
                match name {
                    "id" => {}
                    "_crdt" => {
                        if value.trim().is_empty() || value.contains('\n') {
                            return Err("an annotation is mangled".to_owned());
                        }
                    }
                    "_crdt_conflicts" => said.kept.extend(words(value)),
                    _ => {
                        let leaf = (id.to_owned(), name.to_owned());
                        said.leaves.insert(leaf, value.to_owned());
                    }
                }
            }
        }
        Ok(said)
    }

    /// The values that it shows.
    pub(crate) fn shown(&self) -> BTreeSet<&str> {
        self.leaves.values().map(String::as_str).collect()
    }

    /// Whether a value is to be found: shown or kept.
    pub(crate) fn has(&self, value: &str) -> bool {
        self.kept.contains(value) || self.leaves.values().any(|shown| shown == value)
    }

    /// The fields of a record.
    pub(crate) fn record(&self, id: &str) -> BTreeMap<&str, &str> {
        let fields = self.leaves.iter().filter(|((of, _), _)| of == id);
        fields
            .map(|((_, field), value)| (field.as_str(), value.as_str()))
            .collect()
    }

    /// The record that shows a value.
    pub(crate) fn record_of(&self, value: &str) -> Option<&str> {
        let mut leaves = self.leaves.iter();
        let found = leaves.find(|(_, shown)| *shown == value);
        found.map(|((id, _), _)| id.as_str())
    }

    /// What differs: the leaves, and what the other shows there.
    pub(crate) fn to(&self, other: &Said) -> BTreeMap<Leaf, Option<String>> {
        let leaves: BTreeSet<&Leaf> = self.leaves.keys().chain(other.leaves.keys()).collect();
        let differing = leaves
            .into_iter()
            .filter(|leaf| self.leaves.get(leaf) != other.leaves.get(leaf));
        differing
            .map(|leaf| (leaf.clone(), other.leaves.get(leaf).cloned()))
            .collect()
    }
}

/// The words that stand for values in an annotation.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|word| {
            let number = word.strip_prefix('v').unwrap_or_default();
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
        .map(str::to_owned)
}

fn comments(text: &str) -> BTreeSet<String> {
    let comments = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("# "));
    comments.map(str::to_owned).collect()
}

/// The ids of the records, in order.
pub(crate) fn ids(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("  - id: "))
        .collect()
}

/// The ids of the records that somebody deleted while somebody else changed them.
pub(crate) fn ids_of_deleted(text: &str) -> Vec<&str> {
    let mut id = None;
    let mut deleted = Vec::new();
    for line in text.lines() {
        id = line.strip_prefix("  - id: ").or(id);
        if line.starts_with("    _crdt_conflicts:") && line.contains("~deleted") {
            deleted.extend(id);
        }
    }
    deleted
}

/// The text that everything begins with.
pub(crate) fn start() -> String {
    let mut text = "# What there is to do\ntodos:\n".to_owned();
    for (number, id) in ["a", "b", "c"].into_iter().enumerate() {
        text += &record(id, number as u32 * FIELDS.len() as u32);
    }
    text
}

/// A new record whose fields get the values from this number on.
pub(crate) fn record(id: &str, first: u32) -> String {
    let mut lines = format!("  - id: {id}\n");
    for (field, number) in FIELDS.iter().zip(first..) {
        lines += &format!("    {field}: v{number}\n");
    }
    lines
}

/// What somebody does in an editor.
#[derive(Clone, Debug)]
pub(crate) enum Typing {
    Set {
        id: String,
        field: &'static str,
        value: String,
    },
    Append(String),
    Remove(String),
    /// A field goes.
    Unset {
        id: String,
        field: &'static str,
    },
    Comment {
        id: String,
        comment: String,
    },
    /// What a tool that knows nothing of annotations writes.
    Strip,
}

impl Typing {
    /// The text afterwards.
    pub(crate) fn apply(&self, text: &str) -> String {
        match self {
            Self::Append(record) => {
                let lines = text.split_inclusive('\n').map(|line| match line {
                    "todos: []\n" => "todos:\n",
                    line => line,
                });
                lines.chain([record.as_str()]).collect()
            }
            Self::Strip => text
                .split_inclusive('\n')
                .filter(|line| !line.starts_with("    _crdt"))
                .collect(),
            Self::Set { id, field, value } => {
                let start = format!("    {field}: ");
                let has_it = has_line(text, id, &start);
                in_record(text, id, |line| {
                    if line.starts_with(&start) {
                        format!("{start}{value}\n")
                    } else if !has_it && line.starts_with("  - ") {
                        format!("{line}{start}{value}\n")
                    } else {
                        line.to_owned()
                    }
                })
            }
            Self::Unset { id, field } => {
                let start = format!("    {field}: ");
                in_record(text, id, |line| match line.starts_with(&start) {
                    true => String::new(),
                    false => line.to_owned(),
                })
            }
            Self::Remove(id) => in_record(text, id, |_| String::new()),
            Self::Comment { id, comment } => in_record(text, id, |line| {
                if line.starts_with("  - ") {
                    format!("  # {comment}\n{line}")
                } else {
                    line.to_owned()
                }
            }),
        }
    }

    /// The same for a shell.
    pub(crate) fn script(&self) -> String {
        match self {
            Self::Append(record) => {
                format!("printf '{}' >> {FILE}", record.replace('\n', "\\n"))
            }
            Self::Strip => format!("sed -i '/^    _crdt/d' {FILE}"),
            Self::Set { id, field, value } => format!(
                "perl -0pi -e 's/(  - id: {id}\\n(?:    .*\\n)*?    {field}: ).*/$1{value}/' {FILE}"
            ),
            Self::Unset { id, field } => format!(
                "perl -0pi -e 's/(  - id: {id}\\n(?:    .*\\n)*?)    {field}: .*\\n/$1/' {FILE}"
            ),
            Self::Remove(id) => {
                format!("perl -0pi -e 's/  - id: {id}\\n(    .*\\n)*//' {FILE}")
            }
            Self::Comment { id, comment } => {
                format!("perl -0pi -e 's/(  - id: {id}\\n)/  # {comment}\\n$1/' {FILE}")
            }
        }
    }
}

/// Whether a record has a line that begins so.
fn has_line(text: &str, id: &str, start: &str) -> bool {
    let found = std::cell::Cell::new(false);
    in_record(text, id, |line| {
        found.set(found.get() || line.starts_with(start));
        String::new()
    });
    found.get()
}

/// The text with other lines in one record.
fn in_record(text: &str, id: &str, change: impl Fn(&str) -> String) -> String {
    let mut inside = false;
    let mut lines = String::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with("  - ") {
            inside = line.trim_end() == format!("  - id: {id}");
        } else if !line.starts_with("    ") {
            inside = false;
        }
        if inside {
            lines += &change(line);
        } else {
            lines += line;
        }
    }
    lines
}
