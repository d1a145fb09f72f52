//! Whether new edits are said at once on a line, or only that they are known here.
//!
//! Where many pass edits on to each other, most lines bring what another one brought before. Such a line becomes *lazy*: on it
//! either side only tells, a little later, of which replicas it knows more ([`Message::Stored`](super::Message::Stored)). Lines
//! that stay eager are the ways that edits take; who hears on a lazy line of edits that do not come on any way makes that line
//! eager again. This is Plumtree (Leitão, Pereira and Rodrigues, "Epidemic Broadcast Trees", 2007), with marks for lists of
//! messages.
//!
//! A lazy line delays an edit where every other way is broken, and keeps it from nobody: what was told too little of is found by the next pulse.

use std::collections::BTreeSet;

use super::limits::Millis;
use super::sending::knows;
use crate::crdt::Stamp;
use crate::overlay::Knowledge;

/// Whether lines may become lazy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lulling {
    /// All new edits are said at once on all lines, unless the other side wants it otherwise.
    Never,
    /// A line on which so many messages with edits in turn brought nothing new becomes lazy.
    After(u32),
}

/// How many edits that the other side told of are kept in mind: where more are lacking, more is wrong than a line.
const MOST_LACKING: usize = 1_024;

/// How eager one side of a line is.
#[derive(Debug, Default)]
pub(super) struct Eagerness {
    is_lazy: bool,
    /// Whether something new came on it since it is eager.
    has_brought: bool,
    /// How many messages with edits brought nothing new since the last one that did.
    repeats: u32,
    /// What the other side was told since the line is lazy.
    told: Knowledge,
    /// When it is told what is known since.
    tells: Option<Millis>,
    /// Edits that it told of and that were not known here then.
    lacking: BTreeSet<Stamp>,
    /// When it is asked for them.
    asks: Option<Millis>,
    /// Whether it may lack something that it was not sent.
    is_unsure: bool,
}

impl Eagerness {
    pub(super) fn is_lazy(&self) -> bool {
        self.is_lazy
    }

    /// Whether the other side may lack something that is known here, and was left to others to say.
    pub(super) fn is_unsure(&self) -> bool {
        self.is_unsure
    }

    /// Both know the same, or the other side is sent what it lacks.
    pub(super) fn be_sure(&mut self) {
        self.is_unsure = false;
    }

    pub(super) fn lull(&mut self) {
        self.is_lazy = true;
    }

    pub(super) fn rouse(&mut self) {
        *self = Self::default();
    }

    /// Whether the line is a way by which edits come.
    pub(super) fn is_way(&self) -> bool {
        !self.is_lazy && self.has_brought
    }

    /// A message with edits brought something new.
    pub(super) fn brought(&mut self) {
        self.repeats = 0;
        self.has_brought = true;
    }

    /// A message with edits brought nothing new; whether the other side is to be told that this is so again and again. It is told ever more
    /// rarely: it may not know the word.
    pub(super) fn repeated(&mut self, lulling: Lulling) -> bool {
        let Lulling::After(most) = lulling else {
            return false;
        };
        self.repeats = self.repeats.saturating_add(1);
        let most = most.max(1);
        self.repeats.is_multiple_of(most) && (self.repeats / most).is_power_of_two()
    }

    /// More is known here: on a lazy line the other side is told at `at`, with all that comes to be known until then.
    pub(super) fn more(&mut self, at: Millis) {
        self.is_unsure = true;
        self.tells.get_or_insert(at);
    }

    /// Whether the other side is to be told now what is known here.
    pub(super) fn tells_now(&mut self, now: Millis) -> bool {
        self.tells.take_if(|at| *at <= now).is_some()
    }

    /// What it was not told of what is known here; now it is.
    pub(super) fn untold(&mut self, knowledge: &Knowledge) -> Knowledge {
        let untold = knowledge
            .iter()
            .filter(|(replica, chain)| self.told.get(replica) != Some(*chain));
        let untold: Knowledge = untold
            .map(|(replica, chain)| (*replica, chain.clone()))
            .collect();
        self.told.extend(untold.clone());
        untold
    }

    /// It was told all that is known here.
    pub(super) fn told_all(&mut self, knowledge: &Knowledge) {
        if self.is_lazy {
            self.told.clone_from(knowledge);
        }
    }

    /// On a lazy line the other side says that it has these; what is not known here is asked for at `at`, if it did not come until then.
    pub(super) fn heard(&mut self, theirs: &Knowledge, ours: &Knowledge, at: Millis) {
        let named = theirs.values().flat_map(|chain| chain.named());
        let lacking = named.filter(|stamp| !knows(ours, *stamp));
        self.lacking.extend(lacking.take(MOST_LACKING));
        if !self.lacking.is_empty() {
            self.asks.get_or_insert(at);
        }
    }

    /// Whether it is time to ask for what was told of.
    pub(super) fn asks_now(&mut self, now: Millis) -> bool {
        self.asks.take_if(|at| *at <= now).is_some()
    }

    /// Whether any of what was told of is not known here yet.
    pub(super) fn lacks(&mut self, ours: &Knowledge) -> bool {
        let lacking = std::mem::take(&mut self.lacking);
        lacking.iter().any(|stamp| !knows(ours, *stamp))
    }

    /// When it is time for something.
    pub(super) fn wakes(&self) -> Option<Millis> {
        self.tells.into_iter().chain(self.asks).min()
    }
}
