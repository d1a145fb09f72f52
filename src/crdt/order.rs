//! The order of a merged collection, from the orders of three versions. Entries are small numbers here.
//!
//! Entries that all three versions have form the skeleton: in the order of the side that moved some of them, or, where
//! both sides did, those that neither moved in the base's order. Every other entry floats: it stands behind the
//! skeleton entry that it follows on the side that put it there.
//!
//! What floats at one place is arranged by rule, run by run or element by element. Where order must not depend on the order
//! of merging, a run ends where an entry of the base is gone or came back:
//! which of the neighbours stood before it and which behind cannot be told any more once a merge without it was
//! committed, so it must not matter, or the order of merging many branches would show.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::runs;

/// The three versions of a collection as sequences of entry numbers below `count`; an entry stands in each at most once.
pub(crate) struct Orders<'a> {
    pub(crate) base: &'a [u32],
    pub(crate) ours: &'a [u32],
    pub(crate) theirs: &'a [u32],
    pub(crate) count: usize,
}

/// What became of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is deleted.
    Gone,
    /// It stands.
    Stays,
    /// One branch deleted it and another one changed it, now or in an earlier merge.
    Revived,
}

/// The entries that are not gone, in merged order.
pub(crate) fn merge(
    orders: &Orders<'_>,
    fates: &[Fate],
    arrange: Arrange,
    compare: impl Fn(u32, u32) -> Ordering,
) -> Vec<u32> {
    let Orders {
        base,
        ours,
        theirs,
        count,
    } = *orders;
    let mut seen = vec![0u8; count];
    for (side, bit) in [(base, 1), (ours, 2), (theirs, 4)] {
        for &entry in side {
            seen[entry as usize] |= bit;
        }
    }
    let common = |side: &[u32]| -> Vec<u32> {
        side.iter()
            .copied()
            .filter(|&entry| seen[entry as usize] == 7 && fates[entry as usize] == Fate::Stays)
            .collect()
    };
    let (in_base, in_ours, in_theirs) = (common(base), common(ours), common(theirs));
    // The side whose order the skeleton has, where only one side moved anything.
    let mut leader = None;
    let skeleton = if in_ours == in_theirs {
        in_ours
    } else if in_theirs == in_base {
        leader = Some(0);
        in_ours
    } else if in_ours == in_base {
        leader = Some(1);
        in_theirs
    } else {
        let (mine, others) = (
            unmoved(&in_base, &in_ours, count),
            unmoved(&in_base, &in_theirs, count),
        );
        in_base
            .iter()
            .copied()
            .filter(|&entry| mine[entry as usize] && others[entry as usize])
            .collect()
    };
    let moved = moves(&in_base, ours, theirs, &skeleton, count);
    let mut place = vec![usize::MAX; count];
    for (index, &entry) in skeleton.iter().enumerate() {
        place[entry as usize] = index + 1;
    }
    let breaks = |entry: u32| {
        arrange != Arrange::Runs
            && seen[entry as usize] & 1 != 0
            && fates[entry as usize] != Fate::Stays
    };
    let floats = [ours, theirs].map(|side| floats(side, &place, fates, breaks));
    let mut anchor = vec![[usize::MAX; 2]; count];
    for (side, floats) in floats.iter().enumerate() {
        for float in floats {
            anchor[float.entry as usize][side] = float.gap;
        }
    }
    let mut gaps: Vec<Vec<Vec<u32>>> = vec![Vec::new(); skeleton.len() + 1];
    for (side, floats) in floats.iter().enumerate() {
        let mut last = None;
        for float in floats {
            let [mine, other] = {
                let pair = anchor[float.entry as usize];
                [pair[side], pair[1 - side]]
            };
            let governs = match moved[float.entry as usize] {
                Mover::Side(mover) => mover == side,
                Mover::Both if other == usize::MAX || mine == other => true,
                Mover::Both => leader.map_or(mine < other, |leader| leader == side),
            };
            if !governs {
                continue;
            }
            let runs = &mut gaps[float.gap];
            match runs
                .last_mut()
                .filter(|_| last == Some((float.gap, float.run)))
            {
                Some(run) => run.push(float.entry),
                None => runs.push(vec![float.entry]),
            }
            last = Some((float.gap, float.run));
        }
    }
    let compare = |a: &u32, b: &u32| compare(*a, *b).then(a.cmp(b));
    let mut out = Vec::with_capacity(skeleton.len());
    for (gap, runs) in gaps.into_iter().enumerate() {
        if gap > 0 {
            out.push(skeleton[gap - 1]);
        }
        out.extend(join_gap(runs, arrange, compare));
    }
    out
}

/// How what several sides put into one place is arranged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrange {
    /// Each entry by what it is known by, whoever put it there: many branches come out the same in any order of merging.
    Sorted,
    /// Entry by entry, the smaller head first, so that each side's own order stays.
    Elements,
    /// Run by run: what one side wrote together stays together.
    Runs,
}

