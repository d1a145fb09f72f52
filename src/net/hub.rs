//! All lines of this work tree: who calls, who is called, who stays.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quinn::{Connection, Endpoint, Incoming};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::dialling;
use super::ending::{Close, Ending};
use super::identity::{self, Identity, PublicKey, Trust};
use super::line::{Gauge, Line, LineId};
use super::lines::{Lines, Process};
use super::{DialError, Error, Listen, endpoint, limits, quic};
use crate::node::NodeKey;

/// How a node takes part.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: Listen,
}

/// What happened on the network.
#[derive(Debug)]
#[non_exhaustive]
pub enum HubEvent {
    /// A conversation begins: talk on it.
    Up(Line),
    /// A line has ended. Whoever talked on it heard the same.
    Down(Gauge, Ending),
}

/// The network of one node. Clones are the same one.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

pub(super) struct Inner {
    identity: Identity,
    endpoint: Endpoint,
    lines: Mutex<Lines<Gauge>>,
    handshakes: AtomicUsize,
    events: mpsc::Sender<HubEvent>,
}

/// Events that nobody has taken yet; then calls have to wait.
const EVENTS: usize = 64;

impl Hub {
    /// Listens, and calls whom it is told to. Must be called on a runtime of tokio.
    ///
    /// # Errors
    /// When there is no socket to be had, or the keys are of no use.
    pub fn start(
        settings: &Settings,
        key: &NodeKey,
        trust: Arc<dyn Trust>,
    ) -> Result<(Self, mpsc::Receiver<HubEvent>), Error> {
        let identity = Identity::new(key, trust)?;
        let endpoint = endpoint::open(&identity, settings.listen.bind()?)?;
        let (events, stream) = mpsc::channel(EVENTS);
        let own = *identity.key();
        let inner = Arc::new(Inner {
            identity,
            endpoint,
            lines: Mutex::new(Lines::new(own)),
            handshakes: AtomicUsize::new(0),
            events,
        });
        tokio::spawn(accept(inner.clone()));
        Ok((Self(inner), stream))
    }

    /// Where it listens; its IP address is unspecified unless a certain one was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.0.endpoint.local_addr()
    }

    /// Calls whoever is at `HOST:PORT` once. The line comes as an event.
    ///
    /// # Errors
    /// When there is no line, with the reason.
    pub async fn dial(&self, address: &str) -> Result<Gauge, DialError> {
        let addresses = dialling::resolve(address).await?;
        self.0.call(&addresses, None).await
    }

    /// The peer said on this line which process it is and whether it means to stay. Ends what it supersedes.
    pub fn introduced(&self, line: LineId, boot: u64, stays: bool) {
        let gone = self.0.lines().introduced(line, Process { boot, stays });
        close_all(gone);
    }

    /// Who is admitted has changed: those who are not any more are cut off.
    pub fn trust_changed(&self) {
        let lines = self.0.lines();
        for (peer, gauge) in lines.all() {
            if !self.0.identity.admits(peer) {
                gauge.close(Close::NotAdmitted);
            }
        }
    }

    /// Ends all lines and stops listening; returns when the peers have been told.
    pub async fn shutdown(&self) {
        let lines: Vec<Gauge> = self.0.lines().all().map(|(_, line)| line.clone()).collect();
        for line in lines {
            line.close(Close::Left);
        }
        self.0.endpoint.close(Close::Left.code(), &[]);
        let _ = timeout(limits::GOOD_BYE, self.0.endpoint.wait_idle()).await;
    }
}

fn close_all(gone: Vec<(Gauge, Close)>) {
    for (gauge, close) in gone {
        gauge.close(close);
    }
}

impl Inner {
    pub(super) fn lines(&self) -> MutexGuard<'_, Lines<Gauge>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls these addresses at once; the first that answers and lets us in is the line.
    pub(super) async fn call(
        self: &Arc<Self>,
        addresses: &[SocketAddr],
        expected: Option<PublicKey>,
    ) -> Result<Gauge, DialError> {
        let config = endpoint::calling(&self.identity, expected)
            .map_err(|error| DialError::Other(error.to_string()))?;
        let (connection, line) = dialling::race(&self.endpoint, &config, addresses).await?;
        self.begin(connection, line).await
    }

    /// A line is there: enters it, tells of it, and waits for its end.
    async fn begin(
        self: &Arc<Self>,
        connection: Connection,
        line: Line,
    ) -> Result<Gauge, DialError> {
        let gauge = line.gauge().clone();
        let added = self
            .lines()
            .add(gauge.id(), *gauge.peer(), gauge.dialled(), gauge.clone());
        match added {
            Ok(gone) => close_all(gone),
            Err(close) => {
                gauge.close(close);
                return Err(DialError::Other(close.to_string()));
            }
        }
        if self.events.send(HubEvent::Up(line)).await.is_err() {
            self.lines().remove(gauge.id());
            return Err(DialError::Other("the program ends".to_owned()));
        }
        let (inner, watched) = (self.clone(), gauge.clone());
        tokio::spawn(async move {
            connection.closed().await;
            inner.lines().remove(watched.id());
            let ending = watched.ending();
            tracing::debug!(line = %watched.id(), %ending, "line down");
            let _ = inner.events.send(HubEvent::Down(watched, ending)).await;
        });
        Ok(gauge)
    }
}

/// Takes calls until the endpoint is closed.
async fn accept(inner: Arc<Inner>) {
    while let Some(incoming) = inner.endpoint.accept().await {
        let pending = inner.handshakes.load(Ordering::Relaxed);
        if pending >= limits::HANDSHAKES {
            incoming.ignore();
        } else if pending >= limits::UNPROVED && !incoming.remote_address_validated() {
            let _ = incoming.retry();
        } else {
            inner.handshakes.fetch_add(1, Ordering::Relaxed);
            let inner = inner.clone();
            tokio::spawn(async move {
                let remote = quic::plain(incoming.remote_address());
                let answer = timeout(limits::HANDSHAKE_TIME, answer(incoming)).await;
                inner.handshakes.fetch_sub(1, Ordering::Relaxed);
                match answer {
                    Ok(Ok((connection, line))) => {
                        let _ = inner.begin(connection, line).await;
                    }
                    Ok(Err(ending)) => tracing::info!(%remote, %ending, "a call came to nothing"),
                    Err(_) => tracing::info!(%remote, "a call was not finished in time"),
                }
            });
        }
    }
}

async fn answer(incoming: Incoming) -> Result<(Connection, Line), Ending> {
    let connection = incoming.await?;
    let peer = identity::proved(&connection).ok_or(Ending::NotAdmitted)?;
    let line = quic::answered(&connection, peer).await?;
    Ok((connection, line))
}
