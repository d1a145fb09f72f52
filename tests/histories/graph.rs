//! A git repository of one file, in memory: commits, branches, merge bases, and what git hands to the merge driver.

use std::collections::BTreeSet;

use rhema_crdt::crdt::{Clock, Replica, Stamp};

use crate::oracle::{Intent, Sight, Writes, replayed_exactly};
use crate::view::{Change, Choice, ORIGIN, Past, Roomy, Tool, View};

pub(crate) type CommitId = usize;

/// A commit of the file.
#[derive(Clone, Debug)]
pub(crate) struct Commit<F> {
    pub(crate) parents: Vec<CommitId>,
    pub(crate) file: F,
    pub(crate) view: View,
    intent: Intent,
}

impl<F> Commit<F> {
    fn sight(&self) -> Sight<'_> {
        Sight {
            intent: &self.intent,
            view: &self.view,
        }
    }
}

/// Somebody who edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) index: usize,
    /// Whether what they edit is stamped.
    pub(crate) has_tool: bool,
}

/// People and how far their clocks are off, in minutes.
const CLOCKS: [i64; 3] = [0, 60, -60];

/// Walks begin on 2026-11-21, in milliseconds.
const START: i64 = 1_795_219_200_000;

/// The repository.
pub(crate) struct Repository<T: Tool> {
    pub(crate) commits: Vec<Commit<T::File>>,
    /// The tips of the branches.
    pub(crate) branches: Vec<CommitId>,
    writes: Writes,
    clocks: Vec<Clock>,
    minutes: i64,
    /// Whether the merge of two commits is told what stood in their ancestries.
    tells_ancestry: bool,
}

/// What is wrong.
pub(crate) type Broken = String;

impl<T: Tool> Repository<T> {
    pub(crate) fn new(branches: usize, roomy: Roomy) -> Self {
        let file = T::start(roomy);
        let view = T::view(&file);
        let mut writes = Writes::default();
        let intent = writes.start(&view);
        let clock = |index| Clock::new(Replica::from_bits(index + 1), None);
        Self {
            commits: vec![Commit {
                parents: Vec::new(),
                file,
                view,
                intent,
            }],
            branches: vec![0; branches],
            writes,
            clocks: (0..CLOCKS.len() as u32).map(clock).collect(),
            minutes: 0,
            tells_ancestry: false,
        }
    }

    /// A repository in which merges are told what stood in the ancestries of both commits.
    pub(crate) fn telling(branches: usize, roomy: Roomy) -> Self {
        Self {
            tells_ancestry: true,
            ..Self::new(branches, roomy)
        }
    }

    /// The files in the ancestries of two commits.
    fn past(&self, ours: CommitId, theirs: CommitId) -> Past<T::File> {
        let (mine, others) = (self.ancestry(ours), self.ancestry(theirs));
        let files = |commits: &mut dyn DoubleEndedIterator<Item = &CommitId>| {
            let newest_first = commits.rev();
            newest_first
                .map(|&commit| self.commits[commit].file.clone())
                .collect()
        };
        Past {
            ours: files(&mut mine.difference(&others).collect::<Vec<_>>().into_iter()),
            theirs: files(&mut others.difference(&mine).collect::<Vec<_>>().into_iter()),
            both: files(&mut mine.intersection(&others).collect::<Vec<_>>().into_iter()),
        }
    }

    pub(crate) fn tip(&self, branch: usize) -> &Commit<T::File> {
        &self.commits[self.branches[branch]]
    }

    fn stamp(&mut self, person: Person) -> Stamp {
        self.minutes += 1;
        let minutes = self.minutes + CLOCKS[person.index];
        let millis = u64::try_from(START + minutes * 60_000).unwrap();
        self.clocks[person.index].tick(millis).unwrap()
    }

    fn stamped(&mut self, person: Person, head: &T::File, work: &T::File) -> T::File {
        let stamp = self.stamp(person);
        let mut births = std::iter::from_fn(|| Some(self.stamp(person)));
        T::stamp(head, work, stamp, &mut births)
    }

