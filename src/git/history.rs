//! Git's graph as the overlay asks for it, and what commits and the index hold at a document's path.
//!
//! Commits are read once for all documents, and on the way down to a path the trees are compared by their names: nothing
//! is compared by content, and a tree that was seen before is not read again.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use git2::{ErrorCode, IndexEntry, ObjectType, Oid, TreeWalkMode, TreeWalkResult};
use rustc_hash::FxHashMap;

use super::walk::{git_path, is_context_file, native_path};
use super::{Error, Repo};
use crate::overlay::{BlobId, CommitId, DocumentPath, History, Version};

/// How many published ancestors a commit has at most.
const MOST_PUBLISHED: usize = 4;

impl Repo {
    /// The versions of one document in git's graph.
    #[must_use]
    pub fn history_of(&self, path: &DocumentPath) -> DocumentHistory<'_> {
        DocumentHistory {
            repo: self,
            way: Way::to(path.as_bytes()),
            path: native_path(path.as_bytes()),
            is_converted: OnceCell::new(),
        }
    }

    /// The commit that HEAD names; none before the first one.
    ///
    /// # Errors
    ///
    /// When HEAD cannot be read.
    pub fn head_commit(&self) -> Result<Option<CommitId>, Error> {
        match self.inner.head().and_then(|head| head.peel_to_commit()) {
            Ok(commit) => Ok(Some(commit_id(commit.id()))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::libgit2("read HEAD")(error)),
        }
    }

    /// A document in HEAD; none where it is not there.
    ///
    /// # Errors
    ///
    /// When HEAD cannot be read.
    pub fn blob_in_head(&self, path: &DocumentPath) -> Result<Option<BlobId>, Error> {
        match self.head_commit()? {
            Some(head) => self.blob_in(head, path),
            None => Ok(None),
        }
    }

    /// A document in a commit; none where it is not there.
    ///
    /// # Errors
    ///
    /// When the commit is not at hand or cannot be read.
    pub fn blob_in(&self, commit: CommitId, path: &DocumentPath) -> Result<Option<BlobId>, Error> {
        let reading = Error::libgit2("read a commit");
        let commit = self.inner.find_commit(oid(commit)).map_err(reading)?;
        let blob = Way::to(path.as_bytes()).blob(self, commit.tree_id())?;
        Ok(blob.map(blob_id))
    }

    /// A document in the index; none where it is not there, or has several versions because a merge is to be finished.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn blob_in_index(&self, path: &DocumentPath) -> Result<Option<BlobId>, Error> {
        Ok(self.entry_in_index(path)?.map(|entry| blob_id(entry.id)))
    }

    fn entry_in_index(&self, path: &DocumentPath) -> Result<Option<IndexEntry>, Error> {
        let unsupported = |source| Error::UnsupportedIndex { source };
        let mut index = self.inner.index().map_err(unsupported)?;
        // libgit2 keeps what it has read; this looks whether it is still that.
        index.read(false).map_err(unsupported)?;
        // libgit2's bindings take no others.
        let is_plain = |path: &PathBuf| {
            let mut parts = path.components();
            !path.as_os_str().is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
        };
        let path = (!path.as_bytes().contains(&0)).then(|| native_path(path.as_bytes()));
        let entry = path
            .filter(is_plain)
            .and_then(|path| index.get_path(&path, 0));
        Ok(entry)
    }

    /// The commit that a name stands for: of a branch, a tag, or any other that git knows.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn commit_named(&self, name: &str) -> Result<CommitId, Error> {
        let found = self.inner.revparse_single(name);
        let commit = found.and_then(|object| object.peel_to_commit());
        let unknown = |_| Error::NoSuchCommit {
            name: name.to_owned(),
        };
        Ok(commit_id(commit.map_err(unknown)?.id()))
    }

    /// The context files in a commit, from the top, in order.
    ///
    /// # Errors
    ///
    /// When the commit cannot be read.
    pub fn context_files_in(&self, commit: CommitId) -> Result<Vec<PathBuf>, Error> {
        let reading = || Error::libgit2("read a commit");
        let commit = self.inner.find_commit(oid(commit)).map_err(reading())?;
        let tree = commit.tree().map_err(reading())?;
        let mut files = Vec::new();
        tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            let path = [folder.as_bytes(), entry.name_bytes()].concat();
            let path = native_path(&path);
            if entry.kind() == Some(ObjectType::Blob) && is_context_file(&path) {
                files.push(path);
            }
            TreeWalkResult::Ok
        })
        .map_err(reading())?;
        Ok(files)
    }

    /// A newest commit in the ancestry of both; none where they have none in common, or it is not at hand.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    pub fn common_ancestor(&self, a: CommitId, b: CommitId) -> Result<Option<CommitId>, Error> {
        match self.inner.merge_base(oid(a), oid(b)) {
            Ok(met) => Ok(Some(commit_id(met))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(Error::libgit2("compare two commits")(error)),
        }
    }

    /// The first parent of a commit; none where it has none, or is not at hand.
    ///
    /// # Errors
    ///
    /// When the commit cannot be read.
    pub fn parent_of(&self, commit: CommitId) -> Result<Option<CommitId>, Error> {
        let commit = self.graph.commit(&self.inner, oid(commit))?;
        Ok(commit.and_then(|commit| commit.parents.first().copied().map(commit_id)))
    }

    /// The parent of a commit that has no other; none where it has none or several, or is not at hand.
    ///
    /// # Errors
    ///
    /// When the commit cannot be read.
    pub fn only_parent_of(&self, commit: CommitId) -> Result<Option<CommitId>, Error> {
        let commit = self.graph.commit(&self.inner, oid(commit))?;
        Ok(commit.and_then(|commit| match commit.parents.as_slice() {
            [only] => Some(commit_id(*only)),
            _ => None,
        }))
    }

    /// The files that are not in a commit what they are in its first parent: trees that both have are not read.
    ///
    /// # Errors
    ///
    /// When one of the two cannot be read.
    pub fn files_changed_in(&self, commit: CommitId) -> Result<BTreeSet<PathBuf>, Error> {
        let comparing = || Error::libgit2("compare a commit with its parent");
        let tree = |id: CommitId| {
            let commit = self.inner.find_commit(oid(id));
            commit.and_then(|commit| commit.tree()).map_err(comparing())
        };
        let before = self.parent_of(commit)?.map(tree).transpose()?;
        let after = tree(commit)?;
        let diff = self
            .inner
            .diff_tree_to_tree(before.as_ref(), Some(&after), None)
            .map_err(comparing())?;
        let files = diff
            .deltas()
            .filter_map(|delta| delta.new_file().path_bytes().map(native_path));
        Ok(files.collect())
    }

    /// When git wrote a file of the work tree last, or took it into the index, in milliseconds since the Unix epoch; nothing
    /// where the index does not have it.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn written_by_git(&self, file: &Path) -> Result<Option<u64>, Error> {
        let entry = self.entry_in_index(&DocumentPath::new(git_path(file)))?;
        Ok(entry.map(|entry| {
            let seconds = u64::try_from(entry.mtime.seconds()).unwrap_or(0);
            seconds * 1_000 + u64::from(entry.mtime.nanoseconds()) / 1_000_000
        }))
    }

    /// The newest ancestors of a commit, itself included, that stand in a remote-tracking ref: four at most, none without
    /// remotes or where the commit is not at hand.
    ///
    /// # Errors
    ///
    /// When the refs or the history cannot be read.
    pub fn published(&self, commit: CommitId) -> Result<Vec<CommitId>, Error> {
        let reading = || Error::libgit2("read the remote-tracking branches");
        let mut tips = Vec::new();
        let refs = self
            .inner
            .references_glob("refs/remotes/*")
            .map_err(reading())?;
        for found in refs {
            // A branch that is symbolic (`origin/HEAD`) names one of the others.
            tips.extend(found.map_err(reading())?.target());
        }
        tips.sort_unstable();
        tips.dedup();
        let tips: Vec<CommitId> = tips.into_iter().map(commit_id).collect();
        let mut met = self.met_with(commit, &tips)?;
        met.truncate(MOST_PUBLISHED);
        Ok(met)
    }

    /// The newest commits that are in the ancestry of both; nothing where one of the two is not at hand.
    pub(super) fn newest_in_both(
        &self,
        ours: CommitId,
        theirs: CommitId,
    ) -> Result<Option<Vec<CommitId>>, Error> {
        let compared = self.graph.compare(&self.inner, oid(ours), &[oid(theirs)])?;
        Ok(compared.map(|compared| compared.met.into_iter().map(commit_id).collect()))
    }

    /// The bytes of a version of a file, as the repository holds them.
    ///
    /// # Errors
    ///
    /// When they are not at hand or cannot be read.
    pub fn bytes(&self, blob: BlobId) -> Result<Vec<u8>, Error> {
        let reading = Error::libgit2("read a version of a file");
        let blob = self.inner.find_blob(oid(blob)).map_err(reading)?;
        Ok(blob.content().to_vec())
    }

    /// How many bytes that are.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn length_of(&self, blob: BlobId) -> Result<u64, Error> {
        let reading = || Error::libgit2("read a version of a file");
        let objects = self.inner.odb().map_err(reading())?;
        let (length, _) = objects.read_header(oid(blob)).map_err(reading())?;
        Ok(length as u64)
    }

    /// The bytes of a file in HEAD; nothing if it is not there.
    ///
    /// # Errors
    ///
    /// When HEAD cannot be read.
    pub fn in_head(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        let blob = self.blob_in_head(&DocumentPath::new(git_path(path)))?;
        blob.map(|blob| self.bytes(blob)).transpose()
    }
}

