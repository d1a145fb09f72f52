//! What was seen at the last look: by it the next one sees within microseconds that nothing changed.

use std::fs::Metadata;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::columns::Whole;
use super::{Error, Moment, Reading, Writing};
use crate::crdt::Replica;
use crate::git::LogPosition;
use crate::overlay::{CommitId, DocumentPath};

/// A file that changed within so many milliseconds before it was looked at may change again and keep its times: those of
/// some file systems are that coarse (FAT: two seconds).
const COARSEST_MILLIS: u64 = 2_000;

/// What tells, without reading a file, that it is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    stat: Option<Stat>,
    /// When it was taken.
    taken: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stat {
    /// Nanoseconds since the Unix epoch.
    modified: i64,
    /// When the file or what is known about it changed, in nanoseconds since the Unix epoch; only some systems tell.
    changed: Option<i64>,
    size: u64,
    inode: Option<u64>,
}

impl Stat {
    fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (changed, inode) = of_system(metadata);
        Self {
            modified: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            changed,
            size: metadata.len(),
            inode,
        }
    }

    fn newest_millis(self) -> u64 {
        let newest = self.modified.max(self.changed.unwrap_or(0));
        u64::try_from(newest / 1_000_000).unwrap_or(0)
    }
}

#[cfg(unix)]
fn of_system(metadata: &Metadata) -> (Option<i64>, Option<u64>) {
    use std::os::unix::fs::MetadataExt;
    let seconds = metadata.ctime().saturating_mul(1_000_000_000);
    let changed = seconds.saturating_add(metadata.ctime_nsec());
    (Some(changed), Some(metadata.ino()))
}

#[cfg(not(unix))]
fn of_system(_metadata: &Metadata) -> (Option<i64>, Option<u64>) {
    (None, None)
}

impl Fingerprint {
    /// That of the file with this metadata, which were read at `taken` and *before* its content; without any, that there is no
    /// file.
    #[must_use]
    pub fn of(metadata: Option<&Metadata>, taken: Moment) -> Self {
        Self {
            stat: metadata.map(Stat::of),
            taken,
        }
    }

    /// Whether the file with this metadata holds what it held when the fingerprint was taken. No means that it has to be read.
    #[must_use]
    pub fn vouches_for(&self, metadata: Option<&Metadata>) -> bool {
        let settled = |stat: Stat| {
            stat.newest_millis().saturating_add(COARSEST_MILLIS) < self.taken.unix_millis()
        };
        self.stat == metadata.map(Stat::of) && self.stat.is_none_or(settled)
    }
}

/// What `status` says about a document without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// How many records it has.
    pub records: u64,
    /// How many conflicts are open in it.
    pub conflicts: u64,
}

/// The last look at a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// HEAD then; none before the first commit.
    pub head: Option<CommitId>,
    /// The file then; none where edits were added since, so that the file has to be looked at however it stands.
    pub file: Option<Fingerprint>,
    /// What it held.
    pub facts: Facts,
}

/// The last look at the work tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastLook {
    /// HEAD then; none before the first commit.
    pub head: Option<CommitId>,
    /// How far HEAD's reflog was read; none where there was none.
    pub reflog: Option<LogPosition>,
}

fn look(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Look> {
    let file: Option<Whole<Fingerprint>> = row.get(first + 1)?;
    let facts: Option<Whole<Facts>> = row.get(first + 2)?;
    Ok(Look {
        head: row.get(first)?,
        file: file.map(|Whole(file)| file),
        facts: facts.map(|Whole(facts)| facts).unwrap_or_default(),
    })
}

impl Reading<'_> {
    /// The last look at a document; none where it was never looked at.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn look(&self, document: &DocumentPath) -> Result<Option<Look>, Error> {
        let sql = "SELECT head, file, facts FROM documents WHERE path = ?1 AND looked";
        self.first(sql, [document], |row| look(row, 0))
    }

    /// The last look at each document that was ever looked at, by their paths.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn looks(&self) -> Result<Vec<(DocumentPath, Look)>, Error> {
        let sql = "SELECT path, head, file, facts FROM documents WHERE looked ORDER BY path";
        self.all(sql, [], |row| Ok((row.get(0)?, look(row, 1)?)))
    }

    /// The last look at the work tree; none before the first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_look(&self) -> Result<Option<LastLook>, Error> {
        let sql = "SELECT look FROM work_tree WHERE look IS NOT NULL";
        self.first(sql, [], |row| row.get(0).map(|Whole(look)| look))
    }

    /// The replica that this work tree was when the store was last written on its behalf; none while a new store was not. Where
    /// it is not the clock's, what the clock's replica did before is not known here: another incarnation has to begin.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn writer(&self) -> Result<Option<Replica>, Error> {
        let sql = "SELECT writer FROM work_tree WHERE writer IS NOT NULL";
        self.first(sql, [], |row| row.get(0))
    }
}

impl Writing<'_> {
    /// Writes a look at a document down.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_look(&self, document: &DocumentPath, look: &Look) -> Result<(), Error> {
        let sql = "UPDATE documents SET looked = 1, head = ?2, file = ?3, facts = ?4 WHERE id = ?1";
        let document = self.number_of(document)?;
        let values = (document, look.head, look.file.map(Whole), Whole(look.facts));
        self.run(sql, values)?;
        Ok(())
    }

    /// Writes a look at the work tree down.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_last_look(&self, look: &LastLook) -> Result<(), Error> {
        self.run("UPDATE work_tree SET look = ?1", [Whole(look)])?;
        Ok(())
    }

    /// Writes down which replica the work tree is.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_writer(&self, replica: Replica) -> Result<(), Error> {
        let sql = "UPDATE work_tree SET writer = ?1 WHERE writer IS NOT ?1";
        self.run(sql, [replica])?;
        Ok(())
    }
}
