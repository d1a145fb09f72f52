//! Edits: each says in a byte what it shares with the one before it.

use super::limits::{ITEM_ROOM, NODE_ROOM, text_room};
use super::reader::Reader;
use super::values::{Neighbour, is_exactly, read_observed, step_room, write_observed};
use super::writer::{Header, Writer};
use super::{Coded, Malformed};
use crate::crdt::{
    Act, Atom, Birth, Change, Digest, Form, Map, Node, Part, Path, Record, Stamp, Step,
};
use crate::overlay::{CommitId, Deed, Known};

/// Its replica made the edit before it in the message, and no other since.
const FOLLOWS: u8 = 1;
/// It is its replica's first.
const FIRST: u8 = 2;
const SAME_DOCUMENT: u8 = 4;
const SAME_BASE: u8 = 8;
const SAME_PUBLISHED: u8 = 16;
const SAME_BRANCH: u8 = 32;
/// It takes edits back; else it changes places.
const RETRACTS: u8 = 64;
/// The bit above these tells of what is no edit (`runs.rs`).
const ALL_BITS: u8 = 127;

impl Coded for Known {
    fn write(&self, to: &mut Writer) {
        to.charge(2 * NODE_ROOM);
        let before = to.last_edit.take();
        let same = |bit: u8, is_same: &dyn Fn(&Header) -> bool| {
            before
                .as_ref()
                .filter(|before| is_same(before))
                .map_or(0, |_| bit)
        };
        let mut bits = same(SAME_DOCUMENT, &|before| before.document == self.document)
            | same(SAME_BASE, &|before| before.base == self.base)
            | same(SAME_PUBLISHED, &|before| before.published == self.published)
            | same(SAME_BRANCH, &|before| before.branch == self.branch);
        bits |= match self.previous {
            None => FIRST,
            Some(stamp) => same(FOLLOWS, &|before| before.stamp == stamp),
        };
        if matches!(self.deed, Deed::Retract(_)) {
            bits |= RETRACTS;
        }
        to.byte(bits);
        to.stamp(self.stamp);
        if let Some(previous) = self.previous.filter(|_| bits & FOLLOWS == 0) {
            to.stamp(previous);
        }
        match bits & SAME_DOCUMENT {
            0 => to.document(&self.document),
            _ => to.charge(text_room(self.document.as_bytes().len())),
        }
        match bits & SAME_BASE {
            0 => self.base.write(to),
            _ => to.charge(base_room(self.base)),
        }
        match bits & SAME_PUBLISHED {
            0 => to.all(self.published.iter()),
            _ => to.charge(ITEM_ROOM * self.published.len()),
        }
        match bits & SAME_BRANCH {
            0 => self.branch.write(to),
            _ => to.charge(branch_room(self.branch.as_deref())),
        }
        match &self.deed {
            Deed::Retract(stamps) => to.all(stamps.iter()),
            Deed::Change(changes) => {
                to.count(changes.len());
                changes
                    .iter()
                    .for_each(|change| write_change(change, self.stamp, to));
            }
        }
        to.last_edit = Some(Header::following(before, self));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.charge(2 * NODE_ROOM)?;
        let bits = from.byte()?;
        if bits & !ALL_BITS != 0 {
            return Err(Malformed::Tag("edit", bits.into()));
        }
        let has = |bit| bits & bit != 0;
        let last = from.last_edit.take();
        let before = || last.as_ref().ok_or(Malformed::Unnamed);
        let stamp = from.stamp()?;
        let previous = match (has(FOLLOWS), has(FIRST)) {
            (true, true) => return Err(Malformed::Tag("edit", bits.into())),
            (true, false) => Some(before()?.stamp),
            (false, true) => None,
            (false, false) => Some(from.stamp()?),
        };
        let document = match has(SAME_DOCUMENT) {
            false => from.document()?,
            true => {
                let document = before()?.document.clone();
                from.charge(text_room(document.as_bytes().len()))?;
                document
            }
        };
        let base = match has(SAME_BASE) {
            false => Option::read(from)?,
            true => {
                let base = before()?.base;
                from.charge(base_room(base))?;
                base
            }
        };
        let published = match has(SAME_PUBLISHED) {
            false => from.all()?,
            true => {
                let published = before()?.published.clone();
                from.charge(ITEM_ROOM * published.len())?;
                published
            }
        };
        let branch = match has(SAME_BRANCH) {
            false => Option::read(from)?,
            true => {
                let branch = before()?.branch.clone();
                from.charge(branch_room(branch.as_deref()))?;
                branch
            }
        };
        let deed = match has(RETRACTS) {
            true => Deed::Retract(from.all()?),
            false => {
                let count = from.count()?;
                let changes = (0..count).map(|_| read_change(from, stamp));
                Deed::Change(changes.collect::<Result<_, _>>()?)
            }
        };
        let edit = Self {
            stamp,
            previous,
            document,
            base,
            published,
            branch,
            deed,
        };
        from.last_edit = Some(Header::following(last, &edit));
        Ok(edit)
    }
}

