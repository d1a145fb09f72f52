//! Finding the context files of a work tree: every YAML file below a `.rhema` folder, at any depth.
//!
//! The index knows the tracked files, so ignore rules are asked only at the rim of what is tracked: a folder with a
//! tracked file in it is entered, any other one unless git ignores it or another repository lives there. Symbolic links
//! are not followed.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Error, Repo};

/// The folder that makes the one it lies in a scope.
pub(super) const CONTEXT: &str = ".rhema";

/// The folder in [`CONTEXT`] that holds our own files.
const OWN: &str = "crdt";

/// What was found below the top of the work tree.
#[derive(Default)]
pub(super) struct Found {
    /// The context files, relative to the top, in order.
    pub(super) files: Vec<PathBuf>,
    /// Folders that could not be read.
    pub(super) problems: Vec<Error>,
}

/// What the index holds, as far as the search needs it.
pub(super) struct Tracked {
    /// Folders with a tracked file somewhere below.
    folders: HashSet<Vec<u8>>,
    /// Tracked context files, unmerged ones too.
    files: HashSet<Vec<u8>>,
}

impl Tracked {
    /// Reads the index of the repository.
    pub(super) fn read(repo: &Repo) -> Result<Self, Error> {
        const COMMIT: u32 = 0o160_000;
        let index = repo
            .inner
            .index()
            .map_err(Error::libgit2("read the index"))?;
        let mut tracked = Self {
            folders: HashSet::new(),
            files: HashSet::new(),
        };
        let mut last_folder: Vec<u8> = Vec::new();
        for entry in index.iter().filter(|entry| entry.mode != COMMIT) {
            let Some(end) = entry.path.iter().rposition(|byte| *byte == b'/') else {
                continue;
            };
            let folder = entry.path.get(..end).unwrap_or_default();
            if folder != last_folder {
                last_folder = folder.to_vec();
                tracked.add_folder(folder);
            }
            if folder
                .split(|byte| *byte == b'/')
                .any(|name| name == CONTEXT.as_bytes())
            {
                tracked.files.insert(entry.path);
            }
        }
        Ok(tracked)
    }

    fn add_folder(&mut self, mut folder: &[u8]) {
        while self.folders.insert(folder.to_vec()) {
            let Some(end) = folder.iter().rposition(|byte| *byte == b'/') else {
                break;
            };
            folder = folder.get(..end).unwrap_or_default();
        }
    }
}

/// Finds the context files of a work tree.
pub(super) fn find(repo: &Repo) -> Result<Found, Error> {
    let tracked = Tracked::read(repo)?;
    let mut found = Found::default();
    let mut search = Search {
        repo,
        tracked: &tracked,
        found: &mut found,
    };
    search.folder(Path::new(""), Place::Outside);
    found.files.sort();
    Ok(found)
}

/// Where a folder lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    /// The `.rhema` folder itself.
    Context,
    Within,
}

struct Search<'a> {
    repo: &'a Repo,
    tracked: &'a Tracked,
    found: &'a mut Found,
}

impl Search<'_> {
    fn folder(&mut self, folder: &Path, place: Place) {
        let path = self.repo.top().join(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(source) => return self.found.problems.push(Error::Read { path, source }),
        };
        for entry in entries {
            let (entry, kind) =
                match entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind))) {
                    Ok(found) => found,
                    Err(source) => {
                        self.found.problems.push(Error::Read {
                            path: path.clone(),
                            source,
                        });
                        continue;
                    }
                };
            let name = entry.file_name();
            if kind.is_dir() {
                let inner = match place {
                    Place::Outside if name == CONTEXT => Place::Context,
                    Place::Outside => Place::Outside,
                    Place::Context if name == OWN => continue,
                    Place::Context | Place::Within => Place::Within,
                };
                let below = folder.join(&name);
                if name != ".git" && self.enters(&below) {
                    self.folder(&below, inner);
                }
            } else if kind.is_file() && place != Place::Outside && is_yaml(&name) {
                let file = folder.join(&name);
                if self.tracked.files.contains(&git_path(&file)) || !self.ignored(&file) {
                    self.found.files.push(file);
                }
            }
        }
    }

    fn enters(&self, folder: &Path) -> bool {
        self.tracked.folders.contains(&git_path(folder))
            || !(self.repo.top().join(folder).join(".git").exists()
                || self.ignored(&folder.join("")))
    }

    fn ignored(&self, path: &Path) -> bool {
        self.repo.inner.is_path_ignored(path).unwrap_or(false)
    }
}

fn is_yaml(name: &OsStr) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// A relative path as git writes it.
pub(super) fn git_path(path: &Path) -> Vec<u8> {
    if cfg!(windows) {
        path.to_string_lossy().replace('\\', "/").into_bytes()
    } else {
        path.as_os_str().as_encoded_bytes().to_vec()
    }
}
