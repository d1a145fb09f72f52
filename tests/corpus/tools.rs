//! The merge tools under test, as external programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// No tool may take longer for one merge.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// A program that merges three files and prints the result.
pub(crate) struct Tool {
    pub(crate) name: String,
    /// Program and arguments with `{base}`, `{ours}`, `{theirs}` and `{path}` in them.
    command: Vec<String>,
}

/// What a tool did.
pub(crate) struct Outcome {
    pub(crate) output: Vec<u8>,
    pub(crate) status: Status,
    pub(crate) time: Duration,
}

/// How a run ended, as far as exit statuses tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    Clean,
    Conflict,
    /// Neither: a crash, a refusal.
    Failed,
    TimedOut,
}

/// Three files to merge and the path they have in their repository.
pub(crate) struct Inputs<'a> {
    pub(crate) base: &'a Path,
    pub(crate) ours: &'a Path,
    pub(crate) theirs: &'a Path,
    pub(crate) path: &'a str,
}

impl Tool {
    /// A tool by its command line; words are split at blanks.
    pub(crate) fn new(name: &str, command: &str) -> Self {
        Self {
            name: name.to_owned(),
            command: command.split_whitespace().map(str::to_owned).collect(),
        }
    }

    pub(crate) fn git() -> Self {
        Self::new(
            "git",
            "git merge-file -p -L ours -L base -L theirs {ours} {base} {theirs}",
        )
    }

    pub(crate) fn mergiraf(program: &str) -> Self {
        // With its own time limit as users have it: after ten seconds it falls back to git's result.
        Self::program(
            program,
            "mergiraf",
            "merge -p {path} -x ours -s base -y theirs {base} {ours} {theirs}",
        )
    }

    pub(crate) fn rhema(program: &str) -> Self {
        Self::program(
            program,
            "rhema",
            "crdt merge {base} {ours} {theirs} --path {path}",
        )
    }

    fn program(program: &str, name: &str, arguments: &str) -> Self {
        let mut tool = Self::new(name, arguments);
        // Not split at blanks: it is a path.
        tool.command.insert(0, program.to_owned());
        tool
    }

    /// Runs the merge; output goes through a file in `scratch`, so that no pipe can fill while the clock runs.
    pub(crate) fn run(&self, inputs: &Inputs<'_>, scratch: &Path) -> Result<Outcome> {
        let mut words = self.command.iter().map(|word| -> PathBuf {
            match word.as_str() {
                "{base}" => inputs.base.to_owned(),
                "{ours}" => inputs.ours.to_owned(),
                "{theirs}" => inputs.theirs.to_owned(),
                word => PathBuf::from(word.replace("{path}", inputs.path)),
            }
        });
        let program = words.next().ok_or("an empty command")?;
        let file = scratch.join("output");
        let started = Instant::now();
        let mut child = Command::new(&program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&file)?)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let mut pause = Duration::from_micros(500);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break match status.code() {
                    Some(0) => Status::Clean,
                    // `git merge-file` exits with the number of conflicts; its failures are 255.
                    Some(code) if code == 1 || self.name == "git" && code < 128 => Status::Conflict,
                    _ => Status::Failed,
                };
            }
            if started.elapsed() > TIME_LIMIT {
                child.kill()?;
                child.wait()?;
                break Status::TimedOut;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        let time = started.elapsed();
        Ok(Outcome {
            output: std::fs::read(&file)?,
            status,
            time,
        })
    }
}
