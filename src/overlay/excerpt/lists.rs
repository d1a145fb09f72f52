//! The lists at the top of a context file, record by record, as its lines show them: in an instant, where reading the file
//! takes a hundred times as long.
//!
//! What is found here is a guess: a text of several lines can look like a list. Whoever relies on it reads what is left of
//! the file and compares.

use std::hash::Hasher;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use rustc_hash::FxHasher;

use crate::context::{ANNOTATION_KEY, IDENTITY_FIELDS};
use crate::crdt::Stamp;

/// A list below a key of the root mapping.
pub(super) struct List<'t> {
    /// The key.
    pub(super) key: &'t str,
    /// How far its dashes are indented.
    pub(super) indent: usize,
    pub(super) records: Vec<Lines<'t>>,
}

/// The lines of a record, with the comments and blank lines above it.
#[derive(Clone, Copy)]
pub(super) struct Lines<'t> {
    /// Where they begin in the text.
    pub(super) start: usize,
    pub(super) text: &'t str,
    /// Where the line with the dash begins among them.
    pub(super) head: usize,
    /// The field behind the dash and what it holds, where that tells records apart and is a plain word.
    pub(super) name: Option<(&'static str, &'t str)>,
    /// What it seems to be called, however that is written.
    pub(super) called: &'t str,
}

impl<'t> Lines<'t> {
    /// The lines of a text from `start` to `end`, with the dash in the one that begins at `dash`.
    fn new(text: &'t str, start: usize, dash: usize, end: usize) -> Self {
        let text = text.get(start..end).unwrap_or_default();
        let head = dash - start;
        let first = text.get(head..).and_then(|text| text.lines().next());
        let first = first.unwrap_or_default();
        Self {
            start,
            text,
            head,
            name: name(first),
            called: called(first),
        }
    }

    /// The line with the dash, and those below.
    fn body(&self) -> &'t str {
        self.text.get(self.head..).unwrap_or_default()
    }

    /// Whether the last of them belong to a block scalar, which may go on with blank lines and comments that follow.
    pub(super) fn end_in_block_scalar(&self) -> bool {
        let mut least = usize::MAX;
        self.body()
            .lines()
            .rev()
            .filter(|line| !is_remark(line))
            .any(|line| {
                let is_around = indent(line) < least;
                least = least.min(indent(line));
                is_around && is_block_header(line)
            })
    }

    /// Whether what stands above the dash belongs to no other record: blank lines, and comments in the column of the dash.
    pub(super) fn have_lead_of_their_own(&self) -> bool {
        let lead = self.text.get(..self.head).unwrap_or_default();
        let column = indent(self.body());
        lead.lines()
            .all(|line| line.trim_start().is_empty() || indent(line) == column)
    }

    /// Whether anything stands above the dash.
    pub(super) fn have_lead(&self) -> bool {
        self.head > 0
    }

    /// Whether nothing in them reaches beyond them or is read in a way of its own: anchors, aliases, tags, merges, keys
    /// that are no words.
    pub(super) fn are_simple(&self) -> bool {
        let bytes = self.text.as_bytes();
        let is_free = |at: usize| {
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            let after = bytes.get(at + 1).copied().unwrap_or(b' ');
            before.is_none_or(|before| b" \t\n[{,:-".contains(before))
                && !after.is_ascii_whitespace()
        };
        let mut lines = self.body().lines().skip(1).map(trimmed_start);
        self.name.is_some()
            && !memchr::memchr3_iter(b'&', b'*', b'!', bytes).any(is_free)
            && !lines
                .any(|line| line.starts_with(['?', '[', '{', '"', '\'']) || line.starts_with("<<"))
    }

    /// What is nested in them, and how far it is indented: one number for what is nested alike, 0 for nothing.
    pub(super) fn nesting(&self) -> u64 {
        if !self.may_nest() {
            return 0;
        }
        let mut lines = self.text.lines().filter(|line| !is_remark(line)).peekable();
        let mut hasher = FxHasher::default();
        let mut nests = false;
        while let Some(line) = lines.next() {
            let is_key = line.ends_with(':') || line.contains(": #");
            if let (true, Some(next)) = (is_key, lines.peek()) {
                let is_list = next.trim_start().starts_with('-');
                hasher.write_usize(indent(line));
                hasher.write_usize(indent(next) * 2 + usize::from(is_list));
                nests = true;
            }
        }
        if nests { hasher.finish() | 1 } else { 0 }
    }

    /// Whether one of them may be a key with nothing beside it.
    fn may_nest(&self) -> bool {
        let bytes = self.text.as_bytes();
        memchr::memchr_iter(b':', bytes).any(|colon| match bytes.get(colon + 1..) {
            Some([b' ', next, ..]) => *next == b'#',
            Some([next, ..]) => b"\r\n".contains(next),
            _ => true,
        })
    }

    /// The stamps in their annotations.
    pub(super) fn stamps(&self) -> impl Iterator<Item = Stamp> {
        static KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(ANNOTATION_KEY));
        let is_annotated = KEY.find(self.text.as_bytes());
        let annotated = is_annotated.map_or("", |_| self.text);
        stamps_in(annotated.as_bytes())
    }
}

