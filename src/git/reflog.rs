//! Git's log of HEAD in this work tree: which commits it named, and what was done each time.
//!
//! The log is a file with one line an entry, the newest last; libgit2 reads all of it every time. Here only what came
//! after the last time is read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use git2::Oid;
use rustc_hash::FxHashSet;
use xxhash_rust::xxh3::xxh3_64;

use super::history::{commit_id, oid};
use super::{Error, Repo};
use crate::overlay::CommitId;

/// What git's log tells of HEAD since a position in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadLog {
    /// In order of time.
    pub movements: Vec<Movement>,
    /// Whether these are all.
    pub reach: Reach,
    /// Where the log ends now.
    pub position: LogPosition,
}

/// How far back a part of the log reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To the position that was asked for.
    Whole,
    /// The entry at that position is gone, be it expired or deleted: only the entries that are no older than it are told,
    /// and some may be missing.
    Lost,
}

/// An entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The commit that HEAD named before; none before the first one.
    pub from: Option<CommitId>,
    /// The commit that it named then.
    pub to: CommitId,
    /// What was done.
    pub action: Action,
}

/// What moved HEAD, as git's commands write it into the log. A script may have them write something else
/// (`GIT_REFLOG_ACTION`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// `git commit`. Also the end of a revert, and of a squash merge, that is committed by hand.
    Commit,
    /// The first commit of a branch without history.
    CommitInitial,
    /// `git commit --amend`.
    CommitAmend,
    /// `git commit` at the end of a merge that had stopped.
    CommitMerge,
    /// `git checkout` and `switch`, `bisect` too.
    Checkout,
    /// `git reset`, `stash` too.
    Reset,
    /// `git merge`, with or without a commit.
    Merge,
    /// Any step of `git rebase`, and a `git commit` while it picks one.
    Rebase,
    /// `git cherry-pick`, and a `git commit` at the end of one.
    CherryPick,
    /// `git revert`, where it did not stop.
    Revert,
    /// `git am`.
    Am,
    /// Any step of `git pull`, rebasing ones too.
    Pull,
    /// Anything else: a clone, a push from elsewhere, a renamed branch, other programs.
    Other,
}

impl Action {
    /// Tells it from an entry's message.
    fn of(message: &[u8]) -> Self {
        let end = message.iter().position(|byte| *byte == b':');
        let action = message
            .get(..end.unwrap_or(message.len()))
            .unwrap_or(message);
        let mut words = action.split(|byte| *byte == b' ');
        match (words.next().unwrap_or_default(), words.next()) {
            (b"commit", None) => Self::Commit,
            (b"commit", Some(b"(initial)")) => Self::CommitInitial,
            (b"commit", Some(b"(amend)")) => Self::CommitAmend,
            (b"commit", Some(b"(merge)")) => Self::CommitMerge,
            (b"commit", Some(b"(cherry-pick)")) | (b"cherry-pick", _) => Self::CherryPick,
            (b"commit", Some(b"(rebase)")) | (b"rebase", _) => Self::Rebase,
            (b"checkout", _) => Self::Checkout,
            (b"reset", _) => Self::Reset,
            (b"merge", _) => Self::Merge,
            (b"revert", _) => Self::Revert,
            (b"am", _) => Self::Am,
            (b"pull", _) => Self::Pull,
            _ => Self::Other,
        }
    }

    /// Whether it is a commit of what somebody edited here.
    #[must_use]
    pub fn is_own(self) -> bool {
        matches!(self, Self::Commit | Self::CommitInitial | Self::CommitAmend)
    }
}

/// A position in the log: after some entry, or at its beginning. It is found again by the entry's content, wherever that
/// stands, also where the log was rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct LogPosition(Option<Mark>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
struct Mark {
    /// Where the line stood, in bytes.
    offset: u64,
    /// What git writes about the entry, without the commit before: `git reflog expire --rewrite` changes that.
    digest: u64,
    /// In seconds since 1970.
    time: i64,
}

impl Repo {
    /// What moved HEAD in this work tree since a position in its log; without a position only where the log ends. Nothing
    /// where git keeps no log of HEAD. Entries after which HEAD named no commit are left out.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn head_log_since(&self, since: Option<&LogPosition>) -> Result<Option<HeadLog>, Error> {
        let path = self.git_dir().join("logs").join("HEAD");
        let read = match File::open(&path) {
            Ok(file) => Log { file }.since(since),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(self.log_is_to_come()?.then(HeadLog::empty));
            }
            Err(error) => Err(error),
        };
        let read = read.map_err(|source| Error::Read { path, source })?;
        Ok(Some(read))
    }

    /// Whether the log is only missing because HEAD has named no commit yet.
    fn log_is_to_come(&self) -> Result<bool, Error> {
        let reading = || Error::libgit2("read git's configuration");
        let config = self.inner.config().map_err(reading())?;
        // Neither true nor false: not set, or `always`.
        let keeps = config.get_bool("core.logAllRefUpdates").unwrap_or(true);
        Ok(keeps && self.head_commit()?.is_none())
    }

    /// The commits among these movements that were made here of what was edited here, in order of time: by `git commit`,
    /// with one parent at most, and HEAD's or its ancestors' still. What git takes from other commits (picks, reverts,
    /// rebases, merges, pulls) is not among them.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    pub fn own_commits(&self, movements: &[Movement]) -> Result<Vec<CommitId>, Error> {
        match self.head_commit()? {
            Some(head) => self.own_commits_behind(head, movements),
            None => Ok(Vec::new()),
        }
    }

    /// As [`own_commits`](Self::own_commits), those that are this commit or its ancestors.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    pub fn own_commits_behind(
        &self,
        head: CommitId,
        movements: &[Movement],
    ) -> Result<Vec<CommitId>, Error> {
        let mut seen = FxHashSet::default();
        let mut own = Vec::new();
        for movement in movements.iter().filter(|movement| movement.action.is_own()) {
            let id = oid(movement.to);
            let commit = self.graph.commit(&self.inner, id)?;
            let is_plain = commit.is_some_and(|commit| commit.parents.len() <= 1);
            if is_plain && seen.insert(id) {
                own.push(id);
            }
        }
        let still = self.graph.among_ancestors(&self.inner, oid(head), &own)?;
        own.retain(|id| still.contains(id));
        Ok(own.into_iter().map(commit_id).collect())
    }
}

