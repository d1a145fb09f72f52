//! Excerpts: the versions of a document without the records that all of them hold alike and that no edit is about.
//!
//! An edit in a file of ten thousand records is about one of them. What is done to the versions of such a file, reading,
//! lifting, comparing, rendering, is done to their excerpts in the same way, and what comes of it is made whole again
//! with the records that were left out. What is left out are runs of records with these properties:
//!
//! - every version has them, in the same bytes, between the same two records, which stay and change nowhere either; only HEAD's
//!   version may have them otherwise, where all that was edited in them since is settled: shown as it was shown before;
//! - nobody names them: no edit that is not settled and that HEAD does not contain, no stamp in what stays, no second name;
//! - nothing in them reaches beyond them: no anchor, alias or tag, and a name that no other record has.
//!
//! `lists.rs` finds the records by their lines. That is a guess, and [`Excerpts::is_read_as_meant`] checks it once the
//! excerpts were read: the two records around a gap must have been read as members of the list, just where they were
//! taken to begin. Between two members a reader knows nothing but the list that it is in; so it would have read what is left
//! out in the same place as it did in the version that was read whole before.

mod lists;

use std::borrow::Cow;

pub use lists::stamps_in;
use lists::{Lines, List, lists};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::context::identity_field;
use crate::crdt::{Act, Atom, Change, Path, Stamp, Step, split_second_name};
use crate::yaml::{Document, Kind};

/// What edits are about: records that must not be left out.
#[derive(Debug, Default)]
pub struct Mentioned {
    /// Everything, as an edit is about the root or about what cannot be told from here.
    all: bool,
    /// Whole entries of the root.
    entries: FxHashSet<String>,
    /// Records of lists at the top.
    records: FxHashSet<(String, String)>,
    stamps: FxHashSet<Stamp>,
    /// Records of lists at the top of which HEAD's version holds something else, and nothing of that is new.
    settled: FxHashSet<(String, String)>,
}

impl Mentioned {
    /// An edit, by its stamp.
    pub fn stamp(&mut self, stamp: Stamp) {
        self.stamps.insert(stamp);
    }

    /// What a change is about, and what it saw.
    pub fn change(&mut self, change: &Change) {
        self.place(&change.at);
        // A run stands for edits of this very place.
        self.stamps.extend(change.observed.stamps().singles());
        let behind = match &change.act {
            Act::Add { record, behind } => {
                self.beside(&change.at, &record.name);
                behind.as_ref()
            }
            Act::Move { behind } => behind.as_ref(),
            _ => None,
        };
        if let Some(behind) = behind {
            self.beside(&change.at, behind);
        }
    }

    /// Whatever is called so in a list at the top.
    pub fn named(&mut self, list: &str, name: &str) {
        self.records.insert((list.to_owned(), name.to_owned()));
    }

    /// What stands at a place.
    pub fn place(&mut self, at: &Path) {
        match at.steps() {
            [Step::Entry(list), Step::Record(name, _), ..] => self.record(list, name),
            [Step::Entry(entry), ..] => {
                self.entries.insert(entry.clone());
            }
            _ => self.all = true,
        }
    }

    /// A record beside the one at `at`, if that is one of a list at the top.
    fn beside(&mut self, at: &Path, name: &Atom) {
        if let [Step::Entry(list), Step::Record(..)] = at.steps() {
            self.record(list, name);
        }
    }

    fn record(&mut self, list: &str, name: &Atom) {
        for name in names_of(name.said()) {
            self.records.insert((list.to_owned(), name.to_owned()));
        }
    }

    /// A record in which something was edited that HEAD does not contain: it is shown as it was shown before.
    pub fn settled(&mut self, list: &str, name: &str) {
        self.settled.insert((list.to_owned(), name.to_owned()));
    }

    fn has_settled(&self, list: &str, name: &str) -> bool {
        !self.settled.is_empty() && self.settled.contains(&(list.to_owned(), name.to_owned()))
    }

