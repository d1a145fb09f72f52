//! Merges that were made without the driver: found in the history, made again as the driver would have made them, and
//! compared with what was committed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid};

use super::documents::marked_places;
use super::history::{commit_id, oid};
use super::marked::{Lines, settled};
use super::text_merge::text_merge_by;
use super::versions::with_line_ends_of;
use super::walk::{git_path, is_context_file, native_path};
use super::{Ending, Error, MergedCommits, Repo, Settings, Sides, merge_files, merge_files_of};
use crate::context::{Types, lift, named_twice};
use crate::crdt;
use crate::overlay::{
    CommitId, DocumentPath, Fate, History, Loss, MadeTwice, Since, Unrendered, position,
};
use crate::yaml::{Document, Limits};

/// So long are the markers by which marked places are told from what files hold themselves.
const MARKER_SIZE: usize = 47;

/// The ways in which git compares lines when it merges.
const ALGORITHMS: [&str; 2] = ["histogram", "myers"];

/// A merge commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// The commit.
    pub commit: CommitId,
    /// As git calls it shortly.
    pub short: String,
    /// The first line of its message.
    pub summary: String,
    parents: Vec<Oid>,
}

/// Looks for mistakes in merges.
pub struct Healing<'r> {
    repo: &'r Repo,
    settings: Settings,
}

/// What one merge got wrong in one file.
#[derive(Debug)]
pub struct Mistakes {
    /// The file, from the top of the work tree.
    pub path: PathBuf,
    /// The places; none where the file as a whole is [`misread`](Self::misread).
    pub losses: Vec<Loss>,
    /// Why the places cannot be told apart, where they cannot.
    pub misread: Option<Misread>,
    /// The line and column of the first place that is to be put right, as the file is now.
    pub position: (usize, usize),
    again: Again,
}

/// Why what a merge left cannot be compared place by place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// In words.
    pub why: String,
    /// What became of it.
    pub fate: Fate,
}

/// Which places are put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Putting {
    /// Those on which nobody decided.
    Lost,
    /// Also those on which somebody decided when the merge was committed.
    Decided,
}

impl Putting {
    fn takes(self, fate: Fate) -> bool {
        match fate {
            Fate::Lost => true,
            Fate::Decided => self == Self::Decided,
            Fate::Changed => false,
        }
    }
}

/// The merge, made again.
#[derive(Debug)]
struct Again {
    held: Vec<u8>,
    right: Vec<Vec<u8>>,
    by_lines: Vec<[Vec<u8>; 2]>,
    is_by_machine: bool,
}

impl Repo {
    /// A merge commit by its name; nothing for a commit that merges none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn merge(&self, commit: CommitId) -> Result<Option<Merge>, Error> {
        let reading = || Error::libgit2("read a commit");
        let found = self.inner.find_commit(oid(commit)).map_err(reading())?;
        if found.parent_count() < 2 {
            return Ok(None);
        }
        let short = found.as_object().short_id().map_err(reading())?;
        Ok(Some(Merge {
            commit,
            short: String::from_utf8_lossy(&short).into_owned(),
            summary: String::from_utf8_lossy(found.summary_bytes().unwrap_or_default())
                .into_owned(),
            parents: found.parent_ids().collect(),
        }))
    }

    /// The merges in HEAD's ancestry that are not in that of `since`, each behind those that it descends from; without
    /// `since` those among the last `most` commits.
    ///
    /// # Errors
    /// When the history cannot be read, or is cut off before `since`.
    pub fn merges(&self, since: Option<CommitId>, most: usize) -> Result<Vec<Merge>, Error> {
        let Some(head) = self.head_commit()? else {
            return Ok(Vec::new());
        };
        let without: Vec<Oid> = since.map(oid).into_iter().collect();
        let compared = self.graph.compare(&self.inner, oid(head), &without)?;
        let Some(mut compared) = compared.filter(|compared| since.is_none() || !compared.is_cut)
        else {
            return Err(Error::CutHistory);
        };
        if since.is_none() {
            compared.left.truncate(most);
        }
        let mut merges = Vec::new();
        for id in compared.left.into_iter().rev() {
            let commit = self.graph.commit(&self.inner, id)?;
            if commit.is_some_and(|commit| commit.parents.len() > 1) {
                merges.extend(self.merge(commit_id(id))?);
            }
        }
        Ok(merges)
    }
}

