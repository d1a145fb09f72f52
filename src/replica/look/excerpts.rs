//! A look at excerpts of a large document: what nobody touched is neither read nor written anew.

use super::writer::{is_recent, may_be_read_since};
use super::{Looked, Looking, Seen, Target, Vain};
use crate::git::Moved;
use crate::overlay::{DocumentPath, Excerpts, Mentioned};
use crate::replica::document::{Edits, Text, Versions};
use crate::replica::{Error, Replica};
use crate::store::{Rendering, Which};
use crate::{context, git, yaml};

/// How many bytes must be left out of every version for excerpts to be worth their while.
const WORTH_WHILE: usize = 4 << 10;

/// The same; nothing is too little where looks at excerpts are checked.
fn worth_while() -> usize {
    if are_checked() { 0 } else { WORTH_WHILE }
}

/// Whether what a look at excerpts finds is compared with what a look at the whole finds: the environment asks a debug build
/// for that.
pub(super) fn are_checked() -> bool {
    cfg!(debug_assertions) && std::env::var_os("RHEMA_CHECK_EXCERPTS").is_some()
}

/// Compares what was found in excerpts with what was found in the whole.
pub(super) fn check(looked: &Looked, whole: Option<&Looked>) {
    let shown = |looked: &Looked| {
        let standings = looked.standings.iter();
        let standings: Vec<String> = standings.map(|edit| format!("{edit:?}")).collect();
        (
            String::from_utf8_lossy(&looked.text).into_owned(),
            format!("{:?}", looked.new),
            standings,
            (looked.edits, looked.is_known, looked.notes.clone()),
        )
    };
    assert_eq!(
        Some(shown(looked)),
        whole.map(shown),
        "excerpts tell otherwise"
    );
}

/// Compares what was found without the edits that were superseded with what was found with all.
pub(super) fn check_partial(looked: &Looked, whole: Option<&Looked>) {
    let found = |looked: &Looked| {
        (
            String::from_utf8_lossy(&looked.text).into_owned(),
            format!("{:?}", looked.new),
            (looked.edits, looked.notes.clone()),
        )
    };
    assert_eq!(
        Some(found(looked)),
        whole.map(found),
        "the edits that count tell otherwise"
    );
}

/// The excerpts of what is compared in a look.
pub(super) struct Excerpted<'t> {
    excerpts: Excerpts<'t>,
    /// Which of them are of renderings, and of which.
    renderings: Vec<usize>,
}

impl Excerpted<'_> {
    /// The file's.
    fn work(&self) -> Option<&str> {
        self.text(0)
    }

    /// HEAD's version's.
    pub(super) fn head(&self) -> Option<&str> {
        self.text(self.renderings.len() + 1)
    }

    /// That of one of the renderings.
    pub(super) fn rendering(&self, index: usize) -> Option<&str> {
        let place = self.renderings.iter().position(|of| *of == index)?;
        self.text(place + 1)
    }

    /// What is made of the whole.
    pub(super) fn whole(&self, excerpt: &str) -> Option<String> {
        self.excerpts.whole(excerpt)
    }

    fn text(&self, index: usize) -> Option<&str> {
        self.excerpts.texts().get(index).map(String::as_str)
    }

    /// Whether all of them were read as they were meant.
    fn are_read_as_meant(&self) -> bool {
        self.excerpts
            .texts()
            .iter()
            .enumerate()
            .all(|(index, text)| {
                let read = yaml::Document::from_text(text.clone(), &yaml::Limits::default());
                read.is_ok_and(|read| self.excerpts.is_read_as_meant(index, &read))
            })
    }
}

impl Replica<'_> {
    /// Looks at excerpts; nothing where these do not tell enough.
    pub(super) fn look_at_excerpts(
        &mut self,
        target: &Target<'_>,
        seen: &Seen,
        which: Which,
    ) -> Result<Option<Result<Looked, Vain>>, Error> {
        if seen.was.len() < worth_while() {
            return Ok(None);
        }
        let path = DocumentPath::new(git::git_path(target.file));
        let recorded = self.recorded(&path, seen)?;
        let is_made = target.made.is_some();
        // Only what was read whole once is left out later.
        let Some(newest) = recorded.renderings.len().checked_sub(1) else {
            return Ok(None);
        };
        let head = self
            .repo
            .head_version(target.file, &seen.was, &mut Moved::default())?;
        let Some(head) = head else {
            return Ok(None);
        };
        let history = self.repo.history_of(&path);
        let last = recorded.last.as_ref();
        let (edits, marks) = self.judged(target, Some(&head), &history, last, which)?;
        let since = may_be_read_since(&seen.metadata);
        let is_read = |(index, rendering): &(usize, &Rendering)| {
            *index == newest || (!is_made && is_recent(rendering, since))
        };
        let mut renderings = Vec::new();
        let mut rendered = Vec::new();
        for (index, rendering) in recorded.renderings.iter().enumerate().filter(is_read) {
            let Some(bytes) = self.bytes_of(rendering) else {
                return Ok(None);
            };
            renderings.push(index);
            rendered.push(bytes);
        }
        let made = target.made.as_ref().map(|made| made.text.as_bytes());
        let texts = std::iter::once(made.unwrap_or(&seen.was))
            .chain(rendered.iter().map(Vec::as_slice))
            .chain([head.bytes.as_slice()]);
        let texts: Result<Vec<&str>, _> = texts.map(std::str::from_utf8).collect();
        let mentioned = mentioned(&edits);
        let excerpts = texts
            .ok()
            .and_then(|texts| Excerpts::of(&texts, &mentioned, worth_while()));
        let Some(excerpts) = excerpts else {
            return Ok(None);
        };
        let excerpted = Excerpted {
            excerpts,
            renderings,
        };
        if !excerpted.are_read_as_meant() {
            return Ok(None);
        }
        let read =
            |text: &str| yaml::Document::from_text(text.to_owned(), &yaml::Limits::default()).ok();
        let (work, ground) = (excerpted.work(), excerpted.head());
        let Some((work, ground)) = work.and_then(read).zip(ground.and_then(read)) else {
            return Ok(None);
        };
        if !context::takes_stamps(Some(&ground), &work) {
            return Ok(None);
        }
        let versions = Versions::new(path, target.commit, Some(head.clone()), ground, history);
        let mut looking = Looking::new(self, target, seen, versions, recorded);
        looking.excerpts = Some(&excerpted);
        match looking.look(Text::of(work), edits, marks)? {
            Ok(looked) => {
                tracing::debug!("{}: looked at in excerpts", target.file.display());
                Ok(Some(Ok(looked)))
            }
            Err(Vain::TooFewEdits) => Ok(Some(Err(Vain::TooFewEdits))),
            Err(_) => Ok(None),
        }
    }
}

/// What is mentioned by edits that HEAD does not contain.
fn mentioned(edits: &Edits) -> Mentioned {
    let mut mentioned = Mentioned::default();
    for edit in &edits.all {
        let is_open = |index: usize| !edit.contained.get(index).copied().unwrap_or(false);
        let mut changes = edit.changes().iter().enumerate();
        for (_, change) in changes.by_ref().filter(|(index, _)| is_open(*index)) {
            mentioned.change(change);
            mentioned.stamp(edit.known.stamp);
        }
    }
    mentioned
}