/// The versions of one document in git's graph.
pub struct DocumentHistory<'r> {
    repo: &'r Repo,
    way: Way,
    path: PathBuf,
    /// Whether the document goes through a program on its way to the work tree.
    is_converted: OnceCell<bool>,
}

impl DocumentHistory<'_> {
    /// The document in a commit; nothing where the commit, or a tree on the way, is not at hand.
    fn blob_in(&self, commit: Oid) -> Result<Option<Option<Oid>>, Error> {
        let Some(commit) = self.repo.graph.commit(&self.repo.inner, commit)? else {
            return Ok(None);
        };
        match self.way.blob(self.repo, commit.tree) {
            Ok(blob) => Ok(Some(blob)),
            // A partial clone.
            Err(Error::Libgit2 { source, .. }) if source.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the document goes through a program on its way to the work tree.
    #[must_use]
    pub fn is_converted(&self) -> bool {
        let ask = || self.repo.is_converted(&self.path);
        *self.is_converted.get_or_init(ask)
    }

    /// A version as the work tree would hold it, but for the line ends; nothing for one that is no text.
    ///
    /// # Errors
    ///
    /// As [`Repo::bytes`].
    pub fn text(&self, blob: BlobId) -> Result<Option<Rc<str>>, Error> {
        if self.is_converted() {
            let bytes = self.repo.bytes_in_tree(&self.path, blob)?;
            return Ok(String::from_utf8(bytes).ok().map(Into::into));
        }
        // A large one is copied once.
        let reading = Error::libgit2("read a version of a file");
        let blob = self.repo.inner.find_blob(oid(blob)).map_err(reading)?;
        Ok(std::str::from_utf8(blob.content()).ok().map(Into::into))
    }

    /// What a commit makes of the document; nothing where that cannot be told.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub fn version_of(&self, commit: CommitId) -> Result<Option<Version>, Error> {
        self.version(oid(commit))
    }

    fn version(&self, commit: Oid) -> Result<Option<Version>, Error> {
        let Some(known) = self.repo.graph.commit(&self.repo.inner, commit)? else {
            return Ok(None);
        };
        let Some(after) = self.blob_in(commit)? else {
            return Ok(None);
        };
        let mut before = Vec::with_capacity(known.parents.len());
        for parent in &known.parents {
            let Some(blob) = self.blob_in(*parent)? else {
                return Ok(None);
            };
            before.push(blob.map(blob_id));
        }
        Ok(Some(Version {
            commit: commit_id(commit),
            before,
            after: after.map(blob_id),
        }))
    }
}

