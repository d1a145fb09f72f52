//! Random walks, and what is left of one that fails when it is made as short as it can be.

use std::fmt::Write as _;

use crate::document::{FIELDS, RecordId};
use crate::rules::Rules;
use crate::world::{Broken, World};

/// A source of random numbers.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

macro_rules! deeds {
    ($($(#[$doc:meta])* $name:ident $weight:literal $group:ident,)*) => {
        /// What happens in a step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Deed {
            $($(#[$doc])* $name,)*
        }

        /// All of them, how often each comes, and to which group it belongs.
        const DEEDS: &[(Deed, usize, Group)] = &[$((Deed::$name, $weight, Group::$group),)*];
    };
}

/// What a walk may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Edits, commits, merges, the network.
    Plain,
    /// HEAD moves to and fro.
    Moves,
    /// What takes edits out of the file.
    Undo,
    /// Commits are made again elsewhere.
    Replay,
    /// `park`, `carry`.
    Marks,
    /// Crashes and editors that race.
    Accidents,
    /// The store is lost, or copied.
    Loss,
    /// Merges without the driver.
    Lines,
}

deeds! {
    Set 14 Plain,
    Add 3 Plain,
    Remove 3 Plain,
    Commit 8 Plain,
    Sync 14 Plain,
    Exchange 10 Plain,
    Pull 8 Plain,
    Switch 5 Moves,
    Detach 1 Moves,
    Force 2 Moves,
    ResetSoft 1 Moves,
    ResetMixed 1 Moves,
    ResetHard 2 Moves,
    Merge 3 Moves,
    Part 3 Moves,
    Amend 3 Moves,
    Restore 3 Undo,
    RestoreIndex 1 Undo,
    RestoreOld 1 Undo,
    Stash 3 Undo,
    Pop 3 Undo,
    Revert 3 Replay,
    Pick 2 Replay,
    Drop 2 Replay,
    Rebase 2 Replay,
    Squash 2 Replay,
    Park 2 Marks,
    Unpark 2 Marks,
    UnparkAll 1 Marks,
    Crash 3 Accidents,
    Race 3 Accidents,
    LoseStore 2 Loss,
    Copy 1 Loss,
    PullLines 3 Lines,
}

/// A step: what, in which work tree, and two numbers that choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step(
    pub(crate) Deed,
    pub(crate) usize,
    pub(crate) usize,
    pub(crate) usize,
);

/// A kind of walks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) groups: &'static [Group],
    pub(crate) trees: usize,
    /// The last tree's people do not have the tool.
    pub(crate) one_without: bool,
    pub(crate) steps: usize,
}

impl Profile {
    pub(crate) fn walk(&self, seed: u64) -> Vec<Step> {
        let mut dice = Dice::new(seed);
        let deeds: Vec<_> = DEEDS
            .iter()
            .filter(|(_, _, group)| self.groups.contains(group))
            .collect();
        let total = deeds.iter().map(|(_, weight, _)| weight).sum();
        let count = self.steps / 3 + dice.below(self.steps);
        let step = |dice: &mut Dice| {
            let mut at = dice.below(total);
            let deed = deeds.iter().find(|(_, weight, _)| {
                let found = at < *weight;
                at = at.saturating_sub(*weight);
                found
            });
            let deed = deed.map_or(Deed::Sync, |deed| deed.0);
            Step(deed, dice.below(self.trees), dice.below(4), dice.below(4))
        };
        (0..count).map(|_| step(&mut dice)).collect()
    }

    fn world(&self, rules: Rules) -> World {
        let mut world = World::new(rules, self.trees);
        if self.one_without {
            world.without_tool[self.trees - 1] = true;
        }
        world
    }

    /// Takes the steps; at the end everybody meets.
    ///
    /// # Errors
    /// The step that broke something, and what.
    pub(crate) fn run(&self, rules: Rules, steps: &[Step]) -> Result<(), Broken> {
        let mut world = self.world(rules);
        for (number, step) in steps.iter().enumerate() {
            if world.is_full() {
                return Ok(());
            }
            take(&mut world, *step).map_err(|broken| format!("step {number}: {broken}"))?;
        }
        world.converge()
    }

    /// The shortest walk of which this still holds.
    pub(crate) fn shrink(&self, steps: &[Step], fails: impl Fn(&[Step]) -> bool) -> Vec<Step> {
        let mut steps = steps.to_vec();
        loop {
            let before = steps.clone();
            let mut size = steps.len().div_ceil(2);
            while size > 0 {
                let mut at = 0;
                while at < steps.len() {
                    let mut fewer = steps.clone();
                    fewer.drain(at..(at + size).min(steps.len()));
                    if fails(&fewer) {
                        steps = fewer;
                    } else {
                        at += size;
                    }
                }
                size /= 2;
            }
            for at in 0..steps.len() {
                let Step(deed, tree, a, b) = steps[at];
                for simpler in [
                    Step(deed, 0, a, b),
                    Step(deed, tree, 0, b),
                    Step(deed, tree, a, 0),
                    Step(deed, tree, 0, 0),
                ] {
                    let mut other = steps.clone();
                    other[at] = simpler;
                    if steps[at] != simpler && fails(&other) {
                        steps = other;
                    }
                }
            }
            // Two steps that only work together.
            if steps.len() < 16 {
                'pairs: for a in 0..steps.len() {
                    for b in a + 1..steps.len() {
                        let mut fewer = steps.clone();
                        fewer.remove(b);
                        fewer.remove(a);
                        if fails(&fewer) {
                            steps = fewer;
                            break 'pairs;
                        }
                    }
                }
            }
            if steps == before {
                return steps;
            }
        }
    }

    /// A failing walk, told step by step.
    pub(crate) fn tell(&self, rules: Rules, steps: &[Step]) -> String {
        let mut world = self.world(rules);
        let mut told = String::new();
        for step in steps {
            let taken = take(&mut world, *step);
            let tree = &world.trees[step.1 % world.trees.len()];
            let _ = writeln!(told, "{step:?}: HEAD {} {:?}", tree.head(), tree.work.file);
            if let Err(broken) = taken {
                let _ = writeln!(told, "  {broken}");
                return told;
            }
        }
        if let Err(broken) = world.converge() {
            let _ = writeln!(told, "{broken}");
        }
        for (at, mind) in world.minds.iter().enumerate() {
            let _ = writeln!(told, "  {at}: {mind:?}");
        }
        for (at, store) in world.stores.iter().enumerate() {
            for known in store.known.values() {
                let _ = writeln!(told, "  {at} knows {known:?}");
            }
        }
        told
    }
}

