//! The merge of two trees against their common ancestor: what each side did to the base is done to the result.
//!
//! A node that one side left as it was is taken from the other, bytes and all. Only what both sides changed is opened:
//! collections entry by entry, texts line by line. A leaf that both changed to different values is contested, and so is
//! an entry that one side deleted while the other changed it.

mod added;
mod layout;
mod orphans;
mod whole;

use std::borrow::Cow;

use added::compare;
use layout::{is_deleted, is_one_line, sep_for};
use orphans::{Orphans, lead_of_draft};
use whole::{apart, empty, flow_model, merged_props, written_anew};

use super::document::{self, Keeper, Twin};
use super::identity::{self, By, Slot};
use super::sides::Sides;
use super::{similar, text, trivia};
use crate::context::{self, Role, are_one};
use crate::crdt::order::{self, Arrange, Fate, Orders};
use crate::yaml::{Body, Collection, Draft, EntryDraft, EntryRef, MadeEntry, NodeRef, Piece, Side};

/// A merged node.
pub(super) enum Outcome<'d> {
    /// One value, perhaps with contested leaves inside.
    Clean(Draft<'d>),
    /// Two values, of which somebody has to choose one.
    Contested(Draft<'d>, Draft<'d>),
}

/// Merges nodes and counts what is contested.
pub(super) struct Merger<'a> {
    /// Contested leaves and entries so far.
    pub(super) contested: usize,
    /// Anchors that one side took away while the other began to use them: whatever takes one away, or uses it anew, is
    /// contested.
    torn: &'a [String],
    /// Comments that were added inside something that is gone: they wait for the collection around it to take them.
    orphans: Vec<String>,
    /// Decides what is contested, in documents.
    pub(super) keeper: Option<Keeper>,
}

impl<'a> Merger<'a> {
    pub(super) fn new(torn: &'a [String], keeper: Option<Keeper>) -> Self {
        Merger {
            contested: 0,
            torn,
            orphans: Vec::new(),
            keeper,
        }
    }

    /// The comments that found no place in the node that was merged last, as whole lines.
    pub(super) fn take_orphans(&mut self) -> String {
        std::mem::take(&mut self.orphans).concat()
    }

