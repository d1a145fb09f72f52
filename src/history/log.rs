//! What was edited, the newest first, as far as somebody asks.
//!
//! Two sources are read side by side, both from now backwards: the edits of the store by their stamps, and git's commits. An edit that a
//! commit has is told with its own time and that commit; so a commit is looked at before the edits that are older than it.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::ops::ControlFlow;

use super::brought::Brought;
use super::changes::Happened;
use super::commits::came_back;
use super::known::KnownEdits;
use super::memory::{Commits, Memory};
use super::versions::Versions;
use super::{Entry, Error, Kind, People, State};
use crate::crdt::{Path, Stamp};
use crate::git::{Passed, Passing, Repo};
use crate::node::Config;
use crate::overlay::{CommitId, DocumentPath, Known};
use crate::store::{Mark, Reading, StoredEdit, Way};

/// How many edits are read at first, and at most, from the store at once.
const FIRST_PAGE: usize = 64;
const LARGEST_PAGE: usize = 4_096;

/// How many commits are looked at beyond an edit that HEAD is known to contain, to find the one that does: clocks differ.
const MOST_AHEAD: usize = 16;

/// How many edits of a place are looked at for the one that a commit shows without its stamp.
const MOST_ALIKE: usize = 64;

/// What is asked of the log.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The documents.
    pub documents: Vec<DocumentPath>,
    /// Only what happened there, in there, or to the record that it is in: as paths are typed.
    pub within: Option<String>,
    /// The place that is meant by that, where it is there now.
    pub at: Option<Path>,
    /// Only what is not older, in milliseconds since the Unix epoch.
    pub since: Option<u64>,
    /// Only what is not newer.
    pub until: Option<u64>,
}

/// How a log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All was told that was asked for.
    Whole,
    /// This clone has no more of git's history.
    Cut,
}

/// Tells of what was edited, the newest first, until whoever hears it has heard enough. What is found out about commits goes into `memory`.
///
/// # Errors
/// When the repository or the store cannot be read.
pub fn log(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    people: &People,
    asked: &Asked,
    memory: &Memory,
    hear: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<Ended, Error> {
    let head = repo.head_commit()?;
    let config = Config::at_head(repo).unwrap_or_default();
    let mut telling = Telling {
        repo,
        reading,
        people,
        asked,
        commits: Commits::of(reading, memory, config.types),
        documents: Vec::new(),
        passing: repo.passing(head),
        next_commit: None,
        is_cut: false,
        brought: Brought::default(),
        told: HashSet::new(),
        ready: BinaryHeap::new(),
        number: 0,
    };
    for document in &asked.documents {
        telling.open(document.clone())?;
    }
    telling.next_commit = telling.passing.pass()?;
    telling.all(hear)?;
    Ok(match telling.is_cut {
        true => Ended::Cut,
        false => Ended::Whole,
    })
}

/// Whether something happened at a place, as paths are typed, in there, or to the record that it is in.
#[must_use]
pub fn is_about(within: &str, at: &Path, kind: Kind) -> bool {
    // Names may hold either sign.
    let (within, at) = (within.replace('.', "/"), at.to_string().replace('.', "/"));
    let is_in = |one: &str, other: &str| {
        let rest = one.strip_prefix(other);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let comes_or_goes = matches!(kind, Kind::Born | Kind::Removed | Kind::Renamed);
    is_in(&at, &within) || (comes_or_goes && is_in(&within, &at))
}

/// A document of which is told.
struct Source<'t> {
    versions: Versions<'t>,
    known: Option<KnownEdits<'t>>,
    page: VecDeque<StoredEdit>,
    /// The oldest edit that was read.
    read_to: Option<Stamp>,
    next_page: usize,
    is_at_end: bool,
}

impl Source<'_> {
    /// When the next edit was made.
    fn next_edit(&mut self, at: Option<&Path>) -> Result<Option<u64>, Error> {
        let Some(known) = &self.known else {
            return Ok(None);
        };
        if self.page.is_empty() && !self.is_at_end {
            let read = match at {
                Some(at) => {
                    known
                        .reading
                        .edits_about(&known.document, at, self.read_to, self.next_page)?
                }
                None => {
                    known
                        .reading
                        .edits_before(&known.document, self.read_to, self.next_page)?
                }
            };
            self.is_at_end = read.len() < self.next_page;
            self.next_page = (self.next_page * 4).min(LARGEST_PAGE);
            self.read_to = read.last().map(|edit| edit.known.stamp);
            self.page = read.into();
        }
        let next = self.page.front();
        Ok(next.map(|edit| edit.known.stamp.unix_millis()))
    }
}

