//! What is to be done about the start at login in one work tree.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::files::{Done, Relink, Rewrite, missing_folders, remove_if_empty};
use super::super::journal::Journal;
use super::super::{Change, Error};
use super::{AtLogin, Holds, Item, Job, System};
use crate::git::{self, Repo};
use crate::node::state_folder;

/// Whether `watch` is to start at login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoSync {
    /// As it was chosen before; what is there is kept in order.
    #[default]
    AsItIs,
    /// It is.
    On,
    /// It is not.
    Off,
}

/// What the journal keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(in super::super) struct Kept {
    /// Where the work tree was.
    top: PathBuf,
    /// The program, as it was named.
    program: PathBuf,
    /// The files.
    files: Vec<PathBuf>,
    /// The folders that were made for them, outermost first.
    folders: Vec<PathBuf>,
}

/// What is missing or too much.
pub(in super::super) struct Autostart {
    steps: Vec<Step>,
    /// What the journal is to keep, if there is to be anything.
    keeps: Option<Kept>,
    /// The folders that go, if nothing else is in them.
    folders: Vec<PathBuf>,
    at_login: Option<AtLogin>,
    moved_from: Option<PathBuf>,
}

/// A file before and after; `None` is "no such file".
struct Step {
    path: PathBuf,
    before: Option<Holds>,
    after: Option<Holds>,
}

impl Autostart {
    /// Plans it; nothing where it was never asked for and is not asked for now.
    pub(in super::super) fn plan(repo: &Repo, wanted: AutoSync) -> Result<Option<Self>, Error> {
        let kept = kept(repo)?;
        let here = Here::of(repo, kept.as_ref());
        let is_there = |item: &Item| item.path.symlink_metadata().is_ok();
        let is_set_up =
            kept.is_some() || (here.as_ref()).is_ok_and(|here| here.items.iter().any(is_there));
        match wanted {
            AutoSync::AsItIs if !is_set_up => Ok(None),
            AutoSync::AsItIs | AutoSync::On => Self::install(here?, kept).map(Some),
            AutoSync::Off => {
                let items = here.map(|here| here.items).unwrap_or_default();
                Self::uninstall(&items, kept).map(Some)
            }
        }
    }

    fn install(here: Here, kept: Option<Kept>) -> Result<Self, Error> {
        let paths: Vec<PathBuf> = here.items.iter().map(|item| item.path.clone()).collect();
        let moved_from = kept.as_ref().map(|kept| kept.top.clone());
        let moved_from = moved_from.filter(|top| *top != here.top);
        let (former, mut folders) =
            kept.map_or_else(Default::default, |kept| (kept.files, kept.folders));
        let mut steps = Vec::new();
        for path in former.iter().filter(|path| !paths.contains(path)) {
            steps.extend(removal(path)?);
        }
        for item in here.items {
            let before = item.holds.at(&item.path)?;
            if before.as_ref() == Some(&item.holds) {
                continue;
            }
            let parent = item.path.parent().unwrap_or(Path::new("/"));
            for folder in missing_folders(parent) {
                if !folders.contains(&folder) {
                    folders.push(folder);
                }
            }
            steps.push(Step {
                path: item.path,
                before,
                after: Some(item.holds),
            });
        }
        Ok(Self {
            at_login: Some(AtLogin {
                path: paths.first().cloned().unwrap_or_default(),
                is_stale: !steps.is_empty(),
                commands: here.system.commands(&here.job, &here.folder),
                hindrance: here.system.hindrance(),
            }),
            steps,
            keeps: Some(Kept {
                top: here.top,
                program: here.program,
                files: paths,
                folders,
            }),
            folders: Vec::new(),
            moved_from,
        })
    }

    fn uninstall(here: &[Item], kept: Option<Kept>) -> Result<Self, Error> {
        let (mut paths, folders) =
            kept.map_or_else(Default::default, |kept| (kept.files, kept.folders));
        for item in here {
            if !paths.contains(&item.path) {
                paths.push(item.path.clone());
            }
        }
        let mut steps = Vec::new();
        for path in &paths {
            steps.extend(removal(path)?);
        }
        Ok(Self {
            steps,
            keeps: None,
            folders,
            at_login: None,
            moved_from: None,
        })
    }

    /// What would change.
    pub(in super::super) fn changes(&self) -> impl Iterator<Item = Change> {
        self.steps.iter().map(|step| {
            let path = step.path.clone();
            match (&step.before, &step.after) {
                (None, Some(after)) => Change::AddAtLogin {
                    path,
                    text: after.shown(),
                },
                (Some(_), Some(after)) => Change::RenewAtLogin {
                    path,
                    text: after.shown(),
                },
                (_, None) => Change::RemoveAtLogin { path },
            }
        })
    }

    /// What the journal is to keep of it.
    pub(in super::super) fn keeps(&self) -> Option<Kept> {
        self.keeps.clone()
    }

