//! What a file is to become: a tree whose untouched parts are references into documents that were read.
//!
//! A [`Draft`] begins as a whole node that is kept as it stands; opening a collection turns it into a list of entries,
//! each of them kept as it stands until it is opened in turn. So an edit costs what it touches, parts of several
//! documents can stand side by side in one draft, and writing it copies long runs of bytes.

use std::borrow::Cow;

use super::lines::line_length;
use super::tree::{Document, EntryRef, Kind, NodeRef, Part, Style};

/// A file to be written.
#[derive(Clone, Debug)]
pub struct FileDraft<'d> {
    /// The YAML documents of the file; a file that holds none has one part whose root is nothing.
    pub parts: Vec<PartDraft<'d>>,
    /// The line break that new lines take.
    pub newline: &'static str,
    /// Whether the last line ends with a line break.
    pub final_newline: bool,
}

/// One YAML document of a file to be written.
#[derive(Clone, Debug)]
pub struct PartDraft<'d> {
    /// Byte order mark, directives, `---`, comments: up to the root.
    pub head: Cow<'d, str>,
    /// The root.
    pub root: Draft<'d>,
    /// Behind the root to the end of its line, as [`Body::beside`].
    pub beside: Cow<'d, str>,
    /// Whole lines behind the root: comments, blank lines, `...`.
    pub rest: Cow<'d, str>,
}

impl<'d> FileDraft<'d> {
    /// A document as it stands.
    pub fn of(document: &'d Document) -> Self {
        let text = document.text();
        let mut parts: Vec<_> = document
            .parts()
            .iter()
            .map(|part| PartDraft::of(document, part))
            .collect();
        if parts.is_empty() {
            parts.push(PartDraft {
                head: Cow::Borrowed(text),
                root: Draft::Token(Cow::Borrowed("")),
                beside: Cow::Borrowed(""),
                rest: Cow::Borrowed(""),
            });
        }
        FileDraft {
            parts,
            newline: newline_of(text),
            final_newline: text.is_empty() || text.ends_with(['\n', '\r']),
        }
    }
}

impl<'d> PartDraft<'d> {
    /// A part of a document as it stands.
    pub fn of(document: &'d Document, part: &Part) -> Self {
        let root = document.node(part.root);
        let data = root.data();
        let start = if data.props.is_empty() {
            data.span.start
        } else {
            data.props.start
        };
        let tail = document.between(data.span.end, part.span.end);
        let (beside, rest) = if ends_line(root) {
            ("", tail)
        } else {
            tail.split_at(line_length(tail))
        };
        PartDraft {
            head: Cow::Borrowed(document.between(part.span.start, start)),
            root: Draft::Keep(root),
            beside: Cow::Borrowed(beside),
            rest: Cow::Borrowed(rest),
        }
    }
}

/// The line break of a text: that of its first line.
pub(crate) fn newline_of(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Text of a document together with the column of the collection for which it was written, so that it can be put
/// into a collection of another column.
#[derive(Clone, Debug, Default)]
pub struct Piece<'d> {
    /// The text; lines after the first begin with their indentation.
    pub text: Cow<'d, str>,
    /// The column of the collection around it.
    pub column: i32,
}

impl<'d> Piece<'d> {
    /// A text written for a collection in `column`.
    pub fn new(text: impl Into<Cow<'d, str>>, column: i32) -> Self {
        Piece {
            text: text.into(),
            column,
        }
    }
}

