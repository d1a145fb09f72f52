//! Makes documents up.

use super::tree::{Entry, File, Frame, Group, Quotes, Value};
use super::{Tape, Words};

/// A file of a few collections.
pub(crate) fn file(tape: &mut Tape<'_>, words: &mut Words) -> File {
    let frame = Frame {
        step: [2, 4, 3][tape.below(3)],
        flush_lists: tape.one_in(3),
        crlf: tape.one_in(8),
        final_newline: !tape.one_in(6),
        bom: tape.one_in(16),
    };
    let mut entries = Vec::new();
    for _ in 0..1 + tape.below(4) {
        let value = match tape.below(5) {
            0 => records(tape, words),
            1 => mapping(tape, words, 2),
            2 => list(tape, words),
            3 => text(tape, words),
            _ => leaf(tape, words),
        };
        entries.push(field(tape, words, value));
    }
    let foot = foot(tape, words);
    let root = Group {
        flow: false,
        entries,
        foot,
    };
    File { root, frame }
}

/// A field with a key of its own.
pub(crate) fn field(tape: &mut Tape<'_>, words: &mut Words, value: Value) -> Entry {
    let key = Some(words.word());
    entry(tape, words, key, value)
}

pub(crate) fn entry(
    tape: &mut Tape<'_>,
    words: &mut Words,
    key: Option<String>,
    value: Value,
) -> Entry {
    let mut lead = Vec::new();
    if tape.one_in(8) {
        lead.push(String::new());
    }
    for _ in 0..tape.below(12).saturating_sub(9) {
        lead.push(words.word());
    }
    Entry {
        uid: words.number(),
        lead,
        key,
        value,
        beside: tape.one_in(8).then(|| words.word()),
    }
}

/// An entry without comments.
fn bare(words: &mut Words, key: Option<&str>, value: Value) -> Entry {
    Entry {
        uid: words.number(),
        lead: Vec::new(),
        key: key.map(str::to_owned),
        value,
        beside: None,
    }
}

fn foot(tape: &mut Tape<'_>, words: &mut Words) -> Vec<String> {
    if tape.one_in(8) {
        vec![words.word()]
    } else {
        Vec::new()
    }
}

fn records(tape: &mut Tape<'_>, words: &mut Words) -> Value {
    let entries = (0..1 + tape.below(5)).map(|_| {
        let value = record(tape, words);
        entry(tape, words, None, value)
    });
    Value::Seq(Group {
        flow: false,
        entries: entries.collect(),
        foot: Vec::new(),
    })
}

/// A record with an identity.
pub(crate) fn record(tape: &mut Tape<'_>, words: &mut Words) -> Value {
    let id = Value::Leaf(words.word(), Quotes::Plain);
    let mut entries = vec![bare(words, Some("id"), id)];
    let fields: [(&str, usize); 5] = [
        ("title", 0),
        ("status", 0),
        ("tags", 1),
        ("note", 2),
        ("meta", 3),
    ];
    for (key, kind) in fields {
        if tape.below(3) == 0 {
            continue;
        }
        let value = match kind {
            1 => list(tape, words),
            2 => text(tape, words),
            3 => mapping(tape, words, 1),
            _ => leaf(tape, words),
        };
        entries.push(entry(tape, words, Some(key.to_owned()), value));
    }
    Value::Map(Group {
        flow: false,
        entries,
        foot: Vec::new(),
    })
}

/// A mapping with at least one key.
pub(crate) fn mapping(tape: &mut Tape<'_>, words: &mut Words, depth: usize) -> Value {
    let flow = tape.one_in(4);
    let entries = (0..1 + tape.below(4)).map(|_| {
        if flow {
            let value = leaf(tape, words);
            let key = words.word();
            return bare(words, Some(&key), value);
        }
        let value = match tape.below(6) {
            0 if depth > 0 => mapping(tape, words, depth - 1),
            1 => text(tape, words),
            2 => list(tape, words),
            _ => leaf(tape, words),
        };
        field(tape, words, value)
    });
    let entries = entries.collect();
    Value::Map(Group {
        flow,
        entries,
        foot: Vec::new(),
    })
}

/// A list of leaves, perhaps in brackets.
pub(crate) fn list(tape: &mut Tape<'_>, words: &mut Words) -> Value {
    let flow = tape.one_in(3);
    let entries = (0..1 + tape.below(5)).map(|_| {
        let value = leaf(tape, words);
        if flow {
            bare(words, None, value)
        } else {
            entry(tape, words, None, value)
        }
    });
    Value::Seq(Group {
        flow,
        entries: entries.collect(),
        foot: Vec::new(),
    })
}

/// A leaf of one to three words.
pub(crate) fn leaf(tape: &mut Tape<'_>, words: &mut Words) -> Value {
    let text: Vec<String> = (0..1 + tape.below(3)).map(|_| words.word()).collect();
    let quotes = [Quotes::Plain, Quotes::Plain, Quotes::Single, Quotes::Double][tape.below(4)];
    Value::Leaf(text.join(" "), quotes)
}

/// A text of several lines.
pub(crate) fn text(tape: &mut Tape<'_>, words: &mut Words) -> Value {
    let style = ["|", "|-", ">", ">-"][tape.below(4)];
    let mut lines = Vec::new();
    for index in 0..2 + tape.below(4) {
        if index > 0 && tape.one_in(4) {
            lines.push(String::new());
        }
        lines.push(words.word());
    }
    Value::Text(style, lines)
}
