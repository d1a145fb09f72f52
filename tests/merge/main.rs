//! The merge, as specified by name and by laws.
//!
//! Every file of cases is about one theme; `case.rs` says what is checked of each case beside its expected bytes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod ancestry;
mod case;
mod comments;
mod contested;
mod documents;
mod formats;
mod frames;
mod halves;
mod judged;
mod laws;
mod lists;
mod mappings;
mod model;
mod orders;
mod records;
mod references;
mod refused;
mod rewrites;
mod sizes;
mod stored;
mod texts;

#[path = "../support/digits.rs"]
mod digits;
#[path = "../support/text.rs"]
mod text;
