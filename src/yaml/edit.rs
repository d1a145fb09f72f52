//! Edits of a draft: set, insert, remove, move. Each changes the lines that it must and no others; blank lines between
//! entries stay between entries.

use std::borrow::Cow;

use super::draft::{
    BlockText, Collection, Draft, EntryDraft, MadeEntry, PartDraft, Piece, header_of,
};
use super::lines::{indent_of, is_blank, lines, without_leading_blank_lines};
use super::render::{self, Context, Manner, scalar_token};
use super::scalar::Scalar;
use super::tree::{Kind, NodeRef, Style};
use super::value::Value;

impl<'d> Draft<'d> {
    /// Opens a collection as [`Draft::open`] does; opens a null as a collection of `kind` without entries. Nothing for
    /// anything else.
    pub fn open_as(&mut self, kind: Kind, manner: Manner) -> Option<&mut Collection<'d>> {
        let node = match self {
            Draft::Keep(node) => Some(*node),
            _ => None,
        };
        if node.is_some_and(is_bare_null) || matches!(self, Draft::Token(text) if text.is_empty()) {
            let mut collection = manner.empty(kind);
            if let Some(node) = node {
                collection.props = props(node, true);
                collection.flow = in_brackets(node);
            }
            *self = Draft::Collection(Box::new(collection));
        }
        self.open().filter(|collection| collection.kind == kind)
    }

    fn anchor_and_style(&self) -> (Cow<'d, str>, Option<NodeRef<'d>>) {
        match self {
            Draft::Keep(node) => (props(*node, false).text, Some(*node)),
            Draft::Collection(collection) => {
                let words = collection.props.text.split_whitespace();
                let anchor = words
                    .take_while(|word| !word.starts_with('#'))
                    .find(|word| word.starts_with('&'));
                (
                    anchor.map_or(Cow::Borrowed(""), |anchor| Cow::Owned(format!("{anchor} "))),
                    None,
                )
            }
            _ => (Cow::Borrowed(""), None),
        }
    }

    /// Replaces the node by a new value. Its anchor stays, as others may name it; its tag goes with what it tagged.
    /// `flow`: whether it stands in brackets.
    pub fn set(&mut self, value: &Value, manner: Manner, flow: bool) {
        let (anchor, like) = self.anchor_and_style();
        let flow = flow
            || matches!(like, Some(node) if node.is_collection() && node.data().flow && !node.is_empty());
        *self = render::draft(value, like, manner, flow);
        if anchor.is_empty() {
            return;
        }
        match self {
            Draft::Token(text) => {
                let token = format!("{anchor}{text}");
                *text = Cow::Owned(token.trim_end().to_owned());
            }
            Draft::Block(text) => text.props = anchor,
            Draft::Collection(collection) => collection.props = Piece::new(anchor, 0),
            Draft::Keep(_) => {}
        }
    }
}

impl Draft<'_> {
    /// A new value in the manner of `like`, which stands elsewhere: its quotes, its brackets. `flow`: whether it stands
    /// in brackets.
    #[must_use]
    pub fn like(value: &Value, like: NodeRef<'_>, manner: Manner, flow: bool) -> Self {
        let flow = flow || (like.is_collection() && like.data().flow && !like.is_empty());
        render::draft(value, Some(like), manner, flow)
    }
}

/// Whether a node is a null that says nothing more than that.
fn is_bare_null(node: NodeRef<'_>) -> bool {
    matches!(node.kind(), Kind::Scalar(Style::Empty | Style::Plain))
        && node.tag().is_none()
        && node.scalar() == Some(Scalar::Null)
}

/// A node's anchor, with its tag if that is asked for, and a blank behind.
fn props<'d>(node: NodeRef<'d>, tag: bool) -> Piece<'d> {
    let mut text = String::new();
    if let Some(anchor) = node.anchor() {
        text.push_str(&format!("&{anchor} "));
    }
    if let Some(name) = node.tag().filter(|_| tag) {
        text.push_str(&format!("{name} "));
    }
    Piece::new(text, 0)
}