/// An entry whose turn comes with its time.
struct Ready {
    entry: Entry,
    number: usize,
}

impl Ready {
    fn key(&self) -> (u64, Option<Stamp>, std::cmp::Reverse<usize>) {
        let entry = &self.entry;
        (
            entry.unix_millis,
            entry.stamp,
            std::cmp::Reverse(self.number),
        )
    }
}

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Ready {}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

struct Telling<'t> {
    repo: &'t Repo,
    reading: Option<&'t Reading<'t>>,
    people: &'t People,
    asked: &'t Asked,
    commits: Commits<'t>,
    documents: Vec<Source<'t>>,
    passing: Passing<'t>,
    next_commit: Option<Passed>,
    is_cut: bool,
    brought: Brought,
    /// What was told of edits that only commits know.
    told: HashSet<(Stamp, String, Kind)>,
    ready: BinaryHeap<Ready>,
    number: usize,
}

impl<'t> Telling<'t> {
    fn open(&mut self, path: DocumentPath) -> Result<(), Error> {
        let is_open = |source: &Source<'_>| source.versions.path == path;
        if self.documents.iter().any(is_open) {
            return Ok(());
        }
        let known = match self.reading {
            Some(reading) => Some(KnownEdits::of(reading, path.clone())?),
            None => None,
        };
        self.documents.push(Source {
            versions: Versions::of(self.repo, path),
            known,
            page: VecDeque::new(),
            read_to: self.asked.until.map(Stamp::first_after),
            next_page: FIRST_PAGE,
            is_at_end: false,
        });
        Ok(())
    }

