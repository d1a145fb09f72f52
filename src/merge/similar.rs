//! Matching of list members that nothing identifies: by equality first, in place or anywhere (a move), then by
//! likeness among those that stand between the same equal neighbours.

use std::collections::HashMap;

use super::identity::{Matched, Slot};
use crate::crdt::diff;
use crate::yaml::{EntryRef, Kind, NodeRef, Scalar};

/// Two members are taken for versions of one if they share at least this part of what they hold.
const ALIKE: f64 = 0.5;

/// The same for a collection that stands alone between equal neighbours in the place of another.
const ALIKE_ALONE: f64 = 0.25;

/// The same for records whose identity changed: more is asked, as an identity changes rarely.
const RENAMED: f64 = 0.6;

/// Gaps with more pairs, or more bytes to compare, than these are not searched for likeness.
const MOST_PAIRS: usize = 40_000;
const MOST_BYTES: usize = 16 << 20;

/// Whether comparing each of some members with each of others costs too much; both as (number, bytes).
fn is_too_much(olds: (usize, usize), news: (usize, usize)) -> bool {
    olds.0.saturating_mul(news.0) > MOST_PAIRS
        || olds.0.saturating_mul(news.1) + news.0.saturating_mul(olds.1) > MOST_BYTES
}

/// For every member of `side` the index of the member of `base` that it is a version of; `old` and `new` are the hashes
/// of what they mean.
pub(super) fn align(
    base: &[NodeRef<'_>],
    old: &[u64],
    side: &[NodeRef<'_>],
    new: &[u64],
) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; side.len()];
    let matches = diff::matches(old, new);
    let standing: Vec<usize> = (0..old.len())
        .filter(|&at| new.get(at) == Some(&old[at]))
        .collect();
    if old.len() == new.len() && standing.len() >= matches.len() {
        // As much stands in its place as can be matched at all: then places are what counts, as in coordinates or the
        // arguments of a command, where one value may stand twice.
        for at in standing {
            found[at] = Some(at);
        }
        pair_places(base, old, side, &mut found);
        return found;
    }
    for (i, j) in matches {
        found[j] = Some(i);
    }
    follow_moves(old, new, &mut found);
    let mut used = vec![false; old.len()];
    for &index in found.iter().flatten() {
        used[index] = true;
    }
    for hunk in diff::hunks(old, new) {
        let olds: Vec<usize> = hunk.old.filter(|&index| !used[index]).collect();
        let news: Vec<usize> = hunk.new.filter(|&index| found[index].is_none()).collect();
        pair_alike(base, &olds, side, &news, &mut found);
    }
    found
}

