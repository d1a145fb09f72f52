//! Steps that bring versions together, what becomes of those at which git stops, and the end of a walk.

use git2::Oid;

use crate::broken::{Broken, must};
use crate::ground::Ground;
use crate::oracle::Merge;
use crate::steps::{Deed, Step};
use crate::text::Said;

impl Ground {
    pub(crate) fn pop(&mut self, at: usize, b: usize) -> Result<(), Broken> {
        let merge = match (self.is_clean(at), self.commit_named(at, "stash@{0}")) {
            (true, Some(stash)) => {
                let base = self.commit_named(at, "stash@{0}^1").unwrap();
                let head = self.commit_named(at, "HEAD").unwrap();
                self.replayed(at, base, head, stash)
            }
            _ => None,
        };
        let done = self.git(at, &["stash", "pop", "-q"])?;
        if let (0, Some(merge)) = (done.status, merge) {
            self.judge_merged(at, &merge)?;
        }
        self.settle(at, b.is_multiple_of(2))
    }

    /// The difference of two commits made again on a third.
    pub(crate) fn replayed(&self, at: usize, base: Oid, ours: Oid, theirs: Oid) -> Option<Merge> {
        Some(Merge {
            base: self.said_in(at, base)?,
            ours: self.said_in(at, ours)?,
            theirs: self.said_in(at, theirs)?,
            seen_by_ours: Default::default(),
            seen_by_theirs: Default::default(),
        })
    }

    pub(crate) fn merge(&mut self, at: usize, step: Step) -> Result<(), Broken> {
        let Step { deed, a, b, .. } = step;
        self.commit_if(at, a)?;
        let theirs = ["main", "side", "origin/main", "origin/side"][b % 4];
        let merge = match (self.commit_named(at, "HEAD"), self.commit_named(at, theirs)) {
            (Some(head), Some(other)) if self.is_clean(at) => self.merge_of(at, head, other),
            _ => None,
        };
        let done = match deed {
            Deed::Squash => self.git(at, &["merge", "-q", "--squash", theirs])?,
            Deed::MergeLines => {
                let driver = "merge.rhema-crdt.driver=git merge-file -q --marker-size=%L %A %O %B";
                self.git(at, &["-c", driver, "merge", "-q", theirs])?
            }
            _ => self.git(at, &["merge", "-q", theirs])?,
        };
        if deed == Deed::MergeLines {
            // A merge of lines may break the file; whoever sees that takes it back.
            self.lose_amounts();
            self.settle(at, b.is_multiple_of(3))?;
            if self.said(at).is_none() {
                self.git(at, &["reset", "-q", "--hard", "ORIG_HEAD"])?;
            }
        } else if let (0, Some(merge)) = (done.status, merge) {
            self.judge_merged(at, &merge)?;
        }
        self.settle(at, a.is_multiple_of(3))
    }

    pub(crate) fn judge_merged(&self, at: usize, merge: &Merge) -> Result<(), Broken> {
        let text = self.file(at).unwrap_or_default();
        let merged = Said::read(&text).map_err(|error| Broken {
            rule: "a merge breaks the file",
            told: format!("{error}\n{text}"),
        })?;
        merge.judge(&merged, &self.told)?;
        self.judge_sum(merge, &text)
    }

    pub(crate) fn pull(&mut self, at: usize, resolves: bool) -> Result<(), Broken> {
        let Some(branch) = self.branch(at) else {
            return Ok(());
        };
        self.git(at, &["fetch", "-q"])?;
        let theirs = self.commit_named(at, &format!("origin/{branch}"));
        let merge = match (self.commit_named(at, "HEAD"), theirs) {
            (Some(head), Some(other)) if self.is_clean(at) => self.merge_of(at, head, other),
            _ => None,
        };
        let done = self.git(
            at,
            &["pull", "-q", "--no-rebase", "--no-edit", "origin", &branch],
        )?;
        if let (0, Some(merge)) = (done.status, merge) {
            self.judge_merged(at, &merge)?;
        }
        self.settle(at, resolves)
    }

    pub(crate) fn pick(&mut self, at: usize, a: usize, b: usize) -> Result<(), Broken> {
        self.commit_if(at, a)?;
        let picked = [
            "side",
            "main",
            "origin/side",
            "origin/main",
            "side~1",
            "main~1",
        ][b % 6];
        let commit = self.commit_named(at, picked);
        let parent = self.commit_named(at, &format!("{picked}^1"));
        let is_merge = self.commit_named(at, &format!("{picked}^2")).is_some();
        let (Some(commit), Some(parent), Some(head), false) =
            (commit, parent, self.commit_named(at, "HEAD"), is_merge)
        else {
            return Ok(());
        };
        let merge = self.replayed(at, parent, head, commit);
        let is_clean = self.is_clean(at);
        let done = self.git(
            at,
            &[
                "cherry-pick",
                "--allow-empty",
                "--keep-redundant-commits",
                picked,
            ],
        )?;
        if let (0, true, Some(merge)) = (done.status, is_clean, merge) {
            self.judge_merged(at, &merge)?;
        }
        self.settle(at, a.is_multiple_of(3))
    }

