//! How a place is written, part by part, as it would stand at the left edge.

use std::borrow::Cow;

use crate::context::{ANNOTATION_KEY, strip};
use crate::crdt::{Form, Part};
use crate::merge::{Frame, Sides, trivia};
use crate::yaml::{Collection, Document, EntryRef, Limits, MadeEntry, NodeRef, Piece};

/// What a piece of a draft says in its place.
pub(super) fn of_piece(piece: &Piece<'_>, part: Part) -> String {
    match part {
        Part::Gap => rest_at_edge(&piece.text, piece.column),
        _ => lines_at_edge(&piece.text, piece.column),
    }
}

/// A text of whole lines for the left edge.
fn lines_at_edge(text: &str, column: i32) -> String {
    let lines = text.split_inclusive('\n');
    lines.map(|line| at_edge(line, column)).collect()
}

/// Lines behind the first one for the left edge.
fn rest_at_edge(text: &str, column: i32) -> String {
    match text.find('\n') {
        Some(at) => {
            let (first, rest) = text.split_at(at + 1);
            format!("{first}{}", lines_at_edge(rest, column))
        }
        None => text.to_owned(),
    }
}

fn at_edge(line: &str, column: i32) -> &str {
    let width = usize::try_from(column).unwrap_or_default();
    let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
    line.get(spaces.min(width)..).unwrap_or_default()
}

fn column_of(entry: EntryRef<'_>) -> i32 {
    i32::try_from(entry.parent().data().column).unwrap_or_default()
}

/// A part of an entry of a block collection.
pub(super) fn of_entry(entry: EntryRef<'_>, part: Part) -> String {
    let column = column_of(entry);
    let made = || MadeEntry::of(entry);
    match part {
        Part::Whole => whole(entry),
        Part::Lead => lines_at_edge(entry.lead(), column),
        Part::Head => entry.head().to_owned(),
        Part::Gap => rest_at_edge(entry.sep(), column),
        Part::Value => value(entry),
        Part::Beside => made().body.beside.trim_end_matches(['\n', '\r']).to_owned(),
        Part::Below => lines_at_edge(&made().below.text, column),
        Part::Shape | Part::Foot => of_collection(entry.value(), part),
        Part::Place | Part::Frame => String::new(),
    }
}

/// A part of a block collection.
pub(super) fn of_collection(node: NodeRef<'_>, part: Part) -> String {
    if !node.is_block_collection() {
        return String::new();
    }
    match part {
        Part::Foot => lines_at_edge(
            node.foot(),
            i32::try_from(node.data().column).unwrap_or_default(),
        ),
        Part::Shape => {
            let opened = Collection::of(node);
            let line = if opened.compact { "=" } else { "+" };
            format!("{line}{}", opened.offset)
        }
        _ => String::new(),
    }
}

/// What a [`Part::Shape`] says: how far entries are indented, and whether the first stands in the line of its indicator.
pub(super) fn shape(text: &str) -> Option<(i32, bool)> {
    let compact = text.starts_with('=');
    let offset = text.get(1..)?.parse().ok()?;
    Some((offset, compact))
}

/// An entry with the lines above it, without what is said about it.
fn whole(entry: EntryRef<'_>) -> String {
    let column = column_of(entry);
    let data = entry.data();
    let lead = lines_at_edge(entry.lead(), column);
    let rest = entry
        .parent()
        .document()
        .text()
        .get(data.start as usize..data.end as usize);
    let mut text = format!("{lead}{}", rest_at_edge(rest.unwrap_or_default(), column));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    bare(text)
}

/// A value and what stands before it, without what is said about it.
fn value(entry: EntryRef<'_>) -> String {
    let text = format!("{}{}", entry.sep(), entry.value().raw_with_props());
    let text = rest_at_edge(&text, column_of(entry));
    if !text.contains(ANNOTATION_KEY) {
        return text;
    }
    let head = if entry.key().is_some() { "k:" } else { "-" };
    let text = bare(format!("{head}{text}\n"));
    let text = text.strip_prefix(head).unwrap_or(&text);
    text.strip_suffix('\n').unwrap_or(text).to_owned()
}

