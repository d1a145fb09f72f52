//! How many edits one message holds.

use super::limits::{BATCH, BATCH_ROOM};
use super::writer::Writer;
use super::{Coded, Unsendable, messages};
use crate::overlay::Known;

/// How many of these edits, from the first on, one message should hold: as many as are about 256 KiB long, and one where
/// that alone is longer. None only of none.
///
/// # Errors
/// When the first edit fits into no message. It can only travel by git; those behind it are not held up by it.
pub fn fitting<'e>(edits: impl IntoIterator<Item = &'e Known>) -> Result<usize, Unsendable> {
    let mut measure = Writer::default();
    messages::begin_edits(&mut measure);
    let mut fitting = 0;
    for edit in edits {
        edit.write(&mut measure);
        if fitting == 0 {
            measure.check()?;
        } else if measure.len() > BATCH || measure.room() > BATCH_ROOM || measure.check().is_err() {
            break;
        }
        fitting += 1;
    }
    Ok(fitting)
}
