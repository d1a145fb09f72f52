//! Whether a program stays in this work tree and keeps it in step with others: at most one does.
//!
//! It holds a lock while it runs. The system lets go of a lock whenever a process ends, however it ends, so the lock never lies.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Error, state_folder};
use crate::git;

/// The file, in the folder of the work tree's state.
const FILE: &str = "watch.lock";

/// The file with the address at which it listens, in the same folder.
const ADDRESS: &str = "address";

/// The file that is written for it to look at everything anew, in the same folder.
const WAKE: &str = "wake";

/// How long who only looks may hold the lock.
const MOST_LOOKED: Duration = Duration::from_millis(200);

/// The right to stay in a work tree, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    _lock: File,
}

impl Watch {
    /// Begins to stay in the work tree with this git directory; nothing where another program does.
    ///
    /// # Errors
    /// When the lock cannot be made.
    pub fn begin(git_dir: &Path) -> Result<Option<Self>, Error> {
        let path = state_folder(git_dir).join(FILE);
        let lock = git::lock(&path, MOST_LOOKED).map_err(Error::write(&path))?;
        Ok(lock.map(|lock| Self { _lock: lock }))
    }

    /// Whether a program ever began to stay in the work tree with this git directory, whose state is still there.
    #[must_use]
    pub fn is_begun(git_dir: &Path) -> bool {
        state_folder(git_dir).join(FILE).exists()
    }

    /// Whether a program stays in the work tree with this git directory. Where that cannot be told, none does.
    #[must_use]
    pub fn is_kept(git_dir: &Path) -> bool {
        let Ok(file) = File::open(state_folder(git_dir).join(FILE)) else {
            return false;
        };
        // Shared, so that two who look do not take each other for one who stays.
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

/// Has a program that stays in the work tree with this git directory look at everything anew, what it knows of others too.
pub fn wake(git_dir: &Path) {
    if Watch::is_kept(git_dir)
        && let Err(error) = std::fs::write(wake_file(git_dir), b"")
    {
        // It looks from time to time anyway.
        tracing::info!("{error}");
    }
}

/// The file that [`wake`] writes.
#[must_use]
pub fn wake_file(git_dir: &Path) -> PathBuf {
    state_folder(git_dir).join(WAKE)
}

/// Where a program that stays in the work tree with this git directory leaves the address at which it listens.
#[must_use]
pub fn address_file(git_dir: &Path) -> PathBuf {
    state_folder(git_dir).join(ADDRESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stays_at_a_time_and_others_see_it() {
        let git_dir = tempfile::tempdir().unwrap();
        assert!(!Watch::is_kept(git_dir.path()), "nobody ever did");
        std::fs::create_dir(state_folder(git_dir.path())).unwrap();
        let first = Watch::begin(git_dir.path()).unwrap();
        assert!(first.is_some());
        assert!(Watch::is_kept(git_dir.path()));
        assert!(Watch::begin(git_dir.path()).unwrap().is_none());
        drop(first);
        assert!(!Watch::is_kept(git_dir.path()), "the file is still there");
        assert!(Watch::begin(git_dir.path()).unwrap().is_some());
    }
}
