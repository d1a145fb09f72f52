//! What one side has beyond the base and the other has not, or otherwise: it may only have it because the other does no
//! more.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Ancestry;
use super::facts::{Fact, Holder, Stood, each_fact};
use crate::context::{
    Annotation, GROUPS, Held, Leaf, Own, Role, are_one, digest, is_null, leaf_at, same_entry,
    sameness,
};
use crate::crdt::Stamp;
use crate::merge::Version;
use crate::yaml::{Document, EntryRef, Kind, Limits, NodeId, NodeRef};

/// A changed leaf: the stamps of its value, of which the base names none, and what a version holds in which it stood.
/// Without stamps, because they gave way to newer ones in the record, or there never were any: the history tells.
struct Proof {
    stamps: BTreeSet<Stamp>,
    fact: Fact,
}

/// How a leaf of one side stands to the base.
enum Standing {
    /// As in the base.
    Unchanged,
    /// Changed by somebody who left the stamp of another value beside it.
    Unstamped,
    /// Changed by these edits.
    Changed(Proof),
}

/// A root or record of one side, and the base's version of it.
struct Pair<'d> {
    holder: Holder,
    node: NodeRef<'d>,
    own: Own,
    base: Option<NodeRef<'d>>,
    base_own: Own,
}

impl<'d> Pair<'d> {
    fn of(node: NodeRef<'d>, base: Option<NodeRef<'d>>, role: Role) -> Self {
        Self {
            holder: Holder::of(node, role),
            node,
            own: Own::of(node, role),
            base,
            base_own: base.map(|base| Own::of(base, role)).unwrap_or_default(),
        }
    }

    fn standing(&self, leaf: &Leaf, value: NodeRef<'_>) -> Standing {
        let known = self.base_own.annotation.known(&leaf.path);
        let annotation = &self.own.annotation;
        let fitting = annotation.fitting(&leaf.path, digest(value));
        let mut stamps: BTreeSet<Stamp> = fitting.filter(|stamp| !known.contains(*stamp)).collect();
        if !leaf.differs && stamps.is_empty() {
            return Standing::Unchanged;
        }
        if self.base.is_none() && !annotation.leaves.contains_key(&leaf.path) {
            // As it was born.
            stamps.extend(annotation.birth.and_then(|birth| birth.stamp));
        }
        if stamps.is_empty() && annotation.leaves.contains_key(&leaf.path) {
            return Standing::Unstamped;
        }
        let fact = Fact::Leaf(self.holder.clone(), leaf.path.clone(), sameness(value));
        Standing::Changed(Proof { stamps, fact })
    }
}

/// A leaf of one side that the other has with another value, or not.
pub(super) struct LeafClaim<'d> {
    pub(super) holder: NodeRef<'d>,
    pub(super) role: Role,
    pub(super) path: String,
    group: Option<usize>,
    pub(super) entry: EntryRef<'d>,
    pub(super) other: Option<EntryRef<'d>>,
    /// What the other side says of itself.
    pub(super) other_own: Annotation,
    proof: Proof,
}

/// A record of one side that the other does not have.
pub(super) struct RecordClaim<'d> {
    pub(super) node: NodeRef<'d>,
    proofs: Vec<Proof>,
    losers: Vec<Fact>,
}

/// What one side may only have because the other does no more.
#[derive(Default)]
pub(super) struct Claims<'d> {
    pub(super) leaves: Vec<LeafClaim<'d>>,
    pub(super) records: Vec<RecordClaim<'d>>,
    /// The groups of fields in which something was changed that no claim is about, or that were claimed in part, by the
    /// record that they are in.
    torn: FxHashSet<(NodeId, usize)>,
    /// What stood on the other side of all that was claimed.
    stood: Stood,
}

/// A claim of either kind.
enum Claim<'c, 'd> {
    Leaf(&'c LeafClaim<'d>),
    Record(&'c RecordClaim<'d>),
}

impl<'d> Claims<'d> {
    pub(super) fn of(base: Option<NodeRef<'d>>, side: NodeRef<'d>, other: NodeRef<'d>) -> Self {
        let mut claims = Self::default();
        claims.search(base, side, other, Role::Root);
        claims
    }

