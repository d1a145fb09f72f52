//! Taking back what was done: what an edit or a commit did is done the other way round to what stands now.
//!
//! That is a merge, as a revert is: what stood after the edit is the ancestor of what stands now and of what stood before it. So
//! a record comes back as it was written, a text goes back where nobody touched its lines since, and what was changed since is contested.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::changes::{are_the_same, node_at};
use super::past::{Together, document_around, document_in, name_at};
use super::versions::{lifted, mentions};
use super::{Asked, Error, Happened, Kind, Memory, People, compared, log};
use crate::context::{Address, Types, strip, with_annotations_of, with_births_of};
use crate::crdt::{Act, Change, Edit, Node, Path, Stamp, WITHIN_A_DEED};
use crate::git::{
    Ending, Lines, Repo, Settings, Sides, git_path, is_context_file, merge_files, settled,
};
use crate::overlay::{CommitId, Deed, DocumentPath, Known, RULES, render};
use crate::store::{Issuer, Reading, StoredEdit};
use crate::yaml::{Document, Limits};

/// How many edits are looked at for the last one that can be taken back.
const MOST_LOOKED_AT: usize = 64;

/// What is to be taken back in one document.
#[derive(Clone, Debug)]
pub struct Undoing {
    /// The document.
    pub document: DocumentPath,
    /// What was done.
    pub happened: Vec<Happened>,
    before: String,
    after: String,
}

/// What taking it back makes of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Undone {
    /// This text; the same as now where nothing of it stands any more.
    Clean(String),
    /// Something else was done there since.
    Contested {
        /// Where.
        places: Vec<Path>,
        /// What it would be all the same.
        forced: Option<String>,
    },
    /// It cannot be written down.
    NoText,
}

/// What was done here last, to be taken back: all that one command did, or that was found in a file at one look; with the name of its
/// last edit; `within` some documents, or in any. Nothing where nothing was done since this work tree was set up.
///
/// # Errors
/// When the repository or the store cannot be read.
pub fn undoing_last(
    repo: &Repo,
    reading: &Reading<'_>,
    documents: &[DocumentPath],
    within: Option<&[DocumentPath]>,
) -> Result<Option<(Stamp, Option<Undoing>)>, Error> {
    let mut looked_at: BTreeSet<Stamp> = BTreeSet::new();
    for last in reading.last_own(MOST_LOOKED_AT)? {
        let stamp = last.known.stamp;
        let is_meant = within.is_none_or(|within| within.contains(&last.known.document));
        if !is_meant || looked_at.contains(&stamp) || !stands(reading, &last.known)? {
            continue;
        }
        let (document, base) = (last.known.document.clone(), last.known.base);
        let edits = deed_of(reading, last.known)?;
        // What stood in a file before anything was known of it was done by nobody.
        let is_beginning = edits.last().is_some_and(|first| first.previous.is_none());
        if is_beginning && base.is_none() {
            return Ok(None);
        }
        looked_at.extend(edits.iter().map(|edit| edit.stamp));
        let mut undoing = match of_edits(repo, reading, &edits)? {
            Done::Nothing => continue,
            Done::Untold => None,
            Done::This(undoing) => Some(undoing),
        };
        if let Some(undoing) = &mut undoing {
            undoing.document = name_now(repo, documents, document, base)?;
        }
        return Ok(Some((stamp, undoing)));
    }
    Ok(None)
}

/// An edit and those before it that were made by the same command, or found at the same look; the newest first.
fn deed_of(reading: &Reading<'_>, last: Known) -> Result<Vec<Known>, Error> {
    let taken_back = reading.retracted(&last.document)?;
    let (document, base) = (last.document.clone(), last.base);
    let mut edits = vec![last];
    while let Some(first) = edits.last()
        && let Some(previous) = first.previous
    {
        let gap = first.stamp.unix_millis() - previous.unix_millis().min(first.stamp.unix_millis());
        let before = reading.edit(previous)?.filter(|before| {
            let known = &before.known;
            (gap <= WITHIN_A_DEED || settles(&edits, known))
                && before.issuer == Issuer::Own
                && known.document == document
                && known.base == base
                && !taken_back.contains(&known.stamp)
        });
        let Some(before) = before else { break };
        edits.push(before.known);
    }
    Ok(edits)
}

