//! Chosen values in the file: each is written in the manner of what it replaces.

use std::borrow::Cow;

use crate::yaml::{
    Collection, Document, Draft, EntryRef, FileDraft, Kind, Limits, Manner, NodeRef, Scalar, Side,
    Style, Value,
};

/// What a leaf is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NewValue {
    /// A value, to be written like the one before it: a text in several lines stays one.
    Meant(Value),
    /// A value as somebody typed it.
    Typed(String),
}

impl NewValue {
    /// A value from its canonical text.
    pub(super) fn of_canonical(text: &str) -> Self {
        let document = Document::from_text(format!("{{a: {text}}}\n"), &Limits::default());
        let value = document.ok().and_then(|document| {
            let entry = document.root()?.get("a")?;
            Value::of(entry.value())
        });
        // Anchors and aliases are not to be had as values: they stand as the canonical text has them.
        value.map_or_else(|| Self::Typed(text.to_owned()), Self::Meant)
    }

    /// How this is written in the place of `old`. People and tools write dates without quotes, and readers of YAML 1.1
    /// take them for dates then: what lost was most likely written so, too.
    fn to_be_written(&self, old: Option<NodeRef<'_>>) -> Self {
        let is_quoted = old
            .is_some_and(|old| matches!(old.kind(), Kind::Scalar(Style::Single | Style::Double)));
        match self {
            Self::Meant(Value::Scalar(Scalar::Str(text))) if !is_quoted && is_date(text) => {
                Self::Typed(text.clone().into_owned())
            }
            value => value.clone(),
        }
    }
}

/// Whether a text is a date as in `2025-11-03`, with or without a time of day.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let day = b"dddd-dd-dd".iter().enumerate().all(|(at, kind)| {
        bytes.get(at).is_some_and(|byte| {
            if *kind == b'd' {
                byte.is_ascii_digit()
            } else {
                *byte == b'-'
            }
        })
    });
    let is_time = |byte: &u8| byte.is_ascii_digit() || b"TtZz:.+-".contains(byte);
    day && bytes.iter().all(is_time)
}

/// A document with the field called `name` of a mapping in it holding `value`. Where it is new it comes behind the last
/// of the fields in `behind`, else to the end. Nothing if that cannot be written.
pub(super) fn with_field(
    document: &Document,
    mapping: NodeRef<'_>,
    name: &str,
    value: &NewValue,
    behind: &[&str],
) -> Option<Document> {
    let manner = Manner::of(document);
    let value = value.to_be_written(mapping.get(name).map(EntryRef::value));
    let index_of = |name: &str| {
        let mut entries = mapping.entries();
        entries.position(|entry| entry.key().is_some_and(|key| key.text() == name))
    };
    let mut file = FileDraft::of(document);
    let root = file.parts.first_mut()?.root.open()?;
    let collection = opened(root, &steps(document.root()?, mapping)?)?;
    let index = match index_of(name) {
        Some(index) => {
            if let NewValue::Meant(meant) = &value {
                let made = collection.entries.get_mut(index)?.open()?;
                made.set(meant, manner);
            }
            index
        }
        None => {
            let index = behind.iter().rev().find_map(|name| index_of(name));
            let index = index.map_or(collection.entries.len(), |index| index + 1);
            let meant = match &value {
                NewValue::Meant(meant) => meant.clone(),
                NewValue::Typed(_) => Scalar::Null.into(),
            };
            let key = Scalar::Str(Cow::Owned(name.to_owned()));
            collection.insert(index, Some(&key), &meant, manner);
            index
        }
    };
    if let NewValue::Typed(text) = value {
        let made = collection.entries.get_mut(index)?.open()?;
        made.body.value = Draft::Token(Cow::Owned(text));
    }
    let text = file.emit(Side::Ours);
    let read = Document::from_text(text, &Limits::default()).ok()?;
    file.agrees(&read, Side::Ours).then_some(read)
}

/// The entries that lead from a node down to another one.
fn steps(from: NodeRef<'_>, to: NodeRef<'_>) -> Option<Vec<usize>> {
    if from == to {
        return Some(Vec::new());
    }
    from.entries().enumerate().find_map(|(index, entry)| {
        let mut below = steps(entry.value(), to)?;
        below.insert(0, index);
        Some(below)
    })
}

fn opened<'c, 'd>(root: &'c mut Collection<'d>, steps: &[usize]) -> Option<&'c mut Collection<'d>> {
    steps.iter().try_fold(root, |collection, &step| {
        collection.entries.get_mut(step)?.open()?.body.value.open()
    })
}