impl History for DocumentHistory<'_> {
    type Error = Error;

    fn is_ancestor(&self, ancestor: CommitId, of: CommitId) -> Result<Option<bool>, Error> {
        let graph = &self.repo.graph;
        graph.is_ancestor(&self.repo.inner, oid(ancestor), oid(of))
    }

    /// As git does, this trusts the dates of commits to be in the order of their descent but for a few: where many
    /// commits in a row are dated before their ancestors, some of `without` may be among the versions.
    fn versions(
        &self,
        of: CommitId,
        without: Option<CommitId>,
    ) -> Result<Option<Vec<Version>>, Error> {
        let without: Vec<Oid> = without.map(oid).into_iter().collect();
        let graph = &self.repo.graph;
        let compared = graph.compare(&self.repo.inner, oid(of), &without)?;
        let Some(compared) = compared.filter(|compared| !compared.is_cut) else {
            return Ok(None);
        };
        let mut versions = Vec::new();
        for commit in compared.left {
            let Some(version) = self.version(commit)? else {
                return Ok(None);
            };
            if version.is_change() {
                versions.push(version);
            }
        }
        Ok(Some(versions))
    }

    fn version_in(&self, commit: CommitId) -> Result<Option<BlobId>, Error> {
        let blob = self.blob_in(oid(commit))?;
        Ok(blob.flatten().map(blob_id))
    }

    /// As the work tree would hold them, but for the line ends: what a filter makes of a document may not even be YAML.
    fn bytes(&self, blob: BlobId) -> Result<Vec<u8>, Error> {
        match self.is_converted() {
            true => self.repo.bytes_in_tree(&self.path, blob),
            false => self.repo.bytes(blob),
        }
    }
}

