//! Two replicas and a line between them on which nothing is lost.

use std::collections::VecDeque;

use rhema_crdt::crdt::{Act, Atom, Change, Clock, Observed, Path, Replica};
use rhema_crdt::exchange::{
    Access, Action, Config, Crypto, Ending, Event, Happening, Introduction, Key, Link, Message,
    Now, Run, Seal, Session, Shelf as _, Signature, Stay, Them, Us, sealed,
};
use rhema_crdt::overlay::{CommitId, Deed, DocumentPath, Known};

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::shelf::Memory;

/// When tests begin, in milliseconds since the Unix epoch.
pub(crate) const BEGINNING: u64 = 1_800_000_000_000;

/// Names as no key makes them, but as easily told apart; two keys that begin alike have the same ones.
pub(crate) fn naming(key: &Key, incarnation: u32) -> Replica {
    Replica::from_bits(u32::from(key[0]) << 16 | incarnation)
}

/// The introduction of an honest replica with this name.
pub(crate) fn named(replica: Replica) -> Introduction {
    introduction((replica.bits() >> 16) as u8, replica.bits() & 0xffff)
}

fn hash(pieces: &[&[u8]]) -> [u8; 32] {
    let text = pieces.concat();
    let halves = [0, 1].map(|seed| xxh3_128_with_seed(&text, seed).to_le_bytes());
    halves.concat().try_into().unwrap()
}

/// Signatures as everybody could make them who knows the key, but as easily told apart.
pub(crate) fn sign(key: &Key, text: &[u8]) -> Signature {
    let halves = [hash(&[key, text]), hash(&[text, key])];
    halves.concat().try_into().unwrap()
}

/// What takes no time and tells as much as what is hard to forge, where nobody tries.
pub(crate) fn crypto() -> Crypto {
    Crypto {
        naming,
        hash,
        verify: |key, text, signature| sign(key, text) == *signature,
    }
}

/// Edits as this key says them.
pub(crate) fn signed(edits: &[Known], key: &Key) -> Vec<Run> {
    let seals = sealed(edits, &crypto(), |text| sign(key, text));
    let mut edits = edits.iter().cloned();
    let run = |seal: Seal| Run {
        before: seal.before,
        links: edits
            .by_ref()
            .take(seal.run.len())
            .map(Link::Edit)
            .collect(),
        signature: seal.signature,
    };
    seals.into_iter().map(run).collect()
}

/// Edits as their replicas say them.
pub(crate) fn said(edits: Vec<Known>) -> Message {
    let key = edits.first().map(|edit| named(edit.stamp.replica()).key);
    Message::Edits(signed(&edits, &key.unwrap_or_default()))
}

pub(crate) fn introduction(number: u8, incarnation: u32) -> Introduction {
    let key = [number; 32];
    Introduction {
        key,
        incarnation,
        replica: naming(&key, incarnation),
    }
}

pub(crate) fn us(number: u8, stay: Stay) -> Us {
    Us {
        introduction: introduction(number, 0),
        boot: u64::from(number),
        roots: vec![CommitId::from_bytes([1; 20])],
        access: Access::Writes,
        stay,
    }
}

/// Edits of a replica, one a second before [`BEGINNING`], each naming the one before it.
pub(crate) fn chain(number: u8, count: u64) -> Vec<Known> {
    let mut clock = Clock::new(introduction(number, 0).replica, None);
    let mut previous = None;
    let edits = (0..count).map(|index| {
        let stamp = clock.tick(BEGINNING - 1_000 * (count - index)).unwrap();
        let edit = Known {
            stamp,
            previous,
            document: DocumentPath::new(".rhema/todos.yaml"),
            base: None,
            published: Vec::new(),
            branch: Some("main".to_owned()),
            deed: Deed::Change(vec![Change {
                at: Path::default().entry("title"),
                act: Act::Write(Atom::new(format!("{index}"))),
                observed: Observed::default(),
            }]),
        };
        previous = Some(stamp);
        edit
    });
    edits.collect()
}

/// One end of a line.
pub(crate) struct End {
    pub(crate) shelf: Memory,
    pub(crate) session: Session,
    pub(crate) told: Vec<Happening>,
    pub(crate) ending: Option<Ending>,
    pub(crate) said: Vec<Message>,
    /// What the other end said and this one has not heard yet.
    heard: VecDeque<Message>,
    /// What becomes of edits that this end says.
    tampering: Option<Box<dyn Fn(Link) -> Link>>,
}

