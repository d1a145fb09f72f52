//! Has `rhema crdt watch` start at login, by what the system has for it: a user unit of systemd, an agent of launchd, a task
//! of Windows.
//!
//! What is written is a function of the program, the work tree and the system alone, so that whatever differs from it is
//! stale, and written anew. Each work tree has files of its own, named after its path. Where they lie is noted in the journal,
//! which is how a work tree that was moved finds those of its former place.

mod job;
mod launchd;
mod plan;
mod systemd;
mod windows;

use std::path::{Path, PathBuf};

pub(super) use job::Job;
pub use plan::AutoSync;
pub(super) use plan::{Autostart, Kept};

use super::Error;
use crate::git::Repo;

/// What starts programs at login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    /// The systemd of a user.
    Systemd,
    /// The launchd of macOS.
    Launchd,
    /// The task scheduler of Windows.
    TaskScheduler,
}

/// What a file that belongs to the start at login holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Holds {
    /// These bytes.
    Bytes(Vec<u8>),
    /// It is a symbolic link that leads there.
    LinkTo(PathBuf),
}

/// A file that belongs to the start at login.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    path: PathBuf,
    holds: Holds,
}

/// What people run who do not want to wait for the next login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Starts it now; on Windows this has it start at login, too.
    pub start: String,
    /// Ends what was started so.
    pub stop: String,
}

/// How a work tree starts at login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtLogin {
    /// The file that says so.
    pub path: PathBuf,
    /// Whether it is not as it should be, or not there any more.
    pub is_stale: bool,
    /// What to run for having it at once.
    pub commands: Commands,
    /// What keeps it from starting on this machine, as far as that can be seen.
    pub hindrance: Option<&'static str>,
}

impl AtLogin {
    /// How this work tree starts at login; nothing if it does not.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn of(repo: &Repo) -> Result<Option<Self>, Error> {
        let Some(plan) = Autostart::plan(repo, AutoSync::AsItIs)? else {
            return Ok(None);
        };
        Ok(plan.at_login())
    }
}

impl System {
    /// The one that this program was built for.
    const fn here() -> Self {
        if cfg!(target_os = "macos") {
            Self::Launchd
        } else if cfg!(windows) {
            Self::TaskScheduler
        } else {
            Self::Systemd
        }
    }

    /// Where a user's files for it lie.
    fn folder(self) -> Result<PathBuf, Error> {
        let absolute = |name: &'static str| {
            let folder = std::env::var_os(name).map(PathBuf::from);
            folder.filter(|folder| folder.is_absolute())
        };
        let home = || std::env::home_dir().filter(|home| home.is_absolute());
        let folder = match self {
            Self::Systemd => absolute("XDG_CONFIG_HOME")
                .or_else(|| Some(home()?.join(".config")))
                .map(|config| config.join("systemd").join("user")),
            Self::Launchd => home().map(|home| home.join("Library").join("LaunchAgents")),
            Self::TaskScheduler => absolute("LOCALAPPDATA").map(|folder| folder.join("rhema-crdt")),
        };
        folder.ok_or(Error::NoHome)
    }

    /// The files that have it start at login, the one that says how first.
    fn items(self, job: &Job, folder: &Path) -> Result<Vec<Item>, Error> {
        let file = |path, text: Vec<u8>| Item {
            path,
            holds: Holds::Bytes(text),
        };
        let path = folder.join(self.file_name(job));
        Ok(match self {
            Self::Systemd => {
                let link = folder
                    .join("default.target.wants")
                    .join(self.file_name(job));
                let enabled = Item {
                    path: link,
                    holds: Holds::LinkTo(path.clone()),
                };
                vec![file(path, systemd::unit(job)?.into_bytes()), enabled]
            }
            Self::Launchd => vec![file(path, launchd::agent(job).into_bytes())],
            Self::TaskScheduler => vec![file(path, windows::in_utf_16(&windows::task(job)?))],
        })
    }

    fn file_name(self, job: &Job) -> String {
        let ending = match self {
            Self::Systemd => "service",
            Self::Launchd => "plist",
            Self::TaskScheduler => "xml",
        };
        format!("{}.{ending}", job.name)
    }

    fn commands(self, job: &Job, folder: &Path) -> Commands {
        let path = folder.join(self.file_name(job));
        match self {
            Self::Systemd => systemd::commands(job),
            Self::Launchd => launchd::commands(job, &path),
            Self::TaskScheduler => windows::commands(job, &path),
        }
    }

    /// What keeps it from starting anything on this machine, as far as that can be seen.
    fn hindrance(self) -> Option<&'static str> {
        let is_there = match self {
            // As sd_booted(3) tells.
            Self::Systemd => Path::new("/run/systemd/system").exists(),
            Self::Launchd | Self::TaskScheduler => true,
        };
        (!is_there).then_some(
            "systemd does not run on this machine: nothing starts at login before it does",
        )
    }
}

impl Holds {
    /// What stands at a path now; nothing where there is nothing.
    fn at(&self, path: &Path) -> Result<Option<Self>, Error> {
        match self {
            Self::Bytes(_) => Ok(super::files::read(path)?.map(Self::Bytes)),
            Self::LinkTo(_) => Ok(super::files::read_link(path)?.map(Self::LinkTo)),
        }
    }

    /// As people see it.
    fn shown(&self) -> String {
        match self {
            Self::Bytes(bytes) => windows::from_utf_16(bytes)
                .unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned()),
            Self::LinkTo(target) => format!("-> {}\n", target.display()),
        }
    }
}
