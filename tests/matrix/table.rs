//! The rows as tables for people, and that `docs/git-scenarios.md` has them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::script::{Deed, Row};

/// Rows of one kind.
pub(crate) struct Section {
    pub(crate) about: &'static str,
    pub(crate) rows: &'static [Row],
}

const SECTIONS: [Section; 10] = [
    crate::editing::SECTION,
    crate::branches::SECTION,
    crate::carrying::SECTION,
    crate::merging::SECTION,
    crate::rebasing::SECTION,
    crate::undoing::SECTION,
    crate::resetting::SECTION,
    crate::trees::SECTION,
    crate::files::SECTION,
    crate::peers::SECTION,
];

/// Between these lines stands what is written here.
const FRAME: [&str; 2] = [
    "<!-- From here on written by tests/matrix: MATRIX=write cargo test --test matrix -->\n",
    "<!-- Up to here. -->\n",
];

#[test]
fn the_document_has_the_rows_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/git-scenarios.md");
    let document = fs::read_to_string(&path).unwrap();
    let [begin, end] = FRAME;
    let (before, rest) = document.split_once(begin).expect("the begin of the tables");
    let (written, after) = rest.split_once(end).expect("the end of the tables");
    let tables = tables();
    if std::env::var_os("MATRIX").is_some_and(|wish| wish == "write") {
        fs::write(path, format!("{before}{begin}{tables}{end}{after}")).unwrap();
    } else {
        assert!(
            written == tables,
            "docs/git-scenarios.md is out of date: MATRIX=write cargo test --test matrix the_document"
        );
    }
}

fn tables() -> String {
    let mut out = String::new();
    for section in SECTIONS {
        writeln!(out, "\n### {}\n", section.about).unwrap();
        writeln!(out, "| operation | file | work tree | sent |").unwrap();
        writeln!(out, "|---|---|---|---|").unwrap();
        for row in section.rows {
            writeln!(out, "| **{}** | | | |", row.name.replace('_', " ")).unwrap();
            for step in row.steps() {
                let [file, tree, sent] = [step.file, step.tree, step.sent].map(|column| {
                    column
                        .map(|told| told.replace('*', "\\*"))
                        .unwrap_or_default()
                });
                let line = match step.deed {
                    Deed::WithoutSync(sent) => format!("| | | | at the end: {sent} |"),
                    _ => format!("| `{}` | {file} | {tree} | {sent} |", step.shown),
                };
                writeln!(out, "{line}").unwrap();
            }
        }
    }
    out.push('\n');
    out
}
