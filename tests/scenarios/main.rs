//! What becomes of concurrent work, told as stories: people with work trees of their own, the real git, the real binary.
//!
//! Each test is one situation. `docs/git-scenarios.md` lists them all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

// Shared with the tests of the commands, which use more of it.
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/text.rs"]
mod text;

// The edits of the tests of documents, made here with the real git.
#[allow(dead_code)]
#[path = "../documents/model.rs"]
mod model;
mod team;

mod ancestry;
mod beginnings;
mod births;
mod clones;
mod contested;
mod foreign;
mod history;
mod random;
mod records;
