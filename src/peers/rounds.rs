//! Rounds of one who stays: what was touched here is recorded and told at once, what came is shown.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::finding::Wanted;
use super::keeper::{Heard, Keeper, Note};
use super::shelf::Shelf;
use super::{Error, admission};
use crate::exchange::{Shelf as _, digest};
use crate::git::{self, Repo, Save};
use crate::net::Close;
use crate::node::Watch;
use crate::replica::{
    self, Done, Errand, Former, Holding, Left, Onlooker, Replica, Report, round_now,
};
use crate::store::Store;
use crate::watch::{Blind, Due, Seeing, Sign, Touched, Unrest};

/// How often everything is looked at where the system tells what happens: it may have missed something. At first, and at most
/// while nothing happens.
const SWEEP: Duration = Duration::from_secs(15);
const MOST_SWEEP: Duration = Duration::from_secs(300);

/// The same where the system tells nothing.
const POLL: Duration = Duration::from_millis(500);
const MOST_POLL: Duration = Duration::from_secs(2);

/// How often something must have happened of which the system told nothing, so that it is not relied upon any more.
const MOST_MISSED: usize = 2;

/// For how long whoever asks for a look at everything waits until a file is written, and how often is looked.
const MOST_WRITTEN: Duration = Duration::from_secs(3);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// How long a file that was replaced is kept: somebody may have opened it before and write it yet. How many there are at most.
const KEPT: Duration = Duration::from_secs(5);
const MOST_KEPT: usize = 64;

/// How often such files are looked at, how long one must not have been written, and for how long somebody may be at it: what
/// they had read is known for ten seconds.
const LOOK_BACK: Duration = Duration::from_millis(250);
const SILENT: Duration = Duration::from_secs(1);
const MOST_LATE: Duration = Duration::from_secs(9);

/// How one who stays learns that a file was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The system tells.
    Events,
    /// Files are looked at again and again, because the system does not.
    Polling(Blind),
}

/// How the work tree is looked at while conversations are held.
pub(super) struct Looks {
    /// Whom to talk to, when other people are trusted than before.
    pub(super) wanted: Wanted,
    /// The way to the keeper.
    pub(super) notes: Sender<Note>,
}

/// What is kept between two rounds.
pub(super) struct Rounds {
    repo: Repo,
    /// Another handle of the same store than sessions have: these go on while a file is written.
    store: Store,
    pub(super) wanted: Wanted,
    unrest: Unrest,
    eyes: Eyes,
    pub(super) sight: Sight,
    /// The time between two looks at everything while nothing happens.
    pause: Duration,
    /// Whether anything was touched since everything was looked at.
    is_touched: bool,
    missed: usize,
    holds: BTreeMap<PathBuf, Holding>,
    /// What people were told of files that were left alone.
    told: BTreeMap<PathBuf, String>,
    /// What was known after the last one.
    known: u64,
    /// When files that were replaced are looked at next.
    look_back: Instant,
    /// Until when nothing is tried again after a round that failed.
    rest_until: Option<Instant>,
}

/// What one who stays sees of the files, and what was taken out of their places.
struct Eyes {
    /// Nothing where the system tells nothing.
    seeing: Option<Seeing>,
    formers: RefCell<Vec<Kept>>,
}

/// A file that was replaced.
struct Kept {
    former: Former,
    since: Instant,
}

impl Onlooker for Eyes {
    fn save(&self, file: &Path) -> Save {
        let seeing = self.seeing.as_ref();
        seeing.map_or(Save::Unseen, |seeing| seeing.save(file))
    }

    fn keep(&self, formers: Vec<Former>) {
        let since = Instant::now();
        let mut kept = self.formers.borrow_mut();
        kept.extend(formers.into_iter().map(|former| Kept { former, since }));
        let oldest = kept.len().saturating_sub(MOST_KEPT);
        kept.drain(..oldest);
    }
}

