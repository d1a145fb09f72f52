//! What the other side is taken to know, what is under way to it, and what comes next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::limits::Millis;
use super::{Config, Shelf, digest, wire};
use crate::crdt::{Replica, Stamp};
use crate::overlay::{Knowledge, Known};

/// One side's edits on their way to the other. Edits are not kept: they are looked up when there is room for them.
#[derive(Debug, Default)]
pub(super) struct Sending {
    /// What the other side knows: what it said last, and what it stored or sent since. None before it said anything.
    belief: Option<Knowledge>,
    /// What was said and is not stored there, message by message.
    flight: VecDeque<Said>,
    /// Edits that it will not take, whatever happens.
    declined: BTreeSet<Stamp>,
    /// The first edit of each replica that it takes to be of the future, and when that should be over.
    early: BTreeMap<Replica, (Stamp, Millis)>,
    /// Whether there may be more to send.
    looks: bool,
    /// How far edits were looked for that marks only seem to cover; none where they need not be looked for.
    astray: Option<Behind>,
    /// Between which two knowledges, by their digests, such edits were sent last.
    searched: Option<(u64, u64)>,
}

/// A message with edits that is under way.
#[derive(Debug)]
struct Said {
    at: Millis,
    edits: Vec<(Stamp, Option<Stamp>)>,
}

/// Behind which edit something is looked for; none at the beginning.
type Behind = Option<Stamp>;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// These edits.
    Edits(Vec<Known>),
    /// An edit that is too large to be sent.
    TooLarge(Stamp),
    /// Nothing, until there is room or more to send.
    Nothing,
}

impl Sending {
    /// Whether the other side said what it knows.
    pub(super) fn has_begun(&self) -> bool {
        self.belief.is_some()
    }

    /// Whether all that there was to send was sent.
    pub(super) fn is_said(&self) -> bool {
        self.has_begun() && !self.looks
    }

    /// Whether all that there was to send is stored at the other side, or refused.
    pub(super) fn is_done(&self) -> bool {
        self.is_said() && self.flight.is_empty()
    }

    /// What the other side is taken to know.
    pub(super) fn belief(&self) -> Option<&Knowledge> {
        self.belief.as_ref()
    }

    /// There may be more to send.
    pub(super) fn look(&mut self) {
        self.looks = true;
    }

    /// The other side says all that it knows; `ours` is the digest of what we know. What was sent before `lost_before` and is
    /// not stored there is taken for lost.
    pub(super) fn replace(&mut self, knowledge: Knowledge, ours: u64, lost_before: Millis) {
        let between = (ours, digest(&knowledge));
        self.belief = Some(knowledge);
        self.forget_stored();
        let under_way = self.flight.len();
        self.flight.retain(|said| said.at >= lost_before);
        self.looks = true;
        if self.searched != Some(between) || self.flight.len() < under_way {
            self.searched = Some(between);
            self.astray = Some(None);
        }
    }

    /// The other side knows what we know.
    pub(super) fn agree(&mut self, knowledge: Knowledge) {
        self.belief = Some(knowledge);
        self.flight.clear();
        self.looks = false;
        self.astray = None;
    }

    /// The other side says what it knows of some replicas. Says how many of the edits that were under way are stored there.
    pub(super) fn stored(&mut self, chains: Knowledge) -> usize {
        if let Some(belief) = &mut self.belief {
            belief.extend(chains);
        }
        self.forget_stored()
    }

    fn forget_stored(&mut self) -> usize {
        let Some(belief) = &self.belief else { return 0 };
        let before = self.under_way();
        for said in &mut self.flight {
            said.edits.retain(|(stamp, _)| !knows(belief, *stamp));
        }
        self.flight.retain(|said| !said.edits.is_empty());
        before - self.under_way()
    }

    fn under_way(&self) -> usize {
        self.flight.iter().map(|said| said.edits.len()).sum()
    }

