//! Edits that were made while the clock ran ahead: nobody takes them before their time has come. Once the clock is right they
//! are made again, by a new incarnation of this replica.

use std::collections::BTreeMap;

use super::{Error, Replica, author};
use crate::crdt::Renamed;
use crate::node::Config;
use crate::overlay::{Deed, Known};
use crate::store::{Durability, StoredEdit, Way};

impl Replica<'_> {
    /// Makes the own edits again whose time has not come; says how many. Whoever knows them already gets the new ones as
    /// superseding. What HEAD contains needs no network any more.
    pub(super) fn reissue(&mut self, config: &Config) -> Result<usize, Error> {
        let from = self.now.unix_millis() + config.allowed_skew_millis();
        let replica = self.clock_file.replica();
        let ahead = self.store.read()?.own_after(from)?;
        let is_to_go = |edit: &StoredEdit| edit.known.stamp.replica() != replica;
        let ahead: Vec<StoredEdit> = ahead.into_iter().filter(is_to_go).collect();
        if ahead.is_empty() {
            return Ok(0);
        }
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
}