    pub(crate) fn revert(&mut self, at: usize, a: usize, b: usize) -> Result<(), Broken> {
        self.commit_if(at, a)?;
        let reverted = ["HEAD", "HEAD~1", "HEAD~2"][b % 3];
        let (Some(commit), Some(parent), Some(head)) = (
            self.commit_named(at, reverted),
            self.commit_named(at, &format!("{reverted}^1")),
            self.commit_named(at, "HEAD"),
        ) else {
            return Ok(());
        };
        let merge = self.replayed(at, commit, head, parent);
        let is_merge = self.commit_named(at, &format!("{reverted}^2")).is_some();
        let is_clean = self.is_clean(at);
        let parent = self.version(at, &format!("{parent}:"));
        let mut arguments = vec!["revert", "--no-edit"];
        if is_merge {
            arguments.extend(["-m", "1"]);
        }
        arguments.push(reverted);
        let done = self.git(at, &arguments)?;
        if let (0, true, Some(merge)) = (done.status, is_clean, merge) {
            self.judge_merged(at, &merge)?;
            if reverted == "HEAD" {
                must(
                    self.file(at) == parent,
                    "a revert does not take back",
                    || self.file(at).unwrap_or_default(),
                )?;
            }
        }
        self.settle(at, a.is_multiple_of(3))
    }

    /// Whatever git stopped at is resolved, or given up.
    pub(crate) fn settle(&mut self, at: usize, resolves: bool) -> Result<(), Broken> {
        for attempt in 0..8 {
            let is_contested = self.repo(at).index().unwrap().has_conflicts();
            let what = self.under_way(at);
            if what.is_none() && !is_contested {
                break;
            }
            if !resolves || attempt > 5 {
                match what {
                    Some(what) => self.git(at, &[what, "--abort"])?,
                    None => self.git(at, &["reset", "-q", "--hard"])?,
                };
                continue;
            }
            if is_contested {
                self.rhema(at, &["resolve", "--all", "--strategy", "latest"])?;
                self.git(at, &["add", "-A"])?;
            }
            match (what, is_contested) {
                (None, _) => {}
                (Some("merge"), _) => {
                    self.git(at, &["commit", "-q", "--no-edit"])?;
                }
                (Some(what), true) => {
                    self.git(at, &[what, "--continue"])?;
                }
                (Some(what), false) => {
                    self.git(at, &[what, "--skip"])?;
                }
            }
        }
        must(
            self.under_way(at).is_none(),
            "git does not come to an end",
            || self.under_way(at).unwrap_or_default().to_owned(),
        )?;
        self.has_committed(at)
    }

    /// Everybody commits what they have, and all merge it until they stand on one commit.
    pub(crate) fn meet(&mut self) -> Result<(), Broken> {
        let desks = 0..self.desks.len();
        for at in desks.clone() {
            self.settle(at, false)?;
            for branch in ["main", "main"] {
                self.sync(at)?;
                if !self.is_clean(at) {
                    self.commit(at)?;
                }
                self.git(at, &["switch", "-q", branch])?;
            }
            self.sync(at)?;
            self.commit_if(at, 0)?;
            self.merge_at_end(at)?;
        }
        for at in desks.clone().chain(desks.clone()) {
            self.pull(at, true)?;
            self.git(at, &["push", "-q", "origin", "HEAD"])?;
        }
        let first = self.commit_named(0, "HEAD");
        for at in desks {
            must(
                self.commit_named(at, "HEAD") == first,
                "they do not meet",
                || self.desks[at].name.clone(),
            )?;
            self.holds(at, self.head_version(at))?;
            self.sync(at)?;
            // Others' edits may have waited for the commits that they were made on.
            if self.foreign(at).is_empty() {
                self.holds(at, self.head_version(at))?;
            }
        }
        Ok(())
    }

    pub(crate) fn merge_at_end(&mut self, at: usize) -> Result<(), Broken> {
        let merging = Step {
            deed: Deed::Merge,
            tree: at,
            a: 0,
            b: 1,
        };
        self.merge(at, merging)?;
        self.sync(at)?;
        self.commit_if(at, 0)
    }
}
