//! The merge of two trees against their common ancestor: what each side did to the base is done to the result.
//!
//! A node that one side left as it was is taken from the other, bytes and all. Only what both sides changed is opened:
//! collections entry by entry, texts line by line. A leaf that both changed to different values is contested, and so is
//! an entry that one side deleted while the other changed it.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::identity::{self, By, Matched, Slot};
use super::order::{self, Orders};
use super::runs::Arrange;
use super::sides::Sides;
use super::{text, trivia};
use crate::yaml::{
    Body, Collection, Draft, EntryDraft, EntryRef, Kind, MadeEntry, NodeRef, Piece, Scalar, Side,
    Style,
};

/// A merged node.
pub(super) enum Outcome<'d> {
    /// One value, perhaps with contested leaves inside.
    Clean(Draft<'d>),
    /// Two values, of which somebody has to choose one.
    Contested(Draft<'d>, Draft<'d>),
}

/// Merges nodes and counts what is contested.
#[derive(Default)]
pub(super) struct Merger {
    /// Contested leaves and entries so far.
    pub(super) contested: usize,
}

impl Merger {
    /// Merges two versions of a node.
    pub(super) fn node<'d>(
        &mut self,
        base: Option<NodeRef<'d>>,
        ours: NodeRef<'d>,
        theirs: NodeRef<'d>,
    ) -> Outcome<'d> {
        if let Some(base) = base {
            if same_bytes(base, ours) {
                return Outcome::Clean(Draft::Keep(theirs));
            }
            if same_bytes(base, theirs) {
                return Outcome::Clean(Draft::Keep(ours));
            }
        }
        if same_bytes(ours, theirs) {
            return Outcome::Clean(Draft::Keep(ours));
        }
        if ours.is_structured() && theirs.is_structured() && ours.kind() == theirs.kind() {
            // A null, or another kind of node, is a collection that had no entries yet.
            let base = base.filter(|base| base.is_structured() && base.kind() == ours.kind());
            if let Some(merged) = self.collection(
                Sides {
                    base,
                    ours: Some(ours),
                    theirs: Some(theirs),
                },
                ours,
                theirs,
            ) {
                return Outcome::Clean(merged);
            }
        }
        if ours.means(theirs) {
            let greater = if ours.raw() >= theirs.raw() {
                ours
            } else {
                theirs
            };
            return Outcome::Clean(Draft::Keep(greater));
        }
        if let Some(base) = base {
            if base.means(ours) {
                return Outcome::Clean(Draft::Keep(theirs));
            }
            if base.means(theirs) {
                return Outcome::Clean(Draft::Keep(ours));
            }
            if let Some(merged) = text::merge(Sides { base, ours, theirs }) {
                self.contested += usize::from(matches!(merged, Outcome::Contested(..)));
                return merged;
            }
        }
        self.contested += 1;
        Outcome::Contested(Draft::Keep(ours), Draft::Keep(theirs))
    }

    /// Merges two collections of one kind; none if they cannot be merged entry by entry.
    fn collection<'d>(
        &mut self,
        versions: Sides<Option<NodeRef<'d>>>,
        ours: NodeRef<'d>,
        theirs: NodeRef<'d>,
    ) -> Option<Draft<'d>> {
        let present = || versions.iter().flatten();
        if present().any(|node| node.data().flow && node.raw().contains(" #")) {
            // Comments inside brackets belong to no entry.
            return None;
        }
        let props = trivia::pick(versions.map(|node| node.map(NodeRef::props)))?;
        let from_ours = ours.props() == props;
        if ours.props() != theirs.props()
            && versions
                .base
                .is_none_or(|base| base.props() != ours.props() && base.props() != theirs.props())
        {
            return None;
        }
        let flow = match (ours.data().flow, theirs.data().flow) {
            (a, b) if a == b => a,
            (true, false) => !ours.is_empty() && theirs.is_empty(),
            (_, _) => !theirs.is_empty() && ours.is_empty(),
        };
        let matched = identity::matched(versions);
        let mut entries: Vec<Option<EntryDraft<'d>>> = matched
            .slots
            .iter()
            .map(|slot| self.entry(slot, matched.by, flow))
            .collect();
        let survives: Vec<bool> = entries.iter().map(Option::is_some).collect();
        let orders = Orders {
            base: &matched.orders.base,
            ours: &matched.orders.ours,
            theirs: &matched.orders.theirs,
            count: matched.slots.len(),
        };
        let arrange = if matched.by == By::Content {
            Arrange::Runs
        } else {
            Arrange::Elements
        };
        let order = order::merge(&orders, &survives, arrange, |a, b| compare(&matched, a, b));
        let entries: Vec<_> = order
            .into_iter()
            .filter_map(|index| entries[index as usize].take())
            .collect();
        if entries.is_empty() && !flow {
            let empty = if ours.kind() == Kind::Mapping {
                "{}"
            } else {
                "[]"
            };
            return Some(Draft::Token(Cow::Borrowed(empty)));
        }
        let shape = trivia::pick(versions.map(|node| {
            let node = node.filter(|node| node.is_block_collection())?;
            let opened = Collection::of(node);
            Some((opened.offset, opened.compact))
        }));
        let (offset, compact) = shape.unwrap_or((2, false));
        let foot = trivia::lines(
            versions.map(|node| Some(Piece::new(node?.foot(), node?.data().column as i32))),
        );
        let like = trivia::pick(versions.map(|node| {
            let node = node.filter(|node| node.data().flow && !node.is_empty())?;
            Some((
                node.raw().contains('\n'),
                node.raw().starts_with("[ ") || node.raw().starts_with("{ "),
            ))
        }));
        let like = present().rev_find_flow(like);
        let mut opened = Collection::of(if from_ours { ours } else { theirs });
        opened.flow = flow;
        opened.offset = offset;
        opened.compact = compact;
        opened.entries = entries;
        opened.foot = foot;
        opened.like = like.or(opened.like);
        Some(Draft::Collection(Box::new(opened)))
    }

    /// Merges the versions of one entry; none if it is deleted.
    fn entry<'d>(&mut self, slot: &Slot<'d>, by: By, flow: bool) -> Option<EntryDraft<'d>> {
        let keep = |entry: EntryRef<'d>| Some(EntryDraft::Keep(entry));
        let (ours, theirs) = match (slot.ours, slot.theirs) {
            (None, None) => return None,
            (Some(ours), Some(theirs)) => (ours, theirs),
            (Some(entry), None) => return self.one_sided(slot.base, entry, Side::Ours),
            (None, Some(entry)) => return self.one_sided(slot.base, entry, Side::Theirs),
        };
        if ours.raw() == theirs.raw() && same_column(ours, theirs) {
            return keep(ours);
        }
        if let Some(base) = slot.base {
            if base.raw() == ours.raw() && same_column(base, ours) {
                return keep(theirs);
            }
            if base.raw() == theirs.raw() && same_column(base, theirs) {
                return keep(ours);
            }
        } else if let By::Field(field) = by
            && identity::are_different_births(ours.value(), theirs.value(), field)
        {
            self.contested += 1;
            let body = body_of(theirs, flow);
            let mut made = MadeEntry::of(ours);
            made.body = body_of(ours, flow);
            made.origin = None;
            made.lead = trivia::lines(slot.map(|entry| entry.map(lead)));
            return Some(EntryDraft::Contested(Box::new(made), body));
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
        Some(match self.node(base, ours.value(), theirs.value()) {
            Outcome::Clean(value) => {
                let sep = sep_for(&value, slot, flow);
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

    /// An entry that only one side has: added there, or deleted on the other side.
    fn one_sided<'d>(
        &mut self,
        base: Option<EntryRef<'d>>,
        entry: EntryRef<'d>,
        side: Side,
    ) -> Option<EntryDraft<'d>> {
        let kept = EntryDraft::Keep(entry);
        match base {
            None => Some(kept),
            Some(base) if same_entry(base, entry) => None,
            Some(_) => {
                self.contested += 1;
                Some(EntryDraft::Only(side, Box::new(kept)))
            }
        }
    }
}

/// Finds the flow collection whose spacing the merged one follows.
trait RevFindFlow<'d> {
    fn rev_find_flow(self, shape: Option<(bool, bool)>) -> Option<NodeRef<'d>>;
}

