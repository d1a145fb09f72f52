//! The commits of a repository and how they descend from each other, each read once.

use std::cell::{OnceCell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, hash_map};
use std::rc::Rc;

use git2::{ErrorCode, Oid, Repository};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Error;

/// How many commits a walk goes on for when its answer seems to be complete. A commit that is dated before one of its
/// ancestors leads a walk by dates astray; git goes on for five.
const MOST_MISDATED: usize = 16;

/// The commits that were read so far.
#[derive(Default)]
pub(super) struct Graph {
    commits: RefCell<FxHashMap<Oid, Option<Rc<Commit>>>>,
    cuts: OnceCell<FxHashSet<Oid>>,
}

/// What a walk needs of a commit.
pub(super) struct Commit {
    pub(super) parents: Vec<Oid>,
    pub(super) tree: Oid,
    /// When it was committed, in seconds since 1970.
    pub(super) time: i64,
    /// Whether it has parents that this clone does not have.
    pub(super) is_cut: bool,
}

/// Two ancestries side by side.
pub(super) struct Compared {
    /// The commits in the left ancestry alone, each before its parents, otherwise newest first.
    pub(super) left: Vec<Oid>,
    /// The newest commits in both. With misdated commits also some ancestors of these.
    pub(super) met: Vec<Oid>,
    /// Whether parents of some commit in `left` are not at hand.
    pub(super) is_cut: bool,
}

impl Graph {
    /// A commit; nothing where it is not at hand, or is none.
    pub(super) fn commit(
        &self,
        repository: &Repository,
        id: Oid,
    ) -> Result<Option<Rc<Commit>>, Error> {
        if let Some(known) = self.commits.borrow().get(&id) {
            return Ok(known.clone());
        }
        let read = match repository.find_commit(id) {
            Ok(commit) => Some(Rc::new(Commit {
                parents: commit.parent_ids().collect(),
                tree: commit.tree_id(),
                time: commit.time().seconds(),
                is_cut: self.cuts(repository)?.contains(&id),
            })),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(Error::libgit2("read the history")(error)),
        };
        self.commits.borrow_mut().insert(id, read.clone());
        Ok(read)
    }

    /// Where a shallow clone ends: commits that are at hand and whose parents are not, although libgit2 tells of none.
    fn cuts(&self, repository: &Repository) -> Result<&FxHashSet<Oid>, Error> {
        if let Some(cuts) = self.cuts.get() {
            return Ok(cuts);
        }
        let mut cuts = FxHashSet::default();
        if repository.is_shallow() {
            let path = repository.commondir().join("shallow");
            let listed = std::fs::read_to_string(&path);
            let listed = listed.map_err(|source| Error::Read { path, source })?;
            cuts.extend(listed.lines().filter_map(|line| Oid::from_str(line).ok()));
        }
        Ok(self.cuts.get_or_init(|| cuts))
    }

    /// Whether `ancestor` is `of` or an ancestor of it; nothing where that cannot be told from what is at hand.
    pub(super) fn is_ancestor(
        &self,
        repository: &Repository,
        ancestor: Oid,
        of: Oid,
    ) -> Result<Option<bool>, Error> {
        let (Some(first), Some(last)) = (
            self.commit(repository, of)?,
            self.commit(repository, ancestor)?,
        ) else {
            return Ok(None);
        };
        let mut walk = Walk::new(self, repository);
        walk.reach(of, first, LEFT);
        walk.reach(ancestor, last, RIGHT);
        // No commit on the way from `of` down to `ancestor` is an ancestor of `ancestor`: the walk cannot end before it
        // has seen them all, whatever their dates are.
        while walk.is_open() && !walk.is_in(ancestor, BOTH) {
            walk.step()?;
        }
        Ok(match walk.is_in(ancestor, BOTH) {
            true => Some(true),
            false if walk.is_cut() => None,
            false => Some(false),
        })
    }

    /// Those of `wanted` that are in the ancestry of `of`, as far as that is at hand.
    pub(super) fn among_ancestors(
        &self,
        repository: &Repository,
        of: Oid,
        wanted: &[Oid],
    ) -> Result<FxHashSet<Oid>, Error> {
        if wanted.is_empty() {
            return Ok(FxHashSet::default());
        }
        let mut walk = Walk::new(self, repository);
        for (id, side) in
            std::iter::once((of, LEFT)).chain(wanted.iter().map(|wanted| (*wanted, RIGHT)))
        {
            if let Some(commit) = self.commit(repository, id)? {
                walk.reach(id, commit, side);
            }
        }
        while walk.is_open() {
            walk.step()?;
        }
        let mut found = FxHashSet::default();
        for id in wanted {
            // Those above others that are wanted may have been found before all dates were looked at.
            if walk.is_in(*id, BOTH) || self.is_ancestor(repository, *id, of)? == Some(true) {
                found.insert(*id);
            }
        }
        Ok(found)
    }

    /// What is in the ancestry of `left` and in none of `right`, and where they meet; nothing where `left` or one of
    /// `right` is not at hand.
    pub(super) fn compare(
        &self,
        repository: &Repository,
        left: Oid,
        right: &[Oid],
    ) -> Result<Option<Compared>, Error> {
        let mut walk = Walk::new(self, repository);
        for (id, side) in
            std::iter::once((left, LEFT)).chain(right.iter().map(|right| (*right, RIGHT)))
        {
            let Some(commit) = self.commit(repository, id)? else {
                return Ok(None);
            };
            walk.reach(id, commit, side);
        }
        let mut patience = MOST_MISDATED;
        while walk.is_open() || (patience > 0 && walk.oldest_left.is_some()) {
            let was_open = walk.is_open();
            let Some(time) = walk.step()? else { break };
            if was_open || walk.oldest_left.is_some_and(|oldest| oldest <= time) {
                patience = MOST_MISDATED;
            } else {
                patience -= 1;
            }
        }
        Ok(Some(Compared {
            is_cut: walk.is_cut(),
            met: walk.met(),
            left: walk.only_left(),
        }))
    }
}

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const BOTH: u8 = LEFT | RIGHT;
/// Below a commit that is in both ancestries.
const BELOW: u8 = 4;