impl Rounds {
    pub(super) fn begin(looks: Looks) -> Result<Self, Error> {
        let repo = Repo::find()?;
        let notes = looks.notes;
        let tell = move |touched| {
            // Nobody listens any more when the program ends.
            let _ = notes.send(Note::Touched(touched));
        };
        let (seeing, sight) = match Seeing::begin(&repo, tell) {
            Ok(seeing) => (Some(seeing), Sight::Events),
            Err(blind) => (None, Sight::Polling(blind)),
        };
        Ok(Self {
            store: Store::open(repo.git_dir())?.store,
            repo,
            wanted: looks.wanted,
            unrest: Unrest::new(Instant::now()),
            eyes: Eyes {
                seeing,
                formers: RefCell::default(),
            },
            sight,
            pause: Duration::ZERO,
            is_touched: true,
            missed: 0,
            holds: BTreeMap::new(),
            told: BTreeMap::new(),
            known: 0,
            look_back: Instant::now(),
            rest_until: None,
        })
    }

    /// Whether there still is what is watched.
    fn is_there(&self) -> Result<(), Error> {
        let top = self.repo.top();
        match Watch::is_begun(self.repo.git_dir()) && top.is_dir() {
            true => Ok(()),
            false => Err(Error::Removed(top.to_path_buf())),
        }
    }

    /// When something is due.
    pub(super) fn next(&self) -> Instant {
        let next = self.unrest.next();
        let next = match self.eyes.formers.borrow().is_empty() {
            true => next,
            false => next.min(self.look_back),
        };
        self.rest_until.map_or(next, |until| next.max(until))
    }

    pub(super) fn touched(&mut self, touched: Touched) {
        let now = Instant::now();
        self.is_touched = true;
        match touched {
            Touched::File(file, Sign::Opened) => self.put_off(file),
            Touched::File(file, sign) => self.unrest.touch(file, sign, now),
            Touched::Folder | Touched::Git => self.unrest.git(now),
            Touched::Something => self.unrest.everything_by(now),
        }
    }

    /// Leaves a file alone that somebody is writing, until they are done.
    fn put_off(&mut self, file: PathBuf) {
        let seeing = self.eyes.seeing.as_ref();
        match seeing.and_then(|seeing| seeing.busy_until(&file)) {
            Some(until) => self.unrest.put_off(file, until),
            // They are done already.
            None => self.unrest.touch(file, Sign::BeingWritten, Instant::now()),
        }
    }

    /// Edits of these documents came: their files are to show them, whatever they hold.
    pub(super) fn came(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        let now = Instant::now();
        self.is_touched = true;
        for file in files {
            self.holds.remove(&file);
            self.unrest.touch(file, Sign::Written, now);
        }
    }

    /// What is due now and not just what our own writing of a file brought up.
    fn due(&mut self) -> Option<Due> {
        let due = self.unrest.take_due(Instant::now())?;
        let Due::Files(mut files) = due else {
            return Some(due);
        };
        files.retain(|file| {
            let Some(before) = self.holds.get(file) else {
                return true;
            };
            let held = git::held(&self.repo.top().join(file));
            held.is_none_or(|bytes| Holding::of(&bytes) != *before)
        });
        (!files.is_empty()).then_some(Due::Files(files))
    }

