//! A look at one document: what its file shows of what is known, what was edited in it, and what it is to show.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::Path;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use super::document::{Edits, Standing, Text, Versions};
use super::{Error, Replica};
use crate::context;
use crate::crdt::{self, Edit, Stamp};
use crate::git::marked_places;
use crate::merge;
use crate::overlay::{
    self, CommitId, Deed, Familiar, Finding, Known, RULES, Sight, findings, mass_deletion, overlay,
    sights, was_read_before,
};
use crate::store::{
    Content, ContentDigest, Durability, Issuer, Look, Mark, Marks, Moment, Rendering,
};
use crate::yaml::{self, Limits};

/// How long after a rendering was replaced somebody may still write what they made of it.
const RACE_MILLIS: u64 = 10_000;

/// The same, unless the environment tells a debug build otherwise: tests do in an instant what takes people minutes.
fn race_millis() -> u64 {
    if cfg!(debug_assertions)
        && let Ok(millis) = std::env::var("RHEMA_RACE_MILLIS")
    {
        return millis.parse().unwrap_or(RACE_MILLIS);
    }
    RACE_MILLIS
}

/// How long a file must stay as it is before a deletion of most of a list is believed.
const HELD_MILLIS: u64 = 10_000;

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
    /// Whether git's log tells which HEADs there were since the last look.
    pub(super) has_witness: bool,
    /// Whether a deletion of most of a list is meant.
    pub(super) confirmed: bool,
}

impl Target<'_> {
    /// The same once more, after somebody wrote the file.
    pub(super) fn again(&self) -> Self {
        Self {
            file: self.file,
            made: None,
            commit: self.commit,
            has_moved: false,
            has_witness: self.has_witness,
            confirmed: self.confirmed,
        }
    }
}

/// What a command makes of a file.
pub(super) struct Made {
    /// What the command had read.
    pub(super) read: Vec<u8>,
    pub(super) document: yaml::Document,
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
    /// Whose content that is, if it is HEAD's.
    pub(super) content: Content,
    /// New edits, in the order of their stamps.
    pub(super) new: Vec<Known>,
    /// How many edits these are, as people count them.
    pub(super) edits: usize,
    /// The edits that were known, and the new ones, with their marks.
    pub(super) standings: Vec<Standing>,
    pub(super) facts: crate::store::Facts,
    /// What somebody should know.
    pub(super) notes: Vec<String>,
    /// Whether all of it is known already.
    pub(super) is_known: bool,
}

/// Why nothing was recorded in a file.
pub(super) enum Unlooked {
    /// There is no such file.
    Absent,
    /// It is no document, or one without a marker.
    NoDocument,
    /// It cannot be recorded: what is the matter, and what to do.
    Left(String),
}

/// Who wrote what stands in the file.
enum Writer {
    /// Nobody since it was rendered.
    Nobody,
    /// Nobody since the rendering before: this one was never written, as whoever was about to came to an end.
    Unwritten(yaml::Document),
    /// Git did, or the work tree stands on another commit, or nobody ever looked: HEAD's version is what it is compared with.
    Git,
    /// Somebody who had read this rendering.
    Somebody(Text),
}

impl Writer {
    /// For the log.
    fn name(&self) -> &'static str {
        match self {
            Writer::Nobody => "nobody",
            Writer::Unwritten(_) => "nobody yet",
            Writer::Git => "git",
            Writer::Somebody(_) => "somebody",
        }
    }
}

