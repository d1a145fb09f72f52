//! The work tree as a replica: what `sync` does, and everything else that edits documents.
//!
//! A round goes over HEAD's log, the commits made here since the last round, and every document that may have changed: a
//! *look* finds what was edited in the file and what git did to it, the edits go into the store, and the file is made to
//! show HEAD and the known edits over it. Everything is in the store before a file is touched, so that a crash between
//! the two is made good by the next look.
//!
//! `round.rs` is the whole of it, `look.rs` a look at one document, `document.rs` what is there of one in git and in the
//! store, `witness.rs` what the log tells, `writing.rs` how edits and files are written, `editing.rs` edits by command,
//! `parking.rs` puts edits out of sight and back, `carrying.rs` takes them over from another branch. Depends on `overlay`,
//! `store`, `git`, `node`, `merge` and `context`, never on `cli`.

mod carrying;
mod document;
mod editing;
mod error;
mod look;
mod parking;
mod round;
mod standing;
mod witness;
mod writing;

use std::fs::{self, File};
use std::path::PathBuf;

pub use editing::Edited;
pub use error::Error;
pub use parking::{Hidden, Parked};
pub use round::{Left, Report};
pub use standing::{HiddenEdit, Overview, Why, overview};

use crate::context::ANNOTATION_KEY;
use crate::crdt::{Clock, Stamp};
use crate::git::Repo;
use crate::node::{ClockFile, Node};
use crate::overlay::CommitId;
use crate::store::{Beginning, Moment, Store};

/// A work tree that records and shows edits; nobody else does in it as long as this one is there.
pub struct Replica<'r> {
    repo: &'r Repo,
    store: Store,
    clock_file: ClockFile,
    clock: Clock,
    now: Moment,
    /// The newest published ancestors of a commit.
    published: Option<(CommitId, Vec<CommitId>)>,
    beginning: Beginning,
    _turn: File,
}

impl<'r> Replica<'r> {
    /// Whether there is anything to record or to show in a work tree: it was set up, or holds a document.
    ///
    /// # Errors
    /// When the work tree cannot be searched.
    pub fn is_wanted(repo: &Repo) -> Result<bool, Error> {
        if Node::load(repo.git_dir())?.is_some() {
            return Ok(true);
        }
        let is_document = |file: &PathBuf| {
            let bytes = fs::read(repo.top().join(file)).unwrap_or_default();
            memchr::memmem::find(&bytes, ANNOTATION_KEY.as_bytes()).is_some()
        };
        Ok(repo.context_files()?.files.iter().any(is_document))
    }

    /// Opens the store and the clock of a work tree, and waits until no other process has them. A clone that nobody set up
    /// is a replica all the same.
    ///
    /// # Errors
    /// [`Error::Store`] where there can be no store: the git directory may be read-only.
    pub fn open(repo: &'r Repo) -> Result<Self, Error> {
        let turn = repo.turn()?;
        let opened = Store::open(repo.git_dir())?;
        let (node, _) = Node::create(repo.git_dir())?;
        let mut clock_file = node.clock()?;
        if opened.is_new() && clock_file.last().is_some() {
            // What was made under the old name and is not in any store could be made again, with another content.
            clock_file.begin_incarnation(node.key())?;
        }
        Ok(Self {
            repo,
            store: opened.store,
            clock: clock_file.clock(),
            clock_file,
            now: Moment::now(),
            published: None,
            beginning: opened.beginning,
            _turn: turn,
        })
    }

    /// Where a damaged store was put aside.
    fn put_aside(&self) -> Option<PathBuf> {
        match &self.beginning {
            Beginning::Anew { put_aside } => Some(put_aside.clone()),
            Beginning::Kept | Beginning::New => None,
        }
    }

    /// A new stamp. It must not be shown to anybody before [`keep_clock`](Self::keep_clock).
    fn tick(&mut self) -> Result<Stamp, Error> {
        let stamp = self.clock.tick(self.now.unix_millis());
        stamp.map_err(|source| Error::Clock { source })
    }

    /// Writes the clock down, if it went on.
    fn keep_clock(&mut self) -> Result<(), Error> {
        Ok(self.clock_file.keep(self.clock)?)
    }
}
