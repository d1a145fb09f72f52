//! A document as its author thinks of it: values, comments, and how each is written.

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    Plain,
    Single,
    Double,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// One line.
    Leaf(String, Quotes),
    /// A block text: `|` or `>` with its chomping, and lines.
    Text(&'static str, Vec<String>),
    Map(Group),
    Seq(Group),
}

/// The inside of a collection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) flow: bool,
    pub(crate) entries: Vec<Entry>,
    /// Comments behind the last entry, in the column of the entries.
    pub(crate) foot: Vec<String>,
}

/// A field, a record or a list member.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The same for all versions of one entry.
    pub(crate) uid: usize,
    /// Comments above it; an empty one is a blank line.
    pub(crate) lead: Vec<String>,
    /// In a mapping.
    pub(crate) key: Option<String>,
    pub(crate) value: Value,
    /// The comment beside it.
    pub(crate) beside: Option<String>,
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) root: Group,
    pub(crate) frame: Frame,
}

/// How a file is written as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) step: usize,
    /// Whether the dashes of a list in a mapping stand in the column of its key.
    pub(crate) flush_lists: bool,
    pub(crate) crlf: bool,
    pub(crate) final_newline: bool,
    pub(crate) bom: bool,
}

impl Value {
    pub(crate) fn group(&self) -> Option<&Group> {
        match self {
            Value::Map(group) | Value::Seq(group) => Some(group),
            _ => None,
        }
    }

    pub(crate) fn group_mut(&mut self) -> Option<&mut Group> {
        match self {
            Value::Map(group) | Value::Seq(group) => Some(group),
            _ => None,
        }
    }
}

/// What a value means, whatever the order of keys; lists as bags, records too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meaning {
    Leaf(String),
    Map(Vec<(String, Meaning)>),
    Seq(Vec<Meaning>),
}

impl Group {
    /// What it means as a mapping.
    pub(crate) fn map_meaning(&self) -> Meaning {
        let mut fields: Vec<_> = self
            .entries
            .iter()
            .map(|entry| {
                let key = entry.key.clone().unwrap_or_default();
                (key, entry.value.meaning())
            })
            .collect();
        fields.sort();
        Meaning::Map(fields)
    }
}

impl Value {
    pub(crate) fn meaning(&self) -> Meaning {
        match self {
            Value::Leaf(text, _) => Meaning::Leaf(text.clone()),
            Value::Text(style, lines) => Meaning::Leaf(text_of(style, lines)),
            Value::Map(group) => group.map_meaning(),
            Value::Seq(group) => {
                let mut members: Vec<_> = group
                    .entries
                    .iter()
                    .map(|entry| entry.value.meaning())
                    .collect();
                members.sort();
                Meaning::Seq(members)
            }
        }
    }
}

/// What a block text means; its lines neither begin with blanks nor, but for those between, are empty.
fn text_of(style: &str, lines: &[String]) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            let beside_blank = line.is_empty() || lines[index - 1].is_empty();
            match style.starts_with('>') {
                // Two folded lines are one; blank lines between them are their breaks.
                true if !beside_blank => text.push(' '),
                true if line.is_empty() => text.push('\n'),
                true => {}
                false => text.push('\n'),
            }
        }
        text.push_str(line);
    }
    if !style.ends_with('-') {
        text.push('\n');
    }
    text
}

/// What a document that was read means, in the same terms.
pub(crate) fn meaning_of(node: rhema_crdt::yaml::NodeRef<'_>) -> Meaning {
    use rhema_crdt::yaml::Kind;
    match node.kind() {
        Kind::Mapping => {
            let mut fields: Vec<_> = node
                .entries()
                .map(|entry| {
                    let key = entry.key().map(|key| key.text().into_owned());
                    (key.unwrap_or_default(), meaning_of(entry.value()))
                })
                .collect();
            fields.sort();
            Meaning::Map(fields)
        }
        Kind::Sequence => {
            let mut members: Vec<_> = node
                .entries()
                .map(|entry| meaning_of(entry.value()))
                .collect();
            members.sort();
            Meaning::Seq(members)
        }
        Kind::Scalar(_) | Kind::Alias => Meaning::Leaf(node.text().into_owned()),
    }
}