/// A node to be written.
#[derive(Clone, Debug)]
pub enum Draft<'d> {
    /// A node as it stands in its document.
    Keep(NodeRef<'d>),
    /// A new scalar (or flow collection) that fits in one line, as it is to be written.
    Token(Cow<'d, str>),
    /// A new block scalar.
    Block(BlockText<'d>),
    /// A collection with entries of its own.
    Collection(Box<Collection<'d>>),
}

/// A block scalar to be written.
#[derive(Clone, Debug)]
pub struct BlockText<'d> {
    /// Anchor and tag, with a blank behind them if there are any.
    pub props: Cow<'d, str>,
    /// `|` or `>` with its indicators and comment.
    pub header: Cow<'d, str>,
    /// How much deeper than the collection around it the text stands; at least 1. What an indentation indicator in
    /// the header says is this.
    pub offset: u32,
    /// The lines of the text without the indentation that they share and without line breaks.
    pub lines: Vec<Cow<'d, str>>,
}

/// A mapping or sequence to be written.
///
/// What cannot stand as it is asked for is written as near to it as can be: a block collection without entries as `[]`
/// or `{}`, one inside brackets in brackets, one that cannot stand in the line of its `-` below it.
#[derive(Clone, Debug)]
pub struct Collection<'d> {
    /// [`Kind::Mapping`] or [`Kind::Sequence`].
    pub kind: Kind,
    /// Written in brackets.
    pub flow: bool,
    /// Anchor and tag with what stands between them and the first entry (or bracket); empty if there are none.
    pub props: Piece<'d>,
    /// Block only: how much deeper than the collection around it its entries stand. The root's is its column + 1.
    pub offset: i32,
    /// Block only: whether its first entry stands in the line of the `-` before it.
    pub compact: bool,
    /// The entries in order.
    pub entries: Vec<EntryDraft<'d>>,
    /// Block only: whole lines behind the last entry.
    pub foot: Piece<'d>,
    /// Flow only: the collection whose brackets and spacing are followed.
    pub like: Option<NodeRef<'d>>,
}

/// An entry to be written.
#[derive(Clone, Debug)]
pub enum EntryDraft<'d> {
    /// An entry as it stands in its document.
    Keep(EntryRef<'d>),
    /// An entry put together from parts.
    Made(Box<MadeEntry<'d>>),
    /// An entry whose value is contested: one of two bodies is written.
    Contested(Box<MadeEntry<'d>>, Body<'d>),
    /// An entry that is there only if this side is chosen.
    Only(Side, Box<EntryDraft<'d>>),
}

/// One of the two sides of a contest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side called ours.
    Ours,
    /// The side called theirs.
    Theirs,
}

/// An entry's parts.
#[derive(Clone, Debug)]
pub struct MadeEntry<'d> {
    /// Whole lines above it.
    pub lead: Piece<'d>,
    /// The key with its `:`, or `-`; in a flow sequence nothing.
    pub head: Cow<'d, str>,
    /// The value and what stands around it in its line.
    pub body: Body<'d>,
    /// Whole lines below the value that belong to it.
    pub below: Piece<'d>,
    /// The element of a flow collection that it was made of: its white space and comments are followed inside
    /// brackets, where `lead` is not written.
    pub origin: Option<EntryRef<'d>>,
}

/// A value with the blanks before it and the comment beside it.
#[derive(Clone, Debug)]
pub struct Body<'d> {
    /// Between `:` or `-` and the value.
    pub sep: Piece<'d>,
    /// The value.
    pub value: Draft<'d>,
    /// Behind the value to the end of its line: blanks and a comment, or nothing; with or without the line break.
    pub beside: Cow<'d, str>,
}

impl<'d> Draft<'d> {
    /// Opens a structured collection for editing; nothing for anything else.
    pub fn open(&mut self) -> Option<&mut Collection<'d>> {
        if let Draft::Keep(node) = self {
            let node = *node;
            if !node.is_structured() {
                return None;
            }
            *self = Draft::Collection(Box::new(Collection::of(node)));
        }
        match self {
            Draft::Collection(collection) => Some(collection),
            _ => None,
        }
    }
}

/// Whether a node's bytes end with the line break of its last line (that of a file may lack).
pub(crate) fn ends_line(node: NodeRef<'_>) -> bool {
    node.is_block_collection() || node.is_block_scalar()
}

/// Whether a block collection begins in the line of the indicator before it.
pub(crate) fn is_compact(node: NodeRef<'_>) -> bool {
    let data = node.data();
    let before = &node.document().text()[..data.span.start as usize];
    node.is_block_collection() && before.ends_with([' ', '\t'])
}

