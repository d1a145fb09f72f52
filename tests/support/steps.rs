//! What people do in random walks, and how often.

use crate::text::FILE;

/// A source of random numbers.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // The first numbers of small seeds are alike.
        for _ in 0..8 {
            dice.below(2);
        }
        dice
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit
    }

    /// One of several, each as often as it is to come.
    pub(crate) fn among<T: Copy>(&mut self, all: &[(T, usize)]) -> T {
        let mut at = self.below(all.iter().map(|(_, weight)| weight).sum());
        let found = all.iter().find(|(_, weight)| {
            let found = at < *weight;
            at = at.saturating_sub(*weight);
            found
        });
        found.unwrap().0
    }
}

deeds! {
    /// Edits by hand.
    Set 16,
    Add 4,
    /// A record under an id that somebody else gives to another one.
    AddCommon 2,
    Remove 4,
    Comment 3,
    /// A tool that knows nothing of annotations writes the file.
    Strip 2,
    /// The same by command.
    SetBy 4,
    AddBy 2,
    RemoveBy 2,
    /// Something is added to a number.
    Count 6,
    CountBy 4,
    Sync 16,
    Status 2,
    Park 3,
    Unpark 3,
    Carry 2,
    /// `sync` comes to a sudden end.
    Crash 3,
    LoseStore 2,
    /// `cp -r`
    Copy 1,
    Commit 12,
    /// What is staged is committed, what is typed then is not.
    CommitPart 4,
    Amend 4,
    Switch 6,
    Force 3,
    Detach 1,
    ResetSoft 2,
    ResetMixed 2,
    ResetHard 4,
    Restore 4,
    RestoreStaged 2,
    RestoreOld 3,
    Stash 4,
    Pop 5,
    Merge 5,
    Squash 3,
    /// Without the driver.
    MergeLines 2,
    Pick 4,
    Revert 4,
    Rebase 3,
    Drop 3,
    Pull 5,
    PullRebase 4,
    Push 6,
    Fetch 2,
    /// Edits are told through the stores.
    Exchange 16,
    /// The store is made small.
    Gc 3,
}

/// A step: what, in which work tree, and two numbers that choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    pub(crate) tree: usize,
    pub(crate) a: usize,
    pub(crate) b: usize,
}

impl Step {
    /// The branch that is meant.
    pub(crate) fn branch(&self) -> &'static str {
        ["main", "side"][self.a % 2]
    }

    /// What git is told where that is all that happens; nothing where more is to be thought of.
    pub(crate) fn arguments(&self) -> Vec<&'static str> {
        match self.deed {
            Deed::Switch => vec!["switch", "-q", self.branch()],
            Deed::Force => vec!["checkout", "-q", "-f", self.branch()],
            Deed::Detach => vec!["checkout", "-q", "HEAD~1"],
            Deed::ResetSoft => vec!["reset", "-q", "--soft", earlier(self.a)],
            Deed::ResetMixed => vec!["reset", "-q", "--mixed", earlier(self.a)],
            Deed::ResetHard => vec!["reset", "-q", "--hard", earlier(self.a)],
            Deed::RestoreOld => vec!["restore", "--source=HEAD~1", FILE],
            Deed::Stash => vec!["stash", "push", "-q"],
            Deed::Push => vec!["push", "-q", "origin", "HEAD"],
            Deed::Fetch => vec!["fetch", "-q"],
            _ => Vec::new(),
        }
    }
}

/// A commit before HEAD, or where HEAD was before.
fn earlier(a: usize) -> &'static str {
    [
        "HEAD",
        "HEAD~1",
        "HEAD~2",
        "HEAD@{1}",
        "HEAD@{2}",
        "ORIG_HEAD",
    ][a % 6]
}

/// A walk of so many steps, each one of those that are `wanted`.
pub(crate) fn walk(seed: u64, steps: usize, wanted: impl Fn(Deed) -> bool) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let deeds = DEEDS.iter().filter(|(deed, _)| wanted(*deed));
    let deeds: Vec<(Deed, usize)> = deeds.copied().collect();
    (0..steps)
        .map(|_| Step {
            deed: dice.among(&deeds),
            tree: dice.below(6),
            a: dice.below(12),
            b: dice.below(12),
        })
        .collect()
}
