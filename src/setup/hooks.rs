//! The hook that stamps what is about to be committed.
//!
//! A hook that is there already is kept beside ours under another name, the same file with its mode and its times, and ours
//! runs it first. Ours says in itself what taking it back needs: hooks belong to all work trees of a clone, and the one that
//! takes it back need not be the one that made it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{missing_folders, read, remove_if_empty};
use super::{Change, Error, Left};
use crate::git::{Driver, Repo, replace};

const NAME: &str = "pre-commit";

/// What a hook that was there before is called as long as ours is there.
const KEPT: &str = "pre-commit.before-rhema";

/// The line by which our hook is known.
const OURS: &str = "# By `rhema crdt init --hooks`; `rhema crdt uninit` takes it back.";

/// The line that says that the folder came with the hook.
const OUR_FOLDER: &str = "# It made this folder.";

/// What stands behind the program where it is run.
const CALL: &str = " crdt pre-commit || :";

/// The hook of a clone and how it stands.
pub(super) struct Hook {
    path: PathBuf,
    kept: PathBuf,
    there: Option<Vec<u8>>,
    has_kept: bool,
}

/// What is to be done about the hook.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Ours comes with this text, in the place of another one or of nothing.
    Add { text: String, keeps_another: bool },
    /// Ours gets this text.
    Renew { text: String },
    /// Ours goes, and the one that was there before comes back.
    Remove { gives_back: bool },
}

/// A hook and what is to be done about it.
pub(super) struct HookPlan {
    hook: Hook,
    step: Step,
}

impl Hook {
    /// Looks for it.
    pub(super) fn find(repo: &Repo) -> Result<Self, Error> {
        let folder = repo.hooks_folder()?;
        let (path, kept) = (folder.join(NAME), folder.join(KEPT));
        Ok(Self {
            there: read(&path)?,
            has_kept: is_there(&kept),
            path,
            kept,
        })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn says(&self, line: &str) -> bool {
        let there = self.there.as_deref().unwrap_or_default();
        there
            .split(|byte| *byte == b'\n')
            .any(|has| has == line.as_bytes())
    }

    fn is_ours(&self) -> bool {
        self.says(OURS)
    }

    /// Whether nobody wrote anything into ours since it was made.
    fn is_as_made(&self) -> bool {
        let there = self
            .there
            .as_deref()
            .and_then(|there| std::str::from_utf8(there).ok());
        there.is_some_and(|there| {
            let mut lines = there.lines();
            let program = lines.find_map(|line| line.trim_start().strip_suffix(CALL));
            program.is_some_and(|program| there == text(program, self.says(OUR_FOLDER)))
        })
    }

    /// Whether another hook took the place of ours.
    pub(super) fn is_displaced(&self) -> bool {
        self.has_kept && !self.is_ours()
    }

    /// What is missing, so that it runs this program; where it was never asked for, only if it is `wanted`.
    pub(super) fn install(self, driver: &Driver, wanted: bool) -> Result<Option<HookPlan>, Error> {
        if self.is_ours() {
            let text = text(driver.program(), self.says(OUR_FOLDER));
            // What somebody made of it is theirs to keep up.
            let is_stale = self.is_as_made() && self.there.as_deref() != Some(text.as_bytes());
            return Ok(is_stale.then_some(HookPlan {
                hook: self,
                step: Step::Renew { text },
            }));
        }
        if !wanted {
            return Ok(None);
        }
        let keeps_another = is_there(&self.path);
        if keeps_another && self.has_kept {
            return Err(Error::TwoHooks {
                path: self.path,
                kept: self.kept,
            });
        }
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let text = text(driver.program(), !folder.exists());
        Ok(Some(HookPlan {
            hook: self,
            step: Step::Add {
                text,
                keeps_another,
            },
        }))
    }

    /// What has to go, or why it stays; nothing where it is not there.
    pub(super) fn uninstall(self) -> Option<Result<HookPlan, Left>> {
        if !self.is_ours() {
            return None;
        }
        if !self.is_as_made() {
            let why = "1:1: the hook was changed since it was made: take `rhema crdt pre-commit` out by hand";
            return Some(Err(Left {
                path: self.path,
                why: why.to_owned(),
            }));
        }
        let step = Step::Remove {
            gives_back: self.has_kept,
        };
        Some(Ok(HookPlan { hook: self, step }))
    }
}

impl HookPlan {
    /// What changes by it.
    pub(super) fn change(&self) -> Change {
        let path = self.hook.path.clone();
        match self.step {
            Step::Add { keeps_another, .. } => Change::AddHook {
                path,
                keeps_another,
            },
            Step::Renew { .. } => Change::RenewHook { path },
            Step::Remove { gives_back } => Change::RemoveHook { path, gives_back },
        }
    }

    /// Carries it out. At each moment the hook that was there before runs.
    pub(super) fn carry_out(&self) -> Result<(), Error> {
        self.make().map_err(Error::write(&self.hook.path))
    }

    fn make(&self) -> io::Result<()> {
        let Hook { path, kept, .. } = &self.hook;
        match &self.step {
            Step::Add { text, .. } => {
                let folder = path.parent().unwrap_or(Path::new(""));
                for folder in missing_folders(folder) {
                    fs::create_dir(folder)?;
                }
                keep(path, kept)?;
                put(path, text)
            }
            Step::Renew { text } => put(path, text),
            Step::Remove { gives_back: true } => fs::rename(kept, path),
            Step::Remove { gives_back: false } => {
                fs::remove_file(path)?;
                let made_folder = self.hook.says(OUR_FOLDER);
                if let Some(folder) = path.parent().filter(|_| made_folder) {
                    remove_if_empty(&[folder.to_path_buf()]);
                }
                Ok(())
            }
        }
    }

    /// Takes it back, as far as that is possible.
    pub(super) fn undo(&self) {
        let Hook {
            path, kept, there, ..
        } = &self.hook;
        let undone = match (&self.step, there) {
            (
                Step::Add {
                    keeps_another: true,
                    ..
                },
                _,
            ) => fs::rename(kept, path),
            (Step::Add { .. }, _) => fs::remove_file(path),
            (Step::Renew { .. }, Some(before)) => replace(path, before),
            (Step::Renew { .. } | Step::Remove { .. }, _) => Ok(()),
        };
        if let Err(error) = undone {
            tracing::error!("{}: {error}", path.display());
        }
    }
}

/// Whether something stands there, if only a link that leads nowhere.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Gives the hook that is there its second name.
fn keep(path: &Path, kept: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        // A link is kept as it is, not what it leads to; so is a file where it can have but one name.
        Ok(metadata) if metadata.is_symlink() => fs::rename(path, kept),
        Ok(_) => fs::hard_link(path, kept).or_else(|_| fs::rename(path, kept)),
    }
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rhema-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let mut fresh = builder.tempfile_in(folder)?;
    io::Write::write_all(&mut fresh, text.as_bytes())?;
    fresh.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The hook. Whatever comes of our part, the commit goes on.
fn text(program: &str, made_folder: bool) -> String {
    let folder = match made_folder {
        true => format!("{OUR_FOLDER}\n"),
        false => String::new(),
    };
    format!(
        r#"#!/bin/sh
{OURS}
{folder}kept="$(dirname -- "$0")/{KEPT}"
if [ -x "$kept" ]; then
    "$kept" "$@" || exit $?
fi
if command -v {program} >/dev/null 2>&1; then
    {program}{CALL}
else
    echo "warning: rhema is not to be found: what is committed gets no stamps" >&2
fi
exit 0
"#
    )
}