impl<'r> Healing<'r> {
    /// Looks in a repository with places of these types.
    #[must_use]
    pub fn new(repo: &'r Repo, types: Types) -> Self {
        let settings = Settings {
            marker_size: MARKER_SIZE,
            types,
            ..Settings::default()
        };
        Self { repo, settings }
    }

    /// What a merge got wrong and is not right by now; `now` tells what a file holds at present, if it is there.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn mistakes(
        &self,
        merge: &Merge,
        now: &dyn Fn(&Path) -> Option<Vec<u8>>,
    ) -> Result<Vec<Mistakes>, Error> {
        let mut all = Vec::new();
        for path in self.different(merge)? {
            let Some(now) = now(&path) else { continue };
            if let Some(again) = self.again(merge, &path)? {
                all.extend(self.compare(merge, path, again, &now)?);
            }
        }
        Ok(all)
    }

    /// The context files that are not the same in all parents.
    fn different(&self, merge: &Merge) -> Result<BTreeSet<PathBuf>, Error> {
        let comparing = || Error::libgit2("compare the parents of a merge");
        let tree = |id: Oid| {
            let commit = self.repo.inner.find_commit(id);
            commit.and_then(|commit| commit.tree()).map_err(comparing())
        };
        let mut paths = BTreeSet::new();
        let Some((first, others)) = merge.parents.split_first() else {
            return Ok(paths);
        };
        let first = tree(*first)?;
        for other in others {
            let diff = self
                .repo
                .inner
                .diff_tree_to_tree(Some(&first), Some(&tree(*other)?), None)
                .map_err(comparing())?;
            let named = diff
                .deltas()
                .filter_map(|delta| delta.new_file().path_bytes().map(native_path));
            paths.extend(named.filter(|path| is_context_file(path)));
        }
        Ok(paths)
    }

    /// The merge of a file, made again; nothing where git merges no lines of it: one side has what all began with, or lacks
    /// it, or both have the same.
    fn again(&self, merge: &Merge, path: &Path) -> Result<Option<Again>, Error> {
        let at = DocumentPath::new(git_path(path));
        let Some(held) = self.bytes(oid(merge.commit), &at)? else {
            return Ok(None);
        };
        let (last, before) = match merge.parents.split_last() {
            Some((last, before)) => (*last, before),
            None => return Ok(None),
        };
        let [ours, base] =
            [before.to_vec(), self.bases(last, before)?].map(|commits| self.merged(&commits, &at));
        let (Some(ours), base, Some(theirs)) =
            (ours?, base?.unwrap_or_default(), self.bytes(last, &at)?)
        else {
            return Ok(None);
        };
        if ours == theirs || ours == base || theirs == base {
            return Ok(None);
        }
        let sides = Sides {
            base: &base,
            ours: &ours,
            theirs: &theirs,
        };
        let commits = match before {
            [ours] => Some(MergedCommits::of(
                self.repo,
                &at,
                commit_id(*ours),
                commit_id(last),
            )),
            _ => None,
        };
        let right = match merge_files_of(&sides, &self.settings, commits.as_ref()).ending {
            Ending::Clean(bytes) => vec![bytes],
            Ending::Marked { bytes, .. } => {
                let side = |lines| settled(&bytes, MARKER_SIZE, lines);
                vec![side(Lines::Ours), side(Lines::Theirs)]
            }
            Ending::Binary => return Ok(None),
        };
        if right.first() == Some(&held) {
            return Ok(None);
        }
        let mut by_lines = Vec::new();
        let mut is_by_machine = false;
        for algorithm in ALGORITHMS {
            let Some(marked) = text_merge_by(&sides, &self.settings, algorithm) else {
                continue;
            };
            let [ours, theirs, both] = [Lines::Ours, Lines::Theirs, Lines::Both]
                .map(|lines| settled(&marked, MARKER_SIZE, lines));
            // Whoever takes one side of what is contested decides; whoever takes both leaves it to the machine.
            is_by_machine |= held == both;
            by_lines.push([ours, theirs]);
        }
        Ok(Some(Again {
            held,
            right,
            by_lines,
            is_by_machine,
        }))
    }

    /// A file as the merge of these commits has it, one after the other.
    fn merged(&self, commits: &[Oid], path: &DocumentPath) -> Result<Option<Vec<u8>>, Error> {
        let mut merged: Option<Vec<u8>> = None;
        for (index, commit) in commits.iter().enumerate() {
            let bytes = self.bytes(*commit, path)?;
            merged = match (merged, bytes) {
                (merged, bytes) if index == 0 || merged == bytes => bytes,
                (Some(ours), Some(theirs)) => {
                    let before = commits.get(..index).unwrap_or_default();
                    let base = self.merged(&self.bases(*commit, before)?, path)?;
                    let sides = Sides {
                        base: &base.unwrap_or_default(),
                        ours: &ours,
                        theirs: &theirs,
                    };
                    match merge_files(&sides, &self.settings).ending {
                        Ending::Clean(bytes) | Ending::Marked { bytes, .. } => Some(bytes),
                        Ending::Binary => Some(ours),
                    }
                }
                (merged, bytes) => merged.or(bytes),
            };
        }
        Ok(merged)
    }

    /// The newest commits that are in the ancestry of a commit and of one of the others.
    fn bases(&self, commit: Oid, others: &[Oid]) -> Result<Vec<Oid>, Error> {
        let all: Vec<Oid> = std::iter::once(commit)
            .chain(others.iter().copied())
            .collect();
        let found = match others {
            [other] => self.repo.inner.merge_bases(commit, *other),
            _ => self.repo.inner.merge_bases_many(&all),
        };
        match found {
            // Git begins with the oldest.
            Ok(bases) => Ok(bases.iter().rev().copied().collect()),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::libgit2("compare the parents of a merge")(error)),
        }
    }

    fn bytes(&self, commit: Oid, path: &DocumentPath) -> Result<Option<Vec<u8>>, Error> {
        let blob = self.repo.blob_in(commit_id(commit), path)?;
        blob.map(|blob| self.repo.bytes(blob)).transpose()
    }

    fn compare(
        &self,
        merge: &Merge,
        path: PathBuf,
        again: Again,
        now: &[u8],
    ) -> Result<Option<Mistakes>, Error> {
        let mut mistakes = Mistakes {
            path,
            losses: Vec::new(),
            misread: None,
            position: (1, 1),
            again,
        };
        let again = &mistakes.again;
        let (Some(read), Some(now_read)) = (again.read(), read(now)) else {
            mistakes.misread = again.misread(now);
            return Ok(mistakes.misread.is_some().then_some(mistakes));
        };
        let twice = read.twice(again);
        let none = Since {
            now: read.held(),
            versions: &[],
        };
        // Most merges by lines are right.
        if twice.losses(&none, &self.settings.types).is_empty() {
            return Ok(None);
        }
        let versions = self.versions_since(merge, &mistakes.path)?;
        let since = Since {
            now: &now_read,
            versions: &versions,
        };
        let losses = twice.losses(&since, &self.settings.types);
        let mut to_put_right = losses.iter().filter(|loss| loss.fate == Fate::Lost);
        if let Some(loss) = to_put_right.next().or(losses.first()) {
            mistakes.position = position(&now_read, &lift(&now_read), loss.at());
        }
        mistakes.losses = losses;
        Ok((!mistakes.losses.is_empty()).then_some(mistakes))
    }

    /// What stood in a file in commits that descend from a merge.
    fn versions_since(&self, merge: &Merge, path: &Path) -> Result<Vec<crdt::Document>, Error> {
        let history = self.repo.history_of(&DocumentPath::new(git_path(path)));
        let Some(head) = self.repo.head_commit()? else {
            return Ok(Vec::new());
        };
        let versions = history.versions(head, Some(merge.commit))?;
        let mut blobs = BTreeSet::new();
        for version in versions.unwrap_or_default() {
            if let Some(after) = version.after
                && history.is_ancestor(merge.commit, version.commit)? == Some(true)
            {
                blobs.insert(after);
            }
        }
        let mut documents = Vec::new();
        for blob in blobs {
            documents.extend(read(&self.repo.bytes(blob)?).map(|document| lift(&document)));
        }
        Ok(documents)
    }
}

