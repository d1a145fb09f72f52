//! What git's log of HEAD tells: which HEADs this work tree had since the last look, and which commits were made here.

mod unrecorded;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use self::unrecorded::{Told, same_record, typed_over, unrecorded};
use super::document::{Edits, Standing};
use super::{Error, Replica, author};
use crate::context::{self, lift, named_twice};
use crate::crdt::{Act, Change, Stamp};
use crate::git::{Action, HeadLog, LogPosition, Movement, Reach, crash, git_path};
use crate::overlay::{BlobId, CommitId, Contents, Deed, DocumentPath, History, Known, stamps_in};
use crate::store::{self, Content, Durability, Issuer, LastLook, Mark, Way};
use crate::yaml::{self, Limits};

/// What the log tells of the time since the last look.
pub(super) struct Witness {
    /// The commits that HEAD named.
    heads: BTreeSet<CommitId>,
    /// What moved it, in order of time.
    pub(super) movements: Vec<Movement>,
    /// The commits that were made here of what was edited here and that HEAD has, in order of time.
    own: Vec<CommitId>,
    /// Whether that is all there was.
    pub(super) is_whole: bool,
    /// Whether HEAD moved, even if it is back where it was.
    pub(super) has_moved: bool,
    /// Up to where the log was read.
    pub(super) position: Option<LogPosition>,
}

impl Witness {
    /// Whether all that moved HEAD is commits that were made here: these write no file.
    pub(super) fn has_only_committed(&self) -> bool {
        let mut movements = self.movements.iter();
        let is_known = self.is_whole && !self.movements.is_empty();
        is_known && movements.all(|movement| movement.action.is_own())
    }

    /// The commits that were made here before anything else moved HEAD: the file held then what the last look had shown.
    fn made_on_what_was_shown(&self) -> BTreeSet<CommitId> {
        let movements = self.movements.iter().filter(|_| self.is_whole);
        let made = movements.take_while(|movement| movement.action.is_own());
        made.map(|movement| movement.to).collect()
    }

    /// Whether somebody had git throw something away, or may have.
    pub(super) fn was_reset(&self) -> bool {
        let mut movements = self.movements.iter();
        !self.is_whole || movements.any(|movement| movement.action == Action::Reset)
    }
}

