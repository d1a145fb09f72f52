//! The versions of the schema, and the way from each to the next.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{Error, touched};

/// The version from which on it is noted what edits are about.
const TOUCHED: u32 = 7;

/// The steps from an empty database: the one at index `n` makes version `n + 1` of version `n`. A step that was ever
/// released is never changed.
pub(super) const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
    include_str!("schema/10.sql"),
    include_str!("schema/11.sql"),
    include_str!("schema/12.sql"),
];

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
            return Err(Error::newer(path, found, newest));
        }
        let Some(sql) = steps.get(found as usize) else {
            return Ok(());
        };
        step.execute_batch(sql).map_err(failed)?;
        if steps == STEPS && found + 1 == TOUCHED {
            touched::fill(&step).map_err(failed)?;
        }
        step.pragma_update(None, "user_version", found + 1)
            .map_err(failed)?;
        step.commit().map_err(failed)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database of version 1 as that version left it.
    fn first_version() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        let filled = "INSERT INTO documents (path) VALUES (X'2E7268656D612F746F646F732E79616D6C');
            INSERT INTO edits (stamp, replica, document, issuer, way, body)
            VALUES ('6gn6h800-000007', '000007', 1, 0, 0, X'01000100');
            PRAGMA user_version = 1;";
        connection.execute_batch(filled).unwrap();
        connection
    }

    fn path() -> &'static Path {
        Path::new("store.sqlite")
    }

    fn stamps(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare("SELECT stamp FROM edits").unwrap();
        let stamps = statement.query_map([], |row| row.get(0)).unwrap();
        stamps.map(Result::unwrap).collect()
    }

    #[test]
    fn an_empty_database_takes_all_steps() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS, path()).unwrap();
        assert_eq!(version(&connection).unwrap(), newest(STEPS));
        assert!(stamps(&connection).is_empty());
    }

    #[test]
    fn an_older_database_takes_the_steps_that_it_lacks_and_keeps_its_content() {
        let mut connection = first_version();
        let steps = [
            STEPS[0],
            "ALTER TABLE edits ADD COLUMN second TEXT DEFAULT 'two'",
            "ALTER TABLE edits RENAME COLUMN second TO third",
        ];
        migrate(&mut connection, &steps, path()).unwrap();
        assert_eq!(version(&connection).unwrap(), 3);
        assert_eq!(stamps(&connection), ["6gn6h800-000007"]);
        let third: String = connection
            .query_row("SELECT third FROM edits", [], |row| row.get(0))
            .unwrap();
        assert_eq!(third, "two");
        migrate(&mut connection, &steps, path()).unwrap();
        assert_eq!(version(&connection).unwrap(), 3, "nothing is done twice");
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it_whole() {
        let mut connection = first_version();
        let steps = [
            STEPS[0],
            "ALTER TABLE edits ADD COLUMN second TEXT",
            "DELETE FROM edits; SELECT * FROM nowhere",
        ];
        let failed = migrate(&mut connection, &steps, path());
        assert!(matches!(failed, Err(Error::Failed { .. })), "{failed:?}");
        assert_eq!(version(&connection).unwrap(), 2);
        assert_eq!(stamps(&connection), ["6gn6h800-000007"]);
    }

    #[test]
    fn a_newer_database_is_refused() {
        let mut connection = first_version();
        let refused = migrate(&mut connection, &[], path());
        assert!(matches!(
            refused,
            Err(Error::Newer {
                found: 1,
                known: 0,
                ..
            })
        ));
    }
}
