//! Real three-way merges of YAML files, mined from public repositories.
//!
//! `corpus mine` walks the merge commits of repositories that are already cloned and writes one folder for every file
//! that both sides changed.
//!
//! See `tests/corpus/README.md` for the list of repositories.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers: its output is text on a terminal"
)]

mod git;
mod graph;
mod mine;
mod select;

use std::process::ExitCode;

/// Errors are messages for a developer at a terminal; nothing here reacts to their kind.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
usage: corpus mine --out DIR [--max-per-repo N] [--max-bytes N] [--pool K] [NAME=]GIT_DIR...";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let outcome = match arguments.next().as_deref() {
        Some("mine") => mine::run(arguments),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
