//! Merging of what means nothing but matters to people: comments, blank lines, spacing. Never a conflict: where both
//! sides changed the same lines, both versions stay.

use std::borrow::Cow;

use super::sides::Sides;
use crate::crdt::text::{self as lines, Overlap};
use crate::yaml::{EntryRef, NodeRef, Piece};

/// Merges whole lines (leads, feet, what stands below a value).
pub(crate) fn lines<'d>(versions: Sides<Option<Piece<'d>>>) -> Piece<'d> {
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
pub(crate) fn separators<'d>(versions: Sides<Option<Piece<'d>>>) -> Option<Piece<'d>> {
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
pub(crate) fn beside<'d>(versions: Sides<Option<Cow<'d, str>>>) -> Cow<'d, str> {
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
pub(crate) fn pick<T: PartialEq + Ord>(versions: Sides<Option<T>>) -> Option<T> {
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

/// The comments in a text of blanks and comments, each as a line of its own.
pub(crate) fn comment_lines(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            line.find('#')
                .map(|at| format!("{}\n", line[at..].trim_end()))
        })
        .collect()
}

/// Puts lines written for column 0 above others, but for those that are there already.
pub(crate) fn put_above(piece: &mut Piece<'_>, lines: &str) {
    let below = relative(piece);
    let new: String = lines
        .split_inclusive('\n')
        .filter(|line| !below.lines().any(|known| known == line.trim_end()))
        .collect();
    if !new.is_empty() {
        *piece = Piece::new(format!("{new}{below}"), 0);
    }
}

/// Drops the blank lines that a piece begins with.
pub(crate) fn drop_leading_blanks(piece: &mut Piece<'_>) {
    let lines = piece.text.split_inclusive('\n');
    let blank: usize = lines
        .take_while(|line| line.trim().is_empty())
        .map(str::len)
        .sum();
    piece.text = Cow::Owned(piece.text[blank..].to_owned());
}

/// The comments that `new` has in and around it, but `old` has not.
pub(crate) fn added_to(old: EntryRef<'_>, new: EntryRef<'_>) -> Vec<String> {
    if !new.raw().contains('#') || old.raw() == new.raw() {
        return Vec::new();
    }
    let of = |entry| {
        let mut found = Vec::new();
        comments_of_entry(entry, &mut found);
        found
    };
    without(of(new), of(old))
}

/// The comments that `new` has inside, but `old` has not.
pub(crate) fn added_inside(old: NodeRef<'_>, new: NodeRef<'_>) -> Vec<String> {
    if !(new.is_collection() || new.is_block_scalar()) || !new.raw().contains('#') {
        return Vec::new();
    }
    let of = |node| {
        let mut found = Vec::new();
        comments_of_node(node, &mut found);
        found
    };
    without(of(new), of(old))
}

fn without(mut new: Vec<String>, old: Vec<String>) -> Vec<String> {
    for comment in old {
        if let Some(at) = new.iter().position(|added| *added == comment) {
            new.remove(at);
        }
    }
    new
}

fn comments_of_entry(entry: EntryRef<'_>, found: &mut Vec<String>) {
    found.extend(comment_lines(entry.lead()));
    found.extend(comment_lines(entry.sep()));
    comments_of_node(entry.value(), found);
    found.extend(comment_lines(entry.tail()));
}

fn comments_of_node(node: NodeRef<'_>, found: &mut Vec<String>) {
    let data = node.data();
    if !data.props.is_empty() {
        let behind = node.document().between(data.props.end, data.span.start);
        found.extend(comment_lines(behind));
    }
    if node.is_block_scalar() {
        found.extend(comment_lines(node.raw().lines().next().unwrap_or_default()));
    }
    for entry in node.entries() {
        comments_of_entry(entry, found);
    }
    found.extend(comment_lines(node.foot()));
}

/// Whether comments stand between the elements of a flow collection.
pub(crate) fn has_comments_in_brackets(node: NodeRef<'_>) -> bool {
    if !node.data().flow || !node.raw().contains('#') {
        return false;
    }
    let document = node.document();
    let mut at = node.data().span.start;
    let mut between = Vec::new();
    for entry in node.entries() {
        between.push((at, entry.data().start));
        at = entry.value().data().span.end;
    }
    between.push((at, node.data().span.end));
    between
        .into_iter()
        .any(|(start, end)| document.between(start, end).contains('#'))
        || node.entries().any(|entry| entry.sep().contains('#'))
}
