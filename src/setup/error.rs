//! What can go wrong in setting up.

use std::io;
use std::path::{Path, PathBuf};

use crate::{git, node};

/// A refusal or failure; everything is as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// About the repository.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// About the node.
    #[error(transparent)]
    Node(#[from] node::Error),
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
    /// Two hooks are there, of which one was kept for the sake of ours, which is gone.
    #[error(
        "{} took the place of our hook, which runs {} first: give the one that is to be kept the first name, and take the other away",
        path.display(), kept.display()
    )]
    TwoHooks {
        /// The hook that git runs.
        path: PathBuf,
        /// The one that was kept.
        kept: PathBuf,
    },
    /// Something cannot be written into what starts `watch` at login.
    #[error("{} cannot stand in what starts `rhema crdt watch` at login: {why}", path.display())]
    Unstartable {
        /// The program, the work tree or a folder.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// Nothing says where the user's files for the start at login lie.
    #[error("the environment does not say where your home is: set HOME, on Windows LOCALAPPDATA")]
    NoHome,
    /// The configuration stands in a form in which nothing can be changed line by line.
    #[error(
        "{}:1:1: write `discovery: …` into it by hand: it is not one mapping with a line for each key", path.display()
    )]
    ConfigForm {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Write { path, source }
    }
}
