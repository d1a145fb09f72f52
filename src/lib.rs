//! CRDT-backed YAML context files in a git repository.
//!
//! The arrows between the folders point downwards only:
//!
//! - [`yaml`]: reads and writes YAML without losing a byte; knows nothing of git or of merging.
//! - [`merge`]: merges three versions of a document by structure; a pure function of three texts.
//! - `git`: the repository around the files: discovery, attributes, driver configuration, listing.
//! - `demo`: two people, two clones and one merge, told in plain words.
//! - `cli`: one file per command; parses arguments and prints, nothing else.

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
mod demo;
#[cfg(feature = "git")]
pub mod git;
pub mod merge;
pub mod yaml;
