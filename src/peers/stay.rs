//! Staying among others until somebody ends it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::finding::Wanted;
use super::keeper::{Heard, Keeper, Manner, Note};
use super::meeting::hear_first;
use super::rounds::Looks;
use super::visit::{PATIENCE, manner, runtime};
use super::{Admission, Error, admission, line, meetings, telling};
#[cfg(unix)]
use crate::asking::Socket;
use crate::exchange::Stay;
use crate::git::{Patience, Prompts, Repo};
use crate::net::{
    DialError, Hub, HubEvent, Listen, LocalNetwork, Place, Settings, Target, address_left,
    leave_address, take_address,
};
use crate::node::{Config, Discovery, Node, Watch};
use crate::store::Store;

/// How long a round that is under way is waited for when somebody ends the program, and how often is looked whether it is over.
const LAST_ROUND: Duration = Duration::from_secs(3);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// How to stay.
#[derive(Clone, Debug, Default)]
pub struct Staying {
    /// Where to listen; at the port of the last time where nothing is said.
    pub listen: Option<SocketAddr>,
    /// Addresses at which somebody is.
    pub peers: Vec<String>,
    /// How others are found; as the configuration says where there is nothing.
    pub discovery: Option<Discovery>,
}

/// Records what is edited, says it to the others, and shows what they say, until `until` is done. `listening` is told where
/// this work tree listens, `hear` what happens, `warn` what people should know.
///
/// # Errors
/// When there is no key, no store or no network, or another program stays here already.
pub fn stay(
    repo: &Repo,
    staying: &Staying,
    until: impl Future<Output = ()>,
    listening: impl FnOnce(SocketAddr, &Node),
    mut hear: impl FnMut(Heard),
    mut warn: impl FnMut(String),
) -> Result<(), Error> {
    let (node, _) = Node::create(repo.git_dir())?;
    let Some(_watch) = Watch::begin(repo.git_dir())? else {
        return Err(Error::Watched(address_left(repo.git_dir())));
    };
    let config = Config::in_work_tree(repo)?;
    let discovery = staying.discovery.unwrap_or(config.discovery);
    if discovery == Discovery::Git {
        hear_first(repo, Prompts::None, Patience::of(PATIENCE))?;
    }
    let mut store = Store::open(repo.git_dir())?.store;
    let trusted = admission::trusted(repo, &node, &mut store)?;
    trusted.problems.iter().cloned().for_each(&mut warn);
    let wanted = Wanted {
        discovery,
        named: staying.peers.iter().cloned().map(Place::Address).collect(),
        published: BTreeMap::new(),
    };
    let manner = manner(repo, &mut store, &node, &trusted, Stay::On)?;
    let admission = Admission::new(node.key().public().to_bytes(), trusted);
    let sought = wanted.sought(repo, &mut store, &admission)?;
    let (notes, noted) = mpsc::channel();
    let manner = Manner {
        looks: Some(Looks {
            wanted,
            notes: notes.clone(),
        }),
        ..manner
    };
    let git_dir = repo.git_dir().to_path_buf();
    runtime()?.block_on(async {
        let settings = Settings {
            listen: staying.listen.map_or_else(|| port_of(&node), Listen::At),
            local: (discovery == Discovery::Local).then(LocalNetwork::default),
        };
        let (hub, mut events) = Hub::start(&settings, node.key(), Arc::new(admission.clone()))?;
        let address = hub.address();
        if let Err(error) = leave_address(&git_dir, address) {
            tracing::info!("siblings cannot find this work tree: {error}");
        }
        remember_port(&node, address.port());
        let (heard, mut hearing) = tokio::sync::mpsc::unbounded_channel();
        let calls = match discovery {
            Discovery::Git => Some(meetings::begin(address, notes.clone())?),
            _ => None,
        };
        let manner = Manner { calls, ..manner };
        let keeping = Keeper::begin(store, admission.clone(), hub.clone(), manner, heard, noted)?;
        let asking = listen_to_commands(repo, notes.clone());
        listening(address, &node);
        hub.seek(sought);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                Some(event) = events.recv() => match event {
                    HubEvent::Up(line) => line::carry(line, notes.clone()),
                    HubEvent::Warning(warning) => warn(warning.to_string()),
                    HubEvent::Unreached(target, error) => {
                        tracing::info!(?target, %error, "not reached");
                        if let Some(what) = unreached(&target, &error, &staying.peers, &admission) {
                            warn(what);
                        }
                        let _ = notes.send(Note::Unreached(target, error));
                    }
                    HubEvent::Knocked(knock) => {
                        // Without a keeper nobody answers.
                        let _ = notes.send(Note::Knocked(knock));
                    }
                    HubEvent::Down(..) | HubEvent::Discovered(..) => {}
                },
                heard = hearing.recv() => match heard {
                    Some(heard) => hear(heard),
                    None => break,
                },
            }
        }
        if let Some(asking) = asking {
            asking.abort();
            // The socket is gone before another one may stay.
            let _ = asking.await;
        }
        let _ = notes.send(Note::Stop);
        hub.shutdown().await;
        take_address(&git_dir, address);
        ended(keeping).await
    })
}

/// Waits for the keeper, but not long: what it is in the middle of stands or does not stand, as after a crash.
async fn ended(keeping: thread::JoinHandle<Result<(), Error>>) -> Result<(), Error> {
    let began = Instant::now();
    while !keeping.is_finished() {
        if began.elapsed() > LAST_ROUND {
            tracing::info!("a round was not waited for");
            return Ok(());
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    keeping.join().map_err(|_| Error::Keeper)?
}

/// Hands on to the keeper what commands ask, where they can.
#[cfg(unix)]
fn listen_to_commands(repo: &Repo, notes: mpsc::Sender<Note>) -> Option<JoinHandle<()>> {
    match Socket::open(repo) {
        Ok(socket) => Some(tokio::spawn(
            socket.serve(move |asked| notes.send(Note::Asked(asked)).is_ok()),
        )),
        Err(error) => {
            tracing::info!("commands cannot ask and work alone: {error}");
            None
        }
    }
}

#[cfg(not(unix))]
fn listen_to_commands(_: &Repo, _: mpsc::Sender<Note>) -> Option<JoinHandle<()>> {
    None
}

/// What people should know of one who was not reached: those who refuse us, and all whom the user named.
fn unreached(
    target: &Target,
    error: &DialError,
    named: &[String],
    admission: &Admission,
) -> Option<String> {
    match target {
        Target::Peer(key) if telling::is_refusal(error) => {
            Some(format!("{}: {error}", admission.of(key)?.name))
        }
        Target::Place(Place::Address(address)) if named.contains(address) => {
            Some(format!("{address}: {error}"))
        }
        _ => None,
    }
}

/// The port of the last time.
fn port_of(node: &Node) -> Listen {
    let text = std::fs::read_to_string(node.folder().join("port")).unwrap_or_default();
    text.trim()
        .parse()
        .map_or(Listen::Anywhere, Listen::Remembered)
}

fn remember_port(node: &Node, port: u16) {
    let path = node.folder().join("port");
    if let Err(error) = crate::git::replace(&path, format!("{port}\n").as_bytes()) {
        tracing::info!("{}: {error}", path.display());
    }
}
