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

use rusqlite::{Connection, OpenFlags};

use super::schema::{self, APPLICATION, STEPS};
use super::{Beginning, Error, error::Reason};
use crate::git;

/// How long one process waits for another: what is done under a lock takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// How large the write-ahead log may stay once its content is in the database.
const LOG_KEPT: i64 = 4 << 20;

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

/// What stands under the store's name.
enum Found {
    Nothing,
    InOrder(Open),
    Older(Connection),
    Damaged,
    /// A log beside the file cannot be shared here: a network file system.
    Unshareable(Error),
}

/// Opens the database at `path`, and makes one where there is none or only a damaged one.
pub(super) fn open(path: &Path) -> Result<(Open, Beginning), Error> {
    if let Found::InOrder(open) = look(path)? {
        return Ok((open, Beginning::Kept));
    }
    let unavailable = |source: io::Error| Error::unavailable(path, source);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unavailable)?;
    }
    let _lock = lock(path)?;
    // What is there now may be another process's work.
    let beginning = match look(path)? {
        Found::InOrder(open) => return Ok((open, Beginning::Kept)),
        Found::Older(mut connection) => {
            schema::migrate(&mut connection, STEPS, path)?;
            Beginning::Kept
        }
        Found::Unshareable(error) => {
            without_shared_log(path).map_err(|_| error)?;
            Beginning::Kept
        }
        Found::Nothing => {
            make(path)?;
            Beginning::New
        }
        Found::Damaged => {
            let put_aside = put_aside(path).map_err(unavailable)?;
            make(path)?;
            Beginning::Anew { put_aside }
        }
    };
    match look(path)? {
        Found::InOrder(open) => Ok((open, beginning)),
        Found::Unshareable(error) => Err(error),
        Found::Nothing | Found::Older(_) | Found::Damaged => Err(Error::Replaced {
            path: path.to_path_buf(),
        }),
    }
}

/// Puts the damaged file that was open as `identity` aside, unless another process did so before, and opens the one that
/// is there then.
pub(super) fn begin_anew(path: &Path, identity: FileIdentity) -> Result<(Open, Beginning), Error> {
    let lock = lock(path)?;
    let unavailable = |source: io::Error| Error::unavailable(path, source);
    let aside = if FileIdentity::at(path).map_err(unavailable)? == Some(identity) {
        Some(put_aside(path).map_err(unavailable)?)
    } else {
        None
    };
    if let Some(put_aside) = aside {
        make(path)?;
        let beginning = Beginning::Anew { put_aside };
        drop(lock);
        return open(path).map(|(open, _)| (open, beginning));
    }
    drop(lock);
    open(path)
}

fn lock(path: &Path) -> Result<fs::File, Error> {
    let locked = git::lock(&path.with_extension("lock"), PATIENCE);
    let locked = locked.map_err(|source| Error::unavailable(path, source))?;
    locked.ok_or_else(|| Error::Busy {
        path: path.to_path_buf(),
    })
}

fn look(path: &Path) -> Result<Found, Error> {
    let unavailable = |source: io::Error| Error::unavailable(path, source);
    let Some(metadata) = stat(path).map_err(unavailable)? else {
        return Ok(Found::Nothing);
    };
    if metadata.len() == 0 {
        return Ok(Found::Damaged);
    }
    let identity = FileIdentity::of(&metadata);
    let looked = connect(path).and_then(|connection| {
        let application: i32 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version = schema::version(&connection)?;
        // Reads the whole schema.
        let () = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok((connection, application, version))
    });
    let (connection, application, version) = match looked.map_err(|source| match source {
        rusqlite::Error::SqliteFailure(failure, _) if is_about_sharing(failure) => {
            (Error::unavailable(path, source), true)
        }
        source => (Error::database(path, source), false),
    }) {
        Ok(found) => found,
        Err((Error::Damaged { .. }, _)) => return Ok(Found::Damaged),
        Err((error, true)) => return Ok(Found::Unshareable(error)),
        Err((error, false)) => return Err(error),
    };
    if application != APPLICATION {
        return Ok(Found::Damaged);
    }
    if connection.is_readonly("main").is_ok_and(|is| is) {
        return Err(Error::unavailable(path, Reason::ReadOnly));
    }
    let newest = schema::newest(STEPS);
    if version > newest {
        return Err(Error::Newer {
            path: path.to_path_buf(),
            found: version,
            known: newest,
        });
    }
    if version < newest {
        return Ok(Found::Older(connection));
    }
    if FileIdentity::at(path).map_err(unavailable)? != Some(identity) {
        return Err(Error::Replaced {
            path: path.to_path_buf(),
        });
    }
    Ok(Found::InOrder((connection, identity)))
}

/// Whether a database could be read if only nobody else were to read it: its log has an index in shared memory.
fn is_about_sharing(failure: rusqlite::ffi::Error) -> bool {
    use rusqlite::ffi;
    matches!(
        failure.extended_code,
        ffi::SQLITE_CANTOPEN
            | ffi::SQLITE_IOERR_SHMOPEN
            | ffi::SQLITE_IOERR_SHMSIZE
            | ffi::SQLITE_IOERR_SHMLOCK
            | ffi::SQLITE_IOERR_SHMMAP
            | ffi::SQLITE_IOERR_LOCK
            | ffi::SQLITE_PROTOCOL
    )
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT)?;
    Ok(connection)
}

/// Takes the log away from a database that was made where it could be shared: changes are journalled then, and readers
/// wait for writers.
fn without_shared_log(path: &Path) -> rusqlite::Result<()> {
    let connection = connect(path)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    connection.close().map_err(|(_, error)| error)
}

/// Makes an empty store of the newest version.
fn make(path: &Path) -> Result<(), Error> {
    let unavailable = |source: io::Error| Error::unavailable(path, source);
    let fresh = path.with_extension("new");
    remove(&fresh).map_err(unavailable)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // The files that SQLite makes beside it get the same permissions.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&fresh).map_err(unavailable)?;
    let made = fill(&fresh);
    if made.is_err() {
        let _ = remove(&fresh);
    }
    made?;
    // A log that a removed database left would be taken for the new one's.
    remove(path).map_err(unavailable)?;
    fs::rename(&fresh, path).map_err(unavailable)?;
    if let Some(folder) = path.parent().filter(|_| cfg!(unix)) {
        let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(unavailable)?;
    }
    Ok(())
}

fn fill(fresh: &Path) -> Result<(), Error> {
    let failed = |source| Error::database(fresh, source);
    let mut connection = connect(fresh).map_err(failed)?;
    // Where it cannot be had (a network file system, mostly) the default stands.
    let _ = connection.pragma_update(None, "journal_mode", "WAL");
    connection
        .pragma_update(None, "application_id", APPLICATION)
        .map_err(failed)?;
    schema::migrate(&mut connection, STEPS, fresh)?;
    connection.close().map_err(|(_, source)| failed(source))
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
