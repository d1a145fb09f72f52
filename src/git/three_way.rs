//! The merge of one file as the driver does it: by structure, else as text, and never worse than git.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::MergedCommits;
use super::text_merge::{TextMerge, text_merge};
use crate::context::Types;
use crate::merge::{self, Ancestry, Kept, Labels, Merged, Options, Version};

/// The three versions of a file.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// What both sides started from; empty where the file is new on both.
    pub base: &'a [u8],
    /// Our version.
    pub ours: &'a [u8],
    /// Their version.
    pub theirs: &'a [u8],
}

/// How places that people must settle are marked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The length of the markers; git's default is 7.
    pub marker_size: usize,
    /// What our side is called.
    pub ours: String,
    /// What the common ancestor is called.
    pub base: String,
    /// What their side is called.
    pub theirs: String,
    /// The types of places in documents.
    pub types: Types,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            marker_size: 7,
            ours: "ours".into(),
            base: "base".into(),
            theirs: "theirs".into(),
            types: Types::default(),
        }
    }
}

/// A merged file.
#[derive(Debug, PartialEq, Eq)]
pub struct MergedFile {
    /// What came of it.
    pub ending: Ending,
    /// How many losing values a document keeps since this merge.
    pub kept: Kept,
    /// Why it was merged as text, where it was.
    pub fallback: Option<Fallback>,
}

/// Why a file could not be merged by structure.
#[derive(Debug, PartialEq, Eq)]
pub enum Fallback {
    /// It has none that can be read, or merged.
    Refused(merge::Error),
    /// A mistake of ours.
    Panicked,
}

impl Fallback {
    /// The reason in one line, with the place in the file called `name` where it has one: `name:line:column: …`.
    #[must_use]
    pub fn told_of(&self, name: &str) -> String {
        let reason = match self {
            Self::Refused(merge::Error::Unreadable(version, error)) => {
                let version = match version {
                    Version::Base => "the common ancestor",
                    Version::Ours => "our version",
                    Version::Theirs => "their version",
                };
                return format!("{name}:{error} (in {version}), so it was merged as text");
            }
            Self::Refused(error) => error.to_string(),
            Self::Panicked => "merging by structure failed for a reason of our own making, which the authors would \
                               like to know with the three files"
                .to_owned(),
        };
        format!("{name}: {reason}, so it was merged as text")
    }
}

/// What came of a merge.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// These bytes hold the merge.
    Clean(Vec<u8>),
    /// These bytes hold the merge, with some places marked for people to settle.
    Marked {
        /// The bytes.
        bytes: Vec<u8>,
        /// How many places.
        conflicts: usize,
    },
    /// Binary files that differ: there is nothing to write, ours stands.
    Binary,
}

/// Merges three versions of a file by structure, or as text exactly as git would where that cannot be.
#[must_use]
pub fn merge_files(sides: &Sides<'_>, settings: &Settings) -> MergedFile {
    merge_files_of(sides, settings, None)
}

/// The same for versions of two commits whose ancestries can be asked.
#[must_use]
pub fn merge_files_of(
    sides: &Sides<'_>,
    settings: &Settings,
    commits: Option<&MergedCommits<'_>>,
) -> MergedFile {
    let options = Options {
        marker_size: settings.marker_size,
        labels: Labels {
            ours: &settings.ours,
            theirs: &settings.theirs,
        },
        ancestry: commits.map(|commits| commits as &dyn Ancestry),
        types: Some(&settings.types),
        ..Options::default()
    };
    // A merge that stops halfway would take git's whole merge down with it. Whatever a bug does, text merging is left.
    let by_structure = catch_unwind(AssertUnwindSafe(|| {
        merge::merge(sides.base, sides.ours, sides.theirs, &options)
    }));
    let fallback = match by_structure {
        Ok(Ok(Merged {
            bytes,
            contested,
            kept,
        })) => {
            return MergedFile {
                ending: Ending::of(bytes, contested),
                kept,
                fallback: None,
            };
        }
        Ok(Err(error)) => Fallback::Refused(error),
        Err(_) => Fallback::Panicked,
    };
    let ending = match text_merge(sides, settings) {
        TextMerge::Merged { bytes, conflicts } => Ending::of(bytes, conflicts),
        TextMerge::Binary => Ending::Binary,
    };
    MergedFile {
        ending,
        kept: Kept::default(),
        fallback: Some(fallback),
    }
}

impl Ending {
    fn of(bytes: Vec<u8>, conflicts: usize) -> Self {
        if conflicts == 0 {
            Self::Clean(bytes)
        } else {
            Self::Marked { bytes, conflicts }
        }
    }
}
