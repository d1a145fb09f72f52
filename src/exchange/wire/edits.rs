//! Edits: each says in a byte what it shares with the one before it.

use super::limits::{ITEM_ROOM, NODE_ROOM, text_room};
use super::reader::Reader;
use super::values::{atom_room, is_exactly, read_observed, write_observed};
use super::writer::{Header, Writer};
use super::{Coded, Malformed};
use crate::crdt::{Act, Atom, Birth, Change, Digest, Form, Map, Part, Path, Record, Stamp, Step};
use crate::overlay::{Deed, Known};

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
        if bits & SAME_BASE == 0 {
            self.base.write(to);
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
        to.last_edit = Some(Header::of(self));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.charge(2 * NODE_ROOM)?;
        let bits = from.byte()?;
        if bits & !ALL_BITS != 0 {
            return Err(Malformed::Tag("edit", bits.into()));
        }
        let has = |bit| bits & bit != 0;
        let before = from.last_edit.take();
        let before = || before.as_ref().ok_or(Malformed::Unnamed);
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
            true => before()?.base,
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
        from.last_edit = Some(Header::of(&edit));
        Ok(edit)
    }
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
/// Added to the act of a change that observed stamps.
const SAW_STAMPS: u8 = 16;
/// Added to the act of a change that observed values without stamps.
const SAW_DIGESTS: u8 = 32;

fn write_change(change: &Change, by: Stamp, to: &mut Writer) {
    to.charge(NODE_ROOM);
    change.at.write(to);
    let act = match change.act {
        Act::Write(_) => WRITE,
        Act::Replace(_) => REPLACE,
        Act::Remove => REMOVE,
        Act::Add { .. } => ADD,
        Act::Move { .. } => MOVE,
        Act::Lose(_) => LOSE,
        Act::Settle(_) => SETTLE,
        Act::Form(_) => FORM,
    };
    let saw_stamps = change.observed.stamps().len() > 0;
    let saw_digests = change.observed.digests().len() > 0;
    let saw = if saw_stamps { SAW_STAMPS } else { 0 } | if saw_digests { SAW_DIGESTS } else { 0 };
    to.byte(act | saw);
    match &change.act {
        Act::Write(value) => value.write(to),
        Act::Replace(members) => to.all(members.iter()),
        Act::Remove => {}
        Act::Add { record, behind } => {
            write_birth(record, &change.at, by, to);
            behind.write(to);
        }
        Act::Move { behind: value } | Act::Lose(value) | Act::Settle(value) => value.write(to),
        Act::Form(form) => {
            form.part.write(to);
            to.text(&form.before);
            to.text(&form.after);
        }
    }
    write_observed(&change.observed, to);
}

fn read_change(from: &mut Reader<'_>, by: Stamp) -> Result<Change, Malformed> {
    from.charge(NODE_ROOM)?;
    let at = Path::read(from)?;
    let tag = from.byte()?;
    let act = match tag & !(SAW_STAMPS | SAW_DIGESTS) {
        WRITE => Act::Write(Atom::read(from)?),
        REPLACE => Act::Replace(from.all()?),
        REMOVE => Act::Remove,
        ADD => Act::Add {
            record: read_birth(from, &at, by)?,
            behind: Option::read(from)?,
        },
        MOVE => Act::Move {
            behind: Option::read(from)?,
        },
        LOSE => Act::Lose(Option::read(from)?),
        SETTLE => Act::Settle(Option::read(from)?),
        FORM => Act::Form(Form {
            part: Part::read(from)?,
            before: from.text()?.to_owned(),
            after: from.text()?.to_owned(),
        }),
        _ => return Err(Malformed::Tag("act", tag.into())),
    };
    let observed = read_observed(from, tag & SAW_STAMPS != 0, tag & SAW_DIGESTS != 0)?;
    Ok(Change { at, act, observed })
}

/// The record is called, and was named at its birth, as the last step of the way to it says.
const AS_THE_WAY_SAYS: u8 = 1;
/// The edit gave it its birth.
const BORN_HERE: u8 = 2;
/// It was born with another stamp.
const BORN_ELSEWHERE: u8 = 4;

fn write_birth(record: &Record, at: &Path, by: Stamp, to: &mut Writer) {
    to.charge(NODE_ROOM);
    let is_as_said = at.steps().last().is_some_and(|step| {
        matches!(step, Step::Record(name, birth)
            if is_exactly(name, &record.name) && *birth == record.birth.digest)
    });
    let as_said = if is_as_said { AS_THE_WAY_SAYS } else { 0 };
    let born = match record.birth.stamp {
        Some(stamp) if stamp == by => BORN_HERE,
        Some(_) => BORN_ELSEWHERE,
        None => 0,
    };
    to.byte(as_said | born);
    if is_as_said {
        to.charge(atom_room(&record.name));
    } else {
        record.name.write(to);
        record.birth.digest.write(to);
    }
    if let Some(stamp) = record.birth.stamp.filter(|_| born == BORN_ELSEWHERE) {
        to.stamp(stamp);
    }
    record.fields.write(to);
}

fn read_birth(from: &mut Reader<'_>, at: &Path, by: Stamp) -> Result<Record, Malformed> {
    from.charge(NODE_ROOM)?;
    let bits = from.byte()?;
    let (name, digest) = match (bits & AS_THE_WAY_SAYS, at.steps().last()) {
        (0, _) => (Atom::read(from)?, Digest::read(from)?),
        (_, Some(Step::Record(name, birth))) => {
            from.charge(atom_room(name))?;
            (name.clone(), *birth)
        }
        _ => return Err(Malformed::Unnamed),
    };
    let stamp = match bits & !AS_THE_WAY_SAYS {
        0 => None,
        BORN_HERE => Some(by),
        BORN_ELSEWHERE => Some(from.stamp()?),
        _ => return Err(Malformed::Tag("birth", bits.into())),
    };
    Ok(Record {
        name,
        birth: Birth { stamp, digest },
        fields: Map::read(from)?,
    })
}
