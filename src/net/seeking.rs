//! Keeping lines with those who are sought: each is called until there is a line, and again when it breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::circle::{Circle, Degree};
use super::discovery::siblings;
use super::hub::{HubEvent, Inner};
use super::identity::PublicKey;
use super::waiting::{Waiting, lot};
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
    /// With how many of them a line is kept.
    pub company: Company,
}

/// How many those are who are sought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Company {
    /// So few that there is to be a line with each.
    #[default]
    Few,
    /// So many that lines are kept with some of them, and the others are reached by these.
    Many,
}

impl Company {
    /// That of so many others.
    #[must_use]
    pub fn of(others: usize) -> Self {
        match others <= limits::FEW {
            true => Self::Few,
            false => Self::Many,
        }
    }
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
    /// Who it is, as soon as that is known.
    peer: Option<PublicKey>,
    /// Whether the last call came to nothing.
    is_away: bool,
    /// Whether it had too many lines.
    was_turned_away: bool,
}

/// All who are sought.
#[derive(Default)]
pub(super) struct Seekers {
    all: BTreeMap<Target, Seeker>,
    whereabouts: BTreeMap<PublicKey, Whereabouts>,
    /// Whom of them to call, where that is not everybody.
    choice: Option<Choice>,
    /// Calls that are under way.
    calling: usize,
}

/// Whom to call of many.
struct Choice {
    circle: Circle,
    until: Until,
    /// Those who are taken to be there.
    there: BTreeSet<PublicKey>,
    /// Those of them with whom lines are kept.
    wanted: BTreeSet<PublicKey>,
    /// One who was not there, and is called all the same: somebody calls everybody once in a while.
    tried: Option<PublicKey>,
}

impl Choice {
    fn new(own: PublicKey, until: Until) -> Self {
        let degree = match until {
            Until::NotSought => limits::DEGREE,
            Until::Met => Degree {
                beside: 0,
                drawn: limits::CALLED_ON,
            },
        };
        Self {
            circle: Circle::new(own, degree, drawn()),
            until,
            there: BTreeSet::new(),
            wanted: BTreeSet::new(),
            tried: None,
        }
    }

    /// Whether a line is to be kept with this one, if it is there.
    fn wants(&self, peer: &PublicKey) -> bool {
        self.wanted.contains(peer) || self.circle.is_beside(peer, &self.there)
    }

    /// Whether this one is to be called, where there are so many lines and calls under way.
    fn permits(&self, peer: &PublicKey, lines: usize) -> bool {
        let has_too_few = self.until == Until::NotSought && lines < limits::ENOUGH;
        has_too_few || self.wants(peer) || self.tried.as_ref() == Some(peer)
    }
}

/// A call that is under way.
struct Calling(Arc<Inner>);