/// Whether some edits did nothing but settle what the one before them, in the same place, was made to settle.
fn settles(edits: &[Known], before: &Known) -> bool {
    let settles = |change: &Change| matches!(change.act, Act::Lose(_) | Act::Settle(_));
    let mut changes = edits.iter().flat_map(Known::changes).peekable();
    changes.peek().is_some()
        && changes.all(|change| {
            settles(change)
                && before
                    .changes()
                    .iter()
                    .any(|other| other.at.meets(&change.at))
        })
}

/// Whether an edit did something that nobody took back since.
fn stands(reading: &Reading<'_>, edit: &Known) -> Result<bool, Error> {
    let is_form = |change: &Change| matches!(change.act, Act::Form(_));
    let does_nothing = match &edit.deed {
        Deed::Change(changes) => changes.iter().all(is_form),
        Deed::Retract(stamps) => stamps.is_empty(),
    };
    Ok(!does_nothing && !reading.retracted(&edit.document)?.contains(&edit.stamp))
}

/// What an edit did, to be taken back; nothing where nobody here knows it.
///
/// # Errors
/// When the repository or the store cannot be read.
pub fn undoing(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    documents: &[DocumentPath],
    stamp: Stamp,
) -> Result<Option<Undoing>, Error> {
    let edit = match reading {
        Some(reading) => reading.edit(stamp)?,
        None => None,
    };
    if let (Some(reading), Some(edit)) = (reading, &edit)
        && let Some(mut undoing) = by_edit(repo, reading, edit)?
    {
        undoing.document = name_now(repo, documents, undoing.document, edit.known.base)?;
        return Ok(Some(undoing));
    }
    // Git has it: it is what the commit did at these places.
    let searched = match &edit {
        Some(edit) => vec![edit.known.document.clone()],
        None => documents.to_vec(),
    };
    let asked = Asked {
        documents: searched,
        since: Some(stamp.unix_millis().saturating_sub(86_400_000)),
        ..Asked::default()
    };
    let mut found: Option<(CommitId, DocumentPath)> = None;
    let mut places = Vec::new();
    let (people, memory) = (People::default(), Memory::default());
    log(repo, reading, &people, &asked, &memory, &mut |entry| {
        if entry.stamp == Some(stamp) {
            if let Some(commit) = entry.commit {
                found = Some((commit, entry.document));
            }
            places.push(entry.at.to_string());
        }
        match found.is_some() && entry.unix_millis < stamp.unix_millis().saturating_sub(60_000) {
            true => std::ops::ControlFlow::Break(()),
            false => std::ops::ControlFlow::Continue(()),
        }
    })?;
    let Some((commit, document)) = found else {
        return Ok(None);
    };
    let Some(parent) = repo.parent_of(commit)? else {
        return Ok(None);
    };
    let before = document_in(repo, &document, parent)?;
    let after = document_in(repo, &document, commit)?;
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(None);
    };
    let Some(mut happened) = compared(Some(repo), Some(&before), Some(&after)) else {
        return Ok(None);
    };
    let all = happened.len();
    happened.retain(|one| places.contains(&one.at.to_string()));
    let before = match happened.len() == all {
        true => Some(before),
        false => with_taken_back(&before, &after, &places),
    };
    let document = name_now(repo, documents, document, Some(commit))?;
    Ok(before.map(|before| Undoing {
        document,
        happened,
        before,
        after,
    }))
}

/// What one of these documents is called now that was called so in a commit.
fn name_now(
    repo: &Repo,
    documents: &[DocumentPath],
    then: DocumentPath,
    commit: Option<CommitId>,
) -> Result<DocumentPath, Error> {
    if documents.contains(&then) {
        return Ok(then);
    }
    for document in documents {
        if name_at(repo, document, commit)? == then {
            return Ok(document.clone());
        }
    }
    Ok(then)
}

/// What a commit did to documents, to be taken back: told from its first parent.
///
/// # Errors
/// When the repository cannot be read.
pub fn undoing_commit(repo: &Repo, commit: CommitId) -> Result<Vec<Undoing>, Error> {
    let Some(parent) = repo.parent_of(commit)? else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for file in repo.files_changed_in(commit)? {
        if !is_context_file(&file) {
            continue;
        }
        let document = DocumentPath::new(git_path(&file));
        let before = document_in(repo, &document, parent)?;
        let after = document_in(repo, &document, commit)?;
        // A whole document comes and goes by git.
        if let (Some(before), Some(after)) = (before, after)
            && let Some(happened) = compared(Some(repo), Some(&before), Some(&after))
            && !happened.is_empty()
        {
            all.push(Undoing {
                document,
                happened,
                before,
                after,
            });
        }
    }
    Ok(all)
}

