//! The others, as `status` tells of them: from what the store knows, without asking anybody.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::peers::RemovedReport;
use super::resolve::ago;
use super::round::counted;
use super::ui::{BAD, FAINT, GOOD, NOTABLE, STRONG, printable};
use crate::asking::Line;
use crate::git::{Repo, native_path};
use crate::node::{Admitted, Config, Discovery, Node, NodeId, Removed, Role};
use crate::overlay::Knowledge;
use crate::peers::{LastMet, NotTaken, Untaken, known_peers, last_met, not_taken, untaken};
use crate::store::{Event, Moment, Peer, Reading, Store};

/// The state of who never was reached from here, nor came.
const NEVER_MET: &str = "never met";

/// How many events are told.
const MOST_EVENTS: usize = 10;

/// The others.
#[derive(Default)]
pub(super) struct Team {
    pub(super) peers: Vec<PeerStatus>,
    /// Those whom HEAD names as removed.
    pub(super) removed: Vec<Removed>,
    /// What happened with them last, the newest last; none where it was not asked for.
    pub(super) events: Option<Vec<EventStatus>>,
    /// The git remote through which others are met, where it ever was called on.
    pub(super) remote: Option<RemoteStatus>,
    /// What is wrong with the list of members.
    pub(super) problems: Vec<String>,
    /// Edits made here that others do not take, or not yet.
    pub(super) untaken: Vec<UntakenEdit>,
    /// Edits that others brought and that were not taken here.
    pub(super) refused: Vec<RefusedEdit>,
}

/// An edit made here that others do not take, for scripts.
#[derive(Serialize)]
pub(super) struct UntakenEdit {
    stamp: String,
    path: String,
    why: String,
    /// When they take it; null where never.
    due: Option<u64>,
}

/// An edit that was not taken here, for scripts.
#[derive(Serialize)]
pub(super) struct RefusedEdit {
    stamp: String,
    node: Option<String>,
    name: Option<String>,
    why: String,
    at: u64,
}

/// The git remote, for scripts.
#[derive(Serialize)]
pub(super) struct RemoteStatus {
    name: String,
    last_sync: u64,
    error: Option<String>,
}

impl From<LastMet> for RemoteStatus {
    fn from(last: LastMet) -> Self {
        Self {
            name: last.remote,
            last_sync: last.at.unix_millis(),
            error: last.error,
        }
    }
}

/// One of the others, for scripts; the names are a contract.
#[derive(Serialize)]
pub(super) struct PeerStatus {
    node: String,
    name: String,
    address: Option<String>,
    state: &'static str,
    role: &'static str,
    /// In milliseconds since 1970, as all moments here.
    last_seen: Option<u64>,
    latency_ms: Option<f64>,
    /// The line that one who stays here has to it.
    line: Option<LineStatus>,
    #[serde(flatten)]
    more: Option<More>,
}

/// A line that is up.
#[derive(Serialize)]
struct LineStatus {
    address: String,
    latency_ms: f64,
    /// In milliseconds since 1970.
    since: u64,
    in_step: bool,
}

impl From<&Line> for LineStatus {
    fn from(line: &Line) -> Self {
        Self {
            address: line.address.clone(),
            latency_ms: in_millis(line.latency_micros),
            since: Moment::now().unix_millis().saturating_sub(line.up_millis),
            in_step: line.in_step,
        }
    }
}

/// What is told of somebody who asks for more.
#[derive(Serialize)]
struct More {
    last_sync: Option<u64>,
    lag: Vec<Lag>,
}

/// How many of the edits of one document that are known here somebody lacks.
#[derive(Serialize)]
struct Lag {
    path: String,
    edits: usize,
}

/// Something that happened, for scripts.
#[derive(Serialize)]
pub(super) struct EventStatus {
    at: u64,
    node: Option<String>,
    name: Option<String>,
    what: String,
}

