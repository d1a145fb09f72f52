//! Nodes in one process that talk over loopback: who gets in, what goes over a line, and how it ends.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admission;
mod lines;
mod seeking;
mod support;
