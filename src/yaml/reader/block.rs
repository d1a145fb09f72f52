//! Block structures: what indentation and the indicators `-`, `?` and `:` make (YAML 1.2.2, chapter 8).

use super::super::error::Problem;
use super::super::tree::{Entry, Kind, NodeId, Span};
use super::props::Props;
use super::{MAX_IMPLICIT_KEY, Place, Reader, Result, is_blank};

/// A key that was read before it was known to be one.
struct FirstKey {
    lead: usize,
    start: usize,
    key: NodeId,
}

impl Reader<'_> {
    /// Reads the node behind an indicator (or at a document's root) and moves to the token behind it, which is then
    /// the first of its line. `parent` is the column of the collection around it.
    pub(super) fn block_node(&mut self, parent: i32, place: Place) -> Result<NodeId> {
        let origin = self.pos;
        let mut own_line = self.next_token()? || (place == Place::Root && self.fresh);
        if self.ends_before(parent, place, own_line) {
            return self.empty_node(&Props::default(), origin, parent);
        }
        let mut outer = Props::default();
        let (inner, first_of_line, tabbed, token) = loop {
            if self.ends_before(parent, place, own_line) {
                return self.empty_node(&outer, origin, parent);
            }
            if own_line
                && self.tabbed
                && self.indent as i32 <= parent
                && self.column() as i32 > parent
            {
                return self.fail(Problem::Tab, self.line_start + self.indent);
            }
            let before = (self.fresh, self.tabbed, self.pos);
            let inner = self.props(false)?;
            if inner.is_none() || !(self.next_token()? || self.at_end()) {
                break (inner, before.0, before.1, before.2);
            }
            // Properties in a line of their own belong to whatever follows.
            outer = self.join_props(outer, inner)?;
            own_line = true;
        };
        let compact =
            !first_of_line && outer.is_none() && matches!(place, Place::Item | Place::Explicit);
        let may_open = (first_of_line || compact) && !tabbed;
        let column = token - self.line_start;

        let indicator = self.is_white(self.pos + 1);
        match self.peek() {
            Some(b'-') if indicator => {
                if !may_open || !inner.is_none() {
                    return self.refuse_collection(
                        tabbed,
                        "a list cannot begin here: put it on lines of its own",
                    );
                }
                return self.block_sequence(column, parent, outer, first_of_line);
            }
            Some(b'?') if indicator => {
                if !may_open || !inner.is_none() {
                    return self.refuse_collection(
                        tabbed,
                        "a mapping cannot begin here: put it on lines of its own",
                    );
                }
                return self.block_mapping(column, parent, outer, first_of_line, None);
            }
            Some(b'|' | b'>') => {
                let props = self.join_props(outer, inner)?;
                let node = self.block_scalar(parent, &props)?;
                return Ok(node);
            }
            _ => {}
        }

        let line = self.line_start;
        let props_of_value = outer;
        let node = if self.peek() == Some(b':') && indicator {
            // The key is written as nothing.
            self.empty_node(&inner, self.pos, column as i32)?
        } else {
            let props = inner;
            self.inline_node(parent, column, &props, may_open)?
        };
        let mut colon = self.pos;
        while self.byte(colon).is_some_and(is_blank) {
            colon += 1;
        }
        if self.byte(colon) == Some(b':') && self.is_white(colon + 1) {
            if !may_open || self.line_start != line {
                self.pos = colon;
                return self.refuse_collection(
                    tabbed,
                    "a mapping cannot begin here: put it on lines of its own, or quote the text",
                );
            }
            if colon - token > MAX_IMPLICIT_KEY {
                return self.fail(Problem::Syntax("this key is too long"), token);
            }
            self.nodes[node.0 as usize].parent_column = column as i32;
            let lead = if first_of_line {
                self.first_lead()
            } else {
                token
            };
            self.advance(colon + 1);
            let first = FirstKey {
                lead,
                start: token,
                key: node,
            };
            return self.block_mapping(column, parent, props_of_value, first_of_line, Some(first));
        }
        if !outer.is_none() {
            let joined = self.join_props(outer, inner)?;
            if self.nodes[node.0 as usize].kind == Kind::Alias {
                return self.fail(Problem::Syntax("an alias has no anchor and no tag"), token);
            }
            let data = &mut self.nodes[node.0 as usize];
            data.anchor = joined.anchor;
            data.tag = joined.tag;
            data.props = joined.span;
        }
        self.finish_node()?;
        Ok(node)
    }

    fn refuse_collection<T>(&self, tabbed: bool, message: &'static str) -> Result<T> {
        if tabbed {
            let line = &self.bytes[self.line_start..self.pos];
            let at = line
                .iter()
                .rposition(|&byte| byte == b'\t')
                .map_or(self.pos, |at| self.line_start + at);
            return self.fail(Problem::Tab, at);
        }
        self.syntax(message)
    }

    /// Whether the token at `pos` no longer belongs to the node that was expected: the node is empty.
    fn ends_before(&self, parent: i32, place: Place, own_line: bool) -> bool {
        if self.at_end() || (own_line && self.at_marker()) {
            return true;
        }
        if !own_line {
            return false;
        }
        let level = self.indent as i32;
        let indentless = matches!(place, Place::Value | Place::Explicit)
            && level == parent
            && self.column() as i32 == parent
            && self.peek() == Some(b'-')
            && self.is_white(self.pos + 1);
        // A tab behind too few spaces is reported where the token is read.
        level <= parent && !indentless && self.column() as i32 <= parent
    }

    /// Reads what may be an implicit key or a whole value: a quoted or plain scalar, an alias, a flow collection.
    fn inline_node(
        &mut self,
        parent: i32,
        column: usize,
        props: &Props,
        may_open: bool,
    ) -> Result<NodeId> {
        match self.peek() {
            Some(b'[' | b'{') => self.flow_collection(parent, props),
            Some(b'"' | b'\'') => self.quoted(parent, props, false),
            Some(b'*') => self.alias(parent, props),
            _ => {
                let key = may_open.then_some(column);
                self.plain(parent, props, false, key)
            }
        }
    }

    /// Reads a sequence whose first `-` is at `pos`.
    fn block_sequence(
        &mut self,
        column: usize,
        parent: i32,
        props: Props,
        own_line: bool,
    ) -> Result<NodeId> {
        self.enter()?;
        let from = self.open.len();
        let mut lead = if own_line {
            self.first_lead()
        } else {
            self.pos
        };
        let begin = lead;
        loop {
            let start = self.pos;
            self.advance(start + 1);
            let after = self.pos;
            let value = self.block_node(column as i32, Place::Item)?;
            self.open.push(Entry {
                lead: lead as u32,
                start: start as u32,
                key: None,
                after: after as u32,
                value,
                end: 0,
            });
            let more = self.next_entry(column, |reader| {
                reader.peek() == Some(b'-') && reader.is_white(reader.pos + 1)
            })?;
            if !more {
                // In a mapping of the same column the list needs no indentation: what follows is the next key.
                if self.level() == column as i32 && parent != column as i32 {
                    return self.fail(
                        Problem::Indentation("expected `- ` here, as in the list above"),
                        self.pos,
                    );
                }
                break;
            }
            lead = self.end_entry(column);
        }
        self.close_block(Kind::Sequence, column, parent, props, begin, from)
    }

    /// Reads a mapping; `first` is its first key if that was read already (and `pos` is behind its `:`), else an
    /// explicit `?` is at `pos`.
    fn block_mapping(
        &mut self,
        column: usize,
        parent: i32,
        props: Props,
        own_line: bool,
        first: Option<FirstKey>,
    ) -> Result<NodeId> {
        self.enter()?;
        let from = self.open.len();
        let mut lead = match &first {
            Some(first) => first.lead,
            None if own_line => self.first_lead(),
            None => self.pos,
        };
        let begin = lead;
        let mut opaque = false;
        let mut pending = first;
        loop {
            let (start, key, explicit) = match pending.take() {
                Some(first) => (first.start, first.key, false),
                None => self.block_key(column)?,
            };
            let mut after = self.pos;
            let value = if explicit {
                opaque = true;
                let answered = self.level() == column as i32
                    && self.column() == column
                    && self.peek() == Some(b':')
                    && self.is_white(self.pos + 1);
                if answered {
                    self.advance(self.pos + 1);
                    after = self.pos;
                    self.block_node(column as i32, Place::Explicit)?
                } else {
                    after = self.nodes[key.0 as usize].span.end as usize;
                    self.empty_node(&Props::default(), after, column as i32)?
                }
            } else {
                self.block_node(column as i32, Place::Value)?
            };
            opaque |= !self.is_plain_key(key);
            self.open.push(Entry {
                lead: lead as u32,
                start: start as u32,
                key: Some(key),
                after: after as u32,
                value,
                end: 0,
            });
            let more = self.next_entry(column, |_| true)?;
            if !more {
                break;
            }
            lead = self.end_entry(column);
        }
        opaque |= self.refuse_duplicate_keys(from)?;
        let node = self.close_block(Kind::Mapping, column, parent, props, begin, from)?;
        self.nodes[node.0 as usize].opaque = opaque;
        Ok(node)
    }

    /// Whether a key can be told from others by its text.
    pub(super) fn is_plain_key(&self, key: NodeId) -> bool {
        use super::Style;
        let node = &self.nodes[key.0 as usize];
        matches!(node.kind, Kind::Scalar(style) if style != Style::Empty)
    }

    /// Reads the key of a further entry up to behind its `:`; behind `?` up to the token after the key.
    fn block_key(&mut self, column: usize) -> Result<(usize, NodeId, bool)> {
        let start = self.pos;
        if self.tabbed {
            return self.fail(Problem::Tab, self.line_start + self.indent);
        }
        if self.peek() == Some(b'?') && self.is_white(start + 1) {
            self.advance(start + 1);
            let key = self.block_node(column as i32, Place::Explicit)?;
            return Ok((start, key, true));
        }
        if self.peek() == Some(b'-') && self.is_white(start + 1) {
            return self.fail(
                Problem::Indentation("expected a key here, not a list item"),
                start,
            );
        }
        let line = self.line_start;
        let props = self.props(false)?;
        if !props.is_none() && self.next_token()? {
            return self.fail(
                Problem::Syntax("expected a key behind this anchor or tag"),
                start,
            );
        }
        let key = if self.peek() == Some(b':') && self.is_white(self.pos + 1) {
            self.empty_node(&props, self.pos, column as i32)?
        } else {
            self.inline_node(column as i32, column, &props, true)?
        };
        let mut colon = self.pos;
        while self.byte(colon).is_some_and(is_blank) {
            colon += 1;
        }
        if self.byte(colon) != Some(b':') || !self.is_white(colon + 1) || self.line_start != line {
            return self.fail(
                Problem::Syntax("expected a key with a `:` behind it"),
                start,
            );
        }
        if colon - start > MAX_IMPLICIT_KEY {
            return self.fail(Problem::Syntax("this key is too long"), start);
        }
        self.advance(colon + 1);
        Ok((start, key, false))
    }

    /// Whether the token at `pos` begins another entry of the collection in `column`.
    fn next_entry(&mut self, column: usize, is_entry: impl Fn(&Self) -> bool) -> Result<bool> {
        let level = self.level();
        if level > column as i32 {
            return self.fail(
                Problem::Indentation(
                    "this is deeper than the entries above it, but belongs to none of them",
                ),
                self.pos,
            );
        }
        if level == column as i32 && self.column() > column {
            return self.fail(Problem::Tab, self.line_start + self.indent);
        }
        Ok(level == column as i32 && is_entry(self))
    }

    /// Ends the last entry where the lead of the next begins, and says where that is.
    fn end_entry(&mut self, column: usize) -> usize {
        let end = self.take_gap(column + 1);
        if let Some(last) = self.open.last_mut() {
            last.end = end as u32;
        }
        end
    }

    fn close_block(
        &mut self,
        kind: Kind,
        column: usize,
        parent: i32,
        props: Props,
        begin: usize,
        from: usize,
    ) -> Result<NodeId> {
        self.depth -= 1;
        let mut end = self.end_entry(column);
        // A list in the column of the mapping around it leaves what stands there to the mapping.
        if self.level() < column as i32 && parent != column as i32 {
            end = self.take_gap(column);
        }
        let mut node = props.node(kind, Span::new(begin, end), parent);
        node.entries = self.close_entries(from);
        node.column = column as u32;
        self.push(node)
    }
}