    /// Every commit that `commit` comes from, and itself.
    fn ancestry(&self, commit: CommitId) -> BTreeSet<CommitId> {
        let mut found = BTreeSet::from([commit]);
        let mut open = vec![commit];
        while let Some(commit) = open.pop() {
            open.extend(
                self.commits[commit]
                    .parents
                    .iter()
                    .filter(|parent| found.insert(**parent)),
            );
        }
        found
    }

    /// The common ancestors that are no ancestors of others of them, oldest first.
    fn merge_bases(&self, ours: CommitId, theirs: CommitId) -> Vec<CommitId> {
        let common: BTreeSet<CommitId> = self
            .ancestry(ours)
            .intersection(&self.ancestry(theirs))
            .copied()
            .collect();
        let covered: BTreeSet<CommitId> = common
            .iter()
            .flat_map(|&commit| {
                self.ancestry(commit)
                    .into_iter()
                    .filter(move |&other| other != commit)
            })
            .collect();
        common.difference(&covered).copied().collect()
    }

    /// What git takes as the base of a merge: the merge base, or, of several, their own merge.
    fn base(&self, bases: &[CommitId]) -> T::File {
        let mut bases = bases.iter();
        let Some(&first) = bases.next() else {
            return self.commits[0].file.clone();
        };
        let (mut file, mut seen) = (self.commits[first].file.clone(), self.ancestry(first));
        for &next in bases {
            let ancestry = self.ancestry(next);
            let common: BTreeSet<CommitId> = seen.intersection(&ancestry).copied().collect();
            let best: Vec<CommitId> = common
                .iter()
                .copied()
                .filter(|&commit| {
                    !common
                        .iter()
                        .any(|&other| other != commit && self.ancestry(other).contains(&commit))
                })
                .collect();
            file = T::merge(&self.base(&best), &file, &self.commits[next].file);
            seen.extend(ancestry);
        }
        file
    }

    fn commit(
        &mut self,
        branch: usize,
        parents: Vec<CommitId>,
        file: T::File,
        mut intent: Intent,
    ) -> Result<(), Broken> {
        let view = T::view(&file);
        let checked = self.writes.check(&mut intent, &view);
        self.commits.push(Commit {
            parents,
            file,
            view,
            intent,
        });
        self.branches[branch] = self.commits.len() - 1;
        checked
    }

    /// A commit of hand edits; with the tool they are stamped, those before `pause` a first time before the others are made.
    pub(crate) fn edit(
        &mut self,
        branch: usize,
        person: Person,
        changes: &[Change],
        pause: usize,
    ) -> Result<(), Broken> {
        let head = self.tip(branch).clone();
        let (mut file, mut intent) = (head.file.clone(), head.intent.clone());
        for (index, change) in changes.iter().enumerate() {
            if index == pause && index > 0 && person.has_tool {
                file = self.stamped(person, &head.file, &file);
            }
            let view = T::view(&file);
            intent = self.writes.edit(
                head.sight(),
                Sight {
                    intent: &intent,
                    view: &view,
                },
                change,
                person.has_tool,
            );
            T::change(&mut file, change);
        }
        if person.has_tool {
            file = self.stamped(person, &head.file, &file);
        }
        self.commit(branch, vec![self.branches[branch]], file, intent)
    }

    /// A commit by a tool that writes the file anew.
    pub(crate) fn rewrite(&mut self, branch: usize) -> Result<(), Broken> {
        let head = self.tip(branch);
        let intent = self.writes.rewritten(head.sight());
        let file = T::rewrite(&head.file);
        self.commit(branch, vec![self.branches[branch]], file, intent)
    }

    /// A commit that settles a conflict.
    pub(crate) fn resolve(
        &mut self,
        branch: usize,
        person: Person,
        choice: &Choice,
    ) -> Result<(), Broken> {
        let stamp = self.stamp(person);
        let head = self.tip(branch).clone();
        let intent = self.writes.settle(head.sight(), choice);
        let file = T::resolve(&head.file, choice, stamp);
        self.commit(branch, vec![self.branches[branch]], file, intent)
    }