    fn has(&self, list: &str, name: &str) -> bool {
        names_of(name).any(|name| self.records.contains(&(list.to_owned(), name.to_owned())))
    }
}

/// A name, and the one that it may have been born with.
fn names_of(name: &str) -> impl Iterator<Item = &str> {
    let first = split_second_name(name).map(|(first, _)| first);
    std::iter::once(name).chain(first)
}

/// The excerpts of some versions of a document.
#[derive(Debug)]
pub struct Excerpts<'t> {
    texts: Vec<String>,
    parts: Vec<Part<'t>>,
}

/// A list of which something is left out.
#[derive(Debug)]
struct Part<'t> {
    key: &'t str,
    field: &'static str,
    gaps: Vec<Gap<'t>>,
    /// The names of the records that are left out, with their lines in the first version.
    names: FxHashMap<&'t str, &'t str>,
}

/// A run of records that is left out.
#[derive(Debug)]
struct Gap<'t> {
    /// The record before it.
    before: (&'t str, &'t str),
    left_out: &'t str,
    /// The text of the record behind it.
    after: &'t str,
    /// Where the two begin in each of the excerpts.
    starts: Vec<(usize, usize)>,
}

impl<'t> Excerpts<'t> {
    /// The excerpts of these versions, the last of which is HEAD's; nothing where less than `least` bytes could be left out of the
    /// first.
    #[must_use]
    pub fn of(versions: &[&'t str], mentioned: &Mentioned, least: usize) -> Option<Self> {
        let framed = |text: &&str| text.starts_with('\u{feff}') || text.contains('\r');
        if mentioned.all || versions.iter().any(framed) {
            return None;
        }
        let found: Vec<Vec<List<'t>>> = versions
            .iter()
            .map(|text| lists(text))
            .collect::<Option<_>>()?;
        let mut aligned = aligned(&found, mentioned);
        keep_what_is_named(&mut aligned, versions, mentioned);
        let mut texts = vec![String::new(); versions.len()];
        let mut done = vec![0; versions.len()];
        let mut parts = Vec::new();
        for list in &aligned {
            parts.extend(list.part(versions, &mut texts, &mut done));
        }
        for ((text, version), done) in texts.iter_mut().zip(versions).zip(done) {
            text.push_str(version.get(done..)?);
        }
        let left_out = versions.first()?.len() - texts.first()?.len();
        (left_out >= least && left_out > 0).then_some(Self { texts, parts })
    }

    /// The lines of a record of a list at the top, as the first version has it; nothing where it is not left out.
    #[must_use]
    pub fn left_out(&self, list: &str, name: &str) -> Option<&'t str> {
        let part = self.parts.iter().find(|part| part.key == list)?;
        part.names.get(name).copied()
    }

    /// The excerpts, in the order of the versions.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Whether one of the excerpts was read as it was meant: with a member of the list on both sides of every gap, and
    /// without records that one of those left out could be taken for.
    #[must_use]
    pub fn is_read_as_meant(&self, index: usize, document: &Document) -> bool {
        let Some(root) = document.root().filter(|_| document.parts().len() == 1) else {
            return false;
        };
        let is_bare = |node: crate::yaml::NodeRef<'_>, kind| {
            node.kind() == kind
                && node.is_structured()
                && node.tag().is_none()
                && node.anchor().is_none()
                && !node.data().flow
        };
        is_bare(root, Kind::Mapping)
            && self.parts.iter().all(|part| {
                let list = root.get(part.key).map(|entry| entry.value());
                let Some(list) = list.filter(|list| is_bare(*list, Kind::Sequence)) else {
                    return false;
                };
                let members: FxHashMap<usize, usize> = list
                    .entries()
                    .map(|entry| entry.value().data().span.start as usize)
                    .zip(0..)
                    .collect();
                let names: Vec<Cow<'_, str>> = list
                    .entries()
                    .filter_map(|entry| Some(entry.value().get(part.field)?.value().text()))
                    .collect();
                identity_field(std::iter::once(list)) == Some(part.field)
                    && part.stand_between(index, &members)
                    && !part.may_be_taken_for(&names)
            })
    }

    /// What was made of an excerpt, with what was left out; nothing where that has no place in it any more.
    #[must_use]
    pub fn whole(&self, excerpt: &str) -> Option<String> {
        let found = lists(excerpt)?;
        let left_out: usize = self.gaps().map(|gap| gap.left_out.len()).sum();
        let mut whole = String::with_capacity(excerpt.len() + left_out);
        let mut done = 0;
        // The lists stand in another order where somebody moved one: then they are not looked for.
        for part in &self.parts {
            let list = found.iter().find(|list| list.key == part.key)?;
            let mut records = list.records.iter().peekable();
            for gap in &part.gaps {
                let (name, text) = gap.before;
                let before = records.find(|record| record.name == Some((part.field, name)))?;
                let after = records.peek()?;
                if before.text != text || after.text != gap.after {
                    return None;
                }
                whole.push_str(excerpt.get(done..after.start)?);
                whole.push_str(gap.left_out);
                done = after.start;
            }
        }
        whole.push_str(excerpt.get(done..)?);
        Some(whole)
    }

    fn gaps(&self) -> impl Iterator<Item = &Gap<'t>> {
        self.parts.iter().flat_map(|part| &part.gaps)
    }
}

