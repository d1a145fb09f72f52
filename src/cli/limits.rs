//! Limits that were set for the process (`ulimit`): it goes on and says what stands in its way.

use std::fmt;
use std::io;

/// Has a write beyond the largest size that a file may have fail like any other. The system would end the process by a signal
/// instead, half-written files would be left, and git gives a whole merge up when its driver ends like that.
#[cfg(unix)]
pub(super) fn outlive() {
    use std::fs::File;

    use rustix::process::{Resource, getrlimit};
    use tokio::signal::unix::{SignalKind, signal};
    /// The same on all systems that have it.
    const FILE_TOO_LARGE: i32 = 25;
    /// How many files the answering of signals has open at most.
    const ROOM: usize = 8;
    if getrlimit(Resource::Fsize).current.is_none() {
        return;
    }
    // Where few files may be open there is no room for that: it would panic.
    let room: io::Result<Vec<File>> = (0..ROOM).map(|_| File::open("/dev/null")).collect();
    if room.is_err() {
        return;
    }
    drop(room);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    // Whoever is once asked for a signal answers it until the process ends. Where that cannot be had it is as it was.
    if let Ok(runtime) = runtime {
        let _entered = runtime.enter();
        let _ = signal(SignalKind::from_raw(FILE_TOO_LARGE));
    }
}

#[cfg(not(unix))]
pub(super) fn outlive() {}

/// A cause, and what to do about it where it is a limit.
pub(super) struct Cause<'e>(pub(super) &'e (dyn std::error::Error + 'static));

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        // Those numbers are the same on all systems that have `ulimit`.
        let number = self.0.downcast_ref().and_then(io::Error::raw_os_error);
        match number.filter(|_| cfg!(unix)) {
            Some(23 | 24) => write!(f, ": close some, or raise the limit (`ulimit -n`)"),
            Some(27) => write!(f, ": raise the limit (`ulimit -f`)"),
            _ => Ok(()),
        }
    }
}