fn by_edit(
    repo: &Repo,
    reading: &Reading<'_>,
    edit: &StoredEdit,
) -> Result<Option<Undoing>, Error> {
    let mut edits = vec![edit.known.clone()];
    edits.extend(other_half(reading, edit)?);
    Ok(match of_edits(repo, reading, &edits)? {
        Done::This(undoing) => Some(undoing),
        Done::Nothing | Done::Untold => None,
    })
}

/// What some edits did.
enum Done {
    /// Nothing that anybody sees: what they did had been replaced, or is how something is written.
    Nothing,
    /// Nobody can tell.
    Untold,
    This(Undoing),
}

/// What some edits of one document did together.
fn of_edits(repo: &Repo, reading: &Reading<'_>, edits: &[Known]) -> Result<Done, Error> {
    let Some(document) = edits.first().map(|edit| edit.document.clone()) else {
        return Ok(Done::Nothing);
    };
    let mut together = Together::default();
    for known in edits {
        match &known.deed {
            Deed::Change(_) => together.done.push(known.stamp),
            Deed::Retract(stamps) => together.taken_back.extend(stamps),
        }
    }
    let (before, after) = document_around(repo, reading, &document, &together)?;
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(Done::Untold);
    };
    let Some(happened) = compared(Some(repo), Some(&before), Some(&after)) else {
        return Ok(Done::Untold);
    };
    Ok(match happened.is_empty() {
        true => Done::Nothing,
        false => Done::This(Undoing {
            document,
            happened,
            before,
            after,
        }),
    })
}

/// How far those of the two edits that gave a record another name.
const RENAMED_WITHIN: u64 = 16;

/// The edit that did the other half of it, where an edit gave a record another name: the record went under one name and came under
/// another in one look, one edit right after the other.
fn other_half(reading: &Reading<'_>, edit: &StoredEdit) -> Result<Option<Known>, Error> {
    let after = reading.edit_after(edit.known.stamp)?;
    let before = match edit.known.previous {
        Some(previous) => reading.edit(previous)?,
        None => None,
    };
    for other in [before, after].into_iter().flatten() {
        let [one, two] = [&edit.known, &other.known];
        let apart = one.stamp.unix_millis().abs_diff(two.stamp.unix_millis());
        if one.document != two.document || one.base != two.base || apart > RENAMED_WITHIN {
            continue;
        }
        if is_renaming(reading, one, two)? || is_renaming(reading, two, one)? {
            return Ok(Some(other.known));
        }
    }
    Ok(None)
}

/// Whether what one edit removed came under another name by the other one: it was born then, or its removal was taken back.
fn is_renaming(reading: &Reading<'_>, removal: &Known, other: &Known) -> Result<bool, Error> {
    let Deed::Retract(stamps) = &other.deed else {
        return Ok(are_a_renaming(removal.changes(), other.changes()));
    };
    let [taken_back] = stamps.as_slice() else {
        return Ok(false);
    };
    let taken_back = reading.edit(*taken_back)?;
    let other = taken_back.as_ref().map(|edit| edit.known.changes());
    Ok(match (removal.changes(), other) {
        ([one], Some([two])) => {
            one.act == Act::Remove
                && two.act == Act::Remove
                && one.at != two.at
                && one.at.around() == two.at.around()
        }
        _ => false,
    })
}

/// Whether one edit removed a record and the other one made what may be the same one, under another name, of the same list.
fn are_a_renaming(removal: &[Change], birth: &[Change]) -> bool {
    let ([removal], [birth]) = (removal, birth) else {
        return false;
    };
    let Act::Add { record, .. } = &birth.act else {
        return false;
    };
    let digests: Vec<_> = removal.observed.digests().collect();
    let is_seen = |node: &Node| match node {
        Node::Register(value, _) => digests.contains(&value.digest()),
        _ => true,
    };
    removal.act == Act::Remove
        && removal.at != birth.at
        && removal.at.around() == birth.at.around()
        // But for its name it has what was removed.
        && record.fields.values().any(is_seen)
        && record.fields.values().filter(|node| !is_seen(node)).count() <= 1
}

