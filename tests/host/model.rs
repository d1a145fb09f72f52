//! Todo files as people write them, and the edits that they make to them, by hand.

use proptest::prelude::*;
use rhema_crdt::yaml::{
    Collection, Document, EntryDraft, FileDraft, Kind, Limits, Manner, Scalar, Side, Value,
};

/// How one record is written; each number chooses among ways.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    quotes: u8,
    text: u8,
    list: u8,
    time: u8,
    order: u8,
    comments: u8,
    blank: bool,
    null: bool,
}

/// A file of records in the ways of `writings`.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    writings: Vec<Writing>,
    header: bool,
    indent: usize,
    crlf: bool,
    /// Whether the records have fields that the host tool's structures do not know.
    pub(crate) custom: bool,
}

pub(crate) fn starts() -> impl Strategy<Value = Start> {
    let writing = (
        (0u8..3, 0u8..4, 0u8..3, 0u8..4),
        (0u8..2, 0u8..8, any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |((quotes, text, list, time), (order, comments, blank, null))| Writing {
                quotes,
                text,
                list,
                time,
                order,
                comments,
                blank,
                null,
            },
        );
    (
        proptest::collection::vec(writing, 1..5),
        any::<bool>(),
        0usize..3,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(writings, header, indent, crlf, custom)| Start {
            writings,
            header,
            indent: indent * 2,
            crlf,
            custom,
        })
}

impl Start {
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        if self.header {
            out.push_str("# Todos of the product\n# One for each thing to do.\n\n");
        }
        out.push_str("_crdt: v1 todos=or_set\n");
        if self.header {
            out.push_str("# the list\n");
        }
        out.push_str("todos:\n");
        for (index, writing) in self.writings.iter().enumerate() {
            out.push_str(&writing.record(index, self.indent, self.custom));
        }
        if self.header {
            out.push_str("# the end\n");
        }
        if self.crlf {
            out = out.replace('\n', "\r\n");
        }
        out
    }
}

impl Writing {
    fn record(&self, index: usize, indent: usize, custom: bool) -> String {
        let margin = " ".repeat(indent);
        let comment = |bit: u8, text: &str| match self.comments & bit {
            0 => String::new(),
            _ => format!("  # {text} {index}"),
        };
        let title = match self.quotes {
            0 => format!("Thing {index}"),
            1 => format!("'Thing {index}'"),
            _ => format!("\"Thing {index}\""),
        };
        let description = match self.text {
            0 => format!("Do the thing, number {index}"),
            1 => format!("|\n{margin}    Do the thing,\n\n{margin}      number {index}"),
            2 => format!(">-\n{margin}    Do the\n{margin}    thing, number {index}"),
            _ => format!("\"Do the thing:\\nnumber {index}\""),
        };
        let related = match self.list {
            0 => format!("[k{index}, 'x', \"y\"]"),
            1 => format!("\n{margin}    - k{index}\n{margin}    - x  # why\n{margin}    - y"),
            _ => format!("\n{margin}  # those\n{margin}  - k{index}\n{margin}  - x\n{margin}  - y"),
        };
        let time = match self.time {
            0 => "2024-01-15T09:00:00Z",
            1 => "2024-01-15T11:00:00+02:00",
            2 => "'2024-01-15T09:00:00.000Z'",
            _ => "2024-01-15T09:00:00+00:00",
        };
        let mut fields = vec![
            format!("title: {title}{}", comment(1, "beside")),
            format!("description: {description}"),
            format!("status: pending{}", comment(2, "soon")),
            "priority: high".to_owned(),
            format!("created_at: {time}"),
            format!("related_knowledge: {related}"),
        ];
        if self.null {
            fields.push("due_date: ~".to_owned());
        }
        if custom {
            fields.push(format!("effort: {index}"));
            fields.push("links: {docs: 'a b', issue: 12}".to_owned());
        }
        if self.order == 1 {
            fields.reverse();
        }
        let mut out = String::new();
        if self.blank && index > 0 {
            out.push('\n');
        }
        if self.comments & 4 != 0 {
            out.push_str(&format!("{margin}# about {index}\n"));
        }
        out.push_str(&format!("{margin}- id: t{index}\n"));
        for field in fields {
            out.push_str(&format!("{margin}  {field}\n"));
        }
        out
    }
}

/// An edit by hand. Records are chosen by index, so that scripts shrink.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Title(usize, u8),
    Describe(usize, u8),
    Finish(usize),
    Clear(usize),
    Effort(usize, u8),
    Unlink(usize),
    Relate(usize, u8),
    Unrelate(usize, usize),
    Remove(usize),
    Move(usize, usize),
    Add(u8),
    Owner(u8),
}