    fn all(&mut self, hear: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<(), Error> {
        loop {
            let commit = self.next_commit.as_ref().map(latest_in);
            let mut edit = None;
            for (index, source) in self.documents.iter_mut().enumerate() {
                // The records of a list are found each by itself.
                let at = self.asked.at.as_ref();
                let next = source.next_edit(at.filter(|at| at.steps().len() > 1))?;
                edit = edit.max(next.map(|next| (next, index)));
            }
            let rest = commit.max(edit.map(|(time, _)| time));
            if let Some(ready) = self.ready.peek()
                && rest.is_none_or(|rest| ready.entry.unix_millis >= rest)
            {
                let Some(Ready { entry, .. }) = self.ready.pop() else {
                    continue;
                };
                if self
                    .asked
                    .since
                    .is_some_and(|since| entry.unix_millis < since)
                {
                    return Ok(());
                }
                let is_late = self
                    .asked
                    .until
                    .is_some_and(|until| entry.unix_millis > until);
                if !is_late && hear(entry).is_break() {
                    return Ok(());
                }
                continue;
            }
            match (commit, edit) {
                (None, None) => return Ok(()),
                (Some(commit), Some((edit, index))) if commit < edit => self.take_edit(index)?,
                (None, Some((_, index))) => self.take_edit(index)?,
                (Some(_), _) => self.take_commit()?,
            }
        }
    }

    /// Whether something there was asked for.
    fn is_asked(&self, at: &Path, kind: Kind) -> bool {
        let within = self.asked.within.as_deref();
        within.is_none_or(|within| is_about(within, at, kind))
    }

    fn take_edit(&mut self, index: usize) -> Result<(), Error> {
        let Some(edit) = self
            .documents
            .get_mut(index)
            .and_then(|source| source.page.pop_front())
        else {
            return Ok(());
        };
        let is_asked = |change: &crate::crdt::Change| {
            let kind = match change.act {
                crate::crdt::Act::Add { .. } => Kind::Born,
                crate::crdt::Act::Remove => Kind::Removed,
                _ => Kind::Changed,
            };
            self.is_asked(&change.at, kind)
        };
        if !edit.known.changes().iter().any(is_asked) {
            return Ok(());
        }
        let stamp = edit.known.stamp;
        let is_contained = edit.marks.contains(Mark::Contained);
        let mut found = self.commit_of(stamp, 0)?;
        let mut ahead = 0;
        while is_contained && found.is_none() && ahead < MOST_AHEAD {
            let base = edit.known.base;
            let next = self.next_commit.as_ref();
            // Nothing behind the commit that it was made on has it.
            if next.is_none_or(|next| Some(next.commit) == base) {
                break;
            }
            let looked = self.brought.looked();
            self.take_commit()?;
            found = self.commit_of(stamp, looked)?;
            ahead += 1;
        }
        let Some(source) = self.documents.get(index) else {
            return Ok(());
        };
        let Some(known) = &source.known else {
            return Ok(());
        };
        let commit = found.map(|(commit, _)| commit);
        // What was found in a commit was edited before that.
        let unix_millis = match (edit.way, found) {
            (Way::Committed, Some((_, committed))) => committed.min(stamp.unix_millis()),
            _ => stamp.unix_millis(),
        };
        let happened = known.happened(&source.versions, &edit.known)?;
        let state = known.state(&edit, commit);
        let path = source.versions.path.clone();
        let who = self.people.who(self.repo, Some(stamp), commit);
        for one in happened {
            if self.is_asked(&one.at, one.kind) {
                let entry = Entry {
                    unix_millis,
                    stamp: Some(stamp),
                    who: who.clone(),
                    branch: edit.known.branch.clone(),
                    commit,
                    document: path.clone(),
                    at: one.at,
                    kind: one.kind,
                    from: one.from,
                    to: one.to,
                    state,
                };
                self.push(entry);
            }
        }
        Ok(())
    }

    /// The oldest commit that was seen to bring an edit, of those that were looked at, from one of them on; and when it was made.
    fn commit_of(&self, stamp: Stamp, from: usize) -> Result<Option<(CommitId, u64)>, Error> {
        let has_back = |document: usize, passed: &Passed| match self.documents.get(document) {
            Some(source) => came_back(&source.versions, passed, stamp),
            None => Ok(false),
        };
        let brought = &self.brought;
        brought.commit_of(stamp, from, &self.commits, &has_back)
    }

    fn push(&mut self, entry: Entry) {
        let number = self.number;
        self.number += 1;
        self.ready.push(Ready { entry, number });
    }

    fn take_commit(&mut self) -> Result<(), Error> {
        let Some(passed) = self.next_commit.take() else {
            return Ok(());
        };
        self.next_commit = self.passing.pass()?;
        let since = self.asked.since.unwrap_or(0);
        if latest_in(&passed) < since {
            // What is older tells nothing more of what was asked.
            self.next_commit = None;
            return Ok(());
        }
        for index in 0..self.documents.len() {
            self.take_version(index, &passed)?;
        }
        Ok(())
    }

    fn take_version(&mut self, index: usize, passed: &Passed) -> Result<(), Error> {
        let Some(source) = self.documents.get(index) else {
            return Ok(());
        };
        let Some(version) = source.versions.version_of(passed.commit)? else {
            self.is_cut = true;
            return Ok(());
        };
        if !version.is_change() {
            return Ok(());
        }
        if passed.is_cut {
            self.is_cut = true;
            return Ok(());
        }
        let is_new = version.after.is_some() && version.before.iter().all(Option::is_none);
        let mut former = None;
        if let (true, Some(parent)) = (is_new, passed.parents.first()) {
            let path = crate::git::native_path(source.versions.path.as_bytes());
            if let Some(was) = self.repo.moved_by(passed.commit, *parent, &path)? {
                former = Some(DocumentPath::new(crate::git::git_path(&was)));
            }
        }
        if let Some(former) = &former {
            self.open(former.clone())?;
        }
        let Some(source) = self.documents.get(index) else {
            return Ok(());
        };
        // It went on under another name.
        let is_former = version.after.is_none() && self.goes_on(source, passed)?;
        if is_former {
            return Ok(());
        }
        let former = former.map(|former| Versions::of(self.repo, former));
        if let (Some(within), None) = (&self.asked.within, &former)
            && let Some(over) =
                self.commits
                    .passed_over(&source.versions, passed, &version, within)?
        {
            self.brought.look(passed, index, Some(over));
            return Ok(());
        }
        let happened =
            self.commits
                .happened_in(&source.versions, passed, &version, former.as_ref())?;
        self.brought.look(passed, index, None);
        let mut entries = Vec::new();
        for one in happened {
            if !self.is_asked(&one.at, one.kind) {
                // It is asked about where the edit did something else, too.
                if let Some(stamp) = one.stamp {
                    self.brought.show(stamp, false);
                }
                continue;
            }
            let stamp = match one.stamp {
                Some(stamp) if came_back(&source.versions, passed, stamp)? => None,
                stamp => stamp,
            };
            let known = match (stamp, self.reading) {
                (Some(stamp), Some(reading)) if reading.knows_edit(stamp)? => Some(stamp),
                (None, _) if one.stamp.is_none() => source.alike(&one, passed)?,
                _ => None,
            };
            match known {
                Some(known) => self.brought.show(known, true),
                None => entries.push((stamp, one)),
            }
        }
        let path = source.versions.path.clone();
        for (stamp, one) in entries {
            if stamp.is_some_and(|stamp| !self.told.insert((stamp, one.at.to_string(), one.kind))) {
                continue;
            }
            let who = self.people.who(self.repo, stamp, Some(passed.commit));
            self.push(Entry {
                unix_millis: stamp.map_or(passed.unix_millis, Stamp::unix_millis),
                stamp,
                who,
                branch: None,
                commit: Some(passed.commit),
                document: path.clone(),
                at: one.at,
                kind: one.kind,
                from: one.from,
                to: one.to,
                state: State::Committed,
            });
        }
        Ok(())
    }

    /// Whether a document that is gone in a commit stands there under another name of which is told, too.
    fn goes_on(&self, gone: &Source<'_>, passed: &Passed) -> Result<bool, Error> {
        let Some(parent) = passed.parents.first() else {
            return Ok(false);
        };
        for source in &self.documents {
            let path = crate::git::native_path(source.versions.path.as_bytes());
            let is_new = source.versions.version_in(passed.commit)?.is_some()
                && source.versions.version_in(*parent)?.is_none();
            if is_new {
                let was = self.repo.moved_by(passed.commit, *parent, &path)?;
                let was = was.map(|was| DocumentPath::new(crate::git::git_path(&was)));
                if was.as_ref() == Some(&gone.versions.path) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

impl Source<'_> {
    /// The known edit that did what a commit shows without a stamp: a removal, a move, what was typed and committed.
    fn alike(&self, one: &Happened, passed: &Passed) -> Result<Option<Stamp>, Error> {
        let Some(known) = &self.known else {
            return Ok(None);
        };
        // An edit may have been made by a clock that goes fast.
        let before = Stamp::first_after(latest_in(passed).saturating_add(600_000));
        let edits =
            known
                .reading
                .edits_about(&known.document, &one.at, Some(before), MOST_ALIKE)?;
        let parent = passed.parents.first().copied();
        for edit in edits {
            let is_here = match edit.way {
                Way::Committed => edit.known.base == parent,
                Way::Recorded | Way::Received => edit.known.base != Some(passed.commit),
            };
            if is_here && did(&edit.known, one) && !known.is_retracted(edit.known.stamp) {
                return Ok(Some(edit.known.stamp));
            }
        }
        Ok(None)
    }
}

/// Whether an edit did this.
fn did(edit: &Known, one: &Happened) -> bool {
    use crate::crdt::{Act, Node};
    let at = one.at.as_born().to_string();
    edit.changes().iter().any(|change| {
        change.at.as_born().to_string() == at
            && match (&change.act, one.kind, &one.to) {
                (Act::Remove, Kind::Removed, _)
                | (Act::Move { .. }, Kind::Moved, _)
                | (Act::Add { .. }, Kind::Born, _)
                | (Act::Count(_), Kind::Counted, _)
                | (Act::Settle(_), Kind::Settled, _)
                | (Act::Lose(_), Kind::Conflict, _) => true,
                (
                    Act::Write(value) | Act::Last(value),
                    Kind::Changed | Kind::Settled,
                    Some(Node::Register(to, _)),
                ) => value == to,
                (Act::Replace(members), Kind::Changed, Some(Node::List(to, _))) => members == to,
                (Act::Raise(value), Kind::Changed, Some(to)) => to.as_number() == Some(*value),
                _ => false,
            }
    })
}

/// Until when edits may have been made that a commit has, in milliseconds: git counts in seconds.
fn latest_in(passed: &Passed) -> u64 {
    passed.unix_millis.saturating_add(999)
}
