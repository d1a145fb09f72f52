//! Whether git is at rest: nothing is written to the work tree while it is in the middle of something.

use git2::RepositoryState;

use super::Repo;

impl Repo {
    /// What git is in the middle of; nothing while it is at rest.
    #[must_use]
    pub fn under_way(&self) -> Option<&'static str> {
        let locked = || self.git_dir().join("index.lock").exists();
        let what = self.operation_under_way();
        what.or_else(|| locked().then_some("another command (`index.lock` is there)"))
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
