//! Putting the marker into a document's text and taking annotations out again, byte by byte.
//!
//! [`mark`] adds one line (in a flow root: one entry), [`strip`] is its exact inverse; both leave every other byte where
//! it was. What they write is read again before it is handed out.

use super::ANNOTATION_KEY;
use super::mentions::{Claim, Mention, Says, mentions, mentions_in};
use super::{Marker, collection_type, may_carry};
use crate::yaml::{Document, EntryRef, Kind, Limits, NodeRef, newline_of};

/// What became of a document that was to be marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marking {
    /// The text with its marker.
    Marked(String),
    /// It has one.
    Present,
    /// No marker can stand in it: its root is not one mapping that may carry annotations.
    Nowhere,
    /// The key `_crdt` of its root is somebody else's, or not understood. Line and column, 1-based.
    Taken {
        /// Line of the key.
        line: usize,
        /// Column of the key.
        column: usize,
        /// Whose it seems to be.
        claim: Claim,
    },
}

/// Puts the marker into a document.
#[must_use]
pub fn mark(document: &Document) -> Marking {
    let Some(root) = document.root() else {
        return Marking::Nowhere;
    };
    if !may_carry(root) {
        return Marking::Nowhere;
    }
    let mut taken = mentions_in(root, true).filter(is_under_annotation_key);
    if let Some(mention) = taken.next() {
        let (line, column) = mention.position();
        return match mention.claim {
            Claim::Ours => Marking::Present,
            claim => Marking::Taken {
                line,
                column,
                claim,
            },
        };
    }
    match marked(document, root, &marker_of(root)) {
        Some(marked) => Marking::Marked(marked.into_text()),
        None => Marking::Nowhere,
    }
}

/// The document with the marker of another version of it, where it has lost its own; nothing if it has not, or if none
/// can stand in it.
pub(crate) fn marked_like(document: &Document, other: &Document) -> Option<Document> {
    let root = document.root()?;
    let marker = marker(other)?;
    let lost = may_carry(root)
        && !mentions_in(root, true).any(|mention| is_under_annotation_key(&mention));
    lost.then(|| marked(document, root, &marker)).flatten()
}

/// The document with this marker; nothing if there is no exact way back.
fn marked(document: &Document, root: NodeRef<'_>, marker: &Marker) -> Option<Document> {
    let text = inserted(document, root, marker);
    let marked = Document::from_text(text, &Limits::default()).ok()?;
    let before = strip(document);
    let before = before.as_deref().unwrap_or(document.text());
    (strip(&marked).as_deref() == Some(before)).then_some(marked)
}

/// The marker that a document has; nothing if it has none, or none that is understood.
#[must_use]
pub fn marker(document: &Document) -> Option<Marker> {
    let root = document.root()?;
    if root.kind() != Kind::Mapping {
        return None;
    }
    mentions_in(root, true).find_map(|mention| match mention.says {
        Some(Says::Marker(marker)) => Some(marker),
        _ => None,
    })
}

/// The marker that the content of a root asks for.
#[must_use]
pub fn marker_of(root: NodeRef<'_>) -> Marker {
    let types = root.entries().filter_map(|entry| {
        let name = entry.key()?.text().into_owned();
        let kind = collection_type(&name, entry.value())?;
        Some((name, kind.to_owned()))
    });
    Marker {
        types: types.collect(),
        ..Marker::default()
    }
}

/// The text with a marker that names the types of the collections that it holds; nothing where it has none, or does so.
#[must_use]
pub fn retyped(document: &Document) -> Option<String> {
    let root = document.root()?;
    let before = marker(document)?;
    let after = Marker {
        types: marker_of(root).types,
        ..before.clone()
    };
    if after == before {
        return None;
    }
    let mention = mentions_in(root, true).find(is_under_annotation_key)?;
    let value = mention.entry.value().data().span;
    let text = document.text();
    let (head, tail) = (
        text.get(..value.start as usize)?,
        text.get(value.end as usize..)?,
    );
    Some(format!("{head}{after}{tail}"))
}

/// The text without any annotation of ours; nothing if there is none in it.
#[must_use]
pub fn strip(document: &Document) -> Option<String> {
    without(document, is_ours)
}

/// The same, to be shown: what is left of it is not read once more where whole lines went.
#[must_use]
pub fn strip_to_show(document: &Document) -> Option<String> {
    let left = left(document, is_ours)?;
    match left.are_whole_lines {
        true => Some(left.text),
        false => readable(left.text),
    }
}

fn is_ours(mention: &Mention<'_>) -> bool {
    mention.claim == Claim::Ours
}

