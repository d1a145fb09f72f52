//! `rhema crdt sync`: records local edits, exchanges them with others, shows what came.

use std::fmt::Write;
use std::io::IsTerminal;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::round::{counted, warn_of_full_counters};
use super::ui::{BAD, FAINT, GOOD, NOTABLE, Ui, printable};
use crate::asking::{
    Answer, Failure, Outcome as Synced, PeerOutcome, Question, RemoteOutcome, Reply,
    Sync as Wanted, ask,
};
use crate::git::{Patience, Prompts, Repo, git_path, lacks_marker};
use crate::node::{Config, Discovery, Watch};
use crate::overlay::DocumentPath;
use crate::peers::{self, Called, Error, Heard, Met, Peer, Visit, visit};
use crate::replica::{self, Replica};
use crate::setup::node_of;
use crate::yaml::{Document, Limits};

/// How long one who stays may take for a `sync`, beyond the time in which it waits for others: two rounds over large files.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long each call on the git remote may take, if nothing else is said.
const REMOTE_PATIENCE: Duration = Duration::from_secs(60);

/// Record local edits, exchange them with others, show what came
///
/// Every field that differs from what is committed gets a stamp that says when and where it was changed, every new
/// record one that says where it was born; they stand in the record's `_crdt`. Then all members that can be found (on
/// the local network, where they were last, at the addresses in .rhema/crdt/config.yaml) are told what they do not know, and
/// what they know is shown in the files. While git is in the middle of a merge, rebase, cherry-pick, revert or
/// bisection nothing is written.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt sync                            with everybody who can be found\n  \
    rhema crdt sync --timeout 0                record and show only, contact nobody\n  \
    rhema crdt sync --timeout 30               wait for the others, at most half a minute\n  \
    rhema crdt sync --peer 192.168.1.20:4711   with one only\n  \
    rhema crdt sync --timeout 0 --json | jq .edits_recorded")]
pub(super) struct Arguments {
    /// Exchange with this one only: its address, the name of its node or what it is called
    #[arg(long, value_name = "NODE|HOST:PORT")]
    peer: Option<String>,
    /// Say everything anew, whatever the others seem to know
    #[arg(long)]
    force: bool,
    /// How long to wait for others; 0 contacts nobody. Without it, whoever does not show at once is not waited for
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// Record the deletion of most of a list: it was no accident
    #[arg(long)]
    confirm: bool,
}

impl Arguments {
    fn timeout(&self) -> Option<Duration> {
        let seconds = self.timeout?;
        Some(Duration::from_secs(seconds.into()))
    }

    /// What the named address is in numbers; nothing where it is none.
    fn addresses(&self) -> Vec<SocketAddr> {
        let named = self.peer.as_ref().map(|name| name.to_socket_addrs());
        named.and_then(Result::ok).into_iter().flatten().collect()
    }
}

/// What is printed for scripts; the names are a contract.
#[derive(Default, Serialize)]
struct Report {
    documents_changed: usize,
    edits_recorded: usize,
    peers: Vec<PeerReport>,
    /// What was exchanged through the git remote, where that is how others are found.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<RemoteReport>,
}

#[derive(Serialize)]
struct RemoteReport {
    name: String,
    sent: usize,
    received: usize,
    bytes_sent: u64,
    bytes_received: u64,
    ms: u64,
    error: Option<String>,
}

impl From<RemoteOutcome> for RemoteReport {
    fn from(remote: RemoteOutcome) -> Self {
        Self {
            name: remote.name,
            sent: remote.sent,
            received: remote.received,
            bytes_sent: remote.bytes_sent,
            bytes_received: remote.bytes_received,
            ms: remote.ms,
            error: remote.error,
        }
    }
}

#[derive(Serialize)]
struct PeerReport {
    node: String,
    name: String,
    sent: usize,
    received: usize,
    kept: usize,
    bytes_sent: u64,
    bytes_received: u64,
    udp_bytes_sent: u64,
    udp_bytes_received: u64,
    ms: u64,
    error: Option<String>,
}