/// The room that a base takes.
fn base_room(base: Option<CommitId>) -> usize {
    base.map_or(0, |_| ITEM_ROOM)
}

/// The room that a branch's name takes.
fn branch_room(branch: Option<&str>) -> usize {
    branch.map_or(0, |branch| text_room(branch.len()))
}

const WRITE: u8 = 0;
const REPLACE: u8 = 1;
const REMOVE: u8 = 2;
const ADD: u8 = 3;
const MOVE: u8 = 4;
const LOSE: u8 = 5;
const SETTLE: u8 = 6;
const FORM: u8 = 7;
/// Adds a record where the way leads on to it: only what it is added to is told.
const BEAR: u8 = 8;
const COUNT: u8 = 9;
const RAISE: u8 = 10;
const LAST: u8 = 11;
/// Added to the act of a change that observed stamps.
const SAW_STAMPS: u8 = 16;
/// Added to the act of a change that observed values without stamps.
const SAW_DIGESTS: u8 = 32;

/// The record that a change adds where its way leads, and what it is added to.
fn born(change: &Change) -> Option<(&Record, Path)> {
    let (Act::Add { record, .. }, Some(Step::Record(name, birth))) =
        (&change.act, change.at.steps().last())
    else {
        return None;
    };
    let leads_to_it = is_exactly(name, &record.name) && *birth == record.birth.digest;
    Some((record, change.at.around()?)).filter(|_| leads_to_it)
}

fn write_change(change: &Change, by: Stamp, to: &mut Writer) {
    to.charge(NODE_ROOM);
    let neighbour = match change.act {
        Act::Add { .. } | Act::Move { .. } => Neighbour::at(&to.last_path),
        _ => Neighbour::default(),
    };
    let born = born(change);
    match &born {
        Some((_, around)) => around.write(to),
        None => change.at.write(to),
    }
    let act = match change.act {
        Act::Write(_) => WRITE,
        Act::Replace(_) => REPLACE,
        Act::Remove => REMOVE,
        Act::Add { .. } if born.is_some() => BEAR,
        Act::Add { .. } => ADD,
        Act::Move { .. } => MOVE,
        Act::Lose(_) => LOSE,
        Act::Settle(_) => SETTLE,
        Act::Form(_) => FORM,
        Act::Count(_) => COUNT,
        Act::Raise(_) => RAISE,
        Act::Last(_) => LAST,
    };
    let saw = |saw: bool, bit| if saw { bit } else { 0 };
    let saw_stamps = saw(!change.observed.stamps().is_empty(), SAW_STAMPS);
    let saw_digests = saw(change.observed.digests().len() > 0, SAW_DIGESTS);
    to.byte(act | saw_stamps | saw_digests);
    match &change.act {
        Act::Write(value) | Act::Last(value) => value.write(to),
        Act::Replace(members) => to.all(members.iter()),
        Act::Remove => {}
        Act::Add { record, behind } => {
            match born {
                Some(_) => {
                    write_birth(record, by, to);
                    change
                        .at
                        .steps()
                        .last()
                        .into_iter()
                        .for_each(|step| to.charge(step_room(step)));
                    to.last_path = change.at.clone();
                }
                None => record.write(to),
            }
            neighbour.write(behind.as_ref(), to);
        }
        Act::Move { behind } => neighbour.write(behind.as_ref(), to),
        Act::Lose(value) | Act::Settle(value) => value.write(to),
        Act::Form(form) => {
            form.part.write(to);
            to.text(&form.before);
            to.text(&form.after);
        }
        Act::Count(amount) | Act::Raise(amount) => to.number(folded(*amount)),
    }
    write_observed(&change.observed, to);
}

