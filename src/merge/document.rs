//! Merging of documents: what is contested is decided, and what lost is kept.
//!
//! A file that carries the document marker needs no conflict markers: among concurrent values of a leaf one wins by rule
//! (`crdt::heads`), and the others stay beside it under `_crdt_conflicts` until somebody settles them. A record that one
//! side deleted while the other changed it comes back whole, and says so. Two different records that were born under one
//! identity are both kept, one of them under a new name that its own birth alone decides.
//!
//! Stamps only order what is contested: what each side *did* is told from the base, as everywhere in this folder.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::identity::{By, Slot};
use super::sides::Sides;
use crate::context::{
    self, ANNOTATION_KEY, Annotation, Birth, CONFLICTS_KEY, Conflicts, DEFINING_FIELDS, GROUPS,
    Loser, Lost, Marker, StampedValue, canonical, digest,
};
use crate::crdt::{Digest, Observed, Stamp, Write, heads};
use crate::yaml::{
    Body, Collection, Draft, EntryDraft, EntryRef, Kind, MadeEntry, NodeRef, Piece, Scalar, Side,
    Style, double_quoted,
};

/// Where a mapping stands in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The root: its annotation is the marker.
    Root,
    /// A member of a list of records: it carries an annotation of its own.
    Record,
    /// Anything else: its leaves are named in the annotation around it.
    Inner,
}

impl Role {
    pub(super) fn is_holder(self) -> bool {
        self != Role::Inner
    }
}

/// Whether a document is one of ours: its root carries the marker.
pub(super) fn is_document(root: NodeRef<'_>) -> bool {
    root.kind() == Kind::Mapping
        && text_of(root, ANNOTATION_KEY).is_some_and(|text| Marker::parse(&text).is_ok())
}

/// Whether a slot holds what this tool says about the record, not what the record says.
pub(super) fn is_about(slot: &Slot<'_>) -> bool {
    let name = slot.iter().flatten().find_map(|entry| entry.key());
    name.is_some_and(|key| [ANNOTATION_KEY, CONFLICTS_KEY].contains(&key.text().as_ref()))
}

fn text_of<'d>(node: NodeRef<'d>, key: &str) -> Option<Cow<'d, str>> {
    match node.get(key)?.value().scalar()? {
        Scalar::Str(text) => Some(text),
        _ => None,
    }
}

/// What a version of a record, or of the root, says about itself.
#[derive(Clone, Debug, Default)]
struct Known {
    types: BTreeMap<String, String>,
    annotation: Option<Annotation>,
    conflicts: Conflicts,
}

impl Known {
    fn of(node: Option<NodeRef<'_>>, role: Role) -> Self {
        let Some(node) = node else {
            return Self::default();
        };
        let text = text_of(node, ANNOTATION_KEY);
        let marker = text.as_deref().map(|text| match role {
            Role::Root => Marker::parse(text),
            _ => Annotation::parse(text).map(|annotation| Marker {
                types: BTreeMap::new(),
                annotation,
            }),
        });
        let (types, annotation) = match marker {
            Some(Ok(marker)) => (marker.types, Some(marker.annotation)),
            _ => (BTreeMap::new(), None),
        };
        let conflicts = text_of(node, CONFLICTS_KEY)
            .and_then(|text| Conflicts::parse(&text).ok())
            .unwrap_or_default();
        Self {
            types,
            annotation,
            conflicts,
        }
    }
}

/// The birth of a record: as written down, else as it stands.
pub(super) fn birth(record: NodeRef<'_>) -> Option<Birth> {
    let written = text_of(record, ANNOTATION_KEY)
        .and_then(|text| Annotation::parse(&text).ok())
        .and_then(|annotation| annotation.birth);
    written.or_else(|| {
        let defining = DEFINING_FIELDS
            .into_iter()
            .find_map(|field| record.get(field))?;
        Some(Birth {
            stamp: None,
            digest: digest(defining.value()),
        })
    })
}

/// The name that a record gets when another one has its identity.
fn renamed(identity: &str, birth: Birth) -> String {
    format!("{identity}-{}", birth.digest)
}

/// The identity that a record had before it was renamed, if it was.
pub(super) fn original_identity(record: NodeRef<'_>, identity: &str) -> Option<(String, Digest)> {
    let written = text_of(record, ANNOTATION_KEY)?;
    let birth = Annotation::parse(&written).ok()?.birth?;
    let original = identity.strip_suffix(&format!("-{}", birth.digest))?;
    Some((original.to_owned(), birth.digest))
}

