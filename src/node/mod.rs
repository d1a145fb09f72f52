//! Who this work tree is: its key, its clock, and the members of the repository.
//!
//! Key and clock live in the folder `rhema` of the git directory of this work tree (a linked work tree has its own: each
//! is a replica of its own); `members.yaml` lives in the work tree and is committed. Depends on `crdt`, `yaml`, `git`, and `exchange` (what is
//! to be calculated there).

mod access;
mod clock;
mod config;
mod error;
mod id;
mod invitation;
mod key;
mod members;
mod ticks;
mod trust;
mod watch;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::git::{self, Repo};
use crate::overlay::{DocumentPath, History};
use crate::surroundings;

pub use access::{Access, Broken, Hours, Pace, Writer};
pub use clock::ClockFile;
pub use config::{Branches, Compaction, Config, Discovery, with_discovery};
pub use error::Error;
pub use id::{NodeId, replica_of};
pub use invitation::{
    InvitationKey, LONGEST_REQUEST, LONGEST_VERDICT, NoTicket, Request, Secret, Ticket, Verdict,
};
pub use key::{NodeKey, crypto, public_key, to_hex};
pub use members::{Member, Members, Role, Until, with_member, with_removed, without_member};
pub use ticks::Ticks;
pub use trust::{Admitted, Ground, Removed, Trusted};
pub use watch::{Watch, address_file, wake, wake_file};

/// A number that nobody else draws.
///
/// # Errors
/// When the system has no randomness.
pub fn random() -> Result<u64, Error> {
    drawn().map(u64::from_be_bytes)
}

/// Bytes that nobody else draws.
fn drawn<const COUNT: usize>() -> Result<[u8; COUNT], Error> {
    let mut bytes = [0; COUNT];
    surroundings::fill(&mut bytes).map_err(|error| Error::NoRandomness(error.to_string()))?;
    Ok(bytes)
}

/// The text of a file as HEAD has it; none where it has none.
fn committed(repo: &Repo, file: &str) -> Result<Option<String>, Error> {
    let path = DocumentPath::new(file);
    let read = || -> Result<Option<Vec<u8>>, git::Error> {
        let blob = repo.blob_in_head(&path)?;
        let history = repo.history_of(&path);
        blob.map(|blob| history.bytes(blob)).transpose()
    };
    let text = read().map_err(Error::Git)?.map(String::from_utf8);
    text.transpose()
        .map_err(|_| Error::malformed(&Path::new("HEAD").join(file), "this is no UTF-8 text"))
}

/// The folder for the state of this work tree, in its git directory.
#[must_use]
pub fn state_folder(git_dir: &Path) -> PathBuf {
    git_dir.join("rhema")
}

/// The node that a work tree is.
#[derive(Debug)]
pub struct Node {
    key: NodeKey,
    folder: PathBuf,
}

impl Node {
    /// The node of the work tree with this git directory; nothing before `init`.
    ///
    /// # Errors
    /// When there is a key that cannot be read.
    pub fn load(git_dir: &Path) -> Result<Option<Self>, Error> {
        let folder = state_folder(git_dir);
        let key = NodeKey::load(&folder)?;
        Ok(key.map(|key| Self { key, folder }))
    }

    /// Makes what is missing of key and clock; says whether anything was.
    ///
    /// # Errors
    /// When something cannot be written, or there is no randomness; what was made is then taken back.
    pub fn create(git_dir: &Path) -> Result<(Self, bool), Error> {
        let folder = state_folder(git_dir);
        let had_folder = folder.is_dir();
        let made = Self::create_in(&folder);
        if made.is_err() && !had_folder {
            // What is left of it says nothing without a key.
            let _ = fs::remove_dir_all(&folder);
        }
        made
    }

    fn create_in(folder: &Path) -> Result<(Self, bool), Error> {
        fs::create_dir_all(folder).map_err(Error::write(folder))?;
        let (key, new_key) = match NodeKey::load(folder)? {
            Some(key) => (key, false),
            None => (NodeKey::create(folder)?, true),
        };
        let new_clock = ClockFile::create(folder, &key)?;
        let node = Self {
            key,
            folder: folder.to_path_buf(),
        };
        Ok((node, new_key || new_clock))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.key.id()
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &NodeKey {
        &self.key
    }

    /// The key that is to take the place of its own, made where there is none yet.
    ///
    /// # Errors
    /// When it cannot be written, or there is no randomness.
    pub fn next_key(&self) -> Result<NodeKey, Error> {
        NodeKey::next(&self.folder)
    }

    /// Puts [`next_key`](Self::next_key) in the place of its own: from then on the work tree is another node.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take_next_key(self) -> Result<(), Error> {
        NodeKey::take_next(&self.folder)
    }

    /// The folder with its state.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens its clock, which nobody else can use until it is dropped.
    ///
    /// # Errors
    /// When the clock cannot be read, or is another node's.
    pub fn clock(&self) -> Result<ClockFile, Error> {
        ClockFile::open(&self.folder, &self.key)
    }
}

/// A file's bytes; nothing where there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read {
            path: path.to_path_buf(),
            source,
        }),
    }
}