/// What looks like a stamp in a text.
pub fn stamps_in(text: &[u8]) -> impl Iterator<Item = Stamp> {
    const TIME: usize = 8;
    const REPLICA: usize = 6;
    memchr::memchr_iter(b'-', text).filter_map(|dash| {
        let stamp = text.get(dash.checked_sub(TIME)?..dash + 1 + REPLICA)?;
        std::str::from_utf8(stamp).ok()?.parse().ok()
    })
}

/// The lists of a text; nothing where a key stands there twice.
pub(super) fn lists(text: &str) -> Option<Vec<List<'_>>> {
    let mut lists: Vec<List<'_>> = Vec::new();
    let mut open: Option<Open<'_>> = None;
    let mut key = None;
    let mut start = 0;
    // Comments and blank lines belong to what stands below them.
    let mut ended = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|newline| newline + 1);
    for end in ends.chain([text.len()]) {
        let at = std::mem::replace(&mut start, end);
        let line = trimmed_end(text.get(at..end)?);
        if is_remark(line) {
            continue;
        }
        let lead = std::mem::replace(&mut ended, end);
        let indent = indent(line);
        let is_member = line
            .get(indent..)
            .is_some_and(|line| line.starts_with("- "));
        if indent == 0 && !(is_member && (open.is_some() || key.is_some())) {
            lists.extend(open.take().and_then(|open| open.closed(text, lead)));
            key = key_of(line);
            continue;
        }
        if let Some(key) = key.take().filter(|_| is_member) {
            open = Some(Open::new(key, indent));
        }
        if let Some(open) = &mut open {
            open.is_broken |= indent < open.indent || (indent == open.indent && !is_member);
            if indent == open.indent {
                open.starts.push((lead, at));
            }
        }
    }
    lists.extend(open.take().and_then(|open| open.closed(text, ended)));
    let keys: std::collections::BTreeSet<&str> = lists.iter().map(|list| list.key).collect();
    (keys.len() == lists.len()).then_some(lists)
}

/// A list that goes on.
struct Open<'t> {
    key: &'t str,
    indent: usize,
    /// Where the lines of its records begin, and those with the dashes.
    starts: Vec<(usize, usize)>,
    /// Whether it holds lines that no such list has.
    is_broken: bool,
}

impl<'t> Open<'t> {
    fn new(key: &'t str, indent: usize) -> Self {
        Self {
            key,
            indent,
            starts: Vec::new(),
            is_broken: false,
        }
    }

    fn closed(self, text: &'t str, end: usize) -> Option<List<'t>> {
        let ends = self.starts.iter().skip(1).map(|(start, _)| *start);
        let records = self.starts.iter().zip(ends.chain([end]));
        let records = records.map(|((start, dash), end)| Lines::new(text, *start, *dash, end));
        (!self.is_broken).then(|| List {
            key: self.key,
            indent: self.indent,
            records: records.collect(),
        })
    }
}

/// A line without what it begins with that is blank: most often spaces, which take no time.
fn trimmed_start(line: &str) -> &str {
    let line = line.get(indent(line)..).unwrap_or_default();
    match line.as_bytes().first() {
        Some(first) if first.is_ascii_graphic() => line,
        _ => line.trim_start(),
    }
}

/// A line without what it ends with that is blank: most often its end alone.
fn trimmed_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    match line.as_bytes().last() {
        Some(last) if last.is_ascii_graphic() => line,
        _ => line.trim_end(),
    }
}

/// What stands before two bytes, one behind the other, and what behind them.
fn split_at(line: &str, [first, second]: [u8; 2]) -> Option<(&str, &str)> {
    let bytes = line.as_bytes();
    let mut found = memchr::memchr_iter(first, bytes);
    let at = found.find(|at| bytes.get(at + 1) == Some(&second))?;
    Some((line.get(..at)?, line.get(at + 2..)?))
}

/// Whether a line is blank or a comment.
fn is_remark(line: &str) -> bool {
    let line = trimmed_start(line);
    line.is_empty() || line.starts_with('#')
}

fn indent(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}

/// The key in a line that holds nothing but a key.
fn key_of(line: &str) -> Option<&str> {
    let (key, rest) = line.split_once(':')?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (!key.is_empty() && key.bytes().all(is_word) && is_remark(rest)).then_some(key)
}

