//! The folder that the demo is played in: empty before, gone after a failure.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A folder that goes with this value unless it is kept.
pub(super) struct Folder {
    path: PathBuf,
    /// Whether the folder itself is ours, and not only what is in it.
    made: bool,
    kept: bool,
}

impl Folder {
    /// A new temporary folder, or the given one, which must be new or empty.
    pub(super) fn new(given: Option<&Path>) -> anyhow::Result<Self> {
        let Some(given) = given else {
            let temporary = tempfile::Builder::new()
                .prefix("rhema-demo-")
                .tempdir()
                .context("cannot make a temporary folder: name another one with `--dir DIR`")?;
            return Self::at(temporary.keep(), true);
        };
        match fs::read_dir(given) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    bail!(
                        "{} is not empty: name a new or an empty folder",
                        given.display()
                    );
                }
                Self::at(given.to_path_buf(), false)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(given)
                    .with_context(|| format!("cannot make {}", given.display()))?;
                Self::at(given.to_path_buf(), true)
            }
            Err(error) => {
                Err(error).with_context(|| format!("cannot look into {}", given.display()))
            }
        }
    }

    fn at(path: PathBuf, made: bool) -> anyhow::Result<Self> {
        let mut folder = Self {
            path,
            made,
            kept: false,
        };
        folder.path = folder
            .path
            .canonicalize()
            .with_context(|| format!("cannot find {}", folder.path.display()))?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on the folder stays.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let cleared = if self.made {
            fs::remove_dir_all(&self.path)
        } else {
            clear(&self.path)
        };
        if let Err(error) = cleared {
            tracing::warn!("{} could not be removed: {error}", self.path.display());
        }
    }
}

/// Removes what is in a folder.
fn clear(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
