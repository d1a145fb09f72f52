//! A conversation with one other replica.

use std::collections::{BTreeMap, BTreeSet};

use super::eagerness::{Eagerness, Lulling};
use super::greeting;
use super::inquiry::Inquiries;
use super::limits::{
    GRACE, MOST_BASES, MOST_CALM, MOST_CHAINS, MOST_COMMITS, MOST_EDITS_SAID, MOST_WORDS, NOTICE,
    SECOND, WINDOW,
};
use super::receiving;
use super::sending::{Next, Sending, knows};
use super::{
    Access, Action, Crypto, Ending, Event, Happening, Hello, Introduction, Message, Millis, Now,
    Refusal, Run, Shelf, Stay, Them, Us, VERSIONS, Violation, Voucher, digest,
};
use crate::crdt::{Replica, Stamp};
use crate::overlay::{CommitId, Knowledge};

/// How a session behaves.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How replicas are named, and edits proved.
    pub crypto: Crypto,
    /// How far ahead of our clock edits may be.
    pub ahead: Millis,
    /// How long both sides are silent before one of them says what it knows, on average.
    pub pulse: Millis,
    /// How long the other side may take to say its first word.
    pub greeting: Millis,
    /// How long edits are under way before they are taken for lost where the other side does not know them.
    pub lost_after: Millis,
    /// How long the other side may say nothing while something of ours is under way.
    pub patience: Millis,
    /// How many edits are said in one message at most.
    pub batch: usize,
    /// How many messages with edits are under way at most.
    pub window: usize,
    /// How far the clock on the wall may go off the steady one between two events before it was set.
    pub jump: Millis,
    /// Whether new edits are said at once, or only when the other side says what it knows.
    pub push: Push,
    /// Whether everything is said anew, whatever the other side knows.
    pub scope: Scope,
    /// Whether new edits are left to others to say where they always come from others first.
    pub lulling: Lulling,
    /// How long on a lazy line what comes to be known is gathered, until the other side is told that it is.
    pub notice: Millis,
    /// How long edits that the other side told of may take on another way, until it is asked for them.
    pub grace: Millis,
}

/// When new edits are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// At once.
    AtOnce,
    /// When the other side says what it knows.
    WhenAsked,
}

/// What is exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What one side knows and the other does not.
    Missing,
    /// Everything that each side knows.
    Everything,
}

impl Config {
    /// The usual behaviour.
    #[must_use]
    pub fn new(crypto: Crypto) -> Self {
        Self {
            crypto,
            ahead: 600 * SECOND,
            pulse: 5 * SECOND,
            greeting: 10 * SECOND,
            lost_after: 20 * SECOND,
            patience: 120 * SECOND,
            batch: MOST_EDITS_SAID,
            window: WINDOW,
            jump: 60 * SECOND,
            push: Push::AtOnce,
            scope: Scope::Missing,
            lulling: Lulling::Never,
            notice: NOTICE,
            grace: GRACE,
        }
    }
}

/// How far the conversation is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was said.
    New,
    /// We said Hello.
    Greeting,
    /// Both did.
    Talking(Hello),
    /// It is over.
    Over,
}

/// A conversation with one other replica. It holds no edits, opens nothing and waits for nothing: whoever runs it tells it
/// what happens ([`step`](Self::step)), gives it the shelf, and does what it answers.
#[derive(Debug)]
pub struct Session {
    us: Us,
    them: Them,
    config: Config,
    random: u64,
    stage: Stage,
    sending: Sending,
    eagerness: Eagerness,
    /// Replicas that were introduced to them.
    introduced: BTreeSet<Replica>,
    /// Bases that they were asked for.
    asked: BTreeSet<CommitId>,
    /// Those of them that they did not answer.
    unanswered: BTreeSet<CommitId>,
    /// What was asked of them, and whether they answered.
    inquiries: Inquiries,
    /// Whether they let our edits in.
    open: bool,
    /// Whether people were told that edits made here stay here.
    told_kept: bool,
    /// Whether people were told that nothing is taken from them.
    told_refused: bool,
    /// Replicas of whose edits some were not taken.
    refused: BTreeSet<Replica>,
    /// What people were told of what is not taken: of which replica first, and why.
    told_why: Vec<(Option<Replica>, Refusal)>,
    /// What they said last that they know.
    claims: Option<Knowledge>,
    /// What of that is not known here, and since when that is so.
    lacking: BTreeMap<Stamp, Millis>,
    /// What of it people were told of.
    told_withheld: BTreeSet<Stamp>,
    /// Whether we owe them a Done.
    owes_done: bool,
    /// Whether they said Done since we last had reason to think that they had something to say.
    heard_done: bool,
    /// Whether people were told that both know the same.
    told_in_step: bool,
    opened: Millis,
    heard: Millis,
    pulse_at: Millis,
    /// How often we said what we know since anything changed.
    calm: u32,
    /// By how much the clock on the wall is ahead of the steady one.
    offset: i64,
}

