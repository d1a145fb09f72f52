//! The reader: one pass over the bytes, by recursive descent along the indentation (YAML 1.2.2).
//!
//! `mod.rs` holds the cursor, the white space between tokens and the stream of documents; `block.rs` the block
//! structures, `flow.rs` the bracketed ones, `keys.rs` the check for duplicate keys, `scalar.rs` the scalars, `props.rs` anchors and tags before a node,
//! `tag.rs` what tags and directives may hold. The reader fills the arenas of a [`Document`] and decides to which entry each comment and blank line belongs; it
//! decodes nothing that it need not.

mod block;
mod flow;
mod keys;
mod props;
mod scalar;
mod tag;

use std::collections::{HashMap, HashSet};

use memchr::{memchr2, memmem};

use super::error::{Error, Limits, Problem};
use super::tree::{Document, Entry, Kind, Node, NodeId, Part, Span, Style};
use props::Props;

/// Longest implicit key in characters (YAML 1.2.2, section 7.4.2); counted here in bytes, which is laxer by nothing
/// that anybody writes.
const MAX_IMPLICIT_KEY: usize = 4096;

/// The byte order mark U+FEFF.
const MARK: &[u8] = "\u{feff}".as_bytes();

type Result<T> = std::result::Result<T, Error>;

pub(super) fn read(text: String, limits: &Limits) -> Result<Document> {
    let mut reader = Reader::new(&text, limits);
    reader.refuse_conflict_markers()?;
    reader.refuse_control_characters()?;
    reader.stream()?;
    let Reader {
        nodes,
        entries,
        parts,
        deepest,
        ..
    } = reader;
    Ok(Document {
        text,
        nodes,
        entries,
        parts,
        deepest,
    })
}

/// Where in the block structure a node stands: what may begin there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The root of a document.
    Root,
    /// Behind `- `.
    Item,
    /// Behind `key:`.
    Value,
    /// Behind `? `, or behind the `: ` that answers it.
    Explicit,
}

struct Anchor {
    /// `expanded` when the anchored node began.
    begun: u64,
    /// How many nodes it stands for; none while it is still open.
    size: Option<u64>,
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    limits: &'t Limits,
    pos: usize,
    /// First byte of the line that `pos` is in.
    line_start: usize,
    /// Whether only white space stands before `pos` in its line.
    fresh: bool,
    /// Whether a tab stands in the white space directly before `pos`.
    tabbed: bool,
    /// Spaces at the beginning of the current line, where `fresh`.
    indent: usize,
    /// Beginning of the lines above `pos` that belong to no entry yet.
    gap: usize,
    /// Up to where the gap is known to be blank, so that no collection that ends here looks at it again.
    blank: usize,
    depth: usize,
    /// The greatest depth so far.
    deepest: usize,
    /// Nodes so far, each alias counted as what it names.
    expanded: u64,
    anchors: HashMap<&'t str, Anchor>,
    /// The tag handles that the current document declares.
    handles: HashSet<&'t str>,
    nodes: Vec<Node>,
    entries: Vec<Entry>,
    /// Entries of the collections that are still open, innermost last.
    open: Vec<Entry>,
    parts: Vec<Part>,
    /// What ended the last line of a plain scalar.
    plain_stop: scalar::Stop,
}

