//! Which items of a base sequence live on in a side's sequence.

use std::collections::{HashMap, HashSet};

use crate::value::Value;

/// What a side did to an item of base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It stands there unchanged, perhaps elsewhere.
    Kept,
    /// The side's item at this index took its place; `sure` unless other pairings were as good.
    Edited {
        to: usize,
        sure: bool,
    },
    Removed,
}

/// The fates of base's items and the indices of the side's items that come from none of them.
pub(crate) fn align(base: &[Value], side: &[Value]) -> (Vec<Fate>, Vec<usize>) {
    let mut names = HashMap::new();
    let base_names = intern(&mut names, base);
    let side_names = intern(&mut names, side);
    let common = common(&base_names, &side_names);

    let mut fates = vec![Fate::Removed; base.len()];
    let mut taken = vec![false; side.len()];
    for &(b, s) in &common {
        fates[b] = Fate::Kept;
        taken[s] = true;
    }
    keep_moved(&base_names, &side_names, &mut fates, &mut taken);

    // Between two common items, what went and what came are candidates for an edit.
    let (mut b, mut s) = (0, 0);
    for &(next_b, next_s) in common.iter().chain([&(base.len(), side.len())]) {
        let gone: Vec<usize> = (b..next_b)
            .filter(|&at| fates[at] == Fate::Removed)
            .collect();
        let come: Vec<usize> = (s..next_s).filter(|&at| !taken[at]).collect();
        pair(base, side, &gone, &come, &mut fates, &mut taken);
        (b, s) = (next_b + 1, next_s + 1);
    }
    let inserted = (0..side.len()).filter(|&at| !taken[at]).collect();
    (fates, inserted)
}

fn intern<'a>(names: &mut HashMap<&'a Value, u32>, items: &'a [Value]) -> Vec<u32> {
    items
        .iter()
        .map(|item| {
            let fresh = names.len() as u32;
            *names.entry(item).or_insert(fresh)
        })
        .collect()
}

fn keep_moved(base: &[u32], side: &[u32], fates: &mut [Fate], taken: &mut [bool]) {
    let mut free: HashMap<u32, Vec<usize>> = HashMap::new();
    for (at, name) in side.iter().enumerate().rev() {
        if !taken[at] {
            free.entry(*name).or_default().push(at);
        }
    }
    for (at, name) in base.iter().enumerate() {
        if fates[at] == Fate::Removed
            && let Some(to) = free.get_mut(name).and_then(Vec::pop)
        {
            fates[at] = Fate::Kept;
            taken[to] = true;
        }
    }
}

fn pair(
    base: &[Value],
    side: &[Value],
    gone: &[usize],
    come: &[usize],
    fates: &mut [Fate],
    taken: &mut [bool],
) {
    let mut alike = Vec::new();
    // A gap of hundreds against hundreds is a rewrite: likeness says little there and costs much.
    if gone.len() * come.len() <= 40_000 {
        for &from in gone {
            let scored = come
                .iter()
                .map(|&to| (similarity(&base[from], &side[to]), from, to));
            alike.extend(scored.filter(|(score, ..)| *score >= ALIKE));
        }
    }
    // The best pair first, or an item would take the place of its neighbour's true successor. The sort is stable:
    // among equals the earlier ones pair.
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, from, to) in alike {
        if fates[from] == Fate::Removed && !taken[to] {
            fates[from] = Fate::Edited { to, sure: true };
            taken[to] = true;
        }
    }
    // Replaced one by one: position is all that speaks for a pair of scalars.
    if gone.len() == come.len() {
        for (&from, &to) in gone.iter().zip(come) {
            let same_kind = base[from].is_scalar() == side[to].is_scalar();
            if same_kind && fates[from] == Fate::Removed && !taken[to] {
                fates[from] = Fate::Edited {
                    to,
                    sure: gone.len() == 1,
                };
                taken[to] = true;
            }
        }
    }
}

/// From here on one value may be an edit of the other.
pub(crate) const ALIKE: f64 = 0.5;

/// The share of their content that two collections have in common; different scalars have nothing.
pub(crate) fn similarity(a: &Value, b: &Value) -> f64 {
    if a == b {
        return 1.0;
    }
    match (a.split().0, b.split().0) {
        (Value::Map(a), Value::Map(b)) => {
            let common: f64 = a
                .iter()
                .filter_map(|(key, value)| Some(similarity(value, b.get(key)?)))
                .sum();
            common / a.len().max(b.len()).max(1) as f64
        }
        (Value::Seq(a), Value::Seq(b)) => {
            let there: HashSet<&Value> = b.iter().collect();
            let common = a.iter().filter(|item| there.contains(item)).count();
            common as f64 / a.len().max(b.len()).max(1) as f64
        }
        _ => 0.0,
    }
}

