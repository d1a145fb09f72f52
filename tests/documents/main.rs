//! Merging documents: nothing is contested, nothing is lost, and the order of merging does not show.
#![cfg(test)]

mod agreement;
mod branches;
mod commands;
mod core;
mod living;
mod model;
mod replicas;
