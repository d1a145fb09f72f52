//! Where `_crdt` and `_crdt_conflicts` stand in a file, and how they get there: as changes of the text, so that every
//! other byte stays as it is.
//!
//! In a block mapping they follow the first entry where that is a scalar in one line and not the only one, else they come
//! first: there, neighbouring records and fields can be added and removed without touching their lines. The root's stand
//! at the very top. In brackets they follow the opening one.

use super::own::Role;
use super::{ANNOTATION_KEY, CONFLICTS_KEY};
use crate::yaml::{Document, EntryRef, Kind, NodeRef, newline_of};

/// A range of a text and what comes in its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Splice {
    start: usize,
    end: usize,
    text: String,
}

/// A text with all changes made; nothing if two of them overlap.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort();
    let mut out = String::with_capacity(text.len() + 64 * splices.len());
    let mut done = 0;
    for splice in &splices {
        out.push_str(text.get(done..splice.start)?);
        out.push_str(&splice.text);
        done = splice.end;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// The name of an entry of a mapping, where it has one that can be read.
pub(crate) fn name_of<'d>(entry: EntryRef<'d>) -> Option<std::borrow::Cow<'d, str>> {
    let key = entry.key()?;
    matches!(key.kind(), Kind::Scalar(_)).then(|| key.text())
}

/// Whether an entry is one of ours.
pub(crate) fn is_ours(entry: EntryRef<'_>) -> bool {
    name_of(entry).is_some_and(|name| name == ANNOTATION_KEY || name == CONFLICTS_KEY)
}

/// Behind how many of a mapping's other entries annotations stand: the rule of place, for whoever writes them.
/// `is_one_line` says whether the first of the `others` is a scalar in one line.
pub(crate) fn place_among(
    role: Role,
    flow: bool,
    others: usize,
    is_one_line: impl FnOnce() -> bool,
) -> usize {
    usize::from(role != Role::Root && !flow && others > 1 && is_one_line())
}

/// What makes a mapping carry exactly this annotation and these conflicts, as far as there are any.
pub(super) fn place(
    mapping: NodeRef<'_>,
    role: Role,
    annotation: Option<&str>,
    conflicts: Option<&str>,
) -> Vec<Splice> {
    let entries: Vec<EntryRef<'_>> = mapping.entries().collect();
    let others: Vec<EntryRef<'_>> = entries
        .iter()
        .copied()
        .filter(|entry| !is_ours(*entry))
        .collect();
    let flow = mapping.data().flow;
    let place = place_among(role, flow, others.len(), || is_one_line(others[0]));
    let has = |index: usize, key: &str| {
        let entry = entries.get(index).copied()?;
        (name_of(entry)? == key).then_some(entry)
    };
    let stands = has(place, ANNOTATION_KEY);
    let stands_after = has(place + 1, CONFLICTS_KEY);
    let known = usize::from(stands.is_some()) + usize::from(stands_after.is_some());
    let settled = stands.filter(|_| known == entries.len() - others.len());
    if let (Some(entry), Some(text)) = (settled, annotation) {
        let mut splices = vec![replaced(entry, text)];
        match (stands_after, conflicts) {
            (Some(entry), Some(text)) => splices.push(replaced(entry, text)),
            (Some(_), None) => splices.extend(cuts(mapping, |name| name == CONFLICTS_KEY)),
            (None, Some(text)) => splices.push(behind(mapping, entry, text)),
            (None, None) => {}
        }
        return splices;
    }
    let mut splices = cuts(mapping, |name| {
        name == ANNOTATION_KEY || name == CONFLICTS_KEY
    });
    let lines = lines(annotation, conflicts);
    if !lines.is_empty() {
        splices.extend(inserted(mapping, &others, place, &lines));
    }
    splices
}

/// A text without what stands under the keys that are picked, in the root and in the members of lists.
pub(super) fn without(document: &Document, picked: impl Fn(&str) -> bool) -> String {
    let mut splices = Vec::new();
    for part in document.parts() {
        collect_cuts(document.node(part.root), true, &picked, &mut splices);
    }
    apply(document.text(), splices).unwrap_or_else(|| document.text().to_owned())
}

fn collect_cuts(
    node: NodeRef<'_>,
    carries: bool,
    picked: &impl Fn(&str) -> bool,
    splices: &mut Vec<Splice>,
) {
    if carries && node.kind() == Kind::Mapping {
        splices.extend(cuts(node, picked));
    }
    let is_list = node.kind() == Kind::Sequence;
    for entry in node.entries() {
        if entry.value().is_collection() {
            collect_cuts(entry.value(), is_list, picked, splices);
        }
    }
}

fn lines(annotation: Option<&str>, conflicts: Option<&str>) -> Vec<String> {
    let both = [(ANNOTATION_KEY, annotation), (CONFLICTS_KEY, conflicts)];
    let said = both
        .into_iter()
        .filter_map(|(key, text)| Some((key, text?)));
    said.map(|(key, text)| format!("{key}: {text}")).collect()
}

/// Whether an entry is a scalar in one line, with its key.
pub(crate) fn is_one_line(entry: EntryRef<'_>) -> bool {
    let value = entry.value();
    let data = entry.data();
    let end = value.data().span.end;
    matches!(value.kind(), Kind::Scalar(_))
        && !value.is_block_scalar()
        && !entry
            .document
            .between(data.start, end)
            .contains(['\n', '\r'])
}

fn replaced(entry: EntryRef<'_>, text: &str) -> Splice {
    let value = entry.value().data();
    let start = entry.data().after as usize + entry.sep().len();
    Splice {
        start,
        end: value.span.end as usize,
        text: if entry.sep().is_empty() {
            format!(" {text}")
        } else {
            text.to_owned()
        },
    }
}

