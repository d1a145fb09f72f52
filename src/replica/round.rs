//! A round over all documents: what `sync` does before and after it talks to anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64;

use super::look::{Target, Unlooked};
use super::{Error, Onlooker, Replica};
use crate::crdt;
use crate::git::{self, Repo, crash};
use crate::history;
use crate::node::Config;
use crate::overlay::{CommitId, DocumentPath};
use crate::store::{Beginning, Durability, LastLook, Look, Store};

/// A file in which nothing was recorded, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The file, from the top of the work tree.
    pub file: PathBuf,
    /// What is the matter, with the place where there is one, and what to do.
    pub why: String,
}

/// What a round did.
#[derive(Debug, Default)]
pub struct Report {
    /// The documents that were written, from the top of the work tree.
    pub written: Vec<PathBuf>,
    /// How many edits were recorded: leaves that changed, records that came and went.
    pub edits: usize,
    /// Files that were left alone.
    pub left: Vec<Left>,
    /// What else somebody should know of a file.
    pub notes: Vec<Left>,
    /// What could not be looked at or written.
    pub problems: Vec<Error>,
    /// Where values are kept now that lost against others and were not before, for each file.
    pub contested: BTreeMap<PathBuf, BTreeSet<crdt::Path>>,
    /// How many edits of each file went out of sight.
    pub parked: BTreeMap<PathBuf, usize>,
    /// Files that somebody wrote just when they were to be written, so that they are to be looked at again.
    pub raced: BTreeSet<PathBuf>,
    /// Files that somebody was just writing, so that they are to be looked at when that is done.
    pub being_written: BTreeSet<PathBuf>,
    /// The folders in which documents may come to be, from the top of the work tree, where all of it was searched.
    pub folders: Vec<PathBuf>,
    /// Digests of what the files held after they were looked at.
    pub holds: BTreeMap<PathBuf, Holding>,
    /// Where a damaged store was put aside.
    pub put_aside: Option<PathBuf>,
}

/// What a file held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding(u64);

impl Holding {
    /// That of a file with these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(xxh3_64(bytes))
    }
}

/// How long a round waits for git's commands that come in between, and how often it looks.
const MOST_WAITED: Duration = Duration::from_secs(2);
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// A [round](Replica::round) in a work tree. Where git begins to do something meanwhile, it is begun again once git is done. A
/// store that shows itself damaged is put aside, and the round begun again with a new one.
///
/// # Errors
/// As [`Replica::open`] and [`Replica::round`]; that git is busy where it goes on to be.
pub fn round(repo: &Repo, confirmed: bool) -> Result<Report, Error> {
    let mut report = Report::default();
    let began = Instant::now();
    loop {
        match round_now(repo, confirmed, None, &mut report) {
            Err(error) if error.is_busy() && began.elapsed() < MOST_WAITED => {
                thread::sleep(BETWEEN_TRIES);
            }
            done => return done.map(|()| report),
        }
    }
}

/// As [`round`], but it does not wait for git, and leaves alone what somebody is just writing, as far as the `onlooker` knows.
/// `report` is added to, however it ends.
///
/// # Errors
/// As there.
pub fn round_now(
    repo: &Repo,
    confirmed: bool,
    onlooker: Option<&dyn Onlooker>,
    report: &mut Report,
) -> Result<(), Error> {
    let once = |report: &mut Report| {
        let mut replica = Replica::open(repo)?;
        if let Some(onlooker) = onlooker {
            replica = replica.watched_by(onlooker);
        }
        replica.round_while_git_rests(confirmed, report)
    };
    match once(report) {
        Err(error) if error.is_damage() => {}
        Ok(()) if report.problems.iter().any(Error::is_damage) => {}
        done => return done,
    }
    let anew = Store::open(repo.git_dir())?.store.begin_anew()?;
    report.problems.retain(|problem| !problem.is_damage());
    once(report)?;
    if let Beginning::Anew { put_aside } = anew.beginning {
        report.put_aside = Some(put_aside);
    }
    Ok(())
}