impl Part<'_> {
    /// Whether the records around every gap stand side by side. `members` are the places of the list's members by where
    /// they begin.
    fn stand_between(&self, index: usize, members: &FxHashMap<usize, usize>) -> bool {
        self.gaps.iter().all(|gap| {
            let starts = gap.starts.get(index);
            let places =
                starts.and_then(|(before, after)| members.get(before).zip(members.get(after)));
            places.is_some_and(|(before, after)| before + 1 == *after)
        })
    }

    /// Whether a record that is left out may be one of those so called.
    fn may_be_taken_for(&self, names: &[Cow<'_, str>]) -> bool {
        let is_left_out =
            |name: &Cow<'_, str>| names_of(name).any(|name| self.names.contains_key(name));
        let called: FxHashSet<&str> = names.iter().map(Cow::as_ref).collect();
        let is_second =
            |name: &&str| split_second_name(name).is_some_and(|(first, _)| called.contains(first));
        names.iter().any(is_left_out) || self.names.keys().any(is_second)
    }
}

/// A list as all versions have it.
struct Aligned<'l, 't> {
    first: &'l List<'t>,
    field: &'static str,
    /// For every version where the records of the first one are.
    places: Vec<Vec<Option<usize>>>,
    versions: Vec<&'l List<'t>>,
    /// Which records of the first version may be left out.
    alike: Vec<bool>,
}

/// The lists that all versions have, in the order in which they stand in all of them.
fn aligned<'l, 't>(found: &'l [Vec<List<'t>>], mentioned: &Mentioned) -> Vec<Aligned<'l, 't>> {
    let Some((first, _)) = found.split_first() else {
        return Vec::new();
    };
    let keys = |lists: &'l [List<'t>]| -> Vec<&str> { lists.iter().map(|list| list.key).collect() };
    if found.iter().any(|lists| keys(lists) != keys(first)) {
        return Vec::new();
    }
    let mut nestings = FxHashSet::default();
    (0..first.len())
        .filter_map(|index| {
            let versions: Option<Vec<&List<'t>>> =
                found.iter().map(|lists| lists.get(index)).collect();
            Aligned::of(versions?, mentioned, &mut nestings)
        })
        .collect()
}

