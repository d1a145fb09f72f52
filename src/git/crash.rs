//! Where the tests of crashes and races end the process or hold it up.

use crate::surroundings;

/// Ends the process at once, as a loss of power would, if the environment asks for it at this point: `POINT`, or
/// `POINT:N` when it comes there for the Nth time. Waits there if the environment asks for that, until a file is gone.
#[cfg(debug_assertions)]
pub(crate) fn here(point: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};

    surroundings::reached(point);
    wait(point);
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let Some(at) = std::env::var("RHEMA_CRASH_AT").ok() else {
        return;
    };
    let (name, time) = at.split_once(':').unwrap_or((&at, "1"));
    if name == point {
        let passed = PASSED.fetch_add(1, Ordering::Relaxed) + 1;
        if time.parse() == Ok(passed) {
            std::process::abort();
        }
    }
}

/// Waits where `RHEMA_WAIT_AT` says: makes the file that `RHEMA_WAIT_FILE` names, which tells that it waits, and goes on once
/// that is removed.
#[cfg(debug_assertions)]
fn wait(point: &str) {
    use std::sync::atomic::{AtomicBool, Ordering};

    static WAITED: AtomicBool = AtomicBool::new(false);
    let asked = std::env::var_os("RHEMA_WAIT_AT").is_some_and(|at| at == point);
    if !asked || WAITED.swap(true, Ordering::Relaxed) {
        return;
    }
    let Some(file) = std::env::var_os("RHEMA_WAIT_FILE").map(std::path::PathBuf::from) else {
        return;
    };
    if std::fs::write(&file, "").is_ok() {
        while file.exists() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

#[cfg(not(debug_assertions))]
pub(crate) fn here(point: &str) {
    surroundings::reached(point);
}
