//! What a document holds, as the CRDTs see it: a tree of registers, maps, lists and sets of records. No formatting, no
//! YAML: values are their canonical texts.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};

use super::set::born_as;
use super::types::Amounts;
use super::{Digest, Records, Stamp, StampSet};

/// A value that is written as a whole. Equal values have equal canonical texts, and are ordered by them.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Atom {
    canonical: String,
    text: Option<String>,
}

impl Atom {
    /// A value of which only the canonical text matters.
    #[must_use]
    pub fn new(canonical: String) -> Self {
        Self {
            canonical,
            text: None,
        }
    }

    /// A text, and how it is spelled canonically.
    #[must_use]
    pub fn text(canonical: String, text: String) -> Self {
        Self {
            canonical,
            text: Some(text),
        }
    }

    /// A number.
    #[must_use]
    pub fn number(number: i64) -> Self {
        Self::new(number.to_string())
    }

    /// The number that it is, if 64 bits hold that.
    #[must_use]
    pub fn as_number(&self) -> Option<i64> {
        match self.text {
            None => self.canonical.parse().ok(),
            Some(_) => None,
        }
    }

    /// Its canonical text.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// What it says: the text, or any other value as it is spelled.
    #[must_use]
    pub fn said(&self) -> &str {
        self.text.as_deref().unwrap_or(&self.canonical)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Its lines, if it is a text of several: such texts are merged line by line.
    #[must_use]
    pub fn lines(&self) -> Option<Vec<&str>> {
        let text = self.text.as_deref()?;
        text.trim_end()
            .contains('\n')
            .then(|| text.split('\n').collect())
    }

    /// Whether it is a collection that holds nothing.
    #[must_use]
    pub fn is_empty_collection(&self) -> bool {
        matches!(self.canonical.as_str(), "{}" | "[]")
    }

    /// The digest of its canonical text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.canonical.as_bytes())
    }
}

impl PartialEq for Atom {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Atom {}

impl Hash for Atom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl PartialOrd for Atom {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Atom {
    fn cmp(&self, other: &Self) -> Ordering {
        self.canonical.cmp(&other.canonical)
    }
}

/// How a record came into being: what tells it from another one of the same identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Birth {
    /// When and where; none for a record that was written without the tool.
    pub stamp: Option<Stamp>,
    /// The digest of its defining field then.
    pub digest: Digest,
}

/// A value in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub enum Node {
    /// A value that is replaced as a whole.
    Register(Atom, Stamps),
    /// A list that keeps order and multiplicity.
    List(Vec<Atom>, Stamps),
    /// Named values.
    Map(Map),
    /// Records, each with an identity of its own, in order.
    Set(Records),
}

/// The edits that made a value: none if it was written without the tool, several if it was put together from theirs.
pub type Stamps = BTreeSet<Stamp>;

/// Named values; their order is formatting.
pub type Map = BTreeMap<String, Node>;

/// A member of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Record {
    /// What it is called.
    pub name: Atom,
    /// Its birth.
    pub birth: Birth,
    /// What it holds beside its identity.
    pub fields: Map,
}

/// A value that lost against a concurrent one, and where it would stand. Losers are a set: the same value lost once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loser {
    /// The leaf, or the record.
    pub at: Path,
    /// The value; none for a deletion.
    pub value: Option<Atom>,
}

/// A document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// What it holds.
    pub root: Map,
    /// What lost in it and has not been settled, with its stamps.
    pub losers: BTreeMap<Loser, Stamps>,
    /// The leaves that edits took away, with their stamps.
    pub removed: BTreeMap<Path, Stamps>,
    /// For an edit the stamps that it superseded, by the place where it did: a leaf, or the root or record that tells of it.
    pub superseded: BTreeMap<Stamp, BTreeMap<Path, StampSet>>,
    /// The edits that somebody typed over without the tool: their stamps stand beside values that they did not make.
    pub typed_over: BTreeMap<Path, Stamps>,
    /// What edits added to counters, as far as that is known, by their places [as born](Path::as_born).
    pub amounts: BTreeMap<Path, Amounts>,
    /// How edits wrote places, [as born](Path::as_born), in the order in which that is to be done again.
    pub forms: BTreeMap<Path, Vec<Formed>>,
}

/// A change of how a place is written: as a patch, which two people can make at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Form {
    /// What of it.
    pub part: Part,
    /// How that was written before.
    pub before: String,
    /// How it is written now.
    pub after: String,
}

