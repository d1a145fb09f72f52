//! Where a session finds edits and puts them.

use super::{Introduction, Judge, Key, Proved, Seal, Voucher};
use crate::crdt::{Replica, Stamp};
use crate::overlay::{CommitId, Knowledge, Known};

/// What a replica knows, as a session sees it.
pub trait Shelf {
    /// Why something cannot be read or written.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Whose edits are taken.
    type Judge: Judge;

    /// Whose edits are taken, as it stands now.
    fn judge(&self) -> Self::Judge;

    /// What is known, and can be proved, of each replica's edits: a function of the set of these edits alone.
    ///
    /// # Errors
    /// When it cannot be read.
    fn knowledge(&mut self) -> Result<Knowledge, Self::Error>;

    /// The seals by which these edits are proved, each of which is one that was given out here: in such an order that each
    /// replica's edits come in that in which it made them.
    ///
    /// # Errors
    /// When they cannot be read.
    fn seals(&mut self, edits: &[Known]) -> Result<Vec<Seal>, Self::Error>;

    /// The first `most` edits that are known and proved here and not known there, each replica's in the order in which it made them: none is
    /// passed over. Fewer than `most` only where there are no more.
    ///
    /// # Errors
    /// When they cannot be read.
    fn beyond(&mut self, there: &Knowledge, most: usize) -> Result<Vec<Known>, Self::Error>;

    /// Edits that are known and proved here and, although `there` seems to say so by their stamps, not there: two wrote under one
    /// name, and each side knows another one's ([`astray`](crate::overlay::Chain::astray)). In the order of their stamps, at most
    /// `most` behind `after`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn astray(
        &mut self,
        there: &Knowledge,
        after: Option<Stamp>,
        most: usize,
    ) -> Result<Vec<Known>, Self::Error>;

    /// Edits made here that the files show and HEAD does not contain: only here do people see them.
    ///
    /// # Errors
    /// When they cannot be read.
    fn uncommitted(&mut self) -> Result<Vec<Stamp>, Self::Error>;

    /// Adds edits with their seals; they are durable when it returns. None is left out: where a stamp is known with another
    /// content, both are kept.
    ///
    /// # Errors
    /// When they cannot be written: all of them then, or none.
    fn add(&mut self, proved: Vec<Proved>) -> Result<Added, Self::Error>;

    /// Whose these replicas are, as far as that is known: several keys may be told of for one name.
    ///
    /// # Errors
    /// When it cannot be read.
    fn introductions(&mut self, replicas: &[Replica]) -> Result<Vec<Introduction>, Self::Error>;

    /// Who vouches for these keys, this work tree included.
    ///
    /// # Errors
    /// When it cannot be read.
    fn vouchers(&mut self, keys: &[Key]) -> Result<Vec<Voucher>, Self::Error>;

    /// Notes whose these replicas are, beside what was told of them before, and who vouches for whom; all of it was checked.
    ///
    /// # Errors
    /// When it cannot be written.
    fn introduce(
        &mut self,
        introductions: &[Introduction],
        vouchers: &[Voucher],
    ) -> Result<(), Self::Error>;

    /// The bases of known edits that are not at hand, where neither what was published of them is nor an ancestor that
    /// somebody told of; at most `most`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn lost_bases(&mut self, most: usize) -> Result<Vec<CommitId>, Self::Error>;

    /// Commits that are at hand, newest first and ever wider apart; at most `most`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn commits(&mut self, most: usize) -> Result<Vec<CommitId>, Self::Error>;

    /// For each of `bases` that is at hand the newest of its ancestors that are among `have` or are ancestors of those.
    ///
    /// # Errors
    /// When they cannot be read.
    fn common(
        &mut self,
        bases: &[CommitId],
        have: &[CommitId],
    ) -> Result<Vec<(CommitId, Vec<CommitId>)>, Self::Error>;

    /// Notes ancestors of bases that are not at hand; says of how many bases it can make use.
    ///
    /// # Errors
    /// When they cannot be written.
    fn found(&mut self, ancestors: &[(CommitId, Vec<CommitId>)]) -> Result<usize, Self::Error>;
}

/// What became of edits that were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// How many were not known.
    pub new: usize,
    /// Those of them that their replicas made after one after which they made another one too: two write under one name.
    pub forks: Vec<Stamp>,
    /// Those whose stamps were known with another content.
    pub equivocations: Vec<Stamp>,
}
