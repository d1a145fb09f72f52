//! Edits like people's: each names what it changes in the base, so the same edit can be made to several versions.

use std::collections::HashSet;

use super::tree::{Entry, File, Frame, Group, Quotes, Value};
use super::{Tape, Words, generate};

/// What is to be changed.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// The entry; in an insertion the collection's, 0 for the root.
    pub(crate) uid: usize,
    pub(crate) change: Change,
}

impl Edit {
    /// Whether it moves an entry.
    pub(crate) fn moves(&self) -> bool {
        matches!(self.change, Change::Move(_))
    }

    /// What kind of change it is.
    pub(crate) fn kind(&self) -> &'static str {
        match self.change {
            Change::Set(_) => "set",
            Change::Remove => "remove",
            Change::Insert(..) => "insert",
            Change::Move(_) => "move",
            Change::Requote(_) => "requote",
            Change::Line(..) => "line",
            Change::Comment(_) => "comment",
            Change::Beside(_) => "beside",
            Change::Foot(_) => "foot",
        }
    }
}

/// How it is changed.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Set(Value),
    Remove,
    /// A new entry behind the one with this uid (0: in front of all).
    Insert(usize, Box<Entry>),
    /// Behind the one with this uid (0: in front of all).
    Move(usize),
    Requote(Quotes),
    /// One line of a block text: another one, one more behind it, or none.
    Line(usize, Option<String>, bool),
    Comment(Vec<String>),
    Beside(Option<String>),
    Foot(Vec<String>),
}

/// Which edits are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kinds {
    /// All of them.
    All,
    /// Those for which any number of branches can be merged in any order: leaves, fields and records.
    Leaves,
}

/// Where an entry stands and what it is.
struct Spot {
    uid: usize,
    /// Its collection's entry, 0 for the root.
    parent: usize,
    in_flow: bool,
    in_map: bool,
    is_id: bool,
    siblings: Vec<usize>,
    value: Value,
    /// The entries around it, outermost first.
    around: Vec<usize>,
    inside: Vec<usize>,
}

fn spots(group: &Group, parent: usize, is_map: bool, around: &[usize], found: &mut Vec<Spot>) {
    let siblings: Vec<usize> = group.entries.iter().map(|entry| entry.uid).collect();
    for entry in &group.entries {
        let mut inside = Vec::new();
        uids(&entry.value, &mut inside);
        found.push(Spot {
            uid: entry.uid,
            parent,
            in_flow: group.flow,
            in_map: is_map,
            is_id: entry.key.as_deref() == Some("id"),
            siblings: siblings.clone(),
            value: entry.value.clone(),
            around: around.to_vec(),
            inside,
        });
        if let Some(inner) = entry.value.group() {
            let is_map = matches!(entry.value, Value::Map(_));
            let mut around = around.to_vec();
            around.push(entry.uid);
            spots(inner, entry.uid, is_map, &around, found);
        }
    }
}

fn uids(value: &Value, found: &mut Vec<usize>) {
    for entry in value.group().into_iter().flat_map(|group| &group.entries) {
        found.push(entry.uid);
        uids(&entry.value, found);
    }
}

/// What edits have been made to so far, so that later ones can stay clear of it.
#[derive(Clone, Default)]
pub(crate) struct Touched {
    /// Entries that were changed, or have a changed one inside.
    changed: HashSet<usize>,
    /// Entries that are gone or were replaced as a whole.
    gone: HashSet<usize>,
}

/// Makes up edits of `base` that touch nothing that `touched` names, and names there what they touch.
pub(crate) fn edits(
    base: &File,
    tape: &mut Tape<'_>,
    words: &mut Words,
    touched: &mut Touched,
    kinds: Kinds,
) -> Vec<Edit> {
    let mut found = Vec::new();
    spots(&base.root, 0, true, &[], &mut found);
    let mut edits = Vec::new();
    for _ in 0..tape.below(6) {
        let spot = &found[tape.below(found.len())];
        let choice = tape.below(if kinds == Kinds::All { 14 } else { 6 });
        let untouched = |uids: &[usize]| uids.iter().all(|uid| !touched.changed.contains(uid));
        if spot.around.iter().any(|uid| touched.gone.contains(uid))
            || touched.gone.contains(&spot.uid)
        {
            continue;
        }
        let itself = untouched(&[spot.uid]) && untouched(&spot.inside);
        let is_leaf = matches!(spot.value, Value::Leaf(..));
        let mut whole = false;
        let in_record_list = !spot.in_map && matches!(spot.value, Value::Map(_));
        let change = match choice {
            0 | 1 if is_leaf && itself && !spot.is_id => {
                // A member of a list of leaves is one with its text.
                if kinds == Kinds::Leaves && !spot.in_map {
                    continue;
                }
                Change::Set(generate::leaf(tape, words))
            }
            // A file that is emptied is another matter.
            2 if itself
                && !spot.is_id
                && (spot.parent != 0 || spot.siblings.first() != Some(&spot.uid))
                && (kinds == Kinds::All || spot.in_map || in_record_list) =>
            {
                whole = true;
                Change::Remove
            }
            3 | 4 | 6 => {
                // Beside this entry.
                if kinds == Kinds::Leaves && !spot.in_map && !in_record_list {
                    continue;
                }
                let value = match tape.below(4) {
                    _ if spot.in_flow => generate::leaf(tape, words),
                    _ if in_record_list => generate::record(tape, words),
                    0 if spot.in_map => generate::mapping(tape, words, 1),
                    1 if spot.in_map => generate::text(tape, words),
                    _ => generate::leaf(tape, words),
                };
                let key = spot.in_map.then(|| words.word());
                let mut entry = generate::entry(tape, words, key, value);
                if spot.in_flow || kinds == Kinds::Leaves {
                    entry.lead.clear();
                    entry.beside = None;
                }
                let first = spot.siblings.first() == Some(&spot.uid);
                // A record begins with its identity.
                let behind = if first && tape.one_in(3) && !spot.is_id {
                    0
                } else {
                    spot.uid
                };
                edits.push(Edit {
                    uid: spot.parent,
                    change: Change::Insert(behind, Box::new(entry)),
                });
                touched.changed.extend(&spot.around);
                continue;
            }
            7 if itself && spot.siblings.len() > 1 && !spot.is_id => {
                let to = spot.siblings[tape.below(spot.siblings.len())];
                if to == spot.uid {
                    continue;
                }
                Change::Move(to)
            }
            8 if is_leaf && itself => {
                Change::Requote([Quotes::Plain, Quotes::Single, Quotes::Double][tape.below(3)])
            }
            9 | 10 => match &spot.value {
                Value::Text(_, lines) if itself => {
                    let at = tape.below(lines.len());
                    let removes = tape.one_in(3) && lines.len() > 2;
                    let line = (!removes).then(|| words.word());
                    if lines[at].is_empty() || removes && !spaced(lines, at) {
                        continue;
                    }
                    Change::Line(at, line, tape.one_in(2))
                }
                _ => continue,
            },
            11 if !spot.in_flow && itself && !is_first_of_record(spot) => {
                Change::Comment((0..tape.below(3)).map(|_| words.word()).collect())
            }
            12 if !spot.in_flow && itself => {
                let comment = tape.one_in(2).then(|| words.word());
                Change::Beside(comment)
            }
            13 if itself && spot.value.group().is_some_and(|group| !group.flow) => {
                Change::Foot(vec![words.word()])
            }
            _ => continue,
        };
        touched.changed.insert(spot.uid);
        touched.changed.extend(&spot.around);
        if whole {
            touched.gone.insert(spot.uid);
            touched.gone.extend(&spot.inside);
        }
        edits.push(Edit {
            uid: spot.uid,
            change,
        });
    }
    edits
}

