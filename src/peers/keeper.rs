//! One thread that has the store and a session for each line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use super::answering::Answering;
use super::joining::Joiner;
use super::line::{Frame, Out, Words};
use super::meeting::Met;
use super::meetings::Calls;
use super::rounds::{Looks, Rounds, Sight};
use super::shelf::Shelf;
use super::{Admission, Error, admission, ruling, telling};
use crate::asking::Asked;
use crate::exchange::{
    Access, Action, Event, Happening, Lulling, Message, Now, Refusal, Session, Them, Us, wire,
};
use crate::git::Repo;
use crate::net::{
    Close, Company, DialError, Ending, Gauge, Hub, Knock, LineId, PublicKey, Target, Traffic,
};
use crate::node::Admitted;
use crate::replica::Report;
use crate::store::{self, Durability, Moment, Store};
use crate::watch::Touched;

/// The longest wait for something to happen.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// After how many messages with edits in turn that brought nothing new a line becomes lazy: each edit that is made at another place
/// comes another way, and a line that is the shortest for some of them is worth what the others cost.
const REPEATS: u32 = 3;

/// How much of what people were told of a peer is kept in mind: a peer can give cause for any number of words.
const TOLD: usize = 16;

/// Something that the keeper is told.
pub(super) enum Note {
    /// A line is there, and this is the way to it.
    Up(Gauge, Words),
    /// A frame came on a line.
    Frame(LineId, Frame),
    /// A line is gone, and why.
    Down(LineId, Ending),
    /// A line is gone, as the keeper wanted.
    Closed(LineId),
    /// Something happened in the work tree.
    Touched(Touched),
    /// One who is sought was not reached.
    Unreached(Target, DialError),
    /// Edits were exchanged through the git remote, or could not be.
    MetThere(Box<Met>),
    /// Somebody wants to join.
    Knocked(Knock),
    /// A command asks something.
    Asked(Asked),
    /// Nothing more will come.
    Stop,
}

/// What the keeper tells whoever runs it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Heard {
    /// Somebody is there.
    Met {
        /// Who.
        peer: Admitted,
        /// Where.
        address: String,
    },
    /// Something that people should know of a peer.
    Told {
        /// Of whom.
        peer: Admitted,
        /// What.
        what: String,
    },
    /// Edits came that were not known.
    Learned {
        /// From whom.
        peer: Admitted,
        /// How many.
        edits: usize,
    },
    /// Both know the same.
    InStep {
        /// Who.
        peer: Admitted,
    },
    /// A conversation is over.
    Over(Conversation),
    /// Edits were exchanged through the git remote, or could not be.
    MetThere(Met),
    /// Somebody who was invited joined.
    Joined(Joiner),
    /// A round recorded or showed something, or something is the matter.
    Round(Box<Report>),
    /// Files are watched in another way than before.
    Sight(Sight),
    /// Something went wrong here.
    Failed(Error),
}

/// A conversation that is over.
#[derive(Debug)]
pub struct Conversation {
    /// With whom.
    pub peer: Admitted,
    /// Their key.
    pub key: PublicKey,
    /// Whether both know the same now, as far as they may.
    pub in_step: bool,
    /// How many edits went out.
    pub sent: usize,
    /// How many came in that were not known.
    pub received: usize,
    /// What went over the line.
    pub traffic: Traffic,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// Whether another conversation with the same peer goes on in its place.
    pub is_double: bool,
}

/// A session, and the line that it is held on.
pub(super) struct Talk {
    pub(super) session: Session,
    assembly: wire::Assembly,
    words: Words,
    pub(super) gauge: Gauge,
    pub(super) peer: Admitted,
    /// What the peer may do.
    pub(super) access: Access,
    pub(super) began: Instant,
    in_step: bool,
    pub(super) sent: usize,
    pub(super) received: usize,
    error: Option<String>,
    /// What people were told of the peer, the first of it.
    pub(super) told: BTreeSet<String>,
    /// Whether the hub may end the line, as nothing comes on it that does not come on others.
    is_spare: bool,
}

