//! Edits as people make them in an editor: on the text, knowing nothing of its structure.

use std::ops::Range;

use anyhow::{Context, bail};

/// What somebody does to a file.
pub(super) enum Edit {
    /// Writes something else instead of `from`, which stands once in the record.
    Change {
        record: &'static str,
        from: &'static str,
        to: &'static str,
    },
    /// Adds lines at the end of the file.
    Append(&'static str),
    /// Cuts the record out and pastes it above another one.
    Move {
        record: &'static str,
        above: &'static str,
    },
}

impl Edit {
    /// The text after the edit.
    pub(super) fn apply(&self, text: &str) -> anyhow::Result<String> {
        match *self {
            Self::Change { record, from, to } => {
                let range = record_range(text, record)?;
                let (before, rest) = text.split_at(range.start);
                let (inside, after) = rest.split_at(range.len());
                if inside.matches(from).count() != 1 {
                    bail!("the example's {record} does not hold `{from}` once");
                }
                Ok([before, &inside.replacen(from, to, 1), after].concat())
            }
            Self::Append(lines) => Ok([text, lines].concat()),
            Self::Move { record, above } => {
                let range = record_range(text, record)?;
                let (before, rest) = text.split_at(range.start);
                let (inside, after) = rest.split_at(range.len());
                // The blank line below goes along.
                let without = [before, after.strip_prefix('\n').unwrap_or(after)].concat();
                let target = record_range(&without, above)?.start;
                let (before, after) = without.split_at(target);
                Ok([before, inside, "\n", after].concat())
            }
        }
    }
}

/// The text after all of the edits.
pub(super) fn apply(edits: &[Edit], text: &str) -> anyhow::Result<String> {
    edits
        .iter()
        .try_fold(text.to_owned(), |text, edit| edit.apply(&text))
}

/// The lines of the record with this id, without blank lines and comments below.
pub(super) fn record_range(text: &str, id: &str) -> anyhow::Result<Range<usize>> {
    let first = format!("  - id: {id}\n");
    let start = text
        .find(&first)
        .with_context(|| format!("the example has no record {id}"))?;
    let mut end = start + first.len();
    let mut at = end;
    for line in text.get(end..).unwrap_or_default().split_inclusive('\n') {
        at += line.len();
        // The next record, or something that is no record.
        if line.starts_with("  - ") || line.starts_with(|c: char| !c.is_whitespace()) {
            break;
        }
        if line.starts_with("    ") {
            end = at;
        }
    }
    Ok(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\nt:\n  - id: a\n    x: 1\n\n  # of b\n  - id: b\n    x: |\n      1\n\n      2\n\n  - id: c\n    x: 1\n\nfoot: 1\n";

    #[test]
    fn a_record_ends_with_its_last_line() {
        let of = |id| &TEXT[record_range(TEXT, id).unwrap()];
        assert_eq!(of("a"), "  - id: a\n    x: 1\n");
        assert_eq!(of("b"), "  - id: b\n    x: |\n      1\n\n      2\n");
        assert_eq!(of("c"), "  - id: c\n    x: 1\n");
        assert!(record_range(TEXT, "d").is_err());
    }

    #[test]
    fn a_moved_record_takes_its_blank_line_along() {
        let moved = Edit::Move {
            record: "c",
            above: "a",
        };
        assert!(
            moved
                .apply(TEXT)
                .unwrap()
                .starts_with("# head\nt:\n  - id: c\n    x: 1\n\n  - id: a\n")
        );
    }

    #[test]
    fn what_is_changed_must_stand_there_once() {
        let change = |from| Edit::Change {
            record: "b",
            from,
            to: "3",
        };
        assert!(
            change("2\n")
                .apply(TEXT)
                .unwrap()
                .contains("      1\n\n      3")
        );
        assert!(change("7").apply(TEXT).is_err());
    }
}
