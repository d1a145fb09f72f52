//! What a commit did to a document.

use std::collections::HashSet;
use std::rc::Rc;

use super::changes::{Happened, difference, named};
use super::versions::{Versions, lifted};
use super::{Error, Kind};
use crate::context::Types;
use crate::crdt::{Document, Found, Node, Stamp};
use crate::git::{Passed, Repo};
use crate::node::Config;
use crate::overlay::{BlobId, CommitId, Mentioned, Version};

/// How many versions are searched for a stamp that came back.
const MOST_SEARCHED: usize = 32;

/// The versions between which a commit stands.
pub(super) struct Between<'v> {
    /// What it made of the document.
    pub(super) after: Option<BlobId>,
    /// What each of its parents has.
    pub(super) before: Vec<Option<BlobId>>,
    /// Under which name parents have it that do not have it under this one.
    pub(super) former: Option<&'v Versions<'v>>,
    /// Which ones those are.
    is_former: Vec<bool>,
}

impl<'v> Between<'v> {
    pub(super) fn of(
        passed: &Passed,
        version: &Version,
        former: Option<&'v Versions<'v>>,
    ) -> Result<Self, Error> {
        let mut between = Self {
            after: version.after,
            before: Vec::with_capacity(version.before.len()),
            former,
            is_former: Vec::with_capacity(version.before.len()),
        };
        for (index, blob) in version.before.iter().enumerate() {
            let parent = passed.parents.get(index).copied();
            let (blob, is_former) = match (blob, former, parent) {
                // It went by another name.
                (None, Some(former), Some(parent)) => (former.version_in(parent)?, true),
                (blob, ..) => (*blob, false),
            };
            between.before.push(blob);
            between.is_former.push(is_former);
        }
        Ok(between)
    }

    /// The version of its first parent alone.
    pub(super) fn on_the_way(version: &Version) -> Self {
        Self {
            after: version.after,
            before: version.before.iter().copied().take(1).collect(),
            former: None,
            is_former: vec![false],
        }
    }

    /// What the parents have; nothing where one of these is no text.
    fn texts(&self, versions: &Versions<'_>) -> Result<Option<Vec<Option<Rc<str>>>>, Error> {
        let mut texts = Vec::with_capacity(self.before.len());
        for (blob, is_former) in self.before.iter().zip(&self.is_former) {
            let text = match self.former.filter(|_| *is_former) {
                Some(former) => text(former, *blob)?,
                None => text(versions, *blob)?,
            };
            let Some(text) = text else { return Ok(None) };
            texts.push(text);
        }
        Ok(Some(texts))
    }
}

/// What a commit did.
#[derive(Default)]
pub(super) struct Told {
    pub(super) happened: Vec<Happened>,
    /// The length of the longest of the versions, where it follows from these alone what was done, else 0.
    pub(super) longest: usize,
}

/// What happened to a document in a commit: what none of its parents holds. Nothing where the commit did not change it, or what it
/// was before is not at hand.
pub(super) fn happened_in(
    versions: &Versions<'_>,
    passed: &Passed,
    between: &Between<'_>,
    types: &Types,
) -> Result<Told, Error> {
    if passed.is_cut {
        return Ok(Told::default());
    }
    let Some(after) = text(versions, between.after)? else {
        return Ok(Told::default());
    };
    let Some(before) = between.texts(versions)? else {
        return Ok(Told::default());
    };
    let mut texts = vec![after.as_deref()];
    texts.extend(before.iter().map(Option::as_deref));
    let longest = texts.iter().flatten().map(|text| text.len()).max();
    let told = |happened| Told {
        happened,
        longest: longest.unwrap_or(0),
    };
    if before.is_empty() {
        let happened = of_texts(None, after.as_deref(), types);
        return Ok(happened.map(told).unwrap_or_default());
    }
    let Some(read) = lifted(&texts, &Mentioned::default()) else {
        let happened = match passed.parents.first() {
            Some(parent) if after.is_some() => {
                behind_unreadable(versions, *parent, after.as_deref(), types)?
            }
            _ => Vec::new(),
        };
        return Ok(Told {
            happened,
            longest: 0,
        });
    };
    let Some((after, before)) = read.split_first() else {
        return Ok(Told::default());
    };
    let mut each = before.iter().map(|before| difference(before, after, types));
    let first = each.next().unwrap_or_default();
    let others: Vec<Vec<Happened>> = each.collect();
    let mut unlike = unlike_all(first, others);
    unlike
        .iter_mut()
        .for_each(|one| as_renamed(one, after, before));
    Ok(told(unlike))
}