/// How conversations are held.
pub(super) struct Manner {
    pub(super) us: Us,
    pub(super) config: crate::exchange::Config,
    /// How the work tree is looked at meanwhile; not at all where there is nothing.
    pub(super) looks: Option<Looks>,
    /// The way to who calls on the git remote, where that is how others are found.
    pub(super) calls: Option<Calls>,
}

pub(super) struct Keeper {
    pub(super) shelf: Shelf,
    pub(super) admission: Admission,
    pub(super) hub: Hub,
    pub(super) manner: Manner,
    began: Instant,
    pub(super) talks: BTreeMap<LineId, Talk>,
    pub(super) rounds: Option<Rounds>,
    pub(super) answering: Answering,
    heard: UnboundedSender<Heard>,
    seeds: u64,
    /// Whether there is nothing left to keep.
    pub(super) is_over: bool,
}

impl Keeper {
    /// A keeper at work, in a thread of its own. It is begun by the runtime that has the hub.
    pub(super) fn begin(
        store: Store,
        admission: Admission,
        hub: Hub,
        manner: Manner,
        heard: UnboundedSender<Heard>,
        notes: Receiver<Note>,
    ) -> Result<JoinHandle<Result<(), Error>>, Error> {
        let runtime = Handle::current();
        let keep = move || {
            // The hub begins tasks when it is to seek others.
            let _runtime = runtime.enter();
            Self::new(Repo::find()?, store, admission, hub, manner, heard)?.run(&notes);
            Ok(())
        };
        let thread = thread::Builder::new().name("keeper".to_owned());
        thread.spawn(keep).map_err(Error::Runtime)
    }

    fn new(
        repo: Repo,
        store: Store,
        admission: Admission,
        hub: Hub,
        mut manner: Manner,
        heard: UnboundedSender<Heard>,
    ) -> Result<Self, Error> {
        let now = Instant::now();
        let looks = manner.looks.take();
        let rounds = looks.map(Rounds::begin).transpose()?;
        if let Some(rounds) = &rounds {
            // Nobody listens any more when the program ends.
            let _ = heard.send(Heard::Sight(rounds.sight.clone()));
        }
        Ok(Self {
            shelf: Shelf::new(repo, store, admission.clone()),
            admission,
            hub,
            seeds: manner.us.boot,
            manner,
            began: now,
            talks: BTreeMap::new(),
            rounds,
            answering: Answering::default(),
            heard,
            is_over: false,
        })
    }

