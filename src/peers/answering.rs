//! What the keeper answers to commands that ask.
//!
//! An edit is made at once and told to the others before it is answered. A `sync` begins with a round; then it is open until
//! those who are there know what is known here and the other way round, and everything else goes on meanwhile.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::keeper::{Conversation, Heard, Keeper, Talk};
use super::meeting::Met;
use super::rounds::Sight;
use super::shelf::Shelf;
use super::visit::{FAR_PATIENCE, LOOK_AROUND, PATIENCE, lacking};
use super::{Error, finding, telling};
use crate::asking::{
    Answer, Asked, Edit, Edited, Failure, Files, Line, Outcome, PeerOutcome, Question,
    RemoteOutcome, Standing, Sync,
};
use crate::exchange::{Event, Scope};
use crate::git::{Repo, crash};
use crate::net::{DialError, LineId, Place, PublicKey, Sought, Target, Traffic};
use crate::node::Config;
use crate::replica::{Done, Errand, Report};

/// What is open of what was asked, and what has to be known for it.
#[derive(Default)]
pub(super) struct Answering {
    open: Vec<Open>,
    /// Why those who are sought were not reached last.
    unreached: BTreeMap<Target, DialError>,
}

/// A `sync` that is not answered yet.
struct Open {
    reply: oneshot::Sender<Answer>,
    outcome: Outcome,
    whom: Whom,
    /// Why the one whom it is about was not reached before; that is told once.
    earlier: Option<DialError>,
    began: Instant,
    /// When it is answered at last.
    end: Instant,
    /// Until when those are waited for who are not there.
    look_around: Instant,
    shares: BTreeMap<LineId, Share>,
    over: BTreeMap<PublicKey, PeerOutcome>,
    /// The call on the git remote that is made for it and has not come to its end.
    awaits: Option<u64>,
    notes: Vec<String>,
}

/// With whom somebody wants to be in step.
#[derive(Clone, PartialEq)]
enum Whom {
    /// All who are there.
    All,
    /// The one with this key.
    Peer(PublicKey, String),
    /// Whoever is at this place, which is one of these addresses.
    Place(String, Vec<SocketAddr>),
}

impl Whom {
    fn is(&self, talk: &Talk) -> bool {
        match self {
            Self::All => true,
            Self::Peer(key, _) => talk.gauge.peer() == key,
            Self::Place(_, addresses) => {
                let remote = talk.gauge.remote();
                let is_it = |address: &SocketAddr| {
                    address.port() == remote.port()
                        && address.ip().to_canonical() == remote.ip().to_canonical()
                };
                addresses.iter().any(is_it)
            }
        }
    }

    fn target(&self) -> Option<Target> {
        match self {
            Self::All => None,
            Self::Peer(key, _) => Some(Target::Peer(*key)),
            Self::Place(name, _) => Some(Target::Place(Place::Address(name.clone()))),
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Peer(_, name) | Self::Place(name, _) => Some(name),
        }
    }
}

/// What a line had done before somebody asked, and when it was in step since.
#[derive(Default)]
struct Share {
    sent: usize,
    received: usize,
    traffic: Traffic,
    in_step: Option<Duration>,
}

impl Share {
    fn of(talk: &Talk) -> Self {
        Self {
            sent: talk.sent,
            received: talk.received,
            traffic: talk.gauge.traffic(),
            in_step: None,
        }
    }

    /// What was done since, of what was done in all.
    fn since(&self, sent: usize, received: usize, traffic: Traffic) -> PeerOutcome {
        let before = self.traffic;
        PeerOutcome {
            sent: sent.saturating_sub(self.sent),
            received: received.saturating_sub(self.received),
            bytes_sent: traffic.sent.saturating_sub(before.sent),
            bytes_received: traffic.received.saturating_sub(before.received),
            udp_bytes_sent: traffic.udp_sent.saturating_sub(before.udp_sent),
            udp_bytes_received: traffic.udp_received.saturating_sub(before.udp_received),
            ..PeerOutcome::default()
        }
    }
}

