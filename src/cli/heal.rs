//! `rhema crdt heal`: what merges that were made without the driver lost or mixed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Outcome;
use super::merge_driver::types;
use super::ui::{BAD, FAINT, GOOD, NOTABLE, STRONG, Ui, printable};
use crate::crdt::{self, Atom, Node, Record};
use crate::git::{Healing, Merge, Mistakes, Putting, Repo};
use crate::overlay::{Fate, Held, Loss};
use crate::replica::Replica;

/// Among so many commits merges are looked for where nobody names one.
const MOST_COMMITS: usize = 1_000;

/// So many characters of a record are shown.
const MOST_SHOWN: usize = 100;

/// Put right what a merge without the driver lost or mixed
///
/// Where the merge driver does not run (a hosting site's merge button, a clone without `rhema crdt init`), git merges lines,
/// and may silently mix two records or lose one. This makes the merge again from its parents, as the driver would have, and
/// shows where what was committed differs. What nobody decided on and nobody changed since is put right, as an edit of the
/// file that you commit like any other; what was edited after the merge stays. What somebody settled by hand when the merge
/// was committed is only told.
///
/// Without COMMIT: HEAD if it is a merge, else all merges among the last thousand commits. Exit status 1 if something is
/// left that only you can decide.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt heal --dry-run      what merges lost, without putting it right\n  \
    rhema crdt heal                put it right in the files\n  \
    rhema crdt heal 1a2b3c4        of this merge alone\n  \
    rhema crdt heal 1a2b3c4 --all  also where somebody settled the merge by hand\n\n\
    With --json: {merges: [{commit, summary, path, changes: [{field, kind, from, to, fate}]}], files}: what is wrong since\n\
    each merge (kind: added, removed, changed, lost, whole; fate: lost, decided, changed) and the files that were put right.")]
pub(super) struct Arguments {
    /// The merge commit, by any name that git knows
    commit: Option<String>,
    /// Show what would be put right, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Also put right what differs because somebody settled it by hand in the merge
    #[arg(long, requires = "commit")]
    all: bool,
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    merges: Vec<MergeReport>,
    files: Vec<String>,
}

#[derive(Serialize)]
struct MergeReport {
    commit: String,
    summary: String,
    path: String,
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    field: String,
    kind: &'static str,
    from: Value,
    to: Value,
    fate: &'static str,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    if !arguments.dry_run {
        repo.stillness()?;
    }
    let merges = merges(&repo, arguments)?;
    let putting = match arguments.all {
        true => Putting::Decided,
        false => Putting::Lost,
    };
    let mut files = Files::new(&repo);
    let healing = Healing::new(&repo, types());
    let mut reports = Vec::new();
    let mut is_left = false;
    for merge in &merges {
        for mistakes in healing.mistakes(merge, &|path| files.now(path))? {
            let healed = files
                .now(&mistakes.path)
                .map(|now| mistakes.healed(&now, putting));
            match healed.transpose() {
                Ok(Some(Some(healed))) => files.put(&mistakes.path, healed),
                Ok(_) => is_left |= mistakes.has(Putting::Decided) && !mistakes.has(putting),
                Err(error) => {
                    is_left = true;
                    let name = repo.shown(&mistakes.path);
                    ui.warn(format_args!("{name} is to be put right by hand: {error}"));
                }
            }
            if !ui.wants_json() {
                ui.show(&for_people(&repo, merge, &mistakes, putting))?;
            }
            reports.push(for_scripts(&repo, merge, &mistakes));
        }
    }
    let changed = files.changed();
    let is_proposed = !changed.is_empty();
    if !arguments.dry_run {
        put_right(&repo, &files, ui)?;
    }
    if ui.wants_json() {
        ui.json(&Report {
            merges: reports,
            files: changed.iter().map(|path| repo.shown(path)).collect(),
        })?;
    } else {
        ui.say(&ending(
            &repo,
            arguments,
            &changed,
            merges.len(),
            reports.is_empty(),
        ))?;
    }
    Ok(Outcome::of_attention(
        is_left || (is_proposed && arguments.dry_run),
    ))
}

