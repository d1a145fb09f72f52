//! Desks, the lines between them, and time, by one scheduler.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::PathBuf;
use std::rc::Rc;

use rhema_crdt::exchange::{Action, Event, Message, Now, Session, Stay, wire};
use rhema_crdt::surroundings::{Simulation, simulate};

use crate::broken::{Broken, must};
use crate::desk::{Desk, Did};
use crate::ground::Ground;
use crate::ledger::Ledger;
use crate::plan::{Deed, Dice, HEALED, HOUR, MINUTE, Network, Plan, SECOND, Step, each_of, is_in};
use crate::sky::{BEGINNING, Sky};

/// How long a side takes at most to notice that the other one is gone.
const NOTICED: u64 = 15 * SECOND;

/// How long it takes at most until somebody calls again.
const REDIALLED: u64 = 5 * SECOND;

/// What the scheduler does next.
#[derive(Debug)]
enum Next {
    Dial {
        pair: [usize; 2],
    },
    Deliver {
        line: usize,
        side: usize,
        frames: Vec<Vec<u8>>,
    },
    Tick {
        line: usize,
        side: usize,
    },
    /// A side notices that the line is gone.
    Closed {
        line: usize,
        side: usize,
    },
    Up {
        desk: usize,
    },
    /// The program looks at files.
    Look {
        desk: usize,
    },
    /// A tool writes what it made of what it read.
    Save {
        desk: usize,
        save: crate::desk::Save,
    },
    Unite,
    Step {
        number: usize,
    },
}

/// A line between two desks; its number is its place among all that ever were.
struct Line {
    desks: [usize; 2],
    sessions: [Option<Session>; 2],
    assemblies: [wire::Assembly; 2],
    /// Whether somebody calls again when it is gone.
    lasting: bool,
    /// Whether nothing arrives any more.
    broken: bool,
    /// When the last message to each side arrives, or its Hello where others may be overtaken.
    arrived: [u64; 2],
    /// When each side is to be ticked.
    ticks: [Option<u64>; 2],
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) edits: u64,
    pub(crate) looks: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) crashes: u64,
    pub(crate) merges: u64,
    /// Conflicts that are none.
    pub(crate) asked_in_vain: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.edits += other.edits;
        self.looks += other.looks;
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.crashes += other.crashes;
        self.merges += other.merges;
        self.asked_in_vain += other.asked_in_vain;
    }
}

pub(crate) struct World {
    plan: Plan,
    network: Network,
    dice: Dice,
    pub(crate) elapsed: u64,
    order: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    waiting: BTreeMap<u64, Next>,
    pub(crate) desks: Vec<Desk>,
    lines: Vec<Line>,
    /// From which desks nothing comes to which others; a bit each.
    parted: Option<(u64, u64)>,
    has_healed: bool,
    pub(crate) ledger: Ledger,
    pub(crate) counts: Counts,
    /// What the hostile one said before.
    heard: Vec<Vec<Vec<u8>>>,
    pub(crate) sky: Rc<Sky>,
    folder: PathBuf,
    _simulation: Simulation,
}