/// Whether a block scalar may begin at the end of a line.
fn is_block_header(line: &str) -> bool {
    let line = line.split_once(" #").map_or(line, |(line, _)| line);
    let line = line
        .trim_end()
        .trim_end_matches(['+', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    line.ends_with(['|', '>'])
}

/// What a record is called, from its first line, where no other spelling than in quotes means the same.
fn name(line: &str) -> Option<(&'static str, &str)> {
    let (field, value) = split_at(trimmed_start(line).strip_prefix("- ")?, *b": ")?;
    let field = IDENTITY_FIELDS.into_iter().find(|known| *known == field)?;
    let name = called(line);
    let value = split_at(value, *b" #").map_or(value, |(value, _)| value);
    let value = value.trim();
    let is_whole = ["", "\"", "'"].iter().any(|quote| {
        let inside = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        inside == Some(name)
    });
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let is_plain = is_whole
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(is_word)
        && !VALUES.iter().any(|value| value.eq_ignore_ascii_case(name));
    is_plain.then_some((field, name))
}

/// What the first line of a record says behind its key, without quotes and comments.
fn called(line: &str) -> &str {
    let value = split_at(line, *b": ").map_or(line, |(_, value)| value);
    let value = split_at(value, *b" #").map_or(value, |(value, _)| value);
    value.trim().trim_matches(['"', '\''])
}

/// Words that are no texts, to some readers at least.
const VALUES: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(&str, Vec<Option<&str>>)> {
        let lists = lists(text).unwrap();
        lists
            .into_iter()
            .map(|list| {
                let records = list.records.iter();
                let names = records.map(|record| record.name.map(|(_, name)| name));
                (list.key, names.collect())
            })
            .collect()
    }

    #[test]
    fn a_list_ends_where_the_next_key_stands() {
        let text = "_crdt: v1\ntodos: # all\n\n  # first\n  - id: record-a\n    x: 1\n  - id: \"b\"\nother:\n- name: record-c\nmore: 1\n";
        assert_eq!(
            names(text),
            [
                ("todos", vec![Some("record-a"), Some("b")]),
                ("other", vec![Some("record-c")])
            ]
        );
    }

    #[test]
    fn lines_that_no_list_has_are_none() {
        for text in [
            "todos:\n  - id: record-a\n b\n",
            "todos:\n  - id: record-a\n  b\n",
            "todos: |\n  - id: record-a\n",
            "todos:\n  a:\n    - id: record-a\n",
            "- id: record-a\n",
        ] {
            assert_eq!(names(text), [], "{text}");
        }
        assert!(lists("a:\n- id: b\na:\n- id: c\n").is_none());
    }

    #[test]
    fn what_reaches_beyond_a_record_is_not_simple() {
        for (lines, is_simple) in [
            ("- id: record-a\n  text: R&D, a * b, stop!\n", true),
            ("- id: record-a\n  text: &x 1\n", false),
            ("- id: record-a\n  text: [*x]\n", false),
            ("- id: record-a\n  text: !x 1\n", false),
            ("- id: record-a\n  <<: {a: 1}\n", false),
            ("- id: record-a\n  ? a\n", false),
            ("- id: no\n", false),
            ("- id: \"a\\x62\"\n", false),
            ("- id: \"a # b\"\n", false),
            ("- {id: record-a}\n", false),
        ] {
            let record = Lines::new(lines, 0, 0, lines.len());
            assert_eq!(record.are_simple(), is_simple, "{lines}");
        }
    }

    #[test]
    fn block_scalars_at_the_end_are_seen() {
        for (lines, ends) in [
            ("- id: record-a\n", false),
            (
                "- id: record-a\n  text: |\n    A\n  title: A\n  # remark\n",
                false,
            ),
            ("- id: record-a\n  text: |\n    A\n     B\n", true),
            ("- id: record-a\n  text: >2-\n", true),
            ("- id: record-a\n  list:\n    - A\n    - |\n     B\n", true),
            ("- id: record-a\n  list:\n    - |\n     A\n    - B\n", false),
        ] {
            let record = Lines::new(lines, 0, 0, lines.len());
            assert_eq!(record.end_in_block_scalar(), ends, "{lines}");
        }
    }

    #[test]
    fn stamps_are_found_in_annotations() {
        let lines = "- id: record-a\n  _crdt: +4k2m9xa7-7f3kqd~abc 4k2m9xa8-7f3kqd title~k43 -4k2m9xa9-7f3kqd\n";
        let stamps: Vec<String> = Lines::new(lines, 0, 0, lines.len())
            .stamps()
            .map(|stamp| stamp.to_string())
            .collect();
        assert_eq!(
            stamps,
            ["4k2m9xa7-7f3kqd", "4k2m9xa8-7f3kqd", "4k2m9xa9-7f3kqd"]
        );
    }
}
