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
use super::sharing::Sharing;
use super::{Beginning, Error, Reason};
use crate::git;

/// How long one process waits for another: what is done under a lock takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// How large the write-ahead log of a store that stays open may be once its content is in the database, in bytes.
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
mod tests {
    use tempfile::TempDir;

    use super::super::samples::{chain, receive, store, todos};
    use super::super::{Durability, Opened, Store, Which};
    use super::*;

    /// A git directory and the path of its store, which knows so many edits; nobody has it open.
    fn filled(count: usize) -> (TempDir, PathBuf) {
        let (git_dir, mut store) = store();
        receive(&mut store, &chain(7, count));
        (git_dir, store.path().to_path_buf())
    }

    fn known(store: &mut Store) -> usize {
        let reading = store.read().unwrap();
        reading.edits(&todos(), Which::All).unwrap().len()
    }

    /// Gives the file this content, which is none of a store, and looks at what opening makes of it.
    #[track_caller]
    fn is_put_aside(git_dir: &TempDir, path: &Path, damage: impl FnOnce(&mut Vec<u8>)) -> Opened {
        let mut bytes = fs::read(path).unwrap();
        damage(&mut bytes);
        fs::write(path, &bytes).unwrap();
        let mut opened = Store::open(git_dir.path()).unwrap();
        let Beginning::Anew { put_aside } = &opened.beginning else {
            panic!("{:?}", opened.beginning);
        };
        assert_eq!(fs::read(put_aside).unwrap(), bytes);
        assert!(opened.is_new());
        assert_eq!(known(&mut opened.store), 0);
        receive(&mut opened.store, &chain(7, 1));
        opened
    }

    #[test]
    fn a_store_is_made_once_and_then_kept() {
        let git_dir = tempfile::tempdir().unwrap();
        let first = Store::open(git_dir.path()).unwrap();
        assert_eq!(first.beginning, Beginning::New);
        assert!(first.is_new());
        let again = Store::open(git_dir.path()).unwrap();
        assert_eq!(again.beginning, Beginning::Kept);
        assert!(!again.is_new());
    }

    #[test]
    fn damaged_files_are_put_aside_one_after_the_other() {
        let (git_dir, path) = filled(3);
        let aside = |number| beside(&path, &format!(".broken-{number}"));
        let empty = is_put_aside(&git_dir, &path, Vec::clear);
        assert_eq!(
            empty.beginning,
            Beginning::Anew {
                put_aside: aside(1)
            }
        );
        drop(empty);
        let garbage = is_put_aside(&git_dir, &path, |bytes| bytes.fill(b'x'));
        assert_eq!(
            garbage.beginning,
            Beginning::Anew {
                put_aside: aside(2)
            }
        );
        drop(garbage);
        drop(is_put_aside(&git_dir, &path, |bytes| bytes.truncate(10)));
        drop(is_put_aside(&git_dir, &path, |bytes| bytes.truncate(5_000)));
        drop(is_put_aside(&git_dir, &path, |bytes| {
            bytes.truncate(bytes.len() / 2)
        }));
        let opened = Store::open(git_dir.path()).unwrap();
        assert_eq!(opened.beginning, Beginning::Kept);
    }

