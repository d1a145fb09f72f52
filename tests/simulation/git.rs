//! What people do with git, done by its library: commits, merges by our driver, and what takes them back.

use std::fs;
use std::path::Path;

use git2::build::CheckoutBuilder;
use git2::{IndexAddOption, ObjectType, Oid, Repository, RepositoryInitOptions, Signature, Time};
use rhema_crdt::git::{Ending, MergedCommits, Repo, Settings, Sides, merge_files_of};
use rhema_crdt::overlay::{CommitId, DocumentPath};

use crate::broken::Broken;
use crate::ledger::Held;
use crate::text::FILE;

/// A repository with a work tree.
pub(crate) struct Git {
    repo: Repository,
}

/// What came of a merge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Merged {
    /// There was nothing to merge, or git refused.
    Nothing,
    Done,
    /// Something was left to people.
    Marked,
}

impl Git {
    pub(crate) fn at(top: &Path) -> Self {
        Self {
            repo: Repository::open(top).unwrap(),
        }
    }

    /// A new one with these files in its first commit.
    pub(crate) fn begun(top: &Path, files: &[(&str, &str)], now: u64) -> Self {
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main").external_template(false);
        let repo = Repository::init_opts(top, &options).unwrap();
        let mut config = repo.config().unwrap();
        config.set_str("user.name", "Somebody").unwrap();
        config
            .set_str("user.email", "somebody@example.org")
            .unwrap();
        config.set_bool("core.logAllRefUpdates", true).unwrap();
        for (file, text) in files {
            let path = top.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let git = Self { repo };
        git.commit("begin", now);
        let head = git.head();
        git.repo
            .reference("refs/heads/side", head, true, "branch: Created")
            .unwrap();
        git
    }

    fn signature(now: u64) -> Signature<'static> {
        let time = Time::new(i64::try_from(now / 1_000).unwrap(), 0);
        Signature::new("Somebody", "somebody@example.org", &time).unwrap()
    }

    pub(crate) fn head(&self) -> Oid {
        self.repo.refname_to_id("HEAD").unwrap()
    }

    pub(crate) fn branch(&self) -> String {
        let head = self.repo.find_reference("HEAD").unwrap();
        let name = head.symbolic_target().unwrap().unwrap().to_owned();
        name.trim_start_matches("refs/heads/").to_owned()
    }

    /// The tip of a branch.
    pub(crate) fn tip(&self, branch: &str) -> Option<Oid> {
        self.repo
            .refname_to_id(&format!("refs/heads/{branch}"))
            .ok()
    }

    /// Whether a commit is here.
    pub(crate) fn has(&self, commit: Oid) -> bool {
        self.repo.find_commit(commit).is_ok()
    }

    /// The file as a commit has it.
    pub(crate) fn text_in(&self, commit: Oid) -> Option<String> {
        let tree = self.repo.find_commit(commit).ok()?.tree().ok()?;
        let entry = tree.get_path(Path::new(FILE)).ok()?;
        let blob = self.repo.find_blob(entry.id()).ok()?;
        String::from_utf8(blob.content().to_vec()).ok()
    }

    fn text(&self) -> Option<String> {
        fs::read_to_string(self.repo.workdir().unwrap().join(FILE)).ok()
    }

    /// Whether the file is as HEAD has it.
    pub(crate) fn is_clean(&self) -> bool {
        self.text() == self.text_in(self.head())
    }

