//! Which file systems several machines share.

use std::path::Path;

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

/// Whether other machines may use the files of a folder, too, as far as the system tells.
#[cfg(target_os = "linux")]
pub(crate) fn is_shared(folder: &Path) -> bool {
    let found = rustix::fs::statfs(folder);
    // The numbers have 32 bits; the field is wider or signed on some machines.
    found.is_ok_and(|found| NETWORK.contains(&(found.f_type as u32)))
}

/// Whether other machines may use the files of a folder, too: here nobody tells.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_shared(_folder: &Path) -> bool {
    false
}
