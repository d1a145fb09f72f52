//! The versions of a context file that an edit of it is told from, and writing a new one.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::history::oid;
use super::moves::Moves;
use super::program::git;
use super::replace::{Replaced, TakenOut, remove_unchanged, replace_unchanged};
use super::walk::git_path;
use super::{Error, Repo};
use crate::crdt::Stamp;
use crate::overlay::{BlobId, CommitId, DocumentPath};

/// Where stamps come from: the clock of whoever makes the edits.
pub trait Stamps {
    /// New stamps in ascending order. They are stored before they are given out, all at once.
    ///
    /// # Errors
    ///
    /// When there is no clock, or it cannot be moved.
    fn take(
        &mut self,
        count: usize,
    ) -> Result<Vec<Stamp>, Box<dyn std::error::Error + Send + Sync>>;
}

/// The stamp of one edit.
pub(super) fn new_stamp(stamps: &mut dyn Stamps) -> Result<Stamp, Error> {
    let taken = stamps.take(1).map_err(|source| Error::NoStamp { source })?;
    let stamp = taken.into_iter().next();
    stamp.ok_or_else(|| Error::NoStamp {
        source: "the clock gave none".into(),
    })
}

/// The attributes of files that git changes when it writes them.
const CONVERSIONS: [&str; 3] = ["filter", "ident", "working-tree-encoding"];

/// HEAD's version of a file.
#[derive(Clone, Debug)]
pub struct HeadVersion {
    /// As this work tree would hold it.
    pub bytes: Vec<u8>,
    /// As the repository does.
    pub blob: BlobId,
    /// Whether both are the same bytes.
    pub is_plain: bool,
    /// What HEAD calls it, where it was moved since.
    pub former: Option<PathBuf>,
}

/// The files that were moved since HEAD, asked for when one is not where HEAD has it.
#[derive(Debug, Default)]
pub struct Moved(Option<Moves>);

impl Repo {
    /// HEAD's version of a file that holds `bytes`, also where it was moved since; nothing if it is new.
    ///
    /// # Errors
    ///
    /// When HEAD cannot be read.
    pub fn head_version(
        &self,
        path: &Path,
        bytes: &[u8],
        moved: &mut Moved,
    ) -> Result<Option<HeadVersion>, Error> {
        let (blob, former) = match self.blob_in_head(&DocumentPath::new(git_path(path)))? {
            Some(blob) => (blob, None),
            None => {
                let Moved(moves) = moved;
                let moves = match moves {
                    Some(moves) => moves,
                    None => moves.insert(Moves::since_head(self)?),
                };
                let Some(former) = moves.former_path(path) else {
                    return Ok(None);
                };
                match self.blob_in_head(&DocumentPath::new(git_path(former)))? {
                    Some(blob) => (blob, Some(former.to_path_buf())),
                    None => return Ok(None),
                }
            }
        };
        let stored = self.bytes(blob)?;
        let converted = match self.is_converted(path) {
            true => self.converted(path, blob)?,
            false => None,
        };
        let (held, is_plain) = match converted {
            Some(converted) => {
                let held = with_line_ends_of(bytes, converted);
                let is_plain = held == stored;
                (held, is_plain)
            }
            None => {
                let length = stored.len();
                let held = with_line_ends_of(bytes, stored);
                let is_plain = held.len() == length;
                (held, is_plain)
            }
        };
        Ok(Some(HeadVersion {
            bytes: held,
            blob,
            is_plain,
            former,
        }))
    }

    /// What a commit's parent calls a file that it does not have under this name, if the commit moved it.
    ///
    /// # Errors
    ///
    /// When the two cannot be compared.
    pub fn moved_by(
        &self,
        commit: CommitId,
        parent: CommitId,
        path: &Path,
    ) -> Result<Option<PathBuf>, Error> {
        let moves = Moves::between(self, oid(parent), oid(commit))?;
        Ok(moves.former_path(path).map(Path::to_path_buf))
    }

