//! `rhema crdt verify`: whether everything is as it should be.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::ui::{BAD, FAINT, GOOD, Ui, printable};
use crate::git::{Driver, Repo};
use crate::setup::{Finding, Verified, verify};

/// Check files, annotations and the set-up of the merge driver
///
/// Prints one line for each problem, with file, line and column, and exits with 1 if there is any. What is worth knowing
/// but not wrong (a stamp that does not fit its value, a key that is somebody else's) goes to stderr.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt verify         in CI or before a commit\n  \
    rhema crdt verify --fix   mend the driver, missing markers, mangled annotations and the start at login")]
pub(super) struct Arguments {
    /// Mend what can be mended without choosing
    #[arg(long)]
    fix: bool,
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
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let driver = Driver::of_this_program()?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    let Verified {
        problems,
        mended,
        notes,
        auto_sync,
    } = verify(&repo, &driver, arguments.fix, now)?;
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
