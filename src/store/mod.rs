//! What a work tree knows beside its files: an SQLite database in its git directory.
//!
//! It holds the known edits with their marks, the last renderings of each document, what was seen at the last look, the
//! bodies of removed records, and caches. All of it may be lost: it is found again in the files, in git and at the peers.
//! Nothing in it is keyed by a path of this machine, so that a copied work tree is as good as the first.
//!
//! Whoever reads begins a [`Reading`] and sees one state, whatever others write meanwhile; whoever writes begins a
//! [`Writing`], and waits for others who write. What is written stands as a whole or not at all. Several processes may do
//! so at once.
//!
//! `opening.rs` finds, makes or replaces the file (`sharing.rs`: who else may use it), `schema.rs` has its versions; `edits.rs`, `knowledge.rs`, `marks.rs`,
//! `packs.rs` (edits that are over), `seals.rs`, `renderings.rs`, `looks.rs`, `peers.rs`, `invitations.rs`, `refusals.rs`, `touched.rs`, `bodies.rs`, `happenings.rs` and `cache.rs` each have a part of the content; `columns.rs` and `format.rs` how
//! values stand in it. Depends on `exchange` (what proves edits), `overlay`, `crdt`, `node` (where the
//! folder is, and its key) and `git` (locks).

mod bodies;
mod cache;
mod columns;
mod edits;
mod error;
mod format;
mod happenings;
mod invitations;
mod knowledge;
mod looks;
mod marks;
mod moment;
mod opening;
mod packs;
mod peers;
mod refusals;
mod renderings;
#[cfg(test)]
mod samples;
mod schema;
mod seals;
mod sharing;
mod touched;

use std::ops::Deref;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Params, Row, Transaction, TransactionBehavior};

pub use cache::{Containment, ContentDigest};
pub use edits::{Added, Issuer, StoredEdit, Way, Which};
pub use error::{Error, Reason};
pub use happenings::Happening;
pub use invitations::{Invitation, Joined, Standing};
pub use looks::{Facts, Fingerprint, Holds, LastLook, Look};
pub use marks::{Mark, Marks};
pub use moment::Moment;
pub use packs::Packing;
pub use peers::{Event, Key, Peer, Trust};
pub use refusals::Refused;
pub use renderings::{Content, Rendering};
pub use seals::Author;
pub use touched::Whereabouts;

use crate::git::crash;
use crate::node;
use crate::overlay::DocumentPath;
use opening::{FileIdentity, Place};
use packs::Pieces;

const FILE: &str = "store.sqlite";

/// The store of a work tree, open.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    identity: FileIdentity,
    durability: Option<Durability>,
}

/// A store, and whether it is the one that was there before.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Where it comes from.
    pub beginning: Beginning,
}

impl Opened {
    /// Whether the store knows nothing of what went before: it was made just now.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.beginning != Beginning::Kept
    }
}

/// Where an opened store comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// It was there.
    Kept,
    /// There was none.
    New,
    /// There was one that could not be used.
    Anew {
        /// Where it lies now.
        put_aside: PathBuf,
    },
}

/// What a transaction outlives. Whatever fails, all of it stands or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A loss of power, from the commit on, and with it all that was written before: for edits, before anybody sees them.
    Power,
    /// The end of the process: for what can be found out again. Costs no wait for the disk.
    Process,
}

impl Store {
    /// Where the store of the work tree with this git directory lies.
    #[must_use]
    pub fn path_in(git_dir: &Path) -> PathBuf {
        node::state_folder(git_dir).join(FILE)
    }

    /// Opens the store of the work tree with this git directory, and makes one where there is none. One that is damaged
    /// is put aside.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where none can be written, [`Error::Newer`] where a newer program made it, [`Error::Busy`].
    pub fn open(git_dir: &Path) -> Result<Opened, Error> {
        let path = Self::path_in(git_dir);
        // Another store begins beside the file that a link leads to, not beside the link.
        let path = path.canonicalize().unwrap_or(path);
        let (open, beginning) = Place::at(&path).open()?;
        Ok(Self::opened(path, open, beginning))
    }

