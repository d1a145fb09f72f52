//! What a replica knows of each replica's edits, in so few words that another one can tell what is missing.
//!
//! A replica's edits form a chain: each names the one before it. So one mark says how far it is known, and only what came
//! out of turn has to be listed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::crdt::{Replica, Stamp};

/// What is known of each replica's edits; replicas of which none is known are missing.
pub type Knowledge = BTreeMap<Replica, Chain>;

/// What is known of one replica's edits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Chain {
    /// All edits up to this one are known; none where the first is missing.
    pub upto: Option<Stamp>,
    /// The edits known beyond, in order: runs in which each edit names the one before it. Before each something is missing,
    /// or the replica's name is used by two who both made an edit after the same one.
    pub islands: Vec<RangeInclusive<Stamp>>,
}

/// The edits of one replica, each with the one that it was made after.
pub type Links = BTreeMap<Stamp, Option<Stamp>>;

impl Chain {
    /// What is known of a replica of which these edits are known: runs, in the order of stamps, in which each edit names the one before it.
    #[must_use]
    pub fn of(links: &Links) -> Self {
        let mut chain = Self::default();
        let mut last = None;
        for (stamp, previous) in links {
            match chain.islands.last_mut() {
                None if *previous == last => chain.upto = Some(*stamp),
                Some(island) if *previous == last => *island = *island.start()..=*stamp,
                _ => chain.islands.push(*stamp..=*stamp),
            }
            last = Some(*stamp);
        }
        chain
    }

    /// Those of the edits known here that lie within this chain by their stamps, but are none of those that it tells of: two
    /// wrote under one name, and who told of the chain knows what the other one wrote.
    ///
    /// An edit that the chain names is known there with all that it was made after. Where it names one that is not known
    /// here, although everything up to its stamp should be, nothing can be said of what lies before.
    #[must_use]
    pub fn astray(&self, here: &Links) -> BTreeSet<Stamp> {
        let mut within: BTreeSet<Stamp> = here
            .keys()
            .copied()
            .filter(|stamp| self.contains(*stamp))
            .collect();
        let upto = Self::of(here).upto;
        let whole = self.upto.map(|upto| (None, upto));
        let islands = self.islands.iter();
        let islands = islands.map(|island| (Some(*island.start()), *island.end()));
        for (first, last) in whole.into_iter().chain(islands) {
            let mut at = Some(last);
            while let Some(stamp) = at.filter(|stamp| first.is_none_or(|first| *stamp >= first)) {
                match here.get(&stamp) {
                    Some(previous) => {
                        within.remove(&stamp);
                        at = previous.filter(|previous| *previous < stamp);
                    }
                    None => {
                        if upto.is_none_or(|upto| stamp > upto) {
                            within.retain(|other| {
                                *other > stamp || first.is_some_and(|first| *other < first)
                            });
                        }
                        break;
                    }
                }
            }
        }
        within
    }

    /// Whether the edit of this replica with this stamp is known.
    #[must_use]
    pub fn contains(&self, stamp: Stamp) -> bool {
        self.upto.is_some_and(|upto| stamp <= upto)
            || self.islands.iter().any(|island| island.contains(&stamp))
    }

    /// What one who tells of `theirs` knows of the replica beyond this: the edits that they name and are not known here, and those here
    /// of which something before is missing here and not there.
    #[must_use]
    pub fn lacks(&self, theirs: &Self) -> BTreeSet<Stamp> {
        let joins = |start: Stamp| {
            let mut islands = theirs.islands.iter();
            theirs.upto.is_some_and(|upto| start <= upto)
                || islands.any(|island| *island.start() < start && start <= *island.end())
        };
        let starts = self.islands.iter().map(|island| *island.start());
        let named = theirs.named().filter(|stamp| !self.contains(*stamp));
        named.chain(starts.filter(|start| joins(*start))).collect()
    }

    /// The edits that it names: the last of each run.
    pub fn named(&self) -> impl Iterator<Item = Stamp> {
        let islands = self.islands.iter().map(|island| *island.end());
        self.upto.into_iter().chain(islands)
    }

    /// Notes that an edit is known; its replica made it after `previous`.
    pub fn learn(&mut self, stamp: Stamp, previous: Option<Stamp>) {
        if self.contains(stamp) {
            return;
        }
        if previous == self.upto {
            self.upto = Some(stamp);
            return;
        }
        let at = self
            .islands
            .partition_point(|island| *island.start() < stamp);
        let before = at.checked_sub(1).and_then(|at| self.islands.get_mut(at));
        match before {
            Some(island) if Some(*island.end()) == previous => *island = *island.start()..=stamp,
            _ => self.islands.insert(at, stamp..=stamp),
        }
    }

    /// Takes an edit and all that its replica could ever make after it for known.
    pub fn learn_all_from(&mut self, from: Stamp) {
        self.islands.retain(|island| *island.start() < from);
        self.islands.push(from..=Stamp::last_of(from.replica()));
    }
}