fn read_change(from: &mut Reader<'_>, by: Stamp) -> Result<Change, Malformed> {
    from.charge(NODE_ROOM)?;
    let neighbour = Neighbour::at(&from.last_path);
    let mut at = Path::read(from)?;
    let tag = from.byte()?;
    let act = match tag & !(SAW_STAMPS | SAW_DIGESTS) {
        WRITE => Act::Write(Atom::read(from)?),
        REPLACE => Act::Replace(from.all()?),
        REMOVE => Act::Remove,
        ADD => Act::Add {
            record: Record::read(from)?,
            behind: neighbour.read(from)?,
        },
        BEAR => {
            let record = read_birth(from, by)?;
            let step = Step::Record(record.name.clone(), record.birth.digest);
            from.charge(step_room(&step))?;
            at.push(step);
            from.last_path = at.clone();
            let behind = neighbour.read(from)?;
            Act::Add { record, behind }
        }
        MOVE => Act::Move {
            behind: neighbour.read(from)?,
        },
        LOSE => Act::Lose(Option::read(from)?),
        SETTLE => Act::Settle(Option::read(from)?),
        FORM => Act::Form(Form {
            part: Part::read(from)?,
            before: from.text()?.to_owned(),
            after: from.text()?.to_owned(),
        }),
        COUNT => Act::Count(unfolded(from.number()?)),
        RAISE => Act::Raise(unfolded(from.number()?)),
        LAST => Act::Last(Atom::read(from)?),
        _ => return Err(Malformed::Tag("act", tag.into())),
    };
    let observed = read_observed(from, tag & SAW_STAMPS != 0, tag & SAW_DIGESTS != 0)?;
    Ok(Change { at, act, observed })
}

/// A number with its sign in the lowest bit, so that small ones stay small.
fn folded(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unfolded(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Bits of the number that tells of a birth that tell of its stamp; the rest tells of its digest.
const STAMP_BITS: u32 = 2;
const UNSTAMPED: u64 = 0;
/// The edit that adds the record gave it its birth.
const BORN_HERE: u64 = 1;
/// It was born with another stamp.
const BORN_ELSEWHERE: u64 = 2;

/// The digest of a field that is one value.
fn digest(field: &Node) -> Option<Digest> {
    match field {
        Node::Register(value, _) => Some(value.digest()),
        _ => None,
    }
}

/// A record that is born: its digest is mostly that of one of its fields, which is told by its place, from one on.
fn write_birth(record: &Record, by: Stamp, to: &mut Writer) {
    to.charge(NODE_ROOM);
    record.name.write(to);
    record.fields.write(to);
    let mut digests = record.fields.values().map(digest);
    let field = digests.position(|digest| digest == Some(record.birth.digest));
    let stamp = match record.birth.stamp {
        Some(stamp) if stamp == by => BORN_HERE,
        Some(_) => BORN_ELSEWHERE,
        None => UNSTAMPED,
    };
    to.number(field.map_or(0, |field| field as u64 + 1) << STAMP_BITS | stamp);
    match field {
        Some(_) => to.charge(ITEM_ROOM),
        None => record.birth.digest.write(to),
    }
    if let Some(elsewhere) = record.birth.stamp.filter(|_| stamp == BORN_ELSEWHERE) {
        to.stamp(elsewhere);
    }
}

fn read_birth(from: &mut Reader<'_>, by: Stamp) -> Result<Record, Malformed> {
    from.charge(NODE_ROOM)?;
    let name = Atom::read(from)?;
    let fields = Map::read(from)?;
    let number: usize = from.small()?;
    let digest = match (number >> STAMP_BITS).checked_sub(1) {
        None => Digest::read(from)?,
        Some(field) => {
            from.charge(ITEM_ROOM)?;
            let field = fields.values().nth(field).and_then(digest);
            field.ok_or(Malformed::Unnamed)?
        }
    };
    let stamp = match number as u64 & ((1 << STAMP_BITS) - 1) {
        UNSTAMPED => None,
        BORN_HERE => Some(by),
        BORN_ELSEWHERE => Some(from.stamp()?),
        other => return Err(Malformed::Tag("birth", other)),
    };
    let birth = Birth { stamp, digest };
    Ok(Record {
        name,
        birth,
        fields,
    })
}
