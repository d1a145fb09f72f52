//! `rhema crdt demo`: what this is about, shown.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::ui::{BAD, FAINT, GOOD, STRONG, Ui};
use crate::demo::{self, Line, Settings, Tone};

/// Show what this is about: two clones, concurrent edits, one git merge, and live sync
///
/// Plays on an example context in a new folder, with the real git and this program as its merge driver, then with a
/// `rhema crdt watch` in each clone, which talk to each other on this machine alone; tells step by step what happened, and
/// how long it took. Needs nothing but git and touches nothing of yours. The folder stays, for playing on. Exits
/// with 1 if anything did not come out as told.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt demo                    play it in a temporary folder\n  \
    rhema crdt demo --dir ~/demo       play it there\n  \
    rhema crdt demo --json | jq .ok    the same for scripts")]
pub(super) struct Arguments {
    /// Play in DIR, which must be new or empty, instead of a temporary folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Keep the folder even if the demo breaks off
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let report = demo::play(&Settings {
        folder: arguments.dir.clone(),
        keep: arguments.keep,
    })?;
    if ui.wants_json() {
        ui.json(&report)?;
    } else {
        ui.say(&painted(&demo::narrate(&report)))?;
        ui.show(&painted(&demo::result(&report)))?;
        ui.say(&painted(&demo::farewell(&report)))?;
    }
    Ok(if report.ok {
        Outcome::Done
    } else {
        Outcome::NeedsAttention
    })
}

fn painted(lines: &[Line]) -> String {
    let paint = |line: &Line| {
        let style = match line.tone {
            Tone::Plain => return format!("{}\n", line.text),
            Tone::Title => STRONG,
            Tone::Faint => FAINT,
            Tone::Added | Tone::Good => GOOD,
            Tone::Removed | Tone::Bad => BAD,
        };
        format!("{style}{}{style:#}\n", line.text)
    };
    lines.iter().map(paint).collect()
}
