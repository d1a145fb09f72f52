//! What a merged record or root says about itself, and how that gets into a draft.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::lost_value;
use crate::context::{
    ANNOTATION_KEY, Annotation, Birth, CONFLICTS_KEY, Conflicts, IDENTITY_FIELDS, Loser, Lost, Own,
    Role, StampedValue, is_one_line, leaf_at, place_among,
};
use crate::crdt::Stamp;
use crate::merge::sides::Sides;
use crate::yaml::{
    Body, Collection, Document, Draft, EntryDraft, EntryRef, FileDraft, Kind, Limits, MadeEntry,
    NodeRef, PartDraft, Piece, Scalar, Side, double_quoted,
};

/// What a settled record or root says about itself, as entries of its draft.
#[derive(Default)]
pub(in crate::merge) struct About<'d> {
    entries: Vec<EntryDraft<'d>>,
}

impl<'d> About<'d> {
    /// What `own` says: as it stands in one of the versions, where one has it so.
    pub(super) fn new(
        own: &Own,
        role: Role,
        flow: bool,
        versions: impl Iterator<Item = NodeRef<'d>> + Clone,
    ) -> Self {
        let texts = [
            (ANNOTATION_KEY, own.annotation_text(role)),
            (CONFLICTS_KEY, own.conflicts_text()),
        ];
        let entry = |(key, text): (&str, Option<String>)| {
            let text = text?;
            let standing = versions
                .clone()
                .filter(|node| node.data().flow == flow)
                .filter_map(|node| node.get(key))
                .filter(|entry| entry.value().scalar() == Some(Scalar::Str((&text).into())));
            // Whichever side is ours, the answer must be the same.
            Some(match standing.max_by_key(|entry| entry.raw()) {
                Some(entry) => EntryDraft::Keep(entry),
                None => EntryDraft::Made(Box::new(scalar_entry(key, text))),
            })
        };
        Self {
            entries: texts.into_iter().filter_map(entry).collect(),
        }
    }

    /// Puts the entries where annotations stand among the others.
    pub(in crate::merge) fn insert(
        self,
        role: Role,
        flow: bool,
        entries: &mut Vec<EntryDraft<'d>>,
    ) {
        let first_is_one_line = || entries.first().is_some_and(is_one_line_draft);
        let at = place_among(role, flow, entries.len(), first_is_one_line);
        entries.splice(at..at, self.entries);
    }
}

/// A record that says something else about itself; unless it may carry nothing, then it stays as it is.
pub(super) fn saying<'d>(record: EntryRef<'d>, change: impl FnOnce(&mut Own)) -> EntryDraft<'d> {
    let node = record.value();
    let role = Role::of_member(node);
    let mut entry = EntryDraft::Keep(record);
    if role.is_holder()
        && let Some(collection) = entry.open().and_then(|made| made.body.value.open())
    {
        let mut own = Own::of(node, role);
        change(&mut own);
        say(collection, &own, role, node);
    }
    entry
}

/// Has an opened root or record, which is `node` in one of the versions, say `own` about itself.
pub(in crate::merge) fn say<'d>(
    collection: &mut Collection<'d>,
    own: &Own,
    role: Role,
    node: NodeRef<'d>,
) {
    collection.entries.retain(|entry| {
        key_of(entry).is_none_or(|key| key != ANNOTATION_KEY && key != CONFLICTS_KEY)
    });
    let about = About::new(own, role, collection.flow, std::iter::once(node));
    about.insert(role, collection.flow, &mut collection.entries);
}

/// Writes a birth down in a record that may carry it.
pub(super) fn bear(entry: &mut EntryDraft<'_>, birth: Birth) {
    let Some(collection) = entry.open().and_then(|made| made.body.value.open()) else {
        return;
    };
    let is_annotation = |entry: &EntryDraft<'_>| key_of(entry).as_deref() == Some(ANNOTATION_KEY);
    let standing = collection.entries.iter().position(is_annotation);
    let text = standing.and_then(|at| match &collection.entries[at] {
        EntryDraft::Keep(entry) => Some(entry.value().text().into_owned()),
        EntryDraft::Made(made) => match &made.body.value {
            Draft::Keep(node) => Some(node.text().into_owned()),
            Draft::Token(text) => Some(text.clone().into_owned()),
            Draft::Block(_) | Draft::Collection(_) => None,
        },
        EntryDraft::Contested(..) | EntryDraft::Only(..) => None,
    });
    let annotation = text.and_then(|text| Annotation::parse(&text).ok());
    let annotation = Annotation {
        birth: Some(birth),
        ..annotation.unwrap_or_default()
    };
    let made = EntryDraft::Made(Box::new(scalar_entry(
        ANNOTATION_KEY,
        annotation.to_string(),
    )));
    match standing {
        Some(at) => collection.entries[at] = made,
        None => {
            let about = About {
                entries: vec![made],
            };
            about.insert(Role::Record, collection.flow, &mut collection.entries);
        }
    }
}

