//! Flow collections: what stands in brackets and braces (YAML 1.2.2, chapter 7.4).

use super::super::error::Problem;
use super::super::tree::{Entry, Kind, NodeId, Span, Style};
use super::props::Props;
use super::{MAX_IMPLICIT_KEY, Reader, Result};

/// A collection that is still open.
#[derive(Clone, Copy)]
struct Bracket {
    /// Where it opened.
    begin: usize,
    /// What closes it.
    close: u8,
    /// Column of the block collection around it.
    parent: i32,
}

impl Bracket {
    fn is_mapping(self) -> bool {
        self.close == b'}'
    }
}

impl Reader<'_> {
    /// Reads the collection whose opening bracket is at `pos` and moves behind its closing one.
    pub(super) fn flow_collection(&mut self, parent: i32, props: &Props) -> Result<NodeId> {
        self.enter()?;
        let begin = self.pos;
        let close = if self.peek() == Some(b'{') {
            b'}'
        } else {
            b']'
        };
        let bracket = Bracket {
            begin,
            close,
            parent,
        };
        let mapping = bracket.is_mapping();
        let from = self.open.len();
        let mut opaque = false;
        self.advance(begin + 1);
        loop {
            let lead = self.pos;
            self.flow_white(bracket)?;
            match self.peek() {
                Some(byte) if byte == close => break,
                Some(b',') => return self.syntax("expected a value before this comma"),
                _ => {}
            }
            opaque |= self.flow_entry(bracket, lead)?;
            self.flow_white(bracket)?;
            match self.peek() {
                Some(b',') => {
                    self.advance(self.pos + 1);
                    self.end_flow_entry();
                }
                Some(byte) if byte == close => {
                    self.end_flow_entry();
                    break;
                }
                Some(b':') => return self.syntax("a `:` needs a space behind it"),
                _ => return self.syntax("expected a comma or the closing bracket here"),
            }
        }
        self.advance(self.pos + 1);
        self.depth -= 1;
        if mapping {
            opaque |= self.refuse_duplicate_keys(from)?;
        }
        let kind = if mapping {
            Kind::Mapping
        } else {
            Kind::Sequence
        };
        let mut node = props.node(kind, Span::new(begin, self.pos), parent);
        node.flow = true;
        node.opaque = opaque;
        node.entries = self.close_entries(from);
        self.push(node)
    }

    fn end_flow_entry(&mut self) {
        let end = self.pos as u32;
        if let Some(last) = self.open.last_mut() {
            last.end = end;
        }
    }

    /// White space inside brackets: line breaks count as blanks, but lines stay deeper than the block around them.
    fn flow_white(&mut self, bracket: Bracket) -> Result<()> {
        let parent = bracket.parent;
        let crossed = self.next_token()?;
        if self.at_end() || (crossed && self.at_marker()) {
            let what = if bracket.is_mapping() {
                "the `{`"
            } else {
                "the `[`"
            };
            return self.fail(Problem::Unclosed(what), bracket.begin);
        }
        if crossed {
            // People close a bracket in the column of the key that opened it; every reader in use accepts it.
            let closes = matches!(self.peek(), Some(b']' | b'}'))
                && !self.tabbed
                && self.column() as i32 >= parent;
            if self.indent as i32 <= parent && !closes {
                if self.column() as i32 > parent {
                    return self.fail(Problem::Tab, self.line_start + self.indent);
                }
                return self.fail(
                    Problem::Indentation(
                        "lines inside brackets are deeper than the block around them",
                    ),
                    self.pos,
                );
            }
        }
        Ok(())
    }

    /// Reads one element (its `end` is set by the caller) and says whether it can only be carried verbatim.
    fn flow_entry(&mut self, bracket: Bracket, lead: usize) -> Result<bool> {
        let (parent, mapping) = (bracket.parent, bracket.is_mapping());
        let start = self.pos;
        let line = self.line_start;
        let mut opaque = false;
        let explicit = self.peek() == Some(b'?') && self.is_white(start + 1);
        if explicit {
            opaque = true;
            self.advance(start + 1);
            self.flow_white(bracket)?;
        }
        let key = self.flow_node(bracket, mapping || explicit)?;
        let key_end = self.pos;
        // Behind a closing quote or bracket the `:` needs no space.
        let json_like = !matches!(
            self.nodes[key.0 as usize].kind,
            Kind::Alias | Kind::Scalar(Style::Plain | Style::Empty)
        );
        self.flow_white(bracket)?;
        let colon = self.pos;
        let pair = self.peek() == Some(b':')
            && (self.ends_colon(colon + 1)
                || (json_like && (mapping || explicit || self.line_start == line)));
        if !mapping
            && !explicit
            && pair
            && (self.line_start != line || colon - start > MAX_IMPLICIT_KEY)
        {
            return self.syntax("the key of a pair in a list stands in one line with its `:`");
        }
        if !pair {
            // Trailing blanks and comments stay with what follows.
            let value = if mapping || explicit {
                self.empty_node(&Props::default(), key_end, parent)?
            } else {
                key
            };
            let entry = Entry {
                lead: lead as u32,
                start: start as u32,
                key: (mapping || explicit).then_some(key),
                after: if mapping || explicit { key_end } else { start } as u32,
                value,
                end: 0,
            };
            // A bare key in braces has no `:` to put a value behind.
            opaque |= mapping;
            if explicit && !mapping {
                let node = self.single_pair(entry, key_end, parent)?;
                self.open_element(lead, start, node);
            } else {
                self.open.push(entry);
            }
            return Ok(opaque);
        }
        self.advance(colon + 1);
        let after = self.pos;
        self.flow_white(bracket)?;
        let value = if self.ends_element(self.pos) {
            self.empty_node(&Props::default(), after, parent)?
        } else {
            self.flow_node(bracket, true)?
        };
        let value_end = self.nodes[value.0 as usize].span.end as usize;
        let entry = Entry {
            lead: lead as u32,
            start: start as u32,
            key: Some(key),
            after: after as u32,
            value,
            end: value_end as u32,
        };
        if mapping {
            opaque |= !self.is_plain_key(key);
            self.open.push(entry);
            return Ok(opaque);
        }
        let node = self.single_pair(entry, value_end.max(after), parent)?;
        self.open_element(lead, start, node);
        Ok(true)
    }

    /// The mapping that a pair inside `[…]` is.
    fn single_pair(&mut self, mut entry: Entry, end: usize, parent: i32) -> Result<NodeId> {
        let from = self.open.len();
        let start = entry.start;
        entry.lead = start;
        entry.end = end as u32;
        self.open.push(entry);
        let mut node = Props::default().node(Kind::Mapping, Span::new(start as usize, end), parent);
        node.flow = true;
        node.opaque = true;
        node.entries = self.close_entries(from);
        self.push(node)
    }

    fn open_element(&mut self, lead: usize, start: usize, value: NodeId) {
        self.open.push(Entry {
            lead: lead as u32,
            start: start as u32,
            key: None,
            after: start as u32,
            value,
            end: 0,
        });
    }

    /// Whether what is at `at` shows that the `:` before it stands behind a key.
    fn ends_colon(&self, at: usize) -> bool {
        self.is_white(at) || self.ends_element(at)
    }

    /// Reads a node inside brackets; nothing at all is an empty one where `may_be_empty`.
    fn flow_node(&mut self, bracket: Bracket, may_be_empty: bool) -> Result<NodeId> {
        let parent = bracket.parent;
        let start = self.pos;
        let mut props = self.props(true)?;
        if !props.is_none() {
            self.flow_white(bracket)?;
            let more = self.props(true)?;
            if !more.is_none() {
                props = self.join_props(props, more)?;
                self.flow_white(bracket)?;
            }
        }
        match self.peek() {
            Some(b'[' | b'{') => self.flow_collection(parent, &props),
            Some(b'"' | b'\'') => self.quoted(parent, &props, true),
            Some(b'*') => self.alias(parent, &props),
            Some(b',' | b']' | b'}') if may_be_empty || !props.is_none() => {
                self.empty_node(&props, start, parent)
            }
            Some(b':') if self.ends_colon(self.pos + 1) => self.empty_node(&props, start, parent),
            _ => self.plain(parent, &props, true, None),
        }
    }
}
