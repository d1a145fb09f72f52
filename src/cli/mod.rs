//! The command line: a file per command, which parses arguments, calls `git`, `merge` or `yaml`, and prints.
//!
//! Nothing is decided here that a library user would miss. Every command returns an `Outcome` or an error; this file
//! alone turns them into exit statuses, and is the last line of defence against a panic.

mod add;
mod args;
mod blame;
mod carry;
mod completions;
mod demo;
mod diff;
mod edit;
mod export;
mod find;
mod gc;
mod get;
mod heal;
mod increment;
mod init;
mod invite;
mod join;
mod limits;
mod log;
mod man;
mod merge;
mod merge_driver;
mod move_record;
mod park;
mod peers;
mod pre_commit;
mod remove;
mod resolve;
mod round;
mod set;
mod show;
mod status;
mod sync;
mod team;
mod times;
mod told;
mod ui;
mod undo;
mod uninit;
mod verify;
mod watch;
mod why;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches};
use tracing_subscriber::filter::LevelFilter;

use self::args::{Command, Rhema};
use self::ui::Ui;

/// How a command ended that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All is well.
    Done,
    /// Something is left for people to look at.
    NeedsAttention,
}

impl Outcome {
    /// Done, but for what needs attention.
    fn of_attention(needed: bool) -> Self {
        match needed {
            true => Self::NeedsAttention,
            false => Self::Done,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::NeedsAttention => Self::from(1),
        }
    }
}

/// Wrong usage, as everywhere.
const USAGE: u8 = 2;

/// Refused or failed.
const FAILED: u8 = 3;

/// Runs the command line that this process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Git knows 0 and 1 from a merge driver; what is above 128 makes it abandon the whole merge.
    let (usage, failed) = if args::is_merge_driver(&arguments) {
        (1, 1)
    } else {
        (USAGE, FAILED)
    };
    limits::outlive();
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    let done = catch_unwind(AssertUnwindSafe(|| interpret(&arguments)));
    match done {
        Ok(Ok(outcome)) => outcome.into(),
        Ok(Err(Failure::Usage(error))) => {
            // Nobody is left to tell when even this cannot be printed.
            let _ = error.print();
            if error.use_stderr() {
                ExitCode::from(usage)
            } else {
                ExitCode::SUCCESS
            }
        }
        Ok(Err(Failure::Command(ui, error))) => {
            ui.error(&error);
            ExitCode::from(failed)
        }
        Err(_) => {
            Ui::default().error(&anyhow::anyhow!(
                "this should not have happened: run it again with `-v` and report what it says"
            ));
            ExitCode::from(failed)
        }
    }
}

enum Failure {
    Usage(clap::Error),
    Command(Ui, anyhow::Error),
}

fn interpret(arguments: &[OsString]) -> Result<Outcome, Failure> {
    let mut command = Rhema::command().color(args::color(arguments));
    let parsed = command
        .try_get_matches_from_mut(arguments)
        .and_then(|matches| Rhema::from_arg_matches(&matches))
        .map_err(Failure::Usage)?;
    let globals = &parsed.globals;
    log(globals.verbose);
    let ui = Ui::new(globals);
    let enter = |folder: &std::path::PathBuf| {
        std::env::set_current_dir(folder)
            .with_context(|| format!("cannot go to {}", folder.display()))
    };
    let entered = globals.directory.iter().try_for_each(enter);
    let outcome = entered.and_then(|()| match parsed.chosen() {
        Command::Demo(arguments) => demo::run(arguments, &ui),
        Command::Init(arguments) => init::run(arguments, &ui),
        Command::Uninit(arguments) => uninit::run(arguments, &ui),
        Command::Export(arguments) => export::run(arguments, &ui),
        Command::Status => status::run(&ui),
        Command::Park(arguments) => park::park(arguments, &ui),
        Command::Unpark(arguments) => park::unpark(arguments, &ui),
        Command::Carry(arguments) => carry::run(arguments, &ui),
        Command::Verify(arguments) => verify::run(arguments, &ui),
        Command::Sync(arguments) => sync::run(arguments, &ui),
        Command::Watch(arguments) => watch::run(arguments, &ui),
        Command::Peers(arguments) => peers::run(arguments, &ui),
        Command::Invite(arguments) => invite::run(arguments, &ui),
        Command::Join(arguments) => join::run(arguments, &ui),
        Command::Resolve(arguments) => resolve::run(arguments, &ui),
        Command::Why(arguments) => why::run(arguments, &ui),
        Command::Log(arguments) => log::run(arguments, &ui),
        Command::Blame(arguments) => blame::run(arguments, &ui),
        Command::Show(arguments) => show::run(arguments, &ui),
        Command::Diff(arguments) => diff::run(arguments, &ui),
        Command::Undo(arguments) => undo::run(arguments, &ui),
        Command::Gc(arguments) => gc::run(arguments, &ui),
        Command::Heal(arguments) => heal::run(arguments, &ui),
        Command::Get(arguments) => get::run(arguments, &ui),
        Command::Add(arguments) => add::run(arguments, &ui),
        Command::Set(arguments) => set::run(arguments, &ui),
        Command::Increment(arguments) => increment::run(arguments, &ui),
        Command::Remove(arguments) => remove::run(arguments, &ui),
        Command::Move(arguments) => move_record::run(arguments, &ui),
        Command::Merge(arguments) => merge::run(arguments, &ui),
        Command::PreCommit(arguments) => pre_commit::run(arguments, &ui),
        Command::MergeDriver(arguments) => merge_driver::run(arguments, &ui),
        Command::Completions(arguments) => completions::run(arguments, &ui),
        Command::Man(arguments) => man::run(arguments, &ui),
    });
    outcome.map_err(|error| Failure::Command(ui, error))
}

/// What happens inside goes to stderr for those who ask with `-v`.
fn log(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false);
    match level {
        // Where the time goes is part of what goes on.
        LevelFilter::DEBUG => log.init(),
        _ => log.without_time().init(),
    }
}
