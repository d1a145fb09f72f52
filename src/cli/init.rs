//! `rhema crdt init`: git merges context files with rhema from now on.

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::ui::{GOOD, NOTABLE, STRONG, Ui, printable};
use crate::git::{Change as DriverChange, DRIVER, Driver, Repo};
use crate::node::{Discovery, Role};
use crate::setup::{AtLogin, AutoSync, Change, Init, Left, Wanted, node_of};

/// Set up this clone: markers, merge driver, node key, membership
///
/// Puts one line, the marker, into every context file; adds two lines to the .gitattributes at the top of the work tree
/// and this node to .rhema/crdt/members.yaml: these you commit for everybody. The merge driver goes into the
/// configuration of this clone and the node key into its git directory; git does not copy these, so everybody runs this
/// once. With --auto-sync `rhema crdt watch` starts here at login, by a file in your home. Repeating it changes nothing;
/// `rhema crdt uninit` takes all of it back.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt init --dry-run   see what would change\n  \
    rhema crdt init             set up this clone\n  \
    rhema crdt init --hooks     and stamp edits whenever they are committed\n  \
    rhema crdt init --discovery git   and meet others through the git remote\n  \
    rhema crdt init --discovery off   and let nobody look for others in the network\n  \
    rhema crdt init --auto-sync       and keep it in step with others from each login on\n  \
    rhema crdt -C ../app init   set up another one")]
pub(super) struct Arguments {
    /// Do not make this node a member
    #[arg(long)]
    no_join: bool,
    /// Install a hook that stamps what is edited before each commit; a pre-commit hook that is there runs first
    #[arg(long)]
    hooks: bool,
    /// How this repository's peers are found: local (in the local network and at known addresses), static (at known
    /// addresses only), git (through the git remote and at known addresses) or off; goes into .rhema/crdt/config.yaml
    #[arg(long, value_name = "HOW", value_parser = super::watch::discovery)]
    discovery: Option<Discovery>,
    /// Have `rhema crdt watch` start here at login: a systemd user unit, a launchd agent, or a task of Windows is written
    /// and shown, and nothing is started now
    #[arg(long, conflicts_with = "no_auto_sync")]
    auto_sync: bool,
    /// Have it start at login no longer: what --auto-sync wrote is taken away
    #[arg(long)]
    no_auto_sync: bool,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    fn auto_sync(&self) -> AutoSync {
        match (self.auto_sync, self.no_auto_sync) {
            (true, _) => AutoSync::On,
            (_, true) => AutoSync::Off,
            _ => AutoSync::AsItIs,
        }
    }
}

/// What `init` and `uninit` print for scripts.
#[derive(Serialize)]
pub(super) struct Report {
    repo: String,
    node: Option<String>,
    dry_run: bool,
    changed: Vec<Changed>,
    left: Vec<LeftAlone>,
    driver: DriverReport,
}

#[derive(Serialize)]
struct DriverReport {
    name: &'static str,
    configured: bool,
    command: Option<String>,
}

#[derive(Serialize)]
struct LeftAlone {
    path: String,
    why: String,
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
    Node {
        path: String,
    },
    NodeRemoved {
        path: String,
    },
    Member {
        path: String,
        name: String,
        role: Role,
    },
    MemberRemoved {
        path: String,
        file_too: bool,
    },
    Discovery {
        path: String,
        discovery: Discovery,
    },
    DiscoveryRemoved {
        path: String,
        file_too: bool,
    },
    Hook {
        path: String,
        keeps_another: bool,
    },
    HookRenewed {
        path: String,
    },
    HookRemoved {
        path: String,
        gives_back: bool,
    },
    AutoSync {
        path: String,
        text: String,
    },
    AutoSyncRenewed {
        path: String,
        text: String,
    },
    AutoSyncRemoved {
        path: String,
    },
    Marker {
        path: String,
        rewritten: bool,
    },
    MarkerRemoved {
        path: String,
        verbose: bool,
    },
}