fn is_break(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_flow_indicator(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, limits: &'t Limits) -> Self {
        let guess = text.len() / 24;
        Reader {
            text,
            bytes: text.as_bytes(),
            limits,
            pos: 0,
            line_start: 0,
            fresh: true,
            tabbed: false,
            indent: 0,
            gap: 0,
            blank: 0,
            depth: 0,
            deepest: 0,
            expanded: 0,
            anchors: HashMap::new(),
            handles: HashSet::new(),
            nodes: Vec::with_capacity(guess),
            entries: Vec::with_capacity(guess / 2),
            open: Vec::new(),
            parts: Vec::new(),
            plain_stop: scalar::Stop::default(),
        }
    }

    fn fail<T>(&self, problem: Problem, at: usize) -> Result<T> {
        Err(Error::at(problem, self.bytes, at))
    }

    fn syntax<T>(&self, message: &'static str) -> Result<T> {
        self.fail(Problem::Syntax(message), self.pos)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.pos)
    }

    fn at_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    /// Whether a blank, a line break or the end of the text is at `at`.
    fn is_white(&self, at: usize) -> bool {
        self.byte(at)
            .is_none_or(|byte| is_blank(byte) || is_break(byte))
    }

    /// Whether what ends an element of a flow collection is at `at`.
    fn ends_element(&self, at: usize) -> bool {
        matches!(self.byte(at), Some(b',' | b']' | b'}'))
    }

    fn column(&self) -> usize {
        self.pos - self.line_start
    }

    /// Where the line break at `at` ends (`\r\n` is one).
    fn after_break(&self, at: usize) -> usize {
        if self.byte(at) == Some(b'\r') && self.byte(at + 1) == Some(b'\n') {
            at + 2
        } else {
            at + 1
        }
    }

    /// The end of the line that `at` is in, before its line break.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())
    }

    /// Whether `---` or `...` stands at `at`, the beginning of a line.
    fn is_marker_at(&self, at: usize) -> bool {
        let rest = self.bytes.get(at..).unwrap_or_default();
        (rest.starts_with(b"---") || rest.starts_with(b"...")) && self.is_white(at + 3)
    }

    fn at_marker(&self) -> bool {
        self.pos == self.line_start && self.is_marker_at(self.pos)
    }

    /// Whether the block structure around `pos` ends here whatever its columns are.
    fn at_document_end(&self) -> bool {
        self.at_end() || self.at_marker()
    }

    /// The column that decides which open collection the token at `pos` belongs to: -1 at a document's end.
    fn level(&self) -> i32 {
        if self.at_document_end() {
            -1
        } else {
            self.indent as i32
        }
    }

    /// Moves over blanks, comments and line breaks to the next token and says whether a line break was crossed.
    fn next_token(&mut self) -> Result<bool> {
        let mut crossed = false;
        let mut blanks;
        loop {
            if self.pos == self.line_start {
                while self.peek() == Some(b' ') {
                    self.pos += 1;
                }
                self.indent = self.column();
            }
            blanks = self.pos;
            while self.peek().is_some_and(is_blank) {
                self.pos += 1;
            }
            match self.peek() {
                Some(b'#') => {
                    if self.pos == blanks && !self.fresh && !crossed {
                        return self.syntax("a comment needs a space before its `#`");
                    }
                    self.pos = self.line_end(self.pos);
                }
                Some(byte) if is_break(byte) => {
                    self.pos = self.after_break(self.pos);
                    self.line_start = self.pos;
                    // Where nothing but white space stands before it, the line is of the gap already.
                    if !crossed && !self.fresh {
                        self.gap = self.pos;
                    }
                    crossed = true;
                }
                _ => break,
            }
        }
        self.fresh |= crossed;
        if self.fresh {
            self.tabbed = self.indent < self.column();
        } else {
            self.tabbed = self.bytes[blanks..self.pos].contains(&b'\t');
            if self.at_end() {
                self.gap = self.pos;
            }
        }
        Ok(crossed)
    }

    /// Moves behind a token: what follows in the line is no longer its beginning.
    fn advance(&mut self, to: usize) {
        self.pos = to;
        self.fresh = false;
    }

    /// Moves to the token behind a finished node; nothing but a comment may follow it in its line.
    fn finish_node(&mut self) -> Result<()> {
        let crossed = self.next_token()?;
        if crossed || self.fresh || self.at_end() {
            return Ok(());
        }
        if self.peek() == Some(b':') && self.is_white(self.pos + 1) {
            return self.syntax(
                "a mapping cannot begin here: put it on lines of its own, or quote the text",
            );
        }
        self.syntax("unexpected text behind a finished value")
    }

    /// Takes from the gap the comments in column `column` or deeper, with the blank lines before them, and says where
    /// the rest begins.
    fn take_gap(&mut self, column: usize) -> usize {
        let end = if self.at_end() {
            self.pos
        } else {
            self.line_start
        };
        let mut at = self.gap.max(self.blank);
        while at < end {
            let line_end = self.line_end(at);
            let next = if line_end < end {
                self.after_break(line_end)
            } else {
                line_end
            };
            let indent = self.bytes[at..line_end]
                .iter()
                .take_while(|&&byte| is_blank(byte))
                .count();
            if at + indent < line_end {
                if indent < column {
                    break;
                }
                self.gap = next;
            }
            at = next;
        }
        self.blank = at;
        self.gap
    }

    /// Where the lead of the first entry of a collection begins: the comments directly above it belong to it, what
    /// stands above a blank line belongs to the collection as a whole.
    fn first_lead(&self) -> usize {
        let mut start = self.line_start;
        while start > self.gap {
            let mut previous = start - 1;
            if previous > self.gap
                && self.bytes[previous] == b'\n'
                && self.bytes[previous - 1] == b'\r'
            {
                previous -= 1;
            }
            let line = self.bytes[self.gap..previous]
                .iter()
                .rposition(|&byte| is_break(byte))
                .map_or(self.gap, |at| self.gap + at + 1);
            if self.bytes[line..previous]
                .iter()
                .all(|&byte| is_blank(byte))
            {
                break;
            }
            start = line;
        }
        start
    }

    fn push(&mut self, node: Node) -> Result<NodeId> {
        self.expanded += 1;
        if self.expanded > self.limits.max_expanded {
            return self.fail(Problem::AliasBomb(self.limits.max_expanded), self.pos);
        }
        let id = NodeId(self.nodes.len() as u32);
        if !node.anchor.is_empty() {
            let name = &self.text[node.anchor.start as usize..node.anchor.end as usize];
            if let Some(anchor) = self.anchors.get_mut(name) {
                anchor.size = Some(self.expanded - anchor.begun);
            }
        }
        self.nodes.push(node);
        Ok(id)
    }

    fn scalar_node(
        &mut self,
        style: Style,
        props: &Props,
        span: Span,
        parent: i32,
    ) -> Result<NodeId> {
        self.push(props.node(Kind::Scalar(style), span, parent))
    }

    /// A null that is written as nothing, at `at`.
    fn empty_node(&mut self, props: &Props, at: usize, parent: i32) -> Result<NodeId> {
        let at = if props.is_none() {
            at
        } else {
            props.span.end as usize
        };
        self.scalar_node(Style::Empty, props, Span::new(at, at), parent)
    }

    /// Moves the entries that were opened since `from` into the arena.
    fn close_entries(&mut self, from: usize) -> Span {
        let start = self.entries.len();
        self.entries.extend(self.open.drain(from..));
        Span::new(start, self.entries.len())
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > self.limits.max_depth {
            return self.fail(Problem::TooDeep(self.limits.max_depth), self.pos);
        }
        Ok(())
    }

    fn raw(&self, span: Span) -> &'t str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// A whole conflict (`<<<<<<<`, `=======`, `>>>>>>>`, each at the beginning of a line) is a merge that nobody
    /// has finished, wherever in the text it stands; one such line alone may be somebody's text.
    fn refuse_conflict_markers(&self) -> Result<()> {
        let mut wanted = [&b"<<<<<<<"[..], b"=======", b">>>>>>>"].into_iter();
        let mut marker = wanted.next();
        let mut first = None;
        let mut at = 0;
        // A line that begins with a marker is rare: look for the byte that opens one before looking at lines.
        if memmem::find(self.bytes, b"<<<<<<<").is_none() {
            return Ok(());
        }
        while at < self.bytes.len() {
            let end = self.line_end(at);
            if marker.is_some_and(|marker| self.bytes[at..end].starts_with(marker)) {
                first.get_or_insert(at);
                marker = wanted.next();
                if marker.is_none() {
                    return self.fail(Problem::ConflictMarker, first.unwrap_or(at));
                }
            }
            at = self.after_break(end);
        }
        Ok(())
    }

    fn refuse_control_characters(&self) -> Result<()> {
        let refused =
            |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f;
        // Looking at whole chunks, without an end in between, lets the compiler look at many bytes at once.
        for (index, chunk) in self.bytes.chunks(64).enumerate() {
            if chunk.iter().fold(false, |any, &byte| any | refused(byte)) {
                let inside = chunk.iter().position(|&byte| refused(byte)).unwrap_or(0);
                let at = index * 64 + inside;
                return self.fail(Problem::ControlCharacter(self.bytes[at].into()), at);
            }
        }
        Ok(())
    }

    /// Moves over a byte order mark before a document; the first column is behind it.
    fn skip_byte_order_mark(&mut self) -> bool {
        let found = self.pos == self.line_start && self.bytes[self.pos..].starts_with(MARK);
        if found {
            self.pos += MARK.len();
            self.line_start = self.pos;
            self.gap = self.pos;
            self.fresh = true;
        }
        found
    }

    /// Reads all documents of the file.
    fn stream(&mut self) -> Result<()> {
        let mut part_start = 0;
        loop {
            self.fresh |= self.pos == self.line_start;
            self.next_token()?;
            while self.skip_byte_order_mark() {
                self.next_token()?;
            }
            let directives = self.directives()?;
            let explicit_start = self.at_marker() && self.peek() == Some(b'-');
            if directives && !explicit_start {
                return self.syntax("a directive needs a `---` line below it");
            }
            if self.at_end() {
                break;
            }
            if !explicit_start && self.at_marker() {
                // A lone `...` closes nothing, but directives may follow it.
                self.advance(self.pos + 3);
                self.finish_node()?;
                continue;
            }
            if explicit_start {
                self.advance(self.pos + 3);
            }
            self.anchors.clear();
            let root = self.block_node(-1, Place::Root)?;
            if !self.at_document_end() {
                return self.fail(
                    Problem::Indentation("this belongs to nothing above it"),
                    self.pos,
                );
            }
            let explicit_end = self.at_marker() && self.peek() == Some(b'.');
            if explicit_end {
                self.advance(self.pos + 3);
                self.finish_node()?;
                self.pos = self.gap;
                self.line_start = self.gap;
            }
            let end = if self.at_end() {
                self.bytes.len()
            } else {
                self.line_start
            };
            self.parts.push(Part {
                span: Span::new(part_start, end),
                explicit_start,
                explicit_end,
                root,
            });
            part_start = end;
            if !explicit_end && !self.at_end() && self.byte(self.line_start) == Some(b'%') {
                return self.syntax("a directive needs a `...` line above it");
            }
        }
        if let Some(last) = self.parts.last_mut() {
            last.span.end = self.bytes.len() as u32;
        }
        Ok(())
    }
}
