//! A record as one run of bytes, as long as nothing in it is contested: its birth, its place, and of each field the value
//! that stands with the stamp of the edit that wrote it and what that edit superseded.
//!
//! One allocation for a record, and no more bytes than what it says: what came with the birth has no stamp of its own. What
//! is in memory is what is saved.

use crate::crdt::document::{Atom, Birth};
use crate::crdt::{Digest, Observed, Rules, Run, Stamp, StampSet};

use super::bytes::{Bytes, put_text, put_varint};

/// A value that is written as a whole, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// Any value but a text, as it is spelled canonically.
    Plain(&'v str),
    /// A text that is spelled as [`Rules::spell`] does.
    Text(&'v str),
    /// A text that is spelled in another way, and how.
    Spelled {
        /// Its canonical text.
        canonical: &'v str,
        /// What it says.
        text: &'v str,
    },
}

impl<'v> Value<'v> {
    pub(super) fn of(atom: &'v Atom, rules: &Rules<'_>) -> Self {
        let canonical = atom.canonical();
        match atom.as_text() {
            None => Self::Plain(canonical),
            Some(text) if (rules.spell)(text) == canonical => Self::Text(text),
            Some(text) => Self::Spelled { canonical, text },
        }
    }

    /// What it says: the text, or any other value as it is spelled.
    #[must_use]
    pub fn said(self) -> &'v str {
        match self {
            Self::Plain(said) | Self::Text(said) | Self::Spelled { text: said, .. } => said,
        }
    }

    pub(super) fn atom(self, rules: &Rules<'_>) -> Atom {
        match self {
            Self::Plain(canonical) => Atom::new(canonical.to_owned()),
            Self::Text(text) => Atom::text((rules.spell)(text), text.to_owned()),
            Self::Spelled { canonical, text } => Atom::text(canonical.to_owned(), text.to_owned()),
        }
    }

    pub(super) fn digest(self, rules: &Rules<'_>) -> Digest {
        match self {
            Self::Plain(canonical) | Self::Spelled { canonical, .. } => {
                Digest::of(canonical.as_bytes())
            }
            Self::Text(text) => Digest::of((rules.spell)(text).as_bytes()),
        }
    }

    /// Whether it is a text of several lines, which are merged one by one.
    fn has_lines(self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Text(text) | Self::Spelled { text, .. } => text.trim_end().contains('\n'),
        }
    }

    const fn kind(self) -> u8 {
        match self {
            Self::Plain(_) => PLAIN,
            Self::Text(_) => TEXT,
            Self::Spelled { .. } => SPELLED,
        }
    }

    fn put_body(self, to: &mut Vec<u8>) {
        match self {
            Self::Plain(text) | Self::Text(text) => put_text(to, text),
            Self::Spelled { canonical, text } => {
                put_text(to, canonical);
                put_text(to, text);
            }
        }
    }

    fn body(kind: u8, from: &mut Bytes<'v>) -> Option<Self> {
        Some(match kind {
            PLAIN => Self::Plain(from.text()?),
            TEXT => Self::Text(from.text()?),
            SPELLED => Self::Spelled {
                canonical: from.text()?,
                text: from.text()?,
            },
            _ => return None,
        })
    }

    fn put(self, to: &mut Vec<u8>) {
        to.push(self.kind());
        self.put_body(to);
    }

    fn take(from: &mut Bytes<'v>) -> Option<Self> {
        let kind = from.byte()?;
        Self::body(kind, from)
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Content<'v> {
    /// One value.
    One(Value<'v>),
    /// A list.
    List(Members<'v>),
}

impl<'v> Content<'v> {
    /// About how many bytes it takes.
    fn length(self) -> usize {
        match self {
            Self::One(value) => value.said().len(),
            Self::List(members) => members.map(|member| member.said().len() + 2).sum(),
        }
    }

    /// Whether what was written before it is needed where somebody writes something else at the same time.
    pub(super) fn is_merged(self) -> bool {
        match self {
            Self::One(value) => value.has_lines(),
            Self::List(_) => true,
        }
    }
}

/// The members of a list.
#[derive(Clone, Copy, Debug)]
pub struct Members<'v>(Source<'v>);

#[derive(Clone, Copy, Debug)]
enum Source<'v> {
    Packed(Bytes<'v>),
    Given(&'v [Value<'v>]),
}

impl<'v> Members<'v> {
    /// These.
    #[must_use]
    pub fn new(members: &'v [Value<'v>]) -> Self {
        Self(Source::Given(members))
    }
}

impl<'v> Iterator for Members<'v> {
    type Item = Value<'v>;

