//! What must be, told from what was typed: every value was typed once, so whoever sees it knows which edit it is.

use std::collections::BTreeSet;

use git2::Oid;
use rhema_crdt::crdt::{Act, Observed};
use rhema_crdt::overlay::{Deed, DocumentPath};
use rhema_crdt::store::{Issuer, Mark, Store, Which};

use crate::broken::{Broken, must};
use crate::ground::Ground;
use crate::text::{FILE, Said};

/// The versions that came together, and what came of them.
pub(crate) struct Merge {
    pub(crate) base: Said,
    pub(crate) ours: Said,
    pub(crate) theirs: Said,
    /// What stood in the history of each, of what the base does not have.
    pub(crate) seen_by_ours: BTreeSet<String>,
    pub(crate) seen_by_theirs: BTreeSet<String>,
}

impl Merge {
    /// Nothing is lost, nothing comes from nowhere, nothing comes back. What somebody `told` others, these may have replaced
    /// before it was committed.
    pub(crate) fn judge(&self, merged: &Said, told: &BTreeSet<String>) -> Result<(), Broken> {
        let base = &self.base;
        let sides = [
            (&self.ours, &self.theirs, &self.seen_by_theirs),
            (&self.theirs, &self.ours, &self.seen_by_ours),
        ];
        for (one, other, seen) in sides {
            for value in one.shown() {
                let is_new = !base.has(value) && !seen.contains(value) && !told.contains(value);
                must(
                    !is_new || merged.has(value),
                    "a merge loses a value",
                    || format!("{value} in {merged:?}"),
                )?;
            }
            for comment in &one.comments {
                let is_new = !base.comments.contains(comment);
                let stands = merged.comments.contains(comment);
                must(
                    !is_new || stands || seen.contains(comment),
                    "a merge loses a comment",
                    || comment.clone(),
                )?;
            }
            // What one side replaced or deleted, and the other left as it was.
            for ((id, field), value) in &base.leaves {
                let group = ["status", "outcome"];
                let is_in_group =
                    |name: &str| group.contains(&name) && group.contains(&field.as_str());
                let value_of = |name| other.record(id).get(name).copied();
                let before = base.record(id);
                let moved = group
                    .iter()
                    .any(|name| is_in_group(name) && value_of(name) != before.get(name).copied());
                let now = one.leaves.get(&(id.clone(), field.clone()));
                // Whoever had seen what stands there now put this back on purpose.
                if moved || now.is_some_and(|value| seen.contains(value)) {
                    continue;
                }
                // Whoever deleted a record did not see what lost in it elsewhere.
                let is_untouched =
                    other.record(id) == base.record(id) && other.kept.is_subset(&base.kept);
                let is_record_there = one.record_of(value).is_some() || !one.record(id).is_empty();
                let is_gone =
                    !one.has(value) && other.has(value) && (is_record_there || is_untouched);
                must(
                    !is_gone || !merged.shown().contains(value.as_str()),
                    "a merge brings a value back",
                    || format!("{value} in {merged:?}"),
                )?;
            }
        }
        for value in merged.shown() {
            let is_known = [base, &self.ours, &self.theirs]
                .iter()
                .any(|said| said.has(value));
            must(is_known, "a merge makes a value", || value.to_owned())?;
        }
        Ok(())
    }
}

impl Ground {
    /// What would be merged of two commits, unless git has to make up what they come from.
    pub(crate) fn merge_of(&self, at: usize, ours: Oid, theirs: Oid) -> Option<Merge> {
        let repo = self.repo(at);
        let bases: Vec<Oid> = repo
            .merge_bases(ours, theirs)
            .map(|bases| bases.to_vec())
            .unwrap_or_default();
        let said = |commit: Oid| self.said_in(at, commit);
        let [base] = bases.as_slice() else {
            return None;
        };
        Some(Merge {
            base: said(*base)?,
            ours: said(ours)?,
            theirs: said(theirs)?,
            seen_by_ours: self.seen(at, ours, &bases),
            seen_by_theirs: self.seen(at, theirs, &bases),
        })
    }

    /// What a commit's version says.
    pub(crate) fn said_in(&self, at: usize, commit: Oid) -> Option<Said> {
        Said::read(&self.version(at, &format!("{commit}:"))?).ok()
    }

