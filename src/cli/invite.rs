//! `rhema crdt invite`: a ticket with which somebody joins, once.

use std::fmt::Write;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde::Serialize;

use super::Outcome;
use super::peers::{address, role};
use super::ui::{FAINT, GOOD, NOTABLE, STRONG, Ui, printable};
use super::watch::signalled;
use crate::asking::{Answer, Question, Reply, ask};
use crate::git::Repo;
use crate::net::{address_left, reachable_at};
use crate::node::{
    Config, Discovery, InvitationKey, Members, Node, NodeId, Role, Secret, Ticket, Watch, wake,
};
use crate::peers::{Heard, Staying, stay};
use crate::store::{Durability, Invitation, Moment, Standing, Store};

/// How long one who stays may take to say where it listens.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often is looked whether somebody came, and how long who came is given to hear the answer.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
const LAST_WORD: Duration = Duration::from_secs(1);

/// The longest that a ticket may be of use.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Let somebody join: prints a ticket for one work tree
///
/// Whoever runs `rhema crdt join TICKET` becomes a member, once: this work tree trusts it at once, and writes it into
/// .rhema/crdt/members.yaml, which you commit. The ticket is a secret until then: send it by a way that nobody else reads.
/// Here `rhema crdt watch` has to run when it is used, and the other side must be able to reach it. Only admins invite.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt invite --name ben                   a ticket for Ben, who may write, of use for a day\n  \
    rhema crdt invite --role agent --expires 15m --wait  and wait here until it is used\n  \
    rhema crdt invite --address office.example:4711      where this work tree is seen from elsewhere\n  \
    rhema crdt invite --list                       the invitations, and who came\n  \
    rhema crdt invite --revoke 4kq2m9xa            takes one back\n  \
    rhema crdt invite --json | jq -r .ticket")]
pub(super) struct Arguments {
    /// What who joins may do: admin, writer, agent or reader
    #[arg(long, default_value = "writer", value_parser = role)]
    role: Role,
    /// What who joins is to be called; what its git says if not given
    #[arg(long)]
    name: Option<String>,
    /// How long the ticket is of use: 30m, 24h, 7d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = time)]
    expires: Duration,
    /// Where this work tree can be reached; may be given several times. The addresses of this machine if not given
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    address: Vec<String>,
    /// Stay until the ticket was used, and exchange edits meanwhile as `watch` does
    #[arg(long)]
    wait: bool,
    /// Show the invitations that were made here
    #[arg(long, conflicts_with_all = ["wait", "revoke"])]
    list: bool,
    /// Take an invitation back, by the name that --list shows
    #[arg(long, value_name = "ID", conflicts_with = "wait")]
    revoke: Option<String>,
}

/// A length of time as people type it.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number and m, h or d, as 30m, 24h or 7d; a year at most".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u64 = text
        .strip_suffix(unit)
        .and_then(|count| count.parse().ok())
        .ok_or_else(wrong)?;
    let time = Duration::from_secs(count.saturating_mul(seconds));
    match time.is_zero() || time > LONGEST {
        true => Err(wrong()),
        false => Ok(time),
    }
}

/// What is printed for scripts; the names are a contract.
#[derive(Serialize)]
struct Report {
    id: String,
    ticket: String,
    role: Role,
    name: Option<String>,
    /// In milliseconds since 1970, as all moments here.
    expires: u64,
    addresses: Vec<String>,
    watching: bool,
}

#[derive(Serialize)]
struct ListReport {
    invitations: Vec<InvitationReport>,
}

#[derive(Serialize)]
struct InvitationReport {
    id: String,
    state: &'static str,
    role: Role,
    name: Option<String>,
    made: u64,
    expires: u64,
    /// Who joined with it.
    joined: Option<JoinedReport>,
}

#[derive(Serialize)]
struct JoinedReport {
    node: String,
    name: String,
    at: u64,
}

