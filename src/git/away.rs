//! Calls to the `git` program that talk to other hosts: away from the user's repository, and for so long at most.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
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
    pub(super) patience: &'a Patience,
}

/// For how long a program that talks to another host is waited for.
#[derive(Clone, Debug)]
pub struct Patience {
    limit: Duration,
    ended: Arc<AtomicBool>,
}

impl Patience {
    /// For so long.
    #[must_use]
    pub fn of(limit: Duration) -> Self {
        Self {
            limit,
            ended: Arc::default(),
        }
    }

    /// Waits no longer, wherever a clone of this one is waited with: what runs is ended.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Whether it was ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// How long it is.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    fn is_over(&self, since: Instant) -> bool {
        self.is_ended() || since.elapsed() >= self.limit
    }
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
        within(command, away.patience, away.prompts)
    })
}

/// How often is looked whether a program has ended.
const BETWEEN_LOOKS: Duration = Duration::from_millis(4);

/// The output of a program, which is ended when it takes too long.
fn within(command: &mut Command, patience: &Patience, prompts: Prompts) -> io::Result<Output> {
    // What git runs to reach a host ends with it. Whoever asks on a terminal must stay in its foreground.
    #[cfg(unix)]
    if prompts != Prompts::Terminal {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stdout = read_aside(child.stdout.take());
    let stderr = read_aside(child.stderr.take());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if patience.is_over(began) {
            end(&mut child, prompts);
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(BETWEEN_LOOKS);
    };
    // Whatever it left running may hold the pipes, and has nothing more to say.
    let rest = |read: mpsc::Receiver<Vec<u8>>| {
        let left = patience.limit.saturating_sub(began.elapsed());
        read.recv_timeout(left.max(BETWEEN_LOOKS))
            .unwrap_or_default()
    };
    Ok(Output {
        status,
        stdout: rest(stdout),
        stderr: rest(stderr),
    })
}

/// Ends a program, and what it runs.
fn end(child: &mut Child, prompts: Prompts) {
    #[cfg(unix)]
    if prompts != Prompts::Terminal
        && let Ok(id) = i32::try_from(child.id())
        && let Some(group) = rustix::process::Pid::from_raw(id)
    {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    // It may have ended just now.
    let _ = child.kill();
    let _ = child.wait();
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
