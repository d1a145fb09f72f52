//! Merging documents: nothing is contested, nothing is lost, and the order of merging does not show.
#![cfg(test)]

mod agreement;
mod branches;
mod commands;
mod core;
#[path = "../support/digits.rs"]
mod digits;
mod editing;
mod judged;
mod living;
mod making;
mod model;
mod replicas;
mod stored;
