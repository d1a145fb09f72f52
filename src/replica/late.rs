//! What somebody writes into a file whose place another one took: they had it open, and nobody sees it any more.
//!
//! It comes back as if they had saved it by giving a new file its name: whoever looks finds which rendering they had read.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use super::look::Target;
use super::{Error, Left, Replica, Report};
use crate::crdt::Stamp;
use crate::git::{self, unsettled_for};
use crate::node::state_folder;
use crate::store::Moment;
use crate::surroundings;
use crate::yaml::{self, Limits};

/// The folder in the work tree's state for what was written late and cannot be recorded.
const ASIDE: &str = "late";

/// How often whoever writes late is waited for.
const MOST_WAITS: usize = 30;

/// A file as it was before it was written here.
#[derive(Debug)]
pub struct Former {
    file: PathBuf,
    taken_out: git::TakenOut,
    /// The last edit that was made here then.
    last: Option<Stamp>,
}

impl Former {
    /// Which file, from the top of the work tree.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// When somebody wrote it since, the last time; nothing where nobody did, or it cannot be told.
    #[must_use]
    pub fn written(&self) -> Option<SystemTime> {
        self.taken_out.written()
    }

    /// Keeps what somebody wrote into it, and cannot be recorded, beside the state of the work tree; says where, and nothing where
    /// nobody wrote anything.
    #[must_use]
    pub fn keep_aside(&self, git_dir: &Path) -> Option<Left> {
        let why = match self.keep_in(&state_folder(git_dir).join(ASIDE)) {
            Ok(None) => return None,
            Ok(Some(at)) => format!(
                "another program wrote into it after it was replaced, while it was edited here: what that wrote is kept in {}",
                at.display()
            ),
            Err(error) => format!(
                "what another program wrote into it after it was replaced cannot be kept ({error}): save it there again"
            ),
        };
        let file = self.file.clone();
        Some(Left { file, why })
    }

    fn keep_in(&self, folder: &Path) -> io::Result<Option<PathBuf>> {
        let Some(late) = self.taken_out.changed()? else {
            return Ok(None);
        };
        fs::create_dir_all(folder)?;
        let mut prefix = self.file.file_stem().unwrap_or_default().to_os_string();
        prefix.push("-");
        let mut builder = tempfile::Builder::new();
        let mut kept = builder
            .prefix(&prefix)
            .suffix(".yaml")
            .tempfile_in(folder)?;
        kept.write_all(&late)?;
        kept.as_file().sync_data()?;
        let (_, path) = kept.keep().map_err(|error| error.error)?;
        Ok(Some(path))
    }
}

impl Replica<'_> {
    /// Records what somebody wrote into a former file.
    ///
    /// # Errors
    /// When something was edited here since, git is busy, somebody is just writing the file, or this is only half of what they
    /// write, so that it will do another time; what else a look tells.
    pub fn bring_back(&mut self, former: &Former, report: &mut Report) -> Result<(), Error> {
        let (file, path) = (former.file(), self.repo.top().join(former.file()));
        let unreadable = |source| git::Error::Read {
            path: path.clone(),
            source,
        };
        let Some(late) = former.taken_out.changed().map_err(unreadable)? else {
            return Ok(());
        };
        // Half of it is of no use to anybody.
        let document = yaml::Document::read(&late, &Limits::default());
        document.map_err(|problem| git::Error::Unparsable {
            file: self.repo.shown(file),
            problem,
        })?;
        self.now = Moment::now();
        self.mind_git()?;
        self.take_in(file)?;
        // Whoever lacks what was edited here since would be taken for one who takes that back.
        let replica = self.clock_file.replica();
        if self.store.read()?.last_of(replica)? != former.last {
            return Err(git::Error::ChangedMeanwhile { path }.into());
        }
        // Where the file is gone there is nothing to come back to.
        let there = path.canonicalize().ok().and_then(|path| git::held(&path));
        let Some(there) = there else {
            return Ok(());
        };
        if !self.is_rendered(file, &there)? {
            return Err(git::Error::ChangedMeanwhile { path }.into());
        }
        tracing::info!("{}: written late", file.display());
        let taken_out = self.repo.replace_unchanged(file, &there, &late)?;
        self.keep_former(file, taken_out)?;
        let commit = self.repo.head_commit()?;
        self.look_and_write(Target::at(file, commit), report)
    }

    /// Keeps a file that was replaced.
    pub(super) fn keep_former(
        &mut self,
        file: &Path,
        taken_out: Option<git::TakenOut>,
    ) -> Result<(), Error> {
        let Some(taken_out) = taken_out else {
            return Ok(());
        };
        let replica = self.clock_file.replica();
        self.formers.push(Former {
            file: file.to_path_buf(),
            taken_out,
            last: self.store.read()?.last_of(replica)?,
        });
        Ok(())
    }

    /// Records what was written into former files until now, where nobody stays who would do so later. What cannot be recorded is
    /// told in the report.
    pub(super) fn bring_back_late(&mut self, report: &mut Report) {
        if self.onlooker.is_some() {
            return;
        }
        for _ in 0..MOST_WAITS {
            let mut formers = std::mem::take(&mut self.formers);
            formers.retain(|former| former.written().is_some());
            if formers.is_empty() {
                return;
            }
            for former in formers {
                let left = former
                    .written()
                    .and_then(|written| unsettled_for(written, surroundings::now()));
                match left {
                    Some(left) => {
                        thread::sleep(left.max(Duration::from_millis(1)));
                        self.formers.push(former);
                    }
                    None => {
                        if let Err(error) = self.bring_back(&former, report) {
                            tracing::info!("{}: {error}", former.file().display());
                            let aside = former.keep_aside(self.repo.git_dir());
                            report.notes.extend(aside);
                        }
                    }
                }
            }
        }
    }
}