/// The way down to a path, with the trees that were passed.
struct Way {
    names: Vec<Vec<u8>>,
    /// What a tree at a depth leads to.
    known: RefCell<FxHashMap<(usize, Oid), Option<Oid>>>,
}

impl Way {
    fn to(path: &[u8]) -> Self {
        Self {
            names: path
                .split(|byte| *byte == b'/')
                .map(<[u8]>::to_vec)
                .collect(),
            known: RefCell::default(),
        }
    }

    /// The file that is at the end of the way from the tree at the top of a commit.
    fn blob(&self, repo: &Repo, top: Oid) -> Result<Option<Oid>, Error> {
        let mut at = Some(top);
        for (depth, name) in self.names.iter().enumerate() {
            let Some(tree) = at else { break };
            let known = self.known.borrow().get(&(depth, tree)).copied();
            at = match known {
                Some(known) => known,
                None => {
                    let is_last = depth + 1 == self.names.len();
                    let kind = if is_last {
                        ObjectType::Blob
                    } else {
                        ObjectType::Tree
                    };
                    let reading = Error::libgit2("read a tree");
                    let read = repo.inner.find_tree(tree).map_err(reading)?;
                    let entry = Some(name).filter(|name| !name.contains(&0));
                    let found = entry
                        .and_then(|name| read.get_name_bytes(name))
                        .filter(|entry| entry.kind() == Some(kind))
                        .map(|entry| entry.id());
                    self.known.borrow_mut().insert((depth, tree), found);
                    found
                }
            };
        }
        Ok(at)
    }
}

/// Whether HEAD, or what it names, is not there yet.
fn is_absent(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch)
}

pub(super) fn commit_id(id: Oid) -> CommitId {
    CommitId::from_bytes(bytes_of(id))
}

pub(super) fn blob_id(id: Oid) -> BlobId {
    BlobId::from_bytes(bytes_of(id))
}

fn bytes_of(id: Oid) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(id.as_bytes());
    bytes
}

pub(super) fn oid(id: impl AsRef<[u8; 20]>) -> Oid {
    Oid::from_bytes(id.as_ref()).unwrap_or(Oid::ZERO_SHA1)
}
