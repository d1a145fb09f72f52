//! Letting in who was invited: what comes of a request, whatever way that came.

use std::path::Path;
use std::time::Duration;

use super::keeper::{Heard, Keeper};
use super::{Error, admission, requests, visit};
use crate::git::{self, Repo, crash};
use crate::net::{DialError, Knock, PublicKey, Reply, knock};
use crate::node::{
    self, Config, Discovery, Ground, Member, Members, Node, NodeId, Request, Role, Ticket, Verdict,
    to_hex, with_member, without_member,
};
use crate::store::{Durability, Event, Invitation, Moment, Standing, Store, Trust};

/// For how long after the end of an invitation who comes with it is told that it came too late: clocks differ.
const LATE: u64 = 600_000;

/// How long is waited before the inviter is asked again where it expects nobody: it hears of an invitation within a moment.
const WAITS: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1_200)];

/// Somebody who joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joiner {
    /// The name of its node.
    pub id: NodeId,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// Answers a request to join, which somebody with the key `proved` made, or which lay somewhere. Who is let in is trusted in this
/// work tree at once, the invitation is used up, and [`list_who_joined`] makes it a member.
///
/// # Errors
/// When something cannot be read or written; nobody is let in then.
pub fn answer_request(
    repo: &Repo,
    store: &mut Store,
    said: &[u8],
    proved: Option<&PublicKey>,
) -> Result<(Verdict, Option<Joiner>), Error> {
    let Some(node) = Node::load(repo.git_dir())? else {
        return Ok((Verdict::Unknown, None));
    };
    let now = Moment::now();
    let request = Request::read(said, node.key().public().as_bytes());
    let request = request.filter(|request| proved.is_none_or(|key| request.joiner == *key));
    let Some(request) = request else {
        return Ok((Verdict::Unknown, None));
    };
    let invitations = store.read()?.invitations()?;
    let mut found = invitations.into_iter();
    let Some(invitation) = found.find(|invitation| invitation.key == request.invitation) else {
        return Ok((Verdict::Unknown, None));
    };
    let trusted = admission::trusted(repo, &node, store)?;
    let known = trusted.others.get(&request.joiner);
    let welcome = |role| Verdict::Welcome {
        role,
        name: repo.user_name(),
    };
    // Who did not hear the answer asks again, and who is a member needs no invitation.
    let is_back = |joined: &crate::store::Joined| joined.key == request.joiner;
    if let Some(known) = known
        && (known.ground == Ground::Member || invitation.used.as_ref().is_some_and(is_back))
    {
        let role = match known.ground {
            Ground::Member => known.role,
            Ground::Sibling | Ground::Local => invitation.role,
        };
        return Ok((welcome(role), None));
    }
    match invitation.stands(now) {
        Standing::Open => {}
        Standing::Used => return Ok((Verdict::Used, None)),
        Standing::Revoked => return Ok((Verdict::Revoked, None)),
        Standing::Expired => return Ok((Verdict::Expired, None)),
    }
    let roots = visit::roots(repo, store)?;
    let is_told = !roots.is_empty() && !request.roots.is_empty();
    if is_told && !roots.iter().any(|root| request.roots.contains(root)) {
        return Ok((Verdict::OtherRepository, None));
    }
    if trusted.removed.contains_key(&request.joiner) {
        return Ok((Verdict::Removed, None));
    }
    let Invitation { key, role, .. } = invitation;
    let joiner = Joiner {
        id: NodeId::of_bytes(&request.joiner),
        name: invitation.name.unwrap_or(request.name),
        role,
    };
    let writing = store.write(Durability::Power)?;
    // Another one may have been quicker.
    if !writing.use_invitation(key, &request.joiner, &joiner.name, now)? {
        return Ok((Verdict::Used, None));
    }
    writing.trust(&request.joiner, role.into(), Some(&joiner.name))?;
    writing.note(&Event {
        at: now,
        key: Some(request.joiner),
        what: format!("joined as {} by the invitation {key}", role.name()),
    })?;
    writing.commit()?;
    crash::here("after-used");
    Ok((welcome(role), Some(joiner)))
}

