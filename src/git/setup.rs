//! Setting up the merge driver in a clone, and taking it back.
//!
//! Both are planned first and carried out after, so that a dry run shows exactly what would happen, and a second run
//! finds nothing to do.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::attributes::{self, Without};
use super::config;
use super::driver::Driver;
use super::{Error, Repo, replace};

/// One thing that a plan changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Lines come into the `.gitattributes` at the top of the work tree.
    AddLines {
        /// The file.
        path: PathBuf,
        /// The lines.
        lines: Vec<String>,
    },
    /// Lines go from it.
    RemoveLines {
        /// The file.
        path: PathBuf,
        /// Whether nothing is left and the file goes too.
        file_too: bool,
    },
    /// A key of the clone's configuration gets a value.
    SetConfig {
        /// The configuration file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// A key goes from it.
    UnsetConfig {
        /// The configuration file.
        path: PathBuf,
        /// The key.
        key: &'static str,
    },
}

/// What is to be done, as it was found when the plan was made.
pub struct Plan {
    changes: Vec<Change>,
    attributes: Option<Attributes>,
    shared_with: Vec<PathBuf>,
}

/// The `.gitattributes` before and after; `None` is "no such file".
struct Attributes {
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

impl Plan {
    /// What is missing for `driver` to merge the context files of this work tree.
    ///
    /// # Errors
    ///
    /// When `.gitattributes` or the configuration cannot be read.
    pub fn init(repo: &Repo, driver: &Driver) -> Result<Self, Error> {
        let path = attributes_path(repo);
        let before = read_attributes(&path)?;
        let mut changes = Vec::new();
        let after = attributes::with_lines(before.as_deref());
        if after.is_some() {
            let lines = attributes::missing(before.as_deref().unwrap_or_default());
            changes.push(Change::AddLines {
                path,
                lines: lines.into_iter().map(str::to_owned).collect(),
            });
        }
        let have = config::driver_entries(repo)?;
        for (key, value) in [
            (config::NAME, Driver::TITLE),
            (config::COMMAND, driver.command()),
        ] {
            let mut values = have
                .iter()
                .filter(|entry| entry.key == key)
                .map(|entry| entry.value.as_str());
            if values.next() != Some(value) || values.next().is_some() {
                changes.push(Change::SetConfig {
                    path: config::path(repo),
                    key,
                    value: value.to_owned(),
                });
            }
        }
        let attributes = after.map(|after| Attributes {
            before,
            after: Some(after),
        });
        Ok(Self {
            changes,
            attributes,
            shared_with: Vec::new(),
        })
    }

    /// What `init` made in this work tree and clone. The configuration belongs to all work trees of the clone and stays
    /// while another one uses it. The attributes stay if `keeps_attributes` says so.
    ///
    /// # Errors
    ///
    /// When `.gitattributes` or the configuration cannot be read.
    pub fn uninit(repo: &Repo, keeps_attributes: bool) -> Result<Self, Error> {
        let path = attributes_path(repo);
        let before = read_attributes(&path)?;
        let mut changes = Vec::new();
        let after = match attributes::without_lines(before.as_deref().unwrap_or_default()) {
            _ if keeps_attributes => None,
            Without::Unchanged => None,
            Without::File(rest) => Some(Some(rest)),
            Without::Nothing => Some(None),
        };
        if let Some(after) = &after {
            changes.push(Change::RemoveLines {
                path,
                file_too: after.is_none(),
            });
        }
        let entries = config::driver_entries(repo)?;
        let mut shared_with = Vec::new();
        if !entries.is_empty() {
            shared_with = repo.other_work_trees()?;
            shared_with.retain(|top| uses_the_driver(top));
        }
        if shared_with.is_empty() {
            for key in [config::NAME, config::COMMAND] {
                if entries.iter().any(|entry| entry.key == key) {
                    changes.push(Change::UnsetConfig {
                        path: config::path(repo),
                        key,
                    });
                }
            }
        }
        let attributes = after.map(|after| Attributes { before, after });
        Ok(Self {
            changes,
            attributes,
            shared_with,
        })
    }

    /// What would change; empty when all is as it should be.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The other work trees for whose sake the configuration stays.
    #[must_use]
    pub fn shared_with(&self) -> &[PathBuf] {
        &self.shared_with
    }

    /// Carries the plan out.
    ///
    /// # Errors
    ///
    /// When a file cannot be written; `.gitattributes` is then as before.
    pub fn carry_out(&self, repo: &Repo) -> Result<(), Error> {
        let path = attributes_path(repo);
        if let Some(Attributes { before, after }) = &self.attributes {
            if read_attributes(&path)? != *before {
                return Err(Error::ChangedMeanwhile { path });
            }
            put(&path, after.as_deref())?;
        }
        let configured = config::apply(repo, &self.changes);
        if configured.is_err()
            && let Some(Attributes { before, after }) = &self.attributes
            && read_attributes(&path)? == *after
        {
            put(&path, before.as_deref())?;
        }
        configured
    }
}

fn attributes_path(repo: &Repo) -> PathBuf {
    repo.top().join(".gitattributes")
}

/// The bytes of `.gitattributes`, `None` where there is none.
fn read_attributes(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let kind = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => None,
        Ok(metadata) if metadata.is_symlink() => Some("a symbolic link"),
        Ok(metadata) if metadata.is_dir() => Some("a folder"),
        Ok(_) => Some("something special"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Read {
                path: path.to_path_buf(),
                source,
            });
        }
    };
    if let Some(kind) = kind {
        return Err(Error::NotAFile {
            path: path.to_path_buf(),
            kind,
        });
    }
    let bytes = fs::read(path).map_err(|source| Error::Read {
        path: path.to_path_buf(),
        source,
    })?;
    Ok(Some(bytes))
}

fn put(path: &Path, content: Option<&[u8]>) -> Result<(), Error> {
    let done = match content {
        Some(bytes) => replace(path, bytes),
        None => fs::remove_file(path),
    };
    done.map_err(|source| Error::Write {
        path: path.to_path_buf(),
        source,
    })
}

/// Whether the work tree at `top` was initialised: its `.gitattributes` has one of the lines.
fn uses_the_driver(top: &Path) -> bool {
    fs::read(top.join(".gitattributes"))
        .is_ok_and(|file| attributes::missing(&file).len() < attributes::LINES.len())
}
