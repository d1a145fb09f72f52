//! What `uninit` does.
//!
//! As long as all documents are as `init` left them, it takes back what `init` did in this work tree and nothing else:
//! markers and attributes that were committed before stay. Once they were edited, all annotations go.

use std::path::{Path, PathBuf};

use super::autostart::{AutoSync, Autostart};
use super::configuring::unconfiguring;
use super::files::{Done, Rewrite, read, remove_if_empty};
use super::hooks::{Hook, HookPlan};
use super::journal::{Journal, Original, fingerprint_of};
use super::{Change, Error, Left};
use crate::context::{Claim, Mention, Says, contests, mentions, strip, to_verbose};
use crate::git::{self, Plan, Repo};
use crate::node::{Members, Node, state_folder, without_member};
use crate::yaml::{Document, Limits};

/// What is to be taken back in a work tree.
pub struct Uninit {
    driver: Plan,
    hook: Option<HookPlan>,
    documents: Vec<Unmarked>,
    members: Option<Rewrite>,
    config: Option<Rewrite>,
    autostart: Option<Autostart>,
    state: Option<PathBuf>,
    folders: Vec<PathBuf>,
    left: Vec<Left>,
    losing: Vec<Left>,
    kept: bool,
}

struct Unmarked {
    rewrite: Rewrite,
    path: PathBuf,
    verbose: bool,
}

impl Uninit {
    /// Plans it.
    ///
    /// # Errors
    /// When the repository or the node cannot be read.
    pub fn plan(repo: &Repo) -> Result<Self, Error> {
        let state = state_folder(repo.git_dir());
        let journal = Journal::load(&state)?;
        let found = repo.context_files()?;
        let mut files = Vec::with_capacity(found.files.len());
        for path in found.files {
            if let Some(bytes) = read(&repo.top().join(&path))? {
                files.push((path, bytes));
            }
        }
        let now = fingerprint_of(
            files
                .iter()
                .map(|(path, bytes)| (path.as_path(), bytes.as_slice())),
        );
        let untouched = journal.as_ref().filter(|journal| journal.left == now);
        let keeps_attributes = untouched.is_some_and(|journal| !journal.attributes);
        let driver = Plan::uninit(repo, keeps_attributes)?;
        let hook = match Hook::find(repo) {
            Err(Error::Git(git::Error::SharedHooks { .. })) => None,
            found => Some(found?),
        };
        let hook = hook.filter(|_| driver.shared_with().is_empty());
        let (hook, left) = match hook.and_then(Hook::uninstall) {
            Some(Ok(hook)) => (Some(hook), Vec::new()),
            Some(Err(left)) => (None, vec![left]),
            None => (None, Vec::new()),
        };
        let mut uninit = Self {
            hook,
            driver,
            documents: Vec::new(),
            members: leaving(repo)?,
            config: match &journal {
                Some(journal) => unconfiguring(repo, journal)?,
                None => None,
            },
            autostart: Autostart::plan(repo, AutoSync::Off)?,
            state: state.exists().then(|| state.clone()),
            folders: Vec::new(),
            left,
            losing: Vec::new(),
            kept: keeps_attributes,
        };
        for (path, bytes) in files {
            if untouched.is_some_and(|journal| !journal.marked.contains(&path)) {
                uninit.kept |= has_annotations(&bytes);
                continue;
            }
            let original = journal
                .as_ref()
                .and_then(|journal| journal.original(&state, &path));
            uninit.look_at(repo, path, bytes, original);
        }
        uninit.folders = match &journal {
            Some(journal) => journal
                .folders
                .iter()
                .map(|folder| repo.top().join(folder))
                .collect(),
            None => Vec::new(),
        };
        Ok(uninit)
    }

    fn look_at(&mut self, repo: &Repo, path: PathBuf, bytes: Vec<u8>, original: Option<Original>) {
        let back = match original {
            Some(original) if original.is_untouched(&bytes) && original.bytes.is_some() => {
                original.bytes.map(|bytes| (bytes, true))
            }
            original => match Document::read(&bytes, &Limits::default()) {
                Ok(document) => self.without_annotations(&path, &document, original),
                Err(error) => {
                    if mentions_us(&bytes) {
                        let why = error.to_string();
                        self.left.push(Left { path, why });
                    }
                    return;
                }
            },
        };
        if let Some((after, verbose)) = back {
            self.documents.push(Unmarked {
                rewrite: Rewrite {
                    path: repo.top().join(&path),
                    before: Some(bytes),
                    after: Some(after),
                },
                path,
                verbose,
            });
        }
    }

    /// What a document becomes, and whether that is the verbose form that it had once; nothing if it stays as it is.
    fn without_annotations(
        &mut self,
        path: &Path,
        document: &Document,
        original: Option<Original>,
    ) -> Option<(Vec<u8>, bool)> {
        self.tell_of_conflicts(path, document);
        let stripped = strip(document);
        if let Some(original) = original {
            let read = |text: String| Document::from_text(text, &Limits::default()).ok();
            let plain = match &stripped {
                Some(text) => &read(text.clone())?,
                None => document,
            };
            let original = original
                .bytes
                .and_then(|bytes| Document::read(&bytes, &Limits::default()).ok());
            if let Some(text) = original.and_then(|original| to_verbose(&original, plain)) {
                return Some((text.into_bytes(), true));
            }
            self.left.push(Left {
                path: path.to_path_buf(),
                why: "1:1: the verbose form that it had before `init` cannot be put together again, so it stays an ordinary file: its `_crdt_metadata` stand in git's history".to_owned(),
            });
        }
        stripped.map(|text| (text.into_bytes(), false))
    }

