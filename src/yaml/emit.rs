//! Writes a draft: a pure function of the draft, so that whoever holds the same draft writes the same bytes.

use std::borrow::Cow;

use super::draft::{
    BlockText, Body, Collection, Draft, EntryDraft, MadeEntry, Piece, Side, column_of,
};
use super::tree::{EntryRef, Kind, NodeRef, Style};

/// A file to be written: the text before the root, the root, the text behind it.
#[derive(Clone, Debug)]
pub struct FileDraft<'d> {
    /// The YAML documents of the file.
    pub parts: Vec<PartDraft<'d>>,
    /// The line break that new lines take.
    pub newline: &'static str,
}

/// One YAML document of a file to be written.
#[derive(Clone, Debug)]
pub struct PartDraft<'d> {
    /// Byte order mark, directives, `---`, comments: up to the root.
    pub head: Cow<'d, str>,
    /// The root.
    pub root: Draft<'d>,
    /// Comments and blank lines behind the root, `...`.
    pub rest: Cow<'d, str>,
}

impl<'d> FileDraft<'d> {
    /// A document as it stands.
    pub fn of(document: &'d super::Document) -> Self {
        let parts = document
            .parts()
            .iter()
            .map(|part| PartDraft::of(document, part));
        FileDraft {
            parts: parts.collect(),
            newline: newline_of(document.text()),
        }
    }

    /// The file's text, with the values of `side` wherever there is a contest.
    pub fn emit(&self, side: Side) -> String {
        let mut emitter = Emitter {
            out: String::new(),
            newline: self.newline,
            side,
        };
        for part in &self.parts {
            emitter.out.push_str(&part.head);
            emitter.node(&part.root, -1);
            let rest = part.rest.as_ref();
            if !rest.is_empty() && !rest.starts_with(['\n', '\r', ' ', '\t']) {
                emitter.start_line();
            }
            emitter.out.push_str(rest);
        }
        emitter.out
    }
}

