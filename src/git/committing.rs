//! What a hook that runs before a commit needs of git: where hooks lie, what is about to be committed, and putting
//! something else there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use git2::{Index, IndexEntry};

use super::program::{git, git_on_index};
use super::walk::git_path;
use super::{Error, Repo};

/// A file that is about to be committed just as it stands in the work tree.
#[derive(Clone, Debug)]
pub struct Staged {
    /// Its path from the top of the work tree.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
    blob: git2::Oid,
}

impl Repo {
    /// The folder in which git looks for the hooks of this work tree, there or not.
    ///
    /// # Errors
    ///
    /// [`Error::SharedHooks`] where it is that of other repositories, too; when git's configuration cannot be read.
    pub fn hooks_folder(&self) -> Result<PathBuf, Error> {
        let asked = ["config", "--show-scope", "-z", "--get", "core.hooksPath"];
        let configured = git(self, asked)?.if_any()?.unwrap_or_default();
        let answer = git(self, ["rev-parse", "--git-path", "hooks"])?.success()?;
        let answer = answer.strip_suffix(b"\n").unwrap_or(&answer);
        let folder = self.top().join(super::walk::native_path(answer));
        if configured.starts_with(b"global\0") || configured.starts_with(b"system\0") {
            return Err(Error::SharedHooks { folder });
        }
        Ok(folder)
    }

    /// Those of the files that are about to be committed just as they stand in the work tree.
    ///
    /// # Errors
    ///
    /// When the index or a file cannot be read.
    pub fn staged_whole(&self, files: Vec<PathBuf>) -> Result<Vec<Staged>, Error> {
        let index = self.inner.index();
        let index = index.map_err(|source| Error::UnsupportedIndex { source })?;
        let mut staged = Vec::new();
        for path in files {
            let Some(entry) = index.get_path(&path, 0) else {
                continue;
            };
            let full = self.top().join(&path);
            let bytes = std::fs::read(&full);
            let bytes = bytes.map_err(|source| Error::Read { path: full, source })?;
            if self.index_version(&path, &bytes)?.as_ref() == Some(&bytes) {
                staged.push(Staged {
                    path,
                    bytes,
                    blob: entry.id,
                });
            }
        }
        Ok(staged)
    }

    /// Has git commit other bytes in the place of those that were staged. Where it commits some files only it also keeps an
    /// index with what is staged beside them, which gets the same.
    ///
    /// # Errors
    ///
    /// When git refuses; some of the files may be staged then.
    pub fn stage_instead(&self, files: &[(Staged, Vec<u8>)]) -> Result<(), Error> {
        let own = self.git_dir().join("index");
        let used = match std::env::var_os("GIT_INDEX_FILE") {
            Some(named) => std::path::absolute(&named).unwrap_or_else(|_| named.into()),
            None => own,
        };
        let locked = self.git_dir().join("index.lock");
        let mut indexes = vec![used];
        if locked.exists() && locked.canonicalize().ok() != indexes[0].canonicalize().ok() {
            indexes.push(locked);
        }
        let mut written = Vec::with_capacity(files.len());
        for (staged, bytes) in files {
            let mut arguments: Vec<OsString> = ["hash-object", "-w", "--stdin", "--path"]
                .map(OsString::from)
                .to_vec();
            arguments.push(staged.path.clone().into_os_string());
            let answer = git_on_index(self, &arguments, bytes, &indexes[0])?.success()?;
            written.push((staged, answer.trim_ascii().to_vec()));
        }
        for index in indexes {
            let there = Index::open(&index).map_err(|source| Error::UnsupportedIndex { source })?;
            let mut lines = Vec::new();
            for (staged, blob) in &written {
                let entry = there.get_path(&staged.path, 0);
                if let Some(entry) = entry.filter(|entry| entry.id == staged.blob) {
                    lines.extend(index_line(&entry, blob, &staged.path));
                }
            }
            let arguments = ["update-index", "-z", "--index-info"];
            git_on_index(self, arguments, &lines, &index)?.success()?;
        }
        Ok(())
    }
}

/// An entry of the index with another blob, as `git update-index --index-info` takes it.
fn index_line(entry: &IndexEntry, blob: &[u8], path: &Path) -> Vec<u8> {
    let mut line = format!("{:o} ", entry.mode).into_bytes();
    line.extend_from_slice(blob);
    line.push(b'\t');
    line.extend(git_path(path));
    line.push(0);
    line
}
