//! Notices that the host slept: its peers have given up on it meanwhile, and its sockets may be of no use.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use super::limits;

/// Waits for the next look around; for how long the host slept meanwhile, or this process did not run, if it did.
pub(super) async fn look() -> Option<Duration> {
    // Whether the steady clock goes on in sleep depends on the system; the other one always does.
    let (steady, calendar) = (Instant::now(), SystemTime::now());
    sleep(limits::VIGIL).await;
    let passed = SystemTime::now().duration_since(calendar);
    let passed = passed.unwrap_or_default().max(steady.elapsed());
    let late = passed.saturating_sub(limits::VIGIL);
    (late >= limits::SLEPT).then_some(late)
}