/// Whether a line can be removed without leaving two blank lines, or one at an end.
fn spaced(lines: &[String], at: usize) -> bool {
    at > 0 && at + 1 < lines.len() && !lines[at - 1].is_empty() && !lines[at + 1].is_empty()
}

/// The lead of a first entry may stand beside a dash.
fn is_first_of_record(spot: &Spot) -> bool {
    spot.is_id || spot.siblings.first() == Some(&spot.uid)
}

/// A frame like the given one, with perhaps one thing changed.
pub(crate) fn reframed(mut frame: Frame, tape: &mut Tape<'_>) -> Frame {
    match tape.below(20) {
        15 => frame.step = if frame.step == 2 { 4 } else { 2 },
        16 => frame.crlf = !frame.crlf,
        17 => frame.final_newline = !frame.final_newline,
        18 => frame.bom = !frame.bom,
        19 => frame.flush_lists = !frame.flush_lists,
        _ => {}
    }
    frame
}

/// Makes the edits.
pub(crate) fn apply(file: &mut File, edits: &[Edit]) {
    for edit in edits {
        if let Change::Insert(behind, entry) = &edit.change {
            if let Some(group) = group_of(&mut file.root, edit.uid) {
                let at = place_behind(group, *behind);
                group.entries.insert(at, (**entry).clone());
            }
        } else {
            change(&mut file.root, edit);
        }
    }
}

fn place_behind(group: &Group, behind: usize) -> usize {
    let found = group.entries.iter().position(|entry| entry.uid == behind);
    found.map_or(0, |at| at + 1)
}

/// The collection of the entry with this uid.
fn group_of(group: &mut Group, uid: usize) -> Option<&mut Group> {
    if uid == 0 {
        return Some(group);
    }
    for entry in &mut group.entries {
        let found = entry.uid == uid;
        if let Some(inner) = entry.value.group_mut() {
            if found {
                return Some(inner);
            }
            if let Some(found) = group_of(inner, uid) {
                return Some(found);
            }
        }
    }
    None
}

fn change(group: &mut Group, edit: &Edit) -> bool {
    let Some(at) = group.entries.iter().position(|entry| entry.uid == edit.uid) else {
        return group
            .entries
            .iter_mut()
            .filter_map(|entry| entry.value.group_mut())
            .any(|inner| change(inner, edit));
    };
    let entry = &mut group.entries[at];
    match &edit.change {
        Change::Set(value) => entry.value = value.clone(),
        Change::Remove => {
            group.entries.remove(at);
        }
        Change::Move(behind) => {
            let entry = group.entries.remove(at);
            let at = place_behind(group, *behind);
            group.entries.insert(at, entry);
        }
        Change::Requote(quotes) => {
            if let Value::Leaf(_, found) = &mut entry.value {
                *found = *quotes;
            }
        }
        Change::Line(at, line, more) => {
            if let Value::Text(_, lines) = &mut entry.value {
                match line {
                    Some(line) if *more => lines.insert(at + 1, line.clone()),
                    Some(line) => lines[*at].clone_from(line),
                    None => {
                        lines.remove(*at);
                    }
                }
            }
        }
        Change::Comment(lines) => entry.lead.clone_from(lines),
        Change::Beside(comment) => entry.beside.clone_from(comment),
        Change::Foot(lines) => {
            if let Some(group) = entry.value.group_mut() {
                group.foot.clone_from(lines);
            }
        }
        Change::Insert(..) => {}
    }
    true
}