impl<'d> MadeEntry<'d> {
    /// Replaces the value, as [`Draft::set`] does.
    pub fn set(&mut self, value: &Value, manner: Manner) {
        let flow = self
            .origin
            .is_some_and(|origin| origin.parent().data().flow);
        let comment = self.header_comment();
        self.body.value.set(value, manner, flow);
        self.keep_comment(comment);
        if let Draft::Block(text) = &self.body.value
            && lines(&self.below.text).any(|line| !is_blank(line))
        {
            // A comment below the value would become part of a block scalar.
            self.body.value = Draft::Token(Cow::Owned(one_line(text)));
        }
        if let Draft::Collection(collection) = &mut self.body.value
            && self.head == "-"
            && !collection.flow
        {
            collection.offset = 2;
        }
    }

    /// Replaces the value by one in one line, as it is to be written.
    pub fn set_token(&mut self, text: impl Into<Cow<'d, str>>) {
        let comment = self.header_comment();
        self.body.value = Draft::Token(text.into());
        self.keep_comment(comment);
    }

    /// The comment beside the header of a block scalar, with the blanks before it.
    fn header_comment(&self) -> Option<&'d str> {
        let Draft::Keep(node) = &self.body.value else {
            return None;
        };
        let header = node.is_block_scalar().then(|| header_of(*node))?;
        let comment = header.find([' ', '\t']).map(|at| &header[at..])?;
        comment.contains('#').then_some(comment)
    }

    /// Puts a comment that stood beside a header beside the value that has none.
    fn keep_comment(&mut self, comment: Option<&'d str>) {
        if let Some(comment) = comment.filter(|_| !matches!(self.body.value, Draft::Block(_))) {
            self.body.beside = Cow::Borrowed(comment);
        }
    }
}

fn one_line(text: &BlockText<'_>) -> String {
    let value = super::scalar::decode(text.style(), &text.raw(), 0).into_owned();
    let context = Context {
        flow: false,
        key: false,
    };
    let scalar = Scalar::Str(Cow::Owned(value));
    format!(
        "{}{}",
        text.props,
        scalar_token(&scalar, Style::Double, context)
    )
}

impl<'d> PartDraft<'d> {
    /// Replaces the root.
    pub fn set(&mut self, value: &Value, manner: Manner) {
        self.root.set(value, manner, false);
        if let Draft::Collection(collection) = &mut self.root {
            collection.offset = 1;
        }
    }

    /// Opens the root as [`Draft::open_as`] does.
    pub fn open_as(&mut self, kind: Kind, manner: Manner) -> Option<&mut Collection<'d>> {
        let fresh = !matches!(&self.root, Draft::Keep(node) if node.is_block_collection())
            && !matches!(&self.root, Draft::Collection(_));
        let collection = self.root.open_as(kind, manner)?;
        if fresh {
            collection.offset = 1;
        }
        Some(collection)
    }
}

impl<'d> Collection<'d> {
    /// Inserts a new entry before the one at `index`: with a key into a mapping, without into a list.
    ///
    /// A first entry makes a block collection of `[]` or `{}`, unless these stand inside brackets.
    pub fn insert(
        &mut self,
        index: usize,
        key: Option<&Scalar<'_>>,
        value: &Value,
        manner: Manner,
    ) {
        if self.flow && self.entries.is_empty() && self.like.is_some_and(|like| !in_brackets(like))
        {
            let empty = manner.empty(self.kind);
            self.flow = false;
            self.offset = self.like.map_or(empty.offset, |like| {
                if like.data().parent_column < 0 {
                    1
                } else {
                    empty.offset
                }
            });
        }
        let mut entry = render::entry(key, value, manner, self.flow);
        let below = self
            .entries
            .get(index)
            .map_or(self.foot.text.as_ref(), EntryDraft::lead);
        let column = self.like.map_or(0, |like| like.data().column as i32);
        if let EntryDraft::Made(made) = &mut entry
            && let Draft::Block(text) = &made.body.value
            && begins_deeper(below, column)
        {
            made.body.value = Draft::Token(Cow::Owned(one_line(text)));
        }
        self.place(index, entry);
    }

