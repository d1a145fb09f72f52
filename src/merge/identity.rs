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
    let entries = versions.map(|node| node.into_iter().flat_map(NodeRef::entries).collect());
    let (slots, orders) = members(&entries, EntryRef::value);
    Matched {
        slots,
        orders,
        by: By::Content,
    }
}

/// The members of three versions of a sequence, matched by content and place, and the order of each version.
pub(super) fn members<'d, T: Copy>(
    versions: &Sides<Vec<T>>,
    value: impl Fn(T) -> NodeRef<'d>,
) -> (Vec<Sides<Option<T>>>, Sides<Vec<u32>>) {
    let Sides { base, ours, theirs } = versions;
    let nodes = |side: &[T]| -> Vec<NodeRef<'d>> { side.iter().map(|&item| value(item)).collect() };
    let hashes = |side: &[NodeRef<'_>]| -> Vec<u64> {
        side.iter().map(|node| node.meaning_hash()).collect()
    };
    let (base_nodes, ours_nodes, theirs_nodes) = (nodes(base), nodes(ours), nodes(theirs));
    let (base_hashes, ours_hashes, theirs_hashes) = (
        hashes(&base_nodes),
        hashes(&ours_nodes),
        hashes(&theirs_nodes),
    );
    if is_tuple(&base_nodes, &ours_nodes, &theirs_nodes) {
        return by_place(versions);
    }
    let mut ours_found = similar::align(&base_nodes, &base_hashes, &ours_nodes, &ours_hashes);
    let mut theirs_found = similar::align(&base_nodes, &base_hashes, &theirs_nodes, &theirs_hashes);
    unpair_twins(
        &base_hashes,
        (&mut ours_found, &ours_hashes),
        (&mut theirs_found, &theirs_hashes),
    );
    unpair_additions(
        &base_hashes,
        (&mut ours_found, &ours_hashes),
        (&theirs_found, &theirs_hashes),
    );
    unpair_additions(
        &base_hashes,
        (&mut theirs_found, &theirs_hashes),
        (&ours_found, &ours_hashes),
    );
    let mut slots: Vec<Sides<Option<T>>> = base
        .iter()
        .map(|&item| Sides {
            base: Some(item),
            ours: None,
            theirs: None,
        })
        .collect();
    let none = Sides {
        base: None,
        ours: None,
        theirs: None,
    };
    // What both sides added stands once: the n-th of its kind on one side is the n-th on the other.
    let mut added: Map<u64, std::collections::VecDeque<usize>> = Map::default();
    let mut ours_order = Vec::with_capacity(ours.len());
    for ((&item, found), hash) in ours.iter().zip(&ours_found).zip(&ours_hashes) {
        let index = found.unwrap_or_else(|| {
            slots.push(none);
            added.entry(*hash).or_default().push_back(slots.len() - 1);
            slots.len() - 1
        });
        slots[index].ours = Some(item);
        ours_order.push(index as u32);
    }
    let mut theirs_order = Vec::with_capacity(theirs.len());
    for ((&item, found), hash) in theirs.iter().zip(&theirs_found).zip(&theirs_hashes) {
        let shared = || added.get_mut(hash)?.pop_front();
        let index = found.or_else(shared).unwrap_or_else(|| {
            slots.push(none);
            slots.len() - 1
        });
        slots[index].theirs = Some(item);
        theirs_order.push(index as u32);
    }
    let orders = Sides {
        base: (0..base.len() as u32).collect(),
        ours: ours_order,
        theirs: theirs_order,
    };
    (slots, orders)
}