/// The conflicts directly behind the annotation that stands already.
fn behind(mapping: NodeRef<'_>, annotation: EntryRef<'_>, text: &str) -> Splice {
    let document = mapping.document();
    if mapping.data().flow {
        let at = annotation.value().data().span.end as usize;
        return Splice {
            start: at,
            end: at,
            text: format!(",{CONFLICTS_KEY}: {text}"),
        };
    }
    let at = annotation.data().end as usize;
    let newline = newline_of(document.text());
    let indent = " ".repeat(mapping.data().column as usize);
    let broken = document.text()[..at].ends_with(['\n', '\r']);
    let text = if broken {
        format!("{indent}{CONFLICTS_KEY}: {text}{newline}")
    } else {
        format!("{newline}{indent}{CONFLICTS_KEY}: {text}")
    };
    Splice {
        start: at,
        end: at,
        text,
    }
}

fn inserted(
    mapping: NodeRef<'_>,
    others: &[EntryRef<'_>],
    place: usize,
    lines: &[String],
) -> Option<Splice> {
    let at = |at: u32, text: String| Splice {
        start: at as usize,
        end: at as usize,
        text,
    };
    if mapping.data().flow {
        let comma = if others.is_empty() { "" } else { "," };
        let text = format!("{}{comma}", lines.join(","));
        return Some(at(mapping.data().span.start + 1, text));
    }
    let first = others.first()?;
    let second = place > 0;
    let newline = newline_of(mapping.document().text());
    let indent = " ".repeat(mapping.data().column as usize);
    let each = |line: &String| {
        if second {
            format!("{indent}{line}{newline}")
        } else {
            format!("{line}{newline}{indent}")
        }
    };
    let text = lines.iter().map(each).collect();
    let start = if second {
        first.data().end
    } else {
        first.data().start
    };
    Some(at(start, text))
}

/// What takes entries out of a mapping; nothing if no entry would be left where that cannot be written.
pub(super) fn cuts(mapping: NodeRef<'_>, picked: impl Fn(&str) -> bool) -> Vec<Splice> {
    let entries: Vec<EntryRef<'_>> = mapping.entries().collect();
    let goes: Vec<bool> = entries
        .iter()
        .map(|entry| name_of(*entry).is_some_and(|name| picked(&name)))
        .collect();
    if !goes.contains(&true) || (!mapping.data().flow && !goes.contains(&false)) {
        return Vec::new();
    }
    let mut splices = Vec::new();
    let text = mapping.document().text();
    // While the first entries go, the one behind them takes their place in the line of the indicator.
    let mut leads = true;
    for (index, entry) in entries.iter().enumerate() {
        if !goes[index] {
            leads = false;
            continue;
        }
        let next = entries.get(index + 1).copied();
        let (start, end) = if mapping.data().flow {
            let before = index.checked_sub(1).map(|before| entries[before]);
            flow_cut(*entry, before, next)
        } else {
            block_cut(text, *entry, next, leads)
        };
        splices.push(Splice {
            start,
            end,
            text: String::new(),
        });
    }
    splices
}

fn flow_cut(
    entry: EntryRef<'_>,
    before: Option<EntryRef<'_>>,
    next: Option<EntryRef<'_>>,
) -> (usize, usize) {
    let data = entry.data();
    let end = entry.value().data().span.end as usize;
    match (before, next) {
        (_, Some(_)) => (data.start as usize, data.end as usize),
        (Some(before), None) => (before.data().end as usize - 1, end),
        (None, None) => (data.start as usize, end),
    }
}

fn block_cut(
    text: &str,
    entry: EntryRef<'_>,
    next: Option<EntryRef<'_>>,
    leads: bool,
) -> (usize, usize) {
    let start = entry.data().start as usize;
    let value_end = entry.value().data().span.end as usize;
    let line_end = if text[..value_end].ends_with('\n') {
        value_end
    } else {
        text[value_end..]
            .find('\n')
            .map_or(text.len(), |at| value_end + at + 1)
    };
    match next {
        Some(next) if leads && next.lead().is_empty() => (start, next.data().start as usize),
        _ => {
            let line = text[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
            let blank = text[line..start].bytes().all(|byte| byte == b' ');
            (if blank { line } else { start }, line_end)
        }
    }
}

/// Another value for an entry; what stands beside it stays.
pub(super) fn with_value(entry: EntryRef<'_>, value: &str) -> Splice {
    let text = entry.document.text();
    let node = entry.value();
    let start = entry.data().after as usize;
    let end = node.data().span.end as usize;
    let is_line = node.is_block_collection() || node.is_block_scalar();
    let end = if is_line {
        text[..end].trim_end_matches(['\n', '\r', ' ']).len()
    } else {
        end
    };
    Splice {
        start,
        end: end.max(start),
        text: format!(" {value}"),
    }
}

/// What takes a member out of a list that has others, with the comments above it.
pub(super) fn member_cut(list: NodeRef<'_>, member: NodeRef<'_>) -> Option<Splice> {
    let entries: Vec<EntryRef<'_>> = list.entries().collect();
    let index = entries.iter().position(|entry| entry.value() == member)?;
    let entry = *entries.get(index)?;
    let next = entries.get(index + 1).copied();
    let (start, end) = if list.data().flow {
        let before = index.checked_sub(1).and_then(|before| entries.get(before));
        flow_cut(entry, before.copied(), next)
    } else if index == 0 && entry.lead().is_empty() {
        let next = next?;
        (entry.data().start as usize, next.data().start as usize)
    } else {
        (entry.data().lead as usize, entry.data().end as usize)
    };
    Some(Splice {
        start,
        end,
        text: String::new(),
    })
}
