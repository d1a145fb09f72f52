//! Random git histories: what branches, merges, cherry-picks, reverts and rebases leave of everybody's edits.
//!
//! One walk over a graph of commits drives two things that never share code: `model.rs`, a document in the abstract with
//! its own three-way merge written from the rules, and `yaml.rs`, the real driver and the real stamping on YAML texts.
//! `oracle.rs` judges both from what was *meant*, knowing neither stamps nor texts; `laws.rs` holds the properties,
//! `rules.rs` every finer rule with the example that asked for it.
#![cfg(test)]

mod graph;
mod laws;
mod model;
mod oracle;
mod rules;
mod view;
mod walk;
mod yaml;
