//! What HEAD contains of an edit: each of its changes by itself, as a commit may hold some of them.
//!
//! A change is contained in a commit when another one, in its ancestry and not in that of the edit's base, carries the
//! edit's stamp at the place of the change, lists it as superseded there, or makes the same change. For a removal, which
//! leaves no stamp anywhere, that is a commit before which everything that the removal observed stood there, or one that
//! descends from the edit's base, and after which nothing does; or one that brings the record that it is in, without it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::effect::{makes, shows, tells_of};
use super::excerpt::stamps_in;
use super::selection::seen_together;
use super::{BlobId, CommitId, Excerpts, History, Known, Mentioned, Version};
use crate::context::{self, lift};
use crate::crdt::{Act, Change, Document, Form, Found, Stamp, StampSet};
use crate::yaml;

/// What a commit contains of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Containment {
    /// These of its changes, in their order.
    Known(Vec<bool>),
    /// Nobody can tell: the history since the edit's base is not at hand.
    OutOfReach,
}

impl Containment {
    /// Whether every change is contained.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Containment::Known(changes) if changes.iter().all(|contained| *contained))
    }
}

/// Tells what commits contain of the edits of one document.
pub struct Contents<'h, H: History> {
    history: &'h H,
    read: Recent,
    /// How many bytes must be left out of a version for an excerpt of it to be read.
    least: usize,
}

impl<'h, H: History> Contents<'h, H> {
    /// What commits of this history contain.
    pub fn of(history: &'h H) -> Self {
        Self {
            history,
            read: Recent::default(),
            least: WORTH_WHILE,
        }
    }

    /// Those of the same history, where excerpts are read of every version of which so many bytes can be left out: they tell the
    /// same.
    #[must_use]
    pub fn reading_excerpts_from(&self, least: usize) -> Self {
        Self {
            least,
            ..Self::of(self.history)
        }
    }

