//! Work trees, and what git does in them.

use crate::document::{FIELDS, File, Leaf, RecordId, Value, merge_lines};
use crate::graph::{CommitId, Graph, Text};
use crate::meaning::{May, Meant, Writes, leaves};

/// How HEAD came to be where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    Commit,
    /// A commit that replaced this one.
    Amend(CommitId),
    Other,
}

/// One clone with its work tree.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) branches: [CommitId; 2],
    /// The branch that is checked out.
    pub(crate) on: usize,
    /// A commit that is checked out instead.
    pub(crate) detached: Option<CommitId>,
    pub(crate) index: Text,
    pub(crate) work: Text,
    /// When the file was last written, in seconds.
    pub(crate) mtime: u32,
    /// When git last wrote the file, as its index says.
    pub(crate) git_wrote: u32,
    pub(crate) now: u32,
    pub(crate) reflog: Vec<(CommitId, Move)>,
    pub(crate) stash: Vec<(CommitId, Text)>,
}

/// What a merge that stops gives.
pub(crate) type Stopped = String;

impl Tree {
    pub(crate) fn new(graph: &Graph) -> Self {
        let text = graph.text(0).clone();
        Self {
            branches: [0, 0],
            on: 0,
            detached: None,
            index: text.clone(),
            work: text,
            mtime: 0,
            git_wrote: 0,
            now: 0,
            reflog: vec![(0, Move::Other)],
            stash: Vec::new(),
        }
    }

    pub(crate) fn head(&self) -> CommitId {
        self.detached.unwrap_or(self.branches[self.on])
    }

    pub(crate) fn is_clean(&self, graph: &Graph) -> bool {
        let head = graph.file(self.head());
        self.work.file == *head && self.index.file == *head
    }

    fn move_head(&mut self, to: CommitId, how: Move) {
        match &mut self.detached {
            Some(detached) => *detached = to,
            None => self.branches[self.on] = to,
        }
        self.reflog.push((to, how));
    }

    /// Both index and file become this commit's.
    fn write_out(&mut self, graph: &Graph) {
        self.index = graph.text(self.head()).clone();
        self.put(self.index.clone());
    }

    /// Git writes the file, and notes in the index when.
    fn put(&mut self, text: Text) {
        if self.work.file != text.file {
            self.git_wrote = self.now;
        }
        self.work = text;
    }

    pub(crate) fn commit(&mut self, graph: &mut Graph) {
        if self.work.file != *graph.file(self.head()) {
            self.index = self.work.clone();
            let commit = graph.commit(vec![self.head()], self.work.clone());
            self.move_head(commit, Move::Commit);
        }
    }

    /// Commits some leaves of the difference; with `lines`, what is said about a record goes along as a whole.
    pub(crate) fn commit_part(
        &mut self,
        graph: &mut Graph,
        writes: &Writes,
        pick: u8,
        lines: bool,
    ) {
        let head = graph.text(self.head()).clone();
        let picked = |(record, field): Leaf| {
            (usize::from(record) + field + usize::from(pick)).is_multiple_of(2)
        };
        let mut part = head.clone();
        let mut leaves_taken = Vec::new();
        let ids: std::collections::BTreeSet<RecordId> = head
            .file
            .keys()
            .chain(self.work.file.keys())
            .copied()
            .collect();
        for id in ids {
            match (head.file.get(&id), self.work.file.get(&id)) {
                (Some(_), Some(work)) => {
                    let Some(record) = part.file.get_mut(&id) else {
                        continue;
                    };
                    for field in (0..FIELDS).filter(|field| picked((id, *field))) {
                        record.cells[field] = work.cells[field].clone();
                        leaves_taken.push((id, field));
                    }
                    if lines && *record != head.file[&id] {
                        for (cell, work) in record.cells.iter_mut().zip(&work.cells) {
                            cell.note = work.note;
                        }
                    }
                }
                (_, work) if picked((id, 0)) => {
                    part.file.remove(&id);
                    part.file.extend(work.map(|work| (id, work.clone())));
                    leaves_taken.extend(leaves([id]));
                }
                _ => {}
            }
        }
        if part.file == head.file {
            return;
        }
        for leaf in leaves_taken {
            part.meant.put(leaf, self.work.meant.at(leaf));
            for id in (self.work.meant.done - head.meant.done).iter() {
                let write = &writes.0[id];
                if write.leaf == leaf {
                    part.meant.done.insert(id);
                }
            }
        }
        self.index = part.clone();
        let commit = graph.commit(vec![self.head()], part);
        self.move_head(commit, Move::Commit);
    }

