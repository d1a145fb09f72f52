//! What a replica knows, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use crate::line::{crypto, named, sign};
use rhema_crdt::crdt::{Replica, Stamp};
use rhema_crdt::exchange::{
    Added, Author, Denial, Introduction, Judge, Key, Objection, Proved, Seal, Shelf, Standing,
    Voucher, is_same, sealed,
};
use rhema_crdt::overlay::{Chain, CommitId, Knowledge, Known, Links};

/// Edits, and whose they are. What is added is durable.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    pub(crate) edits: BTreeMap<Stamp, Known>,
    pub(crate) equivocations: Vec<Known>,
    /// Edits made here that no commit has.
    pub(crate) uncommitted: Vec<Stamp>,
    pub(crate) introductions: BTreeMap<Replica, Vec<Introduction>>,
    /// What proves them; what was put here without a seal gets one of its author when it is asked for.
    pub(crate) seals: BTreeMap<Stamp, Seal>,
    pub(crate) vouchers: Vec<Voucher>,
    pub(crate) trust: Trust,
    /// The commits that are at hand, oldest first: a history without branches.
    pub(crate) commits: Vec<CommitId>,
    /// Ancestors of commits that are not.
    pub(crate) ancestors: BTreeMap<CommitId, Vec<CommitId>>,
}

/// Whom a replica trusts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Trust {
    /// What is known of keys. Everybody else may write.
    pub(crate) standings: BTreeMap<Key, Standing>,
    /// The last stamps of the replicas of removed members that are taken.
    pub(crate) until: Vec<Stamp>,
    /// By whom, or on whose word, nobody writes a document whose name has this in it.
    pub(crate) closed: Option<(Key, &'static str)>,
    /// From which edit on all is taken only from when on.
    pub(crate) not_before: Option<(Stamp, u64)>,
}

impl Judge for Trust {
    fn standing(&self, key: &Key) -> Standing {
        self.standings.get(key).copied().unwrap_or(Standing::Writes)
    }

    fn judge(&self, author: &Author, edit: &Known) -> Result<(), Objection> {
        let is_kept = |last: &Stamp| last.replica() == edit.stamp.replica() && edit.stamp <= *last;
        if self.standing(&author.key) == Standing::Removed && !self.until.iter().any(is_kept) {
            return Err(Objection::Denied(Denial::Removed));
        }
        if let Some((from, due)) = self.not_before
            && edit.stamp >= from
        {
            return Err(Objection::Early(due));
        }
        match self.closed {
            Some((key, name))
                if [Some(author.key), author.by].contains(&Some(key))
                    && edit.document.to_string().contains(name) =>
            {
                Err(Objection::Denied(Denial::Rule(format!("not {name}"))))
            }
            _ => Ok(()),
        }
    }
}

impl Memory {
    /// Adds edits as if their author had made them here.
    pub(crate) fn put(&mut self, edits: Vec<Known>) {
        let Some(first) = edits.first() else { return };
        let author = named(first.stamp.replica()).key;
        let seals = sealed(&edits, &crypto(), |text| sign(&author, text));
        let mut edits = edits.into_iter();
        let proved = seals.into_iter().map(|seal| Proved {
            author,
            edits: edits.by_ref().take(seal.run.len()).collect(),
            seal,
        });
        self.add(proved.collect()).unwrap();
    }

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
    type Judge = Trust;

    fn judge(&self) -> Trust {
        self.trust.clone()
    }

    fn seals(&mut self, edits: &[Known]) -> Result<Vec<Seal>, Infallible> {
        let mut seals: Vec<Seal> = Vec::new();
        for edit in edits {
            let author = named(edit.stamp.replica()).key;
            let seal = self.seals.entry(edit.stamp).or_insert_with(|| {
                let mut seals = sealed(std::slice::from_ref(edit), &crypto(), |text| {
                    sign(&author, text)
                });
                seals.remove(0)
            });
            if !seals.contains(seal) {
                seals.push(seal.clone());
            }
        }
        Ok(seals)
    }

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

    fn add(&mut self, proved: Vec<Proved>) -> Result<Added, Infallible> {
        let mut added = Added::default();
        for Proved { seal, edits, .. } in proved {
            for edit in edits {
                match self.edits.get(&edit.stamp) {
                    Some(there) if is_same(there, &edit) => continue,
                    Some(_) => {
                        added.equivocations.push(edit.stamp);
                        if !self.equivocations.contains(&edit) {
                            self.equivocations.push(edit);
                        }
                        continue;
                    }
                    None => {}
                }
                let mut beside = self.edits.values();
                if beside.any(|other| {
                    other.stamp.replica() == edit.stamp.replica() && other.previous == edit.previous
                }) {
                    added.forks.push(edit.stamp);
                }
                added.new += 1;
                self.seals.insert(edit.stamp, seal.clone());
                self.edits.insert(edit.stamp, edit);
            }
        }
        Ok(added)
    }

    fn introductions(&mut self, replicas: &[Replica]) -> Result<Vec<Introduction>, Infallible> {
        let of = |replica: &Replica| match self.introductions.get(replica) {
            Some(known) => known.clone(),
            // In most tests everybody knows everybody.
            None => vec![named(*replica)],
        };
        Ok(replicas.iter().flat_map(of).collect())
    }

    fn vouchers(&mut self, keys: &[Key]) -> Result<Vec<Voucher>, Infallible> {
        let vouchers = self.vouchers.iter().copied();
        Ok(vouchers
            .filter(|voucher| keys.contains(&voucher.key))
            .collect())
    }

    fn introduce(
        &mut self,
        introductions: &[Introduction],
        vouchers: &[Voucher],
    ) -> Result<(), Infallible> {
        for introduction in introductions {
            let known = self.introductions.entry(introduction.replica).or_default();
            if !known.contains(introduction) {
                known.push(*introduction);
            }
        }
        for voucher in vouchers {
            if !self.vouchers.contains(voucher) {
                self.vouchers.push(*voucher);
            }
        }
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
