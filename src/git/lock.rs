//! Files that let one process at a time go on.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Waits until no other process holds the file at `path`, which is made where there is none. Whoever drops it lets go.
///
/// # Errors
///
/// Whatever the file system refuses.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    file.lock()?;
    Ok(file)
}
