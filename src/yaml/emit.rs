//! Writes a draft: a pure function of the draft, so that whoever holds the same draft writes the same bytes.
//!
//! What is kept as it stands is copied, moved to its new column; what is put together from parts is written part by
//! part, and what would change its meaning where it now stands is written otherwise: a comment between a key and its
//! value stays between them, blank lines and comments behind a block scalar never become part of it.
//! This file writes entries and what surrounds values, `emit/block.rs` the values of block structures, `emit/flow.rs`
//! what stands in brackets.

mod block;
mod flow;

use super::draft::{
    Body, Draft, EntryDraft, FileDraft, MadeEntry, PartDraft, Piece, Side, column_of,
};
use super::lines::{indent_of, is_blank, lines};
use super::tree::{EntryRef, Kind, NodeRef};

impl FileDraft<'_> {
    /// The file's text, with the values of `side` wherever there is a contest.
    pub fn emit(&self, side: Side) -> String {
        let mut emitter = Emitter {
            out: String::new(),
            newline: self.newline,
            side,
            previous: None,
            behind: Behind::Other,
            comment: false,
        };
        for part in &self.parts {
            emitter.part(part);
        }
        emitter.finish(self.final_newline)
    }
}

/// What holds a value written by indentation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Root,
    Mapping,
    Sequence,
}

impl Holder {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Sequence => Holder::Sequence,
            _ => Holder::Mapping,
        }
    }
}

/// Where a value is written: in what, and in which column that has its entries.
#[derive(Clone, Copy)]
struct Place {
    holder: Holder,
    column: i32,
}

/// What was written last, as far as it matters to lines written behind it.
#[derive(Clone, Copy)]
enum Behind<'d> {
    /// Nothing that could take up what follows.
    Other,
    /// A kept node, moved by so many columns; it may end with a block scalar.
    Node(NodeRef<'d>, i32),
    /// A block scalar.
    Text(Text),
}

/// A block scalar as seen from the lines below it.
#[derive(Clone, Copy)]
struct Text {
    /// The column of its content: deeper lines are its own.
    column: usize,
    /// Whether blank lines are its own too (`+`).
    keep: bool,
}

struct Emitter<'d> {
    out: String,
    newline: &'static str,
    side: Side,
    /// The entry that was written last, if it was copied whole: its successor may follow as it stands.
    previous: Option<EntryRef<'d>>,
    behind: Behind<'d>,
    /// Inside brackets: whether the line that is written ends with a comment.
    comment: bool,
}

impl<'d> Emitter<'d> {
    fn part(&mut self, part: &PartDraft<'d>) {
        self.start_line();
        self.out.push_str(&part.head);
        self.behind = Behind::Other;
        let place = Place {
            holder: Holder::Root,
            column: -1,
        };
        self.value(&Piece::default(), &part.root, &part.beside, place);
        self.whole_lines(&part.rest, 0);
    }

