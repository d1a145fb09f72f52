//! How two replicas come to know the same edits: what they say to each other, and when.
//!
//! Nothing here reads a socket, a clock or a disk: a session is told what happened and answers what to do, a shelf has the
//! edits. So the same engine runs under `net` and under a scheduler that loses, repeats and reorders what is said.
//! Depends on `overlay` and `crdt`.

mod message;
pub mod wire;

pub use message::{Hello, Introduction, Message, Refusal};
