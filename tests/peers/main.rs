//! What peers tell each other, and what becomes of it in their files.
#![cfg(test)]

mod calling;
mod clocks;
#[path = "../support/cloned.rs"]
mod cloned;
mod committing;
mod documents;
mod forgetting;
mod pair;
mod policy;
mod proving;
mod racing;
mod readers;
#[path = "../support/sent.rs"]
mod sent;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by all tests; some of it is not used here")]
mod support;
#[path = "../support/watcher.rs"]
mod watcher;
