//! Files that let one process at a time go on.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long another process is waited for: one that is at work is done much sooner, a stopped one never.
const MOST_WAITED: Duration = Duration::from_secs(5);

const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Waits until no other process holds the file at `path`, which is made where there is none. Whoever drops it lets go.
///
/// # Errors
///
/// Whatever the file system refuses; [`io::ErrorKind::TimedOut`] where another process does not let go of it.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if started.elapsed() > MOST_WAITED => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_TRIES),
        }
    }
}
