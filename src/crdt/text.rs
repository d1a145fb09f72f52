//! Text: the view of concurrent versions of one text with their common ancestor, merged by lines (after Khanna, Kunal and
//! Pierce, "A Formal Investigation of Diff3", 2007). Comments are merged in the same way.

use std::collections::HashMap;
use std::ops::Range;

use super::diff::{self, Hunk};
use super::runs::{self, Arrange};

/// What is done where both sides changed the same lines in different ways.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlap {
    /// Ours are taken.
    Ours,
    /// Theirs are taken.
    Theirs,
    /// Both versions are kept, what they share once.
    KeepBoth,
}

/// Merged lines.
pub(crate) struct MergedLines<'t> {
    pub(crate) lines: Vec<&'t str>,
    /// Whether both sides changed the same lines in different ways somewhere.
    pub(crate) overlapped: bool,
}

/// Merges lines. Lines that both sides put into the same place are both kept, whatever `overlap` says.
pub(crate) fn merge<'t>(
    base: &[&'t str],
    ours: &[&'t str],
    theirs: &[&'t str],
    overlap: Overlap,
) -> MergedLines<'t> {
    let sides = Changes {
        base,
        ours: (ours, diff::hunks(base, ours)),
        theirs: (theirs, diff::hunks(base, theirs)),
    };
    let mut out = MergedLines {
        lines: Vec::new(),
        overlapped: false,
    };
    let mut at = 0;
    let (mut o, mut t) = (0, 0);
    while let Some(region) = sides.next_region(&mut o, &mut t, sides.ends(), touches) {
        out.lines.extend_from_slice(&base[at..region.base.start]);
        at = region.base.end;
        let (ours, theirs) = sides.replacements(&region);
        if let Some(lines) = agreed(&base[region.base.clone()], &ours, &theirs, &region) {
            out.lines.extend_from_slice(lines);
        } else {
            sides.merge_region(&region, overlap, &mut out);
        }
    }
    out.lines.extend_from_slice(&base[at..]);
    out
}

/// What both sides did to the base.
struct Changes<'s, 't> {
    base: &'s [&'t str],
    ours: (&'s [&'t str], Vec<Hunk>),
    theirs: (&'s [&'t str], Vec<Hunk>),
}

/// Hunks of both sides that belong together, and the lines of the base that they are about.
struct Region {
    base: Range<usize>,
    ours: Range<usize>,
    theirs: Range<usize>,
}

impl<'t> Changes<'_, 't> {
    fn ends(&self) -> (usize, usize) {
        (self.ours.1.len(), self.theirs.1.len())
    }

    /// The next hunk, and all that belong to it or to each other; `o` and `t` count the hunks so far.
    fn next_region(
        &self,
        o: &mut usize,
        t: &mut usize,
        ends: (usize, usize),
        belong: fn(&Range<usize>, &Range<usize>) -> bool,
    ) -> Option<Region> {
        let (ours, theirs) = (&self.ours.1[..ends.0], &self.theirs.1[..ends.1]);
        let first = match (ours.get(*o), theirs.get(*t)) {
            (Some(a), Some(b)) if begins_before(&b.old, &a.old) => b,
            (Some(a), _) => a,
            (None, Some(b)) => b,
            (None, None) => return None,
        };
        let mut base = first.old.clone();
        let (o_start, t_start) = (*o, *t);
        loop {
            let next = |hunks: &[Hunk], at: usize| {
                let hunk = hunks.get(at)?;
                belong(&hunk.old, &base).then(|| hunk.old.clone())
            };
            let (taken, counter) = if let Some(old) = next(ours, *o) {
                (old, &mut *o)
            } else if let Some(old) = next(theirs, *t) {
                (old, &mut *t)
            } else {
                break;
            };
            base = base.start.min(taken.start)..base.end.max(taken.end);
            *counter += 1;
        }
        Some(Region {
            base,
            ours: o_start..*o,
            theirs: t_start..*t,
        })
    }

    /// The lines that both sides have in the place of a region.
    fn replacements(&self, region: &Region) -> (Vec<&'t str>, Vec<&'t str>) {
        let of = |side: &[&'t str], hunks: &[Hunk]| replaced(self.base, side, hunks, &region.base);
        (
            of(self.ours.0, &self.ours.1[region.ours.clone()]),
            of(self.theirs.0, &self.theirs.1[region.theirs.clone()]),
        )
    }

    /// Merges hunks that touch each other: those that overlap are merged as one, the others stand side by side.
    fn merge_region(&self, whole: &Region, overlap: Overlap, out: &mut MergedLines<'t>) {
        let (mut o, mut t) = (whole.ours.start, whole.theirs.start);
        let ends = (whole.ours.end, whole.theirs.end);
        let mut at = whole.base.start;
        // How many of the last lines came from the hunk before, where that touches this one.
        let mut fresh = 0;
        while let Some(region) = self.next_region(&mut o, &mut t, ends, overlaps) {
            out.lines
                .extend_from_slice(&self.base[at..region.base.start]);
            if at < region.base.start {
                fresh = 0;
            }
            at = region.base.end;
            let before = out.lines.len();
            let old = &self.base[region.base.clone()];
            let (ours, theirs) = self.replacements(&region);
            if let Some(lines) = agreed(old, &ours, &theirs, &region) {
                // What both sides put at the seam of two hunks stands once.
                let shared = (1..=fresh.min(lines.len()))
                    .rev()
                    .find(|&count| out.lines[before - count..] == lines[..count]);
                out.lines.extend_from_slice(&lines[shared.unwrap_or(0)..]);
            } else if old.is_empty() {
                out.lines.extend(joined(&ours, &theirs));
            } else {
                out.overlapped = true;
                match overlap {
                    Overlap::KeepBoth => out.lines.extend(joined(&ours, &theirs)),
                    Overlap::Ours => out.lines.extend(ours),
                    Overlap::Theirs => out.lines.extend(theirs),
                }
            }
            fresh = out.lines.len() - before;
        }
        out.lines.extend_from_slice(&self.base[at..whole.base.end]);
    }
}

