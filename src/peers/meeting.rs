//! One exchange through the git remote: what others left there is taken, what is known more here is left there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::joining::{Joiner, answer_request, list_who_joined, refusal};
use super::requests::{self, ANSWER, REQUEST};
use super::shelf::Shelf;
use super::{Admission, Error, admission, ruling, telling};
use crate::asking::RemoteOutcome;
use crate::crdt::{Replica, Stamp};
use crate::exchange::{Introduction, Shelf as _, take_written, write_down};
use crate::git::{self, Namespace, Outpost, Piece, Prompts, Pushed, Repo, Tip};
use crate::net::PublicKey;
use crate::node::{Config, LONGEST_REQUEST, Node, NodeId, Role, Trusted, Verdict, crypto};
use crate::overlay::BlobId;
use crate::remote::{PeerRecord, RECORD, Segment, packed, to_join, unpacked};
use crate::store::{self, ContentDigest, Durability, Moment, Reading, Store};

/// The folder of the repository beside the user's, in that of the work tree's state.
const OUTPOST: &str = "remote.git";

/// The file that lets one process at a time use it.
const LOCK: &str = "remote.lock";

/// How often somebody else may push under our name while we try to.
const TRIES: usize = 4;

/// Commits of a ref before they are squashed. Each keeps what it replaced on the host; a squash costs readers nothing, as
/// the files stay the same.
const LONGEST_CHAIN: usize = 32;

/// How long a record of where a node listens counts; it is written anew when half of that is over.
const RECORD_COUNTS: Duration = Duration::from_secs(24 * 3_600);

/// How long others may take us to know what we knew then.
const MARKS_COUNT: Duration = Duration::from_secs(600);

/// A segment that is longer than this, in bytes, nobody wrote who keeps to the format.
const LONGEST_SEGMENT: usize = 64 << 20;

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
    limit: Duration,
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
pub fn meet(repo: &Repo, prompts: Prompts, limit: Duration) -> Result<Option<Met>, Error> {
    let meeting = Meeting::of(repo, None, prompts, limit)?;
    meeting.map(Meeting::hold).transpose()
}

impl<'m> Meeting<'m> {
    /// An exchange for a work tree; nothing where that is no node's.
    pub(super) fn of(
        repo: &'m Repo,
        listening: Option<Vec<SocketAddr>>,
        prompts: Prompts,
        limit: Duration,
    ) -> Result<Option<Self>, Error> {
        let Some(node) = Node::load(repo.git_dir())? else {
            return Ok(None);
        };
        let mut store = Store::open(repo.git_dir())?.store;
        let trusted = admission::trusted(repo, &node, &mut store)?;
        Ok(Some(Self {
            repo,
            node,
            trusted,
            ahead: Config::at_head(repo)?.allowed_skew_millis(),
            remote: String::new(),
            listening,
            prompts,
            limit,
        }))
    }