/// The text after a commit with what it did at some places taken back.
fn with_taken_back(before: &str, after: &str, places: &[String]) -> Option<String> {
    let text = Document::from_text(after.to_owned(), &Limits::default()).ok()?;
    let read = |text: &str| -> Option<Rc<crate::crdt::Document>> {
        let read = Document::from_text(text.to_owned(), &Limits::default()).ok()?;
        Some(Rc::new(crate::context::lift(&read)))
    };
    let (before, after) = (read(before)?, read(after)?);
    let mut edits: Vec<Edit> = RULES.edits(&after, &before);
    for edit in &mut edits {
        edit.stamp = None;
        edit.changes
            .retain(|change| places.contains(&change.at.to_string()));
    }
    edits.retain(|edit| !edit.changes.is_empty());
    render(&text, &after, &RULES.view(&after, &edits)).ok()
}

impl Undoing {
    /// What taking it back makes of the document as it stands now.
    #[must_use]
    pub fn of(&self, now: &str, types: &Types) -> Undone {
        let read = |text: &str| Document::from_text(text.to_owned(), &Limits::default()).ok();
        let bare = |text: &str| {
            let document = read(text)?;
            Some(strip(&document).unwrap_or_else(|| text.to_owned()))
        };
        let (Some(current), Some(before), Some(after)) =
            (bare(now), bare(&self.before), bare(&self.after))
        else {
            return Undone::NoText;
        };
        let (before, after) = match self.counted(&current, &before, &after, types) {
            Some(counted) => counted,
            None => return Undone::NoText,
        };
        let sides = Sides {
            base: after.as_bytes(),
            ours: current.as_bytes(),
            theirs: before.as_bytes(),
        };
        let settings = Settings {
            types: types.clone(),
            ..Settings::default()
        };
        let annotated = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).ok()?;
            let (mut made, now, before) = (read(&text)?, read(now)?, read(&self.before)?);
            made = with_annotations_of(&now, &made).unwrap_or(made);
            // A record that comes back is the one that it was, whatever it is called now.
            Some(with_births_of(&before, &made).unwrap_or(made).into_text())
        };
        match merge_files(&sides, &settings).ending {
            Ending::Clean(bytes) if bytes == current.as_bytes() => Undone::Clean(now.to_owned()),
            Ending::Clean(bytes) => annotated(bytes).map_or(Undone::NoText, Undone::Clean),
            Ending::Marked { bytes, .. } => Undone::Contested {
                places: self.changed_since(now),
                forced: annotated(settled(&bytes, settings.marker_size, Lines::Theirs)),
            },
            Ending::Binary => Undone::NoText,
        }
    }

    /// Both sides as they would be if counters had stood where they stand now: then what was added is taken away from that. Nothing
    /// where that cannot be written.
    fn counted(
        &self,
        now: &str,
        before: &str,
        after: &str,
        types: &Types,
    ) -> Option<(String, String)> {
        let (mut before, mut after) = (before.to_owned(), after.to_owned());
        for one in self.happened.iter().filter(|one| one.kind == Kind::Counted) {
            let stood = one.to.as_ref().and_then(Node::as_number)?;
            let stands = value_at(now, &one.at).as_ref().and_then(Node::as_number)?;
            let by = stands.checked_sub(stood)?;
            for text in [&mut before, &mut after] {
                let document = Document::from_text(text.clone(), &Limits::default()).ok()?;
                let at = Address::new(&one.at.to_string());
                let shifted = crate::context::Change::Increment { at, by };
                *text = shifted.apply(&document, types).ok()?.document.into_text();
            }
        }
        Some((before, after))
    }

    /// The places at which something else stands now than was left there.
    fn changed_since(&self, now: &str) -> Vec<Path> {
        let places = self.happened.iter().map(|one| &one.at);
        let read = lifted(&[Some(now)], &mentions(places));
        let Some(now) = read.and_then(|read| read.into_iter().next()) else {
            return Vec::new();
        };
        let is_other = |one: &&Happened| match one.kind {
            Kind::Moved => node_at(&now, &one.at).is_none(),
            Kind::Removed => node_at(&now, &one.at).is_some(),
            _ => !are_the_same(node_at(&now, &one.at).as_ref(), one.to.as_ref()),
        };
        let changed = self.happened.iter().filter(is_other);
        changed.map(|one| one.at.clone()).collect()
    }

    /// Whether it settled conflicts, which taking it back does not open again.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.happened.iter().any(|one| one.kind == Kind::Settled)
    }
}

/// What stands at a place of a text.
#[must_use]
pub fn value_at(text: &str, at: &Path) -> Option<Node> {
    let read = lifted(&[Some(text)], &mentions([at]))?;
    node_at(read.first()?, at)
}
