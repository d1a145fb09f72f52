//! What is told of something that was edited.

use crate::crdt::{Node, Path, Stamp};
use crate::node::NodeId;
use crate::overlay::{CommitId, DocumentPath};

/// One thing that happened to one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, in milliseconds since the Unix epoch: by the stamp of the edit, else when it was committed.
    pub unix_millis: u64,
    /// The edit; none where nobody recorded one.
    pub stamp: Option<Stamp>,
    /// Who did it.
    pub who: Who,
    /// The branch on which it was done, where that is known.
    pub branch: Option<String>,
    /// The commit that has it; none where HEAD contains none that does.
    pub commit: Option<CommitId>,
    /// The document.
    pub document: DocumentPath,
    /// Where in it.
    pub at: Path,
    /// What.
    pub kind: Kind,
    /// What stood there before; none where there was nothing, or nobody knows any more.
    pub from: Option<Node>,
    /// What stood there after.
    pub to: Option<Node>,
    /// What became of it.
    pub state: State,
}

/// What happened. What is remembered names these by their order (`memory.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    /// A record came into being.
    Born,
    /// A leaf got another value, or its first.
    Changed,
    /// Something was added to a counter.
    Counted,
    /// A leaf or a record went.
    Removed,
    /// A record was put elsewhere in its list: behind the one that is told.
    Moved,
    /// A record got another name.
    Renamed,
    /// A value lost against a concurrent one, and was kept.
    Conflict,
    /// Somebody settled what had lost.
    Settled,
}

impl Kind {
    /// What scripts read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Born => "born",
            Self::Changed => "changed",
            Self::Counted => "counted",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::Renamed => "renamed",
            Self::Conflict => "conflict",
            Self::Settled => "settled",
        }
    }

    /// Whether it is about a conflict.
    #[must_use]
    pub fn is_of_conflicts(self) -> bool {
        matches!(self, Self::Conflict | Self::Settled)
    }
}

/// What became of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// A commit in HEAD's history has it.
    Committed,
    /// It stands over HEAD, and is to be committed.
    Pending,
    /// It was parked, and is not shown until HEAD moves.
    Parked,
    /// It belongs to another branch.
    Elsewhere,
    /// Whoever made it took it back before it was committed.
    Retracted,
}

impl State {
    /// What scripts read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Pending => "pending",
            Self::Parked => "parked",
            Self::Elsewhere => "elsewhere",
            Self::Retracted => "retracted",
        }
    }
}

/// Who edited something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The node, where its key is known.
    pub node: Option<NodeId>,
    /// What the node is called, else who committed it.
    pub name: Option<String>,
    /// Whether it was done here.
    pub is_own: bool,
}
