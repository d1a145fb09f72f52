//! What happens in the steps. What git refuses does nothing.

use std::fs;

use rhema_crdt::store::Store;

use crate::broken::{Broken, must};
use crate::ground::{Desk, Ground};
use crate::steps::{Deed, Step};
use crate::text::{self, FIELDS, FILE, Said, Typing, ids, record};

impl Ground {
    pub(crate) fn take(&mut self, step: Step) -> Result<(), Broken> {
        let Step { deed, a, b, .. } = step;
        let at = step.tree % self.desks.len();
        let branch = step.branch();
        match deed {
            Deed::Set
            | Deed::Add
            | Deed::AddCommon
            | Deed::Remove
            | Deed::Comment
            | Deed::Strip => {
                self.type_by_hand(at, step);
                Ok(())
            }
            Deed::SetBy | Deed::AddBy | Deed::RemoveBy => self.edit_by_command(at, step),
            Deed::Count => {
                self.count_by_hand(at);
                Ok(())
            }
            Deed::CountBy => self.count_by_command(at),
            Deed::Sync => self.sync(at),
            Deed::Status => self.status(at),
            Deed::Park => self.park(at),
            Deed::Unpark => self.unpark(at),
            Deed::Carry => self.carry(at, branch),
            Deed::Crash => self.crash(at, ["before-file", "after-file"][a % 2]),
            Deed::LoseStore => {
                self.lose_store(at);
                Ok(())
            }
            Deed::Copy => {
                self.copy(at);
                Ok(())
            }
            Deed::Commit => self.commit(at),
            Deed::CommitPart => {
                self.git(at, &["add", FILE])?;
                self.type_by_hand(at, step);
                self.git(at, &["commit", "-q", "-m", "a part"])?;
                self.has_committed(at)
            }
            Deed::Amend => {
                // What was pushed is left alone, as people do.
                self.git(
                    at,
                    &[
                        "commit",
                        "-q",
                        "--amend",
                        "-a",
                        "--allow-empty",
                        "-m",
                        "amended",
                    ],
                )?;
                self.has_committed(at)
            }
            Deed::Switch
            | Deed::Force
            | Deed::Detach
            | Deed::ResetSoft
            | Deed::ResetMixed
            | Deed::ResetHard
            | Deed::RestoreOld
            | Deed::Stash
            | Deed::Push
            | Deed::Fetch => self.plain(at, &step.arguments()),
            Deed::Restore => {
                self.plain(
                    at,
                    &["restore", "--staged", "--worktree", "--source=HEAD", FILE],
                )?;
                self.holds(at, self.head_version(at))
            }
            Deed::RestoreStaged => match a % 2 {
                0 => self.plain(at, &["restore", "--staged", FILE]),
                _ => {
                    self.plain(at, &["restore", FILE])?;
                    self.holds(at, self.staged(at))
                }
            },
            Deed::Pop => self.pop(at, b),
            Deed::Merge | Deed::Squash | Deed::MergeLines => self.merge(at, step),
            Deed::Pick => self.pick(at, a, b),
            Deed::Revert => self.revert(at, a, b),
            Deed::Rebase => {
                self.commit_if(at, a)?;
                let onto = ["main", "side", "origin/main", "origin/side"][b % 4];
                self.git(at, &["rebase", "-q", onto])?;
                self.settle(at, a.is_multiple_of(3))
            }
            Deed::Drop => {
                self.commit_if(at, a)?;
                let editor = ("GIT_SEQUENCE_EDITOR", "sed -i 1d");
                let onto = ["HEAD~2", "HEAD~3"][b % 2];
                self.git_with(at, &[editor], &["rebase", "-q", "-i", onto])?;
                self.settle(at, a.is_multiple_of(3))
            }
            Deed::Pull => {
                self.commit_if(at, a)?;
                self.pull(at, a.is_multiple_of(3))
            }
            Deed::PullRebase => {
                self.commit_if(at, a)?;
                let Some(branch) = self.branch(at) else {
                    return Ok(());
                };
                self.git(at, &["pull", "-q", "--rebase", "origin", &branch])?;
                self.settle(at, a.is_multiple_of(3))
            }
            Deed::Gc => self.make_small(at),
            Deed::Exchange => self.exchange(at, (at + 1 + a) % self.desks.len()),
        }
    }

    pub(crate) fn plain(&mut self, at: usize, arguments: &[&str]) -> Result<(), Broken> {
        self.git(at, arguments)?;
        self.has_committed(at)
    }

    pub(crate) fn has_committed(&mut self, at: usize) -> Result<(), Broken> {
        self.note_counted(at);
        self.note_committed(at);
        Ok(())
    }

    /// After git put a version into the file.
    pub(crate) fn holds(&self, at: usize, wanted: Option<String>) -> Result<(), Broken> {
        let file = self.file(at);
        must(file == wanted, "the file is not git's", || {
            format!("{file:?} is not {wanted:?}")
        })
    }

