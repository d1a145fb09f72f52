//! What a scalar means: its text (YAML 1.2.2, chapters 7.3 and 8.1) and its type (the core schema, chapter 10.3).

use std::borrow::Cow;

use memchr::memchr2;

use super::tree::{Kind, NodeRef, Style};

/// The value of a scalar. Two scalars are equal exactly if a reader of the core schema gets the same from both:
/// quoting, block style and the spelling of numbers do not count, the type does.
#[derive(Clone, Debug)]
pub enum Scalar<'t> {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A floating-point number; all NaN are one.
    Float(f64),
    /// A text.
    Str(Cow<'t, str>),
    /// A scalar with a tag of its own (or an integer of more than 128 bits, with `!!int`): tag and text.
    Tagged(Cow<'t, str>, Cow<'t, str>),
}

impl Scalar<'_> {
    fn bits(number: f64) -> u64 {
        if number.is_nan() {
            f64::NAN.to_bits()
        } else {
            number.to_bits()
        }
    }
}

impl PartialEq for Scalar<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Scalar::Null, Scalar::Null) => true,
            (Scalar::Bool(a), Scalar::Bool(b)) => a == b,
            (Scalar::Int(a), Scalar::Int(b)) => a == b,
            (Scalar::Float(a), Scalar::Float(b)) => Self::bits(*a) == Self::bits(*b),
            (Scalar::Str(a), Scalar::Str(b)) => a == b,
            (Scalar::Tagged(a, x), Scalar::Tagged(b, y)) => a == b && x == y,
            _ => false,
        }
    }
}

impl Eq for Scalar<'_> {}

impl std::hash::Hash for Scalar<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Scalar::Null => {}
            Scalar::Bool(value) => value.hash(state),
            Scalar::Int(value) => value.hash(state),
            Scalar::Float(value) => Self::bits(*value).hash(state),
            Scalar::Str(value) => value.hash(state),
            Scalar::Tagged(tag, value) => {
                tag.hash(state);
                value.hash(state);
            }
        }
    }
}

impl<'d> NodeRef<'d> {
    /// The text of a scalar with quotes, escapes, folding and indentation undone; of an alias its name; empty for a
    /// collection.
    pub fn text(self) -> Cow<'d, str> {
        let node = self.data();
        match node.kind {
            Kind::Scalar(style) => decode(style, self.raw(), node.column as usize),
            Kind::Alias => Cow::Borrowed(self.raw().trim_start_matches('*')),
            Kind::Mapping | Kind::Sequence => Cow::Borrowed(""),
        }
    }

    /// The value of a scalar; none for an alias or a collection.
    pub fn scalar(self) -> Option<Scalar<'d>> {
        let node = self.data();
        match node.kind {
            Kind::Scalar(style) => Some(resolve(
                style,
                self.raw(),
                node.column as usize,
                self.tag().unwrap_or_default(),
            )),
            _ => None,
        }
    }
}

/// The value of a scalar written as `raw`; `indent` is the column of a block scalar's content.
pub(super) fn resolve<'t>(style: Style, raw: &'t str, indent: usize, tag: &'t str) -> Scalar<'t> {
    let text = decode(style, raw, indent);
    let tag = tag.strip_prefix("!<tag:yaml.org,2002:").map_or_else(
        || Cow::Borrowed(tag),
        |name| Cow::Owned(format!("!!{}", name.trim_end_matches('>'))),
    );
    match tag.as_ref() {
        "" if matches!(style, Style::Plain | Style::Empty) => plain_value(text),
        "" | "!" | "!!str" => Scalar::Str(text),
        "!!null" | "!!bool" | "!!int" | "!!float" => match plain_value(text) {
            Scalar::Int(value) if tag == "!!float" => Scalar::Float(value as f64),
            Scalar::Str(text) => Scalar::Tagged(tag, text),
            value => value,
        },
        _ => Scalar::Tagged(tag, text),
    }
}

/// Whether an untagged plain scalar means exactly the text that it is written as.
pub(super) fn is_word(raw: &str) -> bool {
    let word = match raw.bytes().next() {
        Some(b'.' | b'+' | b'-' | b'0'..=b'9') => false,
        _ => constant(raw).is_none(),
    };
    word && memchr2(b'\n', b'\r', raw.as_bytes()).is_none()
}

