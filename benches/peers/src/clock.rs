//! Time that this process had a processor. Every engine works on one thread, and the machine may be shared: wall time would
//! measure the neighbours.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment.
pub struct Cpu(Duration);

impl Cpu {
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        Self(Duration::new(now.tv_sec as u64, now.tv_nsec as u32))
    }

    pub fn elapsed(&self) -> Duration {
        Self::now().0 - self.0
    }
}
