//! What versions of a file held.

use std::collections::BTreeSet;

use memchr::memmem;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::context::{
    Annotation, Held, IDENTITY_FIELDS, Leaf, Loser, Own, Role, birth, digest, leaf_at, runs_in,
    sameness,
};
use crate::crdt::{Stamp, StampSet};
use crate::yaml::{Document, Limits, NodeRef};

/// A root or record, as it is known in every version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    Root,
    Born(Stamp),
    Named(String),
}

impl Holder {
    pub(super) fn of(node: NodeRef<'_>, role: Role) -> Self {
        if role == Role::Root {
            return Self::Root;
        }
        let name = || IDENTITY_FIELDS.iter().find_map(|field| node.get(field));
        match birth(node).stamp {
            Some(stamp) => Self::Born(stamp),
            None => Self::Named(name().map_or_else(String::new, |name| name.value().text().into())),
        }
    }
}

/// What a version may have held.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fact {
    /// A leaf with a value, by its [`sameness`].
    Leaf(Holder, String, u64),
    /// A losing value.
    Lost(Holder, Loser),
}

/// What the versions of one side held.
#[derive(Default)]
pub(super) struct Stood {
    pub(super) stamps: BTreeSet<Stamp>,
    pub(super) facts: FxHashSet<Fact>,
    /// The leaves of which they say that edits were replaced there, with all that they say of each.
    replaced: FxHashMap<(Holder, String), Vec<StampSet>>,
}

impl Stood {
    /// What those versions held that name one of the wanted stamps.
    pub(super) fn in_any(versions: &[Vec<u8>], wanted: &BTreeSet<Stamp>) -> Self {
        let mut stood = Self::default();
        for version in versions {
            let mut named = named_in(version, wanted).peekable();
            if named.peek().is_none() {
                continue;
            }
            let Ok(document) = Document::read(version, &Limits::default()) else {
                continue;
            };
            stood.stamps.extend(named);
            each_fact(&document, &mut |fact, _| {
                stood.facts.insert(fact);
            });
            each_holder(&document, &mut |holder, own, held| {
                for leaf in &held.leaves {
                    let edits = own.annotation.leaves.get(&leaf.path).into_iter().flatten();
                    let replaced =
                        edits.filter_map(|edit| own.annotation.superseded.get(&edit.stamp));
                    for replaced in replaced {
                        let of_leaf = (holder.clone(), leaf.path.clone());
                        let known = stood.replaced.entry(of_leaf).or_default();
                        known.push(replaced.clone());
                    }
                }
            });
        }
        stood
    }

    /// Whether that value stood there, or one of the edits that it came with was replaced there by somebody who had seen it: the value
    /// itself may never have been committed on that side.
    pub(super) fn has(&self, fact: &Fact, stamps: &BTreeSet<Stamp>) -> bool {
        if self.facts.contains(fact) {
            return true;
        }
        let Fact::Leaf(holder, path, _) = fact else {
            return false;
        };
        let known = self.replaced.get(&(holder.clone(), path.clone()));
        let mut known = known.into_iter().flatten();
        known.any(|known| stamps.iter().all(|stamp| known.contains(*stamp)))
    }
}

/// Everything that a version holds, with the stamps beside it that fit.
pub(super) fn each_fact(document: &Document, found: &mut impl FnMut(Fact, BTreeSet<Stamp>)) {
    each_holder(document, &mut |holder, own, held| {
        for leaf in &held.leaves {
            if let Some(entry) = leaf_at(held.of, &Annotation::names(&leaf.path)) {
                let value = entry.value();
                let stamps = own.annotation.fitting(&leaf.path, digest(value)).collect();
                let fact = Fact::Leaf(holder.clone(), leaf.path.clone(), sameness(value));
                found(fact, stamps);
            }
        }
        for (loser, stamp) in own.conflicts.iter() {
            let stamps = stamp.into_iter().collect();
            found(Fact::Lost(holder.clone(), loser.clone()), stamps);
        }
    });
}

/// What a root or record of a version says of itself, and its leaves.
struct Leaves<'d> {
    of: NodeRef<'d>,
    leaves: Vec<Leaf>,
}

/// The root and all records of a version.
fn each_holder(document: &Document, found: &mut impl FnMut(&Holder, &Own, &Leaves<'_>)) {
    let root = document.root().map(|root| (root, Role::Root));
    let mut holders: Vec<_> = root.into_iter().collect();
    while let Some((node, role)) = holders.pop() {
        let Held {
            leaves, records, ..
        } = Held::of(node, None);
        found(
            &Holder::of(node, role),
            &Own::of(node, role),
            &Leaves { of: node, leaves },
        );
        holders.extend(records.iter().map(|record| (record.node, Role::Record)));
    }
}

/// Those of the wanted stamps that a version names.
pub(super) fn named_in(version: &[u8], wanted: &BTreeSet<Stamp>) -> impl Iterator<Item = Stamp> {
    let runs = runs_in(version);
    let is_named = move |stamp: &&Stamp| {
        runs.contains(**stamp) || memmem::find(version, stamp.to_string().as_bytes()).is_some()
    };
    wanted.iter().filter(is_named).copied()
}
