//! What can go wrong with the state of this work tree.

use std::io;
use std::path::{Path, PathBuf};

use crate::crdt::ClockExhausted;

/// A refusal or failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: check its permissions and the space on the disk", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of ours does not hold what it should.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line of the place.
        line: usize,
        /// Column of the place.
        column: usize,
        /// What is wrong and what to do.
        what: String,
    },
    /// Another process holds a file of ours and does not let go of it.
    #[error("another program of rhema holds {} and was perhaps stopped: end it, then run the command again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness to make a key of.
    #[error("the system gave no random bytes for a key: {0}")]
    NoRandomness(String),
    /// The repository could not be read.
    #[error(transparent)]
    Git(crate::git::Error),
    /// No stamp can be made any more.
    #[error("no edit can be recorded")]
    Clock(#[from] ClockExhausted),
}

impl Error {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Write { path, source }
    }

    /// Members stand in a form to which none can be added.
    pub(crate) fn members_form(path: &Path) -> Self {
        Self::malformed(
            path,
            "members must stand in one mapping written by indentation, without anything around it",
        )
    }

    pub(super) fn malformed(path: &Path, what: impl Into<String>) -> Self {
        Self::Malformed {
            path: path.to_path_buf(),
            line: 1,
            column: 1,
            what: what.into(),
        }
    }
}