/// What one step does.
#[derive(Debug, Default)]
struct Doing {
    actions: Vec<Action>,
}

impl Doing {
    fn say(&mut self, message: Message) {
        self.actions.push(Action::Say(message));
    }

    fn tell(&mut self, happening: Happening) {
        self.actions.push(Action::Tell(happening));
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.say(Message::Refused(refusal.clone()));
        self.tell(Happening::WeRefused(refusal));
    }
}

/// What stops a step.
enum Stop<E> {
    End(Ending),
    Shelf(E),
}

impl<E> From<E> for Stop<E> {
    fn from(error: E) -> Self {
        Self::Shelf(error)
    }
}

fn violated<E>(violation: Violation) -> Stop<E> {
    Stop::End(Ending::Violated(violation))
}

impl Session {
    /// A conversation that has not begun. `seed` is any number that others do not draw too: it keeps sessions from acting
    /// all at the same moment.
    #[must_use]
    pub fn new(us: Us, them: Them, config: Config, seed: u64) -> Self {
        Self {
            us,
            them,
            config,
            random: seed,
            stage: Stage::New,
            sending: Sending::default(),
            eagerness: Eagerness::default(),
            introduced: BTreeSet::new(),
            asked: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            inquiries: Inquiries::default(),
            open: true,
            told_kept: false,
            told_refused: false,
            refused: BTreeSet::new(),
            told_why: Vec::new(),
            claims: None,
            lacking: BTreeMap::new(),
            told_withheld: BTreeSet::new(),
            owes_done: false,
            heard_done: false,
            told_in_step: false,
            opened: 0,
            heard: 0,
            pulse_at: 0,
            calm: 0,
            offset: 0,
        }
    }

    /// What is to be done about what happened.
    ///
    /// # Errors
    /// Those of the shelf. The session is of no use any more then: close the connection and open another one.
    pub fn step<S: Shelf>(
        &mut self,
        now: Now,
        event: Event,
        shelf: &mut S,
    ) -> Result<Vec<Action>, S::Error> {
        let mut doing = Doing::default();
        if self.stage == Stage::Over {
            return Ok(doing.actions);
        }
        let stepped = self
            .happened(now, event, shelf, &mut doing)
            .and_then(|()| self.go_on(now, shelf, &mut doing));
        match stepped {
            Ok(()) => {}
            Err(Stop::Shelf(error)) => {
                self.stage = Stage::Over;
                return Err(error);
            }
            Err(Stop::End(ending)) => self.end(ending, &mut doing),
        }
        Ok(doing.actions)
    }

    /// What the other side is taken to know: what it said last, stored since or sent itself; none before it said anything.
    #[must_use]
    pub fn known_there(&self) -> Option<&Knowledge> {
        self.sending.belief()
    }

    /// Whether both know the same, as far as they may and as far as is known here; where somebody wanted them to, nothing is open
    /// of that any more.
    #[must_use]
    pub fn is_in_step(&self) -> bool {
        let is_talking = matches!(self.stage, Stage::Talking(_));
        is_talking && self.is_all_said() && !self.inquiries.are_open()
    }

