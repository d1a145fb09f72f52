//! What stands under `_crdt`: the stamps of a record's fields, or of the root's.
//!
//! A record's annotation is a row of words:
//!
//! ```text
//! +4k2m9xa7-7f3kqd~a1f 4k2mf03c-7f3kqd status~9c2 title~d01 -4k2mez11-01xyz9
//! ```
//!
//! `+` opens the birth (stamp and digest of the defining field then); a bare stamp opens an edit; then come the fields it
//! changed, each with the digest of the value that it wrote or with the amount that it added to a counter, and with `-` the
//! stamps that it superseded and that no commit held; of many that one replica made, `-4k2mez11..4k2mf03c-01xyz9` names the
//! first and the last. The root's annotation is the document's marker: `v1`, the types of the top-level collections, and behind
//! a `|` the same row of words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::text;
use crate::crdt::{Amounts, Birth, Digest, Run, Stamp, StampSet};

/// A stamp with the digest of the value that it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StampedValue {
    /// The edit.
    pub stamp: Stamp,
    /// The value that it wrote.
    pub digest: Digest,
}

/// The edits that a record, or the root, knows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotation {
    /// Its birth, once that has been written down.
    pub birth: Option<Birth>,
    /// For every changed leaf, named by its path, the edits that made its value: one, or the heads of a merged text.
    pub leaves: BTreeMap<String, BTreeSet<StampedValue>>,
    /// For every counter, named by its path, what edits added to it: all that no commit held, and of the rest what has room.
    pub amounts: BTreeMap<String, Amounts>,
    /// For an edit the stamps that it superseded and that were in no commit then.
    pub superseded: BTreeMap<Stamp, StampSet>,
}

/// A text that is no annotation: somebody else's value under our key, or a mangled one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an annotation of this version")]
pub struct NotAnAnnotation;

impl Annotation {
    /// Reads an annotation.
    ///
    /// # Errors
    /// When any word of it is not understood: half an annotation says nothing reliable.
    pub fn parse(text: &str) -> Result<Self, NotAnAnnotation> {
        let mut annotation = Self::default();
        let mut edit: Option<Stamp> = None;
        let mut edits: BTreeMap<Stamp, bool> = BTreeMap::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            if let Some(birth) = word.strip_prefix('+') {
                let (stamp, digest) = birth.split_once('~').ok_or(NotAnAnnotation)?;
                let stamp = match stamp {
                    "" => None,
                    stamp => Some(stamp.parse().map_err(|_| NotAnAnnotation)?),
                };
                let digest = digest.parse().map_err(|_| NotAnAnnotation)?;
                if annotation.birth.replace(Birth { stamp, digest }).is_some() {
                    return Err(NotAnAnnotation);
                }
            } else if let Some(run) = word.strip_prefix('-') {
                let run: Run = run.parse().map_err(|_| NotAnAnnotation)?;
                let edit = edit.ok_or(NotAnAnnotation)?;
                annotation.superseded.entry(edit).or_default().insert(run);
            } else if let Some((leaf, digest)) = word.split_once('~') {
                let stamp = edit.ok_or(NotAnAnnotation)?;
                let names = text::decode_path(leaf).ok_or(NotAnAnnotation)?;
                let leaf = Self::path(names.iter().map(String::as_str));
                if digest.starts_with(['+', '-']) {
                    let amount = digest.parse().map_err(|_| NotAnAnnotation)?;
                    let amounts = annotation.amounts.entry(leaf).or_default();
                    amounts.insert(stamp, amount);
                } else {
                    let digest = digest.parse().map_err(|_| NotAnAnnotation)?;
                    let stamps = annotation.leaves.entry(leaf).or_default();
                    stamps.insert(StampedValue { stamp, digest });
                }
                edits.insert(stamp, true);
            } else {
                let stamp = word.parse().map_err(|_| NotAnAnnotation)?;
                edits.insert(stamp, false);
                edit = Some(stamp);
            }
        }
        // An edit that changed nothing is none.
        let all_changed = edits.values().all(|changed| *changed);
        all_changed.then_some(annotation).ok_or(NotAnAnnotation)
    }

    /// Whether it says nothing and need not be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.birth.is_none() && self.leaves.is_empty() && self.amounts.is_empty()
    }

    /// The path of a leaf as annotations name it.
    #[must_use]
    pub fn path<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
        text::encode_path(names)
    }

    /// The names in a path; none in that of the record itself. What is not spelled as [`Annotation::path`] does stands
    /// for itself.
    #[must_use]
    pub fn names(path: &str) -> Vec<String> {
        if path.is_empty() {
            return Vec::new();
        }
        text::decode_path(path).unwrap_or_else(|| path.split('.').map(str::to_owned).collect())
    }

    /// The stamps of a leaf that belong to the value whose digest is given.
    pub fn fitting(&self, leaf: &str, digest: Digest) -> impl Iterator<Item = Stamp> + '_ {
        self.leaves
            .get(leaf)
            .into_iter()
            .flatten()
            .filter(move |stamped| stamped.digest == digest)
            .map(|stamped| stamped.stamp)
    }

    /// The stamps of what stands: of the birth, and of the edits of leaves.
    pub fn standing(&self) -> impl Iterator<Item = Stamp> + '_ {
        let birth = self.birth.and_then(|birth| birth.stamp);
        let leaves = self.leaves.values().flatten().map(|stamped| stamped.stamp);
        let added = self.amounts.values().flatten().map(|(stamp, _)| *stamp);
        birth.into_iter().chain(leaves).chain(added)
    }

    /// Every stamp that it names, of a run of superseded ones the first and the last.
    pub fn named(&self) -> impl Iterator<Item = Stamp> + '_ {
        let runs = self.superseded.values().flat_map(StampSet::runs);
        let superseded = runs.flat_map(|run| [run.first(), run.last()]);
        self.standing().chain(superseded)
    }

    /// The stamps that whoever edited a leaf had seen: all that are named one by one, and the runs that edits of this leaf
    /// superseded. (A run goes over what its replica did to other leaves.)
    #[must_use]
    pub fn known(&self, leaf: &str) -> StampSet {
        let mut known: StampSet = self.standing().collect();
        known.union(&self.superseded_at(leaf));
        known
    }

    /// The superseded stamps that say something of a leaf: all that are named one by one, and the runs that edits of this leaf
    /// superseded.
    pub(super) fn superseded_at(&self, leaf: &str) -> StampSet {
        let mut all = StampSet::default();
        for (stamp, superseded) in &self.superseded {
            let mut edits = self.leaves.get(leaf).into_iter().flatten();
            match edits.any(|edit| edit.stamp == *stamp) {
                true => all.union(superseded),
                false => all.extend(superseded.singles()),
            }
        }
        all
    }
}

