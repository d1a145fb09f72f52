//! A look at excerpts of a large document: what nobody touched is neither read nor written anew.

use rustc_hash::{FxHashMap, FxHashSet};

use super::writer::{is_recent, may_be_read_since};
use super::{Looked, Looking, Seen, Target, Vain};
use crate::crdt::{Change, Digest, Stamp, Step};
use crate::git::Moved;
use crate::overlay::{DocumentPath, Excerpts, Mentioned, stamps_in};
use crate::replica::around::Around;
use crate::replica::document::{Edits, Standing, Text, Versions, former};
use crate::replica::reading::Extent;
use crate::replica::{Error, Replica};
use crate::store::{Mark, Marks, Rendering};
use crate::{context, git, yaml};

/// How many bytes must be left out of every version for excerpts to be worth their while.
const WORTH_WHILE: usize = 4 << 10;

/// The same; nothing is too little where looks at excerpts are checked.
fn worth_while() -> usize {
    if are_checked() { 0 } else { WORTH_WHILE }
}

/// Whether what is found in a short way is compared with what is found in the long one: the environment asks a debug build for
/// that.
pub(in crate::replica) fn are_checked() -> bool {
    cfg!(debug_assertions) && std::env::var_os("RHEMA_CHECK_EXCERPTS").is_some()
}

/// Compares what was found in excerpts with what was found in the whole.
pub(super) fn check(looked: &Looked, whole: Option<&Looked>) {
    let looked_at: FxHashSet<Stamp> = looked
        .standings
        .iter()
        .map(|edit| edit.known.stamp)
        .collect();
    let shown = |looked: &Looked| {
        // What is settled is not even looked at in excerpts, and of what HEAD contains only what tells something.
        let is_over = |edit: &&Standing| {
            let was = |before: Marks| before.contains(Mark::Contained);
            edit.has(Mark::Contained) && edit.before.is_some_and(was)
        };
        let standings = looked.standings.iter();
        let standings =
            standings.filter(|edit| looked_at.contains(&edit.known.stamp) && !is_over(edit));
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
        extent: Extent,
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
        let since = target.since(last, &history)?;
        let mut edits = match former(&head) {
            None => self.edits_in_sight(&path, extent, since)?,
            Some(former) => {
                let mut edits = self.edits_of_all(&path, extent, since)?;
                edits.add(self.edits(&former)?.all);
                edits
            }
        };
        self.judge(target, Some(&head), &history, since, &mut edits)?;
        let settled = match edits.lacks_superseded {
            true => settled(&edits),
            false => FxHashMap::default(),
        };
        let read_since = may_be_read_since(&seen.metadata);
        let is_read = |(index, rendering): &(usize, &Rendering)| {
            *index == newest || (!is_made && is_recent(rendering, read_since))
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
        let mentioned = mentioned(&edits, &settled);
        let excerpts = texts
            .ok()
            .and_then(|texts| Excerpts::of(&texts, &mentioned, worth_while()));
        let Some(excerpts) = excerpts else {
            return Ok(None);
        };
        let mut left_out = FxHashSet::default();
        let mut births = FxHashMap::default();
        for (stamp, place) in settled {
            let Some(lines) = excerpts.left_out(&place.list, &place.name) else {
                continue;
            };
            let birth = births.entry(lines.as_ptr());
            let birth = birth.or_insert_with(|| context::birth_in_lines(lines));
            // Somebody else may be called so by now.
            if birth.map(|birth| birth.digest) != Some(place.birth) {
                return Ok(None);
            }
            left_out.insert(stamp);
        }
        if !left_out.is_empty() {
            edits.leave_out(|edit| left_out.contains(&edit.known.stamp));
        }
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
        self.add_what_tells_of(&path, &excerpted, &mut edits)?;
        let versions = Versions::new(path, target.commit, Some(head.clone()), ground, history);
        let mut looking = Looking::new(self, target, seen, versions, recorded);
        looking.excerpts = Some(&excerpted);
        match looking.look(Text::of(work), edits)? {
            Ok(looked) => {
                tracing::debug!(
                    settled = left_out.len(),
                    "{}: looked at in excerpts",
                    target.file.display()
                );
                Ok(Some(Ok(looked)))
            }
            Err(Vain::TooFewEdits) => Ok(Some(Err(Vain::TooFewEdits))),
            Err(_) => Ok(None),
        }
    }
}

impl Replica<'_> {
    /// Adds the edits that HEAD contains and that tell something of what stands in excerpts.
    fn add_what_tells_of(
        &mut self,
        path: &DocumentPath,
        excerpted: &Excerpted<'_>,
        edits: &mut Edits,
    ) -> Result<(), Error> {
        let mut around = Around::default();
        let is_seen = |edit: &&Standing| edit.may_show() || edit.has(Mark::Shown);
        for change in edits.all.iter().filter(is_seen).flat_map(Standing::changes) {
            around.change(change);
        }
        let mut stamps = FxHashSet::default();
        for text in excerpted.excerpts.texts() {
            stamps.extend(stamps_in(text.as_bytes()));
            let read = yaml::Document::from_text(text.clone(), &yaml::Limits::default());
            if let Ok(read) = read {
                around.document(&context::lift(&read));
            }
        }
        self.add_contained(path, edits, &around, stamps)
    }
}

/// A record of a list at the top.
#[derive(PartialEq, Eq)]
struct Place {
    list: String,
    name: String,
    /// What named it at its birth.
    birth: Digest,
}

/// The edits that are shown as they were shown at the last look, under the same HEAD, and the record in a list at the top that each
/// is about.
fn settled(edits: &Edits) -> FxHashMap<Stamp, Place> {
    let is_settled = |edit: &&Standing| edit.may_show() && edit.has(Mark::Shown);
    let settled = edits.all.iter().filter(is_settled);
    let settled = settled.filter_map(|edit| Some((edit.known.stamp, place_of(edit)?)));
    settled.collect()
}

/// The record in which all is that an edit changed.
fn place_of(edit: &Standing) -> Option<Place> {
    let (first, others) = edit.changes().split_first()?;
    let place = |change: &Change| match change.at.steps() {
        [Step::Entry(list), Step::Record(name, birth), _, ..] => Some(Place {
            list: list.clone(),
            name: name.said().to_owned(),
            birth: *birth,
        }),
        _ => None,
    };
    let here = place(first)?;
    let is_here = |change| place(change).as_ref() == Some(&here);
    others.iter().all(is_here).then_some(here)
}

/// What is mentioned by edits that HEAD does not contain.
fn mentioned(edits: &Edits, settled: &FxHashMap<Stamp, Place>) -> Mentioned {
    let mut mentioned = Mentioned::default();
    for place in settled.values() {
        mentioned.settled(&place.list, &place.name);
    }
    let news = edits.all.iter();
    for edit in news.filter(|edit| !settled.contains_key(&edit.known.stamp)) {
        let is_open = |index: usize| !edit.contained.get(index).copied().unwrap_or(false);
        let mut changes = edit.changes().iter().enumerate();
        for (_, change) in changes.by_ref().filter(|(index, _)| is_open(*index)) {
            mentioned.change(change);
            mentioned.stamp(edit.known.stamp);
        }
    }
    mentioned
}
