//! What commits did, remembered: to compare two versions of a large document takes long, and what comes of it follows from these alone.

use std::cell::RefCell;
use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_64;

use super::commits::{Between, happened_in};
use super::versions::Versions;
use super::{Error, Happened};
use crate::context::Types;
use crate::crdt::{Path, Stamp};
use crate::git::Passed;
use crate::overlay::Version;
use crate::store::{ContentDigest, Durability, Happening, Reading, Store, Writing};

/// The format of what is remembered, and the rules by which it was found: another number for whoever changes either.
const FORMAT: u8 = 1;

/// Documents of which no version is that long are compared in an instant.
const LEAST: usize = 32 << 10;

/// What was found out about commits, to be remembered once nobody waits any more.
#[derive(Debug)]
pub struct Memory {
    least: usize,
    found: RefCell<Vec<Happening>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::of_documents_from(LEAST)
    }
}

impl Memory {
    /// One that takes in documents from so many bytes on.
    #[must_use]
    pub fn of_documents_from(least: usize) -> Self {
        Self {
            least,
            found: RefCell::default(),
        }
    }

    /// Has a store remember what was found out.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn keep(self, store: &mut Store) -> Result<(), Error> {
        if self.found.borrow().is_empty() {
            return Ok(());
        }
        let writing = store.write(Durability::Process)?;
        self.write(&writing)?;
        Ok(writing.commit()?)
    }

    /// Writes down what was found out.
    pub(super) fn write(&self, writing: &Writing<'_>) -> Result<(), Error> {
        let found = self.found.take();
        match found.is_empty() {
            true => Ok(()),
            false => Ok(writing.remember_happenings(&found)?),
        }
    }

    /// Shorter documents are not taken in.
    pub(super) fn least(&self) -> usize {
        self.least
    }
}

/// What commits did, as far as it is remembered, else as their versions tell.
pub(super) struct Commits<'c> {
    reading: Option<&'c Reading<'c>>,
    memory: &'c Memory,
    types: Types,
    /// What the versions are compared by.
    rules: Vec<u8>,
}

impl<'c> Commits<'c> {
    pub(super) fn of(reading: Option<&'c Reading<'c>>, memory: &'c Memory, types: Types) -> Self {
        let mut rules = vec![FORMAT];
        rules.extend(env!("CARGO_PKG_VERSION").as_bytes());
        rules.extend(format!("{types:?}").as_bytes());
        Self {
            reading,
            memory,
            types,
            rules,
        }
    }

    /// The name by which what a commit did is remembered; nothing where it does not follow from its versions alone.
    fn name(&self, versions: &Versions<'_>, between: &Between<'_>) -> Option<ContentDigest> {
        self.reading?;
        if versions.are_converted() || between.former.is_some_and(Versions::are_converted) {
            return None;
        }
        let mut bytes = self.rules.clone();
        for blob in std::iter::once(&between.after).chain(&between.before) {
            match blob {
                Some(blob) => {
                    bytes.push(1);
                    bytes.extend(blob.as_bytes());
                }
                None => bytes.push(0),
            }
        }
        Some(ContentDigest::of(&bytes))
    }

    /// What a commit did to a document.
    pub(super) fn happened_in(
        &self,
        versions: &Versions<'_>,
        passed: &Passed,
        version: &Version,
        former: Option<&Versions<'_>>,
    ) -> Result<Vec<Happened>, Error> {
        self.done(versions, passed, &Between::of(passed, version, former)?)
    }

    fn done(
        &self,
        versions: &Versions<'_>,
        passed: &Passed,
        between: &Between<'_>,
    ) -> Result<Vec<Happened>, Error> {
        let name = self.name(versions, between);
        if let Some(name) = name
            && let Some(happened) = self.remembered(name)?
        {
            return Ok(happened);
        }
        let told = happened_in(versions, passed, between, &self.types)?;
        if let Some(name) = name
            && told.longest >= self.memory.least
        {
            self.note(name, &told.happened);
        }
        Ok(told.happened)
    }

    /// Finds out what a commit did to a document, unless that is remembered; says whether versions were compared.
    pub(super) fn learn(&self, versions: &Versions<'_>, version: &Version) -> Result<bool, Error> {
        let Some(passed) = versions.repo.passed(version.commit)? else {
            return Ok(false);
        };
        let between = Between::of(&passed, version, None)?;
        let (Some(name), Some(reading)) = (self.name(versions, &between), self.reading) else {
            return Ok(false);
        };
        if reading.happening_about(name)?.is_some() {
            return Ok(false);
        }
        self.done(versions, &passed, &between)?;
        Ok(true)
    }