    /// `git merge`.
    pub(crate) fn merge(&mut self, into: usize, from: usize) -> Result<(), Broken> {
        let (ours, theirs) = (self.branches[into], self.branches[from]);
        if self.ancestry(ours).contains(&theirs) {
            return Ok(());
        }
        if self.ancestry(theirs).contains(&ours) {
            self.branches[into] = theirs;
            return Ok(());
        }
        let base = self.base(&self.merge_bases(ours, theirs));
        let (ours_commit, theirs_commit) =
            (self.commits[ours].clone(), self.commits[theirs].clone());
        if reuses_a_name(&T::view(&base), [&ours_commit.view, &theirs_commit.view]) {
            return Ok(());
        }
        let files = [&base, &ours_commit.file, &theirs_commit.file];
        let file = match self.tells_ancestry {
            true => T::merge_commits(files, &self.past(ours, theirs)),
            false => T::merge(files[0], files[1], files[2]),
        };
        let intent = self.writes.merge(
            &T::view(&base),
            ours_commit.sight(),
            theirs_commit.sight(),
            self.tells_ancestry,
        );
        self.commit(into, vec![ours, theirs], file, intent)
    }

    /// The commits that can be picked or reverted: those with one parent.
    pub(crate) fn changes(&self) -> Vec<CommitId> {
        (0..self.commits.len())
            .filter(|&commit| self.commits[commit].parents.len() == 1)
            .collect()
    }

    /// `git cherry-pick`, or `git revert`.
    pub(crate) fn replay(
        &mut self,
        branch: usize,
        commit: CommitId,
        direction: Direction,
    ) -> Result<(), Broken> {
        let parent = self.commits[commit].parents[0];
        let (base, theirs) = match direction {
            Direction::Pick => (parent, commit),
            Direction::Revert => (commit, parent),
        };
        let (base, theirs) = (self.commits[base].clone(), self.commits[theirs].clone());
        let ours = self.tip(branch).clone();
        if reuses_a_name(&base.view, [&ours.view, &theirs.view]) {
            return Ok(());
        }
        let file = T::merge(&base.file, &ours.file, &theirs.file);
        let intent = self
            .writes
            .replay(base.sight(), ours.sight(), theirs.sight());
        let view = T::view(&file);
        self.commit(branch, vec![self.branches[branch]], file, intent)?;
        replayed_exactly(base.sight(), ours.sight(), theirs.sight(), &view)
    }

    /// `git rebase` that drops a commit of the branch: those behind it are picked onto its parent, one by one.
    pub(crate) fn drop(&mut self, branch: usize, back: usize) -> Result<(), Broken> {
        let mut chain = Vec::new();
        let mut commit = self.branches[branch];
        while chain.len() <= back {
            let [parent] = self.commits[commit].parents[..] else {
                break;
            };
            chain.push(commit);
            commit = parent;
        }
        let Some(&dropped) = chain.last() else {
            return Ok(());
        };
        chain.pop();
        self.branches[branch] = self.commits[dropped].parents[0];
        for commit in chain.into_iter().rev() {
            self.replay(branch, commit, Direction::Pick)?;
        }
        Ok(())
    }
}

/// Whether a side has a record under the name of another one in base. Three files cannot tell that from a record with a new
/// title where births are not written down, so walks leave it out.
fn reuses_a_name(base: &View, sides: [&View; 2]) -> bool {
    let born = |view: &View, id: &String| view.records.get(id).and_then(|seen| seen.shown(ORIGIN));
    sides.iter().any(|side| {
        base.ids()
            .into_iter()
            .any(|id| born(side, id).is_some_and(|origin| Some(origin) != born(base, id)))
    })
}

/// Which way a commit is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Pick,
    Revert,
}