    /// The work tree, for one who looks at it or edits it now. `recorded` is told of edits before files are written.
    fn replica<'r>(
        &'r mut self,
        recorded: &'r mut dyn FnMut(),
    ) -> Result<Replica<'r>, replica::Error> {
        let replica = Replica::with(&self.repo, &mut self.store)?;
        Ok(replica.telling(recorded).watched_by(&self.eyes))
    }

    /// Looks at everything, for somebody who asked: whoever is just writing a file is waited for a while.
    pub(super) fn sweep_for(
        &self,
        repo: &Repo,
        confirmed: bool,
        report: &mut Report,
    ) -> Result<(), replica::Error> {
        let began = Instant::now();
        loop {
            round_now(repo, confirmed, Some(&self.eyes), report)?;
            if report.being_written.is_empty() {
                return Ok(());
            }
            let being_written = std::mem::take(&mut report.being_written);
            if began.elapsed() > MOST_WRITTEN {
                report
                    .left
                    .extend(being_written.into_iter().map(|file| Left {
                        file,
                        why: "another program is just writing it".to_owned(),
                    }));
                return Ok(());
            }
            // It is found again.
            report.left.clear();
            report.problems.clear();
            thread::sleep(BETWEEN_TRIES);
        }
    }

    /// Does an errand. `recorded` is told of its edits before files are written.
    pub(super) fn perform(
        &mut self,
        errand: &Errand,
        recorded: &mut dyn FnMut(),
    ) -> Result<Done, replica::Error> {
        // What git brought since is seen only by one who opens the repository anew.
        self.repo = Repo::find()?;
        match self.replica(recorded)?.perform(errand) {
            // Another one may have taken the store's place. What is recorded is found there.
            Err(replica::Error::Store(_)) => {}
            done => return done,
        }
        self.store = Store::open(self.repo.git_dir())?.store;
        self.replica(recorded)?.perform(errand)
    }

    /// Looks at some files; says whether that was all there is to do. `recorded` is told of edits before files are written.
    fn look_over(
        &mut self,
        files: &BTreeSet<PathBuf>,
        report: &mut Report,
        recorded: &mut dyn FnMut(),
    ) -> Result<bool, replica::Error> {
        match self.replica(recorded)?.look_over(files, report) {
            // A round over everything puts it aside.
            Err(error) if error.is_damage() => Ok(false),
            done => done,
        }
    }

    /// Sees what git brought since, and a store that took the place of the one before.
    fn open_anew(&mut self) -> Result<(), Error> {
        self.repo = Repo::find()?;
        self.store = Store::open(self.repo.git_dir())?.store;
        Ok(())
    }

    /// Everything was looked at.
    fn swept(&mut self, report: &Report) {
        let (least, most) = match self.sight {
            Sight::Events => (SWEEP, MOST_SWEEP),
            Sight::Polling(_) => (POLL, MOST_POLL),
        };
        let is_quiet = !self.is_touched && report.edits == 0 && report.written.is_empty();
        self.pause = match is_quiet {
            true => (self.pause * 2).clamp(least, most),
            false => least,
        };
        self.unrest.swept(Instant::now() + self.pause);
        let has_missed = self.eyes.seeing.is_some() && !self.is_touched && report.edits > 0;
        self.missed += usize::from(has_missed);
        self.is_touched = false;
        let blind = match &mut self.eyes.seeing {
            Some(_) if self.missed >= MOST_MISSED => Some(Blind::Silent),
            Some(seeing) => seeing.watch(&report.folders).err(),
            None => None,
        };
        if let Some(blind) = blind {
            self.eyes.seeing = None;
            self.sight = Sight::Polling(blind);
            self.unrest.everything_by(Instant::now() + POLL);
        }
    }

    /// Files were looked at, which took so long each. What is left alone people are told of once, and only when it is not
    /// just half written.
    fn looked_at(&mut self, files: &BTreeSet<PathBuf>, took: Duration, report: &mut Report) {
        let now = Instant::now();
        let left = std::mem::take(&mut report.left);
        for file in files {
            let is_left = left.iter().any(|left| left.file == *file);
            if !is_left && !report.being_written.contains(file) {
                self.unrest.looked_at(file, took, now);
                self.told.remove(file);
            }
        }
        for left in left {
            if self.unrest.is_read_again(&left.file, now) {
                continue;
            }
            self.tell_left(left, report);
        }
    }

    /// As [`looked_at`](Self::looked_at), where nobody waits for files that may be half written.
    fn tell_all_left(&mut self, report: &mut Report) {
        for left in std::mem::take(&mut report.left) {
            self.tell_left(left, report);
        }
    }

    /// Tells of a file that was left alone, unless that was told already.
    fn tell_left(&mut self, left: Left, report: &mut Report) {
        let before = self.told.insert(left.file.clone(), left.why.clone());
        if before.as_ref() != Some(&left.why) {
            report.left.push(left);
        }
    }
}