    /// Merges two versions of a node.
    pub(super) fn node<'d>(
        &mut self,
        base: Option<NodeRef<'d>>,
        ours: NodeRef<'d>,
        theirs: NodeRef<'d>,
        role: Role,
    ) -> Outcome<'d> {
        if let Some(base) = base {
            if same_bytes(base, ours) {
                return self.taken(base, theirs, Side::Theirs);
            }
            if same_bytes(base, theirs) {
                return self.taken(base, ours, Side::Ours);
            }
        }
        if same_bytes(ours, theirs) {
            return Outcome::Clean(Draft::Keep(ours));
        }
        if ours.is_structured() && theirs.is_structured() && ours.kind() == theirs.kind() {
            // A null, or another kind of node, is a collection that had no entries yet.
            let base = base.filter(|base| base.is_structured() && base.kind() == ours.kind());
            let versions = Sides {
                base,
                ours: Some(ours),
                theirs: Some(theirs),
            };
            if let Some(merged) = self.collection(versions, ours, theirs, role) {
                return merged;
            }
        }
        let by_lines = base.and_then(|base| text::merge_blocks(Sides { base, ours, theirs }));
        if let Some(Outcome::Clean(merged)) = by_lines {
            return Outcome::Clean(merged);
        }
        // Lines that were only broken anew contest nothing.
        if self.same(ours, theirs) {
            return Outcome::Clean(Draft::Keep(written_anew(base, ours, theirs)));
        }
        if let Some(base) = base {
            let versions = Sides { base, ours, theirs };
            if self.same(base, ours) {
                self.orphans.extend(trivia::added_inside(base, ours));
                return self.taken(ours, theirs, Side::Theirs);
            }
            if self.same(base, theirs) {
                self.orphans.extend(trivia::added_inside(base, theirs));
                return self.taken(theirs, ours, Side::Ours);
            }
            if let Some(merged) = by_lines.or_else(|| text::merge_decoded(versions)) {
                return self.counted(merged);
            }
            if let Some(merged) = apart(versions) {
                return Outcome::Clean(merged);
            }
        }
        self.contested += 1;
        Outcome::Contested(Draft::Keep(ours), Draft::Keep(theirs))
    }

    /// Whether two nodes hold the same, as documents or as YAML has it.
    fn same(&self, a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
        match self.keeper {
            Some(_) => context::same(a, b),
            None => a.means(b),
        }
    }

    /// Whether an entry holds what it held in the base. A tool that drops what a record says about itself does not
    /// change the record.
    fn same_entry(&self, base: EntryRef<'_>, entry: EntryRef<'_>, by: By) -> bool {
        let (old, new) = (base.value(), entry.value());
        crate::yaml::same_key(base.key(), entry.key())
            && match (by, &self.keeper) {
                (By::Field(field), Some(_)) => document::is_unchanged(old, new, field),
                _ => self.same(old, new),
            }
    }

    fn counted<'d>(&mut self, outcome: Outcome<'d>) -> Outcome<'d> {
        self.contested += usize::from(matches!(outcome, Outcome::Contested(..)));
        outcome
    }

    /// A node that only `side` changed.
    fn taken<'d>(&mut self, old: NodeRef<'d>, new: NodeRef<'d>, side: Side) -> Outcome<'d> {
        if !self.tears(old.raw_with_props(), new.raw_with_props()) {
            return Outcome::Clean(Draft::Keep(new));
        }
        self.contested += 1;
        match side {
            Side::Ours => Outcome::Contested(Draft::Keep(new), Draft::Keep(old)),
            Side::Theirs => Outcome::Contested(Draft::Keep(old), Draft::Keep(new)),
        }
    }

    /// Whether a change takes a torn anchor away or uses one anew.
    fn tears(&self, old: &str, new: &str) -> bool {
        self.torn.iter().any(|name| {
            let holds = |text: &str, sign: char| {
                text.match_indices(sign).any(|(at, _)| {
                    text[at + 1..]
                        .strip_prefix(name.as_str())
                        .is_some_and(|rest| {
                            rest.chars()
                                .next()
                                .is_none_or(|c| c.is_whitespace() || ",[]{}".contains(c))
                        })
                })
            };
            holds(old, '&') && !holds(new, '&') || holds(new, '*') && !holds(old, '*')
        })
    }

    /// Merges two collections of one kind; none if they cannot be merged entry by entry.
    fn collection<'d>(
        &mut self,
        versions: Sides<Option<NodeRef<'d>>>,
        ours: NodeRef<'d>,
        theirs: NodeRef<'d>,
        role: Role,
    ) -> Option<Outcome<'d>> {
        if versions
            .iter()
            .flatten()
            .any(|node| trivia::has_comments_in_brackets(*node))
        {
            // Comments inside brackets belong to no entry.
            return None;
        }
        let props = merged_props(versions, ours, theirs)?;
        let flow = match (ours.data().flow, theirs.data().flow) {
            (a, b) if a == b => a,
            (true, false) => !ours.is_empty() && theirs.is_empty(),
            (_, _) => !theirs.is_empty() && ours.is_empty(),
        };
        // What waits here comes from elsewhere.
        let waiting = std::mem::take(&mut self.orphans);
        let matched = identity::matched(versions);
        let mut orphans = Orphans::default();
        let mut entries: Vec<Option<EntryDraft<'d>>> = Vec::with_capacity(matched.slots.len());
        for slot in &matched.slots {
            if self.keeper.is_some() && role.is_holder() && document::is_about(slot) {
                entries.push(None);
                continue;
            }
            let entry = self.entry(slot, matched.by, flow);
            orphans.add(entries.len(), self.take_orphans());
            entries.push(entry);
        }
        self.orphans = waiting;
        let mut about = None;
        let mut twins = Vec::new();
        if let Some(keeper) = &mut self.keeper {
            let slots = &matched.slots;
            match matched.by {
                By::Key if role.is_holder() => {
                    about = Some(keeper.settle_holder(versions, role, slots, &mut entries, flow));
                }
                By::Field(field) => twins = keeper.settle_records(field, slots, &mut entries),
                _ => {}
            }
        }
        let fates: Vec<Fate> = matched
            .slots
            .iter()
            .zip(&entries)
            .map(|(slot, entry)| match entry {
                None => Fate::Gone,
                Some(_) if is_revived(slot) => Fate::Revived,
                Some(_) => Fate::Stays,
            })
            .collect();
        let orders = Orders {
            base: &matched.orders.base,
            ours: &matched.orders.ours,
            theirs: &matched.orders.theirs,
            count: matched.slots.len(),
        };
        let arrange = match matched.by {
            By::Field(_) | By::Key if self.keeper.is_some() => Arrange::Sorted,
            By::Field(_) | By::Key => Arrange::Elements,
            By::Content => Arrange::Runs,
        };
        let order = order::merge(&orders, &fates, arrange, |a, b| {
            let revived = |entry: u32| fates[entry as usize] == Fate::Revived;
            // What came back stands before what is new, as it did before it was deleted.
            match (revived(a), revived(b)) {
                (true, true) => a.cmp(&b),
                (mine, other) if mine != other => other.cmp(&mine),
                _ => compare(&matched, a, b),
            }
        });
        let mut foot = trivia::lines(
            versions.map(|node| Some(Piece::new(node?.foot(), node?.data().column as i32))),
        );
        if flow {
            self.orphans.extend(orphans.into_lines());
        } else {
            let sides = Sides {
                base: None,
                ours: Some(ours),
                theirs: Some(theirs),
            };
            orphans.drop_moved(&matched, sides, &entries, &foot);
            let left = orphans.settle(&matched, &mut entries);
            trivia::put_above(&mut foot, &left);
        }
        if let Some(&first) = order.first().filter(|_| !flow) {
            let is_about =
                |index: u32| about.is_some() && document::is_about(&matched.slots[index as usize]);
            let was_first = matched.orders.iter().any(|order| {
                let mut others = order.iter().filter(|index| !is_about(**index));
                others.next() == Some(&first)
            });
            let lead = entries[first as usize]
                .as_mut()
                .filter(|entry| !was_first && starts_blank(entry))
                .and_then(lead_of_draft);
            // Blank lines set it apart from an entry that is gone.
            if let Some(lead) = lead {
                trivia::drop_leading_blanks(lead);
            }
        }
        let mut merged = Vec::with_capacity(order.len());
        let mut waiting: Vec<Twin<'d>> = Vec::new();
        for index in order {
            if !waiting.is_empty() {
                let name = document::name_of(&matched.slots[index as usize], matched.by);
                let placed = waiting.extract_if(.., |twin| !twin.stands_behind(&name));
                merged.extend(placed.map(|twin| twin.entry));
            }
            merged.extend(entries[index as usize].take());
            waiting.extend(twins.extract_if(.., |twin| twin.of == index as usize));
        }
        merged.extend(waiting.into_iter().map(|twin| twin.entry));
        let mut entries = merged;
        if let Some(about) = about {
            about.insert(role, flow, &mut entries);
        }
        if entries.is_empty() && !flow {
            self.orphans.extend(trivia::comment_lines(&foot.text));
            return Some(Outcome::Clean(empty(ours.kind(), &props)));
        }
        let shape = trivia::pick(versions.map(|node| {
            let node = node.filter(|node| node.is_block_collection())?;
            let opened = Collection::of(node);
            Some((opened.offset, opened.compact))
        }));
        let (offset, compact) = shape.unwrap_or((2, false));
        let merged = Collection {
            kind: ours.kind(),
            flow,
            props,
            offset,
            compact,
            entries,
            foot,
            like: flow_model(versions),
        };
        let left_to = |side| {
            merged
                .entries
                .iter()
                .any(|entry| !matches!(entry, EntryDraft::Only(only, _) if *only != side))
        };
        let (in_ours, in_theirs) = (left_to(Side::Ours), left_to(Side::Theirs));
        let none = empty(merged.kind, &merged.props);
        let merged = Draft::Collection(Box::new(merged));
        Some(match (flow, in_ours, in_theirs) {
            (false, false, true) => Outcome::Contested(none, merged),
            (false, true, false) => Outcome::Contested(merged, none),
            _ => Outcome::Clean(merged),
        })
    }

    /// Merges the versions of one entry; none if it is deleted.
    fn entry<'d>(&mut self, slot: &Slot<'d>, by: By, flow: bool) -> Option<EntryDraft<'d>> {
        let keep = |entry: EntryRef<'d>| Some(EntryDraft::Keep(entry));
        let slot = &match by {
            By::Key if self.keeper.is_some() => self.without_nulls(slot),
            _ => *slot,
        };
        let (ours, theirs) = match (slot.ours, slot.theirs) {
            (None, None) => return None,
            (Some(ours), Some(theirs)) => (ours, theirs),
            (Some(entry), None) => return self.one_sided(slot.base, entry, by, Side::Ours),
            (None, Some(entry)) => return self.one_sided(slot.base, entry, by, Side::Theirs),
        };
        if ours.raw() == theirs.raw() && same_column(ours, theirs) {
            // Before the first element of brackets stands what says nothing of the white space between others.
            return keep(if ours.is_first() { theirs } else { ours });
        }
        if let Some(base) = slot.base {
            let takes = |old: EntryRef<'d>, new: EntryRef<'d>| {
                old.raw() == base.raw()
                    && same_column(base, old)
                    && !self.tears(old.raw(), new.raw())
            };
            if takes(ours, theirs) {
                return keep(theirs);
            }
            if takes(theirs, ours) {
                return keep(ours);
            }
        }
        let lead = trivia::lines(slot.map(|entry| entry.map(lead)));
        let below = trivia::lines(slot.map(|entry| entry.map(|entry| MadeEntry::of(entry).below)));
        let head = trivia::pick(slot.map(|entry| entry.map(EntryRef::head))).unwrap_or_default();
        let head = match (flow, ours.key()) {
            (false, None) => "-",
            (true, None) => "",
            _ => head,
        };
        let beside =
            trivia::beside(slot.map(|entry| entry.map(|entry| MadeEntry::of(entry).body.beside)));
        let beside = if is_deleted(&beside, slot) {
            Cow::Borrowed("")
        } else {
            beside
        };
        let base = slot.base.map(EntryRef::value);
        let made = |body| {
            Box::new(MadeEntry {
                lead,
                head: Cow::Borrowed(head),
                body,
                below,
                origin: None,
            })
        };
        let two_records = slot.base.is_none()
            && matches!(by, By::Field(_))
            && !are_one(ours.value(), theirs.value());
        let outcome = if two_records {
            self.contested += 1;
            Outcome::Contested(Draft::Keep(ours.value()), Draft::Keep(theirs.value()))
        } else {
            let role = match by {
                By::Field(_) => document::role_of(slot),
                By::Key | By::Content => Role::Inner,
            };
            self.node(base, ours.value(), theirs.value(), role)
        };
        Some(match outcome {
            Outcome::Clean(value) => {
                let sep = sep_for(&value, slot, flow);
                let beside = self.beside_with_lost(slot, &sep, &value, beside);
                EntryDraft::Made(made(Body { sep, value, beside }))
            }
            Outcome::Contested(mine, others) => {
                let mine = Body {
                    sep: sep_for(&mine, slot, flow),
                    value: mine,
                    beside: beside.clone(),
                };
                let others = Body {
                    sep: sep_for(&others, slot, flow),
                    value: others,
                    beside,
                };
                EntryDraft::Contested(made(mine), others)
            }
        })
    }

    /// An entry of a document's mapping with nulls taken for absent versions, where else they would contest something: a
    /// null says no more than nothing does.
    fn without_nulls<'d>(&mut self, slot: &Slot<'d>) -> Slot<'d> {
        let null = |entry: EntryRef<'_>| context::is_null(entry.value());
        let mut slot = *slot;
        match (slot.base, slot.ours, slot.theirs) {
            (Some(base), Some(only), None) | (Some(base), None, Some(only))
                if null(base) != null(only) =>
            {
                slot.base = None;
            }
            (None, Some(ours), Some(theirs)) if null(ours) != null(theirs) => {
                let (dropped, kept) = if null(ours) {
                    (slot.ours.take(), theirs)
                } else {
                    (slot.theirs.take(), ours)
                };
                let comments = dropped.map(|dropped| trivia::added_to(kept, dropped));
                self.orphans.extend(comments.into_iter().flatten());
            }
            _ => {}
        }
        slot
    }

    /// The comment beside a value, and with it one that stood behind the key as long as the value stood below.
    fn beside_with_lost<'d>(
        &mut self,
        slot: &Slot<'d>,
        sep: &Piece<'d>,
        value: &Draft<'d>,
        beside: Cow<'d, str>,
    ) -> Cow<'d, str> {
        let all = trivia::separators(slot.map(|entry| Some(MadeEntry::of(entry?).body.sep)));
        let lost: Vec<String> = all
            .map(|all| trivia::comment_lines(&all.text))
            .unwrap_or_default()
            .into_iter()
            .filter(|comment| {
                let comment = comment.trim_end();
                !sep.text.contains(comment) && !beside.contains(comment)
            })
            .collect();
        match lost.as_slice() {
            // It stands behind the key already.
            [] if !is_one_line(value) && sep.text.contains(beside.trim()) => Cow::Borrowed(""),
            [] => beside,
            [comment] if beside.trim().is_empty() && is_one_line(value) => {
                Cow::Owned(format!(" {}", comment.trim_end()))
            }
            _ => {
                self.orphans.extend(lost);
                beside
            }
        }
    }

    /// An entry that only one side has: added there, or deleted on the other side.
    fn one_sided<'d>(
        &mut self,
        base: Option<EntryRef<'d>>,
        entry: EntryRef<'d>,
        by: By,
        side: Side,
    ) -> Option<EntryDraft<'d>> {
        let kept = EntryDraft::Keep(entry);
        // A member in the place of one that it has nothing in common with is another one: both sides removed the first.
        let base = base.filter(|base| {
            by != By::Content
                || self.same_entry(*base, entry, by)
                || similar::likeness(base.value(), entry.value()) > 0.0
        });
        let contested = match base {
            None => self.tears("", entry.raw()),
            Some(base) => !self.same_entry(base, entry, by) || self.tears(entry.raw(), ""),
        };
        if contested {
            self.contested += 1;
            return Some(EntryDraft::Only(side, Box::new(kept)));
        }
        let Some(base) = base else {
            return Some(kept);
        };
        self.orphans.extend(trivia::added_to(base, entry));
        None
    }
}