impl Replica<'_> {
    /// Records what was edited, and shows what is known. Git must be at rest. `confirmed` where most of a list was deleted on
    /// purpose.
    ///
    /// # Errors
    /// When the repository, the store or the clock cannot be used; what concerns a single file is told in the report.
    pub fn round(&mut self, confirmed: bool) -> Result<Report, Error> {
        let mut report = Report::default();
        self.go_round(confirmed, &mut report)?;
        Ok(report)
    }

    /// As [`round`](Self::round), but nothing is written any more once git begins to do something: what it writes into files
    /// meanwhile would be taken for somebody's edits. `report` is added to, however it ends.
    ///
    /// # Errors
    /// As there, and that git is busy.
    pub fn round_while_git_rests(
        &mut self,
        confirmed: bool,
        report: &mut Report,
    ) -> Result<(), Error> {
        self.mind_git()?;
        self.go_round(confirmed, report)?;
        self.bring_back_late(report);
        Ok(())
    }

    /// As [`round_while_git_rests`](Self::round_while_git_rests), for some files only, from the top of the work tree. Says
    /// whether that was all there is to do: where HEAD moved since the last round, nothing is done, and one over all
    /// documents is needed.
    ///
    /// # Errors
    /// As there.
    pub fn look_over(
        &mut self,
        files: &BTreeSet<PathBuf>,
        report: &mut Report,
    ) -> Result<bool, Error> {
        self.mind_git()?;
        if self.put_aside().is_some() || self.head_moved()? {
            return Ok(false);
        }
        self.log = self.store.read()?.last_look()?.and_then(|last| last.reflog);
        let commit = self.repo.head_commit()?;
        let mut is_missing = false;
        for file in files {
            is_missing |= !self.repo.top().join(file).exists();
            let target = Target {
                gives_way: true,
                ..Target::at(file, commit)
            };
            self.look_and_write(target, report)?;
        }
        if is_missing {
            self.let_arrive(commit, report)?;
        }
        Ok(true)
    }

    fn go_round(&mut self, confirmed: bool, report: &mut Report) -> Result<(), Error> {
        if let Some(put_aside) = self.put_aside() {
            report.put_aside = Some(put_aside);
        }
        let config = Config::at_head(self.repo).unwrap_or_else(|error| {
            report.problems.push(error.into());
            Config::default()
        });
        let commit = self.repo.head_commit()?;
        let last = self.store.read()?.last_look()?;
        let found = self.repo.context_files()?;
        report.folders = found.folders;
        report
            .problems
            .extend(found.problems.into_iter().map(Error::Git));
        let mut looks: BTreeMap<DocumentPath, Look> =
            self.store.read()?.looks()?.into_iter().collect();
        let witness = self.witness(last.as_ref())?;
        self.log = witness.position;
        let has_moved = witness.has_moved || last.as_ref().is_some_and(|last| last.head != commit);
        if has_moved {
            let documents: Vec<DocumentPath> = looks.keys().cloned().collect();
            self.mark_committed(&witness, &documents)?;
            crash::here("after-marks");
            // A document may have been moved or removed after it was edited.
            let earlier = documents
                .iter()
                .map(|path| git::native_path(path.as_bytes()));
            let files: BTreeSet<PathBuf> = found.files.iter().cloned().chain(earlier).collect();
            report.edits += self.record_own_commits(&witness, &files)?;
        }
        if self.reissue(&config)? > 0 {
            looks = self.store.read()?.looks()?.into_iter().collect();
        }
        let mut here = Vec::with_capacity(found.files.len());
        for file in found.files {
            let path = DocumentPath::new(git::git_path(&file));
            let look = looks.get(&path);
            here.push(path);
            if look.is_some_and(|look| self.is_unchanged(&file, look, commit)) {
                continue;
            }
            // A round that came to a sudden end had seen that HEAD moved.
            let is_seen = look.is_some_and(|look| {
                look.head == commit && look.reflog.is_some() && look.reflog == self.log
            });
            let target = Target {
                has_moved: has_moved && !is_seen,
                witness: Some(&witness),
                confirmed,
                ..Target::at(&file, commit)
            };
            self.look_and_write(target, report)?;
        }
        let gone: Vec<DocumentPath> = looks
            .into_keys()
            .filter(|path| !here.contains(path))
            .collect();
        self.leave_behind(&gone, commit, has_moved)?;
        self.let_arrive(commit, report)?;
        self.bring_along(config.branches, &witness, report)?;
        crash::here("before-end");
        let look = LastLook {
            head: commit,
            reflog: witness.position,
        };
        // Where HEAD moved that is still to be seen by the files that were left out.
        if last.as_ref() != Some(&look) && report.being_written.is_empty() {
            let writing = self.store.write(Durability::Process)?;
            writing.set_last_look(&look)?;
            writing.commit()?;
        }
        match self.compact_now_and_then(&config) {
            Err(error) if error.is_damage() => return Err(error),
            Err(error) => tracing::info!("nothing is packed: {error}"),
            Ok(()) => {}
        }
        // Whoever asks what commits did is told without it, too, only more slowly.
        let most = match self.onlooker {
            Some(_) => history::AT_ONCE,
            None => history::IN_PASSING,
        };
        let memory = history::Memory::default();
        if let Err(error) = history::learn(self.repo, &mut self.store, &here, &memory, most) {
            tracing::info!("what commits did is not remembered: {error}");
        }
        Ok(())
    }

    /// Whether HEAD moved since the last round, as far as anybody can tell: before the first one, everywhere.
    pub(super) fn head_moved(&mut self) -> Result<bool, Error> {
        let Some(last) = self.store.read()?.last_look()? else {
            return Ok(true);
        };
        Ok(last.head != self.repo.head_commit()? || self.witness(Some(&last))?.has_moved)
    }

    /// Looks at a document, writes what comes of it, and tells of it.
    ///
    /// # Errors
    /// That git is busy; everything else is told in the report.
    pub(super) fn look_and_write(
        &mut self,
        target: Target<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let file = target.file.to_path_buf();
        match self.record(target) {
            Ok(Ok(written)) => {
                report.edits += written.edits;
                report
                    .holds
                    .extend(written.holds.map(|holds| (file.clone(), holds)));
                if !written.contested.is_empty() {
                    let contested = report.contested.entry(file.clone()).or_default();
                    contested.extend(written.contested);
                }
                if written.is_raced {
                    report.raced.insert(file.clone());
                    report.holds.remove(&file);
                }
                if written.parked > 0 {
                    *report.parked.entry(file.clone()).or_default() += written.parked;
                }
                let notes = written.notes.into_iter();
                report.notes.extend(notes.map(|why| Left {
                    file: file.clone(),
                    why,
                }));
                if written.changed && !report.written.contains(&file) {
                    report.written.push(file);
                }
            }
            Ok(Err(Unlooked::BeingWritten)) => {
                report.being_written.insert(file);
            }
            Ok(Err(Unlooked::Left(why))) => report.left.push(Left { file, why }),
            Ok(Err(Unlooked::Absent | Unlooked::NoDocument)) => {}
            Err(error) if error.is_busy() => return Err(error),
            Err(error) => report.problems.push(error),
        }
        Ok(())
    }

    /// From now on nothing is written any more once git begins to do something.
    pub(super) fn mind_git(&mut self) -> Result<(), Error> {
        self.stillness = Some(self.repo.stillness()?);
        Ok(())
    }

    /// Whether git did nothing since it was to be minded.
    pub(super) fn is_still(&self) -> Result<(), Error> {
        match self.stillness {
            Some(before) if self.repo.stillness()? != before => Err(git::Error::Busy {
                what: "another command",
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// Whether nothing happened to a document since a look at it.
    pub(super) fn is_unchanged(&self, file: &Path, look: &Look, commit: Option<CommitId>) -> bool {
        let metadata = fs::metadata(self.repo.top().join(file)).ok();
        look.head == commit
            && look
                .file
                .is_some_and(|fingerprint| fingerprint.vouches_for(metadata.as_ref()))
    }
}
