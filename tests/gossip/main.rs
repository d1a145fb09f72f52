//! Many replicas in one process: who talks to whom, what it costs, and that everything gets everywhere.
//!
//! They talk over lines in memory, with the sessions and the bytes of the program; time is that of a scheduler. What takes long
//! and gives figures is ignored:
//!
//! ```text
//! cargo test --release --test gossip -- --ignored --nocapture --test-threads 1 figures
//! ```
//!
//! Parameters in the environment, with what holds otherwise: `GOSSIP_NODES=8,16,32,100`, `GOSSIP_EDITS=30`, `GOSSIP_SEED=1`; `GOSSIP_SHAPES=each` for the
//! shapes that have this in their names.
#![cfg(test)]
#![allow(clippy::print_stdout)]

mod figures;
mod laws;
mod shelf;
mod world;
