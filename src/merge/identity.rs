//! Which entries of three versions of a collection are the same one.
//!
//! Entries of a mapping are known by their key; entries of a list of records by the field that identifies a record; all
//! others by what they hold and where they stand (`similar.rs`).

use std::hash::{BuildHasherDefault, Hash};

use rustc_hash::FxHasher;

use super::document;
use super::sides::Sides;
use super::similar;
use crate::context::{DEFINING_FIELDS, IDENTITY_FIELDS};
use crate::crdt::Digest;
use crate::yaml::{EntryRef, Kind, NodeRef, Scalar};

type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<FxHasher>>;

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
        Some(field) => by_birth(versions, field),
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

/// What a record is known by: its identity, or the one that it was born with before another record took it.
#[derive(PartialEq, Eq, Hash)]
enum Name<'d> {
    Identity(Option<Scalar<'d>>),
    Born(String, Digest),
}

/// Matches records by birth first and by identity then: a record that was renamed because another one has its identity is
/// still the one that other versions know under the old name.
fn by_birth<'d>(versions: Sides<Option<NodeRef<'d>>>, field: &'static str) -> Matched<'d> {
    let named = |entry: EntryRef<'d>| match identity(entry, field)? {
        Scalar::Str(name) => document::original_identity(entry.value(), &name),
        _ => None,
    };
    let renamed: std::collections::HashSet<(String, Digest)> = versions
        .iter()
        .flatten()
        .flat_map(|node| node.entries())
        .filter_map(named)
        .collect();
    by_identity(versions, By::Field(field), |entry| {
        let identity = identity(entry, field);
        if renamed.is_empty() {
            return Name::Identity(identity);
        }
        if let Some((name, digest)) = named(entry) {
            return Name::Born(name, digest);
        }
        let Some(Scalar::Str(name)) = &identity else {
            return Name::Identity(identity);
        };
        match document::birth(entry.value()) {
            Some(birth) if renamed.contains(&(name.clone().into_owned(), birth.digest)) => {
                Name::Born(name.clone().into_owned(), birth.digest)
            }
            _ => Name::Identity(identity),
        }
    })
}

fn by_identity<'d, N: Eq + Hash>(
    versions: Sides<Option<NodeRef<'d>>>,
    by: By,
    name: impl Fn(EntryRef<'d>) -> N,
) -> Matched<'d> {
    let most = versions
        .iter()
        .flatten()
        .map(|node| node.len())
        .max()
        .unwrap_or_default();
    let mut known: Map<N, u32> = Map::with_capacity_and_hasher(most, BuildHasherDefault::default());
    let mut slots: Vec<Slot<'d>> = Vec::with_capacity(most);
    let mut number = |entry: EntryRef<'d>, set: fn(&mut Slot<'d>, EntryRef<'d>)| {
        let index = *known.entry(name(entry)).or_insert_with(|| {
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
    let mut ours_found = similar::align(&base_nodes, &base_hashes, &ours_nodes, &ours_hashes);
    let mut theirs_found = similar::align(&base_nodes, &base_hashes, &theirs_nodes, &theirs_hashes);
    // Where both sides kept every member in its place, each place stands for itself, whatever came to stand there.
    if !(in_place(&ours_found, base.len()) && in_place(&theirs_found, base.len())) {
        unpair_twins(
            &base_hashes,
            (&mut ours_found, &ours_hashes, &ours_nodes),
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
    }
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

/// Whether a side has a version of every member of the base, in the base's order, and nothing else.
fn in_place(found: &[Option<usize>], base: usize) -> bool {
    found.len() == base
        && found
            .iter()
            .enumerate()
            .all(|(at, found)| *found == Some(at))
}

/// A mapping that looks on each side like a changed version of another member, but is the same on both, was added by
/// both: else it would stand twice. (Two scalars that became equal say nothing: both stay.)
fn unpair_twins(
    base: &[u64],
    ours: (&mut [Option<usize>], &[u64], &[NodeRef<'_>]),
    theirs: (&mut [Option<usize>], &[u64]),
) {
    let changed = |found: &Option<usize>, hash: &u64| found.filter(|&index| base[index] != *hash);
    let mut mine: Map<u64, (usize, usize)> = Map::default();
    for (at, ((found, hash), node)) in ours.0.iter().zip(ours.1).zip(ours.2).enumerate() {
        if let Some(index) = changed(found, hash)
            && node.kind() == Kind::Mapping
        {
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

/// What looks like a changed member on one side, but is just what the other side added directly beside it, or anywhere
/// if it has that member no more, was added: else it would stand twice.
fn unpair_additions(
    base: &[u64],
    side: (&mut [Option<usize>], &[u64]),
    other: (&[Option<usize>], &[u64]),
) {
    // For each addition of the other side the members of the base around it.
    let mut added: Map<u64, Vec<(usize, usize)>> = Map::default();
    let mut before = 0;
    for (at, (found, hash)) in other.0.iter().zip(other.1).enumerate() {
        match found {
            Some(index) => before = *index,
            None => {
                let behind = other.0[at..].iter().flatten().next();
                let around = (before, behind.copied().unwrap_or(base.len()));
                added.entry(*hash).or_default().push(around);
            }
        }
    }
    let mut standing = vec![false; base.len()];
    for &index in other.0.iter().flatten() {
        standing[index] = true;
    }
    for (found, hash) in side.0.iter_mut().zip(side.1) {
        if let Some(index) = found.filter(|&index| base[index] != *hash)
            && let Some(places) = added.get_mut(hash)
            && let Some(place) = places.iter().position(|(before, behind)| {
                !standing[index] || (before..=behind).contains(&&index)
            })
        {
            places.swap_remove(place);
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