impl Keeper {
    /// Records what was edited here, shows what came, and lets the others know, as far as something is due.
    pub(super) fn round(&mut self) {
        let Some(mut rounds) = self.rounds.take() else {
            return;
        };
        rounds.rest_until = None;
        let outcome = self.look_back(&mut rounds);
        let outcome = outcome.and_then(|()| self.try_round(&mut rounds));
        self.rounds = Some(rounds);
        match outcome {
            Ok(true) => {
                if let Err(error) = self.renew_trust() {
                    self.hear(Heard::Failed(error));
                }
            }
            Ok(false) => {}
            Err(error) => {
                let is_there = self.rounds.as_ref().map_or(Ok(()), Rounds::is_there);
                let error = is_there.err().unwrap_or(error);
                self.is_over = matches!(error, Error::Removed(_));
                if let Some(rounds) = &mut self.rounds {
                    rounds.rest_until = Some(Instant::now() + POLL);
                }
                self.hear(Heard::Failed(error));
            }
        }
    }

    /// Records what somebody wrote into files that were replaced while they had them open.
    fn look_back(&mut self, rounds: &mut Rounds) -> Result<(), Error> {
        let now = Instant::now();
        if now < rounds.look_back {
            return Ok(());
        }
        rounds.look_back = now + LOOK_BACK;
        let mut report = Report::default();
        for kept in rounds.eyes.formers.take() {
            let age = now.duration_since(kept.since);
            let Some(written) = kept.former.written() else {
                if age < KEPT {
                    rounds.eyes.formers.get_mut().push(kept);
                }
                continue;
            };
            let is_done = written.elapsed().is_ok_and(|since| since > SILENT);
            let is_back = is_done && {
                let recorded = &mut || self.news(None);
                let replica = rounds.replica(recorded);
                let brought =
                    replica.and_then(|mut replica| replica.bring_back(&kept.former, &mut report));
                if let Err(error) = &brought {
                    tracing::info!("{}: {error}", kept.former.file().display());
                }
                brought.is_ok()
            };
            match (is_back, age < MOST_LATE) {
                (true, _) => {}
                (false, true) => rounds.eyes.formers.get_mut().push(kept),
                (false, false) => {
                    let aside = kept.former.keep_aside(rounds.repo.git_dir());
                    report.notes.extend(aside);
                }
            }
        }
        match report.holds.is_empty() && report.notes.is_empty() {
            true => Ok(()),
            false => self.tell_of_work_in(rounds, report),
        }
    }

    /// A round; says whether it went over everything.
    fn try_round(&mut self, rounds: &mut Rounds) -> Result<bool, Error> {
        let Some(due) = rounds.due() else {
            return Ok(false);
        };
        tracing::debug!(?due, "round");
        let now = Instant::now();
        rounds.is_there()?;
        match rounds.repo.stillness() {
            Err(_) => {
                rounds.unrest.hold(due, None, now);
                return Ok(false);
            }
            Ok(still) => {
                if let Some(left) = still.unsettled_for(SystemTime::now()) {
                    rounds.unrest.hold(due, Some(left), now);
                    return Ok(false);
                }
            }
        }
        let sight = rounds.sight.clone();
        let mut report = Report::default();
        let outcome = match &due {
            Due::Files(files) => rounds.look_over(files, &mut report, &mut || self.news(None)),
            Due::Everything => Ok(false),
        };
        let outcome = match outcome {
            Ok(false) => {
                // What git brought since is seen only by one who opens the repository anew, and the store may be another one.
                rounds.open_anew()?;
                self.shelf.repo = Repo::find()?;
                self.shelf.store = Store::open(self.shelf.repo.git_dir())?.store;
                round_now(&rounds.repo, false, Some(&rounds.eyes), &mut report)
                    .map(|()| Due::Everything)
            }
            Ok(true) => Ok(due.clone()),
            Err(error) => Err(error),
        };
        let took = now.elapsed();
        let done = match outcome {
            Ok(done) => done,
            Err(error) if error.is_busy() => {
                rounds.unrest.hold(due, None, Instant::now());
                self.tell_of_round(rounds, report)?;
                return Ok(false);
            }
            Err(error) => {
                rounds.unrest.everything_by(Instant::now() + POLL);
                return Err(error.into());
            }
        };
        tracing::debug!(?took, "round done");
        rounds.unrest.let_go();
        for file in &report.raced {
            rounds.holds.remove(file);
            let now = Instant::now();
            rounds.unrest.touch(file.clone(), Sign::Written, now);
        }
        for file in &report.being_written {
            rounds.holds.remove(file);
            rounds.put_off(file.clone());
        }
        rounds.holds.extend(std::mem::take(&mut report.holds));
        match &done {
            Due::Files(files) => {
                let each = took / u32::try_from(files.len()).unwrap_or(1).max(1);
                rounds.looked_at(files, each, &mut report);
            }
            Due::Everything => {
                rounds.tell_all_left(&mut report);
                rounds.swept(&report);
            }
        }
        if rounds.sight != sight {
            self.hear(Heard::Sight(rounds.sight.clone()));
        }
        self.tell_of_round(rounds, report)?;
        Ok(done == Due::Everything)
    }

