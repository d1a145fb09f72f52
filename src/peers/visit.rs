//! Calling on everybody once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::keeper::{Conversation, Heard, Keeper, Manner, Note};
use super::{Admission, Error, admission, finding, line, telling};
use crate::asking::PeerOutcome;
use crate::crdt::Stamp;
use crate::exchange::{self, Introduction, Scope, Stay, Us};
use crate::git::Repo;
use crate::net::{
    CALLED_ON, Company, DialError, Hub, HubEvent, Listen, LocalNetwork, Place, PublicKey, Settings,
    Sought, Target, Traffic, Until, Warning,
};
use crate::node::{self, Config, Discovery, Node, Trusted, crypto};
use crate::overlay::Knowledge;
use crate::store::{ContentDigest, Durability, Reading, Store};

/// For how long one who calls on everybody looks around on the local network, if nothing else is said: those who run answer
/// within a fifth of it.
pub(super) const LOOK_AROUND: Duration = Duration::from_millis(1_200);

/// For how long it waits in all.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// For how long it waits for a git remote.
pub(super) const FAR_PATIENCE: Duration = Duration::from_secs(60);

/// For how long the others' hearing that we leave is awaited when the time is over.
const LAST_WORD: Duration = Duration::from_millis(100);

/// Who is to be called on, and how.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// Only this one, by address or by name; all who can be found where nobody is named.
    pub peer: Option<String>,
    /// How others are found; as the configuration says where there is nothing.
    pub discovery: Option<Discovery>,
    /// Whether everything is said anew.
    pub everything: bool,
    /// How long to wait for all; if nothing is said, those who show themselves at once are enough.
    pub timeout: Option<Duration>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Called {
    /// Those who were reached, and those who were named and not reached.
    pub peers: Vec<Peer>,
    /// What people should know.
    pub notes: Vec<String>,
    /// What they may want to try where nobody was found.
    pub hint: Option<String>,
    /// Whether edits came that were not known.
    pub learned: bool,
}

/// What was said with one peer.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// Its node's name; the address where nobody was reached.
    pub node: String,
    /// What it is called.
    pub name: String,
    /// How many edits went out.
    pub sent: usize,
    /// How many came in that were not known.
    pub received: usize,
    /// How many uncommitted edits that were made here it does not know afterwards: it did not take them, or we may not send them.
    pub kept: usize,
    /// What went over the lines.
    pub traffic: Traffic,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl Peer {
    /// The same as it is told to commands.
    pub(crate) fn outcome(&self) -> PeerOutcome {
        PeerOutcome {
            node: self.node.clone(),
            name: self.name.clone(),
            sent: self.sent,
            received: self.received,
            kept: self.kept,
            bytes_sent: self.traffic.sent,
            bytes_received: self.traffic.received,
            udp_bytes_sent: self.traffic.udp_sent,
            udp_bytes_received: self.traffic.udp_received,
            ms: self.took.as_millis() as u64,
            error: self.error.clone(),
        }
    }
}

