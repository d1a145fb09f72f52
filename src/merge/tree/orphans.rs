//! Comments that lost their entry: they find another one.

use crate::merge::identity::Matched;
use crate::merge::sides::Sides;
use crate::merge::trivia;
use crate::yaml::{Body, Draft, EntryDraft, MadeEntry, NodeRef, Piece};

/// Comments that were added to entries that are gone.
#[derive(Default)]
pub(super) struct Orphans {
    /// The number of the entry, and whole lines.
    lines: Vec<(usize, String)>,
}

impl Orphans {
    pub(super) fn add(&mut self, entry: usize, lines: String) {
        if !lines.is_empty() {
            self.lines.push((entry, lines));
        }
    }

    pub(super) fn into_lines(self) -> impl Iterator<Item = String> {
        self.lines.into_iter().map(|(_, lines)| lines)
    }

    /// Drops the comments that the side which deleted their entry has elsewhere, if they stand in the merge there.
    pub(super) fn drop_moved(
        &mut self,
        matched: &Matched<'_>,
        sides: Sides<Option<NodeRef<'_>>>,
        entries: &[Option<EntryDraft<'_>>],
        foot: &Piece<'_>,
    ) {
        for (entry, lines) in &mut self.lines {
            if entries[*entry].is_some() {
                continue;
            }
            let slot = &matched.slots[*entry];
            let deleting = if slot.ours.is_some() {
                sides.theirs
            } else {
                sides.ours
            };
            let moved = |comment: &str| {
                deleting.is_some_and(|node| node.raw().contains(comment))
                    && (foot.text.contains(comment)
                        || entries
                            .iter()
                            .flatten()
                            .any(|entry| mentions(entry, comment)))
            };
            *lines = lines
                .split_inclusive('\n')
                .filter(|line| !moved(line.trim_end()))
                .collect();
        }
        self.lines.retain(|(_, lines)| !lines.is_empty());
    }

    /// Puts every comment above its entry or the next one that stays, as seen by the side that still had the one that
    /// is gone; what has no such entry comes back.
    pub(super) fn settle(
        self,
        matched: &Matched<'_>,
        entries: &mut [Option<EntryDraft<'_>>],
    ) -> String {
        let mut left = String::new();
        for (entry, lines) in self.lines {
            let slot = &matched.slots[entry];
            let order = if slot.ours.is_some() {
                &matched.orders.ours
            } else {
                &matched.orders.theirs
            };
            let next = order
                .iter()
                .skip_while(|&&index| index as usize != entry)
                .copied()
                .find(|&index| entries[index as usize].is_some());
            let taken = next
                .and_then(|index| entries[index as usize].as_mut())
                .and_then(lead_of_draft)
                .map(|lead| trivia::put_above(lead, &lines));
            if taken.is_none() {
                left.push_str(&lines);
            }
        }
        left
    }
}

/// Whether a merged entry holds a comment.
fn mentions(entry: &EntryDraft<'_>, comment: &str) -> bool {
    let body = |body: &Body<'_>| {
        let inside = match &body.value {
            Draft::Keep(node) => node.raw_with_props().contains(comment),
            Draft::Token(_) => false,
            Draft::Block(text) => text.header.contains(comment),
            Draft::Collection(collection) => {
                collection.props.text.contains(comment)
                    || collection.foot.text.contains(comment)
                    || collection
                        .entries
                        .iter()
                        .any(|entry| mentions(entry, comment))
            }
        };
        inside || body.sep.text.contains(comment) || body.beside.contains(comment)
    };
    let made = |made: &MadeEntry<'_>| {
        made.lead.text.contains(comment) || made.below.text.contains(comment) || body(&made.body)
    };
    match entry {
        EntryDraft::Keep(entry) => entry.raw().contains(comment),
        EntryDraft::Made(entry) => made(entry),
        EntryDraft::Contested(entry, theirs) => made(entry) || body(theirs),
        EntryDraft::Only(_, entry) => mentions(entry, comment),
    }
}

/// The lines above an entry; nothing where there can be none.
pub(super) fn lead_of_draft<'e, 'd>(entry: &'e mut EntryDraft<'d>) -> Option<&'e mut Piece<'d>> {
    match entry {
        // An element of a flow collection has no lines above it.
        EntryDraft::Keep(entry) if entry.parent().data().flow => None,
        EntryDraft::Contested(made, _) => Some(&mut made.lead),
        EntryDraft::Only(_, entry) => lead_of_draft(entry),
        other => other.open().map(|made| &mut made.lead),
    }
}
