//! All lines of this work tree: who calls, who is called, who stays.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::{Connection, Endpoint};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use super::answering::{Callers, accept};
use super::conduct::Conduct;
use super::discovery::Sighting;
use super::discovery::local::{Local, LocalNetwork};
use super::ending::{Close, Ending};
use super::identity::{Identity, PublicKey, Purpose, Trust};
use super::joining::Knock;
use super::line::{Gauge, Line, LineId};
use super::lines::{Lines, Process};
use super::seeking::{Seekers, Sought, Target};
use super::waiting::{Waiting, lot};
use super::{DialError, Error, Listen, Warning, dialling, endpoint, limits, vigil};
use crate::node::NodeKey;

/// How a node takes part.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: Listen,
    /// How it looks around on the local network; not at all where there is nothing.
    pub local: Option<LocalNetwork>,
}

/// What happened on the network.
#[derive(Debug)]
#[non_exhaustive]
pub enum HubEvent {
    /// A conversation begins: talk on it.
    Up(Line),
    /// A line has ended. Whoever talked on it heard the same.
    Down(Gauge, Ending),
    /// One who is sought was seen at these addresses, and is called there.
    Discovered(PublicKey, Vec<SocketAddr>),
    /// One who is sought could not be reached. Said once for each reason; calling goes on.
    Unreached(Target, DialError),
    /// Somebody wants to join.
    Knocked(Knock),
    /// Something that people should know.
    Warning(Warning),
}

/// The network of one node. Clones are the same one; it goes on until it is shut down.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

/// What all parts of the hub share.
pub(super) struct Inner {
    pub(super) identity: Identity,
    /// None while one that failed is replaced.
    endpoint: Mutex<Option<Endpoint>>,
    lines: Mutex<Lines<Gauge>>,
    /// Told whenever a line comes or goes, or others are to be called.
    lines_changed: watch::Sender<()>,
    pub(super) callers: Callers,
    conduct: Mutex<Conduct>,
    seekers: Mutex<Seekers>,
    /// Whom to recognise on the local network.
    keys: watch::Sender<Arc<BTreeSet<PublicKey>>>,
    /// Where we listen. Said again when the local network is to be looked at anew.
    listening: watch::Sender<SocketAddr>,
    events: mpsc::Sender<HubEvent>,
    closing: watch::Sender<bool>,
}

/// Events that nobody has taken yet; then calls have to wait.
const EVENTS: usize = 64;

/// Sightings that nobody has looked at yet; then the network is not looked at.
const SIGHTINGS: usize = 64;

impl Hub {
    /// Listens, and looks around. Must be called on a runtime of tokio.
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
        let listening = endpoint.local_addr().map_err(Error::Start)?;
        let (events, stream) = mpsc::channel(EVENTS);
        let own = *identity.key();
        let inner = Arc::new(Inner {
            identity,
            endpoint: Mutex::new(Some(endpoint)),
            lines: Mutex::new(Lines::new(own)),
            lines_changed: watch::Sender::new(()),
            callers: Callers::default(),
            conduct: Mutex::default(),
            seekers: Mutex::default(),
            keys: watch::Sender::default(),
            listening: watch::Sender::new(listening),
            events,
            closing: watch::Sender::new(false),
        });
        if let Some(network) = &settings.local {
            let (sightings, seen) = mpsc::channel(SIGHTINGS);
            let local = Local {
                settings: network.clone(),
                listening: inner.listening.subscribe(),
                own,
                keys: inner.keys.subscribe(),
                sightings,
            };
            inner.spawn(local.run());
            inner.spawn(look_around(inner.clone(), seen));
        }
        inner.spawn(accept(inner.clone()));
        inner.spawn(keep_vigil(inner.clone()));
        inner.spawn(keep_turning(inner.clone()));
        Ok((Self(inner), stream))
    }

    /// Where it listens; its IP address is unspecified unless a certain one was asked for. Another one after
    /// [`Warning::BegunAnew`].
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        *self.0.listening.borrow()
    }

    /// Calls whoever is at `HOST:PORT` once. The line comes as an event.
    ///
    /// # Errors
    /// When there is no line, with the reason.
    pub async fn dial(&self, address: &str) -> Result<Gauge, DialError> {
        let addresses = dialling::resolve(address).await?;
        self.0.call(&addresses, None).await
    }

    /// Keeps lines with these and seeks nobody else any more; lines that are up stay. Also calls at once whoever could not be
    /// reached before.
    pub fn seek(&self, sought: Sought) {
        let mut keys: BTreeSet<_> = sought.peers.keys().copied().collect();
        keys.remove(self.0.identity.key());
        self.0.keys.send_replace(Arc::new(keys));
        self.0.seekers().seek(sought, &self.0);
        self.0.choose();
    }

    /// Whether nothing comes on a line that does not come on another one, too: where there are many peers, it may have to go.
    pub fn spare(&self, line: LineId, is_spare: bool) {
        self.0.lines().set_spare(line, is_spare);
    }

    /// The peer said on this line which process it is and whether it means to stay. Ends what it supersedes.
    pub fn introduced(&self, line: LineId, boot: u64, stays: bool) {
        let gone = self.0.lines().introduced(line, Process { boot, stays });
        close_all(gone);
    }

    /// Who is admitted has changed: those who are not any more are cut off, those who were refused may try again.
    pub fn trust_changed(&self) {
        self.0.callers.forgive();
        let lines = self.0.lines();
        for (peer, gauge) in lines.all() {
            if !self.0.identity.admits(peer) {
                gauge.close(Close::NotAdmitted);
            }
        }
    }

    /// The lines that are up.
    #[must_use]
    pub fn lines(&self) -> Vec<Gauge> {
        let lines = self.0.lines();
        lines.all().map(|(_, gauge)| gauge.clone()).collect()
    }

    /// Ends all lines and stops listening; returns when the peers have been told.
    pub async fn shutdown(&self) {
        self.shutdown_within(limits::GOOD_BYE).await;
    }

    /// As [`shutdown`](Self::shutdown), but the peers' hearing it is awaited for so long only.
    pub async fn shutdown_within(&self, limit: Duration) {
        self.0.closing.send_replace(true);
        self.0.seekers().stop();
        for line in self.lines() {
            line.close(Close::Left);
        }
        if let Some(endpoint) = self.0.endpoint() {
            endpoint.close(Close::Left.code(), &[]);
            let _ = timeout(limit.min(limits::GOOD_BYE), endpoint.wait_idle()).await;
        }
    }
}