    /// The text, with a line break at its end or without.
    fn finish(mut self, final_newline: bool) -> String {
        if final_newline {
            self.start_line();
        } else if self.out.ends_with(['\n', '\r']) {
            let keeps = self.text_above().is_some_and(|text| text.keep);
            let line = self.out.trim_end_matches('\n').trim_end_matches('\r');
            let width = self.out.len() - line.len();
            // Blank lines at the end are somebody's content or somebody's wish.
            if !keeps && width <= self.newline.len() {
                self.out.truncate(self.out.len() - width);
            }
        }
        self.out
    }

    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with(['\n', '\r', '\u{feff}'])
    }

    fn start_line(&mut self) {
        if !self.at_line_start() {
            self.out.push_str(self.newline);
        }
    }

    fn trim_blanks(&mut self) {
        let end = self.out.trim_end_matches([' ', '\t']).len();
        self.out.truncate(end);
    }

    fn indent(&mut self, column: i32) {
        let width = usize::try_from(column).unwrap_or_default();
        self.out.extend(std::iter::repeat_n(' ', width));
    }

    /// Writes text whose lines move by `delta` columns, but for the first one, which continues a line.
    fn continued(&mut self, text: &str, delta: i32) {
        if delta == 0 {
            self.out.push_str(text);
            return;
        }
        let first = super::lines::line_length(text);
        self.out.push_str(&text[..first]);
        for line in lines(&text[first..]) {
            self.line(line, delta);
        }
    }

    /// Writes lines that move by `delta` columns.
    fn moved(&mut self, text: &str, delta: i32) {
        if delta == 0 {
            self.out.push_str(text);
            return;
        }
        for line in lines(text) {
            self.line(line, delta);
        }
    }

    fn line(&mut self, line: &str, delta: i32) {
        if line.starts_with(['\n', '\r']) {
            self.out.push_str(line);
        } else if delta > 0 {
            self.indent(delta);
            self.out.push_str(line);
        } else {
            let cut = indent_of(line).min(delta.unsigned_abs() as usize);
            self.out.push_str(&line[cut..]);
        }
    }

    /// Writes whole lines of comments and blanks, moved by `delta` columns. Where a block scalar stands above them, none
    /// of them becomes its content. That changes nothing where they stood behind it already.
    fn whole_lines(&mut self, text: &str, delta: i32) {
        if text.is_empty() {
            return;
        }
        self.start_line();
        self.previous = None;
        let Some(above) = self.text_above() else {
            self.moved(text, delta);
            self.behind = Behind::Other;
            return;
        };
        self.behind = Behind::Text(above);
        let mut rest = text;
        while !rest.is_empty() {
            let (line, behind) = rest.split_at(super::lines::line_length(rest));
            let column = (indent_of(line) as i32 + delta).max(0) as usize;
            if is_blank(line) {
                let ends = line.trim_end_matches(['\n', '\r']).len();
                if !above.keep {
                    let own =
                        column > above.column || (column == above.column && indent_of(line) < ends);
                    let from = if own { ends } else { 0 };
                    self.line(&line[from..], if own { 0 } else { delta });
                }
            } else if column >= above.column {
                self.indent(above.column as i32 - 1);
                self.out.push_str(line.trim_start_matches([' ', '\t']));
                self.behind = Behind::Other;
                self.moved(behind, delta);
                return;
            } else {
                self.behind = Behind::Other;
                self.moved(rest, delta);
                return;
            }
            rest = behind;
        }
    }

    /// The block scalar that was written last, if nothing follows it yet that ends it.
    fn text_above(&self) -> Option<Text> {
        match self.behind {
            Behind::Other => None,
            Behind::Text(text) => Some(text),
            Behind::Node(node, delta) => last_text(node, delta),
        }
    }

    fn piece(&mut self, piece: &Piece<'_>, column: i32) {
        self.whole_lines(&piece.text, column - piece.column);
    }

    fn is_written(&self, entry: &EntryDraft<'_>) -> bool {
        !matches!(entry, EntryDraft::Only(side, _) if *side != self.side)
    }

    /// The body of a contested entry that is written.
    fn chosen<'b>(&self, ours: &'b Body<'d>, theirs: &'b Body<'d>) -> &'b Body<'d> {
        if self.side == Side::Ours {
            ours
        } else {
            theirs
        }
    }

    /// Writes an entry of a block collection, in the current line if `compact`.
    fn entry(&mut self, entry: &EntryDraft<'d>, place: Place, compact: bool) {
        match entry {
            EntryDraft::Keep(entry) if entry.parent().data().flow => {
                let made = flow::outside_brackets(*entry, place.column);
                self.made(&made, &made.body, place, compact);
            }
            EntryDraft::Keep(entry) => self.keep_entry(*entry, place.column, compact),
            EntryDraft::Made(made) => self.made(made, &made.body, place, compact),
            EntryDraft::Contested(made, theirs) => {
                self.made(made, self.chosen(&made.body, theirs), place, compact);
            }
            EntryDraft::Only(_, entry) => self.entry(entry, place, compact),
        }
    }

    fn keep_entry(&mut self, entry: EntryRef<'d>, column: i32, compact: bool) {
        let data = entry.data();
        let delta = column - column_of(entry);
        let document = entry.document;
        let follows = self.previous.is_some_and(|previous| {
            std::ptr::eq(previous.document, document)
                && previous.parent == entry.parent
                && previous.index + 1 == entry.index
        });
        if compact {
            self.continued(document.between(data.start, data.end), delta);
        } else {
            self.start_line();
            let lead = entry.lead();
            let body = data.lead as usize + lead.len();
            if !follows {
                self.whole_lines(lead, delta);
            } else {
                self.moved(lead, delta);
            }
            // The first entry of a compact collection has the indicator before it instead of its indentation.
            if data.lead == data.start {
                self.indent(column);
                self.continued(entry.raw(), delta);
            } else {
                self.moved(&document.text()[body..data.end as usize], delta);
            }
        }
        self.previous = Some(entry);
        self.behind = if is_blank(entry.tail()) {
            Behind::Node(entry.value(), delta)
        } else {
            Behind::Other
        };
    }

    fn made(&mut self, entry: &MadeEntry<'d>, body: &Body<'d>, place: Place, compact: bool) {
        if !compact {
            self.piece(&entry.lead, place.column);
            self.start_line();
            self.indent(place.column);
        }
        let head = match place.holder {
            Holder::Sequence => "-",
            _ => &entry.head,
        };
        self.continued(head, 0);
        self.behind = Behind::Other;
        self.previous = None;
        self.value(&body.sep, &body.value, &body.beside, place);
        self.piece(&entry.below, place.column);
    }

    /// Writes what follows an indicator (or a document's head): white space, the value, what stands beside it. Whoever
    /// writes what comes next begins a line.
    fn value(&mut self, sep: &Piece<'d>, value: &Draft<'d>, beside: &str, place: Place) {
        match value {
            Draft::Keep(node) if node.is_block_scalar() => {
                self.sep(sep, place);
                self.keep_text(*node, beside, place);
            }
            Draft::Keep(node) if node.is_block_collection() => {
                self.keep_block(*node, sep, beside, place);
            }
            Draft::Block(text) => {
                self.sep(sep, place);
                self.block_text(text, beside, place);
            }
            Draft::Collection(collection)
                if !collection.flow && collection.entries.iter().any(|e| self.is_written(e)) =>
            {
                self.block(collection, sep, beside, place);
            }
            _ => self.inline(sep, value, beside, place),
        }
    }

    /// Writes a value that ends within its line.
    fn inline(&mut self, sep: &Piece<'d>, value: &Draft<'d>, beside: &str, place: Place) {
        let mut beside = beside;
        if is_nothing(value) {
            if sep.text.contains('#') {
                let shared = sep.text.trim_end();
                self.continued(shared, place.column - sep.column);
                self.start_line();
            }
        } else if let Some(comment) = only_comment(sep).filter(|_| beside.trim().is_empty()) {
            self.out.push(' ');
            beside = comment;
        } else {
            self.sep(sep, place);
        }
        match value {
            Draft::Keep(node) => self.keep_inline(*node, place.column, flow::Around::Block),
            Draft::Token(text) => self.out.push_str(text),
            Draft::Collection(collection) => {
                self.flow(collection, place.column);
            }
            Draft::Block(_) => {}
        }
        self.behind = Behind::Other;
        if !(self.at_line_start() && is_blank(beside)) {
            self.out.push_str(beside);
        }
        if let Draft::Collection(collection) = value {
            self.piece(&collection.foot, place.column + collection.offset);
        }
    }

    /// Writes the white space between an indicator and a value that is not written below it.
    fn sep(&mut self, sep: &Piece<'_>, place: Place) {
        let text = sep.text.as_ref();
        let delta = place.column - sep.column;
        if text.ends_with(['\n', '\r']) && place.holder != Holder::Root {
            // Written for a collection below the indicator: what is no comment in it says nothing here.
            if text.contains('#') {
                self.continued(text, delta);
                self.indent(place.column + 2);
            }
        } else {
            self.continued(text, delta);
        }
        if !self.at_line_start() && !self.out.ends_with([' ', '\t']) {
            self.out.push(' ');
        }
    }
}

