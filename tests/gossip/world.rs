//! Replicas, the lines between them and time, by one seeded scheduler.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::rc::Rc;

use rhema_crdt::crdt::{Act, Atom, Change, Clock, Digest, Observed, Path, Stamp};
use rhema_crdt::exchange::{
    Access, Action, Config, Ending, Event, Introduction, Lulling, Message, Now, Run, Seal, Session,
    Shelf as _, Stay, Them, Us, sealed, wire,
};
use rhema_crdt::net::{Circle, Degree, PublicKey};
use rhema_crdt::overlay::{CommitId, Deed, DocumentPath, Known};

use crate::shelf::{CRYPTO, Shared, naming, signed};

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;

/// When worlds begin, in milliseconds since the Unix epoch.
const BEGINNING: u64 = 1_800_000_000_000;

/// How long it takes until an edit is on the disk and can be passed on.
const STORING: u64 = 3;

/// How long the way between two replicas takes at least and at most.
const FASTEST: u64 = 1;
const SLOWEST: u64 = 50;

/// How long a side takes at most to notice that the other one is gone.
const NOTICED: u64 = 15 * SECOND;

/// How long one who was not there is not called again, at most.
const REDIALLED: u64 = 30 * SECOND;

/// How long a line that is wanted no more is kept.
const KEPT: u64 = 30 * SECOND;

/// How often another one is drawn by lot.
const TURN: u64 = MINUTE;

/// Who talks to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each to each.
    Mesh,
    /// Each to some.
    Circle(Degree),
}

/// What a world is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) nodes: usize,
    pub(crate) shape: Shape,
    pub(crate) lulling: Lulling,
    pub(crate) seed: u64,
}

/// What was said on all lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    pub(crate) messages: u64,
    /// Bytes of frames, their lengths included.
    pub(crate) bytes: u64,
    /// Messages with edits, and their bytes.
    pub(crate) edits: u64,
    pub(crate) edits_bytes: u64,
}

enum Next {
    Deliver {
        line: usize,
        side: usize,
        payload: Vec<u8>,
    },
    Tick {
        line: usize,
        side: usize,
    },
    /// A side notices that a line is gone.
    Gone {
        line: usize,
        side: usize,
    },
    /// A node calls whom it wants and has no line with, and lets others go.
    Look {
        node: usize,
    },
    Turn {
        node: usize,
    },
}

/// A line; its number is its place among all that ever were. The first of its nodes called.
struct Line {
    nodes: [usize; 2],
    sessions: [Option<Session>; 2],
    assemblies: [wire::Assembly; 2],
    since: u64,
    /// Whether nothing arrives any more.
    broken: bool,
    latency: u64,
    /// When the last message to each side arrives.
    arrived: [u64; 2],
    ticks: [Option<u64>; 2],
    /// Whether any edit ever went over it.
    is_used: bool,
}

struct Node {
    key: PublicKey,
    up: bool,
    boot: u64,
    shelf: Shared,
    clock: Clock,
    circle: Circle,
    /// Lines on which it has a session, by whom they are with.
    lines: BTreeMap<usize, usize>,
    /// Until when those are not called again who were not there.
    away: BTreeMap<usize, u64>,
    looks: bool,
}

pub(crate) struct World {
    plan: Plan,
    random: u64,
    pub(crate) now: u64,
    order: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    waiting: BTreeMap<u64, Next>,
    nodes: Vec<Node>,
    numbers: BTreeMap<PublicKey, usize>,
    lines: Vec<Line>,
    /// On which side of a partition each node is.
    parts: Vec<bool>,
    pub(crate) said: Said,
    /// When each edit was made, and how each node learned of it.
    pub(crate) made: BTreeMap<Stamp, u64>,
    pub(crate) learned: BTreeMap<Stamp, BTreeMap<usize, Learned>>,
}

