//! Who shares the files of a folder.

use std::path::Path;

use crate::git::is_shared;

/// Who may use a file at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Processes of this machine, which may share memory, too.
    Processes,
    /// Processes of several machines: a log whose index lies in shared memory would be torn.
    Machines,
}

impl Sharing {
    /// Who may use the files beside `path`, as far as the system tells; its nearest folder need not be there yet.
    pub(super) fn at(path: &Path) -> Self {
        let folder = path.ancestors().skip(1).find(|folder| folder.exists());
        if folder.is_some_and(is_shared) {
            Self::Machines
        } else {
            Self::Processes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_this_machine_is_shared_by_its_processes() {
        let folder = tempfile::tempdir().unwrap();
        let in_it = folder.path().join("rhema/store.sqlite");
        assert_eq!(Sharing::at(&in_it), Sharing::Processes);
    }
}