/// Says to the others what they do not know, and hears what they know more. Nothing is shown in the files yet. `hear` is told of
/// what happens.
///
/// # Errors
/// When there is nobody of the name that was given, or this work tree has no key or no network.
pub fn visit(repo: &Repo, visit: &Visit, mut hear: impl FnMut(&Heard)) -> Result<Called, Error> {
    let Some(node) = Node::load(repo.git_dir())? else {
        return Ok(Called::default());
    };
    let mut store = Store::open(repo.git_dir())?.store;
    let trusted = admission::trusted(repo, &node, &mut store)?;
    let mut called = Called {
        notes: trusted.problems.clone(),
        ..Called::default()
    };
    if trusted.others.is_empty() {
        return match &visit.peer {
            Some(name) => Err(Error::Nobody(name.clone())),
            None => Ok(called),
        };
    }
    let config = Config::in_work_tree(repo)?;
    let discovery = visit.discovery.unwrap_or(config.discovery);
    let manner = manner(repo, &mut store, &node, &trusted, Stay::UntilDone)?;
    let manner = match visit.everything {
        true => Manner {
            config: exchange::Config {
                scope: Scope::Everything,
                ..manner.config
            },
            ..manner
        },
        false => manner,
    };
    let admission = Admission::new(node.key().public().to_bytes(), trusted);
    let everywhere = finding::everywhere(repo, &mut store, &admission, &config)?;
    let sought = match &visit.peer {
        Some(name) => finding::named(name, &everywhere, &admission)?,
        None if discovery == Discovery::Off => return Ok(called),
        None => everywhere,
    };
    let local = match (&visit.peer, discovery) {
        (Some(_), _) if !sought.places.is_empty() => None,
        (_, Discovery::Local) => Some(LocalNetwork::default()),
        _ => None,
    };
    let is_looking = local.is_some();
    let began = Instant::now();
    let patience = match discovery {
        // What those know who are not at hand comes through the git remote.
        Discovery::Git if visit.peer.is_none() => LOOK_AROUND,
        _ => PATIENCE,
    };
    let end = began + visit.timeout.unwrap_or(patience);
    let runtime = runtime()?;
    let called = runtime.block_on(async {
        let settings = Settings {
            listen: Listen::Anywhere,
            local,
        };
        let trust = std::sync::Arc::new(admission.clone());
        let (hub, mut events) = Hub::start(&settings, node.key(), trust)?;
        let (notes, noted) = mpsc::channel();
        let (heard, mut hearing) = tokio::sync::mpsc::unbounded_channel();
        let keeping = Keeper::begin(store, admission.clone(), hub.clone(), manner, heard, noted)?;
        let sought = Sought {
            until: Until::Met,
            ..once_each(sought)
        };
        let mut visiting = Visiting {
            waiting: targets(&sought),
            named: visit.peer.clone(),
            members: admission.keys().into_iter().collect(),
            sought: sought.clone(),
            ..Visiting::default()
        };
        hub.seek(sought);
        let look_around = match visit.timeout {
            Some(timeout) => began + timeout,
            None if is_looking => began + LOOK_AROUND,
            None => began,
        };
        loop {
            let now = Instant::now();
            let until = match visiting.is_content(is_looking) {
                true if visiting.has_met_all() || now >= look_around => break,
                true => look_around.min(end),
                false => end,
            };
            if now >= end {
                break;
            }
            let next = async {
                tokio::select! {
                    Some(event) = events.recv() => visiting.happened(event, &notes, &mut called),
                    Some(heard) = hearing.recv() => {
                        hear(&heard);
                        visiting.heard(heard, &mut called);
                    }
                }
            };
            let _ = timeout_at(until.into(), next).await;
            if std::mem::take(&mut visiting.is_to_call_again) {
                hub.seek(visiting.still_sought());
            }
        }
        let _ = notes.send(Note::Stop);
        // Who hears late that we leave does not keep us.
        let left = end.saturating_duration_since(Instant::now());
        hub.shutdown_within(left.max(LAST_WORD)).await;
        keeping.join().map_err(|_| Error::Keeper)??;
        while let Ok(heard) = hearing.try_recv() {
            hear(&heard);
            visiting.heard(heard, &mut called);
        }
        if is_looking && visiting.saw_nobody() {
            called.hint = Some(Warning::NobodyFound.to_string());
        }
        let mut store = Store::open(repo.git_dir())?.store;
        visiting.count_kept(&store.read()?)?;
        called.notes.extend(visiting.left_to_others());
        visiting.finish(&mut called, &admission);
        Ok(called)
    });
    // A name that is still being looked up keeps nobody.
    runtime.shutdown_background();
    called
}

/// Without the places at which peers are called anyway.
fn once_each(mut sought: Sought) -> Sought {
    let known: BTreeSet<SocketAddr> = sought.peers.values().flatten().copied().collect();
    sought.places.retain(|place| match place {
        Place::Address(address) => !address.parse().is_ok_and(|it| known.contains(&it)),
        Place::Sibling(_) => true,
    });
    sought
}

/// How far a visit is.
#[derive(Debug, Default)]
struct Visiting {
    /// Whom nobody has heard of yet.
    waiting: BTreeSet<Target>,
    /// Lines that are up.
    up: usize,
    sought: Sought,
    /// Conversations that go on, by the names of the nodes.
    begun: BTreeMap<String, Peer>,
    /// Conversations that were held.
    over: BTreeMap<PublicKey, Peer>,
    /// Conversations that broke off once, and are tried again.
    broken: BTreeMap<PublicKey, Peer>,
    /// Whether somebody has to be called again.
    is_to_call_again: bool,
    /// Whether somebody showed itself on the local network.
    saw_somebody: bool,
    members: BTreeSet<PublicKey>,
    unreached: BTreeMap<Target, DialError>,
    named: Option<String>,
}

impl Visiting {
    /// Whether nothing is under way. One who is looked for on the local network may still show itself.
    fn is_content(&self, is_looking: bool) -> bool {
        if self.has_met_enough() {
            return self.up == 0;
        }
        let waits = self.waiting.iter().any(|target| match target {
            Target::Peer(_) => !is_looking && !self.unreached.contains_key(target),
            Target::Place(_) => true,
        });
        self.up == 0 && !waits
    }