/// Edits of one branch.
pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = 0usize..5;
    let edit = prop_oneof![
        3 => (at.clone(), 0u8..4).prop_map(|(at, value)| Edit::Title(at, value)),
        2 => (at.clone(), 0u8..4).prop_map(|(at, value)| Edit::Describe(at, value)),
        2 => at.clone().prop_map(Edit::Finish),
        1 => at.clone().prop_map(Edit::Clear),
        1 => (at.clone(), 0u8..4).prop_map(|(at, value)| Edit::Effort(at, value)),
        1 => at.clone().prop_map(Edit::Unlink),
        2 => (at.clone(), 0u8..4).prop_map(|(at, value)| Edit::Relate(at, value)),
        1 => (at.clone(), 0usize..4).prop_map(|(at, member)| Edit::Unrelate(at, member)),
        1 => at.clone().prop_map(Edit::Remove),
        1 => (at.clone(), at).prop_map(|(from, to)| Edit::Move(from, to)),
        1 => (0u8..4).prop_map(Edit::Add),
        1 => (0u8..3).prop_map(Edit::Owner),
    ];
    proptest::collection::vec(edit, 0..5).prop_map(|mut edits| {
        // A member that goes while another one comes may as well have been changed, and a text that comes back after it was
        // cleared is written like a new one: the file does not show what was in between.
        let any = |of: fn(&Edit) -> bool| edits.iter().any(of);
        let relates = any(|edit| matches!(edit, Edit::Relate(..)));
        let describes = any(|edit| matches!(edit, Edit::Describe(..)));
        edits.retain(|edit| match edit {
            Edit::Unrelate(..) => !relates,
            Edit::Clear(_) => !describes,
            _ => true,
        });
        edits
    })
}

/// Edits before the branches: what they add has other names, so that nobody takes a record out and puts another one of its
/// name in, which the file does not show either.
pub(crate) fn earlier_edits() -> impl Strategy<Value = Vec<Edit>> {
    edits().prop_map(|mut edits| {
        for edit in &mut edits {
            if let Edit::Add(value) = edit {
                *value += 10;
            }
        }
        edits
    })
}

pub(crate) fn read(text: &str) -> Document {
    Document::from_text(text.to_owned(), &Limits::default()).unwrap()
}

/// Makes the edits, one by one, in the lines that they must touch.
pub(crate) fn edited(text: &str, edits: &[Edit]) -> String {
    edits.iter().fold(text.to_owned(), |text, edit| {
        let document = read(&text);
        let mut draft = FileDraft::of(&document);
        let todos = draft.parts[0].root.open().and_then(|root| {
            let at = position(root, "todos")?;
            root.entries[at]
                .open()?
                .body
                .value
                .open_as(Kind::Sequence, Manner::of(&document))
        });
        make(edit, todos.unwrap(), Manner::of(&document));
        draft.emit(Side::Ours)
    })
}

/// The file with everything in it that says no more: absent fields as nulls, timestamps in another time zone.
pub(crate) fn said_at_length(text: &str) -> String {
    const OPTIONAL: [&str; 4] = ["assigned_to", "due_date", "completed_at", "outcome"];
    let document = read(text);
    let manner = Manner::of(&document);
    let mut draft = FileDraft::of(&document);
    let root = draft.parts[0].root.open().unwrap();
    let at = position(root, "todos").unwrap();
    let todos = root.entries[at].open().unwrap().body.value.open().unwrap();
    for at in 0..todos.entries.len() {
        let record = record(todos, at);
        for field in OPTIONAL {
            if position(record, field).is_none() {
                let end = record.entries.len();
                let key = Scalar::Str(field.into());
                record.insert(end, Some(&key), &Value::Scalar(Scalar::Null), manner);
            }
        }
        let at = position(record, "created_at").unwrap();
        let made = record.entries[at].open().unwrap();
        let rhema_crdt::yaml::Draft::Keep(node) = made.body.value else {
            unreachable!("nobody has touched it");
        };
        let elsewhere = chrono::FixedOffset::west_opt(5 * 3600 + 1800).unwrap();
        let time = chrono::DateTime::parse_from_rfc3339(&node.text()).unwrap();
        let time = time.with_timezone(&elsewhere).to_rfc3339();
        made.set(&Value::from(time.as_str()), manner);
    }
    draft.emit(Side::Ours)
}

