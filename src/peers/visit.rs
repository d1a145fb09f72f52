//! Calling on everybody once.

use std::collections::{BTreeMap, BTreeSet};
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
    DialError, Hub, HubEvent, Listen, LocalNetwork, PublicKey, Settings, Target, Traffic,
};
use crate::node::{self, Config, Discovery, Node, Trusted, replica_of};
use crate::overlay::Knowledge;
use crate::store::{ContentDigest, Durability, Reading, Store};

/// For how long one who calls on everybody looks around on the local network, if nothing else is said: those who run answer
/// within a fifth of it.
pub(super) const LOOK_AROUND: Duration = Duration::from_millis(1_200);

/// For how long it waits in all.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

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
    let admission = Admission::default();
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
    admission.set(trusted.others);
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
    let runtime = runtime()?;
    runtime.block_on(async {
        let settings = Settings {
            listen: Listen::Anywhere,
            local,
        };
        let trust = std::sync::Arc::new(admission.clone());
        let (hub, mut events) = Hub::start(&settings, node.key(), trust)?;
        let (notes, noted) = mpsc::channel();
        let (heard, mut hearing) = tokio::sync::mpsc::unbounded_channel();
        let keeping = Keeper::begin(store, admission.clone(), hub.clone(), manner, heard, noted)?;
        let mut visiting = Visiting {
            waiting: targets(&sought),
            named: visit.peer.clone(),
            members: admission.keys().into_iter().collect(),
            ..Visiting::default()
        };
        hub.seek(sought);
        let began = Instant::now();
        let end = began + visit.timeout.unwrap_or(PATIENCE);
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
        }
        let _ = notes.send(Note::Stop);
        hub.shutdown().await;
        // The lines went with the hub; what the keeper still had to say nobody hears.
        keeping.join().map_err(|_| Error::Keeper)??;
        let mut store = Store::open(repo.git_dir())?.store;
        visiting.count_kept(&store.read()?)?;
        visiting.finish(&mut called, &admission);
        Ok(called)
    })
}

/// How far a visit is.
#[derive(Debug, Default)]
struct Visiting {
    /// Whom nobody has heard of yet.
    waiting: BTreeSet<Target>,
    /// Lines that are up.
    up: usize,
    /// Conversations that were held.
    over: BTreeMap<PublicKey, Peer>,
    members: BTreeSet<PublicKey>,
    unreached: BTreeMap<Target, DialError>,
    named: Option<String>,
}

impl Visiting {
    /// Whether nothing is under way. One who is looked for on the local network may still show itself.
    fn is_content(&self, is_looking: bool) -> bool {
        let waits = self.waiting.iter().any(|target| match target {
            Target::Peer(_) => !is_looking && !self.unreached.contains_key(target),
            Target::Place(_) => true,
        });
        self.up == 0 && !waits
    }

    /// Whether everybody was talked to.
    fn has_met_all(&self) -> bool {
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
                if !matches!(error, DialError::Ourselves) && !is_refused {
                    self.unreached.insert(target, error);
                }
            }
            HubEvent::Warning(warning) => called.notes.push(warning.to_string()),
            HubEvent::Down(..) | HubEvent::Discovered(..) => {}
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
            Heard::Learned { .. } => called.learned = true,
            Heard::Told { peer, what } => called.notes.push(format!("{}: {what}", peer.name)),
            Heard::Failed(error) => called.notes.push(error.to_string()),
            Heard::Met { .. } | Heard::InStep { .. } | Heard::Round(_) | Heard::Sight(_) => {}
        }
    }

    fn note(&mut self, conversation: &Conversation) {
        if conversation.is_double && !conversation.in_step {
            return;
        }
        let peer = self.over.entry(conversation.key).or_default();
        peer.node = conversation.peer.id.to_string();
        peer.name.clone_from(&conversation.peer.name);
        peer.sent += conversation.sent;
        peer.received += conversation.received;
        peer.traffic = peer.traffic + conversation.traffic;
        peer.took = peer.took.max(conversation.took);
        peer.error.clone_from(&conversation.error);
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

fn targets(sought: &crate::net::Sought) -> BTreeSet<Target> {
    let known = sought
        .peers
        .iter()
        .filter(|(_, addresses)| !addresses.is_empty());
    let peers = known.map(|(key, _)| Target::Peer(*key));
    let is_address = |place: &&crate::net::Place| matches!(place, crate::net::Place::Address(_));
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
    let clock = node.clock()?;
    let introduction = Introduction {
        key: node.key().public().to_bytes(),
        incarnation: clock.incarnation(),
        replica: clock.replica(),
    };
    drop(clock);
    let us = Us {
        introduction,
        boot: node::random()?,
        roots: roots(repo, store)?,
        access: admission::own_access(trusted),
        stay,
    };
    let committed = Config::at_head(repo)?;
    let config = exchange::Config {
        ahead: committed.allowed_skew_millis(),
        ..exchange::Config::new(replica_of)
    };
    Ok(Manner {
        us,
        config,
        looks: None,
    })
}

/// The commits that the history begins with. They are found once: no history gets another beginning.
fn roots(repo: &Repo, store: &mut Store) -> Result<Vec<crate::overlay::CommitId>, Error> {
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
