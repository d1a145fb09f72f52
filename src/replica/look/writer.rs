//! Who wrote what a file holds: nobody, git, or somebody who had read one of the last renderings.

use std::fs::Metadata;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::time::UNIX_EPOCH;

use memchr::memmem;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::Looking;
use crate::context::ANNOTATION_KEY;
use crate::crdt::{Act, Change, Stamp};
use crate::overlay::{Distance, Reading, is_of_others, was_read_before};
use crate::replica::document::{Edits, Standing, Text};
use crate::replica::{Error, Replica};
use crate::store::{Content, Holds, Issuer, Moment, Rendering};
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

/// Who wrote what stands in the file.
pub(super) enum Writer {
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
    pub(super) fn name(&self) -> &'static str {
        match self {
            Writer::Nobody => "nobody",
            Writer::Unwritten(_) => "nobody yet",
            Writer::Git => "git",
            Writer::Somebody(_) => "somebody",
        }
    }
}

impl Looking<'_, '_, '_> {
    /// Who wrote what the file holds.
    pub(super) fn writer(&self, work: &Text, edits: &Edits) -> Result<Writer, Error> {
        let was = &self.seen.was;
        let last = self.recorded.last;
        let renderings = self.recorded.renderings.as_slice();
        let Some((current, earlier)) = renderings.split_last().filter(|_| last.is_some()) else {
            return Ok(Writer::Git);
        };
        let Some(current_bytes) = self.replica.bytes_of(current) else {
            return Ok(Writer::Git);
        };
        if self.is_same_head && !self.is_made {
            if current_bytes == *was {
                return Ok(Writer::Nobody);
            }
            // Who puts an older file back may keep its time: only a file that nobody was seen to write is behind.
            let is_unwritten = last.is_some_and(|last| last.holds == Holds::Before)
                && modified_millis(&self.seen.metadata) < current.since.unix_millis();
            if is_unwritten
                && let Some(before) = earlier.last()
                && self.replica.bytes_of(before).as_ref() == Some(was)
                && let Some(current) = self.read(earlier.len())?
            {
                return Ok(Writer::Unwritten(current));
            }
        }
        let is_gits = !self.is_made
            && (self.is_gits()?
                || self
                    .versions
                    .head
                    .as_ref()
                    .is_some_and(|head| head.bytes == *was)
                || self.is_in_index()?);
        if is_gits {
            return Ok(Writer::Git);
        }
        if !self.is_same_head && !self.is_made {
            // A commit writes no file: who saves one may have read what stood there before it.
            let head = match self.has_only_committed() {
                true => self.versions.head_yaml().cloned().map(Text::of),
                false => None,
            };
            let nearest = head.map(|head| self.nearest(&head, renderings, work, edits));
            let read = nearest.transpose()?.flatten();
            return Ok(read.map_or(Writer::Git, Writer::Somebody));
        }
        let Some(current) = self.read(earlier.len())?.map(Text::of) else {
            return Ok(Writer::Git);
        };
        if self.is_made {
            return Ok(Writer::Somebody(current));
        }
        // Where edits came since it may just have been written.
        let is_settled = self.was_written() && last.is_some_and(|last| last.file.is_some());
        let stood = match is_settled {
            true => None,
            false => self.what_stood(&current, earlier, work, edits)?,
        };
        let (current, earlier) = stood.unwrap_or((current, earlier));
        let nearest = self.nearest(&current, earlier, work, edits)?;
        Ok(Writer::Somebody(nearest.unwrap_or(current)))
    }

    /// What stood in the file when the current rendering was kept from being written by somebody's save, which nobody could read
    /// therefore, and the renderings before that. Nothing where that one was read all the same: it had its place for a moment.
    fn what_stood<'e>(
        &self,
        current: &Text,
        earlier: &'e [Rendering],
        work: &Text,
        edits: &Edits,
    ) -> Result<Option<(Text, &'e [Rendering])>, Error> {
        let Some((_, before)) = earlier.split_last() else {
            return Ok(None);
        };
        let Some(stood) = self.read(before.len())?.map(Text::of) else {
            return Ok(None);
        };
        edits.must_be_all();
        let [stood_as, current, file] = [&stood, current, work].map(Text::lifted);
        // Who wrote just what stood there last had read that, whatever became of the annotations.
        if self.was_written() && file.says_the_same_as(current) {
            return Ok(None);
        }
        let may_be_read = match self.was_written() {
            true => {
                let is_own =
                    |stamp: Option<Stamp>, change: &Change| is_own_change(edits, stamp, change);
                is_of_others(stood_as, current, &is_own)
                    && was_read_before(stood_as, current, file, &is_own) != Reading::No
            }
            // Of what was never written nothing was taken back by anybody, whoever had made it.
            false => was_read_before(stood_as, current, file, &|_, _| false) != Reading::No,
        };
        Ok(may_be_read.then_some((stood, before)))
    }

    /// The earlier rendering that somebody had read who wrote the file, if it is that rather than the current one: the one that is
    /// the least away from what they wrote.
    fn nearest(
        &self,
        current: &Text,
        earlier: &[Rendering],
        work: &Text,
        edits: &Edits,
    ) -> Result<Option<Text>, Error> {
        let is_own = |stamp: Option<Stamp>, change: &Change| is_own_change(edits, stamp, change);
        let since = may_be_read_since(&self.seen.metadata);
        // Where HEAD moved on from is what a commit was made on: what is older was replaced by git.
        let left = self.recorded.last.and_then(|last| last.head);
        let recent = |(_, rendering): &(usize, &Rendering)| {
            is_recent(rendering, since) && (self.is_same_head || rendering.head == left)
        };
        let mut nearest = None;
        let mut least = Distance::between(current.lifted(), work.lifted());
        let apart = records_apart(current.yaml.text(), work.yaml.text()) + least.changes();
        for (index, _) in earlier.iter().enumerate().rev().take_while(recent) {
            let Some(read) = self.read(index)? else {
                continue;
            };
            // Most are further away, and that is told without understanding them.
            if records_apart(read.text(), work.yaml.text()) > apart {
                continue;
            }
            let read = Text::of(read);
            let distance = Distance::between(read.lifted(), work.lifted());
            if distance > least {
                continue;
            }
            let [was, now, file] = [&read, current, work].map(Text::lifted);
            edits.must_be_all();
            if !self.is_same_head && !is_of_others(was, now, &is_own) {
                continue;
            }
            let is_it = match was_read_before(was, now, file, &is_own) {
                Reading::No => false,
                // Of those that are as near it is the one that lacks what the later one said.
                _ if distance == least => {
                    let later = nearest.as_ref().unwrap_or(current).lifted();
                    was_read_before(was, later, file, &is_own) == Reading::Unstamped
                }
                Reading::Maybe | Reading::Unstamped => true,
            };
            if !is_it {
                continue;
            }
            (nearest, least) = (Some(read), distance);
        }
        Ok(nearest)
    }

    /// Whether the file was written by nobody since it was rendered, or by somebody who had read just that.
    pub(super) fn is_of_the_current(&self, writer: &Writer) -> bool {
        let read = match writer {
            Writer::Nobody => return true,
            Writer::Unwritten(_) | Writer::Git => return false,
            Writer::Somebody(read) => read.yaml.text(),
        };
        let Some(last) = self.recorded.renderings.len().checked_sub(1) else {
            return false;
        };
        match self.excerpts {
            Some(excerpts) => excerpts.rendering(last) == Some(read),
            None => self.bytes_of_current().as_deref() == Some(read.as_bytes()),
        }
    }

    /// Whether what was rendered last surely stood in the file.
    pub(super) fn was_written(&self) -> bool {
        let last = self.recorded.last;
        last.is_some_and(|last| last.holds != Holds::Before)
    }

    /// What was rendered last.
    fn bytes_of_current(&self) -> Option<Vec<u8>> {
        let current = self.recorded.renderings.last()?;
        self.replica.bytes_of(current)
    }

    /// One of the renderings, read, or its excerpt; nothing where it cannot be.
    fn read(&self, index: usize) -> Result<Option<yaml::Document>, Error> {
        let read = match (self.excerpts, self.recorded.renderings.get(index)) {
            (Some(excerpts), _) => excerpts
                .rendering(index)
                .map(str::to_owned)
                .map(|text| yaml::Document::from_text(text, &Limits::default())),
            (None, Some(rendering)) => self
                .replica
                .bytes_of(rendering)
                .map(|bytes| yaml::Document::read(&bytes, &Limits::default())),
            (None, None) => None,
        };
        Ok(read.and_then(Result::ok))
    }

    /// Whether what was rendered last names an edit that another rendering, which whoever wrote the file may have read, does not.
    pub(super) fn came_just_now(&self, stamp: Stamp) -> bool {
        let stamp = stamp.to_string();
        let names = |rendering: &Rendering| {
            let bytes = self.replica.bytes_of(rendering);
            bytes.is_some_and(|bytes| memmem::find(&bytes, stamp.as_bytes()).is_some())
        };
        let renderings = self.recorded.renderings.split_last();
        renderings.is_some_and(|(current, earlier)| {
            names(current) && earlier.iter().any(|rendering| !names(rendering))
        })
    }

    /// Whether the index has just these bytes.
    fn is_in_index(&self) -> Result<bool, Error> {
        let was = &self.seen.was;
        let repo = self.replica.repo;
        if let Some(head) = self
            .versions
            .head
            .as_ref()
            .filter(|head| head.former.is_none())
            && repo.index_blob(self.file)? == Some(head.blob)
        {
            return Ok(head.bytes == *was);
        }
        let staged = repo.index_version(self.file, was)?;
        Ok(staged.as_ref() == Some(was))
    }

    /// Whether the file holds what was rendered last: nothing was taken out of it.
    pub(super) fn is_as_rendered(&self) -> Result<bool, Error> {
        Ok(self.bytes_of_current().as_ref() == Some(&self.seen.was))
    }

    /// Whether git wrote the file since the last look: it notes when, and nobody else does.
    fn is_gits(&self) -> Result<bool, Error> {
        let Some(looked) = self
            .recorded
            .last
            .and_then(|last| last.file)
            .map(|file| file.taken())
        else {
            return Ok(false);
        };
        let written = self.replica.repo.written_by_git(self.file)?;
        Ok(written.is_some_and(|written| written > looked.unix_millis()))
    }
}