impl<'l, 't> Aligned<'l, 't> {
    /// Nothing for a list of which nothing can be left out.
    fn of(
        versions: Vec<&'l List<'t>>,
        mentioned: &Mentioned,
        nestings: &mut FxHashSet<u64>,
    ) -> Option<Self> {
        let first = *versions.first()?;
        let mut names = first.records.iter().filter_map(|record| record.name);
        let (field, _) = names.next()?;
        let is_other = |list: &&List<'t>| list.indent != first.indent;
        if mentioned.entries.contains(first.key) || versions.iter().any(is_other) {
            return None;
        }
        let places = versions
            .iter()
            .map(|list| places(first, list))
            .collect::<Option<Vec<_>>>()?;
        let mut aligned = Self {
            first,
            field,
            places,
            versions,
            alike: Vec::new(),
        };
        let alike = first.records.iter().enumerate().map(|(index, record)| {
            let is_first_of_its_kind = {
                let nesting = record.nesting();
                nesting != 0 && nestings.insert(nesting)
            };
            record.are_simple()
                && !is_first_of_its_kind
                && record.name.is_some_and(|(of, name)| {
                    of == field
                        && !mentioned.has(first.key, name)
                        && aligned.is_same(index, mentioned.has_settled(first.key, name))
                })
        });
        aligned.alike = alike.collect();
        Some(aligned)
    }

    /// Whether all versions have a record of the first in the same bytes, HEAD's at least in the same manner where that is
    /// `settled`.
    fn is_same(&self, index: usize, settled: bool) -> bool {
        let Some(record) = self.first.records.get(index) else {
            return false;
        };
        let heads = self.versions.len() - 1;
        (1..=heads).all(|version| {
            self.record(version, index).is_some_and(|other| {
                let in_its_manner = settled && version == heads;
                other.text == record.text
                    || (in_its_manner && other.are_simple() && other.nesting() == record.nesting())
            })
        })
    }

    /// A record of the first version as another one has it.
    fn record(&self, version: usize, index: usize) -> Option<&'l Lines<'t>> {
        let place = self.places.get(version)?.get(index).copied().flatten()?;
        self.versions.get(version)?.records.get(place)
    }

    /// Whether two records of the first version that follow one another do so in all.
    fn is_linked(&self, index: usize) -> bool {
        self.places.iter().all(|places| {
            let place = |index: usize| places.get(index).copied().flatten();
            place(index).is_some_and(|here| place(index + 1) == Some(here + 1))
        })
    }

    /// Whether what stands above the record behind a run belongs to it, whatever comes before: a block scalar may go on
    /// there.
    fn is_cut_cleanly(&self, before: usize, after: usize) -> bool {
        (0..self.versions.len()).all(|version| {
            let is = |index: usize, test: fn(&Lines<'t>) -> bool| {
                self.record(version, index).is_some_and(test)
            };
            !is(after, Lines::have_lead)
                || (is(after, Lines::have_lead_of_their_own)
                    && !is(before, Lines::end_in_block_scalar)
                    && !is(after - 1, Lines::end_in_block_scalar))
        })
    }

    /// The runs that may be left out, each with a record before and one behind that may be, too.
    fn runs(&self) -> Vec<std::ops::Range<usize>> {
        let mut runs = Vec::new();
        let mut from = 0;
        for index in 0..self.alike.len() {
            let goes_on = self.alike.get(index + 1) == Some(&true) && self.is_linked(index);
            if !(self.alike[index] && goes_on) {
                if self.alike[index] && index > from + 1 && self.is_cut_cleanly(from, index) {
                    runs.push(from + 1..index);
                }
                from = index + 1;
            }
        }
        runs
    }

