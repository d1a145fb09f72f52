//! A three-way merge of texts by lines, for scalars that both sides changed.

use std::collections::HashMap;
use std::ops::Range;

use crate::align;

/// What the edits of the two sides allow.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Lines {
    /// The edits stand apart.
    Merged(String),
    /// The edits touch (insertions at one place, neighbouring lines): both can be kept, in an order that nobody knows.
    Touching,
    /// Both changed the same line.
    Overlapping,
}

struct Hunk<'a> {
    base: Range<usize>,
    lines: &'a [&'a str],
}

/// Merges by what `by` ends: lines, or words.
pub(crate) fn merge(base: &str, ours: &str, theirs: &str, by: char) -> Lines {
    let split = |text| -> Vec<&str> { str::split_inclusive(text, by).collect() };
    let (base, ours, theirs) = (split(base), split(ours), split(theirs));
    let (ours, theirs) = (hunks(&base, &ours), hunks(&base, &theirs));
    let mut touching = false;
    for a in &ours {
        for b in &theirs {
            if a.base == b.base && a.lines == b.lines {
                continue;
            }
            if a.base.start < b.base.end && b.base.start < a.base.end {
                return Lines::Overlapping;
            }
            touching |= a.base.start <= b.base.end && b.base.start <= a.base.end;
        }
    }
    if touching {
        return Lines::Touching;
    }
    let mut all: Vec<&Hunk<'_>> = ours.iter().chain(&theirs).collect();
    all.sort_by_key(|hunk| (hunk.base.start, hunk.base.end));
    all.dedup_by(|a, b| a.base == b.base && a.lines == b.lines);
    let mut merged = String::new();
    let mut at = 0;
    for hunk in all {
        merged.extend(base[at..hunk.base.start].iter().chain(hunk.lines).copied());
        at = hunk.base.end;
    }
    merged.extend(base[at..].iter().copied());
    Lines::Merged(merged)
}

/// The lines or words that `side` has more often than `base`.
pub(crate) fn added<'a>(base: &str, side: &'a str, by: char) -> Vec<&'a str> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for line in base.split(by) {
        *known.entry(line.trim()).or_default() += 1;
    }
    side.split(by)
        .map(str::trim)
        .filter(|line| match known.get_mut(line) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => !line.is_empty(),
        })
        .collect()
}

fn hunks<'a>(base: &[&'a str], side: &'a [&'a str]) -> Vec<Hunk<'a>> {
    let mut names: HashMap<&str, u32> = HashMap::new();
    let mut intern = |lines: &[&'a str]| -> Vec<u32> {
        lines
            .iter()
            .map(|line| {
                let fresh = names.len() as u32;
                *names.entry(line).or_insert(fresh)
            })
            .collect()
    };
    let (base_names, side_names) = (intern(base), intern(side));
    let mut hunks = Vec::new();
    let (mut b, mut s) = (0, 0);
    let end = (base.len(), side.len());
    for (next_b, next_s) in align::common(&base_names, &side_names)
        .into_iter()
        .chain([end])
    {
        if b < next_b || s < next_s {
            hunks.push(Hunk {
                base: b..next_b,
                lines: &side[s..next_s],
            });
        }
        (b, s) = (next_b + 1, next_s + 1);
    }
    hunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apart_merge() {
        let merged = merge("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\ne\n", '\n');
        assert_eq!(merged, Lines::Merged("A\nb\nc\nD\ne\n".into()));
    }

    #[test]
    fn edits_of_one_line_overlap() {
        assert_eq!(
            merge("a\nb\n", "x\nb\n", "y\nb\n", '\n'),
            Lines::Overlapping
        );
    }

    #[test]
    fn insertions_at_one_place_touch() {
        assert_eq!(merge("a\n", "a\nx\n", "a\ny\n", '\n'), Lines::Touching);
        assert_eq!(merge("a\nb\n", "A\nb\n", "a\nB\n", '\n'), Lines::Touching);
        assert_eq!(
            merge("a\n", "a\nx\n", "a\nx\n", '\n'),
            Lines::Merged("a\nx\n".into())
        );
    }
}
