//! What commits contain of edits. Finding out means reading every version of the document since the edits were made; what
//! came of it is remembered.

use std::collections::BTreeMap;

use super::{Error, Replica};
use crate::crdt::Stamp;
use crate::git::DocumentHistory;
use crate::overlay::{CommitId, Containment, Contents, DocumentPath, Known};
use crate::store::{self, Durability, Reading, Store};

/// What a store remembers of the edits of a document that a commit contains.
pub(super) struct Remembered(BTreeMap<Stamp, store::Containment>);

impl Remembered {
    pub(super) fn of(
        reading: &Reading<'_>,
        document: &DocumentPath,
        commit: CommitId,
    ) -> Result<Self, Error> {
        Ok(Self(reading.containment(document, commit)?))
    }

    /// What the commit contains of an edit: all of it, or nothing. Of one of which it contains a part nothing is remembered.
    fn get(&self, known: &Known) -> Option<Containment> {
        let is_held = *self.0.get(&known.stamp)? == store::Containment::Inside;
        Some(Containment::Known(vec![is_held; known.changes().len()]))
    }

    /// What the commit contains of each of these edits, as remembered, else as the history shows.
    pub(super) fn held(
        &self,
        contents: &mut Contents<'_, DocumentHistory<'_>>,
        commit: CommitId,
        known: &[&Known],
    ) -> Result<Vec<Containment>, Error> {
        let remembered: Vec<_> = known.iter().map(|known| self.get(known)).collect();
        let both = known.iter().zip(&remembered);
        let open: Vec<&Known> = both
            .filter(|(_, remembered)| remembered.is_none())
            .map(|(known, _)| *known)
            .collect();
        let mut found = contents.held(commit, &open)?.into_iter();
        let held = remembered
            .into_iter()
            .map(|remembered| remembered.or_else(|| found.next()));
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
            let is_plain = known.base == Some(commit) || self.0.contains_key(&known.stamp);
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
        let remembered = Remembered::of(&self.store.read()?, document, commit)?;
        let held = remembered.held(contents, commit, known)?;
        remembered.keep(&mut self.store, document, commit, known, &held)?;
        Ok(held)
    }
}