impl Changed {
    fn of(repo: &Repo, change: &Change) -> Self {
        match change.clone() {
            Change::Driver(change) => match change {
                DriverChange::AddLines { path, lines } => Self::Attributes {
                    path: repo.shown(&path),
                    lines,
                },
                DriverChange::RemoveLines { path, file_too } => Self::AttributesRemoved {
                    path: repo.shown(&path),
                    file_too,
                },
                DriverChange::SetConfig { path, key, value } => Self::Config {
                    path: repo.shown(&path),
                    key,
                    value,
                },
                DriverChange::UnsetConfig { path, key } => Self::ConfigRemoved {
                    path: repo.shown(&path),
                    key,
                },
            },
            Change::MakeNode { path } => Self::Node {
                path: repo.shown(&path),
            },
            Change::RemoveNode { path } => Self::NodeRemoved {
                path: repo.shown(&path),
            },
            Change::Join { path, role, name } => Self::Member {
                path: repo.shown(&path),
                name,
                role,
            },
            Change::Leave { path, file_too } => Self::MemberRemoved {
                path: repo.shown(&path),
                file_too,
            },
            Change::Configure { path, discovery } => Self::Discovery {
                path: repo.shown(&path),
                discovery,
            },
            Change::Unconfigure { path, file_too } => Self::DiscoveryRemoved {
                path: repo.shown(&path),
                file_too,
            },
            Change::AddHook {
                path,
                keeps_another,
            } => Self::Hook {
                path: repo.shown(&path),
                keeps_another,
            },
            Change::RenewHook { path } => Self::HookRenewed {
                path: repo.shown(&path),
            },
            Change::RemoveHook { path, gives_back } => Self::HookRemoved {
                path: repo.shown(&path),
                gives_back,
            },
            Change::AddAtLogin { path, text } => Self::AutoSync {
                path: repo.shown(&path),
                text,
            },
            Change::RenewAtLogin { path, text } => Self::AutoSyncRenewed {
                path: repo.shown(&path),
                text,
            },
            Change::RemoveAtLogin { path } => Self::AutoSyncRemoved {
                path: repo.shown(&path),
            },
            Change::Mark { path, rewritten } => Self::Marker {
                path: repo.shown(&path),
                rewritten,
            },
            Change::Unmark { path, verbose } => Self::MarkerRemoved {
                path: repo.shown(&path),
                verbose,
            },
        }
    }
}