/// The merges to look at, each behind those that it descends from.
fn merges(repo: &Repo, arguments: &Arguments) -> anyhow::Result<Vec<Merge>> {
    if let Some(name) = &arguments.commit {
        return match repo.merge(repo.commit_named(name)?)? {
            Some(merge) => Ok(vec![merge]),
            None => bail!("{name} is no merge: `git log --merges` lists those that there are"),
        };
    }
    let head = repo
        .head_commit()?
        .map(|head| repo.merge(head))
        .transpose()?;
    match head.flatten() {
        Some(merge) => Ok(vec![merge]),
        None => Ok(repo.merges(None, MOST_COMMITS)?),
    }
}

/// Context files as they are, and as they are to be.
struct Files<'r> {
    repo: &'r Repo,
    healed: BTreeMap<PathBuf, (Vec<u8>, Vec<u8>)>,
}

impl<'r> Files<'r> {
    fn new(repo: &'r Repo) -> Self {
        Self {
            repo,
            healed: BTreeMap::new(),
        }
    }

    fn now(&self, path: &Path) -> Option<Vec<u8>> {
        match self.healed.get(path) {
            Some((_, healed)) => Some(healed.clone()),
            None => fs::read(self.repo.top().join(path)).ok(),
        }
    }

    fn put(&mut self, path: &Path, healed: Vec<u8>) {
        let Some(now) = self.now(path).filter(|now| *now != healed) else {
            return;
        };
        let entry = self.healed.entry(path.to_path_buf());
        entry.or_insert_with(|| (now, Vec::new())).1 = healed;
    }

    fn changed(&self) -> Vec<&PathBuf> {
        self.healed.keys().collect()
    }
}

fn put_right(repo: &Repo, files: &Files<'_>, ui: &Ui) -> anyhow::Result<()> {
    for (path, (was, healed)) in &files.healed {
        repo.replace_unchanged(path, was, healed)
            .with_context(|| format!("{} is not put right", repo.shown(path)))?;
    }
    if files.healed.is_empty() {
        return Ok(());
    }
    // What was put right is an edit like any other.
    if let Err(error) = Replica::open(repo).and_then(|mut replica| replica.round(false)) {
        let error = anyhow::Error::from(error);
        ui.warn(format_args!(
            "the next `rhema crdt sync` records this: {error:#}"
        ));
    }
    Ok(())
}

fn ending(
    repo: &Repo,
    arguments: &Arguments,
    changed: &[&PathBuf],
    looked: usize,
    is_well: bool,
) -> String {
    let names: Vec<String> = changed
        .iter()
        .map(|path| printable(&repo.shown(path)))
        .collect();
    let names = names.join(", ");
    match (changed, arguments.dry_run) {
        ([], _) if is_well => {
            let merges = match looked {
                0 => "There is no merge to look at.".to_owned(),
                1 => "The merge holds what both sides made.".to_owned(),
                many => format!("All {many} merges hold what both sides made."),
            };
            format!("{GOOD}{merges}{GOOD:#}\n")
        }
        ([], _) => format!("{FAINT}Nothing is to be put right by itself.{FAINT:#}\n"),
        (_, true) => {
            format!("{NOTABLE}hint:{NOTABLE:#} without `--dry-run` this is put right in {names}\n")
        }
        (_, false) => {
            format!("{GOOD}Put right{GOOD:#} in {names}: look at `git diff`, and commit it.\n")
        }
    }
}

