//! What must be in a file after a look, told from what was meant.

use std::collections::BTreeSet;

use crate::bits::Bits;
use crate::document::{BORN, RecordId};
use crate::git::Move;
use crate::graph::CommitId;
use crate::meaning::{May, Meant, leaves};
use crate::world::{Mind, World};

impl World {
    /// Everything that led to a HEAD of this tree.
    pub(crate) fn past(&self, at: usize) -> Bits {
        let heads = self.trees[at].reflog.iter();
        heads.fold(Bits::default(), |past, (commit, _)| {
            past | self.graph.meant(*commit).done
        })
    }

    /// What a look must show, what it may show, what is in effect then, and whether nobody's edit is to be shown.
    pub(crate) fn expect(&mut self, at: usize) -> (Meant, May, Bits, bool) {
        let head = self.trees[at].head();
        let (author, is_first) = (self.minds[at].author, !self.stores[at].has_looked());
        let looked = self.minds[at].reflog;
        let since = self.trees[at].reflog[looked..].to_vec();
        let before = self.trees[at].reflog[..looked].iter();
        let past_before = before.fold(Bits::default(), |past, (commit, _)| {
            past | self.graph.meant(*commit).done
        });
        self.minds[at].reflog = self.trees[at].reflog.len();
        let past = self.past(at);
        let heads = self.trees[at].reflog.iter();
        let past_stood = heads.fold(Bits::default(), |past, (commit, _)| {
            past | self.graph.meant(*commit).stood
        });
        if !since.is_empty() {
            self.minds[at].hidden = Bits::default();
        }
        for (commit, how) in since {
            if !is_first && how != Move::Other && self.graph.is_ancestor(commit, head) {
                let parent = self.graph.parents(commit)[0];
                let meant = self.graph.meant(commit);
                // Who removes and commits what was in no commit leaves no trace of that.
                let before = self.graph.meant(parent);
                let live = meant
                    .live
                    .values()
                    .fold(Bits::default(), |all, live| all | *live);
                let is_told = |id: &usize| {
                    live.has(*id)
                        || self.writes.0[*id].value.is_none()
                            && before.has(self.writes.0[*id].leaf.0)
                };
                let new = (meant.done - before.done).iter().filter(is_told);
                self.minds[at].heard |= new.collect();
            }
        }
        // Who types back what HEAD has, to the letter, did what git does.
        let tree = &mut self.trees[at];
        if tree.work.file == *self.graph.file(head) {
            tree.work.meant = self.graph.meant(head).clone();
        } else if tree.work.file == tree.index.file {
            tree.work.meant = tree.index.meant.clone();
        }
        self.renew(at, head, false);
        let head = self.graph.meant(head).clone();
        let work = self.trees[at].work.meant.clone();
        let mind = &mut self.minds[at];
        let was_there = |id: &usize| {
            self.writes.0[*id].value.is_some()
                || !mind.file.contains_key(&self.writes.0[*id].leaf.0)
        };
        let gone: Bits = (mind.shown - work.done - head.done)
            .iter()
            .filter(was_there)
            .collect();
        let own = self.writes.by(author);
        mind.hidden |= gone - own;
        // What was born here and removed again before any commit had it was never there.
        let is_nowhere = |id: &usize| {
            let record = self.writes.0[*id].leaf.0;
            let was_committed = past_stood
                .iter()
                .any(|id| self.writes.0[id].leaf.0 == record);
            !was_committed
                && self.writes.0[*id].value.is_some()
                && !work.has(record)
                && !head.has(record)
        };
        let unborn: Bits = (mind.shown & own).iter().filter(is_nowhere).collect();
        // Committed once, taken out of the commit, and then discarded: dropped or taken back, nobody can tell.
        self.ambiguous |= gone & own & (past_before | (past - past_stood));
        self.ambiguous |= ((work.done - head.done) & past) - mind.heard;
        // A removal leaves nothing in the text that tells what it saw on an earlier HEAD.
        let removals = (work.done - mind.heard - head.done)
            .iter()
            .filter(|id| self.writes.0[*id].value.is_none());
        self.ambiguous |= self.writes.replaced_by(removals.collect()) & (past - head.done);
        mind.withdrawn |= ((gone & own) - past) | unborn;
        let live = work
            .live
            .values()
            .fold(Bits::default(), |all, live| all | *live);
        let is_told = |id: &usize| live.has(*id) || self.writes.0[*id].value.is_none();
        mind.heard |= (work.done - head.done).iter().filter(is_told).collect();
        let known = mind.heard - head.done - mind.withdrawn - mind.hidden;
        let theirs = (known - own - past) | (known - (known - mind.carried));
        let theirs = (theirs | (known & own & self.ambiguous)) - work.done;
        // Somebody made again what was dropped here.
        let dropped = past.iter().fold(past | self.ambiguous, |all, id| {
            all | self.writes.origin(id)
        });
        let again = theirs.iter().filter(|id| {
            let write = &self.writes.0[*id];
            self.writes.origin(*id).meets(&dropped)
                || write.value.is_none()
                    && past.iter().any(|id| {
                        self.writes.0[id].value.is_none() && self.writes.0[id].leaf == write.leaf
                    })
        });
        let again: Bits = again.collect();
        let unsure = self.ambiguous | work.weak | again;
        let by_unsure = self.writes.replaced_by(theirs) - self.writes.replaced_by(theirs - unsure);
        let effective = work.done | theirs;
        let (by_theirs, by_all) = (
            self.writes.replaced_by(theirs),
            self.writes.replaced_by(effective),
        );
        // A removal that only git brings tells nothing of what was never committed.
        let is_removal = |id: &usize| self.writes.0[*id].value.is_none();
        let untold: Bits = (effective - self.minds[at].heard)
            .iter()
            .filter(is_removal)
            .collect();
        let by_told = self.writes.replaced_by(effective - untold);
        let untold = (self.writes.replaced_by(untold) & self.minds[at].heard) - by_told;
        let mut must = Meant {
            done: effective,
            weak: work.weak,
            doubt: work.doubt | untold,
            ..Meant::default()
        };
        let mut may = May::new();
        let mut records = work.records();
        records.extend((theirs | untold).iter().map(|id| self.writes.0[id].leaf.0));
        for leaf in leaves(records) {
            let mut live = Bits::default();
            *may.entry(leaf).or_default() |= work.at(leaf) & (by_unsure | self.ambiguous);
            *may.entry(leaf).or_default() |= self.writes.at(work.done & self.ambiguous, leaf);
            if work.at(leaf).meets(&self.ambiguous) {
                *may.entry(leaf).or_default() |= head.at(leaf);
            }
            for id in (work.at(leaf) - by_theirs).iter() {
                // Of a value that came back no stamp tells that it is new.
                if self.writes.origin(id).meets(&by_theirs) || unsure.has(id) {
                    may.entry(leaf).or_default().insert(id);
                } else {
                    live.insert(id);
                }
            }
            let new = self.writes.at(theirs, leaf);
            live |= new - by_all - unsure;
            *may.entry(leaf).or_default() |= new & (unsure | by_unsure);
            *may.entry(leaf).or_default() |= (new & by_all) - by_told;
            must.put(leaf, live);
        }
        (
            must,
            may,
            effective,
            (theirs | untold | work.weak).is_empty(),
        )
    }

