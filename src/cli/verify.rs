//! `rhema crdt verify`: whether everything is as it should be.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::Outcome;
use super::ui::{BAD, FAINT, GOOD, Ui, printable};
use crate::git::{Driver, Repo};
use crate::setup::{Finding, Verified, verify, verify_merges};

/// Check files, annotations and the set-up of the merge driver
///
/// Prints one line for each problem, with file, line and column, and exits with 1 if there is any. What is worth knowing
/// but not wrong (a stamp that does not fit its value, a key that is somebody else's) goes to stderr.
///
/// With `--since` also the merges since then: one that was made without the merge driver (by a hosting site, or in a clone
/// without `rhema crdt init`) may silently have mixed two records or lost one. What was put right since, or settled by hand in
/// the merge, is no problem.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt verify                      before a commit\n  \
    rhema crdt verify --fix                mend the driver, missing markers, mangled annotations and the start at login\n  \
    rhema crdt verify --since v1.4         also the merges since that tag\n  \
    rhema crdt verify --since origin/main --format github\n                                         \
    in CI, as annotations of the changed files\n\n\
    With --json: {problems, mended, notes, auto_sync}; each of the first three lists {path, line, column, kind, message}.")]
pub(super) struct Arguments {
    /// Also look at the merges that HEAD has and this commit has not
    #[arg(long, value_name = "COMMIT")]
    since: Option<String>,
    /// How problems are printed, unless as JSON: `github` as annotations of a GitHub workflow
    #[arg(
        long,
        value_name = "text|github",
        default_value = "text",
        hide_default_value = true,
        hide_possible_values = true
    )]
    format: Format,
    /// Mend what can be mended without choosing
    #[arg(long)]
    fix: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Github,
}

/// What is printed for scripts.
#[derive(Serialize)]
struct Report {
    problems: Vec<Line>,
    mended: Vec<Line>,
    notes: Vec<Line>,
    auto_sync: bool,
}

#[derive(Serialize)]
struct Line {
    path: String,
    line: usize,
    column: usize,
    kind: &'static str,
    message: String,
}

impl Line {
    fn of(repo: &Repo, finding: &Finding) -> Self {
        Self {
            path: repo.shown(&finding.path),
            line: finding.line,
            column: finding.column,
            kind: finding.kind,
            message: finding.what.clone(),
        }
    }

    fn text(&self) -> String {
        let place = format!("{}:{}:{}", self.path, self.line, self.column);
        printable(&format!("{place}: {}", self.message))
    }

    /// As a workflow of GitHub reads it: its `%`, line ends, and in properties `:` and `,` are percent-encoded.
    fn annotation(&self) -> String {
        let message = |text: &str| {
            let text = text.replace('%', "%25");
            text.replace('\r', "%0D").replace('\n', "%0A")
        };
        let path = message(&self.path).replace(':', "%3A").replace(',', "%2C");
        format!(
            "::error file={path},line={},col={},title=rhema crdt verify::{}\n",
            self.line,
            self.column,
            message(&self.message)
        )
    }
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let driver = Driver::of_this_program()?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    let since = arguments.since.as_ref();
    let since = since.map(|name| repo.commit_named(name)).transpose()?;
    let Verified {
        mut problems,
        mended,
        mut notes,
        auto_sync,
    } = verify(&repo, &driver, arguments.fix, now)?;
    if let Some(since) = since {
        let merges = verify_merges(&repo, since)?;
        problems.extend(merges.problems);
        notes.extend(merges.notes);
    }
    let lines = |findings: &[Finding]| -> Vec<Line> {
        findings
            .iter()
            .map(|finding| Line::of(&repo, finding))
            .collect()
    };
    let report = Report {
        problems: lines(&problems),
        mended: lines(&mended),
        notes: lines(&notes),
        auto_sync,
    };
    for note in &report.notes {
        ui.note(note.text());
    }
    if ui.wants_json() {
        ui.json(&report)?;
    } else if arguments.format == Format::Github {
        let annotations = report.problems.iter().map(Line::annotation);
        ui.show(&annotations.collect::<String>())?;
    } else {
        let mut text = String::new();
        for line in &report.mended {
            text.push_str(&format!("{GOOD}mended{GOOD:#} {}\n", line.text()));
        }
        for line in &report.problems {
            text.push_str(&format!("{BAD}problem{BAD:#} {}\n", line.text()));
        }
        ui.show(&text)?;
        if text.is_empty() {
            let at_login = match auto_sync {
                true => " `rhema crdt watch` starts here at login.",
                false => "",
            };
            ui.say(&format!("{GOOD}All is well.{GOOD:#} {FAINT}Files, annotations and merge driver are as they should be.{at_login}{FAINT:#}\n"))?;
        }
    }
    Ok(if problems.is_empty() {
        Outcome::Done
    } else {
        Outcome::NeedsAttention
    })
}
