//! The clock of this work tree's replica, kept in its git directory.
//!
//! A stamp is used only after it has been stored: whoever dies in between has lost a tick, not given out one stamp
//! twice.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Error, Repo, replace};
use crate::crdt::{Clock, Replica, Stamp};

/// The folder in the git directory that holds what is ours.
const FOLDER: &str = "rhema";

/// The file in it.
const FILE: &str = "clock";

impl Repo {
    /// A new stamp, stored before it is given out.
    ///
    /// # Errors
    ///
    /// When the clock's file cannot be read or written, or is not what it should be.
    pub fn new_stamp(&self) -> Result<Stamp, Error> {
        let folder = self.git_dir().join(FOLDER);
        let path = folder.join(FILE);
        let write = |source| Error::Write {
            path: path.clone(),
            source,
        };
        fs::create_dir_all(&folder).map_err(write)?;
        let _lock = Lock::take(folder.join("clock.lock")).map_err(write)?;
        let mut clock = read(&path)?.unwrap_or_else(|| Clock::new(new_replica(), None));
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = now.map_or(0, |now| now.as_millis() as u64);
        let stamp = clock
            .tick(millis)
            .map_err(|source| Error::Clock { source })?;
        replace(&path, format!("{stamp}\n").as_bytes()).map_err(write)?;
        let stored = File::open(&path).and_then(|file| file.sync_all());
        stored.map_err(write)?;
        Ok(stamp)
    }
}

/// Keeps other processes from the clock until it is dropped.
struct Lock(PathBuf);

impl Lock {
    /// Waits for its turn; a lock that nobody lets go of was left by somebody who died.
    fn take(path: PathBuf) -> io::Result<Self> {
        const PAUSE: Duration = Duration::from_millis(10);
        for _ in 0..500 {
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(_) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self(path))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If it is gone already, so much the better.
        let _ = fs::remove_file(&self.0);
    }
}

fn read(path: &Path) -> Result<Option<Clock>, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Read {
                path: path.to_path_buf(),
                source,
            });
        }
    };
    let last: Stamp = text.trim().parse().map_err(|_| Error::MangledClock {
        path: PathBuf::from(path),
    })?;
    Ok(Some(Clock::new(last.replica(), Some(last))))
}

/// A replica that nobody else is: its bits come from the operating system.
fn new_replica() -> Replica {
    Replica::from_bits(RandomState::new().build_hasher().finish() as u32)
}