impl<'d> PartDraft<'d> {
    /// A part of a document as it stands.
    pub fn of(document: &'d super::Document, part: &super::Part) -> Self {
        let root = document.node(part.root);
        let data = root.data();
        let start = if data.props.is_empty() {
            data.span.start
        } else {
            data.props.start
        };
        PartDraft {
            head: Cow::Borrowed(document.between(part.span.start, start)),
            root: Draft::Keep(root),
            rest: Cow::Borrowed(document.between(data.span.end, part.span.end)),
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

struct Emitter {
    out: String,
    newline: &'static str,
    side: Side,
}

impl Emitter {
    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with(['\n', '\r'])
    }

    fn start_line(&mut self) {
        if !self.at_line_start() {
            self.out.push_str(self.newline);
        }
    }

    fn column(&self) -> usize {
        self.out.len() - self.out.rfind(['\n', '\r']).map_or(0, |at| at + 1)
    }

    fn indent(&mut self, column: i32) {
        self.out.extend(std::iter::repeat_n(
            ' ',
            usize::try_from(column).unwrap_or_default(),
        ));
    }

    /// Writes text whose lines (also the first, if `whole_lines`) move by `delta` columns.
    fn shifted(&mut self, text: &str, delta: i32, whole_lines: bool) {
        if delta == 0 {
            self.out.push_str(text);
            return;
        }
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let blank = line.trim_end_matches(['\n', '\r']).is_empty();
            if (index == 0 && !whole_lines) || blank {
                self.out.push_str(line);
            } else if delta > 0 {
                self.indent(delta);
                self.out.push_str(line);
            } else {
                let spaces = line.bytes().take_while(|&byte| byte == b' ').count();
                let cut = spaces.min(delta.unsigned_abs() as usize);
                self.out.push_str(&line[cut..]);
            }
        }
    }

    fn piece(&mut self, piece: &Piece<'_>, column: i32, whole_lines: bool) {
        if whole_lines && !piece.text.is_empty() {
            self.start_line();
        }
        self.shifted(&piece.text, column - piece.column, whole_lines);
    }

    /// Writes a node inside a block collection in column `parent`. A block collection that does not begin in the line
    /// of its indicator expects to begin a line.
    fn node(&mut self, draft: &Draft<'_>, parent: i32) {
        match draft {
            Draft::Keep(node) => self.keep(*node, parent),
            Draft::Token(text) => self.out.push_str(text),
            Draft::Block(text) => self.block_text(text, parent),
            Draft::Collection(collection) if collection.flow => self.flow(collection, parent),
            Draft::Collection(collection) => self.block(collection, parent),
        }
    }

    fn keep(&mut self, node: NodeRef<'_>, parent: i32) {
        let data = node.data();
        let whole_lines =
            data.props.is_empty() && node.is_block_collection() && !super::draft::is_compact(node);
        if whole_lines {
            self.start_line();
        }
        self.shifted(
            node.raw_with_props(),
            parent - data.parent_column,
            whole_lines,
        );
    }

    fn block_text(&mut self, text: &BlockText<'_>, parent: i32) {
        self.out.push_str(&text.props);
        self.out.push_str(&text.header);
        self.out.push_str(self.newline);
        for line in &text.lines {
            if !line.is_empty() {
                self.indent(parent.max(0) + text.offset as i32);
                self.out.push_str(line);
            }
            self.out.push_str(self.newline);
        }
    }

    fn block(&mut self, collection: &Collection<'_>, parent: i32) {
        self.piece(&collection.props, parent, false);
        let entries: Vec<_> = collection
            .entries
            .iter()
            .filter(|entry| !matches!(entry, EntryDraft::Only(side, _) if *side != self.side))
            .collect();
        let commented = entries
            .first()
            .is_some_and(|entry| has_comment(&lead_of(entry)));
        let compact = collection.compact && !self.at_line_start() && !commented;
        let column = if collection.compact && !self.at_line_start() {
            self.column() as i32
        } else {
            parent + collection.offset
        };
        if !compact {
            // The blanks behind the indicator have no line to stand in.
            let end = self.out.trim_end_matches([' ', '\t']).len();
            if collection.compact {
                self.out.truncate(end);
            }
            self.start_line();
        }
        for (index, entry) in entries.into_iter().enumerate() {
            self.entry(entry, column, compact && index == 0);
        }
        self.piece(&collection.foot, column, true);
    }

    fn entry(&mut self, entry: &EntryDraft<'_>, column: i32, compact: bool) {
        match entry {
            EntryDraft::Keep(entry) => self.keep_entry(*entry, column, compact),
            EntryDraft::Made(made) => self.made(made, &made.body, column, compact),
            EntryDraft::Contested(made, theirs) => {
                let body = if self.side == Side::Ours {
                    &made.body
                } else {
                    theirs
                };
                self.made(made, body, column, compact);
            }
            EntryDraft::Only(_, entry) => self.entry(entry, column, compact),
        }
    }

    fn keep_entry(&mut self, entry: EntryRef<'_>, column: i32, compact: bool) {
        let parent = entry.parent().data();
        let data = entry.data();
        if parent.flow {
            let made = MadeEntry {
                head: Cow::Borrowed(if parent.kind == Kind::Sequence {
                    "-"
                } else {
                    entry.head()
                }),
                body: Body {
                    sep: Piece::new(" ", column),
                    value: Draft::Keep(entry.value()),
                    beside: Cow::Borrowed(""),
                },
                lead: Piece::default(),
                below: Piece::default(),
            };
            self.made(&made, &made.body, column, compact);
            return;
        }
        let delta = column - parent.column as i32;
        let document = entry.document;
        if compact {
            self.shifted(document.between(data.start, data.end), delta, false);
            return;
        }
        self.start_line();
        // The first entry of a compact collection has the indicator before it instead of its indentation.
        if entry.lead().is_empty() && data.lead == data.start {
            self.indent(column);
            self.shifted(entry.raw(), delta, false);
        } else {
            self.shifted(entry.raw(), delta, true);
        }
    }

    fn made(&mut self, entry: &MadeEntry<'_>, body: &Body<'_>, column: i32, compact: bool) {
        if !compact {
            self.piece(&entry.lead, column, true);
            self.start_line();
            self.indent(column);
        }
        self.out.push_str(&entry.head);
        self.body(body, column);
        self.piece(&entry.below, column, true);
        self.start_line();
    }

    fn body(&mut self, body: &Body<'_>, column: i32) {
        let comment = body.beside.trim();
        self.piece(&body.sep, column, false);
        if comment.is_empty() || !body.value.ends_line() {
            self.node(&body.value, column);
            if body.value.ends_line() {
                return;
            }
            self.out.push_str(&body.beside);
            self.out.push_str(self.newline);
            return;
        }
        // The comment stood beside a value of one line; now it stands in the line that announces the block.
        match &body.value {
            Draft::Keep(node) if node.is_block_scalar() => {
                let raw = node.raw_with_props();
                let header = raw.find(['\n', '\r']).unwrap_or(raw.len());
                let delta = column - node.data().parent_column;
                self.out.push_str(&raw[..header]);
                self.out.push(' ');
                self.out.push_str(comment);
                self.shifted(&raw[header..], delta, false);
            }
            Draft::Block(text) => {
                let header = format!("{} {comment}", text.header);
                let text = BlockText {
                    header: Cow::Owned(header),
                    ..text.clone()
                };
                self.block_text(&text, column);
            }
            value => {
                let end = self.out.trim_end_matches(['\n', '\r', ' ']).len();
                self.out.truncate(end);
                self.out.push_str("  ");
                self.out.push_str(comment);
                self.out.push_str(self.newline);
                self.node(value, column);
            }
        }
    }

    fn flow(&mut self, collection: &Collection<'_>, parent: i32) {
        self.piece(&collection.props, parent, false);
        let mapping = collection.kind == Kind::Mapping;
        self.out.push(if mapping { '{' } else { '[' });
        let spacing = Spacing::of(collection.like);
        let delta = parent
            - collection
                .like
                .map_or(parent, |like| like.data().parent_column);
        let mut first = true;
        for entry in &collection.entries {
            if matches!(entry, EntryDraft::Only(side, _) if *side != self.side) {
                continue;
            }
            if !first {
                self.out.push(',');
            }
            let before = if first { spacing.first } else { spacing.next };
            self.shifted(before, delta, false);
            self.flow_entry(entry, parent);
            first = false;
        }
        let last = if first { "" } else { spacing.last };
        self.shifted(last, delta, false);
        self.out.push(if mapping { '}' } else { ']' });
    }

    fn flow_entry(&mut self, entry: &EntryDraft<'_>, parent: i32) {
        match entry {
            EntryDraft::Keep(entry) => {
                let data = entry.data();
                let end = entry.value().data().span.end;
                let start = if entry.parent().data().flow {
                    data.start
                } else {
                    block_start(*entry)
                };
                let text = entry.document.between(start, end);
                self.shifted(text, parent - column_of(*entry), false);
            }
            EntryDraft::Made(made) => self.flow_parts(&made.head, &made.body, parent),
            EntryDraft::Contested(made, theirs) => {
                let body = if self.side == Side::Ours {
                    &made.body
                } else {
                    theirs
                };
                self.flow_parts(&made.head, body, parent);
            }
            EntryDraft::Only(_, entry) => self.flow_entry(entry, parent),
        }
    }

    fn flow_parts(&mut self, head: &str, body: &Body<'_>, parent: i32) {
        self.out.push_str(head);
        self.piece(&body.sep, parent, false);
        self.node(&body.value, parent);
    }
}

/// Where an element of a block collection begins once it stands in brackets.
fn block_start(entry: EntryRef<'_>) -> u32 {
    let value = entry.value().data();
    match entry.key() {
        Some(_) => entry.data().start,
        None if value.props.is_empty() => value.span.start,
        None => value.props.start,
    }
}

/// The white space of a flow collection, taken from one that was read.
struct Spacing<'d> {
    first: &'d str,
    next: &'d str,
    last: &'d str,
}

