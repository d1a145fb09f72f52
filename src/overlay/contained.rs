//! What HEAD contains of an edit: each of its changes by itself, as a commit may hold some of them.
//!
//! A change is contained in a commit when another one, in its ancestry and not in that of the edit's base, carries the
//! edit's stamp at the place of the change, lists it as superseded there, or makes the same change. For a removal, which
//! leaves no stamp anywhere, that is a commit before which everything that the removal observed stood there, or one that
//! descends from the edit's base, and after which nothing does.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::effect::{makes, shows, tells_of};
use super::selection::seen_together;
use super::{BlobId, CommitId, Deed, History, Known, Version};
use crate::context::lift;
use crate::crdt::{Act, Change, Document, Form};
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

/// Tells what one commit contains of the edits of one document.
pub struct Contents<'h, H: History> {
    history: &'h H,
    commit: CommitId,
    since: BTreeMap<Option<CommitId>, Option<Rc<[Version]>>>,
    documents: HashMap<BlobId, Rc<Document>>,
    texts: HashMap<BlobId, Rc<[u8]>>,
}

impl<'h, H: History> Contents<'h, H> {
    /// The contents of `commit`.
    pub fn of(history: &'h H, commit: CommitId) -> Self {
        Self {
            history,
            commit,
            since: BTreeMap::new(),
            documents: HashMap::new(),
            texts: HashMap::new(),
        }
    }

    /// What it contains of an edit. A retraction is never contained: it leaves nothing in any file.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn holds(&mut self, known: &Known) -> Result<Containment, H::Error> {
        let Deed::Change(changes) = &known.deed else {
            return Ok(Containment::Known(Vec::new()));
        };
        let Some(versions) = self.versions_since(known)? else {
            return Ok(Containment::OutOfReach);
        };
        let mut held = vec![false; changes.len()];
        let stamp = known.stamp.to_string();
        for version in versions.iter() {
            let Some(after) = version.after else {
                continue;
            };
            let open = |held: &[bool]| held.iter().any(|held| !held);
            if !open(&held) {
                break;
            }
            let text = self.text(after)?;
            for (held, change) in held.iter_mut().zip(changes) {
                if let Act::Form(form) = &change.act {
                    *held |= is_written(&text, form);
                }
            }
            if memchr::memmem::find(&text, stamp.as_bytes()).is_some() {
                let document = self.document(after)?;
                for (held, change) in held.iter_mut().zip(changes) {
                    *held |= tells_of(&document, change, known.stamp);
                }
            }
            if open(&held) {
                self.by_effect(known, changes, version, &mut held)?;
            }
        }
        Ok(Containment::Known(held))
    }

    /// The versions in which an edit can be contained, newest first.
    fn versions_since(&mut self, known: &Known) -> Result<Option<Rc<[Version]>>, H::Error> {
        let bases = std::iter::once(known.base).chain(known.published.iter().copied().map(Some));
        for base in bases {
            let versions = match self.since.get(&base) {
                Some(versions) => versions.clone(),
                None => {
                    let versions = self.history.versions(self.commit, base)?.map(Rc::from);
                    self.since.insert(base, versions.clone());
                    versions
                }
            };
            if versions.is_some() {
                return Ok(versions);
            }
        }
        Ok(None)
    }

    /// Finds the changes that a commit made as well.
    fn by_effect(
        &mut self,
        known: &Known,
        changes: &[Change],
        version: &Version,
        held: &mut [bool],
    ) -> Result<(), H::Error> {
        let Some(after) = version.after else {
            return Ok(());
        };
        let after = self.document(after)?;
        let base = match known.base {
            Some(base) => self.history.version_in(base)?,
            None => None,
        };
        let base = base
            .map(|base| self.document(base))
            .transpose()?
            .unwrap_or_default();
        for before in version.before.iter().flatten() {
            let before = self.document(*before)?;
            for (held, change) in held.iter_mut().zip(changes).filter(|(held, _)| !**held) {
                let stood = before.found(&change.at).is_some();
                *held = match change.act {
                    Act::Remove => {
                        let is_gone = stood && after.found(&change.at).is_none();
                        is_gone
                            && (makes(&before, &after, &base, change, known.stamp)
                                || self.descends(known, version)?)
                    }
                    _ => makes(&before, &after, &base, change, known.stamp),
                };
            }
        }
        for (index, change) in changes.iter().enumerate() {
            let is_along = |change: &Change| shows(&base, change, known.stamp);
            if held[index] || !is_along(change) || !shows(&after, change, known.stamp) {
                continue;
            }
            // It was only written along with the rest of its group.
            let group = seen_together(&change.at);
            let mut rest = changes.iter().zip(held.iter()).filter(|(other, _)| {
                group.contains(&other.at) && other.at != change.at && !is_along(other)
            });
            let first = rest.next();
            held[index] = first.is_some_and(|(_, held)| *held) && rest.all(|(_, held)| *held);
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

    fn text(&mut self, blob: BlobId) -> Result<Rc<[u8]>, H::Error> {
        if let Some(text) = self.texts.get(&blob) {
            return Ok(Rc::clone(text));
        }
        let text: Rc<[u8]> = self.history.bytes(blob)?.into();
        self.texts.insert(blob, Rc::clone(&text));
        Ok(text)
    }

    /// A version as the CRDTs see it; what cannot be read holds nothing.
    fn document(&mut self, blob: BlobId) -> Result<Rc<Document>, H::Error> {
        if let Some(document) = self.documents.get(&blob) {
            return Ok(Rc::clone(document));
        }
        let text = self.text(blob)?;
        let read = yaml::Document::read(&text, &yaml::Limits::default());
        let document = Rc::new(read.map(|read| lift(&read)).unwrap_or_default());
        self.documents.insert(blob, Rc::clone(&document));
        Ok(document)
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