impl Team {
    /// What the store knows of whom HEAD and the user trust; `in_full` with what each lacks, and what happened last.
    pub(super) fn look(
        repo: &Repo,
        mut store: Option<&mut Store>,
        in_full: bool,
    ) -> anyhow::Result<Self> {
        let Some(node) = Node::load(repo.git_dir())? else {
            return Ok(Self::default());
        };
        let (trusted, known) = known_peers(repo, &node, store.as_deref_mut())?;
        let untaken = match &mut store {
            Some(store) => untaken(repo, &node, store)?,
            None => Vec::new(),
        };
        let reading = store.map(Store::read).transpose()?;
        let not_taken = reading.as_ref().map(not_taken).transpose()?;
        let is_met_there = Config::in_work_tree(repo)?.discovery == Discovery::Git;
        let remote = match &reading {
            Some(reading) if is_met_there => last_met(reading)?,
            _ => None,
        };
        let mut team = Self {
            remote: remote.map(RemoteStatus::from),
            problems: trusted.problems,
            untaken: untaken
                .into_iter()
                .map(|edit| UntakenEdit::of(repo, edit))
                .collect(),
            refused: not_taken
                .into_iter()
                .flatten()
                .map(|edit| RefusedEdit::of(edit, &trusted.others))
                .collect(),
            removed: trusted.removed.into_values().collect(),
            ..Self::default()
        };
        if trusted.own_role == Some(Role::Removed) {
            let what = "this work tree was removed from the members: nobody takes its edits any more; they travel by git once they are committed";
            team.problems.push(what.to_owned());
        }
        for (key, admitted) in &trusted.others {
            let known = known.iter().find(|peer| peer.key == *key);
            let peer = PeerStatus::of(repo, admitted, known, reading.as_ref(), in_full)?;
            team.peers.push(peer);
        }
        if in_full {
            let events = match &reading {
                Some(reading) => reading.events(MOST_EVENTS)?,
                None => Vec::new(),
            };
            let of = |event: Event| EventStatus::of(event, &trusted.others);
            team.events = Some(events.into_iter().map(of).collect());
        }
        Ok(team)
    }

    /// Adds what one who stays here knows: the lines that are up.
    pub(super) fn add_lines(&mut self, lines: &[Line]) {
        for peer in &mut self.peers {
            let line = lines.iter().find(|line| line.node == peer.node);
            peer.line = line.map(LineStatus::from);
        }
    }

    /// What others do not take from here, and what is not taken from others here: a line for each reason.
    fn tell_of_rules(&self, text: &mut String) {
        let mut ours: BTreeMap<(&str, &str, bool), (usize, Option<u64>)> = BTreeMap::new();
        for edit in &self.untaken {
            let group = (edit.path.as_str(), edit.why.as_str(), edit.due.is_some());
            let (count, due) = ours.entry(group).or_default();
            *count += 1;
            *due = edit.due.max(*due);
        }
        for ((path, why, _), (count, due)) in ours {
            let edits = counted(count, "edit");
            let when = match due {
                Some(due) => {
                    let left = due.saturating_sub(Moment::now().unix_millis());
                    format!("yet ({why}); the last one in {} min", left.div_ceil(60_000))
                }
                None => format!("({why}): committed, they reach others by git"),
            };
            // Writing to a string cannot fail.
            let path = printable(path);
            let _ = writeln!(
                text,
                "{NOTABLE}{edits} of {path}{NOTABLE:#} others do not take {when}"
            );
        }
        let mut theirs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for edit in &self.refused {
            let who = edit.name.as_deref().or(edit.node.as_deref());
            *theirs
                .entry((who.unwrap_or("somebody"), edit.why.as_str()))
                .or_default() += 1;
        }
        for ((who, why), count) in theirs {
            let (edits, who) = (counted(count, "edit"), printable(who));
            let _ = writeln!(
                text,
                "{NOTABLE}{edits} of {who}{NOTABLE:#} not taken here: {}",
                printable(why)
            );
        }
    }

    /// The same for people; nothing where nobody ever was met, unless more is asked for.
    pub(super) fn for_people(&self, watching: bool, in_full: bool) -> String {
        let mut text = self.remote.as_ref().map(told_of).unwrap_or_default();
        self.tell_of_rules(&mut text);
        let is_quiet = !in_full && self.peers.iter().all(|peer| peer.state == NEVER_MET);
        if (self.peers.is_empty() || is_quiet) && !watching {
            return text;
        }
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for peer in &self.peers {
            *states.entry(peer.state).or_default() += 1;
        }
        let states: Vec<String> = states
            .iter()
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        let watch = match watching {
            true => format!("{GOOD}`rhema crdt watch` runs{GOOD:#}"),
            false => format!("{FAINT}`rhema crdt watch` does not run{FAINT:#}"),
        };
        // Writing to a string cannot fail.
        let _ = match self.peers.len() {
            0 => writeln!(text, "No peers; {watch}"),
            count => {
                let peers = counted(count, "peer");
                writeln!(text, "{peers}: {}; {watch}", states.join(", "))
            }
        };
        if in_full {
            for peer in &self.peers {
                peer.tell(&mut text);
            }
            text.extend(self.removed.iter().map(RemovedReport::tell));
            for event in self.events.iter().flatten() {
                let who = event.name.as_deref().map(printable);
                let who = who.map(|who| format!("{who}: ")).unwrap_or_default();
                let (at, what) = (since(event.at), printable(&event.what));
                let _ = writeln!(text, "  {FAINT}{at}{FAINT:#} {who}{what}");
            }
        }
        text
    }
}

impl UntakenEdit {
    fn of(repo: &Repo, edit: Untaken) -> Self {
        Self {
            stamp: edit.stamp.to_string(),
            path: repo.shown(&native_path(edit.document.as_bytes())),
            why: edit.why,
            due: edit.due.map(Moment::unix_millis),
        }
    }
}

