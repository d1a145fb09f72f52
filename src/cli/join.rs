//! `rhema crdt join`: becoming a member by an invitation.

use std::io::Read as _;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::init;
use super::ui::{GOOD, Ui, printable};
use crate::git::{Driver, Patience, Prompts, Repo};
use crate::node::{Members, Node, NodeId, Ticket, Verdict, state_folder};
use crate::peers::{self, Asked};
use crate::setup::{Init, Wanted};
use crate::store::Moment;

/// Bytes of standard input that are read: a ticket is far shorter.
const LONGEST_TICKET: u64 = 16 << 10;

/// How long each call on the git remote may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Become a member with a ticket that somebody else made
///
/// Sets this clone up as `rhema crdt init` does, unless it is, and asks the inviter, whose `rhema crdt watch` has to run; with
/// `discovery: git` the request is left at the git remote where it does not. Both
/// trust each other at once; for all others this node is a member as soon as the inviter has committed it, and they have
/// pulled that.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt join rhema1akt3…      what `rhema crdt invite` printed\n  \
    rhema crdt join rhema1akt3… --name ben\n  \
    pbpaste | rhema crdt join -      blanks and line breaks do no harm")]
pub(super) struct Arguments {
    /// The ticket; `-` reads it from standard input, where no list of processes shows it
    #[arg(required = true, value_name = "TICKET")]
    ticket: Vec<String>,
    /// What this work tree is called, unless the inviter said so; what git says if not given
    #[arg(long)]
    name: Option<String>,
}

impl Arguments {
    /// The ticket as it was typed, or as it stands in standard input.
    fn ticket(&self) -> anyhow::Result<String> {
        if self.ticket != ["-"] {
            return Ok(self.ticket.concat());
        }
        let mut text = String::new();
        let input = std::io::stdin().lock();
        input
            .take(LONGEST_TICKET)
            .read_to_string(&mut text)
            .context("cannot read the ticket from standard input")?;
        Ok(text)
    }
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    node: String,
    role: &'static str,
    inviter: Inviter,
    /// Whether this clone was set up for it.
    set_up: bool,
}

/// A request that is not answered yet, for scripts.
#[derive(Serialize)]
struct Request<'r> {
    inviter: String,
    left_at: &'r str,
}

#[derive(Serialize)]
struct Inviter {
    node: String,
    name: String,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let ticket: Ticket = arguments.ticket()?.parse()?;
    if Moment::now().unix_millis() / 1_000 >= ticket.expires.into() {
        bail!("this ticket is of no use any more, its time is over: ask for another one");
    }
    if let Some(node) = Node::load(repo.git_dir())? {
        if ticket.inviter == node.key().public().to_bytes() {
            bail!("this ticket was made in this work tree, for somebody else");
        }
        let id = node.id().to_string();
        let members = Members::at_head(&repo)?;
        if let Some(member) = members.all.get(&id).filter(|member| member.takes_part()) {
            bail!(
                "this work tree is a member already, as {}: the ticket is for somebody else",
                member.role.name()
            );
        }
    }
    let was_node = Node::load(repo.git_dir())?.is_some();
    let name = arguments.name.clone().unwrap_or_else(|| repo.user_name());
    let inviter = NodeId::of_bytes(&ticket.inviter);
    let asked = peers::join(&repo, &ticket, &name);
    // Where no answer came the request may have arrived: with the same key it may be said again.
    let is_refused = matches!(
        &asked,
        Ok(Asked::Answered(verdict)) if !matches!(verdict, Verdict::Welcome { .. } | Verdict::NotNow)
    );
    if is_refused && !was_node {
        // Nothing is changed then: neither is this the clone of a node.
        let state = state_folder(repo.git_dir());
        std::fs::remove_dir_all(&state)
            .with_context(|| format!("cannot remove {}", state.display()))?;
    }
    let (role, inviter_name) = match asked? {
        Asked::Answered(Verdict::Welcome { role, name }) => (role, name),
        Asked::Answered(other) => bail!(peers::refusal(&other)),
        Asked::InWriting => {
            set_up(&repo, ui)?;
            return ask_in_writing(&repo, inviter, ui);
        }
    };
    let set_up = set_up(&repo, ui)?;
    let node = Node::load(repo.git_dir())?.context("the key of this node is gone")?;
    if ui.wants_json() {
        ui.json(&Report {
            node: node.id().to_string(),
            role: role.name(),
            inviter: Inviter {
                node: inviter.to_string(),
                name: inviter_name,
            },
            set_up,
        })?;
    } else {
        let name = printable(&inviter_name);
        ui.say(&format!(
            "{GOOD}Joined{GOOD:#} as {}: {name} ({inviter}) and this work tree exchange edits from now on (`rhema crdt watch`, `rhema crdt sync`).\n\
             The others let it in once {name} has committed that and they have pulled it.\n",
            role.name(),
        ))?;
    }
    Ok(Outcome::Done)
}

/// Leaves the request at the git remote, where the inviter finds it.
fn ask_in_writing(repo: &Repo, inviter: NodeId, ui: &Ui) -> anyhow::Result<Outcome> {
    let met = peers::meet(repo, Prompts::Terminal, Patience::of(PATIENCE))?.unwrap_or_default();
    met.notes.iter().for_each(|note| ui.warn(note));
    if let Some(error) = met.error {
        bail!(
            "{inviter} cannot be reached, and the request cannot be left at the git remote: {error}"
        );
    }
    let remote = met.remote;
    if ui.wants_json() {
        ui.json(&Request {
            inviter: inviter.to_string(),
            left_at: &remote,
        })?;
    } else {
        ui.say(&format!(
            "{inviter} cannot be reached: the request was left at {remote}, where it is answered at the next `rhema crdt sync` there; \
             the next one here after that finds the answer.\n"
        ))?;
    }
    Ok(Outcome::NeedsAttention)
}

/// Sets the clone up as `init` does; says whether anything was missing.
fn set_up(repo: &Repo, ui: &Ui) -> anyhow::Result<bool> {
    let plan = Init::plan(repo, &Driver::of_this_program()?, Wanted::default())?;
    let changes = plan.changes(repo);
    plan.carry_out(repo)?;
    init::warn_of(repo, plan.left(), ui);
    if !ui.wants_json() {
        ui.say(&init::told(repo, &changes, false))?;
    }
    Ok(!changes.is_empty())
}
