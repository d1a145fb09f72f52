//! Keeping lines with those who are sought: each is called until there is a line, and again when it breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::discovery::siblings;
use super::hub::{HubEvent, Inner};
use super::identity::PublicKey;
use super::waiting::Waiting;
use super::{DialError, dialling, limits};

/// Whom to keep a line with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Nodes by their keys, each with the addresses where it was last, the latest first. They are recognised on the local
    /// network too.
    pub peers: BTreeMap<PublicKey, Vec<SocketAddr>>,
    /// Places at which somebody may be who is admitted.
    pub places: BTreeSet<Place>,
    /// For how long each is called.
    pub until: Until,
}

/// For how long somebody is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// Whenever there is no line with them.
    #[default]
    NotSought,
    /// Until there was a line with them, whoever called.
    Met,
}

/// Where somebody may be. Looked up again at every call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `HOST:PORT`.
    Address(String),
    /// The address that the work tree with this git directory left there.
    Sibling(PathBuf),
}

impl Place {
    async fn addresses(&self) -> Result<Vec<SocketAddr>, DialError> {
        match self {
            Self::Address(text) => dialling::resolve(text).await,
            // A sibling that does not run is nothing to report.
            Self::Sibling(git_dir) => Ok(siblings::address_left(git_dir).into_iter().collect()),
        }
    }
}

/// One who is sought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The node with this key, wherever it is.
    Peer(PublicKey),
    /// Whoever is there.
    Place(Place),
}

/// What is known of where one node is.
#[derive(Debug, Default)]
struct Whereabouts {
    sighted: Vec<SocketAddr>,
    last_known: Vec<SocketAddr>,
}

impl Whereabouts {
    fn all(&self) -> Vec<SocketAddr> {
        let mut all = Vec::new();
        for address in self.sighted.iter().chain(&self.last_known) {
            if all.len() < limits::ADDRESSES && !all.contains(address) {
                all.push(*address);
            }
        }
        all
    }
}

/// A seeker at work.
struct Seeker {
    nudge: Arc<Notify>,
    task: AbortHandle,
}

/// All who are sought.
#[derive(Default)]
pub(super) struct Seekers {
    all: BTreeMap<Target, Seeker>,
    whereabouts: BTreeMap<PublicKey, Whereabouts>,
}

impl Seekers {
    /// Seeks these, and nobody else any more.
    pub(super) fn seek(&mut self, sought: Sought, inner: &Arc<Inner>) {
        let peers = sought.peers.keys().copied().map(Target::Peer);
        let targets: BTreeSet<_> = peers
            .chain(sought.places.into_iter().map(Target::Place))
            .collect();
        self.whereabouts
            .retain(|peer, _| sought.peers.contains_key(peer));
        for (peer, last_known) in sought.peers {
            self.whereabouts.entry(peer).or_default().last_known = last_known;
        }
        self.all.retain(|target, seeker| {
            let stays = targets.contains(target) && !seeker.task.is_finished();
            if !stays {
                seeker.task.abort();
            }
            stays
        });
        for target in targets {
            self.all.entry(target).or_insert_with_key(|target| {
                let nudge = Arc::new(Notify::new());
                let seeking = seek(inner.clone(), target.clone(), sought.until, nudge.clone());
                let task = tokio::spawn(seeking).abort_handle();
                Seeker { nudge, task }
            });
        }
        self.nudge_all();
    }

    /// The node with this key was seen at these addresses; whether that is news.
    pub(super) fn sighted(&mut self, peer: &PublicKey, addresses: Vec<SocketAddr>) -> bool {
        let Some(known) = self.whereabouts.get_mut(peer) else {
            return false;
        };
        if known.sighted == addresses {
            return false;
        }
        known.sighted = addresses;
        if let Some(seeker) = self.all.get(&Target::Peer(*peer)) {
            seeker.nudge.notify_one();
        }
        true
    }

    /// There is a line with this node at this address: if it breaks, that is where to call first, whoever called.
    pub(super) fn met(&mut self, peer: &PublicKey, address: SocketAddr) {
        if let Some(known) = self.whereabouts.get_mut(peer) {
            known.last_known.retain(|other| *other != address);
            known.last_known.insert(0, address);
            known.last_known.truncate(limits::ADDRESSES);
        }
    }

    /// Whatever failed may succeed now.
    pub(super) fn nudge_all(&self) {
        for seeker in self.all.values() {
            seeker.nudge.notify_one();
        }
    }

    /// Seeks nobody any more.
    pub(super) fn stop(&mut self) {
        for seeker in self.all.values() {
            seeker.task.abort();
        }
        self.all.clear();
    }

    /// Where to call this node, and whether it was seen there lately.
    fn whereabouts(&self, peer: &PublicKey) -> (Vec<SocketAddr>, bool) {
        let known = self.whereabouts.get(peer);
        let addresses = known.map(Whereabouts::all).unwrap_or_default();
        (
            addresses,
            known.is_some_and(|known| !known.sighted.is_empty()),
        )
    }
}

/// Calls a target whenever there is no line with it.
async fn seek(inner: Arc<Inner>, target: Target, until: Until, nudge: Arc<Notify>) {
    let mut waiting = Waiting::default();
    let expected = match target {
        Target::Peer(key) => Some(key),
        Target::Place(_) => None,
    };
    let mut peer = expected;
    let mut told = None;
    loop {
        if let Some(peer) = peer {
            let since = Instant::now();
            let was_met = inner.without_line(&peer).await;
            if was_met && until == Until::Met {
                return;
            }
            if since.elapsed() >= limits::LASTED {
                waiting.reset();
            }
        }
        let (addresses, likely) = match &target {
            Target::Peer(key) => {
                let (addresses, sighted) = inner.seekers().whereabouts(key);
                (Ok(addresses), sighted)
            }
            Target::Place(place) => (place.addresses().await, true),
        };
        let call = match addresses {
            Ok(addresses) if addresses.is_empty() => None,
            Ok(addresses) => Some(inner.call(&addresses, expected).await),
            Err(error) => Some(Err(error)),
        };
        match call {
            Some(Ok(_)) if until == Until::Met => return,
            Some(Ok(line)) => {
                peer = Some(*line.peer());
                told = None;
            }
            Some(Err(error)) if told.as_ref() != Some(&error) => {
                told = Some(error.clone());
                inner.tell(HubEvent::Unreached(target.clone(), error)).await;
            }
            Some(Err(_)) | None => {}
        }
        let longest = match likely {
            true => limits::LONGEST_WAIT,
            false => limits::LONGEST_WAIT_FOR_ABSENT,
        };
        tokio::select! {
            () = sleep(waiting.next(longest)) => {}
            () = nudge.notified() => waiting.reset(),
        }
    }
}