impl From<PeerOutcome> for PeerReport {
    fn from(peer: PeerOutcome) -> Self {
        Self {
            node: peer.node,
            name: peer.name,
            sent: peer.sent,
            received: peer.received,
            kept: peer.kept,
            bytes_sent: peer.bytes_sent,
            bytes_received: peer.bytes_received,
            udp_bytes_sent: peer.udp_bytes_sent,
            udp_bytes_received: peer.udp_bytes_received,
            ms: peer.ms,
            error: peer.error,
        }
    }
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    if let Some(what) = repo.under_way() {
        ui.warn(format_args!(
            "git is in the middle of {what}: nothing was written; finish that first"
        ));
        if ui.wants_json() {
            ui.json(&Report::default())?;
        }
        return Ok(Outcome::NeedsAttention);
    }
    let synced = match Replica::is_wanted(&repo)? {
        true => synced(&repo, arguments, ui)?,
        false => Synced::default(),
    };
    note_unmarked(&repo, ui)?;
    synced.warnings.iter().for_each(|text| ui.warn(text));
    let is_full = warn_of_full_counters(&repo, ui)?;
    if let Some(failure) = synced.failure {
        return Err(failure.into());
    }
    let report = Report {
        documents_changed: synced.documents.len(),
        edits_recorded: synced.edits,
        peers: synced.peers.into_iter().map(PeerReport::from).collect(),
        remote: synced.remote.map(RemoteReport::from),
    };
    let failed = report.peers.iter().find_map(|peer| {
        let error = peer.error.as_ref()?;
        Some(format!("{}: {error}", peer.node))
    });
    if ui.wants_json() {
        ui.json(&report)?;
    } else {
        ui.say(&for_people(&report))?;
    }
    match failed {
        Some(failed) if arguments.peer.is_some() => bail!("{failed}"),
        failed => {
            let stays_here = report.peers.iter().any(|peer| peer.kept > 0);
            let is_left = report
                .remote
                .as_ref()
                .is_none_or(|remote| remote.error.is_none());
            let is_all = failed.is_none() && is_left && !stays_here;
            let attention = synced.needs_attention || is_full || !is_all;
            Ok(Outcome::of_attention(attention))
        }
    }
}

/// Tells of new files that could be documents and have no marker: nothing is recorded in them.
fn note_unmarked(repo: &Repo, ui: &Ui) -> anyhow::Result<()> {
    if node_of(repo).is_none() {
        return Ok(());
    }
    let mut unmarked = Vec::new();
    for file in repo.context_files()?.files {
        if repo
            .blob_in_head(&DocumentPath::new(git_path(&file)))?
            .is_some()
        {
            continue;
        }
        let bytes = std::fs::read(repo.top().join(&file)).unwrap_or_default();
        let read = Document::read(&bytes, &Limits::default());
        if read.is_ok_and(|read| lacks_marker(&read)) {
            unmarked.push(repo.shown(&file));
        }
    }
    if !unmarked.is_empty() {
        ui.note(format_args!(
            "no marker in {}: run `rhema crdt init` to have it synced",
            unmarked.join(", ")
        ));
    }
    Ok(())
}

/// Has it done by the program that stays here, or does it.
fn synced(repo: &Repo, arguments: &Arguments, ui: &Ui) -> anyhow::Result<Synced> {
    // Without anybody to ask no name has to be looked up for it.
    if arguments.timeout != Some(0) && Watch::is_kept(repo.git_dir()) {
        let timeout = arguments.timeout();
        let question = Question::Sync(Wanted {
            peer: arguments.peer.clone(),
            addresses: arguments.addresses(),
            everything: arguments.force,
            confirmed: arguments.confirm,
            timeout: timeout.map(|timeout| timeout.as_millis() as u64),
        });
        match ask(repo, &question, timeout.unwrap_or_default() + PATIENCE) {
            Reply::Answered(Answer::Synced(synced)) => return Ok(synced),
            Reply::Answered(Answer::Failed(failure)) => return Err(failure.into()),
            Reply::Answered(_) | Reply::Nobody | Reply::Lost => {}
        }
    }
    alone(repo, arguments, ui)
}

fn alone(repo: &Repo, arguments: &Arguments, ui: &Ui) -> anyhow::Result<Synced> {
    let mut synced = Synced::default();
    let first = match is_met_there(repo, arguments)? {
        true => peers::hear_first(repo, prompts(ui), patience(arguments))?,
        false => None,
    };
    synced.add(repo, &replica::round(repo, arguments.confirm)?);
    if arguments.timeout == Some(0) {
        return Ok(synced);
    }
    let began = Instant::now();
    match meet(repo, arguments, ui) {
        Ok(Some(met)) => {
            let met = met.after(first.unwrap_or_default());
            synced.warnings.extend(met.notes.iter().cloned());
            synced.remote = Some(met.outcome());
        }
        Ok(None) => {}
        Err(error) => {
            synced.failure = Some(Failure::of(&error));
            return Ok(synced);
        }
    }
    // What the git remote took of the time the others do not have.
    let left = arguments
        .timeout()
        .map(|timeout| timeout.saturating_sub(began.elapsed()));
    let called = match call(repo, arguments, left, ui) {
        Ok(called) => called,
        Err(error) => {
            synced.failure = Some(Failure::of(&error));
            return Ok(synced);
        }
    };
    synced.warnings.extend(called.notes);
    if let Some(hint) = &called.hint {
        ui.note(hint);
    }
    let came = synced
        .remote
        .as_ref()
        .is_some_and(|remote| remote.received > 0);
    if came || called.learned {
        synced.add(repo, &replica::round(repo, false)?);
    }
    synced.peers = called.peers.iter().map(Peer::outcome).collect();
    Ok(synced)
}

