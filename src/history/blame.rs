//! Who gave each leaf the value that it has.
//!
//! What stands beside a leaf in the file says it, else the known edits, else git: then it was whoever committed the value first, on the way
//! back from HEAD as long as it stands there. On that way steps grow, so that a value that was away for a while in between may be told as older
//! than it is.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::changes::{are_the_same, node_at};
use super::known::{KnownEdits, Left, left_by};
use super::memory::{Commits, Memory};
use super::unchanged::Unchanged;
use super::versions::{Versions, lifted, mentions};
use super::{Error, People, State, Who};
use crate::crdt::{Document, Found, Map, Node, Path, Stamp};
use crate::git::{Repo, git_path, native_path};
use crate::node::Config;
use crate::overlay::{BlobId, CommitId, DocumentPath, Mentioned, Version};
use crate::store::{Mark, Reading, StoredEdit, Way};

/// How many edits of a place are looked at.
const MOST_LOOKED_AT: usize = 256;

/// For how many versions git is asked one by one before the steps grow.
const ONE_BY_ONE: usize = 4;

/// A leaf, and where its value comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Blame {
    /// The leaf.
    pub at: Path,
    /// What it holds.
    pub value: Node,
    /// Where that comes from; nothing where it was typed and is not recorded yet.
    pub origin: Option<Origin>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// When it was written, in milliseconds since the Unix epoch.
    pub unix_millis: u64,
    /// The edit.
    pub stamp: Option<Stamp>,
    /// Who.
    pub who: Who,
    /// On which branch, where that is known.
    pub branch: Option<String>,
    /// The commit that has it.
    pub commit: Option<CommitId>,
    /// How it stands.
    pub state: State,
}

/// Where the leaves of a document, or those at a place in it, come from, in the order of their names. `text` is the document as the
/// work tree has it. Nothing for a text that cannot be read. What is found out about commits goes into `memory`.
///
/// # Errors
/// When the repository or the store cannot be read.
pub fn blame(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    people: &People,
    document: &DocumentPath,
    text: &str,
    at: &Path,
    memory: &Memory,
) -> Result<Option<Vec<Blame>>, Error> {
    let mentioned = match at.steps().is_empty() {
        true => None,
        false => Some(mentions([at])),
    };
    let read = match &mentioned {
        Some(mentioned) => lifted(&[Some(text)], mentioned),
        None => lifted(&[Some(text), Some("")], &Mentioned::default()),
    };
    let Some(now) = read.and_then(|read| read.into_iter().next()) else {
        return Ok(None);
    };
    let mut leaves = Vec::new();
    match at.steps().is_empty() {
        true => in_map(&now.root, &Path::default(), &mut leaves),
        false => match now.found(at) {
            Some(Found::Record(record, ..)) => in_map(&record.fields, at, &mut leaves),
            Some(Found::Node(node)) => in_node(node, at, &mut leaves),
            None => {}
        },
    }
    let head = repo.head_commit()?;
    let versions = Versions::of(repo, document.clone());
    let known = match reading {
        Some(reading) => Some(KnownEdits::of(reading, document.clone())?),
        None => None,
    };
    let mut blaming = Blaming {
        repo,
        people,
        known,
        head,
        versions: &versions,
        did: Commits::of(
            reading,
            memory,
            Config::at_head(repo).unwrap_or_default().types,
        ),
        commits: HashMap::new(),
    };
    let mut blames = Vec::with_capacity(leaves.len());
    let mut open = Vec::new();
    for (at, value) in leaves {
        let origin = blaming.told(&at, &value)?;
        if origin.is_none() {
            open.push(blames.len());
        }
        blames.push(Blame { at, value, origin });
    }
    if let (Some(head), false) = (head, open.is_empty()) {
        blaming.by_git(head, &mut blames, open)?;
    }
    Ok(Some(blames))
}

