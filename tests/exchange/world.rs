//! Replicas, connections and time, by one seeded scheduler.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use rhema_crdt::exchange::{
    Access, Action, Config, EditDigest, Ending, Event, Key, Link, Message, Push, Run, Session,
    Stay, Them, Us,
};
use rhema_crdt::overlay::CommitId;

use crate::line::{crypto, named, signed};
use crate::meaning::Meanings;
use crate::node::Node;
use crate::plan::{Network, Plan, Shape, Step};

const SECOND: u64 = 1_000;

/// How long a side takes at most to notice that the other one is gone.
const NOTICED: u64 = 15 * SECOND;

/// How long it takes at most until somebody calls again.
const REDIALLED: u64 = 5 * SECOND;

/// The network when it is as it should be.
const HEALED: Network = Network {
    lost: 0,
    twice: 0,
    slowest: 50,
    overtaking: false,
};

/// What the scheduler does next.
#[derive(Debug)]
enum Next {
    Dial {
        pair: [usize; 2],
    },
    Deliver {
        connection: usize,
        side: usize,
        message: Message,
    },
    Tick {
        connection: usize,
        side: usize,
    },
    /// A side notices that the connection is closed.
    Closed {
        connection: usize,
        side: usize,
    },
    Up {
        node: usize,
    },
    Step {
        number: usize,
    },
    Unite,
}

/// A connection; its number is its place among all that ever were.
struct Connection {
    nodes: [usize; 2],
    sessions: [Option<Session>; 2],
    /// Whether somebody calls again when it is closed.
    lasting: bool,
    /// Whether nothing arrives any more.
    broken: bool,
    /// When the last message to each side arrives, or its Hello where others may be overtaken.
    arrived: [u64; 2],
    /// When each side is to be ticked.
    ticks: [Option<u64>; 2],
}