    /// Whether new edits are left to others to say, as what came on this line had always come on another one before.
    #[must_use]
    pub fn is_lazy(&self) -> bool {
        self.eagerness.is_lazy()
    }

    /// Whether edits come on this line that did not come on another one before. Where it is gone, the others are to hear that
    /// ([`Event::Bereft`]).
    #[must_use]
    pub fn is_way(&self) -> bool {
        self.eagerness.is_way()
    }

    /// Whether both know the same, as far as they may and as far as is known here.
    fn is_all_said(&self) -> bool {
        self.sending.is_done() && self.heard_done && !self.eagerness.is_unsure()
    }

    /// When, by the steady clock, the session wants an [`Event::Tick`]; none when it is over or has not begun.
    #[must_use]
    pub fn next_tick(&self) -> Option<Millis> {
        match self.stage {
            Stage::New | Stage::Over => None,
            Stage::Greeting => Some(self.opened + self.config.greeting),
            Stage::Talking(_) => {
                let wakes = self.sending.wakes().into_iter();
                wakes
                    .chain(self.eagerness.wakes())
                    .chain([self.pulse_at])
                    .min()
            }
        }
    }

    fn end(&mut self, ending: Ending, doing: &mut Doing) {
        self.stage = Stage::Over;
        match &ending {
            Ending::WeRefused(refusal) => doing.refuse(refusal.clone()),
            Ending::Violated(violation) => {
                doing.refuse(Refusal::Protocol(violation.to_string()));
            }
            _ => {}
        }
        doing.actions.push(Action::End(ending));
    }

    fn happened<S: Shelf>(
        &mut self,
        now: Now,
        event: Event,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        let offset = now
            .wall
            .cast_signed()
            .saturating_sub(now.steady.cast_signed());
        let jumped = offset.abs_diff(self.offset) > self.config.jump;
        self.offset = offset;
        match event {
            Event::Opened => self.open(now, doing),
            _ if jumped => return Err(Stop::End(Ending::ClockSet)),
            Event::Said(message) => {
                self.heard = now.steady;
                return self.said(now, message, shelf, doing);
            }
            Event::News => {
                self.stir(now);
                match (self.config.push, self.is_lazy()) {
                    (Push::AtOnce, false) => self.sending.look(),
                    (_, true) => self.eagerness.more(now.steady + self.config.notice),
                    (Push::WhenAsked, false) => {}
                }
            }
            Event::Bereft => self.rouse(shelf, doing)?,
            Event::Lulling(lulling) => {
                self.config.lulling = lulling;
                if lulling == Lulling::Never {
                    self.rouse(shelf, doing)?;
                }
            }
            Event::Wanted(scope) => return Ok(self.wanted(now, scope, shelf, doing)?),
            Event::Granted(access) => self.them.access = access,
            Event::Reconsidered => self.reconsidered(doing),
            Event::Tick => return self.tick(now, shelf, doing),
        }
        Ok(())
    }

    /// Both are to know the same now: what we know is said, and they are asked for what cannot be answered before all that they
    /// have to say to it.
    fn wanted<S: Shelf>(
        &mut self,
        now: Now,
        scope: Scope,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), S::Error> {
        if !matches!(self.stage, Stage::Talking(_)) {
            // All this is about to be said anyway.
            self.config.scope = scope;
            return Ok(());
        }
        let knowledge = shelf.knowledge()?;
        self.stir(now);
        self.eagerness.be_sure();
        match (scope, self.sending.has_begun()) {
            (Scope::Missing, _) => self.sending.look(),
            (Scope::Everything, false) => self.config.scope = scope,
            (Scope::Everything, true) => {
                let ours = digest(&knowledge);
                self.sending.replace(Knowledge::new(), ours, now.steady);
            }
        }
        doing.say(Message::Marks(match scope {
            Scope::Missing => knowledge,
            Scope::Everything => Knowledge::new(),
        }));
        self.inquiries.begin();
        self.inquiries.asked();
        doing.say(Message::Lost {
            bases: Vec::new(),
            have: Vec::new(),
        });
        Ok(())
    }

