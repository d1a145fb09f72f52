//! What `init` does.

use std::path::{Path, PathBuf};

use super::autostart::{AutoSync, Autostart};
use super::configuring::configuring;
use super::files::{Done, Rewrite, missing_folders, read};
use super::hooks::{Hook, HookPlan};
use super::journal::{Configured, Journal, Rewritten, fingerprint, fingerprint_of};
use super::{Change, Error, Left};
use crate::context::{Claim, Marking, from_verbose, mark};
use crate::git::{self, Driver, Plan, Repo};
use crate::node::{self, Discovery, Member, Members, Node, Role, state_folder, with_member};
use crate::yaml::{Document, Limits};

/// What `init` is to do beside what it always does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Make this node a member.
    pub membership: bool,
    /// Install the hook that stamps what is committed. One that is there is kept in order anyway.
    pub hook: bool,
    /// Have `config.yaml` say that peers are found so.
    pub discovery: Option<Discovery>,
    /// Have `watch` start at login, or no longer.
    pub auto_sync: AutoSync,
}

/// What is missing in a work tree.
pub struct Init {
    driver: Plan,
    hook: Option<HookPlan>,
    node: Option<Node>,
    makes_node: bool,
    joins: Option<Joining>,
    configures: Option<(Discovery, Rewrite)>,
    autostart: Option<Autostart>,
    documents: Vec<Marked>,
    others: Vec<(PathBuf, Vec<u8>)>,
    left: Vec<Left>,
    has_overlooked: bool,
}

struct Joining {
    path: PathBuf,
    before: Option<Vec<u8>>,
    text: String,
    name: String,
    role: Role,
}

struct Marked {
    path: PathBuf,
    before: Vec<u8>,
    after: String,
    rewritten: bool,
}

impl Init {
    /// Plans it: the driver, the node, the markers and what else is `wanted`.
    ///
    /// # Errors
    /// When the repository, the node or `members.yaml` cannot be read, or there can be no hook.
    pub fn plan(repo: &Repo, driver: &Driver, wanted: Wanted) -> Result<Self, Error> {
        let hook = match Hook::find(repo) {
            // What other repositories have there is not looked at unless it matters.
            Err(Error::Git(git::Error::SharedHooks { .. })) if !wanted.hook => None,
            found => found?.install(driver, wanted.hook)?,
        };
        let driver = Plan::init(repo, driver)?;
        let node = Node::load(repo.git_dir())?;
        let folder = state_folder(repo.git_dir());
        let makes_node = node.is_none() || !folder.join("clock").exists();
        let joins = if wanted.membership {
            joining(repo, node.as_ref())?
        } else {
            None
        };
        let configures = match wanted.discovery {
            Some(discovery) => {
                let rewrite = configuring(repo, discovery)?;
                rewrite.map(|rewrite| (discovery, rewrite))
            }
            None => None,
        };
        let mut init = Self {
            driver,
            hook,
            node,
            makes_node,
            joins,
            configures,
            autostart: Autostart::plan(repo, wanted.auto_sync)?,
            documents: Vec::new(),
            others: Vec::new(),
            left: Vec::new(),
            has_overlooked: false,
        };
        let found = repo.context_files()?;
        init.has_overlooked = !found.problems.is_empty();
        init.left.extend(found.problems.into_iter().map(unlisted));
        for path in found.files {
            init.look_at(repo, path)?;
        }
        Ok(init)
    }

    /// Whether there are folders that nobody could look into.
    #[must_use]
    pub fn has_overlooked(&self) -> bool {
        self.has_overlooked
    }

    fn look_at(&mut self, repo: &Repo, path: PathBuf) -> Result<(), Error> {
        let Some(before) = read(&repo.top().join(&path))? else {
            return Ok(());
        };
        let document = match Document::read(&before, &Limits::default()) {
            Ok(document) => document,
            Err(error) => {
                let why = error.to_string();
                self.left.push(Left {
                    path: path.clone(),
                    why,
                });
                self.others.push((path, before));
                return Ok(());
            }
        };
        let plain = from_verbose(&document)
            .and_then(|text| Document::from_text(text, &Limits::default()).ok());
        let rewritten = plain.is_some();
        match mark(plain.as_ref().unwrap_or(&document)) {
            Marking::Marked(after) => self.documents.push(Marked {
                path,
                before,
                after,
                rewritten,
            }),
            Marking::Taken {
                line,
                column,
                claim,
            } => {
                let why = match claim {
                    Claim::OtherVersion => {
                        "the marker `_crdt` is of a version that this program does not know: update it"
                    }
                    Claim::Mangled => {
                        "the marker `_crdt` is mangled: `rhema crdt verify --fix` mends it"
                    }
                    Claim::Foreign | Claim::Ours => {
                        "the key `_crdt` holds something else here: rename it to let this file have its marker"
                    }
                };
                self.left.push(Left {
                    path: path.clone(),
                    why: format!("{line}:{column}: {why}"),
                });
                self.others.push((path, before));
            }
            Marking::Present | Marking::Nowhere => self.others.push((path, before)),
        }
        Ok(())
    }

