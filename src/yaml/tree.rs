//! The concrete tree of a file: every node knows its exact bytes.
//!
//! A [`Document`] owns the text and two flat arenas. Nothing is copied out of the text: nodes and entries are
//! byte ranges. The ranges of a block collection tile the text: an entry begins with its *lead* (the blank lines
//! and comments above it) and ends behind its *tail* (the comment beside it, deeper comments below it and the
//! line break); the next entry begins there. What stands in the collection's own column behind its last entry is
//! the collection's *foot*. So a node or an entry can be copied, moved or dropped as one run of bytes.

use super::error::{Error, Limits, Problem};
use super::reader;

/// A range of bytes of a document's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One behind the last byte.
    pub end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        // The reader refuses texts of 4 GiB and more, so that offsets fit.
        Span {
            start: start as u32,
            end: end as u32,
        }
    }

    /// Whether the range holds nothing.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// How a scalar is written (YAML 1.2, chapters 7.3 and 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Nothing at all: the null of `key:`.
    Empty,
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A scalar and how it is written.
    Scalar(Style),
    /// `*name`
    Alias,
    /// A mapping.
    Mapping,
    /// A sequence.
    Sequence,
}

/// Index of a node in its [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub(crate) u32);

/// One node of the tree.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Whether a collection is written in brackets.
    pub flow: bool,
    /// Whether the collection holds what is carried verbatim only: explicit `?` keys, keys that are empty, aliases
    /// or collections, pairs inside `[…]`.
    pub opaque: bool,
    /// `&name`, without the `&`; empty if there is none.
    pub anchor: Span,
    /// The tag as written; empty if there is none.
    pub tag: Span,
    /// Anchor and tag with what stands between them; empty if there are none.
    pub props: Span,
    /// The node itself without its properties. Of a block scalar from its `|` or `>` to the end of its content; of
    /// a block collection from the lead of its first entry to the end of its foot.
    pub span: Span,
    /// Of a collection: its entries in the arena.
    pub(crate) entries: Span,
    /// Of a block collection: the column of its entries. Of a block scalar: the column of its content.
    pub column: u32,
    /// Column of the block collection around this node; -1 at the root.
    pub parent_column: i32,
}

/// One entry of a collection: `key: value`, `- item`, or one element between commas.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Where the lead begins; the entry before it ends here.
    pub lead: u32,
    /// The first byte of the key or of the `-`.
    pub start: u32,
    /// The key of a mapping's entry.
    pub key: Option<NodeId>,
    /// Just behind the `:` or the `-` (in a flow sequence: where the element begins).
    pub after: u32,
    /// The value.
    pub value: NodeId,
    /// Behind the tail. In a flow collection: behind the comma, or before the closing bracket.
    pub end: u32,
}

/// One YAML document of a file.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The whole part with its directives, markers and comments; parts tile the file.
    pub span: Span,
    /// Whether `---` opens it.
    pub explicit_start: bool,
    /// Whether `...` closes it.
    pub explicit_end: bool,
    /// Its root node.
    pub root: NodeId,
}

/// A file's text and the tree over it.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) text: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) parts: Vec<Part>,
    pub(crate) deepest: usize,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// Whatever is no well-formed YAML 1.2, holds a key twice in one mapping, or exceeds `limits`.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        limits.allow(bytes.len() as u64)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Error::at(Problem::NotUtf8, bytes, error.valid_up_to()))?;
        Self::from_text(text.to_owned(), limits)
    }

    /// Reads a text that is already known to be UTF-8.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub fn from_text(text: String, limits: &Limits) -> Result<Self, Error> {
        limits.allow(text.len() as u64)?;
        reader::read(text, limits)
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole text, without the tree.
    pub fn into_text(self) -> String {
        self.text
    }

    /// How deep collections are nested in it.
    pub fn depth(&self) -> usize {
        self.deepest
    }

    /// The YAML documents of the file, in order; none if it holds only blanks and comments.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The root of the only YAML document in the file.
    pub fn root(&self) -> Option<NodeRef<'_>> {
        match self.parts.as_slice() {
            [part] => Some(self.node(part.root)),
            _ => None,
        }
    }

    /// A node by its index.
    pub fn node(&self, id: NodeId) -> NodeRef<'_> {
        NodeRef { document: self, id }
    }

    /// Line and column of the byte at `offset`, both 1-based, the column in characters.
    pub fn position(&self, offset: u32) -> (usize, usize) {
        let before = &self.text[..offset as usize];
        let (line, start) = super::error::line_of(before.as_bytes());
        (line, before[start..].chars().count() + 1)
    }

    /// The bytes of a range.
    pub fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    pub(crate) fn between(&self, start: u32, end: u32) -> &str {
        &self.text[start as usize..end as usize]
    }
}

/// A node together with its document.
#[derive(Clone, Copy, Debug)]
pub struct NodeRef<'d> {
    pub(crate) document: &'d Document,
    pub(crate) id: NodeId,
}

impl PartialEq for NodeRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.id == other.id
    }
}