    /// The values and comments that stood in the history of a commit since these.
    fn seen(&self, at: usize, tip: Oid, since: &[Oid]) -> BTreeSet<String> {
        let repo = self.repo(at);
        let mut walk = repo.revwalk().unwrap();
        walk.push(tip).unwrap();
        for commit in since {
            walk.hide(*commit).unwrap();
        }
        let commits = walk.flatten();
        commits
            .filter_map(|commit| self.said_in(at, commit))
            .flat_map(|said| {
                let comments = said.comments.into_iter();
                said.leaves.into_values().chain(said.kept).chain(comments)
            })
            .collect()
    }

    /// `sync`: it changes nothing of what the file says, but for what was parked and is to be seen again.
    pub(crate) fn sync(&mut self, at: usize) -> Result<(), Broken> {
        if self.under_way(at).is_some() {
            return Ok(());
        }
        let (text, before) = (self.file(at), self.said(at));
        let done = self.rhema(at, &["sync", "--timeout", "0"])?;
        let (Some(text), Some(before)) = (text, before) else {
            return Ok(());
        };
        must(done.status == 0, "sync fails", || done.stderr.clone())?;
        self.desks[at].is_counted = false;
        self.judge_counted(at)?;
        let after_text = self.file(at).unwrap_or_default();
        self.judge_sync(at, &text, &before, &after_text)?;
        self.judge_store(at)?;
        let again = self.rhema(at, &["sync", "--timeout", "0", "--json"])?;
        let report = again.json();
        let is_quiet = self.file(at).as_ref() == Some(&after_text)
            && report["documents_changed"] == 0
            && report["edits_recorded"] == 0;
        must(is_quiet, "the second sync is not quiet", || {
            format!("{report} {:?}", self.file(at))
        })
    }

    /// Whether what was parked may be seen again by what runs next.
    pub(crate) fn is_awaited(&self, at: usize) -> bool {
        let desk = &self.desks[at];
        let is_parked = !desk.parked.is_empty()
            || !desk.parked_comments.is_empty()
            || !desk.parked_settlings.is_empty()
            || desk.has_parked_amounts;
        let is_moved = desk.log != self.log(at);
        (is_parked && (desk.returns || is_moved)) || (is_moved && !self.foreign(at).is_empty())
    }

    pub(crate) fn judge_sync(
        &mut self,
        at: usize,
        text: &str,
        before: &Said,
        after_text: &str,
    ) -> Result<(), Broken> {
        let told = || format!("before:\n{text}after:\n{after_text}");
        let after = Said::read(after_text).map_err(|error| Broken {
            rule: "sync breaks the file",
            told: format!("{error}\n{}", told()),
        })?;
        let is_awaited = self.is_awaited(at);
        let is_clean = self.head_version(at).as_deref() == Some(text);
        let log = self.log(at);
        let foreign = self.foreign(at);
        if !foreign.is_empty() {
            let head = self.head_version(at);
            let head = head
                .and_then(|head| Said::read(&head).ok())
                .unwrap_or_default();
            let desk = &mut self.desks[at];
            (desk.log, desk.returns, desk.is_typed) = (log, false, false);
            let was_parked = is_awaited && !desk.parked.is_empty();
            if is_awaited {
                // What was parked comes back among what others say.
                desk.parked.clear();
                desk.parked_comments.clear();
                desk.parked_losers.clear();
                desk.parked_settlings.clear();
                desk.has_parked_amounts = false;
            }
            return match was_parked {
                true => Ok(()),
                false => self.judge_shown(&foreign, &head, before, &after),
            };
        }
        let desk = &mut self.desks[at];
        let is_typed = std::mem::take(&mut desk.is_typed);
        (desk.log, desk.returns) = (log, false);
        if !is_awaited {
            must(
                !is_clean || after_text == text,
                "sync dirties a clean file",
                told,
            )?;
            must(after.leaves == before.leaves, "sync changes a value", told)?;
            must(
                after.counted == before.counted,
                "sync changes a number",
                told,
            )?;
            must(
                after.comments == before.comments,
                "sync changes a comment",
                told,
            )?;
            let is_kept = is_typed || before.kept.is_subset(&after.kept);
            must(is_kept, "sync loses what is kept", told)?;
            must(after.kept.is_subset(&before.kept), "sync keeps more", told)?;
            return Ok(());
        }
        let parked = std::mem::take(&mut desk.parked);
        let comments = std::mem::take(&mut desk.parked_comments);
        let losers = std::mem::take(&mut desk.parked_losers);
        desk.parked_settlings.clear();
        desk.has_parked_amounts = false;
        for (leaf, value) in before.to(&after) {
            let is_parked =
                parked.contains_key(&leaf) || parked.keys().any(|(id, _)| *id == leaf.0);
            must(
                is_parked,
                "sync changes a value that was not parked",
                || format!("{leaf:?} to {value:?}\n{}", told()),
            )?;
        }
        for value in parked.values().flatten() {
            let is_there = after.has(value) || self.committed.contains(value);
            must(is_there, "what was parked is lost", || {
                format!("{value}\n{}", told())
            })?;
        }
        // What stands above a record that is gone went with it.
        let is_gone = |(id, _): &(String, String)| after.record(id).is_empty();
        let deletes = before.leaves.keys().any(is_gone);
        must(
            deletes || before.comments.is_subset(&after.comments),
            "sync changes a comment",
            told,
        )?;
        must(
            comments.is_subset(&after.comments),
            "a comment that was parked is lost",
            told,
        )?;
        // Over another HEAD what lost may be what HEAD shows, or nothing it met.
        let is_there = |loser: &String| after.has(loser) || self.committed.contains(loser);
        let is_kept = losers.iter().all(is_there);
        must(is_kept, "a loser that was parked is lost", told)
    }