pub(crate) struct World {
    plan: Plan,
    network: Network,
    random: u64,
    pub(crate) elapsed: u64,
    order: u64,
    queue: BinaryHeap<Reverse<(u64, u64, usize)>>,
    waiting: BTreeMap<usize, Next>,
    pub(crate) nodes: Vec<Node>,
    connections: Vec<Connection>,
    /// One bit for each node: on which side it is.
    parted: u8,
    incarnations: u32,
    pub(crate) meanings: Meanings,
    /// What was said since this was emptied.
    pub(crate) said: Vec<Message>,
    pub(crate) endings: Vec<Ending>,
    /// What the hostile one said before.
    heard: Vec<Run>,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let access = |node: usize| match plan.reader {
            Some((reader, true)) if reader % plan.nodes == node => Access::Reads,
            _ => Access::Writes,
        };
        let nodes = (0..plan.nodes).map(|node| Node::new(node as u8 + 1, access(node)));
        let mut world = Self {
            network: plan.network,
            random: plan.seed,
            elapsed: 0,
            order: 0,
            queue: BinaryHeap::new(),
            waiting: BTreeMap::new(),
            nodes: nodes.collect(),
            connections: Vec::new(),
            parted: 0,
            incarnations: 0,
            meanings: Meanings::new(),
            said: Vec::new(),
            endings: Vec::new(),
            heard: Vec::new(),
            plan,
        };
        for pair in world.pairs() {
            world.after(0, Next::Dial { pair });
        }
        let mut at = 0;
        for number in 0..world.plan.script.len() {
            at += world.plan.script[number].0;
            world.after(at, Next::Step { number });
        }
        world
    }

    pub(crate) fn is_reader(&self, node: usize) -> bool {
        self.plan
            .reader
            .is_some_and(|(reader, _)| reader % self.plan.nodes == node)
    }

    fn pairs(&self) -> Vec<[usize; 2]> {
        let count = self.plan.nodes;
        let all = (0..count).flat_map(|a| (a + 1..count).map(move |b| [a, b]));
        all.filter(|[a, b]| self.plan.shape == Shape::Mesh || a + 1 == *b)
            .collect()
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn after(&mut self, millis: u64, next: Next) {
        let number = self.order as usize;
        self.order += 1;
        self.queue
            .push(Reverse((self.elapsed + millis, self.order, number)));
        self.waiting.insert(number, next);
    }

    /// Lets so much time pass.
    pub(crate) fn run(&mut self, millis: u64) {
        let until = self.elapsed + millis;
        while let Some(Reverse((at, _, number))) = self.queue.peek().copied() {
            if at > until {
                break;
            }
            self.queue.pop();
            self.elapsed = at;
            let next = self.waiting.remove(&number).unwrap();
            self.happens(next);
        }
        self.elapsed = until;
    }

    /// Lets the script come to its end.
    pub(crate) fn run_script(&mut self) {
        let length = self.plan.script.iter().map(|(after, ..)| after).sum();
        self.run(length);
    }

    /// The network is as it should be again, all clocks are right and all processes run.
    pub(crate) fn heal(&mut self) {
        self.network = HEALED;
        self.parted = 0;
        for node in 0..self.nodes.len() {
            self.nodes[node].up = true;
            self.set_clock(node, 0);
        }
    }

    /// The first of two calls the other one, to leave when all is said.
    pub(crate) fn visit(&mut self, nodes: [usize; 2]) {
        self.connect(nodes, false);
    }

    fn happens(&mut self, next: Next) {
        match next {
            Next::Dial { pair } => self.connect(pair, true),
            Next::Deliver {
                connection,
                side,
                message,
            } => {
                if self.connections[connection].broken {
                    return;
                }
                if !self.is_parted(self.connections[connection].nodes) {
                    self.step(connection, side, Event::Said(message));
                } else if self.network.lost == 0 {
                    self.cut(connection);
                }
            }
            Next::Tick { connection, side } => {
                if self.connections[connection].ticks[side] == Some(self.elapsed) {
                    self.connections[connection].ticks[side] = None;
                    self.step(connection, side, Event::Tick);
                }
            }
            Next::Closed { connection, side } => {
                self.connections[connection].sessions[side] = None;
                self.redial(connection);
            }
            Next::Up { node } => {
                self.nodes[node].up = true;
            }
            Next::Unite => self.parted = 0,
            Next::Step { number } => {
                let (_, node, step) = self.plan.script[number];
                let node = node % self.plan.nodes;
                self.scripted(node, step);
            }
        }
    }

    fn scripted(&mut self, node: usize, step: Step) {
        let elapsed = self.elapsed;
        match step {
            Step::Edit(doing) => {
                self.nodes[node].edit(doing, elapsed, &mut self.meanings);
                self.news(node, None);
            }
            Step::Undo => {
                self.nodes[node].undo(elapsed, &mut self.meanings);
                self.news(node, None);
            }
            Step::Crash { seconds } => {
                self.stop(node);
                self.nodes[node].up = false;
                self.after(seconds * SECOND, Next::Up { node });
            }
            Step::LoseStore => {
                self.stop(node);
                let incarnation = self.incarnation();
                self.nodes[node].lose_store(incarnation);
            }
            Step::Copy { of } => {
                let of = of % self.plan.nodes;
                if of != node && !self.is_reader(of) && !self.is_reader(node) {
                    self.stop(node);
                    let mut copy = self.nodes[of].clone();
                    copy.boot = 1_000 + self.order;
                    self.nodes[node] = copy;
                }
            }
            Step::SetClock { ahead } => self.set_clock(node, ahead),
            Step::Cut { to } => {
                let to = to % self.plan.nodes;
                for connection in 0..self.connections.len() {
                    let nodes = self.connections[connection].nodes;
                    if nodes.contains(&node) && nodes.contains(&to) {
                        self.cut(connection);
                    }
                }
            }
            Step::Part { side, seconds } => {
                self.parted = side;
                self.after(seconds * SECOND, Next::Unite);
            }
            Step::Visit { to } => {
                let to = to % self.plan.nodes;
                if to != node {
                    self.connect([node, to], false);
                }
            }
        }
    }

    fn incarnation(&mut self) -> u32 {
        self.incarnations += 1;
        self.incarnations
    }

    fn set_clock(&mut self, node: usize, ahead: i64) {
        self.nodes[node].skew = ahead;
        let latest = self.nodes[node].now(self.elapsed).wall + Config::new(crypto()).ahead;
        let incarnation = self.incarnation();
        let elapsed = self.elapsed;
        self.nodes[node].make_again(latest, incarnation, elapsed, &mut self.meanings);
        // It speaks under its name of then until it is started anew.
        self.stop(node);
    }

    /// The process of a node stops: nothing of what it was about to say is said.
    fn stop(&mut self, node: usize) {
        for connection in 0..self.connections.len() {
            if let Some(side) = self.connections[connection]
                .nodes
                .iter()
                .position(|other| *other == node)
                && self.connections[connection].sessions[side].take().is_some()
            {
                self.notice(connection, 1 - side);
                self.redial(connection);
            }
        }
        self.nodes[node].boot += 1_000;
    }

    /// Nothing more arrives over a connection; both sides notice sooner or later.
    fn cut(&mut self, connection: usize) {
        if !std::mem::replace(&mut self.connections[connection].broken, true) {
            for side in 0..2 {
                self.notice(connection, side);
            }
        }
    }

    fn notice(&mut self, connection: usize, side: usize) {
        let millis = self.draw(NOTICED);
        self.after(millis, Next::Closed { connection, side });
    }

    /// Somebody calls again, when both have let go of the connection.
    fn redial(&mut self, connection: usize) {
        let Connection {
            nodes: pair,
            sessions,
            lasting,
            ..
        } = &mut self.connections[connection];
        let pair = *pair;
        if *lasting && sessions.iter().all(Option::is_none) {
            *lasting = false;
            let millis = self.draw(REDIALLED);
            self.after(millis, Next::Dial { pair });
        }
    }

    fn is_parted(&self, nodes: [usize; 2]) -> bool {
        let [a, b] = nodes.map(|node| self.parted >> node & 1);
        a != b
    }

    fn connect(&mut self, pair: [usize; 2], lasting: bool) {
        if self.is_parted(pair) || pair.iter().any(|node| !self.nodes[*node].up) {
            if lasting {
                let millis = 1 + self.draw(REDIALLED);
                self.after(millis, Next::Dial { pair });
            }
            return;
        }
        let seeds = [self.draw(u64::MAX), self.draw(u64::MAX)];
        let session = |side: usize| {
            let (us, them) = (pair[side], pair[1 - side]);
            let access = match self.is_reader(them) {
                true => Access::Reads,
                false => Access::Writes,
            };
            let config = Config {
                batch: self.plan.batch,
                window: self.plan.window,
                push: match self.plan.pushes {
                    true => Push::AtOnce,
                    false => Push::WhenAsked,
                },
                ..Config::new(crypto())
            };
            let us = &self.nodes[us];
            let us = Us {
                introduction: us.introduction(),
                boot: us.boot,
                roots: vec![CommitId::from_bytes([1; 20])],
                access: us.access,
                stay: match lasting || side == 1 {
                    true => Stay::On,
                    false => Stay::UntilDone,
                },
            };
            let them = Them {
                key: [self.nodes[them].number; 32],
                access,
            };
            Some(Session::new(us, them, config, seeds[side]))
        };
        let sessions = [session(0), session(1)];
        self.connections.push(Connection {
            nodes: pair,
            sessions,
            lasting,
            broken: false,
            arrived: [self.elapsed; 2],
            ticks: [None; 2],
        });
        let connection = self.connections.len() - 1;
        for side in 0..2 {
            self.step(connection, side, Event::Opened);
        }
    }

    /// A node knows more than before.
    fn news(&mut self, node: usize, but: Option<usize>) {
        for connection in 0..self.connections.len() {
            let Connection {
                nodes, sessions, ..
            } = &self.connections[connection];
            let side = (0..2).find(|side| nodes[*side] == node && sessions[*side].is_some());
            if let Some(side) = side.filter(|_| but != Some(connection)) {
                self.step(connection, side, Event::News);
            }
        }
    }

    fn step(&mut self, connection: usize, side: usize, event: Event) {
        let node = self.connections[connection].nodes[side];
        let Some(session) = &mut self.connections[connection].sessions[side] else {
            return;
        };
        let now = self.nodes[node].now(self.elapsed);
        let actions = session
            .step(now, event, &mut self.nodes[node].shelf)
            .unwrap();
        let tick = session.next_tick();
        let tick = tick.map(|at| self.elapsed + at.saturating_sub(now.steady));
        if tick != self.connections[connection].ticks[side] {
            self.connections[connection].ticks[side] = tick;
            if let Some(at) = tick {
                self.after(at - self.elapsed, Next::Tick { connection, side });
            }
        }
        let mut learned = false;
        for action in actions {
            match action {
                Action::Say(message) => {
                    let message = self.as_said(node, message);
                    self.send(connection, 1 - side, message);
                }
                Action::Learned => learned = true,
                Action::Tell(_) => {}
                Action::End(ending) => {
                    self.endings.push(ending);
                    self.connections[connection].sessions[side] = None;
                    let arrived = self.connections[connection].arrived[1 - side];
                    let millis = arrived.saturating_sub(self.elapsed) + 1;
                    self.after(
                        millis,
                        Next::Closed {
                            connection,
                            side: 1 - side,
                        },
                    );
                    self.redial(connection);
                }
            }
        }
        if learned {
            self.news(node, Some(connection));
        }
    }

    /// Whether a node says what nobody made.
    pub(crate) fn is_hostile(&self, node: usize) -> bool {
        self.plan.hostile.is_some() && node + 1 == self.plan.nodes
    }

    /// What a node says in place of what an honest one would say.
    fn as_said(&mut self, node: usize, message: Message) -> Message {
        let Some(percent) = self.plan.hostile.filter(|_| self.is_hostile(node)) else {
            return message;
        };
        let Message::Edits(mut runs) = message else {
            return message;
        };
        self.heard.extend(runs.iter().cloned());
        for run in &mut runs {
            if self.draw(100) < u64::from(percent) {
                let (what, which) = (self.draw(6), self.draw(64) as usize);
                let replayed = self.heard[which % self.heard.len()].clone();
                tamper(run, what, which, replayed, &[self.nodes[node].number; 32]);
            }
        }
        if self.draw(100) < u64::from(percent) {
            runs.reverse();
        }
        Message::Edits(runs)
    }

    fn send(&mut self, connection: usize, side: usize, message: Message) {
        let by = self.connections[connection].nodes[1 - side];
        if !self.is_hostile(by) {
            self.said.push(message.clone());
        }
        let Network {
            lost,
            twice,
            slowest,
            overtaking,
        } = self.network;
        if self.draw(100) < u64::from(lost) {
            return;
        }
        let copies = 1 + usize::from(self.draw(100) < u64::from(twice));
        for _ in 0..copies {
            let arrives = self.elapsed + 1 + self.draw(slowest);
            let arrived = &mut self.connections[connection].arrived[side];
            let is_hello = matches!(message, Message::Hello(_));
            // A message is never heard before the first one.
            let arrives = arrives.max(*arrived);
            if is_hello || !overtaking {
                *arrived = arrives;
            }
            let message = message.clone();
            let millis = arrives - self.elapsed;
            self.after(
                millis,
                Next::Deliver {
                    connection,
                    side,
                    message,
                },
            );
        }
    }

    /// The nodes from whom edits are taken.
    pub(crate) fn writers(&self) -> BTreeSet<usize> {
        (0..self.nodes.len())
            .filter(|node| !self.is_reader(*node) && !self.is_hostile(*node))
            .collect()
    }

    /// How many connections stand.
    pub(crate) fn standing(&self) -> usize {
        let stands = |connection: &&Connection| connection.sessions.iter().all(Option::is_some);
        self.connections.iter().filter(stands).count()
    }
}

/// Alters a run, or puts another one in its place.
fn tamper(run: &mut Run, what: u64, which: usize, replayed: Run, key: &Key) {
    let which = which % run.links.len();
    match (what, &mut run.links[which]) {
        (0, Link::Edit(edit)) => {
            let digest = EditDigest::of(edit, &crypto());
            run.links[which] = Link::Digest(edit.stamp, digest);
        }
        (1, Link::Edit(edit)) => edit.branch = Some("forged".to_owned()),
        // What others made, as if it were its own to sign.
        (2, Link::Edit(edit)) if named(edit.stamp.replica()).key != *key => {
            edit.branch = Some("signed by another one".to_owned());
            let edits: Vec<_> = run.edits().cloned().collect();
            *run = signed(&edits, key).remove(0);
        }
        (3, _) => *run = replayed,
        (4, _) => run.signature[which % 64] ^= 1,
        _ => {
            run.links.truncate(which.max(1));
        }
    }
}
