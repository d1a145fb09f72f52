//! Where the tests of crashes end the process.

/// Ends the process at once, as a loss of power would, if the environment asks for it at this point: `POINT`, or
/// `POINT:N` when it comes there for the Nth time.
#[cfg(debug_assertions)]
pub(crate) fn here(point: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};

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

#[cfg(not(debug_assertions))]
pub(crate) fn here(_: &str) {}
