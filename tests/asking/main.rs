//! Commands that ask the watcher of their work tree, and those that work alone because there is none, or none of use.
#![cfg(test)]
#![cfg(unix)]
// What is skipped is for people.
#![expect(clippy::print_stdout)]

mod both_ways;
#[path = "../support/cloned.rs"]
mod cloned;
mod ending;
mod foreign;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by all tests; some of it is not used here")]
mod support;
mod team;
mod watcher;
