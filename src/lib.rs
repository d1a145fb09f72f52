//! CRDT-backed YAML context files in a git repository.
//!
//! The arrows between the folders point downwards only:
//!
//! - [`yaml`]: reads and writes YAML without losing a byte; knows nothing of git or of merging.
//! - [`crdt`]: the pure core: stamps, clocks, registers.
//! - [`context`]: between YAML and the CRDTs: what a context file says about its own edits.
//! - [`merge`]: merges three versions of a document by structure; a pure function of three texts.
//! - [`overlay`]: what a work tree shows: HEAD, and the known edits that it does not contain.
//! - [`exchange`]: how two replicas come to know the same edits; a pure engine without sockets.
//! - [`query`]: questions about records, `todos WHERE status = 'pending'`; pure.
//! - `git`: the repository around the files: discovery, attributes, driver configuration, listing.
//! - `node`: who this work tree is: its key, its clock, the members.
//! - `store`: what this work tree knows beside its files: edits, renderings, caches.
//! - `remote`: what a replica leaves on the git remote, and how others read it.
//! - `net`: other work trees over the network: how they are found, proved and talked to; moves frames of bytes.
//! - `watch`: which files were written, as soon as the system tells.
//! - `replica`: the work tree as a replica: what `sync` and the edits by command do.
//! - `settling`: open conflicts as people and programs see them, the walk over them, and why something stands as it does.
//! - `asking`: commands ask the program that stays in their work tree.
//! - `history`: what was edited, when and by whom, by git and the known edits together.
//! - `setup`: what `init` does and `uninit` takes back.
//! - `surroundings`: the time, randomness and crashes, which a simulation gives in the place of the system.
//! - `demo`: two people, two clones and one merge, told in plain words.
//! - `cli`: one file per command; parses arguments and prints, nothing else.

// Strategies in `tests/support` name this crate as tests outside of it do.
#[cfg(test)]
extern crate self as rhema_crdt;

#[cfg(feature = "net")]
mod asking;
#[cfg(feature = "cli")]
pub mod cli;
pub mod context;
pub mod crdt;
#[cfg(feature = "cli")]
mod demo;
pub mod exchange;
#[cfg(feature = "git")]
pub mod git;
#[cfg(feature = "node")]
pub mod history;
pub mod merge;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "node")]
pub mod node;
pub mod overlay;
#[cfg(feature = "net")]
pub mod peers;
pub mod query;
#[cfg(feature = "net")]
pub mod remote;
#[cfg(feature = "node")]
pub mod replica;
#[cfg(feature = "node")]
pub mod settling;
#[cfg(feature = "node")]
pub mod setup;
#[cfg(feature = "node")]
pub mod store;
#[cfg(feature = "git")]
pub mod surroundings;
#[cfg(feature = "net")]
pub mod watch;
pub mod yaml;
