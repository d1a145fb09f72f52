//! What commits contain of edits. Finding out means reading every version of the document since the edits were made; what
//! came of it is remembered.

use std::collections::BTreeMap;

use super::look::are_checked;
use super::{Error, Replica};
use crate::crdt::Stamp;
use crate::git::DocumentHistory;
use crate::overlay::{CommitId, Containment, Contents, DocumentPath, Known};
use crate::store::{self, Durability, Reading, Store};

/// Of more edits than these all is read that is remembered: one by one takes longer.
const MOST_ASKED: usize = 1_024;

/// What a store remembers of the edits of a document that a commit contains.
pub(super) struct Remembered {
    here: BTreeMap<Stamp, store::Containment>,
    /// Where nothing is: one of its ancestors, and what is remembered of that.
    earlier: Option<(CommitId, BTreeMap<Stamp, store::Containment>)>,
}

impl Remembered {
    pub(super) fn of(
        reading: &Reading<'_>,
        contents: &Contents<'_, DocumentHistory<'_>>,
        document: &DocumentPath,
        commit: CommitId,
        known: &[&Known],
    ) -> Result<Self, Error> {
        if known.is_empty() {
            return Ok(Self {
                here: BTreeMap::new(),
                earlier: None,
            });
        }
        let stamps: Vec<Stamp> = known.iter().map(|known| known.stamp).collect();
        let read = |head: CommitId| match stamps.len() {
            0..=MOST_ASKED => reading.containment_of(&stamps, document, head),
            _ => reading.containment(document, head),
        };
        let here = read(commit)?;
        let mut earlier = None;
        if here.is_empty() && !reading.remembers_containment(document, commit)? {
            for head in reading.remembered_heads(document)? {
                if contents.is_ancestor(head, commit)? {
                    earlier = Some((head, read(head)?));
                    break;
                }
            }
        }
        Ok(Self { here, earlier })
    }

    /// What the commit contains of an edit: all of it, or nothing. Of one of which it contains a part nothing is remembered. What
    /// an ancestor contains it contains, too.
    fn get(&self, known: &Known) -> Option<Containment> {
        let here = self.here.get(&known.stamp);
        let earlier = || {
            let (_, earlier) = self.earlier.as_ref()?;
            let containment = earlier.get(&known.stamp)?;
            (*containment == store::Containment::Inside).then_some(containment)
        };
        let is_held = *here.or_else(earlier)? == store::Containment::Inside;
        Some(Containment::Known(vec![is_held; known.changes().len()]))
    }

    /// What the commit contains of each of these edits, as remembered, else as the history shows.
    pub(super) fn held(
        &self,
        contents: &mut Contents<'_, DocumentHistory<'_>>,
        commit: CommitId,
        known: &[&Known],
    ) -> Result<Vec<Containment>, Error> {
        let mut held: Vec<Option<Containment>> =
            known.iter().map(|known| self.get(known)).collect();
        if let Some((earlier, outside)) = &self.earlier {
            let mut bases = BTreeMap::new();
            let mut since = Vec::new();
            for (index, known) in known
                .iter()
                .enumerate()
                .filter(|(index, _)| held[*index].is_none())
            {
                let Some(base) = known.base.filter(|_| outside.contains_key(&known.stamp)) else {
                    continue;
                };
                let is_behind = match bases.get(&base) {
                    Some(is_behind) => *is_behind,
                    None => *bases
                        .entry(base)
                        .or_insert(contents.is_ancestor(base, *earlier)?),
                };
                if is_behind {
                    since.push((index, *known));
                }
            }
            let open: Vec<&Known> = since.iter().map(|(_, known)| *known).collect();
            let found = contents.held_since(*earlier, commit, &open)?;
            for ((index, _), found) in since.iter().zip(found.into_iter().flatten()) {
                held[*index] = Some(found);
            }
        }
        let both = known.iter().zip(&held);
        let open: Vec<&Known> = both
            .filter(|(_, held)| held.is_none())
            .map(|(known, _)| *known)
            .collect();
        let mut found = contents.held(commit, &open)?.into_iter();
        let held = held.into_iter().map(|held| held.or_else(|| found.next()));
        Ok(held
            .map(|held| held.unwrap_or(Containment::OutOfReach))
            .collect())
    }

    /// Remembers what was found. That a commit contains nothing of what was made on it is plain.
    fn keep(
        &self,
        store: &mut Store,
        document: &DocumentPath,
        commit: CommitId,
        known: &[&Known],
        held: &[Containment],
    ) -> Result<(), Error> {
        let news = known.iter().zip(held).filter_map(|(known, held)| {
            let is_plain = known.base == Some(commit) || self.here.contains_key(&known.stamp);
            let containment = match held {
                _ if is_plain || known.changes().is_empty() => return None,
                Containment::Known(held) if !held.contains(&true) => store::Containment::Outside,
                held if held.is_whole() => store::Containment::Inside,
                _ => return None,
            };
            Some((known.stamp, containment))
        });
        let news: Vec<_> = news.collect();
        if news.is_empty() {
            return Ok(());
        }
        let writing = store.write(Durability::Process)?;
        writing.remember_containment(document, commit, news)?;
        Ok(writing.commit()?)
    }
}

impl Replica<'_> {
    /// What a commit contains of each of these edits of a document.
    pub(super) fn held(
        &mut self,
        document: &DocumentPath,
        contents: &mut Contents<'_, DocumentHistory<'_>>,
        commit: CommitId,
        known: &[&Known],
    ) -> Result<Vec<Containment>, Error> {
        let remembered = Remembered::of(&self.store.read()?, contents, document, commit, known)?;
        let held = remembered.held(contents, commit, known)?;
        if are_checked() {
            let all = contents.held(commit, known)?;
            assert_eq!(held, all, "what is remembered tells otherwise");
            let excerpted = contents.reading_excerpts_from(0).held(commit, known)?;
            assert_eq!(excerpted, all, "excerpts of versions tell otherwise");
        }
        remembered.keep(&mut self.store, document, commit, known, &held)?;
        Ok(held)
    }
}