    /// Puts this store aside, which showed itself damaged ([`Error::Damaged`]), and opens a new one; if another process did
    /// so before, that one.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn begin_anew(self) -> Result<Opened, Error> {
        let Self {
            connection,
            path,
            identity,
            ..
        } = self;
        // Whether it can still be closed in order does not matter any more.
        drop(connection);
        let (open, beginning) = Place::at(&path).begin_anew(identity)?;
        Ok(Self::opened(path, open, beginning))
    }

    fn opened(path: PathBuf, open: opening::Open, beginning: Beginning) -> Opened {
        let (connection, identity) = open;
        let store = Self {
            connection,
            path,
            identity,
            durability: None,
        };
        Opened { store, beginning }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins to read: all that is read through the result is of one moment.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(&mut self) -> Result<Reading<'_>, Error> {
        self.begin(TransactionBehavior::Deferred)
    }

    /// Begins to write, once nobody else does.
    ///
    /// # Errors
    /// [`Error::Busy`] when somebody else does not come to an end within seconds, [`Error::Replaced`] when the file is
    /// another one by now, [`Error::Unavailable`] when it cannot be written.
    pub fn write(&mut self, durability: Durability) -> Result<Writing<'_>, Error> {
        if self.durability != Some(durability) {
            let level = match durability {
                Durability::Power => "FULL",
                Durability::Process => "NORMAL",
            };
            self.connection
                .pragma_update(None, "synchronous", level)
                .map_err(|source| Error::database(&self.path, source))?;
            self.durability = Some(durability);
        }
        let identity = self.identity;
        let reading = self.begin(TransactionBehavior::Immediate)?;
        let there = FileIdentity::at(reading.path)
            .map_err(|source| Error::unavailable(reading.path, source))?;
        if there != Some(identity) {
            return Err(Error::Replaced {
                path: reading.path.to_path_buf(),
            });
        }
        reading.check_version()?;
        Ok(Writing {
            reading,
            durability,
        })
    }

    /// Gives the room that is free in the file back to the disk.
    ///
    /// # Errors
    /// [`Error::Busy`] where somebody else reads or writes all the time; the store is as it was.
    pub fn shrink(&mut self) -> Result<(), Error> {
        self.connection
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(|source| Error::database(&self.path, source))
    }

    fn begin(&mut self, behavior: TransactionBehavior) -> Result<Reading<'_>, Error> {
        let path = &self.path;
        let transaction = self
            .connection
            .transaction_with_behavior(behavior)
            .map_err(|source| Error::database(path, source))?;
        Ok(Reading {
            transaction,
            path,
            pieces: Pieces::default(),
        })
    }
}

/// One state of the store, to be read.
#[derive(Debug)]
pub struct Reading<'s> {
    transaction: Transaction<'s>,
    path: &'s Path,
    pieces: Pieces,
}

/// What is being written; dropped without [`commit`](Self::commit), nothing of it stands. Reading sees what was written
/// so far.
#[derive(Debug)]
#[must_use]
pub struct Writing<'s> {
    reading: Reading<'s>,
    durability: Durability,
}

impl<'s> Deref for Writing<'s> {
    type Target = Reading<'s>;

    fn deref(&self) -> &Reading<'s> {
        &self.reading
    }
}

impl Writing<'_> {
    /// Makes what was written stand.
    ///
    /// # Errors
    /// When it cannot be written; nothing of it stands then.
    pub fn commit(self) -> Result<(), Error> {
        let Reading {
            transaction, path, ..
        } = self.reading;
        transaction
            .commit()
            .map_err(|source| Error::database(path, source))?;
        crash::here(match self.durability {
            Durability::Power => "kept",
            Durability::Process => "written",
        });
        Ok(())
    }

    /// Runs a statement; says how many rows it changed.
    fn run(&self, sql: &str, values: impl Params) -> Result<usize, Error> {
        self.pieces.forget();
        let run = || self.transaction.prepare_cached(sql)?.execute(values);
        run().map_err(|source| self.failed(source))
    }

    /// The number of a document, which gets one where it has none.
    fn number_of(&self, document: &DocumentPath) -> Result<i64, Error> {
        if let Some(number) = self.known_number_of(document)? {
            return Ok(number);
        }
        self.run("INSERT INTO documents (path) VALUES (?1)", [document])?;
        Ok(self.transaction.last_insert_rowid())
    }
}

