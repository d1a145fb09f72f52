//! Rendering: the text of a document that shows a view, with every byte that the view did not change.
#![cfg(test)]
// Figures, for whoever asks for them by `--nocapture`.
#![allow(clippy::print_stdout)]

mod cost;
mod hand;
#[path = "../merge/model/mod.rs"]
#[expect(dead_code, reason = "what merges are checked with is not used here")]
mod model;
#[path = "../yaml/mutate.rs"]
mod mutate;
mod replicas;
mod walk;
