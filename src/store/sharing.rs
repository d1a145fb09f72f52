//! Who shares the files of a folder.

use std::path::Path;

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
        if folder.is_some_and(is_network) {
            Self::Machines
        } else {
            Self::Processes
        }
    }
}

/// The numbers by which Linux knows file systems that other machines may share, or of which nobody knows that they may not
/// (`statfs(2)`): NFS, SMB in three kinds, AFS, Ceph, Coda, Lustre, GPFS, BeeGFS, GFS2, OCFS2, 9P, FUSE, and the shared folders of
/// virtual machines.
#[cfg(target_os = "linux")]
const NETWORK: [u32; 16] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x5346_414f,
    0x00c3_6400,
    0x7375_7245,
    0x0bd0_0bd0,
    0x4750_4653,
    0x1983_0326,
    0x0116_1970,
    0x7461_636f,
    0x0102_1997,
    0x6573_5546,
    0x786f_4256,
    0xbacb_acbc,
];

#[cfg(target_os = "linux")]
fn is_network(folder: &Path) -> bool {
    let found = rustix::fs::statfs(folder);
    // The numbers have 32 bits; the field is wider or signed on some machines.
    found.is_ok_and(|found| NETWORK.contains(&(found.f_type as u32)))
}

/// Where nobody tells, it shows in a log that cannot be opened.
#[cfg(not(target_os = "linux"))]
fn is_network(_folder: &Path) -> bool {
    false
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
