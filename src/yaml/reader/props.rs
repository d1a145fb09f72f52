//! Anchors and tags before a node (YAML 1.2.2, section 6.9).

use super::super::error::Problem;
use super::super::tree::{Kind, Node, Span};
use super::{Anchor, Reader, Result, is_blank, is_break, is_flow_indicator};

/// The properties before a node.
#[derive(Clone, Copy, Default)]
pub(super) struct Props {
    /// The anchor's name.
    pub(super) anchor: Span,
    /// The tag as written.
    pub(super) tag: Span,
    /// Both, with what stands between them.
    pub(super) span: Span,
}

impl Props {
    pub(super) fn is_none(&self) -> bool {
        self.span.is_empty()
    }

    pub(super) fn node(&self, kind: Kind, span: Span, parent_column: i32) -> Node {
        Node {
            kind,
            flow: false,
            opaque: false,
            anchor: self.anchor,
            tag: self.tag,
            props: self.span,
            span,
            entries: Span::default(),
            column: 0,
            parent_column,
        }
    }
}

impl Reader<'_> {
    /// Reads the anchor and the tag at `pos`, in either order, if they are there; they stand in one line.
    pub(super) fn props(&mut self, flow: bool) -> Result<Props> {
        // Most nodes have none.
        if !matches!(self.peek(), Some(b'&' | b'!')) {
            return Ok(Props::default());
        }
        self.written_props(flow)
    }

    fn written_props(&mut self, flow: bool) -> Result<Props> {
        let mut props = Props::default();
        loop {
            let start = self.pos;
            match self.peek() {
                Some(b'&') if props.anchor.is_empty() => {
                    let name = self.name_end(start + 1);
                    if name == start + 1 {
                        return self.syntax("an anchor needs a name behind its `&`");
                    }
                    if self.text[start + 1..name].contains('\u{feff}') {
                        return self.syntax("a byte order mark hides in this name: remove it");
                    }
                    props.anchor = Span::new(start + 1, name);
                    let begun = self.expanded;
                    self.anchors
                        .insert(&self.text[start + 1..name], Anchor { begun, size: None });
                    self.advance(name);
                }
                Some(b'!') if props.tag.is_empty() => {
                    let end = self.tag_end(start, flow)?;
                    props.tag = Span::new(start, end);
                    self.advance(end);
                }
                Some(b'&' | b'!') => {
                    return self.syntax("a node has one anchor and one tag at most");
                }
                _ => break,
            }
            if props.is_none() {
                props.span = Span::new(start, self.pos);
            } else {
                props.span.end = self.pos as u32;
            }
            let separated = self.is_white(self.pos) || (flow && self.ends_element(self.pos));
            if !separated {
                return self.syntax("an anchor or tag needs a space behind it");
            }
            let mut next = self.pos;
            while self.byte(next).is_some_and(is_blank) {
                next += 1;
            }
            // The blanks stay where they are unless another property follows: whoever comes next asks about them.
            if matches!(self.byte(next), Some(b'&' | b'!')) {
                self.pos = next;
            } else {
                break;
            }
        }
        Ok(props)
    }

    /// Puts together properties of one node that stand in two lines.
    pub(super) fn join_props(&self, outer: Props, inner: Props) -> Result<Props> {
        if inner.is_none() {
            return Ok(outer);
        }
        if outer.is_none() {
            return Ok(inner);
        }
        if (!outer.anchor.is_empty() && !inner.anchor.is_empty())
            || (!outer.tag.is_empty() && !inner.tag.is_empty())
        {
            return self.fail(
                Problem::Syntax("a node has one anchor and one tag at most"),
                inner.span.start as usize,
            );
        }
        let pick = |a: Span, b: Span| if a.is_empty() { b } else { a };
        Ok(Props {
            anchor: pick(outer.anchor, inner.anchor),
            tag: pick(outer.tag, inner.tag),
            span: Span {
                start: outer.span.start,
                end: inner.span.end,
            },
        })
    }

    /// Where the name of an anchor or alias that begins at `at` ends.
    pub(super) fn name_end(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .position(|&byte| is_blank(byte) || is_break(byte) || is_flow_indicator(byte))
            .unwrap_or(rest.len())
    }
}