/// A longest common subsequence, as pairs of indices (Myers' greedy algorithm).
///
/// Past 3,000 differences it gives up on the middle: nothing real that the oracle can judge differs that much.
pub(crate) fn common(a: &[u32], b: &[u32]) -> Vec<(usize, usize)> {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a[head..]
        .iter()
        .rev()
        .zip(b[head..].iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let (end_a, end_b) = (a.len() - tail, b.len() - tail);
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|at| (at, at)).collect();
    pairs.extend(
        middle(&a[head..end_a], &b[head..end_b])
            .into_iter()
            .map(|(x, y)| (x + head, y + head)),
    );
    pairs.extend((0..tail).map(|at| (end_a + at, end_b + at)));
    pairs
}

fn middle(a: &[u32], b: &[u32]) -> Vec<(usize, usize)> {
    let (n, m) = (a.len() as isize, b.len() as isize);
    let limit = (n + m).min(3000);
    let offset = limit + 1;
    let mut reach = vec![0isize; (2 * offset + 1) as usize];
    let mut trace: Vec<Vec<isize>> = Vec::new();
    for d in 0..=limit {
        trace.push(reach[(offset - d) as usize..=(offset + d) as usize].to_vec());
        let mut k = -d;
        while k <= d {
            let at = |k: isize| (offset + k) as usize;
            let down = k == -d || k != d && reach[at(k - 1)] < reach[at(k + 1)];
            let mut x = if down {
                reach[at(k + 1)]
            } else {
                reach[at(k - 1)] + 1
            };
            while x < n && x - k < m && a[x as usize] == b[(x - k) as usize] {
                x += 1;
            }
            reach[at(k)] = x;
            if x >= n && x - k >= m {
                return walk_back(&trace, n, m);
            }
            k += 2;
        }
    }
    Vec::new()
}

/// `trace[d]` holds the reach of the diagonals `-d..=d` before round `d`.
fn walk_back(trace: &[Vec<isize>], n: isize, m: isize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let (mut x, mut y) = (n, m);
    for (d, reach) in trace.iter().enumerate().rev() {
        let d = d as isize;
        let k = x - y;
        let at = |k: isize| reach[(k + d) as usize];
        let previous = if d == 0 {
            None
        } else if k == -d || k != d && at(k - 1) < at(k + 1) {
            Some(k + 1)
        } else {
            Some(k - 1)
        };
        let (from_x, from_y) = previous.map_or((0, 0), |k| (at(k), at(k) - k));
        while x > from_x && y > from_y {
            (x, y) = (x - 1, y - 1);
            pairs.push((x as usize, y as usize));
        }
        (x, y) = (from_x, from_y);
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &str) -> Vec<Value> {
        words
            .split_whitespace()
            .map(|w| Value::Text(w.to_owned()))
            .collect()
    }

    #[test]
    fn common_subsequences_are_longest() {
        for (a, b, length) in [
            ("", "", 0),
            ("abc", "abc", 3),
            ("abcabba", "cbabac", 4),
            ("abcdef", "xbxdxf", 3),
        ] {
            let ids = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
            let (a, b) = (ids(a), ids(b));
            let pairs = common(&a, &b);
            assert_eq!(pairs.len(), length);
            assert!(pairs.iter().all(|&(x, y)| a[x] == b[y]));
            assert!(pairs.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
        }
    }

    #[test]
    fn one_for_one_is_an_edit() {
        let (fates, inserted) = align(&texts("a b c"), &texts("a x c"));
        assert_eq!(fates[1], Fate::Edited { to: 1, sure: true });
        assert!(inserted.is_empty());
    }

    #[test]
    fn a_move_is_no_edit() {
        let (fates, inserted) = align(&texts("a b c d"), &texts("d a b c"));
        assert_eq!(fates, [Fate::Kept; 4]);
        assert!(inserted.is_empty());
    }

    #[test]
    fn mappings_pair_by_likeness() {
        let map = |pairs: &[(&str, i128)]| {
            Value::Map(
                pairs
                    .iter()
                    .map(|(k, v)| (Value::Text((*k).to_owned()), Value::Int(*v)))
                    .collect(),
            )
        };
        let base = [map(&[("a", 1), ("b", 2), ("c", 3)])];
        let side = [
            map(&[("a", 7), ("b", 7), ("c", 7)]),
            map(&[("a", 1), ("b", 2), ("c", 4)]),
        ];
        let (fates, inserted) = align(&base, &side);
        assert_eq!(fates, [Fate::Edited { to: 1, sure: true }]);
        assert_eq!(inserted, [0]);
    }
}
