//! The host tool beside us: it loads what we annotate, and what it makes of a file undoes nothing.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)] // Other test programs use the rest.
#[path = "../support/mod.rs"]
mod support;

mod files;
mod model;
mod recording;
mod rewrites;
mod shapes;