    /// What would change; empty when nothing is missing.
    #[must_use]
    pub fn changes(&self, repo: &Repo) -> Vec<Change> {
        let driver = self.driver.changes().iter().cloned().map(Change::Driver);
        let mut changes: Vec<Change> = driver.collect();
        if self.makes_node {
            changes.push(Change::MakeNode {
                path: state_folder(repo.git_dir()),
            });
        }
        if let Some(joins) = &self.joins {
            changes.push(Change::Join {
                path: joins.path.clone(),
                role: joins.role,
                name: joins.name.clone(),
            });
        }
        let configures = self.configures.iter();
        changes.extend(configures.map(|(discovery, rewrite)| Change::Configure {
            path: rewrite.path.clone(),
            discovery: *discovery,
        }));
        changes.extend(self.hook.as_ref().map(HookPlan::change));
        changes.extend(self.autostart.iter().flat_map(Autostart::changes));
        changes.extend(self.documents.iter().map(|marked| Change::Mark {
            path: marked.path.clone(),
            rewritten: marked.rewritten,
        }));
        changes
    }

    /// The documents that get no marker although they might.
    #[must_use]
    pub fn left(&self) -> &[Left] {
        &self.left
    }

    /// Carries it out.
    ///
    /// # Errors
    /// When something cannot be written; everything is then as before.
    pub fn carry_out(&self, repo: &Repo) -> Result<(), Error> {
        if self.changes(repo).is_empty() {
            return Ok(());
        }
        let folder = state_folder(repo.git_dir());
        let had_folder = folder.exists();
        let journal_before = read(&Journal::path(&folder))?;
        let mut done = Done::default();
        let carried = self.carry(repo, &mut done);
        if carried.is_err() {
            done.undo();
            let undone = match journal_before {
                _ if !had_folder => std::fs::remove_dir_all(&folder),
                Some(journal) => git::replace(&Journal::path(&folder), &journal),
                None => std::fs::remove_file(Journal::path(&folder)),
            };
            if let Err(error) = undone {
                tracing::info!("{}: {error}", folder.display());
            }
        }
        carried
    }

    fn carry(&self, repo: &Repo, done: &mut Done) -> Result<(), Error> {
        let (node, _) = Node::create(repo.git_dir())?;
        for marked in self.documents.iter().filter(|marked| marked.rewritten) {
            Journal::keep(node.folder(), &marked.before)?;
        }
        if let Some((_, rewrite)) = &self.configures
            && let Some(before) = &rewrite.before
        {
            Journal::keep(node.folder(), before)?;
        }
        // Known before it is done: whoever is stopped halfway can take it back.
        self.journal(repo, &node)?.save(node.folder())?;
        for marked in &self.documents {
            done.rewrite(&Rewrite {
                path: repo.top().join(&marked.path),
                before: Some(marked.before.clone()),
                after: Some(marked.after.clone().into_bytes()),
            })?;
        }
        if let Some(joins) = &self.joins {
            let member = Member::new(node.key().public_text(), &joins.name, joins.role);
            let text = with_member(&joins.text, node.id(), &member)
                .ok_or_else(|| node::Error::members_form(&joins.path))?;
            done.rewrite(&Rewrite {
                path: joins.path.clone(),
                before: joins.before.clone(),
                after: Some(text.into_bytes()),
            })?;
        }
        if let Some((_, rewrite)) = &self.configures {
            done.rewrite(rewrite)?;
        }
        if let Some(autostart) = &self.autostart {
            autostart.carry(done)?;
        }
        if let Some(hook) = &self.hook {
            hook.carry_out()?;
        }
        let carried = self.driver.carry_out(repo);
        if let (Err(_), Some(hook)) = (&carried, &self.hook) {
            hook.undo();
        }
        carried?;
        self.autostart.iter().for_each(Autostart::tidy);
        Ok(())
    }

