//! `rhema crdt merge-driver`: the merge of one file for git.
//!
//! Git takes exit status 0 for a clean merge and 1 for one with markers; anything above 128 makes it abandon the whole
//! merge. So every failure here is a 1 with git's own version left in place, which git then reports as a conflict.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::Outcome;
use super::merge::{places, read, told_of_kept};
use super::ui::Ui;
use crate::context::Types;
use crate::git::{
    Ending, MergedCommits, MergedFile, Repo, Settings, Sides, merge_files_of, replace,
};
use crate::node::Config;
use crate::overlay::DocumentPath;

/// Merge one file for git, which calls this by itself
///
/// `rhema crdt init` tells git to. The result is written over OURS. Exits 0 when OURS holds the merge, and 1 when
/// something is left to settle: then OURS has conflict markers, or is as it was if it could not be merged at all.
#[derive(Args, Debug)]
#[command(after_help = "Example, in git's configuration:\n  \
    [merge \"rhema-crdt\"]\n      \
    driver = rhema crdt merge-driver %O %A %B %P -L %L")]
pub(super) struct Arguments {
    /// The common ancestor (%O)
    base: PathBuf,
    /// Our version, which becomes the merge (%A)
    ours: PathBuf,
    /// Their version (%B)
    theirs: PathBuf,
    /// Where the file stands in the repository (%P)
    #[arg(allow_hyphen_values = true)]
    path: PathBuf,
    /// The length of conflict markers (%L)
    #[arg(short = 'L', value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    marker_size: u16,
    /// The name of the common ancestor in markers (%S)
    #[arg(short = 'S', value_name = "NAME", allow_hyphen_values = true)]
    base_label: Option<OsString>,
    /// The name of our version in markers (%X)
    #[arg(short = 'X', value_name = "NAME", allow_hyphen_values = true)]
    ours_label: Option<OsString>,
    /// The name of their version in markers (%Y)
    #[arg(short = 'Y', value_name = "NAME", allow_hyphen_values = true)]
    theirs_label: Option<OsString>,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let name = arguments.path.display().to_string();
    let unmerged = || format!("{name} is left as our side has it, to be merged by hand");
    let [base, ours, theirs] = [
        read(&arguments.base).with_context(unmerged)?,
        read(&arguments.ours).with_context(unmerged)?,
        read(&arguments.theirs).with_context(unmerged)?,
    ];
    let sides = Sides {
        base: &base,
        ours: &ours,
        theirs: &theirs,
    };
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let path = DocumentPath::new(arguments.path.as_os_str().as_encoded_bytes());
    let commits = MergedCommits::named_in(variables, &path, &sides);
    let MergedFile {
        ending,
        kept,
        fallback,
    } = merge_files_of(&sides, &arguments.settings(), commits.as_ref());
    if commits.is_some_and(|commits| commits.is_cut()) {
        ui.warn(format!(
            "{name}: this clone lacks the history that tells what each side has replaced of the other, so that some of it may \
             be back or in conflict: `git fetch --deepen=1000` before a merge brings it"
        ));
    }
    if let Some(reason) = fallback {
        ui.warn(reason.told_of(&name));
    }
    let (bytes, conflicts) = match ending {
        Ending::Clean(bytes) => (bytes, 0),
        Ending::Marked { bytes, conflicts } => (bytes, conflicts),
        Ending::Binary => {
            bail!("{name} is binary and changed on both sides: it is left as our side has it")
        }
    };
    if bytes != ours {
        replace(&arguments.ours, &bytes).with_context(unmerged)?;
    }
    for told in told_of_kept(&name, kept) {
        ui.note(told);
    }
    if conflicts == 0 {
        return Ok(Outcome::Done);
    }
    tracing::info!("{name}: {} marked", places(conflicts));
    Ok(Outcome::NeedsAttention)
}

impl Arguments {
    fn settings(&self) -> Settings {
        let Settings {
            ours, base, theirs, ..
        } = Settings::default();
        Settings {
            marker_size: self.marker_size.into(),
            ours: label(self.ours_label.as_ref(), ours),
            base: label(self.base_label.as_ref(), base),
            theirs: label(self.theirs_label.as_ref(), theirs),
            types: types(),
        }
    }
}

/// The types of places, as HEAD has them: ours, and what was started from in a rebase. Where no repository can be read, what
/// the files tell of themselves is all there is.
pub(super) fn types() -> Types {
    let config = Repo::find().map(|repo| Config::at_head(&repo));
    match config {
        Ok(Ok(config)) => config.types,
        Ok(Err(error)) => {
            tracing::info!("{error}: no place has a type");
            Types::default()
        }
        Err(error) => {
            tracing::info!("{error}: no place has a type");
            Types::default()
        }
    }
}

/// The name git gave to a side. Git before 2.44 knows no names for drivers and passes the placeholder as it stands.
fn label(given: Option<&OsString>, otherwise: String) -> String {
    match given.map(|label| label.to_string_lossy()) {
        Some(label) if !["", "%S", "%X", "%Y"].contains(&label.as_ref()) => label.into_owned(),
        _ => otherwise,
    }
}
