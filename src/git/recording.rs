//! Recording local edits: every document that differs from HEAD gets stamps for what differs.

use std::fs;
use std::path::{Path, PathBuf};

use super::documents::marked_places;
use super::walk;
use super::{Error, Repo, replace};
use crate::context::{self, Stamped};
use crate::crdt::{Clock, Replica, Stamp};
use crate::merge;
use crate::yaml::{Document, Limits};

/// Where stamps come from: the clock of whoever makes the edits, which stores each before it gives it out.
pub trait Stamps {
    /// A new stamp.
    ///
    /// # Errors
    ///
    /// When there is no clock, or it cannot be moved.
    fn next(&mut self) -> Result<Stamp, Box<dyn std::error::Error + Send + Sync>>;
}

pub(super) fn new_stamp(stamps: &mut dyn Stamps) -> Result<Stamp, Error> {
    stamps.next().map_err(|source| Error::NoStamp { source })
}

/// What recording did.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The documents that were written, from the top of the work tree.
    pub written: Vec<PathBuf>,
    /// How many leaves were changed and records added since the last time.
    pub edits: usize,
    /// Files that were left alone, and why.
    pub left: Vec<(PathBuf, String)>,
    /// What could not be looked at or written.
    pub problems: Vec<Error>,
}

impl Repo {
    /// Stamps what was edited in the documents of the work tree. Git must be at rest.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read or its clock not be moved; what concerns a single file is told in the result.
    pub fn record(&self, stamps: &mut dyn Stamps) -> Result<Recorded, Error> {
        let found = walk::find(self)?;
        let mut recorded = Recorded {
            problems: found.problems,
            ..Recorded::default()
        };
        // No stamp is taken from the clock before there is an edit: one for all that are found together.
        let mut stamp = None;
        for path in found.files {
            if let Err(error) = self.record_one(&path, &mut stamp, stamps, &mut recorded) {
                recorded.problems.push(error);
            }
        }
        Ok(recorded)
    }

    fn record_one(
        &self,
        path: &Path,
        stamp: &mut Option<Stamp>,
        stamps: &mut dyn Stamps,
        recorded: &mut Recorded,
    ) -> Result<(), Error> {
        let full = self.top().join(path);
        let bytes = fs::read(&full).map_err(|source| Error::Read {
            path: full.clone(),
            source,
        })?;
        let head = self.in_head(path)?;
        if head.as_deref() == Some(bytes.as_slice()) {
            return Ok(());
        }
        let mut leave = |why: String| recorded.left.push((path.to_path_buf(), why));
        if marked_places(&bytes) > 0 {
            leave("it holds git's conflict markers: `rhema crdt resolve` mends it".to_owned());
            return Ok(());
        }
        let work = match Document::read(&bytes, &Limits::default()) {
            Ok(work) => work,
            Err(error) => {
                leave(error.to_string());
                return Ok(());
            }
        };
        // HEAD's file as this work tree would hold it: where git converts line ends, these have other ones.
        let head = head.map(|head| with_line_ends_of(&bytes, head));
        let head = head.and_then(|head| Document::read(&head, &Limits::default()).ok());
        // What a tool wrote anew is the edits that were made through it, not what it made of the file.
        let grafted = head.as_ref().and_then(|head| merge::regraft(head, &work));
        let work = grafted.unwrap_or(work);
        let given = match *stamp {
            Some(stamp) => stamp,
            None => {
                let nobodys = Clock::new(Replica::from_bits(0), None).tick(0);
                let nobodys = nobodys.map_err(|source| Error::Clock { source })?;
                match context::stamp(head.as_ref(), &work, nobodys) {
                    Stamped { text: None, .. } if work.text().as_bytes() == bytes => return Ok(()),
                    Stamped { edits: 0, .. } => nobodys,
                    _ => *stamp.insert(new_stamp(stamps)?),
                }
            }
        };
        let stamped = context::stamp(head.as_ref(), &work, given);
        let text = stamped.text.unwrap_or_else(|| work.into_text());
        if text.as_bytes() != bytes {
            self.replace_unchanged(path, &bytes, text.as_bytes())?;
            recorded.written.push(path.to_path_buf());
        }
        recorded.edits += stamped.edits;
        Ok(())
    }

    /// Gives a file of the work tree new content, unless it is no longer what it was read as.
    ///
    /// # Errors
    ///
    /// When somebody else wrote it meanwhile, or it cannot be written.
    pub fn replace_unchanged(&self, path: &Path, was: &[u8], bytes: &[u8]) -> Result<(), Error> {
        let path = self.top().join(path);
        let now = fs::read(&path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        if now != was {
            return Err(Error::ChangedMeanwhile { path });
        }
        replace(&path, bytes).map_err(|source| Error::Write { path, source })
    }

    /// The bytes of a file in HEAD; nothing if it is not there.
    ///
    /// # Errors
    ///
    /// When HEAD cannot be read.
    pub fn in_head(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        let reading = || Error::libgit2("read HEAD");
        let absent = |error: &git2::Error| {
            matches!(
                error.code(),
                git2::ErrorCode::NotFound | git2::ErrorCode::UnbornBranch
            )
        };
        let tree = match self.inner.head().and_then(|head| head.peel_to_tree()) {
            Ok(tree) => tree,
            Err(error) if absent(&error) => return Ok(None),
            Err(error) => return Err(reading()(error)),
        };
        let entry = match tree.get_path(path) {
            Ok(entry) => entry,
            Err(error) if absent(&error) => return Ok(None),
            Err(error) => return Err(reading()(error)),
        };
        let object = entry.to_object(&self.inner).map_err(reading())?;
        Ok(object.as_blob().map(|blob| blob.content().to_vec()))
    }
}

fn with_line_ends_of(bytes: &[u8], head: Vec<u8>) -> Vec<u8> {
    let converted = bytes.windows(2).any(|pair| pair == b"\r\n") && !head.contains(&b'\r');
    if !converted {
        return head;
    }
    let mut out = Vec::with_capacity(head.len() + head.len() / 20);
    for byte in head {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}
