//! Merging of documents: what is contested is decided, and what lost is kept.
//!
//! A file that carries the document marker needs no conflict markers: among concurrent values of a leaf one wins by rule
//! (`crdt::heads`), and the others stay beside it under `_crdt_conflicts` until somebody settles them. A record that one
//! side deleted while the other changed it comes back whole, and says so. Two different records that were born under one
//! identity are both kept, one of them under a new name that its own birth alone decides.
//!
//! Stamps only order what is contested: what each side *did* is told from the base, as everywhere in this folder.
//! `contests.rs` decides the leaves of one root or record, `observed.rs` knows what an edit saw, `twins.rs` births,
//! `about.rs` what is said of it all.

mod about;
mod contests;
mod observed;
mod twins;

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::Kept;
use super::identity::Slot;
use super::sides::Sides;
use crate::context::{
    ANNOTATION_KEY, Annotation, CONFLICTS_KEY, Loser, Lost, Own, Role, Types, birth, is_annotated,
    is_free, is_ours, leaf_at, original_identity, same, same_entry,
};
use crate::yaml::{Document, EntryDraft, EntryRef, NodeRef};

use observed::Version;

pub(super) use about::{About, is_one_line_draft, say};
pub(super) use twins::{Twin, name_of};

/// Whether three files are versions of a document: one carries the marker, or annotated records at its root, and nobody else
/// uses our keys in a root. (Other tools drop the marker, which is no edit.)
pub(super) fn are_documents(documents: &Sides<Document>) -> bool {
    let roots = documents.as_ref().map(Document::root);
    roots.iter().flatten().any(|root| is_annotated(*root))
        && roots
            .iter()
            .flatten()
            .all(|root| is_free(*root, Role::Root))
}

/// The role of the record of a slot: it speaks for itself if it may in every version.
pub(super) fn role_of(slot: &Slot<'_>) -> Role {
    let speaks = |entry: &EntryRef<'_>| Role::of_member(entry.value()).is_holder();
    if slot.iter().flatten().all(speaks) {
        Role::Record
    } else {
        Role::Inner
    }
}

/// Whether a slot holds what this tool says about the record, not what the record says.
pub(super) fn is_about(slot: &Slot<'_>) -> bool {
    let name = slot.iter().flatten().find_map(|entry| entry.key());
    name.is_some_and(|key| [ANNOTATION_KEY, CONFLICTS_KEY].contains(&key.text().as_ref()))
}

/// Whether a record is as it was in the base, and nothing was said of it since. One that says less of itself agrees with
/// whatever the base said: stamps are dropped to save space, or by tools that do not know them. Nor is it a change of a
/// record that it got a second name in the place of the one under `field`, since another one was born under that.
pub(super) fn is_unchanged(base: NodeRef<'_>, record: NodeRef<'_>, field: &str) -> bool {
    if !base.is_structured() || !record.is_structured() {
        return same(base, record);
    }
    let said = base.entries().filter(|entry| !is_ours(*entry));
    let says = record.entries().filter(|entry| !is_ours(*entry));
    let same = said.chain(says).all(|entry| {
        let key = entry.key().map(NodeRef::text).unwrap_or_default();
        let (old, new) = (base.get(&key), record.get(&key));
        let (old, new) = (old.map(EntryRef::value), new.map(EntryRef::value));
        let got_name = |old: Option<NodeRef<'_>>, record| {
            let name = old.map(NodeRef::text);
            name.is_some() && original_identity(record, field).as_deref() == name.as_deref()
        };
        same_entry(old, new) || key == field && (got_name(old, record) || got_name(new, base))
    });
    same && !observed::says_more(base, record)
}

/// Whether a record came back from a deletion that nobody has settled.
pub(super) fn is_revived(record: NodeRef<'_>) -> bool {
    record.get(CONFLICTS_KEY).is_some()
        && Own::of(record, Role::Record)
            .conflicts
            .contains(&Loser::WHOLE_DELETION)
}

/// Decides what is contested in documents, and counts what was kept for people to settle.
pub(super) struct Keeper {
    /// Losing values that were added to the file.
    pub(super) kept: Kept,
    /// Where values begin, in each version, that nothing is kept beside.
    last_writers: Sides<FxHashSet<u32>>,
}

impl Keeper {
    pub(super) fn of(documents: &Sides<Document>, types: Option<&Types>) -> Self {
        let last_writers = |document: &Document| {
            types.map_or_else(FxHashSet::default, |types| types.last_writers(document))
        };
        Self {
            kept: Kept::default(),
            last_writers: documents.as_ref().map(last_writers),
        }
    }

