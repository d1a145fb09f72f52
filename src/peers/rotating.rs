//! Another key for a node: what was made with the old one stays proved by it, what comes is made with the new one.

use super::Error;
use crate::git::{self, Repo, crash};
use crate::node::{self, Member, Members, Node, NodeId, Until, Watch, with_member, with_removed};
use crate::store::{Durability, Moment, Reading, Standing, Store};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The name of the node with the old key.
    pub old: NodeId,
    /// Its name now.
    pub new: NodeId,
    /// Whether the list of members says so now; that is to be committed.
    pub is_listed: bool,
    /// How many invitations were open, which nobody can use any more: what proves them is made for the old key.
    pub taken_back: usize,
}

/// Gives a work tree another key, in a new incarnation, and writes that into the list of members. Whoever is stopped halfway does it
/// again, and comes to the same key.
///
/// # Errors
/// When a program stays here, which has the old key, or something cannot be read or written.
pub fn rotate(repo: &Repo) -> Result<Rotated, Error> {
    let Some(node) = Node::load(repo.git_dir())? else {
        return Err(Error::NoNode);
    };
    let Some(_watch) = Watch::begin(repo.git_dir())? else {
        return Err(Error::MustEnd);
    };
    let _turn = repo.turn()?;
    let mut store = Store::open(repo.git_dir())?.store;
    // Nobody can do so any more when the old key is gone.
    let writing = store.write(Durability::Power)?;
    writing.seal_unsealed(node.key())?;
    let now = Moment::now();
    let mut taken_back = 0;
    for invitation in writing.invitations()? {
        if invitation.stands(now) == Standing::Open && writing.revoke(invitation.key, now)? {
            taken_back += 1;
        }
    }
    writing.commit()?;
    let next = node.next_key()?;
    let (old, new) = (node.id(), next.id());
    let until = last_edits(repo, &store.read()?, node.key().public().as_bytes())?;
    let is_listed = list(repo, old, new, &next.public_text(), &until)?;
    crash::here("after-listed");
    let mut clock = node.clock()?;
    clock.begin_incarnation(&next)?;
    let writing = store.write(Durability::Power)?;
    writing.set_writer(clock.replica())?;
    writing.commit()?;
    drop(clock);
    node.take_next_key()?;
    Ok(Rotated {
        old,
        new,
        is_listed,
        taken_back,
    })
}

/// Writes the new key into the list of members, in the role that the old one has, and the old one as removed; says whether that
/// had one.
fn list(repo: &Repo, old: NodeId, new: NodeId, key: &str, until: &Until) -> Result<bool, Error> {
    let path = Members::path(repo.top());
    let text = Members::text_at(&path)?;
    let members = Members::read(&path, &text)?;
    let (old, id) = (old.to_string(), new.to_string());
    if members.all.contains_key(&id) {
        return Ok(true);
    }
    let Some(member) = members.all.get(&old).filter(|member| member.takes_part()) else {
        return Ok(false);
    };
    let successor = Member::new(key, &member.name, member.role);
    let renewed =
        with_removed(&text, &old, until).and_then(|text| with_member(&text, new, &successor));
    let renewed = renewed.ok_or_else(|| node::Error::members_form(&path))?;
    git::replace(&path, renewed.as_bytes()).map_err(node::Error::write(&path))?;
    Ok(true)
}

/// The last edit of each replica of a node that is known here.
///
/// # Errors
/// When the store or the clock cannot be read.
pub fn last_edits(repo: &Repo, reading: &Reading<'_>, key: &[u8; 32]) -> Result<Until, Error> {
    let owners = reading.all_owners()?.into_iter();
    let owned = owners.filter(|owner| owner.key == *key);
    let mut replicas: Vec<_> = owned.map(|owner| owner.replica).collect();
    if let Some(node) = Node::load(repo.git_dir())?
        && node.key().public().as_bytes() == key
    {
        replicas.push(node.clock()?.replica());
    }
    let mut last = Vec::new();
    for replica in replicas {
        last.extend(reading.last_of(replica)?);
    }
    Ok(last.into_iter().collect())
}
