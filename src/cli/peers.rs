//! `rhema crdt peers`: who may sync.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::Outcome;
use super::resolve::ago;
use super::round::counted;
use super::ui::{FAINT, GOOD, NOTABLE, STRONG, Ui, printable};
use crate::git::{self, Repo};
use crate::node::{
    Admitted, Ground, Member, Members, Node, NodeId, Removed, Role, Trusted, Until, public_key,
    to_hex, wake, with_member, with_removed, without_member,
};
use crate::peers::{Rotated, is_address, known_peers, last_edits, rotate};
use crate::store::{Durability, Moment, Peer, Store};

/// Show who may sync, and change it
///
/// Members stand in .rhema/crdt/members.yaml and count as committed at HEAD. Other work trees of the same repository on this
/// machine may sync, too, and whom this work tree trusts by itself.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt peers                                    who may sync, and this node's own key\n  \
    rhema crdt peers add KEY --name ben                 a member more; counts once it is committed\n  \
    rhema crdt peers trust KEY --address 10.0.0.7:4711  for this work tree alone, at once\n  \
    rhema crdt peers remove ben                         ends either\n  \
    rhema crdt peers remove ben --forget                and leaves no line of him in members.yaml\n  \
    rhema crdt peers rotate                             another key for this work tree, as when somebody saw it")]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show who may sync
    List,
    /// Make a node a member: it counts once members.yaml is committed
    Add(Add),
    /// Trust a node in this work tree alone, at once
    Trust(Add),
    /// End that a node is a member, or trusted here
    ///
    /// In members.yaml a member becomes `role: removed`, with the last edits of its that are known here: these are taken
    /// still, whoever brings them, later ones are not. Of one who made none the lines are taken away.
    Remove(Remove),
    /// Give this work tree another key
    ///
    /// What it wrote stays proved by the old key, which becomes `role: removed` in members.yaml; the new one takes its role
    /// there. Commit that: others let the new key in as soon as they have pulled it, and the old one no longer.
    Rotate,
}

#[derive(Args, Debug)]
struct Remove {
    /// The node: its name, its key or what it is called
    #[arg(value_name = "NODE")]
    node: String,
    /// Take its lines away: what it wrote and others do not know yet is refused, too
    #[arg(long)]
    forget: bool,
    /// Even if no admin is left then
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
struct Add {
    /// The node's key: 64 hexadecimal digits, which `rhema crdt peers` shows there
    #[arg(value_name = "KEY")]
    key: String,
    /// What it is called
    #[arg(long)]
    name: Option<String>,
    /// What it may do: admin, writer, agent or reader
    #[arg(long, default_value = "writer", value_parser = role)]
    role: Role,
    /// Where it is
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    address: Option<String>,
}

/// What can be typed for an address.
pub(super) fn address(text: &str) -> Result<String, String> {
    match is_address(text) {
        true => Ok(text.to_owned()),
        false => Err("expected HOST:PORT, an IPv6 address in brackets".to_owned()),
    }
}

/// What can be typed for a role.
pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::named(text).ok_or_else(|| "expected admin, writer, agent or reader".to_owned())
}

/// What is printed for scripts.
#[derive(Serialize)]
struct Report {
    node: Option<String>,
    key: Option<String>,
    role: Option<&'static str>,
    peers: Vec<PeerReport>,
    removed: Vec<RemovedReport>,
}

/// Somebody who may not sync any more.
#[derive(Serialize)]
pub(super) struct RemovedReport {
    node: String,
    name: String,
    /// The last edits of its that are taken.
    until: String,
}

impl RemovedReport {
    pub(super) fn of(removed: &Removed) -> Self {
        Self {
            node: removed.id.to_string(),
            name: removed.name.clone(),
            until: removed.until.to_string(),
        }
    }

    /// A line for people.
    pub(super) fn tell(removed: &Removed) -> String {
        let until = match removed.until.last() {
            Some(last) => {
                let at = SystemTime::UNIX_EPOCH + Duration::from_millis(last.unix_millis());
                let ago = ago(SystemTime::now().duration_since(at).unwrap_or_default());
                format!("what it wrote until {last}, {ago}, is taken")
            }
            None => "nothing is taken from it any more".to_owned(),
        };
        format!(
            "{STRONG}{}{STRONG:#} {}: {NOTABLE}removed{NOTABLE:#}, {FAINT}{until}{FAINT:#}\n",
            removed.id,
            printable(&removed.name)
        )
    }
}

#[derive(Serialize)]
struct PeerReport {
    node: String,
    key: String,
    name: String,
    role: &'static str,
    why: &'static str,
    address: Option<String>,
    last_seen: Option<u64>,
    last_sync: Option<u64>,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    match &arguments.what {
        None | Some(What::List) => list(&repo, ui),
        Some(What::Add(add)) => make_member(&repo, add, ui),
        Some(What::Trust(add)) => trust(&repo, add, ui),
        Some(What::Remove(wanted)) => remove(&repo, wanted, ui),
        Some(What::Rotate) => renew_key(&repo, ui),
    }
}