    pub(crate) fn type_by_hand(&mut self, at: usize, step: Step) {
        let Step { deed, a, b, .. } = step;
        let Some(text) = self.file(at).filter(|_| self.under_way(at).is_none()) else {
            return;
        };
        let ids: Vec<String> = ids(&text).into_iter().map(str::to_owned).collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[a % ids.len()].clone();
        let typing = match deed {
            Deed::Add | Deed::AddCommon => {
                let name = match deed {
                    Deed::Add => format!("n{}", self.word()),
                    _ => loop {
                        self.desks[at].common += 1;
                        let name = format!("e{}", self.desks[at].common);
                        if !ids.contains(&name) {
                            break name;
                        }
                    },
                };
                let first = self.word();
                (1..FIELDS.len()).for_each(|_| {
                    self.word();
                });
                Typing::Append(record(&name, first))
            }
            Deed::Remove if ids.len() > 1 => Typing::Remove(id),
            Deed::Comment => Typing::Comment {
                id,
                comment: format!("c{}", self.word()),
            },
            Deed::Strip => {
                self.lose_amounts();
                Typing::Strip
            }
            _ => Typing::Set {
                id,
                field: FIELDS[b % FIELDS.len()],
                value: self.value(),
            },
        };
        self.note(&format!(
            "(cd {}; {})",
            self.desks[at].name,
            typing.script()
        ));
        self.write(at, &typing.apply(&text));
        self.desks[at].is_typed = true;
    }

    pub(crate) fn edit_by_command(&mut self, at: usize, step: Step) -> Result<(), Broken> {
        let Step { deed, a, b, .. } = step;
        if self.is_awaited(at) {
            self.sync(at)?;
        }
        let (Some(text), Some(mut wanted)) = (self.file(at), self.said(at)) else {
            return Ok(());
        };
        let ids: Vec<String> = ids(&text).into_iter().map(str::to_owned).collect();
        let id = ids[a % ids.len()].clone();
        let field = FIELDS[b % FIELDS.len()];
        let value = self.value();
        let done = match deed {
            Deed::SetBy => {
                let leaf = (id.clone(), field.to_owned());
                wanted.leaves.insert(leaf, value.clone());
                let (path, set) = (format!("todos/{id}"), format!("{field}={value}"));
                self.rhema(at, &["set", &path, &set])?
            }
            Deed::RemoveBy if ids.len() > 1 => {
                wanted.leaves.retain(|(of, _), _| *of != id);
                self.rhema(at, &["remove", &format!("todos/{id}")])?
            }
            _ => {
                let name = format!("n{}", self.word());
                let mut arguments =
                    vec!["add".to_owned(), "todos".to_owned(), format!("id={name}")];
                for field in FIELDS {
                    let value = self.value();
                    arguments.push(format!("{field}={value}"));
                    wanted
                        .leaves
                        .insert((name.clone(), field.to_owned()), value);
                }
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                self.rhema(at, &arguments)?
            }
        };
        if self.under_way(at).is_some() {
            return must(
                done.status == 3,
                "it edits while git is at work",
                String::new,
            );
        }
        must(done.status == 0, "a command fails", || done.stderr.clone())?;
        let after = self.file(at).unwrap_or_default();
        let said = Said::read(&after).map_err(|error| Broken {
            rule: "a command breaks the file",
            told: error,
        })?;
        let told = || format!("before:\n{text}after:\n{after}");
        must(
            said.leaves == wanted.leaves,
            "a command does something else",
            told,
        )?;
        let comments = deed == Deed::RemoveBy || said.comments == wanted.comments;
        must(comments, "a command changes a comment", told)?;
        self.desks[at].log = self.log(at);
        self.judge_store(at)
    }

    /// `gc`: what is known stays known, and nobody sees it.
    fn make_small(&mut self, at: usize) -> Result<(), Broken> {
        // Nothing is known before the first look.
        if !Store::path_in(&self.tree(at).path(".git")).exists() {
            return Ok(());
        }
        let before = self.file(at);
        let done = self.rhema(at, &["gc", "--older-than", "0"])?;
        must(done.status == 0, "gc fails", || done.stderr.clone())?;
        must(self.file(at) == before, "gc writes", String::new)
    }

    pub(crate) fn status(&mut self, at: usize) -> Result<(), Broken> {
        let before = self.file(at);
        let done = self.rhema(at, &["status", "--json"])?;
        must(done.status <= 1, "status fails", || done.stderr.clone())?;
        must(self.file(at) == before, "status writes", String::new)?;
        let report = done.json();
        let document = &report["documents"][0];
        let is_edited = before != self.head_version(at);
        let state = document["state"].as_str().unwrap_or_default();
        let says_clean = state == "clean" || state == "parked";
        must(
            state == "conflicted" || state == "unparsable" || says_clean != is_edited,
            "status is wrong",
            || report.to_string(),
        )
    }