/// Whether three versions are numbers with a fixed place each, as in coordinates and colours: as many on each side.
fn is_tuple(base: &[NodeRef<'_>], ours: &[NodeRef<'_>], theirs: &[NodeRef<'_>]) -> bool {
    let numbers = |side: &[NodeRef<'_>]| {
        side.iter()
            .all(|node| matches!(node.scalar(), Some(Scalar::Int(_) | Scalar::Float(_))))
    };
    let sorted = |side: &[NodeRef<'_>]| {
        let mut hashes: Vec<u64> = side.iter().map(|node| node.meaning_hash()).collect();
        hashes.sort_unstable();
        hashes
    };
    base.len() == ours.len()
        && base.len() == theirs.len()
        && [base, ours, theirs].into_iter().all(numbers)
        // The same numbers in another order were moved.
        && sorted(ours) != sorted(base)
        && sorted(theirs) != sorted(base)
}

/// The members of three versions, each by its place.
fn by_place<T: Copy>(versions: &Sides<Vec<T>>) -> (Vec<Sides<Option<T>>>, Sides<Vec<u32>>) {
    let Sides { base, ours, theirs } = versions;
    let slots = base.iter().zip(ours).zip(theirs);
    let slots = slots.map(|((&base, &ours), &theirs)| Sides {
        base: Some(base),
        ours: Some(ours),
        theirs: Some(theirs),
    });
    let order: Vec<u32> = (0..base.len() as u32).collect();
    let orders = Sides {
        base: order.clone(),
        ours: order.clone(),
        theirs: order,
    };
    (slots.collect(), orders)
}

/// What looks on each side like a changed version of another member, but is the same on both, was added by both: else it
/// would stand twice.
fn unpair_twins(
    base: &[u64],
    ours: (&mut [Option<usize>], &[u64]),
    theirs: (&mut [Option<usize>], &[u64]),
) {
    let changed = |found: &Option<usize>, hash: &u64| found.filter(|&index| base[index] != *hash);
    let mut mine: Map<u64, (usize, usize)> = Map::default();
    for (at, (found, hash)) in ours.0.iter().zip(ours.1).enumerate() {
        if let Some(index) = changed(found, hash) {
            mine.insert(*hash, (at, index));
        }
    }
    for (found, hash) in theirs.0.iter_mut().zip(theirs.1) {
        if let Some(index) = changed(found, hash)
            && let Some((at, other)) = mine.remove(hash)
            && other != index
        {
            ours.0[at] = None;
            *found = None;
        }
    }
}

/// What looks like a changed member on one side, but is just what the other side added, was added: else it would stand
/// twice.
fn unpair_additions(
    base: &[u64],
    side: (&mut [Option<usize>], &[u64]),
    other: (&[Option<usize>], &[u64]),
) {
    let mut added: Map<u64, usize> = Map::default();
    for (_, hash) in other
        .0
        .iter()
        .zip(other.1)
        .filter(|(found, _)| found.is_none())
    {
        *added.entry(*hash).or_default() += 1;
    }
    for (found, hash) in side.0.iter_mut().zip(side.1) {
        if found.is_some_and(|index| base[index] != *hash)
            && let Some(count) = added.get_mut(hash).filter(|count| **count > 0)
        {
            *count -= 1;
            *found = None;
        }
    }
}

/// Whether two records that both sides added under one identity are two records, not one: what names them differs, or,
/// where nothing names them, any of their leaves.
pub(super) fn are_different_births(ours: NodeRef<'_>, theirs: NodeRef<'_>) -> bool {
    let naming = |record: NodeRef<'_>| {
        DEFINING_FIELDS
            .into_iter()
            .find(|field| record.get(field).is_some())
    };
    match (naming(ours), naming(theirs)) {
        (Some(a), Some(b)) if a == b => !same_leaf(ours, theirs, a),
        (None, None) => leaves(ours)
            .chain(leaves(theirs))
            .any(|field| !same_leaf(ours, theirs, &field)),
        _ => true,
    }
}

fn leaves<'d>(record: NodeRef<'d>) -> impl Iterator<Item = std::borrow::Cow<'d, str>> {
    record
        .entries()
        .filter(|entry| matches!(entry.value().kind(), Kind::Scalar(_)))
        .filter_map(|entry| Some(entry.key()?.text()))
}

fn same_leaf(a: NodeRef<'_>, b: NodeRef<'_>, field: &str) -> bool {
    match (a.get(field), b.get(field)) {
        (Some(a), Some(b)) => a.value().means(b.value()),
        _ => false,
    }
}
