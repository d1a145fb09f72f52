//! The driver's section in the configuration of the clone, written by git itself.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::program::git;
use super::{Change, Error, Repo};

/// The key under which git keeps what the driver is called.
pub(super) const NAME: &str = "merge.rhema-crdt.name";

/// The key under which git keeps the command to run.
pub(super) const COMMAND: &str = "merge.rhema-crdt.driver";

const SECTION: &str = "merge.rhema-crdt";

/// One line of the section.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
}

/// The configuration file that all work trees of the clone share.
pub(super) fn path(repo: &Repo) -> PathBuf {
    let path: PathBuf = repo.inner.commondir().components().collect();
    path.join("config")
}

/// What this clone's own configuration says about the driver.
pub(super) fn driver_entries(repo: &Repo) -> Result<Vec<Entry>, Error> {
    let answer = git(
        repo,
        [
            "config",
            "--local",
            "-z",
            "--get-regexp",
            r"^merge\.rhema-crdt\.",
        ],
    )?
    .if_any()?;
    let entries = answer.unwrap_or_default();
    let entries = entries
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let entry = String::from_utf8_lossy(entry);
            let (key, value) = entry.split_once('\n').unwrap_or((&entry, ""));
            Entry {
                key: key.to_owned(),
                value: value.to_owned(),
            }
        });
    Ok(entries.collect())
}

/// Makes those of the changes that are about the configuration.
///
/// Git ends a file that it appends to with a newline. A file that had none gets its old ending back, so that removing
/// the section gives back every byte.
pub(super) fn apply(repo: &Repo, changes: &[Change]) -> Result<(), Error> {
    let mut touched = false;
    let before = read(&path(repo))?;
    for change in changes {
        match change {
            Change::SetConfig { key, value, .. } => {
                git(repo, ["config", "--local", "--replace-all", key, value])?.success()?;
            }
            Change::UnsetConfig { key, .. } => {
                git(repo, ["config", "--local", "--unset-all", key])?.success()?;
            }
            Change::AddLines { .. } | Change::RemoveLines { .. } => continue,
        }
        touched = true;
    }
    if touched {
        remove_empty_section(repo)?;
        if !before.is_empty() && !before.ends_with(b"\n") {
            drop_final_newline(&path(repo))?;
        }
    }
    Ok(())
}

/// Git leaves the header of an emptied section where a comment stands above it, lest the comment be about the section.
/// It is not: the header was appended below whatever there was. A section with anything else in it stays.
fn remove_empty_section(repo: &Repo) -> Result<(), Error> {
    let file = read(&path(repo))?;
    let mut lines = file
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    let header = br#"[merge "rhema-crdt"]"#;
    let found = lines.by_ref().any(|line| line == header);
    let next = lines.next();
    if found && next.is_none_or(|line| line.starts_with(b"[")) {
        git(repo, ["config", "--local", "--remove-section", SECTION])?.success()?;
    }
    Ok(())
}

/// Takes the newline off the end of a configuration file, under git's own lock.
fn drop_final_newline(path: &Path) -> Result<(), Error> {
    let path = path.canonicalize().map_err(|source| Error::Read {
        path: path.to_path_buf(),
        source,
    })?;
    let rewrite = || -> io::Result<()> {
        let lock = path.with_extension("lock");
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&lock)?;
        let written = fs::read(&path).and_then(|bytes| {
            file.set_permissions(path.metadata()?.permissions())?;
            file.write_all(bytes.strip_suffix(b"\n").unwrap_or(&bytes))?;
            fs::rename(&lock, &path)
        });
        if written.is_err() {
            fs::remove_file(&lock)?;
        }
        written
    };
    rewrite().map_err(|source| Error::Write {
        path: path.clone(),
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|source| Error::Read {
            path: path.to_path_buf(),
            source,
        }),
    }
}
