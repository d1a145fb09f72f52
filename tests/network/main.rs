//! Nodes in one process that talk over loopback: who gets in, what goes over a line, and how it ends.
#![cfg(test)]
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admission;
mod disturbance;
mod flood;
#[cfg(target_os = "linux")]
#[path = "../support/hosts.rs"]
mod hosts;
mod lines;
#[cfg(target_os = "linux")]
mod namespaces;
mod seeking;
mod support;