impl End {
    pub(crate) fn new(us: Us, them: Them, config: Config, edits: &[Known]) -> Self {
        let mut shelf = Memory::default();
        shelf
            .edits
            .extend(edits.iter().map(|edit| (edit.stamp, edit.clone())));
        shelf.uncommitted = edits.iter().map(|edit| edit.stamp).collect();
        shelf.introduce(&[us.introduction], &[]).unwrap();
        Self {
            shelf,
            session: Session::new(us, them, config, 7),
            told: Vec::new(),
            ending: None,
            said: Vec::new(),
            heard: VecDeque::new(),
            tampering: None,
        }
    }
}

/// Two ends, 0 and 1.
pub(crate) struct Line {
    pub(crate) ends: [End; 2],
    pub(crate) now: u64,
}

impl Line {
    pub(crate) fn new(ends: [End; 2]) -> Self {
        Self { ends, now: 0 }
    }

    /// Lets an end keep back, or alter, what it says.
    pub(crate) fn tamper(&mut self, end: usize, with: impl Fn(Link) -> Link + 'static) {
        self.ends[end].tampering = Some(Box::new(with));
    }

    pub(crate) fn open(&mut self) {
        for end in 0..2 {
            self.step(end, Event::Opened);
        }
        self.run();
    }

    /// Lets everything be heard that was said.
    pub(crate) fn run(&mut self) {
        for _ in 0..100_000 {
            let Some(end) = (0..2).find(|end| !self.ends[*end].heard.is_empty()) else {
                return;
            };
            let message = self.ends[end].heard.pop_front().unwrap();
            self.step(end, Event::Said(message));
        }
        panic!("they never come to an end");
    }

    /// Lets time pass until both have nothing to say, or for so many milliseconds.
    pub(crate) fn wait(&mut self, millis: u64) {
        let until = self.now + millis;
        loop {
            let ticks = [0, 1].map(|end| self.ends[end].session.next_tick().unwrap_or(u64::MAX));
            let end = usize::from(ticks[1] < ticks[0]);
            if ticks[end] > until {
                break;
            }
            self.now = ticks[end];
            self.step(end, Event::Tick);
            self.run();
        }
        self.now = until;
    }

    pub(crate) fn step(&mut self, end: usize, event: Event) {
        let now = Now {
            steady: self.now,
            wall: BEGINNING + self.now,
        };
        let here = &mut self.ends[end];
        let actions = here.session.step(now, event, &mut here.shelf).unwrap();
        for action in actions {
            match action {
                Action::Say(mut message) => {
                    if let (Message::Edits(runs), Some(tamper)) =
                        (&mut message, &self.ends[end].tampering)
                    {
                        for run in runs {
                            let links = std::mem::take(&mut run.links).into_iter();
                            run.links = links.map(tamper).collect();
                        }
                    }
                    self.ends[end].said.push(message.clone());
                    if self.ends[1 - end].ending.is_none() {
                        self.ends[1 - end].heard.push_back(message);
                    }
                }
                Action::Tell(happening) => self.ends[end].told.push(happening),
                Action::End(ending) => self.ends[end].ending = Some(ending),
                Action::Learned => {}
            }
        }
    }
}

/// A line between replicas 1 and 2 that begin with these edits.
pub(crate) fn line(stays: [Stay; 2], edits: [&[Known]; 2]) -> Line {
    let them = |number: u8| Them {
        key: [number; 32],
        access: Access::Writes,
    };
    let config = Config::new(crypto());
    Line::new([
        End::new(us(1, stays[0]), them(2), config, edits[0]),
        End::new(us(2, stays[1]), them(1), config, edits[1]),
    ])
}

#[test]
fn both_ends_know_the_same_in_the_end() {
    let (ours, theirs) = (chain(1, 3_000), chain(2, 5));
    let mut line = line([Stay::UntilDone, Stay::On], [&ours, &theirs]);
    line.open();
    let [a, b] = &line.ends;
    assert_eq!(a.ending, Some(Ending::Finished));
    assert_eq!(a.shelf.edits, b.shelf.edits);
    assert_eq!(b.shelf.edits.len(), 3_005);
    assert!(b.told.contains(&Happening::InStep));
}
