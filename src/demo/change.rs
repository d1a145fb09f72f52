//! What changed between two texts, in lines.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::crdt::diff;

/// A line of a small diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Changed {
    /// It is no longer there.
    Removed(String),
    /// It is new.
    Added(String),
}

/// The lines that went and came, in order.
pub(super) fn changes(old: &str, new: &str) -> Vec<Changed> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut changes = Vec::new();
    for hunk in diff::hunks(&old, &new) {
        let removed = old.get(hunk.old).unwrap_or_default();
        let added = new.get(hunk.new).unwrap_or_default();
        changes.extend(removed.iter().map(|line| Changed::Removed((*line).into())));
        changes.extend(added.iter().map(|line| Changed::Added((*line).into())));
    }
    changes
}

/// The lines of `new` that `old` has not, in order.
pub(super) fn added(old: &str, new: &str) -> Vec<String> {
    changes(old, new)
        .into_iter()
        .filter_map(|change| match change {
            Changed::Added(line) => Some(line),
            Changed::Removed(_) => None,
        })
        .collect()
}

/// The numbers of the lines of `old` that `new` has no more, or elsewhere.
pub(super) fn touched(old: &str, new: &str) -> BTreeSet<usize> {
    let (old, new): (Vec<&str>, Vec<&str>) = (
        old.split_inclusive('\n').collect(),
        new.split_inclusive('\n').collect(),
    );
    diff::hunks(&old, &new)
        .into_iter()
        .flat_map(|hunk| hunk.old)
        .collect()
}
