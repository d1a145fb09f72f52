//! Commands ask the program that stays in their work tree, instead of doing by themselves what it is about to do anyway.
//!
//! `watch` has the store open, its lines up and its clock at hand. A command that finds it running says through a local socket
//! what it was asked, and prints what it hears; so an edit is with the others at once, and a `sync` needs to call nobody. The
//! program that stays makes commands faster, it is not needed: where none runs, it is another version or another work tree's,
//! is busy for too long or ends meanwhile, the command works alone, with the same outcome. `place.rs` says where the socket
//! lies and who may use it, `message.rs` what is asked and answered and how that stands in bytes, `client.rs` asks,
//! `server.rs` listens; what answers is `peers/answering.rs`. Where there are no Unix sockets commands always work alone.
//! Depends on `replica`, `git`, `context` and `node`.

#![cfg_attr(
    not(unix),
    allow(dead_code, reason = "nobody asks and nobody answers there")
)]

#[cfg(unix)]
mod client;
mod message;
#[cfg(unix)]
mod place;
#[cfg(unix)]
mod server;

#[cfg(unix)]
pub(crate) use client::ask;
pub(crate) use message::{
    Answer, Edit, Edited, Failure, Files, Line, Outcome, PeerOutcome, Question, RemoteOutcome,
    Standing, Sync,
};
#[cfg(unix)]
pub(crate) use server::Socket;

use tokio::sync::oneshot;

/// A question, and where to answer. Whoever asked and is gone has closed that.
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// What came of a question.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it is looked at where it is made"
)]
pub(crate) enum Reply {
    /// It was answered.
    Answered(Answer),
    /// Nobody is there whom it could be asked: nothing was done.
    Nobody,
    /// It was asked, and no answer came: it may be done, now or soon.
    Lost,
}

/// Nobody can be asked without sockets.
#[cfg(not(unix))]
pub(crate) fn ask(_: &crate::git::Repo, _: &Question, _: std::time::Duration) -> Reply {
    Reply::Nobody
}
