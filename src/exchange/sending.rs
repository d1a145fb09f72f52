//! What the other side is taken to know, what is under way to it, and what comes next.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::limits::Millis;
use super::receiving::first_fitting;
use super::seal::{self, Run};
use super::{Config, Shelf, digest};
use crate::crdt::{Replica, Stamp};
use crate::overlay::Knowledge;

/// One side's edits on their way to the other. Edits are not kept: they are looked up when there is room for them.
#[derive(Debug, Default)]
pub(super) struct Sending {
    /// What the other side knows: what it said last, and what it stored or sent since. None before it said anything.
    belief: Option<Knowledge>,
    /// What was said and is not stored there, message by message.
    flight: VecDeque<Said>,
    /// Edits that it will not take, whatever happens.
    declined: BTreeSet<Stamp>,
    /// Edits that it will not take unless it says that it judges anew.
    denied: BTreeSet<Stamp>,
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
    Edits(Vec<Run>),
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

    /// The other side sent edits, each made after another: it knows them.
    pub(super) fn came(&mut self, links: &[(Stamp, Option<Stamp>)]) {
        if let Some(belief) = &mut self.belief {
            for (stamp, previous) in links {
                let chain = belief.entry(stamp.replica()).or_default();
                chain.learn(*stamp, *previous);
            }
        }
    }

    /// The other side will never take these.
    pub(super) fn decline(&mut self, stamps: &[Stamp]) {
        for stamp in stamps {
            self.drop_from_flight(|under_way| under_way == *stamp);
            self.declined.insert(*stamp);
        }
    }

    /// The other side will not take these as it judges now.
    pub(super) fn deny(&mut self, stamps: &[Stamp]) {
        for stamp in stamps {
            self.drop_from_flight(|under_way| under_way == *stamp);
            self.denied.insert(*stamp);
        }
    }

    /// The other side judges anew: what it denied is to be sent again.
    pub(super) fn reconsider(&mut self) {
        self.looks |= !self.denied.is_empty() || !self.early.is_empty();
        self.denied.clear();
        self.early.clear();
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
        let astray = match self.astray {
            Some(behind) => shelf.astray(&there, behind, config.batch)?,
            None => Vec::new(),
        };
        let are_astray = !astray.is_empty();
        let edits = match are_astray {
            true => astray,
            false => {
                self.astray = None;
                shelf.beyond(&there, config.batch)?
            }
        };
        self.looks = !edits.is_empty();
        if edits.is_empty() {
            return Ok(Next::Nothing);
        }
        let are_more = edits.len() == config.batch;
        let mut unsaid: BTreeSet<Stamp> = edits.iter().map(|edit| edit.stamp).collect();
        let seals = shelf.seals(&edits)?;
        let mut runs = seal::runs(edits, seals);
        let sealed: BTreeSet<Stamp> = stamps(&runs).collect();
        let unsealed: Vec<Stamp> = unsaid.difference(&sealed).copied().collect();
        if !unsealed.is_empty() {
            // What nobody can prove is not said.
            self.decline(&unsealed);
            return self.next(now, config, shelf);
        }
        // A run that goes on behind the last edit is said as a whole, next time.
        if are_more && runs.len() > 1 && runs.last().is_some_and(Run::goes_on) {
            runs.pop();
        }
        let runs = match first_fitting(&mut runs, &config.crypto) {
            Ok(runs) => runs,
            Err(stamp) => {
                self.decline(&[stamp]);
                return Ok(Next::TooLarge(stamp));
            }
        };
        let said = runs.iter().flat_map(Run::edits);
        let said: Vec<_> = said.map(|edit| (edit.stamp, edit.previous)).collect();
        if are_astray {
            said.iter().for_each(|(stamp, _)| {
                unsaid.remove(stamp);
            });
            let before_unsaid = |stamp: &Stamp| unsaid.first().is_none_or(|unsaid| stamp < unsaid);
            self.astray = Some(stamps(&runs).filter(before_unsaid).max());
        }
        self.flight.push_back(Said {
            at: now,
            edits: said,
        });
        Ok(Next::Edits(runs))
    }

    /// What the other side knows, will know soon or does not want to know.
    fn there(&self) -> Option<Knowledge> {
        let mut there = self.belief.clone()?;
        for (stamp, previous) in self.flight.iter().flat_map(|said| &said.edits) {
            let chain = there.entry(stamp.replica()).or_default();
            chain.learn(*stamp, *previous);
        }
        for stamp in self.declined.iter().chain(&self.denied) {
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

/// The edits that runs say.
fn stamps(runs: &[Run]) -> impl Iterator<Item = Stamp> {
    runs.iter().flat_map(Run::edits).map(|edit| edit.stamp)
}

/// Whether an edit is among what is known.
pub(super) fn knows(knowledge: &Knowledge, stamp: Stamp) -> bool {
    let chain = knowledge.get(&stamp.replica());
    chain.is_some_and(|chain| chain.contains(stamp))
}
