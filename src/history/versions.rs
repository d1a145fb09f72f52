//! Versions of a document, read as far as somebody asks.
//!
//! Of a large document that has several versions only the records are read that these do not hold alike, or that are asked for.

use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::Error;
use crate::context::{from_verbose, lift};
use crate::crdt::{self, Path};
use crate::git::{DocumentHistory, Passed, Repo};
use crate::overlay::{BlobId, CommitId, DocumentPath, Excerpts, History, Mentioned, Version};
use crate::yaml::{Document, Limits};

/// How many texts are kept: the one before is most often the one after of what is asked next.
const TEXTS_KEPT: usize = 4;

/// One document in git.
pub(super) struct Versions<'r> {
    pub(super) repo: &'r Repo,
    pub(super) path: DocumentPath,
    history: DocumentHistory<'r>,
    texts: RefCell<VecDeque<(BlobId, Option<Rc<str>>)>>,
    changes: OnceCell<Vec<Version>>,
}

impl<'r> Versions<'r> {
    pub(super) fn of(repo: &'r Repo, path: DocumentPath) -> Self {
        Self {
            repo,
            history: repo.history_of(&path),
            path,
            texts: RefCell::default(),
            changes: OnceCell::new(),
        }
    }

    /// What a commit makes of it; nothing where that cannot be told.
    pub(super) fn version_of(&self, commit: CommitId) -> Result<Option<Version>, Error> {
        Ok(self.history.version_of(commit)?)
    }

    /// The version that a commit has.
    pub(super) fn version_in(&self, commit: CommitId) -> Result<Option<BlobId>, Error> {
        Ok(self.history.version_in(commit)?)
    }

    /// Whether what it holds depends on more than its versions: they go through a program.
    pub(super) fn are_converted(&self) -> bool {
        self.history.is_converted()
    }

    /// The text of a version; nothing for one that is no text.
    pub(super) fn text(&self, blob: BlobId) -> Result<Option<Rc<str>>, Error> {
        let mut texts = self.texts.borrow_mut();
        if let Some((_, text)) = texts.iter().find(|(known, _)| *known == blob) {
            return Ok(text.clone());
        }
        let text = self.history.text(blob)?;
        if texts.len() == TEXTS_KEPT {
            texts.pop_front();
        }
        texts.push_back((blob, text.clone()));
        Ok(text)
    }

    /// The commits that changed it on the first-parent way from a commit, the newest first, as far as the history is at hand.
    pub(super) fn changes(&self, head: CommitId) -> Result<&[Version], Error> {
        if let Some(changes) = self.changes.get() {
            return Ok(changes);
        }
        let mut changes = Vec::new();
        let mut next = Some(head);
        while let Some(commit) = next {
            let Some(version) = self.version_of(commit)? else {
                break;
            };
            if version.before.first().copied().flatten() != version.after {
                changes.push(version);
            }
            next = self.repo.parent_of(commit)?;
        }
        Ok(self.changes.get_or_init(|| changes))
    }

    /// When a commit was made, in milliseconds since the Unix epoch.
    pub(super) fn time_of(&self, commit: CommitId) -> Result<u64, Error> {
        let passed = self.repo.passed(commit)?;
        Ok(passed.map_or(0, |passed: Passed| passed.unix_millis))
    }
}

/// These texts as the CRDTs see them, an absent one as a document that holds nothing, but for records that all of them hold
/// alike and that are not mentioned. Nothing where one of them cannot be read.
pub(super) fn lifted(
    texts: &[Option<&str>],
    mentioned: &Mentioned,
) -> Option<Vec<Rc<crdt::Document>>> {
    let there: Vec<&str> = texts.iter().copied().flatten().collect();
    let read = if there.len() == texts.len() {
        excerpts(&there, mentioned)
    } else {
        None
    };
    let read = match read {
        Some(read) => read,
        None => there
            .iter()
            .map(|text| read_whole(text))
            .collect::<Option<Vec<_>>>()?,
    };
    let mut read = read.into_iter();
    texts
        .iter()
        .map(|text| match text {
            Some(_) => read.next(),
            None => Some(Rc::default()),
        })
        .collect()
}

fn excerpts(texts: &[&str], mentioned: &Mentioned) -> Option<Vec<Rc<crdt::Document>>> {
    let excerpts = Excerpts::of(texts, mentioned, 0)?;
    let lifted = excerpts.texts().iter().enumerate().map(|(index, text)| {
        let read = Document::from_text(text.clone(), &Limits::default()).ok()?;
        let is_meant = excerpts.is_read_as_meant(index, &read);
        is_meant.then(|| Rc::new(lift(&read)))
    });
    lifted.collect()
}

fn read_whole(text: &str) -> Option<Rc<crdt::Document>> {
    let read = |text: String| Document::from_text(text, &Limits::default()).ok();
    let document = read(text.to_owned())?;
    // Another way of writing the same.
    let document = from_verbose(&document).and_then(read).unwrap_or(document);
    Some(Rc::new(lift(&document)))
}

/// What is asked of these places alone.
pub(super) fn mentions<'p>(places: impl IntoIterator<Item = &'p Path>) -> Mentioned {
    let mut mentioned = Mentioned::default();
    for at in places {
        mentioned.place(at);
    }
    mentioned
}
