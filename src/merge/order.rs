//! The order of a merged collection, from the orders of three versions. Entries are small numbers here.
//!
//! Entries that all three versions have form the skeleton: in the order of the side that moved some of them, or, where
//! both sides did, those that neither moved in the base's order. Every other entry floats: it stands behind the
//! skeleton entry that it follows on the side that put it there.

use std::cmp::Ordering;

use super::runs::{self, Arrange};

/// The three versions of a collection as sequences of entry numbers below `count`; an entry stands in each at most once.
pub(super) struct Orders<'a> {
    pub(super) base: &'a [u32],
    pub(super) ours: &'a [u32],
    pub(super) theirs: &'a [u32],
    pub(super) count: usize,
}

/// The entries for which `survives` in merged order.
pub(super) fn merge(
    orders: &Orders<'_>,
    survives: &[bool],
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
            .filter(|&entry| seen[entry as usize] == 7 && survives[entry as usize])
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
    let floats = |side: &[u32]| floats(side, &place, survives);
    let (ours_floats, theirs_floats) = (floats(ours), floats(theirs));
    let mut anchor = vec![[usize::MAX; 2]; count];
    for (index, list) in [&ours_floats, &theirs_floats].into_iter().enumerate() {
        for float in list {
            anchor[float.entry as usize][index] = float.anchor;
        }
    }
    let runs = |list: &[Float], index: usize| -> Vec<Vec<Vec<u32>>> {
        let mut gaps = vec![Vec::new(); skeleton.len() + 1];
        let mut last = None;
        for &Float {
            entry,
            anchor: at,
            run,
        } in list
        {
            let [mine, other] = {
                let pair = anchor[entry as usize];
                [pair[index], pair[1 - index]]
            };
            let governs = match moved[entry as usize] {
                Mover::Side(side) => side == index,
                Mover::Both if mine == usize::MAX || other == usize::MAX || mine == other => true,
                Mover::Both => leader.map_or(mine < other, |leader| leader == index),
            };
            if !governs {
                continue;
            }
            if last != Some((at, run)) || gaps[at].is_empty() {
                gaps[at].push(Vec::new());
                last = Some((at, run));
            }
            if let Some(run) = gaps[at].last_mut() {
                run.push(entry);
            }
        }
        gaps
    };
    let (ours_runs, theirs_runs) = (runs(&ours_floats, 0), runs(&theirs_floats, 1));
    let mut out = Vec::with_capacity(skeleton.len());
    for (gap, (a, b)) in ours_runs.iter().zip(&theirs_runs).enumerate() {
        if gap > 0 {
            out.push(skeleton[gap - 1]);
        }
        let mine = one_run(a, arrange, &compare);
        let others = one_run(b, arrange, &compare);
        out.extend(join_gap(&mine, &others, arrange, &compare));
    }
    out
}

/// The runs of one side in one gap as one. Between them stood entries that are gone: had they gone before somebody put
/// the second run there, the two would have met in one gap, so they are joined like runs of two sides. That makes the
/// order independent of the order of merging.
fn one_run(
    runs: &[Vec<u32>],
    arrange: Arrange,
    compare: &impl Fn(u32, u32) -> Ordering,
) -> Vec<u32> {
    match (runs, arrange) {
        ([], _) => Vec::new(),
        ([run], _) => run.clone(),
        (runs, Arrange::Runs) => runs.concat(),
        // Half and half, as joining them one by one would go over the first ones again and again.
        (runs, Arrange::Elements) => {
            let (first, second) = runs.split_at(runs.len() / 2);
            join_gap(
                &one_run(first, arrange, compare),
                &one_run(second, arrange, compare),
                arrange,
                compare,
            )
        }
    }
}

/// Joins the runs of one gap. Entries that both runs have in opposite orders would come out twice: they stay where the
/// run with the smaller beginning has them.
fn join_gap(
    a: &[u32],
    b: &[u32],
    arrange: Arrange,
    compare: &impl Fn(u32, u32) -> Ordering,
) -> Vec<u32> {
    let joined = runs::join(a, b, arrange, |&x, &y| compare(x, y).then(x.cmp(&y)));
    let mut seen = std::collections::HashSet::new();
    if joined.len() <= 1 || a.is_empty() || b.is_empty() {
        return joined;
    }
    joined
        .into_iter()
        .filter(|&entry| seen.insert(entry))
        .collect()
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

/// Which entries of `base` keep their relative order in `side`: a longest increasing subsequence.
fn unmoved(base: &[u32], side: &[u32], count: usize) -> Vec<bool> {
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

/// A floating entry of a side.
struct Float {
    entry: u32,
    /// The place of the skeleton entry before it (0: none).
    anchor: usize,
    /// Counts the entries before it that are gone.
    run: usize,
}

fn floats(side: &[u32], place: &[usize], survives: &[bool]) -> Vec<Float> {
    let mut anchor = 0;
    let mut run = 0;
    let mut out = Vec::new();
    for &entry in side {
        let at = place[entry as usize];
        if at != usize::MAX {
            anchor = at;
        } else if survives[entry as usize] {
            out.push(Float { entry, anchor, run });
        } else {
            run += 1;
        }
    }
    out
}