/// The type of an untagged plain scalar (YAML 1.2.2, section 10.3.2).
fn plain_value(text: Cow<'_, str>) -> Scalar<'_> {
    let value = match text.bytes().next() {
        Some(b'.' | b'+' | b'-' | b'0'..=b'9') => number(&text),
        _ => constant(&text),
    };
    value.unwrap_or(Scalar::Str(text))
}

/// Null and the booleans.
fn constant(text: &str) -> Option<Scalar<'static>> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        _ => return None,
    })
}

fn number(text: &str) -> Option<Scalar<'static>> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(Scalar::Float(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(Scalar::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(Scalar::Float(f64::NAN)),
        _ => {}
    }
    let radix = |digits: &str, radix| match i128::from_str_radix(digits, radix) {
        Ok(value) if !digits.starts_with(['+', '-']) => Some(Scalar::Int(value)),
        _ => None,
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(match text.parse() {
            Ok(value) => Scalar::Int(value),
            Err(_) => Scalar::Tagged(Cow::Borrowed("!!int"), Cow::Owned(text.to_owned())),
        });
    }
    let digit = unsigned.bytes().any(|byte| byte.is_ascii_digit());
    let allowed = unsigned
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !(digit && allowed && starts) || unsigned.starts_with(".e") || unsigned.starts_with(".E") {
        return None;
    }
    text.parse().ok().map(Scalar::Float)
}

/// The text of a scalar written as `raw`.
pub(super) fn decode(style: Style, raw: &str, indent: usize) -> Cow<'_, str> {
    let has_break = || memchr2(b'\n', b'\r', raw.as_bytes()).is_some();
    match style {
        Style::Empty => Cow::Borrowed(""),
        Style::Plain if !has_break() => Cow::Borrowed(raw),
        Style::Plain => Cow::Owned(fold_lines(raw, |line, out| out.push_str(line))),
        Style::Single => {
            let inner = inside_quotes(raw);
            if !inner.contains('\'') && !has_break() {
                return Cow::Borrowed(inner);
            }
            Cow::Owned(fold_lines(inner, |line, out| {
                out.push_str(&line.replace("''", "'"))
            }))
        }
        Style::Double => {
            let inner = inside_quotes(raw);
            if !inner.contains('\\') && !has_break() {
                return Cow::Borrowed(inner);
            }
            Cow::Owned(decode_double(inner))
        }
        Style::Literal | Style::Folded => Cow::Owned(block(raw, indent, style == Style::Folded)),
    }
}

fn inside_quotes(raw: &str) -> &str {
    raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
}

/// The lines of a text without their breaks; `\r\n`, `\n` and `\r` are breaks.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match memchr2(b'\n', b'\r', text.as_bytes()) {
            Some(at) => {
                let width = if text[at..].starts_with("\r\n") { 2 } else { 1 };
                rest = Some(&text[at + width..]);
                Some(&text[..at])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}

const BLANKS: [char; 2] = [' ', '\t'];

/// Line folding of plain and single-quoted scalars: one break is a space, more are one fewer breaks.
fn fold_lines(text: &str, mut push: impl FnMut(&str, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    let last = lines(text).count() - 1;
    for (index, line) in lines(text).enumerate() {
        let mut content = line;
        if index > 0 {
            content = content.trim_start_matches(BLANKS);
        }
        if index < last {
            content = content.trim_end_matches(BLANKS);
        }
        if index > 0 {
            if content.is_empty() && index < last {
                empty += 1;
                continue;
            }
            if empty == 0 {
                out.push(' ');
            }
            out.extend(std::iter::repeat_n('\n', empty));
            empty = 0;
        }
        push(content, &mut out);
    }
    out
}

fn decode_double(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    // What is kept when a line ends: blanks behind it are dropped, escaped ones are not.
    let mut kept = 0;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                let Some((_, escape)) = chars.next() else {
                    break;
                };
                let code = |width: usize| {
                    let digits = text.get(at + 2..at + 2 + width).unwrap_or_default();
                    u32::from_str_radix(digits, 16).unwrap_or(0xfffd)
                };
                let (value, width) = match escape {
                    '0' => (Some('\0'), 0),
                    'a' => (Some('\x07'), 0),
                    'b' => (Some('\x08'), 0),
                    't' | '\t' => (Some('\t'), 0),
                    'n' => (Some('\n'), 0),
                    'v' => (Some('\x0b'), 0),
                    'f' => (Some('\x0c'), 0),
                    'r' => (Some('\r'), 0),
                    'e' => (Some('\x1b'), 0),
                    'N' => (Some('\u{85}'), 0),
                    '_' => (Some('\u{a0}'), 0),
                    'L' => (Some('\u{2028}'), 0),
                    'P' => (Some('\u{2029}'), 0),
                    'x' => (Some(char_of(code(2))), 2),
                    'u' => match surrogate_pair(&text[at..]) {
                        Some((pair, length)) => (Some(pair), length - 2),
                        None => (Some(char_of(code(4))), 4),
                    },
                    'U' => (Some(char_of(code(8))), 8),
                    '\n' | '\r' => {
                        if escape == '\r' {
                            chars.next_if(|&(_, c)| c == '\n');
                        }
                        let breaks = skip_empty_lines(&mut chars);
                        out.extend(std::iter::repeat_n('\n', breaks));
                        kept = out.len();
                        continue;
                    }
                    other => (Some(other), 0),
                };
                out.extend(value);
                for _ in 0..width {
                    chars.next();
                }
                kept = out.len();
            }
            '\n' | '\r' => {
                out.truncate(kept);
                if c == '\r' {
                    chars.next_if(|&(_, c)| c == '\n');
                }
                let breaks = skip_empty_lines(&mut chars);
                if breaks == 0 {
                    out.push(' ');
                }
                out.extend(std::iter::repeat_n('\n', breaks));
                kept = out.len();
            }
            ' ' | '\t' => out.push(c),
            _ => {
                out.push(c);
                kept = out.len();
            }
        }
    }
    out
}