/// The last that was done to a place, as the work tree has it now: what stands there says it, else the known edits.
///
/// # Errors
/// When the repository or the store cannot be read.
pub fn last_edit_of(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    people: &People,
    document: &DocumentPath,
    text: &str,
    at: &Path,
) -> Result<Option<Origin>, Error> {
    let memory = Memory::default();
    let blames = blame(repo, reading, people, document, text, at, &memory)?;
    let origins = blames.into_iter().flatten();
    let newest = origins
        .filter_map(|blame| blame.origin)
        .max_by_key(|origin| origin.unix_millis);
    if newest.is_some() {
        return Ok(newest);
    }
    // It is gone.
    let Some(reading) = reading else {
        return Ok(None);
    };
    let known = KnownEdits::of(reading, document.clone())?;
    let edits = reading.edits_about(document, at, None, MOST_LOOKED_AT)?;
    let last = edits
        .into_iter()
        .find(|edit| !known.is_retracted(edit.known.stamp) && left_by(&edit.known, at).is_some());
    Ok(last.map(|edit| {
        let stamp = edit.known.stamp;
        Origin {
            unix_millis: stamp.unix_millis(),
            stamp: Some(stamp),
            who: people.who(repo, Some(stamp), None),
            state: known.state(&edit, None),
            branch: edit.known.branch,
            commit: None,
        }
    }))
}

fn in_map(map: &Map, at: &Path, leaves: &mut Vec<(Path, Node)>) {
    for (name, node) in map {
        in_node(node, &at.entry(name), leaves);
    }
}

fn in_node(node: &Node, at: &Path, leaves: &mut Vec<(Path, Node)>) {
    match node {
        Node::Register(..) | Node::List(..) => leaves.push((at.clone(), node.clone())),
        Node::Map(map) => in_map(map, at, leaves),
        Node::Set(records) => {
            for record in records {
                in_map(&record.fields, &at.record(record), leaves);
            }
        }
    }
}

struct Blaming<'b> {
    repo: &'b Repo,
    people: &'b People,
    known: Option<KnownEdits<'b>>,
    head: Option<CommitId>,
    versions: &'b Versions<'b>,
    /// What commits did.
    did: Commits<'b>,
    /// The commits that have edits.
    commits: HashMap<Stamp, Option<CommitId>>,
}