fn bare(text: String) -> String {
    if !text.contains(ANNOTATION_KEY) {
        return text;
    }
    match Document::from_text(text.clone(), &Limits::default()) {
        Ok(document) => strip(&document).unwrap_or(text),
        Err(_) => text,
    }
}

/// Gives an entry what somebody made of another version of it.
pub(super) fn dress(made: &mut MadeEntry<'_>, before: EntryRef<'_>, after: EntryRef<'_>) {
    let changed = |part: Part| {
        let [before, after] = [before, after].map(|entry| of_entry(entry, part));
        (before != after).then_some((before, after))
    };
    for (part, piece) in [(Part::Lead, &mut made.lead), (Part::Below, &mut made.below)] {
        if let Some((before, after)) = changed(part) {
            *piece = Piece::new(patched(part, &of_piece(piece, part), &before, &after), 0);
        }
    }
    if let Some((before, after)) = changed(Part::Beside) {
        let now = made.body.beside.trim_end_matches(['\n', '\r']);
        made.body.beside = patched(Part::Beside, now, &before, &after).into();
    }
}

/// The comments that a form adds, as whole lines.
pub(super) fn added_comments(form: &Form) -> Vec<String> {
    let Form {
        part,
        before,
        after,
    } = form;
    match part {
        Part::Whole | Part::Value => {
            let head = if *part == Part::Value { "k:" } else { "" };
            let read = |text: &str| {
                Document::from_text(format!("{head}{text}\n"), &Limits::default()).ok()
            };
            let (Some(before), Some(after)) = (read(before), read(after)) else {
                return Vec::new();
            };
            let entry = |document| Document::root(document)?.entries().next();
            match (entry(&before), entry(&after)) {
                (Some(before), Some(after)) => trivia::added_to(before, after),
                _ => Vec::new(),
            }
        }
        Part::Lead | Part::Gap | Part::Beside | Part::Below | Part::Foot => {
            let before = trivia::comment_lines(before);
            let mut lines = trivia::comment_lines(after);
            lines.retain(|line| !before.contains(line));
            lines
        }
        Part::Place | Part::Head | Part::Shape | Part::Frame => Vec::new(),
    }
}

/// A part after somebody wrote `after` where `before` had stood; it may have been changed since.
pub(super) fn patched(part: Part, now: &str, before: &str, after: &str) -> String {
    if now == before || now == after {
        return after.to_owned();
    }
    match part {
        Part::Lead | Part::Below | Part::Foot | Part::Value => {
            let [base, ours, theirs] = [before, now, after].map(|text| Some(Piece::new(text, 0)));
            trivia::lines(Sides { base, ours, theirs })
                .text
                .into_owned()
        }
        Part::Gap => {
            let [base, ours, theirs] = [before, now, after].map(|text| Some(Piece::new(text, 0)));
            let merged = trivia::separators(Sides { base, ours, theirs });
            merged.map_or_else(|| after.to_owned(), |merged| merged.text.into_owned())
        }
        Part::Beside => {
            let [base, ours, theirs] = [before, now, after].map(|text| Some(Cow::Borrowed(text)));
            trivia::beside(Sides { base, ours, theirs }).into_owned()
        }
        Part::Whole | Part::Place | Part::Head | Part::Shape | Part::Frame => after.to_owned(),
    }
}

const BOM: &str = "bom";
const CRLF: &str = "crlf";
const OPEN: &str = "open";

/// What a [`Part::Frame`] says.
pub(super) fn frame(frame: Frame) -> String {
    let words = [
        (frame.bom, BOM),
        (frame.crlf, CRLF),
        (!frame.final_newline, OPEN),
    ];
    let said: Vec<&str> = words
        .into_iter()
        .filter_map(|(is, word)| is.then_some(word))
        .collect();
    said.join(" ")
}

pub(super) fn framed(text: &str) -> Frame {
    let says = |word: &str| text.split(' ').any(|said| said == word);
    Frame {
        bom: says(BOM),
        crlf: says(CRLF),
        final_newline: !says(OPEN),
    }
}