/// Anchor and tag of a node with what stands behind them; empty if there are none.
pub(crate) fn props_of(node: NodeRef<'_>) -> Piece<'_> {
    let data = node.data();
    if data.props.is_empty() {
        return Piece::default();
    }
    let text = node.document().between(data.props.start, data.span.start);
    Piece::new(text, data.parent_column)
}

/// The first line of a block scalar, without the line break: `|` or `>`, its indicators, its comment.
pub(crate) fn header_of(node: NodeRef<'_>) -> &str {
    let raw = node.raw();
    raw[..line_length(raw)].trim_end_matches(['\n', '\r'])
}

impl BlockText<'_> {
    /// [`Style::Literal`] or [`Style::Folded`].
    pub fn style(&self) -> Style {
        if self.header.starts_with('>') {
            Style::Folded
        } else {
            Style::Literal
        }
    }

    /// The scalar as if its text stood in column 0.
    pub(crate) fn raw(&self) -> String {
        let mut raw = self.header.clone().into_owned();
        raw.push('\n');
        for line in &self.lines {
            raw.push_str(line);
            raw.push('\n');
        }
        raw
    }
}

impl<'d> Collection<'d> {
    /// Whether a kept block collection begins in the line of its indicator.
    pub(crate) fn of_is_compact(node: NodeRef<'_>) -> bool {
        is_compact(node)
    }

    /// The entries of a node, each as it stands.
    pub fn of(node: NodeRef<'d>) -> Self {
        let data = node.data();
        Collection {
            kind: data.kind,
            flow: data.flow,
            props: props_of(node),
            offset: data.column as i32 - data.parent_column,
            compact: is_compact(node),
            entries: node.entries().map(EntryDraft::Keep).collect(),
            foot: Piece::new(node.foot(), data.column as i32),
            like: Some(node),
        }
    }
}

impl<'d> EntryDraft<'d> {
    /// The whole lines above it in a block collection.
    pub(crate) fn lead(&self) -> &str {
        match self {
            EntryDraft::Keep(entry) if entry.parent().data().flow => "",
            EntryDraft::Keep(entry) => entry.lead(),
            EntryDraft::Made(made) | EntryDraft::Contested(made, _) => &made.lead.text,
            EntryDraft::Only(_, entry) => entry.lead(),
        }
    }

    /// Opens the entry for editing. A contested entry, or one that only one side has, is not opened.
    pub fn open(&mut self) -> Option<&mut MadeEntry<'d>> {
        if let EntryDraft::Keep(entry) = self {
            *self = EntryDraft::Made(Box::new(MadeEntry::of(*entry)));
        }
        match self {
            EntryDraft::Made(made) => Some(made),
            _ => None,
        }
    }
}

impl<'d> MadeEntry<'d> {
    /// The parts of an entry as it stands.
    pub fn of(entry: EntryRef<'d>) -> Self {
        let column = column_of(entry);
        let (beside, below) = split_tail(entry);
        MadeEntry {
            lead: Piece::new(entry.lead(), column),
            head: Cow::Borrowed(entry.head()),
            body: Body {
                sep: Piece::new(entry.sep(), column),
                value: Draft::Keep(entry.value()),
                beside: Cow::Borrowed(beside),
            },
            below: Piece::new(below, column),
            origin: Some(entry),
        }
    }
}

/// The column that an entry's pieces are written for.
pub(crate) fn column_of(entry: EntryRef<'_>) -> i32 {
    let parent = entry.parent().data();
    if parent.flow {
        parent.parent_column
    } else {
        parent.column as i32
    }
}

/// An entry's tail as what stands beside the value, with the line break, and the whole lines below.
pub(crate) fn split_tail(entry: EntryRef<'_>) -> (&str, &str) {
    let tail = entry.tail();
    if entry.parent().data().flow {
        return ("", "");
    }
    if ends_line(entry.value()) {
        return ("", tail);
    }
    tail.split_at(line_length(tail))
}
