//! Who did not keep to the protocol, and is shut out for a while.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::identity::PublicKey;
use super::limits;

/// What peers did wrong lately. Only those who are admitted stand here, so they are few.
#[derive(Debug, Default)]
pub(super) struct Conduct(BTreeMap<PublicKey, Record>);

#[derive(Clone, Copy, Debug)]
struct Record {
    faults: u32,
    last: Instant,
}

impl Conduct {
    /// This peer did not keep to the protocol; whether that shuts it out.
    pub(super) fn fault(&mut self, peer: &PublicKey, now: Instant) -> bool {
        self.0
            .retain(|_, record| now < record.last + limits::QUARANTINE);
        let record = self.0.entry(*peer).or_insert(Record {
            faults: 0,
            last: now,
        });
        record.faults += 1;
        record.last = now;
        record.faults == limits::FAULTS
    }

    /// Whether this peer is shut out.
    pub(super) fn shuts_out(&self, peer: &PublicKey, now: Instant) -> bool {
        self.0.get(peer).is_some_and(|record| {
            record.faults >= limits::FAULTS && now < record.last + limits::QUARANTINE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn three_faults_shut_a_peer_out_for_a_while() {
        let (bad, good) = ([1; 32], [2; 32]);
        let mut conduct = Conduct::default();
        let now = Instant::now();
        assert!(!conduct.fault(&bad, now) && !conduct.fault(&bad, now));
        assert!(!conduct.shuts_out(&bad, now));
        assert!(conduct.fault(&bad, now));
        assert!(conduct.shuts_out(&bad, now) && !conduct.shuts_out(&good, now));
        let later = now + limits::QUARANTINE;
        assert!(!conduct.shuts_out(&bad, later));
        assert!(!conduct.fault(&bad, later), "and it begins anew");
        assert!(!conduct.shuts_out(&bad, later));
    }
}
