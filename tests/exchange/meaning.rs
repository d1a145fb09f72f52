//! What must show in the end, told from what people meant and what they knew then, not from how edits are merged.

use std::collections::{BTreeMap, BTreeSet};

use rhema_crdt::crdt::{Digest, Document, Found, Node, Path, Stamp, Step};

use crate::document::{Meaning, records};

/// An edit as its author meant it.
#[derive(Clone, Debug)]
pub(crate) struct Meant {
    pub(crate) meaning: Meaning,
    /// All that its author knew.
    pub(crate) seen: BTreeSet<Stamp>,
    /// All that the authors of these knew, and so on: what they replaced is replaced.
    pub(crate) behind: BTreeSet<Stamp>,
    /// The edit that it makes again, under another name.
    pub(crate) again: Option<Stamp>,
}

impl Meant {
    /// What somebody means who knows `seen`.
    pub(crate) fn new(meaning: Meaning, seen: BTreeSet<Stamp>, meanings: &Meanings) -> Self {
        let behind = seen.iter().flat_map(|stamp| &meanings[stamp].behind);
        Self {
            meaning,
            behind: seen.iter().chain(behind).copied().collect(),
            seen,
            again: None,
        }
    }
}

/// All edits of a run, whether or not anybody knows them still.
pub(crate) type Meanings = BTreeMap<Stamp, Meant>;

/// What a replica that knows `known` shows against laws 2, 3 and 4.
pub(crate) fn check(
    meanings: &Meanings,
    known: &BTreeSet<Stamp>,
    shown: &Document,
) -> Result<(), String> {
    let undone: BTreeSet<Stamp> = known
        .iter()
        .filter_map(|stamp| match meanings[stamp].meaning {
            Meaning::Undo { stamp } => Some(stamp),
            _ => None,
        })
        .collect();
    let standing: Vec<(Stamp, &Meant)> = known
        .iter()
        .filter(|stamp| !undone.contains(stamp))
        .map(|stamp| (*stamp, &meanings[stamp]))
        .collect();
    // What somebody did to a record that is lost with their store cannot be shown.
    let is_whole = |meant: &Meant| meant.behind.is_subset(known);
    nothing_is_lost(&standing, is_whole, shown)?;
    nothing_comes_back(&standing, shown)?;
    nothing_stands_twice(shown)
}

fn touches(meaning: &Meaning) -> Option<(Digest, Option<&'static str>)> {
    match meaning {
        Meaning::Write { record, field, .. } => Some((*record, Some(*field))),
        Meaning::Remove { record } | Meaning::Add { record } => Some((*record, None)),
        Meaning::Move | Meaning::Undo { .. } => None,
    }
}

/// A value shows, or is kept as one that lost, unless whoever wrote another one, or removed the record, knew it.
fn nothing_is_lost(
    standing: &[(Stamp, &Meant)],
    is_whole: impl Fn(&Meant) -> bool,
    shown: &Document,
) -> Result<(), String> {
    for (stamp, meant) in standing.iter().filter(|(_, meant)| is_whole(meant)) {
        let (record, expected) = match &meant.meaning {
            Meaning::Write {
                record,
                field,
                value,
            } => (*record, Some((*field, value))),
            Meaning::Add { record } => (*record, None),
            _ => continue,
        };
        let names = [Some(*stamp), meant.again];
        let is_replaced = standing.iter().any(|(other, later)| {
            let saw = names
                .iter()
                .flatten()
                .any(|name| later.behind.contains(name));
            let replaces = match later.meaning {
                Meaning::Remove { record: gone } => gone == record,
                Meaning::Write {
                    record: of, field, ..
                } => of == record && expected.is_some_and(|(expected, _)| expected == field),
                _ => false,
            };
            // Made again under another name it is the same edit.
            let is_made_again = later.again == Some(*stamp);
            other != stamp && (saw && replaces || is_made_again)
        });
        if is_replaced {
            continue;
        }
        let there = records(shown)
            .iter()
            .find(|there| there.birth.digest == record);
        let Some(there) = there else {
            return Err(format!("{stamp} is lost with its record: {meant:?}"));
        };
        let Some((field, value)) = expected else {
            continue;
        };
        let at = Path::default().entry("todos").record(there).entry(field);
        let stands = matches!(shown.found(&at), Some(Found::Node(Node::Register(there, _))) if there == value);
        let is_kept = shown.losers.keys().any(|loser| {
            loser.value.as_ref() == Some(value) && of_record(&loser.at) == Some(record)
        });
        if !stands && !is_kept {
            return Err(format!("{stamp} is lost: {meant:?}"));
        }
    }
    Ok(())
}

fn of_record(at: &Path) -> Option<Digest> {
    at.steps().iter().find_map(|step| match step {
        Step::Record(_, birth) => Some(*birth),
        Step::Entry(_) => None,
    })
}

/// A record is gone if who removed it knew all that was done to it.
fn nothing_comes_back(standing: &[(Stamp, &Meant)], shown: &Document) -> Result<(), String> {
    for (stamp, removal) in standing {
        let Meaning::Remove { record } = removal.meaning else {
            continue;
        };
        let is_contested = standing.iter().any(|(other, meant)| {
            let is_update = !matches!(meant.meaning, Meaning::Remove { .. });
            let touches = touches(&meant.meaning).is_some_and(|(touched, _)| touched == record);
            touches && is_update && !removal.seen.contains(other)
        });
        let stands = records(shown)
            .iter()
            .any(|there| there.birth.digest == record);
        if stands && !is_contested {
            return Err(format!("what {stamp} removed is there"));
        }
    }
    Ok(())
}

fn nothing_stands_twice(shown: &Document) -> Result<(), String> {
    let mut names = BTreeSet::new();
    let mut births = BTreeSet::new();
    for record in records(shown) {
        if !names.insert(record.name.said()) || !births.insert(record.birth.digest) {
            return Err(format!("{} stands twice", record.name.said()));
        }
    }
    Ok(())
}