impl Replica<'_> {
    /// Reads the log. Without a last look nothing is told of what was before.
    pub(super) fn witness(&self, last: Option<&LastLook>) -> Result<Witness, Error> {
        let position = last.and_then(|last| last.reflog.as_ref());
        let Some(HeadLog {
            movements,
            reach,
            position: end,
        }) = self.repo.head_log_since(position)?
        else {
            return Ok(Witness {
                heads: BTreeSet::new(),
                movements: Vec::new(),
                own: Vec::new(),
                is_whole: false,
                has_moved: false,
                position: None,
            });
        };
        let movements = match position {
            Some(_) => movements,
            None => Vec::new(),
        };
        let named = movements
            .iter()
            .flat_map(|movement| movement.from.into_iter().chain([movement.to]));
        Ok(Witness {
            heads: named.collect(),
            own: self.repo.own_commits(&movements)?,
            has_moved: !movements.is_empty() || reach != Reach::Whole,
            is_whole: position.is_some() && reach == Reach::Whole,
            position: Some(end),
            movements,
        })
    }

    /// Marks the edits that a commit contained which HEAD named meanwhile.
    pub(super) fn mark_committed(
        &mut self,
        witness: &Witness,
        documents: &[DocumentPath],
    ) -> Result<(), Error> {
        let heads = self.newest(&witness.heads)?;
        for path in documents {
            // What the HEAD of the last look contained was marked then.
            let Edits { all, .. } = self.open_edits(path)?;
            let open: Vec<&Known> = all
                .iter()
                .filter(|edit| !edit.has(Mark::Committed))
                .map(|edit| &edit.known)
                .collect();
            if open.is_empty() {
                continue;
            }
            let history = self.repo.history_of(path);
            let mut contents = Contents::of(&history);
            let mut committed = BTreeSet::new();
            for head in &heads {
                let held = self.held(path, &mut contents, *head, &open)?;
                for (known, held) in open.iter().zip(held) {
                    if !matches!(known.deed, Deed::Retract(_)) && held.is_whole() {
                        committed.insert(known.stamp);
                    }
                }
            }
            if !committed.is_empty() {
                let writing = self.store.write(Durability::Process)?;
                writing.mark(committed, Mark::Committed)?;
                writing.commit()?;
            }
        }
        Ok(())
    }

    /// These commits without the only parents of others, which contain what their parents do.
    fn newest(&self, heads: &BTreeSet<CommitId>) -> Result<BTreeSet<CommitId>, Error> {
        let mut newest = heads.clone();
        for head in heads {
            if let Some(parent) = self.repo.only_parent_of(*head)? {
                newest.remove(&parent);
            }
        }
        Ok(newest)
    }

    /// Records what was committed here before anybody looked: an edit for each commit and document, whose stamp stands in
    /// the store only.
    pub(super) fn record_own_commits(
        &mut self,
        witness: &Witness,
        files: &BTreeSet<PathBuf>,
    ) -> Result<usize, Error> {
        self.record_commits(&witness.own, &witness.made_on_what_was_shown(), files)
    }

    /// As [`record_own_commits`](Self::record_own_commits), for these, of which some were made on what the last look had shown.
    pub(super) fn record_commits(
        &mut self,
        commits: &[CommitId],
        on_what_was_shown: &BTreeSet<CommitId>,
        files: &BTreeSet<PathBuf>,
    ) -> Result<usize, Error> {
        let mut counted = 0;
        let mut parents = BTreeMap::new();
        for commit in commits {
            let changed = self.repo.files_changed_in(*commit)?;
            for file in files.intersection(&changed) {
                let was_shown = on_what_was_shown.contains(commit);
                counted += self.record_own_commit(*commit, was_shown, file, &mut parents)?;
            }
        }
        Ok(counted)
    }

    fn record_own_commit(
        &mut self,
        commit: CommitId,
        is_on_what_was_shown: bool,
        file: &Path,
        parents: &mut BTreeMap<DocumentPath, Parent>,
    ) -> Result<usize, Error> {
        let path = DocumentPath::new(git_path(file));
        let parent = self.repo.parent_of(commit)?;
        let Some(after) = self.repo.blob_in(commit, &path)? else {
            return Ok(0);
        };
        let (path, before) = self.in_parent(path, file, commit, parent)?;
        if before == Some(after) {
            return Ok(0);
        }
        let repo = self.repo;
        let read = |blob| -> Result<Option<yaml::Document>, Error> {
            let bytes = repo.bytes_in_tree(file, blob)?;
            Ok(yaml::Document::read(&bytes, &Limits::default()).ok())
        };
        let Some(after) = read(after)? else {
            return Ok(0);
        };
        let before = before.map(read).transpose()?;
        let was_unreadable = before.as_ref().is_some_and(Option::is_none);
        let earlier = before.as_ref().and_then(Option::as_ref);
        let is_torn = earlier.is_some_and(|before| named_twice(before, &after).is_some());
        if was_unreadable || is_torn || !context::takes_stamps(earlier, &after) {
            return Ok(0);
        }
        let before = before.flatten().as_ref().map(lift).unwrap_or_default();
        let all = self.seen_before(&path, parent)?;
        let held = match parent {
            Some(parent) => {
                let told = parents.entry(path.clone());
                let told = told.or_insert_with(|| Parent::new(parent));
                self.held_in(parent, &path, &all, told)?
            }
            None => &BTreeSet::new(),
        };
        let policy = self.policy()?;
        let reading = self.store.read()?;
        let is_known = |stamp: Stamp| -> Result<bool, store::Error> {
            let edit = reading.edit(stamp)?;
            Ok(edit.is_some_and(|edit| edit.known.document == path))
        };
        let lifted = lift(&after);
        let named: BTreeSet<Stamp> = stamps_in(after.text().as_bytes()).collect();
        let is_read = |stamp: &Stamp| is_on_what_was_shown || named.contains(stamp);
        let told = Told {
            is_known: &is_known,
            is_read: &is_read,
        };
        let mut changes = unrecorded(&all, held, &before, &lifted, &policy.types, &told)?;
        let rendering = reading.rendering(&path)?.filter(|_| is_on_what_was_shown);
        drop(reading);
        // A record came with somebody's edit of it, from a commit that is not at hand: it was shown, and brought by nobody here.
        let is_brought = |change: &Change| matches!(change.act, Act::Add { .. });
        if let Some(rendering) = rendering.filter(|_| changes.iter().any(is_brought)) {
            let bytes = self.bytes_of(&rendering).unwrap_or_default();
            let shown = yaml::Document::read(&bytes, &Limits::default()).map(|read| lift(&read));
            let shown = shown.unwrap_or_default();
            changes
                .retain(|change| !is_brought(change) || !same_record(&shown, &lifted, &change.at));
        }
        changes.extend(typed_over(
            &all,
            held,
            &before,
            &lifted,
            &named,
            &policy.types,
        ));
        if changes.is_empty() {
            return Ok(0);
        }
        let finding = crate::overlay::Finding {
            stamp: None,
            changes,
        };
        let counted = crate::overlay::count(&before, std::slice::from_ref(&finding));
        let stamp = self.tick()?;
        let known = self.known(stamp, path, parent, Deed::Change(finding.changes))?;
        self.keep_clock()?;
        let chained = self.chained(vec![known])?;
        let by = author(&self.node, &self.clock_file);
        let writing = self.store.write(Durability::Power)?;
        writing.record(&chained, Way::Committed, by)?;
        writing.mark(chained.iter().map(|known| known.stamp), Mark::Committed)?;
        crash::here("before-own-commit");
        writing.commit()?;
        crash::here("after-own-commit");
        Ok(counted)
    }

    /// The known edits of a document, but for those of which the marks tell that the parent of an own commit contains them.
    fn seen_before(
        &mut self,
        path: &DocumentPath,
        parent: Option<CommitId>,
    ) -> Result<Vec<Standing>, Error> {
        let looked = self.store.read()?.look(path)?.and_then(|look| look.head);
        let is_behind = match (looked, parent) {
            (Some(looked), Some(parent)) => {
                let history = self.repo.history_of(path);
                history.is_ancestor(looked, parent)? == Some(true)
            }
            _ => false,
        };
        let Edits { all, .. } = match is_behind {
            true => self.open_edits(path)?,
            false => self.edits(path)?,
        };
        Ok(all)
    }

    /// A document that a commit has as its parent has it, and what that calls it.
    fn in_parent(
        &self,
        path: DocumentPath,
        file: &Path,
        commit: CommitId,
        parent: Option<CommitId>,
    ) -> Result<(DocumentPath, Option<BlobId>), Error> {
        let Some(parent) = parent else {
            return Ok((path, None));
        };
        if let Some(before) = self.repo.blob_in(parent, &path)? {
            return Ok((path, Some(before)));
        }
        let Some(former) = self.repo.moved_by(commit, parent, file)? else {
            return Ok((path, None));
        };
        let former = DocumentPath::new(git_path(&former));
        let before = self.repo.blob_in(parent, &former)?;
        Ok((former, before))
    }

    /// The edits seen here that the parent of an own commit contains.
    fn held_in<'p>(
        &mut self,
        commit: CommitId,
        path: &DocumentPath,
        all: &[Standing],
        parent: &'p mut Parent,
    ) -> Result<&'p BTreeSet<Stamp>, Error> {
        let history = self.repo.history_of(path);
        // What a commit contains its descendants do, too.
        if history.is_ancestor(parent.commit, commit)? != Some(true) {
            parent.held.clear();
        }
        parent.commit = commit;
        let is_open = |edit: &&Standing| is_seen(edit) && !parent.held.contains(&edit.known.stamp);
        let open: Vec<&Known> = all.iter().filter(is_open).map(|edit| &edit.known).collect();
        let held = self.held(path, &mut Contents::of(&history), commit, &open)?;
        let held = open.iter().zip(held).filter(|(_, held)| held.is_whole());
        parent.held.extend(held.map(|(known, _)| known.stamp));
        Ok(&parent.held)
    }

    /// The own edits of documents that are gone with another HEAD belong to the commits that had them. A document that comes
    /// back without a commit (it was put aside, or another program was about to replace it) is compared with HEAD then, and
    /// shows what it holds; what it does not hold any more was thrown away.
    pub(super) fn leave_behind(
        &mut self,
        gone: &[DocumentPath],
        commit: Option<CommitId>,
        has_moved: bool,
    ) -> Result<(), Error> {
        for path in gone {
            let current = self.store.read()?.rendering(path)?;
            if current.is_some_and(|current| current.content == Content::Absent) {
                continue;
            }
            let Edits { all, .. } = self.open_edits(path)?;
            let open = all.iter().filter(|edit| has_moved && edit.may_show());
            let now = self.now;
            let writing = self.store.write(Durability::Process)?;
            writing.mark(open.map(|edit| edit.known.stamp), Mark::Committed)?;
            writing.render(path, &Content::Absent, commit, now)?;
            writing.commit()?;
        }
        Ok(())
    }
}

/// What the parent of an own commit contains.
struct Parent {
    commit: CommitId,
    held: BTreeSet<Stamp>,
}

impl Parent {
    fn new(commit: CommitId) -> Self {
        Self {
            commit,
            held: BTreeSet::new(),
        }
    }
}

/// Whether an edit was made here, or its file was seen to show it.
fn is_seen(edit: &Standing) -> bool {
    edit.issuer == Issuer::Own || edit.has(Mark::Shown)
}