impl<'d> Spacing<'d> {
    fn of(like: Option<NodeRef<'d>>) -> Self {
        let default = Spacing {
            first: "",
            next: " ",
            last: "",
        };
        let Some(like) = like.filter(|like| like.data().flow) else {
            return default;
        };
        let mut entries = like.entries();
        let Some(first) = entries.next() else {
            return default;
        };
        let second = entries.next();
        let last = like.entries().next_back().unwrap_or(first);
        let end = like.data().span.end - 1;
        let multi_line = first.lead().contains('\n');
        Spacing {
            first: first.lead(),
            next: match second {
                Some(second) => second.lead(),
                None if multi_line => first.lead(),
                None => default.next,
            },
            last: like.document().between(last.value().data().span.end, end),
        }
        .without_comments()
    }

    /// Comments inside brackets belong to the elements beside them, which may be gone.
    fn without_comments(self) -> Self {
        let clean =
            |text: &'d str, default: &'d str| if text.contains('#') { default } else { text };
        Spacing {
            first: clean(self.first, ""),
            next: clean(self.next, " "),
            last: clean(self.last, ""),
        }
    }
}

fn lead_of<'e>(entry: &'e EntryDraft<'_>) -> Cow<'e, str> {
    match entry {
        EntryDraft::Keep(entry) if entry.parent().data().flow => Cow::Borrowed(""),
        EntryDraft::Keep(entry) => Cow::Borrowed(entry.lead()),
        EntryDraft::Made(made) | EntryDraft::Contested(made, _) => Cow::Borrowed(&made.lead.text),
        EntryDraft::Only(_, entry) => lead_of(entry),
    }
}

