//! What was edited, when and by whom: from git's commits and the known edits.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod large;
mod remembered;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by all tests; some of it is not used here")]
mod support;
