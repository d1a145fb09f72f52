//! What stands under `_crdt_conflicts`: values that lost against a concurrent one, kept until somebody settles it.
//!
//! ```text
//! status~4k2m9xa7-7f3kqd~s.cancelled title~~s.Ship+it ~4k2mez11-01xyz9~deleted
//! ```
//!
//! A row of words, one for each loser: the leaf (nothing for the record itself), the stamp if it has one, and the value:
//! `s.` and a text, `j.` and any other value as JSON, or `deleted`.

use std::collections::BTreeMap;
use std::fmt;

use super::annotation::NotAnAnnotation;
use super::text;
use crate::crdt::Stamp;

/// What lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lost {
    /// The deletion of the leaf or of the record.
    Deletion,
    /// A value in its canonical text.
    Value(String),
}

/// A losing value: where it would stand, and what it is. Losers are a set: the same value lost once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loser {
    /// The leaf as annotations name it; empty for the record as a whole.
    pub leaf: String,
    /// What lost there.
    pub lost: Lost,
}

impl Loser {
    /// The deletion of a whole record that came back.
    pub const WHOLE_DELETION: Self = Self {
        leaf: String::new(),
        lost: Lost::Deletion,
    };
}

/// The open conflicts of a record, each with the stamp of what lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    losers: BTreeMap<Loser, Option<Stamp>>,
}

impl Conflicts {
    /// Reads a row of conflicts.
    ///
    /// # Errors
    /// When any word of it is not understood.
    pub fn parse(row: &str) -> Result<Self, NotAnAnnotation> {
        let mut conflicts = Self::default();
        for word in row.split(' ').filter(|word| !word.is_empty()) {
            let (loser, stamp) = read(word)?;
            conflicts.add(loser, stamp);
        }
        Ok(conflicts)
    }

    /// What is understood of a row: a word that somebody mangled takes no other loser with it.
    #[must_use]
    pub fn salvaged(row: &str) -> Self {
        let mut conflicts = Self::default();
        for (loser, stamp) in row.split(' ').filter_map(|word| read(word).ok()) {
            conflicts.add(loser, stamp);
        }
        conflicts
    }

    /// Adds a loser; one that is known keeps its latest stamp.
    pub fn add(&mut self, loser: Loser, stamp: Option<Stamp>) {
        let known = self.losers.entry(loser).or_default();
        *known = (*known).max(stamp);
    }

    /// Removes a loser: somebody chose, or its value won after all.
    pub fn remove(&mut self, loser: &Loser) {
        self.losers.remove(loser);
    }

    /// The losers in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Loser, Option<Stamp>)> {
        self.losers.iter().map(|(loser, stamp)| (loser, *stamp))
    }

    /// Whether this loser is among them.
    #[must_use]
    pub fn contains(&self, loser: &Loser) -> bool {
        self.losers.contains_key(loser)
    }

    /// Whether the edit with this stamp lost at a leaf.
    #[must_use]
    pub fn holds(&self, leaf: &str, stamp: Stamp) -> bool {
        let mut losers = self.losers.iter();
        losers.any(|(loser, lost)| loser.leaf == leaf && *lost == Some(stamp))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.losers.is_empty()
    }

    /// The losers of two versions that come from `base`: what either side added, less what either side settled.
    #[must_use]
    pub fn merge(base: &Self, ours: &Self, theirs: &Self) -> Self {
        let mut merged = Self::default();
        for (side, other) in [(ours, theirs), (theirs, ours)] {
            for (loser, stamp) in side.iter() {
                if other.contains(loser) || !base.contains(loser) {
                    merged.add(loser.clone(), stamp);
                }
            }
        }
        merged
    }
}