    /// Looks at a root or record that both sides have.
    fn search(
        &mut self,
        base: Option<NodeRef<'d>>,
        side: NodeRef<'d>,
        other: NodeRef<'d>,
        role: Role,
    ) {
        let is_as_before = base.is_some_and(|base| base.raw() == side.raw());
        if is_as_before || side.raw() == other.raw() {
            return;
        }
        let pair = Pair::of(side, base, role);
        let held = Held::of(side, base);
        for leaf in &held.leaves {
            self.leaf(&pair, leaf, other, role);
        }
        self.tear_where_fields_are_gone(&pair);
        let others = Held::of(side, Some(other)).records;
        for record in held.records.iter().filter(|record| !record.copied) {
            let Some(found) = others.iter().find(|found| found.node == record.node) else {
                continue;
            };
            // Another one that was born under the same name is not this one.
            let is_it = |other: &NodeRef<'_>| record.old.is_some() || are_one(record.node, *other);
            match found.old.filter(is_it) {
                Some(other) if Role::of_member(other).is_holder() => {
                    self.search(record.old, record.node, other, Role::Record);
                }
                Some(_) => {}
                None => {
                    let claim = RecordClaim::of(record.node, record.old);
                    self.records.extend(claim);
                }
            }
        }
    }

    fn leaf(&mut self, pair: &Pair<'d>, leaf: &Leaf, other: NodeRef<'d>, role: Role) {
        let names = Annotation::names(&leaf.path);
        let Some(entry) = leaf_at(pair.node, &names) else {
            return;
        };
        let there = leaf_at(other, &names);
        if same_entry(Some(entry.value()), there.map(EntryRef::value)) {
            return;
        }
        let is_within = |above: &[String]| {
            above.is_empty()
                || leaf_at(other, above).is_some_and(|above| above.value().kind() == Kind::Mapping)
        };
        let above = names.split_last().map_or(&[][..], |(_, above)| above);
        match pair.standing(leaf, entry.value()) {
            Standing::Changed(proof) if is_within(above) => self.leaves.push(LeafClaim {
                holder: pair.node,
                role,
                path: leaf.path.clone(),
                group: leaf.group(),
                entry,
                other: there,
                other_own: Own::of(other, role).annotation,
                proof,
            }),
            Standing::Unchanged => {}
            _ => self
                .torn
                .extend(leaf.group().map(|group| (pair.node.id, group))),
        }
    }

