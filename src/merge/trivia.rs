//! Merging of what means nothing but matters to people: comments, blank lines, spacing. Never a conflict: where both
//! sides changed the same lines, both versions stay.

use std::borrow::Cow;

use super::lines::{self, Overlap};
use super::sides::Sides;
use crate::yaml::Piece;

/// Merges whole lines (leads, feet, what stands below a value).
pub(super) fn lines<'d>(versions: Sides<Option<Piece<'d>>>) -> Piece<'d> {
    let Sides { base, ours, theirs } = versions.map(Option::unwrap_or_default);
    if ours.text == theirs.text && ours.column == theirs.column {
        return ours;
    }
    if same_lines(&base, &ours) {
        return theirs;
    }
    if same_lines(&base, &theirs) {
        return ours;
    }
    let [base, ours, theirs] = [&base, &ours, &theirs].map(|piece| relative(piece));
    let split =
        |text: &'_ str| -> Vec<String> { text.split_inclusive('\n').map(str::to_owned).collect() };
    let [base, ours, theirs] = [base, ours, theirs].map(|text| split(&text));
    let [base, ours, theirs] =
        [&base, &ours, &theirs].map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
    let merged = lines::merge(&base, &ours, &theirs, Overlap::KeepBoth).lines;
    Piece::new(without_doubled_blanks(&merged, &ours, &theirs), 0)
}

fn same_lines(a: &Piece<'_>, b: &Piece<'_>) -> bool {
    if a.column == b.column {
        a.text == b.text
    } else {
        relative(a) == relative(b)
    }
}

/// The text as if written for column 0.
fn relative<'p>(piece: &'p Piece<'_>) -> Cow<'p, str> {
    if piece.column <= 0 || piece.text.is_empty() {
        return Cow::Borrowed(&piece.text);
    }
    let width = piece.column as usize;
    let lines = piece.text.split_inclusive('\n').map(|line| {
        let spaces = line.bytes().take_while(|&byte| byte == b' ').count();
        &line[spaces.min(width)..]
    });
    Cow::Owned(lines.collect())
}

/// Two kept versions may leave more blank lines in a row than either side has: as many as the side with more stay.
fn without_doubled_blanks(merged: &[&str], ours: &[&str], theirs: &[&str]) -> String {
    let longest = |lines: &[&str]| {
        let mut longest = 0;
        let mut current = 0;
        for line in lines {
            current = if line.trim().is_empty() {
                current + 1
            } else {
                0
            };
            longest = longest.max(current);
        }
        longest
    };
    let most = longest(ours).max(longest(theirs));
    let mut out = String::new();
    let mut blank = 0;
    for line in merged {
        blank = if line.trim().is_empty() { blank + 1 } else { 0 };
        if blank <= most {
            out.push_str(line);
        }
    }
    out
}

/// Merges what stands between a key and a value of the same layout on all sides: a comment beside the key and whole
/// lines below it, or blanks alone.
pub(super) fn separators<'d>(versions: Sides<Option<Piece<'d>>>) -> Option<Piece<'d>> {
    let key = |piece: Piece<'d>| (piece.column, piece.text);
    let comments = versions
        .iter()
        .flatten()
        .any(|piece| piece.text.contains('#'));
    if !comments {
        let (column, text) = pick(versions.map(|piece| piece.map(key)))?;
        return Some(Piece { text, column });
    }
    let first_line = |piece: &Piece<'d>| piece.text.find('\n').map_or(piece.text.len(), |at| at);
    let comment = |piece: &Piece<'d>| Cow::Owned(piece.text[..first_line(piece)].to_owned());
    let below = |piece: &Piece<'d>| {
        let text = piece.text[first_line(piece)..]
            .strip_prefix('\n')
            .unwrap_or_default();
        Piece::new(text.to_owned(), piece.column)
    };
    let beside = beside(versions.as_ref().map(|piece| piece.as_ref().map(comment)));
    let below = lines(versions.as_ref().map(|piece| piece.as_ref().map(below)));
    let text = format!("{beside}\n{}", below.text);
    Some(Piece::new(text, below.column))
}

/// Merges the comments beside a value; two new ones stand one behind the other.
pub(super) fn beside<'d>(versions: Sides<Option<Cow<'d, str>>>) -> Cow<'d, str> {
    let Sides { base, ours, theirs } = versions;
    let ours = ours.unwrap_or_default();
    let theirs = theirs.unwrap_or_default();
    if ours == theirs || base.as_ref() == Some(&theirs) {
        return ours;
    }
    if base.as_ref() == Some(&ours) {
        return theirs;
    }
    let (a, b) = (ours.trim(), theirs.trim());
    if a == b {
        return ours.max(theirs);
    }
    if a.is_empty() || b.contains(a) {
        return theirs;
    }
    if b.is_empty() || a.contains(b) {
        return ours;
    }
    let (first, second) = if a < b { (ours, b) } else { (theirs, a) };
    Cow::Owned(format!("{}  {second}", first.trim_end()))
}

/// The version that only one side changed; where both did, the greater.
pub(super) fn pick<T: PartialEq + Ord>(versions: Sides<Option<T>>) -> Option<T> {
    let Sides { base, ours, theirs } = versions;
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => {
            if ours == theirs || base.as_ref() == Some(&theirs) {
                Some(ours)
            } else if base.as_ref() == Some(&ours) {
                Some(theirs)
            } else {
                Some(ours.max(theirs))
            }
        }
        (ours, theirs) => ours.or(theirs),
    }
}
