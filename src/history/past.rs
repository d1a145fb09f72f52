//! Documents as they were: what HEAD held at a time, and over it the edits that this work tree knows from before.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::Error;
use super::versions::{Versions, lifted};
use crate::context::lift;
use crate::crdt::{self, Change, Path, Stamp, StampSet};
use crate::git::{Repo, git_path, native_path};
use crate::overlay::{
    Closings, CommitId, Containment, Contents, Deed, DocumentPath, Excerpts, Judged, Known,
    Mentioned, Origin, RULES, overlay, render, retracted, stamps_in,
};
use crate::store::{Issuer, Mark, Reading, StoredEdit};
use crate::yaml::{Document, Limits};

/// How many edits one after the other HEAD must have contained for all earlier ones to be taken as contained, too.
const ENOUGH: usize = 64;

/// How many edits are read at once.
const PAGE: usize = 256;

/// The least that a document can be.
const LEAST: &str = "_crdt: v1\n";

/// When something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instant {
    /// As this commit has it.
    Commit(CommitId),
    /// As this work tree had it at a time, in milliseconds since the Unix epoch.
    Time(u64),
    /// As this work tree had it when this edit had been made.
    Stamp(Stamp),
}

/// The text of a document as it was; nothing where there was none. With a place, what stands elsewhere may be as it was earlier.
///
/// # Errors
/// When the repository or the store cannot be read.
pub fn document_at(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    document: &DocumentPath,
    instant: Instant,
    at: Option<&Path>,
) -> Result<Option<String>, Error> {
    let commit = commit_of(repo, reading, instant)?;
    let until = match instant {
        Instant::Commit(_) => None,
        Instant::Time(time) => Some(Stamp::first_after(time)),
        Instant::Stamp(stamp) => Some(Stamp::first_after(stamp.unix_millis())),
    };
    let past = Past::of(repo, document, commit)?;
    let edits = match (reading, until) {
        (Some(reading), Some(until)) => past.edits(reading, document, until, at, &[])?,
        _ => Vec::new(),
    };
    past.with(&edits)
}

/// The commit on which this work tree stood then; none where there was none.
///
/// # Errors
/// When the repository or the store cannot be read.
pub fn commit_of(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    instant: Instant,
) -> Result<Option<CommitId>, Error> {
    match instant {
        Instant::Commit(commit) => Ok(Some(commit)),
        Instant::Time(time) => commit_at(repo, time),
        Instant::Stamp(stamp) => match known_base(reading, stamp)? {
            Some((base, Issuer::Own)) => Ok(base),
            _ => commit_at(repo, stamp.unix_millis()),
        },
    }
}

/// Edits that belong together, as those of one who gave a record another name.
#[derive(Clone, Debug, Default)]
pub(super) struct Together {
    /// What was done.
    pub(super) done: Vec<Stamp>,
    /// What was taken back along with that.
    pub(super) taken_back: Vec<Stamp>,
}

/// The text of a document before some edits and after them, as it was where the first of them was made.
pub(super) fn document_around(
    repo: &Repo,
    reading: &Reading<'_>,
    document: &DocumentPath,
    together: &Together,
) -> Result<(Option<String>, Option<String>), Error> {
    let Together { done, taken_back } = together;
    let first = done.iter().min().or(taken_back.iter().min());
    let last = done.iter().chain(taken_back).max();
    let (Some(first), Some(last)) = (first, last) else {
        return Ok((None, None));
    };
    let base = known_base(Some(reading), *first)?.and_then(|(base, _)| base);
    let past = Past::of(repo, document, base)?;
    let until = Stamp::first_after(last.unix_millis());
    let mut before = past.edits(reading, document, until, None, taken_back)?;
    before.retain(|edit| edit.known.stamp <= *last);
    let mut after = before.clone();
    before.retain(|edit| !done.contains(&edit.known.stamp));
    after.retain(|edit| !taken_back.contains(&edit.known.stamp));
    Ok((past.with(&before)?, past.with(&after)?))
}

/// The text of a document in a commit.
pub(super) fn document_in(
    repo: &Repo,
    document: &DocumentPath,
    commit: CommitId,
) -> Result<Option<String>, Error> {
    let past = Past::of(repo, document, Some(commit))?;
    past.with(&[])
}

/// The commit on which a known edit was made, and whether that was done here; nothing inside where there was none.
fn known_base(
    reading: Option<&Reading<'_>>,
    stamp: Stamp,
) -> Result<Option<(Option<CommitId>, Issuer)>, Error> {
    let Some(reading) = reading else {
        return Ok(None);
    };
    let edit = reading.edit(stamp)?;
    Ok(edit.map(|edit| (edit.known.base, edit.issuer)))
}

/// The commit that HEAD named at a time: as the log of this work tree has it, else the last one by then on the way of first parents.
fn commit_at(repo: &Repo, unix_millis: u64) -> Result<Option<CommitId>, Error> {
    if let Some(commit) = repo.head_at(unix_millis) {
        return Ok(Some(commit));
    }
    let mut next = repo.head_commit()?;
    while let Some(commit) = next {
        let passed = repo.passed(commit)?;
        if passed.is_none_or(|passed| passed.unix_millis <= unix_millis) {
            return Ok(Some(commit));
        }
        next = repo.parent_of(commit)?;
    }
    Ok(None)
}