/// Whether a record came back from a deletion that nobody has settled.
pub(super) fn is_revived(record: NodeRef<'_>) -> bool {
    let loser = Loser {
        leaf: String::new(),
        lost: Lost::Deletion,
    };
    record.kind() == Kind::Mapping
        && text_of(record, CONFLICTS_KEY)
            .and_then(|text| Conflicts::parse(&text).ok())
            .is_some_and(|conflicts| conflicts.contains(&loser))
}

/// Whether a record is as it was in the base; one without annotations is whatever annotations the base had, as a tool
/// dropped them.
pub(super) fn is_unchanged(base: NodeRef<'_>, record: NodeRef<'_>) -> bool {
    let about = |entry: &EntryRef<'_>| {
        let key = entry.key().map(NodeRef::text);
        key.is_some_and(|key| [ANNOTATION_KEY, CONFLICTS_KEY].contains(&key.as_ref()))
    };
    if !base.is_structured() || record.entries().any(|entry| about(&entry)) {
        return context::same(base, record);
    }
    base.entries()
        .filter(|entry| !about(entry))
        .chain(record.entries())
        .all(|entry| {
            let key = entry.key().map(NodeRef::text).unwrap_or_default();
            let (old, new) = (base.get(&key), record.get(&key));
            context::same_entry(old.map(EntryRef::value), new.map(EntryRef::value))
        })
}

/// A record that was born under the identity of another one, with its new name.
pub(super) struct Twin<'d> {
    /// The slot of the record that keeps the identity.
    pub(super) of: usize,
    /// The new name.
    name: String,
    /// The record.
    pub(super) entry: EntryDraft<'d>,
}

impl Twin<'_> {
    /// Whether it stands behind the record called `other`, which is another twin from an earlier merge.
    pub(super) fn stands_behind(&self, other: &str) -> bool {
        let family = self.name.rsplit_once('-').map_or("", |(name, _)| name);
        other.starts_with(family) && other.len() == self.name.len() && other < self.name.as_str()
    }
}

/// What the records of a slot are called, in a list of records.
pub(super) fn name_of(slot: &Slot<'_>, by: By) -> String {
    let By::Field(field) = by else {
        return String::new();
    };
    let names = [slot.ours, slot.theirs]
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.value().get(field)?.value().text().into_owned()));
    names.max_by_key(String::len).unwrap_or_default()
}

/// Decides what is contested in documents, and counts what was kept for people to settle.
#[derive(Default)]
pub(super) struct Keeper {
    /// Losing values that were added to the file.
    pub(super) kept: usize,
    /// Contests between values that no record holds: they are left to people.
    pub(super) unsettled: usize,
}

/// What a settled record or root says about itself: entries to be written in front.
#[derive(Default)]
pub(super) struct About<'d> {
    entries: Vec<EntryDraft<'d>>,
}

/// One version's view of a contested leaf.
struct Claim {
    value: Lost,
    stamp: Option<Stamp>,
    superseded: BTreeSet<Stamp>,
}

impl Keeper {
    /// Settles everything contested inside a record or the root, and says what it now says about itself.
    pub(super) fn settle_holder<'d>(
        &mut self,
        versions: Sides<Option<NodeRef<'d>>>,
        role: Role,
        slots: &[Slot<'d>],
        entries: &mut [Option<EntryDraft<'d>>],
        flow: bool,
    ) -> About<'d> {
        let mut known = versions.map(|node| Known::of(node, role));
        let base = known.base.annotation.clone().unwrap_or_default();
        // A tool that does not know annotations dropped them: that is no edit.
        let annotations = known
            .as_ref()
            .map(|known| known.annotation.clone().unwrap_or_else(|| base.clone()));
        let mut settling = Settling {
            versions,
            annotations: &annotations,
            losers: Vec::new(),
            winners: BTreeMap::new(),
        };
        settling.groups(slots, entries);
        for (slot, entry) in slots.iter().zip(entries.iter_mut()) {
            let Some(key) = slot.iter().flatten().find_map(|entry| entry.key()) else {
                continue;
            };
            if let Some(draft) = entry.take() {
                *entry = settling
                    .entry(draft, &mut vec![key.text().into_owned()], false)
                    .pop();
            }
        }
        let Settling {
            losers, winners, ..
        } = settling;
        let mut conflicts = Conflicts::merge(
            &known.base.conflicts,
            &known.ours.conflicts,
            &known.theirs.conflicts,
        );
        for (loser, stamp) in losers {
            if !conflicts.contains(&loser) {
                self.kept += 1;
            }
            conflicts.add(loser, stamp);
        }
        drop_winning_values(&mut conflicts, slots, entries);
        let annotation = merged_annotation(&annotations, &winners);
        let types = std::mem::take(&mut known.ours.types);
        let types = types.into_iter().chain(known.theirs.types).collect();
        let mut about = About::default();
        let text = match role {
            Role::Root => Marker { types, annotation }.to_string(),
            _ => annotation.to_string(),
        };
        about.push(versions, ANNOTATION_KEY, &text, flow);
        about.push(versions, CONFLICTS_KEY, &conflicts.to_string(), flow);
        about
    }