impl<'a, 'd: 'a, I: Iterator<Item = &'a NodeRef<'d>>> RevFindFlow<'d> for I {
    fn rev_find_flow(self, shape: Option<(bool, bool)>) -> Option<NodeRef<'d>> {
        self.copied()
            .filter(|node| node.data().flow && !node.is_empty())
            .filter(|node| {
                let raw = node.raw();
                shape
                    == Some((
                        raw.contains('\n'),
                        raw.starts_with("[ ") || raw.starts_with("{ "),
                    ))
            })
            .max_by(|a, b| {
                a.len()
                    .min(2)
                    .cmp(&b.len().min(2))
                    .then_with(|| a.raw().cmp(b.raw()))
            })
    }
}

fn lead(entry: EntryRef<'_>) -> Piece<'_> {
    MadeEntry::of(entry).lead
}

fn body_of(entry: EntryRef<'_>, flow: bool) -> Body<'_> {
    let mut body = MadeEntry::of(entry).body;
    if entry.parent().data().flow != flow {
        body.sep = Piece::new(if flow { "" } else { " " }, 0);
    }
    body
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

fn same_entry(a: EntryRef<'_>, b: EntryRef<'_>) -> bool {
    crate::yaml::same_key(a.key(), b.key()) && a.value().means(b.value())
}

/// The layout of a value that decides what may stand before it.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Layout {
    Nothing,
    Inline,
    Below,
    Compact,
}

fn layout(value: &Draft<'_>) -> Layout {
    match value {
        Draft::Keep(node) if node.is_block_collection() && node.data().props.is_empty() => {
            if Collection::of_is_compact(*node) {
                Layout::Compact
            } else {
                Layout::Below
            }
        }
        Draft::Keep(node)
            if node.kind() == Kind::Scalar(Style::Empty) && node.data().props.is_empty() =>
        {
            Layout::Nothing
        }
        Draft::Collection(collection) if !collection.flow && collection.props.text.is_empty() => {
            if collection.compact {
                Layout::Compact
            } else {
                Layout::Below
            }
        }
        _ => Layout::Inline,
    }
}

/// What stands between the `:` or `-` and a merged value: as in the versions whose value has the same layout.
fn sep_for<'d>(value: &Draft<'d>, slot: &Slot<'d>, flow: bool) -> Piece<'d> {
    let wanted = layout(value);
    let fitting = slot.map(|entry| {
        let entry = entry?;
        let fits =
            layout(&Draft::Keep(entry.value())) == wanted && entry.parent().data().flow == flow;
        fits.then(|| MadeEntry::of(entry).body.sep)
    });
    if let Some(sep) = trivia::separators(fitting) {
        return sep;
    }
    let keyed = slot
        .ours
        .or(slot.theirs)
        .is_some_and(|entry| entry.key().is_some());
    let text = match wanted {
        Layout::Nothing => "",
        Layout::Below => "\n",
        Layout::Inline if flow && !keyed => "",
        Layout::Inline | Layout::Compact => " ",
    };
    Piece::new(text, 0)
}

/// The order of entries that were added in the same place: by what they are known by.
fn compare(matched: &Matched<'_>, a: u32, b: u32) -> Ordering {
    let entry = |index: u32| {
        let slot = &matched.slots[index as usize];
        // Whichever version is asked, the answer must be the same when the sides are swapped.
        match (slot.ours, slot.theirs) {
            (Some(x), Some(y)) => Some(if x.raw() >= y.raw() { x } else { y }),
            (x, y) => x.or(y).or(slot.base),
        }
    };
    let (Some(a), Some(b)) = (entry(a), entry(b)) else {
        return Ordering::Equal;
    };
    let name = |entry: EntryRef<'_>| match matched.by {
        By::Key => entry.key().and_then(NodeRef::scalar).map(ordinal),
        By::Field(field) => entry
            .value()
            .get(field)
            .and_then(|entry| entry.value().scalar())
            .map(ordinal),
        By::Content => None,
    };
    name(a)
        .cmp(&name(b))
        .then_with(|| a.value().raw().cmp(b.value().raw()))
}

/// Numbers by value, before texts by bytes.
fn ordinal(scalar: Scalar<'_>) -> (Option<i128>, String) {
    match scalar {
        Scalar::Int(number) => (Some(number), String::new()),
        Scalar::Str(text) => (None, text.into_owned()),
        other => (None, format!("{other:?}")),
    }
}
