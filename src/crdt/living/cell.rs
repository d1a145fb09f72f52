//! A field of a row: the value that stands, the edit that wrote it and what that superseded.

use crate::crdt::{Digest, Observed, Rules, Run, Stamp, StampSet};

use super::bytes::{Bytes, put_varint};
use super::value::{Content, KIND, LIST, Members, SPELLED, Source, Value};

/// Where the value of a field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It stands in the document that the edits were made on.
    Base,
    /// It stood there, and what has been written since may have to be merged with it.
    Ancestor,
    /// It came with the birth of the record.
    Birth,
    /// It was written since.
    Written,
}

const ORIGIN_SHIFT: u8 = 2;
const STAMPED: u8 = 1 << 4;
const SEEING: u8 = 1 << 5;
const SEEING_BIRTH: u8 = 1 << 6;

/// A field of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'r> {
    /// The number of its name.
    pub(super) field: u32,
    pub(super) origin: Origin,
    /// The edit that wrote it, unless that is the birth or nobody knows.
    pub(super) stamp: Option<Stamp>,
    /// What was superseded.
    pub(super) seen: Seen<'r>,
    pub(super) content: Content<'r>,
}

/// What a value superseded: stamps and digests of values, and the birth of the record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen<'r> {
    pub(super) birth: bool,
    /// How many runs of stamps, these, and the digests.
    packed: &'r [u8],
}

/// Bytes of a run: its first stamp, and how many milliseconds later its last one is.
const RUN: usize = Stamp::BYTES + 5;

impl<'r> Seen<'r> {
    fn parts(self) -> (&'r [u8], &'r [u8]) {
        let mut bytes = Bytes::new(self.packed);
        let runs = bytes.varint().unwrap_or_default() as usize * RUN;
        bytes.rest().split_at_checked(runs).unwrap_or_default()
    }

    fn runs(self) -> impl Iterator<Item = Run> + 'r {
        let (runs, _) = self.parts();
        runs.chunks_exact(RUN).filter_map(|bytes| {
            let (first, rest) = bytes.split_first_chunk()?;
            let [a, b, c, d, e] = *rest.first_chunk()?;
            let millis = u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]);
            Run::over(Stamp::from_bytes(*first), millis)
        })
    }

    fn digests(self) -> impl Iterator<Item = Digest> + 'r {
        let (_, digests) = self.parts();
        digests
            .chunks_exact(2)
            .filter_map(|bytes| Digest::from_bits(u16::from_le_bytes(bytes.try_into().ok()?)))
    }

    /// All of these stamps.
    pub(super) fn stamps(self, birth: Option<Stamp>) -> StampSet {
        let birth = birth.filter(|_| self.birth).map(Run::from);
        self.runs().chain(birth).collect()
    }

    /// The same as a set.
    pub(super) fn observed(self, birth: Option<Stamp>) -> Observed {
        Observed::new(self.stamps(birth), self.digests().collect())
    }

    /// Whether this edit was superseded.
    pub(super) fn has(self, stamp: Stamp, birth: Option<Stamp>) -> bool {
        self.birth && birth == Some(stamp) || self.runs().any(|run| run.contains(stamp))
    }
}

