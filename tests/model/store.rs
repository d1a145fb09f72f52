//! What the store of a work tree holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{File, Stamp};
use crate::edits::{Change, ChangeId, Known};
use crate::graph::CommitId;

/// The store of one work tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) replica: u16,
    pub(crate) known: BTreeMap<Stamp, Known>,
    pub(crate) parked: BTreeSet<ChangeId>,
    /// What a HEAD of this work tree contained.
    pub(crate) once: BTreeMap<ChangeId, BTreeSet<CommitId>>,
    /// The overlay of the current rendering.
    pub(crate) shown: BTreeSet<ChangeId>,
    pub(crate) rendering: File,
    /// Earlier renderings, and until when they were current.
    pub(crate) ring: Vec<(File, u32)>,
    pub(crate) head: Option<CommitId>,
    pub(crate) looked_at: u32,
    pub(crate) reflog: usize,
    /// The last stamp.
    pub(crate) clock: u32,
    pub(crate) is_kept_back: bool,
    /// How long the reflog was when an edit was told from the file.
    pub(crate) made: BTreeMap<ChangeId, usize>,
}

impl Store {
    pub(crate) fn new(replica: u16) -> Self {
        Self {
            replica,
            ..Self::default()
        }
    }

    pub(crate) fn has_looked(&self) -> bool {
        self.head.is_some()
    }

    /// Two replicas tell each other what they know.
    pub(crate) fn exchange(one: &mut Self, other: &mut Self) {
        for (stamp, known) in &one.known {
            other.known.entry(*stamp).or_insert_with(|| known.clone());
        }
        for (stamp, known) in &other.known {
            one.known.entry(*stamp).or_insert_with(|| known.clone());
        }
    }

    /// All that is shown over HEAD is kept back; the file has become HEAD's.
    pub(crate) fn park(&mut self, head: &File) {
        self.parked.extend(self.shown.iter().copied());
        self.shown.clear();
        self.rendering = head.clone();
        self.ring.clear();
    }

    pub(crate) fn unpark(&mut self, all: bool) {
        self.parked.clear();
        if all {
            let all: Vec<ChangeId> = self.once.keys().copied().collect();
            all.into_iter().for_each(|id| self.take_up(id));
        }
    }

    /// Only HEADs from now on can contain it.
    pub(crate) fn take_up(&mut self, id: ChangeId) {
        self.parked.remove(&id);
        self.once.remove(&id);
        self.made.insert(id, self.reflog);
    }

    /// Whether something is known and neither shown nor contained.
    pub(crate) fn keeps_back(&self) -> bool {
        self.is_kept_back
    }

    pub(crate) fn retracted(&self) -> BTreeSet<ChangeId> {
        self.known
            .values()
            .flat_map(|known| known.retracts.iter().copied())
            .collect()
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = (ChangeId, &Known, &Change)> {
        self.known.values().flat_map(|known| {
            let changes = known.changes.iter().enumerate();
            changes.map(move |(at, change)| ((known.stamp, at), known, change))
        })
    }
}