/// How a node learned of an edit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Learned {
    pub(crate) at: u64,
    /// Over how many lines it came, one after the other.
    pub(crate) lines: usize,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let mut world = Self {
            plan,
            random: plan.seed,
            now: 0,
            order: 0,
            queue: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            nodes: Vec::new(),
            numbers: BTreeMap::new(),
            lines: Vec::new(),
            parts: vec![false; plan.nodes],
            said: Said::default(),
            made: BTreeMap::new(),
            learned: BTreeMap::new(),
        };
        let degree = match plan.shape {
            Shape::Mesh => Degree {
                beside: plan.nodes,
                drawn: 0,
            },
            Shape::Circle(degree) => degree,
        };
        for number in 0..plan.nodes {
            let mut key = [0; 32];
            key.chunks_exact_mut(8)
                .for_each(|bytes| bytes.copy_from_slice(&world.draw(u64::MAX).to_le_bytes()));
            let seed = world.draw(u64::MAX);
            world.numbers.insert(key, number);
            world.nodes.push(Node {
                key,
                up: true,
                boot: number as u64,
                shelf: Shared::default(),
                clock: Clock::new(naming(&key, 0), None),
                circle: Circle::new(key, degree, seed),
                lines: BTreeMap::new(),
                away: BTreeMap::new(),
                looks: false,
            });
            let introduction = world.introduction(number);
            let Ok(()) = world.nodes[number].shelf.introduce(&[introduction], &[]);
            world.look(number, 0);
            let first = world.draw(TURN);
            world.after(first, Next::Turn { node: number });
        }
        world
    }

    /// A number below that one (SplitMix64).
    pub(crate) fn draw(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % below
    }

    fn introduction(&self, node: usize) -> Introduction {
        let key = self.nodes[node].key;
        Introduction {
            key,
            incarnation: 0,
            replica: naming(&key, 0),
        }
    }

    fn after(&mut self, millis: u64, next: Next) {
        self.order += 1;
        self.queue.push(Reverse((self.now + millis, self.order)));
        self.waiting.insert(self.order, next);
    }

    /// Lets so much time pass.
    pub(crate) fn run(&mut self, millis: u64) {
        let until = self.now + millis;
        while let Some(Reverse((at, number))) = self.queue.peek().copied() {
            if at > until {
                break;
            }
            self.queue.pop();
            self.now = at;
            if let Some(next) = self.waiting.remove(&number) {
                self.happens(next);
            }
        }
        self.now = until;
    }

    fn happens(&mut self, next: Next) {
        match next {
            Next::Deliver {
                line,
                side,
                payload,
            } => {
                let there = &mut self.lines[line];
                if there.broken || there.sessions[side].is_none() {
                    return;
                }
                let message = there.assemblies[side].add(&payload).unwrap();
                if let Some(message) = message {
                    self.step(line, side, Event::Said(message));
                }
            }
            Next::Tick { line, side } => {
                if self.lines[line].ticks[side] == Some(self.now) {
                    self.lines[line].ticks[side] = None;
                    self.step(line, side, Event::Tick);
                }
            }
            Next::Gone { line, side } => self.gone(line, side),
            Next::Look { node } => self.look_now(node),
            Next::Turn { node } => {
                self.nodes[node].circle.turn();
                self.look(node, 0);
                let (half, fifth) = (TURN / 2, self.draw(TURN));
                self.after(half + fifth, Next::Turn { node });
            }
        }
    }

    /// Everybody has made an edit that everybody knows: they have been together for long. Before any time passed.
    pub(crate) fn acquaint(&mut self) {
        let introductions: Vec<Introduction> = (0..self.nodes.len())
            .map(|node| self.introduction(node))
            .collect();
        for node in 0..self.nodes.len() {
            let (edit, seals) = self.made_by(node);
            for here in &mut self.nodes {
                for seal in &seals {
                    here.shelf.learn(edit.clone(), seal.clone());
                }
            }
        }
        for here in &mut self.nodes {
            let Ok(()) = here.shelf.introduce(&introductions, &[]);
        }
    }

    /// Somebody edits a record.
    pub(crate) fn edit(&mut self, node: usize) -> Stamp {
        let (edit, seals) = self.made_by(node);
        for seal in seals {
            self.nodes[node].shelf.learn(edit.clone(), seal);
        }
        self.news(node, None);
        edit.stamp
    }

    /// An edit of a record by this node, which nobody knows yet.
    fn made_by(&mut self, node: usize) -> (Rc<Known>, Vec<Rc<Seal>>) {
        let wall = BEGINNING + self.now;
        let number = self.made.len();
        let here = &mut self.nodes[node];
        let previous = here.clock.last();
        let stamp = here.clock.tick(wall).unwrap();
        let mut observed = Observed::default();
        observed.add(None, Digest::of(b"what stood there before"));
        previous.iter().for_each(|stamp| observed.add_stamp(*stamp));
        let edit = Known {
            stamp,
            previous,
            document: DocumentPath::new(".rhema/todos.yaml"),
            base: Some(CommitId::from_bytes([7; 20])),
            published: vec![CommitId::from_bytes([7; 20])],
            branch: Some("main".to_owned()),
            deed: Deed::Change(vec![Change {
                at: Path::default().entry("todos").entry("title"),
                act: Act::Write(Atom::new(format!(
                    "a title as long as titles are, {number}"
                ))),
                observed,
            }]),
        };
        let key = here.key;
        let seals = sealed(std::slice::from_ref(&edit), &CRYPTO, |text| {
            signed(&key, text)
        });
        self.made.insert(stamp, self.now);
        self.learned.insert(stamp, BTreeMap::new());
        (Rc::new(edit), seals.into_iter().map(Rc::new).collect())
    }

    /// The process of a node ends, or begins again.
    pub(crate) fn set_up(&mut self, node: usize, up: bool) {
        if self.nodes[node].up == up {
            return;
        }
        self.nodes[node].up = up;
        self.nodes[node].boot += 1_000_000;
        let lines: Vec<usize> = self.nodes[node].lines.values().copied().collect();
        for line in lines {
            self.cut(line);
            let side = usize::from(self.lines[line].nodes[1] == node);
            self.forget(line, side);
        }
        self.nodes[node].away.clear();
        if up {
            self.look(node, 0);
        }
    }

    pub(crate) fn is_up(&self, node: usize) -> bool {
        self.nodes[node].up
    }

    /// Those of a side hear nothing of the others from now on, nor these of them.
    pub(crate) fn part(&mut self, parts: Vec<bool>) {
        self.parts = parts;
        for line in 0..self.lines.len() {
            let [a, b] = self.lines[line].nodes;
            if self.parts[a] != self.parts[b] {
                self.cut(line);
            }
        }
    }

    /// So many of a hundred lines break.
    pub(crate) fn break_lines(&mut self, percent: u64) {
        for line in self.standing() {
            if self.draw(100) < percent {
                self.cut(line);
            }
        }
    }

    /// The lines that stand.
    fn standing(&self) -> Vec<usize> {
        let stands = |line: &Line| !line.broken && line.sessions.iter().all(Option::is_some);
        let lines = self.lines.iter().enumerate();
        let lines = lines.filter(|(_, line)| stands(line));
        lines.map(|(number, _)| number).collect()
    }

    /// How many lines each node has.
    pub(crate) fn degrees(&self) -> Vec<usize> {
        let nodes = self.nodes.iter().filter(|node| node.up);
        nodes.map(|node| node.lines.len()).collect()
    }

    /// How many of all lines that stand are lazy on both sides.
    pub(crate) fn lazy(&self) -> (usize, usize) {
        let standing = self.standing();
        let is_lazy = |line: &&usize| {
            let mut sessions = self.lines[**line].sessions.iter().flatten();
            sessions.all(Session::is_lazy)
        };
        (standing.iter().filter(is_lazy).count(), standing.len())
    }

    /// How many bytes the marks of a node take as a message.
    pub(crate) fn marks(&self, node: usize) -> usize {
        let marks = Message::Marks(self.nodes[node].shelf.known().clone());
        let frames = wire::encode(&marks).unwrap();
        frames.iter().map(|frame| frame.len() + 4).sum()
    }

    /// Whether all who are up know all that was made.
    pub(crate) fn all_know_all(&self) -> bool {
        let mut up = self.nodes.iter().filter(|node| node.up);
        up.all(|node| node.shelf.edits.len() == self.made.len())
    }

    /// Whether this node knows this edit.
    pub(crate) fn knows(&self, node: usize, stamp: &Stamp) -> bool {
        self.nodes[node].shelf.edits.contains_key(stamp)
    }

    /// Makes all lines lazy at both ends on which both greeted each other, whatever came on them.
    pub(crate) fn lull_all(&mut self) {
        for line in self.standing() {
            for side in 0..2 {
                let session = self.lines[line].sessions[side].as_ref();
                if session.is_some_and(|session| session.known_there().is_some()) {
                    self.step(line, side, Event::Said(Message::Lull));
                }
            }
        }
    }

    fn look(&mut self, node: usize, millis: u64) {
        if !std::mem::replace(&mut self.nodes[node].looks, true) {
            self.after(millis, Next::Look { node });
        }
    }

    fn look_now(&mut self, node: usize) {
        self.nodes[node].looks = false;
        if !self.nodes[node].up {
            return;
        }
        let (now, lulling) = (self.now, self.plan.lulling);
        let here = &mut self.nodes[node];
        here.away.retain(|_, until| *until > now);
        let is_there = |(key, number): (&PublicKey, &usize)| {
            (*number != node && !here.away.contains_key(number)).then_some(*key)
        };
        let there: BTreeSet<PublicKey> = self.numbers.iter().filter_map(is_there).collect();
        let wanted = here.circle.wanted(&there);
        let here = &self.nodes[node];
        let called: Vec<usize> = wanted
            .iter()
            .map(|key| self.numbers[key])
            .filter(|other| !here.lines.contains_key(other))
            .collect();
        let spare: Vec<usize> = here
            .lines
            .iter()
            .filter(|(other, line)| {
                let line = &self.lines[**line];
                let session = line.sessions[0].as_ref();
                line.nodes[0] == node
                    && now >= line.since + KEPT
                    && !wanted.contains(&self.nodes[**other].key)
                    && (!line.is_used
                        || lulling == Lulling::Never
                        || session.is_some_and(Session::is_lazy))
            })
            .map(|(_, line)| *line)
            .collect();
        for line in spare {
            self.hang_up(line);
        }
        let mut is_somebody_away = false;
        for other in called {
            if self.nodes[other].up && self.parts[node] == self.parts[other] {
                self.connect([node, other]);
            } else {
                let until = self.now + 1 + self.draw(REDIALLED);
                self.nodes[node].away.insert(other, until);
                is_somebody_away = true;
            }
        }
        if is_somebody_away {
            self.look(node, 1);
        } else if let Some(until) = self.nodes[node].away.values().min() {
            let wait = until - self.now;
            self.look(node, wait.max(1));
        }
    }

    fn connect(&mut self, nodes: [usize; 2]) {
        let latency = FASTEST + self.draw(SLOWEST - FASTEST + 1);
        let seeds = [self.draw(u64::MAX), self.draw(u64::MAX)];
        let session = |side: usize| {
            let (here, there) = (&self.nodes[nodes[side]], &self.nodes[nodes[1 - side]]);
            let us = Us {
                introduction: self.introduction(nodes[side]),
                boot: here.boot,
                roots: vec![CommitId::from_bytes([1; 20])],
                access: Access::Writes,
                stay: Stay::On,
            };
            let them = Them {
                key: there.key,
                access: Access::Writes,
            };
            let config = Config {
                lulling: self.plan.lulling,
                ..Config::new(CRYPTO)
            };
            Some(Session::new(us, them, config, seeds[side]))
        };
        let number = self.lines.len();
        self.lines.push(Line {
            nodes,
            sessions: [session(0), session(1)],
            assemblies: Default::default(),
            since: self.now,
            broken: false,
            latency,
            // The handshake takes two ways there and back.
            arrived: [self.now + 4 * latency; 2],
            ticks: [None; 2],
            is_used: false,
        });
        for side in 0..2 {
            let other = nodes[1 - side];
            self.nodes[nodes[side]].lines.insert(other, number);
            self.nodes[nodes[side]].away.remove(&other);
        }
        for side in 0..2 {
            self.step(number, side, Event::Opened);
        }
    }

    /// Nothing more arrives over a line; both sides notice sooner or later.
    fn cut(&mut self, line: usize) {
        if std::mem::replace(&mut self.lines[line].broken, true) {
            return;
        }
        for side in 0..2 {
            let millis = self.draw(NOTICED);
            self.after(millis, Next::Gone { line, side });
        }
    }

    /// One side ends a line, and the other hears that.
    fn hang_up(&mut self, line: usize) {
        self.lines[line].broken = true;
        let latency = self.lines[line].latency;
        for side in 0..2 {
            self.after(latency * side as u64, Next::Gone { line, side });
        }
    }

    fn gone(&mut self, line: usize, side: usize) {
        let Some(was_way) = self.forget(line, side) else {
            return;
        };
        let node = self.lines[line].nodes[side];
        if was_way {
            let lines: Vec<usize> = self.nodes[node].lines.values().copied().collect();
            for other in lines {
                let side = usize::from(self.lines[other].nodes[1] == node);
                self.step(other, side, Event::Bereft);
            }
        }
        self.look(node, 1);
    }

    /// A side has no session on a line any more; whether edits came that way.
    fn forget(&mut self, line: usize, side: usize) -> Option<bool> {
        let session = self.lines[line].sessions[side].take()?;
        let [node, other] = [side, 1 - side].map(|side| self.lines[line].nodes[side]);
        if self.nodes[node].lines.get(&other) == Some(&line) {
            self.nodes[node].lines.remove(&other);
        }
        Some(session.is_way())
    }

    /// A node knows more than before.
    fn news(&mut self, node: usize, but: Option<usize>) {
        let lines: Vec<usize> = self.nodes[node].lines.values().copied().collect();
        for line in lines.into_iter().filter(|line| but != Some(*line)) {
            let side = usize::from(self.lines[line].nodes[1] == node);
            self.step(line, side, Event::News);
        }
    }

    fn step(&mut self, line: usize, side: usize, event: Event) {
        let node = self.lines[line].nodes[side];
        let Some(session) = &mut self.lines[line].sessions[side] else {
            return;
        };
        let now = Now {
            steady: self.now,
            wall: BEGINNING + self.now,
        };
        let came: Vec<Stamp> = match &event {
            Event::Said(Message::Edits(runs)) => {
                let shelf = &self.nodes[node].shelf;
                let new = runs.iter().flat_map(Run::edits).map(|edit| edit.stamp);
                new.filter(|stamp| !shelf.edits.contains_key(stamp))
                    .collect()
            }
            _ => Vec::new(),
        };
        let actions = session
            .step(now, event, &mut self.nodes[node].shelf)
            .unwrap();
        let tick = session.next_tick().map(|at| at.max(self.now));
        if tick != self.lines[line].ticks[side] {
            self.lines[line].ticks[side] = tick;
            if let Some(at) = tick {
                self.after(at - self.now, Next::Tick { line, side });
            }
        }
        self.lines[line].is_used |= !came.is_empty();
        let there = self.lines[line].nodes[1 - side];
        for stamp in came {
            let learned = self.learned.entry(stamp).or_default();
            let before = learned.get(&there).map_or(0, |learned| learned.lines);
            let (at, lines) = (self.now, before + 1);
            learned.insert(node, Learned { at, lines });
        }
        let has_learned = actions.contains(&Action::Learned);
        for action in actions {
            match action {
                Action::Say(message) => self.send(line, 1 - side, &message),
                Action::Learned | Action::Tell(_) => {}
                // What it said over a line that is broken got nowhere.
                Action::End(Ending::Silent) => self.hang_up(line),
                Action::End(ending) => panic!("{ending:?}"),
            }
        }
        if has_learned {
            self.news(node, Some(line));
        }
    }

    fn send(&mut self, line: usize, side: usize, message: &Message) {
        let frames = wire::encode(message).unwrap();
        let bytes: usize = frames.iter().map(|frame| frame.len() + 4).sum();
        self.said.messages += 1;
        self.said.bytes += bytes as u64;
        // Edits are passed on and answered only when they are on the disk.
        let mut storing = 0;
        if let Message::Edits(_) = message {
            self.said.edits += 1;
            self.said.edits_bytes += bytes as u64;
            storing = STORING;
        }
        let there = &mut self.lines[line];
        let arrives = (self.now + there.latency + storing).max(there.arrived[side]);
        there.arrived[side] = arrives;
        for payload in frames {
            self.after(
                arrives - self.now,
                Next::Deliver {
                    line,
                    side,
                    payload,
                },
            );
        }
    }
}
