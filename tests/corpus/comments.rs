//! Whether comments survive a merge.

use std::collections::{BTreeMap, HashMap};

use crate::check::{Finding, Kind};
use crate::read::{Comment, File};

/// Comments and lines of one version, counted.
struct Counts<'a> {
    comments: BTreeMap<&'a str, usize>,
    lines: HashMap<&'a str, usize>,
    keys: HashMap<&'a str, usize>,
}

impl<'a> Counts<'a> {
    fn of(file: &'a File) -> Self {
        let mut counts = Self {
            comments: BTreeMap::new(),
            lines: HashMap::new(),
            keys: HashMap::new(),
        };
        for comment in &file.comments {
            *counts.comments.entry(&comment.text).or_default() += 1;
        }
        for line in &file.lines {
            *counts.lines.entry(line).or_default() += 1;
            *counts.keys.entry(key(line)).or_default() += 1;
        }
        counts
    }

    fn comment(&self, text: &str) -> usize {
        self.comments.get(text).copied().unwrap_or(0)
    }

    /// Whether a line of `self` is deleted in `side`; one whose key is still there is merely changed.
    fn deleted_in(&self, side: &Self, line: &str) -> bool {
        let fewer = |before: &HashMap<&str, usize>, after: &HashMap<&str, usize>, what: &str| {
            after.get(what).copied().unwrap_or(0) < before.get(what).copied().unwrap_or(0)
        };
        fewer(&self.lines, &side.lines, line) && fewer(&self.keys, &side.keys, key(line))
    }
}

/// A line up to the colon of its key, or all of it.
fn key(line: &str) -> &str {
    line.split_once(": ")
        .map(|(key, _)| key)
        .or_else(|| line.strip_suffix(':'))
        .unwrap_or(line)
}

/// Comments that a clean result lacks or repeats.
pub(crate) fn check(base: &File, ours: &File, theirs: &File, result: &File) -> Vec<Finding> {
    let [b, o, t, r] = [base, ours, theirs, result].map(Counts::of);
    let mut findings = Vec::new();
    let mut texts: BTreeMap<&str, &Comment> = BTreeMap::new();
    for comment in [base, ours, theirs]
        .into_iter()
        .flat_map(|file| &file.comments)
    {
        texts.entry(&comment.text).or_insert(comment);
    }
    for (text, comment) in texts {
        let [in_base, in_ours, in_theirs, found] =
            [&b, &o, &t, &r].map(|counts| counts.comment(text));
        let wanted = wanted(in_base, in_ours, in_theirs);
        if found < wanted {
            // What stood at a deleted place may go with it.
            let excused =
                b.deleted_in(&o, &comment.neighbour) || b.deleted_in(&t, &comment.neighbour);
            if !excused {
                let reason = format!("{text:?} is missing, at {:?}", comment.neighbour);
                findings.push(Finding {
                    kind: Kind::Comment,
                    reason,
                });
            }
        }
        if found > wanted.max(in_ours).max(in_theirs)
            && found > (in_ours + in_theirs).saturating_sub(in_base)
        {
            findings.push(Finding {
                kind: Kind::DoubledComment,
                reason: format!("{text:?} is there {found} times"),
            });
        }
    }
    findings
}

/// Deletions of either side count, equal additions of both count once.
fn wanted(base: usize, ours: usize, theirs: usize) -> usize {
    if ours > base && theirs > base {
        ours.max(theirs)
    } else if ours < base && theirs < base {
        ours.min(theirs)
    } else {
        (ours + theirs).saturating_sub(base)
    }
}

#[cfg(test)]
mod tests {
    use crate::read::{self, Rigour};

    use super::*;

    fn kinds(base: &str, ours: &str, theirs: &str, result: &str) -> Vec<Kind> {
        let [b, o, t, r] =
            [base, ours, theirs, result].map(|x| read::read(x.as_bytes(), Rigour::Strict).unwrap());
        check(&b, &o, &t, &r)
            .into_iter()
            .map(|finding| finding.kind)
            .collect()
    }

    #[test]
    fn kept_and_added_comments_must_stay() {
        let base = "# x\na: 1\nb: 2\n";
        assert!(kinds(base, base, base, base).is_empty());
        assert_eq!(kinds(base, base, base, "a: 1\nb: 2\n"), [Kind::Comment]);
        assert_eq!(
            kinds(base, base, "# x\na: 1\nb: 2 # y\n", base),
            [Kind::Comment]
        );
        assert_eq!(
            kinds(base, base, base, "# x\n# x\na: 1\nb: 2\n"),
            [Kind::DoubledComment]
        );
    }

    #[test]
    fn a_deleted_comment_is_not_lost() {
        let base = "# x\na: 1\nb: 2\n";
        assert!(kinds(base, "a: 1\nb: 2\n", base, "a: 1\nb: 2\n").is_empty());
    }

    #[test]
    fn a_comment_may_go_with_its_place() {
        let base = "a: 1\nb: 2\n";
        assert!(kinds(base, "b: 2\n", "# x\na: 1\nb: 2\n", "b: 2\n").is_empty());
        // A changed value is not a deleted place.
        assert_eq!(
            kinds(base, "a: 9\nb: 2\n", "a: 1 # x\nb: 2\n", "a: 9\nb: 2\n"),
            [Kind::Comment]
        );
    }
}