    /// Leaves the runs out: adds to the excerpts what stands before each, from where they are `done`.
    fn part(
        &self,
        versions: &[&'t str],
        texts: &mut [String],
        done: &mut [usize],
    ) -> Option<Part<'t>> {
        let runs = self.runs();
        let mut gaps = Vec::with_capacity(runs.len());
        let mut names = FxHashMap::default();
        names.reserve(runs.iter().map(ExactSizeIterator::len).sum());
        for run in runs {
            let (before, after) = (run.start - 1, run.end);
            let record = |index: usize| self.first.records.get(index);
            let (from, to) = (record(run.start)?.start, record(after)?.start);
            let mut starts = Vec::with_capacity(texts.len());
            let excerpts = texts.iter_mut().zip(done.iter_mut()).zip(versions);
            for (number, ((text, done), version)) in excerpts.enumerate() {
                let here = |index: usize| self.record(number, index);
                let (first, gap, end) = (here(before)?, here(run.start)?, here(after)?);
                let value = |start: usize, record: &Lines<'_>| {
                    start + record.head + self.first.indent + "- ".len()
                };
                let start = value(text.len() + first.start - *done, first);
                text.push_str(version.get(*done..gap.start)?);
                starts.push((start, value(text.len(), end)));
                *done = end.start;
            }
            let left_out = self.first.records.get(run)?.iter();
            names.extend(left_out.filter_map(|record| Some((name_of(record)?, record.text))));
            gaps.push(Gap {
                before: (name_of(record(before)?)?, record(before)?.text),
                left_out: versions.first()?.get(from..to)?,
                after: record(after)?.text,
                starts,
            });
        }
        (!gaps.is_empty()).then_some(Part {
            key: self.first.key,
            field: self.field,
            gaps,
            names,
        })
    }
}

fn name_of<'t>(record: &Lines<'t>) -> Option<&'t str> {
    record.name.map(|(_, name)| name)
}

/// Where the records of `first` are in another version; nothing where that has them in another order, or two that are
/// called the same.
fn places<'t>(first: &List<'t>, other: &List<'t>) -> Option<Vec<Option<usize>>> {
    let mut known: FxHashMap<&str, usize> = FxHashMap::default();
    known.reserve(other.records.len());
    for (place, record) in other.records.iter().enumerate() {
        if known.insert(record.called, place).is_some() {
            return None;
        }
    }
    let mut last = None;
    let mut places = Vec::with_capacity(first.records.len());
    for record in &first.records {
        let place = known.get(record.called).copied();
        if place.is_some() && place <= last {
            return None;
        }
        last = place.or(last);
        places.push(place);
    }
    Some(places)
}

/// Keeps the records that have a stamp in common with what is kept anyway.
fn keep_what_is_named(aligned: &mut [Aligned<'_, '_>], versions: &[&str], mentioned: &Mentioned) {
    // Each stamp leads to the last record that has it, and each of these to the one before.
    let mut last: FxHashMap<Stamp, usize> = FxHashMap::default();
    let mut owners: Vec<(usize, usize, Option<usize>)> = Vec::new();
    for (number, list) in aligned.iter().enumerate() {
        last.reserve(list.first.records.len());
        let records = list.first.records.iter().zip(&list.alike).enumerate();
        for (index, (record, _)) in records.filter(|(_, (_, alike))| **alike) {
            for stamp in record.stamps() {
                let before = last.insert(stamp, owners.len());
                owners.push((number, index, before));
            }
        }
    }
    if owners.is_empty() {
        return;
    }
    let mut named: Vec<Stamp> = mentioned.stamps.iter().copied().collect();
    for (index, version) in versions.iter().enumerate() {
        let mut done = 0;
        for list in aligned.iter() {
            for (at, _) in list.alike.iter().enumerate().filter(|(_, alike)| **alike) {
                let place = list.places.get(index).and_then(|places| *places.get(at)?);
                let record = place.and_then(|place| list.versions.get(index)?.records.get(place));
                if let Some(record) = record {
                    let before = version.get(done..record.start).unwrap_or_default();
                    named.extend(stamps_in(before.as_bytes()));
                    done = record.start + record.text.len();
                }
            }
        }
        let rest = version.get(done..).unwrap_or_default();
        named.extend(stamps_in(rest.as_bytes()));
    }
    while let Some(stamp) = named.pop() {
        let mut next = last.remove(&stamp);
        while let Some((number, index, before)) = next.and_then(|owner| owners.get(owner)) {
            next = *before;
            let (number, index) = (*number, *index);
            let Some(list) = aligned.get_mut(number) else {
                continue;
            };
            if let (Some(alike), Some(record)) =
                (list.alike.get_mut(index), list.first.records.get(index))
                && std::mem::take(alike)
            {
                named.extend(record.stamps());
            }
        }
    }
}

#[cfg(test)]
mod tests;