impl InvitationReport {
    fn of(invitation: &Invitation, now: Moment) -> Self {
        Self {
            id: invitation.key.to_string(),
            state: invitation.stands(now).name(),
            role: invitation.role,
            name: invitation.name.clone(),
            made: invitation.made.unix_millis(),
            expires: invitation.expires.unix_millis(),
            joined: invitation.used.as_ref().map(|joined| JoinedReport {
                node: NodeId::of_bytes(&joined.key).to_string(),
                name: joined.name.clone(),
                at: joined.at.unix_millis(),
            }),
        }
    }
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    if arguments.list {
        return list(&repo, ui);
    }
    if let Some(name) = &arguments.revoke {
        return revoke(&repo, name, ui);
    }
    let node = Node::load(repo.git_dir())?
        .context("rhema crdt is not set up in this clone: run `rhema crdt init` first")?;
    check_right_to_invite(&repo, &node)?;
    let inviting = Inviting {
        repo: &repo,
        node: &node,
        arguments,
        ui,
    };
    match (Watch::is_kept(repo.git_dir()), arguments.wait) {
        (true, false) => inviting
            .invite(listening(&repo), true)
            .map(|_| Outcome::Done),
        (true, true) => inviting.wait_for_another(),
        (false, true) => inviting.stay(),
        (false, false) => {
            inviting.invite(None, false)?;
            ui.note(match is_met_at_remote(&repo)? {
                true => "who uses the ticket may leave a request at the git remote: `rhema crdt sync` answers it, and so does `rhema crdt watch`",
                false => {
                    "nobody answers here yet: `rhema crdt watch` has to run when the ticket is used"
                }
            });
            Ok(Outcome::Done)
        }
    }
}

/// Whoever may change who the members are may invite; git's access rights stand behind that, as behind everything in the list.
fn check_right_to_invite(repo: &Repo, node: &Node) -> anyhow::Result<()> {
    let members = Members::at_head(repo)?;
    let own = members.all.get(&node.id().to_string());
    match own.map(|member| member.role) {
        Some(Role::Admin) => Ok(()),
        Some(other) => bail!(
            "only admins invite, and this node is {}: .rhema/crdt/members.yaml at HEAD",
            other.name()
        ),
        None => bail!(
            "only admins invite, and this node is no member at HEAD: commit .rhema/crdt/members.yaml"
        ),
    }
}

/// Where the program that stays here listens.
fn listening(repo: &Repo) -> Option<SocketAddr> {
    match ask(repo, &Question::Status, PATIENCE) {
        Reply::Answered(Answer::Stands(standing)) => standing.listening.parse().ok(),
        Reply::Answered(_) | Reply::Nobody | Reply::Lost => address_left(repo.git_dir()),
    }
}

/// Making an invitation, and waiting for who comes with it.
struct Inviting<'i> {
    repo: &'i Repo,
    node: &'i Node,
    arguments: &'i Arguments,
    ui: &'i Ui,
}