    /// Puts an entry before the one at `index`, with as many blank lines above as its neighbours have.
    pub fn place(&mut self, index: usize, entry: EntryDraft<'d>) {
        let index = index.min(self.entries.len());
        let mut entry = entry;
        if !self.flow {
            let column = self.like.map_or(0, |like| like.data().column as i32);
            let neighbour = self.entries.get(index).filter(|_| index > 0);
            let neighbour = neighbour.or_else(|| self.entries.get(1..)?.last());
            let blank = neighbour
                .map(|entry| blank_lines(entry.lead()).to_owned())
                .unwrap_or_default();
            if index == 0 {
                set_blank_lines(&mut entry, "", column);
                if let Some(first) = self.entries.first_mut() {
                    set_blank_lines(first, &blank, column);
                }
            } else {
                set_blank_lines(&mut entry, &blank, column);
            }
        }
        self.entries.insert(index, entry);
    }

    /// Takes an entry out. What is first then stands where the first one stood.
    pub fn remove(&mut self, index: usize) -> Option<EntryDraft<'d>> {
        if index >= self.entries.len() {
            return None;
        }
        let entry = self.entries.remove(index);
        if index == 0
            && !self.flow
            && let Some(first) = self.entries.first_mut()
        {
            set_blank_lines(first, "", 0);
        }
        Some(entry)
    }

    /// Moves an entry; `to` is its index afterwards.
    pub fn shift(&mut self, from: usize, to: usize) {
        let between = self.entries.get(from.max(1));
        let between = between.map(|entry| blank_lines(entry.lead()).to_owned());
        if from != to
            && let Some(entry) = self.remove(from)
        {
            self.place(to, entry);
            // Of two entries there is no other one to go by.
            if let ([_, second], Some(blank), false) =
                (self.entries.as_mut_slice(), between, self.flow)
            {
                let column = self.like.map_or(0, |like| like.data().column as i32);
                set_blank_lines(second, &blank, column);
            }
        }
    }
}

/// Whether a node stands inside the brackets of a collection.
fn in_brackets(node: NodeRef<'_>) -> bool {
    let span = node.data().span;
    node.document()
        .nodes
        .iter()
        .any(|around| around.flow && around.span.start < span.start && around.span.end > span.end)
}

/// Whether the first comment in whole lines stands deeper than `column`: directly below a block scalar it would be part
/// of it.
fn begins_deeper(text: &str, column: i32) -> bool {
    lines(text)
        .find(|line| !is_blank(line))
        .is_some_and(|line| indent_of(line) as i32 > column)
}

/// The blank lines that a lead begins with.
fn blank_lines(lead: &str) -> &str {
    let rest = without_leading_blank_lines(lead);
    &lead[..lead.len() - rest.len()]
}

/// Gives an entry other blank lines above it.
fn set_blank_lines(entry: &mut EntryDraft<'_>, blank: &str, column: i32) {
    let lead = entry.lead();
    if blank_lines(lead) == blank {
        return;
    }
    let text = format!("{blank}{}", without_leading_blank_lines(lead));
    let made = match entry {
        EntryDraft::Only(_, entry) => return set_blank_lines(entry, blank, column),
        EntryDraft::Contested(made, _) => made,
        EntryDraft::Keep(_) | EntryDraft::Made(_) => match entry.open() {
            Some(made) => made,
            None => return,
        },
    };
    if made.lead.text.is_empty() {
        made.lead.column = column;
    }
    made.lead.text = Cow::Owned(text);
}
