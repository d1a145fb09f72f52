//! Writes new values: in the manner of what they replace or of what stands around them, wherever that is legal, and so
//! that every reader in use gets what was meant: a text that YAML 1.1 or 1.2 would take for something else is quoted.

use std::borrow::Cow;

use super::draft::{BlockText, Body, Collection, Draft, EntryDraft, MadeEntry, Piece};
use super::scalar::{Scalar, double_quoted, resolve};
use super::tree::{Document, Kind, NodeRef, Style};
use super::value::Value;

/// How far a file indents what it nests: new collections are written likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Columns between a mapping and a mapping in it.
    pub mapping: i32,
    /// Columns between a mapping and a list in it; 0 where people do not indent lists.
    pub sequence: i32,
}

impl Default for Manner {
    fn default() -> Self {
        Manner {
            mapping: 2,
            sequence: 2,
        }
    }
}

impl Manner {
    /// The manner of the first nested collections of a document.
    pub fn of(document: &Document) -> Self {
        let mut mapping = None;
        let mut sequence = None;
        for id in 0..document.nodes.len() as u32 {
            let node = document.node(super::tree::NodeId(id));
            let Some(held) = node.entries().find(|entry| {
                entry.key().is_some() && !node.data().flow && entry.value().is_block_collection()
            }) else {
                continue;
            };
            let data = held.value().data();
            let offset = data.column as i32 - data.parent_column;
            match data.kind {
                Kind::Sequence => sequence = sequence.or(Some(offset)),
                _ => mapping = mapping.or(Some(offset)),
            }
            if mapping.is_some() && sequence.is_some() {
                break;
            }
        }
        let default = Manner::default();
        Manner {
            mapping: mapping.unwrap_or(default.mapping),
            sequence: sequence.unwrap_or(default.sequence),
        }
    }

    fn offset(self, kind: Kind) -> i32 {
        match kind {
            Kind::Sequence => self.sequence,
            _ => self.mapping,
        }
    }

    /// A block collection without entries yet, for the value of a key; behind a `-` it stands in the line of that.
    pub(super) fn empty<'d>(self, kind: Kind) -> Collection<'d> {
        Collection {
            kind,
            flow: false,
            props: Piece::default(),
            offset: self.offset(kind),
            compact: true,
            entries: Vec::new(),
            foot: Piece::default(),
            like: None,
        }
    }
}

/// Where a scalar is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    /// Inside brackets.
    pub(super) flow: bool,
    /// As a key.
    pub(super) key: bool,
}

/// A value as a draft. `like` is the node that it replaces.
pub(super) fn draft<'d>(
    value: &Value,
    like: Option<NodeRef<'_>>,
    manner: Manner,
    flow: bool,
) -> Draft<'d> {
    let context = Context { flow, key: false };
    match value {
        Value::Scalar(scalar) => {
            let block = match scalar {
                Scalar::Str(text) if !flow => block_text(text, like, manner),
                _ => None,
            };
            match block {
                Some(block) => Draft::Block(block),
                None => {
                    let style = like.map_or(Style::Plain, |like| match like.kind() {
                        Kind::Scalar(style) => style,
                        _ => Style::Plain,
                    });
                    Draft::Token(Cow::Owned(scalar_token(scalar, style, context)))
                }
            }
        }
        Value::Sequence(items) => {
            let entries = items.iter().map(|item| entry(None, item, manner, flow));
            collection(Kind::Sequence, entries.collect(), manner, flow)
        }
        Value::Mapping(items) => {
            let entries = items
                .iter()
                .map(|(key, value)| entry(Some(key), value, manner, flow));
            collection(Kind::Mapping, entries.collect(), manner, flow)
        }
    }
}

fn collection<'d>(
    kind: Kind,
    entries: Vec<EntryDraft<'d>>,
    manner: Manner,
    flow: bool,
) -> Draft<'d> {
    let mut collection = manner.empty(kind);
    collection.flow = flow || entries.is_empty();
    collection.entries = entries;
    Draft::Collection(Box::new(collection))
}