/// Joins the runs of one gap.
fn join_gap(
    mut runs: Vec<Vec<u32>>,
    arrange: Arrange,
    compare: impl Fn(&u32, &u32) -> Ordering + Copy,
) -> Vec<u32> {
    runs.sort_by(|a, b| runs::lexical(a, b, &compare));
    runs.dedup();
    if runs.len() <= 1 {
        return runs.pop().unwrap_or_default();
    }
    let mut joined = match arrange {
        Arrange::Sorted => {
            let mut all = runs.concat();
            all.sort_by(compare);
            all
        }
        Arrange::Elements => join_all(&runs, runs::Arrange::Elements, compare),
        Arrange::Runs => join_all(&runs, runs::Arrange::Runs, compare),
    };
    // Entries that two runs have in opposite orders stay where they come first.
    let mut seen = std::collections::HashSet::new();
    joined.retain(|&entry| seen.insert(entry));
    joined
}

/// Joins runs half and half, as joining them one by one would go over the first ones again and again.
fn join_all(
    runs: &[Vec<u32>],
    arrange: runs::Arrange,
    compare: impl Fn(&u32, &u32) -> Ordering + Copy,
) -> Vec<u32> {
    match runs {
        [] => Vec::new(),
        [run] => run.clone(),
        runs => {
            let (first, second) = runs.split_at(runs.len() / 2);
            let (first, second) = (
                join_all(first, arrange, compare),
                join_all(second, arrange, compare),
            );
            runs::join(&first, &second, arrange, compare)
        }
    }
}

/// Who put a floating entry where it is.
#[derive(Clone, Copy)]
enum Mover {
    /// Only this side (0 ours, 1 theirs).
    Side(usize),
    /// Both, or it cannot be told.
    Both,
}

/// For every entry of the base that floats because it was moved: by whom.
fn moves(base: &[u32], ours: &[u32], theirs: &[u32], skeleton: &[u32], count: usize) -> Vec<Mover> {
    let mut movers = vec![Mover::Both; count];
    if skeleton.len() == base.len() {
        return movers;
    }
    let mine = unmoved(base, ours, count);
    let others = unmoved(base, theirs, count);
    for &entry in base {
        movers[entry as usize] = match (mine[entry as usize], others[entry as usize]) {
            (true, false) => Mover::Side(1),
            (false, true) => Mover::Side(0),
            _ => Mover::Both,
        };
    }
    movers
}

/// The elements of both sequences that stand elsewhere in `new` than in `old`, as few as can be.
pub(crate) fn moved<T: Copy + Ord>(old: &[T], new: &[T]) -> BTreeSet<T> {
    let places: BTreeMap<T, u32> = (0..)
        .zip(old)
        .map(|(place, element)| (*element, place))
        .collect();
    let in_both: Vec<u32> = new
        .iter()
        .filter_map(|element| places.get(element).copied())
        .collect();
    let base: Vec<u32> = (0..old.len() as u32).collect();
    let kept = unmoved(&base, &in_both, old.len());
    in_both
        .into_iter()
        .filter(|place| !kept[*place as usize])
        .map(|place| old[place as usize])
        .collect()
}

/// Which entries of `base` keep their relative order in `side`: a longest increasing subsequence.
pub(crate) fn unmoved(base: &[u32], side: &[u32], count: usize) -> Vec<bool> {
    let mut position = vec![usize::MAX; count];
    for (index, &entry) in base.iter().enumerate() {
        position[entry as usize] = index;
    }
    let sequence: Vec<usize> = side
        .iter()
        .map(|&entry| position[entry as usize])
        .filter(|&position| position != usize::MAX)
        .collect();
    // Patience sorting: `tails[n]` ends the smallest increasing subsequence of length n + 1.
    let mut tails: Vec<usize> = Vec::new();
    let mut previous = vec![usize::MAX; sequence.len()];
    for (index, &value) in sequence.iter().enumerate() {
        let length = tails.partition_point(|&tail| sequence[tail] < value);
        if length > 0 {
            previous[index] = tails[length - 1];
        }
        if length == tails.len() {
            tails.push(index);
        } else {
            tails[length] = index;
        }
    }
    let mut kept = vec![false; count];
    let mut at = tails.last().copied();
    while let Some(index) = at {
        kept[base[sequence[index]] as usize] = true;
        at = (previous[index] != usize::MAX).then_some(previous[index]);
    }
    kept
}

/// A floating entry on one side.
struct Float {
    entry: u32,
    /// The place of the skeleton entry before it; 0 if there is none.
    gap: usize,
    /// Which run of its gap it is in.
    run: usize,
}

fn floats(
    side: &[u32],
    place: &[usize],
    fates: &[Fate],
    breaks: impl Fn(u32) -> bool,
) -> Vec<Float> {
    let (mut gap, mut run) = (0, 0);
    let mut out = Vec::new();
    for &entry in side {
        let at = place[entry as usize];
        if at != usize::MAX {
            gap = at;
            continue;
        }
        let breaks = breaks(entry);
        run += usize::from(breaks);
        if fates[entry as usize] != Fate::Gone {
            out.push(Float { entry, gap, run });
        }
        run += usize::from(breaks);
    }
    out
}
