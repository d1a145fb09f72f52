//! Taking calls: how many at a time, and from whom not.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::{Connection, Endpoint, Incoming};
use tokio::time::{Instant, timeout};

use super::ending::Ending;
use super::hub::Inner;
use super::identity::Purpose;
use super::line::Line;
use super::{endpoint, identity, joining, limits, quic};

/// Who is calling just now, and who was refused before.
#[derive(Debug, Default)]
pub(super) struct Callers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    handshakes: usize,
    strangers: usize,
    refused: BTreeMap<IpAddr, Refused>,
}

/// One address from which strangers call.
#[derive(Clone, Copy, Debug)]
struct Refused {
    times: u32,
    until: Instant,
}

/// What to do with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Nothing: it costs least, and tells least.
    Ignore,
    /// Have the caller prove that it receives what is sent to its address.
    Prove,
    /// Take it.
    Take,
}

impl Callers {
    /// Whoever was refused may call again.
    pub(super) fn forgive(&self) {
        self.state().refused.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do with a call from this address; a call that is taken counts until it is [`Self::over`].
    fn answer(&self, from: IpAddr, proved: bool, now: Instant) -> Answer {
        let mut state = self.state();
        let refused = state.refused.get(&from);
        if refused.is_some_and(|refused| now < refused.until)
            || state.handshakes >= limits::HANDSHAKES
        {
            Answer::Ignore
        } else if state.handshakes >= limits::UNPROVED && !proved {
            Answer::Prove
        } else {
            state.handshakes += 1;
            Answer::Take
        }
    }

    /// A call that was taken has come to something or nothing.
    fn over(&self) {
        self.state().handshakes -= 1;
    }

    /// Whether a stranger may say with what it was invited; it counts until that is [`Self::told`].
    pub(super) fn hears(&self) -> bool {
        let mut state = self.state();
        let has_room = state.strangers < limits::STRANGERS;
        state.strangers += usize::from(has_room);
        has_room
    }

    /// A stranger has said what it had to say.
    pub(super) fn told(&self) {
        self.state().strangers -= 1;
    }

    /// Somebody at this address was let in.
    pub(super) fn admitted(&self, from: IpAddr) {
        self.state().refused.remove(&from);
    }

    /// Somebody at this address has a key that nobody here knows: after a few times, calls from there go unanswered for
    /// a while, twice as long each time.
    pub(super) fn refused(&self, from: IpAddr, now: Instant) {
        let mut state = self.state();
        if state.refused.len() >= limits::REFUSED {
            state.refused.retain(|_, refused| now < refused.until);
            if state.refused.len() >= limits::REFUSED {
                state.refused.clear();
            }
        }
        let entry = state.refused.entry(from).or_insert(Refused {
            times: 0,
            until: now,
        });
        entry.times = entry.times.saturating_add(1);
        entry.until = now + penalty(entry.times);
    }
}

/// How long calls from an address go unanswered after that many refusals.
fn penalty(times: u32) -> Duration {
    let beyond = times.checked_sub(limits::REFUSALS_FREE + 1);
    let doubled = beyond.map(|beyond| 2_u32.saturating_pow(beyond));
    doubled.map_or(Duration::ZERO, |factor| {
        limits::FIRST_PENALTY
            .saturating_mul(factor)
            .min(limits::LONGEST_PENALTY)
    })
}

/// Takes calls for as long as the hub runs.
pub(super) async fn accept(inner: Arc<Inner>) {
    loop {
        if let Some(endpoint) = inner.endpoint() {
            accept_at(&inner, endpoint).await;
        }
        inner.begin_anew().await;
    }
}

/// Takes calls until the endpoint is closed or fails.
async fn accept_at(inner: &Arc<Inner>, endpoint: Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        let from = quic::plain(incoming.remote_address()).ip();
        let proved = incoming.remote_address_validated();
        match inner.callers.answer(from, proved, Instant::now()) {
            Answer::Ignore => incoming.ignore(),
            // It fails only for a caller that has proved its address.
            Answer::Prove => drop(incoming.retry()),
            Answer::Take => {
                tokio::spawn(take(inner.clone(), incoming, from));
            }
        }
    }
}

