//! Rendering: the text of a document that shows a view, with every byte that the view did not change.
#![cfg(test)]

mod cost;
mod hand;
#[path = "../merge/model/mod.rs"]
mod model;
#[path = "../yaml/mutate.rs"]
mod mutate;
mod replicas;
mod walk;
