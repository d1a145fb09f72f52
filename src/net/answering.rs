//! Taking calls: how many at a time, and from whom not.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::{Connection, Incoming};
use tokio::time::{Instant, timeout};

use super::ending::Ending;
use super::hub::Inner;
use super::line::Line;
use super::{identity, limits, quic};

/// Who is calling just now, and who was refused before.
#[derive(Debug, Default)]
pub(super) struct Callers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    handshakes: usize,
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

    /// Somebody at this address was let in.
    fn admitted(&self, from: IpAddr) {
        self.state().refused.remove(&from);
    }

    /// Somebody at this address has a key that nobody here knows: after a few times, calls from there go unanswered for
    /// a while, twice as long each time.
    fn refused(&self, from: IpAddr, now: Instant) {
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

/// Takes calls until the endpoint is closed.
pub(super) async fn accept(inner: Arc<Inner>) {
    let endpoint = inner.endpoint();
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
    let answer = timeout(limits::HANDSHAKE_TIME, answer(incoming)).await;
    inner.callers.over();
    match answer {
        Ok(Ok((connection, line))) => {
            inner.callers.admitted(from);
            let _ = inner.begin(connection, line).await;
        }
        Ok(Err(Ending::Stranger)) => {
            tracing::info!(%from, "a stranger called");
            inner.callers.refused(from, Instant::now());
        }
        Ok(Err(ending)) => tracing::debug!(%from, %ending, "a call came to nothing"),
        Err(_) => tracing::debug!(%from, "a call was not finished in time"),
    }
}

async fn answer(incoming: Incoming) -> Result<(Connection, Line), Ending> {
    let connection = incoming.await?;
    let peer = identity::proved(&connection).ok_or(Ending::Stranger)?;
    let line = quic::answered(&connection, peer).await?;
    Ok((connection, line))
}
