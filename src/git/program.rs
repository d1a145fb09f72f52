//! Calls to the `git` program for what must be written the way git writes it.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{Error, Repo};

/// What the program answered.
pub(super) struct Answer {
    /// Its exit status; `None` when a signal ended it.
    pub(super) status: Option<i32>,
    /// What it printed.
    pub(super) stdout: Vec<u8>,
    message: String,
    arguments: String,
    stderr: String,
}

impl Answer {
    /// The output of a call that had to succeed.
    pub(super) fn success(self) -> Result<Vec<u8>, Error> {
        match self.status {
            Some(0) => Ok(self.stdout),
            _ => Err(self.into_error()),
        }
    }

    /// What the other side said, as git passes that on.
    #[cfg(feature = "net")]
    pub(super) fn said_there(&self) -> Option<&str> {
        let mut lines = self.stderr.lines();
        let said = lines.find_map(|line| line.strip_prefix("remote: "))?.trim();
        (!said.is_empty()).then_some(said)
    }

    /// The same answer, with all that is said in it as `told` has it, and the call named so.
    #[cfg(feature = "net")]
    pub(super) fn retold(self, arguments: String, told: impl Fn(&str) -> String) -> Self {
        Self {
            message: told(&self.message),
            stderr: told(&self.stderr),
            arguments,
            ..self
        }
    }

    /// The output of a call whose exit status 1 means "there is none".
    pub(super) fn if_any(self) -> Result<Option<Vec<u8>>, Error> {
        match self.status {
            Some(0) => Ok(Some(self.stdout)),
            Some(1) => Ok(None),
            _ => Err(self.into_error()),
        }
    }

    fn into_error(self) -> Error {
        Error::GitFailed {
            arguments: self.arguments,
            message: self.message,
        }
    }
}

/// Runs `git ARGUMENTS` on exactly this repository and work tree, whatever the environment says.
pub(super) fn git<I, A>(repo: &Repo, arguments: I) -> Result<Answer, Error>
where
    I: IntoIterator<Item = A>,
    A: AsRef<OsStr>,
{
    run(repo, arguments, |command| command.output())
}

/// As [`git`], on another index than the usual one, with something to read.
pub(super) fn git_on_index<I, A>(
    repo: &Repo,
    arguments: I,
    input: &[u8],
    index: &Path,
) -> Result<Answer, Error>
where
    I: IntoIterator<Item = A>,
    A: AsRef<OsStr>,
{
    run(repo, arguments, |command| {
        command.env("GIT_INDEX_FILE", index);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped());
        command.stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input)?;
        }
        child.wait_with_output()
    })
}

/// Runs `git ARGUMENTS` as `answer` does it.
pub(super) fn run<I, A>(
    repo: &Repo,
    arguments: I,
    answer: impl FnOnce(&mut Command) -> io::Result<Output>,
) -> Result<Answer, Error>
where
    I: IntoIterator<Item = A>,
    A: AsRef<OsStr>,
{
    let arguments: Vec<A> = arguments.into_iter().collect();
    let shown = arguments
        .iter()
        .map(|argument| argument.as_ref().to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    tracing::debug!("git {shown}");
    let mut command = Command::new("git");
    without_repository(&mut command)
        .env("GIT_DIR", repo.git_dir())
        .env("GIT_WORK_TREE", repo.top())
        .env("LC_ALL", "C")
        .current_dir(repo.top())
        .args(&arguments);
    let Output {
        status,
        stdout,
        stderr,
    } = match answer(&mut command) {
        Ok(output) => output,
        Err(source) if source.kind() == io::ErrorKind::TimedOut => {
            return Err(Error::GitTooSlow { arguments: shown });
        }
        Err(source) => return Err(Error::NoGit { source }),
    };
    Ok(Answer {
        status: status.code(),
        stdout,
        message: reason(&stderr),
        arguments: shown,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// Takes out of the environment what ties git to a repository (git sets it for hooks and drivers).
pub(super) fn without_repository(command: &mut Command) -> &mut Command {
    for name in [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    ] {
        command.env_remove(name);
    }
    command
}

/// The line in which git says what was wrong: the one that it calls fatal, else its last one.
fn reason(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let fatal = lines.clone().find_map(|line| line.strip_prefix("fatal: "));
    let line = fatal.or_else(|| lines.next_back());
    line.unwrap_or("it gave no reason").to_owned()
}
