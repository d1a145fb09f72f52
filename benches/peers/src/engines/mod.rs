//! One adapter per engine. To put another one beside them, implement [`Engine`] and add a line to `engines!` in `main.rs`.

pub mod automerge;
pub mod dson;
pub mod loro;
pub mod orswot;
pub mod ours;
pub mod plain;
pub mod yrs;

use std::time::Duration;

use crate::data::Edit;

/// What two replicas said to each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wire {
    /// Bytes both ways, whatever the engine's own protocol sends.
    pub bytes: usize,
    pub messages: usize,
}

/// Time, operations run, and the bytes of what came of them where the engine saves that.
pub type Measured = Option<(Duration, usize, Option<usize>)>;

pub trait Engine {
    const NAME: &'static str;
    /// Most edits worth running one transaction each; beyond it time is extrapolated.
    const MAX_TX: usize = usize::MAX;
    /// Most records inserted one transaction each before chunks are used.
    const MAX_SINGLE_INSERTS: usize = usize::MAX;
    const HAS_SYNC: bool = true;
    type Doc;
    /// Whatever two peers remember of each other between syncs.
    type Link;

    fn new(replica: u64) -> Self::Doc;
    /// Makes edits as one transaction.
    fn apply(doc: &mut Self::Doc, tx: &[Edit]);
    fn save(doc: &mut Self::Doc) -> Vec<u8>;
    fn load(bytes: &[u8], replica: u64) -> Self::Doc;
    fn json(doc: &mut Self::Doc) -> String;
    /// Starts remembering what the peer lacks; both sides hold the same state now.
    fn link(a: &mut Self::Doc, b: &mut Self::Doc) -> Self::Link;
    /// Brings both sides to the same state through encoded bytes.
    fn sync(link: &mut Self::Link, a: &mut Self::Doc, b: &mut Self::Doc) -> Wire;

    /// Adds to and removes from a set of up to 10,000 members.
    fn set(_ops: &[(bool, u32)]) -> Measured {
        None
    }

    /// Increments a counter in memory.
    fn counter(_n: usize) -> Measured {
        None
    }
}