/// Goes down two ancestries at once, newest commits first.
struct Walk<'a> {
    graph: &'a Graph,
    repository: &'a Repository,
    reached: FxHashMap<Oid, Reached>,
    /// In the order in which commits were reached.
    order: Vec<Oid>,
    /// The commits to go on from: by time, and those of the same time in the order in which they were reached.
    queue: BinaryHeap<(i64, Reverse<usize>)>,
    /// How many of the queue are not in both ancestries.
    open: usize,
    /// The time of the oldest commit that was gone on from and is in the left ancestry alone, as far as is known.
    oldest_left: Option<i64>,
}

struct Reached {
    commit: Rc<Commit>,
    sides: u8,
    place: usize,
    is_queued: bool,
    lacks_parents: bool,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph, repository: &'a Repository) -> Self {
        Self {
            graph,
            repository,
            reached: FxHashMap::default(),
            order: Vec::new(),
            queue: BinaryHeap::new(),
            open: 0,
            oldest_left: None,
        }
    }

    /// Notes that a commit is on these sides.
    fn reach(&mut self, id: Oid, commit: Rc<Commit>, sides: u8) {
        let place = self.order.len();
        let reached = match self.reached.entry(id) {
            hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hash_map::Entry::Vacant(entry) => {
                self.order.push(id);
                entry.insert(Reached {
                    commit,
                    sides: 0,
                    place,
                    is_queued: false,
                    lacks_parents: false,
                })
            }
        };
        if reached.sides | sides == reached.sides {
            return;
        }
        let was_open = reached.is_queued && reached.sides & BOTH != BOTH;
        reached.sides |= sides;
        if !reached.is_queued {
            reached.is_queued = true;
            self.queue
                .push((reached.commit.time, Reverse(reached.place)));
        }
        let is_open = reached.sides & BOTH != BOTH;
        self.open = self.open + usize::from(is_open) - usize::from(was_open);
    }

    fn is_open(&self) -> bool {
        self.open > 0
    }

    fn is_in(&self, id: Oid, sides: u8) -> bool {
        self.reached
            .get(&id)
            .is_some_and(|reached| reached.sides & sides == sides)
    }

    /// Goes on from the newest commit, whose time it gives; nothing if there is none left.
    fn step(&mut self) -> Result<Option<i64>, Error> {
        let Some((time, Reverse(place))) = self.queue.pop() else {
            return Ok(None);
        };
        let Some(id) = self.order.get(place) else {
            return Ok(None);
        };
        let Some(reached) = self.reached.get_mut(id) else {
            return Ok(None);
        };
        reached.is_queued = false;
        let mut sides = reached.sides;
        if sides & BOTH == BOTH {
            sides |= BELOW;
        } else {
            self.open -= 1;
        }
        if sides == LEFT {
            self.oldest_left = Some(self.oldest_left.map_or(time, |oldest| oldest.min(time)));
        }
        let commit = Rc::clone(&reached.commit);
        reached.lacks_parents = commit.is_cut;
        for parent in &commit.parents {
            match self.graph.commit(self.repository, *parent)? {
                Some(found) => self.reach(*parent, found, sides),
                None => {
                    if let Some(reached) = self
                        .order
                        .get(place)
                        .and_then(|id| self.reached.get_mut(id))
                    {
                        reached.lacks_parents = true;
                    }
                }
            }
        }
        Ok(Some(time))
    }

    /// Whether parents of commits in the left ancestry alone are not at hand.
    fn is_cut(&self) -> bool {
        self.reached
            .values()
            .any(|reached| reached.sides == LEFT && reached.lacks_parents)
    }

    fn met(&self) -> Vec<Oid> {
        let is_met = |id: &&Oid| {
            self.reached
                .get(id)
                .is_some_and(|reached| reached.sides == BOTH)
        };
        self.order.iter().filter(is_met).copied().collect()
    }

    fn only_left(&self) -> Vec<Oid> {
        let left = |id: &Oid| self.reached.get(id).filter(|reached| reached.sides == LEFT);
        let mut children: FxHashMap<Oid, usize> = FxHashMap::default();
        let all = self.order.iter().filter_map(left);
        for parent in all.flat_map(|reached| &reached.commit.parents) {
            *children.entry(*parent).or_default() += 1;
        }
        let queued = |reached: &Reached| (reached.commit.time, Reverse(reached.place));
        let mut queue: BinaryHeap<_> = self
            .order
            .iter()
            .filter(|id| !children.contains_key(id))
            .filter_map(left)
            .map(queued)
            .collect();
        let mut sorted = Vec::new();
        while let Some((_, Reverse(place))) = queue.pop() {
            let Some(id) = self.order.get(place) else {
                continue;
            };
            sorted.push(*id);
            let Some(reached) = left(id) else { continue };
            for parent in &reached.commit.parents {
                let waiting = children.entry(*parent).or_default();
                *waiting = waiting.saturating_sub(1);
                if *waiting == 0 {
                    queue.extend(left(parent).map(queued));
                }
            }
        }
        sorted
    }
}
