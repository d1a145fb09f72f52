//! Finding the context files of a work tree: every YAML file below a `.rhema` folder, at any depth.
//!
//! The index knows the tracked files, so ignore rules are asked only at the rim of what is tracked: a folder with a
//! tracked file in it is entered, any other one unless git ignores it or another repository lives there. Symbolic links
//! are not followed.
//!
//! Most folders of a big work tree hold nothing but tracked folders and files. Where the file system counts the folders
//! in a folder (its link count is two more), such a folder need not be listed, which makes the search several times as
//! fast.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::{Error, Repo, index};

/// The folder that makes the one it lies in a scope.
pub(super) const CONTEXT: &str = ".rhema";

/// The folder in [`CONTEXT`] that holds our own files.
const OWN: &str = "crdt";

/// What was found below the top of the work tree.
#[derive(Default)]
pub(super) struct Found {
    /// The context files, relative to the top, in order.
    pub(super) files: Vec<PathBuf>,
    /// The folders in which some may come to be, relative to the top.
    pub(super) folders: Vec<PathBuf>,
    /// Folders that could not be read.
    pub(super) problems: Vec<Error>,
}

/// Finds the context files of a work tree.
pub(super) fn find(repo: &Repo) -> Result<Found, Error> {
    let read = |source| Error::Read {
        path: repo.top().to_path_buf(),
        source,
    };
    let top = repo.top().symlink_metadata().map_err(read)?;
    let tracked = Tracked::read(repo)?;
    let counted = counted_device(repo.top(), &top).map_err(read)?;
    let mut search = Search {
        repo,
        tracked: &tracked,
        counted,
        found: Found::default(),
    };
    search.outside(Path::new(""), &top);
    search.found.files.sort();
    Ok(search.found)
}