    /// What others would be told is what the file shows; the edits of a replica form one chain.
    pub(crate) fn judge_store(&self, at: usize) -> Result<(), Broken> {
        let git_dir = self.tree(at).path(".git");
        if !Store::path_in(&git_dir).exists() {
            return Ok(());
        }
        let Some(said) = self.said(at) else {
            return Ok(());
        };
        let head = self.head_version(at);
        let head = head
            .and_then(|head| Said::read(&head).ok())
            .unwrap_or_default();
        let mut store = Store::open(&git_dir).unwrap().store;
        let reading = store.read().unwrap();
        let document = DocumentPath::new(FILE);
        let edits = reading.edits(&document, Which::All).unwrap();
        let retracted = reading.retracted(&document).unwrap();
        let replicas: BTreeSet<_> = edits
            .iter()
            .map(|edit| edit.known.stamp.replica())
            .collect();
        for replica in replicas {
            let mut own: Vec<_> = edits
                .iter()
                .filter(|edit| edit.issuer == Issuer::Own && edit.known.stamp.replica() == replica)
                .collect();
            own.sort_by_key(|edit| edit.known.stamp);
            let mut previous = None;
            for edit in own {
                must(
                    edit.known.previous == previous,
                    "the chain is broken",
                    || format!("at {}", edit.known.stamp),
                )?;
                previous = Some(edit.known.stamp);
            }
        }
        let live: Vec<_> = edits
            .iter()
            .filter(|edit| !retracted.contains(&edit.known.stamp))
            .filter_map(|edit| match &edit.known.deed {
                Deed::Change(changes) => Some((edit, changes)),
                Deed::Retract(_) => None,
            })
            .collect();
        let desk = &self.desks[at];
        let mut told = BTreeSet::new();
        for (edit, changes) in &live {
            let stamp = edit.known.stamp;
            // How something is written is no value, and what is settled is gone.
            let meant = changes.iter();
            let meant: Vec<_> = meant
                .filter(|change| !matches!(change.act, Act::Form(_) | Act::Settle(_)))
                .collect();
            let values: BTreeSet<String> = crate::text::words(&format!("{meant:?}")).collect();
            // A record whose birth was found goes by that.
            let births = changes.iter().filter_map(|change| match &change.act {
                Act::Add { record, .. } => record.birth.stamp,
                _ => None,
            });
            let names: Vec<_> = births.chain([stamp]).collect();
            let is_superseded = live.iter().any(|(other, changes)| {
                let mut observed = changes.iter().map(|change| &change.observed);
                let sees = |observed: &Observed| names.iter().any(|name| observed.has_stamp(*name));
                other.known.stamp != stamp && observed.any(sees)
            });
            for value in &values {
                let is_there = is_superseded
                    || edit.issuer == Issuer::Other
                    || edit.marks.contains(Mark::Committed)
                    || said.has(value)
                    || self.committed.contains(value)
                    || desk.parked.values().flatten().any(|parked| parked == value)
                    || desk.parked_losers.contains(value);
                must(
                    is_there,
                    "what is not there would be told to others",
                    || format!("{value} by {stamp}: {edit:?}"),
                )?;
            }
            told.extend(values);
        }
        for (leaf, value) in &said.leaves {
            // A record that an update brought back has the rest from a commit.
            let is_body = head.record(&leaf.0).is_empty() && self.committed.contains(value);
            let is_new = head.leaves.get(leaf) != Some(value) && !is_body;
            must(
                !is_new || told.contains(value),
                "what is there would not be told",
                || format!("{leaf:?}: {value}"),
            )?;
        }
        Ok(())
    }
}
