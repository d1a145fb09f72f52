//! Commands that ask the watcher of their work tree, and those that work alone because there is none, or none of use.
#![cfg(all(test, unix))]

mod both_ways;
mod ending;
mod foreign;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by all tests; some of it is not used here")]
mod support;
mod team;
mod watcher;
