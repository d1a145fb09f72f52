//! Notices that the host slept: its peers have given up on it meanwhile, and its sockets may be of no use.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use super::limits;

/// Returns when the host slept, or this process did not run, for about that long.
pub(super) async fn slept() -> Duration {
    loop {
        // Whether the steady clock goes on in sleep depends on the system; the other one always does.
        let (steady, calendar) = (Instant::now(), SystemTime::now());
        sleep(limits::VIGIL).await;
        let passed = SystemTime::now().duration_since(calendar);
        let passed = passed.unwrap_or_default().max(steady.elapsed());
        let late = passed.saturating_sub(limits::VIGIL);
        if late >= limits::SLEPT {
            return late;
        }
    }
}