/// The comment beside an indicator whose collection stood below it without a further comment between, with its line
/// break and the blanks before it.
fn only_comment<'p>(sep: &'p Piece<'_>) -> Option<&'p str> {
    let first = super::lines::line_length(&sep.text);
    let ends = sep.text.ends_with(['\n', '\r']);
    let (line, rest) = sep.text.split_at(first);
    (ends && line.contains('#') && is_blank(rest)).then_some(line)
}

/// Whether a draft writes no byte.
fn is_nothing(value: &Draft<'_>) -> bool {
    match value {
        Draft::Keep(node) => node.raw_with_props().is_empty(),
        Draft::Token(text) => text.is_empty(),
        _ => false,
    }
}

/// The block scalar that a node ends with, if nothing stands behind it.
fn last_text(node: NodeRef<'_>, delta: i32) -> Option<Text> {
    let mut node = node;
    loop {
        if node.is_block_scalar() {
            let header = super::draft::header_of(node);
            let indicators = header.split([' ', '\t', '#']).next().unwrap_or_default();
            return Some(Text {
                column: (node.data().column as i32 + delta).max(0) as usize,
                keep: indicators.contains('+'),
            });
        }
        if !node.is_block_collection() || !is_blank(node.foot()) {
            return None;
        }
        let last = node.entries().next_back()?;
        if !is_blank(last.tail()) {
            return None;
        }
        node = last.value();
    }
}
