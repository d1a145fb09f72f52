//! What stands around a merged value: between it and its key, and beside it.

use super::Slot;
use crate::merge::sides::Sides;
use crate::merge::trivia;
use crate::yaml::{Collection, Draft, EntryRef, Kind, MadeEntry, Piece, Style};

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

/// Whether a comment beside a value stood behind the key in the base, and a side has it in neither place.
pub(super) fn is_deleted(comment: &str, slot: &Slot<'_>) -> bool {
    let comment = comment.trim();
    let behind_key = |entry: EntryRef<'_>| entry.sep().contains(comment);
    let is_gone = |entry: EntryRef<'_>| !behind_key(entry) && !entry.tail().contains(comment);
    !comment.is_empty()
        && slot.base.is_some_and(behind_key)
        && (slot.ours.is_some_and(is_gone) || slot.theirs.is_some_and(is_gone))
}

/// Whether a comment can stand beside a value.
pub(super) fn is_one_line(value: &Draft<'_>) -> bool {
    match value {
        Draft::Keep(node) if node.is_block_scalar() => false,
        Draft::Block(_) => false,
        value => matches!(layout(value), Layout::Nothing | Layout::Inline),
    }
}

/// What stands between the `:` or `-` and a merged value: as in the versions whose value has the same layout.
pub(super) fn sep_for<'d>(value: &Draft<'d>, slot: &Slot<'d>, flow: bool) -> Piece<'d> {
    let wanted = layout(value);
    let fitting = slot.map(|entry| {
        let entry = entry?;
        let fits =
            layout(&Draft::Keep(entry.value())) == wanted && entry.parent().data().flow == flow;
        fits.then(|| MadeEntry::of(entry).body.sep)
    });
    // A side that has another layout changed nothing here.
    let fitting = Sides {
        ours: fitting.ours.or_else(|| fitting.base.clone()),
        theirs: fitting.theirs.or_else(|| fitting.base.clone()),
        base: fitting.base,
    };
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
