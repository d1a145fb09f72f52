//! A command that asks.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::message::{
    self, Greeting, HEADER, LONGEST_ANSWER, LONGEST_GREETING, LONGEST_QUESTION, Question,
};
use super::{Answer, Reply, place};
use crate::git::Repo;
use crate::node::Watch;

/// How long whoever stays may take to say who it is: it does nothing else in the thread that says so.
const GREETING: Duration = Duration::from_secs(1);

/// What says that the repository is not as others see it: whoever stays does not know of it.
const OWN_VIEW: [&str; 4] = [
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
];

/// Asks the program that stays in a work tree, if there is one, and waits for the answer as long as `patience` lasts.
pub(crate) fn ask(repo: &Repo, question: &Question, patience: Duration) -> Reply {
    if OWN_VIEW.iter().any(|name| std::env::var_os(name).is_some())
        || !Watch::is_kept(repo.git_dir())
    {
        return Reply::Nobody;
    }
    let Some(frame) = message::encode(question, LONGEST_QUESTION) else {
        return Reply::Nobody;
    };
    let mut stream = match greeted(repo) {
        Ok(stream) => stream,
        Err(error) => {
            tracing::info!("`watch` runs, and cannot be asked: {error}");
            return Reply::Nobody;
        }
    };
    let answer = stream
        .write_all(&frame)
        .and_then(|()| read(&mut stream, LONGEST_ANSWER, Instant::now() + patience));
    match answer {
        Ok(Answer::Alone) => Reply::Nobody,
        Ok(answer) => Reply::Answered(answer),
        Err(error) => {
            tracing::info!("`watch` was asked and did not answer: {error}");
            Reply::Lost
        }
    }
}

/// The way to the program that stays in just this work tree and is of this version.
fn greeted(repo: &Repo) -> io::Result<UnixStream> {
    let path = place::find(repo.git_dir())?;
    let mut stream = UnixStream::connect(path)?;
    stream.set_write_timeout(Some(GREETING))?;
    let greeting: Greeting = read(&mut stream, LONGEST_GREETING, Instant::now() + GREETING)?;
    match greeting == Greeting::of(repo) {
        true => Ok(stream),
        false => Err(io::Error::other(
            "it is of another work tree, or another version",
        )),
    }
}

/// What comes until then.
fn read<T: DeserializeOwned>(
    stream: &mut UnixStream,
    longest: usize,
    until: Instant,
) -> io::Result<T> {
    let mut header = [0; HEADER];
    fill(stream, &mut header, until)?;
    let mut payload = vec![0; message::length(header, longest)?];
    fill(stream, &mut payload, until)?;
    message::decode(&payload)
}

fn fill(stream: &mut UnixStream, mut room: &mut [u8], until: Instant) -> io::Result<()> {
    while !room.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(room) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => room = &mut room[read..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