fn for_people(repo: &Repo, merge: &Merge, mistakes: &Mistakes, putting: Putting) -> String {
    let mut text = format!(
        "{STRONG}{}{STRONG:#} since merge {} {FAINT}({}){FAINT:#}\n",
        printable(&repo.shown(&mistakes.path)),
        merge.short,
        printable(&merge.summary)
    );
    if let Some(misread) = &mistakes.misread {
        let what = match misread.fate {
            Fate::Lost => "the merge is made again as a whole",
            Fate::Decided if putting == Putting::Decided => "the merge is made again as a whole",
            Fate::Decided => {
                "committed so by somebody, and left alone: `--all` makes the merge again"
            }
            Fate::Changed => "edited since in the same places: to be put right by hand",
        };
        text.push_str(&format!("  {}: {what}\n", printable(&misread.why)));
    }
    for loss in &mistakes.losses {
        let why = match loss.fate {
            Fate::Lost => "",
            Fate::Decided if putting == Putting::Decided => "",
            Fate::Decided => "  (settled by hand in the merge: left alone)",
            Fate::Changed => "  (changed since the merge: left alone)",
        };
        text.push_str(&format!("{}{FAINT}{why}{FAINT:#}\n", line(loss)));
    }
    text
}

/// A loss in one line: what is put right by it.
fn line(loss: &Loss) -> String {
    let at = printable(&loss.at().to_string());
    match (&loss.from, &loss.to) {
        (Held::Nothing, Held::Loser(value)) => format!(
            "  {NOTABLE}?{NOTABLE:#} {at}: {} is kept as a conflict",
            value
                .as_ref()
                .map_or("the deletion".to_owned(), |value| printable(
                    value.canonical()
                ))
        ),
        (Held::Nothing, to) => format!("  {GOOD}+{GOOD:#} {at}: {}", shown(to)),
        (_, Held::Nothing) => format!("  {BAD}-{BAD:#} {at}"),
        (from, to) => format!(
            "  {NOTABLE}~{NOTABLE:#} {at}: {} -> {}",
            shown(from),
            shown(to)
        ),
    }
}

fn shown(held: &Held) -> String {
    let text = printable(&json(held).to_string());
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn for_scripts(repo: &Repo, merge: &Merge, mistakes: &Mistakes) -> MergeReport {
    let fate = |fate| match fate {
        Fate::Lost => "lost",
        Fate::Decided => "decided",
        Fate::Changed => "changed",
    };
    let whole = mistakes.misread.as_ref().map(|misread| Change {
        field: String::new(),
        kind: "whole",
        from: Value::Null,
        to: Value::Null,
        fate: fate(misread.fate),
    });
    let changes = mistakes.losses.iter().map(|loss| Change {
        field: loss.at().to_string(),
        kind: match (&loss.from, &loss.to) {
            (_, Held::Loser(_)) => "lost",
            (Held::Nothing, _) => "added",
            (_, Held::Nothing) => "removed",
            _ => "changed",
        },
        from: json(&loss.from),
        to: json(&loss.to),
        fate: fate(loss.fate),
    });
    MergeReport {
        commit: merge.commit.to_string(),
        summary: merge.summary.clone(),
        path: repo.shown(&mistakes.path),
        changes: whole.into_iter().chain(changes).collect(),
    }
}

fn json(held: &Held) -> Value {
    match held {
        Held::Nothing | Held::Loser(None) => Value::Null,
        Held::Loser(Some(value)) => atom(value),
        Held::Node(node) => node_json(node),
        Held::Record(record) => record_json(record),
    }
}

fn node_json(node: &Node) -> Value {
    match node {
        Node::Register(value, _) => atom(value),
        Node::List(members, _) => members.iter().map(atom).collect(),
        Node::Map(map) => map_json(map).into(),
        Node::Set(records) => records.iter().map(record_json).collect(),
    }
}

fn record_json(record: &Record) -> Value {
    map_json(&record.fields).into()
}

fn map_json(map: &crdt::Map) -> Map<String, Value> {
    let fields = map
        .iter()
        .map(|(name, node)| (name.clone(), node_json(node)));
    fields.collect()
}

/// What JSON cannot say (a tag, an alias) is told as YAML writes it.
fn atom(value: &Atom) -> Value {
    let canonical = value.canonical();
    serde_json::from_str(canonical).unwrap_or_else(|_| canonical.into())
}
