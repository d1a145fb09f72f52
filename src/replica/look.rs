//! A look at one document: what its file shows of what is known, what was edited in it, and what it is to show.
//!
//! `writer.rs` finds who wrote the file, `finding.rs` what was edited in it. Most of a large file is not even read for that:
//! `excerpts.rs`.

mod excerpts;
mod finding;
mod writer;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::Path;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use excerpts::Excerpted;
pub(super) use excerpts::are_checked;
use writer::Writer;

use super::document::{Edits, Since, Standing, Text, Versions, former};
use super::reading::Extent;
use super::witness::Witness;
use super::{Error, Replica};
use crate::context;
use crate::crdt::{self, Act, Edit, Stamp};
use crate::git::{
    DocumentHistory, HeadVersion, Save, crash, git_path, marked_places, unsettled_for,
};
use crate::merge;
use crate::overlay::{
    self, CommitId, Contents, Deed, DocumentPath, Grounds, Known, RULES, Sight, overlay, sights,
};
use crate::store::{Content, Holds, Issuer, Look, Mark, Marks, Moment, Rendering};
use crate::surroundings;
use crate::yaml::{self, Limits};

/// How long a file is waited for that somebody writes again and again.
const MOST_UNSETTLED: Duration = Duration::from_millis(500);

/// What is to be looked at.
pub(super) struct Target<'t> {
    /// The file, from the top of the work tree.
    pub(super) file: &'t Path,
    /// What a command makes of it, and the stamps that it put there; none to take the file as it is.
    pub(super) made: Option<Made>,
    /// HEAD.
    pub(super) commit: Option<CommitId>,
    /// Whether HEAD moved since the last look, even if it is back where it was.
    pub(super) has_moved: bool,
    /// What git's log tells of the time since the last look; nothing where HEAD did not move.
    pub(super) witness: Option<&'t Witness>,
    /// Whether a deletion of most of a list is meant.
    pub(super) confirmed: bool,
    /// Whether a file that somebody writes meanwhile is left to a later look, for which the caller sees to it.
    pub(super) gives_way: bool,
}

impl<'t> Target<'t> {
    /// A file under a HEAD that did not move, as it is.
    pub(super) fn at(file: &'t Path, commit: Option<CommitId>) -> Self {
        Self {
            file,
            made: None,
            commit,
            has_moved: false,
            witness: None,
            confirmed: false,
            gives_way: false,
        }
    }

    /// Whether HEAD is what it was at the last look.
    fn is_same_head(&self, last: Option<&Look>) -> bool {
        !self.has_moved && last.is_some_and(|last| last.head == self.commit)
    }

    /// Where HEAD stands, as seen from the last look.
    fn since(&self, last: Option<&Look>, history: &DocumentHistory<'_>) -> Result<Since, Error> {
        match self.is_same_head(last) {
            true => Ok(Since::Same),
            false => Since::moved(last.and_then(|last| last.head), self.commit, history),
        }
    }

    /// The same once more, after somebody wrote the file.
    pub(super) fn again(&self) -> Self {
        Self {
            witness: self.witness,
            confirmed: self.confirmed,
            ..Self::at(self.file, self.commit)
        }
    }
}

/// What a command makes of a file.
pub(super) struct Made {
    /// What the command had read.
    pub(super) read: Vec<u8>,
    /// What it is to hold.
    pub(super) text: String,
    pub(super) stamps: Vec<Stamp>,
}

/// What a look found and decided. Nothing of it is written yet.
pub(super) struct Looked {
    /// The bytes of the file.
    pub(super) was: Vec<u8>,
    pub(super) metadata: Metadata,
    pub(super) taken: Moment,
    /// What it is to hold.
    pub(super) text: Vec<u8>,
    /// An excerpt of that with everything that was edited; none where the whole was looked at.
    pub(super) excerpt: Option<String>,
    /// Whose content that is, if it is HEAD's.
    pub(super) content: Content,
    /// What stands in the file, with its stamps, where that is neither the current rendering nor what it is to hold: whoever typed
    /// or read it may save it before they see the rest.
    pub(super) stood: Option<Content>,
    /// Whether it is to get nothing but annotations.
    pub(super) is_bare: bool,
    /// New edits, in the order of their stamps.
    pub(super) new: Vec<Known>,
    /// How many edits these are, as people count them.
    pub(super) edits: usize,
    /// The edits that were known, and the new ones, with their marks.
    pub(super) standings: Vec<Standing>,
    /// Those of them whose marks are others than the store has.
    pub(super) remarked: Vec<(Stamp, Marks)>,
    /// The edits of which nothing is seen any more.
    pub(super) superseded: BTreeSet<Stamp>,
    /// Whether edits were passed over of which that was known.
    pub(super) lacks_superseded: bool,
    /// Whether any edits were passed over.
    pub(super) is_partial: bool,
    /// What somebody should know.
    pub(super) notes: Vec<String>,
    /// Where values are kept now that lost against others, and were not in the file before.
    pub(super) contested: BTreeSet<crdt::Path>,
    /// How many edits went out of sight.
    pub(super) parked: usize,
    /// Whether all of it is known already.
    pub(super) is_known: bool,
}

