//! Which entries of three versions of a collection are the same one.
//!
//! Entries of a mapping are known by their key; entries of a list of records by the field that identifies a record; all
//! others by what they hold and where they stand (`similar.rs`).

use std::hash::BuildHasherDefault;

use rustc_hash::FxHasher;

use super::sides::Sides;
use super::similar;
use crate::yaml::{EntryRef, Kind, NodeRef, Scalar};

type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<FxHasher>>;

/// The fields that may identify the records of a list; the first counts that every record of all versions has, each
/// with another value.
const IDENTITY_FIELDS: [&str; 6] = ["id", "name", "key", "title", "issue", "path"];

/// Fields that tell whether two records that came into being with the same identity are one and the same.
const DEFINING_FIELDS: [&str; 2] = ["title", "name"];

/// The three versions of one entry.
pub(super) type Slot<'d> = Sides<Option<EntryRef<'d>>>;

/// The entries of three versions, matched.
pub(super) struct Matched<'d> {
    /// One for each entry.
    pub(super) slots: Vec<Slot<'d>>,
    /// The order of each version, as indices of `slots`.
    pub(super) orders: Sides<Vec<u32>>,
    /// What the entries were matched by.
    pub(super) by: By,
}

/// What entries are known by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The key of a mapping.
    Key,
    /// A field of the records of a list.
    Field(&'static str),
    /// Content and place.
    Content,
}

/// Matches the entries of three versions of a collection of one kind.
pub(super) fn matched<'d>(versions: Sides<Option<NodeRef<'d>>>) -> Matched<'d> {
    let kind = versions.ours.map(NodeRef::kind);
    if kind == Some(Kind::Mapping) {
        return by_identity(versions, By::Key, |entry| {
            entry.key().and_then(NodeRef::scalar)
        });
    }
    match identity_field(versions) {
        Some(field) => by_identity(versions, By::Field(field), move |entry| {
            identity(entry, field)
        }),
        None => by_content(versions),
    }
}

fn identity<'d>(entry: EntryRef<'d>, field: &str) -> Option<Scalar<'d>> {
    let value = entry.value();
    if value.kind() != Kind::Mapping || !value.is_structured() {
        return None;
    }
    value
        .get(field)?
        .value()
        .scalar()
        .filter(|scalar| !matches!(scalar, Scalar::Null))
}

fn identity_field(versions: Sides<Option<NodeRef<'_>>>) -> Option<&'static str> {
    IDENTITY_FIELDS.into_iter().find(|field| {
        let mut any = false;
        let unique = versions.iter().flatten().all(|node| {
            let mut seen = std::collections::HashSet::<_, BuildHasherDefault<FxHasher>>::default();
            node.entries().all(|entry| {
                any = true;
                identity(entry, field).is_some_and(|identity| seen.insert(identity))
            })
        });
        any && unique
    })
}

fn by_identity<'d>(
    versions: Sides<Option<NodeRef<'d>>>,
    by: By,
    identity: impl Fn(EntryRef<'d>) -> Option<Scalar<'d>>,
) -> Matched<'d> {
    let most = versions
        .iter()
        .flatten()
        .map(|node| node.len())
        .max()
        .unwrap_or_default();
    let mut known: Map<Option<Scalar<'d>>, u32> =
        Map::with_capacity_and_hasher(most, BuildHasherDefault::default());
    let mut slots: Vec<Slot<'d>> = Vec::with_capacity(most);
    let mut number = |entry: EntryRef<'d>, set: fn(&mut Slot<'d>, EntryRef<'d>)| {
        let index = *known.entry(identity(entry)).or_insert_with(|| {
            slots.push(Slot::default());
            (slots.len() - 1) as u32
        });
        set(&mut slots[index as usize], entry);
        index
    };
    let entries = |node: Option<NodeRef<'d>>| node.into_iter().flat_map(NodeRef::entries);
    let base = entries(versions.base)
        .map(|entry| number(entry, |slot, entry| slot.base = Some(entry)))
        .collect();
    let ours = entries(versions.ours)
        .map(|entry| number(entry, |slot, entry| slot.ours = Some(entry)))
        .collect();
    let theirs = entries(versions.theirs)
        .map(|entry| number(entry, |slot, entry| slot.theirs = Some(entry)))
        .collect();
    let mut matched = Matched {
        slots,
        orders: Sides { base, ours, theirs },
        by,
    };
    if matches!(by, By::Field(_)) {
        similar::follow_renames(&mut matched);
    }
    matched
}

fn by_content(versions: Sides<Option<NodeRef<'_>>>) -> Matched<'_> {
    let Sides { base, ours, theirs } = versions
        .map(|node| -> Vec<EntryRef<'_>> { node.into_iter().flat_map(NodeRef::entries).collect() });
    let mut slots: Vec<Slot<'_>> = base
        .iter()
        .map(|&entry| Slot {
            base: Some(entry),
            ..Slot::default()
        })
        .collect();
    let mut number = |side: &[EntryRef<'_>], found: Vec<Option<usize>>| -> Vec<u32> {
        let mut next = slots.len();
        let numbers = found
            .into_iter()
            .map(|found| {
                found.unwrap_or_else(|| {
                    next += 1;
                    next - 1
                }) as u32
            })
            .collect();
        slots.resize(next, Slot::default());
        debug_assert!(side.len() <= next);
        numbers
    };
    let ours_order = number(&ours, similar::align(&base, &ours));
    let mut theirs_order = number(&theirs, similar::align(&base, &theirs));
    for (&index, &entry) in ours_order.iter().zip(&ours) {
        slots[index as usize].ours = Some(entry);
    }
    // What both sides added stands once.
    let added = |order: &[u32], side: &[EntryRef<'_>]| -> Vec<(usize, u64)> {
        order
            .iter()
            .enumerate()
            .filter(|&(_, &index)| index as usize >= base.len())
            .map(|(at, _)| (at, side[at].value().meaning_hash()))
            .collect()
    };
    let mut ours_added: Map<u64, std::collections::VecDeque<u32>> = Map::default();
    for (at, hash) in added(&ours_order, &ours) {
        ours_added
            .entry(hash)
            .or_default()
            .push_back(ours_order[at]);
    }
    for (at, hash) in added(&theirs_order, &theirs) {
        if let Some(index) = ours_added
            .get_mut(&hash)
            .and_then(std::collections::VecDeque::pop_front)
        {
            theirs_order[at] = index;
        }
    }
    for (&index, &entry) in theirs_order.iter().zip(&theirs) {
        slots[index as usize].theirs = Some(entry);
    }
    Matched {
        slots,
        orders: Sides {
            base: (0..base.len() as u32).collect(),
            ours: ours_order,
            theirs: theirs_order,
        },
        by: By::Content,
    }
}

/// Whether two records that both sides added under one identity are two records, not one: what names them differs.
pub(super) fn are_different_births(ours: NodeRef<'_>, theirs: NodeRef<'_>, identity: &str) -> bool {
    DEFINING_FIELDS
        .into_iter()
        .filter(|&field| field != identity)
        .find_map(|field| Some((ours.get(field)?, theirs.get(field)?)))
        .is_some_and(|(a, b)| !a.value().means(b.value()))
}