    fn next(&mut self) -> Option<Value<'v>> {
        match &mut self.0 {
            Source::Packed(bytes) => Value::take(bytes),
            Source::Given(members) => {
                let (first, rest) = members.split_first()?;
                *members = rest;
                Some(*first)
            }
        }
    }
}

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

const KIND: u8 = 0b11;
const PLAIN: u8 = 0;
const TEXT: u8 = 1;
const SPELLED: u8 = 2;
const LIST: u8 = 3;
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
    for run in stamps.runs() {
        let [a, b, c, d, e, ..] = run.millis().to_le_bytes();
        to.extend_from_slice(&run.first().to_bytes());
        to.extend_from_slice(&[a, b, c, d, e]);
    }
    digests
        .iter()
        .for_each(|digest| to.extend_from_slice(&digest.bits().to_le_bytes()));
    flag | SEEING
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
    fn put(
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
    fn take(from: &mut Bytes<'r>) -> Option<Self> {
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
    fn skip(from: &mut Bytes<'r>) -> Option<(u32, bool, bool)> {
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

const IN_BASE: u8 = 1;
const BIRTH_STAMPED: u8 = 1 << 1;
const BEHIND: u8 = 1 << 2;

/// What stands at the front of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'r> {
    /// Whether the record stands in the document that the edits were made on.
    pub(super) in_base: bool,
    pub(super) birth: Birth,
    pub(super) name: Value<'r>,
    /// The record that it was born behind; nothing for one of the base.
    pub(super) behind: Option<Value<'r>>,
}

/// A record as bytes.
#[derive(Clone, Debug)]
pub(super) struct Row(Vec<u8>);

/// Bytes that a row gets beyond what it needs once it has to grow: most values that replace others are about as long.
const SLACK: usize = 32;

impl Row {
    pub(super) fn new<'w>(
        head: &Head<'_>,
        cells: impl IntoIterator<Item = Writing<'w>>,
        scratch: &mut Vec<u8>,
    ) -> Self {
        scratch.clear();
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        scratch.push(
            flag(head.in_base, IN_BASE)
                | flag(head.birth.stamp.is_some(), BIRTH_STAMPED)
                | flag(head.behind.is_some(), BEHIND),
        );
        scratch.extend_from_slice(&head.birth.digest.bits().to_le_bytes());
        if let Some(stamp) = head.birth.stamp {
            scratch.extend_from_slice(&stamp.to_bytes());
        }
        head.name.put(scratch);
        if let Some(behind) = head.behind {
            behind.put(scratch);
        }
        // What is short stands in front: long texts are rarely edited, and to find what stands behind them takes longer.
        let mut cells: Vec<Writing<'_>> = cells.into_iter().collect();
        cells.sort_by_key(|cell| cell.content.length());
        for cell in cells {
            cell.put(scratch, None);
        }
        let mut row = Vec::with_capacity(scratch.len());
        row.extend_from_slice(scratch);
        Self(row)
    }

    /// The row of these bytes, if they are one whose fields have numbers below `fields`.
    #[cfg(feature = "node")]
    pub(super) fn read(bytes: &[u8], fields: usize) -> Option<Self> {
        let row = Self(bytes.to_vec());
        let (_, mut cells) = row.parts()?;
        while !cells.is_empty() {
            let cell = Cell::take(&mut cells)?;
            if cell.field as usize >= fields {
                return None;
            }
            if let Content::List(Members(Source::Packed(mut packed))) = cell.content {
                while !packed.is_empty() {
                    Value::take(&mut packed)?;
                }
            }
        }
        Some(row)
    }

    #[cfg(feature = "node")]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn parts(&self) -> Option<(Head<'_>, Bytes<'_>)> {
        let mut from = Bytes::new(&self.0);
        let (flags, birth) = begin(&mut from)?;
        let name = Value::take(&mut from)?;
        let behind = match flags & BEHIND {
            0 => None,
            _ => Some(Value::take(&mut from)?),
        };
        let head = Head {
            in_base: flags & IN_BASE != 0,
            birth,
            name,
            behind,
        };
        Some((head, from))
    }

    /// Whether it is the row of a record that was born under this name, and with this digest if one is asked for.
    pub(super) fn is_of(&self, name: &str, birth: Option<Digest>) -> bool {
        let is_it = || {
            let mut from = Bytes::new(&self.0);
            let (_, born) = begin(&mut from)?;
            if birth.is_some_and(|birth| birth != born.digest) {
                return None;
            }
            if from.byte()? == SPELLED {
                from.run()?;
            }
            Some(from.run()? == name.as_bytes())
        };
        is_it().unwrap_or_default()
    }

    /// The stamp of the birth, and the bytes of all cells.
    fn behind_head(&self) -> Option<(Option<Stamp>, Bytes<'_>)> {
        let mut from = Bytes::new(&self.0);
        let (flags, birth) = begin(&mut from)?;
        let values = if flags & BEHIND == 0 { 1 } else { 2 };
        for _ in 0..values {
            if from.byte()? == SPELLED {
                from.run()?;
            }
            from.run()?;
        }
        Some((birth.stamp, from))
    }

    /// The stamp of the birth.
    pub(super) fn birth(&self) -> Option<Stamp> {
        self.behind_head()?.0
    }

    /// The numbers of the fields that stand.
    pub(super) fn fields(&self) -> impl Iterator<Item = u32> {
        let mut from = self
            .behind_head()
            .map(|(_, cells)| cells)
            .unwrap_or_default();
        std::iter::from_fn(move || {
            while !from.is_empty() {
                let (field, stands, _) = Cell::skip(&mut from)?;
                if stands {
                    return Some(field);
                }
            }
            None
        })
    }

    /// What it begins with; nothing for bytes that are no row, which nobody makes.
    pub(super) fn head(&self) -> Option<Head<'_>> {
        self.parts().map(|(head, _)| head)
    }

    pub(super) fn cells(&self) -> Cells<'_> {
        Cells(self.parts().map(|(_, cells)| cells).unwrap_or_default())
    }

    /// The field that stands under this number.
    pub(super) fn cell(&self, field: u32) -> Option<Cell<'_>> {
        let spot = self.spot(field);
        Cell::take(&mut Bytes::new(self.0.get(spot.start..)?)).filter(|_| spot.is_list.is_some())
    }

    /// Where a field stands, or would stand.
    pub(super) fn spot(&self, field: u32) -> Spot {
        let find = || {
            let (_, mut from) = self.behind_head()?;
            while !from.is_empty() {
                let start = self.0.len() - from.len();
                let (found, stands, is_list) = Cell::skip(&mut from)?;
                if found == field && stands {
                    return Some(Spot {
                        start,
                        end: self.0.len() - from.len(),
                        is_list: Some(is_list),
                    });
                }
            }
            None
        };
        find().unwrap_or(Spot {
            start: self.0.len(),
            end: self.0.len(),
            is_list: None,
        })
    }

    /// Puts a value into a field, in place of what stands there. What stood in the base is kept if `keeps` says so.
    pub(super) fn write(
        &mut self,
        spot: Spot,
        writing: &Writing<'_>,
        by: &Superseding<'_>,
        keeps: impl FnOnce(&Cell<'_>) -> bool,
        scratch: &mut Vec<u8>,
    ) {
        let Spot { start, end, .. } = spot;
        let mut old = Bytes::new(self.0.get(start..end).unwrap_or_default());
        let before = Cell::take(&mut old);
        scratch.clear();
        if let Some(before) = before.filter(|before| before.origin == Origin::Base && keeps(before))
        {
            let ancestor = Writing {
                field: before.field,
                origin: Origin::Ancestor,
                stamp: before.stamp,
                content: before.content,
            };
            ancestor.put(scratch, None);
        }
        writing.put(scratch, Some((before.as_ref(), by, self.birth())));
        let more = scratch.len().saturating_sub(end - start);
        if self.0.capacity() - self.0.len() < more {
            self.0.reserve_exact(more + SLACK);
        }
        self.0.splice(start..end, scratch.iter().copied());
    }
}

/// Where in a row a field stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    start: usize,
    end: usize,
    /// Whether it holds a list; nothing where it does not stand.
    pub(super) is_list: Option<bool>,
}

/// How a row begins: its flags, and the birth of its record.
fn begin(from: &mut Bytes<'_>) -> Option<(u8, Birth)> {
    let flags = from.byte()?;
    let digest = Digest::from_bits(u16::from_le_bytes(*from.array()?))?;
    let stamp = match flags & BIRTH_STAMPED {
        0 => None,
        _ => Some(Stamp::from_bytes(*from.array()?)),
    };
    Some((flags, Birth { stamp, digest }))
}

/// The fields of a row, what was overwritten and is still needed among them.
pub(super) struct Cells<'r>(Bytes<'r>);

impl<'r> Iterator for Cells<'r> {
    type Item = Cell<'r>;

    fn next(&mut self) -> Option<Cell<'r>> {
        Cell::take(&mut self.0)
    }
}