impl Repo {
    /// Makes the folders that the file at `path`, from the top of the work tree, is to lie in; why it cannot lie there, if so:
    /// only what [`find`] would find may.
    ///
    /// # Errors
    ///
    /// When a folder cannot be made.
    pub(crate) fn make_room(&self, path: &Path) -> Result<Result<(), String>, Error> {
        let mut folder = self.top().to_path_buf();
        if self.inner.is_path_ignored(path).unwrap_or(false) {
            return Ok(Err("git ignores it here, so it is not made".to_owned()));
        }
        for name in path.parent().into_iter().flat_map(Path::components) {
            folder.push(name);
            let failed = |source| Error::Write {
                path: folder.clone(),
                source,
            };
            match folder.symlink_metadata() {
                Ok(there) if !there.is_dir() => {
                    let why = format!("{} is no folder here, so it is not made", folder.display());
                    return Ok(Err(why));
                }
                Ok(_) if folder.join(".git").symlink_metadata().is_ok() => {
                    let why = format!(
                        "{} is another repository, so it is not made",
                        folder.display()
                    );
                    return Ok(Err(why));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir(&folder).map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(Ok(()))
    }
}

/// What the index holds, as far as the search needs it; by paths as git writes them.
#[derive(Default)]
struct Tracked {
    /// Folders with a tracked file somewhere below, and those among them that lie directly in each.
    folders: HashMap<Vec<u8>, Vec<PathBuf>>,
    /// Tracked context files, unmerged ones too.
    files: HashSet<Vec<u8>>,
}

impl Tracked {
    fn read(repo: &Repo) -> Result<Self, Error> {
        if let Some(tracked) = Self::read_lightly(repo) {
            return Ok(tracked);
        }
        let index = repo
            .inner
            .index()
            .map_err(|source| Error::UnsupportedIndex { source })?;
        let mut tracked = Self::default();
        let mut last_folder = Vec::new();
        for entry in index.iter() {
            tracked.add(&entry.path, entry.mode, &mut last_folder);
        }
        Ok(tracked)
    }

    /// The same without libgit2; nothing for an index elsewhere than usual, or of an unusual form.
    fn read_lightly(repo: &Repo) -> Option<Self> {
        if std::env::var_os("GIT_INDEX_FILE").is_some() {
            return None;
        }
        let bytes = fs::read(repo.git_dir().join("index")).ok()?;
        let mut tracked = Self::default();
        let mut last_folder = Vec::new();
        index::each_entry(&bytes, |path, mode| {
            tracked.add(path, mode, &mut last_folder);
        })?;
        Some(tracked)
    }

    /// Notes an entry of the index; `last_folder` is that of the one before.
    fn add(&mut self, path: &[u8], mode: u32, last_folder: &mut Vec<u8>) {
        const SUBMODULE: u32 = 0o160_000;
        if mode == SUBMODULE {
            return;
        }
        let folder = parent(path);
        if folder != last_folder.as_slice() {
            last_folder.clear();
            last_folder.extend_from_slice(folder);
            self.add_folder(folder);
        }
        if folder
            .split(|byte| *byte == b'/')
            .any(|name| name == CONTEXT.as_bytes())
        {
            self.files.insert(path.to_vec());
        }
    }

    /// Notes a folder, and each in the one above it.
    fn add_folder(&mut self, mut folder: &[u8]) {
        let mut new = !self.folders.contains_key(folder);
        self.folders.entry(folder.to_vec()).or_default();
        while new && !folder.is_empty() {
            let above = parent(folder);
            new = !self.folders.contains_key(above);
            self.folders
                .entry(above.to_vec())
                .or_default()
                .push(native_path(folder));
            folder = above;
        }
    }

    fn has_folder(&self, folder: &Path) -> bool {
        self.folders.contains_key(&git_path(folder))
    }

    fn folders_in(&self, folder: &Path) -> &[PathBuf] {
        self.folders
            .get(&git_path(folder))
            .map_or(&[], Vec::as_slice)
    }
}

struct Search<'a> {
    repo: &'a Repo,
    tracked: &'a Tracked,
    counted: Option<u64>,
    found: Found,
}

impl Search<'_> {
    /// Searches a folder that is in no `.rhema`.
    fn outside(&mut self, folder: &Path, metadata: &Metadata) {
        self.found.folders.push(folder.to_path_buf());
        let mut present = 0;
        for inner in self.tracked.folders_in(folder) {
            if let Some(metadata) = self.real_folder(inner) {
                present += 1;
                self.enter(inner, &metadata);
            }
        }
        if self.has_just(metadata, present) {
            return;
        }
        for (inner, kind) in self.list(folder) {
            if kind.is_dir()
                && !self.tracked.has_folder(&inner)
                && self.is_ours(&inner)
                && let Some(metadata) = self.real_folder(&inner)
            {
                self.enter(&inner, &metadata);
            }
        }
    }

    fn enter(&mut self, folder: &Path, metadata: &Metadata) {
        if folder.file_name() == Some(OsStr::new(CONTEXT)) {
            self.context(folder, true);
        } else {
            self.outside(folder, metadata);
        }
    }

    /// Searches a `.rhema` folder, or one below.
    fn context(&mut self, folder: &Path, itself: bool) {
        self.found.folders.push(folder.to_path_buf());
        for (inner, kind) in self.list(folder) {
            let tracked = self.tracked;
            if kind.is_dir() {
                let own = itself && inner.file_name() == Some(OsStr::new(OWN));
                if !own && (tracked.has_folder(&inner) || self.is_ours(&inner)) {
                    self.context(&inner, false);
                }
            } else if kind.is_file()
                && is_yaml(&inner)
                && (tracked.files.contains(&git_path(&inner)) || !self.is_ignored(&inner))
            {
                self.found.files.push(inner);
            }
        }
    }

    /// What is in a folder, from the top.
    fn list(&mut self, folder: &Path) -> Vec<(PathBuf, FileType)> {
        let path = self.repo.top().join(folder);
        let listed = fs::read_dir(&path).and_then(|entries| {
            entries
                .map(|entry| {
                    entry.and_then(|entry| Ok((folder.join(entry.file_name()), entry.file_type()?)))
                })
                .collect()
        });
        listed.unwrap_or_else(|source| {
            self.found.problems.push(Error::Read { path, source });
            Vec::new()
        })
    }

    /// The metadata of a folder that is there and no link.
    fn real_folder(&self, folder: &Path) -> Option<Metadata> {
        let metadata = self.repo.top().join(folder).symlink_metadata().ok()?;
        metadata.is_dir().then_some(metadata)
    }

    /// Whether a folder without tracked files belongs to this repository all the same.
    fn is_ours(&self, folder: &Path) -> bool {
        folder.file_name() != Some(OsStr::new(".git"))
            && !self.repo.top().join(folder).join(".git").exists()
            && !self.is_ignored(&folder.join(""))
    }

    fn is_ignored(&self, path: &Path) -> bool {
        self.repo.inner.is_path_ignored(path).unwrap_or(false)
    }

    /// Whether a folder is known to hold no other folders than the `present` ones.
    fn has_just(&self, folder: &Metadata, present: u64) -> bool {
        self.counted.is_some() && self.counted == device(folder) && links(folder) == present + 2
    }
}

/// The device of the work tree, if its file system counts the folders in a folder. Not all do; those that do not are
/// found out by the top, which holds one folder at least where `.git` is one.
fn counted_device(top: &Path, metadata: &Metadata) -> io::Result<Option<u64>> {
    let mut folders = 0;
    for entry in fs::read_dir(top)? {
        folders += u64::from(entry?.file_type()?.is_dir());
    }
    let counts = folders > 0 && links(metadata) == folders + 2;
    Ok(if counts { device(metadata) } else { None })
}

#[cfg(unix)]
fn device(metadata: &Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::dev(metadata))
}

#[cfg(unix)]
fn links(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn device(_: &Metadata) -> Option<u64> {
    None
}

#[cfg(not(unix))]
fn links(_: &Metadata) -> u64 {
    0
}

/// Whether a path is that of a context file: of YAML below a `.rhema`, and not one of our own.
pub(crate) fn is_context_file(path: &Path) -> bool {
    let mut below = path
        .components()
        .skip_while(|part| part.as_os_str() != CONTEXT);
    below.next().is_some()
        && below.next().is_some_and(|part| part.as_os_str() != OWN)
        && is_yaml(path)
}

/// Whether a path is that of a `.rhema` folder, or of something below one.
#[cfg(feature = "net")]
pub(crate) fn is_in_context(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == CONTEXT)
}

fn is_yaml(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// The folder of a path as git writes it; empty at the top.
fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    path.get(..end).unwrap_or_default()
}

/// A relative path as git writes it.
pub(crate) fn git_path(path: &Path) -> Vec<u8> {
    if cfg!(windows) {
        path.to_string_lossy().replace('\\', "/").into_bytes()
    } else {
        path.as_os_str().as_encoded_bytes().to_vec()
    }
}

#[cfg(unix)]
pub(crate) fn native_path(path: &[u8]) -> PathBuf {
    let path: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(path);
    path.into()
}

#[cfg(not(unix))]
pub(crate) fn native_path(path: &[u8]) -> PathBuf {
    String::from_utf8_lossy(path).into_owned().into()
}
