//! An executable model of the whole system: documents, git with its work trees, stores and a network, all in memory and
//! in the abstract; and oracles that know only what people meant.

mod bits;
mod counterexamples;
mod document;
mod edits;
mod git;
mod graph;
mod laws;
mod look;
mod meaning;
mod oracle;
mod rules;
mod seen;
mod store;
mod telling;
mod walk;
mod world;
