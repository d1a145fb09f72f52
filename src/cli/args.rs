//! What can be typed: the global options and the list of commands.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand};

use super::{
    add, blame, carry, completions, demo, diff, export, gc, get, heal, increment, init, invite,
    join, log, man, merge, merge_driver, move_record, park, peers, pre_commit, remove, resolve,
    set, show, sync, undo, uninit, verify, watch, why,
};

/// Context of a repository, kept in `.rhema` folders
#[derive(Debug, Parser)]
#[command(name = "rhema", version, arg_required_else_help = true)]
pub(super) struct Rhema {
    #[command(flatten)]
    pub(super) globals: Globals,
    #[command(subcommand)]
    area: Area,
}

impl Rhema {
    pub(super) fn chosen(&self) -> &Command {
        let Area::Crdt(crdt) = &self.area;
        &crdt.command
    }
}

/// Options that every command takes, before or after its name.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub(super) struct Globals {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub(super) directory: Option<PathBuf>,
    /// Print one JSON value on stdout, everything else on stderr
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Print results, warnings and errors, nothing else
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say more about what happens; twice: everything
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(super) verbose: u8,
    /// Colour the output: auto (on a terminal, unless NO_COLOR is set), always, never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true,
        global = true
    )]
    pub(super) color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Area {
    Crdt(Crdt),
}

/// Merge YAML context files by structure, so that concurrent edits keep their meaning
///
/// Git merges YAML line by line: two people who add a todo at the same place get a conflict, and two who change
/// neighbouring fields do too. With the merge driver of `rhema crdt`, git merges records, fields, lists and texts
/// instead. The files stay plain YAML.
#[derive(Args, Debug)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        rhema crdt demo                                  see what this is about\n  \
        rhema crdt init                                  let git merge context files with rhema\n  \
        rhema crdt status                                how the context files stand\n  \
        rhema crdt merge base.yaml ours.yaml theirs.yaml merge three files by hand\n\n\
        Exit status: 0 done, 1 something needs attention, 2 wrong usage, 3 refused or failed."
)]
struct Crdt {
    #[command(subcommand)]
    command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Demo(demo::Arguments),
    Init(init::Arguments),
    Uninit(uninit::Arguments),
    Export(export::Arguments),
    /// Show how the context files, the merge driver and the peers stand
    #[command(after_help = super::status::EXAMPLES)]
    Status,
    Verify(verify::Arguments),
    Sync(sync::Arguments),
    Watch(watch::Arguments),
    Peers(peers::Arguments),
    Invite(invite::Arguments),
    Join(join::Arguments),
    Resolve(resolve::Arguments),
    Why(why::Arguments),
    Log(log::Arguments),
    Blame(blame::Arguments),
    Show(show::Arguments),
    Diff(diff::Arguments),
    Undo(undo::Arguments),
    Heal(heal::Arguments),
    Get(get::Arguments),
    Add(add::Arguments),
    Set(set::Arguments),
    Increment(increment::Arguments),
    Remove(remove::Arguments),
    Move(move_record::Arguments),
    Park(park::ParkArguments),
    Unpark(park::UnparkArguments),
    Carry(carry::Arguments),
    Gc(gc::Arguments),
    Merge(merge::Arguments),
    MergeDriver(merge_driver::Arguments),
    PreCommit(pre_commit::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// The colour choice, needed before the arguments are parsed: help and usage errors are coloured too.
pub(super) fn color(arguments: &[OsString]) -> ColorChoice {
    let given = arguments
        .iter()
        .enumerate()
        .rev()
        .find_map(|(index, argument)| {
            let argument = argument.to_str()?;
            match argument.strip_prefix("--color") {
                Some("") => arguments.get(index + 1)?.to_str(),
                Some(rest) => rest.strip_prefix('='),
                None => None,
            }
        });
    given
        .and_then(|when| when.parse().ok())
        .unwrap_or(ColorChoice::Auto)
}

/// Whether this process was started as git's merge driver, even if its arguments turn out to be wrong.
pub(super) fn is_merge_driver(arguments: &[OsString]) -> bool {
    let mut words = Vec::new();
    let mut rest = arguments.iter().skip(1).map(OsString::as_os_str);
    while let Some(argument) = rest.next() {
        if argument == "-C" || argument == "--color" {
            rest.next();
        } else if !argument.as_encoded_bytes().starts_with(b"-") {
            words.push(argument);
        }
    }
    words.starts_with(&[OsStr::new("crdt"), OsStr::new("merge-driver")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_definitions_are_sound() {
        Rhema::command().debug_assert();
    }

    #[test]
    fn a_merge_driver_is_known_whatever_follows() {
        assert!(is_merge_driver(&words("rhema crdt merge-driver")));
        assert!(is_merge_driver(&words(
            "rhema -C crdt crdt --json merge-driver --nonsense"
        )));
        assert!(!is_merge_driver(&words("rhema crdt merge merge-driver")));
        assert!(!is_merge_driver(&words(
            "rhema crdt status -C merge-driver"
        )));
    }
}
