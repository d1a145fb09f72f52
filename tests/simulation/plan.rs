//! What happens in a run: drawn from its seed, and nothing else.

use std::fmt;

/// A second, in milliseconds.
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;

/// A source of numbers that a seed gives (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit.max(1)
    }

    /// Whether something happens that happens so many times of a hundred.
    pub(crate) fn comes(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.number().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

/// How the network is until it heals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// Of a hundred messages, how many get lost, and how many come twice.
    pub(crate) lost: u64,
    pub(crate) twice: u64,
    /// How long a message takes at most, in milliseconds.
    pub(crate) slowest: u64,
    /// Whether one may overtake another.
    pub(crate) overtaking: bool,
}

/// The network when it is as it should be.
pub(crate) const HEALED: Network = Network {
    lost: 0,
    twice: 0,
    slowest: 50,
    overtaking: false,
};

deeds! {
    /// Somebody edits the file by hand.
    Set 30,
    Add 8,
    /// A record under an id that somebody else gives to another one.
    AddCommon 3,
    Remove 6,
    /// A field goes.
    Unset 3,
    /// A tool that knows nothing of annotations writes the file.
    Strip 2,
    /// A tool reads the file, thinks, and writes it with one value more.
    Race 4,
    /// An old version of the file is put back.
    PutBack 2,
    /// The program looks, where nothing tells it to.
    Look 8,
    Commit 10,
    Pull 7,
    Switch 2,
    ResetHard 2,
    /// A commit is taken back by another one.
    Revert 2,
    /// The process ends at some point of its next work.
    Crash 4,
    /// The same, and what was not yet on the disk is lost.
    PowerCut 4,
    LoseStore 1,
    /// Some bytes of the store are others.
    DamageStore 1,
    /// The store of a while ago is put back, as from a backup.
    OldStore 1,
    /// `cp -r`, and both go on.
    Copy 1,
    SetClock 3,
    /// The connection to another one breaks.
    Cut 2,
    /// Some hear nothing of the others; perhaps these of them.
    Part 3,
    /// Somebody calls another one, to leave when all is said.
    Visit 2,
    /// What is over is packed.
    Pack 2,
}

/// A step: after how many milliseconds, where, what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) after: u64,
    pub(crate) desk: usize,
    pub(crate) deed: Deed,
    pub(crate) a: u64,
    pub(crate) b: u64,
}

/// A bit for each desk.
pub(crate) fn each_of(desks: usize) -> u64 {
    u64::MAX >> 64_usize.saturating_sub(desks)
}

/// Whether a desk's bit is set; where there are more than 64 desks some share theirs.
pub(crate) fn is_in(bits: u64, desk: usize) -> bool {
    bits >> (desk % 64) & 1 == 1
}

/// All that happens in a run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) desks: usize,
    pub(crate) network: Network,
    /// The desks at which the program stays and sees what is saved; a bit each.
    pub(crate) watched: u64,
    /// Of a hundred messages of the last desk, with how many it tampers.
    pub(crate) hostile: u64,
    /// Whether the first desk speaks a version of the protocol that others do not know.
    pub(crate) is_newer: bool,
    /// Whether nobody hears of anybody else until the network heals.
    pub(crate) is_apart: bool,
    /// With how many of the next desks on either side each has a line.
    pub(crate) reach: usize,
    pub(crate) script: Vec<Step>,
}

impl Plan {
    /// The plan that a seed stands for.
    pub(crate) fn drawn(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let desks = 2 + dice.below(3) as usize;
        let is_calm = dice.comes(30);
        let network = match is_calm {
            true => HEALED,
            false => Network {
                lost: dice.below(40),
                twice: dice.below(30),
                slowest: 1 + dice.below(3_000),
                overtaking: dice.comes(50),
            },
        };
        let watched = dice.number();
        let hostile = if dice.comes(15) {
            5 + dice.below(40)
        } else {
            0
        };
        let is_newer = dice.comes(4);
        let steps = 6 + dice.below(18);
        // Most runs have some kinds of trouble only, so that each meets much of it.
        let kinds = dice.number() | dice.number();
        let wanted: Vec<(Deed, usize)> = (0..)
            .zip(DEEDS)
            .filter(|(at, (deed, _))| *deed == Deed::Set || kinds >> (at % 64) & 1 == 1)
            .map(|(_, deed)| *deed)
            .collect();
        let total: usize = wanted.iter().map(|(_, weight)| weight).sum();
        let script = (0..steps).map(|_| {
            let mut at = dice.below(total as u64) as usize;
            let found = wanted.iter().find(|(_, weight)| {
                let is_found = at < *weight;
                at = at.saturating_sub(*weight);
                is_found
            });
            let pause = [300, 3_000, 40_000][dice.below(3) as usize];
            Step {
                after: dice.below(pause),
                desk: dice.below(desks as u64) as usize,
                deed: found.map_or(Deed::Set, |(deed, _)| *deed),
                a: dice.below(1 << 16),
                b: dice.below(1 << 16),
            }
        });
        Self {
            script: script.collect(),
            seed,
            desks,
            network,
            watched,
            hostile,
            is_newer,
            is_apart: false,
            reach: desks,
        }
    }

    /// Who has a line with whom.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let Self { desks, reach, .. } = *self;
        let pairs = (0..desks).flat_map(move |a| (a + 1..desks).map(move |b| [a, b]));
        pairs.filter(move |[a, b]| (b - a).min(desks + a - b) <= reach)
    }

    /// The same with these steps of its script only; the others' time passes all the same.
    pub(crate) fn with(&self, kept: &[usize]) -> Self {
        let mut script = Vec::new();
        let mut passed = 0;
        for (at, step) in self.script.iter().enumerate() {
            passed += step.after;
            if kept.contains(&at) {
                script.push(Step {
                    after: std::mem::take(&mut passed),
                    ..*step
                });
            }
        }
        Self {
            script,
            ..self.clone()
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} desks, {:?}, watched {:b}, hostile {}, newer {}",
            self.desks,
            self.network,
            self.watched & each_of(self.desks),
            self.hostile,
            self.is_newer
        )?;
        let mut at = 0;
        for step in &self.script {
            at += step.after;
            writeln!(
                f,
                "  {:>7} ms  desk {}: {:?} {} {}",
                at, step.desk, step.deed, step.a, step.b
            )?;
        }
        Ok(())
    }
}
