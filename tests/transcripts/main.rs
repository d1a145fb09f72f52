//! What is typed and what comes of it, as `docs/transcripts` shows it: each of these documents is made by the test that checks
//! it. Where the program says something else now the test fails; `RHEMA_WRITE_TRANSCRIPTS=1 cargo test --test transcripts`
//! writes them anew, and the diff shows what changed for people.
#![cfg(test)]
#![cfg(unix)]

mod masks;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by all tests; some of it is not used here")]
mod support;
mod tour;

mod asking;
mod healing;
mod history;
mod settling;
