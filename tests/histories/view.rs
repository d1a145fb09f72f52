//! What a file shows and keeps, and what people do to it: the common language of model, driver and oracle.

use std::collections::{BTreeMap, BTreeSet};

use rhema_crdt::crdt::Stamp;

/// The leaf of the root.
pub(crate) const NAME: &str = "name";

/// The leaf that tells records apart for the oracle: a function of the birth, never edited.
pub(crate) const ORIGIN: &str = "origin";

/// The leaves of a record that people edit, as annotations name them, and whether a record can be without.
pub(crate) const LEAVES: [(&str, bool); 5] = [
    ("title", false),
    ("status", true),
    ("completed_at", true),
    ("priority", true),
    ("meta.owner", false),
];

/// The leaves that are one register.
pub(crate) const GROUP: [&str; 2] = ["status", "completed_at"];

/// The leaves that are decided together with `leaf`.
pub(crate) fn group_of(leaf: &str) -> Vec<&str> {
    if GROUP.contains(&leaf) {
        GROUP.to_vec()
    } else {
        vec![leaf]
    }
}

/// A value, or that there is none.
pub(crate) type Value = Option<String>;

/// A record, or the root, as people see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) leaves: BTreeMap<String, String>,
    pub(crate) tags: BTreeSet<String>,
    /// What lost: the leaf (empty for the record itself) and the value, none for a deletion.
    pub(crate) kept: BTreeSet<(String, Value)>,
}

impl Seen {
    /// Without losers that are shown after all: somebody typed them in without the tool.
    pub(crate) fn tidy(mut self) -> Self {
        let kept = std::mem::take(&mut self.kept);
        self.kept = kept
            .into_iter()
            .filter(|(leaf, value)| leaf.is_empty() || self.shown(leaf) != *value)
            .collect();
        self
    }

    /// The value that a leaf shows.
    pub(crate) fn shown(&self, leaf: &str) -> Value {
        self.leaves.get(leaf).cloned()
    }

    /// The values that a leaf shows or keeps.
    pub(crate) fn values(&self, leaf: &str) -> BTreeSet<Value> {
        let kept = self.kept.iter().filter(|(of, _)| of == leaf);
        let mut values: BTreeSet<Value> = kept.map(|(_, value)| value.clone()).collect();
        values.insert(self.shown(leaf));
        values
    }
}

/// A file as people see it; the root is the record without a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) records: BTreeMap<String, Seen>,
}

impl View {
    /// The record that was born as `origin`; the root for nothing.
    pub(crate) fn born_as(&self, origin: &str) -> Option<&Seen> {
        self.records
            .iter()
            .find(|(id, seen)| {
                if origin.is_empty() {
                    id.is_empty()
                } else {
                    seen.leaves.get(ORIGIN).is_some_and(|born| born == origin)
                }
            })
            .map(|(_, seen)| seen)
    }

    /// The names of its records.
    pub(crate) fn ids(&self) -> Vec<&String> {
        self.records.keys().filter(|id| !id.is_empty()).collect()
    }
}

/// What a person does to a file.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Set {
        id: String,
        leaf: String,
        value: Value,
    },
    Add {
        id: String,
        title: String,
        origin: String,
    },
    Remove {
        id: String,
    },
    Tag {
        id: String,
        tag: String,
    },
    Untag {
        id: String,
        tag: String,
    },
}

impl Change {
    /// The record and the leaf of it, or the tag, that is changed; neither for the record as a whole.
    pub(crate) fn leaf(&self) -> (&str, [Option<&str>; 2]) {
        match self {
            Change::Set { id, leaf, .. } => (id, [Some(leaf), None]),
            Change::Tag { id, tag } | Change::Untag { id, tag } => (id, [None, Some(tag)]),
            Change::Add { id, .. } | Change::Remove { id } => (id, [None, None]),
        }
    }
}

/// An open conflict and what somebody makes of it.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) id: String,
    pub(crate) leaf: String,
    /// A loser that is taken; the shown value if none.
    pub(crate) taken: Option<Value>,
}

/// Whether records have room for every stamp, or for none that HEAD contains.
pub(crate) type Roomy = bool;

/// The files in the ancestries of two commits, newest first.
#[derive(Debug)]
pub(crate) struct Past<F> {
    /// Those of the first one's ancestry alone.
    pub(crate) ours: Vec<F>,
    pub(crate) theirs: Vec<F>,
    pub(crate) both: Vec<F>,
}

/// Something that keeps files as documents: the model, or the driver.
pub(crate) trait Tool {
    type File: Clone + std::fmt::Debug;
    fn start(roomy: Roomy) -> Self::File;
    fn view(file: &Self::File) -> View;
    fn change(file: &mut Self::File, change: &Change);
    /// Stamps what differs from HEAD, each new record with one of `births`.
    fn stamp(
        head: &Self::File,
        work: &Self::File,
        stamp: Stamp,
        births: &mut dyn Iterator<Item = Stamp>,
    ) -> Self::File;
    fn resolve(head: &Self::File, choice: &Choice, stamp: Stamp) -> Self::File;
    fn merge(base: &Self::File, ours: &Self::File, theirs: &Self::File) -> Self::File;
    /// The same for base and both sides of two commits that have this past.
    fn merge_commits(files: [&Self::File; 3], _past: &Past<Self::File>) -> Self::File {
        let [base, ours, theirs] = files;
        Self::merge(base, ours, theirs)
    }
    /// Another tool writes the file anew: the same values, without annotations but the marker, without remarks or style.
    fn rewrite(file: &Self::File) -> Self::File;
}
