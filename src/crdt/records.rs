//! The records of a set in their order, and where those are that are called something.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustc_hash::FxHasher;

use super::set::{born_as, second_name};
use super::{Atom, Digest, Record};

/// How often a name is looked for before it is noted where all are: a look at one record of many is not to cost as much as all.
const OFTEN: u32 = 16;

/// Records in their order. Who looks for one after the other finds each in a time that does not grow with how many there are.
#[derive(Default)]
pub struct Records {
    records: Vec<Record>,
    /// The digests of all names, with the places of the records that are called so; sorted.
    names: OnceLock<Vec<(u64, usize)>>,
    looked: AtomicU32,
}

impl Records {
    /// The records that are called so, each with its place, in their order.
    pub fn called(&self, name: &Atom) -> impl Iterator<Item = (usize, &Record)> {
        let said = self.saying(name.said());
        said.filter(move |(_, record)| record.name == *name)
    }

    /// The records whose names say this, each with its place, in their order.
    fn saying<'r, 's>(
        &'r self,
        said: &'s str,
    ) -> impl Iterator<Item = (usize, &'r Record)> + use<'r, 's> {
        let noted = self.names.get().or_else(|| {
            let is_often = self.looked.fetch_add(1, Ordering::Relaxed) >= OFTEN;
            is_often.then(|| self.names.get_or_init(|| self.noted()))
        });
        let digest = digest(said);
        let places = noted.map(|names| {
            let from = names.partition_point(|(other, _)| *other < digest);
            let places = names.get(from..).unwrap_or_default().iter();
            places
                .take_while(move |(other, _)| *other == digest)
                .map(|(_, place)| *place)
        });
        let all = noted.is_none().then_some(0..self.records.len());
        let places = places.into_iter().flatten();
        let places = places.chain(all.into_iter().flatten());
        let records = places.filter_map(|place| Some((place, self.records.get(place)?)));
        records.filter(move |(_, record)| record.name.said() == said)
    }

    /// The first record that is called so and was born so, with its place; else the one that was born so and has got its second name
    /// since, or its first one back.
    #[must_use]
    pub fn found(&self, name: &Atom, birth: Digest) -> Option<(usize, &Record)> {
        let is_born = |(_, record): &(usize, &Record)| record.birth.digest == birth;
        self.called(name).find(is_born).or_else(|| {
            let first = born_as(name, birth);
            let other = match first == name.said() {
                true => Cow::Owned(second_name(first, birth)),
                false => Cow::Borrowed(first),
            };
            self.saying(&other).find(is_born)
        })
    }

    fn noted(&self) -> Vec<(u64, usize)> {
        let names = self.records.iter().zip(0..);
        let mut names: Vec<_> = names
            .map(|(record, place)| (digest(record.name.said()), place))
            .collect();
        names.sort_unstable();
        names
    }
}

fn digest(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    hasher.finish()
}

impl Deref for Records {
    type Target = Vec<Record>;

    fn deref(&self) -> &Vec<Record> {
        &self.records
    }
}

impl DerefMut for Records {
    /// Whoever changes them may change what they are called.
    fn deref_mut(&mut self) -> &mut Vec<Record> {
        self.names.take();
        *self.looked.get_mut() = 0;
        &mut self.records
    }
}

impl From<Vec<Record>> for Records {
    fn from(records: Vec<Record>) -> Self {
        Self {
            records,
            ..Self::default()
        }
    }
}

impl From<Records> for Vec<Record> {
    fn from(records: Records) -> Self {
        records.records
    }
}

impl FromIterator<Record> for Records {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        Vec::from_iter(records).into()
    }
}

impl IntoIterator for Records {
    type Item = Record;
    type IntoIter = std::vec::IntoIter<Record>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.into_iter()
    }
}

impl<'r> IntoIterator for &'r Records {
    type Item = &'r Record;
    type IntoIter = std::slice::Iter<'r, Record>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.iter()
    }
}

impl<'r> IntoIterator for &'r mut Records {
    type Item = &'r mut Record;
    type IntoIter = std::slice::IterMut<'r, Record>;

    fn into_iter(self) -> Self::IntoIter {
        self.deref_mut().iter_mut()
    }
}

impl Clone for Records {
    fn clone(&self) -> Self {
        self.records.clone().into()
    }
}

impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.records == other.records
    }
}

impl Eq for Records {}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.records.fmt(f)
    }
}

#[cfg(feature = "node")]
impl serde::Serialize for Records {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.records.serialize(to)
    }
}

#[cfg(feature = "node")]
impl<'d> serde::Deserialize<'d> for Records {
    fn deserialize<D: serde::Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        Vec::deserialize(from).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{Birth, Map};

    fn record(name: usize, birth: usize) -> Record {
        Record {
            name: Atom::new(format!("r{name}")),
            birth: Birth {
                stamp: None,
                digest: Digest::of(&birth.to_le_bytes()),
            },
            fields: Map::new(),
        }
    }

    #[test]
    fn who_looks_often_finds_the_same_as_who_looks_once() {
        let mut records: Records = (0..200).map(|at| record(at % 50, at)).collect();
        for round in 0..2 {
            for name in (0..60).map(|name| Atom::new(format!("r{name}"))) {
                let all = records.iter().zip(0..);
                let all = all.filter(|(record, _)| record.name == name);
                let expected: Vec<usize> = all.map(|(_, place)| place).collect();
                let found: Vec<usize> = records.called(&name).map(|(place, _)| place).collect();
                assert_eq!(found, expected, "{name:?}, round {round}");
            }
        }
        let name = Atom::new("r7".to_owned());
        let birth = Digest::of(&107_usize.to_le_bytes());
        assert_eq!(records.found(&name, birth).map(|(at, _)| at), Some(107));
        // What is changed is looked at anew.
        records.remove(7);
        assert_eq!(records.found(&name, birth).map(|(at, _)| at), Some(106));
        records.clear();
        assert_eq!(records.called(&name).count(), 0);
    }
}