impl Reading<'_> {
    fn failed(&self, source: rusqlite::Error) -> Error {
        Error::database(self.path, source)
    }

    /// The first row, if there is one.
    fn first<T>(
        &self,
        sql: &str,
        values: impl Params,
        row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        let first = || {
            let mut statement = self.transaction.prepare_cached(sql)?;
            let mut rows = statement.query(values)?;
            rows.next()?.map(row).transpose()
        };
        first().map_err(|source| self.failed(source))
    }

    /// All rows.
    fn all<T, C: FromIterator<T>>(
        &self,
        sql: &str,
        values: impl Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<C, Error> {
        let all = || -> rusqlite::Result<C> {
            let mut statement = self.transaction.prepare_cached(sql)?;
            statement.query_map(values, row)?.collect()
        };
        all().map_err(|source| self.failed(source))
    }

    /// How much the content takes, in bytes: without what is free in the file.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn bytes(&self) -> Result<u64, Error> {
        let number = |name| {
            let read = self
                .transaction
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            read.map_err(|source| self.failed(source))
        };
        let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
        let bytes = pages.saturating_mul(number("page_size")?);
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// The number of a document, if anything is known of it.
    fn known_number_of(&self, document: &DocumentPath) -> Result<Option<i64>, Error> {
        let sql = "SELECT id FROM documents WHERE path = ?1";
        self.first(sql, [document], |row| row.get(0))
    }

    /// Refuses a store that a newer program brought up to date while it was open here.
    fn check_version(&self) -> Result<(), Error> {
        let found = schema::version(&self.transaction).map_err(|source| self.failed(source))?;
        let known = schema::newest(schema::STEPS);
        if found == known {
            return Ok(());
        }
        Err(Error::newer(self.path, found, known))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::samples::{chain, store, todos};
    use super::*;

    fn known(reading: &Reading<'_>) -> usize {
        reading.edits(&todos(), Which::All).unwrap().len()
    }

    fn add(writing: &Writing<'_>, index: usize) {
        let edit = &chain(7, index + 1)[index];
        writing.add(edit, Issuer::Own, Way::Recorded).unwrap();
    }

    #[test]
    fn what_is_written_is_seen_by_the_writer_at_once_and_by_others_when_it_stands() {
        let (git_dir, mut store) = store();
        let mut other = Store::open(git_dir.path()).unwrap().store;
        let writing = store.write(Durability::Power).unwrap();
        add(&writing, 0);
        assert_eq!(known(&writing), 1);
        assert_eq!(known(&other.read().unwrap()), 0);
        writing.commit().unwrap();
        assert_eq!(known(&other.read().unwrap()), 1);
    }

    #[test]
    fn what_is_not_committed_does_not_stand() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        add(&writing, 0);
        drop(writing);
        assert_eq!(known(&store.read().unwrap()), 0);
    }

    #[test]
    fn a_reading_is_of_one_moment_whatever_others_write() {
        let (git_dir, mut store) = store();
        let mut other = Store::open(git_dir.path()).unwrap().store;
        let reading = store.read().unwrap();
        assert_eq!(known(&reading), 0);
        let writing = other.write(Durability::Process).unwrap();
        add(&writing, 0);
        writing.commit().unwrap();
        assert_eq!(known(&reading), 0);
        assert!(
            reading
                .last_of(chain(7, 1)[0].stamp.replica())
                .unwrap()
                .is_none()
        );
        drop(reading);
        assert_eq!(known(&store.read().unwrap()), 1);
    }

    #[test]
    fn whoever_never_comes_to_an_end_makes_writers_give_up_and_not_readers() {
        let (git_dir, mut store) = store();
        let mut other = Store::open(git_dir.path()).unwrap().store;
        let patience = Duration::from_millis(20);
        other.connection.busy_timeout(patience).unwrap();
        let writing = store.write(Durability::Process).unwrap();
        let busy = other.write(Durability::Process).unwrap_err();
        assert!(matches!(busy, Error::Busy { .. }), "{busy:?}");
        assert_eq!(known(&other.read().unwrap()), 0);
        drop(writing);
        other.write(Durability::Process).unwrap().commit().unwrap();
    }
}