impl Answering {
    /// When something is to be answered although it is not done.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let now = Instant::now();
        let due = self
            .open
            .iter()
            .flat_map(|open| [open.end, open.look_around]);
        due.filter(|due| *due > now).min()
    }

    /// Somebody who is sought was not reached.
    pub(super) fn unreached(&mut self, target: Target, error: DialError) {
        let is_refused = self.unreached.get(&target).is_some_and(telling::is_refusal);
        // Who refused us once does not answer for a while: that says less.
        if !is_refused {
            self.unreached.insert(target, error);
        }
    }

    /// A line is there.
    pub(super) fn up(&mut self, talk: &Talk) {
        self.unreached.remove(&Target::Peer(*talk.gauge.peer()));
        for open in self.open.iter_mut().filter(|open| open.whom.is(talk)) {
            open.shares.insert(talk.gauge.id(), Share::default());
        }
    }

    /// A line is gone.
    pub(super) fn over(&mut self, line: LineId, conversation: &Conversation) {
        for open in &mut self.open {
            let Some(share) = open.shares.remove(&line) else {
                continue;
            };
            if conversation.is_double && !conversation.in_step {
                continue;
            }
            let Conversation {
                sent,
                received,
                traffic,
                ..
            } = *conversation;
            let outcome = PeerOutcome {
                node: conversation.peer.id.to_string(),
                name: conversation.peer.name.clone(),
                ms: share.in_step.unwrap_or(open.began.elapsed()).as_millis() as u64,
                error: conversation.error.clone(),
                ..share.since(sent, received, traffic)
            };
            open.note(conversation.key, outcome);
        }
    }

    /// A round was made.
    pub(super) fn rounded(&mut self, repo: &Repo, report: &Report) {
        for open in &mut self.open {
            open.outcome.add(repo, report);
        }
    }

    /// Edits were exchanged through the git remote.
    pub(super) fn met_there(&mut self, met: &Met) {
        let is_met = |open: &&mut Open| open.awaits.is_some_and(|call| call <= met.call);
        for open in self.open.iter_mut().filter(is_met) {
            open.awaits = None;
            open.notes.extend(met.notes.iter().cloned());
            open.outcome.remote = Some(met.outcome());
        }
    }

    /// Something went wrong.
    pub(super) fn failed(&mut self, error: &Error) {
        for open in &mut self.open {
            open.notes.push(error.to_string());
        }
    }
}

impl Open {
    /// Adds what was said with a peer on one line to what was on others.
    fn note(&mut self, key: PublicKey, outcome: PeerOutcome) {
        let sum = self.over.entry(key).or_default();
        *sum = PeerOutcome {
            sent: sum.sent + outcome.sent,
            received: sum.received + outcome.received,
            bytes_sent: sum.bytes_sent + outcome.bytes_sent,
            bytes_received: sum.bytes_received + outcome.bytes_received,
            udp_bytes_sent: sum.udp_bytes_sent + outcome.udp_bytes_sent,
            udp_bytes_received: sum.udp_bytes_received + outcome.udp_bytes_received,
            ms: sum.ms.max(outcome.ms),
            ..outcome
        };
    }
}

impl Keeper {
    /// Answers a question, or begins to.
    pub(super) fn asked(&mut self, asked: Asked) {
        let Asked { question, reply } = asked;
        if reply.is_closed() {
            return;
        }
        let answer = match question {
            Question::Edit(edit) => self.edit(edit),
            Question::Status => Answer::Stands(self.standing()),
            Question::Sync(sync) => return self.begin_sync(&sync, reply),
        };
        self::answer(reply, answer);
    }

