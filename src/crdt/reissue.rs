//! Making edits again under other stamps, when those that they had cannot stand.

use std::collections::BTreeMap;

use super::document::{Node, Record, Stamps};
use super::edit::{Act, Change};
use super::{Map, Stamp};

/// For edits that are made again, their stamps before and after.
pub type Renamed = BTreeMap<Stamp, Stamp>;

impl Change {
    /// The same change made again: it supersedes what it superseded, what that is called now, and itself as it was called
    /// before (`old`), so that whoever knows both shows it once.
    #[must_use]
    pub fn reissued(&self, old: Stamp, renamed: &Renamed) -> Self {
        let mut change = self.clone();
        let seen = renamed
            .iter()
            .filter(|(old, _)| self.observed.has_stamp(**old));
        seen.for_each(|(_, anew)| change.observed.add_stamp(*anew));
        change.observed.add_stamp(old);
        if let Act::Add { record, .. } = &mut change.act {
            rename_in(record, renamed);
        }
        change
    }
}

fn rename_in(record: &mut Record, renamed: &Renamed) {
    let birth = &mut record.birth.stamp;
    *birth = birth.map(|stamp| *renamed.get(&stamp).unwrap_or(&stamp));
    rename_among(&mut record.fields, renamed);
}

fn rename_among(fields: &mut Map, renamed: &Renamed) {
    for node in fields.values_mut() {
        match node {
            Node::Register(_, stamps) | Node::List(_, stamps) => rename(stamps, renamed),
            Node::Map(fields) => rename_among(fields, renamed),
            Node::Set(records) => records
                .iter_mut()
                .for_each(|record| rename_in(record, renamed)),
        }
    }
}

fn rename(stamps: &mut Stamps, renamed: &Renamed) {
    let names = std::mem::take(stamps).into_iter();
    *stamps = names
        .map(|stamp| *renamed.get(&stamp).unwrap_or(&stamp))
        .collect();
}
