//! What goes into a session and what comes out of it.

use super::{Introduction, Lulling, Message, Millis, Refusal, Scope};
use crate::crdt::{Replica, Stamp};
use crate::overlay::CommitId;

/// What time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// By a clock that nobody sets: only how much of it passes matters.
    pub steady: Millis,
    /// By the clock on the wall, since the Unix epoch.
    pub wall: Millis,
}

/// Whether a replica's edits are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It may know everything; nothing is taken from it.
    Reads,
    /// Its edits, and those that it passes on, are taken.
    Writes,
}

/// Whether a session ends when all is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// It goes on: what comes to be known later is said then.
    On,
    /// It ends when both sides know the same, as far as they may.
    UntilDone,
}

/// Who speaks here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Us {
    /// The replica that this work tree is now.
    pub introduction: Introduction,
    /// Drawn when the process began.
    pub boot: u64,
    /// The commits without parents that its history begins with; empty where it cannot tell.
    pub roots: Vec<CommitId>,
    /// What it may do by its own HEAD: one that only reads sends nothing.
    pub access: Access,
    /// Whether it stays.
    pub stay: Stay,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Them {
    /// The key that they proved to have.
    pub key: [u8; 32],
    /// What they may do.
    pub access: Access,
}

/// Something that happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The connection stands, and the other side's key is proved and trusted.
    Opened,
    /// The other side said something.
    Said(Message),
    /// The shelf knows more than before: edits made here, or that another session got.
    News,
    /// Somebody wants both to know the same now ([`is_in_step`](super::Session::is_in_step) tells when they do), or to say everything anew.
    Wanted(Scope),
    /// The other side may do something else now.
    Granted(Access),
    /// Lines may become lazy now, or may not any more.
    Lulling(Lulling),
    /// A line with another one by which edits came is gone: what came that way must come another way.
    Bereft,
    /// Others are trusted than before, or other rules hold for who may write what.
    Reconsidered,
    /// The moment came that the session wanted to be told of.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Say this to the other side.
    Say(Message),
    /// The shelf knows more than before: let the other sessions know ([`Event::News`]), and show it.
    Learned,
    /// Tell people, or a log.
    Tell(Happening),
    /// Close the connection when all that was to be said is said. The session does nothing any more.
    End(Ending),
}

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The other side is who it should be and speaks our language.
    Greeted {
        /// The replica that it is now.
        introduction: Introduction,
        /// The protocol version that both speak.
        version: u16,
        /// Whether it stays.
        stay: Stay,
    },
    /// Their clock is further from ours than edits may be ahead.
    ClocksDiffer {
        /// How far theirs is ahead, in milliseconds; behind if negative.
        ahead: i64,
    },
    /// Their replica has our name and another process: the same work tree, or a copy of it.
    SameReplica(Replica),
    /// By our own HEAD this work tree only reads: uncommitted edits made here that they lack are not sent.
    WeOnlyRead,
    /// They let no edits of ours in: uncommitted ones made here that they lack stay here.
    TheyTakeNone,
    /// Edits went out.
    Sent {
        /// How many.
        edits: usize,
    },
    /// Edits of ours came to be known by them for good.
    Confirmed {
        /// How many.
        edits: usize,
    },
    /// Edits came in and are stored.
    Received {
        /// How many.
        edits: usize,
        /// How many of them were not known.
        new: usize,
    },
    /// Edits of one name that each follow the same one: two write under it.
    Forks(Vec<Stamp>),
    /// Edits whose stamps are known with another content.
    Equivocations(Vec<Stamp>),
    /// An edit is too large to be said.
    TooLarge(Stamp),
    /// By what they say they know edits, these and others, and they do not say them: they cannot, or do not want to.
    Withheld(Vec<Stamp>),
    /// They told of ancestors of bases that are not at hand.
    BasesFound {
        /// Of how many of them use can be made.
        bases: usize,
    },
    /// We did not take something, or will not take it: they know that.
    WeRefused(Refusal),
    /// They did not take something, and said so.
    TheyRefused(Refusal),
    /// Both know the same, as far as they may.
    InStep,
}

/// Why a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All is said.
    Finished,
    /// We do not speak with them; they were told.
    WeRefused(Refusal),
    /// They do not speak with us.
    TheyRefused(Refusal),
    /// They did not keep to the protocol; they were told.
    Violated(Violation),
    /// The other end is this very process.
    Oneself,
    /// They said nothing for too long.
    Silent,
    /// Our clock was set: what was said about time does not hold any more. To be opened anew.
    ClockSet,
}

/// How somebody did not keep to the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// It said something else before its Hello.
    #[error("something was said before the Hello")]
    NoHello,
    /// It said two different Hellos.
    #[error("a second Hello says something else than the first")]
    SecondHello,
    /// It names another key than the one that it proved to have.
    #[error("the Hello names another key than the connection")]
    Key,
    /// A replica's name is not what its key and its incarnation make.
    #[error("{0} is no name of that key")]
    Name(Replica),
    /// Somebody is said to vouch for another one, and did not.
    #[error("a voucher that is none")]
    Voucher,
    /// A message is longer than any that is needed.
    #[error("more {0} than anybody needs to say at once")]
    TooMany(&'static str),
    /// An edit names one as the one before it that cannot be that.
    #[error("{0} cannot have been made after the edit that it names")]
    Chain(Stamp),
}