    /// A field that this side took away is a change, too.
    fn tear_where_fields_are_gone(&mut self, pair: &Pair<'d>) {
        let Some(base) = pair.base else { return };
        let is_set = |node: NodeRef<'_>, field: &str| {
            node.get(field).is_some_and(|entry| !is_null(entry.value()))
        };
        for (index, group) in GROUPS.iter().enumerate() {
            if group
                .iter()
                .any(|field| is_set(base, field) && pair.node.get(field).is_none())
            {
                self.torn.insert((pair.node.id, index));
            }
        }
    }

    /// Finds the stamps of values that have none beside them: those that stood beside the same value before.
    pub(super) fn find_stamps(&mut self, ancestry: &dyn Ancestry, side: Version) {
        let of_records = self
            .records
            .iter_mut()
            .flat_map(|record| &mut record.proofs);
        let proofs = of_records.chain(self.leaves.iter_mut().map(|leaf| &mut leaf.proof));
        let mut sought: Vec<&mut Proof> = proofs.filter(|proof| proof.stamps.is_empty()).collect();
        if sought.is_empty() {
            return;
        }
        for version in ancestry.versions(side).unwrap_or_default() {
            if sought.is_empty() {
                return;
            }
            let Ok(document) = Document::read(&version, &Limits::default()) else {
                return;
            };
            let mut held: FxHashMap<Fact, BTreeSet<Stamp>> = FxHashMap::default();
            each_fact(&document, &mut |fact, stamps| {
                held.insert(fact, stamps);
            });
            // Where another value stands, an older edit of the same one is another edit.
            sought.retain_mut(|proof| match held.get(&proof.fact) {
                Some(stamps) => {
                    proof.stamps.clone_from(stamps);
                    stamps.is_empty()
                }
                None => false,
            });
        }
    }

    pub(super) fn stamps(&self) -> impl Iterator<Item = Stamp> {
        let of_records = self.records.iter().flat_map(|record| &record.proofs);
        let proofs = of_records.chain(self.leaves.iter().map(|leaf| &leaf.proof));
        proofs.flat_map(|proof| &proof.stamps).copied()
    }

    /// Retains these claims; fields of one group stay or go together.
    fn retain(&mut self, stays: impl Fn(Claim<'_, 'd>) -> bool) {
        let torn = &mut self.torn;
        self.leaves.retain(|leaf| {
            let stays = stays(Claim::Leaf(leaf));
            if !stays {
                torn.extend(leaf.group.map(|group| (leaf.holder.id, group)));
            }
            stays
        });
        self.records.retain(|record| stays(Claim::Record(record)));
        let is_torn = |leaf: &LeafClaim<'_>| {
            leaf.group
                .is_some_and(|group| torn.contains(&(leaf.holder.id, group)))
        };
        self.leaves.retain(|leaf| !is_torn(leaf));
    }

    /// Retains the claims to what stood on the other side.
    pub(super) fn retain_known(&mut self, ancestry: &dyn Ancestry, other: Version) {
        let wanted: BTreeSet<Stamp> = self.stamps().collect();
        if wanted.is_empty() {
            return;
        }
        let versions = ancestry.versions(other).unwrap_or_default();
        let stood = Stood::in_any(&versions, &wanted);
        let is_known = |proof: &Proof| {
            !proof.stamps.is_disjoint(&stood.stamps) && stood.has(&proof.fact, &proof.stamps)
        };
        self.retain(|claim| match claim {
            Claim::Leaf(leaf) => is_known(&leaf.proof),
            Claim::Record(record) => {
                record.proofs.iter().all(is_known)
                    && record.losers.iter().all(|lost| stood.facts.contains(lost))
            }
        });
        self.stood = stood;
    }

    /// Retains the claims to what was written beyond the base, whose ancestry holds these stamps, and stood on the other
    /// side with all its stamps.
    pub(super) fn retain_new(&mut self, shared: &BTreeSet<Stamp>) {
        let stood = std::mem::take(&mut self.stood.stamps);
        let is_new = |proof: &Proof| {
            let mut new = proof.stamps.difference(shared).peekable();
            new.peek().is_some() && new.all(|stamp| stood.contains(stamp))
        };
        self.retain(|claim| match claim {
            Claim::Leaf(leaf) => is_new(&leaf.proof),
            Claim::Record(record) => record.proofs.iter().all(is_new),
        });
    }
}

impl<'d> RecordClaim<'d> {
    /// The claim to a record with all that it holds beyond the base; nothing if something of that is unstamped.
    fn of(node: NodeRef<'d>, base: Option<NodeRef<'d>>) -> Option<Self> {
        let mut claim = Self {
            node,
            proofs: Vec::new(),
            losers: Vec::new(),
        };
        (Role::of_member(node).is_holder() && claim.add(node, base) && !claim.proofs.is_empty())
            .then_some(claim)
    }

    /// Adds what a record holds beyond the base, and the records in it; whether none of that is unstamped.
    fn add(&mut self, node: NodeRef<'d>, base: Option<NodeRef<'d>>) -> bool {
        let pair = Pair::of(node, base, Role::Record);
        let held = Held::of(node, base);
        let kept = pair.own.conflicts.iter().map(|(loser, _)| loser);
        let new = kept.filter(|loser| !pair.base_own.conflicts.contains(loser));
        self.losers
            .extend(new.map(|loser| Fact::Lost(pair.holder.clone(), loser.clone())));
        for leaf in &held.leaves {
            let Some(entry) = leaf_at(node, &Annotation::names(&leaf.path)) else {
                return false;
            };
            match pair.standing(leaf, entry.value()) {
                Standing::Unchanged => {}
                Standing::Unstamped => return false,
                Standing::Changed(proof) => self.proofs.push(proof),
            }
        }
        held.records
            .iter()
            .all(|record| self.add(record.node, record.old))
    }
}