    /// Whether a value that lost is kept: not where the last writer's alone stands.
    fn keeps(&self, versions: Sides<Option<NodeRef<'_>>>, loser: &Loser) -> bool {
        let names = Annotation::names(&loser.leaf);
        let versions = versions.iter().zip(self.last_writers.iter());
        let mut leaves = versions.filter_map(|(version, starts)| {
            let leaf = leaf_at((*version)?, &names)?;
            Some(starts.contains(&leaf.value().data().span.start))
        });
        !leaves.any(|is_last_writers| is_last_writers)
    }

    /// Settles everything contested inside a record or the root, and says what it now says about itself.
    pub(super) fn settle_holder<'d>(
        &mut self,
        versions: Sides<Option<NodeRef<'d>>>,
        role: Role,
        slots: &[Slot<'d>],
        entries: &mut [Option<EntryDraft<'d>>],
        flow: bool,
    ) -> About<'d> {
        let own = versions.map(|node| node.map(|node| Own::of(node, role)).unwrap_or_default());
        // A tool that does not know annotations dropped them: that is no edit.
        let annotations = own.as_ref().map(|version| {
            let known = if version.is_bare() {
                &own.base
            } else {
                version
            };
            known.annotation.clone()
        });
        let version = |node, own, annotation| Version {
            node,
            own,
            annotation,
        };
        let seen = Sides {
            base: version(versions.base, &own.base, &annotations.base),
            ours: version(versions.ours, &own.ours, &annotations.ours),
            theirs: version(versions.theirs, &own.theirs, &annotations.theirs),
        };
        let settled = contests::settle(versions, &seen, slots, entries);
        let mut conflicts = observed::kept(&seen);
        for (loser, stamp) in settled.losers {
            if !self.keeps(versions, &loser) {
                continue;
            }
            if !conflicts.contains(&loser) {
                self.kept.losers += 1;
            }
            conflicts.add(loser, stamp);
        }
        about::drop_winning_values(&mut conflicts, entries);
        let mut annotation = about::merged_annotation(&annotations, &settled.winners);
        if let (None, Some(ours), Some(theirs), Some(_)) = (
            versions.base,
            versions.ours,
            versions.theirs,
            annotation.birth,
        ) {
            // Two births that are one: the earlier, whether it was written down or not.
            annotation.birth = Some(birth(ours).min(birth(theirs)));
        }
        let types = if own.ours.marked || own.theirs.marked {
            merged_types(own.as_ref().map(|own| &own.types))
        } else {
            own.base.types
        };
        let merged = Own {
            marked: true,
            types,
            annotation,
            conflicts,
        };
        About::new(&merged, role, flow, versions.iter().copied().flatten())
    }

    /// Settles a list of records: deleted against changed, and two births of one identity, of which the second is
    /// returned. What concerns a record that may carry no annotation is left to the mapping around it.
    pub(super) fn settle_records<'d>(
        &mut self,
        field: &str,
        slots: &[Slot<'d>],
        entries: &mut [Option<EntryDraft<'d>>],
    ) -> Vec<Twin<'d>> {
        let mut twins = Vec::new();
        for (index, (slot, entry)) in slots.iter().zip(entries.iter_mut()).enumerate() {
            match (entry.as_ref(), slot) {
                (Some(EntryDraft::Only(..)), _) if role_of(slot).is_holder() => {
                    let Some(record) = slot.ours.or(slot.theirs) else {
                        continue;
                    };
                    self.kept.losers += 1;
                    *entry = Some(about::saying(record, |own| {
                        own.conflicts.add(Loser::WHOLE_DELETION, None);
                    }));
                }
                (
                    Some(EntryDraft::Contested(..)),
                    Slot {
                        base: None,
                        ours: Some(ours),
                        theirs: Some(theirs),
                    },
                ) => {
                    let (first, twin) = twins::apart(index, field, *ours, *theirs);
                    self.kept.renamed += 1;
                    *entry = Some(first);
                    twins.push(twin);
                }
                _ => {}
            }
        }
        twins::deal(field, slots, entries);
        twins
    }
}

/// The types of the collections at the top. Where both sides name one, what one of them changed counts, of two changes the later in
/// the alphabet.
fn merged_types(types: Sides<&BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut merged = types.ours.clone();
    for (name, theirs) in types.theirs {
        let base = types.base.get(name);
        let ours = merged.entry(name.clone()).or_insert_with(|| theirs.clone());
        let is_changed_by_both = base != Some(ours) && base != Some(theirs);
        if base == Some(ours) || (is_changed_by_both && theirs > ours) {
            ours.clone_from(theirs);
        }
    }
    merged
}

fn lost_value(node: Option<NodeRef<'_>>) -> Lost {
    node.map_or(Lost::Deletion, |node| {
        Lost::Value(crate::context::canonical(node))
    })
}