impl Drop for Calling {
    fn drop(&mut self) {
        self.0.seekers().calling -= 1;
        self.0.changed();
    }
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
        let own = *inner.identity.key();
        self.choice = match sought.company {
            Company::Few => None,
            Company::Many => {
                let before = self.choice.take();
                let before = before.filter(|choice| choice.until == sought.until);
                Some(before.unwrap_or_else(|| Choice::new(own, sought.until)))
            }
        };
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
                let peer = match target {
                    Target::Peer(key) => Some(*key),
                    Target::Place(_) => None,
                };
                Seeker {
                    nudge,
                    task,
                    peer,
                    is_away: false,
                    was_turned_away: false,
                }
            });
        }
        self.nudge_all();
    }

    /// Chooses anew whom to call: `lines` are with those.
    pub(super) fn choose(&mut self, lines: &BTreeSet<PublicKey>) {
        let Some(choice) = &mut self.choice else {
            return;
        };
        let there = self.all.values().filter(|seeker| !seeker.is_away);
        choice.there = there.filter_map(|seeker| seeker.peer).collect();
        choice.there.extend(lines);
        choice.wanted = choice.circle.wanted(&choice.there);
    }

    /// Others are drawn by lot than before. Nothing changes where there are few.
    pub(super) fn turn(&mut self) {
        let Some(choice) = &mut self.choice else {
            return;
        };
        choice.circle.turn();
        let away = self.all.values().filter(|seeker| seeker.is_away);
        let away: Vec<PublicKey> = away.filter_map(|seeker| seeker.peer).collect();
        let lot = drawn() as usize % away.len().max(1);
        choice.tried = away.get(lot).copied();
    }

    /// Whether a line with this one can be spared if nothing else comes on it than on others.
    pub(super) fn can_spare(&self, peer: &PublicKey) -> bool {
        let choice = self.choice.as_ref();
        choice.is_some_and(|choice| choice.until == Until::NotSought && !choice.wants(peer))
    }

    /// Whether a target is to be called now, where there are so many lines.
    fn permits(&self, target: &Target, lines: usize) -> bool {
        let (Some(choice), Some(seeker)) = (&self.choice, self.all.get(target)) else {
            return true;
        };
        // Who is at a place is to be found out.
        seeker
            .peer
            .is_none_or(|peer| choice.permits(&peer, lines + self.calling))
    }

    /// A call came to this; whether that is another outcome than the one before.
    fn called(&mut self, target: &Target, reached: Option<PublicKey>) -> bool {
        let Some(seeker) = self.all.get_mut(target) else {
            return false;
        };
        let before = (seeker.peer, seeker.is_away);
        seeker.peer = reached.or(seeker.peer);
        seeker.is_away = reached.is_none();
        before != (seeker.peer, seeker.is_away)
    }

    /// This one had too many lines.
    pub(super) fn turned_away(&mut self, peer: &PublicKey) {
        let seekers = self.all.values_mut();
        for seeker in seekers.filter(|seeker| seeker.peer.as_ref() == Some(peer)) {
            seeker.was_turned_away = true;
            seeker.is_away = true;
        }
    }

    fn was_turned_away(&mut self, target: &Target) -> bool {
        let seeker = self.all.get_mut(target);
        seeker.is_some_and(|seeker| std::mem::take(&mut seeker.was_turned_away))
    }

    /// The node with this key was seen at these addresses; whether that is news.
    pub(super) fn sighted(&mut self, peer: &PublicKey, addresses: Vec<SocketAddr>) -> bool {
        let Some(known) = self.whereabouts.get_mut(peer) else {
            return false;
        };
        if known.sighted == addresses {
            return false;
        }
        let is_there = !addresses.is_empty();
        known.sighted = addresses;
        if let Some(seeker) = self.all.get_mut(&Target::Peer(*peer)) {
            seeker.is_away &= !is_there;
            seeker.nudge.notify_one();
        }
        true
    }

    /// There is a line with this node at this address: if it breaks, that is where to call first, whoever called.
    pub(super) fn met(&mut self, peer: &PublicKey, address: SocketAddr) {
        let seekers = self.all.values_mut();
        for seeker in seekers.filter(|seeker| seeker.peer.as_ref() == Some(peer)) {
            seeker.is_away = false;
        }
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

/// Waits until a target is to be called.
async fn permit(inner: &Arc<Inner>, target: &Target) -> Calling {
    let mut changed = inner.changes();
    loop {
        let lines = inner.count_lines();
        {
            let mut seekers = inner.seekers();
            if seekers.permits(target, lines) {
                seekers.calling += 1;
                return Calling(inner.clone());
            }
        }
        if changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A number that nobody else draws.
fn drawn() -> u64 {
    getrandom::u64().unwrap_or_default()
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
            if inner.seekers().was_turned_away(&target) {
                sleep(limits::FULL_WAIT.mul_f64(1.0 + lot())).await;
            }
        }
        let calling = permit(&inner, &target).await;
        if peer.is_some_and(|peer| inner.has_line(&peer)) {
            continue;
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
        let reached = call.as_ref().and_then(|call| call.as_ref().ok());
        let reached = reached.map(|line| *line.peer());
        if inner.seekers().called(&target, reached) {
            inner.choose();
        }
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
        drop(calling);
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
