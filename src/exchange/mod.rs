//! How two replicas come to know the same edits: what they say to each other, and when.
//!
//! Nothing here reads a socket, a clock or a disk: a session is told what happened and answers what to do, a shelf has the
//! edits. So the same engine runs under `net` and under a scheduler that loses, repeats and reorders what is said.
//! Depends on `overlay` and `crdt`.

mod digest;
mod eagerness;
mod greeting;
mod inquiry;
mod limits;
mod message;
mod names;
mod receiving;
mod seal;
mod sending;
mod session;
mod shelf;
mod telling;
pub mod wire;

pub use digest::digest;
pub use eagerness::Lulling;
pub use limits::{MOST_BASES, MOST_COMMITS, MOST_EDITS_SAID, Millis, VERSIONS, WINDOW};
pub use message::{Hello, Introduction, Message, Refusal};
pub use names::may_be_synced;
pub use receiving::{Taken, take, take_written, write_down};
pub use seal::{
    Author, Crypto, Denial, EditDigest, Judge, Key, Link, MOST_IN_RUN, Objection, Proved, Run,
    Seal, Signature, Standing, Voucher, is_same, sealed,
};
pub use session::{Config, Push, Scope, Session};
pub use shelf::{Added, Shelf};
pub use telling::{Access, Action, Ending, Event, Happening, Now, Stay, Them, Us, Violation};
