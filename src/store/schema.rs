//! The versions of the schema, and the way from each to the next.

use rusqlite::{Connection, TransactionBehavior};

use super::Error;
use std::path::Path;

/// The steps from an empty database: the one at index `n` makes version `n + 1` of version `n`. A step that was ever
/// released is never changed.
pub(super) const STEPS: &[&str] = &[include_str!("schema/1.sql")];

/// Marks a database as ours: `rhem`.
pub(super) const APPLICATION: i32 = 0x7268_656d;

/// The version that these steps lead to.
pub(super) fn newest(steps: &[&str]) -> u32 {
    steps.len() as u32
}

/// The version of a database; 0 for an empty one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that the database at `path` has not taken; after each it is whole, and of that version.
pub(super) fn migrate(
    connection: &mut Connection,
    steps: &[&str],
    path: &Path,
) -> Result<(), Error> {
    let failed = |source| Error::database(path, source);
    let newest = newest(steps);
    loop {
        let step = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let found = version(&step).map_err(failed)?;
        if found > newest {
            return Err(Error::Newer {
                path: path.to_path_buf(),
                found,
                known: newest,
            });
        }
        let Some(sql) = steps.get(found as usize) else {
            return Ok(());
        };
        step.execute_batch(sql).map_err(failed)?;
        step.pragma_update(None, "user_version", found + 1)
            .map_err(failed)?;
        step.commit().map_err(failed)?;
    }
}
