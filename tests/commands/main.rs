//! What the commands promise, shown with the real binary and the real git.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/cloned.rs"]
mod cloned;
#[path = "../support/mod.rs"]
mod support;

mod alone;
#[cfg(target_os = "linux")]
mod auto_sync;
mod demo;
mod driver;
mod editing;
mod export;
mod gc;
mod getting;
mod heal;
mod history;
mod init;
mod joining;
mod merge;
mod peers;
mod resolve;
mod rules;
#[path = "../support/sent.rs"]
mod sent;
mod settling;
mod setup;
mod status;
mod sync;
mod team;
mod undoing;
mod uninit;
mod usage;
mod verify;
#[cfg(unix)]
mod walk;
#[path = "../support/watcher.rs"]
mod watcher;
mod why;
