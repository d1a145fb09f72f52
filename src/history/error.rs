//! What can go wrong while history is read.

use crate::{git, node, store};

/// Why history could not be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository or a file.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Key or members.
    #[error(transparent)]
    Node(#[from] node::Error),
}