fn make(edit: &Edit, todos: &mut Collection<'_>, manner: Manner) {
    let count = todos.entries.len();
    if let Edit::Add(value) = edit {
        let record = [
            ("id", format!("n{value}")),
            ("title", format!("New {value}")),
            ("status", "pending".to_owned()),
            ("priority", "low".to_owned()),
            ("created_at", "2024-02-01T00:00:00Z".to_owned()),
        ];
        let is_new = (0..count).all(|at| record_text(todos, at, "id") != record[0].1);
        if is_new {
            let fields =
                record.map(|(name, text)| (Scalar::Str(name.into()), text.as_str().into()));
            todos.insert(count, None, &Value::Mapping(fields.into()), manner);
        }
        return;
    }
    if count == 0 {
        return;
    }
    match edit {
        Edit::Title(at, value) => set(
            todos,
            at % count,
            "title",
            format!("Title: {value}"),
            manner,
        ),
        Edit::Describe(at, value) => {
            let text = format!("Some lines\n\n  more, {value}\n");
            set(todos, at % count, "description", text, manner);
        }
        Edit::Finish(at) => {
            set(todos, at % count, "status", "completed".to_owned(), manner);
            let done = "2024-03-01T12:00:00Z".to_owned();
            set(todos, at % count, "completed_at", done, manner);
        }
        Edit::Clear(at) => {
            let record = record(todos, at % count);
            if let Some(at) = position(record, "description") {
                let made = record.entries[at].open().unwrap();
                made.set(&Value::Scalar(Scalar::Null), manner);
            }
        }
        Edit::Effort(at, value) => {
            let record = record(todos, at % count);
            if let Some(at) = position(record, "effort") {
                let made = record.entries[at].open().unwrap();
                made.set(&Value::from(i64::from(*value) + 100), manner);
            }
        }
        Edit::Unlink(at) => {
            let record = record(todos, at % count);
            if let Some(at) = position(record, "links") {
                record.remove(at);
            }
        }
        Edit::Relate(at, value) => {
            if let Some(related) = related(todos, at % count) {
                let text = format!("r{value}");
                if related.entries.iter().all(|entry| member(entry) != text) {
                    let end = related.entries.len();
                    related.insert(end, None, &text.as_str().into(), manner);
                }
            }
        }
        Edit::Unrelate(at, which) => {
            if let Some(related) = related(todos, at % count)
                && related.entries.len() > 1
            {
                related.remove(which % related.entries.len());
            }
        }
        // A list that was empty in between would be written like a new one.
        Edit::Remove(at) if count > 1 => {
            todos.remove(at % count);
        }
        Edit::Move(from, to) => todos.shift(from % count, to % count),
        Edit::Owner(value) => {
            set(todos, 0, "assigned_to", format!("person{value}"), manner);
        }
        Edit::Remove(_) | Edit::Add(_) => {}
    }
}

fn key(entry: &EntryDraft<'_>) -> String {
    match entry {
        EntryDraft::Keep(entry) => entry.key().unwrap().text().into_owned(),
        EntryDraft::Made(made) => made.head.trim_end_matches(':').to_owned(),
        _ => unreachable!("nothing is contested in an edit by hand"),
    }
}

fn member(entry: &EntryDraft<'_>) -> String {
    match entry {
        EntryDraft::Keep(entry) => entry.value().text().into_owned(),
        _ => unreachable!("every edit begins with a file as it stands"),
    }
}

fn position(mapping: &Collection<'_>, name: &str) -> Option<usize> {
    mapping.entries.iter().position(|entry| key(entry) == name)
}

fn record<'c, 'd>(todos: &'c mut Collection<'d>, at: usize) -> &'c mut Collection<'d> {
    todos.entries[at].open().unwrap().body.value.open().unwrap()
}

fn record_text(todos: &Collection<'_>, at: usize, field: &str) -> String {
    match &todos.entries[at] {
        EntryDraft::Keep(entry) => entry
            .value()
            .get(field)
            .unwrap()
            .value()
            .text()
            .into_owned(),
        _ => unreachable!("every edit begins with a file as it stands"),
    }
}

fn related<'c, 'd>(todos: &'c mut Collection<'d>, at: usize) -> Option<&'c mut Collection<'d>> {
    let record = record(todos, at);
    let at = position(record, "related_knowledge")?;
    record.entries[at].open()?.body.value.open()
}

/// Sets a field; a new one stands where the host tool's structure has it, as far as the record keeps to its order.
fn set(todos: &mut Collection<'_>, at: usize, field: &str, text: String, manner: Manner) {
    const ORDER: [&str; 10] = [
        "id",
        "title",
        "description",
        "status",
        "priority",
        "assigned_to",
        "due_date",
        "created_at",
        "completed_at",
        "outcome",
    ];
    let record = record(todos, at);
    let value = Value::from(text.as_str());
    if let Some(at) = position(record, field) {
        record.entries[at].open().unwrap().set(&value, manner);
        return;
    }
    let before = ORDER.into_iter().take_while(|name| *name != field);
    let behind = before.filter_map(|name| position(record, name)).last();
    let at = behind.map_or(record.entries.len(), |at| at + 1);
    record.insert(
        at,
        Some(&Scalar::Str(field.to_owned().into())),
        &value,
        manner,
    );
}
