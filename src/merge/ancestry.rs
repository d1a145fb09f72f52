//! What one side had from the other and replaced or deleted since.
//!
//! Three files cannot tell a value that one side never had from one that it had, by a pick or a squash merge, and replaced.
//! The ancestries of both sides can: a value or record of one side whose stamps the base's ancestry does not hold, and
//! that stood in a version of the other side, is not concurrent to what that side made of it. It is taken out of the side
//! that still has it before the two are merged as ever.
//!
//! What has no stamp is never taken out, nor is a value whose stamps all stand in the base's ancestry: somebody brought that
//! back. A record goes only if everything stood on the other side that it holds beyond the base, losing values included.

use std::collections::BTreeSet;
use std::fmt;

use memchr::memmem;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Version;
use super::document::{are_documents, say};
use super::sides::Sides;
use crate::context::{
    Annotation, GROUPS, Held, IDENTITY_FIELDS, Leaf, Loser, Own, Role, birth, digest, is_null,
    leaf_at, same_entry, sameness,
};
use crate::crdt::Stamp;
use crate::yaml::{
    Document, Draft, EntryDraft, EntryRef, FileDraft, Kind, Limits, MadeEntry, NodeId, NodeRef,
    Side,
};

/// The versions of a file in its history, as far as a merge asks for them.
pub trait Ancestry: fmt::Debug {
    /// The versions that stood in the ancestry of one side and not of the other, newest first; for [`Version::Base`], of
    /// both. Nothing where they are not at hand.
    fn versions(&self, of: Version) -> Option<Vec<Vec<u8>>>;
}

/// Both sides without what the other one superseded; nothing for a side that stays as it is.
pub(super) fn without_superseded(
    documents: &Sides<Document>,
    ancestry: &dyn Ancestry,
) -> (Option<String>, Option<String>) {
    let Sides { base, ours, theirs } = documents;
    let (Some(mine), Some(others), true) = (ours.root(), theirs.root(), are_documents(documents))
    else {
        return (None, None);
    };
    let mut of_ours = Claims::of(base.root(), mine, others);
    let mut of_theirs = Claims::of(base.root(), others, mine);
    of_ours.find_stamps(ancestry, Version::Ours);
    of_theirs.find_stamps(ancestry, Version::Theirs);
    of_ours.retain_known(ancestry, Version::Theirs);
    of_theirs.retain_known(ancestry, Version::Ours);
    let wanted: BTreeSet<Stamp> = of_ours.stamps().chain(of_theirs.stamps()).collect();
    if wanted.is_empty() {
        return (None, None);
    }
    let Some(before) = ancestry.versions(Version::Base) else {
        return (None, None);
    };
    let shared = before.iter().flat_map(|version| named_in(version, &wanted));
    let shared: BTreeSet<Stamp> = shared.collect();
    of_ours.retain_new(&shared);
    of_theirs.retain_new(&shared);
    // What each side took from the other and gave back changes sides in both, and is contested as before.
    (of_ours.taken_out(ours), of_theirs.taken_out(theirs))
}

/// A root or record, as it is known in every version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Root,
    Born(Stamp),
    Named(String),
}

impl Holder {
    fn of(node: NodeRef<'_>, role: Role) -> Self {
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
enum Fact {
    /// A leaf with a value, by its [`sameness`].
    Leaf(Holder, String, u64),
    /// A losing value.
    Lost(Holder, Loser),
}

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
        let known: FxHashSet<Stamp> = self.base_own.annotation.stamps().collect();
        let annotation = &self.own.annotation;
        let fitting = annotation.fitting(&leaf.path, digest(value));
        let mut stamps: BTreeSet<Stamp> = fitting.filter(|stamp| !known.contains(stamp)).collect();
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
struct LeafClaim<'d> {
    holder: NodeRef<'d>,
    role: Role,
    path: String,
    group: Option<usize>,
    entry: EntryRef<'d>,
    other: Option<EntryRef<'d>>,
    /// What the other side says of itself.
    other_own: Annotation,
    proof: Proof,
}

/// A record of one side that the other does not have.
struct RecordClaim<'d> {
    node: NodeRef<'d>,
    proofs: Vec<Proof>,
    losers: Vec<Fact>,
}

