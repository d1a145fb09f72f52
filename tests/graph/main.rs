//! What is read of git's graph and of its log of HEAD, against the real git.
#![allow(clippy::unwrap_used, clippy::expect_used)]

// Shared with the tests of the commands, which use more of it.
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;

mod moves;
mod tracked;
mod versions;