/// Pairs what changed in lists whose members stand in their places: numbers by place, all else by likeness where several
/// neighbours changed.
fn pair_places(
    base: &[NodeRef<'_>],
    old: &[u64],
    side: &[NodeRef<'_>],
    found: &mut [Option<usize>],
) {
    let number =
        |node: &NodeRef<'_>| matches!(node.scalar(), Some(Scalar::Int(_) | Scalar::Float(_)));
    let mut at = 0;
    while at < old.len() {
        let run: Vec<usize> = (at..old.len())
            .take_while(|&at| found[at].is_none())
            .collect();
        at += run.len() + 1;
        if run.iter().all(|&at| number(&base[at]) && number(&side[at])) {
            for at in run {
                found[at] = Some(at);
            }
        } else {
            pair_alike(base, &run, side, &run, found);
        }
    }
}

/// Pairs members of the base with members of a side that stand in their place.
fn pair_alike(
    base: &[NodeRef<'_>],
    olds: &[usize],
    side: &[NodeRef<'_>],
    news: &[usize],
    found: &mut [Option<usize>],
) {
    if let ([i], [j]) = (olds, news) {
        // One member in the place of one other is that one, changed, however little two scalars have in common.
        let (old, new) = (base[*i], side[*j]);
        if !old.is_collection() && !new.is_collection() || likeness(old, new) >= ALIKE_ALONE {
            found[*j] = Some(*i);
        }
        return;
    }
    let bytes = |nodes: &[NodeRef<'_>], indices: &[usize]| -> usize {
        indices.iter().map(|&index| nodes[index].raw().len()).sum()
    };
    if is_too_much(
        (olds.len(), bytes(base, olds)),
        (news.len(), bytes(side, news)),
    ) {
        return;
    }
    for (i, j) in best_pairs(olds, news, |i, j| likeness(base[i], side[j])) {
        found[j] = Some(i);
    }
}

/// A member that is gone from its place and stands, equal, in another was moved.
fn follow_moves(old: &[u64], new: &[u64], found: &mut [Option<usize>]) {
    let mut free: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut used = vec![false; old.len()];
    for &index in found.iter().flatten() {
        used[index] = true;
    }
    for (index, &hash) in old.iter().enumerate().rev() {
        if !used[index] {
            free.entry(hash).or_default().push(index);
        }
    }
    for (at, slot) in found.iter_mut().enumerate() {
        if slot.is_none()
            && let Some(index) = free.get_mut(&new[at]).and_then(Vec::pop)
        {
            *slot = Some(index);
        }
    }
}

/// The pairs, in order on both sides, with the greatest sum of likeness; none below [`ALIKE`].
fn best_pairs(
    olds: &[usize],
    news: &[usize],
    likeness: impl Fn(usize, usize) -> f64,
) -> Vec<(usize, usize)> {
    let width = news.len() + 1;
    let mut best = vec![0.0f64; (olds.len() + 1) * width];
    let mut paired = vec![false; (olds.len() + 1) * width];
    for i in (0..olds.len()).rev() {
        for j in (0..news.len()).rev() {
            let at = i * width + j;
            let skip = best[at + width].max(best[at + 1]);
            let like = likeness(olds[i], news[j]);
            let take = like + best[at + width + 1];
            paired[at] = like >= ALIKE && take > skip;
            best[at] = if paired[at] { take } else { skip };
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < olds.len() && j < news.len() {
        let at = i * width + j;
        if paired[at] {
            pairs.push((olds[i], news[j]));
            i += 1;
            j += 1;
        } else if best[at + width] >= best[at + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// How much two nodes have in common, from 0 to 1.
pub(super) fn likeness<'d>(a: NodeRef<'d>, b: NodeRef<'d>) -> f64 {
    match (a.kind(), b.kind()) {
        (Kind::Mapping, Kind::Mapping) => {
            let shared: f64 = shared_fields(a, b)
                .into_iter()
                .map(|(x, y)| likeness(x, y))
                .sum();
            ratio(2.0 * shared, (a.len() + b.len()) as f64)
        }
        (Kind::Sequence, Kind::Sequence) => {
            ratio(2.0 * shared_members(a, b), (a.len() + b.len()) as f64)
        }
        (Kind::Scalar(_), Kind::Scalar(_)) if a.means(b) => 1.0,
        (Kind::Scalar(_), Kind::Scalar(_)) => words_in_common(&a.text(), &b.text()),
        (Kind::Alias, Kind::Alias) if a.raw() == b.raw() => 1.0,
        _ => 0.0,
    }
}

/// The values of the keys that two mappings share.
fn shared_fields<'d>(a: NodeRef<'d>, b: NodeRef<'d>) -> Vec<(NodeRef<'d>, NodeRef<'d>)> {
    const FEW: usize = 16;
    let key = |entry: EntryRef<'d>| entry.key().map(NodeRef::text);
    if b.len() <= FEW {
        return a
            .entries()
            .filter_map(|entry| Some((entry.value(), b.get(&key(entry)?)?.value())))
            .collect();
    }
    let others: HashMap<_, _> = b
        .entries()
        .filter_map(|entry| Some((key(entry)?, entry.value())))
        .collect();
    a.entries()
        .filter_map(|entry| Some((entry.value(), *others.get(&key(entry)?)?)))
        .collect()
}

/// How many members two lists share; one collection in the place of one other counts as much as they are alike.
fn shared_members<'d>(a: NodeRef<'d>, b: NodeRef<'d>) -> f64 {
    let values = |node: NodeRef<'d>| node.entries().map(EntryRef::value).collect::<Vec<_>>();
    let (a, b) = (values(a), values(b));
    let hashes = |side: &[NodeRef<'_>]| {
        side.iter()
            .map(|node| node.meaning_hash())
            .collect::<Vec<_>>()
    };
    let (old, new) = (hashes(&a), hashes(&b));
    let changed: f64 = diff::hunks(&old, &new)
        .iter()
        .filter(|hunk| hunk.old.len() == 1 && hunk.new.len() == 1)
        .map(|hunk| (a[hunk.old.start], b[hunk.new.start]))
        .filter(|(x, y)| x.is_collection() && y.is_collection())
        .map(|(x, y)| likeness(x, y))
        .sum();
    diff::matches(&old, &new).len() as f64 + changed
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 1.0 } else { part / whole }
}

/// Texts of fewer words are names and addresses: they are the same or they are not.
const FEWEST_WORDS: usize = 4;

/// The likeness of `redis:6` and `redis:7`, of `DB=mysql` and `DB=postgres`.
const SAME_NAME: f64 = 0.75;

/// Whether two texts are one name with two versions or values behind it.
fn same_name(a: &str, b: &str) -> bool {
    let name = |text: &'_ str| -> Option<String> {
        let at = text.rfind(['@', ':', '='])?;
        (at > 0 && !text[at..].starts_with("://")).then(|| text[..at].to_owned())
    };
    name(a).is_some_and(|a| Some(a) == name(b))
}

/// The part of words in the same order that two texts share (Dice's coefficient).
fn words_in_common(a: &str, b: &str) -> f64 {
    let words = |text: &'_ str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (a_words, b_words) = (words(a), words(b));
    if a_words.len().min(b_words.len()) < FEWEST_WORDS {
        return if same_name(a, b) { SAME_NAME } else { 0.0 };
    }
    let (a, b) = (a_words, b_words);
    let shared = diff::matches(&a, &b).len();
    ratio(2.0 * shared as f64, (a.len() + b.len()) as f64)
}

/// A record that a side deleted while it added one that is much like it, in the same place, was renamed: its new
/// version joins its slot, unless the other side has either of them otherwise.
pub(super) fn follow_renames(matched: &mut Matched<'_>) {
    let ours: HashMap<u32, u32> = renames(matched, |slot| slot.ours, &matched.orders.ours);
    let theirs: HashMap<u32, u32> = renames(matched, |slot| slot.theirs, &matched.orders.theirs);
    let joined: Vec<(u32, u32)> = ours
        .iter()
        .chain(
            theirs
                .iter()
                .filter(|(old, new)| ours.get(old) != Some(*new)),
        )
        .map(|(&old, &new)| (old, new))
        .filter(|&(old, new)| {
            let by_both = ours.get(&old) == theirs.get(&old);
            let (old, new) = (&matched.slots[old as usize], &matched.slots[new as usize]);
            let both = |side: fn(&Slot<'_>) -> bool| side(old) && side(new);
            // A name that the other side has too is its own record there, unless both gave it to this one.
            let is_taken = new.ours.is_some() && new.theirs.is_some() && !by_both;
            !is_taken && !both(|slot| slot.ours.is_some()) && !both(|slot| slot.theirs.is_some())
        })
        .collect();
    let mut uses: HashMap<u32, usize> = HashMap::new();
    for &(_, new) in &joined {
        *uses.entry(new).or_default() += 1;
    }
    let mut target: HashMap<u32, u32> = HashMap::new();
    for &(old, new) in &joined {
        // What both sides take for the new version of different records is nobody's.
        if uses[&new] == 1 {
            target.insert(new, old);
        }
    }
    for (&new, &old) in &target {
        let slot = std::mem::take(&mut matched.slots[new as usize]);
        let joined = &mut matched.slots[old as usize];
        joined.ours = joined.ours.or(slot.ours);
        joined.theirs = joined.theirs.or(slot.theirs);
    }
    if !target.is_empty() {
        for order in [&mut matched.orders.ours, &mut matched.orders.theirs] {
            for index in order.iter_mut() {
                *index = target.get(index).copied().unwrap_or(*index);
            }
        }
    }
}

/// The records that a side renamed: the old number and the new one.
fn renames<'d>(
    matched: &Matched<'d>,
    side: impl Fn(&Slot<'d>) -> Option<EntryRef<'d>>,
    order: &[u32],
) -> HashMap<u32, u32> {
    let base = &matched.orders.base;
    let mut pairs = HashMap::new();
    for hunk in diff::hunks(base, order) {
        let pick = |indices: &[u32], wanted: &dyn Fn(&Slot<'d>) -> bool| -> Vec<usize> {
            indices
                .iter()
                .map(|&index| index as usize)
                .filter(|&index| wanted(&matched.slots[index]))
                .collect()
        };
        let olds = pick(&base[hunk.old], &|slot| side(slot).is_none());
        let news = pick(&order[hunk.new], &|slot| slot.base.is_none());
        let old_of = |index: usize| matched.slots[index].base.map(EntryRef::value);
        let new_of = |index: usize| side(&matched.slots[index]).map(EntryRef::value);
        let bytes = |nodes: &mut dyn Iterator<Item = Option<NodeRef<'d>>>| -> usize {
            nodes.flatten().map(|node| node.raw().len()).sum()
        };
        let cost = (
            (olds.len(), bytes(&mut olds.iter().map(|&at| old_of(at)))),
            (news.len(), bytes(&mut news.iter().map(|&at| new_of(at)))),
        );
        if olds.is_empty() || news.is_empty() || is_too_much(cost.0, cost.1) {
            continue;
        }
        let like = |old: usize, new: usize| match (old_of(old), new_of(new)) {
            (Some(a), Some(b)) => Some(likeness(a, b)).filter(|&like| like >= RENAMED),
            _ => None,
        };
        let found = best_pairs(&olds, &news, |old, new| like(old, new).unwrap_or(0.0));
        pairs.extend(found.into_iter().map(|(old, new)| (old as u32, new as u32)));
    }
    pairs
}
