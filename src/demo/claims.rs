//! Looks at the merged files and says whether what the script claims is so.

use std::collections::BTreeSet;

use super::change::touched;
use super::report::Check;
use crate::yaml::{Document, EntryRef, Kind, Limits, NodeRef};

/// What must be so in a merged file.
pub(super) enum Claim {
    /// A field of a record has this value.
    Field(&'static str, &'static str, &'static str),
    /// A list in a record has these members and no others.
    Members(&'static str, &'static str, &'static [&'static str]),
    /// A text in a record holds each of these once.
    Text(&'static str, &'static str, &'static [&'static str]),
    /// A record stands once, directly above another one.
    Above(&'static str, &'static str),
    /// The file has this line once.
    Line(&'static str),
}

impl Claim {
    /// The claim in words, and whether it holds for this file.
    pub(super) fn check(&self, file: &str) -> Check {
        let document = Document::read(file.as_bytes(), &Limits::default()).ok();
        let records = document.as_ref().map(records).unwrap_or_default();
        let value = |record: &str, field: &str| {
            let record = only(&records, record)?;
            Some(record.get(field)?.value())
        };
        match *self {
            Self::Field(record, field, expected) => Check::new(
                format!("{field} of {record} is {expected}"),
                value(record, field).is_some_and(|value| value.text() == expected),
            ),
            Self::Members(record, field, expected) => Check::new(
                format!("{field} of {record} are {}", expected.join(", ")),
                value(record, field).is_some_and(|list| {
                    let mut members: Vec<_> =
                        list.entries().map(|entry| entry.value().text()).collect();
                    let mut expected = expected.to_vec();
                    members.sort_unstable();
                    expected.sort_unstable();
                    members == expected
                }),
            ),
            Self::Text(record, field, parts) => Check::new(
                format!("{field} of {record} holds all {} parts once", parts.len()),
                value(record, field).is_some_and(|text| {
                    let text = text.text();
                    parts.iter().all(|part| text.matches(part).count() == 1)
                }),
            ),
            Self::Above(record, below) => Check::new(
                format!("{record} stands once, directly above {below}"),
                only(&records, record).is_some()
                    && records.windows(2).any(
                        |pair| matches!(pair, [a, b] if has_id(*a, record) && has_id(*b, below)),
                    ),
            ),
            Self::Line(line) => Check::new(
                format!("the file has the line `{}` once", line.trim()),
                file.lines().filter(|other| *other == line).count() == 1,
            ),
        }
    }
}

/// The text without the lines that `rhema` writes about it. No text of the example begins like one.
pub(super) fn without_annotations(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !is_annotation(line)).collect()
}

/// Whether a line says who changed what, or keeps what lost.
pub(super) fn is_annotation(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("_crdt:") || line.starts_with("_crdt_conflicts:")
}

/// What a field of a record holds, if there is exactly one such record.
pub(super) fn value_of(file: &str, record: &str, field: &str) -> Option<String> {
    let document = Document::read(file.as_bytes(), &Limits::default()).ok()?;
    let record = only(&records(&document), record)?;
    Some(record.get(field)?.value().text().into_owned())
}

/// The records of all lists at the top of a file.
fn records(document: &Document) -> Vec<NodeRef<'_>> {
    let lists = document.root().into_iter().flat_map(NodeRef::entries);
    lists
        .map(EntryRef::value)
        .filter(|list| list.kind() == Kind::Sequence)
        .flat_map(NodeRef::entries)
        .map(EntryRef::value)
        .collect()
}

/// How many records a file holds that have an id.
pub(super) fn count_records(file: &str) -> usize {
    let document = Document::read(file.as_bytes(), &Limits::default());
    document.map_or(0, |document| {
        let records = records(&document);
        records
            .iter()
            .filter(|record| record.get("id").is_some())
            .count()
    })
}

fn has_id(record: NodeRef<'_>, id: &str) -> bool {
    record
        .get("id")
        .is_some_and(|entry| entry.value().text() == id)
}

/// The record with this id, if there is exactly one.
fn only<'d>(records: &[NodeRef<'d>], id: &str) -> Option<NodeRef<'d>> {
    let mut found = records.iter().copied().filter(|record| has_id(*record, id));
    found.next().filter(|_| found.next().is_none())
}

/// One file before, on both sides and after.
#[derive(Clone, Copy)]
pub(super) struct Versions<'t> {
    pub(super) base: &'t str,
    pub(super) ada: &'t str,
    pub(super) ben: &'t str,
    pub(super) merged: &'t str,
}