    /// Settles a list of records: deleted against changed, and two births of one identity, of which the second is
    /// returned.
    pub(super) fn settle_records<'d>(
        &mut self,
        field: &str,
        slots: &[Slot<'d>],
        entries: &mut [Option<EntryDraft<'d>>],
    ) -> Vec<Twin<'d>> {
        let mut added = Vec::new();
        for (index, (slot, entry)) in slots.iter().zip(entries.iter_mut()).enumerate() {
            match entry.take() {
                Some(EntryDraft::Only(_, kept)) => {
                    let loser = Loser {
                        leaf: String::new(),
                        lost: Lost::Deletion,
                    };
                    self.kept += 1;
                    *entry = Some(with_loser(*kept, loser));
                }
                Some(EntryDraft::Contested(made, theirs)) => {
                    let (None, Some(ours_record), Some(theirs_record)) =
                        (slot.base, slot.ours, slot.theirs)
                    else {
                        self.unsettled += 1;
                        *entry = Some(EntryDraft::Contested(made, theirs));
                        continue;
                    };
                    let (first, second, name) = both_births(field, ours_record, theirs_record);
                    self.kept += 1;
                    *entry = Some(first);
                    added.push(Twin {
                        of: index,
                        name,
                        entry: second,
                    });
                }
                other => *entry = other,
            }
        }
        added
    }
}

impl<'d> About<'d> {
    /// Adds `key` with `text`, if there is any text: as it stands in a version, where one has it so.
    fn push(&mut self, versions: Sides<Option<NodeRef<'d>>>, key: &str, text: &str, flow: bool) {
        if text.is_empty() {
            return;
        }
        let standing = versions.iter().flatten().find_map(|node| {
            let entry = node.get(key)?;
            let fits = node.data().flow == flow && text_of(*node, key).as_deref() == Some(text);
            fits.then_some(entry)
        });
        self.entries.push(match standing {
            Some(entry) => EntryDraft::Keep(entry),
            None => EntryDraft::Made(Box::new(scalar_entry(key, text.to_owned()))),
        });
    }

