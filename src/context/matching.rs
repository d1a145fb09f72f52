//! Which records of several versions of a list are the same one: by birth first, then by identity.
//!
//! A birth tells a record apart whatever it is called now: one that somebody gave another identity, and one that was
//! renamed because another record was born under its identity (`births.rs`). Where births say nothing, identity does.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Birth;
use super::births::{birth, defining, former, written};
use super::records::identity;
use crate::crdt::{Digest, split_second_name};
use crate::yaml::{EntryRef, NodeRef, Scalar};

/// Numbers the records of `versions` of a list, oldest first, which `field` tells apart in each: equal numbers are one
/// record, and no version has one twice.
pub(crate) fn numbered<const N: usize>(
    versions: [Option<NodeRef<'_>>; N],
    field: &str,
) -> [Vec<u32>; N] {
    let seen = versions.map(|list| -> Vec<Seen<'_>> {
        let entries = list.into_iter().flat_map(NodeRef::entries);
        entries.map(|entry| Seen::of(entry, field)).collect()
    });
    let formers: FxHashSet<Born<'_>> = seen
        .iter()
        .flatten()
        .filter_map(|record| record.former.clone())
        .chain(unwritten(&seen))
        .collect();
    let copied = copied(&seen);
    let mut known = Known::default();
    seen.map(|mut records| {
        for record in &mut records {
            record.find_former(&formers);
            record.birth = record.birth.filter(|birth| !copied.contains(birth));
        }
        known.number(&records)
    })
}

/// The births of records that have a second name and have lost what was written of their birth, as a tool may drop it: by
/// its name alone such a record is one only where another version knows it under the first.
fn unwritten<'s, 'd>(versions: &'s [Vec<Seen<'d>>]) -> Vec<Born<'d>> {
    let all = || versions.iter().flatten();
    let named = |record: &'s Seen<'d>| match &record.identity {
        Some(Scalar::Str(name)) => Some((name.as_ref(), record.entry.value())),
        _ => None,
    };
    let suspects: Vec<(&str, Digest, NodeRef<'d>)> = all()
        .filter(|record| record.former.is_none())
        .filter_map(named)
        .filter_map(|(name, record)| {
            let (first, digest) = split_second_name(name)?;
            Some((first, digest, record))
        })
        .collect();
    if suspects.is_empty() {
        return Vec::new();
    }
    let mut called: FxHashMap<&str, Vec<NodeRef<'d>>> = FxHashMap::default();
    for (name, record) in all().filter_map(named) {
        called.entry(name).or_default().push(record);
    }
    let is_one = |(first, digest, record): &(&str, Digest, NodeRef<'d>)| {
        let known = called.get(first).map_or(&[][..], Vec::as_slice);
        !known.is_empty()
            && has_lost_its_birth(*record, *digest)
            && known.iter().any(|record| birth(*record).digest == *digest)
    };
    let found = suspects.into_iter().filter(is_one);
    found
        .map(|(first, digest, _)| (Cow::Owned(first.to_owned()), digest))
        .collect()
}

/// Whether nothing is written of a record's birth, though what names it has this digest.
fn has_lost_its_birth(record: NodeRef<'_>, digest: Digest) -> bool {
    written(record).is_none() && defining(record) == digest
}

/// The births that two records of one version have. Whoever copied a record copied its annotation, too: whose it was cannot
/// be told in every version, so it tells nothing in any.
fn copied(versions: &[Vec<Seen<'_>>]) -> FxHashSet<Birth> {
    let mut copied = FxHashSet::default();
    for version in versions {
        let mut births = FxHashSet::default();
        let of_version = version.iter().filter_map(|record| record.birth);
        copied.extend(of_version.filter(|birth| !births.insert(*birth)));
    }
    copied
}

/// The identity and the digest of the name that a record was born with.
type Born<'d> = (Cow<'d, str>, Digest);

/// What tells a record apart.
struct Seen<'d> {
    entry: EntryRef<'d>,
    identity: Option<Scalar<'d>>,
    /// A birth with a stamp, which no other record of its version has.
    birth: Option<Birth>,
    /// How it was born, where it, or another version of it, was renamed since.
    former: Option<Born<'d>>,
}

impl<'d> Seen<'d> {
    fn of(entry: EntryRef<'d>, field: &str) -> Self {
        let record = entry.value();
        let identity = identity(record, field);
        let written = written(record);
        let former = match &identity {
            Some(Scalar::Str(name)) => former(record, name, written),
            _ => None,
        };
        Self {
            entry,
            identity,
            birth: written.filter(|birth| birth.stamp.is_some()),
            former,
        }
    }

    /// A record that was born as one of `formers` is the one that was renamed, not the one that kept the identity.
    fn find_former(&mut self, formers: &FxHashSet<Born<'d>>) {
        if formers.is_empty() || self.former.is_some() {
            return;
        }
        if let Some(Scalar::Str(name)) = &self.identity {
            let record = self.entry.value();
            let born = (name.clone(), birth(record).digest);
            let lost = || {
                let (first, digest) = split_second_name(name)?;
                let former = (Cow::Owned(first.to_owned()), digest);
                let is_one = formers.contains(&former) && has_lost_its_birth(record, digest);
                is_one.then_some(former)
            };
            self.former = if formers.contains(&born) {
                Some(born)
            } else {
                lost()
            };
        }
    }
}