    fn open(&mut self, now: Now, doing: &mut Doing) {
        self.stage = Stage::Greeting;
        self.opened = now.steady;
        self.heard = now.steady;
        doing.say(Message::Hello(Hello {
            versions: VERSIONS,
            introduction: self.us.introduction,
            boot: self.us.boot,
            roots: self.us.roots.clone(),
            now: now.wall,
            stays: self.us.stay == Stay::On,
            takes_edits: self.them.access == Access::Writes,
            sends_edits: self.us.access == Access::Writes,
        }));
    }

    fn tick<S: Shelf>(
        &mut self,
        now: Now,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        if self.stage == Stage::Greeting && now.steady >= self.opened + self.config.greeting {
            return Err(Stop::End(Ending::Silent));
        }
        if !matches!(self.stage, Stage::Talking(_)) {
            return Ok(());
        }
        self.sending.wake(now.steady);
        if self.eagerness.tells_now(now.steady) {
            self.tell_of_more(shelf, doing)?;
        }
        if self.eagerness.asks_now(now.steady) && self.eagerness.lacks(&shelf.knowledge()?) {
            self.rouse(shelf, doing)?;
        }
        if now.steady >= self.pulse_at {
            let waits = !self.sending.is_done() || !self.heard_done;
            if waits && now.steady >= self.heard + self.config.patience {
                return Err(Stop::End(Ending::Silent));
            }
            doing.say(Message::Pulse(digest(&shelf.knowledge()?)));
            let unanswered = std::mem::take(&mut self.unanswered);
            for base in unanswered {
                self.asked.remove(&base);
            }
            self.ask_for_bases(shelf, doing)?;
            self.calm = MOST_CALM.min(self.calm + 1);
            self.rest(now);
        }
        Ok(())
    }

    /// Nothing has to be said for a while, and for longer where nothing happens.
    fn rest(&mut self, now: Now) {
        let pulse = self.config.pulse << self.calm;
        let fifth = pulse / 5;
        self.pulse_at = now.steady + pulse - fifth + self.draw() % (2 * fifth + 1);
    }

    /// Something happens: what we know is to be said again soon.
    fn stir(&mut self, now: Now) {
        if self.calm > 0 {
            self.calm = 0;
            self.rest(now);
        }
    }