/// Writes those who joined into the list of members, where git is at rest: what was not done yet is done later. Says whether
/// anybody was added; that is to be committed.
///
/// # Errors
/// When the list cannot be read or written.
pub fn list_who_joined(repo: &Repo, store: &mut Store) -> Result<bool, Error> {
    let invitations = store.read()?.invitations()?;
    let mut open = Vec::new();
    for Invitation {
        key, role, used, ..
    } in invitations
    {
        if let Some(joined) = used.filter(|joined| !joined.listed) {
            open.push((key, role, joined));
        }
    }
    if open.is_empty() || repo.under_way().is_some() {
        return Ok(false);
    }
    let turn = repo.turn()?;
    let path = Members::path(repo.top());
    let mut is_new = false;
    for (_, role, joined) in &open {
        let member = Member::new(to_hex(&joined.key), &joined.name, *role);
        is_new |= list(&path, NodeId::of_bytes(&joined.key), &member)?;
    }
    drop(turn);
    crash::here("after-member");
    let writing = store.write(Durability::Power)?;
    for (key, ..) in &open {
        writing.listed(*key)?;
    }
    writing.commit()?;
    Ok(is_new)
}

/// Adds a member, unless the list has it, or has it as removed.
fn list(path: &Path, id: NodeId, member: &Member) -> Result<bool, Error> {
    let text = Members::text_at(path)?;
    let members = Members::read(path, &text)?;
    if members.all.contains_key(&id.to_string()) {
        return Ok(false);
    }
    let with = with_member(&text, id, member);
    let with = with.ok_or_else(|| node::Error::members_form(path))?;
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        git::replace(path, with.as_bytes())
    };
    write().map_err(node::Error::write(path))?;
    Ok(true)
}

/// What came of asking to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The inviter answered.
    Answered(Verdict),
    /// Nobody was reached: the request is left at the git remote with the next exchange, and answered there.
    InWriting,
}

/// Why the inviter did not let a node in, and what to do.
#[must_use]
pub fn refusal(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Welcome { .. } => "it was let in",
        Verdict::Used => {
            "somebody else has joined with this ticket: ask for another one, and who that was"
        }
        Verdict::Expired => {
            "this ticket is of no use any more, its time is over: ask for another one"
        }
        Verdict::Revoked => "the inviter took this invitation back",
        Verdict::Unknown => {
            "the inviter knows nothing of this ticket: it was altered, or the inviter lost what it knew; ask for another one"
        }
        Verdict::OtherRepository => {
            "the inviter's repository and this one have no commit in common: join in a clone of its repository"
        }
        Verdict::Removed => {
            "the key of this work tree was removed from the members: `rhema crdt peers rotate` makes another one"
        }
        Verdict::NotNow => {
            "the inviter could not write it down at the moment: run the command again"
        }
    }
}