    /// What `commit` contains of each of these edits. A retraction is never contained: it leaves nothing in any file.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn held(
        &mut self,
        commit: CommitId,
        known: &[&Known],
    ) -> Result<Vec<Containment>, H::Error> {
        let mut held = vec![Containment::Known(Vec::new()); known.len()];
        // What was made on one base is looked for together, so that no version is read twice.
        let mut by_base: BTreeMap<(Option<CommitId>, &[CommitId]), Vec<Sought<'_>>> =
            BTreeMap::new();
        for sought in Sought::each_of(known) {
            let base = (sought.known.base, sought.known.published.as_slice());
            by_base.entry(base).or_default().push(sought);
        }
        for ((base, published), mut sought) in by_base {
            let Some(versions) = self.versions_since(commit, base, published)? else {
                for sought in sought {
                    held[sought.index] = Containment::OutOfReach;
                }
                continue;
            };
            self.seek(base, &versions, &mut sought)?;
            for sought in sought {
                held[sought.index] = Containment::Known(sought.held);
            }
        }
        Ok(held)
    }

    /// What `commit` contains of each of these edits that `earlier`, one of its ancestors, does not contain, although that has the
    /// edit's base in its own ancestry. Nothing where the history between the two is not at hand.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn held_since(
        &mut self,
        earlier: CommitId,
        commit: CommitId,
        known: &[&Known],
    ) -> Result<Option<Vec<Containment>>, H::Error> {
        let Some(versions) = self.history.versions(commit, Some(earlier))? else {
            return Ok(None);
        };
        let mut held = vec![Containment::Known(Vec::new()); known.len()];
        let mut by_base: BTreeMap<Option<CommitId>, Vec<Sought<'_>>> = BTreeMap::new();
        for sought in Sought::each_of(known) {
            by_base.entry(sought.known.base).or_default().push(sought);
        }
        for (base, mut sought) in by_base {
            self.seek(base, &versions, &mut sought)?;
            for sought in sought {
                held[sought.index] = Containment::Known(sought.held);
            }
        }
        Ok(Some(held))
    }

    /// Whether a commit is another one or an ancestor of it, as far as that is at hand.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn is_ancestor(&self, ancestor: CommitId, of: CommitId) -> Result<bool, H::Error> {
        Ok(self.history.is_ancestor(ancestor, of)? == Some(true))
    }

    /// The versions in which an edit can be contained, newest first.
    fn versions_since(
        &self,
        commit: CommitId,
        base: Option<CommitId>,
        published: &[CommitId],
    ) -> Result<Option<Vec<Version>>, H::Error> {
        for base in std::iter::once(base).chain(published.iter().copied().map(Some)) {
            let versions = self.history.versions(commit, base)?;
            if versions.is_some() {
                return Ok(versions);
            }
        }
        Ok(None)
    }

    /// Looks for edits that were made on `base` in these versions. Most are in the first one after it.
    fn seek(
        &mut self,
        base: Option<CommitId>,
        versions: &[Version],
        sought: &mut [Sought<'_>],
    ) -> Result<(), H::Error> {
        let mut on_base = None;
        for version in versions.iter().rev() {
            let Some(after) = version.after else {
                continue;
            };
            let mut open: Vec<&mut Sought<'_>> =
                sought.iter_mut().filter(|edit| edit.is_open()).collect();
            if open.is_empty() {
                break;
            }
            let after = self.read(after)?;
            find_written(&mut open, &after, self.least);
            open.retain(|edit| edit.is_open());
            if open.is_empty() {
                continue;
            }
            let on_base = match &on_base {
                Some(document) => Rc::clone(document),
                None => Rc::clone(on_base.insert(self.version_in(base)?)),
            };
            // Where a commit begins the file, or has no parents, it made all of it.
            let none = [None];
            let befores = match version.before.as_slice() {
                [] => &none,
                befores => befores,
            };
            for before in befores {
                let before = match before {
                    Some(before) => self.read(*before)?,
                    None => Rc::default(),
                };
                for edit in &mut open {
                    self.find_made(edit, version, &on_base, before.document(), after.document())?;
                }
            }
        }
        Ok(())
    }

    /// Finds the changes that a commit made as well.
    fn find_made(
        &self,
        edit: &mut Sought<'_>,
        version: &Version,
        base: &Read,
        before: &Document,
        after: &Document,
    ) -> Result<(), H::Error> {
        let (known, changes) = (edit.known, edit.changes.iter());
        for (held, change) in edit
            .held
            .iter_mut()
            .zip(changes)
            .filter(|(held, _)| !**held)
        {
            let is_made = || makes(before, after, base.document(), change, known.stamp);
            *held = match change.act {
                Act::Remove => {
                    let is_gone = |document| shows(document, change, known.stamp);
                    let is_left =
                        !is_gone(before) && (is_made() || self.descends(known, version)?);
                    is_gone(after) && (is_left || is_born_without(before, after, change))
                }
                _ => is_made(),
            };
        }
        for (index, change) in edit.changes.iter().enumerate() {
            let is_along = |change: &Change| shows(base.document(), change, known.stamp);
            let is_held = edit.held.get(index).copied().unwrap_or(true);
            if is_held || !is_along(change) || !shows(after, change, known.stamp) {
                continue;
            }
            // It was only written along with the rest of its group.
            let group = seen_together(&change.at);
            let mut rest = edit.changes.iter().zip(&edit.held).filter(|(other, _)| {
                group.contains(&other.at) && other.at != change.at && !is_along(other)
            });
            let first = rest.next();
            let is_held = first.is_some_and(|(_, held)| *held) && rest.all(|(_, held)| *held);
            if let Some(held) = edit.held.get_mut(index) {
                *held = is_held;
            }
        }
        Ok(())
    }

    /// Whether a commit took something away in full knowledge of what a removal saw.
    fn descends(&self, known: &Known, version: &Version) -> Result<bool, H::Error> {
        match known.base {
            Some(base) => Ok(self.history.is_ancestor(base, version.commit)? == Some(true)),
            None => Ok(false),
        }
    }

    /// The document in a commit; an empty one where that has none, or is not at hand.
    fn version_in(&mut self, commit: Option<CommitId>) -> Result<Rc<Read>, H::Error> {
        let blob = match commit {
            Some(commit) => self.history.version_in(commit)?,
            None => None,
        };
        blob.map_or_else(|| Ok(Rc::default()), |blob| self.read(blob))
    }

    fn read(&mut self, blob: BlobId) -> Result<Rc<Read>, H::Error> {
        if let Some(read) = self.read.get(blob) {
            return Ok(read);
        }
        let read = Rc::new(Read {
            text: self.history.bytes(blob)?,
            ..Read::default()
        });
        self.read.keep(blob, Rc::clone(&read));
        Ok(read)
    }
}

/// An edit that is looked for.
struct Sought<'k> {
    /// Which of those that are asked for.
    index: usize,
    known: &'k Known,
    changes: &'k [Change],
    /// Which of the changes were found.
    held: Vec<bool>,
}