/// The records of the versions so far.
#[derive(Default)]
struct Known<'d> {
    count: u32,
    by_former: FxHashMap<Born<'d>, u32>,
    by_birth: FxHashMap<Birth, u32>,
    by_identity: FxHashMap<Scalar<'d>, u32>,
}

impl<'d> Known<'d> {
    fn number(&mut self, records: &[Seen<'d>]) -> Vec<u32> {
        let mut numbers: Vec<Option<u32>> = vec![None; records.len()];
        let mut used = FxHashSet::default();
        // What says more comes first.
        for find in [Self::by_former, Self::by_birth, Self::by_identity] {
            for (record, number) in records.iter().zip(&mut numbers) {
                if number.is_none() {
                    *number = find(self, record).filter(|number| used.insert(*number));
                }
            }
        }
        let numbers: Vec<u32> = numbers
            .into_iter()
            .map(|number| number.unwrap_or_else(|| self.new_number()))
            .collect();
        for (record, number) in records.iter().zip(&numbers) {
            self.learn(record, *number);
        }
        numbers
    }

    fn by_former(&self, record: &Seen<'d>) -> Option<u32> {
        self.by_former.get(record.former.as_ref()?).copied()
    }

    fn by_birth(&self, record: &Seen<'d>) -> Option<u32> {
        match record.former {
            Some(_) => None,
            None => self.by_birth.get(&record.birth?).copied(),
        }
    }

    fn by_identity(&self, record: &Seen<'d>) -> Option<u32> {
        match record.former {
            Some(_) => None,
            None => self.by_identity.get(record.identity.as_ref()?).copied(),
        }
    }

    fn new_number(&mut self) -> u32 {
        self.count += 1;
        self.count - 1
    }

    fn learn(&mut self, record: &Seen<'d>, number: u32) {
        if let Some(former) = &record.former {
            self.by_former.entry(former.clone()).or_insert(number);
            return;
        }
        if let Some(birth) = record.birth {
            self.by_birth.entry(birth).or_insert(number);
        }
        if let Some(identity) = &record.identity {
            self.by_identity.entry(identity.clone()).or_insert(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Document, Limits};

    const BIRTH: &str = "_crdt: +4k2m9xa7-7f3kqd~a1f";

    /// The numbers of the records of versions, each a list in brackets.
    fn numbers<const N: usize>(versions: [&str; N]) -> [Vec<u32>; N] {
        let read = |text: &str| Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        let documents = versions.map(|text| read(&text.replace("BIRTH", BIRTH)));
        numbered(documents.each_ref().map(Document::root), "id")
    }

    #[test]
    fn without_births_identity_tells() {
        assert_eq!(
            numbers(["[{id: a}, {id: b}]", "[{id: b}, {id: c}, {id: a}]"]),
            [vec![0, 1], vec![1, 2, 0]]
        );
        assert_eq!(numbers(["[{id: 1}]", "[{id: '1'}]"]), [vec![0], vec![1]]);
    }

    #[test]
    fn a_birth_tells_more_than_an_identity_that_another_record_took() {
        assert_eq!(
            numbers(["[{id: a, BIRTH}]", "[{id: a}, {id: b, BIRTH}]"]),
            [vec![0], vec![1, 0]]
        );
    }

    #[test]
    fn a_birth_that_was_copied_tells_nothing() {
        assert_eq!(
            numbers(["[{id: a, BIRTH}]", "[{id: c, BIRTH}, {id: a, BIRTH}]"]),
            [vec![0], vec![1, 0]]
        );
        let both = "[{id: a, BIRTH}, {id: b, BIRTH}]";
        assert_eq!(
            numbers([both, "[{id: b, BIRTH}]", both]),
            [vec![0, 1], vec![1], vec![0, 1]]
        );
        // Whichever of the sides comes first.
        let (one, two) = ("[{id: c, BIRTH}]", "[{id: b, BIRTH}, {id: c, BIRTH}]");
        assert_eq!(
            numbers(["[{id: a, BIRTH}]", one, two]),
            [vec![0], vec![1], vec![2, 1]]
        );
        assert_eq!(
            numbers(["[{id: a, BIRTH}]", two, one]),
            [vec![0], vec![1, 2], vec![2]]
        );
    }

    #[test]
    fn a_version_whose_annotations_were_dropped_is_known_by_either_identity() {
        for third in ["[{id: a}]", "[{id: b}]"] {
            assert_eq!(
                numbers(["[{id: a, BIRTH}]", "[{id: b, BIRTH}]", third]),
                [vec![0], vec![0], vec![0]]
            );
        }
    }

    #[test]
    fn a_record_that_was_renamed_for_another_is_known_under_its_former_identity() {
        let digest = |title: &str| Digest::of(format!("\"{title}\"").as_bytes());
        let (first, second) = ("{id: a, title: One}", "{id: a, title: Two}");
        let twin = format!("{{id: a-{0}, _crdt: +~{0}, title: Two}}", digest("Two"));
        let both = format!("[{first}, {twin}]");
        assert_eq!(
            numbers([&format!("[{first}]"), &both, &format!("[{second}]")]),
            [vec![0], vec![0, 1], vec![1]]
        );
        assert_eq!(
            numbers(["[]", &format!("[{second}]"), &both]),
            [vec![], vec![0], vec![1, 0]]
        );
    }
}
