//! What the commands promise, shown with the real binary and the real git.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

mod demo;
mod driver;
mod init;
mod merge;
mod status;
mod uninit;
mod usage;
