//! What a replica knows, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use rhema_crdt::crdt::{Replica, Stamp};
use rhema_crdt::exchange::{Added, Introduction, Shelf};
use rhema_crdt::overlay::{Chain, CommitId, Knowledge, Known, Links};

/// Edits, and whose they are. What is added is durable.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    pub(crate) edits: BTreeMap<Stamp, Known>,
    pub(crate) equivocations: Vec<Known>,
    /// Edits made here that no commit has.
    pub(crate) uncommitted: Vec<Stamp>,
    pub(crate) introductions: BTreeMap<Replica, Introduction>,
    /// The commits that are at hand, oldest first: a history without branches.
    pub(crate) commits: Vec<CommitId>,
    /// Ancestors of commits that are not.
    pub(crate) ancestors: BTreeMap<CommitId, Vec<CommitId>>,
}

impl Memory {
    pub(crate) fn known(&self) -> Knowledge {
        let chains = self.links();
        let chains = chains.iter();
        chains
            .map(|(replica, links)| (*replica, Chain::of(links)))
            .collect()
    }

    fn links(&self) -> BTreeMap<Replica, Links> {
        let mut chains: BTreeMap<Replica, Links> = BTreeMap::new();
        for edit in self.edits.values() {
            let links = chains.entry(edit.stamp.replica()).or_default();
            links.insert(edit.stamp, edit.previous);
        }
        chains
    }

    fn is_at_hand(&self, commit: &CommitId) -> bool {
        self.commits.contains(commit)
    }

    fn is_lost(&self, edit: &Known) -> Option<CommitId> {
        let base = edit.base.filter(|base| !self.is_at_hand(base))?;
        let is_placed = edit.published.iter().any(|commit| self.is_at_hand(commit))
            || self.ancestors.contains_key(&base);
        (!is_placed).then_some(base)
    }
}

impl Shelf for Memory {
    type Error = Infallible;

    fn knowledge(&mut self) -> Result<Knowledge, Infallible> {
        Ok(self.known())
    }

    fn beyond(&mut self, there: &Knowledge, most: usize) -> Result<Vec<Known>, Infallible> {
        let is_there = |stamp: Stamp| {
            let chain = there.get(&stamp.replica());
            chain.is_some_and(|chain| chain.contains(stamp))
        };
        let beyond = self.edits.values().filter(|edit| !is_there(edit.stamp));
        Ok(beyond.take(most).cloned().collect())
    }

    fn astray(
        &mut self,
        there: &Knowledge,
        after: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<Known>, Infallible> {
        let mut astray = BTreeSet::new();
        for (replica, links) in self.links() {
            if let Some(chain) = there.get(&replica) {
                astray.extend(chain.astray(&links));
            }
        }
        let edits = astray
            .iter()
            .filter(|stamp| Some(**stamp) > after)
            .map(|stamp| self.edits[stamp].clone());
        Ok(edits.take(most).collect())
    }

    fn uncommitted(&mut self) -> Result<Vec<Stamp>, Infallible> {
        Ok(self.uncommitted.clone())
    }

    fn add(&mut self, edits: Vec<Known>) -> Result<Added, Infallible> {
        let mut added = Added::default();
        for edit in edits {
            match self.edits.get(&edit.stamp) {
                Some(there) if *there == edit => {}
                Some(_) => {
                    added.equivocations.push(edit.stamp);
                    if !self.equivocations.contains(&edit) {
                        self.equivocations.push(edit);
                    }
                }
                None => {
                    let mut beside = self.edits.values();
                    if beside.any(|other| {
                        other.stamp.replica() == edit.stamp.replica()
                            && other.previous == edit.previous
                    }) {
                        added.forks.push(edit.stamp);
                    }
                    added.new += 1;
                    self.edits.insert(edit.stamp, edit);
                }
            }
        }
        Ok(added)
    }

    fn introductions(&mut self, replicas: &[Replica]) -> Result<Vec<Introduction>, Infallible> {
        let known = replicas
            .iter()
            .filter_map(|replica| self.introductions.get(replica));
        Ok(known.copied().collect())
    }

    fn introduce(&mut self, introductions: &[Introduction]) -> Result<(), Infallible> {
        let named = introductions
            .iter()
            .map(|introduction| (introduction.replica, *introduction));
        self.introductions.extend(named);
        Ok(())
    }

    fn lost_bases(&mut self, most: usize) -> Result<Vec<CommitId>, Infallible> {
        let lost: BTreeSet<CommitId> = self
            .edits
            .values()
            .filter_map(|edit| self.is_lost(edit))
            .collect();
        Ok(lost.into_iter().take(most).collect())
    }

    fn commits(&mut self, most: usize) -> Result<Vec<CommitId>, Infallible> {
        Ok(self.commits.iter().rev().take(most).copied().collect())
    }

    fn common(
        &mut self,
        bases: &[CommitId],
        have: &[CommitId],
    ) -> Result<Vec<(CommitId, Vec<CommitId>)>, Infallible> {
        let mut found = Vec::new();
        for base in bases {
            if let Some(at) = self.commits.iter().position(|commit| commit == base) {
                let newest = self.commits[..=at]
                    .iter()
                    .rfind(|commit| have.contains(commit));
                found.push((*base, newest.copied().into_iter().collect()));
            }
        }
        Ok(found)
    }

    fn found(&mut self, ancestors: &[(CommitId, Vec<CommitId>)]) -> Result<usize, Infallible> {
        let mut bases = 0;
        for (base, ancestors) in ancestors {
            let mut at_hand = ancestors.clone();
            at_hand.retain(|commit| self.is_at_hand(commit));
            if !at_hand.is_empty() && self.ancestors.insert(*base, at_hand).is_none() {
                bases += 1;
            }
        }
        Ok(bases)
    }
}
