//! Several work trees, their stores and the network between them; and beside each what was meant.

use std::collections::BTreeSet;

use crate::bits::Bits;
use crate::document::{BORN, File, Leaf, Record, RecordId, Value};
use crate::git::Tree;
use crate::graph::{Graph, Text};
use crate::look::Look;
use crate::meaning::Writes;
use crate::rules::Rules;
use crate::store::Store;

/// What is wrong.
pub(crate) type Broken = String;

/// What the people at one work tree know and did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mind {
    /// The tree and its incarnation.
    pub(crate) author: u16,
    /// Writes that are recorded here, or that peers told.
    pub(crate) heard: Bits,
    /// Of these, those that their author's git took back.
    pub(crate) withdrawn: Bits,
    /// Not shown, because git or `park` put HEAD's bytes back, until HEAD moves.
    pub(crate) hidden: Bits,
    /// Not of this HEAD, but asked for all the same.
    pub(crate) carried: Bits,
    /// Shown at the last look and not committed.
    pub(crate) shown: Bits,
    pub(crate) reflog: usize,
    /// The file after the last look.
    pub(crate) file: File,
    /// The text before the last look, as an editor may still hold it.
    pub(crate) buffer: Option<Text>,
}

/// Everything.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) rules: Rules,
    pub(crate) graph: Graph,
    pub(crate) writes: Writes,
    pub(crate) trees: Vec<Tree>,
    pub(crate) stores: Vec<Store>,
    pub(crate) minds: Vec<Mind>,
    /// Trees whose people do not have the tool.
    pub(crate) without_tool: Vec<bool>,
    pub(crate) now: u32,
    pub(crate) incarnations: u16,
    pub(crate) values: Value,
    /// What may count as dropped or as taken back.
    pub(crate) ambiguous: Bits,
}

/// Seconds by which the clocks of the trees are off.
const SKEW: [u32; 3] = [3600, 7200, 0];

