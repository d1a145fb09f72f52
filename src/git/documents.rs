//! The documents of a work tree and how each of them stands.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{AttrCheckFlags, DiffOptions, Status, StatusOptions};

use super::walk::{self, git_path};
use super::{DRIVER, Error, Repo, config};

/// How a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// As in HEAD.
    Clean,
    /// Different from HEAD, or not in HEAD.
    Edited,
    /// With git's conflict markers in it, or unmerged in the index.
    Conflicted,
    /// Not in the care of the merge driver.
    Unmigrated,
    /// Not to be read.
    Unparsable,
}

impl State {
    /// The one-word name, for people and scripts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Edited => "edited",
            Self::Conflicted => "conflicted",
            Self::Unmigrated => "unmigrated",
            Self::Unparsable => "unparsable",
        }
    }
}

/// One context file.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its path from the top of the work tree.
    pub path: PathBuf,
    /// The folder whose context it is, from the top of the work tree; empty for the top itself.
    pub scope: PathBuf,
    /// How it stands.
    pub state: State,
    /// How many records its lists hold.
    pub records: usize,
    /// How many places git has marked in it.
    pub conflicts: usize,
    /// Why it cannot be read, with line and column where they are known: `3:5: …`.
    pub problem: Option<String>,
}

/// All context files of a work tree.
#[derive(Debug)]
pub struct Documents {
    /// The files, in order of their paths.
    pub all: Vec<Document>,
    /// What could not be looked at.
    pub problems: Vec<Error>,
}