    /// A random number (SplitMix64, after Steele, Lea and Flood, 2014).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn said<S: Shelf>(
        &mut self,
        now: Now,
        message: Message,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        match (&self.stage, message) {
            (_, Message::Refused(refusal)) => self.refused(now, refusal, doing),
            (Stage::Greeting, Message::Hello(hello)) => self.greeted(now, hello, shelf, doing),
            (Stage::Talking(before), Message::Hello(hello)) => match *before == hello {
                true => Ok(()),
                false => Err(violated(Violation::SecondHello)),
            },
            (Stage::Talking(_), Message::Introductions { replicas, vouchers }) => {
                self.introduced(&replicas, &vouchers, shelf)
            }
            (Stage::Talking(_), Message::Marks(marks)) => self.marked(now, marks, shelf, doing),
            (Stage::Talking(_), Message::Edits(runs)) => self.received(now, runs, shelf, doing),
            (Stage::Talking(_), Message::Stored(chains)) => {
                check_size(&chains).map_err(violated)?;
                if self.is_lazy() {
                    let at =
                        now.steady + self.config.grace + self.draw() % self.config.grace.max(1);
                    self.eagerness.heard(&chains, &shelf.knowledge()?, at);
                }
                let edits = self.sending.stored(chains);
                if edits > 0 {
                    doing.tell(Happening::Confirmed { edits });
                }
                Ok(())
            }
            (Stage::Talking(_), Message::Pulse(theirs)) => self.pulsed(now, theirs, shelf, doing),
            (Stage::Talking(_), Message::Lost { bases, have }) => {
                if bases.len() > MOST_BASES || have.len() > MOST_COMMITS {
                    return Err(violated(Violation::TooMany("commits")));
                }
                let found = shelf.common(&bases, &have)?;
                doing.say(Message::Found(found));
                Ok(())
            }
            (Stage::Talking(_), Message::Found(ancestors)) => {
                self.found(&ancestors, shelf, doing)?;
                match self.inquiries.answered() {
                    // What they said may have led to more.
                    true => Ok(self.wanted(now, Scope::Missing, shelf, doing)?),
                    false => Ok(()),
                }
            }
            (Stage::Talking(_), Message::Lull) => {
                self.eagerness.lull();
                Ok(())
            }
            (Stage::Talking(_), Message::Rouse) => {
                self.eagerness.rouse();
                self.sending.look();
                Ok(())
            }
            (Stage::Talking(_), Message::Done) => {
                self.heard_done = true;
                let ours = shelf.knowledge()?;
                self.tell_withheld(now, Withheld::AllIsSaid, &ours, doing);
                Ok(())
            }
            (Stage::Talking(_), Message::Reconsidered) => {
                self.introduced = BTreeSet::from([self.us.introduction.replica]);
                self.sending.reconsider();
                Ok(())
            }
            (Stage::New | Stage::Greeting | Stage::Over, _) => Err(violated(Violation::NoHello)),
        }
    }

    fn greeted<S: Shelf>(
        &mut self,
        now: Now,
        hello: Hello,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        let version = greeting::agreed(&self.us, &hello, &self.them.key, self.config.crypto.naming)
            .map_err(Stop::End)?;
        let stay = match hello.stays {
            true => Stay::On,
            false => Stay::UntilDone,
        };
        doing.tell(Happening::Greeted {
            introduction: hello.introduction,
            version,
            stay,
        });
        if hello.introduction == self.us.introduction {
            doing.tell(Happening::SameReplica(hello.introduction.replica));
        }
        let ahead = hello
            .now
            .cast_signed()
            .saturating_sub(now.wall.cast_signed());
        if ahead.unsigned_abs() > self.config.ahead {
            doing.tell(Happening::ClocksDiffer { ahead });
        }
        shelf.introduce(&[hello.introduction], &[])?;
        self.introduced.insert(self.us.introduction.replica);
        self.open = self.us.access == Access::Writes && hello.takes_edits;
        self.stage = Stage::Talking(hello);
        self.owes_done = true;
        let knowledge = match self.config.scope {
            Scope::Missing => shelf.knowledge()?,
            Scope::Everything => Knowledge::new(),
        };
        doing.say(Message::Marks(knowledge));
        self.ask_for_bases(shelf, doing)?;
        self.rest(now);
        Ok(())
    }

    fn introduced<S: Shelf>(
        &mut self,
        replicas: &[Introduction],
        vouchers: &[Voucher],
        shelf: &mut S,
    ) -> Result<(), Stop<S::Error>> {
        receiving::introduce(replicas, vouchers, &self.config.crypto, shelf)?.map_err(violated)
    }

    fn marked<S: Shelf>(
        &mut self,
        now: Now,
        marks: Knowledge,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        check_size(&marks).map_err(violated)?;
        let everything = self.config.scope == Scope::Everything && !self.sending.has_begun();
        let marks = match everything {
            true => Knowledge::new(),
            false => marks,
        };
        let lost_before = now.steady.saturating_sub(self.config.lost_after);
        let knowledge = shelf.knowledge()?;
        self.claims = Some(marks.clone());
        self.tell_withheld(now, Withheld::ForLong, &knowledge, doing);
        if self.them.access == Access::Reads && self.made_more(&marks, &knowledge) {
            self.tell_refused(doing);
        }
        self.sending.replace(marks, digest(&knowledge), lost_before);
        self.eagerness.be_sure();
        // Who leaves when all is said waits for that word.
        self.owes_done |= self.they_leave();
        Ok(())
    }

    fn received<S: Shelf>(
        &mut self,
        now: Now,
        runs: Vec<Run>,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        if self.them.access == Access::Reads {
            doing.say(Message::Refused(Refusal::ReadsOnly));
            self.tell_refused(doing);
            return Ok(());
        }
        let Config { crypto, ahead, .. } = self.config;
        let taken = receiving::take(runs, &crypto, now.wall, ahead, shelf)?.map_err(violated)?;
        let replicas = taken.replicas();
        for refusal in taken.refused {
            self.refuse(refusal, doing);
        }
        if taken.links.is_empty() {
            return Ok(());
        }
        let edits = taken.links.len();
        self.inquiries.came();
        self.sending.came(&taken.links);
        let added = taken.added;
        let mut chains = shelf.knowledge()?;
        chains.retain(|replica, _| replicas.contains(replica));
        doing.say(Message::Stored(chains));
        doing.tell(Happening::Received {
            edits,
            new: added.new,
        });
        match added.new {
            0 if self.eagerness.repeated(self.config.lulling) && self.both_stay() => {
                self.eagerness.lull();
                doing.say(Message::Lull);
            }
            0 => {}
            _ => {
                self.stir(now);
                self.rouse(shelf, doing)?;
                self.eagerness.brought();
                doing.actions.push(Action::Learned);
                self.ask_for_bases(shelf, doing)?;
            }
        }
        if !added.forks.is_empty() {
            doing.tell(Happening::Forks(added.forks));
        }
        if !added.equivocations.is_empty() {
            doing.tell(Happening::Equivocations(added.equivocations));
        }
        Ok(())
    }

    fn pulsed<S: Shelf>(
        &mut self,
        now: Now,
        theirs: u64,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        let knowledge = shelf.knowledge()?;
        let ours = digest(&knowledge);
        if theirs == ours {
            self.eagerness.told_all(&knowledge);
            self.eagerness.be_sure();
            self.sending.agree(knowledge);
            self.heard_done = true;
            self.rest(now);
            // Who leaves when all is said waits for that word.
            self.owes_done |= self.they_leave();
            return Ok(());
        }
        self.eagerness.told_all(&knowledge);
        doing.say(Message::Marks(knowledge));
        let is_known = self.sending.belief().map(digest) == Some(theirs);
        if !is_known {
            doing.say(Message::Pulse(ours));
        }
        Ok(())
    }

    /// Tells what came to be known here since the other side was told last.
    fn tell_of_more<S: Shelf>(&mut self, shelf: &mut S, doing: &mut Doing) -> Result<(), S::Error> {
        let untold = self.eagerness.untold(&shelf.knowledge()?);
        if !untold.is_empty() {
            doing.say(Message::Stored(untold));
        }
        Ok(())
    }

    /// Makes the line eager again, if it is lazy: what the other side lacks is said, and it is asked to do the same.
    fn rouse<S: Shelf>(&mut self, shelf: &mut S, doing: &mut Doing) -> Result<(), S::Error> {
        if !self.is_lazy() {
            return Ok(());
        }
        // What we know already is not to come.
        self.tell_of_more(shelf, doing)?;
        self.eagerness.rouse();
        self.sending.look();
        doing.say(Message::Rouse);
        Ok(())
    }

    fn both_stay(&self) -> bool {
        self.us.stay == Stay::On && !self.they_leave()
    }

    fn they_leave(&self) -> bool {
        matches!(&self.stage, Stage::Talking(hello) if !hello.stays)
    }

    fn ask_for_bases<S: Shelf>(
        &mut self,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        let mut bases = shelf.lost_bases(MOST_BASES)?;
        bases.retain(|base| !self.asked.contains(base));
        if bases.is_empty() {
            return Ok(());
        }
        self.asked.extend(&bases);
        self.unanswered.extend(&bases);
        let have = shelf.commits(MOST_COMMITS)?;
        self.inquiries.asked();
        doing.say(Message::Lost { bases, have });
        Ok(())
    }

    fn found<S: Shelf>(
        &mut self,
        ancestors: &[(CommitId, Vec<CommitId>)],
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        let is_long = |(_, ancestors): &(CommitId, Vec<CommitId>)| ancestors.len() > MOST_BASES;
        if ancestors.len() > MOST_BASES || ancestors.iter().any(is_long) {
            return Err(violated(Violation::TooMany("commits")));
        }
        // What nobody asked for is nobody's business.
        let asked = ancestors
            .iter()
            .filter(|(base, _)| self.asked.contains(base));
        let asked: Vec<_> = asked.cloned().collect();
        self.unanswered.clear();
        let bases = shelf.found(&asked)?;
        if bases > 0 {
            doing.actions.push(Action::Learned);
            doing.tell(Happening::BasesFound { bases });
        }
        Ok(())
    }

    fn refused<E>(&mut self, now: Now, refusal: Refusal, doing: &mut Doing) -> Result<(), Stop<E>> {
        let refusal = shortened(refusal);
        match &refusal {
            Refusal::Version(..) | Refusal::OtherRepository | Refusal::Protocol(_) => {
                return Err(Stop::End(Ending::TheyRefused(refusal)));
            }
            Refusal::ReadsOnly => {
                let was_open = std::mem::replace(&mut self.open, false);
                self.sending.give_up();
                if !was_open {
                    return Ok(());
                }
                self.told_kept = true;
            }
            Refusal::Future { from, now: theirs } => {
                let is_due = |stamp: Stamp| {
                    let ahead = stamp.unix_millis().saturating_sub(*theirs);
                    now.steady.saturating_add(ahead)
                };
                self.sending.postpone(from, is_due);
            }
            Refusal::Document(stamps) => self.sending.decline(stamps),
            Refusal::Unproved(stamps) | Refusal::Denied { edits: stamps, .. } => {
                self.sending.deny(stamps);
            }
            Refusal::Early { from, millis } => {
                let due = now.steady.saturating_add(*millis);
                self.sending.postpone(from, |_| due);
            }
        }
        doing.tell(Happening::TheyRefused(refusal));
        Ok(())
    }

    /// Says what is to be said, as far as there is room.
    fn go_on<S: Shelf>(
        &mut self,
        now: Now,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        if !matches!(self.stage, Stage::Talking(_)) || !self.sending.has_begun() {
            return Ok(());
        }
        if !self.open {
            self.keep_back(shelf, doing)?;
        }
        loop {
            match self.sending.next(now.steady, &self.config, shelf)? {
                Next::Nothing => break,
                Next::TooLarge(stamp) => doing.tell(Happening::TooLarge(stamp)),
                Next::Edits(runs) => {
                    self.introduce(&runs, shelf, doing)?;
                    self.stir(now);
                    let edits = runs.iter().flat_map(Run::edits).count();
                    doing.tell(Happening::Sent { edits });
                    doing.say(Message::Edits(runs));
                }
            }
        }
        if self.sending.is_said() && std::mem::take(&mut self.owes_done) {
            doing.say(Message::Done);
        }
        let in_step = self.is_all_said();
        if in_step && !self.told_in_step {
            doing.tell(Happening::InStep);
        }
        self.told_in_step = in_step;
        if in_step && self.us.stay == Stay::UntilDone && self.unanswered.is_empty() {
            return Err(Stop::End(Ending::Finished));
        }
        Ok(())
    }

    /// Sends nothing, and tells people once if something that was made here would have to be sent.
    fn keep_back<S: Shelf>(
        &mut self,
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        if !self.told_kept
            && !self.sending.is_said()
            && let Some(there) = self.sending.belief()
            && let uncommitted = shelf.uncommitted()?
            && uncommitted.iter().any(|stamp| !knows(there, *stamp))
        {
            self.told_kept = true;
            doing.tell(match self.us.access {
                Access::Reads => Happening::WeOnlyRead,
                Access::Writes => Happening::TheyTakeNone,
            });
            // By these their people learn of it, too.
            doing.say(Message::Marks(shelf.knowledge()?));
        }
        self.sending.give_up();
        Ok(())
    }

    /// Tells people once that edits of theirs are not taken, as they may only read.
    fn tell_refused(&mut self, doing: &mut Doing) {
        if !std::mem::replace(&mut self.told_refused, true) {
            doing.tell(Happening::WeRefused(Refusal::ReadsOnly));
        }
    }

    /// Whether by these marks they made edits that are not known here.
    fn made_more(&self, marks: &Knowledge, ours: &Knowledge) -> bool {
        let Stage::Talking(hello) = &self.stage else {
            return false;
        };
        marks
            .get(&hello.introduction.replica)
            .is_some_and(|chain| chain.named().any(|stamp| !knows(ours, stamp)))
    }

    /// Says whose the replicas of these edits are, where that was not said.
    fn introduce<S: Shelf>(
        &mut self,
        runs: &[Run],
        shelf: &mut S,
        doing: &mut Doing,
    ) -> Result<(), Stop<S::Error>> {
        let replicas: BTreeSet<Replica> = runs
            .iter()
            .flat_map(Run::edits)
            .map(|edit| edit.stamp.replica())
            .filter(|replica| !self.introduced.contains(replica))
            .collect();
        if replicas.is_empty() {
            return Ok(());
        }
        self.introduced.extend(&replicas);
        let introductions = receiving::introductions(&replicas, shelf)?;
        introductions
            .into_iter()
            .for_each(|message| doing.say(message));
        Ok(())
    }

    /// Others are trusted than before, or other rules hold: what was not taken is asked for again.
    fn reconsidered(&mut self, doing: &mut Doing) {
        self.refused.clear();
        if matches!(self.stage, Stage::Talking(_)) {
            doing.say(Message::Reconsidered);
        }
    }

    /// Lets them know that something is not taken; people once of each author and reason.
    fn refuse(&mut self, refusal: Refusal, doing: &mut Doing) {
        let replicas: BTreeSet<Replica> =
            refusal.edits().iter().map(|edit| edit.replica()).collect();
        let told = (replicas.first().copied(), refusal.without_edits());
        self.refused.extend(replicas);
        doing.say(Message::Refused(refusal.clone()));
        if !self.told_why.contains(&told) {
            self.told_why.push(told);
            doing.tell(Happening::WeRefused(refusal));
        }
    }

    /// Tells people once of edits of which the other side said that it knows them, and which it does not say. What is refused here
    /// is no such edit, nor is anything else of the same replica.
    fn tell_withheld(&mut self, now: Now, when: Withheld, ours: &Knowledge, doing: &mut Doing) {
        let sends_none = match &self.stage {
            Stage::Talking(hello) => !hello.sends_edits,
            _ => true,
        };
        if self.them.access == Access::Reads || sends_none {
            return;
        }
        let claims = self.claims.iter().flatten();
        let lacking: BTreeSet<Stamp> = claims
            .filter(|(replica, _)| !self.refused.contains(replica))
            .flat_map(|(replica, theirs)| match ours.get(replica) {
                Some(ours) => ours.lacks(theirs),
                None => theirs.named().collect(),
            })
            .collect();
        self.lacking.retain(|stamp, _| lacking.contains(stamp));
        let mut withheld = Vec::new();
        for stamp in lacking {
            let since = *self.lacking.entry(stamp).or_insert(now.steady);
            let is_due = match when {
                Withheld::AllIsSaid => true,
                Withheld::ForLong => now.steady >= since.saturating_add(self.config.lost_after),
            };
            if is_due && self.told_withheld.insert(stamp) {
                withheld.push(stamp);
            }
        }
        if !withheld.is_empty() {
            doing.tell(Happening::Withheld(withheld));
        }
    }
}

/// When edits that somebody claims to know, and that are not known here, are withheld.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Withheld {
    /// At once: it said that it said all.
    AllIsSaid,
    /// When there was time to say them.
    ForLong,
}

fn check_size(knowledge: &Knowledge) -> Result<(), Violation> {
    let islands: usize = knowledge.values().map(|chain| chain.islands.len()).sum();
    match knowledge.len() + islands > MOST_CHAINS {
        true => Err(Violation::TooMany("marks")),
        false => Ok(()),
    }
}

/// A refusal with no more words than a log bears.
fn shortened(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Protocol(words) => Refusal::Protocol(
            words
                .chars()
                .filter(|letter| !letter.is_control())
                .take(MOST_WORDS)
                .collect(),
        ),
        other => other,
    }
}