/// A new entry: with a key in a mapping, without in a list.
pub(super) fn entry<'d>(
    key: Option<&Scalar<'_>>,
    value: &Value,
    manner: Manner,
    flow: bool,
) -> EntryDraft<'d> {
    let head = match key {
        Some(key) => {
            let context = Context { flow, key: true };
            Cow::Owned(format!("{}:", scalar_token(key, Style::Plain, context)))
        }
        None => Cow::Borrowed("-"),
    };
    let mut value = draft(value, None, manner, flow);
    if let Draft::Collection(collection) = &mut value
        && key.is_none()
    {
        // `- key: value`, `- - item`
        collection.offset = 2;
    }
    EntryDraft::Made(Box::new(MadeEntry {
        lead: Piece::default(),
        head,
        body: Body {
            sep: Piece::default(),
            value,
            beside: Cow::Borrowed(""),
        },
        below: Piece::default(),
        origin: None,
    }))
}

/// A scalar in one line, in `style` if that is legal for it.
pub(super) fn scalar_token(scalar: &Scalar<'_>, style: Style, context: Context) -> String {
    match scalar {
        Scalar::Null if style == Style::Empty && !context.key => String::new(),
        Scalar::Null => "null".to_owned(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Float(value) => float(*value),
        Scalar::Str(text) => text_token(text, style, context),
        Scalar::Tagged(tag, text) if tag == "!!int" => match resolve(Style::Plain, text, 0, "") {
            // More digits than a machine's integer has.
            Scalar::Tagged(..) => text.clone().into_owned(),
            _ => format!("{tag} {}", double_quoted(text)),
        },
        Scalar::Tagged(tag, text) => {
            let text = match text_token(text, style, context) {
                text if text.is_empty() => "\"\"".to_owned(),
                text => text,
            };
            format!("{tag} {text}")
        }
    }
}

/// A number that both YAML versions take for a float.
fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        let text = if value > 0.0 { ".inf" } else { "-.inf" };
        return text.to_owned();
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{mantissa}{point}e{sign}{exponent}")
        }
        None => text,
    }
}

fn text_token(text: &str, style: Style, context: Context) -> String {
    let single = || format!("'{}'", text.replace('\'', "''"));
    let one_line = is_printable(text) && !text.contains('\n');
    match style {
        Style::Double => double_quoted(text),
        Style::Single if one_line => single(),
        _ if is_plain(text, context) => text.to_owned(),
        _ if one_line && text.contains(['"', '\\']) => single(),
        _ => double_quoted(text),
    }
}

/// Whether every character may stand in a scalar unescaped. A tab may not: too many tools turn it into something else.
fn is_printable(text: &str) -> bool {
    text.chars().all(|c| {
        c == '\n'
            || !(c.is_control()
                || matches!(
                    c,
                    '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
                ))
    })
}

/// Whether a text without quotes means itself to every reader, of YAML 1.1 or 1.2.
fn is_plain(text: &str, context: Context) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    if !is_printable(text) || text.contains('\n') || text.trim() != text {
        return false;
    }
    let second = text[first.len_utf8()..].chars().next();
    let indicator = match first {
        '-' | '?' | ':' => second.is_none_or(|c| matches!(c, ' ' | ',' | '[' | ']' | '{' | '}')),
        '<' | '=' => text == "=" || (text == "<<" && !context.key) || text.starts_with("<<<<<<<"),
        _ => matches!(
            first,
            ',' | '['
                | ']'
                | '{'
                | '}'
                | '#'
                | '&'
                | '*'
                | '!'
                | '|'
                | '>'
                | '\''
                | '"'
                | '%'
                | '@'
                | '`'
        ),
    };
    let marker = ["---", "...", "=======", ">>>>>>>"]
        .iter()
        .any(|marker| text.starts_with(marker));
    let breaks_off = text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
        || (context.flow
            && (text.contains([',', '[', ']', '{', '}']) || first == '?' || first == ':'))
        || (context.key && first == '?');
    !(indicator || marker || breaks_off || is_other_type(text))
}

