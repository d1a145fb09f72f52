//! What stands in brackets. Elements keep their own white space and comments; the one that comes to stand first, last or
//! new between others follows the collection it came to.

use std::borrow::Cow;

use super::super::draft::{
    Body, Collection, Draft, EntryDraft, MadeEntry, Piece, column_of, props_of,
};
use super::super::lines::{is_blank, line_length, lines};
use super::super::scalar::{decode, double_quoted};
use super::super::tree::{EntryRef, Kind, NodeRef, Style};
use super::Emitter;

/// What stands directly around a node that ends within its line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    Block,
    /// `[…]`
    Sequence,
    /// `{…}`
    Mapping,
}

impl<'d> Emitter<'d> {
    /// Writes a collection in brackets; `parent` is the column of the block collection around it.
    pub(super) fn flow(&mut self, collection: &Collection<'d>, parent: i32) {
        let props = &collection.props;
        if props.text.ends_with(['\n', '\r']) {
            // Written for a block collection.
            self.white(props.text.trim_end(), parent - props.column, parent);
            self.end_comment(parent);
            if !self.out.ends_with(' ') {
                self.out.push(' ');
            }
        } else {
            self.continued(&props.text, parent - props.column);
        }
        let (open, close, around) = match collection.kind {
            Kind::Mapping => ('{', '}', Around::Mapping),
            _ => ('[', ']', Around::Sequence),
        };
        let spacing = Spacing::of(collection.like);
        let delta = parent - spacing.column.unwrap_or(parent);
        self.out.push(open);
        self.white(spacing.opening, delta, parent);
        let side = self.side;
        let mut entries = collection
            .entries
            .iter()
            .filter(|entry| !matches!(entry, EntryDraft::Only(only, _) if *only != side))
            .peekable();
        let mut first = true;
        while let Some(entry) = entries.next() {
            let last = entries.peek().is_none();
            let origin = origin_of(entry);
            let own = origin.map(|origin| (Surroundings::of(origin), parent - column_of(origin)));
            let (before, moved) = match &own {
                Some((own, moved)) if own.first == first || own.before.contains('#') => {
                    (own.before, *moved)
                }
                _ if first => (spacing.first, delta),
                _ => (spacing.next, delta),
            };
            self.white(before, moved, parent);
            self.end_comment(parent);
            self.flow_entry(entry, parent, around);
            let (behind, beside) = own.map_or(("", ""), |(own, _)| (own.behind, own.beside));
            self.white(behind, moved, parent);
            if !last || spacing.comma {
                self.end_comment(parent);
                self.out.push(',');
            }
            self.white(beside, 0, parent);
            first = false;
        }
        let closing = if first {
            spacing.empty
        } else {
            spacing.closing
        };
        self.white(closing, delta, parent);
        self.end_comment(parent);
        self.out.push(close);
    }

    /// Writes white space and comments inside brackets.
    fn white(&mut self, text: &str, delta: i32, parent: i32) {
        if text.is_empty() {
            return;
        }
        if !text.starts_with(['\n', '\r']) {
            self.end_comment(parent);
        }
        self.continued(text, delta);
        let line = text.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        self.comment = text[line..].contains('#');
    }

    /// Begins a line if what is written next would be part of a comment.
    fn end_comment(&mut self, parent: i32) {
        if std::mem::take(&mut self.comment) {
            self.out.push_str(self.newline);
            self.indent(parent + 2);
        }
    }

    fn flow_entry(&mut self, entry: &EntryDraft<'d>, parent: i32, around: Around) {
        match entry {
            EntryDraft::Keep(entry) if entry.parent().data().flow => {
                let data = entry.data();
                let end = entry.value().data().span.end;
                let text = entry.document.between(data.start, end);
                self.continued(text, parent - column_of(*entry));
            }
            EntryDraft::Keep(entry) => {
                let made = inside_brackets(*entry);
                self.flow_parts(&made, &made.body, parent, around);
            }
            EntryDraft::Made(made) => self.flow_parts(made, &made.body, parent, around),
            EntryDraft::Contested(made, theirs) => {
                self.flow_parts(made, self.chosen(&made.body, theirs), parent, around);
            }
            EntryDraft::Only(_, entry) => self.flow_entry(entry, parent, around),
        }
    }

