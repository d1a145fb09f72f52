//! Nodes in one process that talk over loopback: who gets in, what goes over a line, and how it ends.
#![cfg(test)]
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used)]
// How long things took, and what is skipped.
#![allow(clippy::print_stdout)]

mod admission;
mod disturbance;
mod figures;
mod flood;
#[cfg(target_os = "linux")]
#[path = "../support/hosts.rs"]
mod hosts;
mod joining;
mod lines;
mod many;
#[cfg(target_os = "linux")]
mod namespaces;
mod seeking;
mod support;