/// Asks the inviter to let this work tree in, which is to be called so. Who is let in trusts the inviter at once.
///
/// # Errors
/// When the inviter cannot be reached, or the store not be written.
pub fn join(repo: &Repo, ticket: &Ticket, name: &str) -> Result<Asked, Error> {
    let (node, _) = Node::create(repo.git_dir())?;
    let mut store = Store::open(repo.git_dir())?.store;
    let roots = visit::roots(repo, &mut store)?;
    let request = ticket.request(node.key(), name, &roots);
    let asked = async {
        let mut waits = WAITS.iter();
        loop {
            let asked = knock(node.key(), ticket.inviter, &ticket.addresses, &request).await;
            match (asked, waits.next()) {
                // It may not have heard of its own invitation yet.
                (Err(DialError::Protocol), Some(wait)) => tokio::time::sleep(*wait).await,
                (asked, _) => return asked,
            }
        }
    };
    let answer = visit::runtime()?.block_on(asked);
    let answer = match answer {
        Ok(answer) => answer,
        Err(DialError::Protocol) => return Err(Error::NotExpected),
        Err(_) if Config::in_work_tree(repo)?.discovery == Discovery::Git => {
            requests::keep(&mut store, ticket, &request)?;
            return Ok(Asked::InWriting);
        }
        Err(why) => {
            return Err(Error::InviterAway {
                addresses: ticket.addresses.join(", "),
                why,
            });
        }
    };
    let verdict = Verdict::read(&answer).ok_or(Error::NotExpected)?;
    if let Verdict::Welcome { name, .. } = &verdict {
        let (inviter, addresses) = (&ticket.inviter, &ticket.addresses);
        welcomed(repo, &mut store, node.id(), inviter, addresses, name)?;
    }
    Ok(Asked::Answered(verdict))
}

/// Trusts the inviter, who let this node in.
pub(super) fn welcomed(
    repo: &Repo,
    store: &mut Store,
    node: NodeId,
    inviter: &PublicKey,
    addresses: &[String],
    name: &str,
) -> Result<(), Error> {
    let writing = store.write(Durability::Power)?;
    writing.trust(inviter, Trust::Writes, Some(name))?;
    for address in addresses {
        writing.add_address(inviter, address)?;
    }
    writing.commit()?;
    take_own_line_back(repo, node)?;
    node::wake(repo.git_dir());
    Ok(())
}

/// Takes away the line by which this node made itself a member, as long as it is not committed: the inviter writes another one,
/// and pulling that must meet nothing.
fn take_own_line_back(repo: &Repo, id: NodeId) -> Result<(), Error> {
    let id = id.to_string();
    if Members::at_head(repo)?.all.contains_key(&id) {
        return Ok(());
    }
    let _turn = repo.turn()?;
    let path = Members::path(repo.top());
    let text = Members::text_at(&path)?;
    let Some(without) = without_member(&text, &id) else {
        return Ok(());
    };
    let taken = match without.is_empty() {
        true => std::fs::remove_file(&path),
        false => git::replace(&path, without.as_bytes()),
    };
    Ok(taken.map_err(node::Error::write(&path))?)
}

impl Keeper {
    /// Answers somebody who wants to join.
    pub(super) fn knocked(&mut self, knock: Knock) {
        let Knock { key, said, reply } = knock;
        let answered = Repo::find().map_err(Error::from).and_then(|repo| {
            let (verdict, joiner) =
                answer_request(&repo, &mut self.shelf.store, &said, Some(&key))?;
            if joiner.is_some() {
                self.renew_trust()?;
            }
            Ok((verdict, joiner))
        });
        let (verdict, joiner) = answered.unwrap_or_else(|error| {
            self.hear(Heard::Failed(error));
            (Verdict::NotNow, None)
        });
        let bytes = verdict.bytes();
        // Who hung up asks again.
        let _ = reply.send(match verdict {
            Verdict::Welcome { .. } => Reply::Welcome(bytes),
            _ => Reply::Refused(bytes),
        });
        if let Some(joiner) = joiner {
            self.hear(Heard::Joined(joiner));
        }
    }

    /// Lets strangers say with what they were invited as long as anybody is, and finishes what was begun with those who came.
    pub(super) fn mind_invitations(&mut self) -> Result<(), Error> {
        let invitations = self.shelf.store.read()?.invitations()?;
        let ends = invitations.iter().map(|it| it.expires.unix_millis());
        let until = ends.max().map_or(0, |last| last.saturating_add(LATE));
        let until = Moment::from_unix_millis(until);
        self.admission.expect_strangers_until(until);
        list_who_joined(&self.shelf.repo, &mut self.shelf.store)?;
        Ok(())
    }
}