/// Exchanges edits through the git remote, where others are found that way.
fn meet(repo: &Repo, arguments: &Arguments, ui: &Ui) -> Result<Option<Met>, Error> {
    match is_met_there(repo, arguments)? {
        true => peers::meet(repo, prompts(ui), patience(arguments)),
        false => Ok(None),
    }
}

/// Whether others are met through the git remote, and not only one is meant, or nobody.
fn is_met_there(repo: &Repo, arguments: &Arguments) -> Result<bool, Error> {
    let is_for_all = arguments.peer.is_none() && arguments.timeout != Some(0);
    Ok(is_for_all && Config::in_work_tree(repo)?.discovery == Discovery::Git)
}

fn prompts(ui: &Ui) -> Prompts {
    match std::io::stdin().is_terminal() && !ui.wants_json() {
        true => Prompts::Terminal,
        false => Prompts::None,
    }
}

fn patience(arguments: &Arguments) -> Patience {
    Patience::of(arguments.timeout().unwrap_or(REMOTE_PATIENCE))
}

fn call(
    repo: &Repo,
    arguments: &Arguments,
    timeout: Option<Duration>,
    ui: &Ui,
) -> Result<Called, Error> {
    let wanted = Visit {
        peer: arguments.peer.clone(),
        discovery: None,
        everything: arguments.force,
        timeout,
    };
    let hear = |heard: &Heard| {
        if let Heard::Met { peer, address } = heard {
            ui.note(format_args!("talking to {} at {address}", peer.name));
        }
    };
    visit(repo, &wanted, hear)
}

fn for_people(report: &Report) -> String {
    let remote = report.remote.as_ref();
    let nothing_came = report.peers.is_empty() && remote.is_none_or(|remote| remote.received == 0);
    let mut text = match (report.documents_changed, report.edits_recorded) {
        (0, 0) => format!("{GOOD}Nothing to record.{GOOD:#}\n"),
        (documents, 0) if nothing_came => {
            format!("{} brought up to date.\n", counted(documents, "document"))
        }
        (documents, 0) => format!("{} changed.\n", counted(documents, "document")),
        (documents, edits) => format!(
            "{} recorded in {}.\n",
            counted(edits, "edit"),
            counted(documents, "document")
        ),
    };
    if let Some(remote) = &report.remote {
        // Writing to a string cannot fail.
        let _ = match &remote.error {
            Some(error) => writeln!(
                text,
                "  {}: {BAD}{}{BAD:#}",
                format!("git remote {}", printable(&remote.name)).trim_end(),
                printable(error)
            ),
            None => writeln!(
                text,
                "  git remote {}: {} out, {} in {FAINT}({} and {} bytes, {} ms){FAINT:#}",
                printable(&remote.name),
                counted(remote.sent, "edit"),
                remote.received,
                remote.bytes_sent,
                remote.bytes_received,
                remote.ms
            ),
        };
    }
    for peer in &report.peers {
        let name = match peer.name.is_empty() {
            true => printable(&peer.node),
            false => printable(&peer.name),
        };
        // Writing to a string cannot fail.
        let _ = match &peer.error {
            Some(error) => writeln!(text, "  {name}: {BAD}{}{BAD:#}", printable(error)),
            None => writeln!(
                text,
                "  {name}: {} out, {} in{} {FAINT}({} and {} bytes, {} ms){FAINT:#}",
                counted(peer.sent, "edit"),
                peer.received,
                match peer.kept {
                    0 => String::new(),
                    kept => format!(", {NOTABLE}{kept} kept here{NOTABLE:#}"),
                },
                peer.bytes_sent,
                peer.bytes_received,
                peer.ms
            ),
        };
    }
    text
}
