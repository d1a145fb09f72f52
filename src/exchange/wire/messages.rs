//! What is said, by kind; all but edits.

use super::limits::NODE_ROOM;
use super::reader::Reader;
use super::writer::Writer;
use super::{Coded, Malformed};
use crate::crdt::{Replica, Stamp};
use crate::exchange::{Denial, Hello, Introduction, Message, Refusal, Voucher};
use crate::overlay::{Chain, CommitId, Knowledge};

/// The kinds from 128 on may be added within a version: who does not know one passes over it, as we do from here on.
const FIRST_UNKNOWN: u8 = 130;

const HELLO: u8 = 1;
const INTRODUCTIONS: u8 = 2;
const MARKS: u8 = 3;
const EDITS: u8 = 4;
const STORED: u8 = 5;
const PULSE: u8 = 6;
const LOST: u8 = 7;
const FOUND: u8 = 8;
const REFUSED: u8 = 9;
const DONE: u8 = 10;
const RECONSIDERED: u8 = 11;
const LULL: u8 = 128;
const ROUSE: u8 = 129;

/// Writes a message: its kind, and what it says.
pub(super) fn write(message: &Message, to: &mut Writer) {
    match message {
        Message::Hello(hello) => {
            to.byte(HELLO);
            hello.write(to);
        }
        Message::Introductions { replicas, vouchers } => {
            to.byte(INTRODUCTIONS);
            to.all(replicas.iter());
            to.all(vouchers.iter());
        }
        Message::Marks(knowledge) => {
            to.byte(MARKS);
            knowledge.write(to);
        }
        Message::Edits(runs) => {
            begin_edits(to);
            runs.iter().for_each(|run| run.write(to));
        }
        Message::Stored(knowledge) => {
            to.byte(STORED);
            knowledge.write(to);
        }
        Message::Pulse(digest) => {
            to.byte(PULSE);
            to.raw(&digest.to_le_bytes());
        }
        Message::Lost { bases, have } => {
            to.byte(LOST);
            to.all(bases.iter());
            to.all(have.iter());
        }
        Message::Found(found) => {
            to.byte(FOUND);
            to.all(found.iter());
        }
        Message::Refused(refusal) => {
            to.byte(REFUSED);
            refusal.write(to);
        }
        Message::Done => to.byte(DONE),
        Message::Lull => to.byte(LULL),
        Message::Rouse => to.byte(ROUSE),
        Message::Reconsidered => to.byte(RECONSIDERED),
    }
}

/// Begins a message of edits. Their runs follow without a count, so that it can grow until it is large enough.
pub(super) fn begin_edits(to: &mut Writer) {
    to.byte(EDITS);
}

/// Reads a message, to the end; nothing where it is of a kind that may be passed over.
pub(super) fn read(from: &mut Reader<'_>) -> Result<Option<Message>, Malformed> {
    let message = match from.byte()? {
        // Later versions may say more after it.
        HELLO => return Ok(Some(Message::Hello(Hello::read(from)?))),
        INTRODUCTIONS => Message::Introductions {
            replicas: from.all()?,
            vouchers: from.all()?,
        },
        MARKS => Message::Marks(Knowledge::read(from)?),
        EDITS => {
            let mut runs = Vec::new();
            while from.left() > 0 {
                runs.push(Coded::read(from)?);
            }
            Message::Edits(runs)
        }
        STORED => Message::Stored(Knowledge::read(from)?),
        PULSE => Message::Pulse(u64::from_le_bytes(from.array()?)),
        LOST => Message::Lost {
            bases: from.all()?,
            have: from.all()?,
        },
        FOUND => Message::Found(from.all()?),
        REFUSED => Message::Refused(Refusal::read(from)?),
        DONE => Message::Done,
        LULL => Message::Lull,
        ROUSE => Message::Rouse,
        RECONSIDERED => Message::Reconsidered,
        FIRST_UNKNOWN.. => return Ok(None),
        kind => return Err(Malformed::Tag("message", kind.into())),
    };
    match from.left() {
        0 => Ok(Some(message)),
        left => Err(Malformed::Long(left)),
    }
}

const STAYS: u8 = 1;
const TAKES_EDITS: u8 = 2;
const SENDS_NONE: u8 = 4;

impl Coded for Hello {
    fn write(&self, to: &mut Writer) {
        to.number(self.versions.0.into());
        to.number(self.versions.1.into());
        self.introduction.write(to);
        to.raw(&self.boot.to_le_bytes());
        to.all(self.roots.iter());
        to.number(self.now);
        let stays = if self.stays { STAYS } else { 0 };
        let takes_edits = if self.takes_edits { TAKES_EDITS } else { 0 };
        let sends_none = if self.sends_edits { 0 } else { SENDS_NONE };
        to.byte(stays | takes_edits | sends_none);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let versions = (from.small()?, from.small()?);
        let introduction = Introduction::read(from)?;
        let boot = u64::from_le_bytes(from.array()?);
        let roots = from.all()?;
        let now = from.number()?;
        // Bits that later versions add are not ours to judge.
        let bits = from.byte()?;
        Ok(Self {
            versions,
            introduction,
            boot,
            roots,
            now,
            stays: bits & STAYS != 0,
            takes_edits: bits & TAKES_EDITS != 0,
            sends_edits: bits & SENDS_NONE == 0,
        })
    }
}

/// A base, and its ancestors.
impl Coded for (CommitId, Vec<CommitId>) {
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
        to.all(self.1.iter());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok((CommitId::read(from)?, from.all()?))
    }
}

impl Coded for Introduction {
    fn write(&self, to: &mut Writer) {
        to.raw(&self.key);
        to.number(self.incarnation.into());
        self.replica.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            key: from.array()?,
            incarnation: from.small()?,
            replica: Replica::read(from)?,
        })
    }
}

