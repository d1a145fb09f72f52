//! What versions of a file held.

use std::collections::BTreeSet;

use memchr::memmem;
use rustc_hash::FxHashSet;

use crate::context::{
    Annotation, Held, IDENTITY_FIELDS, Loser, Own, Role, birth, digest, leaf_at, runs_in, sameness,
};
use crate::crdt::Stamp;
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
        }
        stood
    }
}

/// Everything that a version holds, with the stamps beside it that fit.
pub(super) fn each_fact(document: &Document, found: &mut impl FnMut(Fact, BTreeSet<Stamp>)) {
    let mut holders: Vec<_> = document
        .root()
        .map(|root| (root, Role::Root))
        .into_iter()
        .collect();
    while let Some((node, role)) = holders.pop() {
        let (holder, own) = (Holder::of(node, role), Own::of(node, role));
        let held = Held::of(node, None);
        for leaf in held.leaves {
            if let Some(entry) = leaf_at(node, &Annotation::names(&leaf.path)) {
                let value = entry.value();
                let stamps = own.annotation.fitting(&leaf.path, digest(value)).collect();
                found(
                    Fact::Leaf(holder.clone(), leaf.path, sameness(value)),
                    stamps,
                );
            }
        }
        for (loser, stamp) in own.conflicts.iter() {
            let stamps = stamp.into_iter().collect();
            found(Fact::Lost(holder.clone(), loser.clone()), stamps);
        }
        holders.extend(
            held.records
                .iter()
                .map(|record| (record.node, Role::Record)),
        );
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