impl HeadLog {
    fn empty() -> Self {
        Self {
            movements: Vec::new(),
            reach: Reach::Whole,
            position: LogPosition(None),
        }
    }
}

/// The file.
struct Log {
    file: File,
}

impl Log {
    /// How much of the end is read at first to find the last entry.
    const TAIL: u64 = 4096;

    fn since(mut self, since: Option<&LogPosition>) -> io::Result<HeadLog> {
        let mark = match since {
            None => return self.end(),
            Some(LogPosition(None)) => {
                return Ok(told(&self.entries_from(0)?, None, Reach::Whole));
            }
            Some(LogPosition(Some(mark))) => mark,
        };
        let entries = self.entries_from(mark.offset)?;
        if let [first, new @ ..] = entries.as_slice()
            && first.mark == *mark
        {
            return Ok(told(new, Some(first), Reach::Whole));
        }
        let mut entries = self.entries_from(0)?;
        if let Some(place) = entries
            .iter()
            .rposition(|entry| entry.mark.names_the_same_as(mark))
        {
            let new = entries.split_off(place + 1);
            return Ok(told(&new, entries.last(), Reach::Whole));
        }
        let last = entries.last().cloned();
        entries.retain(|entry| entry.mark.time >= mark.time);
        Ok(told(&entries, last.as_ref(), Reach::Lost))
    }

    /// Nothing but where the log ends.
    fn end(&mut self) -> io::Result<HeadLog> {
        let length = self.file.metadata()?.len();
        let mut tail = Self::TAIL;
        loop {
            let start = length.saturating_sub(tail);
            // It may begin within a line, which then is none that can be read.
            let entries = self.entries_from(start)?;
            if start == 0 || !entries.is_empty() {
                return Ok(told(&[], entries.last(), Reach::Whole));
            }
            tail = tail.saturating_mul(2);
        }
    }

    /// The entries from this place on, but for a last one that git is writing just now.
    fn entries_from(&mut self, start: u64) -> io::Result<Vec<Entry>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_to_end(&mut bytes)?;
        let mut offset = start;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let entries = lines.filter_map(|line| {
            let at = offset;
            offset += line.len() as u64;
            Entry::read(line.strip_suffix(b"\n")?, at)
        });
        Ok(entries.collect())
    }
}

/// What these entries tell, which end the log; `before` is the one before them.
fn told(entries: &[Entry], before: Option<&Entry>, reach: Reach) -> HeadLog {
    let last = entries.last().or(before);
    HeadLog {
        movements: entries.iter().filter_map(Entry::movement).collect(),
        reach,
        position: LogPosition(last.map(|entry| entry.mark)),
    }
}

/// A line: `FROM TO NAME <EMAIL> SECONDS ZONE<tab>MESSAGE`.
#[derive(Clone)]
struct Entry {
    from: Oid,
    to: Oid,
    action: Action,
    mark: Mark,
}

impl Entry {
    fn read(line: &[u8], offset: u64) -> Option<Self> {
        let (from, rest) = oid_before_space(line)?;
        let (to, who) = oid_before_space(rest)?;
        let tab = who.iter().position(|byte| *byte == b'\t');
        let (who, message) = match tab {
            Some(tab) => (who.get(..tab)?, who.get(tab + 1..)?),
            None => (who, &[][..]),
        };
        let mut words = who.rsplit(|byte| *byte == b' ');
        let (_zone, seconds) = (words.next()?, words.next()?);
        Some(Self {
            from,
            to,
            action: Action::of(message),
            mark: Mark {
                offset,
                digest: xxh3_64(rest),
                time: std::str::from_utf8(seconds).ok()?.parse().ok()?,
            },
        })
    }

    fn movement(&self) -> Option<Movement> {
        let named = |id: Oid| (!id.is_zero()).then(|| commit_id(id));
        Some(Movement {
            from: named(self.from),
            to: named(self.to)?,
            action: self.action,
        })
    }
}

impl Mark {
    /// Whether it is of the same entry, wherever that stands.
    fn names_the_same_as(&self, other: &Self) -> bool {
        (self.digest, self.time) == (other.digest, other.time)
    }
}

/// The object's name that a line begins with, and what stands after it.
fn oid_before_space(line: &[u8]) -> Option<(Oid, &[u8])> {
    let (name, rest) = line.split_at_checked(40)?;
    let id = Oid::from_str(std::str::from_utf8(name).ok()?).ok()?;
    Some((id, rest.strip_prefix(b" ")?))
}