    /// What is remembered of a commit; nothing where it is not, or is not about a place and what is in it.
    pub(super) fn passed_over(
        &self,
        versions: &Versions<'_>,
        passed: &Passed,
        version: &Version,
        within: &str,
    ) -> Result<Option<PassedOver>, Error> {
        let Some(wanted) = hashes_of(within) else {
            return Ok(None);
        };
        let between = Between::of(passed, version, None)?;
        let (Some(name), Some(reading)) = (self.name(versions, &between), self.reading) else {
            return Ok(None);
        };
        let about = reading.happening_about(name)?;
        let has_none = |about: &Vec<u32>| {
            let mut wanted = wanted.iter();
            wanted.all(|hash| about.binary_search(hash).is_err())
        };
        Ok(about
            .filter(has_none)
            .map(|about| PassedOver { name, about }))
    }

    /// What was done to a document from a commit's first parent to it.
    pub(super) fn happened_on_the_way(
        &self,
        versions: &Versions<'_>,
        version: &Version,
    ) -> Result<Vec<Happened>, Error> {
        let Some(mut passed) = versions.repo.passed(version.commit)? else {
            return Ok(Vec::new());
        };
        passed.parents.truncate(1);
        self.done(versions, &passed, &Between::on_the_way(version))
    }

    /// What of that may be about a place or what is in it; nothing where it is not remembered.
    pub(super) fn remembered_on_the_way(
        &self,
        versions: &Versions<'_>,
        version: &Version,
        within: &str,
    ) -> Result<Option<Vec<Happened>>, Error> {
        let between = Between::on_the_way(version);
        let (Some(name), Some(reading)) = (self.name(versions, &between), self.reading) else {
            return Ok(None);
        };
        let Some(about) = reading.happening_about(name)? else {
            return Ok(None);
        };
        let wanted = hashes_of(within);
        let is_about = |hash: &u32| about.binary_search(hash).is_ok();
        match wanted.is_none_or(|wanted| wanted.iter().any(is_about)) {
            true => self.remembered(name),
            false => Ok(Some(Vec::new())),
        }
    }

    /// Whether it is remembered that an edit is shown by what was done from a commit's first parent to it.
    pub(super) fn is_known_to_show(
        &self,
        versions: &Versions<'_>,
        version: &Version,
        stamp: Stamp,
    ) -> Result<bool, Error> {
        let name = self.name(versions, &Between::on_the_way(version));
        let (Some(name), Some(reading)) = (name, self.reading) else {
            return Ok(false);
        };
        match reading.happening_about(name)? {
            Some(about) => self.shows(&PassedOver { name, about }, stamp),
            None => Ok(false),
        }
    }

    /// Whether a commit that was passed over shows an edit.
    pub(super) fn shows(&self, passed_over: &PassedOver, stamp: Stamp) -> Result<bool, Error> {
        let hash = hash_of_stamp(stamp);
        if passed_over.about.binary_search(&hash).is_err() {
            return Ok(false);
        }
        let happened = self.remembered(passed_over.name)?.unwrap_or_default();
        Ok(happened.iter().any(|one| one.stamp == Some(stamp)))
    }

    fn remembered(&self, name: ContentDigest) -> Result<Option<Vec<Happened>>, Error> {
        let Some(reading) = self.reading else {
            return Ok(None);
        };
        let bytes = reading.happening(name)?;
        Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
    }

    fn note(&self, name: ContentDigest, happened: &[Happened]) {
        let Ok(what) = postcard::to_stdvec(happened) else {
            return;
        };
        let places = happened.iter().map(|one| hash_of_place(&one.at));
        let stamps = happened.iter().filter_map(|one| one.stamp);
        let about: BTreeSet<u32> = places.chain(stamps.map(hash_of_stamp)).collect();
        self.memory.found.borrow_mut().push(Happening {
            versions: name,
            about: about.into_iter().collect(),
            what,
        });
    }
}

/// A commit that is remembered to be about nothing that was asked for.
pub(super) struct PassedOver {
    name: ContentDigest,
    about: Vec<u32>,
}

/// What a place is found by: the first two names on the way there, whatever sets them off.
fn hash_of_place(at: &Path) -> u32 {
    let place = at.to_string().replace('.', "/");
    let mut names = place.split('/');
    let first = names.next().unwrap_or_default();
    hash(&[first].into_iter().chain(names.next()).collect::<Vec<_>>())
}

/// What all that is found by which may be about a place as it is typed; nothing where that is too much.
fn hashes_of(within: &str) -> Option<[u32; 2]> {
    let within = within.replace('.', "/");
    let mut names = within.split('/');
    let (first, second) = (names.next()?, names.next()?);
    // Whoever takes away what it is in does something to it, too.
    Some([hash(&[first, second]), hash(&[first])])
}

fn hash_of_stamp(stamp: Stamp) -> u32 {
    hash(&["", "", &stamp.to_string()])
}

fn hash(names: &[&str]) -> u32 {
    let mut bytes = vec![names.len() as u8];
    bytes.extend(names.join("/").as_bytes());
    xxh3_64(&bytes) as u32
}
