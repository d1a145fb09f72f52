//! Compaction: what is over is packed in the store.

use std::time::Duration;

use super::{Error, Replica};
use crate::git::crash;
use crate::store::Durability;

/// What compaction did, or would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Edits that were packed.
    pub edits: usize,
    /// How much the store's content took before, in bytes.
    pub before: u64,
    /// How much it takes now.
    pub after: u64,
}

impl Replica<'_> {
    /// Packs the edits that are over and that were made longer ago than this. Nothing of them is lost. If it `is_trial`,
    /// nothing is changed.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn compact(&mut self, older_than: Duration, is_trial: bool) -> Result<Compacted, Error> {
        let older_than = u64::try_from(older_than.as_millis()).unwrap_or(u64::MAX);
        let until = self.now.unix_millis().saturating_sub(older_than);
        let writing = self.store.write(Durability::Power)?;
        let before = writing.bytes()?;
        let packing = writing.pack(until)?;
        let mut compacted = Compacted {
            edits: packing.edits,
            before,
            after: writing.bytes()?,
        };
        if is_trial || packing.edits == 0 {
            return Ok(compacted);
        }
        crash::here("before-packed");
        writing.commit()?;
        crash::here("after-packed");
        match self.store.shrink() {
            Ok(()) => compacted.after = self.store.read()?.bytes()?,
            // What is free in the file is used by what comes next.
            Err(error) => tracing::info!("the store keeps its size: {error}"),
        }
        Ok(compacted)
    }
}