impl Coded for Voucher {
    fn write(&self, to: &mut Writer) {
        to.charge(NODE_ROOM);
        to.raw(&self.key);
        to.raw(&self.by);
        to.raw(&self.signature);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.charge(NODE_ROOM)?;
        Ok(Self {
            key: from.array()?,
            by: from.array()?,
            signature: from.array()?,
        })
    }
}

impl Coded for Knowledge {
    /// For each replica, in order: how many islands its chain has, doubled, and one more where its first edits are known;
    /// then the times, each as what it is later than the one before.
    fn write(&self, to: &mut Writer) {
        to.count(self.len());
        for (replica, chain) in self {
            to.charge(NODE_ROOM);
            replica.write(to);
            to.number((chain.islands.len() as u64) << 1 | u64::from(chain.upto.is_some()));
            let runs = chain
                .islands
                .iter()
                .flat_map(|run| [run.start(), run.end()]);
            let mut last = 0;
            for stamp in chain.upto.iter().chain(runs) {
                to.charge(NODE_ROOM);
                to.number(stamp.unix_millis().wrapping_sub(last));
                last = stamp.unix_millis();
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = from.count()?;
        let mut knowledge = Knowledge::new();
        for _ in 0..count {
            from.charge(NODE_ROOM)?;
            let replica = Replica::read(from)?;
            if knowledge
                .last_key_value()
                .is_some_and(|(last, _)| *last >= replica)
            {
                return Err(Malformed::Order);
            }
            let number = from.number()?;
            let mut last = None;
            let upto = match number & 1 {
                0 => None,
                _ => Some(later(from, replica, &mut last, Gap::Any)?),
            };
            let mut islands = Vec::new();
            for _ in 0..number >> 1 {
                let start = later(from, replica, &mut last, Gap::Some)?;
                let end = later(from, replica, &mut last, Gap::Any)?;
                islands.push(start..=end);
            }
            knowledge.insert(replica, Chain { upto, islands });
        }
        Ok(knowledge)
    }
}

/// Whether a stamp must be later than the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    Any,
    Some,
}

/// A stamp that is later than the last one.
fn later(
    from: &mut Reader<'_>,
    replica: Replica,
    last: &mut Option<u64>,
    gap: Gap,
) -> Result<Stamp, Malformed> {
    from.charge(NODE_ROOM)?;
    let by = from.number()?;
    if last.is_some() && by == 0 && gap == Gap::Some {
        return Err(Malformed::Order);
    }
    let millis = last.unwrap_or(0).checked_add(by).ok_or(Malformed::Time)?;
    *last = Some(millis);
    Stamp::from_unix_millis(millis, replica).ok_or(Malformed::Time)
}

const VERSION: u8 = 0;
const OTHER_REPOSITORY: u8 = 1;
const READS_ONLY: u8 = 2;
const FUTURE: u8 = 3;
const DOCUMENT: u8 = 4;
const PROTOCOL: u8 = 5;
const UNPROVED: u8 = 6;
const DENIED: u8 = 7;
const EARLY: u8 = 8;

const STRANGER: u8 = 0;
const READS: u8 = 1;
const REMOVED: u8 = 2;
const RULE: u8 = 3;

impl Coded for Refusal {
    fn write(&self, to: &mut Writer) {
        match self {
            Refusal::Version(oldest, newest) => {
                to.byte(VERSION);
                to.number((*oldest).into());
                to.number((*newest).into());
            }
            Refusal::OtherRepository => to.byte(OTHER_REPOSITORY),
            Refusal::ReadsOnly => to.byte(READS_ONLY),
            Refusal::Future { from, now } => {
                to.byte(FUTURE);
                to.all(from.iter());
                to.number(*now);
            }
            Refusal::Document(edits) => {
                to.byte(DOCUMENT);
                to.all(edits.iter());
            }
            Refusal::Protocol(why) => {
                to.byte(PROTOCOL);
                to.text(why);
            }
            Refusal::Unproved(edits) => {
                to.byte(UNPROVED);
                to.all(edits.iter());
            }
            Refusal::Denied { edits, why } => {
                to.byte(DENIED);
                why.write(to);
                to.all(edits.iter());
            }
            Refusal::Early { from, millis } => {
                to.byte(EARLY);
                to.all(from.iter());
                to.number(*millis);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match from.byte()? {
            VERSION => Refusal::Version(from.small()?, from.small()?),
            OTHER_REPOSITORY => Refusal::OtherRepository,
            READS_ONLY => Refusal::ReadsOnly,
            FUTURE => Refusal::Future {
                from: from.all()?,
                now: from.number()?,
            },
            DOCUMENT => Refusal::Document(from.all()?),
            PROTOCOL => Refusal::Protocol(from.text()?.to_owned()),
            UNPROVED => Refusal::Unproved(from.all()?),
            DENIED => Refusal::Denied {
                why: Denial::read(from)?,
                edits: from.all()?,
            },
            EARLY => Refusal::Early {
                from: from.all()?,
                millis: from.number()?,
            },
            reason => return Err(Malformed::Tag("refusal", reason.into())),
        })
    }
}

impl Coded for Denial {
    fn write(&self, to: &mut Writer) {
        match self {
            Denial::Stranger => to.byte(STRANGER),
            Denial::Reads => to.byte(READS),
            Denial::Removed => to.byte(REMOVED),
            Denial::Rule(words) => {
                to.byte(RULE);
                to.text(words);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match from.byte()? {
            STRANGER => Denial::Stranger,
            READS => Denial::Reads,
            REMOVED => Denial::Removed,
            RULE => Denial::Rule(from.text()?.to_owned()),
            denial => return Err(Malformed::Tag("denial", denial.into())),
        })
    }
}
