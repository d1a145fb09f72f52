//! Nodes with keys of their own that listen on loopback.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rhema_crdt::net::{
    DialError, Ending, Gauge, Hub, HubEvent, Knock, Line, Listen, LocalNetwork, PublicKey,
    Settings, Sought, Trust, knock,
};
use rhema_crdt::node::Node as Identity;
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

/// Far longer than anything here takes; shorter than a hanging test is noticed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Whom a node admits, changeable at any time.
#[derive(Clone, Default)]
pub(crate) struct Known {
    keys: Arc<Mutex<BTreeSet<PublicKey>>>,
    expects_strangers: Arc<AtomicBool>,
}

impl Known {
    pub(crate) fn add(&self, node: &Node) {
        self.keys.lock().unwrap().insert(node.key());
    }

    pub(crate) fn remove(&self, node: &Node) {
        self.keys.lock().unwrap().remove(&node.key());
    }

    /// Whether strangers may say with what they were invited.
    pub(crate) fn expect_strangers(&self, expected: bool) {
        self.expects_strangers.store(expected, Ordering::Relaxed);
    }
}

impl Trust for Known {
    fn admits(&self, key: &PublicKey) -> bool {
        self.keys.lock().unwrap().contains(key)
    }

    fn expects_strangers(&self) -> bool {
        self.expects_strangers.load(Ordering::Relaxed)
    }
}

/// A node on loopback.
pub(crate) struct Node {
    folder: TempDir,
    identity: Identity,
    pub(crate) known: Known,
    pub(crate) hub: Hub,
    pub(crate) events: Receiver<HubEvent>,
    /// Lines that went down while another one was awaited.
    ended: VecDeque<(Gauge, Ending)>,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::with(quiet(0))
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::create(folder.path()).unwrap().0;
        Self::begin(folder, identity, Known::default(), settings)
    }

    fn begin(folder: TempDir, identity: Identity, known: Known, settings: Settings) -> Self {
        let trust = Arc::new(known.clone());
        let (hub, events) = Hub::start(&settings, identity.key(), trust).unwrap();
        Self {
            folder,
            identity,
            known,
            hub,
            events,
            ended: VecDeque::new(),
        }
    }

    /// Two nodes that admit each other.
    pub(crate) fn pair() -> (Self, Self) {
        Self::pair_with(&quiet(0))
    }

    pub(crate) fn pair_with(settings: &Settings) -> (Self, Self) {
        let (one, other) = (Self::with(settings.clone()), Self::with(settings.clone()));
        one.known.add(&other);
        other.known.add(&one);
        (one, other)
    }

    /// The same node at the same address, begun anew.
    pub(crate) fn restart(self) -> Self {
        let settings = quiet(self.address().port());
        let (folder, identity, known) = (self.folder, self.identity, self.known);
        drop(self.hub);
        Self::begin(folder, identity, known, settings)
    }

    /// Keeps a line with this node, wherever it is.
    pub(crate) fn seek(&self, other: &Self, last_known: &[SocketAddr]) {
        self.hub.seek(Sought {
            peers: BTreeMap::from([(other.key(), last_known.to_vec())]),
            places: BTreeSet::new(),
            ..Sought::default()
        });
    }

    pub(crate) fn key(&self) -> PublicKey {
        *self.identity.key().public().as_bytes()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.hub.address()
    }

    pub(crate) fn at(&self) -> String {
        self.address().to_string()
    }

    /// Says something to another one that does not know this one.
    pub(crate) async fn knock(
        &self,
        other: PublicKey,
        at: &str,
        said: &[u8],
    ) -> Result<Vec<u8>, DialError> {
        knock(self.identity.key(), other, &[at.to_owned()], said).await
    }

    /// The next stranger that wants to join.
    pub(crate) async fn knocked(&mut self) -> Knock {
        loop {
            if let HubEvent::Knocked(knock) = self.event().await {
                return knock;
            }
        }
    }

    /// The next line that comes up.
    pub(crate) async fn line(&mut self) -> Line {
        loop {
            match self.event().await {
                HubEvent::Up(line) => return line,
                HubEvent::Down(gauge, ending) => self.ended.push_back((gauge, ending)),
                _ => {}
            }
        }
    }

    /// The next line that goes down, or went down before the last one that came up.
    pub(crate) async fn down(&mut self) -> (Gauge, Ending) {
        if let Some(ended) = self.ended.pop_front() {
            return ended;
        }
        loop {
            if let HubEvent::Down(gauge, ending) = self.event().await {
                return (gauge, ending);
            }
        }
    }

    pub(crate) async fn event(&mut self) -> HubEvent {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("nothing happened")
            .expect("the hub is gone")
    }

    /// Whether nothing happens for a while.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        let while_ = Duration::from_millis(300);
        timeout(while_, self.events.recv()).await.is_err()
    }
}

/// On loopback, looking around nowhere.
pub(crate) fn quiet(port: u16) -> Settings {
    Settings {
        listen: Listen::At(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        local: None,
    }
}

/// On loopback, looking around there and nowhere else.
pub(crate) fn looking_around(multicast_port: u16) -> Settings {
    Settings {
        local: Some(LocalNetwork {
            port: multicast_port,
            loopback_only: true,
            ..LocalNetwork::default()
        }),
        ..quiet(0)
    }
}

/// A line between two nodes: the caller's end and the other's, which learns of it by the caller's first word.
pub(crate) async fn call(caller: &mut Node, called: &mut Node) -> (Line, Line) {
    caller.hub.dial(&called.at()).await.unwrap();
    let near = caller.line().await;
    near.send(HELLO).unwrap();
    let mut far = called.line().await;
    assert_eq!(far.recv().await.unwrap(), HELLO);
    (near, far)
}

/// What every caller here says first.
pub(crate) const HELLO: &[u8] = b"hello";

/// Memory that this process has in use.
#[cfg(target_os = "linux")]
pub(crate) fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}
