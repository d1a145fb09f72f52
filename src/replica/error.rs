//! What can go wrong while a work tree records and shows edits.

use crate::crdt::ClockExhausted;
use crate::{git, node, store};

/// Why a work tree could not do what it was to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository or a file.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Key or clock.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// No stamp can be made.
    #[error("no edit can be recorded")]
    Clock {
        /// Why.
        source: ClockExhausted,
    },
}

impl Error {
    /// Whether somebody wrote the file again and again just when it was looked at, so that it will do another time.
    #[must_use]
    pub fn is_race(&self) -> bool {
        matches!(self, Error::Git(git::Error::ChangedMeanwhile { .. }))
    }

    /// Whether the store is damaged.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Error::Store(store::Error::Damaged { .. }))
    }

    /// Whether somebody is just writing the file, so that it will do once they are done.
    #[must_use]
    pub fn is_being_written(&self) -> bool {
        matches!(self, Error::Git(git::Error::BeingWritten { .. }))
    }

    /// Whether git is in the middle of something, so that it will do another time.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Error::Git(git::Error::Busy { .. }))
    }
}