/// What one side may only have because the other does no more.
#[derive(Default)]
struct Claims<'d> {
    leaves: Vec<LeafClaim<'d>>,
    records: Vec<RecordClaim<'d>>,
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
    fn of(base: Option<NodeRef<'d>>, side: NodeRef<'d>, other: NodeRef<'d>) -> Self {
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
            let found = others.iter().find(|found| found.node == record.node);
            match found.map(|found| found.old) {
                Some(Some(other)) if Role::of_member(other).is_holder() => {
                    self.search(record.old, record.node, other, Role::Record);
                }
                Some(None) => self
                    .records
                    .extend(RecordClaim::of(record.node, record.old)),
                _ => {}
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
    fn find_stamps(&mut self, ancestry: &dyn Ancestry, side: Version) {
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

    fn stamps(&self) -> impl Iterator<Item = Stamp> {
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
    fn retain_known(&mut self, ancestry: &dyn Ancestry, other: Version) {
        let wanted: BTreeSet<Stamp> = self.stamps().collect();
        if wanted.is_empty() {
            return;
        }
        let versions = ancestry.versions(other);
        self.stood = versions
            .map(|versions| Stood::in_any(&versions, &wanted))
            .unwrap_or_default();
        let stood = std::mem::take(&mut self.stood);
        let is_known = |proof: &Proof| {
            !proof.stamps.is_disjoint(&stood.stamps) && stood.facts.contains(&proof.fact)
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
    fn retain_new(&mut self, shared: &BTreeSet<Stamp>) {
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

    /// The side with what the other made of all that is still claimed; nothing if that is nothing, or cannot be written.
    fn taken_out(&self, side: &'d Document) -> Option<String> {
        if self.leaves.is_empty() && self.records.is_empty() {
            return None;
        }
        let mut file = FileDraft::of(side);
        let [part] = file.parts.as_mut_slice() else {
            return None;
        };
        Taking::of(self).from(&mut part.root, side.root()?);
        let text = file.emit(Side::Ours);
        let written = Document::from_text(text, &Limits::default()).ok()?;
        file.agrees(&written, Side::Ours)
            .then(|| written.into_text())
    }
}

/// Takes claims out of a draft of the side that they are of.
struct Taking<'c, 'd> {
    leaves: FxHashMap<NodeId, &'c LeafClaim<'d>>,
    records: FxHashSet<NodeId>,
    /// What roots and records say of themselves then.
    says: FxHashMap<NodeId, (Role, Own)>,
    /// Where all of this stands in the text.
    places: Vec<u32>,
}

impl<'c, 'd> Taking<'c, 'd> {
    fn of(claims: &'c Claims<'d>) -> Self {
        let mut taking = Self {
            leaves: FxHashMap::default(),
            records: FxHashSet::default(),
            says: FxHashMap::default(),
            places: Vec::new(),
        };
        for record in &claims.records {
            taking.records.insert(record.node.id);
            taking.places.push(record.node.data().span.start);
        }
        for leaf in &claims.leaves {
            taking.leaves.insert(leaf.entry.value().id, leaf);
            taking.places.push(leaf.entry.value().data().span.start);
            let (_, own) = taking
                .says
                .entry(leaf.holder.id)
                .or_insert_with(|| (leaf.role, Own::of(leaf.holder, leaf.role)));
            leaf.annotate(&mut own.annotation);
        }
        taking
    }

    fn from(&self, draft: &mut Draft<'d>, node: NodeRef<'d>) {
        let Some(collection) = draft.open() else {
            return;
        };
        // From the end, so that what is gone moves nothing that is still to be looked at.
        let entries: Vec<EntryRef<'d>> = node.entries().collect();
        for (index, entry) in entries.into_iter().enumerate().rev() {
            let value = entry.value();
            let claim = self.leaves.get(&value.id);
            if self.records.contains(&value.id) || claim.is_some_and(|claim| claim.other.is_none())
            {
                collection.remove(index);
                continue;
            }
            if !self.is_touched(value) {
                continue;
            }
            let Some(made) = collection.entries.get_mut(index).and_then(EntryDraft::open) else {
                continue;
            };
            match claim.and_then(|claim| claim.other) {
                Some(other) => {
                    let beside = std::mem::take(&mut made.body.beside);
                    made.body = MadeEntry::of(other).body;
                    if !value.is_collection()
                        && !other.value().is_collection()
                        && !made.body.beside.is_empty()
                    {
                        made.body.beside = beside;
                    }
                }
                None => self.from(&mut made.body.value, value),
            }
        }
        if let Some((role, own)) = self.says.get(&node.id) {
            say(collection, own, *role, node);
        }
    }

    fn is_touched(&self, node: NodeRef<'_>) -> bool {
        let span = node.data().span;
        self.places
            .iter()
            .any(|place| (span.start..=span.end).contains(place))
    }
}

impl LeafClaim<'_> {
    /// Says of the leaf what the other side says of it.
    fn annotate(&self, annotation: &mut Annotation) {
        let theirs = self.other_own.leaves.get(&self.path);
        match theirs {
            Some(stamps) => annotation.leaves.insert(self.path.clone(), stamps.clone()),
            None => annotation.leaves.remove(&self.path),
        };
        for stamped in theirs.into_iter().flatten() {
            if let Some(superseded) = self.other_own.superseded.get(&stamped.stamp) {
                annotation
                    .superseded
                    .insert(stamped.stamp, superseded.clone());
            }
        }
        let stamps: FxHashSet<Stamp> = annotation
            .leaves
            .values()
            .flatten()
            .map(|stamped| stamped.stamp)
            .collect();
        annotation
            .superseded
            .retain(|stamp, _| stamps.contains(stamp));
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

/// What the versions of one side held.
#[derive(Default)]
struct Stood {
    stamps: BTreeSet<Stamp>,
    facts: FxHashSet<Fact>,
}

impl Stood {
    /// What those versions held that name one of the wanted stamps.
    fn in_any(versions: &[Vec<u8>], wanted: &BTreeSet<Stamp>) -> Self {
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
fn each_fact(document: &Document, found: &mut impl FnMut(Fact, BTreeSet<Stamp>)) {
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
fn named_in<'w>(version: &[u8], wanted: &'w BTreeSet<Stamp>) -> impl Iterator<Item = Stamp> {
    let is_named = |stamp: &&Stamp| memmem::find(version, stamp.to_string().as_bytes()).is_some();
    wanted.iter().filter(is_named).copied()
}