    fn flow_parts(&mut self, made: &MadeEntry<'d>, body: &Body<'d>, parent: i32, around: Around) {
        if around == Around::Mapping {
            self.out.push_str(&made.head);
            let sep = &body.sep;
            self.white(&sep.text, parent - sep.column, parent);
            // `{"a":1}` is legal, `{a:1}` is not.
            let tight = made.origin.is_some_and(|origin| {
                origin.parent().data().flow
                    && origin.sep().is_empty()
                    && !origin.value().raw_with_props().is_empty()
            });
            if sep.text.is_empty() && !tight && !super::is_nothing(&body.value) {
                self.out.push(' ');
            }
        }
        match &body.value {
            Draft::Keep(node) => self.keep_inline(*node, parent, around),
            Draft::Token(text) => self.out.push_str(text),
            Draft::Block(text) => {
                let style = text.style();
                self.out.push_str(&text.props);
                self.out
                    .push_str(&double_quoted(&decode(style, &text.raw(), 0)));
            }
            Draft::Collection(collection) => self.flow(collection, parent),
        }
    }

    /// Writes a kept node that ends within its line: as it stands, or in a form that is legal in brackets.
    pub(super) fn keep_inline(&mut self, node: NodeRef<'d>, parent: i32, around: Around) {
        let delta = parent - node.data().parent_column;
        let raw = node.raw();
        match node.kind() {
            Kind::Mapping | Kind::Sequence if !node.data().flow => {
                self.flow(&Collection::of(node), parent);
            }
            // A pair in a list has no braces of its own.
            Kind::Mapping if !raw.starts_with('{') && around != Around::Sequence => {
                self.out.push('{');
                self.continued(raw, delta);
                self.out.push('}');
            }
            Kind::Scalar(Style::Plain)
                if around != Around::Block && raw.contains([',', '[', ']', '{', '}']) =>
            {
                self.quoted(node, delta);
            }
            Kind::Scalar(Style::Literal | Style::Folded) => self.quoted(node, delta),
            _ => self.continued(node.raw_with_props(), delta),
        }
    }

    fn quoted(&mut self, node: NodeRef<'d>, delta: i32) {
        self.continued(&props_of(node).text, delta);
        self.out.push_str(&double_quoted(&node.text()));
    }
}

/// The element that a draft's white space is taken from.
fn origin_of<'d>(entry: &EntryDraft<'d>) -> Option<EntryRef<'d>> {
    let origin = match entry {
        EntryDraft::Keep(entry) => Some(*entry),
        EntryDraft::Made(made) | EntryDraft::Contested(made, _) => made.origin,
        EntryDraft::Only(_, entry) => origin_of(entry),
    };
    origin.filter(|entry| entry.parent().data().flow)
}

/// What stands around an element of a flow collection that was read.
struct Surroundings<'d> {
    /// Whether it is the first.
    first: bool,
    /// Before it, without what stands beside the element before.
    before: &'d str,
    /// Between it and its comma.
    behind: &'d str,
    /// Behind the comma (or the last element) in its line: a comment, or nothing.
    beside: &'d str,
}

impl<'d> Surroundings<'d> {
    fn of(entry: EntryRef<'d>) -> Self {
        let span = entry.parent().data().entries;
        let at = |index| EntryRef { index, ..entry };
        let tail = entry.tail();
        let comma = tail.ends_with(',');
        let last = entry.index + 1 == span.end;
        let behind = tail.strip_suffix(',').unwrap_or_default();
        let beside = match (last, comma) {
            (false, _) => split_comment(at(entry.index + 1).lead()).0,
            (true, true) => split_comment(closing_of(entry)).0,
            (true, false) => split_comment(tail).0,
        };
        Surroundings {
            first: entry.is_first(),
            before: split_comment(entry.lead()).1,
            behind,
            beside,
        }
    }
}

/// What stands between the last element's comma and the closing bracket.
fn closing_of(last: EntryRef<'_>) -> &str {
    let end = last.parent().data().span.end - 1;
    last.document.between(last.data().end.min(end), end)
}

