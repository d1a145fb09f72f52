//! Which of the edits that came are taken.

use std::collections::BTreeMap;

use super::limits::MOST_EDITS;
use super::{Millis, Violation, may_be_synced};
use crate::crdt::{Replica, Stamp};
use crate::overlay::Known;

/// Edits that came, sorted out.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Those that are taken.
    pub(super) taken: Vec<Known>,
    /// The first of each replica that is of a time that has not come; what the replica made after it is not taken either.
    pub(super) future: Vec<Stamp>,
    /// Those of documents that may not be named.
    pub(super) documents: Vec<Stamp>,
}

/// Sorts edits out: `latest` is the last moment, in milliseconds since the Unix epoch, that they may be of.
pub(super) fn sorted(edits: Vec<Known>, latest: Millis) -> Result<Sorted, Violation> {
    if edits.len() > MOST_EDITS {
        return Err(Violation::TooMany("edits"));
    }
    let mut sorted = Sorted::default();
    let mut future: BTreeMap<Replica, Stamp> = BTreeMap::new();
    for edit in &edits {
        let stamp = edit.stamp;
        let is_next = |previous: Stamp| previous.replica() == stamp.replica() && previous < stamp;
        if !edit.previous.is_none_or(is_next) {
            return Err(Violation::Chain(stamp));
        }
        if stamp.unix_millis() > latest {
            let first = future.entry(stamp.replica()).or_insert(stamp);
            *first = stamp.min(*first);
        }
    }
    for edit in edits {
        if edit.stamp.unix_millis() > latest {
            continue;
        }
        match may_be_synced(&edit.document) {
            true => sorted.taken.push(edit),
            false => sorted.documents.push(edit.stamp),
        }
    }
    sorted.future = future.into_values().collect();
    Ok(sorted)
}
