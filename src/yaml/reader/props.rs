//! Anchors, tags and directives (YAML 1.2.2, sections 6.8 and 6.9).

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
        let mut props = Props::default();
        loop {
            let start = self.pos;
            match self.peek() {
                Some(b'&') if props.anchor.is_empty() => {
                    let name = self.name_end(start + 1);
                    if name == start + 1 {
                        return self.syntax("an anchor needs a name behind its `&`");
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
            let separated =
                self.is_white(self.pos) || (flow && self.peek().is_some_and(is_flow_indicator));
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

    fn tag_end(&self, start: usize, flow: bool) -> Result<usize> {
        if self.byte(start + 1) == Some(b'<') {
            let line = &self.bytes[start..self.line_end(start)];
            return match line.iter().position(|&byte| byte == b'>') {
                Some(close) if close > 2 => Ok(start + close + 1),
                _ => self.fail(Problem::Unclosed("the tag `!<`"), start),
            };
        }
        let mut end = start + 1;
        while let Some(byte) = self.byte(end) {
            if is_blank(byte) || is_break(byte) || (flow && is_flow_indicator(byte)) {
                break;
            }
            if matches!(byte, b'{' | b'}' | b'[' | b']' | b',') {
                return self.fail(Problem::Syntax("this character cannot stand in a tag"), end);
            }
            end += 1;
        }
        let tag = &self.text[start..end];
        if let Some(close) = tag[1..].find('!') {
            let handle = &tag[..close + 2];
            if handle != "!!" && !self.handles.contains(&handle) {
                return self.fail(Problem::UnknownTagHandle(handle.to_owned()), start);
            }
            if handle.len() == tag.len() {
                return self.fail(
                    Problem::Syntax("a tag needs a name behind its handle"),
                    start,
                );
            }
        }
        Ok(end)
    }

    /// Reads the `%` lines before a `---` and says whether there were any.
    pub(super) fn directives(&mut self) -> Result<bool> {
        let mut any = false;
        let mut version = false;
        self.handles.clear();
        while self.peek() == Some(b'%') && self.pos == self.line_start {
            any = true;
            let end = self.line_end(self.pos);
            let line = &self.text[self.pos..end];
            let line = match line.find(" #").or_else(|| line.find("\t#")) {
                Some(comment) => &line[..comment],
                None => line,
            };
            let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
            match words.next() {
                Some("%YAML") => {
                    if version {
                        return self.syntax("a document has one %YAML directive at most");
                    }
                    version = true;
                    let number = words.next().and_then(|word| word.split_once('.'));
                    let digits =
                        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                    if !number.is_some_and(|(major, minor)| digits(major) && digits(minor))
                        || words.next().is_some()
                    {
                        return self.syntax("a %YAML directive reads `%YAML 1.2`");
                    }
                }
                Some("%TAG") => {
                    let handle = words.next();
                    let handle =
                        handle.filter(|handle| handle.starts_with('!') && handle.ends_with('!'));
                    let (Some(handle), Some(_), None) = (handle, words.next(), words.next()) else {
                        return self.syntax("a %TAG directive reads `%TAG !handle! prefix`");
                    };
                    self.handles.push(handle);
                }
                _ => {}
            }
            self.advance(end);
            self.next_token()?;
        }
        Ok(any)
    }
}
