//! Whether a file of the work tree is whole, or somebody is just writing it.

use std::time::{Duration, SystemTime};

/// How long a file must not have been written to be taken for whole where nobody saw its writer finish. The times of files
/// follow the clock in steps of up to four milliseconds.
const SETTLING: Duration = Duration::from_millis(15);

/// What is known of the last time that a file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    /// Whoever wrote it was done.
    Done,
    /// Somebody is at it: what it holds may be half of a file, and they would lose what they write if it were replaced.
    Underway,
    /// Nobody saw it.
    Unseen,
}

/// For how long a file that was written then may still be about to be written on. Nothing where that was long ago, or the time is
/// somebody else's.
pub(crate) fn unsettled_for(written: SystemTime, now: SystemTime) -> Option<Duration> {
    let since = now.duration_since(written).ok()?;
    SETTLING.checked_sub(since).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_settles_once_its_time_is_past() {
        let written = SystemTime::now();
        let left = |after: u64| unsettled_for(written, written + Duration::from_millis(after));
        assert_eq!(left(0), Some(SETTLING));
        assert_eq!(left(5), Some(Duration::from_millis(10)));
        assert_eq!(left(15), None);
        assert_eq!(left(60_000), None);
        let before = written - Duration::from_secs(60);
        assert_eq!(unsettled_for(written, before), None);
    }
}
