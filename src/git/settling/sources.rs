//! Where what is contested comes from: the commits that brought it.

use std::path::Path;

use git2::{BranchType, Oid};

use crate::context::{self, Contest, Lost};
use crate::crdt::Stamp;
use crate::git::history::{commit_id, oid};
use crate::git::walk::git_path;
use crate::git::{Error, Repo};
use crate::overlay::{CommitId, DocumentPath, History, Version};
use crate::yaml::{Document, Limits};

/// How many commits that changed a file are searched, and how much of its text: conflicts are settled soon, or their
/// commits are far behind.
const MOST_VERSIONS: usize = 2_000;
const MOST_BYTES: usize = 32 << 20;

/// By how much clocks may differ, in milliseconds: a stamp is looked for in no older commit.
const SKEW: u64 = 24 * 60 * 60 * 1_000;

/// A commit that brought something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The commit, in git's short form.
    pub commit: String,
    /// Who made it.
    pub author: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
    /// A branch that has it: the one that is checked out if it was made there, else the first one that has it.
    pub branch: Option<String>,
}

/// A value that is looked for.
struct Sought<'c> {
    contest: &'c Contest,
    value: Lost,
    stamp: Option<Stamp>,
    found: Option<CommitId>,
    /// Whether older commits need not be asked.
    is_done: bool,
}

impl Repo {
    /// The commits that brought what some contests of a file are about, as far as the ancestry of HEAD, and of what is being
    /// merged, tells: for each contest of the winner, then of the losers. Of a stamp it is the first commit that has it, of
    /// what has none the one since which it stands in the newest versions that show it.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    pub fn sources(
        &self,
        path: &Path,
        contests: &[&Contest],
    ) -> Result<Vec<Vec<Option<Source>>>, Error> {
        let mut sought: Vec<Vec<Sought<'_>>> = contests.iter().map(|one| sides(one)).collect();
        let mut text = 0;
        for version in self.versions_of(path)?.into_iter().take(MOST_VERSIONS) {
            let mut open = sought
                .iter_mut()
                .flatten()
                .filter(|one| !one.is_done)
                .peekable();
            if open.peek().is_none() || text > MOST_BYTES {
                break;
            }
            let (Some(blob), at) = (version.after, self.time_of(oid(version.commit))?) else {
                continue;
            };
            let bytes = self.bytes(blob)?;
            text += bytes.len();
            let mut read: Option<Option<(Document, Vec<Contest>)>> = None;
            for one in open {
                match one.stamp {
                    Some(stamp) => one.look_for(stamp, &bytes, version.commit, at),
                    None => {
                        let read = read.get_or_insert_with(|| {
                            let document = Document::read(&bytes, &Limits::default()).ok()?;
                            let open = context::contests(&document);
                            Some((document, open))
                        });
                        if let Some((document, open)) = read {
                            one.look_at(document, open, version.commit);
                        }
                    }
                }
            }
        }
        let told = |one: Sought<'_>| one.found.map(|commit| self.source(commit)).transpose();
        let told = |sides: Vec<Sought<'_>>| sides.into_iter().map(told).collect();
        sought.into_iter().map(told).collect()
    }

    /// The versions of a file in the ancestry of HEAD and of what is being merged.
    fn versions_of(&self, path: &Path) -> Result<Vec<Version>, Error> {
        let history = self.history_of(&DocumentPath::new(git_path(path)));
        let Some(head) = self.head_commit()? else {
            return Ok(Vec::new());
        };
        let merged = self.commit_named("MERGE_HEAD").ok();
        let mut versions = match merged {
            Some(merged) => history.versions(merged, Some(head))?.unwrap_or_default(),
            None => Vec::new(),
        };
        versions.extend(history.versions(head, None)?.unwrap_or_default());
        Ok(versions)
    }

    fn time_of(&self, commit: Oid) -> Result<u64, Error> {
        let commit = self.inner.find_commit(commit);
        let seconds = commit
            .map_err(Error::libgit2("read a commit"))?
            .time()
            .seconds();
        Ok(u64::try_from(seconds).unwrap_or(0) * 1_000)
    }

    fn source(&self, commit: CommitId) -> Result<Source, Error> {
        let reading = || Error::libgit2("read a commit");
        let found = self.inner.find_commit(oid(commit)).map_err(reading())?;
        let short = found.as_object().short_id().map_err(reading())?;
        Ok(Source {
            commit: String::from_utf8_lossy(&short).into_owned(),
            author: String::from_utf8_lossy(found.author().name_bytes()).into_owned(),
            at: self.time_of(oid(commit))?,
            branch: self.branch_of(commit)?,
        })
    }

    /// A branch on which a commit was made, as far as can be told.
    fn branch_of(&self, commit: CommitId) -> Result<Option<String>, Error> {
        let reading = || Error::libgit2("list the branches");
        let here = self.branch()?;
        let mut on = self.head_commit()?;
        for _ in 0..MOST_VERSIONS {
            let Some(ours) = on else { break };
            if ours == commit {
                return Ok(here);
            }
            on = self.parent_of(ours)?;
        }
        let mut others = Vec::new();
        for branch in self.inner.branches(None).map_err(reading())? {
            let (branch, kind) = branch.map_err(reading())?;
            let (Some(tip), Ok(Some(name))) = (branch.get().target(), branch.name()) else {
                continue;
            };
            let has = || self.inner.graph_descendant_of(tip, oid(commit));
            if Some(name) != here.as_deref() && (commit_id(tip) == commit || has().unwrap_or(false))
            {
                others.push((kind == BranchType::Remote, name.to_owned()));
            }
        }
        Ok(others.into_iter().min().map(|(_, name)| name))
    }
}

/// What is looked for of a contest.
fn sides(contest: &Contest) -> Vec<Sought<'_>> {
    let (value, stamp) = &contest.winner;
    let winner = (value.clone().map_or(Lost::Deletion, Lost::Value), *stamp);
    let sides = std::iter::once(winner).chain(contest.losers.iter().cloned());
    let sought = |(value, stamp)| Sought {
        contest,
        value,
        stamp,
        found: None,
        is_done: false,
    };
    sides.map(sought).collect()
}

impl Sought<'_> {
    fn look_for(&mut self, stamp: Stamp, bytes: &[u8], commit: CommitId, at: u64) {
        if memchr::memmem::find(bytes, stamp.to_string().as_bytes()).is_some() {
            self.found = Some(commit);
        }
        self.is_done = at + SKEW < stamp.unix_millis();
    }

    fn look_at(&mut self, document: &Document, open: &[Contest], commit: CommitId) {
        let stands = self.contest.in_version_with(document, open);
        match stands {
            Some(value) if value == self.value => self.found = Some(commit),
            // What is contested there tells nothing.
            None => {}
            Some(_) => self.is_done = self.found.is_some(),
        }
    }
}