impl World {
    pub(crate) fn new(rules: Rules, trees: usize) -> Self {
        let mut writes = Writes::default();
        let mut text = Text::default();
        for record in 0..2 {
            let values = std::array::from_fn(|field| Value::from(record) * 10 + field as Value + 1);
            writes.add(&mut text.meant, record, values, u16::MAX);
            text.file.insert(
                record,
                Record {
                    birth: None,
                    cells: values.map(crate::document::Cell::bare),
                },
            );
        }
        let graph = Graph::new(rules, text);
        let tree = Tree::new(&graph);
        let author = |at: usize| at as u16;
        Self {
            rules,
            graph,
            writes,
            trees: vec![tree; trees],
            stores: (0..trees).map(|at| Store::new(author(at))).collect(),
            minds: (0..trees)
                .map(|at| Mind {
                    author: author(at),
                    ..Mind::default()
                })
                .collect(),
            without_tool: vec![false; trees],
            now: 0,
            incarnations: trees as u16,
            values: 100,
            ambiguous: Bits::default(),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.writes.is_full() || self.graph.is_full()
    }

    pub(crate) fn value(&mut self) -> Value {
        self.values += 1;
        self.values
    }

    pub(crate) fn touch(&mut self, at: usize) {
        self.trees[at].mtime = self.now;
    }

    pub(crate) fn add(&mut self, at: usize, record: RecordId) {
        let values = [self.value(), self.value()];
        let known = self.past(at) | self.minds[at].heard | self.trees[at].work.meant.done;
        let (tree, author) = (&mut self.trees[at], self.minds[at].author);
        // A record that comes again under its old name is the old one, changed.
        let is_new = known.iter().all(|id| self.writes.0[id].leaf.0 != record);
        if is_new && !tree.work.file.contains_key(&record) {
            let cells = values.map(crate::document::Cell::bare);
            tree.work.file.insert(record, Record { birth: None, cells });
            self.writes
                .add(&mut tree.work.meant, record, values, author);
        }
    }

    pub(crate) fn remove(&mut self, at: usize, record: RecordId) {
        let (tree, author) = (&mut self.trees[at], self.minds[at].author);
        if tree.work.file.remove(&record).is_some() {
            self.writes.remove(&mut tree.work.meant, record, author);
        }
    }

    pub(crate) fn set(&mut self, at: usize, leaf: Leaf, value: Value) {
        let author = self.minds[at].author;
        self.trees[at].set(&mut self.writes, leaf, value, author);
    }

    /// An editor that read the file before the last look saves it, with one leaf changed.
    pub(crate) fn save_buffer(&mut self, at: usize, leaf: Leaf) {
        let Some(buffer) = self.minds[at].buffer.take() else {
            return;
        };
        let value = self.value();
        let author = self.minds[at].author;
        let tree = &mut self.trees[at];
        let mut file = buffer.file;
        let Some(record) = file.get_mut(&leaf.0) else {
            return;
        };
        record.cells[leaf.1].value = value;
        let id = self
            .writes
            .mint(leaf, Some(value), buffer.meant.at(leaf), author);
        let meant = &mut tree.work.meant;
        let others = meant.at(leaf) - self.writes.0[id].replaces;
        meant.put(leaf, others | Bits::of(id));
        meant.done.insert(id);
        tree.work.file = file;
        // Between two steps lies a minute.
        tree.mtime = self.now + 5;
    }

    /// The store is deleted, or the tree turns out to be a copy: a new incarnation.
    pub(crate) fn lose_store(&mut self, at: usize, keep_known: bool) {
        let replica = self.incarnations;
        self.incarnations += 1;
        let mind = &mut self.minds[at];
        if keep_known {
            self.stores[at].replica = replica;
        } else {
            self.stores[at] = Store::new(replica);
            (mind.heard, mind.withdrawn, mind.hidden) = Default::default();
            (mind.carried, mind.shown, mind.buffer) = Default::default();
        }
        mind.author = replica;
        if !keep_known {
            mind.reflog = self.trees[at].reflog.len();
        }
    }

    /// `cp -r` of one work tree over another.
    pub(crate) fn copy(&mut self, from: usize, to: usize) {
        if from != to {
            // What nobody recorded before is recorded twice.
            let head = self.graph.meant(self.trees[from].head()).done;
            self.ambiguous |= self.trees[from].work.meant.done - head - self.minds[from].heard;
            self.trees[to] = self.trees[from].clone();
            self.stores[to] = self.stores[from].clone();
            self.minds[to] = self.minds[from].clone();
            self.lose_store(to, true);
        }
    }

    /// Two replicas meet.
    pub(crate) fn exchange(&mut self, a: usize, b: usize) {
        let (a, b) = (a.min(b), a.max(b));
        if a == b || self.without_tool[a] || self.without_tool[b] {
            return;
        }
        let (low, high) = self.stores.split_at_mut(b);
        Store::exchange(&mut low[a], &mut high[0]);
        let heard = self.minds[a].heard | self.minds[b].heard;
        let withdrawn = self.minds[a].withdrawn | self.minds[b].withdrawn;
        for at in [a, b] {
            let mind = &mut self.minds[at];
            // What a peer's edit builds on is shown.
            let is_update =
                |id: &usize| !self.writes.0[*id].is_initial && self.writes.0[*id].leaf.1 != BORN;
            let updates = (heard - mind.heard).iter().filter(is_update);
            let records: BTreeSet<RecordId> = updates.map(|id| self.writes.0[id].leaf.0).collect();
            let births = (0..self.writes.0.len()).filter(|id| {
                let write = &self.writes.0[*id];
                records.contains(&write.leaf.0)
                    && (write.is_initial || write.leaf.1 == BORN && write.value.is_some())
            });
            let news = self.writes.replaced_by(heard - mind.heard) | births.collect();
            mind.hidden = mind.hidden - news;
            (mind.heard, mind.withdrawn) = (heard, withdrawn);
        }
    }

    /// A look at the file; with `crash` the store has it and the file is not written.
    ///
    /// # Errors
    /// When the file is not what was meant.
    pub(crate) fn sync(&mut self, at: usize, crash: bool) -> Result<(), Broken> {
        if self.without_tool[at] {
            return Ok(());
        }
        let expected = self.expect(at);
        let before = self.trees[at].work.clone();
        let file = self.look(at, crash);
        if crash {
            let own = self.writes.by(self.minds[at].author);
            self.minds[at].shown |=
                (before.meant.done & own) - self.graph.meant(self.trees[at].head()).done;
            return Ok(());
        }
        let (mut must, may, effective, is_quiet) = expected;
        let checked = self.writes.check(&file, &mut must, &may);
        if let Err(broken) = checked {
            return Err(format!("{broken}\n  file {file:?}"));
        }
        let head = self.trees[at].head();
        if is_quiet && before.file == *self.graph.file(head) && file != before.file {
            return Err(format!("law 5: a clean file was written: {file:?}"));
        }
        if file != before.file {
            self.trees[at].mtime = self.now;
        }
        must.done = effective;
        must.doubt = before.meant.doubt;
        let mind = &mut self.minds[at];
        mind.buffer = Some(before);
        mind.file = file.clone();
        mind.shown = effective - self.graph.meant(head).done;
        mind.carried = mind.carried - self.graph.meant(head).done;
        self.trees[at].work = Text { file, meant: must };
        let again = self.clone().look(at, false);
        if again != self.trees[at].work.file {
            return Err(format!(
                "law 5: a second look changes the file to {again:?}"
            ));
        }
        Ok(())
    }

    fn look(&mut self, at: usize, crash: bool) -> File {
        Look {
            rules: &self.rules,
            graph: &self.graph,
            store: &mut self.stores[at],
            tree: &self.trees[at],
            now: self.now,
            clock: self.now + SKEW[at],
            is_continuous: true,
            raced: false,
            is_put_back: false,
            is_git_written: false,
            touched: BTreeSet::new(),
        }
        .sync(crash)
    }

    /// `park`: a clean file, whatever peers or we ourselves have in it.
    ///
    /// # Errors
    /// When the file is not what was meant.
    pub(crate) fn park(&mut self, at: usize) -> Result<(), Broken> {
        self.sync(at, false)?;
        let tree = &mut self.trees[at];
        tree.work = self.graph.text(tree.head()).clone();
        tree.index = tree.work.clone();
        self.stores[at].park(&tree.work.file);
        let mind = &mut self.minds[at];
        mind.hidden |= mind.shown;
        mind.carried |= mind.shown;
        mind.shown = Bits::default();
        self.touch(at);
        Ok(())
    }

    /// `unpark`, and with `all` also what is elsewhere.
    pub(crate) fn unpark(&mut self, at: usize, all: bool) {
        self.minds[at].hidden = Bits::default();
        self.stores[at].unpark(all);
        if all {
            let heard = self.minds[at].heard;
            self.minds[at].carried |= heard;
        }
    }

    /// Whether everybody who stands on the commit of another one, and hides nothing, sees the same.
    ///
    /// # Errors
    /// When two files differ.
    pub(crate) fn converge(&mut self) -> Result<(), Broken> {
        let with_tool: Vec<usize> = (0..self.trees.len())
            .filter(|at| !self.without_tool[*at])
            .collect();
        for round in 0..3 {
            for &at in &with_tool {
                self.sync(at, false)
                    .map_err(|broken| format!("at the end, round {round}, tree {at}: {broken}"))?;
            }
            for pair in with_tool.windows(2).chain(with_tool.windows(2).rev()) {
                self.exchange(pair[0], pair[1]);
            }
        }
        for &at in &with_tool {
            self.sync(at, false)
                .map_err(|broken| format!("at the end, tree {at}: {broken}"))?;
        }
        for &a in &with_tool {
            for &b in with_tool.iter().filter(|b| **b > a) {
                let same = self.trees[a].head() == self.trees[b].head();
                let open = [a, b].iter().any(|at| self.stores[*at].keeps_back());
                let (one, other) = (&self.trees[a].work.file, &self.trees[b].work.file);
                if same && !open && one != other {
                    return Err(format!(
                        "law 1: trees {a} and {b} differ\n  {one:?}\n  {other:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}
