//! Types by configuration, with the real program and the real git: what hands type becomes the right operation, and git
//! means what it says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/cloned.rs"]
mod cloned;
mod counting;
mod ends;
mod git;
mod peers;
#[path = "../support/sent.rs"]
mod sent;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared; some of it is not used here")]
mod support;
mod team;
mod wrong;
