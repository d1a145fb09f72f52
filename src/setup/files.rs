//! Writing several files so that either all of them are new or all of them as before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use crate::git::{self, replace};

/// A file before and after; `None` is "no such file".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rewrite {
    pub(super) path: PathBuf,
    pub(super) before: Option<Vec<u8>>,
    pub(super) after: Option<Vec<u8>>,
}

/// A symbolic link before and after; `None` is "no such link".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relink {
    pub(super) path: PathBuf,
    pub(super) before: Option<PathBuf>,
    pub(super) after: Option<PathBuf>,
}

/// What was done so far, to be undone if something fails after it.
#[derive(Default)]
pub(super) struct Done {
    files: Vec<Rewrite>,
    links: Vec<Relink>,
    folders: Vec<PathBuf>,
}

impl Done {
    /// Carries one rewrite out, if the file still is what it was.
    pub(super) fn rewrite(&mut self, rewrite: &Rewrite) -> Result<(), Error> {
        let path = &rewrite.path;
        if read(path)? != rewrite.before {
            let path = path.clone();
            return Err(git::Error::ChangedMeanwhile { path }.into());
        }
        if rewrite.after.is_some()
            && let Some(folder) = path.parent()
        {
            self.make_folders(folder)?;
        }
        put(path, rewrite.after.as_deref())?;
        self.files.push(rewrite.clone());
        Ok(())
    }

    /// Carries the change of one link out, if it still leads where it did.
    pub(super) fn relink(&mut self, relink: &Relink) -> Result<(), Error> {
        let path = &relink.path;
        if read_link(path)? != relink.before {
            let path = path.clone();
            return Err(git::Error::ChangedMeanwhile { path }.into());
        }
        if relink.after.is_some()
            && let Some(folder) = path.parent()
        {
            self.make_folders(folder)?;
        }
        link(path, relink.after.as_deref())?;
        self.links.push(relink.clone());
        Ok(())
    }

    fn make_folders(&mut self, folder: &Path) -> Result<(), Error> {
        for folder in missing_folders(folder) {
            fs::create_dir(&folder).map_err(Error::write(&folder))?;
            self.folders.push(folder);
        }
        Ok(())
    }

    /// Puts everything back, as far as that is possible.
    pub(super) fn undo(self) {
        for changed in self.links.into_iter().rev() {
            if let Err(error) = link(&changed.path, changed.before.as_deref()) {
                tracing::error!("{error}");
            }
        }
        for file in self.files.into_iter().rev() {
            if let Err(error) = put(&file.path, file.before.as_deref()) {
                tracing::error!("{error}");
            }
        }
        remove_if_empty(&self.folders);
    }
}

/// The folders that are to be made before there is this one, outermost first.
pub(super) fn missing_folders(folder: &Path) -> Vec<PathBuf> {
    let missing = folder.ancestors().take_while(|folder| !folder.exists());
    let mut missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
    missing.reverse();
    missing
}

/// Removes those of the folders that are empty, innermost first.
pub(super) fn remove_if_empty(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        if let Err(error) = fs::remove_dir(folder) {
            tracing::debug!("{} stays: {error}", folder.display());
        }
    }
}

/// A file's bytes, `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read {
            path: path.to_path_buf(),
            source,
        }),
    }
}

fn put(path: &Path, content: Option<&[u8]>) -> Result<(), Error> {
    match content {
        Some(bytes) => replace(path, bytes),
        None => fs::remove_file(path),
    }
    .map_err(Error::write(path))
}

/// Where a symbolic link leads, `None` where there is nothing.
pub(super) fn read_link(path: &Path) -> Result<Option<PathBuf>, Error> {
    match fs::read_link(path) {
        Ok(target) => Ok(Some(target)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read {
            path: path.to_path_buf(),
            source,
        }),
    }
}

fn link(path: &Path, target: Option<&Path>) -> Result<(), Error> {
    let removed = match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    let made = || target.map_or(Ok(()), |target| make_link(path, target));
    removed.and_then(|()| made()).map_err(Error::write(path))
}

#[cfg(unix)]
fn make_link(path: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn make_link(_path: &Path, _target: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