/// Tells of a record that a parent has under another name that it was renamed: another one had been born under its name.
fn as_renamed(one: &mut Happened, after: &Document, before: &[Rc<Document>]) {
    let (Kind::Born, Some(list)) = (one.kind, one.at.around()) else {
        return;
    };
    let Some(Found::Record(new, ..)) = after.found(&one.at) else {
        return;
    };
    let was = before.iter().find_map(|before| match before.found(&list) {
        Some(Found::Node(Node::Set(records))) => {
            let mut records = records.iter();
            records.find(|record| record.birth == new.birth && record.birth.stamp.is_some())
        }
        _ => None,
    });
    if let Some(was) = was {
        one.kind = Kind::Renamed;
        one.stamp = None;
        one.from = Some(named(was.name.clone()));
        one.to = Some(named(new.name.clone()));
    }
}

/// What happened since the last version that could be read: a version between the two was none.
fn behind_unreadable(
    versions: &Versions<'_>,
    parent: CommitId,
    after: Option<&str>,
    types: &Types,
) -> Result<Vec<Happened>, Error> {
    let mut next = Some(parent);
    for _ in 0..MOST_SEARCHED {
        let Some(commit) = next else { break };
        if let Some(Some(text)) = text(versions, versions.version_in(commit)?)?
            && let Some(happened) = of_texts(Some(&text), after, types)
        {
            return Ok(happened);
        }
        next = versions.repo.parent_of(commit)?;
    }
    Ok(Vec::new())
}

/// The text of a version: nothing inside where there is no such file, nothing at all where it is no text.
#[expect(clippy::option_option, reason = "absent and unreadable are two things")]
fn text(versions: &Versions<'_>, blob: Option<BlobId>) -> Result<Option<Option<Rc<str>>>, Error> {
    Ok(match blob {
        None => Some(None),
        Some(blob) => versions.text(blob)?.map(Some),
    })
}

/// What happened between two texts of a document, each of which may be absent; nothing where one of them cannot be read. Counters are told
/// as such where the configuration of the repository says that they are some.
#[must_use]
pub fn compared(
    repo: Option<&Repo>,
    before: Option<&str>,
    after: Option<&str>,
) -> Option<Vec<Happened>> {
    let config = repo.and_then(|repo| Config::at_head(repo).ok());
    of_texts(before, after, &config.unwrap_or_default().types)
}

fn of_texts(before: Option<&str>, after: Option<&str>, types: &Types) -> Option<Vec<Happened>> {
    let read = lifted(&[before, after], &Mentioned::default())?;
    match read.as_slice() {
        [before, after] => Some(difference(before, after, types)),
        _ => None,
    }
}

/// What is unlike every parent of a merge: each of them has something else there, or nothing.
fn unlike_all(first: Vec<Happened>, others: Vec<Vec<Happened>>) -> Vec<Happened> {
    if others.is_empty() {
        return first;
    }
    let mut all = vec![first];
    all.extend(others);
    let ways: Vec<HashSet<(String, bool)>> = all
        .iter()
        .map(|happened| {
            let places = happened.iter();
            let places = places.map(|one| (one.at.to_string(), one.kind.is_of_conflicts()));
            places.collect()
        })
        .collect();
    let is_in = |ways: &HashSet<(String, bool)>, one: &Happened| {
        let is_of_conflicts = one.kind.is_of_conflicts();
        let mut way = Some(one.at.clone());
        while let Some(at) = way {
            if ways.contains(&(at.to_string(), is_of_conflicts)) {
                return true;
            }
            way = at.around();
        }
        false
    };
    let mut told = HashSet::new();
    let mut unlike = Vec::new();
    for (index, happened) in all.into_iter().enumerate() {
        for one in happened {
            let mut others = ways.iter().enumerate().filter(|(other, _)| *other != index);
            if others.all(|(_, ways)| is_in(ways, &one))
                && told.insert((one.at.to_string(), one.kind))
            {
                unlike.push(one);
            }
        }
    }
    unlike
}

/// Whether a version before a commit had this stamp: then the commit brought it back, and the edit was made before.
pub(super) fn came_back(
    versions: &Versions<'_>,
    passed: &Passed,
    stamp: Stamp,
) -> Result<bool, Error> {
    let Some(parent) = passed.parents.first() else {
        return Ok(false);
    };
    // An edit that is newer than the parent was made for this commit.
    if stamp.unix_millis() >= versions.time_of(*parent)?.saturating_add(1_000) {
        return Ok(false);
    }
    let name = stamp.to_string();
    let mut next = Some(*parent);
    let mut last = None;
    let mut searched = 0;
    while let Some(commit) = next.filter(|_| searched < MOST_SEARCHED) {
        if versions.time_of(commit)?.saturating_add(1_000) < stamp.unix_millis() {
            break;
        }
        let blob = versions.version_in(commit)?;
        if blob != last {
            last = blob;
            searched += 1;
            let text = blob.map(|blob| versions.text(blob)).transpose()?.flatten();
            let has = |text: &Rc<str>| memchr::memmem::find(text.as_bytes(), name.as_bytes());
            if text.as_ref().and_then(has).is_some() {
                return Ok(true);
            }
        }
        next = versions.repo.parent_of(commit)?;
    }
    Ok(false)
}