/// The text without the mentions that `unwanted` picks; nothing if it picks none, or if what would be left could not be
/// read.
#[must_use]
pub fn without(document: &Document, unwanted: impl FnMut(&Mention<'_>) -> bool) -> Option<String> {
    left(document, unwanted).and_then(|left| readable(left.text))
}

fn readable(text: String) -> Option<String> {
    let read = Document::from_text(text, &Limits::default()).ok()?;
    Some(read.into_text())
}

/// What is left of a text.
struct Left {
    text: String,
    /// Whether nothing went but whole lines, each an entry among others of a block mapping.
    are_whole_lines: bool,
}

/// What is left without the mentions that `unwanted` picks; nothing if it picks none.
fn left(document: &Document, mut unwanted: impl FnMut(&Mention<'_>) -> bool) -> Option<Left> {
    let picked: Vec<EntryRef<'_>> = mentions(document)
        .into_iter()
        .filter(|mention| unwanted(mention))
        .map(|mention| mention.entry)
        .collect();
    if picked.is_empty() {
        return None;
    }
    let text = document.text();
    let mut out = String::with_capacity(text.len());
    let mut are_whole_lines = true;
    let mut done = 0;
    let mut rest = picked.as_slice();
    while let Some(first) = rest.first() {
        let parent = first.parent();
        // Mentions of one mapping follow one another: nothing of ours holds another collection.
        let count = rest
            .iter()
            .take_while(|entry| entry.parent() == parent)
            .count();
        let (here, others) = rest.split_at(count);
        rest = others;
        let emptied = count == parent.len();
        for (index, entry) in here.iter().enumerate() {
            let cut = if parent.data().flow {
                flow_cut(text, *entry, here)
            } else {
                block_cut(text, *entry, done)
            };
            let (start, end) = match cut {
                // A block mapping that would have no entry is written as what it is.
                _ if emptied && index == 0 && !parent.data().flow => {
                    (start_of(*entry), value_end(*entry))
                }
                cut => cut,
            };
            are_whole_lines &= !emptied && !parent.data().flow && is_one_line(text, start, end);
            out.push_str(text.get(done..start).unwrap_or_default());
            if emptied && index == 0 && !parent.data().flow {
                out.push_str("{}");
            }
            done = done.max(end);
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Some(Left {
        text: out,
        are_whole_lines,
    })
}

/// Whether these bytes are one line from its beginning to its end.
fn is_one_line(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let line = text.get(start..end).unwrap_or_default();
    let ends = memchr::memchr(b'\n', line.as_bytes());
    (before.is_empty() || before.ends_with('\n')) && ends.is_some_and(|end| end + 1 == line.len())
}

fn is_under_annotation_key(mention: &Mention<'_>) -> bool {
    mention
        .entry
        .key()
        .is_some_and(|key| key.text() == ANNOTATION_KEY)
}

fn inserted(document: &Document, root: NodeRef<'_>, marker: &Marker) -> String {
    let text = document.text();
    let (at, line) = match root.entries().next() {
        Some(first) if !root.data().flow => {
            let at = start_of(first);
            let before = text.get(..at).unwrap_or_default();
            let indentation = before.len() - before.trim_end_matches(' ').len();
            let line = format!(
                "{ANNOTATION_KEY}: {marker}{}{:indentation$}",
                newline_of(text),
                ""
            );
            (at, line)
        }
        first => {
            let comma = if first.is_some() { "," } else { "" };
            let at = root.data().span.start as usize + 1;
            (at, format!("{ANNOTATION_KEY}: {marker}{comma}"))
        }
    };
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    format!("{before}{line}{after}")
}

fn start_of(entry: EntryRef<'_>) -> usize {
    entry.data().start as usize
}

fn value_end(entry: EntryRef<'_>) -> usize {
    entry.value().data().span.end as usize
}

/// The bytes to cut so that an entry of a block mapping is gone: its line, or lines; a comment beside it stays. All up to
/// `done` is written or cut.
fn block_cut(text: &str, entry: EntryRef<'_>, done: usize) -> (usize, usize) {
    let (start, end) = (start_of(entry), value_end(entry));
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    let line_ended = entry.value().is_block_scalar();
    let blanks = if line_ended {
        0
    } else {
        after.len() - after.trim_start_matches([' ', '\t']).len()
    };
    let next = after.get(blanks..).unwrap_or_default();
    if !line_ended && next.starts_with('#') {
        return (start, end + blanks);
    }
    let line_break = match next.as_bytes() {
        _ if line_ended => 0,
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    let end = end + blanks + line_break;
    let unindented = before.trim_end_matches(' ');
    let begins_line = unindented.is_empty() || unindented.ends_with(['\n', '\r', '\u{feff}']);
    let has_moved_up = start == done && unindented.len() < start;
    if begins_line && !has_moved_up {
        return (unindented.len(), end);
    }
    // It stands in the line of a `-`, or would by now: what follows takes its place there.
    let follows = text.get(end..).unwrap_or_default();
    let indentation = follows.len() - follows.trim_start_matches(' ').len();
    (start, end + indentation)
}

/// The bytes to cut so that an entry of a flow mapping is gone, with one comma. Those that end the mapping go together
/// with the comma before them.
fn flow_cut(text: &str, entry: EntryRef<'_>, cut_too: &[EntryRef<'_>]) -> (usize, usize) {
    let is_kept =
        |other: &EntryRef<'_>| cut_too.iter().all(|cut| start_of(*cut) != start_of(*other));
    let (start, end) = (start_of(entry), entry.data().end as usize);
    let mut entries = entry.parent().entries();
    let last = entries.clone().next_back().unwrap_or(entry);
    let comma_ends = text
        .get(..last.data().end as usize)
        .is_some_and(|before| before.ends_with(','));
    let ends_mapping = entries
        .clone()
        .filter(|other| start_of(*other) > start)
        .all(|other| !is_kept(&other));
    if comma_ends || !ends_mapping {
        return (start, end);
    }
    match entries.rfind(is_kept) {
        Some(before) => (
            (before.data().end as usize).saturating_sub(1),
            value_end(last),
        ),
        None => (start, value_end(last)),
    }
}