impl Inviting<'_> {
    /// Makes an invitation of a work tree that listens there, if it does.
    fn invite(
        &self,
        listening: Option<SocketAddr>,
        watching: bool,
    ) -> anyhow::Result<InvitationKey> {
        let secret = Secret::draw()?;
        let now = Moment::now();
        let lasts = self.arguments.expires.as_millis() as u64;
        let expires = Moment::from_unix_millis(now.unix_millis() + lasts);
        let invitation = Invitation {
            key: secret.public(),
            role: self.arguments.role,
            name: self.arguments.name.clone(),
            made: now,
            expires,
            revoked: None,
            used: None,
        };
        let key = invitation.key;
        let addresses = self.addresses(listening);
        if addresses.is_empty() && !is_met_at_remote(self.repo)? {
            self.ui.warn(
                "the ticket names no address of this work tree: say it with `--address HOST:PORT`, or let `rhema crdt watch` run first",
            );
        }
        let ticket = Ticket {
            inviter: self.node.key().public().to_bytes(),
            secret,
            role: invitation.role,
            expires: u32::try_from(expires.unix_millis() / 1_000).unwrap_or(u32::MAX),
            addresses,
        };
        let mut store = Store::open(self.repo.git_dir())?.store;
        let writing = store.write(Durability::Power)?;
        writing.invite(&invitation)?;
        writing.commit()?;
        wake(self.repo.git_dir());
        self.show(&invitation, &ticket, watching)?;
        Ok(key)
    }

    fn addresses(&self, listening: Option<SocketAddr>) -> Vec<String> {
        let given = self.arguments.address.clone();
        match listening {
            _ if !given.is_empty() => given,
            Some(listening) => reachable_at(listening)
                .iter()
                .map(ToString::to_string)
                .collect(),
            None => given,
        }
    }

    fn show(&self, invitation: &Invitation, ticket: &Ticket, watching: bool) -> anyhow::Result<()> {
        let text = ticket.to_string();
        if self.ui.wants_json() {
            return self.ui.json(&Report {
                id: invitation.key.to_string(),
                ticket: text,
                role: invitation.role,
                name: invitation.name.clone(),
                expires: invitation.expires.unix_millis(),
                addresses: ticket.addresses.clone(),
                watching,
            });
        }
        if std::io::stdout().is_terminal() {
            // In capitals it takes fewer squares.
            let code = QrCode::with_error_correction_level(text.to_uppercase(), EcLevel::L)
                .context("the ticket is too long for a picture: name fewer addresses")?;
            let picture = code
                .render::<Dense1x2>()
                .dark_color(Dense1x2::Light)
                .light_color(Dense1x2::Dark)
                .build();
            self.ui.say(&format!("{picture}\n"))?;
        }
        let who = match &invitation.name {
            Some(name) => printable(name),
            None => "Whoever gets this".to_owned(),
        };
        self.ui
            .show(&format!("{STRONG}rhema crdt join {text}{STRONG:#}\n"))?;
        self.ui.say(&format!(
            "{who} becomes {} with it, once, within {}. Send it by a way that nobody else reads; {FAINT}rhema crdt invite --revoke {}{FAINT:#} takes it back.\n",
            invitation.role.name(),
            in_words(self.arguments.expires),
            invitation.key,
        ))
    }

    /// Waits while another program stays here.
    fn wait_for_another(&self) -> anyhow::Result<Outcome> {
        let key = self.invite(listening(self.repo), true)?;
        let mut store = Store::open(self.repo.git_dir())?.store;
        loop {
            match stands(&mut store, key)? {
                Standing::Open => std::thread::sleep(BETWEEN_LOOKS),
                other => return self.over(&mut store, key, other),
            }
        }
    }

    /// Stays until somebody came, as `watch` does.
    fn stay(&self) -> anyhow::Result<Outcome> {
        let mut store = Store::open(self.repo.git_dir())?.store;
        let key = std::cell::Cell::new(None);
        let failed = std::cell::RefCell::new(None);
        let until = async {
            let come = async {
                while failed.borrow().is_none() {
                    let is_open = match key.get() {
                        Some(key) => stands(&mut store, key)? == Standing::Open,
                        None => true,
                    };
                    if !is_open {
                        break;
                    }
                    tokio::time::sleep(BETWEEN_LOOKS).await;
                }
                tokio::time::sleep(LAST_WORD).await;
                Ok::<_, anyhow::Error>(())
            };
            let outcome = tokio::select! {
                outcome = come => outcome,
                () = signalled() => Ok(()),
            };
            if let Err(error) = outcome {
                failed.replace(Some(error));
            }
        };
        stay(
            self.repo,
            &Staying::default(),
            until,
            |address, _| match self.invite(Some(address), true) {
                Ok(made) => key.set(Some(made)),
                Err(error) => drop(failed.replace(Some(error))),
            },
            |heard| {
                if let Heard::Failed(error) = heard {
                    self.ui.warn(error);
                }
            },
            |text| self.ui.warn(text),
        )?;
        if let Some(error) = failed.take() {
            return Err(error);
        }
        let mut store = Store::open(self.repo.git_dir())?.store;
        match key.get() {
            Some(key) => {
                let standing = stands(&mut store, key)?;
                self.over(&mut store, key, standing)
            }
            None => Ok(Outcome::NeedsAttention),
        }
    }

    /// Tells how an invitation came to its end.
    fn over(
        &self,
        store: &mut Store,
        key: InvitationKey,
        standing: Standing,
    ) -> anyhow::Result<Outcome> {
        let found = store.read()?.invitations()?;
        let joined = found.into_iter().find(|it| it.key == key);
        match joined.and_then(|it| Some((it.used?, it.role))) {
            Some((joined, role)) => {
                if !self.ui.wants_json() {
                    self.ui.say(&format!(
                        "{GOOD}{}{GOOD:#} joined as {}; for everybody once it is committed: git commit .rhema/crdt/members.yaml\n",
                        printable(&joined.name),
                        role.name()
                    ))?;
                }
                Ok(Outcome::Done)
            }
            None => {
                let what = match standing {
                    Standing::Open => "nobody came yet; the ticket is still of use",
                    Standing::Revoked => "the invitation was taken back",
                    Standing::Expired | Standing::Used => "nobody came in time",
                };
                self.ui.warn(what);
                Ok(Outcome::NeedsAttention)
            }
        }
    }
}