fn scalar_entry<'d>(key: &str, text: String) -> MadeEntry<'d> {
    MadeEntry {
        lead: Piece::default(),
        head: Cow::Owned(format!("{key}:")),
        body: Body {
            sep: Piece::new(" ", 0),
            value: Draft::Token(Cow::Owned(text)),
            beside: Cow::Borrowed(""),
        },
        below: Piece::default(),
        origin: None,
    }
}

/// Whether an entry will be a scalar in one line, with its key.
pub(in crate::merge) fn is_one_line_draft(entry: &EntryDraft<'_>) -> bool {
    match entry {
        EntryDraft::Keep(entry) => is_one_line(*entry),
        EntryDraft::Made(made) if made.body.sep.text.contains(['\n', '\r']) => false,
        EntryDraft::Made(made) => match &made.body.value {
            Draft::Keep(node) => {
                matches!(node.kind(), Kind::Scalar(_))
                    && !node.is_block_scalar()
                    && !node.raw_with_props().contains(['\n', '\r'])
            }
            Draft::Token(_) => true,
            Draft::Block(_) | Draft::Collection(_) => false,
        },
        EntryDraft::Contested(..) | EntryDraft::Only(..) => false,
    }
}

/// The key of an entry of a mapping.
pub(super) fn key_of(entry: &EntryDraft<'_>) -> Option<String> {
    match entry {
        EntryDraft::Keep(entry) => entry.key().map(|key| key.text().into_owned()),
        EntryDraft::Made(made) | EntryDraft::Contested(made, _) => {
            let head = made.head.trim().strip_suffix(':')?.trim();
            let text = format!("{head}: 0\n");
            let document = Document::from_text(text, &Limits::default()).ok()?;
            let entry = document.root()?.entries().next()?;
            Some(entry.key()?.text().into_owned())
        }
        EntryDraft::Only(_, entry) => key_of(entry),
    }
}

/// What a record of a list will be called in the field that identifies it; where that is contested, on our side.
pub(super) fn record_name(entry: &EntryDraft<'_>, field: &str) -> Option<String> {
    let record = match entry {
        EntryDraft::Keep(entry) => return text_in(entry.value(), field),
        EntryDraft::Made(made) | EntryDraft::Contested(made, _) => &made.body.value,
        EntryDraft::Only(_, entry) => return record_name(entry, field),
    };
    if let Draft::Keep(node) = record {
        return text_in(*node, field);
    }
    match identity_draft(entry, field)? {
        EntryDraft::Keep(entry) => Some(entry.value().text().into_owned()),
        EntryDraft::Made(made) | EntryDraft::Contested(made, _) => match &made.body.value {
            Draft::Keep(node) => Some(node.text().into_owned()),
            _ => None,
        },
        EntryDraft::Only(..) => None,
    }
}

/// The entry of a record that was opened which identifies it.
pub(super) fn identity_draft<'e, 'd>(
    record: &'e EntryDraft<'d>,
    field: &str,
) -> Option<&'e EntryDraft<'d>> {
    let (EntryDraft::Made(made) | EntryDraft::Contested(made, _)) = record else {
        return None;
    };
    let Draft::Collection(collection) = &made.body.value else {
        return None;
    };
    let mut entries = collection.entries.iter();
    entries.find(|entry| key_of(entry).as_deref() == Some(field))
}

fn text_in(record: NodeRef<'_>, field: &str) -> Option<String> {
    Some(record.get(field)?.value().text().into_owned())
}

/// The canonical text of a value to be written.
pub(super) fn lost_draft(draft: &Draft<'_>) -> Lost {
    Lost::Value(match draft {
        Draft::Keep(node) => crate::context::canonical(*node),
        Draft::Block(text) => double_quoted(&text.text()),
        Draft::Token(_) | Draft::Collection(_) => {
            let part = PartDraft {
                head: Cow::Borrowed(""),
                root: draft.clone(),
                beside: Cow::Borrowed(""),
                rest: Cow::Borrowed(""),
            };
            let file = FileDraft {
                parts: vec![part],
                newline: "\n",
                final_newline: true,
            };
            let text = file.emit(Side::Ours);
            let read = Document::from_text(text.clone(), &Limits::default());
            // What uses an anchor from elsewhere does not read back alone.
            read.ok()
                .and_then(|document| document.root().map(crate::context::canonical))
                .unwrap_or_else(|| double_quoted(text.trim_end()))
        }
    })
}

/// A value that won after all, or that both sides now have, is no loser.
pub(super) fn drop_winning_values(conflicts: &mut Conflicts, entries: &[Option<EntryDraft<'_>>]) {
    let losers: Vec<Loser> = conflicts.iter().map(|(loser, _)| loser.clone()).collect();
    for loser in losers {
        let names = Annotation::names(&loser.leaf);
        if !names.is_empty() && shown(entries.iter().flatten(), &names) == loser.lost {
            conflicts.remove(&loser);
        }
    }
}

/// What a merged mapping shows for one of its leaves.
fn shown<'e, 'd: 'e>(
    mut entries: impl Iterator<Item = &'e EntryDraft<'d>>,
    names: &[String],
) -> Lost {
    let Some((name, rest)) = names.split_first() else {
        return Lost::Deletion;
    };
    let entry = entries.find(|entry| key_of(entry).as_deref() == Some(name));
    entry.map_or(Lost::Deletion, |entry| shown_in(entry, rest))
}