/// A part of how a place is written. All texts are as they would stand at the left edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub enum Part {
    /// All of it: the entry of a map, or the record, with the lines above it; nothing where it is to be gone, which only
    /// what holds no value can be.
    Whole,
    /// The name of the entry that it stands behind.
    Place,
    /// The lines above it.
    Lead,
    /// Its key.
    Head,
    /// What stands between the key and what is nested.
    Gap,
    /// The value, and what stands between the key and that.
    Value,
    /// What stands beside the value.
    Beside,
    /// The lines below the value that belong to it.
    Below,
    /// How far what is nested is indented.
    Shape,
    /// The lines behind the last entry of what is nested.
    Foot,
    /// Line ends and what else frames the whole file.
    Frame,
}

/// A form, and the edit that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formed {
    /// The edit.
    pub stamp: Option<Stamp>,
    /// What it did.
    pub form: Form,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug)]
pub enum Found<'d> {
    /// A value, a list, a map or a set.
    Node(&'d Node),
    /// A record, the set that it is in, and its place there.
    Record(&'d Record, &'d [Record], usize),
}

impl Document {
    /// Whether both show the same: the same values in the same order, and the same losers. Who made them does not matter.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        says_the_same(&self.root, &other.root) && self.losers.keys().eq(other.losers.keys())
    }

    /// What stands at `at`; nothing at the root, which stands nowhere.
    #[must_use]
    pub fn found(&self, at: &Path) -> Option<Found<'_>> {
        let mut here = None;
        for step in at.steps() {
            here = Some(match (step, here) {
                (Step::Entry(name), None) => Found::Node(self.root.get(name)?),
                (Step::Entry(name), Some(Found::Node(Node::Map(map)))) => {
                    Found::Node(map.get(name)?)
                }
                (Step::Entry(name), Some(Found::Record(record, ..))) => {
                    Found::Node(record.fields.get(name)?)
                }
                (Step::Record(name, birth), Some(Found::Node(Node::Set(records)))) => {
                    let (index, record) = records.found(name, *birth)?;
                    Found::Record(record, records, index)
                }
                _ => return None,
            });
        }
        here
    }
}

fn says_the_same(a: &Map, b: &Map) -> bool {
    let mut both = a.iter().zip(b);
    a.len() == b.len()
        && both.all(|((a_name, a), (b_name, b))| a_name == b_name && a.says_the_same_as(b))
}

impl Node {
    /// The number that it is, if it is one that a counter can hold.
    #[must_use]
    pub fn as_number(&self) -> Option<i64> {
        match self {
            Node::Register(value, _) => value.as_number(),
            Node::List(..) | Node::Map(_) | Node::Set(_) => None,
        }
    }

    /// Whether both hold the same values in the same order. Who made them does not matter.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Node::Register(a, _), Node::Register(b, _)) => a == b,
            (Node::List(a, _), Node::List(b, _)) => a == b,
            (Node::Map(a), Node::Map(b)) => says_the_same(a, b),
            (Node::Set(a), Node::Set(b)) => {
                let mut both = a.iter().zip(b);
                a.len() == b.len()
                    && both.all(|(a, b)| a.name == b.name && says_the_same(&a.fields, &b.fields))
            }
            // Whether an empty list is one of records nobody can see.
            (Node::List(members, _), Node::Set(records))
            | (Node::Set(records), Node::List(members, _)) => {
                members.is_empty() && records.is_empty()
            }
            _ => false,
        }
    }
}

/// The way from the root to a leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct Path(Vec<Step>);

/// One step of a way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub enum Step {
    /// To an entry of a map.
    Entry(String),
    /// To a record: what it is called, and what named it at its birth, which tells two of one name apart.
    Record(Atom, Digest),
}

impl Path {
    /// The steps from the root.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The way on to an entry of a map.
    #[must_use]
    pub fn entry(&self, name: &str) -> Self {
        self.then(Step::Entry(name.to_owned()))
    }

    /// The way on to a record.
    #[must_use]
    pub fn record(&self, record: &Record) -> Self {
        self.then(Step::Record(record.name.clone(), record.birth.digest))
    }

    /// The same way with records called as at their births, whatever second names they have got since.
    #[must_use]
    pub fn as_born(&self) -> Self {
        let step = |step: &Step| match step {
            Step::Record(name, birth) => {
                Step::Record(Atom::new(born_as(name, *birth).to_owned()), *birth)
            }
            entry => entry.clone(),
        };
        Self(self.0.iter().map(step).collect())
    }

