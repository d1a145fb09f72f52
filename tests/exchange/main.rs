//! Replicas come to know the same edits, whatever happens to what they say.

mod line;
mod shelf;
