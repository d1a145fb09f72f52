//! One exchange through the git remote: what others left there is taken (`meeting/taking.rs`), what is known more here is left there
//! (`meeting/leaving.rs`, and for others `meeting/relaying.rs`).

mod leaving;
mod relaying;
mod taking;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::requests::{ANSWER, REQUEST};
use super::shelf::Shelf;
use super::visit::introduction;
use super::{Admission, Error, admission};
use crate::asking::RemoteOutcome;
use crate::crdt::{Replica, Stamp};
use crate::git::{self, Outpost, Patience, Prompts, Repo, Tip};
use crate::net::PublicKey;
use crate::node::{Config, Node, NodeId, Trusted};
use crate::overlay::BlobId;
use crate::remote::{RECORD, Segment, VOUCHERS};
use crate::store::{self, ContentDigest, Durability, Moment, Reading, Store};

/// The folder of the repository beside the user's, in that of the work tree's state.
const OUTPOST: &str = "remote.git";

/// The file that lets one process at a time use it.
const LOCK: &str = "remote.lock";

/// How often somebody else may push under our name while we try to.
const TRIES: usize = 4;

/// Under which name it is kept when the remote was called on last.
const LAST_MET: &[u8] = b"when the git remote was called on last";

/// What is remembered of a ref: the files that were taken.
const SEEN: &str = "what was taken";

/// How the git remote is called on.
pub(super) struct Meeting<'m> {
    repo: &'m Repo,
    node: Node,
    trusted: Trusted,
    /// How far ahead of our clock edits may be, in milliseconds.
    ahead: u64,
    /// What the remote is called.
    remote: String,
    /// Where this node listens; nothing where it does not stay.
    listening: Option<Vec<SocketAddr>>,
    prompts: Prompts,
    /// How long each call of git may take.
    patience: Patience,
    share: Share,
}

/// What is done at the remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// What is there is taken, and what is not is left.
    TakesAndLeaves,
    /// What is there is taken.
    Takes,
}

/// What came of an exchange through the git remote.
#[derive(Clone, Debug, Default)]
pub struct Met {
    /// What the remote is called in this clone.
    pub remote: String,
    /// How many edits were left there that were not there before.
    pub sent: usize,
    /// How many came that were not known.
    pub received: usize,
    /// Bytes of the files that were left there.
    pub bytes_sent: u64,
    /// Bytes of the files that were read.
    pub bytes_received: u64,
    /// How long it took.
    pub took: Duration,
    /// The last call that it was made for.
    pub(super) call: u64,
    /// The last of our edits that is there now.
    pub(super) left: Option<Stamp>,
    /// The files of whose documents edits came.
    pub(super) files: Vec<PathBuf>,
    /// Answers to those who asked to be let in, by the files that hold them.
    pub(super) answers: BTreeMap<String, Vec<u8>>,
    /// Whether others are trusted than before.
    pub(super) trusts_others: bool,
    /// What people should know.
    pub notes: Vec<String>,
    /// Where those listen who are trusted and say so.
    pub addresses: BTreeMap<PublicKey, Vec<SocketAddr>>,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// Whether the one before it failed for the same reason.
    pub is_told: bool,
}

/// Exchanges edits through the git remote once, where others are found that way.
///
/// # Errors
/// When the work tree, its node or its store cannot be read. That the remote cannot be reached, or lets nobody write, is
/// told in the result.
pub fn meet(repo: &Repo, prompts: Prompts, patience: Patience) -> Result<Option<Met>, Error> {
    Meeting::hold(repo, None, prompts, patience, Share::TakesAndLeaves)
}

/// What others left at the git remote, where nothing is known here yet: who lost what they knew hears what others made of it before
/// what the files hold is taken for newly made. Nothing is left there, and that it failed is told when it is called on again.
///
/// # Errors
/// When the work tree, its node or its store cannot be read.
pub fn hear_first(repo: &Repo, prompts: Prompts, patience: Patience) -> Result<Option<Met>, Error> {
    if Store::path_in(repo.git_dir()).exists() {
        return Ok(None);
    }
    Meeting::hold(repo, None, prompts, patience, Share::Takes)
}

