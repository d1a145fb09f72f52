//! Opening the file: making it where there is none, bringing it up to date, putting a damaged one aside.
//!
//! A new store is made under another name and then renamed, so that the file is never half a store, and one of no bytes is
//! a damaged one. Whoever makes, migrates or puts aside holds `store.lock`; whoever finds the file in order needs it not.
//! The file is never opened but through SQLite: on Unix, closing any handle of a file ends all locks that the process
//! has on it.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::schema::{self, APPLICATION, STEPS};
use super::sharing::Sharing;
use super::{Beginning, Error, Reason};
use crate::git;

/// How long one process waits for another: what is done under a lock takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// How large the write-ahead log of a store that stays open may be once its content is in the database, in bytes.
const LOG_KEPT: i64 = 4 << 20;

/// How many statements are kept as they were prepared: more than there are.
const STATEMENTS: usize = 256;

/// What tells the file from another one under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileIdentity {
    #[cfg(unix)]
    fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    /// Where an open file can neither be removed nor replaced, there is nothing to tell apart.
    #[cfg(not(unix))]
    fn of(_metadata: &fs::Metadata) -> Self {
        Self {}
    }

    /// That of the file at `path` now; nothing where there is none.
    pub(super) fn at(path: &Path) -> io::Result<Option<Self>> {
        Ok(stat(path)?.map(|metadata| Self::of(&metadata)))
    }
}

fn stat(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// An open database of the newest version, and which file that is.
pub(super) type Open = (Connection, FileIdentity);

/// Where the database lies.
pub(super) struct Place<'p> {
    path: &'p Path,
    sharing: Sharing,
    /// The name by which SQLite knows the layer between itself and the files; none for the one that fits the system.
    layer: Option<&'p str>,
}

/// What stands under the store's name.
enum Found {
    Nothing,
    InOrder(Open),
    Older(Connection),
    Damaged,
    /// It has a log, and that cannot be shared here.
    Unshareable(Error),
}

impl<'p> Place<'p> {
    /// A place in the system's files.
    pub(super) fn at(path: &'p Path) -> Self {
        Self {
            path,
            sharing: Sharing::at(path),
            layer: None,
        }
    }

    /// Opens the database, and makes one where there is none or only a damaged one.
    pub(super) fn open(&self) -> Result<(Open, Beginning), Error> {
        match self.look() {
            Ok(Found::InOrder(open)) => return Ok((open, Beginning::Kept)),
            Ok(_) | Err(Error::Replaced { .. }) => {}
            Err(error) => return Err(error),
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(self.unavailable())?;
        }
        let _lock = self.lock()?;
        // What is there now may be another process's work.
        let beginning = match self.look()? {
            Found::InOrder(open) => return Ok((open, Beginning::Kept)),
            Found::Older(mut connection) => {
                schema::migrate(&mut connection, STEPS, self.path)?;
                Beginning::Kept
            }
            Found::Unshareable(error) => {
                self.without_shared_log().map_err(|_| error)?;
                Beginning::Kept
            }
            Found::Nothing => {
                self.make()?;
                Beginning::New
            }
            Found::Damaged => self.replace()?,
        };
        match self.look()? {
            Found::InOrder(open) => Ok((open, beginning)),
            Found::Unshareable(error) => Err(error),
            Found::Nothing | Found::Older(_) | Found::Damaged => Err(self.replaced()),
        }
    }

    /// Puts the damaged file that was open as `identity` aside, unless another process did so before, and opens the one
    /// that is there then.
    pub(super) fn begin_anew(&self, identity: FileIdentity) -> Result<(Open, Beginning), Error> {
        let lock = self.lock()?;
        let there = FileIdentity::at(self.path).map_err(self.unavailable())?;
        let replaced = if there == Some(identity) {
            Some(self.replace()?)
        } else {
            None
        };
        drop(lock);
        let (open, found) = self.open()?;
        Ok((open, replaced.unwrap_or(found)))
    }

    fn unavailable(&self) -> impl Fn(io::Error) -> Error {
        |source| Error::unavailable(self.path, source)
    }

    fn replaced(&self) -> Error {
        Error::Replaced {
            path: self.path.to_path_buf(),
        }
    }

    fn lock(&self) -> Result<fs::File, Error> {
        let locked = git::lock(&self.path.with_extension("lock"), PATIENCE);
        let locked = locked.map_err(self.unavailable())?;
        locked.ok_or_else(|| Error::Busy {
            path: self.path.to_path_buf(),
        })
    }