    /// The index's version of a file that holds `bytes`, as this work tree would hold it; nothing where it has none or
    /// several.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn index_version(&self, path: &Path, bytes: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let held = self
            .index_blob(path)?
            .map(|blob| self.bytes_in_tree(path, blob))
            .transpose()?;
        Ok(held.map(|held| with_line_ends_of(bytes, held)))
    }

    /// What the index has of a file: the name of its content.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn index_blob(&self, path: &Path) -> Result<Option<BlobId>, Error> {
        self.blob_in_index(&DocumentPath::new(git_path(path)))
    }

    /// A version of a file as git writes it to a work tree, but for its line ends. Where it goes through a program on its
    /// way, git is asked; what that program refuses is as the repository holds it.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or git not be asked.
    pub fn bytes_in_tree(&self, path: &Path, blob: BlobId) -> Result<Vec<u8>, Error> {
        let converted = match self.is_converted(path) {
            true => self.converted(path, blob)?,
            false => None,
        };
        converted.map_or_else(|| self.bytes(blob), Ok)
    }

    /// What git makes of an object when it writes it to a file; nothing where it, or a program that it asks, refuses.
    fn converted(&self, path: &Path, blob: BlobId) -> Result<Option<Vec<u8>>, Error> {
        let mut of_path = OsString::from("--path=");
        of_path.push(path);
        let name = oid(blob).to_string();
        let arguments: [&OsStr; 4] = [
            "cat-file".as_ref(),
            "--filters".as_ref(),
            &of_path,
            name.as_ref(),
        ];
        let answer = git(self, arguments)?;
        // It may have been committed before the program had anything to do with it.
        Ok((answer.status == Some(0)).then_some(answer.stdout))
    }

    /// Whether git changes more of a file than its line ends when it writes it to the work tree.
    pub(super) fn is_converted(&self, path: &Path) -> bool {
        CONVERSIONS.iter().any(|name| {
            let value = self
                .inner
                .get_attr(path, name, git2::AttrCheckFlags::default());
            value.is_ok_and(|value| value.is_some())
        })
    }

    /// Gives a file of the work tree new content, unless it is no longer what it was read as. Who writes it at the very same
    /// moment has the last word. Who opened it before and writes it later does so into what was there before, which is returned
    /// where the system tells.
    ///
    /// # Errors
    ///
    /// When somebody else wrote it meanwhile, or it cannot be written.
    pub fn replace_unchanged(
        &self,
        path: &Path,
        was: &[u8],
        bytes: &[u8],
    ) -> Result<Option<TakenOut>, Error> {
        let path = self.top().join(path);
        let state = self.git_dir().join("rhema");
        match replace_unchanged(&path, was, bytes, &state) {
            Ok(Replaced::Yes(before)) => Ok(before),
            Ok(Replaced::No) => Err(Error::ChangedMeanwhile { path }),
            Err(source) => Err(Error::Write { path, source }),
        }
    }
}

impl Repo {
    /// Takes a file of the work tree away, unless it is no longer what it was read as.
    ///
    /// # Errors
    ///
    /// When somebody else wrote it meanwhile, or it cannot be removed.
    pub(crate) fn remove_unchanged(&self, path: &Path, was: &[u8]) -> Result<(), Error> {
        let path = self.top().join(path);
        match remove_unchanged(&path, was) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::ChangedMeanwhile { path }),
            Err(source) => Err(Error::Write { path, source }),
        }
    }
}

/// A version of a file as this work tree would hold it, told from the line ends of what it does hold.
pub(super) fn with_line_ends_of(bytes: &[u8], version: Vec<u8>) -> Vec<u8> {
    let converted = memchr::memmem::find(bytes, b"\r\n").is_some() && !version.contains(&b'\r');
    if !converted {
        return version;
    }
    let mut out = Vec::with_capacity(version.len() + version.len() / 20);
    for byte in version {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}
