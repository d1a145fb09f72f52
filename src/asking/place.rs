//! Where the socket lies, and that nobody else can have put it there.
//!
//! In `$XDG_RUNTIME_DIR/rhema`, else in a folder of the user's in the temporary directory; under a name made of the git
//! directory's path, since the path of a socket may have some hundred bytes only. Where it lies stands in the folder of the
//! work tree's state, beside the lock of whoever stays: its holder alone binds and unlinks.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::git;
use crate::node::{state_folder, to_hex};

/// The file that says where the socket lies, in the folder of the work tree's state.
const FILE: &str = "socket";

/// How long the path of a socket may be, in bytes: 104 with the NUL behind it on macOS and BSD, 108 on Linux.
const LONGEST: usize = 103;

/// How long that file may be: longer than any path in it.
const LONGEST_RECORD: u64 = 4_096;

/// Where a socket of the work tree with this git directory is to lie; its folder is there, and the user's alone.
pub(super) fn choose(git_dir: &Path) -> io::Result<PathBuf> {
    let digest = Sha256::digest(git_dir.as_os_str().as_bytes());
    let name = format!("{}.sock", to_hex(&digest[..8]));
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|folder| folder.is_absolute() && is_private(folder).is_ok());
    let user = rustix::process::geteuid().as_raw();
    let own = std::env::temp_dir().join(format!("rhema-{user}"));
    let folders = runtime.map(|folder| folder.join("rhema"));
    let mut refused = io::Error::from(io::ErrorKind::InvalidFilename);
    for folder in folders.into_iter().chain([own]) {
        let path = folder.join(&name);
        if path.as_os_str().len() > LONGEST {
            continue;
        }
        match make(&folder) {
            Ok(()) => return Ok(path),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Where the socket of the work tree with this git directory lies, if somebody said so and nobody else can have put it there.
pub(super) fn find(git_dir: &Path) -> io::Result<PathBuf> {
    let record = state_folder(git_dir).join(FILE);
    if fs::metadata(&record)?.len() > LONGEST_RECORD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = fs::read(&record)?;
    bytes.truncate(bytes.trim_ascii_end().len());
    let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
    is_private(path.parent().unwrap_or(Path::new("")))?;
    let metadata = path.symlink_metadata()?;
    match metadata.file_type().is_socket() && is_own(&metadata) {
        true => Ok(path),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// Says where the socket lies.
pub(super) fn record(git_dir: &Path, path: &Path) -> io::Result<()> {
    let mut line = path.as_os_str().to_owned();
    line.push(OsStr::new("\n"));
    git::replace(&state_folder(git_dir).join(FILE), line.as_bytes())
        .map_err(|error| io::Error::other(error.to_string()))
}

/// Takes the socket away, and what is said of it.
pub(super) fn forget(git_dir: &Path, path: &Path) {
    let _ = fs::remove_file(state_folder(git_dir).join(FILE));
    let _ = fs::remove_file(path);
    // Other sockets keep the folder.
    if let Some(folder) = path.parent() {
        let _ = fs::remove_dir(folder);
    }
}

/// Makes a folder that is the user's alone, unless it is there.
fn make(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => is_private(folder),
    }
}

/// Makes sure that a folder, and not a link to one, is the user's and closed to all others.
fn is_private(folder: &Path) -> io::Result<()> {
    let metadata = folder.symlink_metadata()?;
    let is_closed = metadata.mode() & 0o077 == 0;
    match metadata.is_dir() && is_own(&metadata) && is_closed {
        true => Ok(()),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn closed(path: &Path) -> PathBuf {
        make(path).unwrap();
        path.to_path_buf()
    }

    #[test]
    fn a_folder_counts_only_if_it_is_the_users_alone_and_no_link() {
        let world = tempfile::tempdir().unwrap();
        let folder = closed(&world.path().join("own"));
        assert!(make(&folder).is_ok(), "it is there already");
        symlink(&folder, world.path().join("link")).unwrap();
        assert!(make(&world.path().join("link")).is_err());
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(make(&folder).is_err(), "the group may look into it");
        fs::write(world.path().join("file"), "").unwrap();
        assert!(make(&world.path().join("file")).is_err());
    }

    #[test]
    fn what_lies_at_the_recorded_place_must_be_a_socket_in_a_closed_folder() {
        let git_dir = tempfile::tempdir().unwrap();
        fs::create_dir(state_folder(git_dir.path())).unwrap();
        assert!(find(git_dir.path()).is_err(), "nobody said anything");
        let folder = closed(&git_dir.path().join("run"));
        let path = folder.join("a.sock");
        record(git_dir.path(), &path).unwrap();
        assert!(find(git_dir.path()).is_err(), "there is nothing");
        fs::write(&path, "").unwrap();
        assert!(find(git_dir.path()).is_err(), "a file");
        fs::remove_file(&path).unwrap();
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(find(git_dir.path()).unwrap(), path);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(find(git_dir.path()).is_err(), "an open folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        forget(git_dir.path(), &path);
        assert!(find(git_dir.path()).is_err());
    }

    #[test]
    fn the_path_of_the_socket_is_short_however_long_that_of_the_repository_is() {
        let long = PathBuf::from(format!("/{}", "long/".repeat(100)));
        let (one, two) = (choose(&long).unwrap(), choose(&long.join("other")).unwrap());
        assert!(one.as_os_str().len() <= LONGEST);
        assert_ne!(one, two);
        assert!(is_private(one.parent().unwrap()).is_ok());
    }
}
