//! How much one message holds.

use super::limits::{BATCH, BATCH_ROOM};
use super::writer::Writer;
use super::{Coded, Unsendable, messages};
use crate::exchange::Run;

/// How many of these runs, from the first on, one message should hold: as many as are about 256 KiB long, and one where
/// that alone is longer. None only of none.
///
/// # Errors
/// When the first run fits into no message. An edit that fits into none alone can only travel by git.
pub fn fitting<'r>(runs: impl IntoIterator<Item = &'r Run>) -> Result<usize, Unsendable> {
    let mut measure = Writer::default();
    messages::begin_edits(&mut measure);
    let mut fitting = 0;
    for run in runs {
        run.write(&mut measure);
        if fitting == 0 {
            measure.check()?;
        } else if measure.len() > BATCH || measure.room() > BATCH_ROOM || measure.check().is_err() {
            break;
        }
        fitting += 1;
    }
    Ok(fitting)
}
