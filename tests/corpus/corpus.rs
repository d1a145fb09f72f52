//! Real three-way merges of YAML files, mined from public repositories, and a score of merge tools on them.
//!
//! - `corpus mine` walks the merge commits of repositories that are already cloned and writes one folder for every
//!   file that both sides changed.
//! - `corpus score` runs merge tools on such folders and judges what they did with an oracle that shares no code with
//!   the library: its own reader over an event parser, its own three-way comparison.
//!
//! See `tests/corpus/README.md` for the list of repositories.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers: its output is text on a terminal"
)]

mod align;
mod case;
mod check;
mod comments;
mod expect;
mod git;
mod graph;
mod lines;
mod markers;
mod mine;
mod oracle;
mod read;
mod report;
mod score;
mod select;
mod sequences;
mod tools;
mod value;

use std::process::ExitCode;

/// Errors are messages for a developer at a terminal; nothing here reacts to their kind.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
usage: corpus mine --out DIR [--max-per-repo N] [--max-bytes N] [--pool K] [NAME=]GIT_DIR...
       corpus score DIR... [--mergiraf PROGRAM] [--rhema PROGRAM] [--tool NAME=COMMAND]... [--json FILE]
                        [--show [TOOL:]KIND N]... [--threads N]

COMMAND is split at blanks; {base}, {ours}, {theirs} and {path} stand for the files. It prints the merge; its exit
status is 0 for a clean one, 1 if conflicts are left.";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let outcome = match arguments.next().as_deref() {
        Some("mine") => mine::run(arguments),
        Some("score") => score::run(arguments),
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