    /// Puts the entries where annotations stand: behind a first entry that is a scalar in one line and not alone, else
    /// in front; in the root and in braces always in front.
    pub(super) fn insert(self, role: Role, flow: bool, entries: &mut Vec<EntryDraft<'d>>) {
        let behind_first = role == Role::Record
            && !flow
            && entries.len() > 1
            && entries.first().is_some_and(is_one_line_scalar);
        let at = usize::from(behind_first);
        entries.splice(at..at, self.entries);
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

fn is_one_line_scalar(entry: &EntryDraft<'_>) -> bool {
    let scalar = |value: &Draft<'_>| match value {
        Draft::Keep(node) => {
            matches!(node.kind(), Kind::Scalar(style) if style != Style::Empty)
                && !node.raw().contains('\n')
        }
        Draft::Token(_) => true,
        _ => false,
    };
    match entry {
        EntryDraft::Keep(entry) => scalar(&Draft::Keep(entry.value())),
        EntryDraft::Made(made) => scalar(&made.body.value),
        _ => false,
    }
}

/// The settling of one record or root.
struct Settling<'k, 'd> {
    versions: Sides<Option<NodeRef<'d>>>,
    annotations: &'k Sides<Annotation>,
    losers: Vec<(Loser, Option<Stamp>)>,
    /// The side that won a contested leaf.
    winners: BTreeMap<String, Side>,
}

impl<'d> Settling<'_, 'd> {
    /// Decides groups of fields that both sides changed to something different: all fields are the winner's.
    fn groups(&mut self, slots: &[Slot<'d>], entries: &mut [Option<EntryDraft<'d>>]) {
        for group in GROUPS {
            let members: Vec<usize> = (0..slots.len())
                .filter(|&index| {
                    let key = slots[index].iter().flatten().find_map(|entry| entry.key());
                    key.is_some_and(|key| group.contains(&key.text().as_ref()))
                })
                .collect();
            let value = |of: fn(&Slot<'d>) -> Option<EntryRef<'d>>| -> Vec<Lost> {
                members
                    .iter()
                    .map(|&index| lost_value(of(&slots[index]).map(EntryRef::value)))
                    .collect()
            };
            let (base, ours, theirs) = (
                value(|slot| slot.base),
                value(|slot| slot.ours),
                value(|slot| slot.theirs),
            );
            if members.len() < 2 || ours == base || theirs == base || ours == theirs {
                continue;
            }
            let latest = |side: Side| {
                members
                    .iter()
                    .filter_map(|&index| {
                        let key = slots[index]
                            .iter()
                            .flatten()
                            .find_map(|entry| entry.key())?;
                        self.claim(&[key.text().into_owned()], side, None).stamp
                    })
                    .max()
            };
            let (mine, others) = ((latest(Side::Ours), &ours), (latest(Side::Theirs), &theirs));
            let winner = if mine >= others {
                Side::Ours
            } else {
                Side::Theirs
            };
            for (position, &index) in members.iter().enumerate() {
                let slot = &slots[index];
                let Some(key) = slot.iter().flatten().find_map(|entry| entry.key()) else {
                    continue;
                };
                let leaf = Annotation::path([key.text().as_ref()]);
                let (won, lost) = match winner {
                    Side::Ours => (slot.ours, &theirs[position]),
                    Side::Theirs => (slot.theirs, &ours[position]),
                };
                let lost_stamp = if winner == Side::Ours {
                    others.0
                } else {
                    mine.0
                };
                if lost_value(won.map(EntryRef::value)) != *lost && *lost != base[position] {
                    let loser = Loser {
                        leaf: leaf.clone(),
                        lost: lost.clone(),
                    };
                    self.losers.push((loser, lost_stamp));
                }
                self.winners.insert(leaf, winner);
                entries[index] = won.map(EntryDraft::Keep);
            }
        }
    }

    /// Settles an entry and all that it holds. `names` leads to it; members of a list have the list's own names.
    fn entry(
        &mut self,
        draft: EntryDraft<'d>,
        names: &mut Vec<String>,
        in_list: bool,
    ) -> Vec<EntryDraft<'d>> {
        match draft {
            EntryDraft::Keep(_) => vec![draft],
            EntryDraft::Made(mut made) => {
                self.value(&mut made.body.value, names);
                vec![EntryDraft::Made(made)]
            }
            EntryDraft::Only(_, kept) if in_list => vec![*kept],
            EntryDraft::Only(_, kept) => {
                self.losers.push((
                    Loser {
                        leaf: path(names),
                        lost: Lost::Deletion,
                    },
                    None,
                ));
                vec![*kept]
            }
            EntryDraft::Contested(made, theirs) if in_list => {
                // A list keeps what both wrote.
                let mut other = made.clone();
                other.body = theirs;
                other.lead = Piece::default();
                let mut both = [made, other];
                both.sort_by_key(|made| lost_draft(&made.body.value));
                both.map(EntryDraft::Made).into()
            }
            EntryDraft::Contested(mut made, theirs) => {
                let mine = self.claim(names, Side::Ours, Some(&made.body.value));
                let others = self.claim(names, Side::Theirs, Some(&theirs.value));
                let leaf = path(names);
                let winner = self.decide(&leaf, mine, others);
                self.winners.insert(leaf, winner);
                if winner == Side::Theirs {
                    made.body = theirs;
                }
                vec![EntryDraft::Made(made)]
            }
        }
    }

    fn value(&mut self, value: &mut Draft<'d>, names: &mut Vec<String>) {
        let Draft::Collection(collection) = value else {
            return;
        };
        let list = collection.kind == Kind::Sequence;
        let entries = std::mem::take(&mut collection.entries);
        for entry in entries {
            let name = if list { None } else { key_of(&entry) };
            let named = name.is_some();
            names.extend(name);
            let settled = self.entry(entry, names, list);
            collection.entries.extend(settled);
            if named {
                names.pop();
            }
        }
    }

