//! Work trees of one repository on one host: each leaves its address in its git directory, the others look there.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::node::{address_file, state_folder};

/// An address is far shorter; another file may be anything.
const LONGEST: u64 = 128;

/// Leaves the address at which the work tree with this git directory listens.
///
/// # Errors
/// When the file cannot be written.
pub fn leave_address(git_dir: &Path, listening: SocketAddr) -> io::Result<()> {
    let mut fresh = tempfile::NamedTempFile::new_in(state_folder(git_dir))?;
    writeln!(fresh, "{}", from_this_host(listening))?;
    fresh.persist(address_file(git_dir))?;
    Ok(())
}

/// Takes it away again, if it is still this one: a work tree that was started anew has left another.
pub fn take_address(git_dir: &Path, listening: SocketAddr) {
    if address_left(git_dir) == Some(from_this_host(listening)) {
        let _ = fs::remove_file(address_file(git_dir));
    }
}

/// Where the work tree with this git directory listens, if it said so.
#[must_use]
pub fn address_left(git_dir: &Path) -> Option<SocketAddr> {
    let path = address_file(git_dir);
    let short = fs::metadata(&path).ok()?.len() <= LONGEST;
    let text = short.then(|| fs::read_to_string(&path).ok())??;
    text.trim_end().parse().ok()
}

/// Where on this host to call one who listens there.
fn from_this_host(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        // A socket for both families hears this too.
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) | IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        }
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_left_read_and_taken_by_whom_it_belongs_to() {
        let git_dir = tempfile::tempdir().unwrap();
        fs::create_dir(state_folder(git_dir.path())).unwrap();
        assert_eq!(address_left(git_dir.path()), None);
        let (mine, another): (SocketAddr, SocketAddr) =
            ("[::]:4711".parse().unwrap(), "192.0.2.1:1".parse().unwrap());
        leave_address(git_dir.path(), mine).unwrap();
        assert_eq!(
            address_left(git_dir.path()),
            Some("127.0.0.1:4711".parse().unwrap())
        );
        take_address(git_dir.path(), another);
        assert!(address_left(git_dir.path()).is_some());
        take_address(git_dir.path(), mine);
        assert_eq!(address_left(git_dir.path()), None);
    }

    #[test]
    fn what_is_no_address_is_none() {
        let git_dir = tempfile::tempdir().unwrap();
        fs::create_dir(state_folder(git_dir.path())).unwrap();
        for text in ["", "localhost", "127.0.0.1", &"1".repeat(4096)] {
            fs::write(address_file(git_dir.path()), text).unwrap();
            assert_eq!(address_left(git_dir.path()), None);
        }
    }
}
