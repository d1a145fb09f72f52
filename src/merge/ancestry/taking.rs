//! Takes what the other side superseded out of a side.

use rustc_hash::{FxHashMap, FxHashSet};

use super::claims::{Claims, LeafClaim};
use crate::context::{Annotation, Own, Role};
use crate::crdt::Stamp;
use crate::merge::document::say;
use crate::yaml::{
    Document, Draft, EntryDraft, EntryRef, FileDraft, Limits, MadeEntry, NodeId, NodeRef, Side,
};

impl<'d> Claims<'d> {
    /// The side with what the other made of all that is still claimed; nothing if that is nothing, or cannot be written.
    pub(super) fn taken_out(&self, side: &'d Document) -> Option<String> {
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