impl Report {
    pub(super) fn new(
        repo: &Repo,
        changes: &[Change],
        left: &[Left],
        dry_run: bool,
    ) -> anyhow::Result<Self> {
        let command = repo.driver_command()?;
        let configured = command.is_some() && repo.attributes_are_set_up()?;
        Ok(Self {
            repo: repo.shown_top(),
            node: node_of(repo).map(|node| node.to_string()),
            dry_run,
            changed: changes
                .iter()
                .map(|change| Changed::of(repo, change))
                .collect(),
            left: left
                .iter()
                .map(|left| LeftAlone {
                    path: repo.shown(&left.path),
                    why: left.why.clone(),
                })
                .collect(),
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
    let plan = Init::plan(
        &repo,
        &driver,
        Wanted {
            membership: !arguments.no_join,
            hook: arguments.hooks,
            discovery: arguments.discovery,
            auto_sync: arguments.auto_sync(),
        },
    )?;
    let changes = plan.changes(&repo);
    // Before it is taken away: what was started so is ended by its name.
    let started = match arguments.no_auto_sync {
        true => AtLogin::of(&repo)?,
        false => None,
    };
    if !arguments.dry_run {
        plan.carry_out(&repo)?;
    }
    warn_of(&repo, plan.left(), ui);
    let overruled = !arguments.dry_run && !repo.attributes_are_set_up()?;
    if overruled {
        ui.warn(
            "another line in .gitattributes, or one in .git/info/attributes, takes context files away from the driver: \
             `git check-attr merge .rhema/any.yaml` must say rhema-crdt",
        );
    }
    if ui.wants_json() {
        let report = Report::new(&repo, &changes, plan.left(), arguments.dry_run)?;
        ui.json(&report)?;
    } else {
        ui.say(&for_people(&repo, &changes, arguments.dry_run))?;
        if arguments.auto_sync && !arguments.dry_run {
            ui.say(&at_login(&repo)?)?;
        }
        if let Some(AtLogin { commands, .. }) = started {
            let stop = commands.stop;
            ui.say(&format!(
                "\nOne that was started so ends with\n  {STRONG}{stop}{STRONG:#}\n"
            ))?;
        }
    }
    if arguments.auto_sync
        && let Some(hindrance) = AtLogin::of(&repo)?.and_then(|at_login| at_login.hindrance)
    {
        ui.warn(hindrance);
    }
    Ok(if overruled || plan.has_overlooked() {
        Outcome::NeedsAttention
    } else {
        Outcome::Done
    })
}

/// Tells of the documents that were left alone.
pub(super) fn warn_of(repo: &Repo, left: &[Left], ui: &Ui) {
    for Left { path, why } in left {
        ui.warn(format_args!("{}:{why}", repo.shown(path)));
    }
}

/// What to run for having it now, and for having it no longer.
fn at_login(repo: &Repo) -> anyhow::Result<String> {
    let Some(AtLogin { commands, .. }) = AtLogin::of(repo)? else {
        return Ok(String::new());
    };
    Ok(format!(
        "\n`rhema crdt watch` starts here at login. To have it now:\n  {STRONG}{}{STRONG:#}\n\
         `rhema crdt init --no-auto-sync` takes it away again.\n",
        commands.start
    ))
}

fn for_people(repo: &Repo, changes: &[Change], dry_run: bool) -> String {
    if changes.is_empty() {
        return format!(
            "{GOOD}Nothing to do:{GOOD:#} git already merges the context files of this clone with rhema.\n"
        );
    }
    let mut text = told(repo, changes, dry_run);
    if dry_run {
        for change in changes {
            if let Change::AddAtLogin { path, text: holds }
            | Change::RenewAtLogin { path, text: holds } = change
            {
                let lines = holds.lines().map(|line| format!("  {}\n", printable(line)));
                text.push_str(&format!(
                    "\n{}:\n{}",
                    printable(&repo.shown(path)),
                    lines.collect::<String>()
                ));
            }
        }
        return text;
    }
    let is_about_login = |change: &Change| {
        matches!(
            change,
            Change::AddAtLogin { .. } | Change::RenewAtLogin { .. } | Change::RemoveAtLogin { .. }
        )
    };
    if changes.iter().all(is_about_login) {
        return text;
    }
    text.push_str("\nFrom now on git merges the context files of this clone with rhema.\n");
    let mut to_commit: Vec<String> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Driver(DriverChange::AddLines { path, .. })
            | Change::Join { path, .. }
            | Change::Configure { path, .. } => Some(repo.shown(path)),
            Change::Mark { .. } => Some("':(glob)**/.rhema/**'".to_owned()),
            _ => None,
        })
        .collect();
    to_commit.sort();
    to_commit.dedup();
    if to_commit.iter().any(|path| path.starts_with('\'')) {
        to_commit.retain(|path| !path.starts_with(".rhema/"));
    }
    if !to_commit.is_empty() {
        text.push_str(&format!(
            "\nNext, share it:\n  \
             {STRONG}git add {} && git commit -m \"Merge context files with rhema\"{STRONG:#}\n\
             Everybody else then runs `rhema crdt init` once in each clone.\n",
            to_commit.join(" ")
        ));
    }
    text
}

/// The changes of a plan, a line each.
pub(super) fn told(repo: &Repo, changes: &[Change], dry_run: bool) -> String {
    let verb = if dry_run { "would change" } else { "changed" };
    let mut text = String::new();
    for change in changes {
        let one = |path: &std::path::Path, what: &str| (path.to_path_buf(), vec![what.to_owned()]);
        let (path, what) = match change {
            Change::Driver(DriverChange::AddLines { path, lines }) => (
                path.clone(),
                lines.iter().map(|line| format!("+ {line}")).collect(),
            ),
            Change::Driver(DriverChange::RemoveLines {
                path,
                file_too: true,
            }) => one(path, "- the file, which held nothing else"),
            Change::Driver(DriverChange::RemoveLines { path, .. }) => {
                one(path, "- the lines of rhema crdt")
            }
            Change::Driver(DriverChange::SetConfig { path, key, value }) => {
                one(path, &format!("+ {key} = {value}"))
            }
            Change::Driver(DriverChange::UnsetConfig { path, key }) => {
                one(path, &format!("- {key}"))
            }
            Change::MakeNode { path } => one(path, "+ the key and the clock of this node"),
            Change::RemoveNode { path } => one(path, "- the key and the state of this node"),
            Change::Join { path, role, name } => {
                let role = role.name();
                one(path, &format!("+ {name}, {role}"))
            }
            Change::Configure { path, discovery } => {
                one(path, &format!("+ discovery: {}", discovery.name()))
            }
            Change::Unconfigure {
                path,
                file_too: true,
            } => one(path, "- the file, which `init` made"),
            Change::Unconfigure { path, .. } => one(path, "as it was before `init`"),
            Change::AddHook {
                path,
                keeps_another: false,
            } => one(path, "+ the hook that stamps what is committed"),
            Change::AddHook { path, .. } => one(
                path,
                "+ the hook that stamps what is committed; the one that is there runs first",
            ),
            Change::RenewHook { path } => one(path, "+ the program that it runs"),
            Change::RemoveHook {
                path,
                gives_back: false,
            } => one(path, "- the hook that stamps what is committed"),
            Change::RemoveHook { path, .. } => one(
                path,
                "- the hook that stamps what is committed; the one before is back",
            ),
            Change::AddAtLogin { path, .. } => {
                one(path, "+ `rhema crdt watch` starts here at login")
            }
            Change::RenewAtLogin { path, .. } => one(
                path,
                "+ what is to start here at login, as it should be now",
            ),
            Change::RemoveAtLogin { path } => one(path, "- the start at login"),
            Change::Leave {
                path,
                file_too: true,
            } => one(path, "- the file, which held nobody else"),
            Change::Leave { path, .. } => one(path, "- this node"),
            Change::Mark {
                path,
                rewritten: false,
            } => one(path, "+ the marker"),
            Change::Mark { path, .. } => one(path, "+ the marker; rewritten from the verbose form"),
            Change::Unmark {
                path,
                verbose: false,
            } => one(path, "- annotations"),
            Change::Unmark { path, .. } => one(path, "- annotations; in the verbose form again"),
        };
        for line in what {
            text.push_str(&format!(
                "{NOTABLE}{verb}{NOTABLE:#} {}: {}\n",
                printable(&repo.shown(&path)),
                printable(&line)
            ));
        }
    }
    text
}
