//! `rhema crdt resolve`: conflicts, listed or settled.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use super::Outcome;
use super::find::scope_in_tree;
use super::merge_driver::types;
use super::ui::{FAINT, GOOD, NOTABLE, STRONG, Ui, printable};
use crate::context::{Choice, Lost};
use crate::crdt::Stamp;
use crate::git::{Favour, Mended, Open, OpenConflicts, Repo};
use crate::node::Ticks;
use crate::replica::Replica;

/// List conflicts, or settle them
///
/// Where two people changed the very same thing, one value is shown and the others are kept beside it until somebody
/// settles it: by the value that is shown (the winner), by one that lost, or by another one. First, files that git left
/// with conflict markers are merged again by structure; nothing is staged. Without options it asks on a terminal and
/// lists in a pipe. Exit status 1 if conflicts are left.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt resolve --list\n  \
    rhema crdt resolve --path todos/a1/status --take winner\n  \
    rhema crdt resolve --path todos/a1/status --take 1        the first loser\n  \
    rhema crdt resolve --path todos/a1/status --value done\n  \
    rhema crdt resolve --all --strategy latest")]
pub(super) struct Arguments {
    /// The folder whose context is meant (`.` for the top); all of them without
    scope: Option<PathBuf>,
    /// Only list
    #[arg(long, conflicts_with_all = ["path", "all"])]
    list: bool,
    /// Settle the conflict of this field, as the list names it
    #[arg(long, value_name = "P", conflicts_with = "all")]
    path: Option<String>,
    /// Take the winner, or the loser with this number
    #[arg(long, value_name = "winner|N", requires = "path", conflicts_with = "value", value_parser = taken)]
    take: Option<Taken>,
    /// Set this value instead
    #[arg(long, value_name = "V", requires = "path")]
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

/// Up to which width values are padded, so that their origins stand in a column.
const COLUMN: usize = 40;

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    conflicts: Vec<ConflictReport>,
}

#[derive(Serialize)]
struct ConflictReport {
    path: String,
    field: String,
    kind: &'static str,
    winner: ValueReport,
    losers: Vec<ValueReport>,
}

#[derive(Serialize)]
struct ValueReport {
    value: Value,
    stamp: Option<String>,
    node: Option<String>,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let scope = arguments
        .scope
        .as_deref()
        .map(|scope| scope_in_tree(&repo, scope));
    let files = repo.document_paths(scope.transpose()?.as_deref())?;
    if !arguments.list && arguments.path.is_none() {
        mend(&repo, &files, arguments.strategy, ui)?;
    }
    let open = repo.open_conflicts(&files);
    if let Some(path) = &arguments.path {
        settle_one(&repo, &open, path, arguments)?;
    } else if let Some(strategy) = arguments.strategy {
        settle_all(&repo, &open, strategy, ui)?;
    } else if asks(arguments, ui) {
        ask(&repo, &open, ui)?;
    }
    let left = repo.open_conflicts(&files);
    if left.all.len() < open.all.len() && repo.under_way().is_none() {
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
        ui.json(&Report {
            conflicts: left
                .all
                .iter()
                .map(|open| for_scripts(&repo, open))
                .collect(),
        })?;
    } else if left.all.is_empty() {
        ui.say(&format!("{GOOD}No conflict is open.{GOOD:#}\n"))?;
    } else {
        let told: String = left
            .all
            .iter()
            .map(|open| for_people(&repo, open))
            .collect();
        ui.show(&told)?;
        if let Some(first) = left.all.first() {
            ui.say(&how_to_settle(first))?;
        }
    }
    let done = left.all.is_empty()
        && left.marked.is_empty()
        && left.unmerged.is_empty()
        && left.half_deleted.is_empty()
        && left.unread.is_empty();
    Ok(if done {
        Outcome::Done
    } else {
        Outcome::NeedsAttention
    })
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
    open: &OpenConflicts,
    path: &str,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let is_meant = |open: &&Open| {
        let file = repo.shown(&open.path);
        let field = &open.contest.field;
        field == path
            || path
                .strip_prefix(&file)
                .and_then(|rest| rest.strip_prefix([':', '/']))
                == Some(field)
    };
    let found: Vec<&Open> = open.all.iter().filter(is_meant).collect();
    let [conflict] = found.as_slice() else {
        match found.first() {
            None => bail!(
                "no conflict is open at {path}: `rhema crdt resolve --list` shows those that are"
            ),
            Some(_) => bail!(
                "{path} is in several files: put the file before it, as in `.rhema/todos.yaml:{path}`"
            ),
        }
    };
    let choice = match (&arguments.value, arguments.take) {
        (Some(value), _) => Choice::Value(value.clone()),
        (None, Some(Taken::Winner)) => Choice::Winner,
        (None, Some(Taken::Loser(index))) => Choice::Loser(index),
        (None, None) => return Ok(()),
    };
    repo.settle(conflict, &choice, &mut Ticks::of(repo))?;
    Ok(())
}

fn settle_all(
    repo: &Repo,
    open: &OpenConflicts,
    strategy: Strategy,
    ui: &Ui,
) -> anyhow::Result<()> {
    for conflict in &open.all {
        let choice = match strategy.side() {
            None => Some(Choice::Winner),
            Some(side) => repo.choice_of_side(conflict, side)?,
        };
        match choice {
            Some(choice) => {
                repo.settle(conflict, &choice, &mut Ticks::of(repo))?;
            }
            None => ui.warn(format_args!(
                "{}: {} is left open, as the history does not tell which side it came from",
                repo.shown(&conflict.path),
                conflict.contest.field
            )),
        }
    }
    Ok(())
}

