//! How a look at the file turns into edits, and what the file should be then.

use std::collections::BTreeSet;

use crate::document::{BORN, File, Leaf, Stamp};
use crate::edits::{Change, ChangeId, Deed, Known, View, contains, observed};
use crate::git::{Move, Tree};
use crate::graph::{CommitId, Graph};
use crate::rules::Rules;
use crate::store::Store;
use crate::telling::{target, writes_same};

/// A look at one work tree: its clock may be off.
pub(crate) struct Look<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) graph: &'a Graph,
    pub(crate) store: &'a mut Store,
    pub(crate) tree: &'a Tree,
    /// Seconds by the file system.
    pub(crate) now: u32,
    /// Seconds by the clock of edits.
    pub(crate) clock: u32,
    /// Whether git cannot have written the file since the last look.
    pub(crate) is_continuous: bool,
    /// Whether git put HEAD's bytes back.
    pub(crate) is_put_back: bool,
    /// Whether the index says that git wrote the file.
    pub(crate) is_git_written: bool,
    /// What own commits since the last look changed.
    pub(crate) touched: BTreeSet<Leaf>,
    /// Whether the writer may have started from an earlier rendering.
    pub(crate) raced: bool,
}

impl Look<'_> {
    pub(crate) fn stamp(&mut self) -> Stamp {
        self.store.clock = self.clock.max(self.store.clock + 1);
        Stamp {
            time: self.store.clock,
            replica: self.store.replica,
        }
    }

    pub(crate) fn contains(&self, head: CommitId, known: &Known, at: usize) -> bool {
        contains(self.graph, self.rules, head, known, at)
    }

    /// Looks at the file, records what was done to it, and gives what it should be.
    pub(crate) fn sync(&mut self, crash: bool) -> File {
        let head = self.tree.head();
        let since = self.tree.reflog[self.store.reflog..].to_vec();
        let first = self.store.head.is_none();
        let moved = !since.is_empty();
        if moved {
            self.store.ring.clear();
            self.store.parked.clear();
        }
        if self.rules.own_commits && !first {
            let mut touched = BTreeSet::new();
            for (commit, how) in &since {
                self.own_commit(*commit, *how, head, &mut touched);
            }
            self.touched = touched;
        }
        self.mark_once();
        self.store.reflog = self.tree.reflog.len();
        let mut at = self.store.head;
        self.is_continuous = since.iter().all(|(commit, how)| {
            let before = at.replace(*commit);
            *how != Move::Other
                || before.is_some_and(|before| self.graph.file(before) == self.graph.file(*commit))
        });
        let work = &self.tree.work.file;
        let git_wrote = self.rules.git_wrote && self.tree.git_wrote > self.store.looked_at;
        self.is_continuous &= !git_wrote;
        let is_put_back =
            git_wrote || *work == *self.graph.file(head) || *work == self.tree.index.file;
        self.is_git_written = git_wrote;
        self.is_put_back = is_put_back && (git_wrote || *work != self.store.rendering);
        if first || moved || is_put_back {
            self.discard(head);
            self.record(self.graph.file(head).clone(), head);
        } else {
            let base = self.writers_base();
            self.record(base, head);
        }
        self.store.head = Some(head);
        self.render(head, crash)
    }

    /// Remembers what HEADs contained: also of what became known later.
    pub(crate) fn mark_once(&mut self) {
        let all: Vec<CommitId> = self.tree.reflog.iter().map(|(head, _)| *head).collect();
        let mut once = self.store.once.clone();
        for (id, known, _) in self.store.changes() {
            // Not in a HEAD from before it was made.
            let made = self.store.made.get(&id).copied();
            let from = made.filter(|_| self.rules.made_since).unwrap_or_default();
            for head in &all[from.min(all.len())..] {
                if !once.get(&id).is_some_and(|heads| heads.contains(head))
                    && self.contains(*head, known, id.1)
                {
                    once.entry(id).or_default().insert(*head);
                }
            }
        }
        self.store.once = once;
    }

    /// S14: the edits of a commit that was made before we looked.
    pub(crate) fn own_commit(
        &mut self,
        commit: CommitId,
        how: Move,
        head: CommitId,
        touched: &mut BTreeSet<Leaf>,
    ) {
        let &[parent] = self.graph.parents(commit) else {
            return;
        };
        let replaced = match how {
            Move::Commit => None,
            Move::Amend(old) => Some(old).filter(|_| self.rules.amended),
            Move::Other => return,
        };
        if !self.graph.is_ancestor(commit, head) {
            return;
        }
        let (before, after) = (
            self.graph.file(parent).clone(),
            self.graph.file(commit).clone(),
        );
        let mut changes = Vec::new();
        for mut change in self.after_birth(self.difference(&before, &after, parent), &after) {
            // What the file showed before is no new edit.
            let is_known = !touched.contains(&target(&change)) && self.was_shown(&change);
            touched.insert(target(&change));
            let is_known =
                is_known || replaced.is_some_and(|old| self.was_in(old, parent, &change));
            if let Deed::Set { field, .. } = change.deed
                && let Some(old) = replaced
                && let Some(record) = self.graph.file(old).get(&change.record)
            {
                let more = self.observed((change.record, field), &record.cells[field], old);
                change.seen.entry(field).or_default().extend(&more);
            } else if change.deed == Deed::Removed
                && let Some(old) = replaced
                && let Some(record) = self.graph.file(old).get(&change.record)
            {
                for (field, more) in self.observed_record(change.record, record, old) {
                    change.seen.entry(field).or_default().extend(&more);
                }
            }
            let record = after.get(&change.record);
            let has_stamp = match change.deed {
                Deed::Set {
                    field,
                    new,
                    beside: Some(_),
                    ..
                } => record.is_some_and(|record| {
                    record.cells[field]
                        .losers
                        .get(&new)
                        .is_some_and(Option::is_some)
                }),
                Deed::Set { field, .. } => record.is_some_and(|record| {
                    let stamp = record.cells[field].stamp(self.rules);
                    stamp.is_some()
                        && stamp
                            != before
                                .get(&change.record)
                                .and_then(|old| old.cells[field].stamp(self.rules))
                }),
                Deed::Born(_) => record.is_some_and(|record| record.birth.is_some()),
                Deed::Removed => false,
            };
            if !is_known && !has_stamp {
                changes.push(change);
            }
        }
        self.issue(changes, parent, BTreeSet::new());
    }

    /// Whether a commit that was replaced had this already, by an edit that is known.
    pub(crate) fn was_in(&self, commit: CommitId, parent: CommitId, change: &Change) -> bool {
        self.store.changes().any(|(id, known, old)| {
            let is_same = old.record == change.record && writes_same(&old.deed, &change.deed);
            is_same && self.contains(commit, known, id.1) && !self.contains(parent, known, id.1)
        })
    }

    pub(crate) fn issue(
        &mut self,
        changes: Vec<Change>,
        base: CommitId,
        retracts: BTreeSet<ChangeId>,
    ) -> Option<Stamp> {
        if changes.is_empty() && retracts.is_empty() {
            return None;
        }
        let stamp = self.stamp();
        let known = Known {
            stamp,
            base,
            changes,
            retracts,
        };
        self.store.known.insert(stamp, known);
        Some(stamp)
    }

    /// Own edits that git took out of the file are taken back, others' are parked.
    pub(crate) fn discard(&mut self, head: CommitId) {
        let mut retracts = BTreeSet::new();
        for (stamp, at) in self.store.shown.clone() {
            let Some(known) = self.store.known.get(&stamp) else {
                continue;
            };
            let change = &known.changes[at];
            if self.contains(head, known, at)
                || self.is_shown(known, change)
                || self.is_as_before(change)
            {
                continue;
            }
            let is_own = stamp.replica == self.store.replica;
            if !is_own
                && self.rules.touched
                && !self.is_git_written
                && self.touched.contains(&target(change))
            {
                // Whoever committed something else there did not take it out.
                continue;
            }
            if !is_own {
                self.store.parked.insert((stamp, at));
            } else if !(self.rules.witness && self.store.once.contains_key(&(stamp, at)))
                && self.rules.retraction
            {
                retracts.insert((stamp, at));
            }
        }
        let retracted = self.store.retracted();
        retracts.retain(|id| !retracted.contains(id));
        self.issue(Vec::new(), head, retracts);
    }

    /// Whether the file has there what the last rendering had.
    pub(crate) fn is_as_before(&self, change: &Change) -> bool {
        let of = |file: &File| {
            let record = file.get(&change.record)?;
            Some(match change.deed {
                Deed::Set { field, .. } => Some(record.cells[field].clone()),
                _ => None,
            })
        };
        let (before, now) = (&self.store.rendering, &self.tree.work.file);
        self.rules.as_before && (before == now || !self.is_put_back && of(before) == of(now))
    }

    pub(crate) fn is_shown(&self, known: &Known, change: &Change) -> bool {
        let record = self.tree.work.file.get(&change.record);
        match (&change.deed, record) {
            (
                &Deed::Set {
                    field,
                    new,
                    written,
                    ..
                },
                Some(record),
            ) => {
                let cell = &record.cells[field];
                let names = [Some(known.stamp), written];
                !self.is_put_back && cell.has(new)
                    || names
                        .into_iter()
                        .flatten()
                        .any(|stamp| cell.carries(stamp, self.rules))
            }
            (Deed::Born(_), Some(_)) | (Deed::Removed, None) => true,
            _ => false,
        }
    }

    /// What is shown: HEAD, and over it the edits that it does not contain and that nothing keeps back.
    pub(crate) fn render(&mut self, head: CommitId, crash: bool) -> File {
        let retracted = self.store.retracted();
        let mut overlay: BTreeSet<ChangeId> = BTreeSet::new();
        let mut contained: BTreeSet<ChangeId> = BTreeSet::new();
        let mut back: BTreeSet<ChangeId> = BTreeSet::new();
        for (id, known, _) in self.store.changes() {
            // What contained it is not in HEAD's history: there it was replaced, if it is not there.
            let is_aside = |head_then: &CommitId| {
                !self.rules.aside || !self.graph.is_ancestor(*head_then, head)
            };
            let once = self
                .store
                .once
                .get(&id)
                .is_some_and(|heads| heads.iter().any(is_aside));
            let is_elsewhere = self.rules.elsewhere && once;
            let is_parked = self.rules.parked && self.store.parked.contains(&id);
            if self.contains(head, known, id.1) {
                contained.insert(id);
            } else if retracted.contains(&id) {
            } else if is_elsewhere || is_parked {
                back.insert(id);
            } else {
                overlay.insert(id);
            }
        }
        if self.rules.builds_on {
            let others = overlay
                .iter()
                .filter(|id| id.0.replica != self.store.replica);
            let changes: Vec<&Change> = others
                .map(|id| &self.store.known[&id.0].changes[id.1])
                .collect();
            let builds_on = |id: &&ChangeId| {
                let change = &self.store.known[&id.0].changes[id.1];
                let (record, field) = target(change);
                let on_it = |other: &&Change| {
                    let saw = other
                        .seen
                        .get(&field)
                        .is_some_and(|seen| seen.stamps.contains(&id.0));
                    other.record == record
                        && (saw || field == BORN && other.body.birth == Some(id.0))
                };
                changes.iter().any(on_it)
            };
            let taken: Vec<ChangeId> = back.iter().filter(builds_on).copied().collect();
            for id in taken {
                self.store.take_up(id);
                overlay.insert(id);
            }
        }
        self.store.is_kept_back = back.iter().any(|id| !overlay.contains(id));
        // What a contained edit observed is replaced, and replaces nothing any more.
        let change = |id: &ChangeId| &self.store.known[&id.0].changes[id.1];
        let is_replaced = |id: &ChangeId| {
            contained
                .iter()
                .any(|by| observed(change(by), (id.0, change(id))))
        };
        if self.rules.contained_supersedes {
            overlay = overlay
                .iter()
                .copied()
                .filter(|id| !is_replaced(id))
                .collect();
        }
        let of = |ids: &BTreeSet<ChangeId>| {
            let change = |id: &ChangeId| (&self.store.known[&id.0], id.1);
            ids.iter().map(change).collect()
        };
        let view = View {
            rules: self.rules,
            graph: self.graph,
            head,
            overlay: of(&overlay),
        };
        let file = view.render();
        if crash && self.rules.intended {
            // The file is as it was read: what is ours is in it, and of others what was before.
            let is_there =
                |id: &ChangeId| id.0.replica == self.store.replica || self.store.shown.contains(id);
            self.store.shown = overlay.into_iter().filter(is_there).collect();
            self.store.rendering = self.tree.work.file.clone();
            self.store.looked_at = self.now;
            return file;
        }
        // An editor may hold what we read.
        let read = self.tree.work.file.clone();
        if file != read {
            self.store.ring.push((read, self.now));
        }
        self.store.rendering = file.clone();
        self.store.looked_at = self.now;
        self.store.shown = overlay;
        file
    }
}