/// A text as the comment in its first line and what follows that.
fn split_comment(text: &str) -> (&str, &str) {
    let line = &text[..line_length(text)];
    let comment = line.trim_end_matches(['\n', '\r']).len();
    if line.trim_start().starts_with('#') {
        text.split_at(comment)
    } else {
        ("", text)
    }
}

/// The brackets and white space of a flow collection that others follow.
struct Spacing<'d> {
    /// Block column around the collection that this was taken from.
    column: Option<i32>,
    /// A comment beside the opening bracket.
    opening: &'d str,
    first: &'d str,
    next: &'d str,
    /// Whether a comma stands behind the last element.
    comma: bool,
    closing: &'d str,
    /// Between the brackets if they hold nothing.
    empty: &'d str,
}

impl<'d> Spacing<'d> {
    fn of(like: Option<NodeRef<'d>>) -> Self {
        let mut spacing = Spacing {
            column: None,
            opening: "",
            first: "",
            next: " ",
            comma: false,
            closing: "",
            empty: "",
        };
        let Some(like) = like.filter(|like| like.data().flow && like.raw().len() >= 2) else {
            return spacing;
        };
        let raw = like.raw();
        if !raw.starts_with(['[', '{']) {
            return spacing;
        }
        spacing.column = Some(like.data().parent_column);
        let mut entries = like.entries();
        let (Some(first), Some(last)) = (entries.next(), like.entries().next_back()) else {
            spacing.empty = &raw[1..raw.len() - 1];
            return spacing;
        };
        (spacing.opening, spacing.first) = split_comment(first.lead());
        spacing.first = without_comments(spacing.first);
        spacing.next = match entries.next() {
            Some(second) => without_comments(split_comment(second.lead()).1),
            None if spacing.first.contains(['\n', '\r']) => spacing.first,
            None => " ",
        };
        spacing.comma = last.tail().ends_with(',');
        let closing = if spacing.comma {
            closing_of(last)
        } else {
            last.tail()
        };
        spacing.closing = split_comment(closing).1;
        spacing
    }
}

/// White space as if the comments in it were not there.
fn without_comments(text: &str) -> &str {
    if !text.contains('#') {
        return text;
    }
    let end = text.trim_end_matches([' ', '\t']);
    let end = end.strip_suffix('\n').unwrap_or(end);
    let end = end.strip_suffix('\r').unwrap_or(end).len();
    if end == text.len() { " " } else { &text[end..] }
}

/// An element of brackets as an entry of a block collection.
pub(super) fn outside_brackets(entry: EntryRef<'_>, column: i32) -> MadeEntry<'_> {
    let own = Surroundings::of(entry);
    let comments: String = lines(own.before)
        .filter(|line| !is_blank(line))
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    let head = match entry.key() {
        Some(key) if key.raw().contains(['\n', '\r']) => {
            Cow::Owned(format!("{}:", double_quoted(&key.text())))
        }
        Some(key) => Cow::Owned(format!("{}:", key.raw_with_props())),
        None => Cow::Borrowed("-"),
    };
    MadeEntry {
        lead: Piece::new(comments, 0),
        head,
        body: Body {
            sep: Piece::new("", column),
            value: Draft::Keep(entry.value()),
            beside: Cow::Borrowed(own.beside),
        },
        below: Piece::default(),
        origin: None,
    }
}

/// An entry of a block collection as an element of brackets. Its comments have no place there.
fn inside_brackets(entry: EntryRef<'_>) -> MadeEntry<'_> {
    let head = match entry.key() {
        Some(key)
            if key.kind() == Kind::Scalar(Style::Plain)
                && key.raw().contains([',', '[', ']', '{', '}']) =>
        {
            Cow::Owned(format!("{}:", double_quoted(key.raw())))
        }
        Some(key) => Cow::Owned(format!("{}:", key.raw_with_props())),
        None => Cow::Borrowed(""),
    };
    MadeEntry {
        head,
        ..made_of(entry)
    }
}

fn made_of(entry: EntryRef<'_>) -> MadeEntry<'_> {
    let mut made = MadeEntry::of(entry);
    made.body.sep = Piece::default();
    made.origin = None;
    made
}