    #[test]
    fn the_database_of_another_program_is_put_aside() {
        let (git_dir, path) = filled(0);
        fs::remove_file(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE edits (x)").unwrap();
        drop(other);
        drop(is_put_aside(&git_dir, &path, |_| {}));
    }

    #[test]
    fn damage_that_shows_late_is_told_and_the_store_can_begin_anew() {
        let (git_dir, path) = filled(2_000);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 4..bytes.len() * 3 / 4;
        bytes[middle].fill(0x5a);
        fs::write(&path, bytes).unwrap();
        let mut opened = Store::open(git_dir.path()).unwrap();
        assert_eq!(opened.beginning, Beginning::Kept);
        let edits = opened.store.read().unwrap().edits(&todos(), Which::All);
        assert!(matches!(edits, Err(Error::Damaged { .. })), "{edits:?}");
        // Another process meets the same damage.
        let other = Store::open(git_dir.path()).unwrap().store;
        let mut anew = opened.store.begin_anew().unwrap();
        assert!(matches!(anew.beginning, Beginning::Anew { .. }));
        receive(&mut anew.store, &chain(7, 1));
        let mut after = other.begin_anew().unwrap();
        assert_eq!(after.beginning, Beginning::Kept, "it was put aside before");
        assert_eq!(known(&mut after.store), 1);
    }

    #[test]
    fn a_newer_store_is_refused_and_left_alone() {
        let (git_dir, path) = filled(1);
        let newer = Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        drop(newer);
        let before = fs::read(&path).unwrap();
        let error = Store::open(git_dir.path()).unwrap_err();
        let expected = Error::newer(&path.canonicalize().unwrap(), 99, 1);
        assert_eq!(error.to_string(), expected.to_string());
        assert!(matches!(error, Error::Newer { found: 99, .. }));
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_store_that_becomes_newer_while_it_is_open_is_not_written_any_more() {
        let (_git_dir, mut store) = store();
        let newer = Connection::open(store.path()).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        let refused = store.write(Durability::Process).unwrap_err();
        assert!(matches!(refused, Error::Newer { found: 99, .. }));
    }

    #[cfg(unix)]
    #[test]
    fn a_store_that_was_removed_or_replaced_while_it_is_open_is_not_written_any_more() {
        let (git_dir, mut store) = store();
        remove(store.path()).unwrap();
        let refused = store.write(Durability::Process).unwrap_err();
        assert!(matches!(refused, Error::Replaced { .. }));
        let mut next = Store::open(git_dir.path()).unwrap();
        assert_eq!(next.beginning, Beginning::New);
        receive(&mut next.store, &chain(7, 1));
        let refused = store.write(Durability::Process).unwrap_err();
        assert!(matches!(refused, Error::Replaced { .. }));
        // Its end does no harm to the one that is there now.
        drop(store);
        receive(&mut next.store, &chain(7, 2));
        let mut third = Store::open(git_dir.path()).unwrap();
        assert_eq!(known(&mut third.store), 2);
    }

    #[cfg(unix)]
    #[test]
    fn the_log_of_a_removed_store_does_not_come_into_the_next() {
        let (git_dir, mut store) = store();
        receive(&mut store, &chain(7, 5));
        fs::remove_file(store.path()).unwrap();
        assert!(beside(store.path(), "-wal").metadata().unwrap().len() > 0);
        let mut next = Store::open(git_dir.path()).unwrap();
        assert_eq!(next.beginning, Beginning::New);
        assert_eq!(known(&mut next.store), 0);
    }

    #[test]
    fn what_a_process_left_that_was_killed_while_it_made_a_store_is_no_hindrance() {
        let git_dir = tempfile::tempdir().unwrap();
        let path = Store::path_in(git_dir.path());
        fs::create_dir(path.parent().unwrap()).unwrap();
        let half = path.with_extension("new");
        fs::write(&half, "half a store").unwrap();
        fs::write(beside(&half, "-wal"), "half a log").unwrap();
        let opened = Store::open(git_dir.path()).unwrap();
        assert_eq!(opened.beginning, Beginning::New);
        assert!(!half.exists());
    }

    #[test]
    fn where_no_folder_can_be_made_there_is_no_store() {
        let folder = tempfile::tempdir().unwrap();
        let git_dir = folder.path().join("git");
        fs::write(&git_dir, "gitdir: elsewhere").unwrap();
        let error = Store::open(&git_dir).unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        fs::remove_file(&git_dir).unwrap();
        fs::create_dir_all(Store::path_in(&git_dir)).unwrap();
        let error = Store::open(&git_dir).unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    }

    #[test]
    fn a_full_disk_is_told_from_a_fault_and_what_is_there_can_be_read() {
        let (_git_dir, mut store) = store();
        receive(&mut store, &chain(7, 3));
        let pages: i64 = (store.connection)
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        let full = store
            .connection
            .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0));
        assert_eq!(full.unwrap(), pages);
        let writing = store.write(Durability::Process).unwrap();
        let digest = super::super::ContentDigest::of(b"large");
        let error = writing.keep_state(digest, &[0; 100_000]).unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        drop(writing);
        assert_eq!(known(&mut store), 3);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_any_file_of_a_store() {
        use std::os::unix::fs::PermissionsExt;
        let (_git_dir, mut store) = store();
        receive(&mut store, &chain(7, 1));
        for suffix in ["", "-wal", "-shm"] {
            let metadata = beside(store.path(), suffix).metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{suffix}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_store_may_lie_behind_a_link() {
        let (git_dir, path) = filled(2);
        let elsewhere = tempfile::tempdir().unwrap();
        let target = elsewhere.path().join("kept.sqlite");
        fs::rename(&path, &target).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        let mut opened = Store::open(git_dir.path()).unwrap();
        assert_eq!(opened.beginning, Beginning::Kept);
        assert_eq!(known(&mut opened.store), 2);
        receive(&mut opened.store, &chain(7, 3));
        let mut again = Store::open(git_dir.path()).unwrap();
        assert_eq!(known(&mut again.store), 3);
    }

    #[test]
    fn a_copy_that_is_made_while_the_store_is_open_holds_what_was_written() {
        let (_git_dir, mut store) = store();
        receive(&mut store, &chain(7, 5));
        let copy = tempfile::tempdir().unwrap();
        let target = Store::path_in(copy.path());
        fs::create_dir(target.parent().unwrap()).unwrap();
        for suffix in ["", "-wal", "-shm"] {
            fs::copy(beside(store.path(), suffix), beside(&target, suffix)).unwrap();
        }
        let mut copied = Store::open(copy.path()).unwrap();
        assert_eq!(copied.beginning, Beginning::Kept);
        assert_eq!(known(&mut copied.store), 5);
        receive(&mut copied.store, &chain(8, 1));
        assert_eq!(known(&mut store), 5, "they are two from now on");
    }

    /// A layer of SQLite without shared memory, as over a network.
    #[cfg(unix)]
    const NO_SHARED_MEMORY: Option<&str> = Some("unix-dotfile");

    #[cfg(unix)]
    #[test]
    fn where_no_memory_is_shared_a_store_does_without_a_log() {
        let git_dir = tempfile::tempdir().unwrap();
        let path = Store::path_in(git_dir.path());
        let place = Place {
            path: &path,
            sharing: Sharing::Processes,
            layer: NO_SHARED_MEMORY,
        };
        let (open, beginning) = place.open().unwrap();
        let mut store = Store::opened(path.clone(), open, beginning).store;
        receive(&mut store, &chain(7, 3));
        assert!(!beside(&path, "-wal").exists());
        drop(store);
        let (open, beginning) = place.open().unwrap();
        assert_eq!(beginning, Beginning::Kept);
        assert_eq!(
            known(&mut Store::opened(path.clone(), open, beginning).store),
            3
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_store_that_comes_to_where_no_memory_is_shared_loses_its_log_and_nothing_else() {
        let (_git_dir, path) = filled(3);
        let place = Place {
            path: &path,
            sharing: Sharing::Processes,
            layer: NO_SHARED_MEMORY,
        };
        let (open, beginning) = place.open().unwrap();
        assert_eq!(beginning, Beginning::Kept);
        let mut store = Store::opened(path.clone(), open, beginning).store;
        assert_eq!(known(&mut store), 3);
        receive(&mut store, &chain(7, 4));
        assert_eq!(known(&mut store), 4);
        assert!(!beside(&path, "-wal").exists());
    }

    #[test]
    fn where_several_machines_share_the_files_a_store_does_without_a_log() {
        let git_dir = tempfile::tempdir().unwrap();
        let path = Store::path_in(git_dir.path());
        let place = |sharing| Place {
            path: &path,
            sharing,
            layer: None,
        };
        let open = |sharing| {
            let (open, beginning) = place(sharing).open()?;
            Ok::<_, Error>(Store::opened(path.clone(), open, beginning).store)
        };
        let mut store = open(Sharing::Machines).unwrap();
        receive(&mut store, &chain(7, 1));
        assert!(!beside(&path, "-wal").exists());
        drop(store);
        // One that was made elsewhere and came here.
        remove(&path).unwrap();
        let mut store = open(Sharing::Processes).unwrap();
        receive(&mut store, &chain(7, 2));
        assert!(beside(&path, "-wal").exists());
        drop(store);
        let mut store = open(Sharing::Machines).unwrap();
        assert_eq!(known(&mut store), 2);
        receive(&mut store, &chain(7, 3));
        assert!(!beside(&path, "-wal").exists());
    }
}
