//! Compaction: what is over is packed in the store.

use std::time::Duration;

use super::{Error, Replica};
use crate::git::crash;
use crate::node::{Compaction, Config};
use crate::store::Durability;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is older than this is packed by itself.
const OLD: Duration = DAY.saturating_mul(30);

/// So many pieces are packed in one round.
const MOST_AT_ONCE: usize = 64;

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
        let until = self.ago(older_than);
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

    /// Packs some of what is over, once a day.
    pub(super) fn compact_now_and_then(&mut self, config: &Config) -> Result<(), Error> {
        let last = self.store.read()?.last_packing()?;
        let today = self.ago(DAY)..=self.now.unix_millis();
        let is_done = last.is_some_and(|last| today.contains(&last.unix_millis()));
        if is_done || config.gc == Compaction::Off {
            return Ok(());
        }
        let (until, now) = (self.ago(OLD), self.now);
        // Lost with a loss of power, it is done again.
        let writing = self.store.write(Durability::Process)?;
        writing.pack_some(until, MOST_AT_ONCE, now)?;
        Ok(writing.commit()?)
    }

    /// So long before now, in milliseconds since the Unix epoch.
    fn ago(&self, time: Duration) -> u64 {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.now.unix_millis().saturating_sub(time)
    }
}
