//! Which entries of three versions of a collection are the same one.
//!
//! Entries of a mapping are known by their key; records by their births and the field that identifies them
//! (`context/matching.rs`); all others by what they hold and where they stand (`similar.rs`).

use std::collections::VecDeque;
use std::hash::BuildHasherDefault;

use rustc_hash::FxHasher;

use super::sides::Sides;
use super::similar;
use crate::context::{identity_field, numbered};
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
    if versions.ours.map(NodeRef::kind) == Some(Kind::Mapping) {
        return by_key(versions);
    }
    match identity_field(versions.iter().copied().flatten()) {
        Some(field) => by_field(versions, field),
        None => by_content(versions),
    }
}

fn by_key(versions: Sides<Option<NodeRef<'_>>>) -> Matched<'_> {
    let mut known: Map<Option<Scalar<'_>>, u32> = Map::default();
    let orders = versions.map(|node| {
        let keys = node.into_iter().flat_map(NodeRef::entries);
        keys.map(|entry| {
            let next = known.len() as u32;
            let key = entry.key().and_then(NodeRef::scalar);
            *known.entry(key).or_insert(next)
        })
        .collect()
    });
    slotted(versions, orders, By::Key)
}

fn by_field<'d>(versions: Sides<Option<NodeRef<'d>>>, field: &'static str) -> Matched<'d> {
    let Sides { base, ours, theirs } = versions;
    let [base, ours, theirs] = numbered([base, ours, theirs], field);
    let mut matched = slotted(versions, Sides { base, ours, theirs }, By::Field(field));
    similar::follow_renames(&mut matched);
    matched
}

/// The slots of entries that are numbered.
fn slotted<'d>(
    versions: Sides<Option<NodeRef<'d>>>,
    orders: Sides<Vec<u32>>,
    by: By,
) -> Matched<'d> {
    let last = orders.iter().flatten().max();
    let count = last.map_or(0, |last| *last as usize + 1);
    let mut slots: Vec<Slot<'d>> = vec![Slot::default(); count];
    let mut fill =
        |node: Option<NodeRef<'d>>, order: &[u32], set: fn(&mut Slot<'d>, EntryRef<'d>)| {
            let entries = node.into_iter().flat_map(NodeRef::entries);
            for (entry, &index) in entries.zip(order) {
                set(&mut slots[index as usize], entry);
            }
        };
    fill(versions.base, &orders.base, |slot, entry| {
        slot.base = Some(entry)
    });
    fill(versions.ours, &orders.ours, |slot, entry| {
        slot.ours = Some(entry)
    });
    fill(versions.theirs, &orders.theirs, |slot, entry| {
        slot.theirs = Some(entry)
    });
    Matched { slots, orders, by }
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
        // Both are asked before either is changed, so that the sides can be swapped.
        let (mine, others) = (
            (&ours_found[..], &ours_hashes[..]),
            (&theirs_found[..], &theirs_hashes[..]),
        );
        let (mine, others) = (
            mere_additions(&base_hashes, mine, others),
            mere_additions(&base_hashes, others, mine),
        );
        for at in mine {
            ours_found[at] = None;
        }
        for at in others {
            theirs_found[at] = None;
        }
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
    let mut added: Map<u64, VecDeque<usize>> = Map::default();
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

/// For every member of a base of that length, what it means on a side that has it.
fn versions(base: usize, found: &[Option<usize>], hashes: &[u64]) -> Vec<Option<u64>> {
    let mut versions = vec![None; base];
    for (found, hash) in found.iter().zip(hashes) {
        if let Some(index) = found {
            versions[*index] = Some(*hash);
        }
    }
    versions
}

/// A mapping that looks on each side like a changed version of another member, but is the same on both, was added by
/// both: else it would stand twice. (Two scalars that became equal say nothing: both stay.)
fn unpair_twins(
    base: &[u64],
    ours: (&mut [Option<usize>], &[u64], &[NodeRef<'_>]),
    theirs: (&mut [Option<usize>], &[u64]),
) {
    let mine = versions(base.len(), ours.0, ours.1);
    let others = versions(base.len(), theirs.0, theirs.1);
    // Changed, and not by both in the same way.
    let is_changed = |found: &Option<usize>, hash: &u64| {
        found.is_some_and(|index| base[index] != *hash && mine[index] != others[index])
    };
    let mut waiting: Map<u64, VecDeque<usize>> = Map::default();
    for (at, ((found, hash), node)) in ours.0.iter().zip(ours.1).zip(ours.2).enumerate() {
        if is_changed(found, hash) && node.kind() == Kind::Mapping {
            waiting.entry(*hash).or_default().push_back(at);
        }
    }
    for (found, hash) in theirs.0.iter_mut().zip(theirs.1) {
        if is_changed(found, hash)
            && let Some(at) = waiting.get_mut(hash).and_then(VecDeque::pop_front)
        {
            ours.0[at] = None;
            *found = None;
        }
    }
}

/// The places of a side where what looks like a changed member is just what the other side added directly beside it, or
/// anywhere if it has that member no more: else it would stand twice.
fn mere_additions(
    base: &[u64],
    side: (&[Option<usize>], &[u64]),
    other: (&[Option<usize>], &[u64]),
) -> Vec<usize> {
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
    let standing = versions(base.len(), other.0, other.1);
    let mut additions = Vec::new();
    for (at, (found, hash)) in side.0.iter().zip(side.1).enumerate() {
        // What both sides made of one member is that member, though the other side has it once more.
        if let Some(index) = found.filter(|&index| base[index] != *hash)
            && standing[index] != Some(*hash)
            && let Some(places) = added.get_mut(hash)
            && let Some(place) = places.iter().position(|(before, behind)| {
                standing[index].is_none() || (before..=behind).contains(&&index)
            })
        {
            places.swap_remove(place);
            additions.push(at);
        }
    }
    additions
}