    /// Open conflicts go with the annotations: nothing else says what lost.
    fn tell_of_conflicts(&mut self, path: &Path, document: &Document) {
        let mentions = mentions(document);
        let keeps = |mention: &&Mention<'_>| matches!(mention.says, Some(Says::Conflicts(_)));
        let Some(first) = mentions.iter().find(keeps) else {
            return;
        };
        let (line, column) = first.position();
        let count = contests(document).len();
        self.losing.push(Left {
            path: path.to_path_buf(),
            why: format!(
                "{line}:{column}: open conflicts: {count}; what lost there goes with the annotations"
            ),
        });
    }

    /// What would change; empty when there is nothing to take back.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let driver = self.driver.changes().iter().cloned().map(Change::Driver);
        let mut changes: Vec<Change> = driver.collect();
        changes.extend(self.documents.iter().map(|unmarked| Change::Unmark {
            path: unmarked.path.clone(),
            verbose: unmarked.verbose,
        }));
        changes.extend(self.hook.as_ref().map(HookPlan::change));
        changes.extend(self.autostart.iter().flat_map(Autostart::changes));
        changes.extend(self.members.iter().map(|members| Change::Leave {
            path: members.path.clone(),
            file_too: members.after.is_none(),
        }));
        changes.extend(self.config.iter().map(|config| Change::Unconfigure {
            path: config.path.clone(),
            file_too: config.after.is_none(),
        }));
        changes.extend(
            self.state
                .iter()
                .cloned()
                .map(|path| Change::RemoveNode { path }),
        );
        changes
    }

    /// The documents that keep their annotations, or are not given back as they were, and why.
    #[must_use]
    pub fn left(&self) -> &[Left] {
        &self.left
    }

    /// The documents whose open conflicts go with their annotations.
    #[must_use]
    pub fn losing(&self) -> &[Left] {
        &self.losing
    }

    /// The other work trees for whose sake the configuration stays.
    #[must_use]
    pub fn shared_with(&self) -> &[PathBuf] {
        self.driver.shared_with()
    }

    /// Whether something stays that was there before `init` in this work tree.
    #[must_use]
    pub fn keeps_what_was_there(&self) -> bool {
        self.kept
    }

    /// Carries it out.
    ///
    /// # Errors
    /// When something cannot be written; the files are then as before.
    pub fn carry_out(&self, repo: &Repo) -> Result<(), Error> {
        let mut done = Done::default();
        let carried = self.carry(repo, &mut done);
        if carried.is_err() {
            done.undo();
        }
        carried
    }

    fn carry(&self, repo: &Repo, done: &mut Done) -> Result<(), Error> {
        for unmarked in &self.documents {
            done.rewrite(&unmarked.rewrite)?;
        }
        for file in self.members.iter().chain(&self.config) {
            done.rewrite(file)?;
        }
        if let Some(autostart) = &self.autostart {
            autostart.carry(done)?;
        }
        self.driver.carry_out(repo)?;
        if let Some(hook) = &self.hook {
            hook.carry_out()?;
        }
        remove_if_empty(&self.folders);
        self.autostart.iter().for_each(Autostart::tidy);
        if let Some(state) = &self.state {
            std::fs::remove_dir_all(state).map_err(Error::write(state))?;
        }
        Ok(())
    }
}

/// How this node stops being a member; nothing if it is none.
fn leaving(repo: &Repo) -> Result<Option<Rewrite>, Error> {
    let Some(node) = Node::load(repo.git_dir())? else {
        return Ok(None);
    };
    let path = Members::path(repo.top());
    let before = read(&path)?;
    let Some(text) = before
        .as_deref()
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
    else {
        return Ok(None);
    };
    let id = node.id().to_string();
    // What proves the edits of one who was removed is not its own any more.
    let was_removed = Members::read(&path, text)
        .is_ok_and(|members| members.all.get(&id).is_some_and(|it| !it.takes_part()));
    let Some(rest) = without_member(text, &id).filter(|_| !was_removed) else {
        return Ok(None);
    };
    let journal = Journal::load(node.folder())?;
    let made = journal.is_some_and(|journal| journal.made_members);
    let after = (!rest.is_empty() || !made).then(|| rest.into_bytes());
    Ok(Some(Rewrite {
        path,
        before,
        after,
    }))
}

fn has_annotations(bytes: &[u8]) -> bool {
    Document::read(bytes, &Limits::default()).is_ok_and(|document| {
        mentions(&document)
            .iter()
            .any(|mention| mention.claim == Claim::Ours)
    })
}

/// Whether a file that cannot be read may hold annotations.
fn mentions_us(bytes: &[u8]) -> bool {
    bytes
        .windows(b"_crdt".len())
        .any(|window| window == b"_crdt")
}
