//! The merge, as specified by name and by laws.
//!
//! Every file of cases is about one theme; `case.rs` says what is checked of each case beside its expected bytes.

mod case;
mod comments;
mod contested;
mod documents;
mod formats;
mod frames;
mod lists;
mod mappings;
mod orders;
mod records;
mod references;
mod refused;
mod texts;