/// What a document was called in a commit.
pub(super) fn name_at(
    repo: &Repo,
    document: &DocumentPath,
    commit: Option<CommitId>,
) -> Result<DocumentPath, Error> {
    let Some(commit) = commit else {
        return Ok(document.clone());
    };
    if repo.blob_in(commit, document)?.is_some() {
        return Ok(document.clone());
    }
    let mut name = document.clone();
    let mut next = repo.head_commit()?;
    while let Some(passed) = next.filter(|next| *next != commit) {
        let parent = repo.parent_of(passed)?;
        if let Some(parent) = parent
            && repo.blob_in(passed, &name)?.is_some()
            && repo.blob_in(parent, &name)?.is_none()
        {
            let path = native_path(name.as_bytes());
            if let Some(former) = repo.moved_by(passed, parent, &path)? {
                name = DocumentPath::new(git_path(&former));
            }
        }
        next = parent;
    }
    Ok(name)
}

struct Past<'r> {
    repo: &'r Repo,
    versions: Versions<'r>,
    commit: Option<CommitId>,
    text: Option<Rc<str>>,
    /// Those that stand in the text, once somebody asked.
    stamps: OnceCell<FxHashSet<Stamp>>,
}

/// An edit that stood over HEAD, and which of its changes HEAD contained.
#[derive(Clone)]
struct Standing {
    known: Known,
    contained: Vec<bool>,
}

impl<'r> Past<'r> {
    fn of(
        repo: &'r Repo,
        document: &DocumentPath,
        commit: Option<CommitId>,
    ) -> Result<Self, Error> {
        let versions = Versions::of(repo, name_at(repo, document, commit)?);
        let blob = commit.map(|commit| versions.version_in(commit));
        let blob = blob.transpose()?.flatten();
        let text = blob.map(|blob| versions.text(blob)).transpose()?.flatten();
        Ok(Self {
            repo,
            versions,
            commit,
            text,
            stamps: OnceCell::new(),
        })
    }

    /// The edits before a stamp that stood over the commit, whatever the document was called, and `also` these, which were taken back.
    fn edits(
        &self,
        reading: &Reading<'_>,
        document: &DocumentPath,
        until: Stamp,
        at: Option<&Path>,
        also: &[Stamp],
    ) -> Result<Vec<Standing>, Error> {
        let mut edits = self.edits_of(reading, document, until, at, also)?;
        let then = self.versions.path.clone();
        if then != *document {
            edits.extend(self.edits_of(reading, &then, until, at, also)?);
            edits.sort_by_key(|edit| edit.known.stamp);
        }
        Ok(edits)
    }