impl<'m> Meeting<'m> {
    /// One exchange; nothing where the work tree is no node's.
    pub(super) fn hold(
        repo: &'m Repo,
        listening: Option<Vec<SocketAddr>>,
        prompts: Prompts,
        patience: Patience,
        share: Share,
    ) -> Result<Option<Met>, Error> {
        let began = Instant::now();
        let Some(node) = Node::load(repo.git_dir())? else {
            return Ok(None);
        };
        let mut store = Store::open(repo.git_dir())?.store;
        let trusted = admission::trusted(repo, &node, &mut store)?;
        admission::prove(&mut store, &node, &trusted)?;
        let ahead = Config::at_head(repo)?.allowed_skew_millis();
        let config = Config::in_work_tree(repo)?;
        let own = node.key().public().to_bytes();
        let admission = Admission::new(own, trusted.clone());
        let mut shelf = Shelf::new(Repo::find()?, store, admission);
        let mut met = Met::default();
        let held = match repo.meeting_remote(config.remote.as_deref()) {
            Ok(remote) => {
                met.remote.clone_from(&remote);
                let meeting = Self {
                    repo,
                    node,
                    trusted,
                    ahead,
                    remote,
                    listening,
                    prompts,
                    patience,
                    share,
                };
                meeting.try_to_hold(&mut shelf, &mut met)
            }
            Err(error) => Err(error.into()),
        };
        met.error = held.err().map(|error| in_words(&error));
        met.took = began.elapsed();
        met.files = shelf.take_new();
        if share == Share::TakesAndLeaves
            && let Err(error) = log(&mut shelf.store, &mut met)
        {
            tracing::info!("{error}");
        }
        Ok(Some(met))
    }

    fn try_to_hold(&self, shelf: &mut Shelf, met: &mut Met) -> Result<(), Error> {
        let lock = self.node.folder().join(LOCK);
        let locked =
            git::lock(&lock, self.patience.limit()).map_err(|source| git::Error::Write {
                path: lock.clone(),
                source,
            })?;
        let Some(_locked) = locked else {
            return Err(Error::Git(git::Error::Held { path: lock }));
        };
        let mut outpost = Outpost::open(self.repo, self.node.folder().join(OUTPOST))?;
        if !outpost.mend()? {
            outpost = outpost.begin_anew()?;
        }
        let held = self.try_to_hold_at(&outpost, shelf, met);
        if held.is_ok() {
            outpost.tidy()?;
        }
        match held {
            // Nothing is lost with what is damaged there: it all comes from elsewhere.
            Err(Error::Git(error)) if !outpost.is_whole().unwrap_or(false) => {
                tracing::info!("the repository beside is made anew: {error}");
                outpost = outpost.begin_anew()?;
                self.try_to_hold_at(&outpost, shelf, met)
            }
            done => done,
        }
    }

    fn try_to_hold_at(
        &self,
        outpost: &Outpost<'_>,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<(), Error> {
        for attempt in 1..=TRIES {
            outpost.fetch(&self.remote, self.prompts, &self.patience)?;
            self.take(outpost, shelf, met)?;
            met.left = shelf
                .store
                .read()?
                .last_of(introduction(&self.node)?.replica)?;
            // A host may let a ref be seen or be pushed, and not both: that looks as if somebody were faster each time.
            let evades = attempt == TRIES;
            if self.share == Share::Takes || self.leave(outpost, evades, shelf, met)? {
                return Ok(());
            }
        }
        Err(Error::Overtaken(self.remote.clone()))
    }

    /// The file with the answer to a node that asked to be let in.
    fn answer_name(&self, node: NodeId) -> String {
        format!("{ANSWER}{node}")
    }

    /// The files of a ref that were taken.
    fn seen(&self, tip: &Tip, shelf: &mut Shelf) -> Result<BTreeSet<BlobId>, Error> {
        Ok(blobs(shelf.store.read()?.state(self.name(SEEN, tip))?))
    }

    fn note_seen(
        &self,
        tip: &Tip,
        seen: &BTreeSet<BlobId>,
        shelf: &mut Shelf,
    ) -> Result<(), Error> {
        self.keep(self.name(SEEN, tip), seen, shelf)
    }

    fn keep(
        &self,
        name: ContentDigest,
        blobs: &BTreeSet<BlobId>,
        shelf: &mut Shelf,
    ) -> Result<(), Error> {
        let bytes: Vec<u8> = blobs.iter().flat_map(|blob| *blob.as_bytes()).collect();
        let writing = shelf.store.write(Durability::Process)?;
        writing.keep_state(name, &bytes)?;
        Ok(writing.commit()?)
    }

    /// Under which name it is remembered what a replica left there.
    fn left_name(&self, replica: Replica) -> ContentDigest {
        ContentDigest::of(format!("what {replica} left at {}", self.remote).as_bytes())
    }