fn close_all(gone: Vec<(Gauge, Close)>) {
    for (gauge, close) in gone {
        gauge.close(close);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        lock(&self.endpoint).clone()
    }

    pub(super) fn seekers(&self) -> MutexGuard<'_, Seekers> {
        lock(&self.seekers)
    }

    fn lines(&self) -> MutexGuard<'_, Lines<Gauge>> {
        lock(&self.lines)
    }

    pub(super) fn has_line(&self, peer: &PublicKey) -> bool {
        self.lines().has(peer)
    }

    pub(super) fn count_lines(&self) -> usize {
        self.lines().len()
    }

    /// Chooses anew whom to call, where that is not everybody.
    pub(super) fn choose(&self) {
        let lines = self.lines().all().map(|(peer, _)| *peer).collect();
        self.seekers().choose(&lines);
        self.changed();
    }

    /// Lets those know who wait for a line to come or to go, or to be called.
    pub(super) fn changed(&self) {
        self.lines_changed.send_replace(());
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.lines_changed.subscribe()
    }

    /// Runs this until it ends or the hub is shut down.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut closing = self.closing.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                _ = closing.wait_for(|closing| *closing) => {}
            }
        });
    }

    /// Returns when there is no line with this key, and whether there was one.
    pub(super) async fn without_line(&self, peer: &PublicKey) -> bool {
        let mut changed = self.changes();
        let mut was_there = false;
        while self.lines().has(peer) {
            was_there = true;
            if changed.changed().await.is_err() {
                break;
            }
        }
        was_there
    }

    /// Calls these addresses at once; the first that answers and lets us in is the line.
    pub(super) async fn call(
        self: &Arc<Self>,
        addresses: &[SocketAddr],
        expected: Option<PublicKey>,
    ) -> Result<Gauge, DialError> {
        let config = endpoint::calling(&self.identity, expected, Purpose::Talking)
            .map_err(|error| DialError::Other(error.to_string()))?;
        let endpoint = self.endpoint().ok_or(DialError::NoAnswer)?;
        let (connection, line) = dialling::race(&endpoint, &config, addresses).await?;
        self.begin(connection, line).await
    }

    /// A line is there: enters it, tells of it, and waits for its end.
    pub(super) async fn begin(
        self: &Arc<Self>,
        connection: Connection,
        line: Line,
    ) -> Result<Gauge, DialError> {
        let gauge = line.gauge().clone();
        // From here on nothing waits, so a line is not half entered when its seeker is stopped.
        let Ok(event) = self.events.reserve().await else {
            return Err(DialError::Other("the program ends".to_owned()));
        };
        if lock(&self.conduct).shuts_out(gauge.peer(), Instant::now()) {
            gauge.close(Close::Faulty);
            return Err(DialError::Other(Close::Faulty.to_string()));
        }
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
        self.seekers().met(gauge.peer(), gauge.remote());
        self.choose();
        tracing::debug!(line = ?gauge, dialled = gauge.dialled(), "line up");
        event.send(HubEvent::Up(line));
        let (inner, watched) = (self.clone(), gauge.clone());
        tokio::spawn(async move {
            connection.closed().await;
            let (ending, peer) = (watched.ending(), *watched.peer());
            if ending == Ending::There(Close::Full) {
                inner.seekers().turned_away(&peer);
            }
            inner.lines().remove(watched.id());
            inner.choose();
            tracing::debug!(line = ?watched, %ending, "line down");
            let faulty = ending == Ending::Here(Close::Faulty);
            inner.tell(HubEvent::Down(watched, ending)).await;
            if faulty && lock(&inner.conduct).fault(&peer, Instant::now()) {
                inner.tell(HubEvent::Warning(Warning::ShutOut(peer))).await;
            }
        });
        Ok(gauge)
    }

    /// Says something to whoever listens.
    pub(super) async fn tell(&self, event: HubEvent) {
        let _ = self.events.send(event).await;
    }

    /// The endpoint has failed, and its lines with it: another one takes its place, on the same port if that can be had.
    pub(super) async fn begin_anew(&self) {
        // Its socket may hold the port.
        *lock(&self.endpoint) = None;
        let was = *self.listening.borrow();
        let anywhere_there = SocketAddr::new(was.ip(), 0);
        let mut waiting = Waiting::default();
        loop {
            let socket = Listen::At(was)
                .bind()
                .or_else(|_| Listen::At(anywhere_there).bind());
            let begun = socket.and_then(|socket| {
                let endpoint = endpoint::open(&self.identity, socket)?;
                let listening = endpoint.local_addr().map_err(Error::Start)?;
                Ok((endpoint, listening))
            });
            match begun {
                Ok((endpoint, listening)) => {
                    *lock(&self.endpoint) = Some(endpoint);
                    self.listening.send_replace(listening);
                    break;
                }
                Err(error) => tracing::debug!(%error, "no network"),
            }
            sleep(waiting.next(limits::LONGEST_WAIT)).await;
        }
        self.seekers().nudge_all();
        self.tell(HubEvent::Warning(Warning::BegunAnew)).await;
    }

    /// Ends the lines that cannot go on from here, so that they are made anew.
    fn cut_stranded(&self) {
        for (_, line) in self.lines().all() {
            if line.is_stranded() {
                tracing::debug!(?line, "this host has another address now");
                line.close(Close::Left);
            }
        }
    }

    /// The host slept for about that long.
    fn woke(&self, slept: Duration) {
        tracing::info!(seconds = slept.as_secs(), "the host slept");
        if slept >= limits::IDLE {
            // The peers have given up on them; only we do not know yet.
            for (_, line) in self.lines().all() {
                line.close(Close::Left);
            }
        }
        self.listening.send_modify(|_| {});
        self.seekers().nudge_all();
    }
}