    /// Whether one of the two ways leads past the end of the other, or to it.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let shared = self.0.len().min(other.0.len());
        self.0[..shared] == other.0[..shared]
    }

    /// Goes on by a step.
    pub(crate) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Goes back by a step.
    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    /// The first steps of it.
    pub(super) fn first(&self, steps: usize) -> Self {
        Self(self.0.iter().take(steps).cloned().collect())
    }

    /// The way to the outermost record on it; the root where there is none.
    #[must_use]
    pub fn outermost_record(&self) -> Self {
        let record = self
            .0
            .iter()
            .position(|step| matches!(step, Step::Record(..)));
        self.first(record.map_or(0, |record| record + 1))
    }

    /// The way to what it stands in; nothing at the root.
    #[must_use]
    pub fn around(&self) -> Option<Self> {
        let (_, around) = self.0.split_last()?;
        Some(Self(around.to_vec()))
    }

    /// The way on by one step.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl FromIterator<Step> for Path {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for Path {
    /// Names with slashes between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let name = match step {
                Step::Entry(name) => name,
                Step::Record(name, _) => name.said(),
            };
            write!(f, "{}{name}", if index == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(value: &str, stamp: Option<&str>) -> Node {
        let stamps = stamp.map(|stamp| stamp.parse().unwrap());
        Node::Register(Atom::new(value.to_owned()), stamps.into_iter().collect())
    }

    fn map(field: &str, node: Node) -> Map {
        Map::from([(field.to_owned(), node)])
    }

    fn set(name: &str, fields: Map) -> Node {
        let birth = Birth {
            stamp: None,
            digest: Digest::of(name.as_bytes()),
        };
        let name = Atom::new(name.to_owned());
        let record = Record {
            name,
            birth,
            fields,
        };
        Node::Set(vec![record].into())
    }

    #[test]
    fn who_made_a_value_does_not_matter_to_what_it_says() {
        let (mine, yours) = (Some("4k2m9xa7-7f3kqd"), Some("4k2m9xa8-7f3kqd"));
        for (a, b) in [
            (register("1", mine), register("1", yours)),
            (
                Node::Map(map("a", register("1", mine))),
                Node::Map(map("a", register("1", None))),
            ),
            (
                set("r", map("a", register("1", mine))),
                set("r", map("a", register("1", yours))),
            ),
            (Node::List(vec![], Stamps::new()), Node::Set(vec![].into())),
        ] {
            assert!(a.says_the_same_as(&b) && b.says_the_same_as(&a), "{a:?}");
        }
    }

    #[test]
    fn another_value_name_or_number_of_them_says_something_else() {
        let one = || register("1", None);
        let two = Map::from([("a".to_owned(), one()), ("b".to_owned(), one())]);
        let different = [
            one(),
            register("2", None),
            Node::Map(map("a", one())),
            Node::Map(map("b", one())),
            Node::Map(map("a", register("2", None))),
            Node::Map(two.clone()),
            set("r", map("a", one())),
            set("s", map("a", one())),
            set("r", map("a", register("2", None))),
            set("r", two),
            Node::List(vec![Atom::new("1".to_owned())], Stamps::new()),
            Node::List(vec![], Stamps::new()),
        ];
        for (a, one) in different.iter().enumerate() {
            for (b, other) in different.iter().enumerate() {
                assert_eq!(one.says_the_same_as(other), a == b, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn documents_that_differ_in_a_value_or_a_loser_say_something_else() {
        let document = |value: &str| Document {
            root: map("a", register(value, None)),
            ..Document::default()
        };
        let other = Stamps::from(["4k2m9xa7-7f3kqd".parse().unwrap()]);
        let loser = Loser {
            at: Path::default().entry("a"),
            value: Some(Atom::new("2".to_owned())),
        };
        let mut contested = document("1");
        contested.losers.insert(loser, other);
        assert!(document("1").says_the_same_as(&document("1")));
        assert!(contested.says_the_same_as(&contested));
        assert!(!document("1").says_the_same_as(&document("2")));
        assert!(!document("1").says_the_same_as(&contested));
    }

    #[test]
    fn values_are_ordered_by_what_they_say() {
        let [small, great] = ["1", "2"].map(|said| Atom::new(said.to_owned()));
        assert_eq!(small.cmp(&great), std::cmp::Ordering::Less);
        assert_eq!(great.cmp(&small), std::cmp::Ordering::Greater);
    }
}
