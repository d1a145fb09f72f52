//! Which lines there are, and which of them stay. Without input and output: it says what to do.

use std::collections::BTreeMap;

use super::ending::Close;
use super::identity::PublicKey;
use super::limits;
use super::line::LineId;

/// A peer's process, as it introduced itself on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// What it drew when it began.
    pub(super) boot: u64,
    /// Whether it means to stay.
    pub(super) stays: bool,
}

/// What is known of a line.
#[derive(Clone, Debug)]
struct Entry<H> {
    peer: PublicKey,
    dialled: bool,
    process: Option<Process>,
    handle: H,
}

/// The lines of a node, each with what ends it.
#[derive(Debug)]
pub(super) struct Lines<H> {
    own: PublicKey,
    all: BTreeMap<LineId, Entry<H>>,
}

impl<H: Clone> Lines<H> {
    /// None yet.
    pub(super) fn new(own: PublicKey) -> Self {
        Self {
            own,
            all: BTreeMap::new(),
        }
    }

    /// A line more; those that have to go for it, or the reason why it cannot stay.
    pub(super) fn add(
        &mut self,
        id: LineId,
        peer: PublicKey,
        dialled: bool,
        handle: H,
    ) -> Result<Vec<(H, Close)>, Close> {
        let mut gone = Vec::new();
        let siblings: Vec<_> = self.with(&peer).collect();
        if siblings.len() >= limits::LINES_PER_KEY {
            // Whoever has the key asks for a new one, so one of its own has to go: a visit before a watcher's.
            let stays = |entry: &Entry<H>| entry.process.is_some_and(|process| process.stays);
            let oldest = siblings
                .iter()
                .find(|(_, entry)| !stays(entry))
                .or(siblings.first());
            gone.extend(oldest.map(|(id, _)| *id));
        } else if self.all.len() >= limits::LINES {
            return Err(Close::Full);
        }
        let gone = self.remove_all(gone, Close::Replaced);
        self.all.insert(
            id,
            Entry {
                peer,
                dialled,
                process: None,
                handle,
            },
        );
        Ok(gone)
    }

    /// A line's peer said which process it is; the lines that end by that.
    ///
    /// Of two lines between the same two processes the one stays that the smaller key called, and only the smaller key's
    /// side decides, so that the two never choose differently. A process that stays takes the place of another one that
    /// stayed: a key has one watcher.
    pub(super) fn introduced(&mut self, id: LineId, process: Process) -> Vec<(H, Close)> {
        let Some(entry) = self.all.get_mut(&id) else {
            return Vec::new();
        };
        entry.process = Some(process);
        let peer = entry.peer;
        let (mut duplicates, mut former) = (Vec::new(), Vec::new());
        for (other, entry) in self.with(&peer) {
            match entry.process {
                Some(known) if known.boot == process.boot => {
                    duplicates.push((!entry.dialled, other))
                }
                Some(known) if known.stays && process.stays && other < id => former.push(other),
                _ => {}
            }
        }
        let mut gone = self.remove_all(former, Close::Replaced);
        if self.own < peer {
            duplicates.sort_unstable();
            let losers = duplicates.into_iter().skip(1).map(|(_, id)| id).collect();
            gone.extend(self.remove_all(losers, Close::Duplicate));
        }
        gone
    }

    /// A line has ended.
    pub(super) fn remove(&mut self, id: LineId) {
        self.all.remove(&id);
    }

    /// Whether there is a line with this key.
    pub(super) fn has(&self, peer: &PublicKey) -> bool {
        self.with(peer).next().is_some()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&PublicKey, &H)> {
        self.all.values().map(|entry| (&entry.peer, &entry.handle))
    }

    fn with(&self, peer: &PublicKey) -> impl Iterator<Item = (LineId, &Entry<H>)> {
        self.all
            .iter()
            .filter(move |(_, entry)| entry.peer == *peer)
            .map(|(id, entry)| (*id, entry))
    }

    fn remove_all(&mut self, ids: Vec<LineId>, close: Close) -> Vec<(H, Close)> {
        ids.into_iter()
            .filter_map(|id| Some((self.all.remove(&id)?.handle, close)))
            .collect()
    }
}