    /// Whether so many of many were talked to that the others need not be called on.
    fn has_met_enough(&self) -> bool {
        let done = self.over.values().filter(|peer| peer.error.is_none());
        self.named.is_none() && self.sought.company == Company::Many && done.count() >= CALLED_ON
    }

    /// Whether everybody was talked to who is to be.
    fn has_met_all(&self) -> bool {
        if self.has_met_enough() {
            return true;
        }
        match &self.named {
            Some(_) => {
                !self.over.is_empty() || !self.unreached.is_empty() && self.waiting.is_empty()
            }
            None => self.members.iter().all(|key| self.over.contains_key(key)),
        }
    }

    fn happened(&mut self, event: HubEvent, notes: &mpsc::Sender<Note>, called: &mut Called) {
        match event {
            HubEvent::Up(line) => {
                self.up += 1;
                self.waiting.remove(&Target::Peer(*line.gauge().peer()));
                line::carry(line, notes.clone());
            }
            HubEvent::Unreached(target, error) => {
                self.waiting.remove(&target);
                // Who refused us once does not answer for a while: that says less.
                let is_refused = self.unreached.get(&target).is_some_and(telling::is_refusal);
                let is_ourselves = error == DialError::Ourselves && self.named.is_none();
                if !is_ourselves && !is_refused {
                    self.unreached.insert(target, error);
                }
            }
            HubEvent::Discovered(..) => self.saw_somebody = true,
            // That is said in the end.
            HubEvent::Down(..) | HubEvent::Knocked(_) | HubEvent::Warning(Warning::NobodyFound) => {
            }
            HubEvent::Warning(warning) => called.notes.push(warning.to_string()),
        }
    }

    fn heard(&mut self, heard: Heard, called: &mut Called) {
        match heard {
            Heard::Over(conversation) => {
                self.up = self.up.saturating_sub(1);
                self.waiting
                    .retain(|target| !matches!(target, Target::Place(_)));
                self.note(&conversation);
            }
            Heard::Met { peer, .. } => {
                let begun = self.begun.entry(peer.id.to_string()).or_default();
                begun.node = peer.id.to_string();
                begun.name = peer.name;
            }
            Heard::Learned { peer, edits } => {
                called.learned = true;
                if let Some(begun) = self.begun.get_mut(&peer.id.to_string()) {
                    begun.received += edits;
                }
            }
            Heard::Told { peer, what } => called.notes.push(format!("{}: {what}", peer.name)),
            Heard::Failed(error) => called.notes.push(error.to_string()),
            _ => {}
        }
    }

    fn note(&mut self, conversation: &Conversation) {
        if conversation.is_double && !conversation.in_step {
            return;
        }
        let key = conversation.key;
        let node = conversation.peer.id.to_string();
        self.begun.remove(&node);
        let broke = conversation.error.is_some() && !conversation.in_step;
        let peer = match broke && !self.broken.contains_key(&key) && self.may_call_again(&key) {
            true => self.broken.entry(key).or_default(),
            false => self.over.entry(key).or_default(),
        };
        peer.node = node;
        peer.name.clone_from(&conversation.peer.name);
        peer.sent += conversation.sent;
        peer.received += conversation.received;
        peer.traffic = peer.traffic + conversation.traffic;
        peer.took = peer.took.max(conversation.took);
        peer.error.clone_from(&conversation.error);
    }

    /// Whether there is a place at which one whose conversation broke off can be called; that is done then.
    fn may_call_again(&mut self, key: &PublicKey) -> bool {
        let again: BTreeSet<Target> = targets(&self.sought)
            .into_iter()
            .filter(|target| match target {
                Target::Peer(peer) => peer == key,
                Target::Place(_) => self.named.is_some(),
            })
            .collect();
        self.is_to_call_again = !again.is_empty();
        self.waiting.extend(again);
        self.is_to_call_again
    }

    /// Who is to be called still.
    fn still_sought(&self) -> Sought {
        let mut sought = self.sought.clone();
        sought.peers.retain(|key, _| !self.over.contains_key(key));
        let waits = |place: &Place| self.waiting.contains(&Target::Place(place.clone()));
        sought.places.retain(waits);
        sought
    }

    /// What is told where not everybody was called on.
    fn left_to_others(&self) -> Option<String> {
        let (met, members) = (self.over.len(), self.members.len());
        (self.has_met_enough() && met < members).then(|| {
            format!("{met} of {members} members were called on; the others hear it from them")
        })
    }

    /// Whether nobody was reached whoever it was, nor seen.
    fn saw_nobody(&self) -> bool {
        let is_refused = self.unreached.values().any(telling::is_refusal);
        self.named.is_none()
            && !self.saw_somebody
            && !is_refused
            && self.over.is_empty()
            && self.broken.is_empty()
            && self.begun.is_empty()
    }

