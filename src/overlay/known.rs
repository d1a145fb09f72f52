//! Edits as replicas know them, keep them and tell each other of them.

use std::fmt;

use super::CommitId;
use crate::crdt::{Change, Stamp};

/// A document's path from the top of the work tree, as git writes it: with `/`, any bytes but NUL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct DocumentPath(Vec<u8>);

impl DocumentPath {
    /// The path that these bytes spell.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// As git writes it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for DocumentPath {
    /// For people: what is no UTF-8 is shown as a question mark.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// One edit of one document. Immutable; what is known is only ever added to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Known {
    /// Names it.
    pub stamp: Stamp,
    /// The edit that its replica made before this one, in whatever document and on whatever branch; none for the first.
    pub previous: Option<Stamp>,
    /// The document.
    pub document: DocumentPath,
    /// The commit that it was made on; none before the first commit.
    pub base: Option<CommitId>,
    /// The newest ancestors of the base that stood in a remote-tracking ref when it was made: who lacks the base uses these.
    pub published: Vec<CommitId>,
    /// The branch that was checked out, as its upstream calls it if it has one; none where HEAD was detached.
    pub branch: Option<String>,
    /// What was done.
    pub deed: Deed,
}

impl Known {
    /// What it changes; nothing where it takes others back.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        match &self.deed {
            Deed::Change(changes) => changes,
            Deed::Retract(_) => &[],
        }
    }
}

/// What an edit does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub enum Deed {
    /// It changes these places.
    Change(Vec<Change>),
    /// It takes edits of its own replica, which no commit holds, back as if they had never been made.
    Retract(Vec<Stamp>),
}