/// Takes a step; what git would refuse does nothing.
///
/// # Errors
/// When something is not what was meant.
pub(crate) fn take(world: &mut World, Step(deed, tree, a, b): Step) -> Result<(), Broken> {
    world.now += 60;
    let trees = world.trees.len();
    let tree = tree % trees;
    let other = (tree + 1 + a % (trees - 1)) % trees;
    let author = world.minds[tree].author;
    let record = a as RecordId;
    let leaf = (record, b % FIELDS);
    let head = world.trees[tree].head();
    let before = world.trees[tree].work.file.clone();
    // A commit that this tree had.
    let reflog = &world.trees[tree].reflog;
    let earlier = reflog[reflog.len().saturating_sub(1 + a * 2 + b)].0;
    let branch = b % 2;
    if matches!(deed, Deed::Commit | Deed::Part | Deed::Amend) {
        world.renew(tree, head, true);
    }
    world.trees[tree].now = world.now;
    let (graph, writes) = (&mut world.graph, &mut world.writes);
    let at = &mut world.trees[tree];
    match deed {
        Deed::Set => {
            let value = world.value();
            world.set(tree, leaf, value);
        }
        Deed::Add => world.add(tree, 2 + record),
        Deed::Remove => world.remove(tree, record),
        Deed::Commit => at.commit(graph),
        Deed::Part => at.commit_part(graph, writes, a as u8, b % 2 == 0),
        Deed::Amend => at.amend(graph),
        Deed::Sync => return world.sync(tree, false),
        Deed::Crash => return world.sync(tree, true),
        Deed::Exchange => world.exchange(tree, other),
        Deed::Pull | Deed::PullLines => {
            let on = world.trees[tree].on;
            let theirs = world.trees[other].branches[on];
            let driver = deed == Deed::Pull && !world.without_tool[tree];
            world.trees[tree].merge(graph, writes, theirs, driver, false)?;
        }
        Deed::Merge | Deed::Squash => {
            let theirs = at.branches[1 - at.on];
            let driver = !world.without_tool[tree];
            at.merge(graph, writes, theirs, driver, deed == Deed::Squash)?;
        }
        Deed::Switch => {
            let to = at.branches[branch];
            at.switch(graph, Some(branch), to, false);
        }
        Deed::Force => {
            let to = at.branches[branch];
            at.switch(graph, Some(branch), to, true);
        }
        Deed::Detach => at.switch(graph, None, earlier, false),
        Deed::ResetSoft => at.reset(graph, earlier, 0),
        Deed::ResetMixed => at.reset(graph, earlier, 1),
        Deed::ResetHard => at.reset(graph, earlier, 2),
        Deed::Restore => at.restore(graph, Some(head)),
        Deed::RestoreIndex => at.restore(graph, None),
        Deed::RestoreOld => {
            if at.is_clean(graph) {
                at.restore(graph, Some(earlier));
            }
        }
        Deed::Stash => at.stash(graph),
        Deed::Pop => at.pop(graph, writes, author)?,
        Deed::Revert | Deed::Pick => {
            let commit = if deed == Deed::Revert {
                graph
                    .ancestry(head)
                    .iter()
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                    .nth(a)
            } else {
                (graph.len() > a).then(|| graph.len() - 1 - a)
            };
            if let Some(commit) = commit.filter(|commit| graph.parents(*commit).len() == 1) {
                let parent = graph.parents(commit)[0];
                let change = if deed == Deed::Revert {
                    [commit, parent]
                } else {
                    [parent, commit]
                };
                at.replay(graph, writes, change, author)?;
            }
        }
        Deed::Drop => {
            let mut commit = head;
            for _ in 0..a % 3 {
                commit = graph.parents(commit).first().copied().unwrap_or(commit);
            }
            if let [parent] = *graph.parents(commit) {
                at.rebase(graph, writes, parent, Some(commit), author)?;
            }
        }
        Deed::Rebase => {
            let onto = if b % 2 == 0 {
                world.trees[tree].branches[1 - world.trees[tree].on]
            } else {
                world.trees[other].head()
            };
            world.trees[tree].rebase(graph, writes, onto, None, author)?;
        }
        Deed::Park => {
            if !world.without_tool[tree] {
                return world.park(tree);
            }
        }
        Deed::Unpark => world.unpark(tree, false),
        Deed::UnparkAll => world.unpark(tree, true),
        Deed::Race => {
            world.sync(tree, false)?;
            world.save_buffer(tree, leaf);
            world.now += 6;
            return world.sync(tree, false);
        }
        Deed::LoseStore => world.lose_store(tree, false),
        Deed::Copy => world.copy(tree, other),
    }
    if deed != Deed::Race && world.trees[tree].work.file != before {
        world.touch(tree);
    }
    Ok(())
}