impl fmt::Display for Annotation {
    /// The one way to write it: edits by stamp, leaves by name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut edits: BTreeMap<Stamp, BTreeSet<String>> = BTreeMap::new();
        for (leaf, stamps) in &self.leaves {
            for StampedValue { stamp, digest } in stamps {
                let words = edits.entry(*stamp).or_default();
                words.insert(format!("{leaf}~{digest}"));
            }
        }
        for (leaf, amounts) in &self.amounts {
            for (stamp, amount) in amounts {
                let words = edits.entry(*stamp).or_default();
                words.insert(format!("{leaf}~{amount:+}"));
            }
        }
        let mut gap = "";
        if let Some(Birth { stamp, digest }) = self.birth {
            match stamp {
                Some(stamp) => write!(f, "+{stamp}~{digest}")?,
                None => write!(f, "+~{digest}")?,
            }
            gap = " ";
        }
        for (stamp, words) in edits {
            write!(f, "{gap}{stamp}")?;
            gap = " ";
            for word in words {
                write!(f, " {word}")?;
            }
            let superseded = self.superseded.get(&stamp).into_iter();
            let mut superseded: Vec<&Run> = superseded.flat_map(StampSet::runs).collect();
            superseded.sort();
            for run in superseded {
                write!(f, " -{run}")?;
            }
        }
        Ok(())
    }
}

/// The stamps that a text may name in runs: it need not be read for that.
#[must_use]
pub fn runs_in(text: &[u8]) -> StampSet {
    const TIME: usize = "4k2mez11".len();
    let between = memchr::memmem::find_iter(text, "..");
    let runs = between.filter_map(|dots| {
        let end = dots + "..".len() + Stamp::CHARS;
        let run = text.get(dots.checked_sub(TIME)?..end)?;
        std::str::from_utf8(run).ok()?.parse::<Run>().ok()
    });
    runs.collect()
}

/// The marker of a document: the first entry of its root mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// The types of top-level collections, as `name=type` says them.
    pub types: BTreeMap<String, String>,
    /// What the root's own leaves say of themselves.
    pub annotation: Annotation,
}

/// The version of the format.
const VERSION: &str = "v1";