impl<'d> NodeRef<'d> {
    /// The document it stands in.
    pub fn document(self) -> &'d Document {
        self.document
    }

    /// The node's facts.
    pub fn data(self) -> &'d Node {
        &self.document.nodes[self.id.0 as usize]
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.data().kind
    }

    /// Its bytes without properties.
    pub fn raw(self) -> &'d str {
        self.document.slice(self.data().span)
    }

    /// Its bytes with anchor and tag.
    pub fn raw_with_props(self) -> &'d str {
        let node = self.data();
        if node.props.is_empty() {
            self.raw()
        } else {
            self.document.between(node.props.start, node.span.end)
        }
    }

    /// Anchor and tag as written; empty if there are none.
    pub fn props(self) -> &'d str {
        self.document.slice(self.data().props)
    }

    /// The anchor's name.
    pub fn anchor(self) -> Option<&'d str> {
        let span = self.data().anchor;
        (!span.is_empty()).then(|| self.document.slice(span))
    }

    /// The tag as written.
    pub fn tag(self) -> Option<&'d str> {
        let span = self.data().tag;
        (!span.is_empty()).then(|| self.document.slice(span))
    }

    /// Whether it is a mapping or a sequence.
    pub fn is_collection(self) -> bool {
        matches!(self.kind(), Kind::Mapping | Kind::Sequence)
    }

    /// Whether it is a collection written by indentation.
    pub fn is_block_collection(self) -> bool {
        self.is_collection() && !self.data().flow
    }

    /// Whether it is a mapping or sequence whose entries can be told apart and edited one by one.
    pub fn is_structured(self) -> bool {
        self.is_collection() && !self.data().opaque
    }

    /// Whether it is a `|` or `>` scalar.
    pub fn is_block_scalar(self) -> bool {
        matches!(self.kind(), Kind::Scalar(Style::Literal | Style::Folded))
    }

    /// The entries of a collection; none for anything else.
    pub fn entries(
        self,
    ) -> impl ExactSizeIterator<Item = EntryRef<'d>> + DoubleEndedIterator + Clone {
        let Span { start, end } = self.data().entries;
        (start..end).map(move |index| EntryRef {
            document: self.document,
            parent: self.id,
            index,
        })
    }

    /// The number of entries.
    pub fn len(self) -> usize {
        let Span { start, end } = self.data().entries;
        (end - start) as usize
    }

    /// Whether it has no entries.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The entry of a mapping whose key reads `name`.
    pub fn get(self, name: &str) -> Option<EntryRef<'d>> {
        self.entries().find(|entry| {
            entry
                .key()
                .is_some_and(|key| matches!(key.kind(), Kind::Scalar(_)) && key.text() == name)
        })
    }

    /// The text behind the last entry that belongs to the collection itself.
    pub fn foot(self) -> &'d str {
        let node = self.data();
        match self.entries().next_back() {
            Some(last) if !node.flow => self.document.between(last.data().end, node.span.end),
            _ => "",
        }
    }
}

/// An entry together with its document.
#[derive(Clone, Copy, Debug)]
pub struct EntryRef<'d> {
    pub(crate) document: &'d Document,
    pub(crate) parent: NodeId,
    pub(crate) index: u32,
}

impl<'d> EntryRef<'d> {
    /// The entry's facts.
    pub fn data(self) -> &'d Entry {
        &self.document.entries[self.index as usize]
    }

    /// The collection it stands in.
    pub fn parent(self) -> NodeRef<'d> {
        self.document.node(self.parent)
    }

    /// Whether it is the first one there.
    pub(crate) fn is_first(self) -> bool {
        self.index == self.parent().data().entries.start
    }

    /// Its key, in a mapping.
    pub fn key(self) -> Option<NodeRef<'d>> {
        self.data().key.map(|key| self.document.node(key))
    }

    /// Its value.
    pub fn value(self) -> NodeRef<'d> {
        self.document.node(self.data().value)
    }

    /// All of its bytes: lead, key, value, tail.
    pub fn raw(self) -> &'d str {
        let entry = self.data();
        self.document.between(entry.lead, entry.end)
    }

    /// The blank lines and comments above it, whole lines (in a flow collection: what stands before the element).
    pub fn lead(self) -> &'d str {
        let entry = self.data();
        let text = self.document.between(entry.lead, entry.start);
        if self.parent().data().flow {
            return text;
        }
        // The indentation of the entry's own line is no part of the lead.
        let line = text.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        &text[..line]
    }

    /// The key as written with its properties and the `:`, or the `-`.
    pub fn head(self) -> &'d str {
        let entry = self.data();
        self.document.between(entry.start, entry.after)
    }

    /// What stands between the `:` or `-` and the value: blanks, or a comment and line breaks.
    pub fn sep(self) -> &'d str {
        let value = self.value().data();
        let end = if value.props.is_empty() {
            value.span.start
        } else {
            value.props.start
        };
        self.document.between(self.data().after, end)
    }

    /// What stands behind the value: the comment beside it, deeper comments below it, the line break.
    pub fn tail(self) -> &'d str {
        self.document
            .between(self.value().data().span.end, self.data().end)
    }
}
