//! Lists of edits, cut into messages.

use std::iter::Peekable;

use super::limits::{BATCH, BATCH_ROOM};
use super::writer::Writer;
use super::{Coded, Unsendable};
use crate::crdt::Stamp;
use crate::overlay::Known;

/// An edit that fits into no message. It can only travel by git.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("edit {edit} cannot be sent: {why}")]
pub struct Unsent {
    /// The edit.
    pub edit: Stamp,
    /// Why.
    pub why: Unsendable,
}

/// Cuts edits into lists that are each what one message should hold: as many as fit into about 256 KiB, and one where that
/// alone is more. In their place, what fits into no message.
pub fn batches(
    edits: impl IntoIterator<Item = Known>,
) -> impl Iterator<Item = Result<Vec<Known>, Unsent>> {
    Batches {
        edits: edits.into_iter().peekable(),
    }
}

struct Batches<I: Iterator> {
    edits: Peekable<I>,
}

impl<I: Iterator<Item = Known>> Iterator for Batches<I> {
    type Item = Result<Vec<Known>, Unsent>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.edits.next()?;
        let mut measure = Writer::default();
        first.write(&mut measure);
        if let Err(why) = measure.check() {
            let edit = first.stamp;
            return Some(Err(Unsent { edit, why }));
        }
        let mut batch = vec![first];
        while let Some(next) = self.edits.next_if(|next| {
            next.write(&mut measure);
            measure.len() <= BATCH && measure.room() <= BATCH_ROOM && measure.check().is_ok()
        }) {
            batch.push(next);
        }
        Some(Ok(batch))
    }
}