/// What an edit superseded in a place, to be written behind what was superseded there before.
pub(super) enum Superseding<'o> {
    /// All that stands there, by whoever has seen all that the replica of this stamp ever did there.
    All(Rules<'o>, Stamp),
    /// What the edit says.
    Told(&'o Observed),
}

/// Appends what a new value superseded: what `before` had superseded, and more.
fn put_seen(
    to: &mut Vec<u8>,
    before: Option<&Cell<'_>>,
    by: &Superseding<'_>,
    birth: Option<Stamp>,
) -> u8 {
    if let (Superseding::All(rules, stamp), Some(before)) = (by, before)
        && let Some(flags) = put_own(to, before, rules, *stamp, birth)
    {
        return flags;
    }
    let seen = before.map(|cell| cell.seen).unwrap_or_default();
    let mut sees_birth = seen.birth;
    let mut stamps: StampSet = seen.runs().collect();
    let mut digests: Vec<Digest> = seen.digests().collect();
    match by {
        Superseding::All(rules, stamp) => {
            sees_birth |= birth.is_some();
            if let Some(cell) = before {
                stamps.extend(cell.stamp);
                match cell.content {
                    Content::One(value) => digests.push(value.digest(rules)),
                    Content::List(members) => {
                        digests.extend(members.map(|member| member.digest(rules)))
                    }
                }
            }
            stamps.bridge(|before, _| before.replica() == stamp.replica());
        }
        Superseding::Told(observed) => {
            sees_birth |= birth.is_some_and(|birth| observed.has_stamp(birth));
            let is_birth = |run: &&Run| run.single().is_none() || run.single() != birth;
            stamps.extend(observed.stamps().runs().iter().filter(is_birth).copied());
            digests.extend(observed.digests());
        }
    }
    digests.sort_unstable();
    digests.dedup();
    let flag = if sees_birth { SEEING_BIRTH } else { 0 };
    if stamps.is_empty() && digests.is_empty() {
        return flag;
    }
    let count = stamps.runs().len();
    let count_length = (usize::BITS - (count | 1).leading_zeros()).div_ceil(7) as usize;
    put_varint(to, count_length + count * RUN + digests.len() * 2);
    put_varint(to, count);
    stamps.runs().iter().for_each(|run| put_one(to, *run));
    digests
        .iter()
        .for_each(|digest| to.extend_from_slice(&digest.bits().to_le_bytes()));
    flag | SEEING
}

/// The same where a single value stood that superseded nothing, or only edits of its own author, who now writes again: these become
/// one run, and one digest is added. Nothing where there is more to it. Most edits are such, and nothing is taken apart or
/// allocated for them.
fn put_own(
    to: &mut Vec<u8>,
    before: &Cell<'_>,
    rules: &Rules<'_>,
    stamp: Stamp,
    birth: Option<Stamp>,
) -> Option<u8> {
    let Content::One(value) = before.content else {
        return None;
    };
    let mut runs = before.seen.runs();
    let run = match (runs.next(), before.stamp) {
        (None, made_by) => made_by.map(Run::from),
        (Some(run), Some(made_by)) => {
            let is_own = made_by.replica() == stamp.replica() && run.last() < made_by;
            Some(Run::new(run.first(), made_by).filter(|_| is_own)?)
        }
        (Some(_), None) => return None,
    };
    if runs.next().is_some() {
        return None;
    }
    let (_, digests) = before.seen.parts();
    let digest = value.digest(rules);
    let place = before.seen.digests().take_while(|other| *other < digest);
    let (smaller, others) = digests.split_at_checked(place.count() * 2)?;
    let digest = digest.bits().to_le_bytes();
    let digest = if others.starts_with(&digest) {
        &[][..]
    } else {
        &digest
    };
    let count = usize::from(run.is_some());
    put_varint(to, 1 + count * RUN + digests.len() + digest.len());
    put_varint(to, count);
    run.into_iter().for_each(|run| put_one(to, run));
    [smaller, digest, others]
        .iter()
        .for_each(|part| to.extend_from_slice(part));
    Some(if birth.is_some() {
        SEEING | SEEING_BIRTH
    } else {
        SEEING
    })
}

fn put_one(to: &mut Vec<u8>, run: Run) {
    let [a, b, c, d, e, ..] = run.millis().to_le_bytes();
    to.extend_from_slice(&run.first().to_bytes());
    to.extend_from_slice(&[a, b, c, d, e]);
}

/// What is to be written into a field.
pub(super) struct Writing<'w> {
    pub(super) field: u32,
    pub(super) origin: Origin,
    pub(super) stamp: Option<Stamp>,
    pub(super) content: Content<'w>,
}

impl Writing<'_> {
    /// Appends it as a cell that supersedes `before`.
    pub(super) fn put(
        &self,
        to: &mut Vec<u8>,
        superseded: Option<(Option<&Cell<'_>>, &Superseding<'_>, Option<Stamp>)>,
    ) {
        put_varint(to, self.field as usize);
        let at = to.len();
        to.push(0);
        let mut flags = (self.origin as u8) << ORIGIN_SHIFT;
        if let Some(stamp) = self.stamp {
            flags |= STAMPED;
            to.extend_from_slice(&stamp.to_bytes());
        }
        if let Some((before, by, birth)) = superseded {
            flags |= put_seen(to, before, by, birth);
        }
        match self.content {
            Content::One(value) => {
                flags |= value.kind();
                value.put_body(to);
            }
            Content::List(members) => {
                flags |= LIST;
                let mut packed = Vec::new();
                members.for_each(|member| member.put(&mut packed));
                put_varint(to, packed.len());
                to.extend_from_slice(&packed);
            }
        }
        if let Some(byte) = to.get_mut(at) {
            *byte = flags;
        }
    }
}

impl<'r> Cell<'r> {
    pub(super) fn take(from: &mut Bytes<'r>) -> Option<Self> {
        let field = u32::try_from(from.varint()?).ok()?;
        let flags = from.byte()?;
        let origin = match flags >> ORIGIN_SHIFT & 0b11 {
            0 => Origin::Base,
            1 => Origin::Ancestor,
            2 => Origin::Birth,
            _ => Origin::Written,
        };
        let stamp = match flags & STAMPED {
            0 => None,
            _ => Some(Stamp::from_bytes(*from.array()?)),
        };
        let packed = match flags & SEEING {
            0 => &[][..],
            _ => from.run()?,
        };
        let birth = flags & SEEING_BIRTH != 0;
        let content = match flags & KIND {
            LIST => Content::List(Members(Source::Packed(Bytes::new(from.run()?)))),
            kind => Content::One(Value::body(kind, from)?),
        };
        Some(Self {
            field,
            origin,
            stamp,
            seen: Seen { birth, packed },
            content,
        })
    }

    /// Steps over one and tells its field, whether it stands and whether it is a list; nothing is read of what it holds.
    pub(super) fn skip(from: &mut Bytes<'r>) -> Option<(u32, bool, bool)> {
        let field = u32::try_from(from.varint()?).ok()?;
        let flags = from.byte()?;
        if flags & STAMPED != 0 {
            from.array::<{ Stamp::BYTES }>()?;
        }
        if flags & SEEING != 0 {
            from.run()?;
        }
        from.run()?;
        if flags & KIND == SPELLED {
            from.run()?;
        }
        let stands = flags >> ORIGIN_SHIFT & 0b11 != Origin::Ancestor as u8;
        Some((field, stands, flags & KIND == LIST))
    }

    /// The edit that made it.
    pub(super) fn made_by(&self, birth: Option<Stamp>) -> Option<Stamp> {
        match self.origin {
            Origin::Birth => birth,
            _ => self.stamp,
        }
    }
}
