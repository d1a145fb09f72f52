//! The store and the repository, as sessions see them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{Admission, Error};
use crate::crdt::{Replica, Stamp};
use crate::exchange::{self, Introduction, Key, Proved, Seal, Voucher};
use crate::git::{Repo, native_path};
use crate::overlay::{Chain, CommitId, DocumentPath, Knowledge, Known};
use crate::store::{self, Durability, Issuer, Reading, Store, Way};

/// The edits of a work tree.
pub(super) struct Shelf {
    pub(super) repo: Repo,
    pub(super) store: Store,
    judge: Admission,
    /// Bases that were found to be out of reach, until more is known.
    lost: Option<Vec<CommitId>>,
    /// The documents of edits that came, until somebody asks.
    new: BTreeSet<DocumentPath>,
}

impl Shelf {
    pub(super) fn new(repo: Repo, store: Store, judge: Admission) -> Self {
        let mut shelf = Self {
            repo,
            store,
            judge,
            lost: None,
            new: BTreeSet::new(),
        };
        shelf.learn_paces();
        shelf
    }

    /// Learns how much those have written of whom only so much is taken in an hour.
    pub(super) fn learn_paces(&mut self) {
        let reading = self.store.read().map_err(Error::from);
        if let Err(error) = reading.and_then(|reading| self.judge.learn_paces(&reading)) {
            tracing::info!("{error}");
        }
    }

    /// The files, from the top of the work tree, of whose documents edits came since this was asked last.
    pub(super) fn take_new(&mut self) -> Vec<PathBuf> {
        let new = std::mem::take(&mut self.new).into_iter();
        new.map(|path| native_path(path.as_bytes())).collect()
    }

    /// The edits of a replica from behind one of them on, in the order in which it made them.
    pub(super) fn made_behind(
        &mut self,
        replica: Replica,
        behind: Option<Stamp>,
    ) -> Result<Vec<Known>, Error> {
        let made = self.store.read()?.made_behind(replica, behind)?;
        Ok(made.into_iter().map(|edit| edit.known).collect())
    }

    /// The bases of edits that cannot be placed: neither they nor what was published of them is at hand.
    fn lost(&mut self) -> Result<Vec<CommitId>, Error> {
        let reading = self.store.read()?;
        let told = reading.ancestors()?;
        let mut lost = Vec::new();
        for (base, published) in reading.bases()? {
            let known = told.get(&base).into_iter().flatten();
            let mut known = published.iter().chain(known).chain([&base]);
            let is_placed = known.try_fold(false, |placed, commit| {
                Ok::<_, Error>(placed || self.repo.has_commit(*commit)?)
            })?;
            if !is_placed {
                lost.push(base);
            }
        }
        Ok(lost)
    }
}

impl exchange::Shelf for Shelf {
    type Error = Error;
    type Judge = Admission;

    fn judge(&self) -> Admission {
        self.judge.clone()
    }

    fn seals(&mut self, edits: &[Known]) -> Result<Vec<Seal>, Error> {
        let stamps = edits.iter().map(|edit| edit.stamp);
        Ok(self.store.read()?.seals(stamps)?)
    }

    fn knowledge(&mut self) -> Result<Knowledge, Error> {
        Ok(self.store.read()?.knowledge()?)
    }

    fn beyond(&mut self, there: &Knowledge, most: usize) -> Result<Vec<Known>, Error> {
        let beyond = self.store.read()?.first_beyond(there, most)?;
        Ok(beyond.into_iter().map(|edit| edit.known).collect())
    }