fn shown_in(entry: &EntryDraft<'_>, names: &[String]) -> Lost {
    let value = match entry {
        EntryDraft::Keep(entry) => &Draft::Keep(entry.value()),
        EntryDraft::Made(made) | EntryDraft::Contested(made, _) => &made.body.value,
        EntryDraft::Only(_, entry) => return shown_in(entry, names),
    };
    match (value, names) {
        (_, []) => lost_draft(value),
        (Draft::Keep(node), _) => lost_value(leaf_at(*node, names).map(EntryRef::value)),
        (Draft::Collection(collection), _) if collection.kind == Kind::Mapping => {
            shown(collection.entries.iter(), names)
        }
        (Draft::Collection(collection), [name, rest @ ..]) => {
            let called = |field: &str| {
                let mut records = collection.entries.iter();
                records.find(|entry| record_name(entry, field).as_ref() == Some(name))
            };
            let record = IDENTITY_FIELDS.iter().find_map(|field| called(field));
            record.map_or(Lost::Deletion, |record| shown_in(record, rest))
        }
        (Draft::Token(_) | Draft::Block(_), _) => Lost::Deletion,
    }
}

/// The stamps of a merged record: for every leaf those of the side that changed it, for a contested one those of the
/// winner, for one that was put together from both sides those of both.
pub(super) fn merged_annotation(
    versions: &Sides<Annotation>,
    winners: &BTreeMap<String, Side>,
) -> Annotation {
    let Sides { base, ours, theirs } = versions;
    let mut merged = Annotation {
        birth: match (ours.birth, theirs.birth) {
            (Some(mine), Some(others)) => Some(mine.min(others)),
            (mine, others) => mine.or(others),
        },
        ..Annotation::default()
    };
    let leaves: BTreeSet<&String> = ours.leaves.keys().chain(theirs.leaves.keys()).collect();
    for leaf in leaves {
        let of = |annotation: &Annotation| -> BTreeSet<StampedValue> {
            annotation.leaves.get(leaf).cloned().unwrap_or_default()
        };
        let (before, mine, others) = (of(base), of(ours), of(theirs));
        let in_both = &mine & &others;
        // What an edit superseded stays so although it lost.
        let says = |side: &Annotation, stamps: BTreeSet<StampedValue>| {
            let mut stamps = stamps;
            stamps.retain(|stamped| side.superseded.contains_key(&stamped.stamp));
            stamps
        };
        let mut stamps = match winners.get(leaf) {
            Some(Side::Ours) => &mine | &says(theirs, others),
            Some(Side::Theirs) => &others | &says(ours, mine),
            None if mine == before => others,
            None if others == before => mine,
            None => {
                // One value written on both sides is as old as its latest stamp.
                let all = &mine | &others;
                let is_latest = |stamped: &&StampedValue| {
                    let same = |other: &&StampedValue| other.digest == stamped.digest;
                    all.iter().rfind(same) == Some(*stamped)
                };
                let said = &says(ours, mine) | &says(theirs, others);
                all.iter().filter(is_latest).copied().chain(said).collect()
            }
        };
        // What either side dropped, to save space or for an edit of its own, is gone whatever else is merged.
        stamps.retain(|stamped| !before.contains(stamped) || in_both.contains(stamped));
        if !stamps.is_empty() {
            merged.leaves.insert(leaf.clone(), stamps);
        }
    }
    let counters: BTreeSet<&String> = ours.amounts.keys().chain(theirs.amounts.keys()).collect();
    for leaf in counters {
        let of =
            |annotation: &Annotation| annotation.amounts.get(leaf).cloned().unwrap_or_default();
        let (before, mine, others) = (of(base), of(ours), of(theirs));
        let is_given_up = |stamp: &Stamp| {
            before.contains_key(stamp) && !(mine.contains_key(stamp) && others.contains_key(stamp))
        };
        let mut amounts = mine.clone();
        amounts.extend(&others);
        amounts.retain(|stamp, _| !is_given_up(stamp));
        if !amounts.is_empty() {
            merged.amounts.insert(leaf.clone(), amounts);
        }
    }
    let standing: BTreeSet<Stamp> = merged
        .leaves
        .values()
        .flatten()
        .map(|stamped| stamped.stamp)
        .collect();
    for side in [ours, theirs] {
        for (stamp, superseded) in side
            .superseded
            .iter()
            .filter(|(stamp, _)| standing.contains(stamp))
        {
            merged
                .superseded
                .entry(*stamp)
                .or_default()
                .union(superseded);
        }
    }
    merged
}
