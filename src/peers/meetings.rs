//! Exchanges through the git remote of one who stays: soon after something was edited, and now and then.
//!
//! Programs are run for it and hosts waited for, so that is done in a thread of its own, with a store of its own.

use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Error;
use super::keeper::Note;
use super::meeting::{Meeting, Met, Share, in_words};
use crate::crdt::Stamp;
use crate::git::{Patience, Prompts, Repo};
use crate::net::reachable_at;
use crate::node::Node;
use crate::store::Store;

/// How long after an edit it is left there: who types goes on typing. And how long at most where they never stop.
const SOON: Duration = Duration::from_secs(2);
const AT_MOST: Duration = Duration::from_secs(10);

/// How often is looked whether others left something: after something came, and at most while nothing comes.
const BUSY: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_secs(300);

/// How long each call of git may take.
const LIMIT: Duration = Duration::from_secs(120);

/// How long the end of a call is waited for when the program ends, and how often is looked.
const LAST_CALL: Duration = Duration::from_millis(500);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Why the git remote is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// More is known here.
    News,
    /// Somebody waits for it; the calls of this kind are numbered.
    Now(u64),
}

/// The way to the thread that calls on the git remote. It ends when this is dropped.
pub(super) struct Calls {
    way: Sender<Call>,
    last: u64,
    patience: Patience,
    thread: JoinHandle<()>,
}

impl Drop for Calls {
    /// What runs is ended, and that is waited for: nothing of it is left when the program ends.
    fn drop(&mut self) {
        self.patience.end();
        let began = Instant::now();
        while !self.thread.is_finished() && began.elapsed() < LAST_CALL {
            // It may wait to be called.
            let _ = self.way.send(Call::News);
            thread::sleep(BETWEEN_LOOKS);
        }
    }
}

impl Calls {
    /// More is known here.
    pub(super) fn news(&self) {
        // Nobody is called when the program ends.
        let _ = self.way.send(Call::News);
    }

    /// Has it called on at once: the number of the call.
    pub(super) fn now(&mut self) -> u64 {
        self.last += 1;
        let _ = self.way.send(Call::Now(self.last));
        self.last
    }
}

/// Begins to call on the git remote; what came of it is told to the keeper.
pub(super) fn begin(listening: SocketAddr, notes: Sender<Note>) -> Result<Calls, Error> {
    let (way, called) = mpsc::channel();
    let patience = Patience::of(LIMIT);
    let waiting = patience.clone();
    let hold = move || {
        let meetings = Meetings {
            listening,
            notes,
            patience: waiting,
            pace: Pace::new(Instant::now()),
            call: 0,
            left: None,
            told: Vec::new(),
        };
        meetings.run(&called);
    };
    let thread = thread::Builder::new().name("git remote".to_owned());
    let thread = thread.spawn(hold).map_err(Error::Runtime)?;
    Ok(Calls {
        way,
        last: 0,
        patience,
        thread,
    })
}

struct Meetings {
    listening: SocketAddr,
    notes: Sender<Note>,
    patience: Patience,
    pace: Pace,
    /// The last call of somebody who waits.
    call: u64,
    /// The last of our edits that is there.
    left: Option<Stamp>,
    /// What people were told of the last exchange.
    told: Vec<String>,
}

impl Meetings {
    fn run(mut self, called: &Receiver<Call>) {
        loop {
            if self.patience.is_ended() {
                return;
            }
            let wait = self.pace.due().saturating_duration_since(Instant::now());
            match called.recv_timeout(wait) {
                Ok(Call::News) => self.pace.edited(Instant::now()),
                Ok(Call::Now(call)) => {
                    self.call = call;
                    self.pace.asked(Instant::now());
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(met) = self.due()
                        && self.notes.send(Note::MetThere(Box::new(met))).is_err()
                    {
                        return;
                    }
                }
            }
        }
    }