    fn astray(
        &mut self,
        there: &Knowledge,
        after: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<Known>, Error> {
        let reading = self.store.read()?;
        let here = reading.knowledge()?;
        let forked: BTreeSet<Replica> = reading.forked()?.into_iter().collect();
        let mut astray = BTreeSet::new();
        for (replica, chain) in there {
            let Some(ours) = here.get(replica) else {
                continue;
            };
            let is_whole = ours.islands.is_empty() && !forked.contains(replica);
            if !is_whole || names_another(&reading, ours.upto, chain)? {
                astray.extend(chain.astray(&reading.links(*replica)?));
            }
        }
        let mut edits = Vec::new();
        let astray = astray.into_iter().filter(|stamp| Some(*stamp) > after);
        for stamp in astray.take(most) {
            edits.extend(reading.edit(stamp)?.map(|edit| edit.known));
        }
        Ok(edits)
    }

    fn uncommitted(&mut self) -> Result<Vec<Stamp>, Error> {
        Ok(self.store.read()?.uncommitted()?)
    }

    fn add(&mut self, proved: Vec<Proved>) -> Result<exchange::Added, Error> {
        let mut added = exchange::Added::default();
        let writing = self.store.write(Durability::Power)?;
        for Proved {
            author,
            seal,
            edits,
        } in proved
        {
            let mut is_as_said = BTreeSet::new();
            for edit in edits {
                match writing.add(&edit, Issuer::Other, Way::Received)? {
                    store::Added::New => added.new += 1,
                    store::Added::Fork { .. } => {
                        added.new += 1;
                        added.forks.push(edit.stamp);
                    }
                    store::Added::Known => {
                        is_as_said.insert(edit.stamp);
                        continue;
                    }
                    store::Added::Equivocation => {
                        added.equivocations.push(edit.stamp);
                        continue;
                    }
                }
                is_as_said.insert(edit.stamp);
                self.new.insert(edit.document);
            }
            writing.prove(&author, &seal, is_as_said)?;
        }
        writing.commit()?;
        if added.new > 0 {
            self.lost = None;
        }
        Ok(added)
    }

    fn introductions(&mut self, replicas: &[Replica]) -> Result<Vec<Introduction>, Error> {
        let reading = self.store.read()?;
        let mut introductions = Vec::new();
        for replica in replicas {
            introductions.extend(reading.owners(*replica)?);
        }
        Ok(introductions)
    }

    fn vouchers(&mut self, keys: &[Key]) -> Result<Vec<Voucher>, Error> {
        let reading = self.store.read()?;
        let mut vouchers = Vec::new();
        for key in keys {
            vouchers.extend(reading.vouchers(key)?);
        }
        Ok(vouchers)
    }

    fn introduce(
        &mut self,
        introductions: &[Introduction],
        vouchers: &[Voucher],
    ) -> Result<(), Error> {
        let known = self.store.read()?.all_owners()?;
        let mut new = introductions.to_vec();
        new.retain(|introduction| !known.contains(introduction));
        let keys: Vec<Key> = vouchers.iter().map(|voucher| voucher.key).collect();
        let known = self.vouchers(&keys)?;
        let mut told = vouchers.to_vec();
        told.retain(|voucher| !known.contains(voucher));
        if new.is_empty() && told.is_empty() {
            return Ok(());
        }
        let writing = self.store.write(Durability::Process)?;
        for introduction in new {
            let Introduction {
                key,
                incarnation,
                replica,
            } = introduction;
            writing.introduce(replica, &key, incarnation)?;
        }
        for voucher in told {
            writing.vouch(&voucher)?;
        }
        Ok(writing.commit()?)
    }

    fn lost_bases(&mut self, most: usize) -> Result<Vec<CommitId>, Error> {
        let lost = match self.lost.take() {
            Some(lost) => lost,
            None => self.lost()?,
        };
        let first = lost.iter().take(most).copied().collect();
        self.lost = Some(lost);
        Ok(first)
    }

    fn commits(&mut self, most: usize) -> Result<Vec<CommitId>, Error> {
        let mut landmarks = self.repo.landmarks()?;
        landmarks.truncate(most);
        Ok(landmarks)
    }

    fn common(
        &mut self,
        bases: &[CommitId],
        have: &[CommitId],
    ) -> Result<Vec<(CommitId, Vec<CommitId>)>, Error> {
        let mut common = Vec::new();
        for base in bases {
            if self.repo.has_commit(*base)? {
                common.push((*base, self.repo.met_with(*base, have)?));
            }
        }
        Ok(common)
    }

    fn found(&mut self, ancestors: &[(CommitId, Vec<CommitId>)]) -> Result<usize, Error> {
        let mut of_use = Vec::new();
        for (base, ancestors) in ancestors {
            let mut at_hand = Vec::new();
            for ancestor in ancestors {
                if self.repo.has_commit(*ancestor)? {
                    at_hand.push(*ancestor);
                }
            }
            if !at_hand.is_empty() {
                of_use.push((*base, at_hand));
            }
        }
        if of_use.is_empty() {
            return Ok(0);
        }
        let writing = self.store.write(Durability::Process)?;
        for (base, ancestors) in &of_use {
            writing.add_ancestors(*base, ancestors)?;
        }
        writing.commit()?;
        self.lost = None;
        Ok(of_use.len())
    }
}

/// Whether a chain that is told from elsewhere names an edit that is not known here, although all up to its stamp should be.
fn names_another(reading: &Reading<'_>, upto: Option<Stamp>, chain: &Chain) -> Result<bool, Error> {
    chain.named().try_fold(false, |found, stamp| {
        Ok(found || (Some(stamp) < upto && reading.edit(stamp)?.is_none()))
    })
}

/// A stamp's text is enough to name an edit to people.
pub(super) fn named(stamps: &[Stamp]) -> String {
    let mut names: Vec<String> = stamps.iter().take(3).map(Stamp::to_string).collect();
    if stamps.len() > names.len() {
        names.push("…".to_owned());
    }
    names.join(", ")
}