    pub(crate) fn amend(&mut self, graph: &mut Graph) {
        let head = self.head();
        let parents = graph.parents(head).to_vec();
        if parents.len() == 1 && self.work.file != *graph.file(head) {
            self.index = self.work.clone();
            let commit = graph.commit(parents, self.work.clone());
            self.move_head(commit, Move::Amend(head));
        }
    }

    /// What a text becomes when HEAD moves under modifications that are carried along.
    fn carried(&self, graph: &Graph, text: &Text, to: CommitId) -> Text {
        let (from, to) = (graph.meant(self.head()), graph.meant(to));
        let mut meant = Meant {
            done: to.done | (text.meant.done - from.done),
            doubt: to.doubt | text.meant.doubt,
            weak: to.weak | text.meant.weak,
            ..Meant::default()
        };
        let records = &(&from.records() | &to.records()) | &text.meant.records();
        for leaf in leaves(records) {
            let is_old = text.meant.at(leaf) == from.at(leaf);
            meant.put(
                leaf,
                if is_old {
                    to.at(leaf)
                } else {
                    text.meant.at(leaf)
                },
            );
        }
        Text {
            file: text.file.clone(),
            meant,
        }
    }

    /// Checks a branch out, or a commit; modifications are carried along where git does so.
    pub(crate) fn switch(
        &mut self,
        graph: &Graph,
        branch: Option<usize>,
        to: CommitId,
        force: bool,
    ) {
        let head = graph.file(self.head());
        if force || self.is_clean(graph) {
            self.go(branch, to);
            self.write_out(graph);
        } else if *head == *graph.file(to) {
            let index = self.carried(graph, &self.index, to);
            let work = self.carried(graph, &self.work, to);
            self.go(branch, to);
            (self.index, self.work) = (index, work);
        }
    }

    fn go(&mut self, branch: Option<usize>, to: CommitId) {
        match branch {
            Some(branch) => {
                self.on = branch;
                self.detached = None;
            }
            None => self.detached = Some(to),
        }
        self.reflog.push((to, Move::Other));
    }

    pub(crate) fn reset(&mut self, graph: &Graph, to: CommitId, how: u8) {
        self.move_head(to, Move::Other);
        match how {
            0 => {}
            1 => self.index = graph.text(to).clone(),
            _ => self.write_out(graph),
        }
    }

    /// `git restore`, from the index (nothing) or a commit.
    pub(crate) fn restore(&mut self, graph: &Graph, from: Option<CommitId>) {
        let text = match from {
            None => self.index.clone(),
            Some(commit) => graph.text(commit).clone(),
        };
        // `git restore --source` leaves the index as it is.
        if from.is_none_or(|from| from == self.head()) {
            self.put(text);
        } else {
            self.work = text;
        }
    }

    pub(crate) fn stash(&mut self, graph: &Graph) {
        if !self.is_clean(graph) {
            self.stash.push((self.head(), self.work.clone()));
            self.write_out(graph);
        }
    }

    pub(crate) fn pop(
        &mut self,
        graph: &Graph,
        writes: &mut Writes,
        author: u16,
    ) -> Result<(), Stopped> {
        if !self.is_clean(graph) {
            return Ok(());
        }
        let Some((base, theirs)) = self.stash.pop() else {
            return Ok(());
        };
        let base = graph.text(base).clone();
        self.work = if self.work.file == base.file {
            self.carried_from(&base, &theirs)
        } else {
            let file = graph.driven(&base.file, [&self.work.file, &theirs.file], None);
            let meant = writes.replay(&base.meant, &self.work.meant, &theirs.meant, author);
            checked(writes, file, meant, &May::new())?
        };
        Ok(())
    }

    /// What was put away on a commit of the same text.
    fn carried_from(&self, base: &Text, stashed: &Text) -> Text {
        let mut meant = self.work.meant.clone();
        meant.done |= stashed.meant.done - base.meant.done;
        meant.doubt |= stashed.meant.doubt;
        let records = &(&base.meant.records() | &stashed.meant.records()) | &meant.records();
        for leaf in leaves(records) {
            if stashed.meant.at(leaf) != base.meant.at(leaf) {
                meant.put(leaf, stashed.meant.at(leaf));
            }
        }
        Text {
            file: stashed.file.clone(),
            meant,
        }
    }