    /// `git commit -a`.
    pub(crate) fn commit(&self, message: &str, now: u64) {
        let mut index = self.repo.index().unwrap();
        index.add_all(["."], IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = self.repo.find_tree(index.write_tree().unwrap()).unwrap();
        let parent = self
            .repo
            .head()
            .ok()
            .map(|head| head.peel_to_commit().unwrap());
        let parents: Vec<_> = parent.iter().collect();
        let who = Self::signature(now);
        self.repo
            .commit(Some("HEAD"), &who, &who, message, &tree, &parents)
            .unwrap();
    }

    /// Makes HEAD's branch name another commit, and the files what that has.
    fn move_to(&self, commit: Oid, log: &str) {
        let object = self.repo.find_object(commit, None).unwrap();
        let mut how = CheckoutBuilder::new();
        how.force();
        self.repo.checkout_tree(&object, Some(&mut how)).unwrap();
        let name = format!("refs/heads/{}", self.branch());
        self.repo.reference(&name, commit, true, log).unwrap();
    }

    /// `git reset --hard`.
    pub(crate) fn reset_hard(&self, commit: Oid) {
        self.move_to(commit, &format!("reset: moving to {commit}"));
    }

    /// `git switch`, where nothing stands against it.
    pub(crate) fn switch(&self, branch: &str) -> bool {
        let (Some(tip), true) = (self.tip(branch), self.is_clean()) else {
            return false;
        };
        let object = self.repo.find_object(tip, None).unwrap();
        let mut how = CheckoutBuilder::new();
        how.force();
        self.repo.checkout_tree(&object, Some(&mut how)).unwrap();
        let before = self.branch();
        let log = format!("checkout: moving from {before} to {branch}");
        let name = format!("refs/heads/{branch}");
        self.repo
            .reference_symbolic("HEAD", &name, true, &log)
            .unwrap();
        true
    }

    pub(crate) fn parent(&self, commit: Oid) -> Option<Oid> {
        self.repo.find_commit(commit).ok()?.parent_id(0).ok()
    }

    /// Brings the commits of a branch of another repository here, all that it is made of; gives its tip.
    pub(crate) fn fetch(&self, from: &Git, branch: &str) -> Option<Oid> {
        let tip = from.tip(branch)?;
        let (ours, theirs) = (self.repo.odb().unwrap(), from.repo.odb().unwrap());
        let mut wanted = vec![tip];
        while let Some(id) = wanted.pop() {
            if ours.exists(id) {
                continue;
            }
            let object = theirs.read(id).unwrap();
            match object.kind() {
                ObjectType::Commit => {
                    let commit = from.repo.find_commit(id).unwrap();
                    wanted.push(commit.tree_id());
                    wanted.extend(commit.parent_ids());
                }
                ObjectType::Tree => {
                    let tree = from.repo.find_tree(id).unwrap();
                    wanted.extend(tree.iter().map(|entry| entry.id()));
                }
                _ => {}
            }
            ours.write(object.kind(), object.data()).unwrap();
        }
        Some(tip)
    }

    /// What a merge of HEAD with a commit is about: the version before, ours and theirs.
    pub(crate) fn versions(&self, theirs: Oid) -> Result<[Held; 3], Broken> {
        let ours = self.head();
        let base = self.repo.merge_base(ours, theirs).unwrap();
        let read = |commit| Held::read(&self.text_in(commit).unwrap_or_default());
        Ok([read(base)?, read(ours)?, read(theirs)?])
    }

    /// `git merge`, where nothing stands against it.
    pub(crate) fn merge(&self, theirs: Oid, named: &str, now: u64) -> Merged {
        let ours = self.head();
        let base = self.repo.merge_base(ours, theirs).unwrap();
        if base == theirs || !self.is_clean() {
            return Merged::Nothing;
        }
        if base == ours {
            self.move_to(theirs, &format!("merge {named}: Fast-forward"));
            return Merged::Done;
        }
        let top = self.repo.workdir().unwrap();
        let opened = Repo::at(top).unwrap();
        let path = DocumentPath::new(FILE);
        let id = |commit: Oid| CommitId::from_bytes(commit.as_bytes().try_into().unwrap());
        let bases = self.repo.merge_bases(ours, theirs).unwrap();
        // Of several bases git makes one of its own, of which no history can be asked.
        let commits = MergedCommits::of(&opened, &path, id(ours), id(theirs));
        let versions = [base, ours, theirs].map(|commit| self.text_in(commit).unwrap_or_default());
        let sides = Sides {
            base: versions[0].as_bytes(),
            ours: versions[1].as_bytes(),
            theirs: versions[2].as_bytes(),
        };
        let commits = (bases.len() == 1).then_some(&commits);
        let merged = match sides.ours == sides.theirs {
            true => Ending::Clean(sides.ours.to_vec()),
            false => merge_files_of(&sides, &Settings::default(), commits).ending,
        };
        let Ending::Clean(bytes) = merged else {
            return Merged::Marked;
        };
        self.conclude(&bytes, &[ours, theirs], &format!("merge {named}"), now);
        Merged::Done
    }

    /// `git revert`: what a commit did is undone by a merge of three files.
    pub(crate) fn revert(&self, commit: Oid, now: u64) -> Merged {
        let (Some(parent), true) = (self.parent(commit), self.is_clean()) else {
            return Merged::Nothing;
        };
        let ours = self.head();
        let versions =
            [commit, ours, parent].map(|commit| self.text_in(commit).unwrap_or_default());
        let sides = Sides {
            base: versions[0].as_bytes(),
            ours: versions[1].as_bytes(),
            theirs: versions[2].as_bytes(),
        };
        match merge_files_of(&sides, &Settings::default(), None).ending {
            Ending::Clean(bytes) if bytes == sides.ours => Merged::Nothing,
            Ending::Clean(bytes) => {
                self.conclude(&bytes, &[ours], "revert", now);
                Merged::Done
            }
            _ => Merged::Marked,
        }
    }

    fn conclude(&self, bytes: &[u8], parents: &[Oid], named: &str, now: u64) {
        let top = self.repo.workdir().unwrap();
        let file = top.join(FILE);
        // As git does: another file takes the place.
        let _ = fs::remove_file(&file);
        fs::write(&file, bytes).unwrap();
        let mut index = self.repo.index().unwrap();
        index.add_path(Path::new(FILE)).unwrap();
        index.write().unwrap();
        let tree = self.repo.find_tree(index.write_tree().unwrap()).unwrap();
        let parents: Vec<_> = parents
            .iter()
            .map(|parent| self.repo.find_commit(*parent).unwrap())
            .collect();
        let parents: Vec<_> = parents.iter().collect();
        let who = Self::signature(now);
        let commit = self
            .repo
            .commit(None, &who, &who, named, &tree, &parents)
            .unwrap();
        let name = format!("refs/heads/{}", self.branch());
        let log = match parents.len() {
            1 => format!("{named}: an edit"),
            _ => format!("{named}: Merge made by the 'ort' strategy."),
        };
        self.repo.reference(&name, commit, true, &log).unwrap();
    }
}
