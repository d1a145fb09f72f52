//! Values, and the ways to them.

use std::collections::BTreeSet;

use super::limits::{ITEM_ROOM, NODE_ROOM, text_room};
use super::reader::Reader;
use super::writer::Writer;
use super::{Coded, Malformed};
use crate::crdt::{
    Atom, Birth, Digest, Map, Node, Observed, Part, Path, Record, Replica, Run, Stamp, StampSet,
    Stamps, Step,
};
use crate::overlay::CommitId;
use crate::yaml::{double_quoted, needs_no_escape};

/// Bits of a text's first number that tell what the text is.
const FORM_BITS: u32 = 2;
/// It is a canonical text.
const CANONICAL: u64 = 0;
/// It is a text whose canonical one is the same in double quotes.
const QUOTED: u64 = 1;
/// It is a canonical text, and what it says follows.
const BOTH: u64 = 2;
/// It is no value: nothing, or the name of an entry.
const OTHER: u64 = 3;
/// Behind [`OTHER`]: the record that the change before was about.
const THE_LAST: u64 = 1;

/// What begins with a number whose low bits are a form.
enum Formed {
    Value(Atom),
    Other(u64),
}

impl Formed {
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let number = from.number()?;
        let (head, form) = (number >> FORM_BITS, number & ((1 << FORM_BITS) - 1));
        if form == OTHER {
            return Ok(Self::Other(head));
        }
        let text = from.text_of(head)?;
        Ok(Self::Value(match form {
            QUOTED => {
                let canonical = double_quoted(text);
                from.charge(text_room(canonical.len()))?;
                Atom::text(canonical, text.to_owned())
            }
            BOTH => Atom::text(text.to_owned(), from.text()?.to_owned()),
            _ => Atom::new(text.to_owned()),
        }))
    }
}

/// Whether this is the text in double quotes. Almost every text is as it is between them.
fn is_quoted(text: &str, canonical: &str) -> bool {
    let inside = canonical
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inside == Some(text) && needs_no_escape(text) || double_quoted(text) == canonical
}