/// Whether somebody is there to be asked.
fn asks(arguments: &Arguments, ui: &Ui) -> bool {
    let plain = !arguments.list && !arguments.all && !ui.wants_json();
    plain && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

fn ask(repo: &Repo, open: &OpenConflicts, ui: &Ui) -> anyhow::Result<()> {
    for conflict in &open.all {
        // Fields that change together are settled together.
        if !repo.is_open(conflict) {
            continue;
        }
        loop {
            ui.show(&for_people(repo, conflict))?;
            ui.show("Take [w]inner, a number, =VALUE, [s]kip or [q]uit? ")?;
            std::io::stdout()
                .flush()
                .context("cannot write to stdout")?;
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            if read.context("cannot read the answer")? == 0 {
                return Ok(());
            }
            let choice = match line.trim() {
                "q" => return Ok(()),
                "" | "s" => break,
                "w" => Choice::Winner,
                answer => match (answer.strip_prefix('='), answer.parse::<usize>()) {
                    (Some(value), _) => Choice::Value(value.trim().to_owned()),
                    (None, Ok(number @ 1..)) => Choice::Loser(number - 1),
                    _ => continue,
                },
            };
            match repo.settle(conflict, &choice, &mut Ticks::of(repo)) {
                Ok(_) => break,
                Err(error) => ui.error(&error.into()),
            }
        }
    }
    Ok(())
}

fn for_scripts(repo: &Repo, open: &Open) -> ConflictReport {
    let contest = &open.contest;
    let (value, stamp) = &contest.winner;
    let deleted = contest
        .losers
        .iter()
        .any(|(lost, _)| *lost == Lost::Deletion);
    ConflictReport {
        path: repo.shown(&open.path),
        field: contest.field.clone(),
        kind: if deleted { "deleted" } else { "value" },
        winner: reported(value.as_deref(), *stamp),
        losers: contest
            .losers
            .iter()
            .map(|(lost, stamp)| match lost {
                Lost::Deletion => reported(None, *stamp),
                Lost::Value(value) => reported(Some(value), *stamp),
            })
            .collect(),
    }
}

fn reported(canonical: Option<&str>, stamp: Option<Stamp>) -> ValueReport {
    let value = match canonical {
        None => Value::Null,
        // What JSON cannot say (a tag, an alias) is told as YAML writes it.
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    };
    ValueReport {
        value,
        stamp: stamp.map(|stamp| stamp.to_string()),
        node: stamp.map(|stamp| stamp.replica().to_string()),
    }
}

/// What to type, for the first of those that are open.
fn how_to_settle(open: &Open) -> String {
    let field = &open.contest.field;
    let value = if open.contest.is_of_a_record() {
        ""
    } else {
        " or `--value VALUE`"
    };
    let path = if field
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/_-.".contains(&byte))
    {
        field.clone()
    } else {
        format!("'{}'", printable(field).replace('\'', r"'\''"))
    };
    format!(
        "{NOTABLE}hint:{NOTABLE:#} `rhema crdt resolve --path {path} --take winner`, or `--take 1`{value}, settles it; \
         `--all --strategy latest` takes all winners\n"
    )
}

fn for_people(repo: &Repo, open: &Open) -> String {
    let contest = &open.contest;
    let (value, stamp) = &contest.winner;
    let value = value.as_deref().unwrap_or("(not there)");
    let mut rows = vec![("winner".to_owned(), value, *stamp)];
    for (index, (lost, stamp)) in contest.losers.iter().enumerate() {
        let value = match lost {
            Lost::Deletion => "(deleted)",
            Lost::Value(value) => value,
        };
        rows.push(((index + 1).to_string(), value, *stamp));
    }
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(name, value, stamp)| (name, in_lines(value), stamp))
        .collect();
    let width = |value: &str| value.chars().count();
    let widest = rows.iter().map(|(_, (value, _), _)| width(value)).max();
    // A long value does not push the others' origins out of sight.
    let column = widest.unwrap_or_default().min(COLUMN);
    let mut text = format!(
        "{STRONG}{}{STRONG:#} in {}\n",
        printable(&contest.field),
        printable(&repo.shown(&open.path))
    );
    for (name, (value, lines), stamp) in rows {
        let gap = column.saturating_sub(width(&value));
        let origin = origin(stamp);
        text.push_str(&format!(
            "  {name:>6}  {value}{:gap$}  {FAINT}{origin}{FAINT:#}\n",
            ""
        ));
        for line in lines {
            text.push_str(&format!("          {line}\n"));
        }
    }
    text
}

/// A value as it is listed: in one line, or a word for it and the lines of a text.
fn in_lines(canonical: &str) -> (String, Vec<String>) {
    match serde_json::from_str::<String>(canonical) {
        Ok(text) if text.trim_end().contains('\n') => {
            let lines: Vec<String> = text.lines().map(printable).collect();
            (format!("{} lines", lines.len()), lines)
        }
        _ => (printable(canonical), Vec::new()),
    }
}

/// When and where a value was written, as far as anybody knows.
fn origin(stamp: Option<Stamp>) -> String {
    let Some(stamp) = stamp else {
        return "without a stamp".to_owned();
    };
    let age = SystemTime::now()
        .duration_since(UNIX_EPOCH + Duration::from_millis(stamp.unix_millis()))
        .unwrap_or_default();
    format!("{} by {} ({stamp})", ago(age), stamp.replica())
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
