//! The merge of one file as the driver does it: by structure, else as text, and never worse than git.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::text_merge::{TextMerge, text_merge};

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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            marker_size: 7,
            ours: "ours".into(),
            base: "base".into(),
            theirs: "theirs".into(),
        }
    }
}

/// A merged file.
#[derive(Debug, PartialEq, Eq)]
pub struct MergedFile {
    /// What came of it.
    pub ending: Ending,
    /// Why it was not merged by structure, where it was not.
    pub fallback: Option<String>,
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

/// Merges three versions of a file by structure, or as text exactly as git would where they have none that can be read.
#[must_use]
pub fn merge_files(sides: &Sides<'_>, settings: &Settings) -> MergedFile {
    // A merge that stops halfway would take git's whole merge down with it. Whatever a bug does, text merging is left.
    let by_structure = catch_unwind(AssertUnwindSafe(|| structural(sides, settings)));
    let reason = match by_structure {
        Ok(Ok(ending)) => {
            return MergedFile {
                ending,
                fallback: None,
            };
        }
        Ok(Err(reason)) => reason,
        Err(_) => {
            "internal error while merging by structure; please report it with the three files"
                .to_owned()
        }
    };
    let ending = match text_merge(sides, settings) {
        TextMerge::Merged {
            bytes,
            conflicts: 0,
        } => Ending::Clean(bytes),
        TextMerge::Merged { bytes, conflicts } => Ending::Marked { bytes, conflicts },
        TextMerge::Binary => Ending::Binary,
    };
    MergedFile {
        ending,
        fallback: Some(reason),
    }
}

/// Merges by structure, or says why that cannot be.
fn structural(_sides: &Sides<'_>, _settings: &Settings) -> Result<Ending, String> {
    Err("structural merging is not there yet".to_owned())
}
