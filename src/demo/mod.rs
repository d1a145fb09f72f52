//! The demo: two people, two clones, one real `git merge`, then both clones watched, told in plain words.
//!
//! It plays on a copy of `.rhema-example` in a folder of its own, with the real git and this very program as its merge
//! driver, and touches nobody's configuration. `scenes.rs` is the script, `stage.rs` plays it, `claims.rs` looks at the
//! files and says whether things went as told, `live.rs` has two real watchers keep the clones in step, `narration.rs` puts the report into words. Nothing is told that was not
//! looked at: numbers are counted, lines are read from the files that git wrote.

mod change;
mod claims;
mod edits;
mod example;
mod folder;
mod live;
mod narration;
mod report;
mod scenes;
mod stage;
mod watcher;
mod workplace;

use std::path::PathBuf;

pub(crate) use narration::{Line, Tone, farewell, narrate, result};
pub(crate) use report::Report;

/// What may be chosen.
pub(crate) struct Settings {
    /// Where to play; a temporary folder otherwise.
    pub(crate) folder: Option<PathBuf>,
    /// Whether the folder stays even if the demo cannot be played to its end.
    pub(crate) keep: bool,
}

/// Plays the demo. The folder stays for playing on; it goes if the demo cannot be played to its end.
pub(crate) fn play(settings: &Settings) -> anyhow::Result<Report> {
    let mut folder = folder::Folder::new(settings.folder.as_deref())?;
    if settings.keep {
        folder.keep();
    }
    let report = stage::play(folder.path())?;
    folder.keep();
    Ok(report)
}