    /// The journal with what this run adds to it.
    fn journal(&self, repo: &Repo, node: &Node) -> Result<Journal, Error> {
        let known = Journal::load(node.folder())?;
        let before = self.fingerprint(false);
        let followed = known.as_ref().is_none_or(|known| known.left == before);
        let mut journal = known.unwrap_or_default();
        journal.left = if followed {
            self.fingerprint(true)
        } else {
            String::new()
        };
        journal.attributes |= self
            .driver
            .changes()
            .iter()
            .any(|change| matches!(change, git::Change::AddLines { .. }));
        journal
            .marked
            .extend(self.documents.iter().map(|marked| marked.path.clone()));
        let inside = |folder: &PathBuf| folder.strip_prefix(repo.top()).ok().map(Path::to_path_buf);
        let joins = self.joins.as_ref().map(|joins| &joins.path);
        let configures = self.configures.as_ref().map(|(_, rewrite)| &rewrite.path);
        let folder = joins.or(configures).and_then(|path| path.parent());
        let made = folder.map(missing_folders).unwrap_or_default();
        journal.folders.extend(made.iter().filter_map(inside));
        journal.made_members |= self
            .joins
            .as_ref()
            .is_some_and(|joins| joins.before.is_none());
        if let Some((_, rewrite)) = &self.configures {
            journal.configured = Some(configured(journal.configured.take(), rewrite));
        }
        if let Some(autostart) = &self.autostart {
            journal.autostart = autostart.keeps();
        }
        for marked in self.documents.iter().filter(|marked| marked.rewritten) {
            journal.rewritten.retain(|each| each.path != marked.path);
            journal.rewritten.push(Rewritten {
                path: marked.path.clone(),
                written: fingerprint(marked.after.as_bytes()),
                original: fingerprint(&marked.before),
            });
        }
        Ok(journal)
    }

    /// The fingerprint of all documents, before or after.
    fn fingerprint(&self, after: bool) -> String {
        let marked = self.documents.iter().map(|marked| {
            let bytes = if after {
                marked.after.as_bytes()
            } else {
                &marked.before
            };
            (marked.path.as_path(), bytes)
        });
        let others = self
            .others
            .iter()
            .map(|(path, bytes)| (path.as_path(), bytes.as_slice()));
        let mut all: Vec<(&Path, &[u8])> = marked.chain(others).collect();
        all.sort();
        fingerprint_of(all)
    }

    /// The node, if it was there before.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }
}

/// A folder that nobody could look into.
fn unlisted(problem: git::Error) -> Left {
    match problem {
        git::Error::Read { path, source } => Left {
            path,
            why: format!(" cannot be read: {source}"),
        },
        problem => Left {
            path: PathBuf::new(),
            why: problem.to_string(),
        },
    }
}

/// What the journal says of a configuration that is written anew: what there was before the first time counts, if nobody
/// else wrote it since.
fn configured(known: Option<Configured>, rewrite: &Rewrite) -> Configured {
    let before = rewrite.before.as_deref().map(fingerprint);
    let written = fingerprint(rewrite.after.as_deref().unwrap_or_default());
    match known.filter(|known| before.as_ref() == Some(&known.written)) {
        Some(known) => Configured { written, ..known },
        None => Configured {
            written,
            original: before,
        },
    }
}

/// How this node becomes a member; nothing if it is one.
fn joining(repo: &Repo, node: Option<&Node>) -> Result<Option<Joining>, Error> {
    let path = Members::path(repo.top());
    let before = read(&path)?;
    let text = match before.clone().map(String::from_utf8) {
        None => String::new(),
        Some(Ok(text)) => text,
        Some(Err(_)) => return Err(node::Error::members_form(&path).into()),
    };
    let members = Members::read(&path, &text)?;
    if node.is_some_and(|node| members.all.contains_key(&node.id().to_string())) {
        return Ok(None);
    }
    let role = if members.of_now().next().is_none() {
        Role::Admin
    } else {
        Role::Writer
    };
    Ok(Some(Joining {
        path,
        before,
        text,
        name: repo.user_name(),
        role,
    }))
}
