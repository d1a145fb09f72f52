//! Replicas come to know the same edits, whatever happens to what they say.
#![cfg(test)]

mod chains;
mod conversation;
mod document;
mod forging;
mod line;
mod lulls;
mod meaning;
mod names;
mod node;
mod plan;
mod runs;
mod shelf;
mod wanted;
mod world;
