//! Writing a file so that nobody ever sees half of it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use xxhash_rust::xxh3::xxh3_64;

use super::crash;

/// How the names of new files begin and end before they get their own.
const PREFIX: &str = ".rhema-";
const SUFFIX: &str = ".tmp";

/// For how long such a file may be in use.
const LEFT_ALONE: Duration = Duration::from_secs(600);

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
    builder.prefix(PREFIX).suffix(SUFFIX);
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

/// What came of the replacing of a file.
#[derive(Debug)]
pub(super) enum Replaced {
    /// It held something else, and still does.
    No,
    /// It is another one now. What was there before, if that can be told.
    Yes(Option<TakenOut>),
}

/// A file whose place another one took. Whoever had opened it before goes on to write into it, and nobody sees what.
#[derive(Debug)]
pub struct TakenOut {
    file: File,
    held: u64,
    /// Its size, and when it was written, as long as nobody writes it.
    stood: Option<(u64, SystemTime)>,
}

impl TakenOut {
    /// The file at this path, which holds `was`.
    fn at(path: &Path, was: &[u8]) -> Option<Self> {
        let file = File::open(path).ok()?;
        Some(Self {
            stood: stands(&file),
            held: xxh3_64(was),
            file,
        })
    }

    /// When somebody wrote into it since, the last time; nothing where nobody did, or it cannot be told.
    #[must_use]
    pub fn written(&self) -> Option<SystemTime> {
        let stands = stands(&self.file);
        let (_, written) = stands.filter(|_| stands != self.stood)?;
        Some(written)
    }

    /// What it holds now, if that is something else than before.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn changed(&self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let mut file = &self.file;
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok((xxh3_64(&bytes) != self.held).then_some(bytes))
    }
}

/// The size of a file, and when it was written.
fn stands(file: &File) -> Option<(u64, SystemTime)> {
    let metadata = file.metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// Gives the file at `path` the content `bytes` if it holds `was`, and says whether it did. The new content outlives a loss
/// of power as a whole or not at all.
///
/// The new file is made in the folder `aside`, where whoever is stopped halfway leaves it to [`sweep`], if that is on the same
/// disk. Where the system can, the two files change places: so what somebody wrote after the file was compared is still
/// there, and gets its place back.
///
/// # Errors
///
/// Whatever the file system refuses; what was there then stands.
pub(super) fn replace_unchanged(
    path: &Path,
    was: &[u8],
    bytes: &[u8],
    aside: &Path,
) -> io::Result<Replaced> {
    let path = path.canonicalize()?;
    let metadata = path.metadata()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let aside = match same_disk(aside, &metadata) {
        true => aside,
        false => folder,
    };
    let mut fresh = tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .tempfile_in(aside)?;
    fresh.write_all(bytes)?;
    fresh.as_file().set_permissions(metadata.permissions())?;
    fresh.as_file().sync_data()?;
    if !holds(&path, was)? {
        return Ok(Replaced::No);
    }
    crash::here("before-file");
    match exchange(fresh.path(), &path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Replaced::No),
        // One disk may be mounted twice, and no file goes from the one to the other.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices && aside != folder => {
            return replace_unchanged(&path, was, bytes, folder);
        }
        Err(_) => {
            let before = TakenOut::at(&path, was);
            fresh.persist(&path).map_err(|error| error.error)?;
            crash::here("in-file");
            return Ok(Replaced::Yes(before));
        }
    }
    crash::here("in-file");
    let mut taken_out = held(fresh.path());
    if taken_out.as_deref() == Some(was) {
        return Ok(Replaced::Yes(TakenOut::at(fresh.path(), was)));
    }
    // It goes back, until what comes out is what went in: whoever wrote last stays.
    let mut put_in = Some(bytes.to_vec());
    loop {
        exchange(fresh.path(), &path)?;
        let last = held(fresh.path());
        if last == put_in || taken_out.is_none() {
            return Ok(Replaced::No);
        }
        put_in = std::mem::replace(&mut taken_out, last);
    }
}

/// What a file holds; nothing where there is something else or nothing. Whoever opens a pipe waits for somebody to write into it.
pub(crate) fn held(path: &Path) -> Option<Vec<u8>> {
    let metadata = path.symlink_metadata().ok()?;
    let bytes = metadata.is_file().then(|| fs::read(path));
    bytes?.ok()
}

/// Whether a file is there and holds just this. That it cannot be told is no answer.
fn holds(path: &Path, was: &[u8]) -> io::Result<bool> {
    let read = path
        .symlink_metadata()
        .and_then(|metadata| match metadata.is_file() {
            true => fs::read(path).map(Some),
            false => Ok(None),
        });
    match read {
        Ok(bytes) => Ok(bytes.as_deref() == Some(was)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes a file away, if it holds what it was read as; says whether. Nobody who writes it at the same moment loses anything:
/// it is taken out of sight first, and looked at then.
pub(super) fn remove_unchanged(path: &Path, was: &[u8]) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    let aside = builder.prefix(PREFIX).suffix(SUFFIX).tempdir_in(folder)?;
    let taken = aside.path().join("file");
    fs::rename(path, &taken)?;
    if fs::read(&taken)? == was {
        return Ok(true);
    }
    // Where a new file has its place by now, that one stands; what was taken is an older state of it.
    match fs::hard_link(&taken, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&taken, path)?,
        _ => {}
    }
    Ok(false)
}

/// Removes what processes that were stopped left in a folder for [`replace_unchanged`] a while ago.
pub(crate) fn sweep(aside: &Path) -> io::Result<()> {
    for entry in fs::read_dir(aside)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age > LEFT_ALONE {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// Has two files change places, whatever happens meanwhile.
#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn same_disk(folder: &Path, file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(folder).is_ok_and(|folder| folder.dev() == file.dev())
}

#[cfg(not(unix))]
fn same_disk(_folder: &Path, _file: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn only_what_was_read_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let aside = folder.path().join("aside");
        fs::create_dir(&aside).unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "read").unwrap();
        let is_replaced = |was: &[u8], bytes: &[u8], aside: &Path| {
            let replaced = replace_unchanged(&path, was, bytes, aside).unwrap();
            matches!(replaced, Replaced::Yes(_))
        };
        assert!(is_replaced(b"read", b"new", &aside));
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(!is_replaced(b"read", b"newer", &aside));
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(&aside).unwrap().count(), 0);
        assert!(is_replaced(b"new", b"newest", &folder.path().join("none")));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_into_a_file_that_was_replaced_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "read").unwrap();
        let mut opened = File::options().write(true).open(&path).unwrap();
        let replaced = replace_unchanged(&path, b"read", b"new", folder.path()).unwrap();
        let Replaced::Yes(Some(before)) = replaced else {
            panic!("{replaced:?}");
        };
        assert_eq!(before.written(), None);
        assert_eq!(before.changed().unwrap(), None);
        opened.write_all(b"later").unwrap();
        let written = opened.metadata().unwrap().modified().unwrap();
        assert_eq!(before.written(), Some(written));
        assert_eq!(before.changed().unwrap(), Some(b"later".to_vec()));
        assert_eq!(fs::read(&path).unwrap(), b"new");
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