impl<'k> Sought<'k> {
    /// All edits that change something.
    fn each_of(known: &[&'k Known]) -> impl Iterator<Item = Self> {
        let all = known.iter().enumerate();
        all.filter(|(_, known)| !known.changes().is_empty())
            .map(|(index, known)| Self {
                index,
                known,
                changes: known.changes(),
                held: vec![false; known.changes().len()],
            })
    }

    fn is_open(&self) -> bool {
        self.held.iter().any(|held| !held)
    }

    /// Finds the changes that a version has by their form.
    fn find_formed(&mut self, after: &Read) {
        for (held, change) in self.held.iter_mut().zip(self.changes) {
            if let Act::Form(form) = &change.act {
                *held |= is_written(&after.text, form);
            }
        }
    }

    /// Finds the changes of which a version tells, as this document has it.
    fn find_told(&mut self, after: &Document) {
        for (held, change) in self.held.iter_mut().zip(self.changes) {
            *held |= tells_of(after, change, self.known.stamp);
        }
    }
}

/// Whether a commit brought a record without what a removal took away that had seen its birth: it was born with that, or got it since.
fn is_born_without(before: &Document, after: &Document, removal: &Change) -> bool {
    let Some(around) = removal.at.around() else {
        return false;
    };
    let record = around.outermost_record();
    let birth = match after.found(&record) {
        Some(Found::Record(record, ..)) => record.birth.stamp,
        _ => None,
    };
    birth.is_some_and(|birth| removal.observed.has_stamp(birth)) && before.found(&record).is_none()
}

/// Finds the changes that a version has by their form or tells of by their stamp.
fn find_written(edits: &mut [&mut Sought<'_>], after: &Read, least: usize) {
    for edit in edits.iter_mut() {
        edit.find_formed(after);
    }
    let is_told = |edit: &Sought<'_>| {
        edit.is_open()
            && (after.stamps().contains(&edit.known.stamp)
                || after.runs().contains(edit.known.stamp))
    };
    let mut told: Vec<&mut &mut Sought<'_>> =
        edits.iter_mut().filter(|edit| is_told(edit)).collect();
    // The records that they are about tell most often enough, and what these tell the whole tells, too.
    let changes = told.iter().flat_map(|edit| edit.changes);
    if let Some(excerpt) = after.excerpt(changes, least) {
        for edit in &mut told {
            edit.find_told(&excerpt);
        }
        told.retain(|edit| edit.is_open());
    }
    for edit in told {
        edit.find_told(after.document());
    }
}

/// A version that was read.
#[derive(Default)]
struct Read {
    text: Vec<u8>,
    stamps: OnceCell<FxHashSet<Stamp>>,
    runs: OnceCell<StampSet>,
    document: OnceCell<Document>,
}

/// How many bytes must be left out of a version for an excerpt to be worth its while.
const WORTH_WHILE: usize = 64 << 10;

impl Read {
    /// The stamps that it may name one by one.
    fn stamps(&self) -> &FxHashSet<Stamp> {
        self.stamps.get_or_init(|| stamps_in(&self.text).collect())
    }

    /// The version without the records that these changes are not about; nothing where it was read as a whole, or is as soon.
    fn excerpt<'c>(
        &self,
        changes: impl Iterator<Item = &'c Change>,
        least: usize,
    ) -> Option<Document> {
        if self.document.get().is_some() || self.text.len() < least {
            return None;
        }
        let mut mentioned = Mentioned::default();
        changes.for_each(|change| mentioned.change(change));
        let text = std::str::from_utf8(&self.text).ok()?;
        let excerpts = Excerpts::of(&[text], &mentioned, least)?;
        let excerpt = excerpts.texts().first()?;
        let read = yaml::Document::from_text(excerpt.clone(), &yaml::Limits::default()).ok()?;
        excerpts.is_read_as_meant(0, &read).then(|| lift(&read))
    }

    /// The stamps that it may name in runs.
    fn runs(&self) -> &StampSet {
        self.runs.get_or_init(|| context::runs_in(&self.text))
    }

    /// The version as the CRDTs see it; what cannot be read holds nothing.
    fn document(&self) -> &Document {
        self.document.get_or_init(|| {
            let read = yaml::Document::read(&self.text, &yaml::Limits::default());
            read.map(|read| lift(&read)).unwrap_or_default()
        })
    }
}

/// How many bytes of versions are kept at least. A document takes ten times as much as its text.
const KEPT_BYTES: usize = 4 << 20;

/// The versions that were read last: those of the present and of the past generation.
#[derive(Default)]
struct Recent {
    young: HashMap<BlobId, Rc<Read>>,
    old: HashMap<BlobId, Rc<Read>>,
    /// The length of the young ones.
    bytes: usize,
}

impl Recent {
    fn get(&mut self, blob: BlobId) -> Option<Rc<Read>> {
        if let Some(read) = self.young.get(&blob) {
            return Some(Rc::clone(read));
        }
        let read = self.old.remove(&blob)?;
        self.keep(blob, Rc::clone(&read));
        Some(read)
    }

    fn keep(&mut self, blob: BlobId, read: Rc<Read>) {
        if self.bytes > KEPT_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += read.text.len();
        self.young.insert(blob, read);
    }
}

/// Whether a text is written as a change of form had it: with every line of that, or without what it took away.
fn is_written(text: &[u8], form: &Form) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    };
    let has = |line: &String| memchr::memmem::find(text, line.as_bytes()).is_some();
    let (before, after) = (lines(&form.before), lines(&form.after));
    match after.is_empty() {
        true => !before.iter().any(has),
        false => after.iter().all(has),
    }
}