/// The texts of a merge that was made again, read.
struct Read {
    held: Document,
    right: Vec<Document>,
    by_lines: Vec<[Document; 2]>,
}

impl Read {
    fn held(&self) -> &Document {
        &self.held
    }

    fn twice(&self, again: &Again) -> MadeTwice<'_> {
        MadeTwice {
            held: &self.held,
            right: &self.right,
            by_lines: &self.by_lines,
            is_by_machine: again.is_by_machine,
        }
    }
}

impl Again {
    /// The texts; nothing where they cannot be compared place by place.
    fn read(&self) -> Option<Read> {
        let held = read(&self.held)?;
        let right: Option<Vec<Document>> = self.right.iter().map(|text| read(text)).collect();
        let right = right?;
        if right
            .iter()
            .any(|right| named_twice(right, &held).is_some())
        {
            return None;
        }
        let by_lines = self.by_lines.iter().filter_map(|[ours, theirs]| {
            let (ours, theirs) = (read(ours)?, read(theirs)?);
            Some([ours, theirs])
        });
        Some(Read {
            by_lines: by_lines.collect(),
            held,
            right,
        })
    }

    /// What is the matter with a file that cannot be compared place by place; nothing where it is right by now, or nobody can
    /// tell what would be.
    fn misread(&self, now: &[u8]) -> Option<Misread> {
        let [right] = self.right.as_slice() else {
            return None;
        };
        let right = read(right)?;
        let what_is_wrong = |bytes: &[u8]| match read(bytes) {
            _ if marked_places(bytes) > 0 => Some("git's conflict markers stand in it".to_owned()),
            None => Some("it is no YAML any more".to_owned()),
            Some(held) => named_twice(&right, &held)
                .map(|name| format!("two records of one list are called {name}")),
        };
        let why = what_is_wrong(&self.held)?;
        what_is_wrong(now)?;
        let fate = match self.whole(now) {
            None => Fate::Changed,
            Some(_) if self.is_by_machine => Fate::Lost,
            Some(_) => Fate::Decided,
        };
        Some(Misread { why, fate })
    }

