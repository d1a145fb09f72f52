//! The documents of a work tree and how each of them stands.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::changes::Changes;
use super::walk::{self, git_path};
use super::{Error, Repo};
use crate::context::{ANNOTATION_KEY, CONFLICTS_KEY, Says, contests, may_carry, mentions};
use crate::crdt::Stamp;
use crate::yaml::{self, Kind, Limits, NodeRef};

/// How a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// As in HEAD.
    Clean,
    /// Different from HEAD, or not in HEAD.
    Edited,
    /// With git's conflict markers or kept losers in it, or unmerged in the index.
    Conflicted,
    /// Without the marker that it could have, or not in the care of the merge driver.
    Unmigrated,
    /// Not to be read.
    Unparsable,
    /// As in HEAD, with edits that are known and not shown.
    Parked,
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
            Self::Parked => "parked",
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
    /// How many places git has marked in it, or how many losers are kept in it.
    pub conflicts: usize,
    /// How many edits of it HEAD does not contain, by their stamps.
    pub pending: usize,
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

/// The context files of a work tree, unread.
#[derive(Debug)]
pub struct ContextFiles {
    /// Their paths from the top, in order.
    pub files: Vec<PathBuf>,
    /// The folders in which some may come to be, from the top.
    pub folders: Vec<PathBuf>,
    /// Folders that could not be looked into.
    pub problems: Vec<Error>,
}

impl Repo {
    /// Finds the documents of the work tree.
    ///
    /// # Errors
    ///
    /// When the index or the top of the work tree cannot be read.
    pub fn context_files(&self) -> Result<ContextFiles, Error> {
        let walk::Found {
            files,
            folders,
            problems,
        } = walk::find(self)?;
        Ok(ContextFiles {
            files,
            folders,
            problems,
        })
    }

    /// Finds the documents of the work tree and looks at each.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read; what concerns a single file or folder is told in the result.
    pub fn documents(&self) -> Result<Documents, Error> {
        let found = walk::find(self)?;
        let has_driver = self.driver_command()?.is_some();
        let changes = Changes::among(&found.files, self)?;
        let mut all = Vec::with_capacity(found.files.len());
        for path in found.files {
            let git_path = git_path(&path);
            let standing = Standing {
                covered: has_driver && self.leads_to_driver(&path)?,
                edited: changes.edited.contains(&git_path),
                unmerged: changes.unmerged.contains(&git_path),
            };
            all.push(self.look_at(path, standing));
        }
        Ok(Documents {
            all,
            problems: found.problems,
        })
    }

    fn look_at(&self, path: PathBuf, standing: Standing) -> Document {
        let mut document = Document {
            scope: scope_of(&path),
            path,
            state: State::Clean,
            records: 0,
            conflicts: 0,
            pending: 0,
            problem: None,
        };
        let path = self.top().join(&document.path);
        let length = path.metadata().map_or(0, |metadata| metadata.len());
        if let Err(error) = Limits::default().allow(length) {
            document.state = State::Unparsable;
            document.problem = Some(error.to_string());
            return document;
        }
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                document.state = State::Unparsable;
                document.problem = Some(format!("cannot be read: {error}"));
                return document;
            }
        };
        document.conflicts = marked_places(&bytes);
        if document.conflicts > 0 || standing.unmerged {
            document.state = State::Conflicted;
            return document;
        }
        let read = match yaml::Document::read(&bytes, &Limits::default()) {
            Ok(read) => read,
            Err(error) => {
                document.state = State::Unparsable;
                document.problem = Some(error.to_string());
                return document;
            }
        };
        let edits = Edits::of(&read);
        document.records = records(&read);
        if may_be_contested(&bytes) {
            let open = contests(&read);
            document.conflicts = open.iter().map(|contest| contest.losers.len()).sum();
        }
        if standing.edited && !edits.stamps.is_empty() {
            let head = self.stamps_in_head(&document.path);
            document.pending = edits.stamps.difference(&head).count();
        }
        if document.conflicts > 0 {
            document.state = State::Conflicted;
        } else if !standing.covered || lacks_marker(&read) {
            document.state = State::Unmigrated;
        } else if standing.edited {
            document.state = State::Edited;
        }
        document
    }

    /// The stamps in HEAD's version of a file; none where it has none that can be read.
    fn stamps_in_head(&self, path: &Path) -> BTreeSet<Stamp> {
        let head = self.in_head(path).ok().flatten();
        head.and_then(|head| yaml::Document::read(&head, &Limits::default()).ok())
            .map(|document| Edits::of(&document).stamps)
            .unwrap_or_default()
    }
}