/// What is claimed of all files together; `joined` are the lines that must hold words of both.
pub(super) fn of_all(files: &[Versions<'_>], joined: &[&str]) -> Vec<Check> {
    vec![untouched(files), comments(files), words(files, joined)]
}

/// Lines that neither touched stand as before.
fn untouched(files: &[Versions<'_>]) -> Check {
    let (mut lines, mut held) = (0, true);
    for file in files {
        let by_them: BTreeSet<usize> = touched(file.base, file.ada)
            .union(&touched(file.base, file.ben))
            .copied()
            .collect();
        lines += file.base.lines().count().saturating_sub(by_them.len());
        held &= touched(file.base, file.merged).is_subset(&by_them);
    }
    Check::new(
        format!("all {lines} lines that neither touched are byte for byte as before"),
        held,
    )
}

/// All comments are there: the old ones and the new ones, each as often as it should be.
fn comments(files: &[Versions<'_>]) -> Check {
    let (mut old, mut new, mut held) = (0, 0, true);
    for file in files {
        let before = comments_of(file.base);
        let mut expected = before.clone();
        for side in [file.ada, file.ben] {
            let mut added = comments_of(side);
            for comment in &before {
                if let Some(at) = added.iter().position(|other| other == comment) {
                    added.swap_remove(at);
                }
            }
            new += added.len();
            expected.extend(added);
        }
        old += before.len();
        expected.sort_unstable();
        held &= expected == comments_of(file.merged);
    }
    Check::new(
        format!("all {old} comments are still there, and so is the new one"),
        held && new == 1,
    )
}

/// The comments of a file, sorted. No text of the example has a `#` behind a blank.
fn comments_of(text: &str) -> Vec<&str> {
    let comment = |line: &'_ str| {
        let at = if line.starts_with('#') {
            0
        } else {
            line.find(" #")?
        };
        line.get(at..).map(str::trim).map(str::len)
    };
    let mut comments: Vec<&str> = text
        .lines()
        .filter_map(|line| line.get(line.len() - comment(line)?..))
        .collect();
    comments.sort_unstable();
    comments
}

/// Every line of the merge was written by somebody, but for those that join the words of both.
fn words(files: &[Versions<'_>], joined: &[&str]) -> Check {
    let mut found = Vec::new();
    for file in files {
        let written: BTreeSet<&str> = file.ada.lines().chain(file.ben.lines()).collect();
        found.extend(file.merged.lines().filter(|line| !written.contains(line)));
    }
    let mut expected = joined.to_vec();
    expected.sort_unstable();
    found.sort_unstable();
    Check::new(
        format!(
            "no line was invented: all stand as somebody wrote them, but {} that join words of both",
            expected.len()
        ),
        found == expected,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# head\ntodos:\n  - id: a\n    tags: [x, y]   # two\n  - id: b\n    text: |\n      one\n      two\n";

    #[test]
    fn annotations_are_lines_of_their_own() {
        let with = "_crdt: v1 t=or_set\nt:\n  - id: a\n    _crdt: x\n    _crdt_conflicts: y\n    b: _crdt: 1\n";
        assert_eq!(
            without_annotations(with),
            "t:\n  - id: a\n    b: _crdt: 1\n"
        );
    }

    #[test]
    fn a_value_is_that_of_the_only_record() {
        assert_eq!(value_of(FILE, "b", "id").as_deref(), Some("b"));
        assert_eq!(value_of(FILE, "b", "tags"), None);
        assert_eq!(value_of(FILE, "c", "id"), None);
    }

    #[test]
    fn claims_hold_or_do_not() {
        let holds = |claim: Claim| claim.check(FILE).holds;
        assert!(holds(Claim::Field("a", "id", "a")));
        assert!(!holds(Claim::Field("a", "id", "b")));
        assert!(!holds(Claim::Field("c", "id", "c")));
        assert!(holds(Claim::Members("a", "tags", &["y", "x"])));
        assert!(!holds(Claim::Members("a", "tags", &["y", "x", "x"])));
        assert!(holds(Claim::Text("b", "text", &["one\n", "two\n"])));
        assert!(!holds(Claim::Text("b", "text", &["o"])));
        assert!(holds(Claim::Above("a", "b")));
        assert!(!holds(Claim::Above("b", "a")));
        assert!(holds(Claim::Line("  - id: b")));
        assert!(!holds(Claim::Line("id: b")));
        assert!(!Claim::Field("a", "id", "a").check("<<<<<<< a\n").holds);
    }

    fn versions<'t>(base: &'t str, ada: &'t str, ben: &'t str, merged: &'t str) -> Versions<'t> {
        Versions {
            base,
            ada,
            ben,
            merged,
        }
    }

    #[test]
    fn a_lost_line_a_lost_comment_and_an_invented_line_are_noticed() {
        let (base, ada, ben) = (
            "a: 1\nb: 1 # x\nc: 1\n",
            "a: 2 # y\nb: 1 # x\nc: 1\n",
            "a: 1\nb: 1 # x\nc: 2\n",
        );
        let held = |merged| {
            of_all(&[versions(base, ada, ben, merged)], &[])
                .iter()
                .map(|check| check.holds)
                .collect::<Vec<_>>()
        };
        assert_eq!(held("a: 2 # y\nb: 1 # x\nc: 2\n"), [true, true, true]);
        assert_eq!(held("a: 2 # y\nc: 2\n"), [false, false, true]);
        assert_eq!(held("a: 2 # y\nb: 1\nc: 2\n"), [false, false, false]);
        assert_eq!(held("a: 2 # y\nb: 1 # x\nc: 3\n"), [true, true, false]);
    }
}
