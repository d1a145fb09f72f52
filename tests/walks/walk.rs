//! Random walks: what they are made of, how they are taken, and what is left of one that fails when it is made as short
//! as it can be.

use crate::ground::{Broken, Ground};

/// A source of random numbers.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit
    }
}

macro_rules! deeds {
    ($($(#[$doc:meta])* $name:ident $weight:literal,)*) => {
        /// What happens in a step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Deed {
            $($(#[$doc])* $name,)*
        }

        /// All of them, and how often each comes.
        const DEEDS: &[(Deed, usize)] = &[$((Deed::$name, $weight),)*];
    };
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
}

/// A step: what, in which work tree, and two numbers that choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    pub(crate) tree: usize,
    pub(crate) a: usize,
    pub(crate) b: usize,
}

/// A walk of so many steps, in which edits are told to others, or not.
pub(crate) fn walk(seed: u64, steps: usize, exchanging: bool) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    for _ in 0..8 {
        dice.below(2);
    }
    let deeds = || {
        let deeds = DEEDS.iter();
        deeds.filter(|(deed, _)| exchanging || *deed != Deed::Exchange)
    };
    let total = deeds().map(|(_, weight)| weight).sum();
    let deed = |dice: &mut Dice| {
        let mut at = dice.below(total);
        let found = deeds().find(|(_, weight)| {
            let found = at < *weight;
            at = at.saturating_sub(*weight);
            found
        });
        found.unwrap().0
    };
    (0..steps)
        .map(|_| Step {
            deed: deed(&mut dice),
            tree: dice.below(6),
            a: dice.below(12),
            b: dice.below(12),
        })
        .collect()
}

/// Takes the steps; at the end everybody meets.
///
/// # Errors
/// What broke; the ground tells how it came to that.
pub(crate) fn take(ground: &mut Ground, steps: &[Step]) -> Result<(), Broken> {
    for step in steps {
        ground.note(&format!("# {:?} {} {}", step.deed, step.a, step.b));
        ground.take(*step)?;
    }
    ground.note("# everybody meets");
    ground.meet()
}

/// What broke in a walk, and the shell script that shows it.
pub(crate) struct Failure {
    pub(crate) broken: Broken,
    pub(crate) script: String,
}

/// Takes a walk on new ground.
pub(crate) fn failure(steps: &[Step]) -> Option<Failure> {
    let mut ground = Ground::new();
    let broken = take(&mut ground, steps).err()?;
    Some(Failure {
        broken,
        script: ground.script(),
    })
}

/// The shortest walk found in so many attempts that fails in the same manner.
pub(crate) fn shrunk(steps: &[Step], first: Failure, mut attempts: usize) -> (Vec<Step>, Failure) {
    let (mut steps, mut failure_now) = (steps.to_vec(), first);
    let mut size = steps.len().div_ceil(2);
    while size > 0 && attempts > 0 {
        let before = steps.len();
        let mut at = 0;
        while at < steps.len() && attempts > 0 {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            attempts -= 1;
            match failure(&fewer) {
                Some(failure) if failure.broken.kind == failure_now.broken.kind => {
                    (steps, failure_now) = (fewer, failure);
                }
                _ => at += size,
            }
        }
        if size > 1 {
            size /= 2;
        } else if steps.len() == before {
            break;
        }
    }
    (steps, failure_now)
}