/// Whether an entry of the base came back, or is there to be chosen, after one branch deleted it.
fn is_revived(slot: &Slot<'_>) -> bool {
    let Some(base) = slot.base else {
        return false;
    };
    let sides = [slot.ours, slot.theirs];
    let deleted = sides.iter().any(Option::is_none);
    let came_back = |entry: &EntryRef<'_>| document::is_revived(entry.value());
    deleted || (!came_back(&base) && sides.iter().flatten().any(came_back))
}

fn starts_blank(entry: &EntryDraft<'_>) -> bool {
    let lead = match entry {
        EntryDraft::Keep(entry) => lead(*entry),
        EntryDraft::Made(made) | EntryDraft::Contested(made, _) => made.lead.clone(),
        EntryDraft::Only(_, entry) => return starts_blank(entry),
    };
    lead.text
        .lines()
        .next()
        .is_some_and(|line| line.trim().is_empty())
}

/// The lines above an entry; what stands before an element in brackets is spacing.
fn lead(entry: EntryRef<'_>) -> Piece<'_> {
    if entry.parent().data().flow {
        return Piece::default();
    }
    MadeEntry::of(entry).lead
}

fn same_bytes(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    let (x, y) = (a.data(), b.data());
    x.parent_column == y.parent_column
        && x.column == y.column
        && a.kind() == b.kind()
        && a.raw_with_props() == b.raw_with_props()
}

fn same_column(a: EntryRef<'_>, b: EntryRef<'_>) -> bool {
    let (x, y) = (a.parent().data(), b.parent().data());
    x.column == y.column && x.flow == y.flow && x.parent_column == y.parent_column
}
