//! A clone and the person who works in it: runs git and this program there, in an environment of its own, so that
//! nobody's configuration, identity, hooks or signing keys play a part.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, bail};

/// A folder to work in, and the folder that stands in for the home.
pub(super) struct Workplace {
    top: PathBuf,
    home: PathBuf,
}

/// How a program ended that may fail.
pub(super) struct Ended {
    pub(super) success: bool,
    pub(super) stdout: String,
}

impl Workplace {
    pub(super) fn new(home: &Path, name: &str) -> Self {
        Self {
            top: home.join(name),
            home: home.to_path_buf(),
        }
    }

    /// `git ARGUMENTS` here, which must succeed; what it printed.
    pub(super) fn git(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.succeed("git", self.command("git").args(arguments), arguments)
    }

    /// `git ARGUMENTS` here, whatever comes of it.
    pub(super) fn try_git(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        ended("git", self.command("git").args(arguments))
    }

    /// `rhema crdt ARGUMENTS` here, by this very program; it must succeed.
    pub(super) fn rhema(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.succeed("rhema crdt", &mut self.this_program(arguments)?, arguments)
    }

    /// `rhema crdt ARGUMENTS` here, whatever comes of it.
    pub(super) fn try_rhema(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        ended("rhema", &mut self.this_program(arguments)?)
    }

    /// `rhema crdt ARGUMENTS` here, by this very program, yet to be started.
    pub(super) fn this_program(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let program = std::env::current_exe().context("cannot find this program's own path")?;
        let mut command = self.command(program);
        command.arg("crdt").args(arguments);
        Ok(command)
    }

    /// Gives the person who works here a name, in the configuration of this clone alone.
    pub(super) fn belongs_to(&self, name: &str) -> anyhow::Result<()> {
        let mail = format!("{}@example.org", name.to_lowercase());
        self.git(&["config", "user.name", name])?;
        self.git(&["config", "user.email", &mail])?;
        // A plain `git pull` merges, also for those who play on.
        self.git(&["config", "pull.rebase", "false"])?;
        Ok(())
    }

    /// Commits everything.
    pub(super) fn commit(&self, message: &str) -> anyhow::Result<()> {
        self.git(&["add", "-A"])?;
        self.git(&["commit", "-q", "-m", message])?;
        Ok(())
    }

    pub(super) fn read(&self, path: &str) -> anyhow::Result<String> {
        let path = self.top.join(path);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    pub(super) fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.top.join(path);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn top(&self) -> &Path {
        &self.top
    }

    fn succeed(
        &self,
        name: &str,
        command: &mut Command,
        arguments: &[&str],
    ) -> anyhow::Result<String> {
        let output = run(name, command)?;
        if !output.status.success() {
            // Git tells some refusals (nothing to commit) on stdout.
            let message = [output.stderr, output.stdout].concat();
            let message = String::from_utf8_lossy(&message);
            let message = message.trim().lines().next().unwrap_or("it gave no reason");
            bail!(
                "`{name} {}` failed in {}: {}",
                arguments.join(" "),
                self.top.display(),
                message
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            // Where git finds its own programs is the only thing that it may need to be told.
            if name_text.starts_with("GIT_") && name_text != "GIT_EXEC_PATH" {
                command.env_remove(&name);
            }
        }
        command
            .current_dir(&self.top)
            // No file of these names is in there.
            .env("HOME", &self.home)
            .env("XDG_CONFIG_HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_CEILING_DIRECTORIES", &self.home)
            .env("GIT_MERGE_AUTOEDIT", "no")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(std::process::Stdio::null());
        command
    }
}

fn ended(name: &str, command: &mut Command) -> anyhow::Result<Ended> {
    let output = run(name, command)?;
    Ok(Ended {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
    })
}

fn run(name: &str, command: &mut Command) -> anyhow::Result<Output> {
    tracing::debug!("{command:?}");
    command
        .output()
        .with_context(|| format!("cannot run `{name}`: install it, or put it on PATH"))
}
