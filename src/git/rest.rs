//! Whether git is at rest: nothing is written to the work tree while it is in the middle of something.

use git2::RepositoryState;

use super::Repo;

impl Repo {
    /// What git is in the middle of; nothing while it is at rest.
    #[must_use]
    pub fn under_way(&self) -> Option<&'static str> {
        match self.inner.state() {
            RepositoryState::Clean => {}
            RepositoryState::Merge => return Some("a merge"),
            RepositoryState::Revert | RepositoryState::RevertSequence => return Some("a revert"),
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => {
                return Some("a cherry-pick");
            }
            RepositoryState::Bisect => return Some("a bisection"),
            RepositoryState::Rebase
            | RepositoryState::RebaseInteractive
            | RepositoryState::RebaseMerge => return Some("a rebase"),
            RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => {
                return Some("`git am`");
            }
        }
        let locked = self.git_dir().join("index.lock").exists();
        locked.then_some("another command (`index.lock` is there)")
    }
}