/// Whether some YAML version takes a plain text for something else than a text: a boolean, a null, a number in any of
/// its spellings, a date.
fn is_other_type(text: &str) -> bool {
    if !matches!(resolve(Style::Plain, text, 0, ""), Scalar::Str(_)) {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    if matches!(
        lower.as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "~"
    ) {
        return true;
    }
    let numeric = |byte: u8| {
        byte.is_ascii_hexdigit()
            || matches!(
                byte,
                b'x' | b'o' | b'_' | b'.' | b':' | b'+' | b'-' | b't' | b'z' | b' ' | b','
            )
    };
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        && lower.bytes().any(|byte| byte.is_ascii_digit())
        && lower.bytes().all(numeric)
        || matches!(lower.as_str(), ".inf" | "-.inf" | "+.inf" | ".nan")
}

/// A text as a block scalar: where it replaces one, or has several lines; nothing where it can be none.
fn block_text<'d>(text: &str, like: Option<NodeRef<'_>>, manner: Manner) -> Option<BlockText<'d>> {
    let old = like.filter(|like| like.is_block_scalar());
    let quoted =
        like.is_some_and(|like| matches!(like.kind(), Kind::Scalar(Style::Single | Style::Double)));
    let several = text.trim_end_matches('\n').contains('\n');
    if old.is_none() && (quoted || !several) {
        return None;
    }
    let content = text.strip_suffix('\n').unwrap_or(text);
    let mut lines: Vec<&str> = content.split('\n').collect();
    let shown = |line: &str| !line.is_empty() && !line.trim().is_empty();
    // Lines of blanks alone at either end, and more than one line break at the end, read differently by reader.
    let (first, last) = (lines.first()?, lines.last()?);
    let begins = lines.iter().find(|line| !line.is_empty())?;
    if !is_printable(text) || !shown(last) || !(first.is_empty() || shown(first)) || !shown(begins)
    {
        return None;
    }
    let offset = old.map_or(manner.mapping, |old| {
        old.data().column as i32 - old.data().parent_column.max(0)
    });
    let offset = u32::try_from(offset.clamp(1, 9)).unwrap_or(2);
    let mut header = String::from("|");
    let mut wrapped = Vec::new();
    if old.is_some_and(|old| old.kind() == Kind::Scalar(Style::Folded))
        && let Some(folded) = folded(&lines, width(old))
    {
        header = ">".to_owned();
        wrapped = folded;
    }
    if begins.starts_with(' ') {
        header.push_str(&offset.to_string());
    }
    if !text.ends_with('\n') {
        header.push('-');
    }
    let comment = old.map_or("", |old| {
        let header = super::draft::header_of(old);
        header.find([' ', '\t']).map_or("", |at| &header[at..])
    });
    header.push_str(comment.trim_end());
    let lines = if wrapped.is_empty() {
        lines
            .drain(..)
            .map(|line| Cow::Owned(line.to_owned()))
            .collect()
    } else {
        wrapped.into_iter().map(Cow::Owned).collect()
    };
    Some(BlockText {
        props: Cow::Borrowed(""),
        header: Cow::Owned(header),
        offset,
        lines,
    })
}

/// How wide the lines of a folded scalar may be.
fn width(old: Option<NodeRef<'_>>) -> usize {
    let longest = old.map(|old| {
        old.raw()
            .lines()
            .skip(1)
            .map(|line| line.chars().count())
            .max()
    });
    longest.flatten().unwrap_or_default().max(60)
}

/// The lines of a folded scalar that reads as these lines; nothing if folding would lose blanks.
fn folded(lines: &[&str], width: usize) -> Option<Vec<String>> {
    if lines
        .iter()
        .any(|line| line.starts_with([' ', '\t']) || line.ends_with([' ', '\t']))
    {
        return None;
    }
    let mut out: Vec<String> = Vec::new();
    let mut text_before = false;
    for line in lines {
        if line.is_empty() {
            out.push(String::new());
            continue;
        }
        if text_before {
            out.push(String::new());
        }
        let mut current = String::new();
        for word in words(line) {
            let long = current.chars().count() + 1 + word.chars().count() > width;
            if long && !current.is_empty() {
                out.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        out.push(current);
        text_before = true;
    }
    Some(out)
}

/// A line in pieces between which a single blank stands.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        let bytes = text.as_bytes();
        let blank = |at: usize| matches!(bytes.get(at), Some(b' ' | b'\t'));
        let cut = (1..bytes.len()).find(|&at| {
            bytes[at] == b' ' && !blank(at - 1) && !blank(at + 1) && at + 1 < bytes.len()
        });
        match cut {
            Some(at) => {
                rest = Some(&text[at + 1..]);
                Some(&text[..at])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}