    /// Does what is due.
    fn due(&mut self) -> Option<Met> {
        if self.pace.is_edited_only(Instant::now()) && !self.has_edited().unwrap_or(true) {
            self.pace.edited_nothing();
            return None;
        }
        let met = self.meet();
        let moved = met.as_ref().is_some_and(|met| met.received + met.sent > 0);
        let failed = met.as_ref().is_none_or(|met| met.error.is_some());
        self.pace.met(moved, failed, Instant::now());
        let mut met = met?;
        self.left = met.left.or(self.left);
        let told = std::mem::replace(&mut self.told, met.notes.clone());
        met.notes.retain(|note| !told.contains(note));
        Some(Met {
            call: self.call,
            ..met
        })
    }

    /// Whether there are edits of ours that are not there.
    fn has_edited(&self) -> Result<bool, Error> {
        let repo = Repo::find()?;
        let Some(node) = Node::load(repo.git_dir())? else {
            return Ok(false);
        };
        let replica = node.clock()?.replica();
        let mut store = Store::open(repo.git_dir())?.store;
        Ok(store.read()?.last_of(replica)? != self.left)
    }

    /// One exchange; nothing where this is no work tree of a node any more.
    fn meet(&self) -> Option<Met> {
        match self.try_to_meet() {
            Ok(met) => met,
            Err(error) => Some(Met {
                error: Some(in_words(&error)),
                ..Met::default()
            }),
        }
    }

    fn try_to_meet(&self) -> Result<Option<Met>, Error> {
        let repo = Repo::find()?;
        let listening = Some(reachable_at(self.listening));
        let patience = self.patience.clone();
        Meeting::hold(
            &repo,
            listening,
            Prompts::None,
            patience,
            Share::TakesAndLeaves,
        )
    }
}

/// When the git remote is called on next.
#[derive(Debug)]
struct Pace {
    /// When it is looked whether others left something.
    look: Instant,
    /// When something was edited first and last that is not there yet.
    edited: Option<(Instant, Instant)>,
    /// How long is waited where nothing happens.
    rest: Duration,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self {
            look: now,
            edited: None,
            rest: BUSY,
        }
    }

    fn due(&self) -> Instant {
        let edited = self
            .edited
            .map(|(first, last)| (last + SOON).min(first + AT_MOST));
        edited.map_or(self.look, |edited| edited.min(self.look))
    }

    fn asked(&mut self, now: Instant) {
        self.look = now;
    }

    fn edited(&mut self, now: Instant) {
        let (first, _) = self.edited.unwrap_or((now, now));
        self.edited = Some((first, now));
    }

    /// Whether nothing but an edit makes anything due now.
    fn is_edited_only(&self, now: Instant) -> bool {
        self.look > now
    }

    fn edited_nothing(&mut self) {
        self.edited = None;
    }

    fn met(&mut self, moved: bool, failed: bool, now: Instant) {
        self.edited = None;
        self.rest = match moved && !failed {
            true => BUSY,
            false => (self.rest * 2).min(QUIET),
        };
        self.look = now + self.rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn edits_are_left_there_when_somebody_pauses_and_when_they_never_do() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        pace.met(false, false, now);
        pace.edited(now);
        assert_eq!(pace.due(), now + SOON);
        assert!(pace.is_edited_only(now + SOON));
        pace.edited(now + seconds(1));
        assert_eq!(pace.due(), now + seconds(1) + SOON, "they go on");
        for second in 2..20 {
            pace.edited(now + seconds(second));
        }
        assert_eq!(pace.due(), now + AT_MOST, "and on");
    }

    #[test]
    fn it_is_called_on_ever_more_seldom_while_nothing_happens() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        assert_eq!(pace.due(), now, "at once");
        let mut waits = Vec::new();
        for _ in 0..8 {
            pace.met(false, false, now);
            waits.push(pace.due() - now);
        }
        assert!(waits.is_sorted());
        assert_eq!(waits.last(), Some(&QUIET));
        pace.met(true, false, now);
        assert_eq!(pace.due(), now + BUSY);
        pace.met(false, true, now);
        assert!(
            pace.due() > now + BUSY,
            "who is away is not called all the time"
        );
        pace.asked(now);
        assert_eq!(pace.due(), now);
    }
}