impl RefusedEdit {
    fn of(edit: NotTaken, others: &BTreeMap<[u8; 32], Admitted>) -> Self {
        let is_author = |peer: &&Admitted| Some(peer.id) == edit.author;
        Self {
            stamp: edit.stamp.to_string(),
            node: edit.author.map(|node| node.to_string()),
            name: others
                .values()
                .find(is_author)
                .map(|peer| peer.name.clone()),
            why: edit.why,
            at: edit.at.unix_millis(),
        }
    }
}

impl PeerStatus {
    fn of(
        repo: &Repo,
        admitted: &Admitted,
        known: Option<&Peer>,
        reading: Option<&Reading<'_>>,
        in_full: bool,
    ) -> anyhow::Result<Self> {
        let millis = |moment: Option<Moment>| moment.map(Moment::unix_millis);
        let nothing = Knowledge::new();
        let knows = known.and_then(|peer| peer.knowledge.as_ref());
        // One edit is enough to tell that somebody is behind.
        let most = if in_full { usize::MAX } else { 1 };
        let lacks = match reading {
            Some(reading) if in_full || knows.is_some() => {
                reading.first_beyond(knows.unwrap_or(&nothing), most)?
            }
            _ => Vec::new(),
        };
        let met = known.and_then(|peer| peer.met);
        let state = match (met, knows) {
            (None, None) => NEVER_MET,
            (_, Some(_)) if lacks.is_empty() => "in step",
            _ => "behind",
        };
        let more = in_full.then(|| {
            let mut lag: BTreeMap<String, usize> = BTreeMap::new();
            for edit in &lacks {
                let path = native_path(edit.known.document.as_bytes());
                *lag.entry(repo.shown(&path)).or_default() += 1;
            }
            let lag = lag.into_iter().map(|(path, edits)| Lag { path, edits });
            More {
                last_sync: millis(known.and_then(|peer| peer.exchanged)),
                lag: lag.collect(),
            }
        });
        Ok(Self {
            node: admitted.id.to_string(),
            name: admitted.name.clone(),
            address: known.and_then(|peer| peer.addresses.first().cloned()),
            state,
            role: admitted.role.name(),
            last_seen: millis(met),
            latency_ms: known
                .and_then(|peer| peer.latency_micros)
                .map(|micros| in_millis(micros.into())),
            line: None,
            more,
        })
    }

    /// A line for people, and one for each document of which it lacks something.
    fn tell(&self, text: &mut String) {
        let style = match self.state {
            "in step" => GOOD,
            _ => NOTABLE,
        };
        let mut words = vec![self.role.to_owned()];
        if let Some(line) = &self.line {
            words.push(format!("connected at {}", printable(&line.address)));
            words.push(format!("{:.1} ms", line.latency_ms));
        } else {
            words.extend(self.address.as_deref().map(printable));
            words.extend(self.latency_ms.map(|millis| format!("{millis:.1} ms")));
            words.extend(self.last_seen.map(|at| format!("seen {}", since(at))));
        }
        let last_sync = self.more.as_ref().and_then(|more| more.last_sync);
        words.extend(last_sync.map(|at| format!("synced {}", since(at))));
        let _ = writeln!(
            text,
            "  {STRONG}{}{STRONG:#} {}: {style}{}{style:#}, {FAINT}{}{FAINT:#}",
            self.node,
            printable(&self.name),
            self.state,
            words.join(", ")
        );
        for lag in self.more.iter().flat_map(|more| &more.lag) {
            let edits = counted(lag.edits, "edit");
            let _ = writeln!(text, "    lacks {edits} of {}", printable(&lag.path));
        }
    }
}

impl EventStatus {
    fn of(event: Event, others: &BTreeMap<[u8; 32], Admitted>) -> Self {
        let admitted = event.key.and_then(|key| others.get(&key));
        let id = match (admitted, event.key) {
            (Some(admitted), _) => Some(admitted.id),
            (None, Some(key)) => ed25519_dalek::VerifyingKey::from_bytes(&key)
                .ok()
                .map(|key| NodeId::of(&key)),
            (None, None) => None,
        };
        let node = id.map(|id| id.to_string());
        Self {
            at: event.at.unix_millis(),
            name: admitted
                .map(|admitted| admitted.name.clone())
                .or_else(|| node.clone()),
            node,
            what: event.what,
        }
    }
}

/// A line on the git remote.
fn told_of(remote: &RemoteStatus) -> String {
    let (name, at) = (printable(&remote.name), since(remote.last_sync));
    match &remote.error {
        Some(error) => format!(
            "git remote {name}: {BAD}{}{BAD:#}, {at}\n",
            printable(error)
        ),
        None => format!("git remote {name}: synced {at}\n"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a latency is short")]
fn in_millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// How long ago a moment is.
fn since(unix_millis: u64) -> String {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(unix_millis);
    ago(SystemTime::now().duration_since(at).unwrap_or_default())
}
