//! Commits.

use crate::bits::Bits;
use crate::document::{Driver, File, Leaf, Pasts, Stamp, Value};
use crate::meaning::Meant;
use crate::rules::Rules;

pub(crate) type CommitId = usize;

/// A version of the file, and what it means.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    pub(crate) file: File,
    pub(crate) meant: Meant,
}

#[derive(Clone, Debug)]
struct Commit {
    parents: Vec<CommitId>,
    ancestry: Bits,
    text: Text,
}

/// All commits of all clones.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    rules: Rules,
    commits: Vec<Commit>,
}

impl Graph {
    pub(crate) fn new(rules: Rules, first: Text) -> Self {
        let mut graph = Self {
            rules,
            commits: Vec::new(),
        };
        graph.commit(Vec::new(), first);
        graph
    }

    pub(crate) fn is_full(&self) -> bool {
        self.commits.len() + 10 > Bits::ROOM
    }

    pub(crate) fn len(&self) -> usize {
        self.commits.len()
    }

    pub(crate) fn commit(&mut self, parents: Vec<CommitId>, mut text: Text) -> CommitId {
        for parent in &parents {
            text.meant.stood |= self.meant(*parent).stood;
        }
        text.meant.stood = text
            .meant
            .live
            .values()
            .fold(text.meant.stood, |stood, live| stood | *live);
        let own = Bits::of(self.commits.len());
        let ancestry = parents
            .iter()
            .fold(own, |all, parent| all | self.ancestry(*parent));
        self.commits.push(Commit {
            parents,
            ancestry,
            text,
        });
        self.commits.len() - 1
    }

    pub(crate) fn parents(&self, commit: CommitId) -> &[CommitId] {
        &self.commits[commit].parents
    }

    pub(crate) fn ancestry(&self, commit: CommitId) -> Bits {
        self.commits[commit].ancestry
    }

    pub(crate) fn text(&self, commit: CommitId) -> &Text {
        &self.commits[commit].text
    }

    pub(crate) fn file(&self, commit: CommitId) -> &File {
        &self.commits[commit].text.file
    }

    pub(crate) fn meant(&self, commit: CommitId) -> &Meant {
        &self.commits[commit].text.meant
    }

    pub(crate) fn is_ancestor(&self, ancestor: CommitId, of: CommitId) -> bool {
        self.ancestry(of).has(ancestor)
    }

    /// Whether a commit in the ancestry names the stamp at this leaf.
    pub(crate) fn stood(&self, head: CommitId, (record, field): Leaf, stamp: Stamp) -> bool {
        self.ancestry(head).iter().any(|commit| {
            let record = self.file(commit).get(&record);
            record.is_some_and(|record| record.carries(field, stamp, &self.rules))
        })
    }

    /// The common ancestors.
    pub(crate) fn common(&self, one: CommitId, other: CommitId) -> Bits {
        common(self.ancestry(one), self.ancestry(other))
    }

    /// The common ancestors that no other one has.
    pub(crate) fn merge_bases(&self, common: Bits) -> Vec<CommitId> {
        let covered = |commit: usize| {
            common
                .iter()
                .any(|other| other != commit && self.is_ancestor(commit, other))
        };
        common.iter().filter(|commit| !covered(*commit)).collect()
    }

    /// What git takes as the base of a merge: of several, their own merge.
    pub(crate) fn merge_base(&self, ours: CommitId, theirs: CommitId) -> (File, Bits) {
        self.merged_base(common(self.ancestry(ours), self.ancestry(theirs)))
    }

    fn merged_base(&self, common_ones: Bits) -> (File, Bits) {
        let mut bases = self.merge_bases(common_ones).into_iter();
        let Some(first) = bases.next() else {
            return (File::new(), Bits::default());
        };
        let (mut file, mut past) = (self.file(first).clone(), self.ancestry(first));
        for next in bases {
            let ancestry = self.ancestry(next);
            let (base, base_past) = self.merged_base(common(past, ancestry));
            file = self.driven(
                &base,
                [&file, self.file(next)],
                Some([base_past, past, ancestry]),
            );
            past |= ancestry;
        }
        (file, past)
    }

    /// What the driver writes; in a true merge the ancestries of base and sides are at hand.
    pub(crate) fn driven(&self, base: &File, sides: [&File; 2], pasts: Option<[Bits; 3]>) -> File {
        let stood = |past: Bits| {
            move |(record, field): Leaf, stamp: Stamp| {
                past.iter().any(|commit| {
                    let record = self.file(commit).get(&record);
                    record.is_some_and(|record| record.carries(field, stamp, &self.rules))
                })
            }
        };
        let had = |past: Bits| {
            move |(record, field): Leaf, value: Value| {
                let mut versions = past
                    .iter()
                    .filter_map(|commit| self.file(commit).get(&record));
                versions.any(|record| record.cells[field].value == value)
            }
        };
        let values = pasts.map(|[_, ours, theirs]| [had(ours), had(theirs)]);
        let pasts = pasts.map(|pasts| pasts.map(stood));
        let pasts =
            pasts
                .as_ref()
                .zip(values.as_ref())
                .map(|([base, ours, theirs], [mine, other])| Pasts {
                    base,
                    sides: [ours, theirs],
                    values: [mine, other],
                });
        Driver {
            rules: &self.rules,
            pasts,
        }
        .merge(base, sides)
    }
}

fn common(ours: Bits, theirs: Bits) -> Bits {
    ours - (ours - theirs)
}