impl Blaming<'_> {
    /// What the file or the store tells of a leaf.
    fn told(&mut self, at: &Path, value: &Node) -> Result<Option<Origin>, Error> {
        let beside = match value {
            Node::Register(_, stamps) | Node::List(_, stamps) => stamps.last().copied(),
            Node::Map(_) | Node::Set(_) => None,
        };
        if let Some(stamp) = beside {
            let edit = match &self.known {
                Some(known) => known.reading.edit(stamp)?,
                None => None,
            };
            return Ok(Some(self.by_stamp(stamp, edit)?));
        }
        let Some(known) = &self.known else {
            return Ok(None);
        };
        let edits = known
            .reading
            .edits_about(&known.document, at, None, MOST_LOOKED_AT)?;
        for edit in edits {
            if known.is_retracted(edit.known.stamp) {
                continue;
            }
            match left_by(&edit.known, at) {
                None | Some(Left::Sum(_)) => {}
                Some(Left::Value(left)) if are_the_same(left.as_ref(), Some(value)) => {
                    let stamp = edit.known.stamp;
                    return Ok(Some(self.by_stamp(stamp, Some(edit))?));
                }
                // Somebody typed another value since, and committed it elsewhere, or nobody looked yet.
                Some(Left::Value(_)) => {
                    let state = known.state(&edit, None);
                    if matches!(state, State::Committed | State::Pending) {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(None)
    }

    fn by_stamp(&mut self, stamp: Stamp, edit: Option<StoredEdit>) -> Result<Origin, Error> {
        let commit = match self.commits.get(&stamp) {
            Some(commit) => *commit,
            None => {
                let commit = self.commit_of(stamp, edit.as_ref())?;
                self.commits.insert(stamp, commit);
                commit
            }
        };
        let state = match (&self.known, &edit, commit) {
            (_, _, Some(_)) => State::Committed,
            (Some(known), Some(edit), None) => known.state(edit, None),
            _ => State::Pending,
        };
        Ok(Origin {
            unix_millis: stamp.unix_millis(),
            stamp: Some(stamp),
            who: self.people.who(self.repo, Some(stamp), commit),
            branch: edit.and_then(|edit| edit.known.branch),
            commit,
            state,
        })
    }

    /// The commit that has an edit.
    fn commit_of(
        &self,
        stamp: Stamp,
        edit: Option<&StoredEdit>,
    ) -> Result<Option<CommitId>, Error> {
        let Some(head) = self.head else {
            return Ok(None);
        };
        if edit.is_some_and(|edit| edit.known.base == Some(head)) {
            return Ok(None);
        }
        if let Some(commit) = self.brought(self.versions, head, stamp)? {
            return Ok(Some(commit));
        }
        let Some(edit) = edit else {
            return Ok(None);
        };
        if edit.way != Way::Committed && !edit.marks.contains(Mark::Contained) {
            return Ok(None);
        }
        // Its stamp stands in the store alone: it is in the first commit behind the one that it was made on.
        let changes = self.versions.changes(head)?;
        let after = changes
            .iter()
            .take_while(|version| Some(version.commit) != edit.known.base);
        let base = edit.known.base.map(|base| self.versions.time_of(base));
        let base = base.transpose()?.unwrap_or(0);
        let mut found = None;
        for version in after {
            if self.versions.time_of(version.commit)? < base {
                break;
            }
            found = Some(version.commit);
        }
        Ok(found)
    }

    /// The commit that brought a stamp which a commit's version has.
    fn brought(
        &self,
        versions: &Versions<'_>,
        head: CommitId,
        stamp: Stamp,
    ) -> Result<Option<CommitId>, Error> {
        let changes = versions.changes(head)?;
        let name = stamp.to_string();
        let is_in = |blob: Option<BlobId>| -> Result<bool, Error> {
            let text = blob.map(|blob| versions.text(blob)).transpose()?.flatten();
            let bytes = text.as_deref().unwrap_or_default().as_bytes();
            Ok(memchr::memmem::find(bytes, name.as_bytes()).is_some())
        };
        let has = |version: &Version| is_in(version.after);
        let Some(newest) = changes.first() else {
            return Ok(None);
        };
        if !has(newest)? {
            return Ok(None);
        }
        // It stands in every version since the one that brought it.
        let mut first = 0usize;
        for version in changes {
            let time = versions.time_of(version.commit)?;
            if time.saturating_add(999) < stamp.unix_millis() {
                break;
            }
            first += 1;
        }
        let has_at = |index: usize| match changes.get(index) {
            Some(version) => has(version),
            None => Ok(false),
        };
        let guess = first.saturating_sub(1);
        // Those before the first that was made after it need not be read where that is known to show it.
        let is_told = match changes.get(guess) {
            Some(version) if first > 0 => self.did.is_known_to_show(versions, version, stamp)?,
            _ => false,
        };
        let oldest = match is_told {
            true => guess,
            false => self.oldest(changes.len(), guess, &has_at)?,
        };
        let Some(version) = changes.get(oldest) else {
            return Ok(None);
        };
        let commit = version.commit;
        if version.before.iter().all(Option::is_none)
            && let Some((parent, former)) = self.former(versions, commit)?
        {
            let former = Versions::of(self.repo, former);
            let earlier = self.brought(&former, parent, stamp)?;
            return Ok(earlier.or(Some(commit)));
        }
        if version.before.len() > 1
            && let Some(passed) = self.repo.passed(commit)?
        {
            for (parent, blob) in passed.parents.iter().zip(&version.before).skip(1) {
                if is_in(*blob)? {
                    let side = Versions::of(self.repo, versions.path.clone());
                    let earlier = self.brought(&side, *parent, stamp)?;
                    return Ok(earlier.or(Some(commit)));
                }
            }
        }
        Ok(Some(commit))
    }

    /// The oldest version, in a row of the newest of which this holds, of which it does; a good guess is near to it.
    fn oldest(
        &self,
        versions: usize,
        guess: usize,
        holds_at: &dyn Fn(usize) -> Result<bool, Error>,
    ) -> Result<usize, Error> {
        let (mut same, mut other) = (0, versions);
        if holds_at(guess)? {
            same = guess;
            if guess + 1 >= versions || !holds_at(guess + 1)? {
                return Ok(guess);
            }
        } else {
            other = guess;
        }
        let mut step = 1;
        // From the newest that is known to be the same: each step is larger than the one before.
        while same + 1 < other {
            let next = match step > ONE_BY_ONE {
                true => same + (step - ONE_BY_ONE) * 2,
                false => same + 1,
            };
            let next = next.min(other - 1);
            if holds_at(next)? {
                same = next;
                step += step.max(1);
            } else {
                other = next;
                break;
            }
        }
        while same + 1 < other {
            let middle = same + (other - same) / 2;
            match holds_at(middle)? {
                true => same = middle,
                false => other = middle,
            }
        }
        Ok(same)
    }

    /// Finds out by git's versions where leaves come from.
    fn by_git(&self, head: CommitId, blames: &mut [Blame], open: Vec<usize>) -> Result<(), Error> {
        let Some(blob) = self.versions.version_in(head)? else {
            return Ok(());
        };
        let records: Vec<Path> = open
            .iter()
            .filter_map(|index| blames.get(*index))
            .map(|blame| record_of(&blame.at))
            .collect();
        let is_one = records.iter().all(|record| Some(record) == records.first());
        // What HEAD does not have so was typed and is not recorded yet.
        let mentioned = match is_one {
            true => mentions(&records),
            false => Mentioned::default(),
        };
        let text = self.versions.text(blob)?;
        let texts = [text.as_deref(), Some("")];
        let texts = if is_one { &texts[..1] } else { &texts[..] };
        let read = lifted(texts, &mentioned);
        let Some(document) = read.and_then(|read| read.into_iter().next()) else {
            return Ok(());
        };
        let open: Vec<usize> = open
            .into_iter()
            .filter(|index| {
                blames.get(*index).is_some_and(|blame| {
                    are_the_same(node_at(&document, &blame.at).as_ref(), Some(&blame.value))
                })
            })
            .collect();
        match is_one {
            true => self.of_one_record(head, self.versions, blames, open, &mentioned),
            false => self.of_many(head, self.versions, blames, open),
        }
    }

    fn origin(&self, commit: CommitId) -> Result<Origin, Error> {
        Ok(Origin {
            unix_millis: self.versions.time_of(commit)?,
            stamp: None,
            who: self.people.who(self.repo, None, Some(commit)),
            branch: None,
            commit: Some(commit),
            state: State::Committed,
        })
    }

    /// Where a document came from that a commit shows under this name first.
    fn former(
        &self,
        versions: &Versions<'_>,
        commit: CommitId,
    ) -> Result<Option<(CommitId, DocumentPath)>, Error> {
        let Some(parent) = self.repo.parent_of(commit)? else {
            return Ok(None);
        };
        let path = native_path(versions.path.as_bytes());
        let former = self.repo.moved_by(commit, parent, &path)?;
        Ok(former.map(|former| (parent, DocumentPath::new(git_path(&former)))))
    }

    fn of_one_record(
        &self,
        head: CommitId,
        versions: &Versions<'_>,
        blames: &mut [Blame],
        open: Vec<usize>,
        mentioned: &Mentioned,
    ) -> Result<(), Error> {
        let changes = versions.changes(head)?;
        let read: std::cell::RefCell<HashMap<CommitId, Option<Rc<Document>>>> =
            std::cell::RefCell::default();
        let document = |version: &Version| -> Result<Option<Rc<Document>>, Error> {
            if let Some(known) = read.borrow().get(&version.commit) {
                return Ok(known.clone());
            }
            let text = version.after.map(|blob| versions.text(blob));
            let text = text.transpose()?.flatten();
            let document = match &text {
                Some(text) => lifted(&[Some(text)], mentioned),
                None => None,
            };
            let document = document.and_then(|read| read.into_iter().next());
            read.borrow_mut().insert(version.commit, document.clone());
            Ok(document)
        };
        let mut elsewhere: HashMap<(CommitId, DocumentPath), Vec<usize>> = HashMap::new();
        let first = open.first().and_then(|index| blames.get(*index));
        let record = first.map(|blame| record_of(&blame.at)).unwrap_or_default();
        let unchanged = Unchanged::of(&self.did, versions, changes, &record);
        for index in open {
            let Some(blame) = blames.get_mut(index) else {
                continue;
            };
            let (at, value) = (&blame.at, &blame.value);
            let holds = |version: &Version| -> Result<bool, Error> {
                let document = document(version)?;
                let there = document.and_then(|document| node_at(&document, at));
                Ok(are_the_same(there.as_ref(), Some(value)))
            };
            // Of HEAD it was asked before.
            let newest = (self.head == Some(head)).then_some((0, true));
            let known = std::cell::RefCell::new(BTreeMap::from_iter(newest));
            let holds_at = |index: usize| -> Result<bool, Error> {
                if let Some(holds) = unchanged.tells(&known.borrow(), index, at)? {
                    return Ok(holds);
                }
                let version = changes.get(index);
                let holds = version.map(holds).transpose()?.unwrap_or(false);
                known.borrow_mut().insert(index, holds);
                Ok(holds)
            };
            if !holds_at(0)? {
                // The commit that gave the document its name wrote it, too.
                continue;
            }
            let oldest = self.oldest(changes.len(), 0, &holds_at)?;
            let Some(version) = changes.get(oldest) else {
                continue;
            };
            let commit = version.commit;
            blame.origin = Some(self.origin(commit)?);
            if version.before.iter().all(Option::is_none)
                && let Some(former) = self.former(versions, commit)?
            {
                elsewhere.entry(former).or_default().push(index);
            } else if version.before.len() > 1
                && let Some(passed) = self.repo.passed(commit)?
            {
                // A merge brought it from another branch.
                for parent in passed.parents.iter().skip(1) {
                    let blob = versions.version_in(*parent)?;
                    let there = Version {
                        commit: *parent,
                        before: Vec::new(),
                        after: blob,
                    };
                    if holds(&there)? {
                        let path = versions.path.clone();
                        elsewhere.entry((*parent, path)).or_default().push(index);
                        break;
                    }
                }
            }
        }
        for ((head, path), open) in elsewhere {
            let versions = Versions::of(self.repo, path);
            self.of_one_record(head, &versions, blames, open, mentioned)?;
        }
        Ok(())
    }

    /// Goes back commit by commit, and asks each what it changed.
    fn of_many(
        &self,
        head: CommitId,
        versions: &Versions<'_>,
        blames: &mut [Blame],
        open: Vec<usize>,
    ) -> Result<(), Error> {
        let mut open: HashMap<String, usize> = open
            .into_iter()
            .filter_map(|index| Some((blames.get(index)?.at.to_string(), index)))
            .collect();
        for version in versions.changes(head)? {
            if open.is_empty() {
                break;
            }
            let of = |blob| versions.text(blob);
            let is_new = version.before.first().copied().flatten().is_none();
            let changed: Vec<(String, bool)> = match is_new {
                true => vec![(String::new(), true)],
                false => {
                    let happened = self.did.happened_on_the_way(versions, version)?;
                    let changed = happened.into_iter().map(|one| {
                        let holds_more = !matches!(one.to, Some(Node::Register(..)));
                        (one.at.to_string(), holds_more)
                    });
                    changed.collect()
                }
            };
            let mut found: Vec<usize> = Vec::new();
            for (at, holds_more) in &changed {
                if is_new {
                    found.extend(open.drain().map(|(_, index)| index));
                } else if let Some(index) = open.remove(at) {
                    found.push(index);
                } else if *holds_more {
                    let inside = format!("{at}/");
                    let is_inside = |open: &&String| open.starts_with(&inside);
                    let inside: Vec<String> = open.keys().filter(is_inside).cloned().collect();
                    found.extend(inside.iter().filter_map(|at| open.remove(at)));
                }
            }
            if found.is_empty() {
                continue;
            }
            let origin = self.origin(version.commit)?;
            let mut further: HashMap<(CommitId, DocumentPath), Vec<usize>> = HashMap::new();
            let former = match is_new {
                true => self.former(versions, version.commit)?,
                false => None,
            };
            let others = match version.before.len() > 1 {
                true => self
                    .repo
                    .passed(version.commit)?
                    .map(|passed| passed.parents),
                false => None,
            };
            let mut branches = Vec::new();
            for parent in others.into_iter().flatten().skip(1) {
                let blob = versions.version_in(parent)?;
                let text = blob.map(of).transpose()?.flatten();
                let read = lifted(&[text.as_deref(), Some("")], &Mentioned::default());
                branches.extend(read.and_then(|read| Some((parent, read.into_iter().next()?))));
            }
            for index in found {
                let Some(blame) = blames.get_mut(index) else {
                    continue;
                };
                blame.origin = Some(origin.clone());
                let has_it = |(_, document): &&(CommitId, Rc<Document>)| {
                    are_the_same(node_at(document, &blame.at).as_ref(), Some(&blame.value))
                };
                if let Some(former) = &former {
                    further.entry(former.clone()).or_default().push(index);
                } else if let Some((parent, _)) = branches.iter().find(has_it) {
                    let place = (*parent, versions.path.clone());
                    further.entry(place).or_default().push(index);
                }
            }
            for ((head, path), open) in further {
                let versions = Versions::of(self.repo, path);
                self.of_many(head, &versions, blames, open)?;
            }
        }
        Ok(())
    }
}

/// The record that a leaf is in, or the entry of the root.
fn record_of(at: &Path) -> Path {
    let record = at.outermost_record();
    match record.steps().is_empty() {
        true => at.steps().iter().take(1).cloned().collect(),
        false => record,
    }
}
