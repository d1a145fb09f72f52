//! `rhema crdt resolve`: conflicts, listed or settled. What people see of them is in `resolve/showing.rs`, what scripts read in
//! `resolve/report.rs`, and `resolve/asking.rs` asks on a terminal.

mod asking;
mod report;
mod showing;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::Outcome;
use super::find::{in_tree, scope_in_tree};
use super::merge_driver::types;
use super::ui::{GOOD, Ui};
use crate::context::Choice;
use crate::git::{Favour, Mended, Repo};
use crate::replica::Replica;
use crate::settling::{Conflict, Settler};
pub(super) use report::ConflictReport;
pub(super) use showing::{in_one_line, is_settled_by, told};

/// List conflicts, or settle them
///
/// Where two people changed the very same thing, one value is shown (the winner) and the others are kept beside it (the
/// losers, counted from 1) until somebody settles it: by the winner, by a loser, or by another value. On a terminal it asks
/// about each in turn, in a pipe it lists them. First, files that git left with conflict markers are merged again by
/// structure; nothing is staged. What is settled is an edit like any other: everybody gets it. Exit status 1 if conflicts
/// are left.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt resolve                                        ask about each in turn\n  \
    rhema crdt resolve --list\n  \
    rhema crdt resolve --path todos/a1/status --take winner\n  \
    rhema crdt resolve --path todos/a1/status --take 1        the first loser\n  \
    rhema crdt resolve --path todos/a1/status --value done\n  \
    rhema crdt resolve --all --strategy latest\n  \
    rhema crdt resolve --json | jq -r '.conflicts[].ways[].command'\n\n\
    Kinds, and what can be taken:\n  \
    value      two values of one field: the winner, a loser, --value\n  \
    text       two versions of a text that changed the same lines: the same\n  \
    deleted    one deleted what the other changed: the winner keeps it, 1 deletes it\n  \
    id         two records were born under one id, and one goes by a second name: the winner keeps both so,\n             \
               1 joins them into one, --value gives it another id\n  \
    validator  a value that does not fit the type of its place, which nobody else sees: the winner puts back what\n             \
               stood there, --value writes another one\n\n\
    With --json: {conflicts: [{path, field, kind, line, winner, losers, record, namesake, why, ways}], settled}; winner and\n\
    losers are {value, stamp, node, name, when, branch, commit}, ways {take, what, command}; what is not known is null.")]
pub(super) struct Arguments {
    /// The folder whose context is meant (`.` for the top), or one file; all of them without
    scope: Option<PathBuf>,
    /// Only list
    #[arg(long, conflicts_with_all = ["path", "all"])]
    list: bool,
    /// Settle the conflict of this field, as the list names it; a record is enough where only one is open in it
    #[arg(long, value_name = "P", conflicts_with = "all")]
    path: Option<String>,
    /// Take the winner, or the loser with this number
    #[arg(long, value_name = "winner|N", requires = "path", conflicts_with = "value", value_parser = taken)]
    take: Option<Taken>,
    /// Write this value instead
    #[arg(long, value_name = "V", requires = "path", allow_hyphen_values = true)]
    value: Option<String>,
    /// Settle every conflict
    #[arg(long, requires = "strategy")]
    all: bool,
    /// How: `latest` takes the winners, `ours` what this branch held before the merge, `theirs` what came with it
    #[arg(
        long,
        value_name = "latest|ours|theirs",
        requires = "all",
        hide_possible_values = true
    )]
    strategy: Option<Strategy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Strategy {
    Latest,
    Ours,
    Theirs,
}