/// Reads one loser.
fn read(word: &str) -> Result<(Loser, Option<Stamp>), NotAnAnnotation> {
    let mut parts = word.splitn(3, '~');
    let (Some(leaf), Some(stamp), Some(lost)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NotAnAnnotation);
    };
    // Nothing is the record itself.
    let leaf = match leaf {
        "" => String::new(),
        leaf => {
            let names = text::decode_path(leaf).ok_or(NotAnAnnotation)?;
            text::encode_path(names.iter().map(String::as_str))
        }
    };
    let stamp = match stamp {
        "" => None,
        stamp => Some(stamp.parse().map_err(|_| NotAnAnnotation)?),
    };
    let decoded = |text: &str| {
        text::decode(text)
            .map(std::borrow::Cow::into_owned)
            .ok_or(NotAnAnnotation)
    };
    let lost = match lost.split_once('.') {
        None if lost == "deleted" => Lost::Deletion,
        Some(("s", value)) => Lost::Value(crate::yaml::double_quoted(&decoded(value)?)),
        Some(("j", value)) => Lost::Value(decoded(value)?),
        _ => return Err(NotAnAnnotation),
    };
    Ok((Loser { leaf, lost }, stamp))
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for (Loser { leaf, lost }, stamp) in self.iter() {
            write!(f, "{gap}{leaf}~")?;
            gap = " ";
            if let Some(stamp) = stamp {
                write!(f, "{stamp}")?;
            }
            match lost {
                Lost::Deletion => f.write_str("~deleted")?,
                Lost::Value(value) => match plain_text(value) {
                    Some(plain) => write!(f, "~s.{}", text::encode(plain))?,
                    None => write!(f, "~j.{}", text::encode(value))?,
                },
            }
        }
        Ok(())
    }
}

/// The text inside canonical quotes, where no escape hides in it.
pub(super) fn plain_text(canonical: &str) -> Option<&str> {
    let inner = canonical.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['\\', '"'])).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Document, Limits, Scalar};
    use proptest::prelude::*;

    fn loser(leaf: &str, value: &str) -> Loser {
        let lost = if value == "deleted" {
            Lost::Deletion
        } else {
            Lost::Value(value.to_owned())
        };
        Loser {
            leaf: leaf.to_owned(),
            lost,
        }
    }

    #[test]
    fn a_mangled_word_takes_no_other_with_it() {
        let row = "status~~s.late junk title~nonsense~s.x note~~s.gone";
        assert!(Conflicts::parse(row).is_err());
        assert_eq!(
            Conflicts::salvaged(row).to_string(),
            "note~~s.gone status~~s.late"
        );
    }

    proptest! {
        #[test]
        fn conflicts_read_back(values in proptest::collection::vec((any::<String>(), any::<String>()), 0..5)) {
            let mut conflicts = Conflicts::default();
            for (name, text) in &values {
                let leaf = super::super::Annotation::path(["meta", name]);
                let top = super::super::Annotation::path([name.as_str()]);
                conflicts.add(loser(&top, "deleted"), None);
                conflicts.add(loser(&leaf, &crate::yaml::double_quoted(text)), None);
            }
            conflicts.add(loser("", "deleted"), "4k2m9xa7-7f3kqd".parse().ok());
            conflicts.add(loser("meta.owner", "{\"a\":[1,null]}"), None);
            let text = conflicts.to_string();
            let document = Document::from_text(format!("a: {text}\n"), &Limits::default()).unwrap();
            let value = document.root().unwrap().get("a").unwrap().value();
            prop_assert_eq!(value.scalar(), Some(Scalar::Str(text.as_str().into())));
            prop_assert_eq!(Conflicts::parse(&text), Ok(conflicts));
        }

        #[test]
        fn what_is_read_is_written_so_that_it_reads_the_same(row in "([a-z%.]{0,3}~(4k2m9xa7-7f3kqd)?~(deleted|[sj]\\.[a-z%+0-9\"]{0,4}|.{0,3}) ?){0,3}") {
            if let Ok(conflicts) = Conflicts::parse(&row) {
                prop_assert_eq!(Conflicts::parse(&conflicts.to_string()), Ok(conflicts));
            }
        }

        #[test]
        fn merging_is_symmetric_and_keeps_what_nobody_settled(b in sets(), o in sets(), t in sets()) {
            let merged = Conflicts::merge(&b, &o, &t);
            prop_assert_eq!(&merged, &Conflicts::merge(&b, &t, &o));
            prop_assert_eq!(&Conflicts::merge(&b, &b, &t), &t);
            for (loser, _) in o.iter().filter(|(loser, _)| !b.contains(loser)) {
                prop_assert!(merged.contains(loser));
            }
            for (loser, _) in b.iter().filter(|(loser, _)| !o.contains(loser)) {
                prop_assert!(!merged.contains(loser) || !t.contains(loser));
            }
        }
    }

    fn sets() -> impl Strategy<Value = Conflicts> {
        proptest::collection::btree_set(0u8..5, 0..4).prop_map(|values| {
            let mut conflicts = Conflicts::default();
            for value in values {
                conflicts.add(loser("status", &format!("\"{value}\"")), None);
            }
            conflicts
        })
    }
}