    /// `git merge`, with or without the driver; `squash` leaves the result uncommitted, as if it had been typed.
    pub(crate) fn merge(
        &mut self,
        graph: &mut Graph,
        writes: &mut Writes,
        theirs: CommitId,
        driver: bool,
        squash: bool,
    ) -> Result<(), Stopped> {
        let ours = self.head();
        if !self.is_clean(graph) || graph.is_ancestor(theirs, ours) {
            return Ok(());
        }
        let (a, b) = (graph.text(ours).clone(), graph.text(theirs).clone());
        if graph.is_ancestor(ours, theirs) && !squash {
            self.move_head(theirs, Move::Other);
            self.write_out(graph);
            return Ok(());
        }
        let (base, past) = graph.merge_base(ours, theirs);
        let file = if driver {
            let pasts = [past, graph.ancestry(ours), graph.ancestry(theirs)];
            graph.driven(&base, [&a.file, &b.file], Some(pasts))
        } else {
            let Some(file) = merge_lines(&base, &a.file, &b.file) else {
                return Ok(());
            };
            file
        };
        let (mut meant, may) = writes.merge(&a.meant, &b.meant);
        if !driver {
            forgive(writes, &file, &mut meant, &a.meant, &b.meant);
        }
        let text = checked(writes, file, meant, &may)?;
        if squash {
            self.index = text.clone();
            self.put(text);
        } else {
            let commit = graph.commit(vec![ours, theirs], text);
            self.move_head(commit, Move::Other);
            self.write_out(graph);
        }
        Ok(())
    }

    /// `git cherry-pick` or `git revert`: the change from one commit to another, made here.
    pub(crate) fn replay(
        &mut self,
        graph: &mut Graph,
        writes: &mut Writes,
        [from, to]: [CommitId; 2],
        author: u16,
    ) -> Result<(), Stopped> {
        if !self.is_clean(graph) {
            return Ok(());
        }
        let (base, theirs) = (graph.text(from).clone(), graph.text(to).clone());
        let file = graph.driven(&base.file, [&self.work.file, &theirs.file], None);
        if file == self.work.file {
            return Ok(());
        }
        let meant = writes.replay(&base.meant, &self.work.meant, &theirs.meant, author);
        let text = checked(writes, file, meant, &May::new())?;
        let commit = graph.commit(vec![self.head()], text);
        self.move_head(commit, Move::Other);
        self.write_out(graph);
        Ok(())
    }

    /// `git rebase`: the commits of this branch that `onto` does not have, but for the dropped one, on top of `onto`.
    pub(crate) fn rebase(
        &mut self,
        graph: &mut Graph,
        writes: &mut Writes,
        onto: CommitId,
        dropped: Option<CommitId>,
        author: u16,
    ) -> Result<(), Stopped> {
        if !self.is_clean(graph) {
            return Ok(());
        }
        let commits = graph.ancestry(self.head()) - graph.ancestry(onto);
        let picked = commits
            .iter()
            .filter(|commit| graph.parents(*commit).len() == 1);
        let picked: Vec<CommitId> = picked.filter(|commit| Some(*commit) != dropped).collect();
        self.move_head(onto, Move::Other);
        self.write_out(graph);
        for commit in picked {
            let parent = graph.parents(commit)[0];
            self.replay(graph, writes, [parent, commit], author)?;
        }
        Ok(())
    }

    /// Somebody edits the file by hand.
    pub(crate) fn set(&mut self, writes: &mut Writes, leaf: Leaf, value: Value, author: u16) {
        if let Some(record) = self.work.file.get_mut(&leaf.0)
            && record.cells[leaf.1].value != value
        {
            let old = record.cells[leaf.1].clone();
            record.cells[leaf.1].value = value;
            writes.set(&mut self.work.meant, leaf, value, Some(&old), author);
        }
    }
}

/// A text, if it shows what it must.
fn checked(writes: &Writes, file: File, mut meant: Meant, may: &May) -> Result<Text, Stopped> {
    writes.check(&file, &mut meant, may)?;
    Ok(Text { file, meant })
}

/// Lines merged without the driver may show what one side had replaced, and lose nothing: what stands there counts.
fn forgive(writes: &Writes, file: &File, meant: &mut Meant, ours: &Meant, theirs: &Meant) {
    for leaf in leaves(&ours.records() | &theirs.records()) {
        let live = (ours.at(leaf) | theirs.at(leaf)).iter().filter(|id| {
            let Some(record) = file.get(&leaf.0) else {
                return false;
            };
            let value = writes.0[*id].value;
            leaf.1 >= FIELDS || value.is_some_and(|value| record.cells[leaf.1].has(value))
        });
        meant.put(leaf, live.collect());
    }
}