impl Strategy {
    /// The side that it chooses.
    fn side(self) -> Option<Favour> {
        match self {
            Self::Latest => None,
            Self::Ours => Some(Favour::Ours),
            Self::Theirs => Some(Favour::Theirs),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Taken {
    Winner,
    Loser(usize),
}

fn taken(text: &str) -> Result<Taken, String> {
    match text.parse::<usize>() {
        Ok(number @ 1..) => Ok(Taken::Loser(number - 1)),
        _ if text == "winner" => Ok(Taken::Winner),
        _ => Err("say `winner`, or the number of a loser from 1 on".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let files = files(&repo, arguments)?;
    if !arguments.list && arguments.path.is_none() {
        mend(&repo, &files, arguments.strategy, ui)?;
    }
    if arguments.path.is_some() || arguments.strategy.is_some() || asks(arguments, ui) {
        // What settles gets a stamp: as whom this work tree writes must be known by then.
        if let Err(error) = Replica::open(&repo).map(drop) {
            tracing::info!("the store cannot be opened: {error}");
        }
    }
    let mut settler = Settler::new(&repo, types());
    let open = settler.list(&files);
    let settled = if let Some(path) = &arguments.path {
        settle_one(&repo, &settler, &open.conflicts, path, arguments)?
    } else if let Some(strategy) = arguments.strategy {
        settle_all(&repo, &settler, &open.conflicts, strategy, ui)?
    } else if asks(arguments, ui) {
        asking::ask(&repo, &settler, &open.conflicts, ui)?
    } else {
        Vec::new()
    };
    let left = match settled.is_empty() {
        true => open,
        false => settler.list(&files),
    };
    drop(settler);
    let told: Vec<String> = settled.iter().map(report::Settled::for_people).collect();
    if !settled.is_empty() && repo.under_way().is_none() {
        // What was settled is an edit like any other.
        if let Err(error) = Replica::open(&repo).and_then(|mut replica| replica.round(false)) {
            let error = anyhow::Error::from(error);
            ui.warn(format_args!(
                "the next `rhema crdt sync` records this: {error:#}"
            ));
        }
    }
    for path in &left.marked {
        ui.warn(format_args!(
            "{} holds git's conflict markers",
            repo.shown(path)
        ));
    }
    for path in &left.unmerged {
        ui.warn(format_args!(
            "{} was not merged: git could not run the driver and left it as our side has it; `rhema crdt resolve` merges it",
            repo.shown(path)
        ));
    }
    for path in &left.half_deleted {
        ui.warn(format_args!(
            "{name} was deleted on one side and changed on the other: `git add` it to keep it, `git rm` it to let it go",
            name = repo.shown(path)
        ));
    }
    for (path, why) in &left.unread {
        ui.warn(format_args!("{}:{why}", repo.shown(path)));
    }
    if ui.wants_json() {
        ui.json(&report::Report::of(&repo, &left.conflicts, settled))?;
    } else if let (Some(_), [one]) = (&arguments.path, told.as_slice()) {
        ui.say(&showing::settled(one, left.conflicts.len()))?;
    } else if left.conflicts.is_empty() {
        ui.say(&format!("{GOOD}No conflict is open.{GOOD:#}\n"))?;
    } else {
        let told = left.conflicts.iter();
        let told: String = told.map(|one| showing::listed(&repo, one)).collect();
        ui.show(&told)?;
        ui.say(&showing::hint(&repo, &left.conflicts))?;
    }
    Ok(Outcome::of_attention(!left.is_empty()))
}

/// The files that are meant.
fn files(repo: &Repo, arguments: &Arguments) -> anyhow::Result<Vec<PathBuf>> {
    let Some(scope) = arguments.scope.as_deref() else {
        return Ok(repo.document_paths(None)?);
    };
    let files = repo.document_paths(Some(&scope_in_tree(repo, scope)?))?;
    let file = in_tree(repo, scope)?;
    if files.contains(&file) {
        return Ok(vec![file]);
    }
    Ok(files)
}

fn mend(repo: &Repo, files: &[PathBuf], strategy: Option<Strategy>, ui: &Ui) -> anyhow::Result<()> {
    let favour = strategy.and_then(Strategy::side);
    let types = types();
    for path in files {
        let name = repo.shown(path);
        match repo.mend(path, favour, &types)? {
            Mended::Unmarked | Mended::Marked(_) => {}
            Mended::Clean => ui.warn(format_args!(
                "{name} was merged again, without conflicts; `git add` it"
            )),
            Mended::Left(why) => ui.warn(format_args!("{name}: {why}")),
        }
    }
    Ok(())
}

fn settle_one(
    repo: &Repo,
    settler: &Settler<'_>,
    open: &[Conflict],
    path: &str,
    arguments: &Arguments,
) -> anyhow::Result<Vec<report::Settled>> {
    let of = |is: &dyn Fn(&Conflict, &str) -> bool| -> Vec<&Conflict> {
        let is_meant = |conflict: &&Conflict| is(conflict, &repo.shown(&conflict.path));
        open.iter().filter(is_meant).collect()
    };
    let mut found = of(&|conflict, file| conflict.is_named(path, file));
    if found.is_empty() {
        found = of(&|conflict, file| conflict.is_in(path, file));
    }
    let [conflict] = found.as_slice() else {
        let all_of_one = found.windows(2).all(|two| two[0].path == two[1].path);
        match found.first() {
            None => bail!(
                "no conflict is open at {path}: `rhema crdt resolve --list` shows those that are"
            ),
            Some(_) if all_of_one => bail!(
                "{} conflicts are open in {path}: name one of {}",
                found.len(),
                found
                    .iter()
                    .map(|one| one.field.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Some(_) => bail!(
                "{path} is in several files: put the file before it, as in `.rhema/todos.yaml:{path}`"
            ),
        }
    };
    let choice = match (&arguments.value, arguments.take) {
        (Some(value), _) => Choice::typed(value),
        (None, Some(Taken::Winner)) => Choice::Winner,
        (None, Some(Taken::Loser(index))) => Choice::Loser(index),
        (None, None) => {
            let ways = conflict.ways().into_iter();
            let ways: Vec<String> = ways.map(|way| showing::option(&way)).collect();
            bail!(
                "say what to take for {}: {}",
                conflict.field,
                ways.join(", ")
            );
        }
    };
    let done = settler.settle(conflict, &choice)?;
    let settled = done.map(|_| report::Settled::of(repo, conflict, &choice));
    Ok(settled.into_iter().collect())
}

fn settle_all(
    repo: &Repo,
    settler: &Settler<'_>,
    open: &[Conflict],
    strategy: Strategy,
    ui: &Ui,
) -> anyhow::Result<Vec<report::Settled>> {
    let mut settled = Vec::new();
    for conflict in open {
        let choice = match strategy.side() {
            None => Some(Choice::Winner),
            Some(side) => settler.choice_of_side(conflict, side)?,
        };
        match choice {
            Some(choice) => {
                let done = settler.settle(conflict, &choice)?;
                settled.extend(done.map(|_| report::Settled::of(repo, conflict, &choice)));
            }
            None => ui.warn(format_args!(
                "{}: {} is left open, as the history does not tell which side it came from",
                repo.shown(&conflict.path),
                conflict.field
            )),
        }
    }
    Ok(settled)
}

/// Whether somebody is there to be asked.
fn asks(arguments: &Arguments, ui: &Ui) -> bool {
    let plain = !arguments.list && !arguments.all && !ui.wants_json();
    plain && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

pub(super) fn ago(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1..120 => format!("{minutes} min ago"),
        120..2880 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}
