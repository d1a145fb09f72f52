//! Who a work tree is, wherever it lies: copies, restored state, linked work trees, odd places and names, repositories that
//! cannot be read or written.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]
// Figures, and what is skipped, are for people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../support/mod.rs"]
mod support;

mod copies;
#[path = "../support/digits.rs"]
mod digits;
mod judged;
mod knowledge;
mod places;
mod read_only;
mod stored;
mod unreadable;
