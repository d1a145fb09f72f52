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

#[cfg(test)]
mod tests {
    use super::super::{Atom, Birth, Digest, Observed, Path};
    use super::*;

    fn record(stamp: Stamp, fields: Map) -> Record {
        let birth = Birth {
            stamp: Some(stamp),
            digest: Digest::of(b"r"),
        };
        Record {
            name: Atom::new("r".to_owned()),
            birth,
            fields,
        }
    }

    /// A record with a field, a list, a mapping and a record in it, all by one edit.
    fn made_by(stamp: Stamp) -> Record {
        let field = Node::Register(Atom::new("1".to_owned()), [stamp].into());
        let list = Node::List(vec![], [stamp].into());
        let map = Map::from([("inside".to_owned(), field.clone())]);
        let set = vec![record(stamp, map.clone())];
        let fields = [
            ("field", field),
            ("list", list),
            ("map", Node::Map(map)),
            ("set", Node::Set(set.into())),
        ];
        record(
            stamp,
            fields.map(|(name, node)| (name.to_owned(), node)).into(),
        )
    }

    #[test]
    fn an_edit_made_again_has_its_new_name_everywhere_and_supersedes_the_old_one() {
        let [old, new, seen, anew, other] = ["6", "7", "8", "9", "a"]
            .map(|digit| -> Stamp { format!("4k2m9xa{digit}-7f3kqd").parse().unwrap() });
        let mut observed = Observed::default();
        observed.add_stamp(seen);
        let change = Change {
            at: Path::default(),
            act: Act::Add {
                record: made_by(old),
                behind: None,
            },
            observed,
        };
        let renamed = Renamed::from([(old, new), (seen, anew), (other, other)]);
        let again = change.reissued(old, &renamed);
        let Act::Add { record, .. } = &again.act else {
            panic!("{again:?}");
        };
        assert_eq!(*record, made_by(new));
        for stamp in [old, seen, anew] {
            assert!(again.observed.has_stamp(stamp), "{stamp}");
        }
        assert!(!again.observed.has_stamp(other), "nobody saw that one");
    }
}