    fn look(&self) -> Result<Found, Error> {
        let Some(metadata) = stat(self.path).map_err(self.unavailable())? else {
            return Ok(Found::Nothing);
        };
        if metadata.len() == 0 {
            return Ok(Found::Damaged);
        }
        let identity = FileIdentity::of(&metadata);
        let (connection, application, version) = match self.connect_and_read() {
            Ok((_, _, _, mode)) if mode == "wal" && self.sharing == Sharing::Machines => {
                let error = Error::unavailable(self.path, Reason::InUse);
                return Ok(Found::Unshareable(error));
            }
            Ok((connection, application, version, _)) => (connection, application, version),
            Err(source) if is_about_sharing(&source) => {
                return Ok(Found::Unshareable(Error::unavailable(self.path, source)));
            }
            Err(source) => {
                return match Error::database(self.path, source) {
                    Error::Damaged { .. } => Ok(Found::Damaged),
                    error => Err(error),
                };
            }
        };
        let newest = schema::newest(STEPS);
        if application != APPLICATION {
            Ok(Found::Damaged)
        } else if connection.is_readonly("main").is_ok_and(|is| is) {
            Err(Error::unavailable(self.path, Reason::ReadOnly))
        } else if version > newest {
            Err(Error::newer(self.path, version, newest))
        } else if version < newest {
            Ok(Found::Older(connection))
        } else if FileIdentity::at(self.path).map_err(self.unavailable())? != Some(identity) {
            Err(self.replaced())
        } else {
            Ok(Found::InOrder((connection, identity)))
        }
    }

    /// Connects, and reads whose database that is, its version, how it keeps what is being written, and, to see whether it
    /// can be read, the schema.
    fn connect_and_read(&self) -> rusqlite::Result<(Connection, i32, u32, String)> {
        let connection = self.connect(self.path)?;
        let application =
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version = schema::version(&connection)?;
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok((connection, application, version, mode))
    }

    fn connect(&self, path: &Path) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self.layer {
            None => Connection::open_with_flags(path, flags)?,
            Some(layer) => Connection::open_with_flags_and_vfs(path, flags, layer)?,
        };
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // A plan that depends on what is asked for is made anew each time: a fifth of what a look costs.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "journal_size_limit", LOG_KEPT)?;
        Ok(connection)
    }

    /// Takes the log away from a database that was made where it could be shared: changes are journalled then, and readers
    /// wait for writers.
    fn without_shared_log(&self) -> rusqlite::Result<()> {
        let connection = self.connect(self.path)?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "DELETE")?;
        connection.close().map_err(|(_, error)| error)
    }

    /// Makes an empty store of the newest version.
    fn make(&self) -> Result<(), Error> {
        let fresh = self.path.with_extension("new");
        remove(&fresh).map_err(self.unavailable())?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // The files that SQLite makes beside it get the same permissions.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&fresh).map_err(self.unavailable())?;
        let made = self.fill(&fresh).and_then(|()| {
            let synced = fs::File::open(&fresh).and_then(|file| file.sync_all());
            synced.map_err(self.unavailable())
        });
        if made.is_err() {
            let _ = remove(&fresh);
        }
        made?;
        // A log that a removed database left would be taken for the new one's.
        remove(self.path).map_err(self.unavailable())?;
        fs::rename(&fresh, self.path).map_err(self.unavailable())?;
        if let Some(folder) = self.path.parent().filter(|_| cfg!(unix)) {
            let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(self.unavailable())?;
        }
        Ok(())
    }

    fn fill(&self, fresh: &Path) -> Result<(), Error> {
        let failed = |source| Error::database(self.path, source);
        let mut connection = self.connect(fresh).map_err(failed)?;
        // It is synced as a whole, before it gets its name.
        connection
            .pragma_update(None, "synchronous", "OFF")
            .map_err(failed)?;
        if self.sharing == Sharing::Processes {
            // Where it cannot be had all the same, the default stands.
            let _ = connection.pragma_update(None, "journal_mode", "WAL");
        }
        connection
            .pragma_update(None, "application_id", APPLICATION)
            .map_err(failed)?;
        schema::migrate(&mut connection, STEPS, self.path)?;
        connection.close().map_err(|(_, source)| failed(source))
    }

    /// Puts what is there aside and makes an empty store.
    fn replace(&self) -> Result<Beginning, Error> {
        let put_aside = put_aside(self.path).map_err(self.unavailable())?;
        self.make()?;
        Ok(Beginning::Anew { put_aside })
    }
}

/// Whether a database could be read if only nobody else were to read it: its log has an index in shared memory.
fn is_about_sharing(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CANTOPEN, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN};
    let code = error.sqlite_error().map(|failure| failure.extended_code);
    matches!(
        code,
        Some(SQLITE_CANTOPEN | SQLITE_IOERR_SHMMAP | SQLITE_IOERR_SHMOPEN)
    )
}

/// The files of a database: itself, and what SQLite puts beside it.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn remove(path: &Path) -> io::Result<()> {
    for suffix in BESIDE {
        match fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Gives the database the first free name `….broken-<n>`, its log with it.
fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1;
    let aside = loop {
        let aside = beside(path, &format!(".broken-{number}"));
        if fs::symlink_metadata(&aside).is_err() {
            break aside;
        }
        number += 1;
    };
    for suffix in BESIDE {
        match fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests;
