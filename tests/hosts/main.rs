//! The real program on hosts of their own: network namespaces, joined by a bridge, each with a clone and a home.
//!
//! Making namespaces needs root; without it these tests say that they are skipped. What was measured is printed with
//! `cargo test --test hosts -- --nocapture`; the heavy tests run with `--ignored`, too.
#![cfg(test)]
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout)]

mod bytes;
mod clocks;
mod cuts;
mod finding;
mod host;
#[path = "../support/hosts.rs"]
mod net;
#[path = "../support/processes.rs"]
mod processes;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by all tests; some of it is not used here")]
mod support;
mod trust;
#[path = "../support/watching.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of watching; some of it is not used here"
)]
mod watching;
