//! The open conflicts of all documents, and settling them in the files. Where what is contested comes from: `sources.rs`.

mod sources;

pub use sources::Source;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{Commit, Oid};

use super::documents::{marked_places, scope_of};
use super::versions::{Stamps, new_stamp};
use super::{Error, Favour, Repo, Settings, walk};
use crate::context::{self, Choice, Contest, Lost, Matter, Types, Unsettled};
use crate::yaml::{Document, Limits};

/// How many commits are searched for the version that a loser comes from: conflicts are settled soon, or their commits
/// are far behind.
const MOST_COMMITS: usize = 2_000;

/// An open conflict and the file that it is in.
#[derive(Clone, Debug)]
pub struct Open {
    /// The file, from the top of the work tree.
    pub path: PathBuf,
    /// What is contested.
    pub contest: Contest,
}

impl Open {
    /// This one in a document as it is by now; nothing where it was settled.
    fn still_in(&self, document: &Document) -> Option<Contest> {
        let Self { contest, .. } = self;
        if matches!(contest.matter, Matter::Misfit { .. }) {
            return contest.still_misfits(document).then(|| contest.clone());
        }
        let is_this = |now: &Contest| {
            let about = |contest: &Contest| (contest.matter == Matter::Name, contest.field.clone());
            about(now) == about(contest) && now.losers == contest.losers
        };
        context::contests(document).into_iter().find(is_this)
    }
}

/// What tells which values do not fit: the types of places, and what a file held that was fit for all.
pub struct Fitting<'f> {
    /// The types.
    pub types: &'f Types,
    /// The last version of a file that was recorded.
    pub before: &'f dyn Fn(&Path) -> Option<Vec<u8>>,
}

/// A file in which a conflict was settled.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Which.
    path: PathBuf,
    /// What it held.
    before: Vec<u8>,
    /// What it holds.
    after: Vec<u8>,
}

/// The open conflicts of the work tree.
#[derive(Debug, Default)]
pub struct OpenConflicts {
    /// All of them, by file.
    pub all: Vec<Open>,
    /// Files with git's conflict markers.
    pub marked: Vec<PathBuf>,
    /// Files that git could not merge and left as our side has them.
    pub unmerged: Vec<PathBuf>,
    /// Files that one side of a merge under way deleted while the other changed them.
    pub half_deleted: Vec<PathBuf>,
    /// What could not be read, and why.
    pub unread: Vec<(PathBuf, String)>,
}