    fn edit(&mut self, edit: Edit) -> Answer {
        crash::here("asked");
        let errand = match Errand::try_from(edit) {
            Ok(errand) => errand,
            Err(not_given) => return Answer::Failed(Failure::of(&not_given)),
        };
        let Some(mut rounds) = self.rounds.take() else {
            return Answer::Alone;
        };
        let done = rounds.perform(&errand, &mut || self.news(None));
        self.rounds = Some(rounds);
        let done = match done {
            Ok(done) => done,
            Err(error) => return Answer::Failed(Failure::of(&error)),
        };
        let answer = Edited::of(&self.shelf.repo, &done);
        let Done { file, edited } = done;
        let written = edited.changed.then(|| file.clone());
        let told = self.tell_of_work(Report {
            written: written.into_iter().collect(),
            edits: edited.edits,
            holds: edited
                .holds
                .map(|holds| (file, holds))
                .into_iter()
                .collect(),
            ..Report::default()
        });
        if let Err(error) = told {
            self.hear(Heard::Failed(error));
        }
        Answer::Edited(answer)
    }

    fn standing(&self) -> Standing {
        let line = |talk: &Talk| Line {
            node: talk.peer.id.to_string(),
            address: talk.gauge.remote().to_string(),
            latency_micros: talk.gauge.rtt().as_micros() as u64,
            up_millis: talk.began.elapsed().as_millis() as u64,
            in_step: talk.session.is_in_step(),
        };
        let sight = self.rounds.as_ref().map(|rounds| match rounds.sight {
            Sight::Events => Files::Told,
            Sight::Polling(_) => Files::Polled,
        });
        Standing {
            listening: self.hub.address().to_string(),
            files: sight.unwrap_or(Files::Polled),
            lines: self.talks.values().map(line).collect(),
        }
    }