impl Replica<'_> {
    /// What a rendering holds, where that is at hand.
    pub(in crate::replica) fn bytes_of(&self, rendering: &Rendering) -> Option<Vec<u8>> {
        match &rendering.content {
            Content::Bytes(bytes) => Some(bytes.clone()),
            // A version that no commit has any more may have been collected since.
            Content::Blob(blob) => self.repo.bytes(*blob).ok(),
            Content::Absent => None,
        }
    }
}

fn is_own(edit: &Standing) -> bool {
    edit.issuer == Issuer::Own
}

/// Whether a change that a rendering shows was made here.
fn is_own_change(edits: &Edits, stamp: Option<Stamp>, change: &Change) -> bool {
    match (stamp, &change.act) {
        (Some(stamp), _) => edits.get(stamp).is_some_and(is_own),
        // What came of several edits is nobody's alone.
        (None, Act::Lose(_) | Act::Settle(_)) => false,
        // Others' removals and moves have their stamps in the store only.
        (None, act @ (Act::Remove | Act::Move { .. })) => !edits.all.iter().any(|edit| {
            let same = |other: &Change| {
                other.at == change.at && discriminant(&other.act) == discriminant(act)
            };
            !is_own(edit) && edit.changes().iter().any(same)
        }),
        // The rest git did.
        (None, _) => true,
    }
}

