//! Where scalars end (YAML 1.2.2, chapters 7.1, 7.3 and 8.1); what they mean is read in `yaml::scalar`.

use super::super::error::Problem;
use super::super::scalar::surrogate_pair;
use super::super::tree::{Kind, NodeId, Span, Style};
use super::props::Props;
use super::{MARK, Reader, Result, is_blank, is_break, is_flow_indicator};

impl Reader<'_> {
    /// Reads `*name`.
    pub(super) fn alias(&mut self, parent: i32, props: &Props) -> Result<NodeId> {
        let start = self.pos;
        if !props.is_none() {
            return self.syntax("an alias has no anchor and no tag");
        }
        let end = self.name_end(start + 1);
        let name = &self.text[start + 1..end];
        let Some(anchor) = self.anchors.get(name) else {
            return self.fail(Problem::DanglingAlias(name.to_owned()), start);
        };
        self.expanded = self.expanded.saturating_add(anchor.size.unwrap_or(1));
        self.advance(end);
        self.push(props.node(Kind::Alias, Span::new(start, end), parent))
    }

    /// Reads `"…"` or `'…'`, which may run over several lines.
    pub(super) fn quoted(&mut self, parent: i32, props: &Props, flow: bool) -> Result<NodeId> {
        let start = self.pos;
        let quote = self.bytes[start];
        let (style, what) = if quote == b'"' {
            (Style::Double, "the `\"`")
        } else {
            (Style::Single, "the `'`")
        };
        let mut at = start + 1;
        loop {
            let Some(byte) = self.byte(at) else {
                return self.fail(Problem::Unclosed(what), start);
            };
            if byte == quote {
                if quote == b'\'' && self.byte(at + 1) == Some(b'\'') {
                    at += 2;
                    continue;
                }
                break;
            }
            if byte == b'\\' && quote == b'"' {
                at = self.escape(at)?;
            } else if is_break(byte) {
                at = self.quoted_line(at, parent, start, what, quote)?;
            } else {
                at += 1;
            }
        }
        self.advance(at + 1);
        let next = self.peek();
        let separated = self.is_white(self.pos)
            || next == Some(b':')
            || next == Some(b'#')
            || (flow && next.is_some_and(is_flow_indicator));
        if !separated {
            return self.syntax("unexpected text behind the closing quote");
        }
        self.scalar_node(style, props, Span::new(start, at + 1), parent)
    }

    /// Checks the escape at `at` and moves behind it; a line break behind the `\` is left for the next step.
    fn escape(&self, at: usize) -> Result<usize> {
        let digits = match self.byte(at + 1) {
            Some(b'x') => 2,
            Some(b'u') => 4,
            Some(b'U') => 8,
            Some(byte) if is_break(byte) => return Ok(at + 1),
            Some(byte) if b"0abt\tnvfre \"/\\N_LP".contains(&byte) => return Ok(at + 2),
            None => return Ok(at + 1),
            Some(_) => {
                return self.fail(
                    Problem::Syntax("unknown escape: write `\\\\` for a backslash"),
                    at,
                );
            }
        };
        // What JSON writes as two units of UTF-16 is one character.
        if let Some((_, length)) = surrogate_pair(&self.text[at..]) {
            return Ok(at + length);
        }
        let code = self.text.get(at + 2..at + 2 + digits);
        let code = code
            .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|code| u32::from_str_radix(code, 16).ok());
        if code.and_then(char::from_u32).is_none() {
            return self.fail(Problem::Syntax("this escape names no character"), at);
        }
        Ok(at + 2 + digits)
    }

    /// Moves over a line break inside quotes to the first character of the next line with content.
    fn quoted_line(
        &mut self,
        at: usize,
        parent: i32,
        start: usize,
        what: &'static str,
        quote: u8,
    ) -> Result<usize> {
        let mut at = at;
        while self.byte(at).is_some_and(is_break) {
            self.line_start = self.after_break(at);
            at = self.line_start;
            if self.is_marker_at(at) {
                return self.fail(Problem::Unclosed(what), start);
            }
            while self.byte(at) == Some(b' ') {
                at += 1;
            }
            let indent = at - self.line_start;
            let spaces = at;
            while self.byte(at).is_some_and(is_blank) {
                at += 1;
            }
            let content = self.byte(at).is_some_and(|byte| !is_break(byte));
            if content && (indent as i32) <= parent {
                if spaces != at {
                    return self.fail(Problem::Tab, spaces);
                }
                let problem = if self.bytes[at] == quote {
                    "a closing quote is deeper than the block around it"
                } else {
                    "lines inside quotes are deeper than the block around them"
                };
                return self.fail(Problem::Indentation(problem), at);
            }
        }
        Ok(at)
    }

    /// Reads a plain scalar. With `key` (the column of a mapping that may begin here) one line that ends at `: ` is
    /// a key and ends there.
    pub(super) fn plain(
        &mut self,
        parent: i32,
        props: &Props,
        flow: bool,
        key: Option<usize>,
    ) -> Result<NodeId> {
        let start = self.pos;
        self.refuse_plain_start(flow)?;
        let mut end = self.plain_line(start, flow);
        let stop = self.plain_stop;
        if key.is_some() && stop == Stop::Colon {
            self.advance(end);
            return self.scalar_node(Style::Plain, props, Span::new(start, end), parent);
        }
        let mut last_line = self.line_start;
        let mut stop = stop;
        while stop == Stop::Break {
            let Some((at, line)) = self.continuation(end, parent, flow)? else {
                break;
            };
            let line_end = self.plain_line(at, flow);
            stop = self.plain_stop;
            if stop == Stop::Colon && !flow {
                self.line_start = line;
                self.pos = at;
                return self.fail(
                    Problem::Indentation("a key cannot stand inside the text above it"),
                    at,
                );
            }
            if line_end == at {
                break;
            }
            end = line_end;
            last_line = line;
        }
        self.line_start = last_line;
        self.advance(end);
        self.scalar_node(Style::Plain, props, Span::new(start, end), parent)
    }

    fn refuse_plain_start(&self, flow: bool) -> Result<()> {
        let at = self.pos;
        if self.bytes[at..].starts_with(MARK) {
            return self.syntax("a byte order mark hides before this text: remove it");
        }
        let alone =
            self.is_white(at + 1) || (flow && self.byte(at + 1).is_some_and(is_flow_indicator));
        match self.peek() {
            Some(b'-' | b'?' | b':') if !alone => Ok(()),
            Some(b'-') => self.syntax("a `-` cannot stand alone here: quote it"),
            Some(b'?' | b':') => self.syntax("a `?` or `:` cannot stand alone here: quote it"),
            Some(b',' | b'[' | b']' | b'{' | b'}') => {
                self.syntax("unexpected bracket or comma: quote the text")
            }
            Some(b'#') => self.syntax("a comment needs a space before its `#`"),
            Some(b'|' | b'>') => self.syntax("a block text cannot stand inside brackets"),
            Some(b'&' | b'*' | b'!') => {
                self.syntax("unexpected anchor, alias or tag: quote the text")
            }
            Some(b'%' | b'@' | b'`') => {
                self.syntax("a text cannot begin with this character: quote it")
            }
            _ => Ok(()),
        }
    }

    /// The end of the text in this line, without blanks at its end; `plain_stop` says what ended it.
    fn plain_line(&mut self, start: usize, flow: bool) -> usize {
        let mut at = start;
        let mut end = start;
        self.plain_stop = Stop::Break;
        while let Some(&byte) = self.bytes.get(at) {
            if PLAIN_SPECIAL[byte as usize] {
                match byte {
                    b'\n' | b'\r' => return end,
                    b':' => {
                        let next = self.byte(at + 1);
                        if next.is_none_or(|next| is_blank(next) || is_break(next))
                            || (flow && next.is_some_and(is_flow_indicator))
                        {
                            self.plain_stop = Stop::Colon;
                            return end;
                        }
                    }
                    b'#' if at > start && is_blank(self.bytes[at - 1]) => {
                        self.plain_stop = Stop::Comment;
                        return end;
                    }
                    b',' | b'[' | b']' | b'{' | b'}' if flow => {
                        self.plain_stop = Stop::Indicator;
                        return end;
                    }
                    b' ' | b'\t' => {
                        at += 1;
                        continue;
                    }
                    _ => {}
                }
            }
            at += 1;
            end = at;
        }
        end
    }

    /// The beginning of the next line that continues a plain scalar which ended its line at `end`, if there is one,
    /// and the start of that line.
    fn continuation(&self, end: usize, parent: i32, flow: bool) -> Result<Option<(usize, usize)>> {
        let mut at = end;
        loop {
            while self.byte(at).is_some_and(is_blank) {
                at += 1;
            }
            if !self.byte(at).is_some_and(is_break) {
                return Ok(None);
            }
            let line = self.after_break(at);
            at = line;
            if self.is_marker_at(line) {
                return Ok(None);
            }
            while self.byte(at) == Some(b' ') {
                at += 1;
            }
            let indent = at - line;
            while self.byte(at).is_some_and(is_blank) {
                at += 1;
            }
            match self.byte(at) {
                None | Some(b'#') => return Ok(None),
                Some(byte) if is_break(byte) => {}
                Some(byte) if (indent as i32) > parent => {
                    if flow && is_flow_indicator(byte) {
                        return Ok(None);
                    }
                    return Ok(Some((at, line)));
                }
                _ => return Ok(None),
            }
        }
    }

    /// Reads a `|` or `>` scalar and moves to the token below it.
    pub(super) fn block_scalar(&mut self, parent: i32, props: &Props) -> Result<NodeId> {
        let start = self.pos;
        let style = if self.bytes[start] == b'|' {
            Style::Literal
        } else {
            Style::Folded
        };
        let mut at = start + 1;
        let mut explicit = None;
        let mut chomp = None;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'1'..=b'9' if explicit.is_none() => explicit = Some(usize::from(byte - b'0')),
                b'+' | b'-' if chomp.is_none() => chomp = Some(byte),
                _ => break,
            }
            at += 1;
        }
        if !self.is_white(at) {
            return self.fail(
                Problem::Syntax(
                    "behind `|` or `>` stand only an indentation, `+` or `-`, and a comment",
                ),
                at,
            );
        }
        let blanks = at;
        while self.byte(at).is_some_and(is_blank) {
            at += 1;
        }
        if self.byte(at) == Some(b'#') && at > blanks {
            at = self.line_end(at);
        }
        match self.byte(at) {
            None => {}
            Some(byte) if is_break(byte) => at = self.after_break(at),
            Some(_) => {
                return self.fail(
                    Problem::Syntax("the text begins in the line below `|` or `>`"),
                    at,
                );
            }
        }
        let least = (parent + 1).max(0) as usize;
        let indent = match explicit {
            Some(explicit) => parent.max(0) as usize + explicit,
            None => self.detect_indent(at, least)?,
        };
        let end = self.block_scalar_end(at, indent, chomp == Some(b'+'));
        self.line_start = if end > at {
            self.last_line_start(end)
        } else {
            at
        };
        self.pos = end;
        self.fresh = end == self.line_start;
        self.gap = end;
        let mut node = props.node(Kind::Scalar(style), Span::new(start, end), parent);
        node.column = indent as u32;
        let id = self.push(node)?;
        self.finish_node()?;
        Ok(id)
    }

    /// The start of the line that `end` is in, where `end` is a line's start or the end of the text.
    fn last_line_start(&self, end: usize) -> usize {
        if end > 0 && is_break(self.bytes[end - 1]) {
            return end;
        }
        self.bytes[..end]
            .iter()
            .rposition(|&byte| is_break(byte))
            .map_or(0, |at| at + 1)
    }

    /// The column of the first line with text, at least `least`.
    fn detect_indent(&self, from: usize, least: usize) -> Result<usize> {
        let mut at = from;
        let mut widest_blank = 0;
        while at < self.bytes.len() {
            let end = self.line_end(at);
            let indent = self.bytes[at..end]
                .iter()
                .take_while(|&&byte| byte == b' ')
                .count();
            if at + indent < end {
                let marker = indent == 0 && self.is_marker_at(at);
                if indent < least || marker {
                    if self.bytes[at + indent] == b'\t'
                        && !marker
                        && self.bytes[at..end].iter().all(|&b| is_blank(b))
                    {
                        return self.fail(Problem::Tab, at + indent);
                    }
                    break;
                }
                if widest_blank > indent {
                    return self.fail(
                        Problem::Indentation("a blank line above the text is deeper than the text"),
                        at + indent,
                    );
                }
                return Ok(indent);
            }
            widest_blank = widest_blank.max(indent);
            if end >= self.bytes.len() {
                break;
            }
            at = self.after_break(end);
        }
        Ok(least.max(widest_blank))
    }

    /// Where the content ends: behind the last line with text, or with `keep` behind the blank lines below it.
    fn block_scalar_end(&self, from: usize, indent: usize, keep: bool) -> usize {
        let mut at = from;
        let mut end = from;
        while at < self.bytes.len() {
            let line_end = self.line_end(at);
            let spaces = self.bytes[at..line_end]
                .iter()
                .take(indent)
                .take_while(|&&byte| byte == b' ')
                .count();
            let next = if line_end < self.bytes.len() {
                self.after_break(line_end)
            } else {
                line_end
            };
            let blank = at + spaces == line_end;
            if !blank && (spaces < indent || (indent == 0 && self.is_marker_at(at))) {
                break;
            }
            if !blank || keep {
                end = next;
            }
            at = next;
        }
        end
    }
}

/// What ended the text of a plain scalar in its line.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stop {
    #[default]
    Break,
    Colon,
    Comment,
    Indicator,
}

/// The bytes at which a plain scalar may end.
const PLAIN_SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let special = b"\n\r: \t#,[]{}";
    let mut index = 0;
    while index < special.len() {
        table[special[index] as usize] = true;
        index += 1;
    }
    table
};
