//! What is left when the process ends anywhere, the disk is full, or somebody else writes at the same moment: nothing is lost,
//! nothing doubled, and the next command repairs.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]
// Figures, and what is skipped, are for people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;

mod check;
mod disks;
mod kills;
mod points;
mod races;
