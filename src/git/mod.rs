//! The repository around the files: where it is, what it holds, how its merge driver is set up, and the merge of three
//! files as git's driver does it.
//!
//! Depends on `overlay`, `merge` and `yaml`, never on `cli`. Two rules keep the folder honest. What git writes (its configuration)
//! is written by the `git` program, so that locks, includes and quoting are git's own; what git holds (index, HEAD,
//! attributes) is read through libgit2, which costs no process. And what a merge needs touches neither:
//! [`merge_files`] works outside any repository and starts at once. Only where git names the commits that it merges their
//! history is asked, too ([`MergedCommits`]). Of large documents that are only told about no more is read than is asked for
//! (`excerpted.rs`).

mod ancestry;
mod attributes;
#[cfg(feature = "net")]
mod away;
mod care;
mod changes;
mod committing;
mod config;
pub(crate) mod crash;
mod documents;
mod driver;
mod editing;
mod error;
mod excerpted;
mod graph;
mod healing;
mod history;
mod index;
mod lock;
mod marked;
mod meeting;
mod mending;
mod moves;
#[cfg(feature = "net")]
mod outpost;
mod passing;
mod program;
mod reflog;
mod replace;
mod repo;
mod rest;
mod saves;
mod settling;
mod setup;
mod shared;
mod text_merge;
mod three_way;
mod versions;
mod walk;

pub use ancestry::MergedCommits;
#[cfg(feature = "net")]
pub use away::{Patience, Prompts};
pub use committing::Staged;
pub use documents::{ContextFiles, Document, Documents, State, lacks_marker};
pub(crate) use documents::{marked_places, scope_of};
pub use driver::{Driver, this_program};
pub use editing::Within;
pub use error::Error;
pub use healing::{Healing, Merge, Misread, Mistakes, Putting};
pub use history::DocumentHistory;
pub(crate) use lock::lock;
pub(crate) use marked::{Lines, settled};
pub use mending::{Favour, Mended};
#[cfg(feature = "net")]
pub use outpost::{Namespace, Outpost, Piece, Pushed, Tip};
pub use passing::{Passed, Passing};
pub use reflog::{Action, HeadLog, LogPosition, Movement, Reach};
pub(crate) use replace::held;
pub(crate) use replace::sweep;
pub use replace::{TakenOut, replace, replace_durably};
pub use repo::Repo;
pub use rest::Stillness;
pub use saves::Save;
pub(crate) use saves::unsettled_for;
pub use settling::{Fitting, Open, OpenConflicts, Settled, Source};
pub use setup::{Change, Plan};
pub(crate) use shared::is_shared;
pub use three_way::{Ending, Fallback, MergedFile, Settings, Sides, merge_files, merge_files_of};
pub use versions::{HeadVersion, Moved, Stamps};
#[cfg(feature = "net")]
pub(crate) use walk::is_in_context;
pub(crate) use walk::{git_path, is_context_file, native_path};

/// The name of the merge driver: in `.gitattributes` as `merge=rhema-crdt`, in the configuration as
/// `merge.rhema-crdt.driver`.
pub const DRIVER: &str = "rhema-crdt";