impl Drop for World {
    fn drop(&mut self) {
        // The next run has folders of its own.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl World {
    pub(crate) fn new(plan: &Plan, ground: &mut Ground) -> Self {
        let cuts = plan.script.iter().any(|step| step.deed == Deed::PowerCut);
        let sky = Rc::new(Sky::new(plan.seed, cuts));
        let simulation = simulate(sky.clone());
        let (folder, tops) = ground.desks(plan.desks);
        let desks = (0..)
            .zip(tops)
            .map(|(number, top)| Desk::new(number, top, plan.watched));
        let desks: Vec<Desk> = desks.collect();
        let start = desks[0].held().ok().flatten().unwrap_or_default();
        let mut desks = desks;
        for desk in &mut desks {
            // What all began with is known to all.
            desk.notes(&start, 0);
        }
        let mut world = Self {
            network: plan.network,
            dice: Dice::new(plan.seed ^ 0x5eed),
            elapsed: 0,
            order: 0,
            queue: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            desks,
            lines: Vec::new(),
            parted: None,
            has_healed: false,
            ledger: Ledger::new(&start),
            counts: Counts::default(),
            heard: Vec::new(),
            plan: plan.clone(),
            sky,
            folder,
            _simulation: simulation,
        };
        if !plan.is_apart {
            world.dial();
        }
        for desk in 0..world.desks.len() {
            if world.desks[desk].is_watched {
                world.after(0, Next::Look { desk });
            }
        }
        let mut at = 0;
        for (number, step) in plan.script.iter().enumerate() {
            at += step.after;
            world.after(at, Next::Step { number });
        }
        world
    }

    /// All call those with whom they have a line.
    fn dial(&mut self) {
        for pair in self.plan.pairs() {
            self.after(0, Next::Dial { pair });
        }
    }

    fn after(&mut self, millis: u64, next: Next) {
        self.order += 1;
        self.queue
            .push(Reverse((self.elapsed + millis, self.order)));
        self.waiting.insert(self.order, next);
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, millis: u64) -> Result<(), Broken> {
        let until = self.elapsed + millis;
        while let Some(Reverse((at, order))) = self.queue.peek().copied() {
            if at > until {
                break;
            }
            self.queue.pop();
            self.elapsed = at;
            if let Some(next) = self.waiting.remove(&order) {
                self.happens(next)?;
            }
        }
        self.elapsed = until;
        Ok(())
    }

    /// Lets the script come to its end.
    pub(crate) fn run_script(&mut self) -> Result<(), Broken> {
        let length = self.plan.script.iter().map(|step| step.after).sum();
        self.run(length)
    }

    /// The network is as it should be again, all clocks are right and all programs run.
    pub(crate) fn heal(&mut self) -> Result<(), Broken> {
        self.network = HEALED;
        self.parted = None;
        self.has_healed = true;
        self.sky.spare();
        for desk in 0..self.desks.len() {
            self.up(desk)?;
            self.set_clock(desk, 0);
            self.stop(desk);
            self.desks[desk].is_watched = true;
            self.after(1, Next::Look { desk });
        }
        if self.plan.is_apart {
            self.dial();
        }
        Ok(())
    }

    /// What time it is at a desk, by its own clock.
    fn now(&self, desk: usize) -> Now {
        Now {
            steady: self.elapsed,
            wall: (BEGINNING + self.elapsed).saturating_add_signed(self.desks[desk].skew),
        }
    }

    /// Everything from here on happens at this desk.
    pub(crate) fn at(&mut self, desk: usize) -> &mut Desk {
        let now = self.now(desk).wall;
        self.sky.is_over(&self.desks[desk].top, now);
        &mut self.desks[desk]
    }

    fn happens(&mut self, next: Next) -> Result<(), Broken> {
        match next {
            Next::Dial { pair } => self.connect(pair, true),
            Next::Deliver { line, side, frames } => {
                let desks = self.lines[line].desks;
                let (from, to) = (desks[1 - side], desks[side]);
                if self.lines[line].broken || self.is_parted(from, to) {
                    return Ok(());
                }
                self.deliver(line, side, &frames)
            }
            Next::Tick { line, side } => {
                if self.lines[line].ticks[side] == Some(self.elapsed) {
                    self.lines[line].ticks[side] = None;
                    self.step(line, side, Event::Tick)?;
                }
                Ok(())
            }
            Next::Closed { line, side } => {
                self.lines[line].sessions[side] = None;
                self.redial(line);
                Ok(())
            }
            Next::Up { desk } => self.up(desk),
            Next::Look { desk } => self.look(desk),
            Next::Save { desk, save } => {
                if !self.desks[desk].up {
                    // Nobody would look soon.
                    return save.is_left(&mut self.ledger);
                }
                let now = self.now(desk).wall;
                let Self { desks, ledger, .. } = self;
                desks[desk].save(save, now, ledger)?;
                self.saved(desk);
                Ok(())
            }
            Next::Unite => {
                self.parted = None;
                Ok(())
            }
            Next::Step { number } => {
                let step = self.plan.script[number];
                self.scripted(step)
            }
        }
    }

    /// A file was saved at a desk: whoever watches it looks.
    fn saved(&mut self, desk: usize) {
        if self.desks[desk].is_watched {
            let millis = 60 + self.dice.below(200);
            self.after(millis, Next::Look { desk });
        }
    }

    fn scripted(&mut self, step: Step) -> Result<(), Broken> {
        let Step {
            desk, deed, a, b, ..
        } = step;
        let now = self.now(desk).wall;
        if trace() {
            println!("{:>7} {desk}: {deed:?} {a} {b}", self.elapsed);
        }
        match deed {
            Deed::Set | Deed::Add | Deed::AddCommon | Deed::Remove | Deed::Unset | Deed::Strip => {
                let Self { desks, ledger, .. } = self;
                if desks[desk].types(deed, (a, b), now, ledger)? {
                    self.counts.edits += 1;
                    self.saved(desk);
                }
                Ok(())
            }
            // Where nobody looks for ten seconds nothing tells what a writer had read.
            Deed::Race if !self.desks[desk].is_watched => Ok(()),
            Deed::Race => {
                let Self { desks, ledger, .. } = self;
                if let Some(save) = desks[desk].reads((a, b), now, ledger)? {
                    self.counts.edits += 1;
                    let millis = self.dice.below(2_000);
                    self.after(millis, Next::Save { desk, save });
                }
                Ok(())
            }
            Deed::PutBack => {
                let Self { desks, ledger, .. } = self;
                desks[desk].puts_back(a, now, ledger)?;
                self.saved(desk);
                Ok(())
            }
            Deed::Look => self.look(desk),
            Deed::Commit => {
                if a.is_multiple_of(2) {
                    self.look_before_commit(desk)?;
                }
                if self.desks[desk].git().is_clean() {
                    return Ok(());
                }
                self.ledger.committed(desk);
                if let Some(committed) = self.desks[desk].held()? {
                    for next in self.waiting.values() {
                        if let Next::Save { desk: at, save } = next
                            && *at == desk
                        {
                            save.is_after_commit(&committed, &mut self.ledger);
                        }
                    }
                }
                self.at(desk).commit(now);
                self.git_was_here(desk)
            }
            Deed::Pull => {
                let others = self.desks.len() as u64 - 1;
                let from = (desk + 1 + (a % others.max(1)) as usize) % self.desks.len();
                self.pull(desk, from, ["main", "main", "main", "side"][b as usize % 4])
            }
            Deed::Switch => {
                let git = self.desks[desk].git();
                git.switch(["main", "side"][a as usize % 2]);
                self.git_was_here(desk)
            }
            Deed::ResetHard | Deed::Revert => {
                let Self { desks, ledger, .. } = self;
                desks[desk].goes_back(deed, a, now, ledger)?;
                self.git_was_here(desk)
            }
            Deed::Crash | Deed::PowerCut => {
                self.desks[desk].ends_after = Some((a % 24, deed == Deed::PowerCut));
                if b.is_multiple_of(2) {
                    self.look(desk)?;
                }
                Ok(())
            }
            Deed::LoseStore => {
                let Self { desks, ledger, .. } = self;
                desks[desk].loses_store(ledger)?;
                self.sky.keep(&self.desks[desk].top);
                self.stopped(desk);
                Ok(())
            }
            Deed::DamageStore => {
                let Self { desks, ledger, .. } = self;
                desks[desk].has_damaged_store(a, ledger)?;
                self.sky.keep(&self.desks[desk].top);
                self.stopped(desk);
                Ok(())
            }
            Deed::OldStore => {
                let Self { desks, ledger, .. } = self;
                if desks[desk].puts_store_back(ledger)? {
                    self.sky.keep(&self.desks[desk].top);
                    self.stopped(desk);
                }
                Ok(())
            }
            Deed::Copy => {
                self.copy(desk);
                Ok(())
            }
            Deed::SetClock => {
                let hour = HOUR as i64;
                let ahead = [1_000, -1_000, 0, hour, -hour, 24 * hour][a as usize % 6];
                self.set_clock(desk, ahead);
                Ok(())
            }
            Deed::Cut => {
                let to = a as usize % self.desks.len();
                for line in 0..self.lines.len() {
                    let desks = self.lines[line].desks;
                    if desks.contains(&desk) && desks.contains(&to) {
                        self.cut(line);
                    }
                }
                Ok(())
            }
            Deed::Part => {
                let side = a & each_of(self.desks.len());
                let back = if b.is_multiple_of(2) { side } else { 0 };
                self.parted = Some((side, back));
                let millis = (b % 90) * SECOND;
                self.after(millis, Next::Unite);
                Ok(())
            }
            Deed::Visit => {
                self.look(desk)?;
                let to = a as usize % self.desks.len();
                if to != desk {
                    self.connect([desk, to], false)?;
                }
                Ok(())
            }
            Deed::Pack => self.pack(desk),
        }
    }

    fn pack(&mut self, desk: usize) -> Result<(), Broken> {
        if self.desks[desk].up {
            let did = self.at(desk).packs();
            self.did(desk, did, None)?;
        }
        Ok(())
    }

    /// Brings what another desk committed here, and merges it.
    pub(crate) fn pull(&mut self, desk: usize, from: usize, branch: &str) -> Result<(), Broken> {
        if desk == from {
            return Ok(());
        }
        let now = self.now(desk).wall;
        let theirs = self.desks[from].git();
        let ours = self.desks[desk].git();
        let Some(tip) = ours.fetch(&theirs, branch) else {
            return Ok(());
        };
        let versions = ours.versions(tip)?;
        let merged = ours.merge(tip, &format!("desk-{from}/{branch}"), now);
        must(
            merged != crate::git::Merged::Marked,
            "a merge leaves nothing to people",
            || format!("desk {desk} and {branch} of desk {from}"),
        )?;
        if merged == crate::git::Merged::Done {
            self.counts.merges += 1;
            self.ledger.merge(&versions);
            self.git_was_here(desk)?;
        }
        Ok(())
    }

    fn git_was_here(&mut self, desk: usize) -> Result<(), Broken> {
        let now = self.now(desk).wall;
        self.desks[desk].is_written(now);
        self.at(desk).opens_anew()?;
        self.saved(desk);
        Ok(())
    }

    /// The program looks at all that may have changed.
    pub(crate) fn look(&mut self, desk: usize) -> Result<(), Broken> {
        if !self.desks[desk].up {
            return Ok(());
        }
        self.counts.looks += 1;
        self.arm(desk);
        let before = self.desks[desk].held()?;
        let did = self.at(desk).looks();
        self.did(desk, did, before)
    }

    fn look_before_commit(&mut self, desk: usize) -> Result<(), Broken> {
        if !self.desks[desk].up {
            return Ok(());
        }
        self.arm(desk);
        let before = self.desks[desk].held()?;
        let did = self.at(desk).looks_before_commit();
        self.did(desk, did, before)
    }

    /// A desk whose process is to end ends in what it does next.
    fn arm(&mut self, desk: usize) {
        if let Some((passes, is_power_cut)) = self.desks[desk].ends_after.take() {
            self.sky.end_after(passes, is_power_cut);
        }
    }

    /// Sees what came of what a desk did.
    fn did(
        &mut self,
        desk: usize,
        did: Result<Did, Broken>,
        before: Option<crate::ledger::Held>,
    ) -> Result<(), Broken> {
        if self.sky.has_ended() {
            self.counts.crashes += 1;
            self.stopped(desk);
            self.sky.go_back();
            let seconds = self.dice.below(30);
            self.after(seconds * SECOND, Next::Up { desk });
            return Ok(());
        }
        let did = did?;
        if trace() {
            println!("{:>7} {desk}: {did:?}", self.elapsed);
            if std::env::var_os("SOAK_TEXTS").is_some() {
                println!("{}", self.desks[desk].text().unwrap_or_default());
                if did.edits > 0 || did.written > 0 {
                    self.at(desk).print_edits();
                }
            }
        }
        if before.is_some() {
            self.ledger.looked(desk);
        }
        let after = self.desks[desk].held()?;
        if let Some(after) = &after {
            let now = self.now(desk).wall;
            self.desks[desk].notes(after, now);
        }
        if let (Some(before), Some(after)) = (&before, &after) {
            let told = || format!("desk {desk}\n{before:?}\n{:?}", self.desks[desk].text());
            self.ledger.judge_look(before, after, told)?;
        }
        if did.edits > 0 {
            self.news(desk, None)?;
        }
        if did.is_to_look_again {
            self.after(50, Next::Look { desk });
        }
        Ok(())
    }

    /// The program at a desk is gone; nothing of what it was about to say is said.
    fn stopped(&mut self, desk: usize) {
        self.stop(desk);
        let desk = &mut self.desks[desk];
        desk.stops();
        desk.up = false;
        let number = desk.number;
        let seconds = self.dice.below(20);
        self.after(seconds * SECOND, Next::Up { desk: number });
    }

    /// The program at a desk begins.
    fn up(&mut self, desk: usize) -> Result<(), Broken> {
        if !self.desks[desk].up {
            self.desks[desk].up = true;
            self.at(desk).begins()?;
            self.after(1, Next::Look { desk });
        }
        Ok(())
    }

    fn copy(&mut self, of: usize) {
        if self.desks.iter().any(|desk| desk.is_copy) {
            return;
        }
        self.ledger.copied(of);
        let number = self.desks.len();
        let copy = self.desks[of].copied(number, self.folder.join(format!("desk-{number}")));
        self.desks.push(copy);
        for other in 0..number {
            self.after(
                10,
                Next::Dial {
                    pair: [other, number],
                },
            );
        }
        self.after(20, Next::Look { desk: number });
    }

    fn set_clock(&mut self, desk: usize, ahead: i64) {
        if ahead < self.desks[desk].skew {
            self.ledger.clock_went_back(desk);
        }
        self.desks[desk].skew = ahead;
    }

    /// All conversations of a desk end.
    fn stop(&mut self, desk: usize) {
        for line in 0..self.lines.len() {
            let side = self.lines[line]
                .desks
                .iter()
                .position(|other| *other == desk);
            if let Some(side) = side
                && self.lines[line].sessions[side].take().is_some()
            {
                self.notice(line, 1 - side);
                self.redial(line);
            }
        }
    }

    /// Nothing more arrives over a line; both sides notice sooner or later.
    fn cut(&mut self, line: usize) {
        if !std::mem::replace(&mut self.lines[line].broken, true) {
            self.notice(line, 0);
            self.notice(line, 1);
        }
    }

    fn notice(&mut self, line: usize, side: usize) {
        let millis = self.dice.below(NOTICED);
        self.after(millis, Next::Closed { line, side });
    }

    /// Somebody calls again, when both have let go of the line.
    fn redial(&mut self, line: usize) {
        let Line {
            desks: pair,
            sessions,
            lasting,
            ..
        } = &mut self.lines[line];
        let pair = *pair;
        if *lasting && sessions.iter().all(Option::is_none) {
            *lasting = false;
            let millis = self.dice.below(REDIALLED);
            self.after(millis, Next::Dial { pair });
        }
    }

    fn is_parted(&self, from: usize, to: usize) -> bool {
        let Some((there, back)) = self.parted else {
            return false;
        };
        (is_in(there, from) && !is_in(there, to)) || (!is_in(back, from) && is_in(back, to))
    }

    fn connect(&mut self, pair: [usize; 2], lasting: bool) -> Result<(), Broken> {
        let [a, b] = pair;
        let is_parted = self.is_parted(a, b) || self.is_parted(b, a);
        if is_parted || pair.iter().any(|desk| !self.desks[*desk].up) {
            if lasting {
                let millis = 1 + self.dice.below(REDIALLED);
                self.after(millis, Next::Dial { pair });
            }
            return Ok(());
        }
        for desk in pair {
            self.at(desk).begins()?;
        }
        let mut keys = [[0; 32]; 2];
        for (key, desk) in keys.iter_mut().zip(pair) {
            *key = self.desks[desk].key()?;
        }
        let seeds = [self.dice.number(), self.dice.number()];
        let stays = match lasting {
            true => [Stay::On; 2],
            false => [Stay::UntilDone, Stay::On],
        };
        let mut sessions = [None, None];
        for side in 0..2 {
            let desk = &mut self.desks[pair[side]];
            sessions[side] = desk.session(&keys[1 - side], stays[side], seeds[side])?;
        }
        if sessions.iter().any(Option::is_none) {
            return Ok(());
        }
        self.lines.push(Line {
            desks: pair,
            sessions,
            assemblies: Default::default(),
            lasting,
            broken: false,
            arrived: [self.elapsed; 2],
            ticks: [None; 2],
        });
        let line = self.lines.len() - 1;
        self.step(line, 0, Event::Opened)?;
        self.step(line, 1, Event::Opened)
    }

    /// A desk knows more than before.
    fn news(&mut self, desk: usize, but: Option<usize>) -> Result<(), Broken> {
        for line in 0..self.lines.len() {
            let Line {
                desks, sessions, ..
            } = &self.lines[line];
            let side = (0..2).find(|side| desks[*side] == desk && sessions[*side].is_some());
            if let Some(side) = side.filter(|_| but != Some(line)) {
                self.step(line, side, Event::News)?;
            }
        }
        Ok(())
    }

    fn deliver(&mut self, line: usize, side: usize, frames: &[Vec<u8>]) -> Result<(), Broken> {
        for frame in frames {
            if self.lines[line].sessions[side].is_none() {
                return Ok(());
            }
            match self.lines[line].assemblies[side].add(frame) {
                Ok(Some(message)) => self.step(line, side, Event::Said(message))?,
                Ok(None) => {}
                Err(error) => {
                    let by = self.lines[line].desks[1 - side];
                    must(
                        self.is_hostile(by) || self.has_had_hostile(),
                        "what is said can be read",
                        || error.to_string(),
                    )?;
                    self.cut(line);
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, line: usize, side: usize, event: Event) -> Result<(), Broken> {
        let desk = self.lines[line].desks[side];
        let Some(mut session) = self.lines[line].sessions[side].take() else {
            return Ok(());
        };
        self.arm(desk);
        let now = self.now(desk);
        let stepped = self.at(desk).step(&mut session, now, event);
        if self.sky.has_ended() {
            self.counts.crashes += 1;
            self.lines[line].sessions[side] = Some(session);
            self.stopped(desk);
            self.sky.go_back();
            return Ok(());
        }
        let actions = stepped?;
        let tick = session.next_tick();
        let tick = tick.map(|at| at.max(now.steady + 1));
        self.lines[line].sessions[side] = Some(session);
        if tick != self.lines[line].ticks[side] {
            self.lines[line].ticks[side] = tick;
            if let Some(at) = tick {
                self.after(at - self.elapsed, Next::Tick { line, side });
            }
        }
        let mut has_learned = false;
        for action in actions {
            match action {
                Action::Say(message) => self.send(line, 1 - side, message)?,
                Action::Learned => has_learned = true,
                Action::Tell(happening) => {
                    if trace() {
                        println!("{:>7} {desk}: {happening:?}", self.elapsed);
                    }
                }
                Action::End(ending) => {
                    if trace() {
                        println!("{:>7} {desk}: {ending:?}", self.elapsed);
                    }
                    self.lines[line].sessions[side] = None;
                    let arrived = self.lines[line].arrived[1 - side];
                    let millis = arrived.saturating_sub(self.elapsed) + 1;
                    let side = 1 - side;
                    self.after(millis, Next::Closed { line, side });
                    self.redial(line);
                }
            }
        }
        if has_learned {
            let millis = 5 + self.dice.below(50);
            if self.desks[desk].is_watched {
                self.after(millis, Next::Look { desk });
            }
            self.news(desk, Some(line))?;
        }
        Ok(())
    }

    fn has_had_hostile(&self) -> bool {
        self.plan.hostile > 0
    }

    /// Whether a desk says what nobody made.
    fn is_hostile(&self, desk: usize) -> bool {
        self.has_had_hostile() && !self.has_healed && desk + 1 == self.plan.desks
    }

    fn send(&mut self, line: usize, side: usize, mut message: Message) -> Result<(), Broken> {
        let by = self.lines[line].desks[1 - side];
        if let Message::Hello(hello) = &mut message
            && self.plan.is_newer
            && !self.has_healed
            && by == 0
        {
            hello.versions = (hello.versions.1 + 1, hello.versions.1 + 3);
        }
        let mut frames = wire::encode(&message).map_err(|error| Broken {
            rule: "everything can be said",
            told: error.to_string(),
        })?;
        self.counts.messages += 1;
        self.counts.bytes += frames.iter().map(|frame| frame.len() as u64).sum::<u64>();
        if self.is_hostile(by) {
            self.heard.push(frames.clone());
            if self.dice.comes(self.plan.hostile) {
                frames = self.tampered(frames);
            }
        }
        let Network {
            lost,
            twice,
            slowest,
            overtaking,
        } = self.network;
        if self.dice.comes(lost) {
            return Ok(());
        }
        for _ in 0..1 + u64::from(self.dice.comes(twice)) {
            let arrives = self.elapsed + 1 + self.dice.below(slowest);
            let arrived = &mut self.lines[line].arrived[side];
            // A message is never heard before the first one.
            let arrives = arrives.max(*arrived);
            if matches!(message, Message::Hello(_)) || !overtaking {
                *arrived = arrives;
            }
            let frames = frames.clone();
            self.after(arrives - self.elapsed, Next::Deliver { line, side, frames });
        }
        Ok(())
    }

    /// What a hostile one says in place of this.
    fn tampered(&mut self, mut frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let which = self.dice.below(frames.len() as u64) as usize;
        let frame = &mut frames[which];
        let at = self.dice.below(frame.len() as u64) as usize;
        match self.dice.below(4) {
            0 => frame[at] ^= 1 << self.dice.below(8),
            1 => frame.truncate(at.max(1)),
            2 => frame.insert(at, self.dice.below(256) as u8),
            _ => {
                let earlier = self.dice.below(self.heard.len() as u64) as usize;
                return self.heard[earlier].clone();
            }
        }
        frames
    }

    /// The desks, the copy included.
    pub(crate) fn everybody(&self) -> std::ops::Range<usize> {
        0..self.desks.len()
    }

    /// What all desks know, told apart.
    pub(crate) fn known(&mut self) -> Result<BTreeSet<u64>, Broken> {
        let mut known = BTreeSet::new();
        for desk in self.everybody() {
            known.insert(self.at(desk).digest()?);
        }
        Ok(known)
    }

    /// All that is not committed is, and everybody merges what everybody has until all stand on one commit.
    pub(crate) fn meet(&mut self) -> Result<(), Broken> {
        let now = self.now(0).wall;
        for desk in self.everybody() {
            self.look(desk)?;
            if !self.desks[desk].git().is_clean() {
                self.at(desk).commit(now);
                self.git_was_here(desk)?;
                self.look(desk)?;
            }
            if self.desks[desk].git().branch() != "main" {
                self.desks[desk].git().switch("main");
                self.git_was_here(desk)?;
                self.look(desk)?;
                if !self.desks[desk].git().is_clean() {
                    self.at(desk).commit(now);
                    self.git_was_here(desk)?;
                }
            }
        }
        for desk in self.everybody() {
            for branch in ["main", "side"] {
                self.pull(0, desk, branch)?;
                if branch == "side" && desk == 0 {
                    let own = self.desks[0].git();
                    let tip = own.tip("side").unwrap();
                    let merged = own.merge(tip, "side", now);
                    must(
                        merged != crate::git::Merged::Marked,
                        "a merge leaves nothing to people",
                        || "desk 0 and its own side".to_owned(),
                    )?;
                    self.git_was_here(0)?;
                }
                self.look(0)?;
                if !self.desks[0].git().is_clean() {
                    self.at(0).commit(now);
                    self.git_was_here(0)?;
                }
            }
        }
        for desk in self.everybody().skip(1) {
            self.pull(desk, 0, "main")?;
            self.look(desk)?;
        }
        self.run(2 * MINUTE)
    }
}

/// Whether what happens is to be told.
pub(crate) fn trace() -> bool {
    std::env::var_os("SOAK_TRACE").is_some()
}
