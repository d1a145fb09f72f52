//! The real program on hosts of their own: network namespaces, joined by a bridge, each with a clone and a home.
//!
//! Making namespaces needs root; without it these tests say that they are skipped. What was measured is printed with
//! `cargo test --test hosts -- --nocapture`; the heavy tests run with `--ignored`, too.
#![cfg(all(test, target_os = "linux"))]

mod cuts;
mod finding;
mod host;
#[path = "../support/hosts.rs"]
mod net;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by all tests; some of it is not used here")]
mod support;
