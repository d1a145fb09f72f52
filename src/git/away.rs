//! Calls to the `git` program that talk to other hosts: away from the user's repository, and for so long at most.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::program::{Answer, run};
use super::{Error, Repo};

/// Whether programs may ask people for passwords and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompts {
    /// On the terminal, as git does.
    Terminal,
    /// Nobody is there to be asked.
    None,
    /// The same, but for what the user set up to reach hosts.
    NoneOfGit,
}

/// How git is called in another repository than the user's, with the user's configuration.
pub(super) struct Away<'a> {
    /// That repository.
    pub(super) git_dir: &'a Path,
    /// What its configuration says besides, the last word first to none.
    pub(super) config: &'a [(&'a str, &'a str)],
    pub(super) prompts: Prompts,
    /// How long it may take.
    pub(super) limit: Duration,
}

/// Runs `git ARGUMENTS` away from the user's repository, for so long at most.
pub(super) fn git_away<I, A>(repo: &Repo, away: &Away<'_>, arguments: I) -> Result<Answer, Error>
where
    I: IntoIterator<Item = A>,
    A: AsRef<OsStr>,
{
    run(repo, arguments, |command| {
        command.env("GIT_DIR", away.git_dir);
        command.env_remove("GIT_WORK_TREE");
        let given = std::env::var("GIT_CONFIG_COUNT").ok();
        let given: usize = given.and_then(|count| count.parse().ok()).unwrap_or(0);
        for (index, (key, value)) in away.config.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{}", given + index), key);
            command.env(format!("GIT_CONFIG_VALUE_{}", given + index), value);
        }
        let count = given + away.config.len();
        command.env("GIT_CONFIG_COUNT", count.to_string());
        if away.prompts != Prompts::Terminal {
            command.env("GIT_TERMINAL_PROMPT", "0");
            command.stdin(Stdio::null());
        }
        if away.prompts == Prompts::None {
            command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
        }
        within(command, away.limit)
    })
}

/// How often is looked whether a program has ended.
const BETWEEN_LOOKS: Duration = Duration::from_millis(4);

/// The output of a program, which is ended when it takes too long.
fn within(command: &mut Command, limit: Duration) -> io::Result<Output> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stdout = read_aside(child.stdout.take());
    let stderr = read_aside(child.stderr.take());
    let end = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= end {
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(BETWEEN_LOOKS);
    };
    // Whatever it left running may hold the pipes, and has nothing more to say.
    let rest = |read: mpsc::Receiver<Vec<u8>>| {
        let left = end.saturating_duration_since(Instant::now());
        read.recv_timeout(left.max(BETWEEN_LOOKS))
            .unwrap_or_default()
    };
    Ok(Output {
        status,
        stdout: rest(stdout),
        stderr: rest(stderr),
    })
}

/// Reads a pipe to its end in a thread of its own, so that no program waits for it to be read.
fn read_aside(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (told, read) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What came before it broke is what there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = told.send(bytes);
    });
    read
}
