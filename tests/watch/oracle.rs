//! What must stand in the files at the end, told from what was typed alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::editor::Deed;
use crate::text::{Leaf, Said};

/// What is not as it must be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Values that nobody who had seen them replaced, and that are gone.
    pub(crate) lost: Vec<String>,
    /// Values and records that stand there though somebody who had seen them replaced or removed them.
    pub(crate) back: Vec<String>,
    /// Values that nobody wrote.
    pub(crate) strange: Vec<String>,
}

impl Faults {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything that was written, and by what it was replaced.
pub(crate) struct Meant {
    places: BTreeMap<String, Leaf>,
    replaced: BTreeSet<String>,
    removed: BTreeSet<String>,
    /// The records in which somebody replaced a value.
    edited: BTreeSet<String>,
}

impl Meant {
    /// What began, and what was done since, in any order.
    pub(crate) fn new<'d>(start: &Said, deeds: impl IntoIterator<Item = &'d Deed>) -> Self {
        let places = start.leaves.iter();
        let mut meant = Self {
            places: places
                .map(|(leaf, value)| (value.clone(), leaf.clone()))
                .collect(),
            replaced: BTreeSet::new(),
            removed: BTreeSet::new(),
            edited: BTreeSet::new(),
        };
        let deeds: Vec<&Deed> = deeds.into_iter().collect();
        for deed in &deeds {
            if let Some(value) = &deed.value {
                meant.places.insert(value.clone(), deed.leaf.clone());
            }
        }
        for deed in deeds {
            let (id, field) = &deed.leaf;
            let is_there = |value: &&String| {
                let place = meant.places.get(*value);
                place.is_some_and(|(of, at)| of == id && (deed.value.is_none() || at == field))
            };
            meant
                .replaced
                .extend(deed.seen.iter().filter(is_there).cloned());
            match deed.value {
                None => meant.removed.insert(id.clone()),
                Some(_) if !deed.seen.is_empty() => meant.edited.insert(id.clone()),
                Some(_) => false,
            };
        }
        meant
    }

    /// The values that must be found: nobody who had seen them replaced them.
    pub(crate) fn standing(&self) -> impl Iterator<Item = (&String, &Leaf)> {
        let standing = |(value, _): &(&String, &Leaf)| !self.replaced.contains(*value);
        self.places.iter().filter(standing)
    }

    /// What is wrong with a file at the end. Nothing is asked of the values in `excepted`.
    pub(crate) fn judge(&self, end: &Said, excepted: &BTreeSet<String>) -> Faults {
        let mut faults = Faults::default();
        let mut kept_alive = BTreeSet::new();
        for (value, leaf) in self.standing() {
            kept_alive.insert(&leaf.0);
            let is_there = end.leaves.get(leaf) == Some(value) || end.kept.contains(value);
            if !is_there && !excepted.contains(value) {
                faults
                    .lost
                    .push(format!("{value} of {}.{}", leaf.0, leaf.1));
            }
        }
        for (leaf, value) in &end.leaves {
            let told = format!("{value} of {}.{}", leaf.0, leaf.1);
            if self.places.get(value) != Some(leaf) {
                faults.strange.push(told);
            } else if excepted.contains(value) {
            } else if self.removed.contains(&leaf.0) {
                // An update that nobody had seen who removed the record brings it back whole. For ten seconds nothing tells whether they
                // had: the stamp by which one would know went with the record, and then it stays rather than an edit is lost.
                if !kept_alive.contains(&leaf.0) && !self.edited.contains(&leaf.0) {
                    faults.back.push(format!("{told}, which was removed"));
                }
            } else if self.replaced.contains(value) {
                faults.back.push(told);
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(field: &str) -> Leaf {
        ("a".to_owned(), field.to_owned())
    }

    fn said(leaves: &[(&str, &str)], kept: &[&str]) -> Said {
        Said {
            leaves: leaves
                .iter()
                .map(|(field, value)| (leaf(field), (*value).to_owned()))
                .collect(),
            kept: kept.iter().map(|value| (*value).to_owned()).collect(),
            ..Said::default()
        }
    }

    fn deed(field: &str, value: Option<&str>, seen: &[&str]) -> Deed {
        Deed {
            leaf: leaf(field),
            value: value.map(str::to_owned),
            seen: seen.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    fn judge(deeds: &[Deed], end: &Said) -> Faults {
        let start = said(&[("title", "v1"), ("owner", "v2")], &[]);
        Meant::new(&start, deeds).judge(end, &BTreeSet::new())
    }

    #[test]
    fn of_two_at_once_one_wins_and_the_other_is_kept() {
        let deeds = [
            deed("title", Some("v3"), &["v1"]),
            deed("title", Some("v4"), &["v1"]),
        ];
        let kept = said(&[("title", "v4"), ("owner", "v2")], &["v3"]);
        assert!(judge(&deeds, &kept).is_none());
        let lost = said(&[("title", "v4"), ("owner", "v2")], &[]);
        assert_eq!(judge(&deeds, &lost).lost, ["v3 of a.title"]);
    }

    #[test]
    fn what_was_replaced_does_not_come_back() {
        let deeds = [deed("title", Some("v3"), &["v1"])];
        let back = judge(&deeds, &said(&[("title", "v1"), ("owner", "v2")], &["v3"]));
        assert_eq!(back.back, ["v1 of a.title"]);
    }

    #[test]
    fn a_removed_record_is_gone_unless_it_was_changed_at_the_same_time() {
        let removal = deed("", None, &["v1", "v2"]);
        let change = deed("title", Some("v3"), &["v1"]);
        let gone = said(&[], &[]);
        assert!(judge(std::slice::from_ref(&removal), &gone).is_none());
        assert_eq!(
            judge(&[removal.clone(), change.clone()], &gone).lost,
            ["v3 of a.title"]
        );
        let whole = said(&[("title", "v3"), ("owner", "v2")], &[]);
        assert!(judge(&[removal.clone(), change], &whole).is_none());
        let stays = judge(&[removal], &said(&[("title", "v1"), ("owner", "v2")], &[]));
        assert_eq!(stays.back.len(), 2);
    }
}
