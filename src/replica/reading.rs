//! How many of the known edits of a document are read: those that HEAD does not contain, and of the others what tells something of these.

use std::rc::Rc;

use super::around::Around;
use super::document::{Edits, Since, Standing};
use super::policy::Policy;
use super::{Error, Replica};
use crate::crdt::Stamp;
use crate::overlay::DocumentPath;
use crate::store::{Mark, StoredEdit, Which};

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// What counts, as far as the last look told, if HEAD stands where it stood then; else what is open.
    Counting,
    /// What HEAD does not contain, and what tells something of that.
    Open,
    /// Everything.
    All,
}

impl Extent {
    /// Whether what was superseded may be passed over.
    fn which(self, since: Since) -> Which {
        match (self, since) {
            (Self::Counting, Since::Same) => Which::Counting,
            _ => Which::All,
        }
    }
}

impl Replica<'_> {
    /// All known edits of a document.
    pub(super) fn edits(&mut self, path: &DocumentPath) -> Result<Edits, Error> {
        let policy = self.policy()?;
        let stored = self.store.read()?.edits(path, Which::All)?;
        Ok(Edits::of(stored, &policy))
    }

    /// Those of them that the HEAD of the last look did not contain.
    pub(super) fn open_edits(&mut self, path: &DocumentPath) -> Result<Edits, Error> {
        let policy = self.policy()?;
        let stored = self.store.read()?.open_edits(path, Which::All)?;
        Ok(Edits::of(stored, &policy))
    }

    /// What holds for all documents.
    pub(super) fn policy(&mut self) -> Result<Rc<Policy>, Error> {
        if let Some(policy) = &self.policy {
            return Ok(Rc::clone(policy));
        }
        let policy = Rc::new(Policy::of(self.repo, &self.store.read()?)?);
        Ok(Rc::clone(self.policy.insert(policy)))
    }

    /// The edits of a document for who looks at all of it: also those that HEAD contains.
    pub(super) fn edits_of_all(
        &mut self,
        path: &DocumentPath,
        extent: Extent,
        since: Since,
    ) -> Result<Edits, Error> {
        let policy = self.policy()?;
        let which = extent.which(since);
        let stored = self.store.read()?.edits(path, which)?;
        let mut edits = Edits::of(stored, &policy);
        edits.lacks_superseded = which == Which::Counting;
        Ok(edits)
    }

    /// Those for who looks at a part: of what HEAD contains as much as tells what it contains of the others. Once it is known what is looked at,
    /// [`add_contained`](Self::add_contained) tells the rest.
    pub(super) fn edits_in_sight(
        &mut self,
        path: &DocumentPath,
        extent: Extent,
        since: Since,
    ) -> Result<Edits, Error> {
        if extent == Extent::All || since == Since::Elsewhere {
            return self.edits_of_all(path, extent, since);
        }
        let policy = self.policy()?;
        let which = extent.which(since);
        let reading = self.store.read()?;
        let open = reading.open_edits(path, which)?;
        let around = Around::open(&reading, path, &open, since)?;
        let mut edits = Edits::of(open, &policy);
        edits.lacks_superseded = which == Which::Counting;
        let (contained, are_all) = around.contained(&reading, path, &Around::default())?;
        edits.add_known(contained, &policy);
        edits.around = (!are_all).then_some(around);
        Ok(edits)
    }

    /// Adds those edits that HEAD contains, as it was judged by the marks, and that are about these places or have these stamps.
    pub(super) fn add_contained(
        &mut self,
        path: &DocumentPath,
        edits: &mut Edits,
        around: &Around,
        stamps: impl IntoIterator<Item = Stamp>,
    ) -> Result<(), Error> {
        let Some(mut read) = edits.around.take() else {
            return Ok(());
        };
        let policy = self.policy()?;
        let reading = self.store.read()?;
        let (mut contained, are_all) = around.contained(&reading, path, &read)?;
        for stamp in stamps {
            if edits.peek(stamp).is_some() {
                continue;
            }
            let edit = reading.edit(stamp)?;
            match edit.filter(|edit| edit.known.document == *path) {
                Some(edit) if edit.marks.contains(Mark::Contained) => contained.push(edit),
                // It was passed over.
                Some(_) => {}
                None => edits.note_unknown(stamp),
            }
        }
        edits.add_known(contained, &policy);
        read.extend(around);
        edits.around = (!are_all).then_some(read);
        Ok(())
    }
}

impl Edits {
    /// Adds known ones that are not there yet, so that all stand in the order of their stamps, and all that HEAD contained at the last look
    /// are taken to be so still.
    fn add_known(&mut self, stored: Vec<StoredEdit>, policy: &Policy) {
        let news = stored.into_iter();
        let news: Vec<Standing> = news
            .filter(|edit| self.peek(edit.known.stamp).is_none())
            .map(|edit| Standing::known(edit, policy))
            .collect();
        if news.is_empty() {
            return;
        }
        self.add(news);
        self.put_in_order();
        self.note_retractions();
    }
}