fn has_comment(text: &str) -> bool {
    text.contains('#')
}

/// Whether the text that a draft stands for reads back as what the draft means, with the values of `side`.
pub(crate) fn agrees(draft: &Draft<'_>, node: NodeRef<'_>, side: Side) -> bool {
    match draft {
        Draft::Keep(kept) => same_text(*kept, node) || kept.means(node),
        Draft::Token(text) => node.raw_with_props() == text,
        Draft::Block(text) => block_text_agrees(text, node),
        Draft::Collection(collection) => {
            let mut entries = node.entries();
            let props = collection.props.text.trim();
            let same = node.kind() == collection.kind
                && (props == node.props() || props.contains('#'))
                && collection
                    .entries
                    .iter()
                    .filter(|entry| !matches!(entry, EntryDraft::Only(only, _) if *only != side))
                    .all(|entry| {
                        entries
                            .next()
                            .is_some_and(|found| entry_agrees(entry, found, side))
                    });
            same && entries.next().is_none()
        }
    }
}

fn same_text(kept: NodeRef<'_>, node: NodeRef<'_>) -> bool {
    let (a, b) = (kept.data(), node.data());
    kept.kind() == node.kind()
        && a.flow == b.flow
        && a.parent_column == b.parent_column
        && a.column == b.column
        && kept.raw_with_props() == node.raw_with_props()
}

fn block_text_agrees(text: &BlockText<'_>, node: NodeRef<'_>) -> bool {
    let style = if text.header.starts_with('|') {
        Style::Literal
    } else {
        Style::Folded
    };
    let raw = format!(
        "{}\n{}",
        text.header,
        text.lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    );
    node.kind() == Kind::Scalar(style) && node.text() == super::scalar::decode(style, &raw, 0)
}

fn entry_agrees(draft: &EntryDraft<'_>, found: EntryRef<'_>, side: Side) -> bool {
    match draft {
        EntryDraft::Keep(kept) => {
            super::same_key(kept.key(), found.key())
                && (same_text(kept.value(), found.value()) || kept.value().means(found.value()))
        }
        EntryDraft::Made(made) => made_agrees(made, &made.body, found, side),
        EntryDraft::Contested(made, theirs) => {
            let body = if side == Side::Ours {
                &made.body
            } else {
                theirs
            };
            made_agrees(made, body, found, side)
        }
        EntryDraft::Only(_, entry) => entry_agrees(entry, found, side),
    }
}

fn made_agrees(made: &MadeEntry<'_>, body: &Body<'_>, found: EntryRef<'_>, side: Side) -> bool {
    let head = match found.key() {
        Some(_) => made.head == found.head(),
        None => true,
    };
    head && agrees(&body.value, found.value(), side)
}

impl FileDraft<'_> {
    /// Whether `document` reads as what this draft means, with the values of `side`.
    pub fn agrees(&self, document: &super::Document, side: Side) -> bool {
        self.parts.len() == document.parts().len()
            && self
                .parts
                .iter()
                .zip(document.parts())
                .all(|(part, found)| agrees(&part.root, document.node(found.root), side))
    }
}