    pub(crate) fn park(&mut self, at: usize) -> Result<(), Broken> {
        if self.is_awaited(at) {
            self.sync(at)?;
        }
        if self.under_way(at).is_some() {
            return Ok(());
        }
        let head = self.head_version(at);
        let (Some(before), Some(base)) = (
            self.said(at),
            head.as_ref().and_then(|head| Said::read(head).ok()),
        ) else {
            return Ok(());
        };
        let text = self.file(at).unwrap_or_default();
        let done = self.rhema(at, &["park"])?;
        must(done.status == 0, "park fails", || done.stderr.clone())?;
        must(
            self.file(at) == head,
            "park does not give HEAD's version",
            || self.file(at).unwrap_or_default(),
        )?;
        let log = self.log(at);
        let desk = &mut self.desks[at];
        desk.parked.extend(base.to(&before));
        // Over another HEAD a deletion that lost may not lose.
        let deleted = text::ids_of_deleted(&text).into_iter();
        desk.parked
            .extend(deleted.map(|id| ((id.to_owned(), String::new()), None)));
        let comments = before.comments.difference(&base.comments).cloned();
        desk.parked_comments.extend(comments);
        let losers = before.kept.difference(&base.kept).cloned();
        desk.parked_losers.extend(losers);
        let settled = base.kept.difference(&before.kept).cloned();
        desk.parked_settlings.extend(settled);
        desk.has_parked_amounts |= before.counted != base.counted;
        desk.is_counted = false;
        (desk.log, desk.returns, desk.is_typed) = (log, false, false);
        self.judge_store(at)
    }

    pub(crate) fn unpark(&mut self, at: usize) -> Result<(), Broken> {
        if self.under_way(at).is_some() {
            return Ok(());
        }
        let (Some(text), Some(before)) = (self.file(at), self.said(at)) else {
            return Ok(());
        };
        let done = self.rhema(at, &["unpark"])?;
        must(done.status == 0, "unpark fails", || done.stderr.clone())?;
        self.desks[at].returns = true;
        let after = self.file(at).unwrap_or_default();
        self.judge_sync(at, &text, &before, &after)?;
        self.sync(at)
    }

    pub(crate) fn carry(&mut self, at: usize, branch: &str) -> Result<(), Broken> {
        if self.is_awaited(at) {
            self.sync(at)?;
        }
        let here = self.branch(at).unwrap_or_default();
        let (Some(ours), Some(head), Some(theirs)) = (
            self.said(at),
            self.commit_named(at, "HEAD"),
            self.commit_named(at, branch),
        ) else {
            return Ok(());
        };
        if here == branch || self.under_way(at).is_some() {
            return Ok(());
        }
        let Some(mut merge) = self.merge_of(at, head, theirs) else {
            return Ok(());
        };
        merge.ours = ours;
        let done = self.rhema(at, &["carry", branch])?;
        must(done.status <= 1, "carry fails", || done.stderr.clone())?;
        if let Some(after) = self.said(at) {
            merge.judge(&after, &self.told)?;
        }
        self.desks[at].log = self.log(at);
        self.sync(at)
    }

    pub(crate) fn crash(&mut self, at: usize, point: &str) -> Result<(), Broken> {
        if self.under_way(at).is_some() || self.is_awaited(at) {
            return Ok(());
        }
        let (Some(text), Some(before)) = (self.file(at), self.said(at)) else {
            return Ok(());
        };
        let crash = [("RHEMA_CRASH_AT", point)];
        self.rhema_with(at, &crash, &["sync", "--timeout", "0"])?;
        let after = self.said(at);
        let is_whole = after.is_some_and(|after| after.leaves == before.leaves);
        must(is_whole, "a crash breaks the file", || text.clone())
    }

    pub(crate) fn lose_store(&mut self, at: usize) {
        for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
            let _ = fs::remove_file(self.tree(at).path(".git/rhema").join(name));
        }
        let name = self.desks[at].name.clone();
        self.note(&format!("rm -f {name}/.git/rhema/store.sqlite*"));
        self.has_lost = true;
        // Nothing else knew of what was parked.
        let desk = &mut self.desks[at];
        desk.parked.clear();
        desk.parked_comments.clear();
        desk.parked_losers.clear();
        desk.parked_settlings.clear();
        desk.has_parked_amounts = false;
    }

    pub(crate) fn copy(&mut self, at: usize) {
        if self.desks.len() > 2 {
            return;
        }
        let from = self.tree(at).top;
        let name = format!("{}-copy", self.desks[at].name);
        let to = from.with_file_name(&name);
        let done = std::process::Command::new("cp")
            .arg("-r")
            .args([&from, &to])
            .status();
        assert!(done.unwrap().success());
        self.note(&format!("cp -r {} {name}", self.desks[at].name));
        let desk = Desk {
            name,
            ..self.desks[at].clone()
        };
        self.desks.push(desk);
    }

    pub(crate) fn commit(&mut self, at: usize) -> Result<(), Broken> {
        let done = self.git(at, &["commit", "-q", "-a", "-m", "an edit"])?;
        if done.status != 0 {
            // Only what was staged differed from HEAD.
            self.git(at, &["add", "-u"])?;
        }
        self.has_committed(at)
    }

    /// Most commands want a clean tree; some people see to that.
    pub(crate) fn commit_if(&mut self, at: usize, a: usize) -> Result<(), Broken> {
        match a.is_multiple_of(2) && !self.is_clean(at) {
            true => self.commit(at),
            false => Ok(()),
        }
    }
}