/// How many records one of two texts has that the other has not just so, annotations aside, wherever they stand: whoever changed
/// fewer things cannot have made the one of the other, unless they wrote everything in their own way.
fn records_apart(a: &str, b: &str) -> usize {
    let mut surplus: FxHashMap<u64, isize> = FxHashMap::default();
    for (text, step) in [(a, 1), (b, -1)] {
        for record in records(text) {
            *surplus.entry(record).or_default() += step;
        }
    }
    let sum = |sign: isize| -> isize { surplus.values().map(|count| (sign * count).max(0)).sum() };
    sum(1).max(sum(-1)).unsigned_abs()
}

/// The digests of the outermost records of a text without what is said about them.
fn records(text: &str) -> Vec<u64> {
    let mut digests = Vec::new();
    // How far the record that is just read is indented, and the digest of its lines.
    let mut record: Option<(usize, FxHasher)> = None;
    for line in text.lines() {
        let said = line.trim_start();
        let indent = line.len() - said.len();
        let begins = said.starts_with("- ") && record.as_ref().is_none_or(|(at, _)| indent <= *at);
        let is_outside = indent == 0 && !said.is_empty() && !said.starts_with(['-', '#']);
        if begins || is_outside {
            digests.extend(record.take().map(|(_, digest)| digest.finish()));
        }
        if begins {
            record = Some((indent, FxHasher::default()));
        }
        if let Some((_, digest)) = &mut record
            && !said.starts_with(ANNOTATION_KEY)
        {
            line.hash(digest);
        }
    }
    digests.extend(record.map(|(_, digest)| digest.finish()));
    digests
}

/// The lines with annotations.
fn annotations(bytes: &[u8]) -> FxHashSet<&[u8]> {
    let places = memmem::find_iter(bytes, ANNOTATION_KEY.as_bytes());
    let lines = places.map(|at| {
        let (before, after) = bytes.split_at(at);
        let from = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let to = memchr::memchr(b'\n', after).map_or(bytes.len(), |end| at + end);
        bytes.get(from..to).unwrap_or_default()
    });
    lines.collect()
}

/// The lines with annotations that two texts have in common.
pub(super) fn annotations_in_both<'b>(current: &[u8], file: &'b [u8]) -> FxHashSet<&'b [u8]> {
    let current = annotations(current);
    let mut both = annotations(file);
    both.retain(|line| current.contains(line));
    both
}

/// Whether a text has all of these lines. Stamps are nobody's invention: whoever left one in place that a rendering lacks had read
/// a later one.
pub(super) fn has_all(rendering: &[u8], lines: &FxHashSet<&[u8]>) -> bool {
    let there = annotations(rendering);
    lines.iter().all(|line| there.contains(line))
}

/// Since when a rendering may be what the writer of a file had read.
pub(super) fn may_be_read_since(metadata: &Metadata) -> Moment {
    Moment::from_unix_millis(modified_millis(metadata).saturating_sub(race_millis()))
}

/// Whether a rendering was current at this moment or later.
pub(super) fn is_recent(rendering: &Rendering, since: Moment) -> bool {
    rendering.until.is_none_or(|until| until >= since)
}

/// When a file was written last.
fn modified_millis(metadata: &Metadata) -> u64 {
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
