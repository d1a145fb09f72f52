//! Edits that were made while the clock ran ahead: nobody takes them before their time has come. Once the clock is right they
//! are made again, by a new incarnation of this replica.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Replica, author};
use crate::crdt::{Renamed, Stamp};
use crate::node::Config;
use crate::overlay::{Deed, DocumentPath, Known};
use crate::store::{Durability, Issuer, Mark, StoredEdit, Way, Which};

impl Replica<'_> {
    /// Makes the own edits again whose time has not come, and what was made since by somebody who had seen them; says how many.
    /// Whoever knows them already gets the new ones as superseding. What a commit has needs no network any more.
    pub(super) fn reissue(&mut self, config: &Config) -> Result<usize, Error> {
        let from = self.now.unix_millis() + config.allowed_skew_millis();
        let replica = self.clock_file.replica();
        let ahead = self.store.read()?.own_after(from)?;
        let is_to_go =
            |edit: &StoredEdit| edit.known.stamp.replica() != replica && !has_a_commit(edit);
        let ahead: Vec<StoredEdit> = ahead.into_iter().filter(is_to_go).collect();
        if ahead.is_empty() {
            return Ok(0);
        }
        let ahead = self.with_those_who_saw(ahead)?;
        let mut renamed = Renamed::new();
        for edit in &ahead {
            let stamp = self.tick()?;
            renamed.insert(edit.known.stamp, stamp);
        }
        self.keep_clock()?;
        let mut again: BTreeMap<_, Known> = BTreeMap::new();
        for StoredEdit { known, .. } in &ahead {
            let deed = match &known.deed {
                Deed::Change(changes) => {
                    let changes = changes.iter();
                    Deed::Change(
                        changes
                            .map(|change| change.reissued(known.stamp, &renamed))
                            .collect(),
                    )
                }
                Deed::Retract(stamps) => {
                    let anew = stamps.iter().filter_map(|stamp| renamed.get(stamp));
                    Deed::Retract(stamps.iter().chain(anew).copied().collect())
                }
            };
            let stamp = renamed[&known.stamp];
            again.insert(
                stamp,
                Known {
                    stamp,
                    deed,
                    ..known.clone()
                },
            );
        }
        let again = self.chained(again.into_values().collect())?;
        let by = author(&self.node, &self.clock_file);
        let writing = self.store.write(Durability::Power)?;
        writing.record(&again, Way::Recorded, by)?;
        for edit in &ahead {
            writing.disown_one(edit.known.stamp)?;
            writing.set_marks([(renamed[&edit.known.stamp], edit.marks)])?;
        }
        writing.commit()?;
        Ok(again.len())
    }

    /// These edits, and the own ones of the same documents that were made by somebody who had seen one of them: under its new
    /// stamp they have not seen it. Each comes after those that it saw.
    fn with_those_who_saw(&mut self, edits: Vec<StoredEdit>) -> Result<Vec<StoredEdit>, Error> {
        let documents: BTreeSet<DocumentPath> = edits
            .iter()
            .map(|edit| edit.known.document.clone())
            .collect();
        let mut stamps: BTreeSet<Stamp> = edits.iter().map(|edit| edit.known.stamp).collect();
        let mut all = edits;
        for document in &documents {
            let mut own = self.store.read()?.edits(document, Which::All)?;
            own.retain(|edit| {
                let is_new = !stamps.contains(&edit.known.stamp);
                edit.issuer == Issuer::Own && is_new && !has_a_commit(edit)
            });
            loop {
                let is_one = |stamp: &Stamp| stamps.contains(stamp);
                let saw = |edit: &StoredEdit| match &edit.known.deed {
                    Deed::Retract(retracted) => retracted.iter().any(is_one),
                    Deed::Change(changes) => changes
                        .iter()
                        .any(|change| stamps.iter().any(|stamp| change.observed.has_stamp(*stamp))),
                };
                let (saw, others): (Vec<_>, Vec<_>) = own.into_iter().partition(saw);
                if saw.is_empty() {
                    break;
                }
                own = others;
                stamps.extend(saw.iter().map(|edit| edit.known.stamp));
                all.extend(saw);
            }
        }
        Ok(all)
    }
}

/// Whether a commit has it that HEAD named.
fn has_a_commit(edit: &StoredEdit) -> bool {
    edit.marks.contains(Mark::Committed) || edit.marks.contains(Mark::Contained)
}