impl Marker {
    /// Reads a marker.
    ///
    /// # Errors
    /// When it is not of this version, or not understood.
    pub fn parse(text: &str) -> Result<Self, NotAnAnnotation> {
        let (head, stamps) = text.split_once(" | ").unwrap_or((text, ""));
        let mut words = head.split(' ').filter(|word| !word.is_empty());
        if words.next() != Some(VERSION) {
            return Err(NotAnAnnotation);
        }
        let types = words
            .map(|word| {
                let (name, kind) = word.split_once('=')?;
                Some((text::decode(name)?.into_owned(), kind.to_owned()))
            })
            .collect::<Option<_>>()
            .ok_or(NotAnAnnotation)?;
        Ok(Self {
            types,
            annotation: Annotation::parse(stamps)?,
        })
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        for (name, kind) in &self.types {
            write!(f, " {}={kind}", text::encode(name))?;
        }
        if !self.annotation.is_empty() {
            write!(f, " | {}", self.annotation)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{Clock, Replica};
    use crate::yaml::{Document, Limits, Scalar};
    use proptest::prelude::*;

    #[test]
    fn an_annotation_reads_back_in_its_one_spelling() {
        let text = "+4k2m9xa7-7f3kqd~a1f 4k2mez11-01xyz9 notes~000 votes~+3 4k2mf03c-7f3kqd meta.owner~9c2 status~9c2 votes~-12 -4k2mez11..4k2mez1f-01xyz8 -4k2mez11-01xyz9";
        let annotation = Annotation::parse(text).unwrap();
        assert_eq!(annotation.to_string(), text);
        let status = annotation.leaves.get("status").unwrap().first().unwrap();
        assert_eq!(annotation.fitting("status", status.digest).count(), 1);
        assert_eq!(
            annotation.fitting("status", Digest::of(b"other")).count(),
            0
        );
        let votes: Vec<i64> = annotation.amounts["votes"].values().copied().collect();
        assert_eq!(votes, [3, -12]);
        assert_eq!(annotation.standing().count(), 6);
    }

    #[test]
    fn runs_are_found_in_any_text() {
        let run: Run = "4k2mez11..4k2mf03c-01xyz9".parse().unwrap();
        let text = format!("a: ..\n..\n_crdt: 4k2mf03d-01xyz9 a~a1f -{run}\nb: x..y-01xyz9..");
        assert_eq!(runs_in(text.as_bytes()).runs(), [run]);
        assert!(runs_in(b"..4k2mf03c-01xyz9 4k2mez11..").is_empty());
    }

    #[test]
    fn a_birth_without_stamp_and_a_marker_read_back() {
        for text in ["+~a1f", "4k2m9xa7-7f3kqd a~a1f"] {
            assert_eq!(Annotation::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "v1",
            "v1 todos=or_set",
            "v1 a=list todos=or_set | 4k2m9xa7-7f3kqd name~a1f",
        ] {
            assert_eq!(Marker::parse(text).unwrap().to_string(), text);
        }
    }

    fn stamps() -> impl Strategy<Value = Stamp> {
        (0u64..1 << 40, any::<u32>()).prop_map(|(millis, bits)| {
            let mut clock = Clock::new(Replica::from_bits(bits), None);
            clock.tick(1_577_836_800_000 + millis).unwrap()
        })
    }

    fn runs() -> impl Strategy<Value = Run> {
        (stamps(), stamps()).prop_map(|(one, other)| {
            let run = Run::new(one.min(other), one.max(other));
            run.unwrap_or_else(|| one.into())
        })
    }

    fn digests() -> impl Strategy<Value = Digest> {
        any::<u16>().prop_map(|bytes| Digest::of(&bytes.to_le_bytes()))
    }

    fn annotations() -> impl Strategy<Value = Annotation> {
        let birth = proptest::option::of((proptest::option::of(stamps()), digests()));
        let leaf = proptest::collection::vec(any::<String>(), 1..4);
        let edit = (
            stamps(),
            proptest::collection::vec((leaf, digests(), any::<Option<i64>>()), 1..4),
            proptest::collection::vec(runs(), 0..3),
        );
        (birth, proptest::collection::vec(edit, 0..4)).prop_map(|(birth, edits)| {
            let mut annotation = Annotation {
                birth: birth.map(|(stamp, digest)| Birth { stamp, digest }),
                ..Annotation::default()
            };
            for (stamp, leaves, superseded) in edits {
                for (names, digest, amount) in leaves {
                    let leaf = Annotation::path(names.iter().map(String::as_str));
                    if let Some(amount) = amount {
                        let amounts = annotation.amounts.entry(leaf).or_default();
                        amounts.insert(stamp, amount);
                        continue;
                    }
                    let stamps = annotation.leaves.entry(leaf).or_default();
                    stamps.insert(StampedValue { stamp, digest });
                }
                if !superseded.is_empty() {
                    let superseded = superseded.into_iter().collect();
                    annotation.superseded.insert(stamp, superseded);
                }
            }
            annotation
        })
    }

    /// Rows of words that look like annotations, and are, or nearly.
    fn rows() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            Just("4k2m9xa7-7f3kqd".to_owned()),
            Just("4k2mez11-01xyz9".to_owned()),
            Just("-4k2m9xa7-7f3kqd".to_owned()),
            Just("-4k2m9xa7..4k2mez11-7f3kqd".to_owned()),
            Just("-4k2mez11..4k2m9xa7-7f3kqd".to_owned()),
            Just("+4k2m9xa7-7f3kqd~a1f".to_owned()),
            Just("+~a1f".to_owned()),
            Just("status~9c2".to_owned()),
            Just("meta.owner~9c2".to_owned()),
            Just("v1".to_owned()),
            Just("|".to_owned()),
            Just("todos=or_set".to_owned()),
            "[a-z%+~.=-]{0,5}",
            any::<String>(),
        ];
        proptest::collection::vec(word, 0..6).prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn every_annotation_reads_back(annotation in annotations(), types in proptest::collection::btree_map(any::<String>(), "[a-z_]+", 0..3)) {
            let text = annotation.to_string();
            prop_assert_eq!(Annotation::parse(&text), Ok(annotation.clone()), "{}", text);
            let marker = Marker { types, annotation };
            let text = marker.to_string();
            prop_assert_eq!(Marker::parse(&text), Ok(marker), "{}", text);
            // It is one plain string, in a block and in brackets.
            for yaml in [format!("a: {text}\n"), format!("{{a: {text}}}\n")] {
                let document = Document::from_text(yaml, &Limits::default()).unwrap();
                let value = document.root().unwrap().get("a").unwrap().value();
                prop_assert_eq!(value.scalar(), Some(Scalar::Str(text.as_str().into())));
            }
        }

        #[test]
        fn names_read_back_from_their_path(names in proptest::collection::vec(any::<String>(), 1..4)) {
            let path = Annotation::path(names.iter().map(String::as_str));
            prop_assert_eq!(Annotation::names(&path), names, "{}", path);
        }

        #[test]
        fn what_is_read_is_written_so_that_it_reads_the_same(row in rows()) {
            if let Ok(annotation) = Annotation::parse(&row) {
                prop_assert_eq!(Annotation::parse(&annotation.to_string()), Ok(annotation));
            }
            for row in [row.clone(), format!("v1 {row}")] {
                if let Ok(marker) = Marker::parse(&row) {
                    prop_assert_eq!(Marker::parse(&marker.to_string()), Ok(marker));
                }
            }
        }
    }

    #[test]
    fn names_that_look_like_something_else_are_spelled_out() {
        for (name, path) in [
            ("-x", ".-x"),
            (" x", ".+x"),
            ("#x", ".%23x"),
            ("", ".%"),
            ("a-b c", "a-b+c"),
        ] {
            assert_eq!(Annotation::path([name]), path);
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_whole() {
        for text in [
            "x",
            "status~a1f",
            "4k2m9xa7-7f3kqd status",
            "+4k2m9xa7-7f3kqd",
            "-4k2m9xa7-7f3kqd",
            "+~a1f +~a1f",
            "4k2m9xa7-7f3kqd",
            "4k2m9xa7-7f3kqd ~a1f",
            "4k2m9xa7-7f3kqd a..b~a1f",
            "4k2m9xa7-7f3kqd votes~+",
            "4k2m9xa7-7f3kqd votes~+9223372036854775808",
            "4k2m9xa7-7f3kqd -4k2mez11-01xyz9",
            "4k2m9xa7-7f3kqd a~a1f -4k2mez11..4k2m9xa7-01xyz9",
            "4k2m9xa7..4k2mez11-7f3kqd a~a1f",
        ] {
            assert_eq!(Annotation::parse(text), Err(NotAnAnnotation), "{text}");
        }
        for text in ["", "v2 todos=or_set", "v1 todos", "or_set"] {
            assert_eq!(Marker::parse(text), Err(NotAnAnnotation), "{text}");
        }
    }
}