    /// What one side has to say for its value of a leaf.
    fn claim(&self, names: &[String], side: Side, draft: Option<&Draft<'d>>) -> Claim {
        let (root, annotation) = match side {
            Side::Ours => (self.versions.ours, &self.annotations.ours),
            Side::Theirs => (self.versions.theirs, &self.annotations.theirs),
        };
        let leaf = path(names);
        let node = names.iter().try_fold(root, |node, name| {
            Some(node?.get(name).map(EntryRef::value))
        });
        let node = node.flatten();
        let known: BTreeSet<Stamp> = self.annotations.base.stamps().collect();
        let stamp = node.and_then(|node| {
            annotation
                .fitting(&leaf, digest(node))
                .filter(|stamp| !known.contains(stamp))
                .max()
        });
        let superseded = stamp
            .and_then(|stamp| annotation.superseded.get(&stamp))
            .cloned()
            .unwrap_or_default();
        Claim {
            value: draft.map_or_else(|| lost_value(node), lost_draft),
            stamp,
            superseded,
        }
    }

    /// The side whose value stands; the other's is kept unless it was superseded.
    fn decide(&mut self, leaf: &str, mine: Claim, others: Claim) -> Side {
        let write = |claim: &Claim| {
            let mut observed = Observed::default();
            for &stamp in &claim.superseded {
                observed.add_stamp(stamp);
            }
            Write {
                value: claim.value.clone(),
                digest: Digest::of(format!("{:?}", claim.value).as_bytes()),
                stamp: claim.stamp,
                observed,
            }
        };
        // A record that got a new name because of its birth has it wherever it is known under the old one.
        if self.is_former_name(&mine.value, &others.value) {
            return Side::Theirs;
        }
        if self.is_former_name(&others.value, &mine.value) {
            return Side::Ours;
        }
        let Some(heads) = heads(&[write(&mine), write(&others)]) else {
            return if mine.value >= others.value {
                Side::Ours
            } else {
                Side::Theirs
            };
        };
        for (lost, stamp) in heads.losers {
            let loser = Loser {
                leaf: leaf.to_owned(),
                lost,
            };
            self.losers.push((loser, stamp));
        }
        if heads.winner.0 == mine.value {
            Side::Ours
        } else {
            Side::Theirs
        }
    }
}

impl Settling<'_, '_> {
    /// Whether `new` is the name that the record's birth gave to it in the place of `old`.
    fn is_former_name(&self, old: &Lost, new: &Lost) -> bool {
        let births = [&self.annotations.ours, &self.annotations.theirs];
        let (Lost::Value(old), Lost::Value(new)) = (old, new) else {
            return false;
        };
        births
            .into_iter()
            .filter_map(|annotation| annotation.birth)
            .any(|birth| {
                let old = old.trim_matches('"');
                !old.is_empty() && *new == double_quoted(&renamed(old, birth))
            })
    }
}

fn path(names: &[String]) -> String {
    Annotation::path(names.iter().map(String::as_str))
}

fn key_of(entry: &EntryDraft<'_>) -> Option<String> {
    match entry {
        EntryDraft::Keep(entry) => entry.key().map(|key| key.text().into_owned()),
        EntryDraft::Made(made) | EntryDraft::Contested(made, _) => {
            let head = made.head.trim().strip_suffix(':')?.trim();
            let text = format!("{head}: 0\n");
            let document =
                crate::yaml::Document::from_text(text, &crate::yaml::Limits::default()).ok()?;
            let key = document
                .root()?
                .entries()
                .next()?
                .key()?
                .text()
                .into_owned();
            Some(key)
        }
        EntryDraft::Only(_, entry) => key_of(entry),
    }
}

fn lost_value(node: Option<NodeRef<'_>>) -> Lost {
    node.map_or(Lost::Deletion, |node| Lost::Value(canonical(node)))
}

/// The canonical text of a value to be written.
fn lost_draft(draft: &Draft<'_>) -> Lost {
    Lost::Value(match draft {
        Draft::Keep(node) => canonical(*node),
        Draft::Token(text) => text.clone().into_owned(),
        Draft::Block(text) => double_quoted(&text.text()),
        Draft::Collection(_) => String::new(),
    })
}