impl Replica<'_> {
    /// Looks at a document.
    pub(super) fn look(&mut self, target: Target<'_>) -> Result<Result<Looked, Unlooked>, Error> {
        let full = self.repo.top().join(target.file);
        let Ok(metadata) = fs::metadata(&full) else {
            return Ok(Err(Unlooked::Absent));
        };
        let taken = self.now;
        let was = fs::read(&full).map_err(|source| crate::git::Error::Read {
            path: full.clone(),
            source,
        })?;
        let is_made = target.made.is_some();
        if !is_made && marked_places(&was) > 0 {
            return Ok(Err(Unlooked::Left(
                "it holds git's conflict markers: `rhema crdt resolve` mends it".to_owned(),
            )));
        }
        let (work, made_stamps) = match target.made {
            Some(made) if made.read != was => {
                // What was saved since must not be lost.
                return Err(crate::git::Error::ChangedMeanwhile { path: full }.into());
            }
            Some(made) => (made.document, made.stamps),
            None => match yaml::Document::read(&was, &Limits::default()) {
                Ok(work) => (work, Vec::new()),
                Err(error) => return Ok(Err(Unlooked::Left(error.to_string()))),
            },
        };
        let versions = match self.versions(target.file, &was, target.commit)? {
            Ok(versions) => versions,
            Err(why) => return Ok(Err(Unlooked::Left(why))),
        };
        let head = versions.head_yaml.as_ref();
        if was.iter().all(u8::is_ascii_whitespace)
            && head.is_some_and(|head| context::takes_stamps(None, head))
        {
            return Ok(Err(Unlooked::Left(
                "it is empty, which is taken for a file that is being written: delete its records one by one, or commit it".to_owned(),
            )));
        }
        if !context::takes_stamps(head, &work) {
            return Ok(Err(Unlooked::NoDocument));
        }
        let path = versions.path.clone();
        let reading = self.store.read()?;
        let last = reading.look(&path)?;
        let renderings = reading.renderings(&path, Moment::from_unix_millis(0))?;
        drop(reading);
        let is_same_head = !target.has_moved && last.is_some_and(|last| last.head == target.commit);
        let mut looking = Looking {
            was: &was,
            file: target.file,
            replica: self,
            versions,
            is_same_head,
            has_witness: target.has_witness || is_same_head,
            confirmed: target.confirmed,
            made_stamps,
            is_made,
            last,
            renderings,
            metadata: &metadata,
            notes: Vec::new(),
        };
        looking.look(Text::of(work), taken)
    }
}

struct Looking<'l, 'r, 'm> {
    /// The bytes of the file.
    was: &'m [u8],
    file: &'m Path,
    replica: &'l mut Replica<'r>,
    versions: Versions<'r>,
    is_same_head: bool,
    has_witness: bool,
    confirmed: bool,
    made_stamps: Vec<Stamp>,
    is_made: bool,
    last: Option<Look>,
    renderings: Vec<Rendering>,
    metadata: &'m Metadata,
    notes: Vec<String>,
}

