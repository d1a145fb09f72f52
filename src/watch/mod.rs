//! Which files of a work tree were written, as soon as the system tells.
//!
//! `seeing.rs` has the system tell (through `notify`) what happens in the folders in which documents may lie and in the git
//! directory, and finds out whether it does at all; `writers.rs` knows who is just writing a file; `unrest.rs` decides when a file that
//! was touched is to be looked at: at once where its writer is done, after a moment of quiet where that cannot be told, once for a
//! storm. Depends on `git` and `node`.

mod seeing;
mod unrest;
mod writers;

pub use seeing::{Blind, Seeing, Touched};
pub use unrest::{Due, Sign, Unrest};
