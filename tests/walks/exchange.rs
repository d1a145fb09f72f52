//! Edits go from one work tree to another, through their stores: what the network will carry.

use std::collections::BTreeSet;

use rhema_crdt::crdt::Act;
use rhema_crdt::overlay::{Deed, DocumentPath};
use rhema_crdt::store::{Durability, Issuer, Store, StoredEdit, Way, Which};

use crate::broken::{Broken, must};
use crate::ground::Ground;
use crate::text::{FILE, Said, words};

/// What others said that is known here.
#[derive(Default)]
pub(crate) struct Foreign {
    values: BTreeSet<String>,
    /// The records that others changed.
    records: BTreeSet<String>,
    /// What others took away of how it is written.
    taken: String,
}

impl Foreign {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn add(&mut self, edit: &StoredEdit) {
        let Deed::Change(changes) = &edit.known.deed else {
            return;
        };
        for change in changes {
            self.values.extend(words(&format!("{change:?}")));
            if let Act::Form(form) = &change.act {
                let lines = form.before.lines();
                let gone = lines.filter(|line| !form.after.lines().any(|after| after == *line));
                gone.for_each(|line| self.taken += &format!("{line}\n"));
            }
            let at = change.at.to_string();
            self.records.extend(at.split('/').nth(1).map(str::to_owned));
        }
    }
}

impl Ground {
    fn store(&self, at: usize) -> Option<Store> {
        let git_dir = self.tree(at).path(".git");
        let is_there = Store::path_in(&git_dir).exists();
        is_there.then(|| Store::open(&git_dir).unwrap().store)
    }

    /// What others said that is known here.
    pub(crate) fn foreign(&self, at: usize) -> Foreign {
        let mut foreign = Foreign::default();
        if let Some(mut store) = self.store(at) {
            let document = DocumentPath::new(FILE);
            let edits = store.read().unwrap().edits(&document, Which::All).unwrap();
            let others = edits.iter().filter(|edit| edit.issuer == Issuer::Other);
            others.for_each(|edit| foreign.add(edit));
        }
        foreign
    }

    /// Two work trees tell each other what they know, and show it.
    pub(crate) fn exchange(&mut self, at: usize, other: usize) -> Result<(), Broken> {
        if at == other || self.under_way(at).is_some() || self.under_way(other).is_some() {
            return Ok(());
        }
        self.sync(at)?;
        self.sync(other)?;
        self.tell(at, other);
        self.tell(other, at);
        self.sync(at)?;
        self.sync(other)?;
        let same_commit = self.commit_named(at, "HEAD") == self.commit_named(other, "HEAD");
        if !same_commit || self.hides(at)? || self.hides(other)? {
            return Ok(());
        }
        let (one, two) = (self.file(at), self.file(other));
        let (here, there) = (self.said(at), self.said(other));
        must(
            here == there,
            "who knows the same shows something else",
            || format!("{one:?}\n{two:?}"),
        )?;
        must(
            one == two || self.has_lost,
            "who shows the same has other bytes",
            || format!("{}\n{}", one.unwrap_or_default(), two.unwrap_or_default()),
        )
    }

    /// Whether something known is not shown.
    fn hides(&mut self, at: usize) -> Result<bool, Broken> {
        let report = self.rhema(at, &["status", "--json"])?.json();
        let hidden = report["documents"][0]["parked"].as_array();
        Ok(hidden.is_none_or(|hidden| !hidden.is_empty()))
    }

    fn tell(&mut self, from: usize, to: usize) {
        let (Some(mut teller), Some(mut hearer)) = (self.store(from), self.store(to)) else {
            return;
        };
        let (name, other) = (self.desks[from].name.clone(), self.desks[to].name.clone());
        self.note(&format!("# {other} hears all that {name} knows"));
        let known = hearer.read().unwrap().knowledge().unwrap();
        let edits = teller.read().unwrap().beyond(&known).unwrap();
        let writing = hearer.write(Durability::Process).unwrap();
        for edit in &edits {
            writing
                .add(&edit.known, Issuer::Other, Way::Received)
                .unwrap();
            self.told.extend(words(&format!("{:?}", edit.known.deed)));
        }
        writing.commit().unwrap();
    }

    /// What a look may change where others' edits are known: what they touched, and nothing of one's own is lost.
    pub(crate) fn judge_shown(
        &self,
        foreign: &Foreign,
        head: &Said,
        before: &Said,
        after: &Said,
    ) -> Result<(), Broken> {
        for (leaf, value) in before.to(after) {
            let told = || format!("{leaf:?}: {value:?}\n{before:?}\n{after:?}");
            // Of two records of one name the later has a second name.
            let born = leaf.0.split('-').next().unwrap_or_default();
            let is_theirs = foreign.records.contains(born);
            must(is_theirs, "sync changes what nobody else touched", told)?;
            if let Some(value) = &value {
                let is_known = foreign.values.contains(value)
                    || head.has(value)
                    || before.has(value)
                    || self.committed.contains(value);
                must(is_known, "sync brings a value back", told)?;
            }
            if let Some(value) = before.leaves.get(&leaf) {
                // A record that an update brought back goes with that.
                let is_body = head.record(&leaf.0).is_empty() && self.committed.contains(value);
                let is_there = after.has(value)
                    || head.has(value)
                    || self.told.contains(value)
                    || (is_body && after.record(&leaf.0).is_empty());
                must(is_there, "sync loses a value to others", told)?;
            }
        }
        // What stood above a record that somebody deleted went with it.
        let is_gone = |id: &str| after.record(id).is_empty();
        let deletes = foreign.records.iter().any(|id| is_gone(id));
        let is_there = |comment: &String| {
            after.comments.contains(comment) || foreign.taken.contains(comment.as_str())
        };
        let is_whole = deletes || before.comments.iter().all(is_there);
        must(is_whole, "sync loses a comment to others", || {
            format!("{before:?}\n{after:?}")
        })
    }
}
