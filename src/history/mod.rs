//! What was edited in documents, when and by whom: by git's commits and the known edits together.
//!
//! An *entry* is one thing that happened to one place: a leaf was changed, a record born, removed or moved, a conflict left or settled.
//! Git tells of them by the difference of a commit from its parent, the store by the edits that are known; what both tell of is one
//! entry, with the stamp of the edit and the commit that has it. Nothing is recorded here, and without a store git alone is asked.
//!
//! `entry.rs` is what is told, `changes.rs` what became of a place from one version to the next, `versions.rs` reads versions of a document, and
//! of large ones only what somebody asks for. `known.rs` has the edits of the store as entries, `commits.rs` those of a commit, which
//! `memory.rs` remembers (and `learning.rs` finds out before anybody asks), `log.rs` both in order of time, `brought.rs` which commit has an edit, `blame.rs` the last of them for each leaf (`unchanged.rs`: without
//! reading what is remembered to stand as before), `past.rs` documents as they were, `undoing.rs` takes back, `people.rs` whose edits are whose. Depends on
//! `store`, `node`, `git`, `overlay`, `context` and `crdt`, never on `replica` or `cli`.

mod blame;
mod brought;
mod changes;
mod commits;
mod entry;
mod error;
mod known;
mod learning;
mod log;
mod memory;
mod past;
mod people;
mod unchanged;
mod undoing;
mod versions;

pub use blame::{Blame, Origin, blame, last_edit_of};
pub use changes::{Happened, difference};
pub use commits::compared;
pub use entry::{Entry, Kind, State, Who};
pub use error::Error;
pub use learning::{AT_ONCE, IN_PASSING, learn};
pub use log::{Asked, Ended, is_about, log};
pub use memory::Memory;
pub use past::{Instant, commit_of, document_at};
pub use people::People;
pub use undoing::{Undoing, Undone, undoing, undoing_commit, undoing_last, value_at};
