//! How long to wait before one who could not be reached is called again.

use std::time::Duration;

use super::limits;

/// The waits between calls of one peer: ever longer, each drawn by lot.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    failures: u32,
}

impl Waiting {
    /// Begins anew: something happened by which a call may succeed now.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait before the next call; at most `longest`.
    pub(super) fn next(&mut self, longest: Duration) -> Duration {
        let bound = self.bound(longest);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(lot())
    }

    fn bound(&self, longest: Duration) -> Duration {
        let doubled = 2_u32.checked_pow(self.failures);
        doubled
            .and_then(|factor| limits::FIRST_WAIT.checked_mul(factor))
            .unwrap_or(longest)
            .min(longest)
    }
}

/// A number from 0 to 1; where the system has no randomness, 1.
pub(super) fn lot() -> f64 {
    getrandom::u32().map_or(1.0, |drawn| f64::from(drawn) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let longest = Duration::from_secs(30);
        let mut waiting = Waiting::default();
        let mut bounds = Vec::new();
        for _ in 0..40 {
            let bound = waiting.bound(longest);
            assert!(waiting.next(longest) <= bound);
            bounds.push(bound.as_millis());
        }
        assert_eq!(bounds[..4], [100, 200, 400, 800]);
        assert_eq!(bounds[8..10], [25_600, 30_000]);
        assert_eq!(bounds[39], 30_000);
        waiting.reset();
        assert_eq!(waiting.bound(longest).as_millis(), 100);
    }
}
