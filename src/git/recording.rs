//! Recording local edits: every document that differs from HEAD gets stamps for what differs.

use std::fs;
use std::path::{Path, PathBuf};

use super::documents::marked_places;
use super::moves::Moves;
use super::walk;
use super::{Error, Repo, replace};
use crate::context::{self, Stamped};
use crate::crdt::{Clock, Replica, Stamp};
use crate::merge;
use crate::yaml::{Document, Limits};

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
        let mut edited = Vec::new();
        let mut moves = None;
        for path in found.files {
            match self.edited(path, &mut moves, &mut recorded.left) {
                Ok(found) => edited.extend(found),
                Err(error) => recorded.problems.push(error),
            }
        }
        let mut new = NewStamps::for_edits(&edited, stamps)?;
        for file in edited {
            let path = file.path.clone();
            match self.write_stamped(file, &mut new) {
                Ok(Some(edits)) => {
                    recorded.edits += edits;
                    recorded.written.push(path);
                }
                Ok(None) => {}
                Err(error) => recorded.problems.push(error),
            }
        }
        Ok(recorded)
    }

    /// What was edited in a file; nothing if it is to stay as it is.
    fn edited(
        &self,
        path: PathBuf,
        moves: &mut Option<Moves>,
        left: &mut Vec<(PathBuf, String)>,
    ) -> Result<Option<Edited>, Error> {
        let full = self.top().join(&path);
        let bytes = fs::read(&full).map_err(|source| Error::Read {
            path: full.clone(),
            source,
        })?;
        let head = self.in_head_or_moved(&path, moves)?;
        if head.as_deref() == Some(bytes.as_slice()) {
            return Ok(None);
        }
        if marked_places(&bytes) > 0 {
            let why = "it holds git's conflict markers: `rhema crdt resolve` mends it";
            left.push((path, why.to_owned()));
            return Ok(None);
        }
        let work = match Document::read(&bytes, &Limits::default()) {
            Ok(work) => work,
            Err(error) => {
                left.push((path, error.to_string()));
                return Ok(None);
            }
        };
        let head = match head_document(&bytes, head) {
            Ok(head) => head,
            Err(why) => {
                left.push((path, why));
                return Ok(None);
            }
        };
        let edited = Edited::of(path, bytes, head, work)?;
        let is_edited = edited.found.text.is_some() || edited.is_rewritten;
        Ok(is_edited.then_some(edited))
    }

    /// The bytes of a file in HEAD, also where it was moved since; nothing if it is new.
    pub(super) fn in_head_or_moved(
        &self,
        path: &Path,
        moves: &mut Option<Moves>,
    ) -> Result<Option<Vec<u8>>, Error> {
        if let Some(head) = self.in_head(path)? {
            return Ok(Some(head));
        }
        let moves = match moves {
            Some(moves) => moves,
            None => moves.insert(Moves::since_head(self)?),
        };
        match moves.former_path(path) {
            Some(former) => self.in_head(former),
            None => Ok(None),
        }
    }

    /// Writes a file with its stamps. How many edits these are, if anything was written.
    pub(super) fn write_stamped(
        &self,
        file: Edited,
        new: &mut NewStamps,
    ) -> Result<Option<usize>, Error> {
        let mut births = new.births.by_ref().take(file.found.births);
        let stamped = context::stamp(file.head.as_ref(), &file.work, new.leaves, &mut births);
        let text = stamped.text.unwrap_or_else(|| file.work.into_text());
        if text.as_bytes() == file.bytes {
            return Ok(None);
        }
        self.replace_unchanged(&file.path, &file.bytes, text.as_bytes())?;
        Ok(Some(stamped.edits))
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
}

/// A file as it is to be, before it is stamped.
pub(super) struct Edited {
    path: PathBuf,
    /// What the work tree holds.
    bytes: Vec<u8>,
    head: Option<Document>,
    /// What was made of it.
    work: Document,
    /// Whether that is what a tool made of it, put back into the form that it had.
    is_rewritten: bool,
    found: Stamped,
}

impl Edited {
    /// The file at `path`, which holds `bytes` and in HEAD `head`, and is to hold `work`.
    pub(super) fn of(
        path: PathBuf,
        bytes: Vec<u8>,
        head: Option<Document>,
        work: Document,
    ) -> Result<Self, Error> {
        // What a tool wrote anew is the edits that were made through it, not what it made of the file.
        let grafted = head.as_ref().and_then(|head| merge::regraft(head, &work));
        let is_rewritten = grafted.is_some();
        let work = grafted.unwrap_or(work);
        let found = context::stamp(head.as_ref(), &work, nobodys()?, &mut std::iter::empty());
        Ok(Self {
            path,
            bytes,
            head,
            work,
            is_rewritten,
            found,
        })
    }

    /// Whether edits of it are stamped at all.
    pub(super) fn takes_stamps(&self) -> bool {
        context::takes_stamps(self.head.as_ref(), &self.work)
    }
}

/// Stamps for all edits that are made at once: one for the changed leaves, and one for every new record.
pub(super) struct NewStamps {
    leaves: Stamp,
    births: std::vec::IntoIter<Stamp>,
    /// All that were taken from the clock.
    pub(super) taken: Vec<Stamp>,
}

impl NewStamps {
    /// As many as these files need: none is taken from the clock without an edit.
    pub(super) fn for_edits(files: &[Edited], stamps: &mut dyn Stamps) -> Result<Self, Error> {
        let births: usize = files.iter().map(|file| file.found.births).sum();
        let has_leaves = files
            .iter()
            .any(|file| file.found.edits > file.found.births);
        let taken = match births + usize::from(has_leaves) {
            0 => Vec::new(),
            count => stamps
                .take(count)
                .map_err(|source| Error::NoStamp { source })?,
        };
        let mut births = taken.clone().into_iter();
        let leaves = match has_leaves.then(|| births.next()).flatten() {
            Some(stamp) => stamp,
            None => nobodys()?,
        };
        Ok(Self {
            leaves,
            births,
            taken,
        })
    }
}

/// The stamp of nobody, to find out whether there is anything to be stamped.
fn nobodys() -> Result<Stamp, Error> {
    let stamp = Clock::new(Replica::from_bits(0), None).tick(0);
    stamp.map_err(|source| Error::Clock { source })
}

/// HEAD's file as this work tree would hold it, which holds `bytes`: where git converts line ends, these have other ones.
/// Why nothing can be recorded where it is no YAML.
pub(super) fn head_document(
    bytes: &[u8],
    head: Option<Vec<u8>>,
) -> Result<Option<Document>, String> {
    let head = head.map(|head| with_line_ends_of(bytes, head));
    let head = head.map(|head| Document::read(&head, &Limits::default()));
    head.transpose().map_err(|error| {
        format!(
            "HEAD's version cannot be read ({error}), so that nothing tells what was edited: commit this one"
        )
    })
}

/// A version of a file as this work tree would hold it, told from the line ends of what it does hold.
pub(super) fn with_line_ends_of(bytes: &[u8], version: Vec<u8>) -> Vec<u8> {
    let converted = bytes.windows(2).any(|pair| pair == b"\r\n") && !version.contains(&b'\r');
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
