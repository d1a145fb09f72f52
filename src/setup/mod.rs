//! Setting up a clone and its context files, and taking all of it back.
//!
//! Both are planned first and carried out after: a dry run shows exactly what would happen, a second run finds nothing to
//! do, and what fails in the middle leaves everything as it was. Depends on `context`, `git` and `node`.

mod autostart;
mod configuring;
mod error;
mod files;
mod hooks;
mod init;
mod journal;
mod uninit;
mod verify;

use std::path::PathBuf;

pub use autostart::{AtLogin, AutoSync, Commands};
pub use error::Error;
pub use init::{Init, Wanted};
pub use uninit::Uninit;
pub use verify::{Finding, Verified, full_counters, verify, verify_merges};

use crate::git;
use crate::node::{Discovery, NodeId, Role};

/// One thing that a plan changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The merge driver: attributes or configuration.
    Driver(git::Change),
    /// A document gets its marker.
    Mark {
        /// The document.
        path: PathBuf,
        /// Whether it was rewritten from the verbose form.
        rewritten: bool,
    },
    /// Annotations go from a document.
    Unmark {
        /// The document.
        path: PathBuf,
        /// Whether it is given back in the verbose form that it had.
        verbose: bool,
    },
    /// The node gets its key and its clock.
    MakeNode {
        /// Where they lie.
        path: PathBuf,
    },
    /// The state of the node goes.
    RemoveNode {
        /// Where it lies.
        path: PathBuf,
    },
    /// The node becomes a member.
    Join {
        /// The file.
        path: PathBuf,
        /// What it may do.
        role: Role,
        /// What it is called.
        name: String,
    },
    /// The hook that stamps what is committed comes.
    AddHook {
        /// Where it lies.
        path: PathBuf,
        /// Whether another one is there, which is kept and run first.
        keeps_another: bool,
    },
    /// The hook gets the text that it should have.
    RenewHook {
        /// Where it lies.
        path: PathBuf,
    },
    /// The hook goes.
    RemoveHook {
        /// Where it lies.
        path: PathBuf,
        /// Whether the one that was kept takes its place again.
        gives_back: bool,
    },
    /// A file comes by which `watch` starts at login.
    AddAtLogin {
        /// Where it lies.
        path: PathBuf,
        /// What it holds, or where it leads.
        text: String,
    },
    /// A file by which `watch` starts at login gets the text that it should have.
    RenewAtLogin {
        /// Where it lies.
        path: PathBuf,
        /// What it holds, or where it leads.
        text: String,
    },
    /// A file goes by which `watch` starts at login.
    RemoveAtLogin {
        /// Where it lies.
        path: PathBuf,
    },
    /// The node is a member no longer.
    Leave {
        /// The file.
        path: PathBuf,
        /// Whether nobody is left and the file goes too.
        file_too: bool,
    },
    /// `config.yaml` says how peers are found.
    Configure {
        /// The file.
        path: PathBuf,
        /// How they are found.
        discovery: Discovery,
    },
    /// `config.yaml` is again what it was.
    Unconfigure {
        /// The file.
        path: PathBuf,
        /// Whether there was none and the file goes.
        file_too: bool,
    },
}

/// A document that a plan leaves alone, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The document.
    pub path: PathBuf,
    /// Why, with the place: `3:1: …`.
    pub why: String,
}

/// The name of a node, where it has one.
#[must_use]
pub fn node_of(repo: &git::Repo) -> Option<NodeId> {
    crate::node::Node::load(repo.git_dir())
        .ok()
        .flatten()
        .map(|node| node.id())
}
