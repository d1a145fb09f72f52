//! Chosen values in the file: each is written in the manner of what it replaces.

use std::borrow::Cow;

use crate::context::placing;
use crate::yaml::{
    Collection, Document, Draft, EntryDraft, FileDraft, Kind, Limits, Manner, NodeRef, Scalar,
    Side, Style, Value,
};

/// What a leaf is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewValue {
    /// A value, to be written like the one before it: a text in several lines stays one.
    Meant(Value),
    /// A value as somebody typed it.
    Typed(String),
}

impl NewValue {
    /// A value from its canonical text.
    pub(crate) fn of_canonical(text: &str) -> Self {
        let document = Document::from_text(format!("{{a: {text}}}\n"), &Limits::default());
        let value = document.ok().and_then(|document| {
            let entry = document.root()?.get("a")?;
            Value::of(entry.value())
        });
        // Anchors and aliases are not to be had as values: they stand as the canonical text has them.
        value.map_or_else(|| Self::Typed(text.to_owned()), Self::Meant)
    }

    /// A text as it stands.
    pub(crate) fn of_text(text: &str) -> Self {
        Self::Meant(Scalar::Str(Cow::Owned(text.replace("\r\n", "\n"))).into())
    }

    /// How this is written in the place of `old`. People and tools write dates without quotes, and readers of YAML 1.1
    /// take them for dates then: what lost was most likely written so, too.
    pub(crate) fn to_be_written(&self, old: Option<NodeRef<'_>>) -> Self {
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
pub(in crate::context) fn with_field(
    document: &Document,
    mapping: NodeRef<'_>,
    name: &str,
    value: &NewValue,
    behind: &[impl AsRef<str>],
    like: Option<NodeRef<'_>>,
) -> Option<Document> {
    let steps = steps(document.root()?, mapping)?;
    rewritten(document, &steps, |collection, manner| {
        Fields::of(collection, manner).put(name, value, behind, like)
    })
}

/// A document with the collection that `steps` lead to changed. Nothing if that cannot be done, or does not read back.
pub(in crate::context) fn rewritten<'d>(
    document: &'d Document,
    steps: &[usize],
    change: impl FnOnce(&mut Collection<'d>, Manner) -> Option<()>,
) -> Option<Document> {
    let mut file = FileDraft::of(document);
    let root = file.parts.first_mut()?.root.open()?;
    change(opened(root, steps)?, Manner::of(document))?;
    let text = file.emit(Side::Ours);
    let read = Document::from_text(text, &Limits::default()).ok()?;
    file.agrees(&read, Side::Ours).then_some(read)
}

/// The fields of a mapping that is being written.
pub(crate) struct Fields<'c, 'd> {
    collection: &'c mut Collection<'d>,
    manner: Manner,
    /// The name of each entry, as far as it has one.
    names: Vec<Option<Cow<'d, str>>>,
}

impl<'c, 'd> Fields<'c, 'd> {
    /// Those of a mapping that nothing was put into yet.
    pub(crate) fn of(collection: &'c mut Collection<'d>, manner: Manner) -> Self {
        let name = |entry: &EntryDraft<'d>| match entry {
            EntryDraft::Keep(entry) => placing::name_of(*entry),
            EntryDraft::Made(made) => made.origin.and_then(placing::name_of),
            EntryDraft::Contested(..) | EntryDraft::Only(..) => None,
        };
        let names = collection.entries.iter().map(name).collect();
        Self {
            collection,
            manner,
            names,
        }
    }

    /// Gives the field called `name` a value, in the manner of its old one. Where it is new it comes behind the last of
    /// the fields in `behind`, else to the end, and is written as `like` is. Nothing if it cannot be written.
    pub(crate) fn put(
        &mut self,
        name: &str,
        value: &NewValue,
        behind: &[impl AsRef<str>],
        like: Option<NodeRef<'_>>,
    ) -> Option<()> {
        let Some(index) = self.index_of(name) else {
            return self.insert(name, value, behind, like);
        };
        let made = self.collection.entries.get_mut(index)?.open()?;
        let old = match &made.body.value {
            Draft::Keep(node) => Some(*node),
            _ => None,
        };
        match value.to_be_written(old) {
            NewValue::Meant(meant) => made.set(&meant, self.manner),
            NewValue::Typed(text) => made.set_token(text),
        }
        Some(())
    }

    fn insert(
        &mut self,
        name: &str,
        value: &NewValue,
        behind: &[impl AsRef<str>],
        like: Option<NodeRef<'_>>,
    ) -> Option<()> {
        let index = behind
            .iter()
            .rev()
            .find_map(|name| self.index_of(name.as_ref()));
        let index = index.map_or(self.collection.entries.len(), |index| index + 1);
        let key = Scalar::Str(Cow::Owned(name.to_owned()));
        let value = value.to_be_written(like);
        let meant = match &value {
            NewValue::Meant(meant) => meant.clone(),
            NewValue::Typed(_) => Scalar::Null.into(),
        };
        self.collection
            .insert(index, Some(&key), &meant, self.manner);
        self.names.insert(index, Some(Cow::Owned(name.to_owned())));
        let flow = self.collection.flow;
        let made = self.collection.entries.get_mut(index)?.open()?;
        match (value, like) {
            (NewValue::Typed(text), _) => made.set_token(text),
            // What has several lines was written as its new place allows.
            (NewValue::Meant(meant), Some(like)) if !has_lines(&meant) => {
                made.body.value = Draft::like(&meant, like, self.manner, flow);
            }
            (NewValue::Meant(_), _) => {}
        }
        Some(())
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.names
            .iter()
            .position(|known| known.as_deref() == Some(name))
    }
}

fn has_lines(value: &Value) -> bool {
    matches!(value, Value::Scalar(Scalar::Str(text)) if text.contains('\n'))
}

/// The entries that lead from a node down to another one; nothing where it is not in there.
pub(super) fn steps(from: NodeRef<'_>, to: NodeRef<'_>) -> Option<Vec<usize>> {
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
