//! What is left when the process ends anywhere, the disk is full, or somebody else writes at the same moment: nothing is lost,
//! nothing doubled, and the next command repairs.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]
// Figures, and what is skipped, are for people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;

#[allow(dead_code)]
#[path = "../support/watching.rs"]
mod watching;

mod check;
mod clocks;
mod disks;
mod failing;
mod held;
mod kills;
mod limits;
mod mounts;
mod points;
mod power;
mod races;
mod sizes;