async fn keep_vigil(inner: Arc<Inner>) {
    loop {
        match vigil::look().await {
            Some(slept) => inner.woke(slept),
            None => inner.cut_stranded(),
        }
    }
}

/// Where there are many, draws others of them by lot now and then, and ends lines that can be done without.
async fn keep_turning(inner: Arc<Inner>) {
    loop {
        sleep(limits::TURN.mul_f64(0.5 + lot())).await;
        inner.seekers().turn();
        inner.choose();
        let spare = {
            let mut lines = inner.lines();
            let seekers = inner.seekers();
            lines.take_spare(|peer| !seekers.can_spare(peer))
        };
        for line in spare {
            line.close(Close::Left);
        }
    }
}

/// Calls whoever is seen.
async fn look_around(inner: Arc<Inner>, mut seen: mpsc::Receiver<Sighting>) {
    while let Some(sighting) = seen.recv().await {
        match sighting {
            Sighting::Here(peer, addresses) => {
                let is_news = inner.seekers().sighted(&peer, addresses.clone());
                if is_news {
                    inner.choose();
                    inner.tell(HubEvent::Discovered(peer, addresses)).await;
                }
            }
            Sighting::Gone(peer) => {
                inner.seekers().sighted(&peer, Vec::new());
            }
            Sighting::Moved => {
                inner.cut_stranded();
                inner.seekers().nudge_all();
            }
            Sighting::Blocked(why) => {
                let warning = HubEvent::Warning(Warning::LocalNetwork(why));
                inner.tell(warning).await;
            }
            Sighting::Nobody => {
                if inner.lines().is_empty() {
                    inner.tell(HubEvent::Warning(Warning::NobodyFound)).await;
                }
            }
        }
    }
}