    /// How it starts at login, if it is to.
    pub(in super::super) fn at_login(self) -> Option<AtLogin> {
        self.at_login
    }

    /// What is wrong with it, and which file shows that.
    pub(in super::super) fn problem(&self) -> Option<(&Path, String)> {
        let step = self.steps.first()?;
        let what = match (&self.moved_from, &step.before) {
            (Some(top), _) => format!(
                "what starts `rhema crdt watch` at login does so in {}, from where this work tree was moved: run `rhema crdt init`",
                top.display()
            ),
            (None, None) => "what starts `rhema crdt watch` at login is gone: run `rhema crdt init`, or `rhema crdt init --no-auto-sync` if that is meant".to_owned(),
            (None, Some(_)) => "what starts `rhema crdt watch` at login is stale: run `rhema crdt init`".to_owned(),
        };
        Some((&step.path, what))
    }

    /// Carries it out.
    pub(in super::super) fn carry(&self, done: &mut Done) -> Result<(), Error> {
        for step in &self.steps {
            let Step {
                path,
                before,
                after,
            } = step;
            match (before, after) {
                (Some(Holds::LinkTo(_)), _) | (None, Some(Holds::LinkTo(_))) => {
                    done.relink(&Relink {
                        path: path.clone(),
                        before: target(before.as_ref()),
                        after: target(after.as_ref()),
                    })?;
                }
                _ => done.rewrite(&Rewrite {
                    path: path.clone(),
                    before: bytes(before.as_ref()),
                    after: bytes(after.as_ref()),
                })?,
            }
        }
        Ok(())
    }

    /// Takes away the folders that were made for it, once nothing can fail any more.
    pub(in super::super) fn tidy(&self) {
        remove_if_empty(&self.folders);
    }
}

/// What is to be there for this work tree, at the place where it is now.
struct Here {
    system: System,
    job: Job,
    top: PathBuf,
    program: PathBuf,
    folder: PathBuf,
    items: Vec<Item>,
}

impl Here {
    fn of(repo: &Repo, kept: Option<&Kept>) -> Result<Self, Error> {
        let system = System::here();
        let folder = system.folder()?;
        super::job::written(&folder)?;
        let mut program = git::this_program()?;
        // Whoever looks may have another PATH than the one who installed it.
        if let Some(kept) = kept
            && let (Ok(one), Ok(other)) = (kept.program.canonicalize(), program.canonicalize())
            && one == other
        {
            program.clone_from(&kept.program);
        }
        let top = repo.top().to_path_buf();
        let state = state_folder(repo.git_dir());
        let job = Job::new(&program, &top, &state, &account())?;
        let items = system.items(&job, &folder)?;
        Ok(Self {
            system,
            job,
            top,
            program,
            folder,
            items,
        })
    }
}

/// What was noted in this work tree. What a copy of another work tree finds there is that one's.
fn kept(repo: &Repo) -> Result<Option<Kept>, Error> {
    let noted = |repo: &Repo| -> Result<Option<Kept>, Error> {
        let journal = Journal::load(&state_folder(repo.git_dir()))?;
        Ok(journal.and_then(|journal| journal.autostart))
    };
    let Some(kept) = noted(repo)? else {
        return Ok(None);
    };
    if kept.top == repo.top() {
        return Ok(Some(kept));
    }
    let is_anothers = Repo::at(&kept.top).is_ok_and(|other| {
        other.git_dir() != repo.git_dir()
            && noted(&other).is_ok_and(|others| others.is_some_and(|others| others.top == kept.top))
    });
    Ok((!is_anothers).then_some(kept))
}

/// That a file goes, if it is there.
fn removal(path: &Path) -> Result<Option<Step>, Error> {
    let Ok(metadata) = path.symlink_metadata() else {
        return Ok(None);
    };
    let kind = match metadata.is_symlink() {
        true => Holds::LinkTo(PathBuf::new()),
        false => Holds::Bytes(Vec::new()),
    };
    let before = kind.at(path)?;
    Ok(before.is_some().then(|| Step {
        path: path.to_path_buf(),
        before,
        after: None,
    }))
}

fn target(holds: Option<&Holds>) -> Option<PathBuf> {
    match holds? {
        Holds::LinkTo(target) => Some(target.clone()),
        Holds::Bytes(_) => None,
    }
}

fn bytes(holds: Option<&Holds>) -> Option<Vec<u8>> {
    match holds? {
        Holds::Bytes(bytes) => Some(bytes.clone()),
        Holds::LinkTo(_) => None,
    }
}

/// The user, as Windows calls them.
fn account() -> String {
    let part = |name| std::env::var(name).unwrap_or_default();
    let (domain, user) = (part("USERDOMAIN"), part("USERNAME"));
    match domain.is_empty() {
        true => user,
        false => format!("{domain}\\{user}"),
    }
}