/// Why nothing was recorded in a file.
pub(super) enum Unlooked {
    /// There is no such file.
    Absent,
    /// It is no document, or one without a marker.
    NoDocument,
    /// Somebody is just writing it.
    BeingWritten,
    /// It cannot be recorded: what is the matter, and what to do.
    Left(String),
}

/// Why a look came to nothing.
enum Vain {
    /// There is nothing to be recorded.
    Unlooked(Unlooked),
    /// The edits that were passed over have to be read, too.
    TooFewEdits,
}

impl From<Unlooked> for Vain {
    fn from(unlooked: Unlooked) -> Self {
        Self::Unlooked(unlooked)
    }
}

/// The file as it was found.
struct Seen {
    was: Vec<u8>,
    metadata: Metadata,
    taken: Moment,
}

/// What the store has of a document beside its edits.
struct Recorded {
    last: Option<Look>,
    /// The current rendering, and those before it that somebody may have read who wrote the file: oldest first.
    renderings: Vec<Rendering>,
}

impl Replica<'_> {
    /// Looks at a document: with the edits that count and at excerpts of its versions, where these tell as much, else with all
    /// and at all of it.
    pub(super) fn look(&mut self, target: &Target<'_>) -> Result<Result<Looked, Unlooked>, Error> {
        let seen = match self.seen(target)? {
            Ok(seen) => seen,
            Err(unlooked) => return Ok(Err(unlooked)),
        };
        if target.made.is_none() {
            self.clock.begin_deed();
        }
        let clock = self.clock;
        let mut looked = Err(Vain::TooFewEdits);
        for extent in [Extent::Counting, Extent::Open, Extent::All] {
            if let Err(Vain::TooFewEdits) = looked {
                self.clock = clock;
                looked = self.look_at_text(target, &seen, extent)?;
            }
        }
        if excerpts::are_checked()
            && let Ok(looked) = &looked
            && looked.is_partial
        {
            let after = std::mem::replace(&mut self.clock, clock);
            let whole = self.look_at_text(target, &seen, Extent::All)?;
            excerpts::check_partial(looked, whole.ok().as_ref());
            self.clock = after;
        }
        Ok(looked.map_err(|vain| match vain {
            Vain::Unlooked(unlooked) => unlooked,
            Vain::TooFewEdits => Unlooked::Left("its edits cannot be told".to_owned()),
        }))
    }

    fn look_at_text(
        &mut self,
        target: &Target<'_>,
        seen: &Seen,
        extent: Extent,
    ) -> Result<Result<Looked, Vain>, Error> {
        let clock = self.clock;
        let Some(looked) = self.look_at_excerpts(target, seen, extent)? else {
            self.clock = clock;
            return self.look_at_all(target, seen, extent);
        };
        if excerpts::are_checked()
            && let Ok(looked) = &looked
        {
            self.clock = clock;
            let whole = self.look_at_all(target, seen, extent)?;
            if !matches!(whole, Err(Vain::TooFewEdits)) {
                excerpts::check(looked, whole.ok().as_ref());
            }
        }
        Ok(looked)
    }

    /// Reads the file, if it can be recorded. Half of one is valid, too, and says that the rest was removed: so what differs from
    /// what is known to be there is taken only from one whose writer is done, or who wrote nothing for a moment.
    fn seen(&mut self, target: &Target<'_>) -> Result<Result<Seen, Unlooked>, Error> {
        let path = self.repo.top().join(target.file);
        let began = Instant::now();
        loop {
            // Whoever opens a pipe waits for somebody to write into it.
            let Some(metadata) = fs::metadata(&path).ok().filter(Metadata::is_file) else {
                return Ok(Err(Unlooked::Absent));
            };
            // It is not even read: nobody knows how much there is of it.
            if let Err(error) = Limits::default().allow(metadata.len()) {
                return Ok(Err(Unlooked::Left(error.to_string())));
            }
            let taken = self.now;
            let was = match fs::read(&path) {
                Ok(was) => was,
                Err(source) => return Err(crate::git::Error::Read { path, source }.into()),
            };
            match self.save(target.file) {
                Save::Done => {}
                Save::Underway => return Ok(Err(Unlooked::BeingWritten)),
                Save::Unseen => {
                    let written = metadata.modified().ok();
                    let left = written.and_then(|at| unsettled_for(at, surroundings::now()));
                    if let Some(left) = left.filter(|_| began.elapsed() < MOST_UNSETTLED)
                        && !self.is_rendered(target.file, &was)?
                    {
                        crash::here("unsettled");
                        thread::sleep(left);
                        continue;
                    }
                }
            }
            match &target.made {
                // What was saved since must not be lost.
                Some(made) if made.read != was => {
                    return Err(crate::git::Error::ChangedMeanwhile { path }.into());
                }
                None if marked_places(&was) > 0 => {
                    return Ok(Err(Unlooked::Left(
                        "it holds git's conflict markers: `rhema crdt resolve` mends it".to_owned(),
                    )));
                }
                _ => {}
            }
            return Ok(Ok(Seen {
                was,
                metadata,
                taken,
            }));
        }
    }

    /// Whether a file holds what was rendered last.
    pub(super) fn is_rendered(&mut self, file: &Path, was: &[u8]) -> Result<bool, Error> {
        let path = DocumentPath::new(git_path(file));
        let rendered = self.store.read()?.rendering(&path)?;
        let bytes = rendered.and_then(|rendered| self.bytes_of(&rendered));
        Ok(bytes.as_deref() == Some(was))
    }

    fn look_at_all(
        &mut self,
        target: &Target<'_>,
        seen: &Seen,
        extent: Extent,
    ) -> Result<Result<Looked, Vain>, Error> {
        let was = &seen.was;
        let text = target.made.as_ref().map(|made| made.text.as_bytes());
        let work = match yaml::Document::read(text.unwrap_or(was), &Limits::default()) {
            Ok(work) => work,
            Err(error) => return Ok(Err(Unlooked::Left(error.to_string()).into())),
        };
        let versions = match self.versions(target.file, was, target.commit)? {
            Ok(versions) => versions,
            Err(why) => return Ok(Err(Unlooked::Left(why).into())),
        };
        let head = versions.head_yaml();
        if was.iter().all(u8::is_ascii_whitespace)
            && head.is_some_and(|head| context::takes_stamps(None, head))
        {
            return Ok(Err(Unlooked::Left(
                "it is empty, which is taken for a file that is being written: delete its records one by one, or commit it".to_owned(),
            ).into()));
        }
        if let Some(name) = head.and_then(|head| context::named_twice(head, &work)) {
            return Ok(Err(Unlooked::Left(format!(
                "two records are called `{name}`: give one of them another name, or nobody can tell which is meant"
            )).into()));
        }
        if !context::takes_stamps(head, &work) {
            return Ok(Err(Unlooked::NoDocument.into()));
        }
        let recorded = self.recorded(&versions.path, seen)?;
        let since = target.since(recorded.last.as_ref(), &versions.history)?;
        let mut edits = self.edits_of_all(&versions.path, extent, since)?;
        if let Some(former) = versions.head.as_ref().and_then(former) {
            edits.add(self.edits(&former)?.all);
        }
        self.judge(
            target,
            versions.head.as_ref(),
            &versions.history,
            since,
            &mut edits,
        )?;
        let mut looking = Looking::new(self, target, seen, versions, recorded);
        looking.look(Text::of(work), edits)
    }

    /// What the store has of a document whose file is as it was seen. Of the renderings only those are told that whoever wrote
    /// the file may have read, the current one, and where that may never have been written the one before it.
    fn recorded(&mut self, path: &DocumentPath, seen: &Seen) -> Result<Recorded, Error> {
        let since = writer::may_be_read_since(&seen.metadata);
        let reading = self.store.read()?;
        let last = reading.look(path)?;
        let mut renderings = reading.renderings(path, since)?;
        drop(reading);
        if let Some(current) = renderings.pop() {
            let stood = last.filter(|last| last.holds == Holds::Before);
            let stood = stood.and_then(|_| renderings.pop());
            renderings.retain(|rendering| writer::is_recent(rendering, since));
            if let Some(bytes) = self.bytes_of(&current).filter(|_| !renderings.is_empty()) {
                let known = writer::annotations_in_both(&bytes, &seen.was);
                renderings.retain(|rendering| {
                    let bytes = self.bytes_of(rendering);
                    bytes.is_none_or(|bytes| writer::has_all(&bytes, &known))
                });
            }
            renderings.extend(stood);
            renderings.push(current);
        }
        Ok(Recorded { last, renderings })
    }

    /// Finds out what HEAD contains of the edits of a document.
    fn judge(
        &mut self,
        target: &Target<'_>,
        head: Option<&HeadVersion>,
        history: &DocumentHistory<'_>,
        since: Since,
        edits: &mut Edits,
    ) -> Result<(), Error> {
        let path = DocumentPath::new(git_path(target.file));
        edits.judge(target.commit, since, |head, open| {
            self.held(&path, &mut Contents::of(history), head, open)
        })?;
        if since != Since::Same {
            // Parking ends when HEAD moves.
            for edit in &mut edits.all {
                edit.unmark(Mark::Parked);
            }
            self.note_committed_forms(&path, head, edits)?;
        }
        Ok(())
    }

    /// Whoever commits a file as it was shown commits how its places are written, too: of several people's forms the text that
    /// they were merged to holds none as its author wrote it, so that no effect could tell.
    fn note_committed_forms(
        &mut self,
        path: &DocumentPath,
        head: Option<&HeadVersion>,
        edits: &mut Edits,
    ) -> Result<(), Error> {
        let is_open = |edit: &Standing| {
            let mut changes = edit.changes().iter();
            edit.may_show()
                && edit.has(Mark::Shown)
                && changes.all(|change| matches!(change.act, Act::Form(_)))
        };
        let Some(head) = head.filter(|_| edits.all.iter().any(is_open)) else {
            return Ok(());
        };
        let shown = self.store.read()?.rendering(path)?;
        let shown = shown.and_then(|shown| self.bytes_of(&shown));
        if shown.as_ref() == Some(&head.bytes) {
            for edit in edits.all.iter_mut().filter(|edit| is_open(edit)) {
                edit.mark(Mark::Committed);
            }
        }
        Ok(())
    }
}