/// A value that won after all, or that both sides now have, is no loser.
fn drop_winning_values(
    conflicts: &mut Conflicts,
    slots: &[Slot<'_>],
    entries: &[Option<EntryDraft<'_>>],
) {
    for (slot, entry) in slots.iter().zip(entries) {
        let Some(key) = slot.iter().flatten().find_map(|entry| entry.key()) else {
            continue;
        };
        let lost = match entry {
            None => Lost::Deletion,
            Some(EntryDraft::Keep(entry)) => lost_value(Some(entry.value())),
            Some(EntryDraft::Made(made)) => lost_draft(&made.body.value),
            Some(_) => continue,
        };
        conflicts.remove(&Loser {
            leaf: Annotation::path([key.text().as_ref()]),
            lost,
        });
    }
}

/// The stamps of a merged record: for every leaf those of the side that changed it, for a contested one those of the
/// winner, for one that was put together from both sides those of both.
fn merged_annotation(versions: &Sides<Annotation>, winners: &BTreeMap<String, Side>) -> Annotation {
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
        let stamps = match winners.get(leaf) {
            Some(Side::Ours) => mine,
            Some(Side::Theirs) => others,
            None if mine == before => others,
            None if others == before => mine,
            None if digests(&mine) == digests(&others) => {
                // One value written on both sides is as old as its latest stamp.
                mine.union(&others).max().into_iter().copied().collect()
            }
            None => mine.union(&others).copied().collect(),
        };
        if !stamps.is_empty() {
            merged.leaves.insert(leaf.clone(), stamps);
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
                .extend(superseded);
        }
    }
    merged
}

fn digests(stamps: &BTreeSet<StampedValue>) -> BTreeSet<Digest> {
    stamps.iter().map(|stamped| stamped.digest).collect()
}

/// A record with one more losing value.
fn with_loser<'d>(entry: EntryDraft<'d>, loser: Loser) -> EntryDraft<'d> {
    let mut entry = entry;
    let Some(collection) = entry.open().and_then(|made| made.body.value.open()) else {
        return entry;
    };
    let like = collection.like;
    let mut conflicts = like
        .and_then(|node| text_of(node, CONFLICTS_KEY))
        .and_then(|text| Conflicts::parse(&text).ok())
        .unwrap_or_default();
    conflicts.add(loser, None);
    write_about(collection, CONFLICTS_KEY, conflicts.to_string());
    entry
}

/// Sets `_crdt` or `_crdt_conflicts` of a record that was opened.
pub(super) fn write_about(collection: &mut Collection<'_>, key: &str, text: String) {
    let is = |entry: &EntryDraft<'_>, name: &str| key_of(entry).as_deref() == Some(name);
    let annotation = collection
        .entries
        .iter()
        .position(|entry| is(entry, ANNOTATION_KEY));
    collection.entries.retain(|entry| !is(entry, key));
    let made = EntryDraft::Made(Box::new(scalar_entry(key, text)));
    let at = match annotation {
        Some(at) if key == CONFLICTS_KEY => at + 1,
        _ => {
            let behind_first = !collection.flow
                && collection.entries.len() > 1
                && collection.entries.first().is_some_and(is_one_line_scalar);
            usize::from(behind_first)
        }
    };
    collection
        .entries
        .insert(at.min(collection.entries.len()), made);
}

/// Two records born under one identity: the earlier birth keeps it, the other is renamed and its birth written down.
fn both_births<'d>(
    field: &str,
    ours: EntryRef<'d>,
    theirs: EntryRef<'d>,
) -> (EntryDraft<'d>, EntryDraft<'d>, String) {
    let order = |entry: EntryRef<'_>| (birth(entry.value()), canonical(entry.value()));
    let (first, second) = if order(ours) <= order(theirs) {
        (ours, theirs)
    } else {
        (theirs, ours)
    };
    let mut draft = EntryDraft::Keep(second);
    let mut name = String::new();
    if let Some(birth) = birth(second.value())
        && let Some(collection) = draft.open().and_then(|made| made.body.value.open())
    {
        for entry in &mut collection.entries {
            if key_of(entry).as_deref() == Some(field)
                && let Some(made) = entry.open()
                && let Draft::Keep(node) = made.body.value
            {
                name = renamed(&node.text(), birth);
                let quoted = node.raw().starts_with(['"', '\'']);
                let token = if quoted {
                    double_quoted(&name)
                } else {
                    name.clone()
                };
                made.body.value = Draft::Token(Cow::Owned(token));
            }
        }
        let mut annotation = text_of(second.value(), ANNOTATION_KEY)
            .and_then(|text| Annotation::parse(&text).ok())
            .unwrap_or_default();
        annotation.birth = Some(birth);
        write_about(collection, ANNOTATION_KEY, annotation.to_string());
    }
    (EntryDraft::Keep(first), draft, name)
}