impl Repo {
    /// The documents, or those of one scope.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn document_paths(&self, scope: Option<&Path>) -> Result<Vec<PathBuf>, Error> {
        let mut files = walk::find(self)?.files;
        files.retain(|file| scope.is_none_or(|scope| scope_of(file) == scope));
        Ok(files)
    }

    /// The open conflicts of these documents.
    #[must_use]
    pub fn open_conflicts(&self, files: &[PathBuf], fitting: &Fitting<'_>) -> OpenConflicts {
        let mut open = OpenConflicts::default();
        for path in files {
            let unread = |why: String| (path.clone(), why);
            let bytes = match fs::read(self.top().join(path)) {
                Ok(bytes) => bytes,
                Err(error) => {
                    open.unread.push(unread(format!("cannot be read: {error}")));
                    continue;
                }
            };
            if marked_places(&bytes) > 0 {
                open.marked.push(path.clone());
                continue;
            }
            match self.is_left_unmerged(path, &bytes, &Settings::default()) {
                Ok(true) => open.unmerged.push(path.clone()),
                Ok(false) => {}
                Err(error) => open
                    .unread
                    .push(unread(format!("cannot be merged: {error}"))),
            }
            if self.is_half_deleted(path) {
                open.half_deleted.push(path.clone());
            }
            match Document::read(&bytes, &Limits::default()) {
                Ok(document) => {
                    let before = (fitting.before)(path);
                    let before =
                        before.and_then(|bytes| Document::read(&bytes, &Limits::default()).ok());
                    let misfits = before.map(|before| {
                        context::misfits(&before, &document, fitting.types).into_iter()
                    });
                    let contests = context::contests(&document).into_iter();
                    let contests = contests.chain(misfits.into_iter().flatten());
                    open.all.extend(contests.map(|contest| Open {
                        path: path.clone(),
                        contest,
                    }));
                }
                Err(error) => open.unread.push(unread(error.to_string())),
            }
        }
        open
    }

    /// Whether a conflict is still open: settling another one may have closed it.
    #[must_use]
    pub fn is_open(&self, open: &Open) -> bool {
        let bytes = fs::read(self.top().join(&open.path)).unwrap_or_default();
        let document = Document::read(&bytes, &Limits::default());
        document.is_ok_and(|document| open.still_in(&document).is_some())
    }

    /// The choice of one side in a conflict: ours is what this branch held before the merge that brought the conflict,
    /// along first parents; theirs is what came with it. Nothing if the history does not tell. Of two records with one name no side
    /// is to go: both stay as they stand.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    pub fn choice_of_side(&self, open: &Open, side: Favour) -> Result<Option<Choice>, Error> {
        if open.contest.matter == Matter::Name {
            return Ok(Some(Choice::Winner));
        }
        let ours = self.before_conflict(open)?;
        Ok(ours.and_then(|ours| match side {
            Favour::Ours => open.contest.choice_of(&ours),
            Favour::Theirs => open.contest.choice_against(&ours),
        }))
    }

    /// What stood in the place of a conflict before it was one.
    fn before_conflict(&self, open: &Open) -> Result<Option<Lost>, Error> {
        let reading = || Error::libgit2("read the history");
        let Ok(mut commit) = self.inner.head().and_then(|head| head.peel_to_commit()) else {
            return Ok(None);
        };
        let mut known = None;
        loop {
            let Some(id) = blob_in(&commit, &open.path)? else {
                return Ok(None);
            };
            if known.replace(id) != Some(id) {
                let version = self.version(id)?;
                let before = version.and_then(|version| open.contest.in_version(&version));
                if before.is_some() {
                    return Ok(before);
                }
            }
            commit = match commit.parent_count() {
                0 => return Ok(None),
                _ => commit.parent(0).map_err(reading())?,
            };
        }
    }

    /// The version of the file that a chosen loser comes from, where other fields come with it: the nearest one in the
    /// history of HEAD, or of what is being merged, that shows the value uncontested. Nothing if it is not found.
    fn origin_of(
        &self,
        open: &Open,
        contest: &Contest,
        choice: &Choice,
    ) -> Result<Option<Document>, Error> {
        let Some(lost) = contest.taken_with_others(choice) else {
            return Ok(None);
        };
        let reading = || Error::libgit2("read the history");
        let mut walk = self.inner.revwalk().map_err(reading())?;
        if walk.push_head().is_err() {
            return Ok(None);
        }
        if let Ok(merged) = self.inner.find_reference("MERGE_HEAD") {
            walk.push_ref(merged.name().unwrap_or_default())
                .map_err(reading())?;
        }
        let mut known = HashSet::new();
        for commit in walk.take(MOST_COMMITS) {
            let commit = self.inner.find_commit(commit.map_err(reading())?);
            let Some(id) = blob_in(&commit.map_err(reading())?, &open.path)? else {
                continue;
            };
            if !known.insert(id) {
                continue;
            }
            let shows = |version: &Document| contest.in_version(version).as_ref() == Some(lost);
            if let Some(version) = self.version(id)?.filter(shows) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// A version of a file that a commit holds; nothing if it is no YAML.
    fn version(&self, id: Oid) -> Result<Option<Document>, Error> {
        let blob = self
            .inner
            .find_blob(id)
            .map_err(Error::libgit2("read the history"))?;
        Ok(Document::read(blob.content(), &Limits::default()).ok())
    }

    /// Settles one conflict, if it is still there; the file before and after that.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, or the choice is none.
    pub fn settle(
        &self,
        open: &Open,
        choice: &Choice,
        stamps: &mut dyn Stamps,
    ) -> Result<Option<Settled>, Error> {
        let full = self.top().join(&open.path);
        let bytes = fs::read(&full).map_err(|source| Error::Read {
            path: full.clone(),
            source,
        })?;
        let unsettled = |source: Unsettled| Error::Unsettled {
            field: open.contest.field.clone(),
            source,
        };
        let document = Document::read(&bytes, &Limits::default())
            .map_err(|_| Error::ChangedMeanwhile { path: full })?;
        let Some(contest) = open.still_in(&document) else {
            return Ok(None);
        };
        let contest = &contest;
        let head = self.in_head(&open.path)?.unwrap_or_default();
        let head = String::from_utf8_lossy(&head);
        let origin = self.origin_of(open, contest, choice)?;
        let stamp = new_stamp(stamps)?;
        let text = context::settle(&document, contest, choice, origin.as_ref(), stamp, &head)
            .map_err(unsettled)?;
        let settled = Settled {
            path: open.path.clone(),
            before: bytes,
            after: text.into_bytes(),
        };
        self.replace_unchanged(&settled.path, &settled.before, &settled.after)?;
        Ok(Some(settled))
    }

    /// Takes back what was settled, if nobody wrote the file since.
    ///
    /// # Errors
    ///
    /// [`Error::ChangedMeanwhile`] if somebody did; when the file cannot be written.
    pub fn unsettle(&self, settled: &Settled) -> Result<(), Error> {
        let Settled {
            path,
            before,
            after,
        } = settled;
        self.replace_unchanged(path, after, before)?;
        Ok(())
    }
}

/// What a commit holds at a path; nothing if that is not there.
fn blob_in(commit: &Commit<'_>, path: &Path) -> Result<Option<Oid>, Error> {
    let tree = commit.tree().map_err(Error::libgit2("read the history"))?;
    Ok(tree.get_path(path).ok().map(|entry| entry.id()))
}
