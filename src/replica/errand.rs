//! Edits by command that one process asks of another: each is made once, however often it is begun.
//!
//! Whoever asks draws a name for it, and what was done under that name is noted in the transaction that records the edit. So if
//! the answer is lost, or comes too late, whoever asked may do it over: what was done is found, and not done again.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Edited, Error, Replica};
use crate::context::{self, Address, Change};
use crate::crdt::Stamp;
use crate::git::{Within, git_path, native_path};
use crate::node;
use crate::store::{ContentDigest, Writing};

/// How many errands are kept in mind: more than can be asked for at a time.
const KEPT: usize = 64;

/// The name of an errand, drawn by whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrandName(u64, u64);

impl ErrandName {
    /// A name that nobody else draws.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn draw() -> Result<Self, node::Error> {
        Ok(Self(node::random()?, node::random()?))
    }
}

/// An edit that somebody asks for.
#[derive(Clone, Debug)]
pub struct Errand {
    /// Its name.
    pub name: ErrandName,
    /// Where to look for what it is about.
    pub within: Within,
    /// A field that tells the document of a root.
    pub field: Option<String>,
    /// What is to be changed.
    pub change: Change,
}

/// What came of an errand.
#[derive(Clone, Debug)]
pub struct Done {
    /// The document, from the top of the work tree.
    pub file: PathBuf,
    /// What was done in it.
    pub edited: Edited,
}

/// An errand at the moment at which its edit is recorded.
pub(super) struct Underway {
    pub(super) name: ErrandName,
    pub(super) file: PathBuf,
    pub(super) at: Address,
    pub(super) new_name: Option<String>,
}

/// What is kept of an errand that was done.
#[derive(Serialize, Deserialize)]
struct Note {
    name: ErrandName,
    file: Vec<u8>,
    at: String,
    new_name: Option<String>,
    stamps: Vec<String>,
}

impl Replica<'_> {
    /// Does an errand, unless it was done.
    ///
    /// # Errors
    /// As [`Repo::document_of`](crate::git::Repo::document_of) and [`Replica::edit`]; that a file is being written where that goes
    /// on for seconds.
    pub fn perform(mut self, errand: &Errand) -> Result<Done, Error> {
        if let Some(done) = self.done(errand.name)? {
            return Ok(done);
        }
        let file = self.document_of(errand)?;
        let edited = self.edit_under(&file, &errand.change, errand.name)?;
        Ok(Done { file, edited })
    }

    /// What came of an errand that was done before; whoever did it may have ended before the file was written.
    pub(super) fn done(&mut self, name: ErrandName) -> Result<Option<Done>, Error> {
        let notes = notes(self.store.read()?.state(place())?);
        let Some(note) = notes.into_iter().find(|note| note.name == name) else {
            return Ok(None);
        };
        let file = native_path(&note.file);
        self.take_in(&file)?;
        let (_, document) = self.repo.read_document(&file)?;
        let stamps: Vec<Stamp> = note.stamps.iter().flat_map(|text| text.parse()).collect();
        let at = Address::new(&note.at);
        let edited = Edited {
            stamp: context::stamp_at(&document, &at, &stamps),
            at,
            new_name: note.new_name,
            changed: true,
            edits: stamps.len(),
            holds: None,
        };
        Ok(Some(Done { file, edited }))
    }
}

impl Underway {
    /// Notes that it is done by these edits, along with them.
    pub(super) fn note(&self, writing: &Writing<'_>, stamps: &[Stamp]) -> Result<(), Error> {
        let mut notes = notes(writing.state(place())?);
        let newer_than = notes.len().saturating_sub(KEPT - 1);
        notes.drain(..newer_than);
        notes.push(Note {
            name: self.name,
            file: git_path(&self.file).to_vec(),
            at: self.at.typed(),
            new_name: self.new_name.clone(),
            stamps: stamps.iter().map(Stamp::to_string).collect(),
        });
        let bytes = postcard::to_stdvec(&notes).unwrap_or_default();
        Ok(writing.keep_state(place(), &bytes)?)
    }
}

/// Under which name the notes are kept.
fn place() -> ContentDigest {
    ContentDigest::of(b"errands that were done")
}

/// What is kept; of another version's notes nothing.
fn notes(kept: Option<Vec<u8>>) -> Vec<Note> {
    kept.and_then(|bytes| postcard::from_bytes(&bytes).ok())
        .unwrap_or_default()
}