    /// What git put into the file from elsewhere is written anew by who looks at it: it is an edit made here.
    pub(crate) fn renew(&mut self, at: usize, head: CommitId, is_commit: bool) {
        let head = self.graph.meant(head).clone();
        let &Mind {
            author,
            heard,
            withdrawn,
            shown,
            ..
        } = &self.minds[at];
        let mut meant = self.trees[at].work.meant.clone();
        let taken_back = (meant.done & withdrawn & shown) - head.done;
        if !is_commit && !taken_back.is_empty() {
            // As if it had never been made.
            let rest = meant.done - head.done - taken_back;
            let by_rest = self.writes.replaced_by(rest);
            let touched: BTreeSet<RecordId> = taken_back
                .iter()
                .map(|id| self.writes.0[id].leaf.0)
                .collect();
            for leaf in leaves(touched) {
                let live = (head.at(leaf) | self.writes.at(rest, leaf)) - by_rest;
                meant.put(leaf, live);
            }
            meant.done = meant.done - taken_back;
        }
        let records = &meant.records() | &head.records();
        for record in records {
            for leaf in leaves([record]) {
                let live = meant.at(leaf);
                let mut renewed = Bits::default();
                for id in live.iter() {
                    let is_old = head.done.has(id) && !head.at(leaf).has(id);
                    let is_foreign =
                        !head.done.has(id) && self.writes.0[id].author != author && !heard.has(id);
                    if head.at(leaf).has(id) || is_commit && !is_old {
                        renewed.insert(id);
                    } else if withdrawn.has(id) && shown.has(id) {
                        // Taken back by its author while it stood here.
                    } else if is_old || is_foreign || withdrawn.has(id) {
                        let copy = self.writes.copy(id, head.at(leaf), author);
                        renewed.insert(copy);
                        meant.done.insert(copy);
                    } else {
                        renewed.insert(id);
                    }
                }
                meant.put(leaf, renewed);
            }
            if head.has(record) && !meant.has(record) {
                let removals = meant.done - head.done - withdrawn;
                let is_it = |id: &usize| {
                    self.writes.0[*id].leaf == (record, BORN) && self.writes.0[*id].value.is_none()
                };
                match removals.iter().find(is_it) {
                    // Told from HEAD, it saw what HEAD has.
                    Some(removal) => {
                        let more = self.writes.closure(head.all_at(record));
                        self.writes.0[removal].replaces |= more;
                    }
                    None => {
                        let removal =
                            self.writes
                                .mint((record, BORN), None, head.all_at(record), author);
                        meant.done.insert(removal);
                    }
                }
            }
        }
        meant.done |= head.done;
        if !is_commit {
            meant.done = meant.done - (withdrawn - head.done);
        }
        self.trees[at].work.meant = meant;
    }
}