    /// Those that were made under one name.
    fn edits_of(
        &self,
        reading: &Reading<'_>,
        document: &DocumentPath,
        until: Stamp,
        at: Option<&Path>,
        also: &[Stamp],
    ) -> Result<Vec<Standing>, Error> {
        let mut taken_back: BTreeSet<Stamp> = BTreeSet::new();
        let back = reading.edits_about(document, &Path::default(), Some(until), usize::MAX)?;
        taken_back.extend(retracted(back.iter().map(|edit| &edit.known)));
        taken_back.retain(|stamp| !also.contains(stamp));
        let mut seen = StampSet::default();
        let mut standing = Vec::new();
        let mut open = Vec::new();
        let mut before = until;
        let mut run = 0;
        'pages: loop {
            let page = match at.filter(|at| at.steps().len() > 1) {
                Some(at) => reading.edits_about(document, at, Some(before), PAGE)?,
                None => reading.edits_before(document, Some(before), PAGE)?,
            };
            let is_last = page.len() < PAGE;
            before = page.last().map_or(before, |edit| edit.known.stamp);
            for edit in page {
                if matches!(edit.known.deed, Deed::Retract(_)) {
                    continue;
                }
                let stamp = edit.known.stamp;
                if taken_back.contains(&stamp) || self.was_elsewhere(&edit)? {
                    continue;
                }
                let is_contained = seen.contains(stamp) || self.is_written(stamp);
                if is_contained {
                    // What it had replaced went into the commit with it.
                    for change in edit.known.changes() {
                        seen.union(change.observed.stamps());
                    }
                    run += 1;
                    if run == ENOUGH && at.is_none() {
                        break 'pages;
                    }
                    continue;
                }
                run = 0;
                match edit.known.base == self.commit {
                    true => standing.push(Standing {
                        contained: vec![false; edit.known.changes().len()],
                        known: edit.known,
                    }),
                    false => open.push(edit.known),
                }
            }
            if is_last {
                break;
            }
        }
        standing.extend(self.judged(open)?);
        standing.sort_by_key(|standing| standing.known.stamp);
        Ok(standing)
    }

    /// Whether the commit's text has a stamp.
    fn is_written(&self, stamp: Stamp) -> bool {
        let stamps = || stamps_in(self.text.as_deref().unwrap_or_default().as_bytes()).collect();
        self.stamps.get_or_init(stamps).contains(&stamp)
    }

    /// Whether an edit belonged to another branch.
    fn was_elsewhere(&self, edit: &StoredEdit) -> Result<bool, Error> {
        let (Some(commit), Some(base)) = (self.commit, edit.known.base) else {
            return Ok(false);
        };
        if !edit.marks.contains(Mark::Committed) || base == commit {
            return Ok(false);
        }
        let history = self.repo.history_of(&self.versions.path);
        let is_behind = crate::overlay::History::is_ancestor(&history, base, commit)?;
        Ok(is_behind == Some(false))
    }

    /// Those of some edits that the commit does not contain, as the history shows.
    fn judged(&self, open: Vec<Known>) -> Result<Vec<Standing>, Error> {
        let Some(commit) = self.commit.filter(|_| !open.is_empty()) else {
            return Ok(open.into_iter().map(Standing::of).collect());
        };
        let history = self.repo.history_of(&self.versions.path);
        let mut contents = Contents::of(&history);
        let all: Vec<&Known> = open.iter().collect();
        let held = contents.held(commit, &all)?;
        // What a contained edit had replaced went into the commit with it.
        let contained = open.iter().zip(&held).filter(|(_, held)| held.is_whole());
        let closings: Vec<Change> = contained
            .flat_map(|(known, _)| known.changes().iter().cloned())
            .collect();
        let closings = Closings::of(closings.iter());
        let went_along = |known: &Known| {
            let mut changes = known.changes().iter();
            changes.all(|change| closings.close(change, known.stamp))
        };
        let judged = open.into_iter().zip(held).filter_map(|(known, held)| {
            if (held.is_whole() || went_along(&known)) && !known.changes().is_empty() {
                return None;
            }
            match held {
                Containment::Known(contained) => Some(Standing { known, contained }),
                Containment::OutOfReach => None,
            }
        });
        Ok(judged.collect())
    }

    /// The text with these edits over it.
    fn with(&self, edits: &[Standing]) -> Result<Option<String>, Error> {
        if edits.is_empty() {
            return Ok(self.text.as_deref().map(str::to_owned));
        }
        let text = self.text.as_deref().unwrap_or(LEAST);
        let mut mentioned = Mentioned::default();
        for change in edits.iter().flat_map(|edit| edit.known.changes()) {
            mentioned.change(change);
        }
        if let Some(excerpts) = Excerpts::of(&[text], &mentioned, 0)
            && let Some(excerpt) = excerpts.texts().first()
            && let Ok(read) = Document::from_text(excerpt.clone(), &Limits::default())
            && excerpts.is_read_as_meant(0, &read)
            && let Some(shown) = self.shown(&read, edits, &mentioned)?
            && let Some(whole) = excerpts.whole(&shown)
        {
            return Ok(Some(whole));
        }
        let Ok(read) = Document::from_text(text.to_owned(), &Limits::default()) else {
            return Ok(Some(text.to_owned()));
        };
        let shown = self.shown(&read, edits, &mentioned)?;
        Ok(Some(shown.unwrap_or_else(|| text.to_owned())))
    }

    /// A text with edits over it; nothing where that cannot be written.
    fn shown(
        &self,
        text: &Document,
        edits: &[Standing],
        mentioned: &Mentioned,
    ) -> Result<Option<String>, Error> {
        let base = lift(text);
        let judged: Vec<Judged<'_>> = edits
            .iter()
            .map(|edit| Judged {
                known: &edit.known,
                contained: edit.contained.clone(),
                may_show: true,
                was_shown: true,
            })
            .collect();
        let mut origins: BTreeMap<CommitId, Option<Rc<crdt::Document>>> = BTreeMap::new();
        let mut origin = |known: &Known| -> Result<Option<Origin>, Error> {
            let (Some(head), Some(base)) = (self.commit, known.base) else {
                return Ok(None);
            };
            let Some(met) = self.repo.common_ancestor(head, base)? else {
                return Ok(None);
            };
            let mut read = |commit: CommitId| -> Result<Option<Rc<crdt::Document>>, Error> {
                if let Some(known) = origins.get(&commit) {
                    return Ok(known.clone());
                }
                let blob = self.versions.version_in(commit)?;
                let text = blob.map(|blob| self.versions.text(blob)).transpose()?;
                let read = lifted(&[text.flatten().as_deref()], mentioned);
                let read = read.and_then(|read| read.into_iter().next());
                origins.insert(commit, read.clone());
                Ok(read)
            };
            let (Some(document), Some(common)) = (read(base)?, read(met)?) else {
                return Ok(None);
            };
            Ok(Some(Origin {
                document,
                common,
                is_behind_head: met == base,
            }))
        };
        let edits = overlay(&base, &judged, &mut origin)?;
        let view = RULES.view(&base, &edits);
        Ok(match render(text, &base, &view) {
            Ok(shown) => Some(shown),
            Err(error) => {
                tracing::info!("{error}");
                None
            }
        })
    }
}

impl Standing {
    fn of(known: Known) -> Self {
        Self {
            contained: vec![false; known.changes().len()],
            known,
        }
    }
}