/// How an invitation stands now.
fn stands(store: &mut Store, key: InvitationKey) -> anyhow::Result<Standing> {
    let found = store.read()?.invitations()?;
    let invitation = found.iter().find(|invitation| invitation.key == key);
    let standing = invitation.map(|invitation| invitation.stands(Moment::now()));
    standing.context("the invitation is gone: the store was lost")
}

fn list(repo: &Repo, ui: &Ui) -> anyhow::Result<Outcome> {
    let invitations = match Store::path_in(repo.git_dir()).exists() {
        true => Store::open(repo.git_dir())?.store.read()?.invitations()?,
        false => Vec::new(),
    };
    let now = Moment::now();
    if ui.wants_json() {
        ui.json(&ListReport {
            invitations: invitations
                .iter()
                .map(|invitation| InvitationReport::of(invitation, now))
                .collect(),
        })?;
        return Ok(Outcome::Done);
    }
    let mut text = String::new();
    for invitation in &invitations {
        let report = InvitationReport::of(invitation, now);
        let style = match invitation.stands(now) {
            Standing::Open => NOTABLE,
            Standing::Used => GOOD,
            Standing::Revoked | Standing::Expired => FAINT,
        };
        let whom = match (&report.joined, &report.name) {
            (Some(joined), _) => format!(" by {} ({})", printable(&joined.name), joined.node),
            (None, Some(name)) => format!(", for {}", printable(name)),
            (None, None) => String::new(),
        };
        let left = match invitation.stands(now) {
            Standing::Open => {
                let left = report.expires.saturating_sub(now.unix_millis());
                format!(", {} left", in_words(Duration::from_millis(left)))
            }
            _ => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{STRONG}{}{STRONG:#} {}: {style}{}{style:#}{whom}{left}",
            report.id,
            invitation.role.name(),
            report.state,
        );
    }
    if invitations.is_empty() {
        text.push_str("Nobody was invited here.\n");
    }
    ui.show(&text)?;
    Ok(Outcome::Done)
}

fn revoke(repo: &Repo, name: &str, ui: &Ui) -> anyhow::Result<Outcome> {
    let mut store = Store::open(repo.git_dir())?.store;
    let found = store.read()?.invitations()?;
    let found = found.iter().find(|it| it.key.to_string() == name);
    let Some(invitation) = found else {
        bail!("there is no invitation {name}: `rhema crdt invite --list` shows them");
    };
    let now = Moment::now();
    let writing = store.write(Durability::Power)?;
    let was_open = writing.revoke(invitation.key, now)?;
    writing.commit()?;
    wake(repo.git_dir());
    match (was_open, invitation.stands(now)) {
        (true, _) | (_, Standing::Revoked) => {
            ui.say(&format!(
                "{GOOD}Taken back:{GOOD:#} nobody joins with {name} any more.\n"
            ))?;
            Ok(Outcome::Done)
        }
        (false, Standing::Expired) => {
            bail!("{name} is of no use any more anyway: its time is over")
        }
        (false, _) => {
            bail!("somebody joined with {name} already: `rhema crdt peers remove` ends that")
        }
    }
}

/// "15 minutes", "24 hours", "7 days".
fn in_words(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    let (count, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2_881 => (minutes / 60, "hour"),
        _ => (minutes / 1_440, "day"),
    };
    super::round::counted(count as usize, unit)
}

/// Whether others are met through the git remote, too.
fn is_met_at_remote(repo: &Repo) -> anyhow::Result<bool> {
    Ok(Config::in_work_tree(repo)?.discovery == Discovery::Git)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(time("30m"), Ok(Duration::from_secs(1_800)));
        assert_eq!(time("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(time("7d"), Ok(Duration::from_secs(604_800)));
        for wrong in [
            "",
            "m",
            "0m",
            "7",
            "7w",
            "-1h",
            "367d",
            "1.5h",
            "9999999999999999999d",
            "7é",
        ] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        for (text, words) in [
            ("1m", "1 minute"),
            ("90m", "90 minutes"),
            ("24h", "24 hours"),
            ("7d", "7 days"),
        ] {
            assert_eq!(in_words(time(text).unwrap()), words);
        }
    }
}