/// The character that two escapes at the beginning of `text` name together, as JSON writes what UTF-16 needs two
/// units for, and their length.
pub(super) fn surrogate_pair(text: &str) -> Option<(char, usize)> {
    let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
    let rest = text.strip_prefix("\\u")?;
    let units = [unit(rest)?, unit(rest.get(4..)?.strip_prefix("\\u")?)?];
    let mut chars = char::decode_utf16(units);
    match (chars.next()?, chars.next()) {
        (Ok(pair), None) => Some((pair, "\\ud83d\\ude00".len())),
        _ => None,
    }
}

fn char_of(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Moves over blanks and empty lines to the next content and counts the empty lines.
fn skip_empty_lines(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> usize {
    let mut breaks = 0;
    while let Some(&(_, c)) = chars.peek() {
        match c {
            ' ' | '\t' => {
                chars.next();
            }
            '\n' => {
                chars.next();
                breaks += 1;
            }
            '\r' => {
                chars.next();
                chars.next_if(|&(_, c)| c == '\n');
                breaks += 1;
            }
            _ => break,
        }
    }
    breaks
}

/// The text of a block scalar written as `raw` (from its header on), with its content in column `indent`.
fn block(raw: &str, indent: usize, folded: bool) -> String {
    let mut all = lines(raw);
    let header = all.next().unwrap_or_default();
    let header = header.split([' ', '\t', '#']).next().unwrap_or_default();
    let content: Vec<&str> = all.collect();
    // What stands behind the last break is no line; a last line that lacks its break is one all the same.
    let content = match content.split_last() {
        Some((&"", rest)) => rest,
        _ => content.as_slice(),
    };
    let strip =
        |line: &str| -> usize { line.bytes().take(indent).take_while(|&b| b == b' ').count() };
    let mut out = String::with_capacity(raw.len());
    let mut empty = 0;
    let mut any = false;
    let mut previous_deeper = false;
    for line in content {
        let text = &line[strip(line)..];
        if text.is_empty() {
            empty += 1;
            continue;
        }
        let deeper = text.starts_with(BLANKS);
        if !any {
            out.extend(std::iter::repeat_n('\n', empty));
        } else if folded && !deeper && !previous_deeper {
            if empty == 0 {
                out.push(' ');
            }
            out.extend(std::iter::repeat_n('\n', empty));
        } else {
            out.extend(std::iter::repeat_n('\n', empty + 1));
        }
        empty = 0;
        any = true;
        previous_deeper = deeper;
        out.push_str(text);
    }
    if header.contains('-') {
        return out;
    }
    if any {
        out.push('\n');
    }
    if header.contains('+') {
        out.extend(std::iter::repeat_n('\n', empty));
    }
    out
}

/// Whether a text stands between double quotes as it is, as almost every one does. No byte ends this early, so that many are looked
/// at at once.
pub(crate) fn needs_no_escape(text: &str) -> bool {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) & (byte != b'"') & (byte != b'\\');
    text.bytes()
        .fold(true, |plain, byte| plain & is_plain(byte))
}

/// A text in double quotes, in one line (YAML 1.2.2, section 5.7).
pub fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    if needs_no_escape(text) {
        out.push_str(text);
        out.push('"');
        return out;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04X}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