impl Repo {
    /// The command of the merge driver, from wherever in git's configuration it comes.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read.
    pub fn driver_command(&self) -> Result<Option<String>, Error> {
        let reading = || Error::libgit2("read git's configuration");
        let configuration = self
            .inner
            .config()
            .and_then(|mut all| all.snapshot())
            .map_err(reading())?;
        match configuration.get_bytes(config::COMMAND) {
            Ok([]) => Ok(None),
            Ok(command) => Ok(Some(String::from_utf8_lossy(command).into_owned())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(reading()(error)),
        }
    }

    /// Whether the attributes hand the file at `path` (from the top of the work tree) to the merge driver.
    ///
    /// # Errors
    ///
    /// When the attributes cannot be read.
    pub fn leads_to_driver(&self, path: &Path) -> Result<bool, Error> {
        let merge = self
            .inner
            .get_attr_bytes(path, "merge", AttrCheckFlags::FILE_THEN_INDEX)
            .map_err(Error::libgit2("read git's attributes"))?;
        Ok(merge == Some(DRIVER.as_bytes()))
    }

    /// Finds the documents of the work tree and looks at each.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read; what concerns a single file or folder is told in the result.
    pub fn documents(&self) -> Result<Documents, Error> {
        let found = walk::find(self)?;
        let has_driver = self.driver_command()?.is_some();
        let changes = self.changes_of(&found.files)?;
        let mut all = Vec::with_capacity(found.files.len());
        for path in found.files {
            let change = changes
                .get(&git_path(&path))
                .copied()
                .unwrap_or(Status::CURRENT);
            let covered = has_driver && self.leads_to_driver(&path)?;
            all.push(self.look_at(path, change, covered));
        }
        Ok(Documents {
            all,
            problems: found.problems,
        })
    }

    fn look_at(&self, path: PathBuf, change: Status, covered: bool) -> Document {
        let mut document = Document {
            scope: scope_of(&path),
            path,
            state: State::Clean,
            records: 0,
            conflicts: 0,
            problem: None,
        };
        let bytes = match fs::read(self.top().join(&document.path)) {
            Ok(bytes) => bytes,
            Err(error) => {
                document.state = State::Unparsable;
                document.problem = Some(format!("cannot be read: {error}"));
                return document;
            }
        };
        document.conflicts = marked_places(&bytes);
        if document.conflicts > 0 || change.is_conflicted() {
            document.state = State::Conflicted;
            return document;
        }
        match records(&bytes) {
            Ok(records) => document.records = records,
            Err(problem) => {
                document.state = State::Unparsable;
                document.problem = Some(problem);
                return document;
            }
        }
        if !covered {
            document.state = State::Unmigrated;
        } else if self.differs_from_head(&document.path, change) {
            document.state = State::Edited;
        }
        document
    }

    /// What git says has changed, for each of the files; those that did not change are left out.
    fn changes_of(&self, files: &[PathBuf]) -> Result<HashMap<Vec<u8>, Status>, Error> {
        if files.is_empty() {
            return Ok(HashMap::new());
        }
        let mut options = StatusOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_ignored(true)
            .recurse_ignored_dirs(true)
            .exclude_submodules(true)
            .disable_pathspec_match(true);
        for file in files {
            options.pathspec(git_path(file));
        }
        let statuses = self
            .inner
            .statuses(Some(&mut options))
            .map_err(Error::libgit2("compare with HEAD"))?;
        Ok(statuses
            .iter()
            .map(|entry| (entry.path_bytes().to_vec(), entry.status()))
            .collect())
    }

    /// Whether the file differs from HEAD, given what git says of HEAD, index and work tree in turn.
    fn differs_from_head(&self, path: &Path, change: Status) -> bool {
        let staged = Status::INDEX_MODIFIED | Status::INDEX_TYPECHANGE;
        if !(change.intersects(staged) && change.intersects(Status::WT_MODIFIED)) {
            return change != Status::CURRENT;
        }
        // Changed and staged, then changed again: perhaps back to what HEAD has.
        let mut options = DiffOptions::new();
        options
            .pathspec(git_path(path))
            .disable_pathspec_match(true);
        let head = self.inner.head().and_then(|head| head.peel_to_tree());
        let diff = head.and_then(|head| {
            self.inner
                .diff_tree_to_workdir(Some(&head), Some(&mut options))
        });
        diff.map_or(true, |diff| diff.deltas().len() > 0)
    }
}

/// The folder whose context a file is: where its outermost `.rhema` lies.
fn scope_of(path: &Path) -> PathBuf {
    path.components()
        .take_while(|part| part.as_os_str() != walk::CONTEXT)
        .collect()
}

/// How many records the lists of a document hold, or why it cannot be read.
fn records(_bytes: &[u8]) -> Result<usize, String> {
    Ok(0)
}

/// How many places carry git's conflict markers, all three of them in order.
fn marked_places(bytes: &[u8]) -> usize {
    let mut signs = b"<=>".iter().cycle().peekable();
    let mut markers = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        if signs.next_if(|sign| is_marker(line, **sign)).is_some() {
            markers += 1;
        }
    }
    markers / 3
}

/// Whether a line begins with at least seven of `sign`, alone or set off from a label by a space.
fn is_marker(line: &[u8], sign: u8) -> bool {
    let length = line.iter().take_while(|byte| **byte == sign).count();
    length >= 7 && matches!(line.get(length), None | Some(b' ' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_place_has_all_three_markers() {
        let place = "<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n";
        assert_eq!(marked_places(place.as_bytes()), 1);
        assert_eq!(
            marked_places(place.replace('\n', "\r\n").repeat(3).as_bytes()),
            3
        );
        let with_base = place.replace("=======", "||||||| base\na: 0\n=======");
        assert_eq!(marked_places(with_base.as_bytes()), 1);
        let long = place
            .replace("<<<<<<<", "<<<<<<<<<")
            .replace("=======", "=========")
            .replace(">>>>>>>", ">>>>>>>>>");
        assert_eq!(marked_places(long.as_bytes()), 1);
    }

    #[test]
    fn a_rule_of_equals_signs_is_no_conflict() {
        assert_eq!(
            marked_places(b"Title\n=======\ntext: |\n  <<<<<<< quoted\n"),
            0
        );
    }

    #[test]
    fn the_scope_is_the_folder_above_the_context() {
        assert_eq!(scope_of(Path::new(".rhema/todos.yaml")), Path::new(""));
        assert_eq!(
            scope_of(Path::new("services/api/.rhema/a/b.yaml")),
            Path::new("services/api")
        );
    }
}
