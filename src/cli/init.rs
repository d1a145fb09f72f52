//! `rhema crdt init`: git merges context files with rhema from now on.

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::ui::{GOOD, NOTABLE, STRONG, Ui};
use crate::git::{Change, DRIVER, Driver, Plan, Repo};

/// Let git merge the context files of this clone with rhema
///
/// Adds two lines to the .gitattributes at the top of the work tree, which you commit for everybody, and the merge
/// driver to the configuration of this clone, which git does not copy: everybody runs this once. Repeating it changes
/// nothing; `rhema crdt uninit` takes all of it back.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt init --dry-run   see what would change\n  \
    rhema crdt init             set up this clone\n  \
    rhema crdt -C ../app init   set up another one")]
pub(super) struct Arguments {
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
}

/// What `init` and `uninit` print for scripts.
#[derive(Serialize)]
pub(super) struct Report {
    repo: String,
    dry_run: bool,
    changed: Vec<Changed>,
    driver: DriverReport,
}

#[derive(Serialize)]
struct DriverReport {
    name: &'static str,
    configured: bool,
    command: Option<String>,
}

/// One change, for scripts.
#[derive(Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
enum Changed {
    Attributes {
        path: String,
        lines: Vec<String>,
    },
    AttributesRemoved {
        path: String,
        file_too: bool,
    },
    Config {
        path: String,
        key: &'static str,
        value: String,
    },
    ConfigRemoved {
        path: String,
        key: &'static str,
    },
}

impl Report {
    pub(super) fn new(repo: &Repo, plan: &Plan, dry_run: bool) -> anyhow::Result<Self> {
        let command = repo.driver_command()?;
        let configured = command.is_some() && repo.attributes_are_set_up()?;
        let changed = plan.changes().iter().map(|change| match change.clone() {
            Change::AddLines { path, lines } => Changed::Attributes {
                path: repo.shown(&path),
                lines,
            },
            Change::RemoveLines { path, file_too } => Changed::AttributesRemoved {
                path: repo.shown(&path),
                file_too,
            },
            Change::SetConfig { path, key, value } => Changed::Config {
                path: repo.shown(&path),
                key,
                value,
            },
            Change::UnsetConfig { path, key } => Changed::ConfigRemoved {
                path: repo.shown(&path),
                key,
            },
        });
        Ok(Self {
            repo: repo.shown_top(),
            dry_run,
            changed: changed.collect(),
            driver: DriverReport {
                name: DRIVER,
                configured,
                command,
            },
        })
    }
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let driver = Driver::of_this_program()?;
    let plan = Plan::init(&repo, &driver)?;
    if !arguments.dry_run {
        plan.carry_out(&repo)?;
    }
    let overruled = !arguments.dry_run && !repo.attributes_are_set_up()?;
    if overruled {
        ui.warn(
            "another line in .gitattributes, or one in .git/info/attributes, takes context files away from the driver: \
             `git check-attr merge .rhema/any.yaml` must say rhema-crdt",
        );
    }
    if ui.wants_json() {
        ui.json(&Report::new(&repo, &plan, arguments.dry_run)?)?;
    } else {
        ui.say(&for_people(&repo, &plan, arguments.dry_run))?;
    }
    Ok(if overruled {
        Outcome::NeedsAttention
    } else {
        Outcome::Done
    })
}

fn for_people(repo: &Repo, plan: &Plan, dry_run: bool) -> String {
    if plan.changes().is_empty() {
        return format!(
            "{GOOD}Nothing to do:{GOOD:#} git already merges the context files of this clone with rhema.\n"
        );
    }
    let mut text = told(repo, plan, dry_run);
    let commits = plan
        .changes()
        .iter()
        .any(|change| matches!(change, Change::AddLines { .. }));
    if !dry_run {
        text.push_str("\nFrom now on git merges the context files of this clone with rhema.\n");
    }
    if !dry_run && commits {
        text.push_str(&format!(
            "\nNext, share it:\n  \
             {STRONG}git add .gitattributes && git commit -m \"Merge context files with rhema\"{STRONG:#}\n\
             Everybody else then runs `rhema crdt init` once in each clone.\n"
        ));
    }
    text
}

/// The changes of a plan, a line each.
pub(super) fn told(repo: &Repo, plan: &Plan, dry_run: bool) -> String {
    let verb = if dry_run { "would change" } else { "changed" };
    let mut text = String::new();
    for change in plan.changes() {
        let (path, what) = match change {
            Change::AddLines { path, lines } => {
                (path, lines.iter().map(|line| format!("+ {line}")).collect())
            }
            Change::RemoveLines {
                path,
                file_too: true,
            } => (path, vec!["- the file, which held nothing else".to_owned()]),
            Change::RemoveLines { path, .. } => {
                (path, vec!["- the lines of rhema crdt".to_owned()])
            }
            Change::SetConfig { path, key, value } => (path, vec![format!("+ {key} = {value}")]),
            Change::UnsetConfig { path, key } => (path, vec![format!("- {key}")]),
        };
        for line in what {
            text.push_str(&format!(
                "{NOTABLE}{verb}{NOTABLE:#} {}: {line}\n",
                repo.shown(path)
            ));
        }
    }
    text
}