impl Looking<'_, '_, '_> {
    fn look(&mut self, work: Text, taken: Moment) -> Result<Result<Looked, Unlooked>, Error> {
        let mut edits = self.replica.edits(&self.versions.path)?;
        if let Some(former) = self.versions.former() {
            edits.all.extend(self.replica.edits(&former)?.all);
        }
        let marks: Vec<Marks> = edits.all.iter().map(|edit| edit.marks).collect();
        edits.judge(
            &self.versions.history,
            self.versions.commit,
            self.is_same_head,
        )?;
        if !self.is_same_head {
            // Parking ends when HEAD moves.
            for edit in &mut edits.all {
                edit.unmark(Mark::Parked);
            }
        }
        let writer = self.writer(self.was, &work, &edits)?;
        tracing::debug!(
            "{}: written by {}; HEAD {}",
            self.file.display(),
            writer.name(),
            if self.is_same_head { "stands" } else { "moved" }
        );
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
            Writer::Git if self.keeps_as_staged(self.was)? => work,
            Writer::Git | Writer::Nobody => {
                let head = self.versions.head_yaml.as_ref();
                let grafted = head.and_then(|head| merge::regraft(head, &work.yaml));
                grafted.map_or(work, Text::of)
            }
        };
        let (stamped, mut found) = match writer {
            Writer::Nobody | Writer::Unwritten(_) => (None, None),
            // What is staged is committed as it stands: stamps beside it would be left over.
            Writer::Git if self.keeps_as_staged(self.was)? => (None, Some(BTreeSet::new())),
            _ => self.stamped(&work.yaml, &edits)?,
        };
        let is_head = self.versions.head.as_ref().is_some_and(|head| {
            let text = stamped.as_deref().unwrap_or(work.yaml.text());
            head.bytes == text.as_bytes()
        });
        if matches!(writer, Writer::Git) || (is_head && found.is_some()) {
            // Whoever puts everything back to what HEAD has takes back what they edited.
            let is_as_rendered = !self.is_made && self.is_as_rendered(self.was)?;
            new.extend(self.what_git_did(work.lifted(), is_as_rendered, &mut edits)?);
            if is_head {
                found = None;
            }
        }
        let stamped = stamped.map(|text| yaml::Document::from_text(text, &Limits::default()));
        let file = match stamped.transpose() {
            Ok(stamped) => stamped.map_or(work, Text::of),
            Err(error) => return Ok(Err(Unlooked::Left(error.to_string()))),
        };
        self.take_up(file.lifted(), &mut edits);
        let mut counted = 0;
        if let Some(fresh) = found {
            let read = match &writer {
                Writer::Somebody(read) => Some(read),
                _ => None,
            };
            let found = self.found(read.map(Text::lifted), file.lifted(), &mut edits, &fresh)?;
            match found {
                Ok((count, found)) => {
                    counted = count;
                    new.extend(self.named(found)?);
                }
                Err(held) => return Ok(Err(Unlooked::Left(held))),
            }
            let read = read.map(|read| &read.yaml);
            new.extend(self.formed(read, &file, &edits, &new)?);
        }
        edits
            .all
            .extend(new.iter().cloned().map(Standing::made_now));
        edits.note_retractions();
        self.unpark_what_is_built_on(&mut edits);
        let stands = self.overlay(&edits)?;
        let view = RULES.view(&self.versions.head_document, &stands);
        let is_others = |edit: &&Standing| edit.issuer != Issuer::Own && edit.may_show();
        let is_shared = edits
            .all
            .iter()
            .any(|edit| is_others(&edit) && !edit.changes().is_empty());
        let text = self.rendered(file, &view, is_shared)?;
        let is_shown: BTreeSet<Stamp> = stands.iter().filter_map(|edit| edit.stamp).collect();
        for edit in &mut edits.all {
            match is_shown.contains(&edit.known.stamp) && edit.may_show() {
                true => edit.mark(Mark::Shown),
                false => edit.unmark(Mark::Shown),
            }
        }
        let is_known = matches!(writer, Writer::Nobody)
            && self.is_same_head
            && new.is_empty()
            && text == self.was
            && edits.all.iter().map(|edit| edit.marks).eq(marks);
        let content = match &self.versions.head {
            Some(head) if head.is_plain && head.bytes == text => Content::Blob(head.blob),
            _ => Content::Bytes(text.clone()),
        };
        Ok(Ok(Looked {
            was: self.was.to_vec(),
            metadata: self.metadata.clone(),
            taken,
            text,
            content,
            new,
            edits: counted,
            standings: edits.all,
            facts: crate::store::Facts::default(),
            notes: std::mem::take(&mut self.notes),
            is_known,
        }))
    }

    /// Who wrote what the file holds.
    fn writer(&self, was: &[u8], work: &Text, edits: &Edits) -> Result<Writer, Error> {
        let Some((current, earlier)) = self.renderings.split_last().filter(|_| self.last.is_some())
        else {
            return Ok(Writer::Git);
        };
        let Some(current_bytes) = self.bytes_of(current)? else {
            return Ok(Writer::Git);
        };
        if self.is_same_head && !self.is_made {
            if current_bytes == was {
                return Ok(Writer::Nobody);
            }
            // Who puts an older file back may keep its time: only a file that nobody was seen to write is behind.
            let is_unwritten = self.last.is_some_and(|last| last.file.is_none())
                && modified_millis(self.metadata) < current.since.unix_millis();
            if is_unwritten
                && let Some(before) = earlier.last()
                && self.bytes_of(before)?.as_deref() == Some(was)
                && let Ok(current) = yaml::Document::read(&current_bytes, &Limits::default())
            {
                return Ok(Writer::Unwritten(current));
            }
        }
        let by_git = !self.is_made
            && (!self.is_same_head
                || self.is_gits()?
                || self
                    .versions
                    .head
                    .as_ref()
                    .is_some_and(|head| head.bytes == was)
                || self.is_in_index(was)?);
        if by_git {
            return Ok(Writer::Git);
        }
        let Ok(current) = yaml::Document::read(&current_bytes, &Limits::default()) else {
            return Ok(Writer::Git);
        };
        let current = Text::of(current);
        if !self.is_made {
            let is_others = |stamp: Stamp| {
                edits
                    .get(stamp)
                    .is_some_and(|edit| edit.issuer != Issuer::Own)
            };
            let since = modified_millis(self.metadata).saturating_sub(race_millis());
            let recent = |rendering: &&Rendering| {
                rendering
                    .until
                    .is_none_or(|until| until.unix_millis() >= since)
            };
            for rendering in earlier.iter().rev().take_while(recent) {
                let Some(bytes) = self.bytes_of(rendering)? else {
                    continue;
                };
                let Ok(read) = yaml::Document::read(&bytes, &Limits::default()) else {
                    continue;
                };
                let read = Text::of(read);
                let (current, file) = (current.lifted(), work.lifted());
                if was_read_before(read.lifted(), current, file, &is_others) {
                    return Ok(Writer::Somebody(read));
                }
            }
        }
        Ok(Writer::Somebody(current))
    }

    /// Whether a file is staged as it stands, and nobody stages it again with the stamps that it would get.
    fn keeps_as_staged(&self, was: &[u8]) -> Result<bool, Error> {
        let is_head = self
            .versions
            .head
            .as_ref()
            .is_some_and(|head| head.bytes == was);
        Ok(!self.is_made && !self.replica.restages && !is_head && self.is_in_index(was)?)
    }

    /// Whether the index has just these bytes.
    fn is_in_index(&self, was: &[u8]) -> Result<bool, Error> {
        let staged = self.replica.repo.index_version(self.file, was)?;
        Ok(staged.as_deref() == Some(was))
    }

    /// Whether the file holds what was rendered last: nothing was taken out of it.
    fn is_as_rendered(&self, was: &[u8]) -> Result<bool, Error> {
        match self.renderings.last() {
            Some(current) => Ok(self.bytes_of(current)?.as_deref() == Some(was)),
            None => Ok(false),
        }
    }

    /// Whether git wrote the file since the last look: it notes when, and nobody else does.
    fn is_gits(&self) -> Result<bool, Error> {
        let Some(looked) = self
            .last
            .and_then(|last| last.file)
            .map(|file| file.taken())
        else {
            return Ok(false);
        };
        let written = self.replica.repo.written_by_git(self.file)?;
        Ok(written.is_some_and(|written| written > looked.unix_millis()))
    }

    fn bytes_of(&self, rendering: &Rendering) -> Result<Option<Vec<u8>>, Error> {
        Ok(match &rendering.content {
            Content::Bytes(bytes) => Some(bytes.clone()),
            // A version that no commit has any more may have been collected since.
            Content::Blob(blob) => self.replica.repo.bytes(*blob).ok(),
            Content::Absent => None,
        })
    }

    /// Git wrote the file, or the work tree stands on another commit: which of the edits that were shown it took away.
    fn what_git_did(
        &mut self,
        file: &crdt::Document,
        is_as_rendered: bool,
        edits: &mut Edits,
    ) -> Result<Vec<Known>, Error> {
        let seen = sights(file, &self.versions.head_document, &edits.judged());
        let mut taken_back = Vec::new();
        for (edit, sight) in edits.all.iter_mut().zip(seen) {
            if edit.has(Mark::Contained) || edit.is_retracted || edit.is_held {
                continue;
            }
            match sight {
                Sight::Named | Sight::Seen => {
                    // What the file still shows is neither parked nor elsewhere.
                    if edit.is_elsewhere() {
                        edit.mark(Mark::TakenUp);
                    }
                    edit.unmark(Mark::Parked);
                }
                Sight::Gone if edit.has(Mark::Shown) && !is_as_rendered => {
                    edit.unmark(Mark::TakenUp);
                    if edit.has(Mark::Committed) {
                        continue;
                    }
                    match (edit.issuer, self.has_witness) {
                        (Issuer::Own, true) => taken_back.push(edit.known.stamp),
                        // Nobody can tell whether a commit has it: it stays away until one does.
                        (Issuer::Own, false) => edit.mark(Mark::Committed),
                        _ => edit.mark(Mark::Parked),
                    }
                }
                Sight::Gone => {}
            }
        }
        if taken_back.is_empty() {
            return Ok(Vec::new());
        }
        let retraction = self.known(Deed::Retract(taken_back))?;
        edits.all.push(Standing::made_now(retraction.clone()));
        edits.note_retractions();
        Ok(vec![retraction])
    }

    /// What stands in the file by its stamp is neither parked nor elsewhere, whoever brought it there.
    fn take_up(&self, file: &crdt::Document, edits: &mut Edits) {
        let seen = sights(file, &self.versions.head_document, &edits.judged());
        for (edit, sight) in edits.all.iter_mut().zip(seen) {
            if sight != Sight::Named || edit.has(Mark::Contained) {
                continue;
            }
            edit.unmark(Mark::Parked);
            if edit.is_elsewhere() {
                edit.mark(Mark::TakenUp);
            }
        }
    }

    /// The file with stamps beside what was edited, if it is another one then; which stamps are fresh.
    fn stamped(
        &mut self,
        work: &yaml::Document,
        edits: &Edits,
    ) -> Result<(Option<String>, Option<BTreeSet<Stamp>>), Error> {
        let mut fresh: BTreeSet<Stamp> = self.made_stamps.iter().copied().collect();
        let spent = |stamp: Stamp| {
            edits.get(stamp).is_some_and(|edit| {
                (edit.is_retracted && !edit.has(Mark::Shown)) || edit.has(Mark::Contained)
            })
        };
        let mut stamps = Vec::new();
        let mut clock = self.replica.clock;
        let now = self.replica.now.unix_millis();
        let mut failed = None;
        let mut made = std::iter::from_fn(|| match clock.tick(now) {
            Ok(stamp) => {
                stamps.push(stamp);
                Some(stamp)
            }
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        let head = self.versions.head_yaml.as_ref();
        let stamped = context::stamp_beside(head, work, None, &mut made, &spent);
        if let Some(source) = failed {
            return Err(Error::Clock { source });
        }
        self.replica.clock = clock;
        fresh.extend(stamps);
        Ok((stamped.text, Some(fresh)))
    }

    /// What was edited in the file, and how much; why it is not taken for edits.
    fn found(
        &mut self,
        read: Option<&crdt::Document>,
        file: &crdt::Document,
        edits: &mut Edits,
        fresh: &BTreeSet<Stamp>,
    ) -> Result<Result<(usize, Vec<Finding>), String>, Error> {
        let shown: Vec<Edit> = match read {
            // What came since was not there to be seen.
            Some(read) => {
                let seen = sights(read, &self.versions.head_document, &edits.judged());
                let mut known = edits.judged();
                for ((judged, sight), edit) in known.iter_mut().zip(seen).zip(&edits.all) {
                    let is_left = edit.is_retracted && edit.has(Mark::Shown);
                    judged.may_show = (judged.may_show || is_left) && sight != Sight::Gone;
                }
                self.select(&known)?
            }
            None => {
                let seen = sights(file, &self.versions.head_document, &edits.judged());
                let mut known = edits.judged();
                for ((judged, sight), edit) in known.iter_mut().zip(seen).zip(&edits.all) {
                    let is_left = edit.is_retracted && edit.has(Mark::Shown);
                    judged.may_show &= sight != Sight::Gone || edit.has(Mark::Shown);
                    // What its author took back, and what is still there from when it was shown, is nobody's edit.
                    judged.may_show |= is_left && sight != Sight::Gone;
                }
                self.select(&known)?
            }
        };
        let view = RULES.view(&self.versions.head_document, &shown);
        let familiar = |stamp: Stamp, change: &crdt::Change| {
            if fresh.contains(&stamp) {
                return Familiar::Fresh;
            }
            match edits.get(stamp) {
                Some(edit)
                    if (edit.may_show() || edit.has(Mark::Shown))
                        && edit.changes_at(&change.at) =>
                {
                    Familiar::Known
                }
                None if stamp.replica() == self.replica.clock_file.replica() => Familiar::Fresh,
                _ => Familiar::Foreign,
            }
        };
        let read = read.unwrap_or(&view);
        let found = findings(read, &view, file, &familiar);
        if let Some(deleted) = mass_deletion(read, &found)
            && !self.confirmed
            && !self.is_made
            && !self.has_stood()?
        {
            return Ok(Err(format!(
                "{} of {} records of `{}` are gone, which looks like an accident; it is recorded once the file has stood so \
                 for ten seconds at the next `rhema crdt sync`, with `--confirm`, or once it is committed",
                deleted.gone, deleted.of, deleted.list
            )));
        }
        Ok(Ok((overlay::count(read, &found), found)))
    }

    /// An edit of what was written in another way, without another meaning.
    fn formed(
        &mut self,
        read: Option<&yaml::Document>,
        file: &Text,
        edits: &Edits,
        new: &[Known],
    ) -> Result<Option<Known>, Error> {
        let Some(head) = self.versions.head_yaml.clone() else {
            return Ok(None);
        };
        let mut known = edits.judged();
        for (judged, edit) in known.iter_mut().zip(&edits.all) {
            judged.may_show &= edit.has(Mark::Shown) || edit.has(Mark::TakenUp);
        }
        known.extend(new.iter().map(|known| overlay::Judged {
            known,
            contained: Vec::new(),
            may_show: true,
        }));
        let stands = self.select(&known)?;
        let base = &self.versions.head_document;
        let view = RULES.view(base, &stands);
        if !file.lifted().says_the_same_as(&view) {
            return Ok(None);
        }
        match overlay::forms(&head, base, &view, read.unwrap_or(&head), &file.yaml) {
            Ok(changes) if changes.is_empty() => Ok(None),
            Ok(changes) => self.known(Deed::Change(changes)).map(Some),
            Err(error) => {
                tracing::info!("how it is written is told to nobody: {error}");
                Ok(None)
            }
        }
    }

    /// Whether the file was the same at a look long enough ago. If nobody looked at it yet, that is remembered.
    fn has_stood(&mut self) -> Result<bool, Error> {
        let held = ContentDigest::of(&[b"held", self.versions.path.as_bytes(), self.was].concat());
        let now = self.replica.now;
        let first = self.replica.store.read()?.state(held)?;
        let first = first.and_then(|first| Some(u64::from_be_bytes(first.try_into().ok()?)));
        if let Some(first) = first {
            return Ok(now.unix_millis() >= first.saturating_add(HELD_MILLIS));
        }
        let writing = self.replica.store.write(Durability::Process)?;
        writing.keep_state(held, &now.unix_millis().to_be_bytes())?;
        writing.commit()?;
        Ok(false)
    }

    /// New edits with their stamps.
    fn named(&mut self, found: Vec<Finding>) -> Result<Vec<Known>, Error> {
        let mut named: Vec<Known> = Vec::with_capacity(found.len());
        for finding in found {
            let deed = Deed::Change(finding.changes);
            let mut known = self.known(deed)?;
            if let Some(stamp) = finding.stamp {
                known.stamp = stamp;
            }
            named.push(known);
        }
        named.sort_by_key(|known| known.stamp);
        Ok(named)
    }

    fn known(&mut self, deed: Deed) -> Result<Known, Error> {
        let stamp = self.replica.tick()?;
        self.replica.known(
            stamp,
            self.versions.path.clone(),
            self.versions.commit,
            deed,
        )
    }

    /// Whoever is shown is shown with all that it builds on.
    fn unpark_what_is_built_on(&self, edits: &mut Edits) {
        loop {
            let mut seen = BTreeSet::new();
            for edit in edits.all.iter().filter(|edit| edit.may_show()) {
                if let Deed::Change(changes) = &edit.known.deed {
                    seen.extend(changes.iter().flat_map(|change| change.observed.stamps()));
                }
            }
            let mut is_done = true;
            for edit in &mut edits.all {
                let hidden = edit.has(Mark::Parked) || edit.is_elsewhere();
                if hidden && seen.contains(&edit.known.stamp) {
                    edit.unmark(Mark::Parked);
                    if edit.is_elsewhere() {
                        edit.mark(Mark::TakenUp);
                    }
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

    /// The file as it is to be, so that it shows the view. What was edited here alone stands as it was typed; what others
    /// know of as well is the same bytes for all of them.
    fn rendered(
        &mut self,
        file: Text,
        view: &crdt::Document,
        is_shared: bool,
    ) -> Result<Vec<u8>, Error> {
        let is_shown = file.lifted().says_the_same_as(view);
        if is_shown && !is_shared {
            return Ok(file.yaml.into_text().into_bytes());
        }
        let told = match &self.versions.head_yaml {
            Some(head) => overlay::render(head, &self.versions.head_document, view),
            None => overlay::render(&file.yaml, file.lifted(), view),
        };
        let error = match told {
            Ok(text) => return Ok(text.into_bytes()),
            Err(_) if is_shown => return Ok(file.yaml.into_text().into_bytes()),
            Err(error) => error,
        };
        // What was put out of sight comes back as it was written.
        for rendering in self.renderings.iter().rev() {
            let Some(bytes) = self.bytes_of(rendering)? else {
                continue;
            };
            let read = yaml::Document::read(&bytes, &Limits::default());
            if rendering.head == self.versions.commit
                && read.is_ok_and(|read| context::lift(&read).says_the_same_as(view))
            {
                return Ok(bytes);
            }
        }
        self.notes
            .push(format!("it cannot show all that is known: {error}"));
        Ok(file.yaml.into_text().into_bytes())
    }
}

/// When a file was written last.
fn modified_millis(metadata: &Metadata) -> u64 {
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
