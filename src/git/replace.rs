//! Writing a file so that nobody ever sees half of it.

use std::io::{self, Write};
use std::path::Path;

/// Gives the file at `path` the content `bytes`: all of it or, on an error, none of it.
///
/// The bytes go to a new file beside the old one, which then takes its name; permissions are kept and a symbolic link is
/// followed. What is no regular file (a pipe, `/dev/stdout`) cannot be replaced and is written to as it is.
///
/// # Errors
///
/// Whatever the file system refuses; the old content then stands.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, false)
}

/// As [`replace`], and the new content outlives a loss of power from then on.
///
/// # Errors
///
/// Whatever the file system refuses; the old content then stands.
pub fn replace_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, bytes, true)
}

fn replace_with(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let existing = match path.metadata() {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if existing
        .as_ref()
        .is_some_and(|metadata| !metadata.is_file())
    {
        return io::Write::write_all(
            &mut std::fs::OpenOptions::new().write(true).open(path)?,
            bytes,
        );
    }
    let target = if existing.is_some() {
        path.canonicalize()?
    } else {
        path.to_path_buf()
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rhema-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut fresh = builder.tempfile_in(folder)?;
    fresh.write_all(bytes)?;
    fresh.flush()?;
    if let Some(metadata) = existing {
        fresh.as_file().set_permissions(metadata.permissions())?;
    }
    if durable {
        fresh.as_file().sync_all()?;
    }
    fresh.persist(&target).map_err(|error| error.error)?;
    if durable && cfg!(unix) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_new_file_appears_whole_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        replace(&folder.path().join("new"), b"all of it").unwrap();
        assert_eq!(fs::read(folder.path().join("new")).unwrap(), b"all of it");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_are_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    }
}
