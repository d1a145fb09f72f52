//! Work trees that are watched, with the real program, the real git and editors of all manners.
//!
//! A few seconds of everything run with the other tests. What takes longer and gives figures is ignored there; it is meant
//! for a build for release:
//!
//! ```text
//! cargo test --release --test watch -- --ignored --nocapture --test-threads 1 latency
//! ```
//!
//! | test | what | parameters in the environment, with what holds otherwise |
//! |---|---|---|
//! | `latency` | from a save here until it is seen there | `WATCH_EDITS=1000`, `WATCH_RECORDS=100,10000` |
//! | `many` | from a save here until it is seen everywhere, and what that costs; in a network of its own (`unshare -n`) | `WATCH_TREES=16`, `WATCH_EDITS=60`, `WATCH_SETTLE=120`, `WATCH_IDLE=60` |
//! | `mesh` | many who edit the same records, and an idle minute | `WATCH_TREES=8`, `WATCH_SECONDS=300`, `WATCH_RATE=10` a second, `WATCH_SEED=1`, `WATCH_IDLE=60` |
//! | `soak` | git at work, restarts and kills among edits | `WATCH_SECONDS=3600`, `WATCH_SEED=1`, `WATCH_STEPS=24`, `WATCH_TITLES=0` |
//! | `racing` | a tool that reads, thinks and writes without a lock | `WATCH_SECONDS=60`, `WATCH_SEED=1` |
//!
//! They lie in memory where there is a `/dev/shm`, in `WATCH_FOLDER` if that is set.
#![cfg(test)]
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout)]

mod clones;
mod editor;
mod latency;
mod life;
mod many;
mod mesh;
mod oracle;
mod pieces;
#[path = "../support/processes.rs"]
mod processes;
mod racing;
mod saves;
#[path = "../support/sent.rs"]
mod sent;
#[macro_use]
#[path = "../support/weighed.rs"]
mod weighed;
mod soak;
mod starved;

#[path = "../support/steps.rs"]
mod steps;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by all tests; some of it is not used here")]
mod support;
#[path = "../support/typing.rs"]
#[allow(dead_code)]
#[expect(
    dead_code,
    reason = "shared with the walks; some of it is not used here"
)]
mod text;
#[path = "../support/watching.rs"]
mod watching;

/// A number from the environment, or what holds otherwise.
fn number(name: &str, otherwise: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.map_or(otherwise, |asked| asked.parse().expect(name))
}