    /// Holds all conversations until it is told to stop, or the work tree is removed.
    fn run(mut self, notes: &Receiver<Note>) {
        loop {
            let wait = self.next_due().saturating_duration_since(Instant::now());
            match notes.recv_timeout(wait) {
                Ok(Note::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(note) => self.noted(note),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // What is there already comes before what takes long.
            while let Ok(note) = notes.try_recv() {
                if matches!(note, Note::Stop) {
                    return;
                }
                self.noted(note);
            }
            self.tick();
            if self.is_over {
                return;
            }
        }
    }

    fn now(&self) -> Now {
        Now {
            steady: self.began.elapsed().as_millis() as u64,
            wall: Moment::now().unix_millis(),
        }
    }

    fn next_due(&self) -> Instant {
        let ticks = self.talks.values();
        let ticks = ticks.filter_map(|talk| talk.session.next_tick());
        let tick = ticks.min().map(Duration::from_millis);
        let tick = tick.map(|tick| self.began + tick);
        let round = self.rounds.as_ref().map(Rounds::next);
        let latest = Instant::now() + LONGEST_WAIT;
        tick.into_iter()
            .chain(round)
            .chain(self.answering.next_due())
            .chain([latest])
            .min()
            .unwrap_or(latest)
    }

    fn tick(&mut self) {
        let now = self.now().steady;
        let is_due = |talk: &Talk| talk.session.next_tick().is_some_and(|tick| tick <= now);
        let due: Vec<LineId> = self
            .talks
            .iter()
            .filter(|(_, talk)| is_due(talk))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.step(id, Event::Tick);
        }
        let next = self.rounds.as_ref().map(Rounds::next);
        if next.is_some_and(|next| next <= Instant::now()) {
            self.round();
        }
        self.settle();
    }

    fn noted(&mut self, note: Note) {
        match note {
            Note::Up(gauge, words) => self.up(gauge, words),
            Note::Frame(id, frame) => self.framed(id, &frame),
            Note::Down(id, ending) => self.down(id, Some(&ending)),
            Note::Closed(id) => self.down(id, None),
            Note::Touched(touched) => {
                if let Some(rounds) = &mut self.rounds {
                    rounds.touched(touched);
                }
            }
            Note::Unreached(target, error) => self.answering.unreached(target, error),
            Note::MetThere(met) => self.met_there(*met),
            Note::Knocked(knock) => self.knocked(knock),
            Note::Asked(asked) => self.asked(asked),
            Note::Stop => {}
        }
    }

    fn up(&mut self, gauge: Gauge, words: Words) {
        // Whoever was cut off a moment ago is nobody any more.
        let Some(peer) = self.admission.of(gauge.peer()) else {
            gauge.close(Close::NotAdmitted);
            return;
        };
        let (key, id, address) = (*gauge.peer(), gauge.id(), gauge.remote().to_string());
        let access = admission::access(peer.role);
        let them = Them { key, access };
        self.seeds = self.seeds.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let config = crate::exchange::Config {
            lulling: self.lulling(),
            ..self.manner.config
        };
        let session = Session::new(self.manner.us.clone(), them, config, self.seeds);
        let talk = Talk {
            session,
            assembly: wire::Assembly::default(),
            words,
            gauge,
            peer: peer.clone(),
            access,
            began: Instant::now(),
            in_step: false,
            sent: 0,
            received: 0,
            error: None,
            told: BTreeSet::new(),
            is_spare: false,
        };
        self.answering.up(&talk);
        self.talks.insert(id, talk);
        self.write(|writing| writing.met(&key, Some(&address), Moment::now()));
        self.hear(Heard::Met { peer, address });
        self.step(id, Event::Opened);
    }

    fn framed(&mut self, id: LineId, frame: &Frame) {
        let Some(talk) = self.talks.get_mut(&id) else {
            return;
        };
        match talk.assembly.add(&frame.payload) {
            Ok(Some(message)) => {
                if let Message::Hello(hello) = &message {
                    self.hub.introduced(id, hello.boot, hello.stays);
                }
                self.step(id, Event::Said(message));
            }
            Ok(None) => {}
            Err(malformed) => {
                talk.error = Some(format!("it does not keep to the protocol: {malformed}"));
                let refused = Message::Refused(Refusal::Protocol(malformed.to_string()));
                talk.say(&refused);
                talk.end(Close::Faulty);
            }
        }
    }

    fn down(&mut self, id: LineId, ending: Option<&Ending>) {
        let Some(talk) = self.talks.remove(&id) else {
            return;
        };
        let is_double = matches!(
            ending,
            Some(
                Ending::Here(Close::Duplicate | Close::Replaced)
                    | Ending::There(Close::Duplicate | Close::Replaced)
            )
        );
        let error = talk.error.or_else(|| match ending {
            Some(ending) if telling::is_cut_off(ending) || !talk.in_step && !is_double => {
                Some(ending.to_string())
            }
            _ => None,
        });
        if talk.session.is_way() {
            self.tell_all_but(None, &Event::Bereft);
        }
        let key = *talk.gauge.peer();
        if let Some(error) = &error {
            self.log(Some(key), error);
        } else if talk.sent + talk.received > 0 {
            let told = format!("in step: sent {}, received {}", talk.sent, talk.received);
            self.log(Some(key), &told);
        }
        let over = Conversation {
            key,
            peer: talk.peer,
            in_step: talk.in_step,
            sent: talk.sent,
            received: talk.received,
            traffic: talk.gauge.traffic(),
            took: talk.began.elapsed(),
            error,
            is_double: is_double || self.is_talking_to(&key),
        };
        self.answering.over(id, &over);
        self.hear(Heard::Over(over));
    }

    /// Whether there is a conversation with this peer: there are two for a moment where both called.
    fn is_talking_to(&self, key: &PublicKey) -> bool {
        self.talks.values().any(|talk| talk.gauge.peer() == key)
    }

    /// Tells a session what happened, and does what it answers.
    pub(super) fn step(&mut self, id: LineId, event: Event) {
        let now = self.now();
        let Some(talk) = self.talks.get_mut(&id) else {
            return;
        };
        let actions = match talk.session.step(now, event, &mut self.shelf) {
            Ok(actions) => actions,
            Err(error) => {
                talk.error = Some(error.to_string());
                talk.end(Close::Left);
                self.hear(Heard::Failed(error));
                return;
            }
        };
        let is_spare = talk.session.is_lazy() || talk.sent + talk.received == 0;
        if std::mem::replace(&mut talk.is_spare, is_spare) != is_spare {
            self.hub.spare(id, is_spare);
        }
        let mut has_learned = false;
        let mut notable = Vec::new();
        for action in actions {
            match action {
                Action::Say(message) => {
                    if let Message::Refused(refusal) = &message {
                        ruling::note(&mut self.shelf.store, refusal);
                    }
                    talk.say(&message);
                }
                Action::Learned => has_learned = true,
                Action::Tell(happening) => {
                    Self::told(talk, &happening, &mut self.shelf, &self.heard);
                    notable.extend(telling::notable(&happening));
                }
                Action::End(ending) => {
                    talk.error = talk.error.take().or(telling::failure(&ending));
                    talk.end(match ending {
                        crate::exchange::Ending::Violated(_) => Close::Faulty,
                        _ => Close::Left,
                    });
                }
            }
        }
        for what in notable {
            self.tell(id, what);
        }
        if has_learned {
            self.news(Some(id));
            let files = self.shelf.take_new();
            if let Some(rounds) = &mut self.rounds {
                rounds.came(files);
            }
        }
    }

    /// Lets all sessions but one know that there is more to be known.
    pub(super) fn news(&mut self, but: Option<LineId>) {
        self.tell_all_but(but, &Event::News);
        if let Some(calls) = &self.manner.calls {
            calls.news();
        }
    }

    /// Tells all sessions but one what happened.
    fn tell_all_but(&mut self, but: Option<LineId>, event: &Event) {
        let others: Vec<LineId> = self
            .talks
            .keys()
            .copied()
            .filter(|id| Some(*id) != but)
            .collect();
        for id in others {
            self.step(id, event.clone());
        }
    }

    /// Whether lines may become lazy: where there are few, all say everything at once to all.
    pub(super) fn lulling(&self) -> Lulling {
        match self.admission.company() {
            Company::Few => Lulling::Never,
            Company::Many => Lulling::After(REPEATS),
        }
    }

    /// Has the git remote called on now, where that is how others are found: what comes of it has this number or a later one.
    pub(super) fn call_on_remote(&mut self) -> Option<u64> {
        self.manner.calls.as_mut().map(Calls::now)
    }

    /// Edits were exchanged through the git remote.
    fn met_there(&mut self, met: Met) {
        if met.received > 0 {
            let others: Vec<LineId> = self.talks.keys().copied().collect();
            for id in others {
                self.step(id, Event::News);
            }
        }
        let mut are_elsewhere = false;
        if let Some(rounds) = &mut self.rounds {
            rounds.came(met.files.iter().cloned());
            let before = &mut rounds.wanted.published;
            are_elsewhere = met.error.is_none() && *before != met.addresses;
            if are_elsewhere {
                before.clone_from(&met.addresses);
            }
        }
        if are_elsewhere && let Err(error) = self.seek() {
            self.hear(Heard::Failed(error));
        }
        if met.trusts_others
            && let Err(error) = self.renew_trust()
        {
            self.hear(Heard::Failed(error));
        }
        self.answering.met_there(&met);
        self.hear(Heard::MetThere(met));
    }

    fn told(
        talk: &mut Talk,
        happening: &Happening,
        shelf: &mut Shelf,
        heard: &UnboundedSender<Heard>,
    ) {
        let peer = talk.peer.clone();
        tracing::debug!(peer = %peer.id, ?happening, "told");
        match happening {
            Happening::Sent { edits } => talk.sent += edits,
            Happening::Received { new, .. } if *new > 0 => {
                talk.received += new;
                if talk.in_step {
                    talk.note_knowledge(shelf);
                }
                let _ = heard.send(Heard::Learned {
                    peer: peer.clone(),
                    edits: *new,
                });
            }
            Happening::InStep => {
                talk.in_step = true;
                talk.note_knowledge(shelf);
                let _ = heard.send(Heard::InStep { peer: peer.clone() });
            }
            _ => {}
        }
    }

    /// Tells people something of the peer, unless they just heard it from a conversation that this one doubles.
    fn tell(&mut self, id: LineId, what: String) {
        let Some(talk) = self.talks.get(&id) else {
            return;
        };
        let (key, peer) = (*talk.gauge.peer(), talk.peer.clone());
        let is_known = |(other, talk): (&LineId, &Talk)| {
            *other != id && *talk.gauge.peer() == key && talk.told.contains(&what)
        };
        if self.talks.iter().any(is_known) {
            return;
        }
        if let Some(talk) = self.talks.get_mut(&id)
            && talk.told.len() < TOLD
        {
            talk.told.insert(what.clone());
        }
        self.log(Some(key), &what);
        self.hear(Heard::Told { peer, what });
    }

    pub(super) fn hear(&mut self, heard: Heard) {
        if let Heard::Failed(error) = &heard {
            self.answering.failed(error);
        }
        // Nobody listens any more when the program ends.
        let _ = self.heard.send(heard);
    }

    fn log(&mut self, key: Option<PublicKey>, what: &str) {
        let event = store::Event {
            at: Moment::now(),
            key,
            what: what.to_owned(),
        };
        if let Err(error) = log(&mut self.shelf.store, &event) {
            tracing::info!("{error}");
        }
    }

    pub(super) fn write(
        &mut self,
        write: impl FnOnce(&store::Writing<'_>) -> Result<(), store::Error>,
    ) {
        let written = self
            .shelf
            .store
            .write(Durability::Process)
            .and_then(|writing| {
                write(&writing)?;
                writing.commit()
            });
        if let Err(error) = written {
            tracing::info!("{error}");
        }
    }
}

impl Talk {
    fn say(&mut self, message: &Message) {
        match wire::encode(message) {
            Ok(frames) => {
                // Whoever hung up hears nothing; the keeper is told soon.
                let _ = self.words.send(Out::Frames(frames));
            }
            Err(unsendable) => {
                self.error = Some(unsendable.to_string());
                self.end(Close::Left);
            }
        }
    }

    /// Keeps what the other side knows, for those who ask while it is away.
    fn note_knowledge(&self, shelf: &mut Shelf) {
        let Some(known) = self.session.known_there() else {
            return;
        };
        let latency = u32::try_from(self.gauge.rtt().as_micros()).ok();
        let noted = shelf.store.write(Durability::Process).and_then(|writing| {
            writing.exchanged(self.gauge.peer(), known, latency, Moment::now())?;
            writing.commit()
        });
        if let Err(error) = noted {
            tracing::info!("{error}");
        }
    }

    pub(super) fn end(&self, close: Close) {
        let _ = self.words.send(Out::End(close));
    }
}

fn log(store: &mut Store, event: &store::Event) -> Result<(), store::Error> {
    let writing = store.write(Durability::Process)?;
    writing.note(event)?;
    writing.commit()
}