fn list(repo: &Repo, ui: &Ui) -> anyhow::Result<Outcome> {
    let node = Node::load(repo.git_dir())?;
    let (trusted, known) = match &node {
        Some(node) => {
            let mut store = Store::open(repo.git_dir())?.store;
            known_peers(repo, node, Some(&mut store))?
        }
        None => Default::default(),
    };
    for problem in &trusted.problems {
        ui.warn(problem);
    }
    let report = Report {
        node: node.as_ref().map(|node| node.id().to_string()),
        key: node.as_ref().map(|node| node.key().public_text()),
        role: trusted.own_role.map(Role::name),
        peers: trusted
            .others
            .iter()
            .map(|(key, peer)| PeerReport::of(key, peer, &known))
            .collect(),
        removed: trusted.removed.values().map(RemovedReport::of).collect(),
    };
    match ui.wants_json() {
        true => ui.json(&report)?,
        false => ui.show(&for_people(&report, &trusted))?,
    }
    Ok(Outcome::of_attention(!trusted.problems.is_empty()))
}

impl PeerReport {
    fn of(key: &[u8; 32], peer: &Admitted, known: &[Peer]) -> Self {
        let known = known.iter().find(|known| known.key == *key);
        let millis = |moment: Option<Moment>| moment.map(Moment::unix_millis);
        Self {
            node: peer.id.to_string(),
            key: to_hex(key),
            name: peer.name.clone(),
            role: peer.role.name(),
            why: match peer.ground {
                Ground::Member => "member",
                Ground::Sibling => "sibling",
                Ground::Local => "trusted here",
            },
            address: known.and_then(|known| known.addresses.first().cloned()),
            last_seen: millis(known.and_then(|known| known.met)),
            last_sync: millis(known.and_then(|known| known.exchanged)),
        }
    }
}

fn for_people(report: &Report, trusted: &Trusted) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = match (&report.node, &report.key) {
        (Some(node), Some(key)) => {
            let role = match trusted.own_role {
                Some(Role::Removed) => "removed: nobody takes its edits any more",
                Some(role) => role.name(),
                None => "no member at HEAD yet: .rhema/crdt/members.yaml",
            };
            writeln!(
                text,
                "{STRONG}{node}{STRONG:#} this work tree, {role}\n  {FAINT}key {key}{FAINT:#}"
            )
        }
        _ => writeln!(text, "This clone has no node yet: `rhema crdt init`."),
    };
    for peer in &report.peers {
        let place = peer.address.as_deref().unwrap_or("nobody knows where");
        let _ = writeln!(
            text,
            "{STRONG}{}{STRONG:#} {}, {} ({}), {}",
            peer.node,
            printable(&peer.name),
            peer.role,
            peer.why,
            printable(place)
        );
    }
    if report.peers.is_empty() {
        text.push_str("Nobody else may sync: whoever runs `rhema crdt init` in a clone and commits becomes a member.\n");
    }
    text.extend(trusted.removed.values().map(RemovedReport::tell));
    text
}

fn make_member(repo: &Repo, add: &Add, ui: &Ui) -> anyhow::Result<Outcome> {
    let key = add.key()?;
    let id = NodeId::of(&key);
    let _turn = repo.turn()?;
    let path = Members::path(repo.top());
    let text = Members::text_at(&path)?;
    let members = Members::read(&path, &text)?;
    let before = match members.all.get(&id.to_string()) {
        Some(known) if known.takes_part() => {
            bail!("{id} is a member already: {}", path.display())
        }
        // It comes back.
        Some(_) => without_member(&text, &id.to_string()),
        None => None,
    };
    let text = before.unwrap_or(text);
    let name = add.name.clone().unwrap_or_else(|| id.to_string());
    let member = Member::new(to_hex(key.as_bytes()), name, add.role);
    let with = with_member(&text, id, &member)
        .with_context(|| format!("{} is not one block mapping", path.display()))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    git::replace(&path, with.as_bytes())?;
    if let Some(address) = &add.address {
        let mut store = Store::open(repo.git_dir())?.store;
        let writing = store.write(Durability::Process)?;
        writing.add_address(key.as_bytes(), address)?;
        writing.commit()?;
        wake(repo.git_dir());
    }
    ui.say(&format!(
        "{GOOD}{}{GOOD:#} is a member once it is committed: git commit {}\n",
        printable(&member.name),
        repo.shown(path.strip_prefix(repo.top()).unwrap_or(&path))
    ))?;
    Ok(Outcome::Done)
}

fn trust(repo: &Repo, add: &Add, ui: &Ui) -> anyhow::Result<Outcome> {
    let key = add.key()?;
    let id = NodeId::of(&key);
    if let Some(removed) = Members::at_head(repo)?.all.get(&id.to_string())
        && !removed.takes_part()
    {
        bail!(
            "{id} was removed from the members by a commit: `rhema crdt peers add` brings it back for everybody"
        );
    }
    let mut store = Store::open(repo.git_dir())?.store;
    let writing = store.write(Durability::Process)?;
    writing.trust(key.as_bytes(), add.role.into(), add.name.as_deref())?;
    if let Some(address) = &add.address {
        writing.add_address(key.as_bytes(), address)?;
    }
    writing.commit()?;
    wake(repo.git_dir());
    ui.say(&format!(
        "{GOOD}{id}{GOOD:#} is trusted in this work tree.\n"
    ))?;
    Ok(Outcome::Done)
}

