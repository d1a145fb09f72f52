//! Three-way merge of lines (after Khanna, Kunal and Pierce, "A Formal Investigation of Diff3", 2007): for the texts of
//! block scalars and for comments.

use std::ops::Range;

use super::diff::{self, Hunk};
use super::runs;
use crate::yaml::Side;

/// What is done where both sides changed the same lines in different ways.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Overlap {
    /// Those of one side are taken.
    Take(Side),
    /// Both versions are kept, what they share once.
    KeepBoth,
}

/// Merged lines.
pub(super) struct MergedLines<'t> {
    pub(super) lines: Vec<&'t str>,
    /// Whether both sides changed the same lines in different ways somewhere.
    pub(super) overlapped: bool,
}

/// Merges lines. Lines that both sides put into the same place are both kept, whatever `overlap` says.
pub(super) fn merge<'t>(
    base: &[&'t str],
    ours: &[&'t str],
    theirs: &[&'t str],
    overlap: Overlap,
) -> MergedLines<'t> {
    let mut overlapped = false;
    let ours_hunks = diff::hunks(base, ours);
    let theirs_hunks = diff::hunks(base, theirs);
    let mut out = Vec::new();
    let mut at = 0;
    let (mut o, mut t) = (0, 0);
    while o < ours_hunks.len() || t < theirs_hunks.len() {
        let region = next_region(&ours_hunks, &theirs_hunks, &mut o, &mut t);
        out.extend_from_slice(&base[at..region.base.start]);
        let old = &base[region.base.clone()];
        let ours = replaced(base, ours, &ours_hunks[region.ours.clone()], &region.base);
        let theirs = replaced(
            base,
            theirs,
            &theirs_hunks[region.theirs.clone()],
            &region.base,
        );
        if region.theirs.is_empty() || ours == theirs {
            out.extend(ours);
        } else if region.ours.is_empty() {
            out.extend(theirs);
        } else if old.is_empty() {
            out.extend(joined(&ours, &theirs));
        } else if let Some(further) = further(old, &ours, &theirs) {
            out.extend_from_slice(further);
        } else {
            overlapped = true;
            match overlap {
                Overlap::KeepBoth => out.extend(joined(&ours, &theirs)),
                Overlap::Take(Side::Ours) => out.extend(ours),
                Overlap::Take(Side::Theirs) => out.extend(theirs),
            }
        }
        at = region.base.end;
    }
    out.extend_from_slice(&base[at..]);
    MergedLines {
        lines: out,
        overlapped,
    }
}

/// The side that made the other's change and one of its own beside it, if one did: it has seen the other. So a merge
/// that is merged with one of its sides again stays as it is.
fn further<'s, 't>(
    old: &[&'t str],
    ours: &'s [&'t str],
    theirs: &'s [&'t str],
) -> Option<&'s [&'t str]> {
    match (has_seen(old, theirs, ours), has_seen(old, ours, theirs)) {
        (true, false) => Some(ours),
        (false, true) => Some(theirs),
        _ => None,
    }
}

/// Whether `further` is `side` with changes that leave alone what `side` changed in `old`.
fn has_seen(old: &[&str], side: &[&str], further: &[&str]) -> bool {
    let changes = diff::hunks(old, side);
    diff::hunks(side, further).iter().all(|beyond| {
        changes.iter().all(|change| {
            let brings_back = || {
                let removed = &old[change.old.clone()];
                further[beyond.new.clone()]
                    .iter()
                    .any(|line| removed.contains(line))
            };
            let apart = beyond.old.end < change.new.start || change.new.end < beyond.old.start;
            let touching = beyond.old.end == change.new.start || change.new.end == beyond.old.start;
            apart || (touching && !brings_back())
        })
    })
}

/// Both runs of lines, what they share once. A blank line belongs to the paragraph that it sets apart, so that two new
/// paragraphs stay two.
fn joined<'t>(ours: &[&'t str], theirs: &[&'t str]) -> Vec<&'t str> {
    let (ours, theirs) = (paragraphs(ours), paragraphs(theirs));
    runs::join(&ours, &theirs, |a, b| a.cmp(b)).concat()
}

/// The lines, each together with the blank lines before it; in a run that does not begin with one, behind it.
fn paragraphs<'t>(lines: &[&'t str]) -> Vec<Vec<&'t str>> {
    let blank = |line: &&str| line.trim().is_empty();
    let leading = lines.first().is_some_and(blank);
    let mut out: Vec<Vec<&str>> = Vec::with_capacity(lines.len());
    for line in lines {
        let joins = match out.last() {
            Some(last) if leading => last.iter().all(blank),
            Some(_) => blank(line),
            None => false,
        };
        match out.last_mut().filter(|_| joins) {
            Some(last) => last.push(line),
            None => out.push(vec![line]),
        }
    }
    out
}

/// Hunks of both sides that touch the same lines of the base.
struct Region {
    base: Range<usize>,
    ours: Range<usize>,
    theirs: Range<usize>,
}

fn next_region(ours: &[Hunk], theirs: &[Hunk], o: &mut usize, t: &mut usize) -> Region {
    let first = match (ours.get(*o), theirs.get(*t)) {
        (Some(a), Some(b)) if begins_before(&b.old, &a.old) => b,
        (Some(a), _) => a,
        (None, Some(b)) => b,
        (None, None) => {
            return Region {
                base: 0..0,
                ours: 0..0,
                theirs: 0..0,
            };
        }
    };
    let mut base = first.old.clone();
    let (o_start, t_start) = (*o, *t);
    loop {
        if let Some(hunk) = ours.get(*o).filter(|hunk| overlaps(&hunk.old, &base)) {
            base = base.start.min(hunk.old.start)..base.end.max(hunk.old.end);
            *o += 1;
        } else if let Some(hunk) = theirs.get(*t).filter(|hunk| overlaps(&hunk.old, &base)) {
            base = base.start.min(hunk.old.start)..base.end.max(hunk.old.end);
            *t += 1;
        } else {
            break;
        }
    }
    Region {
        base,
        ours: o_start..*o,
        theirs: t_start..*t,
    }
}

/// An insertion comes before a replacement that begins at its place.
fn begins_before(a: &Range<usize>, b: &Range<usize>) -> bool {
    (a.start, a.end) < (b.start, b.end)
}

/// Neighbouring changes do not overlap, insertions at the same place do.
fn overlaps(a: &Range<usize>, b: &Range<usize>) -> bool {
    a == b || (a.start < b.end && b.start < a.end)
}

/// The lines that a side has in the place of `region`.
fn replaced<'t>(
    base: &[&'t str],
    side: &[&'t str],
    hunks: &[Hunk],
    region: &Range<usize>,
) -> Vec<&'t str> {
    let mut out = Vec::new();
    let mut at = region.start;
    for hunk in hunks {
        out.extend_from_slice(&base[at..hunk.old.start]);
        out.extend_from_slice(&side[hunk.new.clone()]);
        at = hunk.old.end;
    }
    out.extend_from_slice(&base[at..region.end]);
    out
}