/// What stands in the place of `old` where only one side changed it, both did the same, or one did more of the same.
fn agreed<'l, 't>(
    old: &[&'t str],
    ours: &'l [&'t str],
    theirs: &'l [&'t str],
    region: &Region,
) -> Option<&'l [&'t str]> {
    if region.theirs.is_empty() || ours == theirs {
        Some(ours)
    } else if region.ours.is_empty() {
        Some(theirs)
    } else if old.is_empty() {
        None
    } else {
        further(old, ours, theirs)
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
    let (mut ours, mut theirs) = (paragraphs(ours), paragraphs(theirs));
    // The same lines set apart by more blank lines on one side are the same lines.
    let text = |paragraph: &[&'t str]| -> Vec<&'t str> {
        let lines = paragraph.iter().copied();
        lines.filter(|line| !line.trim().is_empty()).collect()
    };
    let mut longest: HashMap<Vec<&str>, Vec<&str>> = HashMap::new();
    for paragraph in ours.iter().chain(&theirs) {
        let known = longest.entry(text(paragraph)).or_default();
        if (known.len(), &*known) < (paragraph.len(), paragraph) {
            known.clone_from(paragraph);
        }
    }
    for paragraph in ours.iter_mut().chain(&mut theirs) {
        let words = text(paragraph);
        if let Some(longest) = longest.get(&words).filter(|_| !words.is_empty()) {
            paragraph.clone_from(longest);
        }
    }
    runs::join(&ours, &theirs, Arrange::Runs, |a, b| a.cmp(b)).concat()
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

/// An insertion comes before a replacement that begins at its place.
fn begins_before(a: &Range<usize>, b: &Range<usize>) -> bool {
    (a.start, a.end) < (b.start, b.end)
}

/// Neighbouring changes do not overlap, insertions at the same place do.
fn overlaps(a: &Range<usize>, b: &Range<usize>) -> bool {
    a == b || (a.start < b.end && b.start < a.end)
}

fn touches(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start <= b.end && b.start <= a.end
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

#[cfg(test)]
mod tests {
    use super::*;

    fn merged<'t>(base: &'t str, ours: &'t str, theirs: &'t str) -> (String, bool) {
        let [base, ours, theirs] = [base, ours, theirs].map(|text| -> Vec<&str> {
            let lines = text.split(' ');
            lines.map(|line| line.trim_matches('_')).collect()
        });
        let one = merge(&base, &ours, &theirs, Overlap::KeepBoth);
        let other = merge(&base, &theirs, &ours, Overlap::KeepBoth);
        assert_eq!(one.lines, other.lines);
        (one.lines.join("|"), one.overlapped)
    }

    #[test]
    fn what_both_sides_put_at_the_seam_of_their_changes_stands_once() {
        let kept = |text: &str| (text.to_owned(), false);
        assert_eq!(merged("a b", "A x b", "a x B"), kept("A|x|B"));
        assert_eq!(merged("a b", "A x y b", "a x y B"), kept("A|x|y|B"));
        assert_eq!(merged("a b", "A x b", "a y B"), kept("A|x|y|B"));
    }

    #[test]
    fn a_blank_line_stays_with_the_paragraph_that_it_sets_apart() {
        assert_eq!(merged("t", "p _ t", "q _ t").0, "p||q||t");
        assert_eq!(merged("t", "t _ p", "t _ q").0, "t||p||q");
    }
}