    /// Counts what those with whom all was said lack of what people see only here.
    fn count_kept(&mut self, reading: &Reading<'_>) -> Result<(), Error> {
        let uncommitted = reading.uncommitted()?;
        for known in reading.peers()? {
            if let Some(peer) = self.over.get_mut(&known.key)
                && let Some(there) = known.knowledge.filter(|_| peer.error.is_none())
            {
                peer.kept = lacking(&there, &uncommitted);
            }
        }
        Ok(())
    }

    /// Those who were talked to, those who refuse us, and who was named and not reached.
    fn finish(self, called: &mut Called, admission: &Admission) {
        for (target, error) in &self.unreached {
            if let Target::Peer(key) = target
                && telling::is_refusal(error)
                && !self.over.contains_key(key)
                && let Some(peer) = admission.of(key)
            {
                called.peers.push(Peer {
                    node: peer.id.to_string(),
                    name: peer.name,
                    error: Some(error.to_string()),
                    ..Peer::default()
                });
            }
        }
        // What went on when the time was over was not finished.
        for (node, peer) in self.begun {
            let is_it = |other: &Peer| other.node == node;
            if !self.over.values().any(is_it) && !self.broken.values().any(is_it) {
                let error = "it was not done in time: `--timeout SECONDS` gives it more".to_owned();
                called.peers.push(Peer {
                    error: Some(error),
                    ..peer
                });
            }
        }
        for (key, peer) in self.broken {
            if !self.over.contains_key(&key) {
                called.peers.push(peer);
            }
        }
        called.peers.extend(self.over.into_values());
        let Some(named) = self.named.filter(|_| called.peers.is_empty()) else {
            return;
        };
        let error = self.unreached.into_values().next();
        called.peers.push(Peer {
            node: named,
            error: Some(error.unwrap_or(DialError::NoAnswer).to_string()),
            ..Peer::default()
        });
    }
}

/// How many of these edits somebody lacks who knows so much.
pub(super) fn lacking(there: &Knowledge, edits: &[Stamp]) -> usize {
    let lacks = |stamp: &&Stamp| {
        let chain = there.get(&stamp.replica());
        !chain.is_some_and(|chain| chain.contains(**stamp))
    };
    edits.iter().filter(lacks).count()
}

fn targets(sought: &Sought) -> BTreeSet<Target> {
    let known = sought
        .peers
        .iter()
        .filter(|(_, addresses)| !addresses.is_empty());
    let peers = known.map(|(key, _)| Target::Peer(*key));
    let is_address = |place: &&Place| matches!(place, Place::Address(_));
    let places = sought.places.iter().filter(is_address);
    peers.chain(places.cloned().map(Target::Place)).collect()
}

/// How this work tree talks.
pub(super) fn manner(
    repo: &Repo,
    store: &mut Store,
    node: &Node,
    trusted: &Trusted,
    stay: Stay,
) -> Result<Manner, Error> {
    admission::prove(store, node, trusted)?;
    let us = Us {
        introduction: introduction(node)?,
        boot: node::random()?,
        roots: roots(repo, store)?,
        access: admission::own_access(trusted),
        stay,
    };
    let committed = Config::at_head(repo)?;
    let config = exchange::Config {
        ahead: committed.allowed_skew_millis(),
        ..exchange::Config::new(crypto())
    };
    Ok(Manner {
        us,
        config,
        looks: None,
        calls: None,
    })
}

/// Who a node is now.
pub(super) fn introduction(node: &Node) -> Result<Introduction, Error> {
    let clock = node.clock()?;
    Ok(Introduction {
        key: node.key().public().to_bytes(),
        incarnation: clock.incarnation(),
        replica: clock.replica(),
    })
}

/// The commits that the history begins with. They are found once: no history gets another beginning.
pub(super) fn roots(
    repo: &Repo,
    store: &mut Store,
) -> Result<Vec<crate::overlay::CommitId>, Error> {
    let name = ContentDigest::of(b"the commits that the history begins with");
    let known = store.read()?.state(name)?.unwrap_or_default();
    let known: Vec<_> = known
        .chunks_exact(20)
        .filter_map(|bytes| {
            bytes
                .try_into()
                .ok()
                .map(crate::overlay::CommitId::from_bytes)
        })
        .collect();
    if !known.is_empty() {
        return Ok(known);
    }
    let roots = repo.roots()?;
    if !roots.is_empty() {
        let bytes: Vec<u8> = roots.iter().flat_map(|root| *root.as_bytes()).collect();
        let writing = store.write(Durability::Process)?;
        writing.keep_state(name, &bytes)?;
        writing.commit()?;
    }
    Ok(roots)
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().map_err(Error::Runtime)
}