impl Add {
    fn key(&self) -> anyhow::Result<ed25519_dalek::VerifyingKey> {
        public_key(&self.key).with_context(|| {
            format!(
                "{} is no key: it has 64 hexadecimal digits; `rhema crdt peers` shows it there",
                self.key
            )
        })
    }
}

fn remove(repo: &Repo, wanted: &Remove, ui: &Ui) -> anyhow::Result<Outcome> {
    let name = &wanted.node;
    let _turn = repo.turn()?;
    let path = Members::path(repo.top());
    let text = Members::text_at(&path)?;
    let members = Members::read(&path, &text)?;
    let is_it =
        |id: &str, member: &Member| id == name || member.name == *name || member.key == *name;
    let found: Vec<(&String, &Member)> = members
        .all
        .iter()
        .filter(|(id, member)| is_it(id, member))
        .collect();
    // Who has another key now is called as before.
    let of_now = found.iter().filter(|(_, member)| member.takes_part());
    let found = match (of_now.copied().collect::<Vec<_>>(), found.as_slice()) {
        (of_now, _) if of_now.len() > 1 => {
            bail!("several members are called {name}: name one by its node")
        }
        (of_now, _) if !of_now.is_empty() => of_now.first().copied(),
        (_, []) => None,
        (_, [only]) => Some(*only),
        _ => bail!("several of this name were removed: name one by its node"),
    };
    let is_admin = |member: &Member| member.role == Role::Admin;
    let admins = members.of_now().filter(|(_, member)| is_admin(member));
    if found.is_some_and(|(_, member)| is_admin(member)) && admins.count() == 1 && !wanted.force {
        bail!(
            "{name} is the last admin: give another member the role in {} first, or say `--force`",
            repo.shown(path.strip_prefix(repo.top()).unwrap_or(&path))
        );
    }
    let mut store = Store::open(repo.git_dir())?.store;
    let mut told = String::new();
    if let Some((id, member)) = found {
        let until = match public_key(&member.key) {
            Some(key) => last_edits(repo, &store.read()?, key.as_bytes())?,
            None => Until::default(),
        };
        if !member.takes_part() && !wanted.forget {
            bail!("{name} was removed already: `--forget` takes its lines away");
        }
        let keeps = !wanted.forget && !until.is_empty();
        let after = match keeps {
            true => with_removed(&text, id, &until),
            false => without_member(&text, id),
        };
        let after = after.with_context(|| {
            format!(
                "{} is in no form in which one can be removed",
                path.display()
            )
        })?;
        git::replace(&path, after.as_bytes())?;
        told.push_str("No member any more once that is committed");
        told.push_str(match keeps {
            true => "; what it wrote that is known here is still taken.\n",
            false => ".\n",
        });
    }
    let peers = store.read()?.peers()?;
    let is_known = |peer: &&Peer| {
        let id = ed25519_dalek::VerifyingKey::from_bytes(&peer.key)
            .map(|key| NodeId::of(&key).to_string());
        id.is_ok_and(|id| id == *name || found.is_some_and(|(found, _)| *found == id))
            || peer.name.as_ref() == Some(name)
            || to_hex(&peer.key) == *name
    };
    let writing = store.write(Durability::Process)?;
    for peer in peers.iter().filter(is_known) {
        writing.forget_peer(&peer.key)?;
        if peer.trust.is_some() {
            told.push_str("No longer trusted in this work tree.\n");
        }
    }
    writing.commit()?;
    wake(repo.git_dir());
    if told.is_empty() {
        bail!("nobody is called {name}: `rhema crdt peers` shows who there is");
    }
    ui.say(&told)?;
    Ok(Outcome::Done)
}

/// What is printed of another key for scripts.
#[derive(Serialize)]
struct RotatedReport {
    old: String,
    node: String,
    listed: bool,
}

fn renew_key(repo: &Repo, ui: &Ui) -> anyhow::Result<Outcome> {
    let Rotated {
        old,
        new,
        is_listed,
        taken_back,
    } = rotate(repo)?;
    if taken_back > 0 {
        ui.warn(format_args!(
            "{} made with the old key cannot be used any more: invite again",
            counted(taken_back, "invitation")
        ));
    }
    if ui.wants_json() {
        ui.json(&RotatedReport {
            old: old.to_string(),
            node: new.to_string(),
            listed: is_listed,
        })?;
        return Ok(Outcome::Done);
    }
    let next = match is_listed {
        true => "Others follow once they have that: git commit .rhema/crdt/members.yaml",
        false => {
            "It stands in no list of members: whoever trusts the old key has to trust the new one"
        }
    };
    ui.say(&format!(
        "{GOOD}{new}{GOOD:#} is this work tree now; it was {old}.\n{next}\n"
    ))?;
    Ok(Outcome::Done)
}