    /// The other side sent an edit: it knows it.
    pub(super) fn came(&mut self, edit: &Known) {
        if let Some(belief) = &mut self.belief {
            let chain = belief.entry(edit.stamp.replica()).or_default();
            chain.learn(edit.stamp, edit.previous);
        }
    }

    /// The other side will never take these.
    pub(super) fn decline(&mut self, stamps: &[Stamp]) {
        for stamp in stamps {
            self.drop_from_flight(|under_way| under_way == *stamp);
            self.declined.insert(*stamp);
        }
    }

    /// The other side takes these edits, and all that their replicas made after them, only from `until` on.
    pub(super) fn postpone(&mut self, from: &[Stamp], until: impl Fn(Stamp) -> Millis) {
        for stamp in from {
            let of = stamp.replica();
            self.drop_from_flight(|under_way| under_way.replica() == of && under_way >= *stamp);
            self.early.insert(of, (*stamp, until(*stamp)));
        }
    }

    /// The other side takes nothing of what is under way.
    pub(super) fn give_up(&mut self) {
        self.flight.clear();
        self.looks = false;
    }

    fn drop_from_flight(&mut self, is_refused: impl Fn(Stamp) -> bool) {
        for said in &mut self.flight {
            said.edits.retain(|(stamp, _)| !is_refused(*stamp));
        }
        self.flight.retain(|said| !said.edits.is_empty());
    }

    /// What was postponed until `now` is to be sent again.
    pub(super) fn wake(&mut self, now: Millis) {
        let before = self.early.len();
        self.early.retain(|_, (_, until)| *until > now);
        self.looks |= self.early.len() < before;
    }

    /// When something that was postponed is to be sent again.
    pub(super) fn wakes(&self) -> Option<Millis> {
        self.early.values().map(|(_, until)| *until).min()
    }

    /// What is to be sent now.
    pub(super) fn next<S: Shelf>(
        &mut self,
        now: Millis,
        config: &Config,
        shelf: &mut S,
    ) -> Result<Next, S::Error> {
        if !self.looks || self.flight.len() >= config.window {
            return Ok(Next::Nothing);
        }
        let Some(there) = self.there() else {
            return Ok(Next::Nothing);
        };
        let mut edits = match self.astray {
            Some(behind) => shelf.astray(&there, behind, config.batch)?,
            None => Vec::new(),
        };
        let are_astray = !edits.is_empty();
        if !are_astray {
            self.astray = None;
            edits = shelf.beyond(&there, config.batch)?;
        }
        self.looks = !edits.is_empty();
        match (wire::fitting(&edits), edits.first()) {
            (Ok(fitting), _) => edits.truncate(fitting),
            (Err(_), Some(first)) => {
                let stamp = first.stamp;
                self.decline(&[stamp]);
                return Ok(Next::TooLarge(stamp));
            }
            (Err(_), None) => {}
        }
        let Some(last) = edits.last() else {
            return Ok(Next::Nothing);
        };
        if are_astray {
            self.astray = Some(Some(last.stamp));
        }
        let said = edits.iter().map(|edit| (edit.stamp, edit.previous));
        self.flight.push_back(Said {
            at: now,
            edits: said.collect(),
        });
        Ok(Next::Edits(edits))
    }

    /// What the other side knows, will know soon or does not want to know.
    fn there(&self) -> Option<Knowledge> {
        let mut there = self.belief.clone()?;
        for (stamp, previous) in self.flight.iter().flat_map(|said| &said.edits) {
            let chain = there.entry(stamp.replica()).or_default();
            chain.learn(*stamp, *previous);
        }
        for stamp in &self.declined {
            let chain = there.entry(stamp.replica()).or_default();
            chain.learn(*stamp, Some(*stamp));
        }
        for (replica, (from, _)) in &self.early {
            let chain = there.entry(*replica).or_default();
            chain.learn_all_from(*from);
        }
        Some(there)
    }
}

/// Whether an edit is among what is known.
pub(super) fn knows(knowledge: &Knowledge, stamp: Stamp) -> bool {
    let chain = knowledge.get(&stamp.replica());
    chain.is_some_and(|chain| chain.contains(stamp))
}
