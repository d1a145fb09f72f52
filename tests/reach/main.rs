//! People who reach each other through the git remote alone: real clones of a bare repository, and the real `git`.
#![cfg(test)]

mod converging;
mod growing;
mod hostile;
mod joining;
mod refusing;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by all tests; some of it is not used here")]
mod support;
mod team;
mod unusual;
#[path = "../support/watching.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of watching; some of it is not used here"
)]
mod watch;
mod watching;