    /// Takes what is there and leaves what is not.
    pub(super) fn hold(mut self) -> Result<Met, Error> {
        let began = Instant::now();
        let mut store = Store::open(self.repo.git_dir())?.store;
        admission::prove(&mut store, &self.node, &self.trusted)?;
        let own = self.node.key().public().to_bytes();
        let admission = Admission::new(own, self.trusted.clone());
        let mut shelf = Shelf::new(Repo::find()?, store, admission);
        let mut met = Met::default();
        let config = Config::in_work_tree(self.repo)?;
        let held = match self.repo.meeting_remote(config.remote.as_deref()) {
            Ok(remote) => {
                met.remote.clone_from(&remote);
                self.remote = remote;
                self.try_to_hold(&mut shelf, &mut met)
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = held {
            met.error = Some(in_words(&error));
        }
        met.took = began.elapsed();
        met.files = shelf.take_new();
        if let Err(error) = log(&mut shelf.store, &mut met) {
            tracing::info!("{error}");
        }
        Ok(met)
    }

    fn try_to_hold(&self, shelf: &mut Shelf, met: &mut Met) -> Result<(), Error> {
        let lock = self.node.folder().join(LOCK);
        let locked = git::lock(&lock, self.limit).map_err(|source| git::Error::Write {
            path: lock.clone(),
            source,
        })?;
        let Some(_locked) = locked else {
            return Err(Error::Git(git::Error::Held { path: lock }));
        };
        let mut outpost = Outpost::open(self.repo, self.node.folder().join(OUTPOST))?;
        match self.try_to_hold_at(&outpost, shelf, met) {
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
        for _ in 0..TRIES {
            outpost.fetch(&self.remote, self.prompts, self.limit)?;
            self.take(outpost, shelf, met)?;
            met.left = shelf.store.read()?.last_of(self.introduction()?.replica)?;
            if self.leave(outpost, shelf, met)? {
                return Ok(());
            }
        }
        Err(Error::Overtaken(self.remote.clone()))
    }

    /// Takes what others left there since it was looked at last.
    fn take(&self, outpost: &Outpost<'_>, shelf: &mut Shelf, met: &mut Met) -> Result<(), Error> {
        for tip in outpost.tips()? {
            let Ok(replica) = tip.name.parse::<Replica>() else {
                continue;
            };
            let pieces = outpost.pieces(tip.commit)?;
            if let Some(record) = pieces.get(RECORD) {
                self.note_record(&outpost.content(record.blob)?, &tip, shelf, met)?;
            }
            if let Some(request) = pieces.get(REQUEST) {
                self.answer(outpost, *request, shelf, met)?;
            }
            if let Some(answer) = pieces.get(&self.answer_name(self.node.id())) {
                self.take_answer(outpost, *answer, shelf, met)?;
            }
            let mut seen = self.seen(&tip, shelf)?;
            let before = seen.clone();
            for (name, piece) in &pieces {
                let Ok(segment) = name.parse::<Segment>() else {
                    continue;
                };
                if seen.contains(&piece.blob) {
                    continue;
                }
                match self.take_segment(outpost, segment, *piece, shelf, met)? {
                    Ok(()) => {
                        seen.insert(piece.blob);
                    }
                    Err(why) => met.note(format!("what {replica} left at {}: {why}", self.remote)),
                }
            }
            seen.retain(|blob| pieces.values().any(|piece| piece.blob == *blob));
            if seen != before {
                self.note_seen(&tip, &seen, shelf)?;
            }
        }
        Ok(())
    }

    /// The file with the answer to a node that asked to be let in.
    fn answer_name(&self, node: NodeId) -> String {
        format!("{ANSWER}{node}")
    }

    /// Lets in who asks this node and was invited by it.
    fn answer(
        &self,
        outpost: &Outpost<'_>,
        request: Piece,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<(), Error> {
        if request.size > LONGEST_REQUEST {
            return Ok(());
        }
        let request = outpost.content(request.blob)?;
        let Some(node) = requests::asks(&request, self.node.key()) else {
            return Ok(());
        };
        let (verdict, joiner) = answer_request(self.repo, &mut shelf.store, &request, None)?;
        let answer = requests::answer(&verdict, &request, self.node.key());
        met.answers.insert(self.answer_name(node), answer);
        if let Some(Joiner { name, role, .. }) = joiner {
            list_who_joined(self.repo, &mut shelf.store)?;
            met.trusts_others = true;
            met.note(format!(
                "{name} joined as {}; for everybody once it is committed: git commit .rhema/crdt/members.yaml",
                role.name()
            ));
        }
        Ok(())
    }

    /// Takes the answer to what this node asked.
    fn take_answer(
        &self,
        outpost: &Outpost<'_>,
        answer: Piece,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<(), Error> {
        let pending = requests::pending(&shelf.store.read()?)?;
        let Some(pending) = pending.filter(|_| answer.size <= LONGEST_REQUEST) else {
            return Ok(());
        };
        let answer = outpost.content(answer.blob)?;
        let store = &mut shelf.store;
        let verdict = requests::take_answer(self.repo, store, &self.node, &pending, &answer)?;
        match verdict {
            Some(Verdict::Welcome { role, name }) => {
                met.trusts_others = true;
                met.note(format!(
                    "{name} let this work tree in as {}: the others do once {name} has committed that and they have pulled it",
                    role.name()
                ));
            }
            Some(other) => met.note(format!(
                "this work tree was not let in: {}",
                refusal(&other)
            )),
            None => {}
        }
        Ok(())
    }

    /// Puts what this node asks and answers among its files; says whether that is anything else than before.
    fn leave_letters(
        &self,
        outpost: &Outpost<'_>,
        pieces: &mut BTreeMap<String, Piece>,
        shelf: &mut Shelf,
        met: &Met,
    ) -> Result<bool, Error> {
        let is_letter = |name: &str| name == REQUEST || name.starts_with(ANSWER);
        let mut letters = BTreeMap::new();
        for (name, answer) in &met.answers {
            letters.insert(name.clone(), outpost.keep(answer)?);
        }
        if let Some(pending) = requests::pending(&shelf.store.read()?)? {
            letters.insert(REQUEST.to_owned(), outpost.keep(&pending.request)?);
        }
        let (before, others): (BTreeMap<_, _>, _) = std::mem::take(pieces)
            .into_iter()
            .partition(|(name, _)| is_letter(name));
        *pieces = others;
        pieces.extend(letters.clone());
        Ok(before != letters)
    }

    fn take_segment(
        &self,
        outpost: &Outpost<'_>,
        segment: Segment,
        piece: Piece,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<Result<(), String>, Error> {
        if !segment.is_readable() {
            let version = segment.version;
            return Ok(Err(format!(
                "it is written in version {version} of the protocol, which this program does not know: a newer one does"
            )));
        }
        if piece.size > LONGEST_SEGMENT {
            return Ok(Err(format!("{} bytes are too long for it", piece.size)));
        }
        let content = outpost.content(piece.blob)?;
        met.bytes_received += content.len() as u64;
        let mut damage = None;
        let messages =
            unpacked(&content).map_while(|said| said.map_err(|it| damage = Some(it)).ok());
        let now = Moment::now().unix_millis();
        let taken = take_written(messages, &crypto(), now, self.ahead, shelf)?;
        let taken = match (taken, damage) {
            (Ok(taken), None) => taken,
            (Ok(_), Some(malformed)) => return Ok(Err(malformed.to_string())),
            (Err(violation), _) => return Ok(Err(violation.to_string())),
        };
        met.received += taken.added.new;
        for refusal in &taken.refused {
            ruling::note(&mut shelf.store, refusal);
        }
        Ok(match taken.refused.first() {
            None => Ok(()),
            Some(refusal) => Err(format!("not taken: {}", telling::reason(refusal))),
        })
    }

    /// Where somebody listens and what they know, if that is somebody who is trusted.
    fn note_record(
        &self,
        bytes: &[u8],
        tip: &Tip,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<(), Error> {
        let record = match PeerRecord::read(bytes) {
            Ok(record) => record,
            Err(unreadable) => {
                met.note(format!(
                    "where {} can be reached, as {} has it: {unreadable}",
                    tip.name, self.remote
                ));
                return Ok(());
            }
        };
        let Some(peer) = self.trusted.others.get(&record.key) else {
            return Ok(());
        };
        let now = Moment::now().unix_millis();
        if record.expires > now {
            let addresses = met.addresses.entry(record.key).or_default();
            addresses.extend(record.addresses);
        }
        let name = self.name("the newest record", tip);
        let newest = shelf.store.read()?.state(name)?;
        let newest = newest.and_then(|bytes| bytes.try_into().ok());
        let newest = newest.map_or(0, u64::from_le_bytes);
        if record.written < newest {
            met.note(format!(
                "{} shows an older state of what {} left there than it did: it was put back there, or is withheld",
                self.remote, peer.name
            ));
        }
        if record.written > newest {
            let at = Moment::from_unix_millis(record.written.min(now));
            let writing = shelf.store.write(Durability::Process)?;
            writing.exchanged(&record.key, &record.knowledge, None, at)?;
            writing.keep_state(name, &record.written.to_le_bytes())?;
            writing.commit()?;
        }
        Ok(())
    }

    /// Leaves there what is not there; says whether that is done, or somebody else was faster.
    fn leave(
        &self,
        outpost: &Outpost<'_>,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<bool, Error> {
        if self.trusted.own_role == Some(Role::Reader) {
            return Ok(true);
        }
        let introduction = self.introduction()?;
        let name = introduction.replica.to_string();
        let mut tips = outpost.tips()?;
        tips.retain(|tip| tip.name == name);
        // A host that did not take the one takes the other.
        let there = tips.into_iter().max_by_key(|tip| tip.namespace);
        let mut pieces = match &there {
            Some(tip) => outpost.pieces(tip.commit)?,
            None => BTreeMap::new(),
        };
        let is_edited = self.leave_edits(outpost, introduction, &mut pieces, shelf, met)?;
        let is_written = self.leave_letters(outpost, &mut pieces, shelf, met)?;
        let is_pushed = is_edited || is_written;
        let is_renewed = self.renew_record(outpost, &mut pieces, is_pushed, shelf)?;
        if !is_pushed && !is_renewed {
            return Ok(true);
        }
        let chain = there.as_ref().map(|tip| tip.commit);
        let parent = match chain {
            Some(tip) if outpost.depth(tip, LONGEST_CHAIN)? < LONGEST_CHAIN => Some(tip),
            _ => None,
        };
        let seconds = Moment::now().unix_millis() / 1_000;
        let message = format!("Edits of {name}\n\nMade by `rhema crdt`. [skip ci]\n");
        let commit = outpost.commit(&pieces, parent, &message, seconds.cast_signed())?;
        let namespace = there.map_or(Namespace::Own, |tip| tip.namespace);
        let tip = Tip {
            name,
            namespace,
            commit,
        };
        let Some(tip) = self.push(outpost, tip, met)? else {
            return Ok(false);
        };
        let is_segment = |name: &str| name.parse::<Segment>().is_ok();
        let segments = pieces.iter().filter(|(name, _)| is_segment(name));
        let own = segments.map(|(_, piece)| piece.blob).collect();
        self.note_seen(&tip, &own, shelf)?;
        let name = self.left_name(introduction.replica);
        self.keep(name, &own, shelf)?;
        Ok(true)
    }

    /// Pushes to where the host takes it; nothing where somebody else was faster.
    fn push(&self, outpost: &Outpost<'_>, tip: Tip, met: &mut Met) -> Result<Option<Tip>, Error> {
        let push = |tip: &Tip| outpost.push(&self.remote, tip, self.prompts, self.limit);
        let why = match push(&tip)? {
            Pushed::Done => return Ok(Some(tip)),
            Pushed::Overtaken => return Ok(None),
            Pushed::Forbidden(why) => why,
        };
        let there = tip.namespace.there(&tip.name);
        if tip.namespace == Namespace::Branches {
            return Err(Error::Forbidden {
                remote: self.remote.clone(),
                there,
                why,
            });
        }
        let branch = Tip {
            namespace: Namespace::Branches,
            ..tip
        };
        match push(&branch)? {
            Pushed::Done => {
                met.note(format!(
                    "{} does not take {there} ({why}): the branch rhema/{} is used in its place",
                    self.remote, branch.name
                ));
                Ok(Some(branch))
            }
            Pushed::Overtaken => Ok(None),
            Pushed::Forbidden(_) => Err(Error::Forbidden {
                remote: self.remote.clone(),
                there: format!("{there} nor a branch rhema/{}", branch.name),
                why,
            }),
        }
    }

    /// Puts edits that are not there into segments; says whether there were any.
    fn leave_edits(
        &self,
        outpost: &Outpost<'_>,
        introduction: Introduction,
        pieces: &mut BTreeMap<String, Piece>,
        shelf: &mut Shelf,
        met: &mut Met,
    ) -> Result<bool, Error> {
        let mut segments: Vec<(Segment, Piece)> = pieces
            .iter()
            .filter_map(|(name, piece)| Some((name.parse::<Segment>().ok()?, *piece)))
            .collect();
        let name = self.left_name(introduction.replica);
        let left = blobs(shelf.store.read()?.state(name)?);
        // What an older program wrote is written anew as a whole.
        let is_old = segments
            .iter()
            .any(|(segment, _)| *segment != Segment::new(segment.first, segment.last));
        let there: BTreeSet<BlobId> = segments.iter().map(|(_, piece)| piece.blob).collect();
        if there != left && !there.is_empty() && !left.is_empty() {
            met.note(format!(
                "{} does not have what this work tree left there: it was lost, put back or altered, and is left there anew",
                self.remote
            ));
        }
        if is_old || there != left {
            segments.clear();
        }
        segments.sort_by_key(|(segment, _)| segment.first);
        let end = |segments: &[(Segment, Piece)]| segments.last().map(|(segment, _)| segment.last);
        let Some((_, new)) = self.segment(introduction, end(&segments), shelf)? else {
            return Ok(false);
        };
        let sizes: Vec<usize> = segments.iter().map(|(_, piece)| piece.size).collect();
        let there = end(&segments);
        segments.truncate(sizes.len() - to_join(&sizes, new.len()));
        let Some((segment, content)) = self.segment(introduction, end(&segments), shelf)? else {
            return Ok(false);
        };
        met.sent = self.count(introduction.replica, there, shelf)?;
        met.bytes_sent += content.len() as u64;
        pieces.retain(|name, _| name.parse::<Segment>().is_err());
        for (segment, piece) in segments {
            pieces.insert(segment.to_string(), piece);
        }
        pieces.insert(segment.to_string(), outpost.keep(&content)?);
        Ok(true)
    }

    /// The edits of our replica behind one of them, as a segment; nothing where there are none.
    fn segment(
        &self,
        introduction: Introduction,
        behind: Option<Stamp>,
        shelf: &mut Shelf,
    ) -> Result<Option<(Segment, Vec<u8>)>, Error> {
        let edits = shelf.made_behind(introduction.replica, behind)?;
        let (Some(first), Some(last)) = (edits.first(), edits.last()) else {
            return Ok(None);
        };
        let segment = Segment::new(first.stamp, last.stamp);
        shelf.introduce(&[introduction], &[])?;
        let messages = write_down(edits, &crypto(), shelf)?;
        let content = packed(&messages).map_err(Error::Unsendable)?;
        Ok(Some((segment, content)))
    }

    fn count(
        &self,
        replica: Replica,
        behind: Option<Stamp>,
        shelf: &mut Shelf,
    ) -> Result<usize, Error> {
        Ok(shelf.made_behind(replica, behind)?.len())
    }

    /// Writes anew where we listen and what we know, where that is due; says whether it was.
    fn renew_record(
        &self,
        outpost: &Outpost<'_>,
        pieces: &mut BTreeMap<String, Piece>,
        is_edited: bool,
        shelf: &mut Shelf,
    ) -> Result<bool, Error> {
        let now = Moment::now().unix_millis();
        let there = match pieces.get(RECORD) {
            Some(piece) => PeerRecord::read(&outpost.content(piece.blob)?).ok(),
            None => None,
        };
        let knowledge = shelf.knowledge()?;
        let counts = millis(RECORD_COUNTS);
        let is_due = match (&self.listening, &there) {
            (listening, Some(there)) => {
                let is_moved = listening.as_ref().is_some_and(|listening| {
                    there.addresses != *listening || there.expires < now.saturating_add(counts / 2)
                });
                let is_stale = there.written.saturating_add(millis(MARKS_COUNT)) < now;
                is_moved || is_stale && there.knowledge != knowledge
            }
            (listening, None) => listening.is_some() || !knowledge.is_empty(),
        };
        if !is_due && !is_edited {
            return Ok(false);
        }
        let (addresses, expires) = match (&self.listening, there) {
            (Some(listening), _) => (listening.clone(), now.saturating_add(counts)),
            (None, Some(there)) if there.expires > now => (there.addresses, there.expires),
            (None, _) => (Vec::new(), now),
        };
        let record = PeerRecord {
            key: self.node.key().public().to_bytes(),
            written: now,
            expires,
            addresses,
            knowledge,
        };
        match record.signed(self.node.key()) {
            Some(bytes) => {
                pieces.insert(RECORD.to_owned(), outpost.keep(&bytes)?);
                Ok(is_due)
            }
            None => Ok(false),
        }
    }

    /// Who leaves something there.
    fn introduction(&self) -> Result<Introduction, Error> {
        let clock = self.node.clock()?;
        Ok(Introduction {
            key: self.node.key().public().to_bytes(),
            incarnation: clock.incarnation(),
            replica: clock.replica(),
        })
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

/// A time as records have it.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
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

    /// Tells people something, once.
    fn note(&mut self, what: String) {
        if !self.notes.contains(&what) {
            self.notes.push(what);
        }
    }
}

/// Names of files, as they are remembered.
fn blobs(state: Option<Vec<u8>>) -> BTreeSet<BlobId> {
    let state = state.unwrap_or_default();
    let blobs = state.chunks_exact(20);
    let blobs = blobs.filter_map(|bytes| bytes.try_into().ok());
    blobs.map(BlobId::from_bytes).collect()
}

/// An error and its causes in one line.
fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
