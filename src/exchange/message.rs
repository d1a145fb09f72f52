//! What replicas say to each other.

use super::{Denial, Key, Millis, Run, Voucher};
use crate::crdt::{Replica, Stamp};
use crate::overlay::{CommitId, Knowledge};

/// One thing said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The first thing that either side says.
    Hello(Hello),
    /// Whose replicas are whose; said before the first of their edits.
    Introductions {
        /// Whose they are.
        replicas: Vec<Introduction>,
        /// By whom others know that these may write.
        vouchers: Vec<Voucher>,
    },
    /// All that the sender knows. Takes the place of what it said before.
    Marks(Knowledge),
    /// Edits with what proves them, each replica's in the order in which it made them.
    Edits(Vec<Run>),
    /// What the sender knows, now durably, of the replicas of edits that it just got.
    Stored(Knowledge),
    /// A digest of all that the sender knows: if it is not the receiver's, both have something to say.
    Pulse(u64),
    /// The bases of edits that the sender could not place, and commits that it has: newest first, ever wider apart.
    Lost {
        /// The bases that it lacks.
        bases: Vec<CommitId>,
        /// Commits that it has.
        have: Vec<CommitId>,
    },
    /// For bases that were asked for, the newest of their ancestors that both have.
    Found(Vec<(CommitId, Vec<CommitId>)>),
    /// Why something was not taken, or why the conversation ends.
    Refused(Refusal),
    /// All that the sender had to say for now is said and all that it got is stored.
    Done,
    /// What came from the receiver had come from others before: new edits may be left to them, and told of later by [`Stored`](Self::Stored).
    Lull,
    /// New edits are to be said at once again, and so is what the sender lacks.
    Rouse,
    /// The sender trusts others than before, or other rules hold: what it did not take may be taken now.
    Reconsidered,
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The protocol versions that it speaks, oldest and newest.
    pub versions: (u16, u16),
    /// The replica that it is now.
    pub introduction: Introduction,
    /// Drawn when the process began: another one means that it was begun anew.
    pub boot: u64,
    /// The commits without parents that its history begins with; empty where it cannot tell, as in a shallow clone.
    pub roots: Vec<CommitId>,
    /// What its clock shows, in milliseconds since the Unix epoch.
    pub now: u64,
    /// Whether it means to stay, as a watcher, or leaves when all is said, as one that came by command.
    pub stays: bool,
    /// Whether it lets the other's edits in: a member that only reads must not send any.
    pub takes_edits: bool,
    /// Whether it says what it knows: a member that only reads by its own account says none of it.
    pub sends_edits: bool,
}

/// Whose replica one is: its name is a fingerprint of these two, so that nobody has to be believed. Others can have the same
/// one: what is proved is proved by the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Introduction {
    /// The node's public key.
    pub key: Key,
    /// Which of its incarnations.
    pub incarnation: u32,
    /// The replica's name.
    pub replica: Replica,
}

/// Why something is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No common protocol version; the versions that the sender speaks.
    Version(u16, u16),
    /// The other one's repository has another history.
    OtherRepository,
    /// Edits of one who may only read.
    ReadsOnly,
    /// These edits, and all that their replicas made after them, are of a time that has not come: by the sender's clock, which
    /// shows this many milliseconds since the Unix epoch.
    Future {
        /// The first refused edit of each replica.
        from: Vec<Stamp>,
        /// What the clock shows.
        now: u64,
    },
    /// The documents that these edits name are none that may be synced.
    Document(Vec<Stamp>),
    /// The other one did not keep to the protocol.
    Protocol(String),
    /// That these edits are by the author whom the replica's name tells, and as that one made them, is not proved.
    Unproved(Vec<Stamp>),
    /// Whoever made these edits may not make them.
    Denied {
        /// The edits.
        edits: Vec<Stamp>,
        /// Why.
        why: Denial,
    },
    /// These edits, and all that their replicas made after them, are taken, but later.
    Early {
        /// The first edit of each replica.
        from: Vec<Stamp>,
        /// In how many milliseconds.
        millis: Millis,
    },
}

impl Refusal {
    /// The edits that are not taken, as far as it names any.
    #[must_use]
    pub fn edits(&self) -> &[Stamp] {
        match self {
            Self::Version(..) | Self::OtherRepository | Self::ReadsOnly | Self::Protocol(_) => &[],
            Self::Future { from: edits, .. }
            | Self::Document(edits)
            | Self::Unproved(edits)
            | Self::Denied { edits, .. }
            | Self::Early { from: edits, .. } => edits,
        }
    }

    /// Why something is not taken, whatever it is and whenever that is.
    pub(super) fn without_edits(&self) -> Self {
        let none = Vec::new;
        match self {
            Self::Future { .. } => Self::Future {
                from: none(),
                now: 0,
            },
            Self::Document(_) => Self::Document(none()),
            Self::Unproved(_) => Self::Unproved(none()),
            Self::Denied { why, .. } => Self::Denied {
                edits: none(),
                why: why.clone(),
            },
            Self::Early { .. } => Self::Early {
                from: none(),
                millis: 0,
            },
            other => other.clone(),
        }
    }
}