    /// Tells of what was done for somebody who asked.
    pub(super) fn tell_of_work(&mut self, report: Report) -> Result<(), Error> {
        let Some(mut rounds) = self.rounds.take() else {
            return Ok(());
        };
        let told = self.tell_of_work_in(&mut rounds, report);
        self.rounds = Some(rounds);
        told
    }

    fn tell_of_work_in(&mut self, rounds: &mut Rounds, mut report: Report) -> Result<(), Error> {
        rounds.holds.extend(std::mem::take(&mut report.holds));
        rounds.tell_all_left(&mut report);
        self.tell_of_round(rounds, report)
    }

    /// Tells the others what is new, and people what was done.
    fn tell_of_round(&mut self, rounds: &mut Rounds, report: Report) -> Result<(), Error> {
        self.answering.rounded(&self.shelf.repo, &report);
        let known = digest(&self.shelf.knowledge()?);
        if std::mem::replace(&mut rounds.known, known) != known {
            self.news(None);
        }
        let is_notable = report.edits > 0
            || !report.written.is_empty()
            || !report.left.is_empty()
            || !report.notes.is_empty()
            || !report.problems.is_empty()
            || !report.contested.is_empty()
            || !report.parked.is_empty()
            || report.put_aside.is_some();
        if is_notable {
            self.hear(Heard::Round(Box::new(report)));
        }
        Ok(())
    }

    /// Lets in whom HEAD and the user trust now, and cuts off the others.
    pub(super) fn renew_trust(&mut self) -> Result<(), Error> {
        let Some(node) = crate::node::Node::load(self.shelf.repo.git_dir())? else {
            return Ok(());
        };
        if let Err(error) = self.mind_invitations() {
            self.hear(Heard::Failed(error));
        }
        let trusted = admission::trusted(&self.shelf.repo, &node, &mut self.shelf.store)?;
        let own = admission::own_access(&trusted);
        let is_own_new = std::mem::replace(&mut self.manner.us.access, own) != own;
        if self.admission.is_now(&trusted) && !is_own_new {
            return Ok(());
        }
        admission::vouch(&mut self.shelf.store, &node, &trusted)?;
        self.admission.set(trusted);
        self.shelf.learn_paces();
        self.hub.trust_changed();
        if let Some(rounds) = &self.rounds {
            let Shelf { repo, store, .. } = &mut self.shelf;
            let sought = rounds.wanted.sought(repo, store, &self.admission)?;
            self.hub.seek(sought);
        }
        // Who may write is said when people greet each other: where that is otherwise now they do so again.
        let peers = self
            .talks
            .iter()
            .map(|(id, talk)| (*id, *talk.gauge.peer(), talk.access));
        for (id, key, before) in peers.collect::<Vec<_>>() {
            let Some(peer) = self.admission.of(&key) else {
                continue;
            };
            let access = admission::access(peer.role);
            self.step(id, crate::exchange::Event::Granted(access));
            self.step(id, crate::exchange::Event::Reconsidered);
            self.step(id, crate::exchange::Event::Lulling(self.lulling()));
            if (is_own_new || access != before)
                && let Some(talk) = self.talks.get(&id)
            {
                talk.end(Close::Left);
            }
        }
        Ok(())
    }
}