impl Coded for Atom {
    fn write(&self, to: &mut Writer) {
        match self.as_text() {
            None => to.text_in_form(self.canonical(), CANONICAL, FORM_BITS),
            Some(text) if is_quoted(text, self.canonical()) => {
                to.text_in_form(text, QUOTED, FORM_BITS);
                to.charge(text_room(self.canonical().len()));
            }
            Some(text) => {
                to.text_in_form(self.canonical(), BOTH, FORM_BITS);
                to.text(text);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match Formed::read(from)? {
            Formed::Value(atom) => Ok(atom),
            Formed::Other(_) => Err(Malformed::Tag("value", OTHER)),
        }
    }
}

impl Coded for Option<Atom> {
    fn write(&self, to: &mut Writer) {
        match self {
            Some(atom) => atom.write(to),
            None => to.number(OTHER),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match Formed::read(from)? {
            Formed::Value(atom) => Ok(Some(atom)),
            Formed::Other(0) => Ok(None),
            Formed::Other(_) => Err(Malformed::Tag("value", OTHER)),
        }
    }
}

impl Coded for Step {
    fn write(&self, to: &mut Writer) {
        to.charge(ITEM_ROOM);
        match self {
            Step::Entry(name) => to.text_in_form(name, OTHER, FORM_BITS),
            Step::Record(name, birth) => {
                name.write(to);
                birth.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.charge(ITEM_ROOM)?;
        Ok(match Formed::read(from)? {
            Formed::Other(head) => Step::Entry(from.text_of(head)?.to_owned()),
            Formed::Value(name) => Step::Record(name, Digest::read(from)?),
        })
    }
}

/// The room that a step takes.
pub(super) fn step_room(step: &Step) -> usize {
    match step {
        Step::Entry(name) => ITEM_ROOM + text_room(name.len()),
        Step::Record(name, _) => 2 * ITEM_ROOM + atom_room(name),
    }
}

/// The room that a value takes.
pub(super) fn atom_room(atom: &Atom) -> usize {
    let text = atom.as_text().map_or(0, |text| text_room(text.len()));
    text_room(atom.canonical().len()) + text
}

/// Whether two values are not only equal, but the same to the last byte.
pub(super) fn is_exactly(a: &Atom, b: &Atom) -> bool {
    a == b && a.as_text() == b.as_text()
}

/// How many steps two ways have in common, to the last byte.
fn shared(a: &[Step], b: &[Step]) -> usize {
    let same = |(a, b): &(&Step, &Step)| match (a, b) {
        (Step::Entry(a), Step::Entry(b)) => a == b,
        (Step::Record(a, birth), Step::Record(b, other)) => birth == other && is_exactly(a, b),
        _ => false,
    };
    a.iter().zip(b).take_while(same).count()
}

impl Coded for Path {
    /// How many steps it shares with the path before it, and the rest.
    fn write(&self, to: &mut Writer) {
        let shared = shared(self.steps(), to.last_path.steps());
        let (known, new) = self.steps().split_at(shared);
        to.count(shared);
        to.charge(known.iter().map(step_room).sum());
        to.all(new.iter());
        to.last_path = self.clone();
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let shared = from.small()?;
        let before = std::mem::take(&mut from.last_path);
        let known = before.steps().get(..shared).ok_or(Malformed::Unnamed)?;
        from.charge(known.iter().map(step_room).sum())?;
        let path: Path = known.iter().cloned().chain(from.all()?).collect();
        from.last_path = path.clone();
        Ok(path)
    }
}

/// The record that a place is put behind, by its name; mostly the one that the change before was about.
#[derive(Debug, Default)]
pub(super) struct Neighbour(pub(super) Option<Atom>);

impl Neighbour {
    /// The record that a way leads to.
    pub(super) fn at(path: &Path) -> Self {
        Self(match path.steps().last() {
            Some(Step::Record(name, _)) => Some(name.clone()),
            _ => None,
        })
    }

    pub(super) fn write(&self, behind: Option<&Atom>, to: &mut Writer) {
        match behind {
            None => to.number(OTHER),
            Some(name) if self.0.as_ref().is_some_and(|last| is_exactly(last, name)) => {
                to.charge(atom_room(name));
                to.number(THE_LAST << FORM_BITS | OTHER);
            }
            Some(name) => name.write(to),
        }
    }

    pub(super) fn read(self, from: &mut Reader<'_>) -> Result<Option<Atom>, Malformed> {
        match Formed::read(from)? {
            Formed::Value(name) => Ok(Some(name)),
            Formed::Other(0) => Ok(None),
            Formed::Other(THE_LAST) => {
                let name = self.0.ok_or(Malformed::Unnamed)?;
                from.charge(atom_room(&name))?;
                Ok(Some(name))
            }
            Formed::Other(_) => Err(Malformed::Tag("value", OTHER)),
        }
    }
}

impl Coded for Stamp {
    fn write(&self, to: &mut Writer) {
        to.stamp(*self);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.stamp()
    }
}

impl Coded for Digest {
    fn write(&self, to: &mut Writer) {
        to.charge(ITEM_ROOM);
        to.raw(&self.bits().to_le_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.charge(ITEM_ROOM)?;
        Digest::from_bits(u16::from_le_bytes(from.array()?)).ok_or(Malformed::Digest)
    }
}

impl Coded for Replica {
    fn write(&self, to: &mut Writer) {
        to.raw(&self.bits().to_le_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let bits = u32::from_le_bytes(from.array()?);
        let replica = Replica::from_bits(bits);
        match replica.bits() == bits {
            true => Ok(replica),
            false => Err(Malformed::Replica),
        }
    }
}

impl Coded for CommitId {
    /// By its number in the table.
    fn write(&self, to: &mut Writer) {
        to.commit(*self, 0);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let number = from.number()?;
        from.commit_of(number)
    }
}

impl Coded for Option<String> {
    /// Nothing, or one more than its first number.
    fn write(&self, to: &mut Writer) {
        match self {
            Some(text) => to.optional_text(text),
            None => to.number(0),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.number()?.checked_sub(1) {
            Some(head) => Ok(Some(from.text_of(head)?.to_owned())),
            None => Ok(None),
        }
    }
}

impl Coded for Option<CommitId> {
    fn write(&self, to: &mut Writer) {
        match self {
            Some(commit) => to.commit(*commit, 1),
            None => to.number(0),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.number()?.checked_sub(1) {
            Some(number) => from.commit_of(number).map(Some),
            None => Ok(None),
        }
    }
}

/// Reads what was written in order, each once.
fn in_order<T: Coded + Ord>(from: &mut Reader<'_>) -> Result<BTreeSet<T>, Malformed> {
    from.charge(NODE_ROOM)?;
    let all: Vec<T> = from.all()?;
    match all.is_sorted_by(|a, b| a < b) {
        true => Ok(all.into_iter().collect()),
        false => Err(Malformed::Order),
    }
}

fn write_in_order<'t, T: Coded + 't>(items: impl ExactSizeIterator<Item = &'t T>, to: &mut Writer) {
    to.charge(NODE_ROOM);
    to.all(items);
}

impl Coded for Run {
    fn write(&self, to: &mut Writer) {
        self.first().write(to);
        to.number(self.millis());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let first = Stamp::read(from)?;
        Run::over(first, from.number()?).ok_or(Malformed::Time)
    }
}

/// What an edit saw: each of its two halves stands only where it is not empty, which `has` tells.
pub(super) fn write_observed(observed: &Observed, to: &mut Writer) {
    if !observed.stamps().is_empty() {
        write_in_order(observed.stamps().runs().iter(), to);
    }
    let digests: Vec<_> = observed.digests().collect();
    if !digests.is_empty() {
        write_in_order(digests.iter(), to);
    }
}

pub(super) fn read_observed(
    from: &mut Reader<'_>,
    has_stamps: bool,
    has_digests: bool,
) -> Result<Observed, Malformed> {
    let stamps = match has_stamps {
        true => read_runs(from)?,
        false => StampSet::default(),
    };
    let digests = match has_digests {
        true => in_order(from)?,
        false => BTreeSet::new(),
    };
    Ok(Observed::new(stamps, digests))
}

/// Reads the runs of a set, which are written in their one way.
fn read_runs(from: &mut Reader<'_>) -> Result<StampSet, Malformed> {
    from.charge(NODE_ROOM)?;
    let runs: Vec<Run> = from.all()?;
    let set = StampSet::from(runs.clone());
    match set.runs() == runs {
        true => Ok(set),
        false => Err(Malformed::Order),
    }
}

const REGISTER: u8 = 0;
const LIST: u8 = 1;
const MAP: u8 = 2;
const SET: u8 = 3;
/// Added to the kind of what has stamps.
const STAMPED: u8 = 4;

fn write_kind(kind: u8, stamps: &Stamps, to: &mut Writer) {
    match stamps.is_empty() {
        true => to.byte(kind),
        false => {
            to.byte(kind | STAMPED);
            write_in_order(stamps.iter(), to);
        }
    }
}

impl Coded for Node {
    fn write(&self, to: &mut Writer) {
        to.charge(NODE_ROOM);
        to.nested(|to| match self {
            Node::Register(value, stamps) => {
                write_kind(REGISTER, stamps, to);
                value.write(to);
            }
            Node::List(members, stamps) => {
                write_kind(LIST, stamps, to);
                to.all(members.iter());
            }
            Node::Map(map) => {
                to.byte(MAP);
                map.write(to);
            }
            Node::Set(records) => {
                to.byte(SET);
                to.all(records.iter());
            }
        });
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.charge(NODE_ROOM)?;
        from.nested(|from| {
            let tag = from.byte()?;
            let stamps = match tag & STAMPED {
                0 => Stamps::new(),
                _ => in_order(from)?,
            };
            Ok(match tag {
                REGISTER | 4 => Node::Register(Atom::read(from)?, stamps),
                LIST | 5 => Node::List(from.all()?, stamps),
                MAP => Node::Map(Map::read(from)?),
                SET => Node::Set(from.all::<Record>()?.into()),
                other => return Err(Malformed::Tag("node", other.into())),
            })
        })
    }
}

impl Coded for Map {
    /// Its entries, in the order of their names.
    fn write(&self, to: &mut Writer) {
        to.charge(NODE_ROOM);
        to.count(self.len());
        for (name, node) in self {
            to.text(name);
            node.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.charge(NODE_ROOM)?;
        let count = from.count()?;
        let mut map = Map::new();
        for _ in 0..count {
            let name = from.text()?;
            let is_next = map
                .last_key_value()
                .is_none_or(|(last, _)| last.as_str() < name);
            if !is_next {
                return Err(Malformed::Order);
            }
            let node = Node::read(from)?;
            map.insert(name.to_owned(), node);
        }
        Ok(map)
    }
}

impl Coded for Birth {
    fn write(&self, to: &mut Writer) {
        self.digest.write(to);
        to.byte(self.stamp.is_some().into());
        if let Some(stamp) = self.stamp {
            to.stamp(stamp);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let digest = Digest::read(from)?;
        let stamp = match from.byte()? {
            0 => None,
            1 => Some(from.stamp()?),
            other => return Err(Malformed::Tag("birth", other.into())),
        };
        Ok(Self { stamp, digest })
    }
}

impl Coded for Record {
    fn write(&self, to: &mut Writer) {
        to.charge(NODE_ROOM);
        self.name.write(to);
        self.birth.write(to);
        self.fields.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.charge(NODE_ROOM)?;
        Ok(Self {
            name: Atom::read(from)?,
            birth: Birth::read(from)?,
            fields: Map::read(from)?,
        })
    }
}

/// The parts of how a place is written, by their numbers.
const PARTS: [Part; 11] = [
    Part::Whole,
    Part::Place,
    Part::Lead,
    Part::Head,
    Part::Gap,
    Part::Value,
    Part::Beside,
    Part::Below,
    Part::Shape,
    Part::Foot,
    Part::Frame,
];

impl Coded for Part {
    fn write(&self, to: &mut Writer) {
        to.byte(match self {
            Part::Whole => 0,
            Part::Place => 1,
            Part::Lead => 2,
            Part::Head => 3,
            Part::Gap => 4,
            Part::Value => 5,
            Part::Beside => 6,
            Part::Below => 7,
            Part::Shape => 8,
            Part::Foot => 9,
            Part::Frame => 10,
        });
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let number = from.byte()?;
        let part = PARTS.get(usize::from(number)).copied();
        part.ok_or(Malformed::Tag("part", number.into()))
    }
}