struct Looking<'l, 'r, 'm> {
    seen: &'m Seen,
    file: &'m Path,
    replica: &'l mut Replica<'r>,
    versions: Versions<'r>,
    is_same_head: bool,
    witness: Option<&'m Witness>,
    confirmed: bool,
    made_stamps: &'m [Stamp],
    is_made: bool,
    recorded: Recorded,
    /// What is looked at, where that is not all.
    excerpts: Option<&'m Excerpted<'m>>,
    notes: Vec<String>,
}

impl<'l, 'r, 'm> Looking<'l, 'r, 'm> {
    fn new(
        replica: &'l mut Replica<'r>,
        target: &'m Target<'m>,
        seen: &'m Seen,
        versions: Versions<'r>,
        recorded: Recorded,
    ) -> Self {
        let is_same_head = target.is_same_head(recorded.last.as_ref());
        let made = target.made.as_ref();
        Self {
            seen,
            file: target.file,
            replica,
            versions,
            is_same_head,
            witness: target.witness,
            confirmed: target.confirmed,
            made_stamps: made.map_or(&[], |made| made.stamps.as_slice()),
            is_made: made.is_some(),
            recorded,
            excerpts: None,
            notes: Vec::new(),
        }
    }
}

impl Looking<'_, '_, '_> {
    fn look(&mut self, work: Text, mut edits: Edits) -> Result<Result<Looked, Vain>, Error> {
        let writer = self.writer(&work, &edits)?;
        tracing::debug!(
            "{}: written by {}; HEAD {}",
            self.file.display(),
            writer.name(),
            if self.is_same_head { "stands" } else { "moved" }
        );
        // An older version may show what was superseded since, and so may what git put back.
        if edits.are_too_few() || (edits.lacks_superseded && !self.is_of_the_current(&writer)) {
            return Ok(Err(Vain::TooFewEdits));
        }
        let mut new = Vec::new();
        let work = match &writer {
            Writer::Somebody(read) => {
                let grafted = merge::regraft(&read.yaml, &work.yaml).map_or(work, Text::of);
                context::with_annotations_of(&read.yaml, &grafted.yaml).map_or(grafted, Text::of)
            }
            Writer::Unwritten(rendered) => {
                yaml::Document::from_text(rendered.text().to_owned(), &Limits::default())
                    .map_or(work, Text::of)
            }
            Writer::Git | Writer::Nobody => {
                let head = self.versions.head_yaml();
                let grafted = head.and_then(|head| merge::regraft(head, &work.yaml));
                let grafted = grafted.map_or(work, Text::of);
                // Whoever commits and writes the file once more had HEAD's annotations before them.
                let head = head.filter(|_| self.has_only_committed());
                let annotated =
                    head.and_then(|head| context::with_annotations_of(head, &grafted.yaml));
                annotated.map_or(grafted, Text::of)
            }
        };
        // What git did is one deed, and what was typed since another one.
        let by_git = match writer {
            Writer::Git => Some(self.replica.tick()?),
            _ => None,
        };
        if by_git.is_some() {
            self.replica.clock.begin_deed();
        }
        let (stamped, mut found) = match writer {
            Writer::Nobody | Writer::Unwritten(_) => (None, None),
            _ => self.stamped(&work.yaml, &edits)?,
        };
        let is_head = self.is_head(stamped.as_deref().unwrap_or(work.yaml.text()));
        // Who removes by command what only others edited means to remove it: that it is as in HEAD then is by chance.
        let is_meant = self.is_made && edits.are_told_by_others();
        let is_put_back = is_head && found.is_some() && !is_meant;
        let mut kept = Vec::new();
        if matches!(writer, Writer::Git) || is_put_back {
            if edits.lacks_superseded {
                return Ok(Err(Vain::TooFewEdits));
            }
            // Whoever puts everything back to what HEAD has takes back what they edited.
            let is_as_rendered = !self.is_made && self.is_as_rendered()?;
            // Then nothing that HEAD lacks stands there, whatever annotations say.
            let head = Rc::clone(&self.versions.head_document);
            let shown = if is_head { &head } else { work.lifted() };
            let taken_back = self.what_git_did(shown, is_as_rendered, &mut edits);
            if !taken_back.is_empty() {
                kept = self.parts_that_head_contains(&taken_back, &edits)?;
                let retraction = Deed::Retract(taken_back);
                new.push(match by_git {
                    Some(stamp) => self.known_as(stamp, retraction)?,
                    None => self.known(retraction)?,
                });
            }
            if is_head {
                found = None;
            }
        }
        let stamped = stamped.map(|text| yaml::Document::from_text(text, &Limits::default()));
        let file = match stamped.transpose() {
            Ok(stamped) => stamped.map_or(work, Text::of),
            Err(error) => return Ok(Err(Unlooked::Left(error.to_string()).into())),
        };
        self.take_up(file.lifted(), &mut edits);
        let (mut counted, mut stands_again) = (0, false);
        if let Some(fresh) = found {
            let read = match &writer {
                Writer::Somebody(read) => Some(read),
                _ => None,
            };
            let read_as = read.map(Text::lifted);
            let returned = read_as
                .map(|read| overlay::put_back(read, &self.versions.head_document, file.lifted()));
            let returned = returned.unwrap_or_default();
            new.extend(self.take_back_removals(&returned, &mut edits)?);
            let has_all_shown = self.is_of_the_current(&writer) && self.was_written();
            let found = self.found(read_as, has_all_shown, &file, &returned, &mut edits, &fresh)?;
            match found {
                Ok(mut found) => {
                    counted = found.edits;
                    let adds = self.see_what_head_contains(&mut found.findings, &edits)?;
                    stands_again = found.stands_again || found.counts() || adds;
                    new.extend(self.named(found.findings)?);
                    new.extend(self.put_in_order(&file, &edits, &new)?);
                }
                Err(held) => return Ok(Err(Unlooked::Left(held).into())),
            }
            let read = read.map(|read| &read.yaml);
            new.extend(self.formed(read, &file, &edits, &new)?);
        }
        let known = edits.all.len();
        edits.add(new.iter().cloned().map(Standing::made_now));
        edits.add(
            kept.iter()
                .cloned()
                .map(Standing::made_of_what_is_contained),
        );
        new.extend(kept);
        edits.note_retractions();
        self.unpark_what_is_built_on(&mut edits);
        let shown = edits.all.iter().filter(|edit| edit.may_show());
        edits.must_have_all_about(shown.flat_map(Standing::changes));
        if edits.are_too_few() {
            return Ok(Err(Vain::TooFewEdits));
        }
        let stands = self.overlay(&edits)?;
        let view = RULES.view(&self.versions.head_document, &stands);
        let shown_before = &file.lifted().losers;
        let losers = view.losers.keys();
        let new_losers = losers.filter(|loser| !shown_before.contains_key(loser));
        let contested = new_losers.map(|loser| loser.at.clone()).collect();
        // What was written in a record that no commit has, or is what HEAD has, got no stamp as it was typed. It needs one: nothing
        // else tells that it is newer than what it replaced, wherever that goes.
        let is_typed = matches!(writer, Writer::Somebody(_)) && !self.is_made;
        let mut typed = new.iter().filter(|_| is_typed);
        let is_to_be_said = typed.any(|known| {
            let stamp = known.stamp;
            let is_to_be_said = |change: &crdt::Change| {
                // The stamp of what was taken away still stands there.
                overlay::is_unnamed(file.lifted(), stamp, change)
                    || overlay::takes_edit_away(change)
            };
            known.changes().iter().any(is_to_be_said)
        });
        let fills_again = is_typed && edits.fill_again(known);
        let is_told = stands_again || is_to_be_said || fills_again || edits.are_told(known);
        if is_told && edits.were_left_out_as_typed() {
            return Ok(Err(Vain::TooFewEdits));
        }
        let is_shown = file.lifted().says_the_same_as(&view);
        // Somebody may save the file before it is written: they had read what stands there now.
        let stands_now = match &writer {
            Writer::Nobody => None,
            Writer::Unwritten(_) => Some(self.seen.was.clone()),
            _ if self.is_made => Some(self.seen.was.clone()),
            Writer::Git if new.is_empty() => None,
            Writer::Git | Writer::Somebody(_) => match is_shown {
                true => None,
                false => self.whole(file.yaml.text()).map(String::into_bytes),
            },
        };
        let Some(Rendered { text, excerpt }) = self.rendered(file, &view, is_shown, is_told)?
        else {
            return Ok(Err(Unlooked::Left(
                "excerpts do not tell what it is to hold".to_owned(),
            )
            .into()));
        };
        let is_shown: BTreeSet<Stamp> = stands.iter().filter_map(|edit| edit.stamp).collect();
        for edit in &mut edits.all {
            match is_shown.contains(&edit.known.stamp) && edit.may_show() {
                true => edit.mark(Mark::Shown),
                false => edit.unmark(Mark::Shown),
            }
        }
        let had = |edit: &Standing, mark| edit.before.is_some_and(|before| before.contains(mark));
        let is_parked = |edit: &&Standing| edit.has(Mark::Parked) && !had(edit, Mark::Parked);
        let parked = edits.all.iter().take(known).filter(is_parked).count();
        let is_remarked = |edit: &&Standing| edit.before != Some(edit.marks);
        let remarked = edits.all.iter().filter(is_remarked);
        let remarked: Vec<(Stamp, Marks)> = remarked
            .map(|edit| (edit.known.stamp, edit.marks))
            .collect();
        let is_known = matches!(writer, Writer::Nobody)
            && self.is_same_head
            && new.is_empty()
            && text == self.seen.was
            && remarked.is_empty();
        let head = self.versions.head.as_ref();
        let is_bare = stands_now.as_ref() == Some(&text)
            || (stands_now.is_none() && matches!(writer, Writer::Somebody(_)));
        let stood = match (stands_now, &writer) {
            (Some(stands_now), _) if !is_bare => Some(Content::Bytes(stands_now)),
            (None, Writer::Git) if text != self.seen.was => Some(content(head, &self.seen.was)),
            _ => None,
        };
        let content = content(head, &text);
        Ok(Ok(Looked {
            was: self.seen.was.clone(),
            metadata: self.seen.metadata.clone(),
            taken: self.seen.taken,
            text,
            excerpt,
            content,
            stood,
            is_bare,
            new,
            edits: counted,
            superseded: edits.superseded(&self.versions.head_document),
            lacks_superseded: edits.lacks_superseded,
            is_partial: edits.is_partial(),
            standings: edits.all,
            remarked,
            notes: std::mem::take(&mut self.notes),
            contested,
            parked,
            is_known,
        }))
    }

    /// Git wrote the file, or the work tree stands on another commit: which own edits that were shown it took away.
    fn what_git_did(
        &mut self,
        file: &crdt::Document,
        is_as_rendered: bool,
        edits: &mut Edits,
    ) -> Vec<Stamp> {
        let seen = sights(file, &self.versions.head_document, &edits.judged());
        let mut taken_back = Vec::new();
        let are_as_meant = edits.removals_of_what_others_edited(file);
        let earlier = OnceCell::new();
        let is_brought = |edit: &Standing| {
            let before = || earlier.get_or_init(|| self.head_before());
            let is_absent = |document| overlay::is_absent_as_meant(document, &edit.judged());
            let is_removed = edit
                .changes()
                .iter()
                .all(|change| change.act == Act::Remove);
            is_removed
                && !is_absent(&self.versions.head_document)
                && before().as_deref().is_some_and(is_absent)
        };
        for (edit, sight) in edits.all.iter_mut().zip(seen) {
            if edit.has(Mark::Contained) || edit.is_retracted || edit.is_held {
                continue;
            }
            match sight {
                Sight::Named | Sight::Seen => {
                    // What the file still shows is neither parked nor elsewhere.
                    edit.bring_back();
                }
                // It stays in sight if it was; coming back, it would bring the rest along.
                Sight::Part | Sight::Like => {}
                Sight::Gone if are_as_meant.contains(&edit.known.stamp) => {}
                // HEAD has it only now: nothing of the removal was there to be taken back.
                Sight::Gone if is_brought(edit) => {}
                Sight::Gone if edit.has(Mark::Shown) && !is_as_rendered => {
                    // Whoever saved and committed had not read of it yet.
                    if edit.issuer == Issuer::Other
                        && self.has_only_committed()
                        && self.came_just_now(edit.known.stamp)
                    {
                        continue;
                    }
                    edit.unmark(Mark::TakenUp);
                    if edit.has(Mark::Committed) {
                        continue;
                    }
                    match (edit.issuer, self.is_witnessed()) {
                        (Issuer::Own, true) => {
                            edit.is_retracted = true;
                            taken_back.push(edit.known.stamp);
                        }
                        // Nobody can tell whether a commit has it: it stays away until one does.
                        (Issuer::Own, false) => edit.mark(Mark::Committed),
                        _ => edit.mark(Mark::Parked),
                    }
                }
                Sight::Gone => {}
            }
        }
        taken_back
    }

    /// What HEAD contains of edits that are taken back, as edits of their own: others have it from nowhere else until they have HEAD.
    fn parts_that_head_contains(
        &mut self,
        taken_back: &[Stamp],
        edits: &Edits,
    ) -> Result<Vec<Known>, Error> {
        let mut parts = Vec::new();
        for edit in taken_back.iter().filter_map(|stamp| edits.get(*stamp)) {
            let changes: Vec<crdt::Change> = edit.contained_changes().cloned().collect();
            if !changes.is_empty() {
                let part = self.known(Deed::Change(changes))?;
                parts.push(Known {
                    base: edit.known.base,
                    published: edit.known.published.clone(),
                    branch: edit.known.branch.clone(),
                    ..part
                });
            }
        }
        Ok(parts)
    }

    /// Whether git's log tells which HEADs there were since the last look.
    fn is_witnessed(&self) -> bool {
        self.is_same_head || self.witness.is_none_or(|witness| witness.is_whole)
    }

    /// Whether nothing moved HEAD since the last look but commits that were made here, which write no file.
    fn has_only_committed(&self) -> bool {
        self.witness.is_some_and(Witness::has_only_committed)
    }

    /// What HEAD had at the last look, where nothing was thrown away since.
    fn head_before(&self) -> Option<Rc<crdt::Document>> {
        let was_reset = self.witness.is_some_and(Witness::was_reset);
        let last = self.recorded.last.filter(|_| !was_reset)?;
        self.versions.at(self.replica.repo, last.head?)
    }

    /// Who puts a record back that they removed themselves takes the removal back, as long as no commit has it.
    fn take_back_removals(
        &mut self,
        returned: &[crdt::Path],
        edits: &mut Edits,
    ) -> Result<Option<Known>, Error> {
        let is_of_those = |edit: &Standing| match edit.changes() {
            [
                crdt::Change {
                    at,
                    act: Act::Remove,
                    ..
                },
            ] => returned.contains(at),
            _ => false,
        };
        let mut taken_back = Vec::new();
        for edit in &mut edits.all {
            let is_own = edit.issuer == Issuer::Own && !edit.has(Mark::Committed);
            if is_own && edit.may_show() && is_of_those(edit) {
                edit.is_retracted = true;
                edit.unmark(Mark::Shown);
                taken_back.push(edit.known.stamp);
            }
        }
        match taken_back.is_empty() {
            true => Ok(None),
            false => self.known(Deed::Retract(taken_back)).map(Some),
        }
    }

    /// What stands in the file by its stamp is neither parked nor elsewhere, whoever brought it there, and stays in sight where the
    /// version that it was made on is not at hand any more.
    fn take_up(&self, file: &crdt::Document, edits: &mut Edits) {
        let seen = sights(file, &self.versions.head_document, &edits.judged());
        for (edit, sight) in edits.all.iter_mut().zip(seen) {
            if sight != Sight::Named || edit.has(Mark::Contained) {
                continue;
            }
            edit.bring_back();
            edit.is_held = false;
        }
    }

    /// Whoever is shown is shown with all that it builds on.
    fn unpark_what_is_built_on(&self, edits: &mut Edits) {
        loop {
            let shown = edits.all.iter().filter(|edit| edit.may_show());
            let grounds = Grounds::of(shown.flat_map(Standing::changes));
            let mut is_done = true;
            for edit in &mut edits.all {
                let hidden = edit.has(Mark::Parked) || edit.is_elsewhere();
                let places = edit.changes().iter().map(|change| &change.at);
                if hidden && grounds.have(edit.known.stamp, places) {
                    edit.bring_back();
                    is_done = false;
                }
            }
            if is_done {
                return;
            }
        }
    }

    /// The edits that stand over HEAD.
    fn overlay(&mut self, edits: &Edits) -> Result<Vec<Edit>, Error> {
        self.select(&edits.judged())
    }

    fn select(&mut self, judged: &[overlay::Judged<'_>]) -> Result<Vec<Edit>, Error> {
        let head = Rc::clone(&self.versions.head_document);
        let versions = &mut self.versions;
        let repo = self.replica.repo;
        overlay(&head, judged, &mut |known| versions.origin(repo, known))
    }

    /// Whether HEAD's version is just this.
    fn is_head(&self, text: &str) -> bool {
        match (self.excerpts, &self.versions.head) {
            (Some(excerpts), _) => excerpts.head() == Some(text),
            (None, head) => head
                .as_ref()
                .is_some_and(|head| head.bytes == text.as_bytes()),
        }
    }

    /// The file as it is to be, so that it shows the view, which it may do already (`is_shown`). What was edited here alone stands as it was typed; what others
    /// know of, or what comes back from out of sight (`is_told`), stands as all edits together say. With its excerpt, where
    /// such were looked at; nothing where these do not tell.
    fn rendered(
        &mut self,
        file: Text,
        view: &crdt::Document,
        is_shown: bool,
        is_told: bool,
    ) -> Result<Option<Rendered>, Error> {
        let told = match is_shown && !is_told {
            true => Ok(None),
            false => overlay::render(&self.versions.ground, &self.versions.head_document, view)
                .map(|told| Some(self.retyped(told))),
        };
        let file = file.yaml.into_text();
        let error = match (told, self.excerpts) {
            (Ok(told), excerpts) => {
                let text = told.unwrap_or(file);
                let Some(excerpts) = excerpts else {
                    return Ok(Some(Rendered::whole(text)));
                };
                let whole = excerpts.whole(&text);
                return Ok(whole.map(|whole| Rendered {
                    excerpt: Some(text),
                    ..Rendered::whole(whole)
                }));
            }
            (Err(_), Some(_)) => return Ok(None),
            (Err(_), None) if is_shown => return Ok(Some(Rendered::whole(file))),
            (Err(error), None) => error,
        };
        // What was put out of sight comes back as it was written.
        let path = self.versions.path.clone();
        let always = Moment::from_unix_millis(0);
        let renderings = self.replica.store.read()?.renderings(&path, always)?;
        for rendering in renderings.iter().rev() {
            let Some(bytes) = self.replica.bytes_of(rendering) else {
                continue;
            };
            let read = yaml::Document::read(&bytes, &Limits::default());
            if rendering.head == self.versions.commit
                && read.is_ok_and(|read| context::lift(&read).says_the_same_as(view))
            {
                return Ok(Some(Rendered::whole(bytes)));
            }
        }
        self.notes
            .push(format!("it cannot show all that is known: {error}"));
        Ok(Some(Rendered::whole(file)))
    }

    /// All of a text, where that is an excerpt; nothing where it cannot be told.
    fn whole(&self, text: &str) -> Option<String> {
        match self.excerpts {
            Some(excerpts) => excerpts.whole(text),
            None => Some(text.to_owned()),
        }
    }

    /// A document that no commit has yet, with the marker that its content asks for: no edit tells of it.
    fn retyped(&self, text: String) -> String {
        if self.versions.head.is_some() {
            return text;
        }
        let read = yaml::Document::from_text(text.clone(), &Limits::default());
        let retyped = read.ok().and_then(|read| context::retyped(&read));
        retyped.unwrap_or(text)
    }
}

/// What a file is to hold.
struct Rendered {
    text: Vec<u8>,
    /// An excerpt of it, where such were looked at.
    excerpt: Option<String>,
}

impl Rendered {
    fn whole(text: impl Into<Vec<u8>>) -> Self {
        Self {
            text: text.into(),
            excerpt: None,
        }
    }
}

/// A text as the store keeps it: HEAD's is in the repository already.
pub(super) fn content(head: Option<&HeadVersion>, text: &[u8]) -> Content {
    match head {
        Some(head) if head.is_plain && head.bytes == text => Content::Blob(head.blob),
        _ => Content::Bytes(text.to_vec()),
    }
}