    /// Under which name it is remembered what a replica is about to leave there.
    fn about_to_leave_name(&self, replica: Replica) -> ContentDigest {
        let name = format!("what {replica} is about to leave at {}", self.remote);
        ContentDigest::of(name.as_bytes())
    }

    /// Under which name something is remembered of a ref.
    fn name(&self, what: &str, tip: &Tip) -> ContentDigest {
        let there = tip.namespace.there(&tip.name);
        ContentDigest::of(format!("{what} of {there} at {}", self.remote).as_bytes())
    }
}

/// When the git remote was called on last, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMet {
    /// What it is called.
    pub remote: String,
    /// When.
    pub at: Moment,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// When the git remote was called on last; nothing where it never was.
///
/// # Errors
/// When the store cannot be read.
pub fn last_met(reading: &Reading<'_>) -> Result<Option<LastMet>, store::Error> {
    let state = reading.state(ContentDigest::of(LAST_MET))?;
    // What cannot be read says as much as nothing does.
    Ok(state.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
}

/// What this work tree left at the git remote, as far as is known here: the name of the remote, and that of the ref there.
///
/// # Errors
/// When the repository cannot be read.
pub fn left_there(repo: &Repo) -> Result<Option<(String, String)>, Error> {
    let Some(node) = Node::load(repo.git_dir())? else {
        return Ok(None);
    };
    let folder = node.folder().join(OUTPOST);
    let config = Config::in_work_tree(repo)?;
    let (true, Ok(remote)) = (
        folder.is_dir(),
        repo.meeting_remote(config.remote.as_deref()),
    ) else {
        return Ok(None);
    };
    let name = node.clock()?.replica().to_string();
    let mut tips = Outpost::open(repo, folder)?.tips()?.into_iter();
    let own = tips.find(|tip| tip.name == name);
    Ok(own.map(|tip| (remote, tip.namespace.there(&tip.name))))
}

/// Notes what happened for those who ask later: each failure once, until it is another one.
fn log(store: &mut Store, met: &mut Met) -> Result<(), store::Error> {
    let last = LastMet {
        remote: met.remote.clone(),
        at: Moment::now(),
        error: met.error.clone(),
    };
    let before = last_met(&store.read()?)?.and_then(|before| before.error);
    met.is_told = met.error.is_some() && before == met.error;
    let what = match &met.error {
        Some(error) => (!met.is_told).then(|| error.clone()),
        None if met.sent + met.received > 0 => {
            Some(format!("left {}, got {}", met.sent, met.received))
        }
        None => before.map(|_| "is there again".to_owned()),
    };
    let writing = store.write(Durability::Process)?;
    if let Ok(bytes) = postcard::to_stdvec(&last) {
        writing.keep_state(ContentDigest::of(LAST_MET), &bytes)?;
    }
    if let Some(what) = what {
        writing.note(&store::Event {
            at: last.at,
            key: None,
            what: format!("git remote {}: {what}", met.remote),
        })?;
    }
    writing.commit()
}

impl Met {
    /// The same as it is told to commands.
    pub(crate) fn outcome(&self) -> RemoteOutcome {
        RemoteOutcome {
            name: self.remote.clone(),
            sent: self.sent,
            received: self.received,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            error: self.error.clone(),
        }
    }

    /// What came of this one and of one before it.
    pub fn after(self, first: Self) -> Self {
        Self {
            received: first.received + self.received,
            bytes_received: first.bytes_received + self.bytes_received,
            took: first.took + self.took,
            ..self
        }
    }

    /// Tells people something, once.
    fn note(&mut self, what: String) {
        if !self.notes.contains(&what) {
            self.notes.push(what);
        }
    }
}

/// Whose edits a file of a ref has; nothing where it has none.
fn made_by(name: &str) -> Option<Replica> {
    let segment = name.parse::<Segment>().ok()?;
    Some(segment.first.replica())
}

/// Whether a file of a ref is one that this program leaves there: whatever else somebody put there is nobody's business.
fn is_ours(name: &str) -> bool {
    let is_named = [RECORD, VOUCHERS, REQUEST].contains(&name) || name.starts_with(ANSWER);
    is_named || made_by(name).is_some()
}

/// Names of files, as they are remembered.
fn blobs(state: Option<Vec<u8>>) -> BTreeSet<BlobId> {
    let state = state.unwrap_or_default();
    let blobs = state.chunks_exact(20);
    let blobs = blobs.filter_map(|bytes| bytes.try_into().ok());
    blobs.map(BlobId::from_bytes).collect()
}

/// An error and its causes in one line.
pub(super) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