async fn take(inner: Arc<Inner>, incoming: Incoming, from: IpAddr) {
    let answer = timeout(limits::HANDSHAKE_TIME, answer(&inner, incoming)).await;
    inner.callers.over();
    match answer {
        Ok(Ok(Called::Line(connection, line))) => {
            inner.callers.admitted(from);
            let _ = inner.begin(connection, line).await;
        }
        Ok(Ok(Called::ToJoin)) => {}
        Ok(Err(Ending::Stranger)) => {
            tracing::info!(%from, "a stranger called");
            inner.callers.refused(from, Instant::now());
        }
        Ok(Err(ending)) => tracing::debug!(%from, %ending, "a call came to nothing"),
        Err(_) => tracing::debug!(%from, "a call was not finished in time"),
    }
}

/// What a call came to.
enum Called {
    Line(Connection, Line),
    /// What became of it is noted.
    ToJoin,
}

async fn answer(inner: &Arc<Inner>, incoming: Incoming) -> Result<Called, Ending> {
    let connecting = match inner.identity.expects_strangers() {
        true => {
            let config = endpoint::answering_strangers(&inner.identity)
                .map_err(|error| Ending::Other(error.to_string()))?;
            incoming.accept_with(Arc::new(config))?
        }
        false => incoming.accept()?,
    };
    let connection = connecting.await?;
    let peer = identity::proved(&connection).ok_or(Ending::Stranger)?;
    if Purpose::of(&connection) == Purpose::Joining {
        joining::answer(inner, &connection, peer).await?;
        return Ok(Called::ToJoin);
    }
    let line = quic::answered(&connection, peer).await?;
    Ok(Called::Line(connection, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const MEMBER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[tokio::test(start_paused = true)]
    async fn many_calls_at_once_have_to_prove_their_address_and_then_wait() {
        let callers = Callers::default();
        let now = Instant::now();
        for _ in 0..limits::UNPROVED {
            assert_eq!(callers.answer(STRANGER, false, now), Answer::Take);
        }
        for _ in limits::UNPROVED..limits::HANDSHAKES {
            assert_eq!(callers.answer(STRANGER, false, now), Answer::Prove);
            assert_eq!(callers.answer(MEMBER, true, now), Answer::Take);
        }
        assert_eq!(callers.answer(MEMBER, true, now), Answer::Ignore);
        callers.over();
        assert_eq!(callers.answer(MEMBER, true, now), Answer::Take);
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_go_unanswered_for_ever_longer() {
        let callers = Callers::default();
        let now = Instant::now();
        for _ in 0..limits::REFUSALS_FREE {
            callers.refused(STRANGER, now);
        }
        assert_eq!(callers.answer(STRANGER, true, now), Answer::Take);
        for (more, seconds) in [(1, 1), (1, 2), (1, 4), (20, 60)] {
            (0..more).for_each(|_| callers.refused(STRANGER, now));
            let shut = now + Duration::from_secs(seconds);
            let early = shut - Duration::from_millis(1);
            assert_eq!(callers.answer(STRANGER, true, early), Answer::Ignore);
            assert_eq!(callers.answer(STRANGER, true, shut), Answer::Take);
        }
        assert_eq!(callers.answer(MEMBER, true, now), Answer::Take);
        callers.forgive();
        assert_eq!(callers.answer(STRANGER, true, now), Answer::Take);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_of_strangers_is_bounded() {
        let callers = Callers::default();
        let now = Instant::now();
        for number in 0..u32::try_from(limits::REFUSED * 3).unwrap() {
            callers.refused(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(callers.state().refused.len() <= limits::REFUSED);
    }
}