/// Whether something may be contested in a file: it says that something lost, or how a record was born.
fn may_be_contested(bytes: &[u8]) -> bool {
    let says = |words: &str| memchr::memmem::find(bytes, words.as_bytes()).is_some();
    says(CONFLICTS_KEY) || says(ANNOTATION_KEY) && says("+")
}

/// What a document says of its own edits.
#[derive(Default)]
struct Edits {
    stamps: BTreeSet<Stamp>,
}

impl Edits {
    fn of(document: &yaml::Document) -> Self {
        let mut edits = Self::default();
        for mention in mentions(document) {
            let annotation = match mention.says {
                Some(Says::Annotation(annotation)) => annotation,
                Some(Says::Marker(marker)) => marker.annotation,
                Some(Says::Conflicts(_)) | None => continue,
            };
            let birth = annotation.birth.and_then(|birth| birth.stamp);
            let leaves = annotation.leaves.values().flatten();
            let added = annotation.amounts.values().flatten();
            edits.stamps.extend(added.map(|(stamp, _)| *stamp));
            edits.stamps.extend(birth);
            edits.stamps.extend(leaves.map(|stamped| stamped.stamp));
        }
        edits
    }
}

/// Whether a document could have a marker and has none.
#[must_use]
pub fn lacks_marker(document: &yaml::Document) -> bool {
    document
        .root()
        .is_some_and(|root| may_carry(root) && root.get(ANNOTATION_KEY).is_none())
}

/// What git says about one file.
struct Standing {
    covered: bool,
    edited: bool,
    unmerged: bool,
}

/// The folder whose context a file is: where its outermost `.rhema` lies.
pub(crate) fn scope_of(path: &Path) -> PathBuf {
    path.components()
        .take_while(|part| part.as_os_str() != walk::CONTEXT)
        .collect()
}

/// How many records the lists at the top of a document hold.
fn records(document: &yaml::Document) -> usize {
    let mut records = 0;
    for part in document.parts() {
        let root = document.node(part.root);
        records += records_of(root);
        if root.kind() == Kind::Mapping {
            records += root
                .entries()
                .map(|entry| records_of(entry.value()))
                .sum::<usize>();
        }
    }
    records
}

/// The records in a list, which has nothing but mappings in it.
fn records_of(node: NodeRef<'_>) -> usize {
    let is_list = node.kind() == Kind::Sequence
        && node
            .entries()
            .all(|entry| entry.value().kind() == Kind::Mapping);
    if is_list { node.len() } else { 0 }
}

/// How many places carry git's conflict markers, all three of them in order.
pub(crate) fn marked_places(bytes: &[u8]) -> usize {
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
    fn records_are_the_mappings_in_the_lists_at_the_top() {
        let text = "todos:\n  - id: a\n    notes:\n      - x: 1\n  - id: b\ntags: [x, y]\nowner: {name: me}\n";
        let records = |text: &str| {
            records(&yaml::Document::from_text(text.to_owned(), &Limits::default()).unwrap())
        };
        assert_eq!(records(text), 2);
        assert_eq!(records("- id: a\n- id: b\n- id: c\n"), 3);
        assert_eq!(records(""), 0);
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
