//! Whether git is at rest: nothing is written to the work tree while it is in the middle of something.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use git2::RepositoryState;

use super::{Error, Repo};

/// How long after git wrote its index HEAD may still be about to move.
const SETTLING: Duration = Duration::from_millis(100);

/// How git's index and its log of HEAD stand while no command runs. Every command that writes files locks the index first and
/// replaces it afterwards, so that none wrote any between two moments at which this is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stillness {
    index: Option<Trace>,
    log: Option<Trace>,
}

impl Stillness {
    /// For how long HEAD may still be about to follow what was written into the index: commands that do both write the index
    /// first. Nothing where it did already, or long ago.
    #[must_use]
    pub fn unsettled_for(&self, now: SystemTime) -> Option<Duration> {
        let written = self.index?.modified;
        if self.log.is_some_and(|log| log.modified >= written) {
            return None;
        }
        // A time to come is somebody else's clock: nothing can be told.
        let since = now.duration_since(written).ok()?;
        SETTLING.checked_sub(since).filter(|left| !left.is_zero())
    }
}

/// What tells one version of a file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Trace {
    modified: SystemTime,
    size: u64,
    inode: Option<u64>,
}

impl Trace {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = Some(std::os::unix::fs::MetadataExt::ino(&metadata));
        #[cfg(not(unix))]
        let inode = None;
        Some(Self {
            modified: metadata.modified().ok()?,
            size: metadata.len(),
            inode,
        })
    }
}

impl Repo {
    /// What git is in the middle of; nothing while it is at rest.
    #[must_use]
    pub fn under_way(&self) -> Option<&'static str> {
        let locked = || self.git_dir().join("index.lock").exists();
        let what = self.operation_under_way();
        what.or_else(|| locked().then_some("another command (`index.lock` is there)"))
    }

    /// How git stands, if it is at rest.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] where it is not.
    pub fn stillness(&self) -> Result<Stillness, Error> {
        let still = Stillness {
            index: Trace::of(&self.git_dir().join("index")),
            log: Trace::of(&self.git_dir().join("logs").join("HEAD")),
        };
        match self.under_way() {
            Some(what) => Err(Error::Busy { what }),
            None => Ok(still),
        }
    }

    /// As [`under_way`](Self::under_way), without the moments in which a command has the index locked.
    #[must_use]
    pub fn operation_under_way(&self) -> Option<&'static str> {
        match self.inner.state() {
            RepositoryState::Clean => None,
            RepositoryState::Merge => Some("a merge"),
            RepositoryState::Revert | RepositoryState::RevertSequence => Some("a revert"),
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => {
                Some("a cherry-pick")
            }
            RepositoryState::Bisect => Some("a bisection"),
            RepositoryState::Rebase
            | RepositoryState::RebaseInteractive
            | RepositoryState::RebaseMerge => Some("a rebase"),
            RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => {
                Some("`git am`")
            }
        }
    }
}