    /// The whole file as it is to be: as the driver merged it where it is as it was committed, else with what was edited
    /// since, if that is about other places.
    fn whole(&self, now: &[u8]) -> Option<Vec<u8>> {
        let right = self.right.first()?;
        if with_line_ends_of(now, self.held.clone()) == now {
            return Some(with_line_ends_of(now, right.clone()));
        }
        let sides = Sides {
            base: &with_line_ends_of(now, self.held.clone()),
            ours: now,
            theirs: &with_line_ends_of(now, right.clone()),
        };
        let merged = merge_files(&sides, &Settings::default());
        match (merged.ending, merged.fallback) {
            (Ending::Clean(bytes), None) => Some(bytes),
            _ => None,
        }
    }
}

impl Mistakes {
    /// Whether anything is to be put right.
    #[must_use]
    pub fn has(&self, putting: Putting) -> bool {
        let mut fates = self.losses.iter().map(|loss| loss.fate);
        fates.any(|fate| putting.takes(fate))
            || self
                .misread
                .as_ref()
                .is_some_and(|misread| putting.takes(misread.fate))
    }

    /// The file, which holds `now`, with what is to be put right; nothing where that is nothing.
    ///
    /// # Errors
    /// When the form of the file does not allow it.
    pub fn healed(&self, now: &[u8], putting: Putting) -> Result<Option<Vec<u8>>, Unrendered> {
        if let Some(misread) = &self.misread {
            let whole = putting.takes(misread.fate).then(|| self.again.whole(now));
            return Ok(whole.flatten());
        }
        let losses: Vec<&Loss> = self
            .losses
            .iter()
            .filter(|loss| putting.takes(loss.fate))
            .collect();
        let (Some(read), Some(document)) = (self.again.read(), read(now)) else {
            return Ok(None);
        };
        if losses.is_empty() {
            return Ok(None);
        }
        let healed = read.twice(&self.again).healed(&document, &losses)?;
        Ok(Some(healed.into_bytes()))
    }
}

fn read(bytes: &[u8]) -> Option<Document> {
    Document::read(bytes, &Limits::default()).ok()
}