    fn begin_sync(&mut self, sync: &Sync, reply: oneshot::Sender<Answer>) {
        let mut outcome = match self.first_round(sync.confirmed) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => return answer(reply, Answer::Alone),
            Err(error) => return answer(reply, Answer::Failed(Failure::of(&error))),
        };
        let whom = match self.whom(sync) {
            Ok(Some(whom)) => whom,
            Ok(None) if self.manner.calls.is_some() => Whom::All,
            Ok(None) => return answer(reply, Answer::Synced(outcome)),
            Err(error) => {
                outcome.failure = Some(Failure::of(&error));
                return answer(reply, Answer::Synced(outcome));
            }
        };
        let scope = match sync.everything {
            true => Scope::Everything,
            false => Scope::Missing,
        };
        let there = self.talks.iter().filter(|(_, talk)| whom.is(talk));
        let shares: BTreeMap<_, _> = there.map(|(id, talk)| (*id, Share::of(talk))).collect();
        let began = Instant::now();
        let timeout = sync.timeout.map(Duration::from_millis);
        let target = whom.target();
        let earlier = target.and_then(|target| self.answering.unreached.remove(&target));
        let wait = match (timeout, &whom) {
            (Some(timeout), _) => timeout,
            (None, _) if !shares.is_empty() => Duration::ZERO,
            // It is called for the first time: what comes of that is told.
            (None, Whom::Place(..)) if earlier.is_none() => PATIENCE,
            (None, _) => LOOK_AROUND,
        };
        let ids: Vec<LineId> = shares.keys().copied().collect();
        let awaits = match whom {
            Whom::All => self.call_on_remote(),
            Whom::Peer(..) | Whom::Place(..) => None,
        };
        let patience = match awaits {
            Some(_) => FAR_PATIENCE,
            None => PATIENCE,
        };
        self.answering.open.push(Open {
            reply,
            outcome,
            whom,
            earlier,
            began,
            end: began + timeout.unwrap_or(patience),
            look_around: began + wait,
            shares,
            over: BTreeMap::new(),
            awaits,
            notes: Vec::new(),
        });
        for id in ids {
            self.step(id, Event::Wanted(scope));
        }
        if let Err(error) = self.seek() {
            self.hear(Heard::Failed(error));
        }
    }

    /// Records what was edited and shows what is known, as `sync` does it before it talks to anybody. Nothing while git is in the
    /// middle of something.
    fn first_round(&mut self, confirmed: bool) -> Result<Option<Outcome>, Error> {
        self.shelf.repo = Repo::find()?;
        if self.shelf.repo.under_way().is_some() {
            return Ok(None);
        }
        let mut outcome = Outcome::default();
        match self.add_round(confirmed, &mut outcome) {
            Err(Error::Replica(error)) if error.is_busy() => return Ok(None),
            done => done?,
        }
        self.renew_trust()?;
        Ok(Some(outcome))
    }

    /// A round over everything, added to what is answered.
    fn add_round(&mut self, confirmed: bool, outcome: &mut Outcome) -> Result<(), Error> {
        let mut report = Report::default();
        let Some(rounds) = &self.rounds else {
            return Ok(());
        };
        let round = rounds.sweep_for(&self.shelf.repo, confirmed, &mut report);
        outcome.add(&self.shelf.repo, &report);
        self.tell_of_work(report)?;
        Ok(round?)
    }

    /// With whom to be in step; with nobody where nobody is trusted.
    fn whom(&self, sync: &Sync) -> Result<Option<Whom>, Error> {
        let trusts_nobody = self.admission.keys().is_empty();
        let Some(name) = &sync.peer else {
            return Ok((!trusts_nobody).then_some(Whom::All));
        };
        if trusts_nobody {
            return Err(Error::Nobody(name.clone()));
        }
        let sought = finding::named(name, &Sought::default(), &self.admission)?;
        Ok(Some(match sought.peers.keys().next() {
            Some(key) => Whom::Peer(*key, name.clone()),
            None => Whom::Place(name.clone(), sync.addresses.clone()),
        }))
    }

    /// Has all sought anew who may be there, and those whom somebody named.
    pub(super) fn seek(&mut self) -> Result<(), Error> {
        let Some(rounds) = &self.rounds else {
            return Ok(());
        };
        let Shelf { repo, store, .. } = &mut self.shelf;
        let mut sought = rounds.wanted.sought(repo, store, &self.admission)?;
        for open in &self.answering.open {
            if let Whom::Place(name, _) = &open.whom {
                sought.places.insert(Place::Address(name.clone()));
            }
        }
        self.hub.seek(sought);
        Ok(())
    }

    /// Answers what is done, or has lasted for too long.
    pub(super) fn settle(&mut self) {
        let mut sought_a_place = false;
        let mut next = 0;
        while next < self.answering.open.len() {
            let mut open = self.answering.open.remove(next);
            if !open.reply.is_closed() && !self.is_settled(&mut open) {
                self.answering.open.insert(next, open);
                next += 1;
                continue;
            }
            sought_a_place |= matches!(open.whom, Whom::Place(..));
            if !open.reply.is_closed() {
                self.answer_sync(open);
            }
        }
        if sought_a_place && let Err(error) = self.seek() {
            self.hear(Heard::Failed(error));
        }
    }

    fn is_settled(&self, open: &mut Open) -> bool {
        for (id, share) in &mut open.shares {
            let talk = self.talks.get(id);
            if share.in_step.is_none() && talk.is_some_and(|talk| talk.session.is_in_step()) {
                share.in_step = Some(open.began.elapsed());
            }
        }
        let now = Instant::now();
        let are_in_step = open.shares.values().all(|share| share.in_step.is_some());
        let is_met = |key: &PublicKey| {
            let has_line = |id: &LineId| {
                let talk = self.talks.get(id);
                talk.is_some_and(|talk| talk.gauge.peer() == key)
            };
            open.over.contains_key(key) || open.shares.keys().any(has_line)
        };
        let have_met_all = match open.whom.target() {
            None => self.admission.keys().iter().all(is_met),
            Some(target) => {
                !open.over.is_empty()
                    || !open.shares.is_empty()
                    || self.answering.unreached.contains_key(&target)
            }
        };
        let is_done = are_in_step && (have_met_all || now >= open.look_around);
        now >= open.end || is_done && open.awaits.is_none()
    }

    /// Counts what those with whom all was said lack of what people see only here.
    fn count_kept(&mut self, peers: &mut BTreeMap<PublicKey, PeerOutcome>) -> Result<(), Error> {
        let reading = self.shelf.store.read()?;
        let uncommitted = reading.uncommitted()?;
        for known in reading.peers()? {
            let talks = self.talks.values();
            let mut talks = talks.filter(|talk| *talk.gauge.peer() == known.key);
            let there = talks.find_map(|talk| talk.session.known_there());
            if let Some(peer) = peers.get_mut(&known.key)
                && let Some(there) = there.or(known.knowledge.as_ref())
                && peer.error.is_none()
            {
                peer.kept = lacking(there, &uncommitted);
            }
        }
        Ok(())
    }

    fn answer_sync(&mut self, mut open: Open) {
        for (id, share) in std::mem::take(&mut open.shares) {
            let Some(talk) = self.talks.get(&id) else {
                continue;
            };
            let outcome = PeerOutcome {
                node: talk.peer.id.to_string(),
                name: talk.peer.name.clone(),
                ms: share.in_step.unwrap_or(open.began.elapsed()).as_millis() as u64,
                error: match share.in_step {
                    Some(_) => None,
                    None => Some("it did not answer in time".to_owned()),
                },
                ..share.since(talk.sent, talk.received, talk.gauge.traffic())
            };
            let told = talk.told.iter();
            let told = told.map(|what| format!("{}: {what}", talk.peer.name));
            open.notes.extend(told);
            open.note(*talk.gauge.peer(), outcome);
        }
        if let Err(error) = self.count_kept(&mut open.over) {
            open.notes.push(error.to_string());
        }
        let mut peers = Vec::new();
        if open.whom == Whom::All {
            for (target, error) in &self.answering.unreached {
                if let Target::Peer(key) = target
                    && telling::is_refusal(error)
                    && !open.over.contains_key(key)
                    && let Some(peer) = self.admission.of(key)
                {
                    peers.push(PeerOutcome {
                        node: peer.id.to_string(),
                        name: peer.name,
                        error: Some(error.to_string()),
                        ..PeerOutcome::default()
                    });
                }
            }
        }
        peers.extend(open.over.into_values());
        if let Some(name) = open.whom.name()
            && peers.is_empty()
        {
            let target = open.whom.target();
            let error = target.and_then(|target| self.answering.unreached.get(&target));
            let error = error.or(open.earlier.as_ref());
            peers.push(PeerOutcome {
                node: name.to_owned(),
                error: Some(error.unwrap_or(&DialError::NoAnswer).to_string()),
                ..PeerOutcome::default()
            });
        }
        if let (Some(target), Some(earlier)) = (open.whom.target(), open.earlier) {
            self.answering.unreached.entry(target).or_insert(earlier);
        }
        let mut outcome = open.outcome;
        let came = outcome
            .remote
            .as_ref()
            .is_some_and(|remote| remote.received > 0);
        let learned = came || peers.iter().any(|peer| peer.received > 0);
        if open.awaits.is_some() {
            outcome.remote = Some(RemoteOutcome {
                name: self.remote_name(),
                error: Some("it did not answer in time".to_owned()),
                ..RemoteOutcome::default()
            });
        }
        outcome.warnings.extend(open.notes);
        outcome.peers = peers;
        if learned && let Err(error) = self.add_round(false, &mut outcome) {
            outcome.failure = Some(Failure::of(&error));
        }
        answer(open.reply, Answer::Synced(outcome));
    }

    /// What the git remote is called; nothing where that cannot be told.
    fn remote_name(&self) -> String {
        let repo = &self.shelf.repo;
        let config = Config::in_work_tree(repo).ok();
        let named = config.and_then(|config| config.remote);
        repo.meeting_remote(named.as_deref()).unwrap_or_default()
    }
}

fn answer(reply: oneshot::Sender<Answer>, answer: Answer) {
    crash::here("before-answer");
    // Whoever is gone does without.
    let _ = reply.send(answer);
}
